//! `spec.scheduler`: a KubeSchedulerConfiguration, a legacy Policy, or a profile in place.

use sim::Severity;
use sim::scenario::{KubernetesVersion, SchedulerProfile, ScoreSpec, ShapePoint};

use super::context::Context;
use super::settings::Settings;
use crate::native::{kube_scheduler, legacy_policy};

/// The profile that places Spark's pods; `None` = the release's default one. `wanted` is the
/// executors' `schedulerName`.
pub(super) fn read(
    context: &Context<'_>,
    spec: &Settings<'_>,
    version: KubernetesVersion,
    wanted: Option<&str>,
) -> Option<SchedulerProfile> {
    let section = spec.section("scheduler")?;
    let profile = match section.fields.one_of_keys(&["config", "policy", "profile"])? {
        ("config", at) => {
            let file = context.read(&at)?;
            let profiles = context.take(kube_scheduler::read(&file.name, &file.text, version));
            choose(context, profiles, wanted)?
        }
        ("policy", at) => {
            let file = context.read(&at)?;
            context.take(legacy_policy::read(&file.name, &file.text, version))
        }
        _ => in_place(&section.section("profile")?)?,
    };
    Some(profile)
}

/// The profile that executors ask for, else the default scheduler's, else the first one.
fn choose(
    context: &Context<'_>,
    profiles: Vec<SchedulerProfile>,
    wanted: Option<&str>,
) -> Option<SchedulerProfile> {
    let name = wanted.unwrap_or("default-scheduler");
    let place = profiles.iter().position(|profile| profile.name == name).unwrap_or(0);
    let names: Vec<String> = profiles.iter().map(|profile| profile.name.clone()).collect();
    let chosen = profiles.into_iter().nth(place)?;
    if names.len() > 1 || wanted.is_some_and(|wanted| wanted != chosen.name) {
        let message = format!(
            "every pod is placed by the profile `{}` (the file has {})",
            chosen.name,
            names.join(", "),
        );
        context.note(Severity::Info, "scheduler-profile", "spec.scheduler", message);
    }
    Some(chosen)
}

fn in_place(given: &Settings<'_>) -> Option<SchedulerProfile> {
    let name = given.text("schedulerName");
    let mut scores: Vec<(ScoreSpec, i64)> = Vec::new();
    for section in given.sections("scores")? {
        let Some((spec, weight)) = score(&section) else {
            continue;
        };
        if scores.iter().any(|(known, _)| known.plugin() == spec.plugin()) {
            let message = format!("plugin `{}` is listed twice", spec.plugin());
            section.fields.at.problem(message);
        } else {
            scores.push((spec, weight));
        }
    }
    Some(SchedulerProfile::new(name.as_deref().unwrap_or("default-scheduler"), scores))
}

fn score(given: &Settings<'_>) -> Option<(ScoreSpec, i64)> {
    let weight = given.int("weight").unwrap_or(1);
    let plugin = given.choice("plugin")?;
    if plugin != "NodeResourcesFit" {
        for key in ["strategy", "cpu", "memory", "shape"] {
            if let Some(at) = given.optional(key) {
                at.problem(format!("`{key}` is for NodeResourcesFit, not for {plugin}"));
            }
        }
    }
    let spec = match plugin {
        "NodeResourcesFit" => fit(given)?,
        "NodeResourcesBalancedAllocation" => ScoreSpec::balanced_allocation(),
        "ImageLocality" => ScoreSpec::ImageLocality,
        "NodeAffinity" => ScoreSpec::NodeAffinity,
        "TaintToleration" => ScoreSpec::TaintToleration,
        "InterPodAffinity" => ScoreSpec::InterPodAffinity,
        _ => ScoreSpec::PodTopologySpread,
    };
    Some((spec, weight))
}

fn fit(given: &Settings<'_>) -> Option<ScoreSpec> {
    let cpu = given.int("cpu").unwrap_or(1);
    let memory = given.int("memory").unwrap_or(1);
    let resources = ScoreSpec::cpu_and_memory(cpu, memory);
    let shape = given.sections("shape").map(|points| shape(&points));
    match (given.choice("strategy"), shape) {
        (Some("RequestedToCapacityRatio"), Some(shape)) if !shape.is_empty() => {
            Some(ScoreSpec::RequestedToCapacityRatio { resources, shape })
        }
        (Some("RequestedToCapacityRatio"), _) => {
            let at = given.optional("shape").unwrap_or_else(|| given.fields.at.clone());
            at.problem("RequestedToCapacityRatio needs a `shape` of at least one point");
            None
        }
        (strategy, shape) => {
            if let Some(at) = given.optional("shape").filter(|_| shape.is_some()) {
                at.problem("`shape` is for the strategy RequestedToCapacityRatio");
            }
            Some(match strategy {
                Some("MostAllocated") => ScoreSpec::MostAllocated { resources },
                _ => ScoreSpec::LeastAllocated { resources },
            })
        }
    }
}

fn shape(points: &[Settings<'_>]) -> Vec<ShapePoint> {
    let mut shape: Vec<ShapePoint> = Vec::new();
    for point in points {
        let (utilization, score) = (point.int("utilization"), point.int("score"));
        let (Some(utilization), Some(score)) = (utilization, score) else {
            continue;
        };
        let last = shape.last().map(|last| last.utilization);
        if last.is_some_and(|last| last >= utilization) {
            let message = "`utilization` must ascend from point to point";
            point.fields.at.problem(message);
        }
        shape.push(ShapePoint { utilization, score });
    }
    shape
}
