//! What the report is made of, read once.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::ReportError;
use crate::cost::{self, Cell, Costs, Dimension, Period, Query, Terms};
use crate::plots::{Kind, Series, TimePlot, time_plot};
use crate::result_file;
use crate::tables::{ReadError, TableFile};

/// Points of a plot over time: more are not seen.
const POINTS: usize = 460;

/// Everything.
pub(super) struct Data {
    pub(super) summary: Value,
    pub(super) findings: Value,
    pub(super) zone: TimeZone,
    pub(super) start_epoch_ms: i64,
    pub(super) timeline: Timeline,
    /// Dollars by hour and kind.
    pub(super) hours: Vec<(f64, Cell)>,
    /// Nano-dollars by capacity type and kind.
    pub(super) flows: Costs,
    pub(super) teams: Costs,
    pub(super) applications: Costs,
    pub(super) pools: Vec<Pool>,
    /// Nodes launched, gone and interrupted, by hour.
    pub(super) node_events: BTreeMap<i64, [f64; 3]>,
    pub(super) scaling: BTreeMap<(String, String), u64>,
    /// Why nothing was done, or a launch failed: by decision and reason.
    pub(super) reasons: BTreeMap<(String, String), u64>,
    pub(super) behaviour: BTreeMap<String, Behaviour>,
    pub(super) runs: Vec<RunLine>,
}

/// The cluster over time: means of at most [`POINTS`] parts.
#[derive(Default)]
pub(super) struct Timeline {
    pub(super) at: Vec<f64>,
    /// On-demand, spot, booting, pending, bound, active runs, CPU requested and allocatable.
    pub(super) values: [Vec<f64>; 8],
}

/// A node pool's nodes.
#[derive(Default)]
pub(super) struct Pool {
    pub(super) name: String,
    pub(super) capacity_type: String,
    pub(super) launched: u64,
    pub(super) interrupted: u64,
    pub(super) hours: f64,
    pub(super) usd: f64,
    pub(super) pods_usd: f64,
}

/// How an application's attempts went.
#[derive(Default, Clone)]
pub(super) struct Behaviour {
    pub(super) runs: u64,
    pub(super) failed: u64,
    pub(super) attempts: u64,
    pub(super) causes: BTreeMap<String, u64>,
    pub(super) lost_to_spot: i64,
    pub(super) oom_killed: i64,
    pub(super) executor_memory: i64,
    pub(super) queue_s: f64,
}

/// A run.
#[derive(Clone)]
pub(super) struct RunLine {
    pub(super) id: String,
    pub(super) application: String,
    pub(super) outcome: String,
    pub(super) failure: String,
    pub(super) attempts: i64,
    pub(super) queue_s: f64,
    pub(super) took_s: Option<f64>,
    pub(super) usd: f64,
    pub(super) waste_usd: f64,
}

impl Data {
    pub(super) fn read(folder: &Path, timezone: Option<&str>) -> Result<Self, ReportError> {
        let summary = result_file::summary(folder)?;
        let findings = result_file::findings(folder)?;
        let terms = Terms::of(&summary);
        let zone = cost::zone(timezone.unwrap_or(&terms.timezone)).map_err(ReportError::Zone)?;
        let query = |by: &[Dimension], period| {
            let (split, timezone) = (terms.split, zone.clone());
            Query { by: by.to_vec(), period, split, timezone }
        };
        let queries = [
            query(&[Dimension::CapacityType], Period::Hour),
            query(&[Dimension::CapacityType, Dimension::Kind], Period::All),
            query(&[Dimension::Team], Period::All),
            query(&[Dimension::Application], Period::All),
        ];
        let [by_hour, flows, teams, by_application] = cost::read_all(folder, queries)?;
        let hours = by_hour.periods.iter().enumerate();
        let hours = hours.map(|(place, span)| (span.from_s, by_hour.of_period(place))).collect();
        let nodes = nodes(folder)?;
        let scaling = scaling(folder)?;
        let applications = application_names(folder)?;
        let (behaviour, runs) = attempts_and_runs(folder, &applications)?;
        Ok(Self {
            start_epoch_ms: TableFile::open(folder, "timeline")?.start_epoch_ms(),
            timeline: timeline(folder)?,
            hours,
            flows,
            teams,
            applications: by_application,
            pools: nodes.0,
            node_events: nodes.1,
            scaling: scaling.0,
            reasons: scaling.1,
            behaviour,
            runs,
            summary,
            findings,
            zone,
        })
    }

    /// A number of the summary; 0 where it has none.
    pub(super) fn number(&self, path: &str) -> f64 {
        self.summary.pointer(path).and_then(Value::as_f64).unwrap_or(0.0)
    }

