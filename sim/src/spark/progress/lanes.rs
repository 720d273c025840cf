//! Many tasks of one stage at once: its slots are lanes, settled when somebody looks.
//!
//! While tasks of one stage succeed and the next in order take their slots, a slot is a lane of tasks
//! without a gap, and all that has to be found out at each end is whose is next: a tournament of
//! single numbers. What the application and its executors keep accounts of (busy time, what is done, what
//! waits) follows from where the lanes started and where they stop.
//!
//! The same steps as those of `in_order.rs`, which takes them one by one. Leaves to it stages with
//! tasks that run again, slots on hosts that the stage does not prefer, and a few tasks at a time.

use super::Progress;
use super::running::Running;
use super::tournament::Tournament;
use crate::units::{SimDuration, SimTime};
use crate::workload::TaskDurations;

/// A lane's key is one number: when its task ends, in milliseconds since a base; the place of its
/// launch among those that matter, because that settles ties; the number of the lane.
const LANE_BITS: u32 = 10;
const ORDER_BITS: u32 = 20;
const LANES_MAX: usize = 1 << LANE_BITS;
const LAUNCHES_MAX: u64 = 1 << ORDER_BITS;
/// As far as keys reach (half a year), but one for the limit.
const SPAN: SimDuration = SimDuration::from_millis((1 << (u64::BITS - LANE_BITS - ORDER_BITS)) - 2);

/// So many tasks must end before anything else happens: lanes cost something to set up.
const WORTH_IT: usize = 4;

/// Lanes of a stage with tasks that end in time.
struct Lanes {
    lanes: Vec<Lane>,
    ends: Tournament,
    keys: Keys,
    /// At this key something else happens.
    limit: u64,
    /// Tasks that end later than so many milliseconds after the base stay where they are.
    until: u64,
}

/// A slot with a task that runs.
struct Lane {
    /// Place of its executor.
    executor: u32,
    /// Its task, and when that ends, in milliseconds since the base of the keys.
    task: u32,
    end: u64,
    /// Which of the tasks that run it had at first.
    place: usize,
}

/// How keys are made.
#[derive(Clone, Copy)]
struct Keys {
    /// They count time from here on.
    base: SimTime,
    /// And launches from this one on.
    oldest: u64,
}

/// The next launch.
#[derive(Clone, Copy)]
struct Next {
    /// Its task's place in the stage.
    task: u32,
    /// Its number of all launches.
    launch: u64,
}

/// What happened in the lanes.
struct Passed {
    launched: u32,
    /// Time of the tasks launched.
    time: SimDuration,
    /// When the last task ended.
    last: SimTime,
    /// How many were launched before that moment.
    launched_before: u32,
}

impl<K: Copy + Eq> Progress<K> {
    /// Tasks of that stage, the first of the open ones, end, and the next ones take their slots.
    /// False if that is better done one by one; then nothing has changed.
    pub(super) fn pass_lanes_on(&mut self, first: usize, until: SimTime) -> bool {
        let in_time = self.running.first().is_some_and(|task| task.end <= until);
        if !in_time || self.running.len() > LANES_MAX || !self.stages[first].requeued.is_empty() {
            return false;
        }
        let Some(mut lanes) = self.lanes(first, until) else { return false };
        let most =
            self.launches_at_most(first).min(lanes.keys.launches_at_most(self.tasks_launched));
        if most == 0 {
            return false;
        }
        let (state, durations) = (&mut self.stages[first], &self.work.stages[first].tasks);
        let next = Next { task: state.next, launch: self.tasks_launched };
        let passed = match durations {
            TaskDurations::Listed(listed) => {
                let duration = |task: u32| u64::from(listed[task as usize]);
                lanes.run(duration, &mut state.outputs, next, most)
            }
            TaskDurations::Quantiles { .. } => {
                let duration = |task: u32| durations.get(task).as_millis();
                lanes.run(duration, &mut state.outputs, next, most)
            }
        };
        self.settle_lanes(first, &lanes.lanes, lanes.keys.base, passed.launched);
        self.count_launches(first, &passed);
        true
    }

    /// The lanes of that stage, if enough of their tasks end before anything else happens.
    fn lanes(&self, first: usize, until: SimTime) -> Option<Lanes> {
        let base = self.advanced_to;
        let until = until.min(base + SPAN);
        let in_time = || self.running.iter().enumerate().filter(|(_, task)| task.end <= until);
        let sequences = in_time().map(|(_, task)| task.sequence);
        let (count, oldest) =
            sequences.fold((0, u64::MAX), |(count, oldest), it| (count + 1, oldest.min(it)));
        if count < WORTH_IT || self.tasks_launched - oldest >= LAUNCHES_MAX {
            return None;
        }
        let keys = Keys { base, oldest };
        let until = keys.since(until);
        let mut limit = keys.key(until + 1, oldest, 0);
        let state = &self.stages[first];
        let (mut lanes, mut ends) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for (place, task) in in_time() {
            let executor = &self.executors[task.executor as usize];
            let usual = task.stage as usize == first
                && executor.ends_as_usual(task)
                && state.is_usual(task.task);
            let end = keys.since(task.end);
            let key = keys.key(end, task.sequence, lanes.len());
            if !usual {
                limit = limit.min(key);
            } else if state.holding.prefers(executor.host) {
                let Running { executor, task, .. } = *task;
                lanes.push(Lane { executor, task, end, place });
                ends.push(key);
            } else {
                return None;
            }
        }
        if ends.iter().filter(|key| **key < limit).count() < WORTH_IT {
            return None;
        }
        Some(Lanes { lanes, ends: Tournament::new(&ends), keys, limit, until })
    }

