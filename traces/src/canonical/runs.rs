//! The `runs` table: columns to fields and back, and what is checked across columns.

use std::collections::HashSet;
use std::path::Path;

use sim::units::{Bytes, MilliCores, SimDuration};
use sim::workload::{Failure, NodeLifecycle, RunOutcome};
use sim::{Finding, Severity};

use super::columns::{LIFECYCLES, OUTCOMES, RUN_COLUMNS};
use super::reader::{Fate, Row, TableReader};
use super::run_row::RunRow;
use crate::TraceError;
use crate::failure_patterns;
use crate::table::{self, TableCounts, Tally, Value};

/// Whom a run belongs to when the trace does not say.
pub(crate) const NO_TEAM: &str = "unassigned";

/// A `runs` table as it was read, recorded retries among its rows.
#[derive(Debug, Default)]
pub struct RunTable {
    /// Rows that are good, in the file's order.
    pub rows: Vec<RunRow>,
    /// Where the rows of the file went.
    pub counts: TableCounts,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// How a column is taken from a row and put into one.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) get: fn(&RunRow) -> Value,
    set: fn(&mut RunRow, Value),
}

macro_rules! field {
    ($name:literal, $get:expr, $set:expr) => {
        Field { name: $name, get: $get, set: $set }
    };
}

/// A field that is an amount of the model, `Option<$unit>`.
macro_rules! amount {
    ($name:literal, $field:ident, $to:expr, $from:expr) => {
        field!($name, |row| row.lowered.run.$field.map($to).into(), |row, value| row
            .lowered
            .run
            .$field =
            value.whole().map($from))
    };
}

/// A field that is a plain count.
macro_rules! count {
    ($name:literal, $field:ident) => {
        field!($name, |row| row.lowered.run.$field.map(u64::from).into(), |row, value| row
            .lowered
            .run
            .$field =
            value.small())
    };
}

/// A field that is memory or bytes.
macro_rules! bytes {
    ($name:literal, $field:ident) => {
        amount!($name, $field, Bytes::as_u64, Bytes::new)
    };
}

/// A field that is a duration.
macro_rules! seconds {
    ($name:literal, $field:ident) => {
        amount!($name, $field, SimDuration::as_millis, SimDuration::from_millis)
    };
}

fn text(text: &str) -> Value {
    if text.is_empty() { Value::Missing } else { Value::Text(text.to_owned()) }
}

fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Missing, self::text)
}

