//! `spec.workload`: which traces, and what is done with them. They are not read here.

use std::path::PathBuf;

use sim::workload::{Rescale, ShufflePartitions};

use super::context::Context;
use super::settings::Settings;
use crate::native::Place;
use crate::overlay::shown;
use crate::problem::Problem;

/// What kind of trace a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceKind {
    /// Canonical `runs` table.
    JobTable,
    /// A Spark event log, or a folder of them.
    EventLogs,
    /// A pod trace.
    Pods,
    /// Standard Workload Format.
    Swf,
}

/// The file's name in a result folder.
const RESOLVED: &str = "scenario.resolved.yaml";

const KINDS: [(&str, TraceKind); 4] = [
    ("jobTable", TraceKind::JobTable),
    ("eventLogs", TraceKind::EventLogs),
    ("pods", TraceKind::Pods),
    ("swf", TraceKind::Swf),
];

impl TraceKind {
    /// The key in the scenario file: `jobTable`.
    pub fn key(self) -> &'static str {
        let found = KINDS.iter().find(|(_, kind)| *kind == self);
        found.map_or("", |(key, _)| key)
    }
}

/// A trace that the scenario names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRef {
    /// What it is.
    pub kind: TraceKind,
    /// Where it is: relative to the current folder, absolute, or an address (`s3://..`).
    pub path: PathBuf,
    /// As it is written in the scenario.
    pub written: String,
    place: Place,
}

impl TraceRef {
    /// Whether it is an address and not a path.
    pub fn is_address(&self) -> bool {
        self.written.contains("://")
    }

    /// The problem that it is not there.
    pub(super) fn missing(&self) -> Option<Problem> {
        if self.is_address() || self.path.exists() {
            return None;
        }
        let mut problem =
            self.place.problem(format!("`{}`: no such file or folder", shown(&self.path)));
        if self.place.file().ends_with(RESOLVED) {
            problem.help = Some(format!(
                "a result folder keeps the names of traces as they were written: say where this \
                 one is with --set {}=PATH",
                problem.path
            ));
        }
        Some(problem)
    }
}

/// Draws runs with replacement from the recorded ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resample {
    /// Submissions a day.
    pub runs_per_day: u32,
    /// How many days.
    pub days: f64,
}

/// What is done with the traces.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadOptions {
    /// Submissions as a multiple of the recorded ones.
    pub arrivals: f64,
    /// What becomes of every run's stages.
    pub rescale: Rescale,
    /// A longer day from few recorded runs.
    pub resample: Option<Resample>,
    /// IANA name of the zone of times that have none.
    pub timezone: String,
}

/// The section, read.
pub(super) struct Read {
    pub traces: Vec<TraceRef>,
    pub options: WorkloadOptions,
}

pub(super) fn read(context: &Context<'_>, given: Option<Settings<'_>>) -> Read {
    let mut options = WorkloadOptions {
        arrivals: 1.0,
        rescale: Rescale::default(),
        resample: None,
        timezone: "UTC".to_owned(),
    };
    let Some(given) = given else {
        return Read { traces: Vec::new(), options };
    };
    let traces = given.sections("traces").unwrap_or_default();
    if let Some(scale) = given.section("scale") {
        options.arrivals = scale.float("arrivals").unwrap_or(1.0);
        options.rescale = Rescale {
            input: scale.float("input").unwrap_or(1.0),
            shuffle_partitions: scale
                .count("shufflePartitions")
                .map(|to| ShufflePartitions { from: None, to }),
            cpu_speed: scale.float("cpuSpeed").unwrap_or(1.0),
        };
    }
    if let Some(resample) = given.section("resample") {
        let days = resample.float("days").unwrap_or(1.0);
        let runs = resample.count("runsPerDay");
        options.resample = runs.map(|runs_per_day| Resample { runs_per_day, days });
    }
    if let Some(zone) = given.text("timezone") {
        options.timezone = zone;
    }
    let zone = &options.timezone;
    if let Some(at) = given.optional("timezone").filter(|_| !is_zone_name(zone)) {
        at.problem_with_help(
            format!("`{zone}` is not the name of a time zone"),
            "`UTC`, or an IANA name such as `America/Los_Angeles`",
        );
    }
    Read { traces: traces.iter().filter_map(|trace| reference(context, trace)).collect(), options }
}

fn reference(context: &Context<'_>, given: &Settings<'_>) -> Option<TraceRef> {
    let keys = KINDS.map(|(key, _)| key);
    let Some((key, at)) = given.fields.one_of_keys(&keys) else {
        given.fields.at.problem_with_help(
            "a trace without a path",
            "one of jobTable, eventLogs, \
            pods, swf",
        );
        return None;
    };
    let kind = KINDS.iter().find(|(known, _)| *known == key)?.1;
    let written = given.text(key)?;
    let path = if written.contains("://") { written.clone().into() } else { context.path(&at)? };
    Some(TraceRef { kind, path, written, place: Place::of(&at) })
}

/// Whether `name` could be an IANA zone. The zones themselves are not known here.
fn is_zone_name(name: &str) -> bool {
    let parts = name.split('/');
    name.len() <= 64
        && parts.clone().all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c))
        })
}
