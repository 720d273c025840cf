//! `docs/result-format.md`, made from the same tables as the files that it describes.

use crate::summary;
use crate::tables::TABLES;

/// The text of `docs/result-format.md`.
pub fn document() -> String {
    let mut text = String::from(INTRODUCTION);
    text.push_str(&format!(
        "\n## summary.json\n\n`schema` is `{}`. Keys may be added, never renamed. Every key is \
         always there; a quantile without samples is 0.\n\n| key | what it says |\n| --- | --- |\n",
        summary::SCHEMA
    ));
    for (key, doc) in SUMMARY_KEYS {
        text.push_str(&format!("| `{key}` | {doc} |\n"));
    }
    for table in &TABLES {
        text.push_str(&format!("\n## {}.parquet\n\n{}\n\n", table.name, table.row));
        text.push_str(
            "| column | type | may be null | what it says |\n| --- | --- | --- | --- |\n",
        );
        for column in table.columns {
            let nullable = if column.nullable { "yes" } else { "" };
            let (name, kind) = (column.name, column.kind.name());
            text.push_str(&format!("| `{name}` | {kind} | {nullable} | {} |\n", column.doc));
        }
    }
    text
}

const INTRODUCTION: &str = "\
# The result folder

<!-- Generated from reports/src/result_format.rs and reports/src/tables/columns.rs.
     `UPDATE_EXPECT=1 cargo test -p reports` writes it again. -->

`seatrial run` writes one folder: all of it or nothing. The same scenario, trace and seed give the
same bytes, whatever the machine and the number of threads.

| file | what it holds |
| --- | --- |
| `report.html` | all of it for people: one page that opens offline; `--no-report` leaves it out |
| `plots/NAME.svg` | the report's plots |
| `summary.json` | the totals, for scripts |
| `findings.json` | what was left out, repaired or assumed, with file and line; every assumption with \
its source |
| `scenario.resolved.yaml` | the scenario with every value explicit; it can be run again (traces are named as they were written; elsewhere, `--set spec.workload.traces[0].jobTable=...` says where) |
| `NAME.parquet` | the tables below, of the first replication |

Times are seconds since the start of the workload, exact to the millisecond. The start is in each
file's metadata as `seatrial.start_epoch_ms`, milliseconds since 1970-01-01 UTC. Money is US
dollars. Names are as they were recorded: escape them before you show them.

Every dollar amount is a whole number of nano-dollars, written as the shortest decimal number that
reads back as the same double: exact to nine decimals below one million dollars. Sums that must hold
are checked on the integers before anything is written.
";

