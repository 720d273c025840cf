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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::rng::RngExt;
    use crate::scenario::{SparkDefaults, SparkVersion};
    use crate::spark::Overheads;
    use crate::spark::progress::{Met, Rules, Work};
    use crate::units::SimDuration;
    use crate::workload::{Stage, TaskDurations};

    /// Everything that others see, and what is to come.
    fn state(progress: &Progress<u32>) -> String {
        let executors: Vec<_> = progress.executors().collect();
        let mut running: Vec<_> = progress.running.iter().map(|Reverse(task)| task).collect();
        running.sort();
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

    /// Two parents and a reader of both, on executors that come later than the first tasks.
    fn application(seed: u64) -> Progress<u32> {
        let mut stream = Seed::new(seed).stream("in-order", &[]);
        let stages: Vec<Stage> = (0..3)
            .map(|place| {
                let parents = if place == 2 { vec![0, 1] } else { Vec::new() };
                let count = stream.random_range(1..40);
                // Few different times, so that many tasks end together.
                let tasks = (0..count).map(|_| 100 * stream.random_range(0..5u32)).collect();
                Stage {
                    shuffle_parents: parents.clone(),
                    parents,
                    tasks: TaskDurations::from_millis(tasks),
                    driver_gap: SimDuration::from_millis(stream.random_range(0..300)),
                    ..Stage::default()
                }
            })
            .collect();
        let work = Work { stages: stages.into(), tail: SimDuration::ZERO };
        let mut spark = SparkDefaults::default_of(SparkVersion { major: 3, minor: 5 });
        spark.locality_wait.reduce = false;
        Progress::new(work, Rules::new(&spark, Overheads::default()), None)
    }

    #[test]
    fn the_loop_takes_the_same_steps_as_one_at_a_time() {
        let mut in_order = 0;
        for seed in 0..300 {
            let (mut fast, mut slow) = (application(seed), application(seed));
            // Nothing is exceptional, but every step is looked at.
            slow.exceptional = true;
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
