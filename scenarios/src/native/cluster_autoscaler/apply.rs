//! Flags understood against a release and put into [`ClusterAutoscaler`].

use sim::scenario::{ClusterAutoscaler, Expander, KubernetesVersion, ResourceLimit};
use sim::units::SimDuration;
use sim::{Finding, Severity};

use super::flag_table::{self, FlagFacts, FlagType, IRRELEVANT, MODELLED};
use super::{AutoscalerFlags, FLAGS_MAX, Flag};
use crate::native::Place;
use crate::problem::{Problem, nearest};

const EXPANDERS: [(&str, Option<Expander>); 7] = [
    ("grpc", None),
    ("least-nodes", Some(Expander::LeastNodes)),
    ("least-waste", Some(Expander::LeastWaste)),
    ("most-pods", Some(Expander::MostPods)),
    ("price", Some(Expander::Price)),
    ("priority", Some(Expander::Priority)),
    ("random", Some(Expander::Random)),
];

/// A value of a flag's type.
enum FlagValue {
    Bool(bool),
    Duration(SimDuration),
    Float(f64),
    Int(i64),
    Text(String),
}

impl AutoscalerFlags {
    /// Puts every flag that the model follows into `autoscaler`; what is not given stays as it is
    /// (start with [`ClusterAutoscaler::default_of`] the same release). Flags that `version` does
    /// not have, and values of the wrong type, are problems, also for flags that are not modelled.
    pub fn apply(
        &self,
        version: KubernetesVersion,
        autoscaler: &mut ClusterAutoscaler,
    ) -> (Vec<Problem>, Vec<Finding>) {
        let mut out = (Vec::new(), Vec::new());
        if !self.priorities.is_empty() {
            autoscaler.priorities.clone_from(&self.priorities);
        }
        for flag in ["balancing-ignore-label", "balancing-label"] {
            if self.has(flag) {
                labels_of(flag, autoscaler).clear();
            }
        }
        if let Some(place) = &self.too_many {
            let message = format!("more than {FLAGS_MAX} flags; the rest is not read");
            out.0.push(place.problem(message));
        }
        if let Some((image, place)) = self.image_version.as_ref().filter(|(v, _)| *v != version) {
            let message = format!(
                "the image is release {image}; flags and defaults of {version} are used, the \
                 scenario's release"
            );
            out.1.push(place.finding(Severity::Info, "autoscaler-version", message));
        }
        for flag in &self.flags {
            match flag_table::find(&flag.name) {
                Some(facts) if facts.is_in(version) => {
                    one(flag, facts, self, autoscaler, &mut out);
                }
                _ if flag_table::is_library_flag(&flag.name) => {}
                facts => out.0.push(unknown(flag, facts, version)),
            }
        }
        out
    }

    /// Flags that `version` does not have: those of the problems of [`Self::apply`].
    pub(crate) fn unknown(&self, version: KubernetesVersion) -> Vec<Problem> {
        let here = |facts: Option<&FlagFacts>| facts.is_some_and(|facts| facts.is_in(version));
        let flags = self.flags.iter().filter(|flag| !flag_table::is_library_flag(&flag.name));
        let flags = flags.map(|flag| (flag, flag_table::find(&flag.name)));
        flags
            .filter(|(_, facts)| !here(*facts))
            .map(|(flag, facts)| unknown(flag, facts, version))
            .collect()
    }

    /// Where `name` is given.
    pub(crate) fn place(&self, name: &str) -> Option<&Place> {
        Some(&self.flags.iter().find(|flag| flag.name == name)?.place)
    }

    fn has(&self, name: &str) -> bool {
        self.flags.iter().any(|flag| flag.name == name)
    }
}

