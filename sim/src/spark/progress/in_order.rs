//! The usual course of a stage, in loops of its own: a task succeeds, and the next in order takes
//! its slot; or none waits any more, and the slot is free.
//!
//! The same steps as [`Progress::advance`] takes one by one, without asking at each of them what
//! cannot be while they go on: nothing is submitted, no stage ends or opens. Nearly all tasks of a
//! simulation end here, most of them many at a time (`lanes.rs`). Leaves everything else to `advance`: the last waiting task of a stage, the
//! last one of a stage to end, tasks that fail, cached blocks, slots that are refused, stages that
//! wait for lost outputs, executors that drain.

use std::cmp::Reverse;
use std::mem;

use super::{Ending, Executor, Overheads, Progress, Running};
use crate::scenario::SchedulerMode;
use crate::units::{SimDuration, SimTime};

impl<K: Copy + Eq> Progress<K> {
    /// Advances as far as nothing else happens, at most to `now`.
    pub(super) fn advance_in_order(&mut self, now: SimTime) {
        if self.exceptional || self.failures.aborted.is_some() {
            return;
        }
        let submission = self.submissions.peek().map_or(now, |Reverse((at, _))| *at);
        let until = submission.min(now);
        match self.open.front().map(|first| *first as usize) {
            Some(first) if self.goes_in_order(first) => self.pass_slots_on(first, until),
            Some(_) => {}
            None => self.free_slots(until),
        }
    }

    /// Tasks of that stage end and the next ones of it take their slots.
    fn pass_slots_on(&mut self, first: usize, until: SimTime) {
        if self.pass_lanes_on(first, until) {
            return;
        }
        let busy = self.pending + self.tasks_running();
        let stage = &self.work.stages[first];
        let state = &mut self.stages[first];
        let tasks = &stage.tasks;
        let count = tasks.count();
        // The last one that waits closes the stage, and the one that kills its executor is another
        // kind.
        let most = (count - state.next + state.requeued.len() as u32).saturating_sub(1);
        let doomed = self.doom.filter(|doom| doom.stage as usize == first).map(|doom| doom.task);
        let caches = stage.leaves_blocks();
        let mut holding = mem::take(&mut state.holding);
        let (mut launched, mut time_launched) = (0, SimDuration::ZERO);
        while launched < most
            && Some(state.next_waiting()) != doomed
            && let Some(task) = self.running.first().copied()
        {
            let executor = &mut self.executors[task.executor as usize];
            let usual = task.end <= until
                && task.stage as usize == first
                && executor.ends_as_usual(&task)
                && state.is_usual(task.task)
                && holding.accepts(executor.host, task.end);
            if !usual {
                break;
            }
            let at = task.end;
            if at > self.advanced_to {
                self.advanced_to = at;
                // As many run as before, and fewer wait by those that were launched.
                self.fewest_tasks = self.fewest_tasks.min(busy - launched);
            }
            let time = at.since(task.start);
            executor.idle_since = at;
            executor.busy += time;
            executor.holds_cache |= caches;
            executor.holds_shuffle |= !state.readers.is_empty();
            state.succeed(task.task, task.executor);
            self.task_time += time;

            let next = state.take_waiting();
            let duration = tasks.get(next);
            time_launched += duration;
            state.last_end = state.last_end.max(at + duration);
            self.running.replace_first(Running {
                end: at + duration,
                sequence: self.tasks_launched,
                executor: task.executor,
                stage: first as u32,
                task: next,
                start: at,
                ending: Ending::Succeeds,
            });
            self.tasks_launched += 1;
            launched += 1;
        }
        state.holding = holding;
        state.waiting = state.waiting.saturating_sub(time_launched);
        self.unlaunched = self.unlaunched.saturating_sub(time_launched);
        self.pending -= launched;
        self.tasks_succeeded += u64::from(launched);
    }

