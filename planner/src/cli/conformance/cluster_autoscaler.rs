//! Cases of Cluster Autoscaler's decisions, put through the simulator's own code.
//!
//! A case is a JSON object with its `kind`, its input and what upstream decides (`expected`). What
//! a case leaves out counts as zero, false or empty; a kind or value that is not known is an error.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sim::decisions::cluster_autoscaler::{
    self as decisions, Amounts, BackoffTrial, EligibilityFlags, EstimatorNode, ExpanderOption,
    IgnoredPods, PodGroup, RunningPod, ScaleDownNode, ScaleUpLimits, UnneededGroup,
};
use sim::scenario::{
    Expander, GroupPattern, HostPort, LabelOperator, LabelRequirement, LabelSelector,
    NodeInclusionPolicy, PodAffinityTerm, TopologySpreadConstraint, WhenUnsatisfiable,
};
use sim::units::{SimDuration, SimTime};

/// What upstream decides, what the model decides, and whether that is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Agreement {
    /// Upstream's decision.
    pub(super) expected: String,
    /// The model's.
    pub(super) got: String,
    /// They are the same.
    pub(super) agrees: bool,
}

/// Puts one case through the model.
///
/// # Errors
/// What of the case is not understood.
pub(super) fn run(case: &Value) -> Result<Agreement, String> {
    match text(case, "kind") {
        "ca_estimator" => estimator(case),
        "ca_expander" => expander(case),
        "ca_utilization" => utilization(case),
        "ca_eligibility" => eligibility(case),
        "ca_removable_at" => removable(case),
        "ca_scale_up" => scale_up(case),
        "ca_backoff" => backoff(case),
        other => Err(format!("unknown kind `{other}`")),
    }
}

/// Compares what is expected with what came out, key by key: `got` may hold more keys.
fn compare(expected: &Value, got: &Value) -> Agreement {
    let agrees = match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            expected.iter().all(|(key, value)| got.get(key) == Some(value))
        }
        _ => expected == got,
    };
    Agreement { expected: expected.to_string(), got: got.to_string(), agrees }
}

fn number(value: &Value, key: &str) -> u64 {
    let number = &value[key];
    number.as_u64().or_else(|| number.as_f64().map(|n| n.max(0.0) as u64)).unwrap_or(0)
}

fn count(value: &Value, key: &str) -> u32 {
    u32::try_from(number(value, key)).unwrap_or(u32::MAX)
}

