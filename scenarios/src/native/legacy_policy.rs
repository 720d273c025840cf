//! The scheduler's legacy `Policy` (JSON or YAML), as releases up to 1.22 took it with
//! `--policy-config-file`, to a scheduler profile.
//!
//! Priorities are mapped to the plugins that replaced them; a policy's list replaces all default
//! priorities. Left out, by name as findings: predicates (filters are always on), extenders,
//! priorities without a plugin today. `EqualPriority` gave every node the same and is dropped, as
//! upstream does. Spreading priorities become `PodTopologySpread`, which scores nothing for Spark
//! pods: no service or replica set selects them.
//!
//! Source: facts-kubernetes 1.3: k8s.io/kubernetes v1.20 `framework/plugins/legacy_registry.go`
//! (names, and that of a plugin listed twice the first weight stays).

use sim::Severity;
use sim::scenario::{KubernetesVersion, SchedulerProfile, ScoreSpec};

use super::keys::Reader;
use super::kube_scheduler::{resource_weights, shape};
use super::{NativeRead, embedded, read_documents};
use crate::problem::suggestion;
use crate::walk::{At, Fields};

/// The release that dropped the policy. Source: KEP-785.
const DROPPED_IN: u32 = 23;

/// Upstream's largest weight, which a policy's must be below.
/// Source: v1.20 `framework.MaxTotalScore / MaxNodeScore`.
const WEIGHT_MAX: i64 = i64::MAX / 100;

/// Where a priority goes.
#[derive(Clone)]
enum Target {
    Score(ScoreSpec),
    NotModelled,
    NoEffect,
    /// Its own name, any arguments.
    Ratio,
}

fn targets() -> [(&'static str, Target); 14] {
    use Target::{NoEffect, NotModelled, Ratio, Score};
    let resources = || ScoreSpec::cpu_and_memory(1, 1);
    let spread = || Score(ScoreSpec::PodTopologySpread);
    [
        ("BalancedResourceAllocation", Score(ScoreSpec::balanced_allocation())),
        ("EqualPriority", NoEffect),
        ("EvenPodsSpreadPriority", spread()),
        ("ImageLocalityPriority", Score(ScoreSpec::ImageLocality)),
        ("InterPodAffinityPriority", Score(ScoreSpec::InterPodAffinity)),
        ("LeastRequestedPriority", Score(ScoreSpec::LeastAllocated { resources: resources() })),
        ("MostRequestedPriority", Score(ScoreSpec::MostAllocated { resources: resources() })),
        ("NodeAffinityPriority", Score(ScoreSpec::NodeAffinity)),
        ("NodePreferAvoidPodsPriority", NotModelled),
        ("RequestedToCapacityRatioPriority", Ratio),
        ("ResourceLimitsPriority", NotModelled),
        ("SelectorSpreadPriority", spread()),
        ("ServiceSpreadingPriority", spread()),
        ("TaintTolerationPriority", Score(ScoreSpec::TaintToleration)),
    ]
}

/// Reads a policy file, or a `ConfigMap` that holds one.
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
    let read = read_documents(file_name, text, |reader, documents| {
        let Some(first) = documents.first() else {
            reader.walker.problem(Default::default(), "", "an empty policy file", None);
            return None;
        };
        policy(reader, &reader.document(first), version)
    });
    NativeRead {
        value: SchedulerProfile { scores: read.value.unwrap_or(default.scores), ..default },
        problems: read.problems,
        not_modelled: read.not_modelled,
    }
}

/// The scores, where the policy names any.
fn policy<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
    version: KubernetesVersion,
) -> Option<Vec<(ScoreSpec, i64)>> {
    let known = ["priorities", "kind"];
    let irrelevant = ["apiVersion", "alwaysCheckAllPredicates", "metadata"];
    let fields = reader.fields(at, &known, &irrelevant)?;
    if let Some(kind) = fields.get("kind") {
        kind.one_of(&[("Policy", ())]);
    }
    if version.minor >= DROPPED_IN {
        let message = format!(
            "kube-scheduler {version} takes no policy (up to 1.{} do); its priorities are read as \
             the plugins that replaced them",
            DROPPED_IN - 1
        );
        reader.warn(at, "scheduler-api-version", message);
    }
    let list = fields.get("priorities")?;
    let mut scores: Vec<(ScoreSpec, i64)> = Vec::new();
    for item in list.list()? {
        priority(reader, &item, &mut scores);
    }
    Some(scores)
}

fn priority<'a>(reader: &Reader<'a>, at: &At<'a>, scores: &mut Vec<(ScoreSpec, i64)>) {
    let Some(fields) = reader.fields(at, &["name", "weight", "argument"], &[]) else {
        return;
    };
    let name = fields.require("name").and_then(|at| at.name());
    let weight = fields.require("weight").and_then(|at| at.int(1..=WEIGHT_MAX));
    let Some(name) = name else {
        return;
    };
    let known = targets();
    let by_argument = argument(reader, &fields);
    let named = known.iter().find(|(known, _)| *known == name);
    let target = match (by_argument, named) {
        (Some(target), _) => target,
        (None, Some((_, target))) => target.clone(),
        (None, None) => {
            let names = known.map(|(name, _)| name);
            let message =
                format!("unknown priority `{}`", name.chars().take(80).collect::<String>());
            let pos = fields.get("name").map_or(at.node.pos, |at| at.node.pos);
            reader.walker.problem(pos, &at.path, message, suggestion(&name, &names));
            return;
        }
    };
    let (spec, weight) = match (target, weight) {
        (Target::Score(spec), Some(weight)) => (spec, weight),
        (Target::NotModelled, _) => {
            reader.walker.not_modelled(at.node.pos, format!("priorities.{name}"));
            return;
        }
        (Target::Ratio, _) => {
            return at.problem("`RequestedToCapacityRatioPriority` needs its `argument`");
        }
        (Target::NoEffect, _) | (Target::Score(_), None) => return,
    };
    // Both resource strategies may stand side by side in a policy; every other plugin but once.
    let same = |other: &ScoreSpec| std::mem::discriminant(other) == std::mem::discriminant(&spec);
    if scores.iter().any(|(other, _)| same(other)) {
        let message =
            format!("`{name}` is the plugin `{}` again: the first weight stays", spec.plugin());
        let finding = super::Place::of(at).finding(Severity::Info, "priority-twice", message);
        reader.find(finding);
        return;
    }
    scores.push((spec, weight));
}

/// A custom priority is what its argument says.
fn argument<'a>(reader: &Reader<'a>, fields: &Fields<'a>) -> Option<Target> {
    let known = ["labelPreference", "requestedToCapacityRatioArguments", "serviceAntiAffinity"];
    let argument = reader.fields(&fields.get("argument")?, &known, &[])?;
    let ratio = argument.get("requestedToCapacityRatioArguments");
    let Some(ratio) = ratio else {
        return Some(Target::NotModelled);
    };
    let ratio = reader.fields(&ratio, &["shape", "resources"], &[])?;
    let shape = shape(reader, &ratio.require("shape")?)?;
    let [cpu, memory] = match ratio.get("resources") {
        Some(at) => {
            let first = at.node.items().first();
            let older = first.is_some_and(|item| item.get("resource").is_some());
            resource_weights(reader, &at, if older { "resource" } else { "name" })
        }
        None => [1, 1],
    };
    Some(Target::Score(ScoreSpec::RequestedToCapacityRatio {
        resources: ScoreSpec::cpu_and_memory(cpu, memory),
        shape,
    }))
}

#[cfg(test)]
mod tests;
