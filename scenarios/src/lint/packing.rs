//! A scheduler that spreads pods, with a scale-down that waits for empty nodes.
//!
//! Cluster Autoscaler does not drain nodes with Spark's pods on them, unless they may be evicted:
//! only empty ones go. Karpenter consolidates nodes with pods, and is not meant here.
//!
//! Source: facts-kubernetes 1.1 (LeastAllocated is the default), 2.3 ("Spark consequence").

use sim::Severity;
use sim::scenario::ScoreSpec;

use super::pods::{PodAsk, Role};
use super::readers::{Autoscaler, Profile};
use super::rule::{LintFinding, Rule};

/// A profile that spreads.
pub(super) static SPREAD: Rule = Rule {
    id: "spreading-scheduler",
    severity: Severity::Warning,
    why: "pods land on the emptiest nodes, so that none becomes empty, and only empty ones go",
    source: "facts-kubernetes 1.1, 2.3",
};

/// No profile is given: the default one spreads.
pub(super) static SPREAD_BY_DEFAULT: Rule = Rule {
    id: "spreading-by-default",
    severity: Severity::Info,
    why: "the default scheduler prefers the emptiest nodes, and only empty ones go",
    source: "facts-kubernetes 1.1, 2.3",
};

pub(super) fn judge(
    profiles: &[Profile],
    autoscalers: &[Autoscaler],
    pods: &[PodAsk],
) -> Vec<LintFinding> {
    let Some(autoscaler) = autoscalers.iter().find(|one| one.value.scale_down_enabled) else {
        return Vec::new();
    };
    let executors = pods.iter().filter(|pod| pod.role == Role::Executor);
    let mut executors = executors.filter(|pod| !autoscaler.evicts(&pod.template)).peekable();
    if executors.peek().is_none() {
        return Vec::new();
    }
    let names: Vec<&str> = executors
        .map(|pod| pod.template.scheduler_name.as_deref().unwrap_or("default-scheduler"))
        .collect();
    let next = "a profile with NodeResourcesFit and scoringStrategy MostAllocated, named in \
                spark.kubernetes.scheduler.name";
    let used: Vec<&Profile> =
        profiles.iter().filter(|one| names.contains(&one.value.name.as_str())).collect();
    if used.is_empty() {
        let what = "no profile for the executors here, and Cluster Autoscaler's scale-down is on";
        return vec![SPREAD_BY_DEFAULT.at(&autoscaler.place, what, next)];
    }
    let spreads = |profile: &&&Profile| {
        let least = |spec: &ScoreSpec| matches!(spec, ScoreSpec::LeastAllocated { .. });
        profile.value.scores.iter().any(|(spec, weight)| *weight > 0 && least(spec))
    };
    let of = |profile: &&Profile| {
        let what = format!(
            "profile `{}` scores LeastAllocated, and Cluster Autoscaler's scale-down is on",
            profile.value.name
        );
        SPREAD.at(&profile.place, what, next)
    };
    used.iter().filter(spreads).map(of).collect()
}
