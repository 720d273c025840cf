//! How a recorded application ended, and why it failed.
//!
//! - No application end: unfinished.
//! - The job that ended last failed, so that no later success recovered it: failed. A notebook
//!   whose user had an error at noon and worked on did not fail.
//! - Otherwise it succeeded, as far as an event log can tell: what the driver did after its last
//!   job, and its exit code, are not in it.
//!
//! The cause is looked for in what the failed job and its stages say and, where they blame lost
//! executors or shuffles, in why executors were removed meanwhile (`failure_patterns.rs`). What
//! matches nothing is the application's own.

use sim::workload::{Failure, RunOutcome};

use super::open_application::clip;
use super::recorded::{JobResult, RecordedApplication, RecordedJob};
use crate::failure_patterns;

/// Executors are reported lost some time after the tasks they took with them.
const LOST_BEFORE_MS: i64 = 60_000;
/// Words of a message that make the end of executors a possible cause.
const BLAMES_EXECUTORS: [&str; 6] =
    ["executorlost", "executor lost", "slave lost", "worker lost", "fetchfailed", "shut down"];

/// Characters kept of the text that tells the cause.
const MESSAGE_MAX: usize = 300;

/// How an application ended: outcome, cause, and the text that tells it.
pub(super) type Ending = (RunOutcome, Option<Failure>, Option<String>);

/// Tells the end of `application` from everything else in it.
pub(super) fn classify(application: &RecordedApplication) -> Ending {
    if application.ended_ms.is_none() {
        return (RunOutcome::Unfinished, None, None);
    }
    let last = application.jobs.iter().max_by_key(|job| {
        let open = job.result == JobResult::Open;
        (open, job.completed_ms.unwrap_or(i64::MAX), job.job_id)
    });
    match last {
        Some(job) if failed(application, job) => {
            let texts = texts(application, job);
            let found = failure_patterns::by_texts(&texts);
            let (cause, place) =
                found.map_or((Failure::Application, 0), |(pattern, place)| (pattern.cause, place));
            let text = texts.get(place).map(|text| clip(text, MESSAGE_MAX));
            (RunOutcome::Failed, Some(cause), text)
        }
        _ => (RunOutcome::Succeeded, None, None),
    }
}

/// A job without a recorded end failed if a stage of it failed or never ended: listeners lose
/// events under load, and a job's end may be one of them.
fn failed(application: &RecordedApplication, job: &RecordedJob) -> bool {
    match &job.result {
        JobResult::Succeeded => false,
        JobResult::Failed(_) => true,
        JobResult::Open => {
            let mut stages = application.stages.iter();
            stages.any(|stage| {
                let last = stage.attempts.last();
                let unfinished = last.is_some_and(|attempt| {
                    attempt.failure.is_some() || attempt.completed_ms.is_none()
                });
                unfinished && stage.job_ids.contains(&job.job_id)
            })
        }
    }
}

fn texts<'a>(application: &'a RecordedApplication, job: &'a RecordedJob) -> Vec<&'a str> {
    let mut texts = Vec::new();
    if let JobResult::Failed(message) = &job.result {
        texts.push(message.as_str());
    }
    for stage in &application.stages {
        if stage.job_ids.contains(&job.job_id) {
            let failures = stage.attempts.iter().filter_map(|a| a.failure.as_deref());
            texts.extend(failures);
        }
    }
    let blames_executors = texts.iter().any(|text| {
        let text = text.to_lowercase();
        BLAMES_EXECUTORS.iter().any(|words| text.contains(words))
    });
    if !blames_executors {
        return texts;
    }
    let from = job.submitted_ms - LOST_BEFORE_MS;
    for executor in &application.executors {
        if executor.removed_ms.is_some_and(|at| at >= from) {
            texts.extend(executor.removal_reason.as_deref());
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Failure>) {
        let found = failure_patterns::by_texts(&[text]).map(|(pattern, _)| pattern.cause);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn tells_causes_from_texts() {
        check("Command exited with code 52", Some(Failure::ExecutorOom));
        check("Command exited with code 520", None);
        check(
            "The executor with id 1 exited with exit code 137(SIGKILL, possible container OOM).",
            Some(Failure::ExecutorOom),
        );
        check(
            "AmazonS3Exception: Please reduce your request rate. (Status Code: 503; SlowDown)",
            Some(Failure::Transient),
        );
        check("java.lang.RuntimeException: got a 3, failing", None);
    }

    #[test]
    fn memory_comes_before_what_it_causes() {
        let texts = ["FetchFailed(BlockManagerId(1))", "exited with exit code 137"];
        let (pattern, place) = failure_patterns::by_texts(&texts).expect("found");
        assert_eq!((pattern.cause, place), (Failure::ExecutorOom, 1));
    }
}
