//! The parts of Spark's events that are read, borrowed from the line where that is possible.
//!
//! Everything else in a line is skipped by the parser. Fields that some version leaves out are
//! optional or have a default: 1.x has no attempt ids and no metrics on failed tasks, 3.3 added
//! `Partition ID`.
//!
//! Source: Spark `core/.../util/JsonProtocol.scala`, 1.4 to 4.1, and recorded logs of 1.2.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// A point in time, in milliseconds since 1970. Spark writes 0 or -1 for "not yet".
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Millis(i64);

/// 9999-12-31: later times are errors, so that no sum of times can overflow.
const TIME_MAX_MS: u64 = 253_402_300_799_999;

impl Millis {
    /// The time, where there is one.
    pub(super) fn get(self) -> Option<i64> {
        (self.0 > 0).then_some(self.0)
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ms = Amount::deserialize(deserializer)?.0;
        if ms > TIME_MAX_MS {
            return Err(D::Error::custom(format!("time {ms} is after the year 9999")));
        }
        Ok(Self(ms as i64))
    }
}

/// A count of bytes or milliseconds. Negative ones, which broken metrics hold, count as 0.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount(pub(super) u64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AmountVisitor;
        impl Visitor<'_> for AmountVisitor {
            type Value = Amount;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number")
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Amount, E> {
                Ok(Amount(value))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Amount, E> {
                Ok(Amount(u64::try_from(value).unwrap_or(0)))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Amount, E> {
                Ok(Amount(value as u64))
            }
            fn visit_unit<E: Error>(self) -> Result<Amount, E> {
                Ok(Amount(0))
            }
        }
        deserializer.deserialize_any(AmountVisitor)
    }
}

/// `SparkListenerLogStart`.
#[derive(Deserialize)]
pub(super) struct LogStart<'a> {
    #[serde(rename = "Spark Version", borrow)]
    pub(super) spark_version: Option<Cow<'a, str>>,
}

/// `SparkListenerApplicationStart`.
#[derive(Deserialize)]
pub(super) struct ApplicationStart<'a> {
    #[serde(rename = "App Name", borrow)]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(rename = "App ID", borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(rename = "App Attempt ID", borrow)]
    pub(super) attempt: Option<Cow<'a, str>>,
    #[serde(rename = "Timestamp", default)]
    pub(super) timestamp: Millis,
    #[serde(rename = "User", borrow)]
    pub(super) user: Option<Cow<'a, str>>,
}

/// `SparkListenerApplicationEnd`.
#[derive(Deserialize)]
pub(super) struct ApplicationEnd {
    #[serde(rename = "Timestamp", default)]
    pub(super) timestamp: Millis,
}

/// `SparkListenerEnvironmentUpdate`.
#[derive(Deserialize)]
pub(super) struct EnvironmentUpdate {
    #[serde(rename = "Spark Properties", default)]
    pub(super) spark_properties: BTreeMap<String, String>,
}

/// `SparkListenerResourceProfileAdded`: what executors of a profile ask for (3.1 and later).
#[derive(Deserialize)]
pub(super) struct ResourceProfileAdded {
    #[serde(rename = "Resource Profile Id")]
    pub(super) id: i64,
    #[serde(rename = "Executor Resource Requests", default)]
    pub(super) executor: BTreeMap<String, ResourceRequest>,
}

/// An amount of a resource: cores, or MiB for memory.
#[derive(Deserialize)]
pub(super) struct ResourceRequest {
    #[serde(rename = "Amount", default)]
    pub(super) amount: Amount,
}

/// `SparkListenerExecutorAdded`.
#[derive(Deserialize)]
pub(super) struct ExecutorAdded<'a> {
    #[serde(rename = "Timestamp", default)]
    pub(super) timestamp: Millis,
    #[serde(rename = "Executor ID", borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(rename = "Executor Info", borrow)]
    pub(super) info: Option<ExecutorInfo<'a>>,
}

/// What an executor is.
#[derive(Deserialize)]
pub(super) struct ExecutorInfo<'a> {
    #[serde(rename = "Host", borrow)]
    pub(super) host: Option<Cow<'a, str>>,
    #[serde(rename = "Resource Profile Id", default)]
    pub(super) resource_profile: Amount,
    #[serde(rename = "Total Cores", default)]
    pub(super) cores: Amount,
}

