//! The usual course of a stage, in a loop of its own: a task succeeds, and the next in order takes
//! its slot.
//!
//! The same steps as [`Progress::advance`] takes one by one, without asking at each of them what
//! cannot be while they go on: no slot is free, nothing is submitted, no stage ends or opens. Most
//! tasks of a simulation end here. Leaves everything else to `advance`: the last waiting task of a
//! stage, the last one of a stage to end, tasks that fail, cached blocks, stages that wait for lost
//! outputs, executors that drain.

use std::cmp::Reverse;

use super::{Ending, Progress, Running};
use crate::scenario::SchedulerMode;
use crate::units::SimTime;

impl<K: Copy + Eq> Progress<K> {
    /// Advances as far as nothing else happens, at most to `now`.
    pub(super) fn advance_in_order(&mut self, now: SimTime) {
        let Some(first) = self.open.front().map(|first| *first as usize) else { return };
        if !self.goes_in_order(first) {
            return;
        }
        let submission = self.submissions.peek().map_or(now, |Reverse((at, _))| *at);
        let until = submission.min(now);
        let tasks = &self.work.stages[first].tasks;
        // The last one closes the stage, and the one that kills its executor is another kind.
        let mut end = tasks.count().saturating_sub(1);
        if let Some(doom) = self.doom.filter(|doom| doom.stage as usize == first) {
            end = end.min(doom.task);
        }
        let busy = self.tasks_running();
        let mut next = self.stages[first].next;
        while next < end
            && let Some(mut top) = self.running.peek_mut()
        {
            let Reverse(task) = *top;
            let executor = &mut self.executors[task.executor as usize];
            let state = &mut self.stages[task.stage as usize];
            let stage = &self.work.stages[task.stage as usize];
            let usual = task.end <= until
                && task.ending == Ending::Succeeds
                && executor.alive
                && !executor.draining
                && stage.cached_by.is_none()
                && state.is_usual(task.task);
            if !usual {
                break;
            }
            let at = task.end;
            if at > self.advanced_to {
                self.advanced_to = at;
                // As many run as before.
                self.fewest_tasks = self.fewest_tasks.min(self.pending + busy);
            }
            let time = at.since(task.start);
            executor.idle_since = at;
            executor.busy += time;
            executor.holds_cache |= stage.caches || stage.cached_bytes.as_u64() > 0;
            executor.holds_shuffle |= !state.readers.is_empty();
            state.succeed(task.task, task.executor, stage.tasks.count());
            self.task_time += time;
            self.tasks_succeeded += 1;

            let duration = tasks.get(next);
            let state = &mut self.stages[first];
            state.running += 1;
            state.waiting = state.waiting.saturating_sub(duration);
            state.last_end = state.last_end.max(at + duration);
            self.unlaunched = self.unlaunched.saturating_sub(duration);
            self.pending -= 1;
            *top = Reverse(Running {
                end: at + duration,
                sequence: self.tasks_launched,
                executor: task.executor,
                stage: first as u32,
                task: next,
                start: at,
                ending: Ending::Succeeds,
            });
            self.tasks_launched += 1;
            next += 1;
            self.backlog_since.get_or_insert(at);
        }
        self.stages[first].next = next;
    }

    /// Whether the next task of that stage, the first of the open ones, takes the next slot that is
    /// free, for the time that was recorded, and no slot is free before a task ends.
    fn goes_in_order(&self, first: usize) -> bool {
        let state = &self.stages[first];
        self.free.is_empty()
            && !self.exceptional
            && !self.holds_out
            && self.rules.mode == SchedulerMode::Fifo
            && self.failures.aborted.is_none()
            && state.as_recorded
            && state.parents_missing == 0
            && state.requeued.is_empty()
    }
}
