//! The pods and nodes of Alibaba's GPU cluster of 2023 ("openb"), as its CSV files have them.
//!
//! Source: alibaba/clusterdata, `cluster-trace-gpu-v2023` (Apache-2.0). Times are seconds since the
//! start of the trace. What the files hold and how it is read:
//!
//! - `Pending` rows have no `scheduled_time`: the pod was never bound
//!   ([`RecordedWait::Never`]). How long it would have run is not recorded; the time until it was
//!   deleted is taken, and a finding says for how many.
//! - `Running` and `Failed` rows do have a `deletion_time`; a pod runs from `scheduled_time` to it.
//! - `gpu_milli` below 1000 is a share of a GPU. Pods here ask for whole GPUs; a finding counts
//!   the shares. `gpu_spec`, `qos` and the share are kept as labels.
//! - The `multigpu*` files have no times at all and are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sim::units::{Bytes, MilliCores, SimDuration, SimTime};
use sim::workload::{RecordedWait, TracePod};
use sim::{Finding, Severity};

use super::PodTable;
use crate::TraceError;
use crate::canonical::{Fate, Row, TableReader};
use crate::table::{CELL_CHARS_MAX, Column, ColumnType, TableCounts, Tally, Value, shorten};

const fn column(name: &'static str, kind: ColumnType, required: bool) -> Column {
    Column { name, kind, unit: "", required, default: "", doc: "" }
}

const TEXT: ColumnType = ColumnType::Text(CELL_CHARS_MAX);
const CPU: ColumnType = ColumnType::Count(0, 10_000_000);
const GPUS: ColumnType = ColumnType::Count(0, 1_024);
const PHASES: &[&str] = &["Pending", "Running", "Succeeded", "Failed", "Unknown"];

const PODS: &[Column] = &[
    column("name", TEXT, true),
    column("cpu_milli", CPU, true),
    column("memory_mib", ColumnType::Mebibytes, true),
    column("num_gpu", GPUS, false),
    column("gpu_milli", ColumnType::Count(0, 1_000), false),
    column("gpu_spec", TEXT, false),
    column("qos", TEXT, false),
    column("pod_phase", ColumnType::Choice(PHASES), true),
    column("creation_time", ColumnType::Seconds, true),
    column("deletion_time", ColumnType::Seconds, true),
    column("scheduled_time", ColumnType::Seconds, false),
];

const NODES: &[Column] = &[
    column("sn", TEXT, true),
    column("cpu_milli", CPU, true),
    column("memory_mib", ColumnType::Mebibytes, true),
    column("gpu", GPUS, false),
    column("model", TEXT, false),
];

/// One pod row.
struct PodRow {
    name: String,
    cpu: u64,
    memory: u64,
    gpus: u32,
    gpu_milli: Option<u64>,
    labels: BTreeMap<String, String>,
    phase: String,
    created: u64,
    deleted: u64,
    scheduled: Option<u64>,
}

impl PodRow {
    fn new(row: Row) -> Self {
        let mut values = row.values.into_iter();
        let mut next = || values.next().unwrap_or(Value::Missing);
        let mut labels = BTreeMap::new();
        let (name, cpu, memory, gpus) = (next(), next(), next(), next());
        let gpu_milli = next().whole();
        for label in ["gpu-spec", "qos"] {
            if let Some(text) = next().into_text() {
                labels.insert(label.to_owned(), text);
            }
        }
        if let Some(share) = gpu_milli.filter(|share| (1..1_000).contains(share)) {
            labels.insert("gpu-milli".to_owned(), share.to_string());
        }
        Self {
            name: name.into_text().unwrap_or_default(),
            cpu: cpu.whole().unwrap_or_default(),
            memory: memory.whole().unwrap_or_default(),
            gpus: gpus.small().unwrap_or_default(),
            gpu_milli,
            labels,
            phase: next().into_text().unwrap_or_default(),
            created: next().whole().unwrap_or_default(),
            deleted: next().whole().unwrap_or_default(),
            scheduled: next().whole(),
        }
    }

