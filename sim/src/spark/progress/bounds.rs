//! When somebody else has to look at an application again, at the latest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::{Ending, Progress};
use crate::scenario::SchedulerMode;
use crate::units::{SimDuration, SimTime};

/// Ends of tasks that are looked up at least, if there are so many: looking up as many as run keeps
/// the cost of a look, per task that ends before the next one, small.
const LOOKAHEAD_MIN: usize = 32;

impl<K: Copy + Eq> Progress<K> {
    /// A time not after the next moment that anybody else cares for; `None` while only something
    /// from outside can move the application on.
    ///
    /// With fixed executors that is the end. Until then slots x time must cover the work that is
    /// left, and every running task must end, so the greater of the two is a safe bound. With
    /// `dynamic` allocation, also submissions of stages, ends of stages (which may submit others),
    /// and the moment at which no task of some stage waits any more (executors start to go idle, or
    /// the stage ends next). With a task that kills its executor, also that moment.
    ///
    /// Where tasks may fail, be copied or be lost, the bounds do not hold, and each local moment is
    /// given. `every_task` gives each end of a task and each submission instead: the reference that the
    /// bounds are tested against.
    pub(crate) fn next_moment(
        &self,
        now: SimTime,
        dynamic: bool,
        every_task: bool,
    ) -> Option<SimTime> {
        if let Some(end) = self.finishes_at() {
            return Some(end.max(now));
        }
        let ends = self.next_task_end();
        let submits = self.submissions.peek().map(|Reverse((at, _))| *at);
        let looks = self.next_speculation().into_iter().chain(self.next_easing());
        let local = ends.into_iter().chain(submits).chain(looks).min()?;
        let by_stages = dynamic || self.doom.is_some();
        // While tasks wait for a better place, slots are not all busy.
        let holds_out = by_stages && !self.free.is_empty() && !self.open.is_empty();
        if self.exceptional || every_task || holds_out {
            return Some(local);
        }
        let slots = self.slots;
        if slots == 0 {
            return submits;
        }
        if by_stages {
            let stages = self.next_stage_end().into_iter().chain(submits).chain(self.next_kill());
            return stages.chain(self.next_drained(now, slots, local)).min();
        }
        let work = self.running_work(now) + self.unlaunched;
        let by_work = now + SimDuration::from_millis(work.as_millis() / slots);
        let last_end = self.running.ends().max();
        let bound = by_work.max(last_end.unwrap_or(now));
        Some(if bound > now { bound.max(local) } else { local })
    }

    /// A time not after the moment at which the first of the open stages has no task left that
    /// waits (or the task that kills its executor is launched); `None` if none is open.
    ///
    /// While tasks wait, all slots are busy: that moment comes not before slots x time covers all
    /// waiting and running work but one longest task per slot. Where that is near, the next ends of
    /// tasks are looked up instead.
    fn next_drained(&self, now: SimTime, slots: u64, local: SimTime) -> Option<SimTime> {
        let first = *self.open.front()?;
        if self.rules.mode != SchedulerMode::Fifo && self.open.len() > 1 {
            return Some(local);
        }
        let state = &self.stages[first as usize];
        let waiting = self.waiting_tasks(first);
        let launches = match self.doom {
            Some(doom) if !state.requeued.is_empty() && doom.stage == first => return Some(local),
            Some(doom) if doom.stage == first && doom.task >= state.next => {
                waiting.min(doom.task - state.next + 1)
            }
            _ => waiting,
        };
        if launches == waiting {
            let longest = self.stages.iter().map(|stage| stage.longest).max().unwrap_or_default();
            let slack = SimDuration::from_millis(longest.as_millis().saturating_mul(slots));
            let work = (self.running_work(now) + state.waiting).saturating_sub(slack);
            let bound = now + SimDuration::from_millis(work.as_millis() / slots);
            let last_end = self.running.ends().max();
            if Some(bound) > last_end {
                return Some(bound);
            }
        }
        Some(self.nth_end(launches).max(local))
    }

    /// A time not after the `n`-th end of a task from now on, if nothing happens from outside:
    /// each end is followed by the launch of the next task of the first open stage. Not further
    /// than that stage has tasks, and no more than about as many ends as tasks run.
    pub(crate) fn nth_end(&self, n: u32) -> SimTime {
        let mut ends: Vec<Reverse<SimTime>> = self.running.ends().map(Reverse).collect();
        let first = self.open.front().copied();
        let n = match first {
            Some(first) if self.open.len() > 1 => n.min(self.waiting_tasks(first)),
            _ => n,
        };
        let n = (n as usize).min(ends.len().max(LOOKAHEAD_MIN));
        let mut next = first.into_iter().flat_map(|first| self.waiting_durations(first));
        let mut ends = BinaryHeap::from(std::mem::take(&mut ends));
        let mut at = self.advanced_to;
        for _ in 0..n {
            let Some(mut end) = ends.peek_mut() else { break };
            at = end.0;
            match next.next() {
                Some(duration) => end.0 = at + duration,
                None => drop(PeekMut::pop(end)),
            }
        }
        at
    }

    /// Tasks of a stage that wait for a slot.
    pub(super) fn waiting_tasks(&self, stage: u32) -> u32 {
        let state = &self.stages[stage as usize];
        let never_launched = self.work.stages[stage as usize].tasks.count() - state.next;
        never_launched + state.requeued.len() as u32
    }

    /// How long they take at least, in the order in which they are launched.
    fn waiting_durations(&self, stage: u32) -> impl Iterator<Item = SimDuration> + '_ {
        let (state, tasks) =
            (&self.stages[stage as usize], &self.work.stages[stage as usize].tasks);
        let requeued = state.requeued.iter().rev().copied();
        requeued.chain(state.next..tasks.count()).map(|task| tasks.get(task))
    }

    /// When the running task that kills its executor does so.
    fn next_kill(&self) -> Option<SimTime> {
        self.doom?;
        let mut running = self.running.iter();
        running.find(|task| task.ending == Ending::Kills).map(|task| task.end)
    }

    /// Time that running tasks still take.
    fn running_work(&self, now: SimTime) -> SimDuration {
        let left = self.running.ends().map(|end| end.since(now));
        left.fold(SimDuration::ZERO, |sum, left| sum + left)
    }

    /// When the first running task ends: no executor goes idle before.
    pub(crate) fn next_task_end(&self) -> Option<SimTime> {
        self.running.first().map(|task| task.end)
    }

    /// The earliest end of a stage of which no task waits.
    fn next_stage_end(&self) -> Option<SimTime> {
        let launched = self.active.iter().filter(|stage| !self.open.contains(stage));
        launched.map(|stage| self.stages[*stage as usize].last_end).min()
    }
}
