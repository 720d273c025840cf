//! The loop of a replay: what comes next, until the application is done.

use std::collections::VecDeque;

use super::adapt::adapt;
use super::start_up::{StartUp, StartUpKind};
use super::{ExecutorArrivals, Replay, ReplaySettings};
use crate::scenario::DynamicAllocation;
use crate::spark::{Fate, Fault, Met, Overheads, Progress, Rules, Target, Work};
use crate::units::{SimDuration, SimTime};
use crate::workload::{Failure, Recording, Removal, Run, Stage, TaskFaultKind};

/// A replay that does not end by then never does: some executor never came.
const HORIZON: SimDuration = SimDuration::hours(24 * 365);
/// Steps after which a replay is given up: a guard against a mistake of ours, not a limit of use.
const STEPS_MAX: u64 = 500_000_000;

/// An executor that is there or will be.
#[derive(Debug, Clone, Copy)]
struct Held {
    key: u32,
    added_at: SimTime,
    /// When the recording let it go, or lost it.
    goes: Option<(SimTime, Removal)>,
    gone: bool,
}

/// One application's replay.
pub(super) struct Driver<'a> {
    settings: &'a ReplaySettings<'a>,
    run: &'a Run,
    progress: Progress<u32>,
    target: Target,
    start_up: StartUp,
    /// Recorded arrivals to come: (time, key, host, cores).
    arrivals: VecDeque<(SimTime, u32, u32, u32)>,
    /// Resource profiles of recorded executors, by key, where there are several.
    profiles: Vec<u32>,
    held: Vec<Held>,
    next_key: u32,
    next_round: Option<SimTime>,
    /// When the first job was submitted.
    started_at: Option<SimTime>,
    executor_time: SimDuration,
    executors_peak: u32,
    now: SimTime,
}

impl<'a> Driver<'a> {
    /// Everything is ready to start.
    pub(super) fn new(run: &'a Run, settings: &'a ReplaySettings<'a>) -> Self {
        let nothing = Recording::default();
        let source = run.recording.as_deref().unwrap_or(&nothing);
        let aim = settings.target.unwrap_or(source);
        let stages = run.stages.as_deref().unwrap_or_default();
        let own = matches!(settings.arrivals, ExecutorArrivals::Recorded(from) if from == source);
        let (mut stages, overheads) = match own {
            true => (as_recorded(stages, source), Overheads::default()),
            false => adapt(stages, source, aim, settings.assumptions),
        };
        // The clock of the target starts with its first job, and so does the work.
        let lead = source.first_job_at.unwrap_or_default();
        for stage in stages.iter_mut().filter(|stage| stage.parents.is_empty()) {
            stage.driver_gap = stage.driver_gap.saturating_sub(lead);
        }
        let work = Work { stages: stages.into(), tail: SimDuration::ZERO };
        let spark = settings.spark;
        let mut rules = Rules::new(spark, overheads);
        let several =
            |recording: &Recording| recording.executors.iter().any(|e| e.resource_profile != 0);
        rules.by_profile =
            matches!(settings.arrivals, ExecutorArrivals::Recorded(from) if several(from));
        rules.recorded_fetches = settings.recorded_faults;
        let by_profile = rules.by_profile;
        let mut progress = Progress::new(work, rules, None);
        if settings.recorded_faults {
            add_faults(&mut progress, source, spark.speculation.enabled);
        }
        let kind = if aim.one_host {
            StartUpKind::Shared(f64::from(settings.assumptions.host_cores.max(1)))
        } else {
            let assumptions = settings.assumptions;
            StartUpKind::Latency(assumptions.container_start + assumptions.executor_start.p50)
        };
        let mut driver = Self {
            settings,
            run,
            progress,
            target: Target::new(initial_executors(settings)),
            start_up: StartUp::new(kind),
            arrivals: VecDeque::new(),
            profiles: Vec::new(),
            held: Vec::new(),
            next_key: 0,
            next_round: None,
            started_at: None,
            executor_time: SimDuration::ZERO,
            executors_peak: 0,
            now: SimTime::ZERO,
        };
        if let ExecutorArrivals::Recorded(recording) = settings.arrivals {
            driver.take_arrivals(recording);
            if by_profile {
                driver.profiles = recording.executors.iter().map(|e| e.resource_profile).collect();
            }
        }
        driver
    }