fn unknown(flag: &Flag, facts: Option<&FlagFacts>, version: KubernetesVersion) -> Problem {
    let name: String = flag.name.chars().take(80).collect();
    let message = format!("Cluster Autoscaler {version} has no flag `{name}`");
    let problem = flag.place.problem(message);
    if let Some(facts) = facts {
        let instead = match facts.name {
            "max-empty-bulk-delete" => "; use `max-scale-down-parallelism`",
            _ => "",
        };
        return problem.with_help(format!("it exists in releases {}{instead}", facts.releases()));
    }
    let here = flag_table::all().iter().filter(|facts| facts.is_in(version));
    match nearest(&name, here.map(|facts| facts.name)) {
        Some(near) => problem.with_help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

fn one(
    flag: &Flag,
    facts: &FlagFacts,
    all: &AutoscalerFlags,
    autoscaler: &mut ClusterAutoscaler,
    (problems, findings): &mut (Vec<Problem>, Vec<Finding>),
) {
    let value = match typed(flag, facts.kind) {
        Ok(value) => value,
        Err(problem) => return problems.push(*problem),
    };
    if IRRELEVANT.contains(&facts.name) {
        return;
    }
    if !MODELLED.contains(&facts.name) {
        return findings.push(flag.place.not_modelled(&flag.name));
    }
    // Both bound what one loop deletes where a release has both; the older one then rules.
    if facts.name == "max-scale-down-parallelism" && all.has("max-empty-bulk-delete") {
        return findings.push(flag.place.not_modelled(&flag.name));
    }
    let refused = match (facts.name, value) {
        ("expander", FlagValue::Text(text)) => {
            return expander(flag, &text, autoscaler, problems, findings);
        }
        (name, FlagValue::Duration(time)) => set_duration(name, time, autoscaler),
        (name, FlagValue::Int(number)) => set_int(name, number, autoscaler),
        (name, FlagValue::Bool(on)) => {
            set_bool(name, on, autoscaler);
            None
        }
        (name, FlagValue::Float(share)) => set_float(name, share, autoscaler),
        (name, FlagValue::Text(text)) => set_text(name, &text, autoscaler),
    };
    if let Some(allowed) = refused {
        problems.push(wrong_value(flag, allowed));
    }
}

fn set_bool(name: &str, on: bool, autoscaler: &mut ClusterAutoscaler) {
    let slot = match name {
        "scale-down-enabled" => &mut autoscaler.scale_down_enabled,
        "scale-down-delay-type-local" => &mut autoscaler.scale_down_delay_type_local,
        "ignore-daemonsets-utilization" => &mut autoscaler.ignore_daemonsets_utilization,
        "skip-nodes-with-local-storage" => &mut autoscaler.skip_nodes_with_local_storage,
        "skip-nodes-with-custom-controller-pods" => {
            &mut autoscaler.skip_nodes_with_custom_controller_pods
        }
        "scale-up-from-zero" => &mut autoscaler.scale_up_from_zero,
        "enforce-node-group-min-size" => &mut autoscaler.enforce_node_group_min_size,
        "salvo-scale-up" => &mut autoscaler.salvo_scale_up,
        "balance-similar-node-groups" => &mut autoscaler.balance_similar_node_groups,
        _ => unreachable!("{name} is no modelled switch"),
    };
    *slot = on;
}

/// Sets a share; what is allowed, where it is not.
fn set_float(name: &str, share: f64, autoscaler: &mut ClusterAutoscaler) -> Option<&'static str> {
    let slot = match name {
        "scale-down-utilization-threshold" => &mut autoscaler.scale_down_utilization_threshold,
        "scale-down-gpu-utilization-threshold" => {
            &mut autoscaler.scale_down_gpu_utilization_threshold
        }
        "memory-difference-ratio" => &mut autoscaler.memory_difference_ratio,
        "max-allocatable-difference-ratio" => &mut autoscaler.max_allocatable_difference_ratio,
        "max-free-difference-ratio" => &mut autoscaler.max_free_difference_ratio,
        _ => unreachable!("{name} is no modelled share"),
    };
    *slot = share;
    (!(0.0..=1.0).contains(&share)).then_some("a share from 0 to 1")
}

/// Sets a text flag; what is allowed, where it is not.
fn set_text(name: &str, text: &str, autoscaler: &mut ClusterAutoscaler) -> Option<&'static str> {
    let slot = match name {
        "balancing-ignore-label" | "balancing-label" => {
            labels_of(name, autoscaler).push(text.to_owned());
            return None;
        }
        "gpu-total" => {
            let Some(limit) = text.split_once(':').and_then(|(_, bounds)| limit_of(bounds)) else {
                return Some("`type:min:max`, such as nvidia.com/gpu:0:16");
            };
            // The model has one kind of GPU: limits of several types add up.
            let known = autoscaler.gpu_total.get_or_insert(ResourceLimit { min: 0, max: 0 });
            known.min += limit.min;
            known.max += limit.max;
            return None;
        }
        "cores-total" => &mut autoscaler.cores_total,
        "memory-total" => &mut autoscaler.memory_total,
        _ => unreachable!("{name} is no modelled text"),
    };
    match limit_of(text) {
        Some(limit) => {
            *slot = limit;
            None
        }
        None => Some("`min:max`, such as 0:320000"),
    }
}

fn limit_of(text: &str) -> Option<ResourceLimit> {
    const MOST: u64 = 1 << 32;
    let (min, max) = text.split_once(':')?;
    let (min, max) = (min.parse().ok()?, max.parse().ok()?);
    (min <= max && max <= MOST).then_some(ResourceLimit { min, max })
}

fn labels_of<'a>(flag: &str, autoscaler: &'a mut ClusterAutoscaler) -> &'a mut Vec<String> {
    match flag {
        "balancing-label" => &mut autoscaler.balancing_labels,
        _ => &mut autoscaler.balancing_ignore_labels,
    }
}

