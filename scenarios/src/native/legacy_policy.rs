//! The scheduler's legacy `Policy` (JSON or YAML), as releases up to 1.22 took it with
//! `--policy-config-file`, to a scheduler profile.
//!
//! Predicates and priorities are mapped to the plugins that replaced them, as those releases did
//! themselves; each list replaces all defaults of its kind. `EqualPriority` gave every node the
//! same and is dropped. Left out, by name as findings: extenders, priorities and predicates that
//! look at what no simulated node or pod has (services, preferred labels, annotations of nodes).
//!
//! Source: k8s.io/kubernetes v1.20 to v1.22 `framework/plugins/legacy_registry.go` (names, and
//! that of two priorities for one plugin the first by name gives the weight), `factory.go` (of one
//! priority given twice the last weight counts) and `apis/config/validation`; facts-kubernetes 1.3.

mod predicates;

use sim::Severity;
use sim::scenario::{KubernetesVersion, SchedulerProfile, ScoreSpec, SpreadDefaults};

use super::keys::Reader;
use super::kube_scheduler::{shape, weights};
use super::{NativeRead, Place, embedded, read_documents};
use crate::problem::suggestion;
use crate::walk::{At, Fields};

/// The release that dropped the policy. Source: KEP-785.
const DROPPED_IN: u32 = 23;

/// Upstream cuts larger weights to 32 bits.
const WEIGHT_MAX: i64 = i32::MAX as i64;

/// Where a priority goes.
#[derive(Clone)]
enum Target {
    Score(ScoreSpec),
    NotModelled,
    NoEffect,
    /// Any name, but an argument.
    Ratio,
}

fn targets() -> [(&'static str, Target); 14] {
    use Target::{NoEffect, NotModelled, Ratio, Score};
    let resources = || ScoreSpec::cpu_and_memory(1, 1);
    let spread = || Score(ScoreSpec::PodTopologySpread);
    [
        ("BalancedResourceAllocation", Score(ScoreSpec::balanced_allocation())),
        ("EqualPriority", NoEffect),
        (EVEN_PODS, spread()),
        ("ImageLocalityPriority", Score(ScoreSpec::ImageLocality)),
        ("InterPodAffinityPriority", Score(ScoreSpec::InterPodAffinity)),
        ("LeastRequestedPriority", Score(ScoreSpec::LeastAllocated { resources: resources() })),
        ("MostRequestedPriority", Score(ScoreSpec::MostAllocated { resources: resources() })),
        ("NodeAffinityPriority", Score(ScoreSpec::NodeAffinity)),
        ("NodePreferAvoidPodsPriority", NotModelled),
        ("RequestedToCapacityRatioPriority", Ratio),
        ("ResourceLimitsPriority", NotModelled),
        (SELECTOR, spread()),
        ("ServiceSpreadingPriority", spread()),
        ("TaintTolerationPriority", Score(ScoreSpec::TaintToleration)),
    ]
}

const EVEN_PODS: &str = "EvenPodsSpreadPriority";
const SELECTOR: &str = "SelectorSpreadPriority";

/// A priority that is a plugin now.
struct Priority {
    /// Upstream's name of it: custom ones have the plugin's, `ServiceSpreadingPriority` is another
    /// name of `SelectorSpreadPriority`.
    key: &'static str,
    spec: ScoreSpec,
    weight: i64,
}

/// Reads a policy file, or a `ConfigMap` that holds one. A policy names no scheduler; the profile
/// has the default one's name.
pub fn read(
    file_name: &str,
    text: &str,
    version: KubernetesVersion,
) -> NativeRead<SchedulerProfile> {
    let default = SchedulerProfile::default_of(KubernetesVersion {
        minor: version.minor.min(DROPPED_IN - 1),
        ..version
    });
    let inner = embedded(file_name, text, "Policy");
    let (file_name, text) =
        inner.as_ref().map_or((file_name, text), |(name, text)| (name.as_str(), text.as_str()));
    read_documents(file_name, text, |reader, documents| {
        let Some(first) = documents.first() else {
            reader.walker.problem(Default::default(), "", "an empty policy file", None);
            return default;
        };
        policy(reader, &reader.document(first), version, default)
    })
}

fn policy<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
    version: KubernetesVersion,
    mut profile: SchedulerProfile,
) -> SchedulerProfile {
    let known = ["hardPodAffinitySymmetricWeight", "kind", "predicates", "priorities"];
    let irrelevant = ["apiVersion", "alwaysCheckAllPredicates", "metadata"];
    let Some(fields) = reader.fields(at, &known, &irrelevant) else {
        return profile;
    };
    if let Some(kind) = fields.get("kind") {
        kind.one_of(&[("Policy", ())]);
    }
    if version.minor >= DROPPED_IN {
        let message = format!(
            "kube-scheduler {version} takes no policy (up to 1.{} do); it is read as the plugins \
             that replaced its priorities and predicates",
            DROPPED_IN - 1
        );
        reader.warn(at, "scheduler-api-version", message);
    }
    if let Some(list) = fields.get("priorities").and_then(|at| at.list()) {
        let mut priorities: Vec<Priority> = Vec::new();
        for item in list {
            priority(reader, &item, &mut priorities);
        }
        if priorities.iter().any(|one| one.key == EVEN_PODS)
            && !priorities.iter().any(|one| one.key == SELECTOR)
        {
            profile.spread_defaults = SpreadDefaults::List(Vec::new());
        }
        profile.scores = scores(priorities);
    }
    if let Some(at) = fields.get("predicates") {
        profile.filters_disabled = predicates::read(reader, &at);
    }
    // 0 is the same as nothing.
    let weight = fields.get("hardPodAffinitySymmetricWeight").and_then(|at| at.int(0..=100));
    if let Some(weight) = weight.filter(|weight| *weight > 0) {
        profile.inter_pod_affinity.hard_pod_affinity_weight = weight;
    }
    profile
}

