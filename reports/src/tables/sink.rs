//! Records to rows: places become names, milliseconds seconds, nano-dollars dollars.

use std::path::Path;

use sim::outcome::{
    AttemptRecord, Billed, Ledger, LedgerRecord, NodeRecord, PodKind, PodRecord, RunRecord,
    ScalingDecision, ScalingRecord, Sink, TimelineRecord, WaitingRecord,
};
use sim::scenario::{NodePool, Taint, TaintEffect};
use sim::units::{Bytes, MilliCores, NanoUsd, SimDuration, SimTime};
use sim::workload::{ApplicationId, Failure, Run, RunOutcome, TeamId};
use sim::{Scenario, Workload};

use super::column::Cell;
use super::columns::TABLES;
use super::parquet::{ParquetTable, TableError};

/// Writes every record to the Parquet tables of a folder.
///
/// The first error is kept, stops the simulation at its next sign of progress, and is given by
/// [`TableSink::finish`].
pub struct TableSink<'a> {
    scenario: &'a Scenario,
    workload: &'a Workload,
    tables: [ParquetTable; TABLES.len()],
    error: Option<TableError>,
}

/// Places in [`TABLES`].
const RUNS: usize = 0;
const ATTEMPTS: usize = 1;
const PODS: usize = 2;
const NODES: usize = 3;
const TIMELINE: usize = 4;
const LEDGER: usize = 5;
const WAITING: usize = 6;
const SCALING: usize = 7;
const POOLS: usize = 8;

impl<'a> TableSink<'a> {
    /// Opens the tables in `folder`, which must be there.
    ///
    /// # Errors
    /// If a file cannot be created.
    pub fn create(
        folder: &Path,
        scenario: &'a Scenario,
        workload: &'a Workload,
    ) -> Result<Self, TableError> {
        let open = |table| ParquetTable::create(folder, &TABLES[table], workload.epoch_ms);
        let mut sink = Self {
            scenario,
            workload,
            tables: [
                open(RUNS)?,
                open(ATTEMPTS)?,
                open(PODS)?,
                open(NODES)?,
                open(TIMELINE)?,
                open(LEDGER)?,
                open(WAITING)?,
                open(SCALING)?,
                open(POOLS)?,
            ],
            error: None,
        };
        scenario.pools.iter().for_each(|pool| sink.pool(pool));
        Ok(sink)
    }

    fn pool(&mut self, pool: &NodePool) {
        let taints: Vec<String> = pool.taints.iter().map(taint).collect();
        let taints = taints.join(",");
        for kind in &pool.instance_types {
            let daemonsets = &self.scenario.daemonsets;
            self.push(
                POOLS,
                [
                    text(&pool.name),
                    text(&kind.name),
                    text(pool.capacity_type.name()),
                    count(pool.min_size),
                    count(pool.desired_size),
                    count(pool.max_size),
                    cpu(kind.allocatable_cpu.saturating_sub(daemonsets.cpu)),
                    memory(kind.allocatable_memory.saturating_sub(daemonsets.memory)),
                    count(kind.gpus),
                    text(&taints),
                ],
            );
        }
    }

    /// Completes the files.
    ///
    /// # Errors
    /// The first error of all, from here or from an earlier row.
    pub fn finish(self) -> Result<(), TableError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.tables.into_iter().try_for_each(ParquetTable::finish)
    }

    fn push<const N: usize>(&mut self, table: usize, row: [Cell<'_>; N]) {
        if self.error.is_none() {
            self.error = self.tables[table].push(row).err();
        }
    }

    /// Names of a kind of node: pool, instance type, zone, capacity type.
    fn node_kind(&self, pool: u32, instance_type: u32, zone: u32) -> [&'a str; 4] {
        let pool = self.scenario.pools.get(pool as usize);
        let kind = pool.and_then(|pool| pool.instance_types.get(instance_type as usize));
        let zone = pool.and_then(|pool| pool.zones.get(zone as usize));
        [
            pool.map_or("?", |pool| pool.name.as_str()),
            kind.map_or("?", |kind| kind.name.as_str()),
            zone.map_or("?", String::as_str),
            pool.map_or("?", |pool| pool.capacity_type.name()),
        ]
    }

    fn application(&self, id: ApplicationId) -> Option<&'a str> {
        let name = self.workload.applications.get(id.0 as usize)?;
        Some(name)
    }

    fn team(&self, id: TeamId) -> Option<&'a str> {
        let name = self.workload.teams.get(id.0 as usize)?;
        Some(name)
    }

    fn owner_name<'b>(&self, pod: &PodRecord, of: Option<&'b Run>) -> Option<&'b str>
    where
        'a: 'b,
    {
        match pod.kind {
            PodKind::Driver | PodKind::Executor => of.map(|run| &*run.run_id),
            PodKind::Trace => {
                let owner = self.workload.pods.get(pod.owner? as usize)?;
                Some(&owner.name)
            }
            PodKind::Pause => None,
        }
    }

    /// RFC 3339, or the number where the calendar ends (year 9999).
    fn timestamp(&self, at: SimTime) -> String {
        let since_start = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
        let epoch_ms = self.workload.epoch_ms.saturating_add(since_start);
        match jiff::Timestamp::from_millisecond(epoch_ms) {
            Ok(timestamp) => format!("{timestamp:.3}"),
            Err(_) => epoch_ms.to_string(),
        }
    }
}

