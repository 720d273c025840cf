//! `spec.scheduler`: a KubeSchedulerConfiguration, a legacy Policy, or a profile in place; and
//! which of several profiles places Spark's pods.
//!
//! One profile is modelled: the one that executors name. Drivers that name another one are placed
//! by it too, which is a finding.

use sim::Severity;
use sim::scenario::{
    KubernetesVersion, SchedulerProfile, ScoreSpec, ShapePoint, SparkDefaults, SpreadDefaults,
};

use super::context::Context;
use super::platform::did_you_mean;
use super::settings::Settings;
use crate::native::{kube_scheduler, legacy_policy};
use crate::walk::At;

const DEFAULT_NAME: &str = "default-scheduler";

/// The schedulers that Spark's pods name.
struct Wanted<'a> {
    driver: &'a str,
    executor: &'a str,
}

/// The profile that places Spark's pods; `None` where the file is wrong.
pub(super) fn read(
    context: &Context<'_>,
    spec: &Settings<'_>,
    version: KubernetesVersion,
    spark: &SparkDefaults,
) -> Option<SchedulerProfile> {
    let name = |name: &'_ Option<String>| name.as_deref().unwrap_or(DEFAULT_NAME).to_owned();
    let driver = name(&spark.driver_template.scheduler_name);
    let executor = name(&spark.executor_template.scheduler_name);
    let wanted = Wanted { driver: &driver, executor: &executor };
    let default = || Some(named(SchedulerProfile::default_of(version), &executor));
    let Some(section) = spec.section("scheduler") else {
        if executor != DEFAULT_NAME {
            let message = format!(
                "nothing says how the scheduler `{executor}` places pods: it is read as \
                 kube-scheduler with the release's default profile"
            );
            context.note(Severity::Warning, "scheduler-profile", "spec.scheduler", message);
        }
        same_scheduler(context, &wanted);
        return default();
    };
    let Some((key, at)) = section.fields.one_of_keys(&["config", "policy", "profile"]) else {
        same_scheduler(context, &wanted);
        return default();
    };
    let profile = match key {
        "config" => {
            let file = context.read(&at)?;
            let profiles = context.take(kube_scheduler::read(&file.name, &file.text, version));
            choose(context, &at, profiles, &wanted)?
        }
        "policy" => {
            let file = context.read(&at)?;
            let policy = context.take(legacy_policy::read(&file.name, &file.text, version));
            // A policy names no scheduler: it is that of the one which the pods name.
            named(policy, &executor)
        }
        _ => in_place(context, &section.section("profile")?, &wanted)?,
    };
    same_scheduler(context, &wanted);
    Some(profile)
}

fn named(profile: SchedulerProfile, name: &str) -> SchedulerProfile {
    SchedulerProfile { name: name.to_owned(), ..profile }
}

/// The profile that executors name. Pods that name none of the profiles would wait for ever.
fn choose(
    context: &Context<'_>,
    at: &At<'_>,
    profiles: Vec<SchedulerProfile>,
    wanted: &Wanted<'_>,
) -> Option<SchedulerProfile> {
    let names: Vec<String> = profiles.iter().map(|profile| profile.name.clone()).collect();
    if names.is_empty() {
        return None;
    }
    for (role, name) in [("executor", wanted.executor), ("driver", wanted.driver)] {
        if !names.iter().any(|known| known == name) {
            no_profile(at, role, name, &names);
            return None;
        }
    }
    if names.len() > 1 {
        let message = format!(
            "every pod is placed by the profile `{}` (the file has {})",
            wanted.executor,
            names.join(", "),
        );
        context.note(Severity::Info, "scheduler-profile", "spec.scheduler", message);
    }
    profiles.into_iter().find(|profile| profile.name == wanted.executor)
}

fn no_profile(at: &At<'_>, role: &str, name: &str, names: &[String]) {
    let shown: String = name.chars().take(80).collect();
    let message = format!("no profile is named `{shown}`, which {role} pods ask for");
    let near = did_you_mean(name, names.iter().map(String::as_str));
    let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let help = near.unwrap_or_else(|| format!("profiles: {}", list.join(", ")));
    at.problem_with_help(message, help);
}

fn same_scheduler(context: &Context<'_>, wanted: &Wanted<'_>) {
    let (driver, executor) = (wanted.driver, wanted.executor);
    if driver != executor {
        let message = format!(
            "drivers ask for the scheduler `{driver}` and executors for `{executor}`: one profile \
             is modelled, the executors'"
        );
        context.note(Severity::Warning, "scheduler-profile", "spec.spark", message);
    }
}

fn in_place(
    context: &Context<'_>,
    given: &Settings<'_>,
    wanted: &Wanted<'_>,
) -> Option<SchedulerProfile> {
    let name = given.text("schedulerName").unwrap_or_else(|| wanted.executor.to_owned());
    if let Some(at) = given.optional("schedulerName").filter(|_| name != wanted.executor) {
        no_profile(&at, "executor", wanted.executor, std::slice::from_ref(&name));
    }
    let mut scores: Vec<(ScoreSpec, i64)> = Vec::new();
    for section in given.sections("scores")? {
        let Some((spec, weight)) = score(&section) else {
            continue;
        };
        // Releases up to 1.22 had one plugin for each strategy of `NodeResourcesFit`.
        let same =
            |known: &ScoreSpec| std::mem::discriminant(known) == std::mem::discriminant(&spec);
        if scores.iter().any(|(known, _)| same(known)) {
            let message = format!("plugin `{}` is listed twice", spec.plugin());
            section.fields.at.problem(message);
        } else {
            scores.push((spec, weight));
        }
    }
    let mut profile = SchedulerProfile::new(&name, scores);
    arguments(context, given, &mut profile);
    Some(profile)
}

