//! How many executors an application wants: Spark's ExecutorAllocationManager.
//!
//! Models: the target grows while tasks wait (1, 2, 4, .. more at each timeout), falls at once when
//! fewer are needed, and executors idle for longer than the timeout go, unless they hold shuffle
//! output and shuffle tracking is on. Leaves out: cached blocks and their timeout, the shuffle
//! tracking timeout (infinite by default), speculative tasks, the 100 ms poll (decisions are taken
//! at the moments they are due). Source: facts-spark A2.

use super::progress::{Executor, Progress};
use crate::cluster::PodId;
use crate::scenario::DynamicAllocation;
use crate::units::SimTime;

/// The number of executors wanted, and how it moves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// Executors wanted.
    pub(crate) count: u32,
    /// By how much it grows next.
    step: u32,
    /// When it grows next, while tasks wait.
    grows_at: Option<SimTime>,
}

impl Target {
    /// A fixed number, or the initial one.
    pub(crate) fn new(count: u32) -> Self {
        Self { count, step: 1, grows_at: None }
    }

    /// Takes the decisions that are due: falls, grows, or stays.
    ///
    /// The target falls as soon as fewer executors are needed, and grows only at its timer. So it
    /// is enough to know the fewest tasks since the last update, however long that is ago.
    pub(crate) fn update(
        &mut self,
        now: SimTime,
        progress: &mut Progress,
        settings: &DynamicAllocation,
        limits: (u32, u32),
        slots: u32,
    ) {
        let (min, max) = limits;
        let lowest = executors_for(progress.take_fewest_tasks(), settings, slots);
        if lowest < self.count {
            self.count = lowest.max(min);
            self.step = 1;
        }
        let Some(since) = progress.backlog_since() else {
            self.grows_at = None;
            self.step = 1;
            return;
        };
        let need = need(progress, settings, slots);
        let due = *self.grows_at.get_or_insert(since + settings.scheduler_backlog_timeout);
        if now < due {
            return;
        }
        let before = self.count;
        if before >= max {
            self.step = 1;
        } else {
            let live = progress.executors().count() as u32;
            let wanted = before.max(live).saturating_add(self.step);
            self.count = wanted.min(need).clamp(min, max).max(before.min(need));
            let granted = self.count.saturating_sub(before);
            self.step = if granted == self.step { self.step.saturating_mul(2) } else { 1 };
        }
        self.grows_at = Some(now + settings.sustained_scheduler_backlog_timeout);
    }

    /// When the next decision is due; `None` if only something else can change it.
    pub(crate) fn next_decision(
        &self,
        progress: &Progress,
        settings: &DynamicAllocation,
        limits: (u32, u32),
        slots: u32,
    ) -> Option<SimTime> {
        let (min, max) = limits;
        let wants_more = self.count < max.min(need(progress, settings, slots));
        let grows = progress
            .backlog_since()
            .filter(|_| wants_more)
            .map(|since| self.grows_at.unwrap_or(since + settings.scheduler_backlog_timeout));
        let timeout = settings.executor_idle_timeout;
        let live = progress.executors().count() as u32;
        let may_go = |executor: &&Executor| !(settings.shuffle_tracking && executor.holds_shuffle);
        let idles = (live > min)
            .then(|| {
                let executors = progress.executors().filter(may_go);
                let idle = executors.filter(|executor| executor.running == 0);
                let since = idle.map(|executor| executor.idle_since);
                // Who works now is idle at the end of the first task at the earliest.
                since.chain(progress.next_task_end()).map(|since| since + timeout).min()
            })
            .flatten();
        grows.into_iter().chain(idles).min()
    }

    /// Executors that were idle for too long and may go, oldest first.
    pub(crate) fn idle_executors(
        &self,
        now: SimTime,
        progress: &Progress,
        settings: &DynamicAllocation,
        min: u32,
    ) -> Vec<PodId> {
        let live = progress.executors().count() as u32;
        let spare = live.saturating_sub(min.max(self.count)) as usize;
        progress
            .executors()
            .filter(|executor| executor.running == 0)
            .filter(|executor| !(settings.shuffle_tracking && executor.holds_shuffle))
            .filter(|e| now >= e.idle_since.saturating_add(settings.executor_idle_timeout))
            .map(|executor| executor.pod)
            .take(spare)
            .collect()
    }
}

/// Executors that the waiting and running tasks need.
fn need(progress: &Progress, settings: &DynamicAllocation, slots: u32) -> u32 {
    executors_for(progress.tasks_pending() + progress.tasks_running(), settings, slots)
}

fn executors_for(tasks: u32, settings: &DynamicAllocation, slots: u32) -> u32 {
    let tasks = f64::from(tasks);
    (tasks * settings.executor_allocation_ratio / f64::from(slots.max(1))).ceil() as u32
}
