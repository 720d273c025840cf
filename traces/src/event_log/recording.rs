//! What an application met on the cluster that it was recorded on.
//!
//! Executors, losses, failed tasks and ends, as times since the application's start. How an
//! executor went is read from the text of its removal; what says nothing known counts as lost.

use std::collections::BTreeMap;

use sim::scenario::SparkVersion;
use sim::units::SimDuration;
use sim::workload::{
    RecordedExecutor, Recording, Removal, RunOutcome, Stage, TaskFault, TaskFaultKind,
};

use super::event::TaskEnd;
use super::recorded::{RecordedApplication, RecordedStage};

/// The recording of `application`, whose stages were lowered to `stages`.
pub(super) fn recording_of(application: &RecordedApplication, stages: &[Stage]) -> Recording {
    let at = |ms: i64| since(application, ms);
    let jobs = application.jobs.iter();
    let places: BTreeMap<u32, u32> =
        stages.iter().enumerate().map(|(place, stage)| (stage.stage_id, place as u32)).collect();
    let faults = application.faults.iter().filter_map(|(stage, fault)| {
        let stage = *places.get(stage)?;
        Some(TaskFault { stage, ..*fault })
    });
    let by_id: BTreeMap<u32, &RecordedStage> =
        application.stages.iter().map(|stage| (stage.stage_id, stage)).collect();
    let end_of = |stage: &Stage| {
        let attempts = by_id.get(&stage.stage_id)?.attempts.iter();
        let complete = attempts.filter(|attempt| attempt.failure.is_none());
        complete.filter_map(|attempt| attempt.completed_ms).min().map(at)
    };
    let last_task = application.stages.iter().filter_map(|stage| stage.last_finish_ms).max();
    let last_job = application.jobs.iter().filter_map(|job| job.completed_ms).max();
    let tail = last_job.zip(last_task).map_or(0, |(job, task)| (job - task).max(0));
    let times = |stage: &Stage| {
        by_id.get(&stage.stage_id).map_or_else(Default::default, |stage| stage.task_times.clone())
    };
    Recording {
        driver_tail: SimDuration::from_millis(tail.unsigned_abs()),
        task_times: stages.iter().map(times).collect(),
        spark_version: application.spark_version.as_deref().and_then(version),
        executors: executors(application),
        task_faults: faults.collect(),
        first_job_at: jobs.clone().map(|job| job.submitted_ms).min().map(at),
        last_job_ended_at: jobs.filter_map(|job| job.completed_ms).max().map(at),
        stage_ends: stages.iter().map(end_of).collect(),
        warmed_up: application.first_task_id.is_some_and(|id| id > 0)
            && application.outcome != RunOutcome::Unfinished,
        one_host: one_host(application),
        tasks_succeeded: application.tasks.succeeded,
        tasks_not_succeeded: application.tasks.not_succeeded.values().sum(),
    }
}

/// Time since the application's start.
fn since(application: &RecordedApplication, ms: i64) -> SimDuration {
    let ms = ms.saturating_sub(application.started_ms);
    SimDuration::from_millis(u64::try_from(ms).unwrap_or(0))
}

fn executors(application: &RecordedApplication) -> Vec<RecordedExecutor> {
    let mut hosts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut executors = Vec::with_capacity(application.executors.len());
    for executor in &application.executors {
        let number = hosts.len() as u32;
        let removal = executor
            .removed_ms
            .map(|_| removal_of(executor.removal_reason.as_deref().unwrap_or_default()));
        executors.push(RecordedExecutor {
            added_at: since(application, executor.added_ms),
            removed_at: executor.removed_ms.map(|ms| since(application, ms)),
            cores: executor.cores,
            resource_profile: executor.resource_profile,
            host: *hosts.entry(executor.host.as_str()).or_insert(number),
            removal,
        });
    }
    executors
}

/// Local modes; and executors that all share one host.
fn one_host(application: &RecordedApplication) -> bool {
    application.master.as_deref().is_some_and(|master| master.starts_with("local"))
}

