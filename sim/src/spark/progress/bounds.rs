//! When somebody else has to look at an application again, at the latest.

use std::cmp::Reverse;

use super::Progress;
use crate::units::{SimDuration, SimTime};

impl<K: Copy + Eq> Progress<K> {
    /// A time not after the next moment that anybody else cares for; `None` while only something
    /// from outside can move the application on.
    ///
    /// With fixed executors that is the end. Until then slots x time must cover the work that is
    /// left, and every running task must end, so the greater of the two is a safe bound. With
    /// `dynamic` allocation, also submissions of stages, ends of stages (which may submit others),
    /// and the moment at which no task waits any more (executors start to go idle); while tasks
    /// wait, all slots are busy, so that moment comes not before slots x time covers all waiting
    /// and running work but one longest task per slot.
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
        let ends = self.running.peek().map(|Reverse(task)| task.end);
        let submits = self.submissions.peek().map(|Reverse((at, _))| *at);
        let looks = self.next_speculation().into_iter().chain(self.next_easing());
        let local = ends.into_iter().chain(submits).chain(looks).min()?;
        // While tasks wait for a better place, slots are not all busy.
        let holds_out = dynamic && !self.free.is_empty() && !self.open.is_empty();
        if self.doom.is_some() || self.exceptional || every_task || holds_out {
            return Some(local);
        }
        let slots: u64 = self.executors().map(|executor| u64::from(executor.slots)).sum();
        if slots == 0 {
            return submits;
        }
        let running = self
            .running
            .iter()
            .fold(SimDuration::ZERO, |sum, Reverse(task)| sum + task.end.since(now));
        let last_end = self.running.iter().map(|Reverse(task)| task.end).max();
        if !dynamic {
            let work = running + self.unlaunched;
            let by_work = now + SimDuration::from_millis(work.as_millis() / slots);
            let bound = by_work.max(last_end.unwrap_or(now));
            return Some(if bound > now { bound.max(local) } else { local });
        }
        let stages = self.next_stage_end().into_iter().chain(submits).min();
        if self.open.is_empty() {
            return stages;
        }
        let (waiting, longest) = self.waiting_work();
        let slack = SimDuration::from_millis(longest.as_millis().saturating_mul(slots));
        let work = (running + waiting).saturating_sub(slack);
        let bound = now + SimDuration::from_millis(work.as_millis() / slots);
        Some(bound.max(local)).into_iter().chain(stages).min()
    }

    /// When the first running task ends: no executor goes idle before.
    pub(crate) fn next_task_end(&self) -> Option<SimTime> {
        self.running.peek().map(|Reverse(task)| task.end)
    }

    /// The earliest end of a stage of which no task waits.
    fn next_stage_end(&self) -> Option<SimTime> {
        let launched = self.active.iter().filter(|stage| !self.open.contains(stage));
        launched.map(|stage| self.stages[*stage as usize].last_end).min()
    }

    /// Time of the tasks that wait, and the longest task of any stage (a bound on what waits or
    /// runs).
    fn waiting_work(&self) -> (SimDuration, SimDuration) {
        let open = self.open.iter().map(|stage| self.stages[*stage as usize].waiting);
        let longest = self.stages.iter().map(|stage| stage.longest).max();
        (open.fold(SimDuration::ZERO, |sum, time| sum + time), longest.unwrap_or_default())
    }
}