/// Sets a duration; what is allowed, where it is not.
fn set_duration(
    name: &str,
    time: SimDuration,
    autoscaler: &mut ClusterAutoscaler,
) -> Option<&'static str> {
    let slot = match name {
        "scan-interval" => &mut autoscaler.scan_interval,
        "scale-down-unneeded-time" => &mut autoscaler.scale_down_unneeded_time,
        "scale-down-delay-after-add" => &mut autoscaler.scale_down_delay_after_add,
        "scale-down-delay-after-delete" => &mut autoscaler.scale_down_delay_after_delete,
        "node-delete-delay-after-taint" => &mut autoscaler.node_delete_delay_after_taint,
        "max-node-provision-time" => &mut autoscaler.max_node_provision_time,
        "new-pod-scale-up-delay" => &mut autoscaler.new_pod_scale_up_delay,
        "initial-node-group-backoff-duration" => {
            &mut autoscaler.initial_node_group_backoff_duration
        }
        "max-node-group-backoff-duration" => &mut autoscaler.max_node_group_backoff_duration,
        "node-group-backoff-reset-timeout" => &mut autoscaler.node_group_backoff_reset_timeout,
        _ => unreachable!("{name} is no modelled duration"),
    };
    *slot = time;
    let positive = matches!(name, "scan-interval" | "max-node-provision-time");
    (positive && time.is_zero()).then_some("a duration above zero, such as 10s")
}

/// Sets a whole number; what is allowed, where it is not.
fn set_int(name: &str, number: i64, autoscaler: &mut ClusterAutoscaler) -> Option<&'static str> {
    if name == "expendable-pods-priority-cutoff" {
        let Ok(cutoff) = i32::try_from(number) else {
            return Some("a pod priority: a whole number of 32 bits");
        };
        autoscaler.expendable_pods_priority_cutoff = cutoff;
        return None;
    }
    let Ok(count) = u32::try_from(number) else {
        return Some("a whole number of at least 0");
    };
    match name {
        // Upstream takes 0 as no limit.
        "max-nodes-total" => autoscaler.max_nodes_total = (count > 0).then_some(count),
        "max-drain-parallelism" if count == 0 => return Some("a whole number of at least 1"),
        "max-drain-parallelism" => autoscaler.max_drain_parallelism = count,
        "max-nodes-per-scaleup" | "max-scale-down-parallelism" | "max-empty-bulk-delete"
            if count == 0 =>
        {
            return Some("a whole number of at least 1");
        }
        "max-nodes-per-scaleup" => autoscaler.max_nodes_per_scaleup = count,
        "max-scale-down-parallelism" | "max-empty-bulk-delete" => {
            autoscaler.max_scale_down_parallelism = count;
        }
        _ => unreachable!("{name} is no modelled number"),
    }
    None
}

/// `least-waste,priority`: names in order, each once.
fn expander(
    flag: &Flag,
    text: &str,
    autoscaler: &mut ClusterAutoscaler,
    problems: &mut Vec<Problem>,
    findings: &mut Vec<Finding>,
) {
    let mut seen = Vec::new();
    let mut chain = Vec::new();
    for name in text.split(',').map(str::trim) {
        let Some((_, expander)) = EXPANDERS.iter().find(|(known, _)| *known == name) else {
            let shown: String = name.chars().take(80).collect();
            let names = EXPANDERS.map(|(name, _)| name);
            let problem = flag.place.problem(format!("unknown expander `{shown}`"));
            let help = match nearest(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known: {}", names.join(", ")),
            };
            problems.push(problem.with_help(help));
            continue;
        };
        if seen.contains(&name) {
            let message = format!("expander `{name}` is named twice; upstream refuses that");
            problems.push(flag.place.problem(message));
            continue;
        }
        seen.push(name);
        match expander {
            Some(expander) => chain.push(*expander),
            None => {
                let message = format!("expander `{name}` is not modelled: it is left out");
                findings.push(flag.place.finding(Severity::Warning, "not-modelled", message));
            }
        }
    }
    // Upstream settles what is left over at random.
    autoscaler.expander = if chain.is_empty() { vec![Expander::Random] } else { chain };
}

/// The value by the flag's type; source: Go's `strconv` and `time.ParseDuration`, which pflag uses.
fn typed(flag: &Flag, kind: FlagType) -> Result<FlagValue, Box<Problem>> {
    let refuse = |allowed: &str| Box::new(wrong_value(flag, allowed));
    let Some(text) = flag.value.as_deref() else {
        return match kind {
            FlagType::Bool => Ok(FlagValue::Bool(true)),
            _ => {
                let message = format!("flag `{}` needs a value", flag.name);
                Err(Box::new(flag.place.problem(message)))
            }
        };
    };
    match kind {
        FlagType::Bool => match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(FlagValue::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(FlagValue::Bool(false)),
            _ => Err(refuse("`true` or `false`")),
        },
        FlagType::Duration => SimDuration::parse_go(text)
            .map(FlagValue::Duration)
            .map_err(|_| refuse("a duration with its unit, such as 90s, 5m or 1h30m")),
        FlagType::Float => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(FlagValue::Float(number)),
            _ => Err(refuse("a number")),
        },
        // Helm writes large whole numbers as 1e+06, and upstream then refuses them.
        FlagType::Int => text.parse().map(FlagValue::Int).map_err(|_| refuse("a whole number")),
        FlagType::Text | FlagType::Repeated => Ok(FlagValue::Text(text.to_owned())),
    }
}

fn wrong_value(flag: &Flag, allowed: &str) -> Problem {
    let text: String = flag.value.as_deref().unwrap_or("").chars().take(80).collect();
    let message = format!("`{text}` is no value of flag `{}`", flag.name);
    flag.place.problem(message).with_help(allowed)
}
