//! Dynamic allocation on Kubernetes: where shuffle files outlive an executor.
//!
//! That Spark refuses to start is found by the settings' own reader. Left out: shuffle managers that
//! are not Spark's, which may want the setting.
//!
//! Source: facts-spark A1, A2; Spark's page on Kubernetes: there is no external shuffle service.

use sim::Severity;

use super::pods::Workload;
use super::rule::{LintFinding, Rule};

/// Neither shuffle tracking nor anything else that keeps shuffle files.
pub(super) static REFUSED: Rule = Rule {
    id: "dynamic-allocation-refused",
    severity: Severity::Error,
    why: "Spark ends with an exception: nothing would keep the shuffle files of executors that go",
    source: "`ExecutorAllocationManager.validateSettings`; facts-spark A1 (default true from 3.4)",
};

/// A service that Kubernetes has not.
pub(super) static SHUFFLE_SERVICE: Rule = Rule {
    id: "shuffle-service-on-kubernetes",
    severity: Severity::Warning,
    why: "Spark on Kubernetes has no external shuffle service: executors look for one on their node",
    source: "Spark, \"Running on Kubernetes\", future work; facts-spark A1",
};

pub(super) fn judge(workloads: &[Workload]) -> Vec<LintFinding> {
    let key = "spark.shuffle.service.enabled";
    let on = |workload: &&Workload| {
        workload.conf.get(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    };
    let of = |workload: &Workload| {
        let next = "drop it and set spark.dynamicAllocation.shuffleTracking.enabled=true";
        SHUFFLE_SERVICE.at(workload.at(key), format!("`{key}` is true"), next)
    };
    workloads.iter().filter(on).filter(|workload| is_plain(workload)).map(of).collect()
}

/// With Spark's own shuffle.
fn is_plain(workload: &Workload) -> bool {
    workload.conf.get("spark.shuffle.manager").is_none_or(|manager| {
        matches!(manager.to_ascii_lowercase().as_str(), "sort" | "tungsten-sort")
            || manager.ends_with(".SortShuffleManager")
    })
}