    /// How many tasks of the stage may be launched: the last one that waits closes it, the one that
    /// kills its executor is another kind, and the last one that succeeds ends the stage.
    fn launches_at_most(&self, first: usize) -> u32 {
        let state = &self.stages[first];
        let doomed = self.doom.filter(|doom| doom.stage as usize == first).map(|doom| doom.task);
        let doomed = doomed.filter(|task| *task >= state.next);
        let stop = doomed.unwrap_or_else(|| self.work.stages[first].tasks.count() - 1);
        stop.saturating_sub(state.next).min(state.left - 1)
    }

    /// Settles with the executors and the stage, where the lanes have moved; its tasks run.
    fn settle_lanes(&mut self, first: usize, lanes: &[Lane], base: SimTime, launched: u32) {
        let state = &mut self.stages[first];
        let stage = &self.work.stages[first];
        let caches = stage.leaves_blocks();
        let next = state.next;
        state.done.insert_all(next..next + launched);
        let mut running = self.running.take();
        for lane in lanes {
            let task = &mut running[lane.place];
            if lane.task == task.task {
                continue;
            }
            let sequence = self.tasks_launched + u64::from(lane.task - next);
            let end = base + SimDuration::from_millis(lane.end);
            let start =
                base + SimDuration::from_millis(lane.end - stage.tasks.get(lane.task).as_millis());
            let time = start.since(task.start);
            let executor = &mut self.executors[lane.executor as usize];
            executor.idle_since = executor.idle_since.max(start);
            executor.busy += time;
            executor.holds_cache |= caches;
            executor.holds_shuffle |= !state.readers.is_empty();
            self.task_time += time;
            state.ran_on.insert(lane.executor);
            state.done.insert(task.task);
            state.done.remove(lane.task);
            state.last_end = state.last_end.max(end);
            *task = Running { end, sequence, task: lane.task, start, ..*task };
        }
        self.running.put(running);
    }

    fn count_launches(&mut self, first: usize, passed: &Passed) {
        let state = &mut self.stages[first];
        if passed.last > self.advanced_to {
            self.advanced_to = passed.last;
            // As many run as before, and fewer wait by those that were launched.
            let tasks = self.pending + self.running.len() as u32 - passed.launched_before;
            self.fewest_tasks = self.fewest_tasks.min(tasks);
        }
        state.holding.took_preferred(passed.last);
        state.next += passed.launched;
        state.left -= passed.launched;
        state.waiting = state.waiting.saturating_sub(passed.time);
        self.unlaunched = self.unlaunched.saturating_sub(passed.time);
        self.pending -= passed.launched;
        self.tasks_launched += u64::from(passed.launched);
        self.tasks_succeeded += u64::from(passed.launched);
    }
}

impl Lanes {
    /// Launches tasks from `next` on, at most so many, each where one ends; `duration` gives their
    /// milliseconds, and `outputs` gets the executors of those that end.
    fn run(
        &mut self,
        duration: impl Fn(u32) -> u64,
        outputs: &mut [u32],
        next: Next,
        most: u32,
    ) -> Passed {
        let (mut time, mut launched, mut launched_before) = (0, 0, 0);
        let mut last = 0;
        let first_order = next.launch - self.keys.oldest;
        while launched < most && self.ends.least() < self.limit {
            let (at, number) = end_and_lane(self.ends.least());
            let lane = &mut self.lanes[number];
            if let Some(output) = outputs.get_mut(lane.task as usize) {
                *output = lane.executor;
            }
            if at > last {
                (last, launched_before) = (at, launched);
            }
            lane.task = next.task + launched;
            let takes = duration(lane.task);
            lane.end = at + takes;
            let key = match lane.end <= self.until {
                true => key(lane.end, first_order + u64::from(launched), number),
                false => Tournament::OUT,
            };
            self.ends.replace_least(number, key);
            time += takes;
            launched += 1;
        }
        let last = self.keys.base + SimDuration::from_millis(last);
        Passed { launched, time: SimDuration::from_millis(time), last, launched_before }
    }
}

impl Keys {
    /// How many launches can be told apart, if so many were made before.
    fn launches_at_most(self, launched: u64) -> u32 {
        (LAUNCHES_MAX - (launched - self.oldest)) as u32
    }

    fn key(self, end: u64, launch: u64, lane: usize) -> u64 {
        key(end, launch - self.oldest, lane)
    }

    fn since(self, end: SimTime) -> u64 {
        end.since(self.base).as_millis()
    }
}

const fn key(end: u64, order: u64, lane: usize) -> u64 {
    (end << ORDER_BITS | order) << LANE_BITS | lane as u64
}

const fn end_and_lane(key: u64) -> (u64, usize) {
    (key >> (ORDER_BITS + LANE_BITS), (key & (LANES_MAX as u64 - 1)) as usize)
}
