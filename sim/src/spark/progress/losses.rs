//! Executors that go, and what goes with them.
//!
//! Models: running tasks run again; finished map tasks of a stage that still runs run again; map
//! outputs of complete stages are missing from then on: the next task that would read them fails
//! to fetch, its stage is given up and submitted again 200 ms later, after the missing outputs were
//! computed again; tasks of the old attempt that still run may finish what they do; a stage that
//! fails so `spark.stage.maxConsecutiveAttempts` times in a row ends the application; tasks that were
//! fetching from the executor when it went try once more after `spark.shuffle.io.retryWait`, and
//! keep their slots until then. Leaves out: blocks that are fetched later than the others.
//! Source: facts-spark A5 (`DAGScheduler`); `RetryingBlockTransferor` (it asks the driver whether
//! the executor is alive before it retries), as our recording of an executor's halt shows it.

use std::cmp::Reverse;

use super::stage_state::NOWHERE;
use super::{Ending, Progress, Running};
use crate::units::{SimDuration, SimTime};
use crate::workload::Failure;

/// `DAGScheduler.RESUBMIT_TIMEOUT`. Source: facts-spark A5.
const RESUBMIT_AFTER: SimDuration = SimDuration::from_millis(200);

/// `spark.shuffle.io.retryWait`. Source: its default.
const FETCH_RETRY_WAIT: SimDuration = SimDuration::from_millis(5_000);
/// A task has fetched what it reads so long after its launch. Guess: our recordings have one that
/// had after 220 ms, and two that had not after 290 ms.
const FETCHES_WITHIN: SimDuration = SimDuration::from_millis(250);

/// How an executor went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fate {
    /// Its tasks' failures count, and this is their cause; `None` where the application is not to
    /// blame (spot, eviction, scale-down).
    pub(crate) blames: Option<Failure>,
    /// Share of its shuffle outputs that were moved elsewhere before.
    pub(crate) outputs_moved: f64,
}

impl Fate {
    /// It went, nobody is to blame, and it took everything along.
    pub(crate) const LOST: Self = Self { blames: None, outputs_moved: 0.0 };

    /// It ended by its own doing.
    pub(crate) const fn blamed(cause: Failure) -> Self {
        Self { blames: Some(cause), outputs_moved: 0.0 }
    }
}

impl<K: Copy + Eq> Progress<K> {
    /// An executor is gone: its running tasks are to be run again, and what it held is lost. Gives
    /// the time of the tasks that completed on it, and the time that was lost with it.
    pub(crate) fn remove_executor(
        &mut self,
        now: SimTime,
        key: K,
        fate: Fate,
    ) -> (SimDuration, SimDuration) {
        let Some(place) = self.executors.iter().position(|e| e.alive && e.key == key) else {
            return (SimDuration::ZERO, SimDuration::ZERO);
        };
        let executor = &mut self.executors[place];
        executor.alive = false;
        self.live -= 1;
        self.slots -= u64::from(executor.slots);
        let busy = executor.busy;
        self.executor_time += now.since(executor.added_at);
        self.free.retain(|free| *free != place as u32);
        let mut lost = SimDuration::ZERO;
        if self.executors[place].running > 0 {
            for task in self.running.extract(|task| task.executor == place as u32) {
                lost += now.since(task.start);
                self.tasks_not_succeeded += 1;
                self.stages[task.stage as usize].running -= 1;
                self.requeue(task);
                if let Some(cause) = fate.blames {
                    self.count_failure(task.stage, task.task, cause);
                }
            }
        }
        self.task_time_lost += lost;
        self.lose_blocks(place as u32);
        if self.rules.outputs_go_with_executor && self.stages_left > 0 {
            self.lose_outputs(place as u32, fate.outputs_moved);
            if !self.rules.recorded_fetches {
                self.break_fetches(now);
            }
        }
        self.launch(now);
        self.note_recovery();
        (busy, lost)
    }

    /// The executor gets no new tasks (it is being decommissioned).
    pub(crate) fn drain_executor(&mut self, key: K) {
        if let Some(place) = self.executors.iter().position(|e| e.alive && e.key == key) {
            self.executors[place].draining = true;
            self.free.retain(|free| *free != place as u32);
        }
    }

