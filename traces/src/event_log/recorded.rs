//! One Spark application as its event log tells it, before it is lowered to a run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sim::workload::{Failure, Locality, RunOutcome, TaskDurations, TaskFault};

use super::configuration::Configuration;
use super::stage_graph;
use super::task_overheads::TaskOverheads;
use crate::LoweredRun;

/// One application of one log. Times are milliseconds since 1970-01-01 UTC.
#[derive(Debug, Default, Clone)]
pub struct RecordedApplication {
    /// The log it is from: a file, or the folder of a rolled log.
    pub path: PathBuf,
    /// Unique among the logs read together: the application's id, `-attempt` after the first one,
    /// `#2` and so on where the same one was recorded twice.
    pub run_id: String,
    /// Spark's id; the log's name where it does not say.
    pub app_id: String,
    /// `spark.app.name`.
    pub name: String,
    /// The cluster manager's attempt, where there is one.
    pub attempt: Option<String>,
    /// Such as `3.5.9`; unknown before 1.4.
    pub spark_version: Option<String>,
    /// Who submitted it.
    pub user: Option<String>,
    /// `spark.master`.
    pub master: Option<String>,
    /// When the driver's Spark context started.
    pub started_ms: i64,
    /// When it ended; `None` where the log stops before.
    pub ended_ms: Option<i64>,
    /// The latest time that a start or end of the application, a job, a stage or a task names.
    pub last_event_ms: i64,
    /// All Spark properties of the environment.
    pub properties: BTreeMap<String, String>,
    /// What the properties (and the recorded executors, where they say nothing) ask for.
    pub configuration: Configuration,
    /// In order of registration. In local mode there is none, or one named `driver`.
    pub executors: Vec<RecordedExecutor>,
    /// In order of submission.
    pub jobs: Vec<RecordedJob>,
    /// By stage id; submitted ones only (skipped stages appear nowhere).
    pub stages: Vec<RecordedStage>,
    /// All task attempts.
    pub tasks: TaskCounts,
    /// Those that did not succeed, as (stage id, fault), in order of the log; the first
    /// [`RecordedApplication::FAULTS_MAX`].
    pub faults: Vec<(u32, TaskFault)>,
    /// The smallest task id of the log.
    pub first_task_id: Option<u64>,
    /// The most memory one executor held, in bytes; `None` where nothing was measured. The parts
    /// (heap, non-heap, or processes) peak at different times, so that this is an upper bound.
    pub peak_executor_bytes: Option<u64>,
    /// The same of the driver.
    pub peak_driver_bytes: Option<u64>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why it failed, where it did.
    pub failure: Option<Failure>,
    /// The text that tells it, or the first one that there is.
    pub failure_message: Option<String>,
}

/// An executor's life.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RecordedExecutor {
    /// Spark's id.
    pub id: String,
    /// Where it ran.
    pub host: String,
    /// Task slots (times `spark.task.cpus`).
    pub cores: u32,
    /// Its resource profile; 0 = the default one.
    pub resource_profile: u32,
    /// When it registered.
    pub added_ms: i64,
    /// When it was gone; `None` if it lived to the end.
    pub removed_ms: Option<i64>,
    /// Why it went.
    pub removal_reason: Option<String>,
}

/// How a job ended.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum JobResult {
    /// The log has no end of it.
    #[default]
    Open,
    /// As it should.
    Succeeded,
    /// With this message (its beginning).
    Failed(String),
}

/// A Spark job: one action.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RecordedJob {
    /// Spark's id.
    pub job_id: u32,
    /// When it was submitted; where 1.x does not say, the time of the event before it.
    pub submitted_ms: i64,
    /// When it ended; likewise.
    pub completed_ms: Option<i64>,
    /// Its end.
    pub result: JobResult,
    /// Its stages' ids, skipped ones among them.
    pub stage_ids: Vec<u32>,
    /// The log has its start; without, its submission and stages are guessed from its end.
    pub has_start: bool,
    /// Its log says when it was submitted (1.5 and later); else it is taken from its stages.
    pub has_times: bool,
    /// Its job group, where it has one.
    pub group: Option<String>,
    /// Its FAIR pool, where it has one.
    pub pool: Option<String>,
}

