//! An application's stages and tasks on its executors, advancing alone.
//!
//! Tasks need no global events: between changes from outside, the application keeps the tasks that
//! run by their ends (`running.rs`) and is advanced to the present when something from outside asks
//! ([`Progress::advance`]). What is outside cares only for few moments (the end, executors that
//! may go idle, an executor's death), and [`Progress::next_moment`] gives a time that is not after
//! the next of them. Waking too early costs an event; waking too late cannot happen.
//!
//! Models: stages and tasks that get slots (`launching.rs`); tasks that hold out for a better placed
//! one (`locality.rs`); overheads of first tasks and fresh executors (`overheads.rs`); failed tasks
//! and limits (`failures.rs`); executors lost with their shuffle output and cached blocks
//! (`losses.rs`) until all is made good (`recovery.rs`); copies of slow tasks (`speculation.rs`).
//! The usual course of a stage has loops of its own (`in_order.rs`). Leaves out: barrier stages.
//!
//! Executors are known by a key of whoever owns them: a pod in a cluster, a number in a replay.
//!
//! Source: facts-spark A2 and A5.

mod bounds;
mod failures;
mod in_order;
mod lanes;
mod launching;
mod locality;
mod losses;
mod overheads;
mod recovery;
mod running;
mod speculation;
mod stage_state;
mod tournament;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::rules::{Overheads, Rules};
use super::work::Work;
use crate::cluster::PodId;
use crate::units::{SimDuration, SimTime};
use crate::workload::Failure;
use failures::Failures;
pub(crate) use failures::Fault;
pub(crate) use losses::Fate;
use running::{Ending, Running, RunningTasks};
use stage_state::StageState;

/// The state of an application's work on executors that are known by `K`.
#[derive(Debug)]
pub(crate) struct Progress<K = PodId> {
    work: Work,
    rules: Rules,
    stages: Vec<StageState>,
    /// Submitted stages with tasks to launch, in the order of [`Progress::goes_before`].
    open: VecDeque<u32>,
    /// Submitted stages that are not done.
    active: Vec<u32>,
    /// Tasks of submitted stages that wait for a slot.
    pending: u32,
    /// Stages whose parents are done: submitted at that time.
    submissions: BinaryHeap<Reverse<(SimTime, u32)>>,
    running: RunningTasks,
    executors: Vec<Executor<K>>,
    /// How many of them are there.
    live: u32,
    /// Their slots.
    slots: u64,
    /// Free slots, by executor; the one that was free first comes first.
    free: VecDeque<u32>,
    stages_left: u32,
    started: bool,
    /// When the last stage ended.
    last_stage_at: SimTime,
    /// The task that kills its executor, until it has been met often enough.
    doom: Option<Doom>,
    failures: Failures,
    /// Something happened, or may, that the bounds on the next moment do not see.
    exceptional: bool,
    /// Tasks of some open stage prefer a place.
    holds_out: bool,
    /// Total time of tasks that are not launched, all stages.
    unlaunched: SimDuration,
    /// Tasks launched so far.
    pub(crate) tasks_launched: u64,
    /// Tasks that ended with success.
    pub(crate) tasks_succeeded: u64,
    /// Tasks that ended without.
    pub(crate) tasks_not_succeeded: u64,
    /// Task time of completed tasks.
    pub(crate) task_time: SimDuration,
    /// Task time lost with executors.
    pub(crate) task_time_lost: SimDuration,
    /// Registered to gone, of executors that are gone.
    pub(crate) executor_time: SimDuration,
    /// Since when tasks wait for slots.
    backlog_since: Option<SimTime>,
    /// Up to when it was advanced.
    advanced_to: SimTime,
    /// Fewest tasks that waited or ran for any length of time since somebody asked.
    fewest_tasks: u32,
}

/// A task that needs more memory than its executor has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doom {
    /// Place of its stage.
    pub(crate) stage: u32,
    /// Its place in the stage.
    pub(crate) task: u32,
    /// Share of its duration after which the executor is killed.
    pub(crate) at: f64,
}

