//! An application that is being recorded, one event at a time.
//!
//! Holds what an application needs at the end, not what its log said: executors, jobs, stages,
//! and a few bytes a task ([`StageTasks`]).

use std::collections::{BTreeMap, BTreeSet};

use super::configuration::{BadProperty, DefaultProfile};
use super::event::{
    ApplicationEnd, EnvironmentUpdate, ExecutorAdded, ExecutorMetrics, ExecutorMetricsUpdate,
    ExecutorRemoved, JobEnd, JobStart, Millis, RddInfo, ResourceProfileAdded, StageEvent,
    StageExecutorMetrics, StageInfo, TaskEnd, UnpersistRdd,
};
use super::recorded::{
    JobResult, RecordedApplication, RecordedExecutor, RecordedJob, RecordedStage, StageAttempt,
};
use super::stage_tasks::{DoneTask, StageTasks};
use super::{recording, task_overheads};

/// Characters kept of messages: enough for the cause, which stands before the stack traces.
const MESSAGE_MAX: usize = 8192;
/// Characters kept of names.
pub(super) const NAME_MAX: usize = 512;
/// Different reasons of task ends that are told apart; Spark has 9.
const REASONS_MAX: usize = 64;

/// What was missing or broken in one application's events.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) no_start: bool,
    pub(super) second_starts: u64,
    pub(super) bad_properties: Vec<BadProperty>,
    pub(super) jobs_without_start: u64,
    pub(super) executors_added_again: u64,
    pub(super) executors_removed_unknown: u64,
    pub(super) executors_from_tasks: u64,
    pub(super) long_tasks: u64,
}

/// A stage that is being recorded.
#[derive(Debug, Default)]
pub(super) struct OpenStage {
    pub(super) stage: RecordedStage,
    pub(super) tasks: StageTasks,
}

/// An application that is being recorded.
#[derive(Debug, Default)]
pub(super) struct OpenApplication {
    pub(super) application: RecordedApplication,
    pub(super) started: Option<i64>,
    pub(super) has_start: bool,
    pub(super) first_ms: Option<i64>,
    pub(super) profile: DefaultProfile,
    pub(super) jobs: BTreeMap<u32, RecordedJob>,
    pub(super) stages: BTreeMap<u32, OpenStage>,
    /// Partitions of stages that write shuffles, as jobs announced them.
    pub(super) announced: BTreeMap<u32, u32>,
    /// RDDs whose cached blocks were counted.
    cached: BTreeSet<u32>,
    /// Stages that computed cached RDDs first, by RDD.
    cached_in: BTreeMap<u32, u32>,
    /// Executors of tasks by number.
    pub(super) executor_numbers: BTreeMap<String, u32>,
    /// When the first task was launched on each of them.
    pub(super) first_launches_ms: Vec<i64>,
    /// Places of executors that are alive, by id.
    alive: BTreeMap<String, usize>,
    pub(super) notes: Notes,
}

impl OpenApplication {
    /// Notes a time; the time to take where the event has none is the latest one so far.
    pub(super) fn see(&mut self, time: Millis) -> i64 {
        if let Some(at) = time.get() {
            let last = &mut self.application.last_event_ms;
            *last = at.max(*last);
            self.first_ms = Some(self.first_ms.map_or(at, |first| first.min(at)));
        }
        self.at(time)
    }

    /// A time that does not count as progress: executors are added and removed by other clocks,
    /// and logs were seen whose executors come years after their tasks.
    fn at(&self, time: Millis) -> i64 {
        time.get().unwrap_or(self.application.last_event_ms)
    }

    pub(super) fn on_application_end(&mut self, event: &ApplicationEnd) {
        let at = self.see(event.timestamp);
        self.application.ended_ms = Some(at);
    }

    pub(super) fn on_environment_update(&mut self, event: EnvironmentUpdate) {
        self.application.properties.extend(event.spark_properties);
    }

    pub(super) fn on_resource_profile(&mut self, event: &ResourceProfileAdded) {
        if event.id == 0 {
            let amount = |name: &str| event.executor.get(name).map(|request| request.amount.0);
            self.profile = DefaultProfile {
                cores: amount("cores"),
                memory_mib: amount("memory"),
                overhead_mib: amount("memoryOverhead"),
            };
        }
    }

