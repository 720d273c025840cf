//! `spec.spark`, with Spark's settings by their own keys.

use serde_json::{Value, json};
use sim::scenario::{OverrideRuns, Scenario};

use crate::native::pod_template::write as pod_template;
use crate::native::spark_defaults::write::settings;

pub(super) fn value(scenario: &Scenario) -> Value {
    let spark = &scenario.spark;
    json!({
        "version": format!("{}.{}", spark.version.major, spark.version.minor),
        "sparkConf": settings(spark),
        "overrideRuns": override_runs(&spark.override_runs),
        "driverPodTemplate": pod_template::value(&spark.driver_template),
        "executorPodTemplate": pod_template::value(&spark.executor_template),
    })
}

fn override_runs(given: &OverrideRuns) -> Vec<&'static str> {
    let all = [
        ("spark.executor.cores", given.executor_cores),
        ("spark.executor.memory", given.executor_memory),
        ("spark.executor.instances", given.executors),
        ("spark.driver.cores", given.driver_cores),
        ("spark.driver.memory", given.driver_memory),
    ];
    all.into_iter().filter(|(_, wins)| *wins).map(|(key, _)| key).collect()
}
