//! Copies of tasks that take much longer than others of their stage.
//!
//! Models: `spark.speculation` as facts-spark A5 has it: once `quantile` of a stage's tasks are
//! done, tasks that run longer than `multiplier` x their median get one copy, on another executor;
//! looked at every `interval`; whichever ends first counts, the other is killed. With efficiency
//! on (3.4), a task without input metrics is copied once it runs `longRunTaskFactor` times longer
//! than that. A copy takes as long as the task itself would (its slowness is taken to be in its
//! data), except where the recording says that the first attempt was slow by itself. Leaves out:
//! process rates, decommissioning executors as a reason.

use super::{Progress, Running};
use crate::units::{SimDuration, SimTime};

impl<K: Copy + Eq> Progress<K> {
    /// When the next copy is to be made; `None` where none is in sight.
    pub(super) fn next_speculation(&self) -> Option<SimTime> {
        if !self.rules.speculation.enabled {
            return None;
        }
        let due = self.active.iter().filter_map(|stage| {
            let threshold = self.threshold(*stage)?;
            let tasks = self.running.iter();
            let candidates = tasks.filter(|task| task.stage == *stage && !self.has_copy(task));
            candidates.map(|task| task.start + threshold).min()
        });
        let interval = self.rules.speculation.interval;
        due.min()
            .map(|at| at.max(self.advanced_to).saturating_add(SimDuration::from_millis(1)))
            .map(|at| at.round_up_to(interval))
    }

    /// How long a task of the stage may run before it is copied; `None` while too few are done.
    fn threshold(&self, stage: u32) -> Option<SimDuration> {
        let rules = &self.rules.speculation;
        let count = self.work.stages[stage as usize].tasks.count();
        let durations = &self.stages[stage as usize].durations_ms;
        let enough = ((f64::from(count) * rules.quantile).floor() as usize).max(1);
        if count < 2 || durations.len() < enough {
            return None;
        }
        let mut sorted = durations.clone();
        sorted.sort_unstable();
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::from(sorted[middle - 1]) / 2.0 + f64::from(sorted[middle]) / 2.0
        } else {
            f64::from(sorted[middle])
        };
        let median = SimDuration::from_millis(median.round() as u64);
        let threshold = median.scale_round(rules.multiplier).max(rules.min_task_runtime);
        let factor = if rules.efficiency { rules.long_run_task_factor } else { 1.0 };
        Some(threshold.scale_round(factor.max(1.0)))
    }

    /// Whether a copy of the task runs or waits.
    fn has_copy(&self, task: &Running) -> bool {
        let waits = self.stages[task.stage as usize].copies.iter();
        let same = |other: &Running| {
            (other.stage, other.task) == (task.stage, task.task) && other.sequence != task.sequence
        };
        waits.map(|(copy, _)| *copy).any(|copy| copy == task.task) || self.running.iter().any(same)
    }

    /// Queues copies of the tasks that have run for too long by `at`.
    pub(super) fn speculate(&mut self, at: SimTime) {
        for stage in self.active.clone() {
            let Some(threshold) = self.threshold(stage) else { continue };
            let tasks = self.running.iter();
            let mut slow: Vec<Running> = tasks
                .filter(|task| task.stage == stage && at.since(task.start) > threshold)
                .filter(|task| !self.has_copy(task))
                .copied()
                .collect();
            slow.sort_unstable_by_key(|task| task.sequence);
            for task in slow {
                self.stages[stage as usize].copies.push((task.task, task.executor));
                self.pending += 1;
                self.open_stage(stage);
            }
        }
        self.advanced_to = self.advanced_to.max(at);
    }

    /// A copy that waits, and a slot that is not the original's.
    pub(super) fn take_copy(&mut self, stage: u32) -> Option<(u32, u32)> {
        let copies = self.stages[stage as usize].copies.clone();
        for (place, (task, original)) in copies.into_iter().enumerate() {
            if let Some(free) = self.free.iter().position(|slot| *slot != original) {
                let slot = self.free.remove(free)?;
                self.stages[stage as usize].copies.remove(place);
                self.pending -= 1;
                return Some((task, slot));
            }
        }
        None
    }

    /// The partition is done: whatever else works on it, or waits to, is given up.
    pub(super) fn drop_copies_of(&mut self, stage: u32, task: u32, at: SimTime) {
        let state = &mut self.stages[stage as usize];
        let before = state.copies.len() + state.requeued.len();
        state.copies.retain(|(copy, _)| *copy != task);
        let queued = state.requeued.len();
        state.requeued.retain(|other| *other != task);
        let unqueued = queued - state.requeued.len();
        self.pending -= (before - state.copies.len() - state.requeued.len()) as u32;
        for _ in 0..unqueued {
            self.unqueue_time(stage, task);
        }
        let count = self.work.stages[stage as usize].tasks.count();
        if !self.stages[stage as usize].has_waiting(count) {
            self.open.retain(|open| *open != stage);
            self.note_preferences();
        }
        let others = |other: &Running| (other.stage, other.task) == (stage, task);
        for other in self.running.extract(others) {
            self.tasks_not_succeeded += 1;
            self.task_time_lost += at.since(other.start);
            self.stages[stage as usize].running -= 1;
            let executor = &mut self.executors[other.executor as usize];
            executor.running -= 1;
            executor.idle_since = at;
            if executor.alive && !executor.draining {
                self.free.push_back(other.executor);
            }
        }
    }
}