    pub(super) fn on_executor_added(&mut self, event: ExecutorAdded<'_>) {
        let added_ms = self.at(event.timestamp);
        let info = event.info.as_ref();
        let host = info.and_then(|info| info.host.as_deref());
        let cores = info.map_or(0, |info| u32::try_from(info.cores.0).unwrap_or(u32::MAX));
        let profile = info.map_or(0, |info| info.resource_profile.0);
        let id = clip(&event.id, NAME_MAX);
        let executors = &mut self.application.executors;
        if self.alive.contains_key(&id) {
            self.notes.executors_added_again += 1;
            return;
        }
        self.alive.insert(id.clone(), executors.len());
        executors.push(RecordedExecutor {
            id,
            host: clip(host.unwrap_or_default(), NAME_MAX),
            cores,
            resource_profile: u32::try_from(profile).unwrap_or(u32::MAX),
            added_ms,
            removed_ms: None,
            removal_reason: None,
        });
    }

    pub(super) fn on_executor_removed(&mut self, event: &ExecutorRemoved<'_>) {
        let at = self.at(event.timestamp);
        let Some(place) = self.alive.remove(event.id.as_ref()) else {
            self.notes.executors_removed_unknown += 1;
            return;
        };
        let executor = &mut self.application.executors[place];
        executor.removed_ms = Some(at);
        executor.removal_reason = event.reason.as_deref().map(|text| clip(text, MESSAGE_MAX));
    }

    pub(super) fn on_job_start(&mut self, event: JobStart<'_>) {
        // Only stages that others read from: of a last stage, an action may want a part.
        let read: BTreeSet<u32> = event.infos.iter().flat_map(|s| &s.parents).copied().collect();
        for stage in event.infos.iter().filter(|stage| read.contains(&stage.id)) {
            let tasks = u32::try_from(stage.number_of_tasks.0).unwrap_or(u32::MAX);
            self.announced.insert(stage.id, tasks);
        }
        let submitted_ms = self.see(event.submitted);
        let (group, pool) =
            event.properties.map_or((None, None), |properties| (properties.group, properties.pool));
        let job = self.jobs.entry(event.id).or_default();
        job.job_id = event.id;
        job.has_start = true;
        job.has_times = event.submitted.get().is_some();
        job.submitted_ms = submitted_ms;
        job.stage_ids = if event.stages.is_empty() {
            event.infos.iter().map(|stage| stage.id).collect()
        } else {
            event.stages
        };
        job.group = group.map(|text| clip(&text, NAME_MAX));
        job.pool = pool.map(|text| clip(&text, NAME_MAX));
    }

    pub(super) fn on_job_end(&mut self, event: &JobEnd<'_>) {
        let at = self.see(event.completed);
        if !self.jobs.contains_key(&event.id) {
            self.notes.jobs_without_start += 1;
        }
        let job = self.jobs.entry(event.id).or_insert_with(|| RecordedJob {
            job_id: event.id,
            submitted_ms: at,
            ..RecordedJob::default()
        });
        job.completed_ms = Some(at);
        job.result = if event.result.result == "JobSucceeded" {
            JobResult::Succeeded
        } else {
            let exception = event.result.exception.as_ref();
            let message = exception.and_then(|exception| exception.message.as_deref());
            JobResult::Failed(clip(message.unwrap_or(&event.result.result), MESSAGE_MAX))
        };
    }

    pub(super) fn on_stage_submitted(&mut self, event: &StageEvent<'_>) {
        let at = self.see(event.info.submitted);
        self.stage_attempt(&event.info, at);
    }

    pub(super) fn on_stage_completed(&mut self, event: &StageEvent<'_>) {
        let info = &event.info;
        let submitted = self.see(info.submitted);
        let completed = self.see(info.completed);
        let failure = info.failure.as_deref().map(|text| clip(text, MESSAGE_MAX));
        let complete = failure.is_none();
        let attempt = self.stage_attempt(info, submitted);
        attempt.completed_ms = Some(completed.max(attempt.submitted_ms));
        attempt.failure = failure;
        if let Some(open) = self.stages.get_mut(&info.id).filter(|_| complete) {
            note_cached(&mut open.stage, &info.rdds, &mut self.cached_in);
            for rdd in &info.rdds {
                open.stage.barrier |= rdd.barrier;
                if rdd.memory.0 > 0 && self.cached.insert(rdd.id) {
                    open.stage.cached_bytes = open.stage.cached_bytes.saturating_add(rdd.memory.0);
                }
            }
            open.tasks.reads_shuffle = open.stage.shuffle_read_bytes > 0;
            open.tasks.by_partition |= open.stage.caches || open.stage.cached_by.is_some();
            open.tasks.pack();
        }
    }

    pub(super) fn on_unpersist(&mut self, event: &UnpersistRdd) {
        self.cached_in.remove(&event.id);
    }