    /// Bytes of shuffle output that the executor holds.
    pub(crate) fn shuffle_bytes_on(&self, key: K) -> u64 {
        let Some(place) = self.executors.iter().position(|e| e.alive && e.key == key) else {
            return 0;
        };
        let of_stage = |(stage, state): (usize, &super::StageState)| {
            let here = state.outputs.iter().filter(|at| **at == place as u32).count() as u64;
            let recorded = &self.work.stages[stage];
            let all = u64::from(recorded.tasks.count()).max(1);
            u128::from(recorded.shuffle_write_bytes.as_u64()) * u128::from(here) / u128::from(all)
        };
        let bytes: u128 = self.stages.iter().enumerate().map(of_stage).sum();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// What the executor held is missing, but for the share that was moved.
    fn lose_outputs(&mut self, executor: u32, moved: f64) {
        for stage in 0..self.stages.len() as u32 {
            let state = &self.stages[stage as usize];
            if !state.ran_on.contains(executor) || state.readers.iter().all(|at| self.is_over(*at))
            {
                continue;
            }
            let outputs = (0..).zip(&state.outputs);
            let held: Vec<u32> =
                outputs.filter(|(_, at)| **at == executor).map(|(task, _)| task).collect();
            let kept = (held.len() as f64 * moved.clamp(0.0, 1.0)) as usize;
            let lost = &held[kept..];
            if lost.is_empty() {
                continue;
            }
            self.exceptional = true;
            let state = &mut self.stages[stage as usize];
            for task in lost {
                state.outputs[*task as usize] = NOWHERE;
            }
            if state.active {
                self.run_again(stage, lost);
            } else {
                let first = state.missing.is_empty();
                state.missing.extend_from_slice(lost);
                for reader in state.readers.clone() {
                    self.stages[reader as usize].parents_missing += u32::from(first);
                }
            }
        }
    }

    /// Tasks that are fetching what is missing now hold their slots until they have tried again.
    fn break_fetches(&mut self, now: SimTime) {
        let breaks = |task: &Running| {
            let state = &self.stages[task.stage as usize];
            state.parents_missing > 0
                && task.ending == Ending::Succeeds
                && now.since(task.start) < FETCHES_WITHIN
        };
        let broken = self.running.extract(breaks);
        let end = now + FETCH_RETRY_WAIT;
        for task in broken {
            self.running.push(Running { end, ending: Ending::FetchFails, ..task });
            let state = &mut self.stages[task.stage as usize];
            state.last_end = state.last_end.max(end);
        }
    }

    /// A task could not fetch what it reads, a second time.
    pub(super) fn fetch_gave_up(&mut self, task: Running) {
        self.task_time_lost += task.end.since(task.start);
        let state = &self.stages[task.stage as usize];
        if state.active && state.parents_missing > 0 {
            self.fetch_failed(task.stage, task.end);
            return;
        }
        self.tasks_not_succeeded += 1;
        if !state.requeued.contains(&task.task) {
            self.requeue(task);
        }
    }

    /// Whether the stage is complete.
    fn is_over(&self, stage: u32) -> bool {
        let state = &self.stages[stage as usize];
        state.submitted && state.left == 0 && !state.active
    }

    /// Done tasks of a stage that is active are to be run again.
    fn run_again(&mut self, stage: u32, tasks: &[u32]) {
        for task in tasks {
            let duration = self.work.stages[stage as usize].tasks.get(*task);
            let state = &mut self.stages[stage as usize];
            state.done.remove(*task);
            state.left += 1;
            state.requeued.push(*task);
            state.waiting += duration;
            self.unlaunched += duration;
            self.pending += 1;
            self.tasks_not_succeeded += 1;
        }
        self.open_stage(stage);
    }

    /// A task of the stage could not fetch what it reads: the stage is given up for now.
    pub(super) fn fetch_failed(&mut self, stage: u32, at: SimTime) {
        self.exceptional = true;
        self.tasks_not_succeeded += 1;
        let count = self.work.stages[stage as usize].tasks.count();
        self.open.retain(|open| *open != stage);
        self.note_preferences();
        self.active.retain(|active| *active != stage);
        let state = &mut self.stages[stage as usize];
        self.pending -= (count - state.next) + (state.requeued.len() + state.copies.len()) as u32;
        self.unlaunched = self.unlaunched.saturating_sub(state.waiting);
        state.waiting = SimDuration::ZERO;
        state.next = count;
        state.requeued.clear();
        state.copies.clear();
        state.active = false;
        state.resubmits = true;
        state.fetch_failures += 1;
        state.attempts += 1;
        let limits = &self.rules.limits;
        if state.fetch_failures >= limits.stage_max_consecutive_attempts
            || state.attempts >= limits.stage_max_attempts
        {
            self.failures.aborted.get_or_insert(Failure::Transient);
        }
        self.submissions.push(Reverse((at + RESUBMIT_AFTER, stage)));
    }

    /// Whether the stage has to wait until lost outputs were computed again; sees to that.
    pub(super) fn waits_for_lost_outputs(&mut self, stage: u32, at: SimTime) -> bool {
        let parents: Vec<u32> = self.work.read_by(stage as usize).to_vec();
        let mut waits = 0;
        for parent in parents {
            let state = &mut self.stages[parent as usize];
            if state.missing.is_empty() && !(state.submitted && state.active && state.left > 0) {
                continue;
            }
            waits += 1;
            let starts = !state.missing.is_empty();
            state.waiters.push(stage);
            if starts {
                let missing = std::mem::take(&mut state.missing);
                for task in missing {
                    state.done.remove(task);
                    state.left += 1;
                }
                self.stages_left += 1;
                for reader in self.stages[parent as usize].readers.clone() {
                    self.stages[reader as usize].parents_missing -= 1;
                }
                self.submit(parent, at);
            }
        }
        self.stages[stage as usize].parents_left = waits;
        waits > 0
    }

    /// All tasks of a stage that is submitted again and whose partition is not done.
    pub(super) fn requeue_missing(&mut self, stage: u32, count: u32) {
        let tasks = &self.work.stages[stage as usize].tasks;
        let state = &mut self.stages[stage as usize];
        state.resubmits = false;
        state.next = count;
        // Taken from the end: the first partition goes first.
        state.requeued = (0..count).rev().filter(|task| !state.done.contains(*task)).collect();
        let time = state.requeued.iter().fold(SimDuration::ZERO, |sum, t| sum + tasks.get(*t));
        state.waiting = time;
        self.unlaunched += time;
        self.pending += state.requeued.len() as u32;
    }

    /// A task that ran is to be run again, unless its partition is done or its stage was given up.
    pub(super) fn requeue(&mut self, task: Running) {
        let state = &self.stages[task.stage as usize];
        let runs_elsewhere = self.exceptional
            && self
                .running
                .iter()
                .any(|other| (other.stage, other.task) == (task.stage, task.task));
        if state.done.contains(task.task) || !state.active || runs_elsewhere {
            return;
        }
        let duration = self.work.stages[task.stage as usize].tasks.get(task.task);
        let state = &mut self.stages[task.stage as usize];
        self.unlaunched += duration;
        state.waiting += duration;
        state.requeued.push(task.task);
        self.pending += 1;
        self.open_stage(task.stage);
    }
}