/// `SparkListenerExecutorRemoved`.
#[derive(Deserialize)]
pub(super) struct ExecutorRemoved<'a> {
    #[serde(rename = "Timestamp", default)]
    pub(super) timestamp: Millis,
    #[serde(rename = "Executor ID", borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(rename = "Removed Reason", borrow)]
    pub(super) reason: Option<Cow<'a, str>>,
}

/// `SparkListenerJobStart`.
#[derive(Deserialize)]
pub(super) struct JobStart<'a> {
    #[serde(rename = "Job ID")]
    pub(super) id: u32,
    #[serde(rename = "Submission Time", default)]
    pub(super) submitted: Millis,
    #[serde(rename = "Stage IDs", default)]
    pub(super) stages: Vec<u32>,
    #[serde(rename = "Stage Infos", default)]
    pub(super) infos: Vec<AnnouncedStage>,
    #[serde(rename = "Properties", borrow)]
    pub(super) properties: Option<JobProperties<'a>>,
}

/// A stage as its job's start announces it, whether it will run or be skipped.
#[derive(Deserialize)]
pub(super) struct AnnouncedStage {
    #[serde(rename = "Stage ID")]
    pub(super) id: u32,
    #[serde(rename = "Number of Tasks", default)]
    pub(super) number_of_tasks: Amount,
    #[serde(rename = "Parent IDs", default)]
    pub(super) parents: Vec<u32>,
}

/// Local properties of a job's thread.
#[derive(Deserialize)]
pub(super) struct JobProperties<'a> {
    #[serde(rename = "spark.jobGroup.id", borrow)]
    pub(super) group: Option<Cow<'a, str>>,
    #[serde(rename = "spark.scheduler.pool", borrow)]
    pub(super) pool: Option<Cow<'a, str>>,
}

/// `SparkListenerJobEnd`.
#[derive(Deserialize)]
pub(super) struct JobEnd<'a> {
    #[serde(rename = "Job ID")]
    pub(super) id: u32,
    #[serde(rename = "Completion Time", default)]
    pub(super) completed: Millis,
    #[serde(rename = "Job Result", borrow)]
    pub(super) result: JobResult<'a>,
}

/// `JobSucceeded`, or `JobFailed` with an exception.
#[derive(Deserialize)]
pub(super) struct JobResult<'a> {
    #[serde(rename = "Result", borrow)]
    pub(super) result: Cow<'a, str>,
    #[serde(rename = "Exception", borrow)]
    pub(super) exception: Option<JobException<'a>>,
}

/// The exception of a failed job.
#[derive(Deserialize)]
pub(super) struct JobException<'a> {
    #[serde(rename = "Message", borrow)]
    pub(super) message: Option<Cow<'a, str>>,
}

/// `SparkListenerStageSubmitted` and `SparkListenerStageCompleted`.
#[derive(Deserialize)]
pub(super) struct StageEvent<'a> {
    #[serde(rename = "Stage Info", borrow)]
    pub(super) info: StageInfo<'a>,
}

/// A stage attempt.
#[derive(Deserialize)]
pub(super) struct StageInfo<'a> {
    #[serde(rename = "Stage ID")]
    pub(super) id: u32,
    #[serde(rename = "Stage Attempt ID", default)]
    pub(super) attempt: u32,
    #[serde(rename = "Stage Name", borrow)]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(rename = "Number of Tasks", default)]
    pub(super) number_of_tasks: Amount,
    /// Since 1.4.
    #[serde(rename = "Parent IDs")]
    pub(super) parents: Option<Vec<u32>>,
    #[serde(rename = "Submission Time", default)]
    pub(super) submitted: Millis,
    #[serde(rename = "Completion Time", default)]
    pub(super) completed: Millis,
    #[serde(rename = "Failure Reason", borrow)]
    pub(super) failure: Option<Cow<'a, str>>,
    #[serde(rename = "Resource Profile Id", default)]
    pub(super) resource_profile: Amount,
    #[serde(rename = "RDD Info", default)]
    pub(super) rdds: Vec<RddInfo>,
}