/// An executor, as the application sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Executor<K = PodId> {
    /// Whoever owns it knows it by this.
    pub(crate) key: K,
    /// Where it is: equal where the host is the same one.
    host: u32,
    /// Its resource profile.
    profile: u32,
    /// Slots.
    slots: u32,
    /// Tasks that it runs.
    pub(crate) running: u32,
    /// When it registered.
    added_at: SimTime,
    /// Since when it runs none.
    pub(crate) idle_since: SimTime,
    /// Time of tasks that completed on it.
    pub(crate) busy: SimDuration,
    /// It holds shuffle output.
    pub(crate) holds_shuffle: bool,
    /// It holds cached blocks.
    pub(crate) holds_cache: bool,
    /// When its first task was launched.
    first_task_at: Option<SimTime>,
    /// Nothing is to be loaded or compiled on it.
    warm: bool,
    /// Ways through Spark's code that tasks on it have taken: a bit each.
    code_paths: u8,
    /// It gets no new tasks.
    draining: bool,
    /// It is there.
    pub(crate) alive: bool,
}

/// What [`Progress::advance`] met on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met<K = PodId> {
    /// Nothing that concerns anybody else.
    Nothing,
    /// This executor was killed for memory, now.
    OomKill(K),
    /// The application gave up, now.
    Aborted(Failure),
}

impl<K: Copy + Eq> Progress<K> {
    /// Work that has not started. `doom` names the task that kills its executor, if there is one.
    pub(crate) fn new(work: Work, rules: Rules, doom: Option<Doom>) -> Self {
        let mut stages: Vec<StageState> = work
            .stages
            .iter()
            .map(|stage| StageState {
                parents_left: stage.parents.len() as u32,
                left: stage.tasks.count(),
                waiting: stage.tasks.total(),
                longest: stage.tasks.longest(),
                as_recorded: rules.overheads == Overheads::default()
                    && stage.first_task_overhead.is_zero()
                    && stage.cached_by.is_none(),
                ..StageState::default()
            })
            .collect();
        for (place, stage) in work.stages.iter().enumerate() {
            for parent in &stage.parents {
                stages[*parent as usize].waiters.push(place as u32);
            }
            for parent in work.read_by(place) {
                stages[*parent as usize].readers.push(place as u32);
            }
            if let Some(by) = stage.cached_by {
                stages[by as usize].blocks_read = true;
            }
        }
        let unlaunched = stages.iter().fold(SimDuration::ZERO, |sum, stage| sum + stage.waiting);
        Self {
            stages_left: stages.len() as u32,
            exceptional: rules.speculation.enabled || rules.exclusion.enabled,
            holds_out: false,
            work,
            rules,
            stages,
            open: VecDeque::new(),
            active: Vec::new(),
            pending: 0,
            submissions: BinaryHeap::new(),
            running: RunningTasks::default(),
            executors: Vec::new(),
            live: 0,
            slots: 0,
            free: VecDeque::new(),
            started: false,
            last_stage_at: SimTime::ZERO,
            doom,
            failures: Failures::default(),
            unlaunched,
            tasks_launched: 0,
            tasks_succeeded: 0,
            tasks_not_succeeded: 0,
            task_time: SimDuration::ZERO,
            task_time_lost: SimDuration::ZERO,
            executor_time: SimDuration::ZERO,
            backlog_since: None,
            advanced_to: SimTime::ZERO,
            fewest_tasks: 0,
        }
    }

    /// The driver is ready to submit jobs.
    pub(crate) fn start(&mut self, now: SimTime) {
        self.started = true;
        self.last_stage_at = now;
        for (place, stage) in self.stages.iter().enumerate() {
            if stage.parents_left == 0 {
                let at = now + self.work.stages[place].driver_gap;
                self.submissions.push(Reverse((at, place as u32)));
            }
        }
    }

    /// Whether the driver has started.
    pub(crate) fn is_started(&self) -> bool {
        self.started
    }

