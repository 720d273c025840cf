//! `spec.spark`, with Spark's settings by their own keys.

use serde_json::{Map, Value, json};
use sim::scenario::{ApplicationSettings, OverrideRuns, RunSettings, Scenario};
use sim::units::spark_size::format_size;

use crate::native::pod_template::write as pod_template;
use crate::native::spark_defaults::write::settings;

pub(super) fn value(scenario: &Scenario) -> Value {
    let spark = &scenario.spark;
    let mut out = json!({
        "version": format!("{}.{}", spark.version.major, spark.version.minor),
        "sparkConf": settings(spark),
        "overrideRuns": override_runs(&spark.override_runs),
        "driverPodTemplate": pod_template::value(&spark.driver_template),
        "executorPodTemplate": pod_template::value(&spark.executor_template),
    });
    if !spark.applications.is_empty() {
        out["applications"] = spark.applications.iter().map(application).collect();
    }
    out
}

fn application(class: &ApplicationSettings) -> Value {
    let RunSettings {
        executor_cores,
        executor_memory,
        executor_memory_overhead,
        executors_min,
        executors_max,
        dynamic_allocation,
        driver_cores,
        driver_memory,
    } = &class.settings;
    let mut conf = Map::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            conf.insert(format!("spark.{key}"), value.into());
        }
    };
    put("executor.cores", executor_cores.map(|cores| cores.to_string()));
    put("executor.memory", executor_memory.map(format_size));
    put("executor.memoryOverhead", executor_memory_overhead.map(format_size));
    put("dynamicAllocation.enabled", dynamic_allocation.map(|on| on.to_string()));
    put("dynamicAllocation.minExecutors", executors_min.map(|count| count.to_string()));
    put("dynamicAllocation.maxExecutors", executors_max.map(|count| count.to_string()));
    put("driver.cores", driver_cores.map(|cores| (cores.as_millis() / 1000).to_string()));
    put("driver.memory", driver_memory.map(format_size));
    let mut out = Map::new();
    let names = [("application", &class.application), ("team", &class.team)];
    for (key, pattern) in names {
        if let Some(pattern) = pattern {
            out.insert(key.to_owned(), json!(pattern.as_str()));
        }
    }
    out.insert("sparkConf".to_owned(), Value::Object(conf));
    Value::Object(out)
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
