//! The `stages` table, and how its rows find their runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use sim::units::{Bytes, SimDuration};
use sim::workload::{Locality, Stage, TaskDurations};
use sim::{Finding, Severity};

use super::columns::STAGE_COLUMNS;
use super::reader::{Fate, Row, TableReader};
use super::run_row::RunRow;
use super::task_text;
use crate::TraceError;
use crate::table::{self, TableCounts, Tally, Value, shorten};

/// Most task durations that are held exactly, over all stages: 1.2 GB.
const DURATIONS_MAX: u64 = 300_000_000;

/// A `stages` table as it was read.
#[derive(Debug, Default)]
pub struct StageTable {
    /// Stages by `run_id`, each run's in the file's order. A run of which a row was bad is not
    /// here: with a hole in its stages it would be too little work.
    pub stages: BTreeMap<Box<str>, Vec<Stage>>,
    /// Where the rows of the file went.
    pub counts: TableCounts,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// Reads a `stages` table.
///
/// # Errors
/// A file that is not a table, or whose header lacks required columns; more than 300 million
/// task durations.
pub fn read_stages(path: &Path) -> Result<StageTable, TraceError> {
    let mut stages: BTreeMap<Box<str>, RunStages> = BTreeMap::new();
    let mut broken: BTreeSet<Box<str>> = BTreeSet::new();
    let mut durations = 0;
    let (mut counts, mut findings) = TableReader::read(path, STAGE_COLUMNS, &[], |row, tally| {
        let line = row.line;
        let run_id: Box<str> = row.values[0].clone().into_text().unwrap_or_default().into();
        let earlier = stages.entry(run_id.clone()).or_default();
        match make(row, earlier) {
            Ok(stage) => {
                durations += held(&stage.tasks);
                if durations > DURATIONS_MAX {
                    return Err(TraceError::TooLarge {
                        path: path.to_owned(),
                        what: "it lists too many task durations".to_owned(),
                        limit: DURATIONS_MAX,
                    });
                }
                let place = u32::try_from(earlier.stages.len()).expect("fewer rows than 2^32");
                earlier.places.insert(stage.stage_id, place);
                earlier.stages.push(stage);
                Ok(Fate::Kept)
            }
            Err((code, column, reason)) => {
                tally.add(Severity::Warning, code, column, line, || {
                    format!("{reason}; the row was dropped")
                });
                broken.insert(run_id);
                Ok(if code == "duplicate-stage" { Fate::Duplicate } else { Fate::Bad })
            }
        }
    })?;
    drop_broken(path, &mut stages, &broken, &mut counts, &mut findings);
    let stages = stages.into_iter().map(|(id, run)| (id, run.stages));
    Ok(StageTable { stages: stages.collect(), counts, findings })
}

/// The stages of one run so far, and where each `stage_id` is among them.
#[derive(Default)]
struct RunStages {
    stages: Vec<Stage>,
    places: BTreeMap<u32, u32>,
}

/// Takes the stages of runs with a bad row out.
fn drop_broken(
    path: &Path,
    stages: &mut BTreeMap<Box<str>, RunStages>,
    broken: &BTreeSet<Box<str>>,
    counts: &mut TableCounts,
    findings: &mut Vec<Finding>,
) {
    for run_id in broken {
        let lost = stages.remove(run_id).map_or(0, |run| run.stages.len() as u64);
        counts.kept -= lost;
        counts.bad += lost;
    }
    if !broken.is_empty() {
        let message = "runs with a bad row among their stages; none of their stages is used, they \
                       are simulated from their totals";
        let subject = path.display().to_string();
        findings.push(
            Finding::new(Severity::Warning, "stages-incomplete", subject, message)
                .times(broken.len() as u64),
        );
    }
}

/// Numbers that a stage keeps in memory.
fn held(tasks: &TaskDurations) -> u64 {
    match tasks {
        TaskDurations::Listed(listed) => listed.len() as u64,
        TaskDurations::Quantiles { body, tail, .. } => (body.len() + tail.len()) as u64,
    }
}

/// Code of the finding, column, reason.
type Refused = (&'static str, &'static str, String);

fn make(row: Row, earlier: &RunStages) -> Result<Stage, Refused> {
    let mut values = row.values.into_iter().skip(1);
    let mut next = || values.next().unwrap_or(Value::Missing);
    let stage_id = next().small().unwrap_or_default();
    if earlier.places.contains_key(&stage_id) {
        return Err((
            "duplicate-stage",
            "stage_id",
            format!("stage {stage_id} is there twice in one run"),
        ));
    }
    let all_parents = parents(&next().into_text().unwrap_or_default(), earlier)
        .map_err(|reason| ("bad-value", "parents", reason))?;
    let driver_gap = SimDuration::from_millis(next().whole().unwrap_or_default());
    let count = next().small().unwrap_or_default();
    let text = next().into_text().unwrap_or_default();
    let tasks = task_text::parse(&text, count)
        .map_err(|reason| ("bad-value", "task_ms", format!("`{}` {reason}", shorten(&text))))?;
    let bytes = |value: Value| Bytes::new(value.whole().unwrap_or_default());
    let duration = |value: Value| SimDuration::from_millis(value.whole().unwrap_or_default());
    Ok(Stage {
        stage_id,
        parents: all_parents,
        driver_gap,
        tasks,
        input_bytes: bytes(next()),
        shuffle_read_bytes: bytes(next()),
        shuffle_write_bytes: bytes(next()),
        peak_task_memory: bytes(next()),
        shuffle_parents: parents(&next().into_text().unwrap_or_default(), earlier)
            .map_err(|reason| ("bad-value", "shuffle_parents", reason))?,
        job: next().small().unwrap_or_default(),
        pool: next().small().unwrap_or_default(),
        resource_profile: next().small().unwrap_or_default(),
        first_task_overhead: duration(next()),
        task_overhead: duration(next()),
        fresh_tasks: next().small().unwrap_or_default(),
        cpu_time: duration(next()),
        gc_time: duration(next()),
        fetch_wait: duration(next()),
        output_bytes: bytes(next()),
        spilled_bytes: bytes(next()),
        cached_bytes: bytes(next()),
        caches: next().flag().unwrap_or_default(),
        cached_by: parents(&next().into_text().unwrap_or_default(), earlier)
            .map_err(|reason| ("bad-value", "cached_by", reason))?
            .first()
            .copied(),
        locality: locality(&next().into_text().unwrap_or_default())
            .map_err(|reason| ("bad-value", "locality", reason))?,
        barrier: next().flag().unwrap_or_default(),
    })
}

/// Four counts, or nothing.
fn locality(text: &str) -> Result<Locality, String> {
    if text.trim().is_empty() {
        return Ok(Locality::default());
    }
    let counts: Option<Vec<u32>> = text.split(';').map(|part| part.trim().parse().ok()).collect();
    match counts.as_deref() {
        Some([process_local, node_local, rack_local, any]) => Ok(Locality {
            process_local: *process_local,
            node_local: *node_local,
            rack_local: *rack_local,
            any: *any,
        }),
        _ => Err(format!("`{}` is not four counts joined by `;`", shorten(text))),
    }
}

/// Stage ids to places in the run's list.
fn parents(text: &str, earlier: &RunStages) -> Result<Vec<u32>, String> {
    text.split(';')
        .filter(|part| !part.trim().is_empty())
        .map(|part| {
            let id = part.trim().parse::<u32>();
            let id = id.map_err(|_| format!("`{}` is not a stage id", shorten(part)))?;
            let place = earlier.places.get(&id).copied();
            place.ok_or_else(|| format!("stage {id} is not among the earlier rows of the run"))
        })
        .collect()
}

/// Gives every run its stages. Stages of runs that are not there are counted.
pub fn attach_stages(rows: &mut [RunRow], mut table: StageTable, subject: &str) -> Vec<Finding> {
    let mut tally = Tally::new(subject);
    for row in rows {
        let run = &mut row.lowered.run;
        if let Some(stages) = table.stages.remove(&run.run_id)
            && !stages.is_empty()
        {
            run.stages = Some(Arc::from(stages));
        }
    }
    for (run_id, stages) in &table.stages {
        let count = stages.len() as u64;
        tally.add_times(Severity::Warning, "stages-without-run", "run_id", None, count, || {
            format!("no run `{}` among the submissions; not used", shorten(run_id))
        });
    }
    table.findings.extend(tally.into_findings());
    table.findings
}

/// Writes the stages of `rows`, as CSV or Parquet by the ending of `path`.
///
/// # Errors
/// An unknown ending, or what the system says. The file is then not there.
pub fn write_stages(path: &Path, rows: &[RunRow]) -> Result<(), TraceError> {
    let flat: Vec<(&str, &[Stage], &Stage)> = rows
        .iter()
        .filter_map(|row| Some((&*row.lowered.run.run_id, row.lowered.run.stages.as_deref()?)))
        .flat_map(|(id, stages)| stages.iter().map(move |stage| (id, stages, stage)))
        .collect();
    table::write(path, STAGE_COLUMNS, flat.len(), &mut |row, column| {
        let (run_id, stages, stage) = flat[row];
        stage_value(run_id, stages, stage, STAGE_COLUMNS[column].name)
    })
}

fn stage_value(run_id: &str, stages: &[Stage], stage: &Stage, column: &str) -> Value {
    match column {
        "run_id" => Value::Text(run_id.to_owned()),
        "stage_id" => Value::Whole(u64::from(stage.stage_id)),
        "parents" => Value::Text(ids(stages, &stage.parents)),
        "driver_gap_s" => Value::Whole(stage.driver_gap.as_millis()),
        "tasks" => Value::Whole(u64::from(stage.tasks.count())),
        "task_ms" => Value::Text(task_text::render(&stage.tasks)),
        "input_bytes" => Value::Whole(stage.input_bytes.as_u64()),
        "shuffle_read_bytes" => Value::Whole(stage.shuffle_read_bytes.as_u64()),
        "shuffle_write_bytes" => Value::Whole(stage.shuffle_write_bytes.as_u64()),
        "peak_task_memory_bytes" => Value::Whole(stage.peak_task_memory.as_u64()),
        "shuffle_parents" => Value::Text(ids(stages, &stage.shuffle_parents)),
        "job" => Value::Whole(u64::from(stage.job)),
        "pool" => Value::Whole(u64::from(stage.pool)),
        "resource_profile" => Value::Whole(u64::from(stage.resource_profile)),
        "first_task_overhead_s" => Value::Whole(stage.first_task_overhead.as_millis()),
        "task_overhead_s" => Value::Whole(stage.task_overhead.as_millis()),
        "fresh_tasks" => Value::Whole(u64::from(stage.fresh_tasks)),
        "cpu_s" => Value::Whole(stage.cpu_time.as_millis()),
        "gc_s" => Value::Whole(stage.gc_time.as_millis()),
        "fetch_wait_s" => Value::Whole(stage.fetch_wait.as_millis()),
        "output_bytes" => Value::Whole(stage.output_bytes.as_u64()),
        "spilled_bytes" => Value::Whole(stage.spilled_bytes.as_u64()),
        "cached_bytes" => Value::Whole(stage.cached_bytes.as_u64()),
        "caches" => Value::Flag(stage.caches),
        "cached_by" => Value::Text(ids(stages, stage.cached_by.as_slice())),
        "locality" => {
            let Locality { process_local, node_local, rack_local, any } = stage.locality;
            Value::Text(format!("{process_local};{node_local};{rack_local};{any}"))
        }
        "barrier" => Value::Flag(stage.barrier),
        other => unreachable!("no column {other} in the stages table"),
    }
}

/// Ids of the stages at `places`, joined.
fn ids(stages: &[Stage], places: &[u32]) -> String {
    let ids = places.iter().filter_map(|place| stages.get(*place as usize));
    ids.map(|parent| parent.stage_id.to_string()).collect::<Vec<_>>().join(";")
}