    /// An executor has registered on `host`.
    pub(crate) fn add_executor(&mut self, now: SimTime, key: K, host: u32, slots: u32) {
        let place = self.executors.len() as u32;
        self.executors.push(Executor {
            key,
            host,
            profile: 0,
            slots,
            running: 0,
            added_at: now,
            idle_since: now,
            busy: SimDuration::ZERO,
            holds_shuffle: false,
            holds_cache: false,
            first_task_at: None,
            warm: false,
            code_paths: 0,
            draining: false,
            alive: true,
        });
        self.live += 1;
        self.slots += u64::from(slots);
        for _ in 0..slots {
            self.free.push_back(place);
        }
        self.launch(now);
    }

    /// The executor gets only tasks of stages with that resource profile.
    pub(crate) fn set_profile(&mut self, now: SimTime, key: K, profile: u32) {
        self.exceptional = true;
        if let Some(executor) = self.executors.iter_mut().find(|e| e.alive && e.key == key) {
            executor.profile = profile;
        }
        self.launch(now);
    }

    /// Executors that are there.
    pub(crate) fn executors(&self) -> impl Iterator<Item = &Executor<K>> {
        self.executors.iter().filter(|executor| executor.alive)
    }

    /// How many executors are there.
    pub(crate) fn executors_live(&self) -> u32 {
        self.live
    }

    /// Executors that have registered so far, those that are gone included.
    pub(crate) fn executors_ever(&self) -> u32 {
        self.executors.len() as u32
    }

    /// Tasks that run.
    pub(crate) fn tasks_running(&self) -> u32 {
        self.running.len() as u32
    }

    /// Tasks of submitted stages that wait for a slot.
    pub(crate) fn tasks_pending(&self) -> u32 {
        self.pending
    }

    /// Fewest tasks that waited or ran since this was last asked. Targets of dynamic allocation
    /// fall with them at once, so nobody has to look at every end of a task.
    pub(crate) fn take_fewest_tasks(&mut self) -> u32 {
        let now = self.tasks_pending() + self.tasks_running();
        std::mem::replace(&mut self.fewest_tasks, now).min(now)
    }

    /// Since when tasks wait for slots; `None` if none do.
    pub(crate) fn backlog_since(&self) -> Option<SimTime> {
        self.backlog_since
    }

    /// When the driver is done, once all stages are.
    pub(crate) fn finishes_at(&self) -> Option<SimTime> {
        self.stages_finished_at().map(|at| at + self.work.tail)
    }

    /// When the last stage was complete, once all are.
    pub(crate) fn stages_finished_at(&self) -> Option<SimTime> {
        (self.started && self.stages_left == 0).then_some(self.last_stage_at)
    }

    /// When the stage at `place` was complete, the last time that it was.
    pub(crate) fn stage_done_at(&self, place: usize) -> Option<SimTime> {
        self.stages[place].done_at
    }

    /// Brings everything up to `now`. Stops at an OOM kill or when the application gives up, which
    /// happen at `now` because nobody sleeps past them.
    pub(crate) fn advance(&mut self, now: SimTime) -> Met<K> {
        loop {
            self.advance_in_order(now);
            if let Some(failure) = self.failures.aborted {
                return Met::Aborted(failure);
            }
            let ends = self.next_task_end();
            let submits = self.submissions.peek().map(|Reverse((at, _))| *at);
            let looks = self.next_speculation();
            let eases = self.next_easing();
            let next = ends.into_iter().chain(submits).chain(looks).chain(eases).min();
            self.pass_time(next.unwrap_or(now).min(now));
            let Some(at) = next.filter(|at| *at <= now) else { break };
            if ends == Some(at) {
                let Some(task) = self.running.first().copied() else {
                    break;
                };
                if task.ending == Ending::Kills {
                    // It stays, so that the removal of its executor finds it.
                    return Met::OomKill(self.executors[task.executor as usize].key);
                }
                self.running.pop();
                self.task_ended(task);
            } else if submits == Some(at) {
                if let Some(Reverse((_, stage))) = self.submissions.pop() {
                    self.submit(stage, at);
                }
            } else if looks == Some(at) {
                self.speculate(at);
            }
            self.launch(at);
        }
        Met::Nothing
    }

