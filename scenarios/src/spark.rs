//! Spark's settings of an application that ran: the properties that its event log holds.
//!
//! Spark took these properties, so that nothing in them is refused here: a value that cannot be
//! used is a finding, and the release's default counts. Keys that Spark does not know, keys that
//! came with a later release, and values with variables are ignored.
//!
//! Executors of masters other than Kubernetes, which recordings are often made with, are as those
//! masters make them; see [`settings_of`]. Left out: workers of unknown size (`spark://`), where
//! the number of executors is what the settings ask for.
//!
//! Source: Spark's `SparkContext.createTaskScheduler`, `StandaloneSchedulerBackend`, `Master`
//! (`scheduleExecutorsOnWorkers`), `CoarseGrainedSchedulerBackend`; facts-spark A1 to A3.

mod master;

use std::collections::BTreeMap;

use sim::scenario::{SparkDefaults, SparkVersion};
use sim::{Finding, Severity};

use crate::native::Place;
use crate::native::spark_defaults::SparkConf;
use crate::problem::Problem;
use master::Master;

/// Notes about a configuration that somebody still writes, which say nothing about a run that is
/// over.
const OF_NO_USE: [&str; 6] = [
    "dynamic-allocation-refused",
    "ignored-by-spark",
    "pod-template-not-read",
    "replaced-by-spark",
    "set-twice",
    "unknown-setting",
];

/// The settings of a recorded application of release `version`, from its Spark `properties`;
/// `subject` names it in the findings.
///
/// Of the master (`spark.master`) follow:
/// - `local-cluster[N,C,M]`: on each of N workers with C cores and M MiB, as many executors of
///   `spark.executor.cores` (default: all C) as fit; fewer where `spark.executor.instances` or
///   `spark.cores.max` say so.
/// - `spark://`: `spark.cores.max` bounds the executors in the same way.
/// - `local[N]`, `local[*]`: one executor with N cores; tasks fail for good at once, or at the
///   number that `local[N,F]` names.
/// - the share of executors that must have registered before tasks start: 0.8 on Kubernetes and
///   YARN, none elsewhere.
/// - where there is no pod allocator, executors are asked for all at once.
///
/// With dynamic allocation, the executors at the start are the greatest of the minimum, the initial
/// number and `spark.executor.instances` where that is set.
pub fn settings_of(
    version: SparkVersion,
    properties: &BTreeMap<String, String>,
    subject: &str,
) -> (SparkDefaults, Vec<Finding>) {
    let place = Place::named(subject);
    let mut conf = SparkConf::default();
    for (key, value) in properties {
        let value = value.trim();
        if key.starts_with("spark.") && !value.contains("${") {
            conf.set(key, value, place.clone());
        }
    }
    let mut spark = SparkDefaults::default_of(version);
    let master = conf.get("spark.master").map_or(Master::Kubernetes, Master::of);
    let mut findings = Vec::new();
    // First, so that settings win over what follows of the master alone.
    master.before(&mut spark);
    let (problems, said) = conf.apply(&mut spark);
    findings.extend(problems.into_iter().map(|problem| unusable(problem, subject)));
    findings.extend(said.into_iter().filter(|found| !OF_NO_USE.contains(&found.code.as_str())));
    master.after(&conf, &mut spark, |code, message| {
        findings.push(Finding::new(Severity::Info, code, subject, message));
    });
    initial(&conf, &mut spark);
    (spark, findings)
}

fn unusable(problem: Problem, subject: &str) -> Finding {
    let allowed = problem.help.map_or(String::new(), |help| format!(" (allowed: {help})"));
    let message = format!("{}{allowed}; the default counts", problem.message);
    Finding::new(Severity::Warning, "unusable-setting", subject, message)
}

/// Source: Spark's `Utils.getDynamicAllocationInitialExecutors`.
fn initial(conf: &SparkConf, spark: &mut SparkDefaults) {
    let dynamic = &mut spark.dynamic_allocation;
    if !dynamic.enabled {
        return;
    }
    let instances = conf.get("spark.executor.instances").map_or(0, |_| spark.executor_instances);
    let initial = dynamic.initial_executors.unwrap_or(0).max(dynamic.min_executors).max(instances);
    dynamic.initial_executors = Some(initial.min(dynamic.max_executors));
}

#[cfg(test)]
mod tests;
