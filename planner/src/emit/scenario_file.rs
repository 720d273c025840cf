//! The scenario again, naming the files that were written; the rest of it is the resolved form.

use scenarios::Loaded;
use scenarios::native::{cluster_autoscaler, eksctl};
use serde_json::{Map, Value, json};

use super::names;

/// The resolved text as a value.
fn resolved(text: &str) -> Value {
    // Our own text: what reads it back is tested for every scenario of the library.
    let line = scenarios::one_line("resolved", text).unwrap_or_default();
    serde_json::from_str(&line).unwrap_or_default()
}

/// The names of the traces, as the resolved text has them.
pub(super) fn traces(text: &str) -> Vec<String> {
    let value = resolved(text);
    let traces = value["spec"]["workload"]["traces"].as_array().cloned().unwrap_or_default();
    let names = traces.iter().filter_map(Value::as_object).flat_map(Map::values);
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `spec.retries` with what its reader fills in.
pub(super) fn retries(text: &str) -> Value {
    let mut value = resolved(text)["spec"]["retries"].take();
    if let Some(rungs) = value["ladder"].as_array_mut() {
        for rung in rungs {
            if rung.get("steps").is_none() {
                rung["steps"] = json!([]);
            }
        }
    }
    if value.get("history").is_none() {
        value["history"] = json!([]);
    }
    value
}

/// The scenario with the files that are among `written`.
pub(super) fn naming(loaded: &Loaded, written: &[&str]) -> Value {
    let mut value = resolved(&loaded.resolved);
    let has = |name: &str| written.contains(&name);
    let spec = &mut value["spec"];
    if has(names::SPARK_DEFAULTS)
        && let Some(spark) = spec["spark"].as_object_mut()
    {
        spark.shift_remove("sparkConf");
        spark.insert("defaults".into(), json!(names::SPARK_DEFAULTS));
    }
    if has(names::DRIVER) {
        spec["spark"]["driverPodTemplate"] = json!(names::DRIVER);
        spec["spark"]["executorPodTemplate"] = json!(names::EXECUTOR);
    }
    if has(names::EKSCTL)
        && let Some(nodes) = spec["nodes"].as_object_mut()
    {
        nodes.shift_remove("pools");
        nodes.insert("eksctl".into(), json!(names::EKSCTL));
        let overrides = eksctl::write::overrides(&loaded.scenario);
        if !overrides.is_empty() {
            nodes.insert("overrides".into(), Value::Object(overrides));
        }
    }
    if has(names::AUTOSCALER)
        && let Some(ca) = &loaded.scenario.autoscaler
    {
        let mut out = json!({ "values": names::AUTOSCALER });
        if let Some(table) = cluster_autoscaler::write::priorities(ca) {
            out["priorities"] = table;
        }
        spec["autoscaler"] = json!({ "clusterAutoscaler": out });
    }
    if has(names::SCHEDULER) {
        spec["scheduler"] = json!({ "config": names::SCHEDULER });
    }
    value
}
