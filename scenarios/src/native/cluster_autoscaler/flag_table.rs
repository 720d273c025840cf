//! Cluster Autoscaler's flags by release: which exist, of which type, and what they are to the
//! model.
//!
//! `flags.csv`: facts read from `config/flags/flags.go` (`main.go` before) of the release branches
//! 1.18 to 1.22, 1.24, 1.26, 1.28, 1.30, 1.32 and 1.34 to 1.36. A flag's first and last release may
//! lie between two that were read: such a release counts as having it.

use std::sync::OnceLock;

use sim::scenario::KubernetesVersion;

const FLAGS_CSV: &str = include_str!("flags.csv");

/// The type of a flag's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlagType {
    Bool,
    Duration,
    Float,
    Int,
    /// A text; also lists in one text.
    Text,
    /// May be given several times.
    Repeated,
}

/// One flag of any release.
#[derive(Debug)]
pub(super) struct FlagFacts {
    pub(super) name: &'static str,
    pub(super) kind: FlagType,
    absent_until: Option<u32>,
    first_seen: u32,
    last_seen: u32,
    absent_from: Option<u32>,
}

impl FlagFacts {
    /// Whether the flag is in that release, as far as is known. Releases after the last one that
    /// was read count as it.
    pub(super) fn is_in(&self, version: KubernetesVersion) -> bool {
        let minor = version.minor;
        self.absent_until.is_none_or(|absent| minor > absent)
            && self.absent_from.is_none_or(|absent| minor < absent)
    }

    /// `1.26 to 1.30`, or `since 1.26`.
    pub(super) fn releases(&self) -> String {
        match self.absent_from {
            Some(_) => format!("1.{} to 1.{}", self.first_seen, self.last_seen),
            None => format!("since 1.{}", self.first_seen),
        }
    }
}

/// All flags, by name.
pub(super) fn all() -> &'static [FlagFacts] {
    static FLAGS: OnceLock<Vec<FlagFacts>> = OnceLock::new();
    FLAGS.get_or_init(|| {
        FLAGS_CSV
            .lines()
            .skip(1)
            .map(|row| facts(row).unwrap_or_else(|| panic!("row of the flag table: {row}")))
            .collect()
    })
}

/// The flag of that name, in whatever release.
pub(super) fn find(name: &str) -> Option<&'static FlagFacts> {
    all().iter().find(|flag| flag.name == name)
}

fn facts(row: &'static str) -> Option<FlagFacts> {
    let cells: Vec<&'static str> = row.split(',').collect();
    let [name, kind, absent_until, first, last, absent_from] = cells[..] else {
        return None;
    };
    let minor = |text: &str| text.strip_prefix("1.")?.parse::<u32>().ok();
    Some(FlagFacts {
        name,
        kind: match kind {
            "bool" => FlagType::Bool,
            "duration" => FlagType::Duration,
            "float64" => FlagType::Float,
            "int" => FlagType::Int,
            "multistring" => FlagType::Repeated,
            "string" | "stringslice" => FlagType::Text,
            _ => return None,
        },
        absent_until: minor(absent_until),
        first_seen: minor(first)?,
        last_seen: minor(last)?,
        absent_from: minor(absent_from),
    })
}

/// Flags that the model follows; `apply.rs` reads each.
pub(super) const MODELLED: [&str; 36] = [
    "balance-similar-node-groups",
    "balancing-ignore-label",
    "balancing-label",
    "cores-total",
    "enforce-node-group-min-size",
    "expander",
    "expendable-pods-priority-cutoff",
    "gpu-total",
    "ignore-daemonsets-utilization",
    "initial-node-group-backoff-duration",
    "max-allocatable-difference-ratio",
    "max-drain-parallelism",
    "max-empty-bulk-delete",
    "max-free-difference-ratio",
    "max-node-group-backoff-duration",
    "max-node-provision-time",
    "max-nodes-per-scaleup",
    "max-nodes-total",
    "max-scale-down-parallelism",
    "memory-difference-ratio",
    "memory-total",
    "new-pod-scale-up-delay",
    "node-delete-delay-after-taint",
    "node-group-backoff-reset-timeout",
    "salvo-scale-up",
    "scale-down-delay-after-add",
    "scale-down-delay-after-delete",
    "scale-down-delay-type-local",
    "scale-down-enabled",
    "scale-down-gpu-utilization-threshold",
    "scale-down-unneeded-time",
    "scale-down-utilization-threshold",
    "scale-up-from-zero",
    "scan-interval",
    "skip-nodes-with-custom-controller-pods",
    "skip-nodes-with-local-storage",
];

/// Flags of every release without effect on when and how nodes come and go.
pub(super) const IRRELEVANT: [&str; 36] = [
    "address",
    "aws-use-static-instance-list",
    "bulk-mig-instances-listing-enabled",
    "cloud-config",
    "cloud-provider",
    "cluster-name",
    "cluster-snapshot-parallelism",
    "clusterapi-cloud-config-authoritative",
    "cordon-node-before-terminating",
    "debugging-snapshot-enabled",
    "emit-per-nodegroup-metrics",
    "gce-concurrent-refreshes",
    "gce-expander-ephemeral-storage-support",
    "gce-mig-instances-min-refresh-wait-time",
    "kube-api-content-type",
    "kube-client-burst",
    "kube-client-qps",
    "kubeconfig",
    "kubernetes",
    "max-bulk-soft-taint-count",
    "max-bulk-soft-taint-time",
    "max-failing-time",
    "max-inactivity",
    "max-startup-time",
    "namespace",
    "node-group-auto-discovery",
    "node-removal-latency-tracking-enabled",
    "nodes",
    "parallel-scale-up",
    "predicate-parallelism",
    "profiling",
    "record-duplicated-events",
    "regional",
    "status-config-map-name",
    "user-agent",
    "write-status-configmap",
];

/// Flags that come from the libraries (logging, leader election, feature gates), not from the
/// autoscaler's own table.
pub(super) fn is_library_flag(name: &str) -> bool {
    const NAMES: [&str; 19] = [
        "add-dir-header",
        "alsologtostderr",
        "feature-gates",
        "help",
        "h",
        "log-backtrace-at",
        "log-dir",
        "log-file",
        "log-file-max-size",
        "log-flush-frequency",
        "log-json-info-buffer-size",
        "logging-format",
        "logtostderr",
        "one-output",
        "skip-headers",
        "skip-log-headers",
        "stderrthreshold",
        "v",
        "vmodule",
    ];
    NAMES.contains(&name) || name.starts_with("leader-elect") || name.starts_with("log-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert_eq!(all().len(), 138);
        for name in MODELLED.iter().chain(&IRRELEVANT) {
            assert!(find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn releases() {
        let is_in =
            |name: &str, minor| find(name).unwrap().is_in(KubernetesVersion { major: 1, minor });
        assert!(is_in("max-empty-bulk-delete", 32) && !is_in("max-empty-bulk-delete", 33));
        assert!(is_in("max-scale-down-parallelism", 25));
        assert!(!is_in("max-scale-down-parallelism", 24));
        // Read in 1.26 and not in 1.24: 1.25 may have it.
        assert!(is_in("balancing-label", 25) && !is_in("balancing-label", 24));
        assert!(is_in("scan-interval", 20) && is_in("scan-interval", 40));
    }
}
