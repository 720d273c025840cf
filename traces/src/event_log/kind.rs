//! Which event a line holds, told from its beginning.
//!
//! Spark writes `"Event"` as the first key of every line, so that the kind is known before
//! anything is parsed, and most kinds never are. Where another writer put the key elsewhere, the
//! line is parsed for it.
//!
//! Source: Spark `core/.../util/JsonProtocol.scala` and `scheduler/SparkListener.scala`, 1.4 to
//! 4.1.

use std::borrow::Cow;

use serde::Deserialize;

/// Kinds that are read, and what becomes of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    LogStart,
    ApplicationStart,
    ApplicationEnd,
    EnvironmentUpdate,
    ResourceProfileAdded,
    ExecutorAdded,
    ExecutorRemoved,
    JobStart,
    JobEnd,
    StageSubmitted,
    StageCompleted,
    StageExecutorMetrics,
    ExecutorMetricsUpdate,
    TaskEnd,
    UnpersistRdd,
    /// Spark's (or Databricks') own, and nothing that is needed here. `TaskStart` is among them:
    /// the task's end repeats all of it.
    Ignored,
    /// Not one of Spark's.
    Unknown,
}

/// Listener events that are known and not needed.
const IGNORED: [&str; 32] = [
    "DBCEventLoggingListenerMetadata",
    "SparkListenerBlockManagerAdded",
    "SparkListenerBlockManagerRemoved",
    "SparkListenerBlockUpdated",
    "SparkListenerExecutorBlacklisted",
    "SparkListenerExecutorBlacklistedForStage",
    "SparkListenerExecutorExcluded",
    "SparkListenerExecutorExcludedForStage",
    "SparkListenerExecutorUnblacklisted",
    "SparkListenerExecutorUnexcluded",
    "SparkListenerMiscellaneousProcessAdded",
    "SparkListenerNodeBlacklisted",
    "SparkListenerNodeBlacklistedForStage",
    "SparkListenerNodeExcluded",
    "SparkListenerNodeExcludedForStage",
    "SparkListenerNodeUnblacklisted",
    "SparkListenerNodeUnexcluded",
    "SparkListenerSpeculativeTaskSubmitted",
    "SparkListenerTaskGettingResult",
    "SparkListenerTaskStart",
    "SparkListenerUnschedulableTaskSetAdded",
    "SparkListenerUnschedulableTaskSetRemoved",
    // Without their package, as some distributions write them.
    "SparkListenerDriverAccumUpdates",
    "SparkListenerSQLAdaptiveExecutionUpdate",
    "SparkListenerSQLAdaptiveSQLMetricUpdates",
    "SparkListenerSQLExecutionEnd",
    "SparkListenerSQLExecutionStart",
    "SparkListenerQueryExecutionMetrics",
    "SparkListenerConnectOperationStarted",
    "SparkListenerConnectOperationClosed",
    "SparkListenerConnectSessionStarted",
    "SparkListenerConnectSessionClosed",
];

/// SQL, streaming, catalogue and connect events are posted with their class names.
const SPARK_PACKAGE: &str = "org.apache.spark.";
const SCHEDULER_PACKAGE: &str = "org.apache.spark.scheduler.";

impl Kind {
    /// The kind of that name.
    pub(super) fn of(name: &str) -> Self {
        let bare = name.strip_prefix(SCHEDULER_PACKAGE).unwrap_or(name);
        match bare.strip_prefix("SparkListener") {
            Some("LogStart") => Self::LogStart,
            Some("ApplicationStart") => Self::ApplicationStart,
            Some("ApplicationEnd") => Self::ApplicationEnd,
            Some("EnvironmentUpdate") => Self::EnvironmentUpdate,
            Some("ResourceProfileAdded") => Self::ResourceProfileAdded,
            Some("ExecutorAdded") => Self::ExecutorAdded,
            Some("ExecutorRemoved") => Self::ExecutorRemoved,
            Some("JobStart") => Self::JobStart,
            Some("JobEnd") => Self::JobEnd,
            Some("StageSubmitted") => Self::StageSubmitted,
            Some("StageCompleted") => Self::StageCompleted,
            Some("StageExecutorMetrics") => Self::StageExecutorMetrics,
            Some("ExecutorMetricsUpdate") => Self::ExecutorMetricsUpdate,
            Some("TaskEnd") => Self::TaskEnd,
            Some("UnpersistRDD") => Self::UnpersistRdd,
            _ if IGNORED.contains(&bare) || name.starts_with(SPARK_PACKAGE) => Self::Ignored,
            _ => Self::Unknown,
        }
    }
}

/// The value of the line's `"Event"` key; `None` where there is none or the line is no JSON.
pub(super) fn event_name(line: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(rename = "Event", borrow)]
        event: Cow<'a, str>,
    }
    if let Some(name) = leading_name(line) {
        return Some(Cow::Borrowed(name));
    }
    let named: Named<'_> = serde_json::from_slice(line).ok()?;
    Some(named.event)
}

/// The name where `"Event"` is the first key and its value has no escapes.
fn leading_name(line: &[u8]) -> Option<&str> {
    let rest = line.trim_ascii_start().strip_prefix(b"{")?;
    let rest = rest.trim_ascii_start().strip_prefix(b"\"Event\"")?;
    let rest = rest.trim_ascii_start().strip_prefix(b":")?;
    let rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    if rest[end] == b'\\' {
        return None;
    }
    std::str::from_utf8(&rest[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        assert_eq!(event_name(line.as_bytes()).as_deref(), expected, "{line}");
    }

    #[test]
    fn finds_the_name_wherever_it_is() {
        check(r#"{"Event":"A","x":1}"#, Some("A"));
        check(r#" { "Event" : "A" }"#, Some("A"));
        check(r#"{"x":{"Event":"B"},"Event":"A"}"#, Some("A"));
        check(r#"{"Event":"A\u0042"}"#, Some("AB"));
        check(r#"{"x":1}"#, None);
        check(r#"{"Event":7}"#, None);
        check("Event", None);
        check("", None);
    }

    #[test]
    fn knows_kinds_with_and_without_their_package() {
        assert_eq!(Kind::of("SparkListenerTaskEnd"), Kind::TaskEnd);
        let scheduler = "org.apache.spark.scheduler.SparkListenerJobEnd";
        assert_eq!(Kind::of(scheduler), Kind::JobEnd);
        assert_eq!(Kind::of("SparkListenerTaskStart"), Kind::Ignored);
        let sql = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart";
        assert_eq!(Kind::of(sql), Kind::Ignored);
        assert_eq!(Kind::of("SparkListenerSomethingNew"), Kind::Unknown);
        assert_eq!(Kind::of("com.example.Event"), Kind::Unknown);
    }
}