    /// The task that killed executors was tried too often, or is not fatal any more.
    pub(crate) fn lift_doom(&mut self) {
        self.doom = None;
    }

    /// What holds now holds until `to`: states that last no time are not seen by anybody.
    fn pass_time(&mut self, to: SimTime) {
        if to > self.advanced_to {
            self.advanced_to = to;
            let tasks = self.tasks_pending() + self.tasks_running();
            self.fewest_tasks = self.fewest_tasks.min(tasks);
        }
    }

    fn task_ended(&mut self, task: Running) {
        let executor = &mut self.executors[task.executor as usize];
        executor.running -= 1;
        executor.idle_since = task.end;
        if executor.alive && !executor.draining {
            self.free.push_back(task.executor);
        }
        self.stages[task.stage as usize].running -= 1;
        match task.ending {
            Ending::Fails => self.task_failed(task),
            Ending::FetchFails => self.fetch_gave_up(task),
            Ending::Succeeds | Ending::Kills => self.complete(task),
        }
    }

    fn complete(&mut self, task: Running) {
        let executor = &mut self.executors[task.executor as usize];
        let time = task.end.since(task.start);
        executor.busy += time;
        self.task_time += time;
        self.tasks_succeeded += 1;
        let recorded = &self.work.stages[task.stage as usize];
        executor.holds_cache |= recorded.leaves_blocks();
        if self.rules.overheads != Overheads::default() {
            let code = self.code_path(task.stage);
            self.executors[task.executor as usize].code_paths |= code;
        }
        let executor = &mut self.executors[task.executor as usize];
        let stage = &mut self.stages[task.stage as usize];
        stage.ran_on.insert(task.executor);
        if !stage.done.insert(task.task) {
            // A copy, or an attempt that was given up, had done it before.
            return;
        }
        if self.rules.speculation.enabled {
            stage.durations_ms.push(u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
        }
        if !stage.readers.is_empty() {
            executor.holds_shuffle = true;
            stage.outputs[task.task as usize] = task.executor;
        }
        stage.left -= 1;
        let left = stage.left;
        self.keep_block(task.stage, task.task, task.executor);
        if self.exceptional {
            self.drop_copies_of(task.stage, task.task, task.end);
        }
        if left == 0 && self.stages[task.stage as usize].active {
            self.stage_done(task.stage, task.end);
        }
    }

    fn stage_done(&mut self, place: u32, at: SimTime) {
        self.active.retain(|active| *active != place);
        self.stages_left -= 1;
        self.last_stage_at = self.last_stage_at.max(at);
        let state = &mut self.stages[place as usize];
        state.active = false;
        state.fetch_failures = 0;
        state.done_at = Some(at);
        let waiters = std::mem::take(&mut state.waiters);
        for waiter in waiters {
            let state = &mut self.stages[waiter as usize];
            state.parents_left -= 1;
            if state.parents_left == 0 {
                let gap = match state.submitted {
                    true => SimDuration::ZERO,
                    false => self.work.stages[waiter as usize].driver_gap,
                };
                self.submissions.push(Reverse((at + gap, waiter)));
            }
        }
        self.note_recovery();
    }

    fn submit(&mut self, place: u32, at: SimTime) {
        if self.waits_for_lost_outputs(place, at) {
            return;
        }
        let count = self.work.stages[place as usize].tasks.count();
        let state = &mut self.stages[place as usize];
        let again = std::mem::replace(&mut state.submitted, true);
        if again {
            self.requeue_missing(place, count);
        } else {
            self.pending += state.left;
        }
        let state = &mut self.stages[place as usize];
        state.active = true;
        state.make_room(count);
        self.active.push(place);
        self.prefer_places(place, at);
        if self.stages[place as usize].left == 0 {
            self.stage_done(place, at);
        } else {
            self.open_stage(place);
            self.note_recovery();
        }
    }
}

#[cfg(test)]
mod test_application;
#[cfg(test)]
mod tests;