impl Sink for TableSink<'_> {
    fn run(&mut self, record: RunRecord, of: &Run) {
        let submitted_at = self.timestamp(record.submitted_at);
        let cost: &Ledger = &record.cost;
        let deadline = of.deadline;
        self.push(
            RUNS,
            [
                count(record.run),
                text(&of.run_id),
                name(self.application(record.application)),
                name(self.team(record.team)),
                text(&submitted_at),
                at(record.submitted_at),
                at_or_null(record.ready_at),
                at_or_null(record.started_at),
                at_or_null(record.ended_at),
                text(outcome(record.outcome)),
                Cell::Text(record.failure.map(Failure::name)),
                at_or_null(deadline.map(|time| record.submitted_at.saturating_add(time))),
                Cell::Boolean(record.missed(deadline) == Some(true)),
                count(record.attempts),
                usd(cost.total()),
                usd(cost.useful),
                usd(cost.recompute),
                usd(cost.failed_attempts),
                usd(cost.executor_idle),
                usd(cost.starting),
                usd(cost.reserved),
                usd(cost.unallocated),
                usd(record.emr),
                usd(record.network),
            ],
        );
    }

    fn attempt(&mut self, record: AttemptRecord, of: &Run) {
        let limit = (record.executors_max != u32::MAX).then_some(i64::from(record.executors_max));
        self.push(
            ATTEMPTS,
            [
                count(record.run),
                text(&of.run_id),
                count(record.attempt),
                at(record.submitted_at),
                at_or_null(record.started_at),
                at_or_null(record.tasks_started_at),
                at(record.ended_at),
                text(outcome(record.outcome)),
                Cell::Text(record.failure.map(Failure::name)),
                memory(record.executor_memory),
                memory(record.driver_memory),
                Cell::Integer(limit),
                count(record.executors_peak),
                seconds(record.executor_time),
                count(record.executors_lost_to_spot),
                count(record.executors_oom_killed),
                Cell::Boolean(record.on_demand),
                seconds(record.task_time),
                seconds(record.task_time_lost),
                usd(record.cost.total()),
            ],
        );
    }

    fn pod(&mut self, record: PodRecord, of: Option<&Run>) {
        let owner = self.owner_name(&record, of);
        self.push(
            PODS,
            [
                number(record.pod),
                text(record.kind.name()),
                Cell::Integer(record.owner.map(i64::from)),
                Cell::Text(owner),
                Cell::Integer(record.attempt.map(i64::from)),
                Cell::Integer(record.executor_id.map(i64::from)),
                cpu(record.cpu),
                memory(record.memory),
                at(record.created_at),
                at_or_null(record.bound_at),
                at_or_null(record.ready_at),
                at(record.ended_at),
                Cell::Integer(record.node.map(integer)),
                text(record.result.name()),
                Cell::Text(record.pending_reason.as_deref()),
                usd(record.cost),
            ],
        );
    }

    fn node(&mut self, record: NodeRecord) {
        let [pool, instance_type, zone, _] =
            self.node_kind(record.pool, record.instance_type, record.zone);
        self.push(
            NODES,
            [
                number(record.node),
                text(pool),
                text(instance_type),
                text(zone),
                text(record.capacity_type.name()),
                at(record.launched_at),
                at_or_null(record.ready_at),
                at(record.terminated_at),
                Cell::Boolean(record.interrupted),
                count(record.pods),
                usd(record.cost),
                usd(record.pods_cost),
            ],
        );
    }

    fn timeline(&mut self, record: TimelineRecord) {
        self.push(
            TIMELINE,
            [
                at(record.at),
                count(record.nodes_on_demand),
                count(record.nodes_spot),
                count(record.nodes_booting),
                count(record.pods_pending),
                count(record.pods_bound),
                count(record.runs_active),
                cpu(record.cpu_requested),
                cpu(record.cpu_allocatable),
                memory(record.memory_requested),
                memory(record.memory_allocatable),
            ],
        );
    }

    fn ledger(&mut self, record: LedgerRecord, of: Option<&Run>) {
        let run = match record.billed {
            Billed::Run(run) => Some(run),
            Billed::TracePods | Billed::PausePods | Billed::Shared => None,
        };
        let node = record.node.map(|[pool, kind, zone]| self.node_kind(pool, kind, zone));
        let [pool, instance_type, zone, capacity_type] = match node {
            Some(names) => names.map(|name| Cell::Text(Some(name))),
            None => [Cell::Text(None); 4],
        };
        let (costs, used) = (&record.costs, &record.pod_use);
        let [a, b, c, d, e, f, g, h] = costs.nodes.kinds().map(|(_, cost)| nano(cost));
        let [i, j, k, l, m, n, o, p, q] = costs.other_kinds().map(|(_, cost)| nano(cost));
        let row = [
            Cell::Float(Some(record.hour_ms as f64 / 1000.0)),
            pool,
            instance_type,
            zone,
            capacity_type,
            text(record.billed.name()),
            Cell::Text(of.and_then(|run| self.team(run.team))),
            Cell::Text(of.and_then(|run| self.application(run.application))),
            Cell::Integer(run.map(i64::from)),
            Cell::Integer(record.attempt.map(i64::from)),
            usd(costs.total()),
            nano(costs.total()),
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
            i,
            j,
            k,
            l,
            m,
            n,
            o,
            p,
            q,
            Cell::Float(Some(used.cpu_requested.as_core_seconds())),
            Cell::Float(Some(used.cpu_used.as_core_seconds())),
            Cell::Float(Some(used.cpu_larger.as_core_seconds())),
            Cell::Float(Some(used.memory_mib_ms as f64 / 1024.0 / 1000.0)),
        ];
        self.push(LEDGER, row);
    }

    fn waiting(&mut self, record: WaitingRecord<'_>) {
        self.push(WAITING, [number(record.pod), at(record.at), text(record.reason)]);
    }

    fn scaling(&mut self, record: ScalingRecord<'_>) {
        let pool = record.pool.map(|place| self.scenario.pools.get(place as usize));
        let pool = pool.map(|pool| pool.map_or("?", |pool| pool.name.as_str()));
        let nodes = match record.decision {
            ScalingDecision::ScaleUp { nodes } => Some(i64::from(nodes)),
            _ => None,
        };
        self.push(
            SCALING,
            [
                at(record.at),
                Cell::Text(pool),
                Cell::Integer(record.node.map(integer)),
                text(record.decision.name()),
                Cell::Integer(nodes),
                text(record.reason),
            ],
        );
    }

    fn progress(&mut self, _now: SimTime, _finished_runs: u64) -> bool {
        self.error.is_none()
    }
}