    /// The record of a stage attempt, made where it is new; `at_ms` is its submission.
    fn stage_attempt(&mut self, info: &StageInfo<'_>, at_ms: i64) -> &mut StageAttempt {
        let stage = &mut self.stages.entry(info.id).or_default().stage;
        stage.stage_id = info.id;
        if let Some(name) = info.name.as_deref().filter(|_| stage.name.is_empty()) {
            stage.name = clip(name, NAME_MAX);
        }
        stage.resource_profile = u32::try_from(info.resource_profile.0).unwrap_or(u32::MAX);
        let tasks = u32::try_from(info.number_of_tasks.0).unwrap_or(u32::MAX);
        stage.number_of_tasks = stage.number_of_tasks.max(tasks);
        if stage.parents.is_none() {
            stage.parents.clone_from(&info.parents);
        }
        attempt_of(stage, info.attempt, info.submitted.get().unwrap_or(at_ms))
    }

    pub(super) fn on_stage_metrics(&mut self, event: &StageExecutorMetrics<'_>) {
        self.see_memory(&event.executor, event.metrics.as_ref());
    }

    pub(super) fn on_metrics_update(&mut self, event: &ExecutorMetricsUpdate<'_>) {
        for update in &event.updates {
            self.see_memory(&event.executor, update.metrics.as_ref());
        }
    }

    fn see_memory(&mut self, executor: &str, metrics: Option<&ExecutorMetrics>) {
        let bytes = metrics.map(ExecutorMetrics::container_bytes);
        // Spark up to 2 calls the driver `<driver>`.
        let peak = if executor.trim_matches(['<', '>']) == "driver" {
            &mut self.application.peak_driver_bytes
        } else {
            &mut self.application.peak_executor_bytes
        };
        *peak = (*peak).max(bytes.filter(|bytes| *bytes > 0));
    }

    pub(super) fn on_task_end(&mut self, event: &TaskEnd<'_>) {
        let launched = event.info.launched.get();
        self.see(event.info.launched);
        self.see(event.info.finished);
        self.see_memory("", event.executor_metrics.as_ref());
        let last_ms = self.application.last_event_ms;
        let launched_ms = launched.unwrap_or(last_ms);
        let id = event.info.executor.as_deref().unwrap_or_default();
        let slots = self.slots_of(id);
        let (executor, first_ms) = self.executor_of(id, launched_ms);
        let open = self.stages.entry(event.stage).or_default();
        open.stage.stage_id = event.stage;
        if open.stage.attempts.is_empty() {
            attempt_of(&mut open.stage, event.stage_attempt, launched.unwrap_or(last_ms));
        }
        if let Some(id) = event.info.id {
            let first = &mut self.application.first_task_id;
            *first = Some(first.map_or(id, |first| first.min(id)));
        }
        let counts = &mut self.application.tasks;
        if event.reason.reason != "Success" {
            let reasons = &mut counts.not_succeeded;
            let known = reasons.len() < REASONS_MAX || reasons.contains_key(&*event.reason.reason);
            let reason = if known { &event.reason.reason } else { "(other)" };
            *reasons.entry(clip(reason, 80)).or_default() += 1;
            open.tasks.by_partition = true;
            if self.application.faults.len() < RecordedApplication::FAULTS_MAX {
                self.application.faults.push((event.stage, recording::fault_of(event)));
            }
            return;
        }
        let run_time = event.metrics.as_ref().map(|metrics| metrics.run_time.0);
        let wall = launched.zip(event.info.finished.get());
        let wall = wall.and_then(|(from, until)| u64::try_from(until - from).ok());
        counts.bad_times += u64::from(wall.is_none());
        let ms = wall.or(run_time).unwrap_or(0);
        let duration_ms = u32::try_from(ms).unwrap_or(u32::MAX);
        self.notes.long_tasks += u64::from(ms > u64::from(u32::MAX));
        counts.succeeded += 1;
        counts.succeeded_ms += u64::from(duration_ms);
        counts.without_metrics += u64::from(event.metrics.is_none());
        let small = |ms: u64| u32::try_from(ms).unwrap_or(u32::MAX - 1);
        // A run time of 0 was not measured, or tells nothing about the rest.
        let measured = run_time.filter(|ms| *ms > 0);
        let spark_ms = measured.map_or(u32::MAX, |run_time| small(ms.saturating_sub(run_time)));
        let task = DoneTask {
            spark_ms,
            cpu_ms: event.metrics.as_ref().map_or(0, |metrics| small(metrics.cpu_ms())),
            executor,
            stage_attempt: event.stage_attempt,
            index: event.info.index,
            partition: event.info.partition.and_then(|id| u32::try_from(id).ok()),
            launched_ms,
            duration_ms,
            slots,
            fresh: launched_ms - first_ms < task_overheads::FRESH_MS,
        };
        if open.tasks.add(task, open.stage.number_of_tasks) {
            open.stage.saw(launched, event.info.finished.get());
            open.add_bytes(event);
        } else {
            open.stage.tasks_repeated += 1;
            counts.repeated += 1;
            counts.repeated_ms += u64::from(duration_ms);
        }
    }
}