/// Every column of [`RUN_COLUMNS`], in its order.
pub(crate) const RUN_FIELDS: &[Field] = &[
    field!("run_id", |row| text(&row.lowered.run.run_id), |row, value| {
        row.lowered.run.run_id = value.into_text().unwrap_or_default().into();
    }),
    field!("application", |row| text(&row.lowered.application), |row, value| {
        row.lowered.application = value.into_text().unwrap_or_default();
    }),
    field!("team", |row| text(&row.lowered.team), |row, value| {
        row.lowered.team = value.into_text().unwrap_or_else(|| NO_TEAM.to_owned());
    }),
    field!("submitted_at", |row| Value::Signed(row.lowered.submitted_at_ms), |row, value| {
        row.lowered.submitted_at_ms = value.signed().unwrap_or_default();
    }),
    field!("trigger", |row| optional(row.lowered.trigger.as_deref()), |row, value| {
        row.lowered.trigger = value.into_text();
    }),
    field!("critical", |row| Value::Flag(row.lowered.run.critical), |row, value| {
        row.lowered.run.critical = value.flag().unwrap_or_default();
    }),
    amount!("driver_cores", driver_cores, MilliCores::as_millis, MilliCores::new),
    bytes!("driver_memory_mib", driver_memory),
    count!("executor_cores", executor_cores),
    bytes!("executor_memory_mib", executor_memory),
    bytes!("executor_memory_overhead_mib", executor_memory_overhead),
    count!("executors_min", executors_min),
    count!("executors_max", executors_max),
    field!(
        "dynamic_allocation",
        |row| row.lowered.run.dynamic_allocation.map_or(Value::Missing, Value::Flag),
        |row, value| row.lowered.run.dynamic_allocation = value.flag()
    ),
    seconds!("duration_s", duration),
    seconds!("executor_task_s", executor_task_time),
    seconds!("driver_only_s", driver_only),
    count!("tasks", tasks),
    bytes!("peak_executor_memory_mib", peak_executor_memory),
    bytes!("peak_driver_memory_mib", peak_driver_memory),
    bytes!("input_bytes", input_bytes),
    bytes!("shuffle_bytes", shuffle_bytes),
    seconds!("timeout_s", timeout),
    seconds!("deadline_s", deadline),
    field!("outcome", |row| text(outcome_name(row.lowered.run.outcome)), |row, value| {
        row.lowered.run.outcome = value
            .into_text()
            .and_then(|name| OUTCOME_ORDER.get(OUTCOMES.iter().position(|o| *o == name)?).copied())
            .unwrap_or_default();
    }),
    field!("failure", |row| optional(row.lowered.run.failure.map(Failure::name)), |row, value| {
        row.lowered.run.failure = value.into_text().and_then(|name| Failure::from_name(&name));
    }),
    field!(
        "failure_message",
        |row| optional(row.lowered.failure_message.as_deref()),
        |row, value| row.lowered.failure_message = value.into_text()
    ),
    field!(
        "exit_code",
        |row| row.exit_code.map_or(Value::Missing, |code| Value::Signed(i64::from(code))),
        |row, value| row.exit_code = value.signed().and_then(|code| i32::try_from(code).ok())
    ),
    field!("attempt", |row| row.attempt.map(u64::from).into(), |row, value| row.attempt =
        value.small()),
    field!("retry_of", |row| optional(row.retry_of.as_deref()), |row, value| {
        row.retry_of = value.into_text();
    }),
    field!(
        "node_lifecycle",
        |row| optional(row.lowered.run.node_lifecycle.map(lifecycle_name)),
        |row, value| {
            row.lowered.run.node_lifecycle = value.into_text().map(|name| {
                if name == LIFECYCLES[0] { NodeLifecycle::Spot } else { NodeLifecycle::OnDemand }
            });
        }
    ),
    field!("depends_on", |row| optional(row.depends_on.as_deref()), |row, value| {
        row.depends_on = value.into_text();
    }),
];

/// In the order of [`OUTCOMES`].
const OUTCOME_ORDER: [RunOutcome; 3] =
    [RunOutcome::Succeeded, RunOutcome::Failed, RunOutcome::Unfinished];

/// The name of an outcome in traces.
pub(crate) const fn outcome_name(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Succeeded => OUTCOMES[0],
        RunOutcome::Failed => OUTCOMES[1],
        RunOutcome::Unfinished => OUTCOMES[2],
    }
}

const fn lifecycle_name(lifecycle: NodeLifecycle) -> &'static str {
    match lifecycle {
        NodeLifecycle::Spot => LIFECYCLES[0],
        NodeLifecycle::OnDemand => LIFECYCLES[1],
    }
}

/// Reads a `runs` table.
///
/// Rows with a bad or missing required value are dropped, as are later rows with the `run_id` of
/// an earlier one, unless they are a later `attempt` of it; all are counted.
///
/// # Errors
/// A file that is not a table, or whose header lacks required columns or names one twice.
pub fn read_runs(path: &Path) -> Result<RunTable, TraceError> {
    let mut list = RunList::default();
    let (counts, findings) = read_rows(path, &mut list)?;
    Ok(RunTable { rows: list.rows, counts, findings })
}

/// Where the rows of a table go.
pub(crate) trait RowTaker {
    /// Whether no earlier row has the row's id and attempt. A new one is taken next.
    fn is_new(&mut self, row: &RunRow) -> bool;

    /// Takes a row that is good.
    fn take(&mut self, row: RunRow) -> Result<(), TraceError>;
}

/// Rows in memory, as they come.
#[derive(Default)]
pub(crate) struct RunList {
    pub(crate) rows: Vec<RunRow>,
    /// Only asked, never listed: its order cannot show.
    seen: HashSet<(Box<str>, u32)>,
}

impl RowTaker for RunList {
    fn is_new(&mut self, row: &RunRow) -> bool {
        self.seen.insert((row.lowered.run.run_id.clone(), row.attempt.unwrap_or(1)))
    }

    fn take(&mut self, row: RunRow) -> Result<(), TraceError> {
        self.rows.push(row);
        Ok(())
    }
}