    /// A text of the summary.
    pub(super) fn text(&self, path: &str) -> String {
        self.summary.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// A number's mean over the replications and half its interval, where there are several.
    pub(super) fn estimate(&self, path: &str) -> (f64, Option<f64>) {
        let key = path.trim_start_matches('/').replace('/', ".");
        let found = &self.summary["replication_statistics"][&key];
        match (found["mean"].as_f64(), found["ci95_high"].as_f64()) {
            (Some(mean), Some(high)) => (mean, Some(high - mean)),
            _ => (self.number(path), None),
        }
    }

    /// A moment as people say it, in the report's zone.
    pub(super) fn moment(&self, at_s: f64) -> String {
        let epoch_ms = self.start_epoch_ms.saturating_add((at_s * 1000.0).round() as i64);
        let at = Timestamp::from_millisecond(epoch_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
    }

    /// What everything cost, by kind.
    pub(super) fn whole(&self) -> Cell {
        self.flows.total()
    }

    /// A plot over time, in the report's zone.
    pub(super) fn plot(
        &self,
        title: &str,
        unit: &str,
        times: &[f64],
        series: Vec<Series>,
        kind: Kind,
    ) -> String {
        let (start_epoch_ms, zone) = (self.start_epoch_ms, &self.zone);
        time_plot(&TimePlot { title, unit, times, series, kind, start_epoch_ms, zone })
    }

    /// Nodes by hour: the hours, and how many were launched, gone and interrupted in each; empty
    /// without nodes.
    pub(super) fn nodes_by_hour(&self) -> (Vec<f64>, [Vec<f64>; 3]) {
        let ends = self.node_events.keys().next().zip(self.node_events.keys().last());
        let hours = ends.map_or(0..0, |(first, last)| *first..*last + 2);
        let count = |hour: i64, place: usize| {
            self.node_events.get(&hour).map_or(0.0, |events| events[place])
        };
        let of = |place| hours.clone().map(|hour| count(hour, place)).collect();
        let times = hours.clone().map(|hour| hour as f64 * 3600.0);
        (times.collect(), [of(0), of(1), of(2)])
    }
}

fn timeline(folder: &Path) -> Result<Timeline, ReadError> {
    let columns = [
        "at_s",
        "nodes_on_demand",
        "nodes_spot",
        "nodes_booting",
        "pods_pending",
        "pods_bound",
        "runs_active",
        "cpu_requested_milli",
        "cpu_allocatable_milli",
    ];
    let mut rows: Vec<(f64, [f64; 8])> = Vec::new();
    TableFile::open(folder, "timeline")?.rows(&columns, |row| {
        let value = |place: usize| row.integer(place + 1).unwrap_or_default() as f64;
        let mut values: [f64; 8] = std::array::from_fn(value);
        // Booting nodes are billed too; they are shown apart from the ready ones of either type.
        values[6] /= 1000.0;
        values[7] /= 1000.0;
        rows.push((row.float(0).unwrap_or_default(), values));
    })?;
    let mut timeline = Timeline::default();
    for part in rows.chunks(rows.len().div_ceil(POINTS).max(1)) {
        timeline.at.push(part[0].0);
        for (place, values) in timeline.values.iter_mut().enumerate() {
            let sum: f64 = part.iter().map(|(_, row)| row[place]).sum();
            values.push(sum / part.len() as f64);
        }
    }
    Ok(timeline)
}

type Nodes = (Vec<Pool>, BTreeMap<i64, [f64; 3]>);

fn nodes(folder: &Path) -> Result<Nodes, ReadError> {
    let columns = [
        "pool",
        "capacity_type",
        "launched_s",
        "terminated_s",
        "interrupted",
        "cost_usd",
        "pods_cost_usd",
    ];
    let mut pools: Vec<Pool> = Vec::new();
    let mut events: BTreeMap<i64, [f64; 3]> = BTreeMap::new();
    TableFile::open(folder, "nodes")?.rows(&columns, |row| {
        let name = row.text(0).unwrap_or_default();
        let place = pools.iter().position(|pool| pool.name == name).unwrap_or_else(|| {
            let capacity_type = row.text(1).unwrap_or_default().to_owned();
            pools.push(Pool { name: name.to_owned(), capacity_type, ..Pool::default() });
            pools.len() - 1
        });
        let number = |place| row.float(place).unwrap_or_default();
        let (launched, gone, interrupted) = (number(2), number(3), row.is_true(4));
        let pool = &mut pools[place];
        pool.launched += 1;
        pool.interrupted += u64::from(interrupted);
        pool.hours += (gone - launched) / 3600.0;
        pool.usd += number(5);
        pool.pods_usd += number(6);
        let hour = |at: f64| (at / 3600.0).floor() as i64;
        events.entry(hour(launched)).or_default()[0] += 1.0;
        let end = events.entry(hour(gone)).or_default();
        end[1] += 1.0;
        end[2] += f64::from(u8::from(interrupted));
    })?;
    Ok((pools, events))
}

type Counts = BTreeMap<(String, String), u64>;

fn scaling(folder: &Path) -> Result<(Counts, Counts), ReadError> {
    let mut counts = Counts::new();
    let mut reasons = Counts::new();
    let columns = ["pool", "decision", "nodes", "reason"];
    TableFile::open(folder, "scaling")?.rows(&columns, |row| {
        let pool = row.text(0).unwrap_or("(cluster)").to_owned();
        let decision = row.text(1).unwrap_or_default().to_owned();
        let many = row.integer(2).and_then(|n| u64::try_from(n).ok()).unwrap_or(1);
        *counts.entry((pool, decision.clone())).or_default() += many;
        let why_not = [
            "no_scale_up",
            "no_scale_down",
            "launch_failed",
            "unconsolidatable",
            "command_abandoned",
        ];
        if why_not.contains(&decision.as_str()) {
            let reason = sim::outcome::normalised_reason(row.text(3).unwrap_or_default());
            *reasons.entry((decision, reason)).or_default() += 1;
        }
    })?;
    Ok((counts, reasons))
}

/// Application of each run, by the run's place.
fn application_names(folder: &Path) -> Result<BTreeMap<i64, String>, ReadError> {
    let mut names = BTreeMap::new();
    TableFile::open(folder, "runs")?.rows(&["run", "application"], |row| {
        let name = row.text(1).unwrap_or_default().to_owned();
        names.insert(row.integer(0).unwrap_or_default(), name);
    })?;
    Ok(names)
}

type Lives = (BTreeMap<String, Behaviour>, Vec<RunLine>);

fn attempts_and_runs(
    folder: &Path,
    applications: &BTreeMap<i64, String>,
) -> Result<Lives, ReadError> {
    let mut behaviour: BTreeMap<String, Behaviour> = BTreeMap::new();
    let columns = [
        "run",
        "failure",
        "executors_lost_to_spot",
        "executors_oom_killed",
        "executor_memory_bytes",
    ];
    TableFile::open(folder, "attempts")?.rows(&columns, |row| {
        let run = row.integer(0).unwrap_or_default();
        let Some(application) = applications.get(&run) else { return };
        let own = entry(&mut behaviour, application);
        own.attempts += 1;
        if let Some(cause) = row.text(1) {
            *own.causes.entry(cause.to_owned()).or_default() += 1;
        }
        own.lost_to_spot += row.integer(2).unwrap_or_default();
        own.oom_killed += row.integer(3).unwrap_or_default();
        own.executor_memory = own.executor_memory.max(row.integer(4).unwrap_or_default());
    })?;
    let mut runs = Vec::new();
    let columns = [
        "run_id",
        "application",
        "outcome",
        "failure",
        "attempts",
        "submitted_s",
        "ready_s",
        "started_s",
        "ended_s",
        "cost_usd",
        "useful_usd",
        "reserved_usd",
    ];
    TableFile::open(folder, "runs")?.rows(&columns, |row| {
        let text = |place| row.text(place).unwrap_or_default().to_owned();
        let number = |place| row.float(place).unwrap_or_default();
        let since = row.float(6).unwrap_or_else(|| number(5));
        let queue_s = row.float(7).map_or(0.0, |started| started - since);
        let outcome = text(2);
        let own = entry(&mut behaviour, row.text(1).unwrap_or_default());
        own.runs += 1;
        own.failed += u64::from(outcome == "failed");
        own.queue_s += queue_s;
        runs.push(RunLine {
            id: text(0),
            application: text(1),
            outcome,
            failure: text(3),
            attempts: row.integer(4).unwrap_or_default(),
            queue_s,
            took_s: row.float(8).map(|ended| ended - number(5)),
            usd: number(9),
            waste_usd: number(9) - number(10) - number(11),
        });
    })?;
    Ok((behaviour, runs))
}

fn entry<'a>(
    behaviour: &'a mut BTreeMap<String, Behaviour>,
    application: &str,
) -> &'a mut Behaviour {
    if !behaviour.contains_key(application) {
        behaviour.insert(application.to_owned(), Behaviour::default());
    }
    behaviour.get_mut(application).expect("it was put in")
}