/// What a profile says besides its scores.
fn arguments(context: &Context<'_>, given: &Settings<'_>, profile: &mut SchedulerProfile) {
    for name in given.choices("filtersDisabled") {
        profile.filters_disabled.push(name.to_owned());
    }
    let names = |key: &str| -> Vec<String> {
        given.texts(key).unwrap_or_default().iter().filter_map(At::name).collect()
    };
    profile.ignored_resources = names("ignoredResources");
    profile.ignored_resource_groups = names("ignoredResourceGroups");
    let pods = &mut profile.inter_pod_affinity;
    if let Some(weight) = given.int("hardPodAffinityWeight") {
        pods.hard_pod_affinity_weight = weight;
    }
    if let Some(ignore) = given.bool("ignorePreferredTermsOfExistingPods") {
        pods.ignore_preferred_terms_of_existing_pods = ignore;
    }
    if let Some(at) = given.at("addedAffinity") {
        profile.added_affinity = context.take(kube_scheduler::read_added_affinity(&at));
    }
    if let Some(at) = given.at("defaultConstraints") {
        let constraints = context.take(kube_scheduler::read_default_constraints(&at));
        profile.spread_defaults = SpreadDefaults::List(constraints);
    }
    let percentage = given.count("percentageOfNodesToScore");
    profile.percentage_of_nodes_to_score = percentage.filter(|percent| *percent > 0);
    profile.pod_initial_backoff =
        given.duration("podInitialBackoff").unwrap_or(profile.pod_initial_backoff);
    profile.pod_max_backoff = given.duration("podMaxBackoff").unwrap_or(profile.pod_max_backoff);
    let (first, longest) = (profile.pod_initial_backoff, profile.pod_max_backoff);
    if first.is_zero() {
        given.fields.at.problem("`podInitialBackoff` must be above 0");
    }
    if longest < first {
        let message = format!("`podMaxBackoff` {longest} is below `podInitialBackoff` {first}");
        given.fields.at.problem(message);
    }
}

fn score(given: &Settings<'_>) -> Option<(ScoreSpec, i64)> {
    let weight = given.int("weight").unwrap_or(1);
    let plugin = given.choice("plugin")?;
    let balanced = plugin == "NodeResourcesBalancedAllocation";
    if plugin != "NodeResourcesFit" {
        for key in ["strategy", "cpu", "memory", "shape", "resources"] {
            let own = key == "resources" && balanced;
            if let Some(at) = given.optional(key).filter(|_| !own) {
                at.problem(format!("`{key}` is for NodeResourcesFit, not for {plugin}"));
            }
        }
    }
    let spec = match plugin {
        "NodeResourcesFit" => fit(given)?,
        "NodeResourcesBalancedAllocation" => match resources(given) {
            Some(resources) => {
                if let Some(at) = given.optional("resources")
                    && resources.iter().any(|(_, weight)| *weight != 1)
                {
                    at.problem("NodeResourcesBalancedAllocation takes no weight but 1");
                }
                let names = resources.into_iter().map(|(name, _)| name);
                ScoreSpec::BalancedAllocation { resources: names.collect() }
            }
            None => ScoreSpec::balanced_allocation(),
        },
        "ImageLocality" => ScoreSpec::ImageLocality,
        "NodeAffinity" => ScoreSpec::NodeAffinity,
        "TaintToleration" => ScoreSpec::TaintToleration,
        "InterPodAffinity" => ScoreSpec::InterPodAffinity,
        _ => ScoreSpec::PodTopologySpread,
    };
    Some((spec, weight))
}

/// `resources`, where there is the key.
fn resources(given: &Settings<'_>) -> Option<Vec<(String, i64)>> {
    given.optional("resources")?;
    let mut resources: Vec<(String, i64)> = Vec::new();
    for section in given.sections("resources")? {
        let (name, weight) = (section.text("name"), section.int("weight").unwrap_or(1));
        let Some(name) = name else {
            continue;
        };
        if resources.iter().any(|(known, _)| *known == name) {
            section.fields.at.problem("the same resource a second time");
        } else {
            resources.push((name, weight));
        }
    }
    if resources.is_empty()
        && let Some(at) = given.optional("resources")
    {
        at.problem("at least one resource is needed");
    }
    Some(resources)
}

fn fit(given: &Settings<'_>) -> Option<ScoreSpec> {
    let cpu = given.int("cpu").unwrap_or(1);
    let memory = given.int("memory").unwrap_or(1);
    let listed = resources(given);
    for key in ["cpu", "memory"] {
        if let Some(at) = given.optional(key).filter(|_| listed.is_some()) {
            at.problem(format!("`{key}` and `resources` exclude each other"));
        }
    }
    let resources = listed.unwrap_or_else(|| ScoreSpec::cpu_and_memory(cpu, memory));
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
