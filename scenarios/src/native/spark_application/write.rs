//! Spark's settings and pod templates as a `SparkApplication` (v1beta2).
//!
//! What the operator has fields for stands in fields, everything else in `sparkConf`. Left out:
//! what the application is (its file, class and arguments): `CHANGE-ME` stands for its file.
//!
//! Source: as of the reader beside it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sim::scenario::{RetryLadder, SparkDefaults};
use sim::units::SimDuration;
use sim::units::spark_size::format_size;

use super::RestartPolicy;
use crate::native::pod_template::write::live;

/// The preset that is the operator's own.
const PRESET: &str = "spark-operator";

/// The application `name` with `settings`, as [`crate::native::spark_defaults::write::merged`]
/// gives them.
pub fn application(
    name: &str,
    spark: &SparkDefaults,
    settings: &BTreeMap<String, String>,
    retries: &RetryLadder,
) -> Value {
    let mut rest = settings.clone();
    let kind = match rest.remove("spark.kubernetes.resource.type").as_deref() {
        Some("python") => "Python",
        Some("r") => "R",
        _ => "Scala",
    };
    let namespace = rest.remove("spark.kubernetes.namespace");
    for role in ["driver", "executor"] {
        // The template stands in the application.
        rest.remove(&format!("spark.kubernetes.{role}.podTemplateFile"));
    }
    let mut metadata = json!({ "name": name });
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    let mut spec = json!({
        "type": kind,
        "mode": "cluster",
        "sparkVersion": format!("{}.{}.0", spark.version.major, spark.version.minor),
    });
    if let Some(image) = rest.remove("spark.kubernetes.container.image") {
        spec["image"] = json!(image);
    }
    spec["mainApplicationFile"] = json!("local:///CHANGE-ME");
    let driver = role("driver", spark, &mut rest);
    let executor = role("executor", spark, &mut rest);
    spec["sparkConf"] = json!(rest);
    spec["restartPolicy"] = restart(retries);
    spec["driver"] = Value::Object(driver);
    spec["executor"] = Value::Object(executor);
    json!({
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "metadata": metadata,
        "spec": spec,
    })
}

/// `driver` or `executor`, whose settings are taken out of `rest`.
fn role(
    role: &str,
    spark: &SparkDefaults,
    rest: &mut BTreeMap<String, String>,
) -> Map<String, Value> {
    let is_driver = role == "driver";
    let (cores, memory, template) = if is_driver {
        (spark.driver_cores, spark.driver_memory, &spark.driver_template)
    } else {
        (spark.executor_cores, spark.executor_memory, &spark.executor_template)
    };
    let mut out = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            out.insert(key.to_owned(), value);
        }
    };
    rest.remove(&format!("spark.{role}.cores"));
    put("cores", Some(json!(cores)));
    let memory = rest
        .remove(&format!("spark.{role}.memory"))
        .filter(|text| text.ends_with(|c: char| c.is_ascii_alphabetic()))
        .unwrap_or_else(|| format_size(memory));
    put("memory", Some(json!(memory)));
    for (key, setting) in [
        ("memoryOverhead", format!("spark.{role}.memoryOverhead")),
        ("coreRequest", format!("spark.kubernetes.{role}.request.cores")),
        ("coreLimit", format!("spark.kubernetes.{role}.limit.cores")),
    ] {
        put(key, rest.remove(&setting).map(|text| json!(text)));
    }
    if is_driver {
        let account = rest.remove("spark.kubernetes.authenticate.driver.serviceAccountName");
        put("serviceAccount", Some(json!(account.unwrap_or_else(|| "spark".to_owned()))));
    } else {
        let said = rest.remove("spark.executor.instances").is_some();
        // The operator asks for one where nothing is said; with dynamic allocation a number that
        // nobody said would be where it starts.
        let instances = said || !spark.dynamic_allocation.enabled;
        put("instances", instances.then(|| json!(spark.executor_instances)));
    }
    let mut template = live(template, role);
    if let Some(fields) = template.as_object_mut() {
        fields.retain(|key, _| ["metadata", "spec"].contains(&key.as_str()));
    }
    put("template", Some(template));
    out
}

/// The ladder, where the operator can do what it says; else nothing is tried again: the ladder is
/// the orchestrator's.
fn restart(retries: &RetryLadder) -> Value {
    let policy = retries.rungs.first().map(|rung| RestartPolicy {
        on_failure: true,
        retries: rung.attempts_max.saturating_sub(1),
        interval: rung.backoff,
    });
    let is_operators = |policy: &RestartPolicy| {
        let whole = SimDuration::seconds(policy.interval.as_secs_ceil()) == policy.interval;
        let mut ladder = RetryLadder { name: retries.name.clone(), ..policy.ladder() };
        // The preset of that name leaves out failures after which no driver has ended.
        if retries.name == PRESET
            && let (Some(own), Some(rung)) = (ladder.rungs.first_mut(), retries.rungs.first())
        {
            own.when.clone_from(&rung.when);
        }
        whole && ladder == *retries
    };
    match policy.filter(is_operators) {
        Some(policy) => json!({
            "type": "OnFailure",
            "onFailureRetries": policy.retries,
            "onFailureRetryInterval": policy.interval.as_secs_ceil(),
        }),
        None => json!({ "type": "Never" }),
    }
}

#[cfg(test)]
mod tests;
