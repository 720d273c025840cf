//! Tasks that fail, limits on failures, and executors that get no more tasks.
//!
//! Models: a task that fails as often as `spark.task.maxFailures` says ends the application; tasks
//! lost with an executor count where the executor's end was its own doing; excludeOnFailure for a
//! task, a stage and the application, on executors and hosts. Leaves out: killing excluded
//! executors, exclusion at the first fetch failure. Source: facts-spark A1 and A5.

use std::collections::BTreeMap;

use super::{Progress, Running};
use crate::units::{SimDuration, SimTime};
use crate::workload::Failure;

/// A recorded misfortune of a task's attempt, to happen again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It throws after that time.
    Throws(SimDuration),
    /// It fetches from an executor that goes, and fails after that time.
    CannotFetch(SimDuration),
    /// It takes at least so long: it was given up for a faster copy.
    Slow(SimDuration),
}

/// Failures of an application so far, and those to come.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// Faults to come, by stage, task and the task's attempt.
    faults: BTreeMap<(u32, u32, u32), Fault>,
    /// Attempts of tasks launched, where there are faults.
    launches: BTreeMap<(u32, u32), u32>,
    /// Failures that count, by stage and task.
    counts: BTreeMap<(u32, u32), u32>,
    /// Executors and hosts that a task failed on: (executor, host).
    failed_on: BTreeMap<(u32, u32), Vec<(u32, u32)>>,
    /// Failed tasks of executors, the application's whole life: (count, since when excluded).
    by_executor: BTreeMap<u32, (u32, Option<SimTime>)>,
    /// The application has given up.
    pub(super) aborted: Option<Failure>,
}

impl Failures {
    /// Whether an attempt is known to meet a fault, or has met one.
    pub(super) fn expects_any(&self) -> bool {
        !self.faults.is_empty()
    }

    /// What happens to the attempt of the task that is launched now.
    pub(super) fn fault_of(&mut self, stage: u32, task: u32) -> Option<Fault> {
        if self.faults.is_empty() {
            return None;
        }
        let launches = self.launches.entry((stage, task)).or_default();
        let attempt = *launches;
        *launches += 1;
        self.faults.get(&(stage, task, attempt)).copied()
    }
}

impl<K: Copy + Eq> Progress<K> {
    /// The attempt of the task will meet `fault`.
    pub(crate) fn add_fault(&mut self, stage: u32, task: u32, attempt: u32, fault: Fault) {
        self.exceptional = true;
        self.failures.faults.insert((stage, task, attempt), fault);
    }

    /// A task threw.
    pub(super) fn task_failed(&mut self, task: Running) {
        self.tasks_not_succeeded += 1;
        self.task_time_lost += task.end.since(task.start);
        let executor = task.executor;
        self.requeue(task);
        if self.rules.exclusion.enabled {
            self.note_failure_on(task.stage, task.task, executor, task.end);
        }
        self.count_failure(task.stage, task.task, Failure::Application);
    }

    /// A failure of the task counts; too many of them end the application.
    pub(super) fn count_failure(&mut self, stage: u32, task: u32, cause: Failure) {
        self.exceptional = true;
        if self.stages[stage as usize].done.contains(task) {
            return;
        }
        let count = self.failures.counts.entry((stage, task)).or_default();
        *count += 1;
        if *count >= self.rules.limits.task_max_failures {
            self.failures.aborted.get_or_insert(cause);
        }
    }

    fn note_failure_on(&mut self, stage: u32, task: u32, executor: u32, at: SimTime) {
        let host = self.executors[executor as usize].host;
        self.failures.failed_on.entry((stage, task)).or_default().push((executor, host));
        let failed_on = &mut self.stages[stage as usize].failed_on;
        match failed_on.iter_mut().find(|(other, _)| *other == executor) {
            Some((_, count)) => *count += 1,
            None => failed_on.push((executor, 1)),
        }
        let limit = self.rules.exclusion.application_failed_tasks_per_executor;
        let (count, since) = self.failures.by_executor.entry(executor).or_default();
        *count += 1;
        if self.rules.exclusion.application && *count >= limit {
            since.get_or_insert(at);
        }
    }

    /// Whether excludeOnFailure lets the executor have the task.
    pub(super) fn is_allowed(&self, stage: u32, task: u32, executor: u32, at: SimTime) -> bool {
        let rules = &self.rules.exclusion;
        let profiles = self.rules.by_profile;
        if profiles
            && self.executors[executor as usize].profile
                != self.work.stages[stage as usize].resource_profile
        {
            return false;
        }
        // Where nothing runs and nobody may have it, Spark takes a new executor for an excluded one.
        if !rules.enabled || self.running.is_empty() {
            return true;
        }
        let host = self.executors[executor as usize].host;
        if let Some(failed) = self.failures.failed_on.get(&(stage, task)) {
            let here = failed.iter().filter(|(other, _)| *other == executor).count();
            let on_host = failed.iter().filter(|(_, other)| *other == host).count();
            if here >= rules.task_attempts_per_executor as usize
                || on_host >= rules.task_attempts_per_node as usize
            {
                return false;
            }
        }
        let is_bad = |executor: u32, count: u32| {
            count >= rules.stage_failed_tasks_per_executor
                && self.executors[executor as usize].host == host
        };
        let failed_on = &self.stages[stage as usize].failed_on;
        let stage_bad = failed_on.iter().any(|(other, count)| {
            *other == executor && *count >= rules.stage_failed_tasks_per_executor
        });
        let bad_on_host = failed_on.iter().filter(|(other, count)| is_bad(*other, *count)).count();
        if stage_bad || bad_on_host >= rules.stage_failed_executors_per_node as usize {
            return false;
        }
        let is_out = |since: &Option<SimTime>| since.is_some_and(|s| at.since(s) < rules.timeout);
        let by_executor = &self.failures.by_executor;
        let out_here = by_executor.get(&executor).is_some_and(|(_, since)| is_out(since));
        let out_on_host = by_executor
            .iter()
            .filter(|(other, (_, since))| {
                self.executors[**other as usize].host == host && is_out(since)
            })
            .count();
        !out_here && out_on_host < rules.application_failed_executors_per_node as usize
    }

    /// [`Progress::take_task`] where not every slot may have every task: the first waiting task of
    /// the stage that some free slot may have, copies last.
    pub(super) fn take_allowed_task(&mut self, stage: u32, at: SimTime) -> Option<(u32, u32)> {
        let count = self.work.stages[stage as usize].tasks.count();
        let state = &self.stages[stage as usize];
        let again = state.requeued.iter().rev().copied();
        let fresh = (state.next < count).then_some(state.next);
        let candidates: Vec<u32> = again.chain(fresh).collect();
        for task in candidates {
            let slots = self.free.iter().copied();
            let Some(place) = slots.clone().position(|slot| self.is_allowed(stage, task, slot, at))
            else {
                continue;
            };
            let slot = self.free.remove(place)?;
            let state = &mut self.stages[stage as usize];
            match state.requeued.iter().rposition(|other| *other == task) {
                Some(place) => {
                    state.requeued.remove(place);
                }
                None => state.next += 1,
            }
            self.pending -= 1;
            self.unqueue_time(stage, task);
            return Some((task, slot));
        }
        self.take_copy(stage)
    }
}
