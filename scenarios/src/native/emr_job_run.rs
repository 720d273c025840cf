//! Spark's settings as the JSON that `aws emr-containers start-job-run --cli-input-json` takes.
//!
//! It is written and not read. Left out: what the application is, and where it runs: `<..>` stands
//! for what has to be filled in. EMR takes pod templates from S3 only.
//!
//! Source: EMR on EKS, API reference of `StartJobRun` (`retryPolicyConfiguration.maxAttempts`,
//! `applicationConfiguration`) and the page on pod templates.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sim::scenario::RetryLadder;

/// Where the templates are to be put.
const TEMPLATES: &str = "s3://<bucket>/<prefix>";

/// The request for `name` with `settings`, as [`super::spark_defaults::write::merged`] gives them,
/// and `tags`.
pub fn request(
    name: &str,
    settings: &BTreeMap<String, String>,
    retries: &RetryLadder,
    tags: &BTreeMap<&str, String>,
) -> Value {
    let mut properties = settings.clone();
    for role in ["driver", "executor"] {
        let key = format!("spark.kubernetes.{role}.podTemplateFile");
        properties.insert(key, format!("{TEMPLATES}/{role}-pod-template.yaml"));
    }
    // The virtual cluster is a namespace.
    properties.remove("spark.kubernetes.namespace");
    let mut out = json!({
        "name": name,
        "virtualClusterId": "<virtual-cluster-id>",
        "executionRoleArn": "<execution-role-arn>",
        "releaseLabel": "<release-label>",
        "jobDriver": {
            "sparkSubmitJobDriver": { "entryPoint": "<entry-point>" },
        },
        "configurationOverrides": {
            "applicationConfiguration": [
                { "classification": "spark-defaults", "properties": properties },
            ],
        },
    });
    // EMR tries the driver again and changes nothing.
    if retries.name == "emr-on-eks"
        && let Some(rung) = retries.rungs.first()
    {
        out["retryPolicyConfiguration"] = json!({ "maxAttempts": rung.attempts_max });
    }
    out["tags"] = json!(tags);
    out
}