/// Reads a `runs` table, giving every good row to `taker`.
pub(crate) fn read_rows(
    path: &Path,
    taker: &mut impl RowTaker,
) -> Result<(TableCounts, Vec<Finding>), TraceError> {
    let any_of: &[&[&str]] = &[&["duration_s", "executor_task_s"]];
    TableReader::read(path, RUN_COLUMNS, any_of, |row, tally| {
        let outcome_recorded = row.values[place_of("outcome")] != Value::Missing;
        let line = row.line;
        let mut made = make(row);
        let run = &made.lowered.run;
        if run.duration.is_none() && run.executor_task_time.is_none() {
            tally.add(Severity::Warning, "missing-value", "duration_s", line, || {
                "neither `duration_s` nor `executor_task_s`; the row was dropped".to_owned()
            });
            return Ok(Fate::Bad);
        }
        if !taker.is_new(&made) {
            tally.add(Severity::Warning, "duplicate-run-id", "run_id", line, || {
                let id = table::shorten(&run.run_id);
                format!("`{id}` is there already; the later row was dropped")
            });
            return Ok(Fate::Duplicate);
        }
        check_row(&mut made, outcome_recorded, tally);
        taker.take(made)?;
        Ok(Fate::Kept)
    })
}

fn place_of(name: &str) -> usize {
    RUN_FIELDS.iter().position(|field| field.name == name).expect("a column of the table")
}

fn make(row: Row) -> RunRow {
    let mut made = RunRow { line: row.line, ..RunRow::default() };
    for (field, value) in RUN_FIELDS.iter().zip(row.values) {
        (field.set)(&mut made, value);
    }
    made
}

/// What one column says about another.
fn check_row(row: &mut RunRow, outcome_recorded: bool, tally: &mut Tally) {
    let line = row.line;
    let exit_code = row.exit_code;
    let run = &mut row.lowered.run;
    if let (Some(min), Some(max)) = (run.executors_min, run.executors_max)
        && min > max
    {
        tally.add(Severity::Warning, "contradiction", "executors_max", line, || {
            format!("{max}, but `executors_min` is {min}; `executors_max` was taken as missing")
        });
        run.executors_max = None;
    }
    if !outcome_recorded && run.failure.is_some() {
        run.outcome = RunOutcome::Failed;
    }
    if run.outcome == RunOutcome::Failed && run.failure.is_none() {
        let said = row.lowered.failure_message.as_deref().and_then(failure_patterns::by_message);
        let found = said.or_else(|| exit_code.and_then(failure_patterns::by_exit_code));
        if let Some(pattern) = found {
            run.failure = Some(pattern.cause);
            let from = if said.is_some() { "failure_message" } else { "exit_code" };
            tally.add(Severity::Info, "failure-classified", "failure", line, || {
                let (text, cause) = (pattern.text, pattern.cause.name());
                format!("not recorded; `{text}` in `{from}` was taken as `{cause}`")
            });
        }
    }
    if run.outcome == RunOutcome::Succeeded && run.failure.is_some() {
        tally.add(Severity::Warning, "contradiction", "failure", line, || {
            "`outcome` is `succeeded`, but there is a `failure`; both were kept".to_owned()
        });
    }
}

/// Writes a `runs` table, as CSV or Parquet by the ending of `path`.
///
/// # Errors
/// An unknown ending, or what the system says. The file is then not there.
pub fn write_runs(path: &Path, rows: &[RunRow]) -> Result<(), TraceError> {
    table::write(path, RUN_COLUMNS, rows.len(), &mut |row, column| {
        (RUN_FIELDS[column].get)(&rows[row])
    })
}

/// Writes a `runs` table as CSV, part by part, and gives how many rows it has.
///
/// # Errors
/// What the system says. The file is then not there.
pub fn write_runs_csv(
    path: &Path,
    parts: impl IntoIterator<Item = Vec<RunRow>>,
) -> Result<u64, TraceError> {
    let mut count = 0;
    table::replace_file(path, |file| {
        let mut writer = table::CsvWriter::begin(path, file, RUN_COLUMNS)?;
        for rows in parts {
            count += rows.len() as u64;
            writer.rows(rows.len(), &mut |row, column| (RUN_FIELDS[column].get)(&rows[row]))?;
        }
        writer.finish()
    })?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_the_columns_in_their_order() {
        let fields: Vec<&str> = RUN_FIELDS.iter().map(|field| field.name).collect();
        let columns: Vec<&str> = RUN_COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(fields, columns);
    }
}