    /// What the row's columns say about each other; `None` drops the row.
    fn check(self, line: u64, tally: &mut Tally) -> Option<TracePod> {
        let pending = self.phase == PHASES[0];
        let (started, wait) = match self.scheduled {
            Some(scheduled) if scheduled < self.created => {
                tally.add(Severity::Warning, "contradiction", "scheduled_time", line, || {
                    "before `creation_time`; the row was dropped".to_owned()
                });
                return None;
            }
            Some(scheduled) => {
                let wait = SimDuration::from_millis(scheduled - self.created);
                (scheduled, RecordedWait::Took(wait))
            }
            None if pending => {
                tally.add(Severity::Info, "never-scheduled", "scheduled_time", line, || {
                    "the pod was never bound; how long it would have run is not recorded, the \
                     time until it was deleted was taken"
                        .to_owned()
                });
                (self.created, RecordedWait::Never)
            }
            None => {
                tally.add(Severity::Warning, "missing-value", "scheduled_time", line, || {
                    format!("missing, though the phase is {}; taken as bound at once", self.phase)
                });
                (self.created, RecordedWait::Unknown)
            }
        };
        let Some(duration) = self.deleted.checked_sub(started) else {
            tally.add(Severity::Warning, "contradiction", "deletion_time", line, || {
                "before the pod was scheduled; the row was dropped".to_owned()
            });
            return None;
        };
        if self.memory == 0 {
            tally.add(Severity::Info, "no-memory-request", "memory_mib", line, || {
                "asks for no memory; kept as it is".to_owned()
            });
        }
        if self.labels.contains_key("gpu-milli") {
            tally.add(Severity::Info, "gpu-share", "gpu_milli", line, || {
                let share = self.gpu_milli.unwrap_or_default();
                format!("asks for {share}/1000 of a GPU; counted as a whole one")
            });
        }
        Some(TracePod {
            name: self.name.into(),
            created_at: SimTime::from_millis(self.created),
            duration: SimDuration::from_millis(duration),
            cpu: MilliCores::new(self.cpu),
            memory: Bytes::new(self.memory),
            gpus: self.gpus,
            labels: self.labels,
            recorded_wait: wait,
            ..TracePod::default()
        })
    }
}

/// Reads a list of pods whose header is `names`.
pub(super) fn read_pods(path: &Path, names: &[String]) -> Result<PodTable, TraceError> {
    if !names.iter().any(|name| name == "creation_time") {
        return Err(TraceError::unreadable(
            path,
            "an openb pod list without times (its multigpu and gpushare lists have none): \
             `creation_time`, `scheduled_time` and `deletion_time` are needed to replay it",
        ));
    }
    let mut pods = Vec::new();
    let mut seen = BTreeSet::new();
    let (counts, findings) = TableReader::read(path, PODS, &[], |row, tally| {
        let line = row.line;
        let Some(pod) = PodRow::new(row).check(line, tally) else {
            return Ok(Fate::Bad);
        };
        if !seen.insert(pod.name.clone()) {
            tally.add(Severity::Warning, "duplicate-pod", "name", line, || {
                let name = shorten(&pod.name);
                format!("`{name}` is there already; the later row was dropped")
            });
            return Ok(Fate::Duplicate);
        }
        pods.push(pod);
        Ok(Fate::Kept)
    })?;
    Ok(PodTable { pods, counts, findings })
}

/// A node of a recorded cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceNode {
    /// Its name.
    pub name: String,
    /// CPU capacity.
    pub cpu: MilliCores,
    /// Memory capacity.
    pub memory: Bytes,
    /// GPUs.
    pub gpus: u32,
    /// Their model, where there are any.
    pub model: Option<String>,
}