/// `3.5.9` and the like.
fn version(text: &str) -> Option<SparkVersion> {
    let mut parts = text.split(['.', '-']);
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    Some(SparkVersion { major, minor })
}

/// How an executor went, by what Spark says of it. Source: Spark's schedulers
/// (`TaskSchedulerImpl`, `ExecutorPodsLifecycleManager`, `StandaloneSchedulerBackend`, `YarnAllocator`).
pub(super) fn removal_of(reason: &str) -> Removal {
    let text = reason.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["decommission"]) {
        return Removal::Decommissioned;
    }
    let exit_code = exit_code(&text);
    if says(&["idle", "killed by driver", "remove request", "finished", "requested to be killed"]) {
        return Removal::Released;
    }
    // Killed from outside: by a signal, not by the kernel for memory.
    if exit_code == Some(143)
        || says(&["worker lost", "worker shutting down", "heartbeat", "evicted", "deleted"])
    {
        return Removal::Lost;
    }
    match exit_code {
        // Not the process' own: YARN's -100 and Spark's -1 stand for a container that is gone.
        Some(code) if code < 0 => Removal::Lost,
        Some(_) => Removal::Exited { exit_code },
        None if says(&["out of memory", "oom", "memory limits"]) => {
            Removal::Exited { exit_code: Some(137) }
        }
        None => Removal::Lost,
    }
}

/// The number after `code`, `status` or `code:` in a text.
fn exit_code(text: &str) -> Option<i32> {
    for word in ["code", "status", "exitcode"] {
        for (at, _) in text.match_indices(word) {
            let rest = text[at + word.len()..].trim_start_matches([':', ' ', '=']);
            let rest = rest.strip_prefix("is ").unwrap_or(rest);
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(rest.len());
            if let Ok(code) = rest[..end].parse() {
                return Some(code);
            }
        }
    }
    None
}

/// The fault of an unsuccessful task; its stage is set later.
pub(super) fn fault_of(event: &TaskEnd<'_>) -> TaskFault {
    let info = &event.info;
    let ms = info.launched.get().zip(info.finished.get()).map_or(0, |(from, to)| to - from);
    let partition = info.partition.and_then(|id| u32::try_from(id).ok());
    let kind = match &*event.reason.reason {
        "ExecutorLostFailure" => TaskFaultKind::ExecutorLost,
        "FetchFailed" => TaskFaultKind::FetchFailed,
        "TaskKilled" => TaskFaultKind::Killed,
        "Resubmitted" => TaskFaultKind::Resubmitted,
        "TaskCommitDenied" => TaskFaultKind::CommitDenied,
        _ => TaskFaultKind::Exception,
    };
    TaskFault {
        stage: 0,
        partition: partition.unwrap_or(info.index),
        attempt: info.attempt,
        after: SimDuration::from_millis(u64::try_from(ms).unwrap_or(0)),
        kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removals_are_told_apart_by_their_texts() {
        let check = |text: &str, expected| assert_eq!(removal_of(text), expected, "{text}");
        let exited = |code| Removal::Exited { exit_code: Some(code) };
        check("Executor killed by driver.", Removal::Released);
        check("Command exited with code 52", exited(52));
        check("Command exited with code 137", exited(137));
        check("Container from a bad node. Exit status: 143.", Removal::Lost);
        check("The executor with id 1 exited with exit code 137(SIGKILL).", exited(137));
        check("Executor decommission: spot interruption", Removal::Decommissioned);
        check("worker lost: 10.0.0.1 got disassociated", Removal::Lost);
        check(
            "Container marked as failed. Exit status: -100. Released on a lost node",
            Removal::Lost,
        );
        check("Container killed by YARN for exceeding memory limits.", exited(137));
        check("Executor heartbeat timed out after 130000 ms", Removal::Lost);
        check("", Removal::Lost);
    }
}