/// A stage that ran, with all its attempts.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct RecordedStage {
    /// Spark's id.
    pub stage_id: u32,
    /// Usually the place in the program it comes from.
    pub name: String,
    /// Tasks of its largest attempt.
    pub number_of_tasks: u32,
    /// Partitions of the shuffle it writes, as its job's start announced them. More than
    /// `number_of_tasks` where a part of the shuffle was there already: then this stage only
    /// computed again what was lost after an earlier job.
    pub shuffle_partitions: Option<u32>,
    /// Stage ids it reads shuffles of, skipped ones among them; `None` before 1.4.
    pub parents: Option<Vec<u32>>,
    /// Jobs it is part of.
    pub job_ids: Vec<u32>,
    /// In order of number.
    pub attempts: Vec<StageAttempt>,
    /// Launch to finish of the first successful attempt of each partition, in launch order. What
    /// a later attempt of the stage, speculation or a lost executor repeated is not in it.
    pub tasks: TaskDurations,
    /// Sum of these durations, exact.
    pub task_ms: u64,
    /// Successful task attempts of partitions that were done already.
    pub tasks_repeated: u64,
    /// Bytes that the kept tasks read from outside.
    pub input_bytes: u64,
    /// Bytes that they read from shuffles.
    pub shuffle_read_bytes: u64,
    /// Bytes that they wrote for shuffles.
    pub shuffle_write_bytes: u64,
    /// Largest peak execution memory of one of them.
    pub peak_task_bytes: u64,
    /// Bytes that they wrote to outside.
    pub output_bytes: u64,
    /// Bytes that they spilled to disk.
    pub spilled_bytes: u64,
    /// Bytes that cached blocks of its RDDs hold, where no earlier stage held them.
    pub cached_bytes: u64,
    /// It computed an RDD that is cached, as the first stage.
    pub caches: bool,
    /// Id of the stage that computed the cached RDD of which each of its tasks reads a partition.
    pub cached_by: Option<u32>,
    /// CPU time of their bodies, in milliseconds.
    pub cpu_ms: u64,
    /// Garbage collection meanwhile, in milliseconds.
    pub gc_ms: u64,
    /// Waiting for shuffle blocks, in milliseconds.
    pub fetch_wait_ms: u64,
    /// How many of them ran where.
    pub locality: Locality,
    /// Its resource profile; 0 = the default one.
    pub resource_profile: u32,
    /// When its first successful task was launched.
    pub first_launch_ms: Option<i64>,
    /// When its last kept task ended.
    pub last_finish_ms: Option<i64>,
    /// Launch to finish of the kept tasks as they ran, overheads and all.
    pub task_times: TaskDurations,
    /// It is a barrier stage.
    pub barrier: bool,
    /// How much longer its first tasks on an executor took, and Spark's own part of the others.
    pub overheads: TaskOverheads,
}

/// One attempt of a stage.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct StageAttempt {
    /// 0 for the first.
    pub attempt: u32,
    /// When the driver submitted it; its first task's launch where the log does not say.
    pub submitted_ms: i64,
    /// When it was complete or given up.
    pub completed_ms: Option<i64>,
    /// Why it was given up (the message's beginning).
    pub failure: Option<String>,
}

/// Task attempts of an application, by what became of them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TaskCounts {
    /// Ended with success, repeated ones included.
    pub succeeded: u64,
    /// Of these, the ones whose partition was done already.
    pub repeated: u64,
    /// Launch to finish of all successful ones, in milliseconds.
    pub succeeded_ms: u64,
    /// The part of it that was repeated.
    pub repeated_ms: u64,
    /// All others by Spark's reason (`ExceptionFailure`, `TaskKilled`, `Resubmitted` ...).
    pub not_succeeded: BTreeMap<String, u64>,
    /// Successful ones that finished before they were launched, or without times: their run time
    /// counts instead, or nothing.
    pub bad_times: u64,
    /// Successful ones without metrics: their bytes and memory are missing.
    pub without_metrics: u64,
}

impl TaskCounts {
    /// Every task end of the log.
    pub fn ended(&self) -> u64 {
        self.succeeded + self.not_succeeded.values().sum::<u64>()
    }
}