/// Reads a list of nodes.
///
/// # Errors
/// A file that is not a table or lacks required columns.
pub fn read_nodes(path: &Path) -> Result<(Vec<TraceNode>, TableCounts, Vec<Finding>), TraceError> {
    let mut nodes = Vec::new();
    let (counts, findings) = TableReader::read(path, NODES, &[], |row, _| {
        let mut values = row.values.into_iter();
        let mut next = || values.next().unwrap_or(Value::Missing);
        nodes.push(TraceNode {
            name: next().into_text().unwrap_or_default(),
            cpu: MilliCores::new(next().whole().unwrap_or_default()),
            memory: Bytes::new(next().whole().unwrap_or_default()),
            gpus: next().small().unwrap_or_default(),
            model: next().into_text(),
        });
        Ok(Fate::Kept)
    })?;
    Ok((nodes, counts, findings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pods::read_pod_trace;

    /// The recorded files, where they are.
    fn recorded(name: &str) -> Option<std::path::PathBuf> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/traces/pods/openb");
        let path = Path::new(folder).join(name);
        if !path.exists() {
            eprintln!("skipped: {} is not here", path.display());
            return None;
        }
        Some(path)
    }

    fn count_of(findings: &[Finding], code: &str) -> u64 {
        let found = findings.iter().filter(|finding| finding.code == code);
        found.map(|finding| finding.count).sum()
    }

    #[test]
    fn the_default_list_is_read_whole() {
        let Some(path) = recorded("openb_pod_list_default.csv") else {
            return;
        };
        let table = read_pod_trace(&path).expect("read");
        assert_eq!((table.counts.rows, table.counts.kept), (8_152, 8_152));
        let never = |pod: &&TracePod| pod.recorded_wait == RecordedWait::Never;
        assert_eq!(table.pods.iter().filter(never).count(), 897);
        assert_eq!(count_of(&table.findings, "never-scheduled"), 897);
        assert_eq!(count_of(&table.findings, "no-memory-request"), 1);
        let gpus = table.pods.iter().filter(|pod| pod.gpus == 0).count();
        assert_eq!(gpus, 1_088);
        // Waits: p50 2 s, max 14,330 s. Source: facts-cloud, section 1.
        let mut waits: Vec<u64> = table
            .pods
            .iter()
            .filter_map(|pod| match pod.recorded_wait {
                RecordedWait::Took(wait) => Some(wait.as_millis()),
                _ => None,
            })
            .collect();
        waits.sort_unstable();
        assert_eq!((waits[waits.len() / 2], waits[waits.len() - 1]), (2_000, 14_330_000));
    }

    #[test]
    fn lists_without_times_are_refused_with_the_reason() {
        let Some(path) = recorded("openb_pod_list_multigpu20.csv") else {
            return;
        };
        let error = read_pod_trace(&path).expect_err("refused").to_string();
        assert!(error.contains("without times"), "{error}");
    }

    #[test]
    fn nodes_are_read_whole() {
        let Some(path) = recorded("openb_node_list_all_node.csv") else {
            return;
        };
        let (nodes, counts, findings) = read_nodes(&path).expect("read");
        assert_eq!((nodes.len(), counts.kept, findings.len()), (1_523, 1_523, 0));
        assert_eq!(nodes[0].cpu, MilliCores::cores(32));
        assert_eq!(nodes.iter().filter(|node| node.gpus > 0).count(), 1_213);
    }

    #[test]
    fn contradictions_drop_the_row_and_are_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pods.csv");
        let header = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,\
                      creation_time,deletion_time,scheduled_time\n";
        let rows = "a,1,1,0,0,,LS,Running,5,3,5\nb,1,1,0,0,,LS,Running,5,9,4\n\
                    c,1,0,1,460,,BE,Succeeded,5,9,6\nd,1,1,0,0,,LS,Pending,5,9,\n\
                    c,1,1,0,0,,LS,Running,5,9,6\n";
        std::fs::write(&path, format!("{header}{rows}")).expect("written");
        let table = read_pod_trace(&path).expect("read");
        let counts = table.counts;
        assert_eq!((counts.rows, counts.kept, counts.bad, counts.duplicates), (5, 2, 2, 1));
        assert_eq!(table.pods[0].labels["gpu-milli"], "460");
        assert_eq!(table.pods[1].recorded_wait, RecordedWait::Never);
    }
}