    fn take_arrivals(&mut self, recording: &Recording) {
        let mut executors: Vec<_> = recording.executors.iter().enumerate().collect();
        executors.sort_by_key(|(place, executor)| (executor.added_at, *place));
        for (place, executor) in executors {
            let at = SimTime::ZERO + executor.added_at + REGISTERED_TO_FIRST_TASK;
            let key = place as u32;
            self.arrivals.push_back((at, key, executor.host, executor.cores));
            let goes = executor.removed_at.map(|at| SimTime::ZERO + at).zip(executor.removal);
            self.held.push(Held { key, added_at: at, goes, gone: true });
        }
        self.next_key = recording.executors.len() as u32;
    }

    /// Runs to the end.
    pub(super) fn run(mut self) -> Replay {
        let mut result = Ok(());
        for _ in 0..STEPS_MAX {
            if let Some(failure) = self.bring_up_to_now() {
                result = Err(failure);
                break;
            }
            if self.progress.stages_finished_at().is_some_and(|at| at <= self.now) {
                break;
            }
            let Some(next) = self.next() else {
                result = Err(Failure::Unschedulable);
                break;
            };
            if next.since(SimTime::ZERO) > HORIZON {
                result = Err(Failure::Unschedulable);
                break;
            }
            self.now = next.max(self.now);
        }
        self.finish(result)
    }

    /// Everything that is due now. Gives the reason if the application gives up.
    fn bring_up_to_now(&mut self) -> Option<Failure> {
        loop {
            match self.progress.advance(self.now) {
                Met::Nothing => break,
                Met::OomKill(key) => self.remove(key, Fate::blamed(Failure::ExecutorOom)),
                Met::Aborted(failure) => return Some(failure),
            }
        }
        self.arrive();
        self.lose();
        self.start_job();
        if self.settings.spark.dynamic_allocation.enabled && self.progress.is_started() {
            self.adjust();
        }
        self.allocate();
        None
    }

    fn arrive(&mut self) {
        while let Some((at, key, host, cores)) = self.arrivals.front().copied() {
            if at > self.now {
                break;
            }
            self.arrivals.pop_front();
            self.add(key, host, cores);
        }
        for key in self.start_up.take_ready(self.now) {
            let cores = self.settings.spark.executor_cores;
            self.held.push(Held { key, added_at: self.now, goes: None, gone: true });
            let aim = self.settings.target.or(self.run.recording.as_deref());
            let host = if aim.is_some_and(|aim| aim.one_host) { 0 } else { key };
            self.add(key, host, cores);
        }
    }

    fn add(&mut self, key: u32, host: u32, cores: u32) {
        let slots = (cores / self.settings.spark.task_cpus.max(1)).max(1);
        self.progress.add_executor(self.now, key, host, slots);
        if let Some(profile) = self.profiles.get(key as usize) {
            self.progress.set_profile(self.now, key, *profile);
        }
        if let Some(held) = self.held.iter_mut().find(|held| held.key == key) {
            held.gone = false;
            held.added_at = self.now;
        }
        let alive = self.progress.executors_live();
        self.executors_peak = self.executors_peak.max(alive);
    }

    /// Recorded ends of executors: losses where they are to happen again, and releases once the
    /// executor is idle.
    fn lose(&mut self) {
        let due: Vec<Held> = self
            .held
            .iter()
            .filter(|held| !held.gone && held.goes.is_some_and(|(at, _)| at <= self.now))
            .copied()
            .collect();
        for held in due {
            let Some((_, removal)) = held.goes else { continue };
            let fate = match removal {
                Removal::Released => {
                    if !self.is_idle(held.key) {
                        continue;
                    }
                    Fate::LOST
                }
                Removal::Exited { .. } => Fate::blamed(Failure::ExecutorOom),
                Removal::Lost => Fate::LOST,
                Removal::Decommissioned => Fate { blames: None, outputs_moved: 1.0 },
            };
            if removal == Removal::Released || self.settings.recorded_faults {
                self.remove(held.key, fate);
            }
        }
    }

