//! Rows of a result's tables as they are needed to explain something.

use std::collections::BTreeMap;
use std::path::Path;

use super::clock::Clock;
use super::names::{self, Nearest};
use crate::tables::{ReadError, TableFile, TableRow};

/// Why nothing can be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The result cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no such thing in it.
    #[error("there is no {what} `{name}` in this result{}", did_you_mean(.near))]
    Unknown {
        /// `pod`, `run`, `node` or `node group`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// Known names that are near it.
        near: Vec<String>,
    },
}

fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() {
        return String::new();
    }
    let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    format!("; did you mean {}?", names.join(" or "))
}

/// The tables of a result.
pub(super) struct ResultTables {
    runs: TableFile,
    attempts: TableFile,
    pods: TableFile,
    nodes: TableFile,
    waiting: TableFile,
    scaling: TableFile,
    pools: TableFile,
}

/// A row of `pods`.
#[derive(Debug, Clone)]
pub(super) struct PodRow {
    pub(super) pod: i64,
    pub(super) kind: String,
    pub(super) owner_name: Option<String>,
    pub(super) executor_id: Option<i64>,
    pub(super) attempt: Option<i64>,
    pub(super) cpu_milli: i64,
    pub(super) memory: i64,
    pub(super) created: f64,
    pub(super) bound: Option<f64>,
    pub(super) ready: Option<f64>,
    pub(super) ended: f64,
    pub(super) node: Option<i64>,
    pub(super) result: String,
    pub(super) cost: f64,
    /// Place of its run, or of the trace pod.
    pub(super) owner: Option<i64>,
}

impl PodRow {
    pub(super) fn name(&self) -> String {
        names::pod_name(self.pod, &self.kind, self.owner_name.as_deref(), self.executor_id)
    }

    /// When it did not wait for a node any more.
    pub(super) fn waited_until(&self) -> f64 {
        self.bound.unwrap_or(self.ended)
    }
}

/// A row of `nodes`.
#[derive(Debug, Clone)]
pub(super) struct NodeRow {
    pub(super) node: i64,
    pub(super) pool: String,
    pub(super) instance_type: String,
    pub(super) zone: String,
    pub(super) capacity_type: String,
    pub(super) launched: f64,
    pub(super) ready: Option<f64>,
    pub(super) terminated: f64,
    pub(super) interrupted: bool,
    pub(super) pods: i64,
    pub(super) cost: f64,
    pub(super) pods_cost: f64,
}

/// A row of `scaling`.
#[derive(Debug, Clone)]
pub(super) struct ScalingRow {
    pub(super) at: f64,
    pub(super) pool: Option<String>,
    pub(super) node: Option<i64>,
    pub(super) decision: String,
    pub(super) nodes: Option<i64>,
    pub(super) reason: String,
}

/// A row of `pools`.
#[derive(Debug, Clone)]
pub(super) struct PoolRow {
    pub(super) pool: String,
    pub(super) instance_type: String,
    pub(super) capacity_type: String,
    pub(super) sizes: [i64; 3],
    pub(super) cpu_milli: i64,
    pub(super) memory: i64,
    pub(super) taints: String,
}

/// Columns of `pods`, in the order in which [`pod_row`] takes them.
const POD_COLUMNS: [&str; 15] = [
    "pod",
    "kind",
    "owner_name",
    "executor_id",
    "attempt",
    "cpu_milli",
    "memory_bytes",
    "created_s",
    "bound_s",
    "ready_s",
    "ended_s",
    "node",
    "result",
    "cost_usd",
    "owner",
];

fn owned(row: TableRow<'_>, place: usize) -> String {
    row.text(place).unwrap_or_default().to_owned()
}

fn pod_row(row: TableRow<'_>) -> PodRow {
    PodRow {
        pod: row.integer(0).unwrap_or_default(),
        kind: owned(row, 1),
        owner_name: row.text(2).map(str::to_owned),
        executor_id: row.integer(3),
        attempt: row.integer(4),
        cpu_milli: row.integer(5).unwrap_or_default(),
        memory: row.integer(6).unwrap_or_default(),
        created: row.float(7).unwrap_or_default(),
        bound: row.float(8),
        ready: row.float(9),
        ended: row.float(10).unwrap_or_default(),
        node: row.integer(11),
        result: owned(row, 12),
        cost: row.float(13).unwrap_or_default(),
        owner: row.integer(14),
    }
}

/// What a filter on `pods` sees.
#[derive(Clone, Copy)]
pub(super) struct PodKey<'a>(TableRow<'a>);

impl<'a> PodKey<'a> {
    pub(super) fn pod(self) -> i64 {
        self.0.integer(0).unwrap_or_default()
    }
    pub(super) fn kind(self) -> &'a str {
        self.0.text(1).unwrap_or_default()
    }
    pub(super) fn owner_name(self) -> Option<&'a str> {
        self.0.text(2)
    }
    pub(super) fn executor_id(self) -> i64 {
        self.0.integer(3).unwrap_or(-1)
    }
    pub(super) fn node(self) -> Option<i64> {
        self.0.integer(11)
    }
    pub(super) fn owner(self) -> Option<i64> {
        self.0.integer(14)
    }
}

