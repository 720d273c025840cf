//! How a recorded application ended, and why it failed.
//!
//! - No application end: unfinished.
//! - The job that ended last failed, so that no later success recovered it: failed. A notebook
//!   whose user had an error at noon and worked on did not fail.
//! - Otherwise it succeeded, as far as an event log can tell: what the driver did after its last
//!   job, and its exit code, are not in it.
//!
//! The cause is looked for in what the failed job and its stages say and, where they blame lost
//! executors or shuffles, in why executors were removed meanwhile. `failure_patterns.csv` has the
//! patterns: the first one that anything matches counts. What matches nothing is the
//! application's own.

use sim::workload::{Failure, RunOutcome};

use super::recorded::{JobResult, RecordedApplication, RecordedJob};

const PATTERNS: &str = include_str!("failure_patterns.csv");
/// Executors are reported lost some time after the tasks they took with them.
const LOST_BEFORE_MS: i64 = 60_000;
/// Words of a message that make the end of executors a possible cause.
const BLAMES_EXECUTORS: [&str; 6] =
    ["executorlost", "executor lost", "slave lost", "worker lost", "fetchfailed", "shut down"];

/// Sets outcome and cause of `application` from everything else in it.
pub(super) fn classify(application: &RecordedApplication) -> (RunOutcome, Option<Failure>) {
    if application.ended_ms.is_none() {
        return (RunOutcome::Unfinished, None);
    }
    let last = application.jobs.iter().max_by_key(|job| {
        let open = job.result == JobResult::Open;
        (open, job.completed_ms.unwrap_or(i64::MAX), job.job_id)
    });
    match last {
        Some(job) if failed(application, job) => {
            let cause = cause_in(&texts(application, job)).unwrap_or(Failure::Application);
            (RunOutcome::Failed, Some(cause))
        }
        _ => (RunOutcome::Succeeded, None),
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

fn cause_in(texts: &[&str]) -> Option<Failure> {
    let lowered: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
    patterns()
        .find(|(_, pattern)| lowered.iter().any(|text| contains(text, pattern)))
        .map(|(cause, _)| cause)
}

/// Whether `pattern` is in `text`; one that ends with a digit must not go on with another.
fn contains(text: &str, pattern: &str) -> bool {
    let number = pattern.ends_with(|last: char| last.is_ascii_digit());
    text.match_indices(pattern).any(|(at, _)| {
        let next = text[at + pattern.len()..].chars().next();
        !(number && next.is_some_and(|next| next.is_ascii_digit()))
    })
}

/// The patterns with their causes, in the file's order. Fields hold no comma before the last.
fn patterns() -> impl Iterator<Item = (Failure, &'static str)> {
    PATTERNS.lines().skip(1).map(|line| {
        let mut fields = line.splitn(3, ',');
        let cause = fields.next().and_then(Failure::from_name);
        let cause = cause.expect("failure_patterns.csv names known causes");
        (cause, fields.next().expect("failure_patterns.csv has patterns"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Failure>) {
        assert_eq!(cause_in(&[text]), expected, "{text}");
    }

    #[test]
    fn every_pattern_is_usable() {
        for (cause, pattern) in patterns() {
            assert!(pattern.len() >= 8, "{pattern} is too short to mean anything");
            assert_eq!(pattern, pattern.to_lowercase());
            assert!(matches!(cause, Failure::ExecutorOom | Failure::Transient));
        }
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
        assert_eq!(cause_in(&texts), Some(Failure::ExecutorOom));
    }
}