/// One score a plugin, in the order of the file.
fn scores(priorities: Vec<Priority>) -> Vec<(ScoreSpec, i64)> {
    let even = priorities.iter().find(|one| one.key == EVEN_PODS).map(|one| one.weight);
    let mut scores: Vec<(ScoreSpec, i64)> = Vec::new();
    for Priority { spec, weight, .. } in priorities {
        let spread = spec == ScoreSpec::PodTopologySpread;
        if spread && scores.iter().any(|(known, _)| *known == spec) {
            continue;
        }
        // The one of the two priorities whose name comes first gives the weight.
        let weight = if spread { even.unwrap_or(weight) } else { weight };
        scores.push((spec, weight));
    }
    scores
}

fn priority<'a>(reader: &Reader<'a>, at: &At<'a>, priorities: &mut Vec<Priority>) {
    let Some(fields) = reader.fields(at, &["name", "weight", "argument"], &[]) else {
        return;
    };
    let name = fields.require("name").and_then(|at| at.name());
    let weight = fields.require("weight").and_then(|at| at.int(1..=WEIGHT_MAX));
    let Some(name) = name else {
        return;
    };
    let known = targets();
    let named = known.iter().find(|(known, _)| *known == name);
    let (key, target) = match (named, argument(reader, &fields)) {
        // A name of upstream's own decides; an argument beside it has no effect.
        (Some((key, target)), _) if !matches!(target, Target::Ratio) => (*key, target.clone()),
        (_, Some(target)) => ("RequestedToCapacityRatio", target),
        (Some(_), None) => {
            return at.problem("`RequestedToCapacityRatioPriority` needs its `argument`");
        }
        (None, None) => {
            let names = known.map(|(name, _)| name);
            let message =
                format!("unknown priority `{}`", name.chars().take(80).collect::<String>());
            let pos = fields.get("name").map_or(at.node.pos, |at| at.node.pos);
            reader.walker.problem(pos, &at.path, message, suggestion(&name, &names));
            return;
        }
    };
    let key = if key == "ServiceSpreadingPriority" { SELECTOR } else { key };
    let spec = match target {
        Target::Score(spec) => spec,
        Target::NotModelled => {
            return reader.walker.not_modelled(at.node.pos, format!("priorities.{name}"));
        }
        Target::NoEffect | Target::Ratio => return,
    };
    let Some(weight) = weight else {
        return;
    };
    let is_custom = key == "RequestedToCapacityRatio";
    match priorities.iter_mut().find(|one| one.key == key) {
        Some(_) if is_custom => at.problem("a second priority by requested to capacity ratio"),
        Some(before) => {
            let message =
                format!("`{name}` sets `{key}` a second time: the last weight, {weight}, counts");
            reader.find(Place::of(at).finding(Severity::Info, "priority-twice", message));
            before.weight = weight;
        }
        None => {
            if let Some(other) = priorities.iter().find(|one| one.spec == spec) {
                let (first, plugin) = (key.min(other.key), spec.plugin());
                let message = format!(
                    "`{key}` and `{}` are both the plugin `{plugin}` now: the weight of `{first}` \
                     counts",
                    other.key
                );
                reader.find(Place::of(at).finding(Severity::Info, "priority-twice", message));
            }
            priorities.push(Priority { key, spec, weight });
        }
    }
}

/// A custom priority is what its argument says.
fn argument<'a>(reader: &Reader<'a>, fields: &Fields<'a>) -> Option<Target> {
    let known = ["labelPreference", "requestedToCapacityRatioArguments", "serviceAntiAffinity"];
    let at = fields.get("argument")?;
    let argument = reader.fields(&at, &known, &[])?;
    if known.iter().filter(|key| argument.get(key).is_some()).count() != 1 {
        at.problem("exactly one argument is required");
        return Some(Target::NoEffect);
    }
    let Some(ratio) = argument.get("requestedToCapacityRatioArguments") else {
        return Some(Target::NotModelled);
    };
    let ratio = reader.fields(&ratio, &["shape", "resources"], &[])?;
    let shape = shape(reader, &ratio.require("shape")?)?;
    let resources = match ratio.get("resources") {
        Some(at) => {
            let first = at.node.items().first();
            let older = first.is_some_and(|item| item.get("resource").is_some());
            weights(reader, &at, if older { "resource" } else { "name" })
        }
        None => ScoreSpec::cpu_and_memory(1, 1),
    };
    Some(Target::Score(ScoreSpec::RequestedToCapacityRatio { resources, shape }))
}

#[cfg(test)]
mod tests;