impl ResultTables {
    pub(super) fn open(folder: &Path) -> Result<Self, ReadError> {
        let open = |name| TableFile::open(folder, name);
        Ok(Self {
            runs: open("runs")?,
            attempts: open("attempts")?,
            pods: open("pods")?,
            nodes: open("nodes")?,
            waiting: open("waiting")?,
            scaling: open("scaling")?,
            pools: open("pools")?,
        })
    }

    pub(super) fn clock(&self) -> Clock {
        Clock { start_epoch_ms: self.pods.start_epoch_ms() }
    }

    /// Pods that `wanted` picks, in the table's order.
    pub(super) fn pods(
        &self,
        mut wanted: impl FnMut(PodKey<'_>) -> bool,
    ) -> Result<Vec<PodRow>, ReadError> {
        let mut found = Vec::new();
        self.pods.rows(&POD_COLUMNS, |row| {
            if wanted(PodKey(row)) {
                found.push(pod_row(row));
            }
        })?;
        Ok(found)
    }

    /// Names of pods near `name`.
    pub(super) fn pods_near(&self, name: &str) -> Result<Vec<String>, ReadError> {
        let mut near = Nearest::to(&name.replace("-driver", "/driver").replace("-exec-", "/exec-"));
        self.pods.rows(&names::POD_NAME_COLUMNS, |row| near.offer(&names::shown_pod(row)))?;
        Ok(near.into_names())
    }

    /// Reasons of the given pods (sorted numbers), each since when, in order.
    pub(super) fn reasons(
        &self,
        pods: &[i64],
    ) -> Result<BTreeMap<i64, Vec<(f64, String)>>, ReadError> {
        let mut found: BTreeMap<i64, Vec<(f64, String)>> = BTreeMap::new();
        self.waiting.rows(&["pod", "at_s", "reason"], |row| {
            let pod = row.integer(0).unwrap_or_default();
            if pods.binary_search(&pod).is_ok() {
                let at = row.float(1).unwrap_or_default();
                found.entry(pod).or_default().push((at, owned(row, 2)));
            }
        })?;
        Ok(found)
    }

    /// Decisions that `wanted` picks by (when, pool, node), in order.
    pub(super) fn scaling(
        &self,
        mut wanted: impl FnMut(f64, Option<&str>, Option<i64>) -> bool,
    ) -> Result<Vec<ScalingRow>, ReadError> {
        let mut found = Vec::new();
        let columns = ["at_s", "pool", "node", "decision", "nodes", "reason"];
        self.scaling.rows(&columns, |row| {
            let at = row.float(0).unwrap_or_default();
            if wanted(at, row.text(1), row.integer(2)) {
                found.push(ScalingRow {
                    at,
                    pool: row.text(1).map(str::to_owned),
                    node: row.integer(2),
                    decision: owned(row, 3),
                    nodes: row.integer(4),
                    reason: owned(row, 5),
                });
            }
        })?;
        Ok(found)
    }

    /// Nodes that `wanted` picks by (number, pool).
    pub(super) fn nodes(
        &self,
        mut wanted: impl FnMut(i64, &str) -> bool,
    ) -> Result<Vec<NodeRow>, ReadError> {
        let columns = [
            "node",
            "pool",
            "instance_type",
            "zone",
            "capacity_type",
            "launched_s",
            "ready_s",
            "terminated_s",
            "interrupted",
            "pods",
            "cost_usd",
            "pods_cost_usd",
        ];
        let mut found = Vec::new();
        self.nodes.rows(&columns, |row| {
            let node = row.integer(0).unwrap_or_default();
            if wanted(node, row.text(1).unwrap_or_default()) {
                found.push(NodeRow {
                    node,
                    pool: owned(row, 1),
                    instance_type: owned(row, 2),
                    zone: owned(row, 3),
                    capacity_type: owned(row, 4),
                    launched: row.float(5).unwrap_or_default(),
                    ready: row.float(6),
                    terminated: row.float(7).unwrap_or_default(),
                    interrupted: row.is_true(8),
                    pods: row.integer(9).unwrap_or_default(),
                    cost: row.float(10).unwrap_or_default(),
                    pods_cost: row.float(11).unwrap_or_default(),
                });
            }
        })?;
        Ok(found)
    }

    /// Every pool with each of its instance types.
    pub(super) fn pools(&self) -> Result<Vec<PoolRow>, ReadError> {
        let columns = [
            "pool",
            "instance_type",
            "capacity_type",
            "min",
            "desired",
            "max",
            "pods_cpu_milli",
            "pods_memory_bytes",
            "taints",
        ];
        let mut found = Vec::new();
        self.pools.rows(&columns, |row| {
            found.push(PoolRow {
                pool: owned(row, 0),
                instance_type: owned(row, 1),
                capacity_type: owned(row, 2),
                sizes: [3, 4, 5].map(|place| row.integer(place).unwrap_or_default()),
                cpu_milli: row.integer(6).unwrap_or_default(),
                memory: row.integer(7).unwrap_or_default(),
                taints: owned(row, 8),
            });
        })?;
        Ok(found)
    }

    pub(super) fn runs_table(&self) -> &TableFile {
        &self.runs
    }

    pub(super) fn attempts_table(&self) -> &TableFile {
        &self.attempts
    }
}
