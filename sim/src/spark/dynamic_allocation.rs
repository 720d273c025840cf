//! How many executors an application wants: Spark's ExecutorAllocationManager.
//!
//! Models: the target grows while tasks wait (1, 2, 4, .. more at each timeout), falls at once when
//! fewer are needed, and executors idle for longer than their timeout go: the longest of the idle
//! timeout, the cached one where they hold cached blocks, and the shuffle tracking one where they
//! hold shuffle output (both infinite by default). Leaves out: shuffles that no job needs any more
//! and that a collection of garbage in the driver would free, the 100 ms poll (decisions are taken
//! at the moments they are due). Source: facts-spark A2.

use super::progress::{Executor, Progress};
use crate::scenario::DynamicAllocation;
use crate::units::{SimDuration, SimTime};

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
    /// is enough to know the fewest tasks since the last update, however long that is ago. The timer
    /// keeps its beat, whoever looks in between: upstream polls, and adds nothing at a beat at which
    /// nothing is wanted.
    pub(crate) fn update<K: Copy + Eq>(
        &mut self,
        now: SimTime,
        progress: &mut Progress<K>,
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
        let interval =
            settings.sustained_scheduler_backlog_timeout.max(SimDuration::from_millis(1));
        let late = now.since(due).as_millis() % interval.as_millis();
        self.grows_at = Some(now + SimDuration::from_millis(interval.as_millis() - late));
        if now > due {
            // The timer went on, and nobody had to look, because nothing was wanted.
            self.step = 1;
        }
        if late > 0 {
            return;
        }
        let before = self.count;
        if before >= max {
            self.step = 1;
        } else {
            let live = progress.executors_live();
            let wanted = before.max(live).saturating_add(self.step);
            self.count = wanted.min(need).clamp(min, max).max(before.min(need));
            let granted = self.count.saturating_sub(before);
            self.step = if granted == self.step { self.step.saturating_mul(2) } else { 1 };
        }
    }

    /// When the next decision is due; `None` if only something else can change it.
    pub(crate) fn next_decision<K: Copy + Eq>(
        &self,
        progress: &Progress<K>,
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
        let live = progress.executors_live();
        let idles = (live > min)
            .then(|| {
                let idle = progress.executors().filter(|executor| executor.running == 0);
                let due = idle.filter_map(|e| goes_at(e, e.idle_since, settings));
                // Who works now is idle at the end of the first task at the earliest.
                let busy = progress.next_task_end().map(|at| at + settings.executor_idle_timeout);
                due.chain(busy).min()
            })
            .flatten();
        grows.into_iter().chain(idles).min()
    }

    /// Executors that were idle for too long and may go, oldest first.
    pub(crate) fn idle_executors<K: Copy + Eq>(
        &self,
        now: SimTime,
        progress: &Progress<K>,
        settings: &DynamicAllocation,
        min: u32,
    ) -> Vec<K> {
        let live = progress.executors_live();
        let spare = live.saturating_sub(min.max(self.count)) as usize;
        progress
            .executors()
            .filter(|executor| executor.running == 0)
            .filter(|executor| goes_at(executor, executor.idle_since, settings) <= Some(now))
            .filter(|executor| goes_at(executor, executor.idle_since, settings).is_some())
            .map(|executor| executor.key)
            .take(spare)
            .collect()
    }
}

/// When an executor that is idle since then may go: after the longest of the timeouts that hold for
/// it; `None` = never.
fn goes_at<K>(
    executor: &Executor<K>,
    idle_since: SimTime,
    settings: &DynamicAllocation,
) -> Option<SimTime> {
    let mut timeout = settings.executor_idle_timeout;
    if executor.holds_cache {
        timeout = timeout.max(settings.cached_executor_idle_timeout?);
    }
    if settings.shuffle_tracking && executor.holds_shuffle {
        timeout = timeout.max(settings.shuffle_tracking_timeout?);
    }
    Some(idle_since.saturating_add(timeout))
}

/// Executors that the waiting and running tasks need.
fn need<K: Copy + Eq>(progress: &Progress<K>, settings: &DynamicAllocation, slots: u32) -> u32 {
    executors_for(progress.tasks_pending() + progress.tasks_running(), settings, slots)
}

fn executors_for(tasks: u32, settings: &DynamicAllocation, slots: u32) -> u32 {
    let tasks = f64::from(tasks);
    (tasks * settings.executor_allocation_ratio / f64::from(slots.max(1))).ceil() as u32
}

/// The most tasks that want no more than that many executors: the inverse of the above.
pub(crate) fn most_tasks_of(executors: u32, settings: &DynamicAllocation, slots: u32) -> u32 {
    let per_executor = f64::from(slots.max(1)) / settings.executor_allocation_ratio;
    // A task more than the quotient, so that its rounding makes nobody come too late.
    (f64::from(executors) * per_executor) as u32 + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{SparkDefaults, SparkVersion};
    use crate::spark::progress::Progress;
    use crate::spark::rules::{Overheads, Rules};
    use crate::spark::work::Work;
    use crate::workload::{Stage, TaskDurations};

    fn ms(ms: u64) -> SimTime {
        SimTime::from_millis(ms)
    }

    /// Whoever looks between two beats of the timer moves neither the beat nor the target.
    #[test]
    fn looking_in_between_does_not_move_the_timer() {
        let spark = SparkDefaults::default_of(SparkVersion { major: 3, minor: 5 });
        let settings = &spark.dynamic_allocation;
        let grown = |looks: &[u64]| {
            let minute = TaskDurations::from_millis(vec![60_000; 20]);
            let stages = vec![Stage { tasks: minute, ..Stage::default() }];
            let work = Work { stages: stages.into(), tail: SimDuration::ZERO };
            let rules = Rules::new(&spark, Overheads::default());
            let mut progress: Progress<u32> = Progress::new(work, rules, None);
            progress.start(SimTime::ZERO);
            // No more than the two that there are until 3.4 s, then up to five.
            let mut target = Target::new(2);
            for at in looks {
                progress.advance(ms(*at));
                let max = if *at < 3400 { 2 } else { 5 };
                target.update(ms(*at), &mut progress, settings, (2, max), 4);
            }
            (target.count, target.grows_at)
        };
        let few = grown(&[0, 1000, 3400, 4000]);
        assert_eq!(few, grown(&[0, 300, 1000, 1700, 2000, 2345, 3000, 3400, 3999, 4000]));
        assert_eq!(few, (3, Some(ms(5000))));
    }
}