impl RecordedStage {
    /// Notes the times of a kept task.
    pub(super) fn saw(&mut self, launched: Option<i64>, finished: Option<i64>) {
        let first = [self.first_launch_ms, launched].into_iter().flatten().min();
        let last = [self.last_finish_ms, finished].into_iter().flatten().max();
        (self.first_launch_ms, self.last_finish_ms) = (first, last);
    }

    /// When it was first submitted.
    pub fn submitted_ms(&self) -> i64 {
        let times = self.attempts.iter().map(|attempt| attempt.submitted_ms);
        times.min().unwrap_or(0)
    }

    /// When its work was over as seen at `at_ms`: the end of its last task, where that was before;
    /// else as [`Self::completed_before`].
    pub fn over_before(&self, at_ms: i64) -> Option<i64> {
        let last = self.last_finish_ms.filter(|end| *end <= at_ms);
        last.or_else(|| self.completed_before(at_ms))
    }

    /// When it was complete as seen at `at_ms`: the latest end of an attempt before, or else the
    /// first end of one after. `None` if no attempt ever ended.
    pub fn completed_before(&self, at_ms: i64) -> Option<i64> {
        let ends = || self.attempts.iter().filter_map(|attempt| attempt.completed_ms);
        ends().filter(|end| *end <= at_ms).max().or(ends().min())
    }
}

impl RecordedApplication {
    /// Most unsuccessful task attempts that are kept one by one.
    pub const FAULTS_MAX: usize = 100_000;

    /// The run that this application is. Its stages are what would run without any fault: each
    /// partition once. `submitted_at_ms` is the application's start; the time between the end of
    /// the last stage and the end of the run is not in any stage.
    pub fn to_run(&self) -> LoweredRun {
        super::lower::lower(self, stage_graph::stages_of(self).stages)
    }

    /// The end of the application, or of what was recorded of it.
    pub fn ended_or_last_ms(&self) -> i64 {
        self.ended_ms.unwrap_or(self.last_event_ms)
    }

    /// The most executors alive at one time.
    pub fn executors_peak(&self) -> u32 {
        let mut changes: Vec<(i64, i32)> = Vec::with_capacity(self.executors.len() * 2);
        for executor in &self.executors {
            changes.push((executor.added_ms, 1));
            // At equal times removals come first: one that replaces another is not a second one.
            changes.extend(executor.removed_ms.map(|at| (at.max(executor.added_ms), -1)));
        }
        changes.sort_unstable();
        let mut alive = 0i32;
        let peak = changes.iter().map(|(_, change)| {
            alive += change;
            alive
        });
        peak.max().unwrap_or(0).max(0).unsigned_abs()
    }

    /// Milliseconds in which no stage was active.
    pub fn driver_only_ms(&self) -> u64 {
        let (start, end) = (self.started_ms, self.ended_or_last_ms());
        let mut active: Vec<(i64, i64)> = Vec::new();
        for attempt in self.stages.iter().flat_map(|stage| &stage.attempts) {
            let until = attempt.completed_ms.unwrap_or(end).min(end);
            active.push((attempt.submitted_ms.max(start), until));
        }
        active.sort_unstable();
        let (mut idle, mut covered) = (0, start);
        for (from, until) in active {
            idle += (from - covered).max(0);
            covered = covered.max(until);
        }
        (idle + (end - covered).max(0)).unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn driver_only_time_is_what_no_stage_covers() {
        let stage = |from, until| RecordedStage {
            attempts: vec![StageAttempt {
                submitted_ms: from,
                completed_ms: until,
                ..StageAttempt::default()
            }],
            ..RecordedStage::default()
        };
        let application = RecordedApplication {
            started_ms: 100,
            ended_ms: Some(1000),
            stages: vec![stage(150, Some(300)), stage(200, Some(400)), stage(900, None)],
            ..RecordedApplication::default()
        };
        assert_eq!(application.driver_only_ms(), 50 + 500);
    }

    #[test]
    fn peak_executors_counts_those_alive_together() {
        let executor = |added_ms, removed_ms| RecordedExecutor {
            added_ms,
            removed_ms,
            ..RecordedExecutor::default()
        };
        let application = RecordedApplication {
            executors: vec![executor(1, Some(5)), executor(5, None), executor(7, Some(9))],
            ..RecordedApplication::default()
        };
        assert_eq!(application.executors_peak(), 2);
    }
}