const fn outcome(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Succeeded => "succeeded",
        RunOutcome::Failed => "failed",
        RunOutcome::Unfinished => "unfinished",
    }
}

const fn text(value: &str) -> Cell<'_> {
    Cell::Text(Some(value))
}

/// As `kubectl taint` has it.
fn taint(taint: &Taint) -> String {
    let effect = match taint.effect {
        TaintEffect::NoSchedule => "NoSchedule",
        TaintEffect::PreferNoSchedule => "PreferNoSchedule",
        TaintEffect::NoExecute => "NoExecute",
    };
    match taint.value.is_empty() {
        true => format!("{}:{effect}", taint.key),
        false => format!("{}={}:{effect}", taint.key, taint.value),
    }
}

/// A name that the scenario or the workload should have; a place beyond its list shows as `?`.
fn name(found: Option<&str>) -> Cell<'_> {
    Cell::Text(Some(found.unwrap_or("?")))
}

fn count(value: u32) -> Cell<'static> {
    Cell::Integer(Some(i64::from(value)))
}

/// Numbers and bytes stay far below 2^63; a bug would show as the largest one.
fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn number(value: u64) -> Cell<'static> {
    Cell::Integer(Some(integer(value)))
}

fn memory(value: Bytes) -> Cell<'static> {
    number(value.as_u64())
}

fn cpu(value: MilliCores) -> Cell<'static> {
    number(value.as_millis())
}

fn at(time: SimTime) -> Cell<'static> {
    Cell::Float(Some(time.as_secs_f64()))
}

fn at_or_null(time: Option<SimTime>) -> Cell<'static> {
    Cell::Float(time.map(SimTime::as_secs_f64))
}

fn seconds(time: SimDuration) -> Cell<'static> {
    Cell::Float(Some(time.as_secs_f64()))
}

const fn nano(cost: NanoUsd) -> Cell<'static> {
    Cell::Integer(Some(cost.as_nano()))
}

fn usd(cost: NanoUsd) -> Cell<'static> {
    Cell::Float(Some(cost.as_usd_f64()))
}