fn flag(value: &Value, key: &str) -> bool {
    value[key].as_bool().unwrap_or(false)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or("")
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn seconds(value: &Value, key: &str) -> Option<SimDuration> {
    value[key].as_f64().map(|s| SimDuration::from_millis((s * 1000.0).round() as u64))
}

fn labels(value: &Value) -> BTreeMap<String, String> {
    let entries = value["labels"].as_object().into_iter().flatten();
    entries.map(|(key, value)| (key.clone(), string(value))).collect()
}

fn string(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Amounts of a pod or node; GPUs under any of the names that cases use.
fn amounts(value: &Value) -> Amounts {
    let gpus = ["nvidia.com/gpu", "gpu", "gpus", "gpu_count"];
    Amounts {
        cpu_milli: number(value, "cpu_milli"),
        memory_bytes: number(value, "memory_bytes"),
        pods: value.get("pods").map_or(1, |_| count(value, "pods")),
        gpus: gpus.iter().map(|key| count(value, key)).max().unwrap_or(0),
    }
}

/// What a pod asks for: its containers and sidecars together, or an init container with the
/// sidecars before it, whichever is more.
fn requests(pod: &Value) -> Amounts {
    let own = pod.get("requests").map_or_else(|| amounts(pod), amounts);
    let own = list(pod, "containers").iter().fold(Amounts { pods: 1, ..own }, |sum, container| {
        sum.plus(container.get("requests").map_or_else(|| amounts(container), amounts))
    });
    let mut sidecars = Amounts { pods: 1, ..Amounts::default() };
    let mut initial = Amounts::default();
    for container in list(pod, "init_containers") {
        let asks = container.get("requests").map_or_else(|| amounts(container), amounts);
        if text(container, "restart_policy") == "Always" {
            sidecars = sidecars.plus(asks);
            initial = initial.max(sidecars);
        } else {
            initial = initial.max(sidecars.plus(asks));
        }
    }
    let all = own.plus(sidecars).max(initial);
    pod.get("overhead").map_or(all, |overhead| all.plus(amounts(overhead)))
}

fn estimator(case: &Value) -> Result<Agreement, String> {
    let node = |value: &Value| EstimatorNode {
        allocatable: amounts(&value["allocatable"]),
        labels: labels(value),
    };
    let groups: Result<Vec<PodGroup>, String> =
        list(case, "pod_groups").iter().map(pod_group).collect();
    let existing: Vec<EstimatorNode> = list(case, "existing_nodes").iter().map(node).collect();
    let found = decisions::estimate(
        &node(&case["template"]),
        &groups?,
        &existing,
        count(case, "max_nodes"),
    );
    let processed: Vec<usize> =
        (0..found.by_group.len()).filter(|group| found.by_group[*group] > 0).collect();
    let got = json!({
        "node_count": found.nodes,
        "pod_count": found.pods,
        "processed_group_indices": processed,
    });
    Ok(compare(&case["expected"], &got))
}

fn pod_group(value: &Value) -> Result<PodGroup, String> {
    let port = |port: u64| HostPort {
        port: u16::try_from(port).unwrap_or(u16::MAX),
        protocol: "TCP".to_owned(),
        host_ip: String::new(),
    };
    let ports = list(value, "host_ports").iter().filter_map(Value::as_u64);
    let spread = list(value, "topology_spread_constraints").iter().map(constraint);
    let anti = ["affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
    let terms = anti.iter().fold(value, |value, key| &value[key]);
    let terms = terms.as_array().into_iter().flatten().map(|term| {
        Ok(PodAffinityTerm {
            label_selector: selector(&term["labelSelector"])?,
            topology_key: text(term, "topologyKey").to_owned(),
            ..PodAffinityTerm::default()
        })
    });
    Ok(PodGroup {
        count: count(value, "count"),
        requests: requests(value),
        namespace: text(value, "namespace").to_owned(),
        labels: labels(value),
        host_ports: ports.chain(value["host_port"].as_u64()).map(port).collect(),
        spread: spread.collect::<Result<_, String>>()?,
        anti_affinity: terms.collect::<Result<_, String>>()?,
    })
}

fn constraint(value: &Value) -> Result<TopologySpreadConstraint, String> {
    Ok(TopologySpreadConstraint {
        max_skew: count(value, "maxSkew"),
        topology_key: text(value, "topologyKey").to_owned(),
        when_unsatisfiable: match text(value, "whenUnsatisfiable") {
            "ScheduleAnyway" => WhenUnsatisfiable::ScheduleAnyway,
            _ => WhenUnsatisfiable::DoNotSchedule,
        },
        label_selector: selector(&value["labelSelector"])?,
        match_label_keys: Vec::new(),
        min_domains: value.get("minDomains").map(|_| count(value, "minDomains")),
        node_affinity_policy: NodeInclusionPolicy::Honor,
        node_taints_policy: NodeInclusionPolicy::Ignore,
    })
}

fn selector(value: &Value) -> Result<Option<LabelSelector>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let mut requirements = Vec::new();
    for (key, value) in value["matchLabels"].as_object().into_iter().flatten() {
        let values = vec![string(value)];
        let operator = LabelOperator::In;
        requirements.push(LabelRequirement { key: key.clone(), operator, values });
    }
    for expression in list(value, "matchExpressions") {
        let operator = match text(expression, "operator") {
            "In" => LabelOperator::In,
            "NotIn" => LabelOperator::NotIn,
            "Exists" => LabelOperator::Exists,
            "DoesNotExist" => LabelOperator::DoesNotExist,
            other => return Err(format!("unknown operator `{other}`")),
        };
        let values = list(expression, "values").iter().map(string).collect();
        let key = text(expression, "key").to_owned();
        requirements.push(LabelRequirement { key, operator, values });
    }
    Ok(Some(LabelSelector { requirements }))
}

fn expander(case: &Value) -> Result<Agreement, String> {
    const KNOWN: [Expander; 6] = [
        Expander::LeastNodes,
        Expander::LeastWaste,
        Expander::MostPods,
        Expander::Price,
        Expander::Priority,
        Expander::Random,
    ];
    let chain: Result<Vec<Expander>, String> = text(case, "expander")
        .split(',')
        .map(|name| {
            let known = KNOWN.into_iter().find(|expander| expander.name() == name.trim());
            known.ok_or_else(|| format!("unknown expander `{name}`"))
        })
        .collect();
    let mut priorities = Vec::new();
    for (priority, patterns) in case["priorities"].as_object().into_iter().flatten() {
        let priority = priority.parse().map_err(|_| format!("`{priority}` is no priority"))?;
        let patterns = patterns.as_array().into_iter().flatten();
        let patterns: Result<Vec<GroupPattern>, String> = patterns
            .map(|pattern| {
                let text = string(pattern);
                GroupPattern::parse(&text).map_err(|error| format!("`{text}`: {error}"))
            })
            .collect();
        priorities.push((priority, patterns?));
    }
    let options = list(case, "options").iter().map(|option| {
        let pods = list(option, "pods");
        let none = Amounts::default();
        ExpanderOption {
            group: text(option, "group").to_owned(),
            nodes: count(option, "node_count"),
            pods: option.get("pod_count").map_or(pods.len() as u32, |_| count(option, "pod_count")),
            requests: pods.iter().fold(none, |sum, pod| sum.plus(requests(pod))),
            capacity: amounts(&option["capacity"]),
            price: option["price"].as_f64().unwrap_or(0.0),
        }
    });
    let options: Vec<ExpanderOption> = options.collect();
    let mut best = decisions::best_options(&chain?, &priorities, &options);
    best.sort();
    let mut expected: Vec<String> = list(case, "expected_best").iter().map(string).collect();
    expected.sort();
    Ok(compare(&json!(expected), &json!(best)))
}

fn running_pod(pod: &Value) -> RunningPod {
    let annotation = |name: &str| pod["annotations"].get(name);
    let marked = annotation("cluster-autoscaler.kubernetes.io/daemonset-pod");
    let kind = text(pod, "owner_kind");
    RunningPod {
        requests: requests(pod),
        daemonset: kind == "DaemonSet" || marked.is_some_and(|value| string(value) == "true"),
        mirror: annotation("kubernetes.io/config.mirror").is_some(),
        long_terminating: long_terminating(pod),
    }
}

/// The pod's deletion is further back than its grace period (30 s by default) and 30 s more.
fn long_terminating(pod: &Value) -> bool {
    let entries = pod.as_object().into_iter().flatten();
    let mut ages = entries.filter(|(key, _)| {
        key.contains("delet") || (key.contains("terminat") && !key.contains("grace"))
    });
    let grace = ["termination_grace_period_seconds", "termination_grace_s", "grace_period_s"];
    let grace = grace.iter().find_map(|key| pod[key].as_f64()).unwrap_or(30.0);
    ages.any(|(_, value)| match value {
        Value::Bool(long) => *long,
        other => other.as_f64().is_some_and(|age| age > grace + 30.0),
    })
}

fn gpu_node(node: &Value) -> bool {
    flag(node, "labels_gpu") || amounts(&node["allocatable"]).gpus > 0
}

fn utilization(case: &Value) -> Result<Agreement, String> {
    let node = &case["node"];
    let pods: Vec<RunningPod> = list(case, "pods").iter().map(running_pod).collect();
    let ignored = IgnoredPods {
        daemonsets: flag(case, "ignore_daemonsets"),
        mirror: flag(case, "ignore_mirror"),
    };
    let found =
        decisions::utilization(amounts(&node["allocatable"]), gpu_node(node), &pods, ignored);
    let expected = &case["expected"];
    let got = match &found {
        Ok(found) => json!({
            "cpu": found.cpu,
            "memory": found.memory,
            "dominant": found.dominant,
            "utilization": found.utilization,
        }),
        Err(resource) => json!({ "error": format!("no {resource}") }),
    };
    let tolerance = expected["tolerance"].as_f64().unwrap_or(0.01);
    let same = |(key, wanted): (&String, &Value)| match (key.as_str(), wanted.as_f64()) {
        ("tolerance", _) => true,
        ("error", _) => *wanted == json!(false) || wanted.is_null() || found.is_err(),
        (_, Some(wanted)) => got[key]
            .as_f64()
            .is_some_and(|got| (got - wanted).abs() <= tolerance * wanted.abs().max(1e-9)),
        _ => got[key] == *wanted,
    };
    let agrees = expected.as_object().is_some_and(|expected| expected.iter().all(same));
    Ok(Agreement { expected: expected.to_string(), got: got.to_string(), agrees })
}

fn eligibility(case: &Value) -> Result<Agreement, String> {
    let options = &case["options"];
    let threshold = |key: &str| options[key].as_f64().unwrap_or(0.5);
    let flags = EligibilityFlags {
        utilization_threshold: threshold("scale_down_utilization_threshold"),
        gpu_utilization_threshold: threshold("scale_down_gpu_utilization_threshold"),
        unready_enabled: flag(options, "scale_down_unready_enabled"),
        ignored: IgnoredPods {
            daemonsets: flag(options, "ignore_daemonsets_utilization"),
            mirror: flag(options, "ignore_mirror_pods_utilization"),
        },
    };
    let (mut unneeded, mut unremovable) = (Vec::new(), BTreeMap::new());
    for node in list(case, "nodes") {
        let name = text(node, "name");
        let pods = list(case, "pods").iter().filter(|pod| text(pod, "node") == name);
        let taint = list(node, "taints")
            .iter()
            .find(|taint| text(taint, "key") == "ToBeDeletedByClusterAutoscaler");
        let disabled = &node["annotations"]["cluster-autoscaler.kubernetes.io/scale-down-disabled"];
        let found = ScaleDownNode {
            allocatable: amounts(&node["allocatable"]),
            gpu_node: gpu_node(node),
            ready: node["ready"].as_bool().unwrap_or(true),
            recently_unremovable: flag(node, "recently_unremovable"),
            being_deleted_for: taint
                .map(|taint| seconds(taint, "value_seconds_ago").unwrap_or_default()),
            scale_down_disabled: string(disabled) == "true",
            pods: pods.map(running_pod).collect(),
        };
        match decisions::eligibility(&found, &flags) {
            None => unneeded.push(name),
            Some(reason) => {
                unremovable.insert(name, reason);
            }
        }
    }
    let got = json!({ "unneeded": unneeded, "unremovable": unremovable });
    Ok(compare(&case["expected"], &got))
}

fn removable(case: &Value) -> Result<Agreement, String> {
    // Upstream's clock has moved on by the time it asks: "for 600 s" is a moment more.
    let unneeded_for = seconds(case, "unneeded_for_s").unwrap_or_default();
    let (empty, drain) = decisions::removable_at(&UnneededGroup {
        empty: count(case, "empty_unneeded"),
        drain: count(case, "drain_unneeded"),
        unneeded_for: unneeded_for.saturating_add(SimDuration::from_millis(1)),
        unneeded_time: seconds(case, "unneeded_time_s").unwrap_or(SimDuration::minutes(10)),
        min: count(case, "group_min"),
        target: count(case, "group_target"),
        deletions: count(case, "ongoing_deletions"),
    });
    Ok(compare(&case["expected"], &json!({ "empty": empty, "drain": drain })))
}

fn scale_up(case: &Value) -> Result<Agreement, String> {
    let nodes = list(case, "nodes");
    let mut groups: Vec<(&str, Amounts)> = Vec::new();
    for node in nodes {
        let name = text(node, "group");
        if !groups.iter().any(|(known, _)| *known == name) {
            groups.push((name, amounts(node)));
        }
    }
    let option = &case["chosen_option"];
    let group = text(option, "group");
    let place = groups.iter().position(|(known, _)| *known == group);
    let place = place.ok_or_else(|| format!("no node of the chosen group `{group}`"))?;
    let pending = list(case, "pending_pods");
    let found = decisions::scale_up(
        &nodes.iter().map(amounts).collect::<Vec<_>>(),
        &groups.iter().map(|(_, amounts)| *amounts).collect::<Vec<_>>(),
        &pending.iter().map(requests).collect::<Vec<_>>(),
        (place, count(option, "delta")),
        &limits(&case["limits"])?,
    );
    let names = |places: &[usize]| {
        let mut names: Vec<&str> =
            places.iter().map(|place| text(&pending[*place], "name")).collect();
        names.sort_unstable();
        names
    };
    let got = json!({
        "await_evaluation": names(&found.await_evaluation),
        "final": { "group": group, "delta": found.delta },
        "remain_unschedulable": names(&found.remain_unschedulable),
        "triggered": names(&found.triggered),
    });
    let mut expected = case["expected"].clone();
    for names in ["await_evaluation", "remain_unschedulable", "triggered"] {
        if let Some(names) = expected.get_mut(names).and_then(Value::as_array_mut) {
            names.sort_by_key(string);
        }
    }
    Ok(compare(&expected, &got))
}

/// `max_nodes_total`, and the greatest number of cores, bytes and GPUs by any name that says so.
fn limits(value: &Value) -> Result<ScaleUpLimits, String> {
    let mut out = ScaleUpLimits::default();
    for (key, value) in value.as_object().into_iter().flatten() {
        if key.contains("min") {
            continue;
        }
        let Some(number) = value.as_u64().filter(|number| *number > 0) else { continue };
        match key.as_str() {
            key if key.contains("nodes") => out.nodes = u32::try_from(number).ok(),
            key if key.contains("core") || key.contains("cpu") => out.cores = Some(number),
            key if key.contains("memory") => out.memory_bytes = Some(number),
            key if key.contains("gpu") => out.gpus = Some(number),
            _ => return Err(format!("unknown limit `{key}`")),
        }
    }
    Ok(out)
}

fn backoff(case: &Value) -> Result<Agreement, String> {
    let time = |key: &str| seconds(case, key).ok_or_else(|| format!("`{key}` is missing"));
    let mut trial = BackoffTrial::new(time("initial_s")?, time("max_s")?, time("reset_s")?);
    let (mut expected, mut got) = (Vec::new(), Vec::new());
    for step in list(case, "steps") {
        let at = SimTime::ZERO.saturating_add(seconds(step, "at_s").unwrap_or_default());
        let group = text(step, "group");
        match text(step, "op") {
            "fail" => trial.fail(group, at),
            "remove" => trial.remove(group),
            "status" => {
                expected.push(step["backed_off"].as_bool());
                got.push(Some(trial.is_backed_off(group, at)));
            }
            other => return Err(format!("unknown step `{other}`")),
        }
    }
    Ok(compare(&json!(expected), &json!(got)))
}

#[cfg(test)]
mod tests;