    fn is_idle(&self, key: u32) -> bool {
        self.progress.executors().any(|executor| executor.key == key && executor.running == 0)
    }

    fn remove(&mut self, key: u32, fate: Fate) {
        self.progress.remove_executor(self.now, key, fate);
        if let Some(held) = self.held.iter_mut().find(|held| held.key == key) {
            held.gone = true;
            self.executor_time += self.now.since(held.added_at);
        }
    }

    /// The first job is submitted: as recorded where executors are, else once enough executors are
    /// registered or the wait is over.
    fn start_job(&mut self) {
        if self.progress.is_started() {
            return;
        }
        let spark = self.settings.spark;
        let aim = self.settings.target.or(self.run.recording.as_deref());
        let ready = match self.settings.arrivals {
            ExecutorArrivals::Recorded(recording) => {
                self.now.since(SimTime::ZERO) >= recording.first_job_at.unwrap_or_default()
            }
            ExecutorArrivals::Modelled => {
                let wanted = f64::from(initial_executors(self.settings));
                let ratio = match aim {
                    Some(aim) if aim.warmed_up => 1.0,
                    _ => spark.min_registered_resources_ratio,
                };
                let registered = f64::from(self.progress.executors_live());
                let waited = self.now.since(SimTime::ZERO);
                registered >= wanted * ratio
                    || waited >= spark.max_registered_resources_waiting_time
            }
        };
        if ready {
            if aim.is_some_and(|aim| aim.warmed_up) {
                self.progress.warm_executors();
            }
            self.started_at = Some(self.now);
            self.progress.start(self.now);
        }
    }

    fn adjust(&mut self) {
        if !matches!(self.settings.arrivals, ExecutorArrivals::Modelled) {
            return;
        }
        let settings = &self.settings.spark.dynamic_allocation;
        let (limits, slots) = (limits(settings), self.slots());
        self.target.update(self.now, &mut self.progress, settings, limits, slots);
        for key in self.target.idle_executors(self.now, &self.progress, settings, limits.0) {
            self.remove(key, Fate::LOST);
        }
    }

    fn slots(&self) -> u32 {
        let spark = self.settings.spark;
        (spark.executor_cores / spark.task_cpus.max(1)).max(1)
    }

    /// Asks for executors that are missing: a batch a round.
    fn allocate(&mut self) {
        if !matches!(self.settings.arrivals, ExecutorArrivals::Modelled) {
            return;
        }
        let spark = self.settings.spark;
        if self.next_round.is_some_and(|at| at > self.now) {
            return;
        }
        let pending = self.start_up.count() as u32;
        let have = self.progress.executors_live() + pending;
        let missing = self.target.count.saturating_sub(have);
        let room = spark.allocation_max_pending_pods.saturating_sub(pending);
        let batch = missing.min(spark.allocation_batch_size).min(room);
        for _ in 0..batch {
            self.start_up.begin(self.now, self.next_key);
            self.next_key += 1;
        }
        self.next_round = (batch > 0).then(|| self.now + spark.allocation_batch_delay);
    }

    /// When something happens next.
    fn next(&self) -> Option<SimTime> {
        let settings = &self.settings.spark.dynamic_allocation;
        let mut moments: Vec<SimTime> = Vec::new();
        moments.extend(self.progress.next_moment(self.now, settings.enabled, true));
        moments.extend(self.arrivals.front().map(|(at, ..)| *at));
        moments.extend(self.start_up.next());
        moments.extend(self.next_round.filter(|at| *at > self.now));
        let goes = self.held.iter().filter(|held| !held.gone).filter_map(|held| held.goes);
        moments.extend(goes.map(|(at, _)| at).filter(|at| *at > self.now));
        if !self.progress.is_started() {
            moments.extend(self.start_moment());
        } else if settings.enabled && matches!(self.settings.arrivals, ExecutorArrivals::Modelled) {
            let limits = limits(settings);
            let decision =
                self.target.next_decision(&self.progress, settings, limits, self.slots());
            moments.extend(decision.filter(|at| *at > self.now));
        }
        moments.into_iter().min()
    }