/// An RDD of a stage: what of it is cached.
#[derive(Deserialize)]
pub(super) struct RddInfo {
    #[serde(rename = "RDD ID", default)]
    pub(super) id: u32,
    #[serde(rename = "Barrier", default)]
    pub(super) barrier: bool,
    #[serde(rename = "Memory Size", default)]
    pub(super) memory: Amount,
    #[serde(rename = "Number of Partitions", default)]
    pub(super) partitions: Amount,
    #[serde(rename = "Storage Level", default)]
    pub(super) level: StorageLevel,
}

/// Where an RDD's blocks are kept; nowhere, unless the program asked for it.
#[derive(Deserialize, Default)]
pub(super) struct StorageLevel {
    #[serde(rename = "Use Disk", default)]
    pub(super) disk: bool,
    #[serde(rename = "Use Memory", default)]
    pub(super) memory: bool,
}

/// `SparkListenerUnpersistRDD`: cached blocks are dropped.
#[derive(Deserialize)]
pub(super) struct UnpersistRdd {
    #[serde(rename = "RDD ID")]
    pub(super) id: u32,
}

/// `SparkListenerStageExecutorMetrics`: peaks of one executor in one stage.
#[derive(Deserialize)]
pub(super) struct StageExecutorMetrics<'a> {
    #[serde(rename = "Executor ID", borrow)]
    pub(super) executor: Cow<'a, str>,
    #[serde(rename = "Executor Metrics")]
    pub(super) metrics: Option<ExecutorMetrics>,
}

/// `SparkListenerExecutorMetricsUpdate`: what a heartbeat brought (written only where the
/// platform asks for it).
#[derive(Deserialize)]
pub(super) struct ExecutorMetricsUpdate<'a> {
    #[serde(rename = "Executor ID", borrow)]
    pub(super) executor: Cow<'a, str>,
    #[serde(rename = "Executor Metrics Updated", default)]
    pub(super) updates: Vec<ExecutorMetricsOfStage>,
}

/// One entry of a heartbeat.
#[derive(Deserialize)]
pub(super) struct ExecutorMetricsOfStage {
    #[serde(rename = "Executor Metrics")]
    pub(super) metrics: Option<ExecutorMetrics>,
}

/// Memory of an executor's (or the driver's) processes, in bytes.
#[derive(Deserialize)]
pub(super) struct ExecutorMetrics {
    #[serde(rename = "JVMHeapMemory", default)]
    heap: Amount,
    #[serde(rename = "JVMOffHeapMemory", default)]
    off_heap: Amount,
    #[serde(rename = "ProcessTreeJVMRSSMemory", default)]
    rss_jvm: Amount,
    #[serde(rename = "ProcessTreePythonRSSMemory", default)]
    rss_python: Amount,
    #[serde(rename = "ProcessTreeOtherRSSMemory", default)]
    rss_other: Amount,
}

impl ExecutorMetrics {
    /// What the container held: resident memory of all its processes where it was measured, else
    /// the JVM's heap and non-heap memory. 0 where nothing was measured.
    pub(super) fn container_bytes(&self) -> u64 {
        let sum = |amounts: [Amount; 3]| {
            let [a, b, c] = amounts.map(|amount| amount.0);
            a.saturating_add(b).saturating_add(c)
        };
        if self.rss_jvm.0 > 0 {
            sum([self.rss_jvm, self.rss_python, self.rss_other])
        } else {
            sum([self.heap, self.off_heap, Amount(0)])
        }
    }
}

/// `SparkListenerTaskEnd`.
#[derive(Deserialize)]
pub(super) struct TaskEnd<'a> {
    #[serde(rename = "Stage ID")]
    pub(super) stage: u32,
    #[serde(rename = "Stage Attempt ID", default)]
    pub(super) stage_attempt: u32,
    #[serde(rename = "Task End Reason", borrow)]
    pub(super) reason: TaskEndReason<'a>,
    #[serde(rename = "Task Info")]
    pub(super) info: TaskInfo<'a>,
    #[serde(rename = "Task Executor Metrics")]
    pub(super) executor_metrics: Option<ExecutorMetrics>,
    #[serde(rename = "Task Metrics")]
    pub(super) metrics: Option<TaskMetrics>,
}