/// The keys of `summary.json` with their meaning, in the order of the file.
const SUMMARY_KEYS: &[(&str, &str)] = &[
    ("schema", "name and version of this format"),
    ("scenario", "the scenario's `metadata.name`"),
    ("seed", "root of all randomness"),
    (
        "replications",
        "how many were run; all other keys but `replication_statistics` are of the first",
    ),
    ("workload.runs", "runs submitted"),
    ("workload.attempts", "attempts started"),
    ("workload.pods", "pods created, of every kind"),
    ("workload.span_s", "first to last submission"),
    ("outcome.succeeded", "runs that succeeded, at whichever attempt"),
    ("outcome.failed", "runs that failed for good"),
    (
        "outcome.unfinished",
        "runs on their way at the end; `runs = succeeded + failed + unfinished`",
    ),
    ("outcome.failed_attempts_by_cause.CAUSE", "attempts that failed, by cause"),
    (
        "outcome.trace_pods.*",
        "plain pods of a pod trace: submitted, succeeded, unfinished, and of those `never_bound`",
    ),
    (
        "owners.TEAM.*",
        "how the team's runs went: `runs` that were due, `succeeded`, `failed`, `unfinished`, \
         `timeouts` (attempts), `with_deadline`, of those `deadline_missed` (not succeeded by it) and \
         of those `critical_missed`; `held_by_parents` (runs whose `depends_on` ended late) and for how \
         long in all, `held_by_parents_s`",
    ),
    (
        "latency_s.pod_scheduling_delay.*",
        "pod created to bound, pause pods aside: p50, p90, p99, max (nearest rank)",
    ),
    (
        "latency_s.run_queue_delay.*",
        "run submitted (where it depends on others: once they have ended) to its first driver running",
    ),
    ("latency_s.run_duration.*", "run submitted to its end, of runs that succeeded"),
    (
        "waiting.by_reason[]",
        "what pods waited for, the longest time first, at most 20 and `(other reasons)`: `reason` \
         (the scheduler's message without counts of nodes), `pods` (that began to wait for it), \
         `wait_s` (added up), `trace_pods_never_bound` and `spark_pods_never_bound` (whose last \
         reason it was)",
    ),
    (
        "pod_waits.*",
        "only of a trace with recorded waits of pods: `pods` of which it says something, \
         `recorded_never`, `simulated_never` and `both_never` bound; of the pods bound in both \
         (`compared`) the share whose waits differ by at most 1, 10 and 60 s, and Spearman's \
         `rank_correlation`",
    ),
    ("pod_waits.recorded.*", "pod created to bound as recorded, of pods that were bound"),
    ("pod_waits.simulated.*", "the same as simulated"),
    ("nodes.launched", "nodes launched, those of the start included"),
    ("nodes.node_hours.*", "billed node-hours by capacity type"),
    ("nodes.peak", "most nodes at one time"),
    ("nodes.spot_interruptions", "spot nodes taken back"),
    (
        "nodes.cross_zone_bytes",
        "shuffle bytes that executors fetched from other zones, expected from how executors were \
         spread",
    ),
    (
        "disruption.total.*",
        "only where Karpenter disrupted nodes: `nodes` taken out of service, `pods_evicted` from \
         them, `drivers_evicted` among these, `task_time_lost_s` with executors",
    ),
    (
        "disruption.by_reason.REASON.*",
        "the same by why: `empty`, `underutilized` (consolidation), `drifted`, `expired`, \
         `interrupted`",
    ),
    ("utilization.cpu", "CPU requested by pods over allocatable, over all node time (0 to 1)"),
    ("utilization.memory", "the same for memory"),
    ("cost_usd.total", "the whole bill"),
    (
        "cost_usd.by_kind.*",
        "by kind; adds up to `total`: `on_demand` (at on-demand prices), `spot`, `storage` (root \
         volumes), `control_plane`, `emr`, `network` (shuffle traffic between zones), `nat`, \
         `commitment_savings` (what reserved instances and savings plans take off; negative), \
         `commitment_unused` (what was paid for them and not used), `discount` (negative), `tax`",
    ),
    (
        "cost_usd.by_pool.POOL",
        "instances by node pool; adds up to the node part, `on_demand + spot`",
    ),
    (
        "cost_usd.by_team.TEAM",
        "by owner, `(shared)` for what belongs to nobody; adds up to `total`",
    ),
    (
        "cost_usd.ledger.KIND",
        "where the node part went; adds up to it: `useful` (task and driver time whose output was \
         used), `recompute` (repeated after a loss), `failed_attempts`, `executor_idle`, \
         `starting` (boot, image pull, JVM start), `reserved` (kubelet, system, DaemonSets), \
         `pause_pods`, `unallocated`",
    ),
    (
        "cost_usd.commitments[]",
        "reserved instances and savings plans, where there are any: `name`, `covered` (at \
         on-demand prices), `paid`, and of that `unused`",
    ),
    (
        "cost_usd.terms.*",
        "what was agreed: `shared_split` (how reports split what belongs to nobody), `timezone` \
         (in which reports begin days), `discount` and `tax` as shares",
    ),
    ("control_plane.event_objects_peak", "most event objects alive at one time"),
    ("control_plane.pods_peak", "most pod objects alive at one time"),
    (
        "control_plane.etcd_bytes_peak",
        "bytes in etcd in its fullest minute, revisions that are not compacted included",
    ),
    (
        "control_plane.etcd_quota_share",
        "the same as a share of etcd's quota (`etcdQuota`): above 1, the cluster would be \
         read-only",
    ),
    ("control_plane.etcd_peak_s", "end of that minute, seconds from the start"),
    (
        "control_plane.events_at_etcd_peak.*",
        "event objects alive in that minute, by upstream's reason; `NodeReady` stands for all of a \
         joining node",
    ),
    ("engine.events", "events simulated"),
    ("engine.tasks", "tasks simulated, every attempt of them"),
    (
        "backtest.*",
        "with `run --scorecard`, the headline of `backtest.json`: `predictions`, and `mean_ape`, \
         `median_ape`, `p90_ape`, `worst_ape`, `bias` as shares",
    ),
    (
        "replication_statistics.PATH",
        "with two replications or more, every number above by its dotted path: `mean`, `ci95_low` \
         and `ci95_high` (Student's t), `n`",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::{Summary, numbers, tests::outcome};

    #[test]
    fn the_committed_document_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/result-format.md");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")).unwrap();
            std::fs::write(path, document()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == document(),
            "docs/result-format.md is not current: UPDATE_EXPECT=1 cargo test -p reports"
        );
    }

    #[test]
    fn every_number_of_a_summary_is_documented() {
        let summary = Summary::of(&outcome(), 0).unwrap();
        for (path, _) in numbers(&summary) {
            let (parent, _) = path.rsplit_once('.').unwrap();
            let documented = SUMMARY_KEYS.iter().any(|(key, _)| {
                let (key_parent, last) = key.rsplit_once('.').unwrap_or((key, ""));
                let any = last == "*" || last.chars().all(|c| c.is_ascii_uppercase());
                *key == path || (any && key_parent == parent)
            });
            assert!(documented, "{path}");
        }
    }
}