impl OpenApplication {
    /// How many tasks an executor that is alive runs at a time; 0 where that is not known.
    fn slots_of(&self, id: &str) -> u32 {
        let Some(place) = self.alive.get(id) else { return 0 };
        let cores = self.application.executors[*place].cores;
        let cpus = self.application.properties.get("spark.task.cpus");
        cores / cpus.and_then(|text| text.trim().parse().ok()).unwrap_or(1u32).max(1)
    }

    /// A task's executor as a number, and when its first task was launched.
    fn executor_of(&mut self, id: &str, launched_ms: i64) -> (u32, i64) {
        let number = match self.executor_numbers.get(id) {
            Some(number) => *number,
            None => {
                let number = self.executor_numbers.len() as u32;
                self.executor_numbers.insert(clip(id, NAME_MAX), number);
                self.first_launches_ms.push(launched_ms);
                number
            }
        };
        let first = &mut self.first_launches_ms[number as usize];
        *first = launched_ms.min(*first);
        (number, *first)
    }
}

impl OpenStage {
    fn add_bytes(&mut self, event: &TaskEnd<'_>) {
        let locality = &mut self.stage.locality;
        match event.info.locality.as_deref() {
            Some("PROCESS_LOCAL") => locality.process_local += 1,
            Some("NODE_LOCAL") => locality.node_local += 1,
            Some("RACK_LOCAL") => locality.rack_local += 1,
            _ => locality.any += 1,
        }
        let Some(metrics) = &event.metrics else {
            return;
        };
        let stage = &mut self.stage;
        let add = |total: &mut u64, bytes: u64| *total = total.saturating_add(bytes);
        add(&mut stage.input_bytes, metrics.input_bytes());
        add(&mut stage.shuffle_read_bytes, metrics.shuffle_read_bytes());
        add(&mut stage.shuffle_write_bytes, metrics.shuffle_write_bytes());
        add(&mut stage.output_bytes, metrics.output_bytes());
        add(&mut stage.spilled_bytes, metrics.spilled.0);
        add(&mut stage.cpu_ms, metrics.cpu_ms());
        add(&mut stage.gc_ms, metrics.gc_time.0);
        add(&mut stage.fetch_wait_ms, metrics.fetch_wait_ms());
        stage.peak_task_bytes = stage.peak_task_bytes.max(metrics.peak_memory.0);
    }
}

/// Which cached RDD the stage computes or reads, partition by partition. Of several that it reads,
/// Spark asks for the blocks of the one that is nearest to its end: the youngest. An RDD with
/// another number of partitions than the stage has tasks says nothing of a task's place.
fn note_cached(stage: &mut RecordedStage, rdds: &[RddInfo], cached_in: &mut BTreeMap<u32, u32>) {
    let tasks = u64::from(stage.number_of_tasks);
    let is_cached = |rdd: &&RddInfo| (rdd.level.memory || rdd.level.disk) && rdd.partitions.0 > 0;
    let mut read = None;
    for rdd in rdds.iter().filter(is_cached) {
        match cached_in.get(&rdd.id) {
            Some(by) if *by == stage.stage_id => {}
            Some(by) if rdd.partitions.0 == tasks => read = read.max(Some((rdd.id, *by))),
            Some(_) => {}
            None => {
                cached_in.insert(rdd.id, stage.stage_id);
                stage.caches = true;
            }
        }
    }
    stage.cached_by = read.map(|(_, by)| by).or(stage.cached_by);
}

/// The record of attempt `number`, made with `submitted_ms` where it is new.
fn attempt_of(stage: &mut RecordedStage, number: u32, submitted_ms: i64) -> &mut StageAttempt {
    let attempts = &mut stage.attempts;
    let place = match attempts.binary_search_by_key(&number, |attempt| attempt.attempt) {
        Ok(place) => place,
        Err(place) => {
            let attempt = StageAttempt { attempt: number, submitted_ms, ..StageAttempt::default() };
            attempts.insert(place, attempt);
            place
        }
    };
    &mut attempts[place]
}

/// The first `max` characters of `text`.
pub(super) fn clip(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}