/// `Success`, or what else ended the attempt.
#[derive(Deserialize)]
pub(super) struct TaskEndReason<'a> {
    #[serde(rename = "Reason", borrow)]
    pub(super) reason: Cow<'a, str>,
}

/// A task attempt.
#[derive(Deserialize)]
pub(super) struct TaskInfo<'a> {
    #[serde(rename = "Task ID")]
    pub(super) id: Option<u64>,
    #[serde(rename = "Attempt", default)]
    pub(super) attempt: u32,
    #[serde(rename = "Executor ID", borrow)]
    pub(super) executor: Option<Cow<'a, str>>,
    #[serde(rename = "Locality", borrow)]
    pub(super) locality: Option<Cow<'a, str>>,
    #[serde(rename = "Index")]
    pub(super) index: u32,
    /// Since 3.3; -1 where unknown.
    #[serde(rename = "Partition ID")]
    pub(super) partition: Option<i64>,
    #[serde(rename = "Launch Time", default)]
    pub(super) launched: Millis,
    #[serde(rename = "Finish Time", default)]
    pub(super) finished: Millis,
}

/// What a task attempt measured. `Option`s because 1.x leaves out what did not happen.
#[derive(Deserialize)]
pub(super) struct TaskMetrics {
    #[serde(rename = "Executor Run Time", default)]
    pub(super) run_time: Amount,
    #[serde(rename = "Executor CPU Time", default)]
    cpu_time_ns: Amount,
    #[serde(rename = "JVM GC Time", default)]
    pub(super) gc_time: Amount,
    #[serde(rename = "Disk Bytes Spilled", default)]
    pub(super) spilled: Amount,
    #[serde(rename = "Peak Execution Memory", default)]
    pub(super) peak_memory: Amount,
    #[serde(rename = "Output Metrics")]
    output: Option<OutputMetrics>,
    #[serde(rename = "Input Metrics")]
    input: Option<InputMetrics>,
    #[serde(rename = "Shuffle Read Metrics")]
    shuffle_read: Option<ShuffleReadMetrics>,
    #[serde(rename = "Shuffle Write Metrics")]
    shuffle_write: Option<ShuffleWriteMetrics>,
}

impl TaskMetrics {
    /// CPU time of the task's body, in milliseconds.
    pub(super) fn cpu_ms(&self) -> u64 {
        self.cpu_time_ns.0 / 1_000_000
    }

    /// Bytes written to outside.
    pub(super) fn output_bytes(&self) -> u64 {
        self.output.as_ref().map_or(0, |output| output.bytes.0)
    }

    /// Milliseconds of waiting for shuffle blocks.
    pub(super) fn fetch_wait_ms(&self) -> u64 {
        self.shuffle_read.as_ref().map_or(0, |read| read.fetch_wait.0)
    }

    /// Bytes read from outside.
    pub(super) fn input_bytes(&self) -> u64 {
        self.input.as_ref().map_or(0, |input| input.bytes.0)
    }

    /// Bytes read from shuffles, from other hosts and the own one.
    pub(super) fn shuffle_read_bytes(&self) -> u64 {
        let read = self.shuffle_read.as_ref();
        read.map_or(0, |read| read.remote.0.saturating_add(read.local.0))
    }

    /// Bytes written for shuffles.
    pub(super) fn shuffle_write_bytes(&self) -> u64 {
        self.shuffle_write.as_ref().map_or(0, |write| write.bytes.0)
    }
}

#[derive(Deserialize)]
struct InputMetrics {
    #[serde(rename = "Bytes Read", default)]
    bytes: Amount,
}

#[derive(Deserialize)]
struct OutputMetrics {
    #[serde(rename = "Bytes Written", default)]
    bytes: Amount,
}

#[derive(Deserialize)]
struct ShuffleReadMetrics {
    #[serde(rename = "Fetch Wait Time", default)]
    fetch_wait: Amount,
    #[serde(rename = "Remote Bytes Read", default)]
    remote: Amount,
    #[serde(rename = "Local Bytes Read", default)]
    local: Amount,
}

#[derive(Deserialize)]
struct ShuffleWriteMetrics {
    #[serde(rename = "Shuffle Bytes Written", default)]
    bytes: Amount,
}
