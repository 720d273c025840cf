//! The canonical `pods` table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sim::units::{Bytes, MilliCores, SimDuration, SimTime};
use sim::workload::{RecordedWait, TracePod};
use sim::{Finding, Severity};

use super::columns::POD_COLUMNS;
use super::labels;
use super::reader::{Fate, Row, TableReader};
use crate::TraceError;
use crate::table::{self, Cell, ColumnType, TableCounts, Tally, Value, shorten};

/// The word for a pod that never got a node.
const NEVER: &str = "never";

/// Reads a canonical `pods` table.
///
/// # Errors
/// A file that is not a table, or whose header lacks required columns.
pub fn read_pods(path: &Path) -> Result<(Vec<TracePod>, TableCounts, Vec<Finding>), TraceError> {
    let mut pods = Vec::new();
    let mut seen = BTreeSet::new();
    let (counts, findings) = TableReader::read(path, POD_COLUMNS, &[], |row, tally| {
        let line = row.line;
        let pod = make(row, tally);
        if !seen.insert(pod.name.clone()) {
            tally.add(Severity::Warning, "duplicate-pod", "pod", line, || {
                let name = shorten(&pod.name);
                format!("`{name}` is there already; the later row was dropped")
            });
            return Ok(Fate::Duplicate);
        }
        pods.push(pod);
        Ok(Fate::Kept)
    })?;
    Ok((pods, counts, findings))
}

fn make(row: Row, tally: &mut Tally) -> TracePod {
    let line = row.line;
    let mut values = row.values.into_iter();
    let mut next = || values.next().unwrap_or(Value::Missing);
    // In the order of the columns.
    TracePod {
        name: next().into_text().unwrap_or_default().into(),
        created_at: SimTime::from_millis(next().whole().unwrap_or_default()),
        duration: SimDuration::from_millis(next().whole().unwrap_or_default()),
        cpu: MilliCores::new(next().whole().unwrap_or_default()),
        memory: Bytes::new(next().whole().unwrap_or_default()),
        gpus: next().small().unwrap_or_default(),
        priority: next()
            .signed()
            .and_then(|priority| i32::try_from(priority).ok())
            .unwrap_or_default(),
        node_selector: pairs(next(), "node_selector", line, tally),
        labels: pairs(next(), "labels", line, tally),
        recorded_wait: wait(next(), line, tally),
    }
}

fn pairs(value: Value, column: &str, line: u64, tally: &mut Tally) -> BTreeMap<String, String> {
    let text = value.into_text().unwrap_or_default();
    labels::parse(&text).unwrap_or_else(|| {
        tally.add(Severity::Warning, "bad-value", column, line, || {
            format!("`{}` is not like `key=value;key=value`; taken as missing", shorten(&text))
        });
        BTreeMap::new()
    })
}

fn wait(value: Value, line: u64, tally: &mut Tally) -> RecordedWait {
    let Some(text) = value.into_text() else {
        return RecordedWait::Unknown;
    };
    if text == NEVER {
        return RecordedWait::Never;
    }
    match ColumnType::Seconds.parse(&Cell::Text(&text)) {
        Ok(Value::Whole(ms)) => RecordedWait::Took(SimDuration::from_millis(ms)),
        _ => {
            tally.add(Severity::Warning, "bad-value", "recorded_wait_s", line, || {
                let text = shorten(&text);
                format!("`{text}` is neither seconds nor `{NEVER}`; taken as missing")
            });
            RecordedWait::Unknown
        }
    }
}

/// Writes a `pods` table, as CSV or Parquet by the ending of `path`.
///
/// # Errors
/// An unknown ending, or what the system says. The file is then not there.
pub fn write_pods(path: &Path, pods: &[TracePod]) -> Result<(), TraceError> {
    table::write(path, POD_COLUMNS, pods.len(), &mut |row, column| {
        pod_value(&pods[row], POD_COLUMNS[column].name)
    })
}

/// The value of a column.
pub(crate) fn pod_value(pod: &TracePod, column: &str) -> Value {
    match column {
        "pod" => Value::Text(pod.name.to_string()),
        "created_s" => Value::Whole(pod.created_at.as_millis()),
        "duration_s" => Value::Whole(pod.duration.as_millis()),
        "cpu_milli" => Value::Whole(pod.cpu.as_millis()),
        "memory_mib" => Value::Whole(pod.memory.as_u64()),
        "gpus" => Value::Whole(u64::from(pod.gpus)),
        "priority" => Value::Signed(i64::from(pod.priority)),
        "node_selector" => Value::Text(labels::render(&pod.node_selector)),
        "labels" => Value::Text(labels::render(&pod.labels)),
        "recorded_wait_s" => match pod.recorded_wait {
            RecordedWait::Unknown => Value::Missing,
            RecordedWait::Never => Value::Text(NEVER.to_owned()),
            RecordedWait::Took(wait) => {
                Value::Text(ColumnType::Seconds.render(&Value::Whole(wait.as_millis())))
            }
        },
        other => unreachable!("no column {other} in the pods table"),
    }
}
