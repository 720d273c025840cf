//! Which stage's task goes next, and on which slot.
//!
//! Models: FIFO by job and stage; FAIR between pools of equal weight; tasks in order of partition on
//! the slot that has been free for longest. Leaves out: weights and minimum shares of FAIR pools (they
//! are in a file of their own, `spark.scheduler.allocation.file`), the random order of Spark's offers.
//!
//! Source: facts-spark A5 (`Pool`, `TaskSchedulerImpl`).

use std::collections::BTreeMap;

use super::{Ending, Fault, Progress, Running};
use crate::scenario::SchedulerMode;
use crate::units::{SimDuration, SimTime};

impl<K: Copy + Eq> Progress<K> {
    /// Puts a stage with waiting tasks among the open ones, at its place.
    pub(super) fn open_stage(&mut self, place: u32) {
        self.holds_out |= self.prefers_places(place);
        if self.open.contains(&place) {
            return;
        }
        let job = |stage: u32| (self.work.stages[stage as usize].job, stage);
        let before = self.open.iter().position(|open| job(*open) > job(place));
        self.open.insert(before.unwrap_or(self.open.len()), place);
    }

    /// The place, among the open stages but those that were `passed` over, of the one whose task
    /// goes first.
    fn first_open(&self, passed: &[u32]) -> Option<usize> {
        if self.rules.mode == SchedulerMode::Fifo || self.open.len() < 2 {
            return self.open.iter().position(|stage| !passed.contains(stage));
        }
        let pool = |stage: &u32| self.work.stages[*stage as usize].pool;
        let mut running: BTreeMap<u32, u32> = BTreeMap::new();
        for stage in &self.active {
            *running.entry(pool(stage)).or_default() += self.stages[*stage as usize].running;
        }
        let load = |stage: &u32| running.get(&pool(stage)).copied().unwrap_or(0);
        let places = self.open.iter().enumerate().filter(|(_, stage)| !passed.contains(stage));
        places
            .min_by_key(|(place, stage)| (load(stage), pool(stage), *place))
            .map(|(place, _)| place)
    }

    /// Gives waiting tasks to free slots. A stage that may have none of them is passed over.
    pub(super) fn launch(&mut self, at: SimTime) {
        while self.launch_in_order(at) {}
        let mut passed: Vec<u32> = Vec::new();
        while !self.free.is_empty()
            && let Some(place) = self.first_open(&passed)
        {
            let stage = self.open[place];
            if self.stages[stage as usize].parents_missing > 0 {
                self.fetch_failed(stage, at);
                continue;
            }
            let Some((task, slot)) = self.take_task(stage, at) else {
                passed.push(stage);
                continue;
            };
            let count = self.work.stages[stage as usize].tasks.count();
            if !self.stages[stage as usize].has_waiting(count) {
                self.open.remove(place);
                self.note_preferences();
            }
            let duration = self.duration_on(stage, task, slot, at);
            self.start_task((stage, task), slot, at, duration);
        }
        if self.holds_out {
            self.end_offers(&passed, at);
        }
        if self.open.is_empty() {
            self.backlog_since = None;
        } else {
            self.backlog_since.get_or_insert(at);
        }
    }

    /// Launches one task as most are: the next in order, of the first stage, on any slot, for the
    /// time that was recorded. False if there is none, or it takes more thought.
    fn launch_in_order(&mut self, at: SimTime) -> bool {
        let Some(stage) = self.open.front().copied() else { return false };
        if self.exceptional || self.holds_out || self.rules.mode != SchedulerMode::Fifo {
            return false;
        }
        let state = &mut self.stages[stage as usize];
        if !state.as_recorded || state.parents_missing > 0 {
            return false;
        }
        let Some(slot) = self.free.pop_front() else { return false };
        let tasks = &self.work.stages[stage as usize].tasks;
        let task = state.take_waiting();
        let duration = tasks.get(task);
        state.waiting = state.waiting.saturating_sub(duration);
        self.unlaunched = self.unlaunched.saturating_sub(duration);
        self.pending -= 1;
        if !state.has_waiting(tasks.count()) {
            self.open.pop_front();
        }
        self.start_task((stage, task), slot, at, duration);
        true
    }

    /// The stage's next task and the slot for it; `None` where no free slot may have it.
    fn take_task(&mut self, stage: u32, at: SimTime) -> Option<(u32, u32)> {
        if self.holds_out && self.prefers_places(stage) {
            return self.take_preferred_task(stage, at);
        }
        if self.exceptional {
            return self.take_allowed_task(stage, at);
        }
        let slot = self.free.pop_front()?;
        let state = &mut self.stages[stage as usize];
        let task = state.take_waiting();
        self.pending -= 1;
        self.unqueue_time(stage, task);
        Some((task, slot))
    }

    /// A task does not wait any more.
    pub(super) fn unqueue_time(&mut self, stage: u32, task: u32) {
        let duration = self.work.stages[stage as usize].tasks.get(task);
        let state = &mut self.stages[stage as usize];
        self.unlaunched = self.unlaunched.saturating_sub(duration);
        state.waiting = state.waiting.saturating_sub(duration);
    }

    fn start_task(
        &mut self,
        (stage, task): (u32, u32),
        slot: u32,
        at: SimTime,
        duration: SimDuration,
    ) {
        let (mut runs_for, mut ending) = (duration, Ending::Succeeds);
        if let Some(doom) = self.doom.filter(|doom| (doom.stage, doom.task) == (stage, task)) {
            (runs_for, ending) = (runs_for.scale_round(doom.at), Ending::Kills);
        } else if let Some(fault) = self.failures.fault_of(stage, task) {
            match fault {
                Fault::Throws(after) => (runs_for, ending) = (after, Ending::Fails),
                Fault::CannotFetch(after) => (runs_for, ending) = (after, Ending::FetchFails),
                Fault::Slow(at_least) => runs_for = runs_for.max(at_least),
            }
        }
        let executor = &mut self.executors[slot as usize];
        executor.running += 1;
        executor.first_task_at.get_or_insert(at);
        let state = &mut self.stages[stage as usize];
        state.last_end = state.last_end.max(at + runs_for);
        state.running += 1;
        self.running.push(Running {
            end: at + runs_for,
            sequence: self.tasks_launched,
            executor: slot,
            stage,
            task,
            start: at,
            ending,
        });
        self.tasks_launched += 1;
    }
}