    fn start_moment(&self) -> Option<SimTime> {
        let wait = match self.settings.arrivals {
            ExecutorArrivals::Recorded(recording) => recording.first_job_at.unwrap_or_default(),
            ExecutorArrivals::Modelled => self.settings.spark.max_registered_resources_waiting_time,
        };
        Some(SimTime::ZERO + wait).filter(|at| *at > self.now)
    }

    fn finish(mut self, result: Result<(), Failure>) -> Replay {
        let end = self.progress.stages_finished_at().unwrap_or(self.now);
        for held in self.held.iter().filter(|held| !held.gone) {
            self.executor_time += end.since(held.added_at);
        }
        let started = self.started_at.unwrap_or(self.now);
        let nothing = Recording::default();
        let source = self.run.recording.as_deref().unwrap_or(&nothing);
        let job_span = end.since(started) + source.driver_tail;
        let lead = source.first_job_at.unwrap_or_default();
        let recorded = self.run.duration.unwrap_or_default();
        let tail = source.last_job_ended_at.map(|at| recorded.saturating_sub(at));
        let stages = self.run.stages.as_deref().unwrap_or_default();
        let stage_ends = (0..stages.len())
            .map(|place| {
                Some(SimTime::ZERO + lead + self.progress.stage_done_at(place)?.since(started))
            })
            .collect();
        Replay {
            job_span,
            duration: lead + job_span + tail.unwrap_or_default(),
            stage_ends,
            executor_time: self.executor_time,
            executors_peak: self.executors_peak,
            tasks_succeeded: self.progress.tasks_succeeded,
            tasks_not_succeeded: self.progress.tasks_not_succeeded,
            result,
        }
    }
}

/// Stages whose tasks take exactly what they took: for the executors they took it on.
fn as_recorded(stages: &[Stage], recording: &Recording) -> Vec<Stage> {
    let mut stages = stages.to_vec();
    for (stage, times) in stages.iter_mut().zip(&recording.task_times) {
        if times.count() == stage.tasks.count() {
            stage.tasks = times.clone();
            stage.first_task_overhead = SimDuration::ZERO;
        }
    }
    stages
}

/// From an executor's registration to its first task: its block manager registers, too. Guess: 70
/// to 470 ms on our own recordings, 250 to 330 ms in logs of others.
const REGISTERED_TO_FIRST_TASK: SimDuration = SimDuration::from_millis(200);

/// A task that could not fetch for longer than this had an executor go while it fetched; one that
/// finds the executor gone fails sooner, which the replay finds by itself. Source:
/// `spark.shuffle.io.retryWait` (5 s).
const HANGS_AFTER: SimDuration = SimDuration::seconds(4);

/// The task failures of the recording happen again. An attempt that was killed for a faster copy
/// took longer than the copy; how long is not known.
fn add_faults(progress: &mut Progress<u32>, source: &Recording, speculation: bool) {
    for fault in &source.task_faults {
        let again = match fault.kind {
            TaskFaultKind::Exception => Fault::Throws(fault.after),
            TaskFaultKind::FetchFailed if fault.after > HANGS_AFTER => {
                Fault::CannotFetch(fault.after)
            }
            TaskFaultKind::Killed if speculation => Fault::Slow(fault.after * 10),
            _ => continue,
        };
        progress.add_fault(fault.stage, fault.partition, fault.attempt, again);
    }
}

fn limits(settings: &DynamicAllocation) -> (u32, u32) {
    let max = settings.max_executors.max(1);
    (settings.min_executors.min(max), max)
}

fn initial_executors(settings: &ReplaySettings<'_>) -> u32 {
    let spark = settings.spark;
    let dynamic = &spark.dynamic_allocation;
    if !dynamic.enabled {
        return spark.executor_instances.max(1);
    }
    let (min, max) = limits(dynamic);
    dynamic.initial_executors.unwrap_or(min).clamp(min, max)
}
