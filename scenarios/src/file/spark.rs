//! `spec.spark`: the release's defaults, then the templates, then the defaults file, then
//! `sparkConf`.

mod applications;

use sim::scenario::{OverrideRuns, PodTemplate, SparkDefaults, SparkVersion};

use super::context::Context;
use super::platform::version;
use super::settings::Settings;
use crate::native::pod_template;
use crate::native::spark_defaults::{self, SparkConf};
use crate::walk::At;
use crate::yaml::Value;

/// Oldest and newest release whose defaults are known. Source: facts-spark A1.
const OLDEST: (u32, u32) = (3, 0);
const NEWEST: (u32, u32) = (4, 3);

pub(super) fn read(
    context: &Context<'_>,
    given: Option<Settings<'_>>,
) -> (SparkDefaults, SparkConf) {
    let Some(given) = given else {
        let mut defaults = SparkDefaults::default_of(SparkVersion::default());
        // Spark gives every pod its local directories, whether or not anything is said.
        SparkConf::default().apply(&mut defaults);
        return (defaults, SparkConf::default());
    };
    let release = given.optional("version").and_then(|at| version(&at, OLDEST, NEWEST));
    let release = release.map(|(major, minor)| SparkVersion { major, minor });
    let mut defaults = SparkDefaults::default_of(release.unwrap_or_default());
    let mut conf = SparkConf::default();
    if let Some(file) = given.at("defaults").and_then(|at| context.read(&at)) {
        conf = context.take(spark_defaults::read(&file.name, &file.text));
    }
    if let Some(at) = given.at("sparkConf") {
        conf.merge(spark_defaults::from_map(&at));
    }
    defaults.override_runs = override_runs(&given);
    defaults.applications = applications::read(&given);
    // The settings say which container of a template Spark fills in.
    let [driver, executor] = conf.pod_template_containers();
    if let Some(found) = template(context, given.at("driverPodTemplate"), driver) {
        defaults.driver_template = found;
    }
    if let Some(found) = template(context, given.at("executorPodTemplate"), executor) {
        defaults.executor_template = found;
    }
    let (problems, findings) = conf.apply(&mut defaults);
    context.take_notes(problems, findings);
    (defaults, conf)
}

fn override_runs(given: &Settings<'_>) -> OverrideRuns {
    let mut out = OverrideRuns::default();
    for key in given.choices("overrideRuns") {
        match key {
            "spark.executor.cores" => out.executor_cores = true,
            "spark.executor.memory" => out.executor_memory = true,
            "spark.executor.instances" => out.executors = true,
            "spark.driver.cores" => out.driver_cores = true,
            "spark.driver.memory" => out.driver_memory = true,
            other => unreachable!("`{other}` is not among the schema's choices"),
        }
    }
    out
}

/// A pod template: a file's, or the map in place. `main` names the container that Spark fills in.
pub(super) fn template(
    context: &Context<'_>,
    at: Option<At<'_>>,
    main: Option<&str>,
) -> Option<PodTemplate> {
    let at = at?;
    match &at.node.value {
        Value::Map(_) => Some(context.take(pod_template::read_inline(&at, main))),
        Value::String(_) => {
            let file = context.read(&at)?;
            Some(context.take(pod_template::read(&file.name, &file.text, main)))
        }
        _ => {
            at.wrong_type("a path, or a pod template");
            None
        }
    }
}