    /// Tasks end while none waits.
    fn free_slots(&mut self, until: SimTime) {
        if self.rules.overheads != Overheads::default() {
            return;
        }
        while let Some(task) = self.running.first().copied() {
            let executor = &mut self.executors[task.executor as usize];
            let state = &mut self.stages[task.stage as usize];
            let stage = &self.work.stages[task.stage as usize];
            let usual = task.end <= until
                && executor.ends_as_usual(&task)
                && stage.cached_by.is_none()
                && state.is_usual(task.task);
            if !usual {
                break;
            }
            if task.end > self.advanced_to {
                self.advanced_to = task.end;
                let tasks = self.pending + self.running.len() as u32;
                self.fewest_tasks = self.fewest_tasks.min(tasks);
            }
            let time = task.end.since(task.start);
            executor.running -= 1;
            executor.idle_since = task.end;
            executor.busy += time;
            executor.holds_cache |= stage.leaves_blocks();
            executor.holds_shuffle |= !state.readers.is_empty();
            state.running -= 1;
            state.succeed(task.task, task.executor);
            self.task_time += time;
            self.tasks_succeeded += 1;
            self.running.pop();
            self.free.push_back(task.executor);
        }
    }

    /// Whether the next task of that stage, the first of the open ones, takes the next slot that is
    /// free, for the time that was recorded, and no slot is free before a task ends.
    fn goes_in_order(&self, first: usize) -> bool {
        let state = &self.stages[first];
        self.free.is_empty()
            && self.rules.mode == SchedulerMode::Fifo
            && state.as_recorded
            && state.parents_missing == 0
    }
}

impl<K> Executor<K> {
    /// Whether the end of the task is a success and leaves a slot that others may have.
    pub(super) fn ends_as_usual(&self, task: &Running) -> bool {
        task.ending == Ending::Succeeds && self.alive && !self.draining
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::rng::RngExt;
    use crate::spark::progress::Met;
    use crate::spark::progress::test_application::application;

    /// Everything that others see, and what is to come.
    fn state(progress: &Progress<u32>) -> String {
        let executors: Vec<_> = progress.executors().collect();
        let mut running: Vec<_> = progress.running.iter().collect();
        running.sort_by_key(|task| task.sequence);
        format!(
            "{executors:?} {running:?} {:?} {} {} {:?} {:?} {:?} {} {:?} {:?}",
            progress.stages,
            progress.tasks_launched,
            progress.tasks_succeeded,
            progress.task_time,
            progress.unlaunched,
            progress.backlog_since,
            progress.pending,
            progress.advanced_to,
            progress.fewest_tasks,
        )
    }

    #[test]
    fn the_loop_takes_the_same_steps_as_one_at_a_time() {
        let mut in_order = 0;
        for seed in 0..300 {
            // Nothing is exceptional, but every step of the other one is looked at.
            let (mut fast, mut slow) = (application(seed, 4, false), application(seed, 4, true));
            let mut stream = Seed::new(seed).stream("looks", &[]);
            let mut now = SimTime::ZERO;
            for progress in [&mut fast, &mut slow] {
                progress.add_executor(now, 0, 0, 3);
                progress.start(now);
            }
            while slow.stages_finished_at().is_none() {
                now = now + SimDuration::from_millis(stream.random_range(1..600));
                assert_eq!((fast.advance(now), slow.advance(now)), (Met::Nothing, Met::Nothing));
                assert_eq!(state(&fast), state(&slow), "seed {seed} at {now}");
                if fast.executors_ever() < 3 {
                    fast.add_executor(now, fast.executors_ever(), 0, 2);
                    slow.add_executor(now, slow.executors_ever(), 0, 2);
                }
                in_order += u64::from(
                    fast.open.front().is_some_and(|first| fast.goes_in_order(*first as usize)),
                );
            }
        }
        assert!(in_order > 300, "the loop was hardly ever taken: {in_order}");
    }
}
