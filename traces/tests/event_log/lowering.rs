//! What small logs lower to, number by number.

use std::path::PathBuf;

use serde_json::json;
use sim::units::{Bytes, SimDuration};
use sim::workload::{Failure, RunOutcome, TaskDurations};
use traces::event_log::{EventLogs, Status, read_event_logs};

use crate::sample;

/// Reads `lines` as one log.
pub(crate) fn read(lines: &[String]) -> EventLogs {
    read_bytes((lines.join("\n") + "\n").as_bytes())
}

thread_local! {
    /// One folder a test: making one is slower than reading a small log.
    static FOLDER: tempfile::TempDir = tempfile::tempdir().unwrap();
}

/// Reads `bytes` as one file.
pub(crate) fn read_bytes(bytes: &[u8]) -> EventLogs {
    let path: PathBuf = FOLDER.with(|folder| folder.path().join("log"));
    std::fs::write(&path, bytes).unwrap();
    let logs = read_event_logs(&[path], &|_| ());
    assert_eq!(logs.reports.len(), 1);
    assert!(logs.reports[0].adds_up(), "{:?}", logs.reports[0]);
    logs
}

fn ms(ms: u64) -> SimDuration {
    SimDuration::from_millis(ms)
}

#[test]
fn a_small_log_lowers_to_its_run() {
    let logs = read(&sample::lines());
    assert_eq!(logs.reports[0].status, Status::Read);
    assert_eq!(logs.reports[0].lines, 24);
    let lowered = logs.applications[0].to_run();
    assert_eq!(lowered.application, "sample");
    assert_eq!(lowered.team, "ann");
    assert_eq!(lowered.submitted_at_ms, 1000);
    let run = lowered.run;
    assert_eq!(&*run.run_id, "spark-1");
    assert_eq!(run.duration, Some(ms(9500)));
    assert_eq!(run.tasks, Some(5));
    // The retried stage's partition 1 counts once, as it was first done.
    assert_eq!(run.executor_task_time, Some(ms(1000 + 2000 + 1000 + 500 + 200)));
    // Before the first stage, between stages, between attempts, after the last one.
    assert_eq!(run.driver_only, Some(ms(2010 + 10 + 3020 + 100 + 500)));
    assert_eq!(run.executor_memory, Some(Bytes::gib(4)));
    assert_eq!((run.executors_min, run.executors_max), (Some(2), Some(2)));
    assert_eq!(run.peak_executor_memory, Some(Bytes::new(5700)));
    assert_eq!(run.peak_driver_memory, None);
    assert_eq!(run.input_bytes, Some(Bytes::new(500)));
    assert_eq!(run.shuffle_bytes, Some(Bytes::new(150)));
    assert_eq!((run.outcome, run.failure), (RunOutcome::Succeeded, None));
    let stages = run.stages.clone().unwrap();
    assert_eq!(stages.len(), 3);
    assert_eq!(stages[0].parents, [0u32; 0]);
    // 2010 ms to its submission, 10 more to its first task: nothing else ran.
    assert_eq!(stages[0].driver_gap, ms(2020));
    assert_eq!(stages[1].parents, [0]);
    // 10 ms from its parent's last task to the parent's end, 10 to its submission, 10 to its launch.
    assert_eq!(stages[1].driver_gap, ms(30));
    // Its own parent was skipped: it follows the last stage of the job before.
    assert_eq!(stages[2].parents, [1]);
    assert_eq!(stages[2].driver_gap, ms(3040));
    // Its first task took 500 ms, nearly all of it outside of its run time: that is told apart, but
    // a quarter of a task's time is its own in any case.
    assert_eq!(stages[2].tasks, TaskDurations::from_millis(vec![125, 200]));
    assert_eq!(stages[2].first_task_overhead, ms(375));
    let times = &run.recording.as_ref().unwrap().task_times;
    assert_eq!(times[2], TaskDurations::from_millis(vec![500, 200]));
    assert_eq!(stages[2].peak_task_memory, Bytes::new(2000));
    assert_eq!(stages[2].shuffle_read_bytes, Bytes::new(40));
    assert!(logs.findings.iter().any(|finding| finding.code == "repeated-tasks"));
}

#[test]
fn jobs_that_overlap_do_not_wait_for_each_other() {
    let mut lines = sample::lines();
    lines.truncate(5);
    lines.extend([
        sample::job_start(0, 3000, &[0]),
        sample::job_start(1, 3100, &[1]),
        sample::stage("StageSubmitted", 0, 0, &[], 3000, 0, ""),
        sample::stage("StageSubmitted", 1, 0, &[], 3100, 0, ""),
        sample::task(0, 0, 0, 3000, 4000),
        sample::task(1, 0, 0, 3100, 5000),
        sample::stage("StageCompleted", 0, 0, &[], 3000, 4000, ""),
        sample::job_end(0, 4000, "JobSucceeded"),
        sample::stage("StageCompleted", 1, 0, &[], 3100, 5000, ""),
        sample::job_end(1, 5000, "JobSucceeded"),
        sample::job_start(2, 5600, &[2]),
        sample::stage("StageSubmitted", 2, 0, &[], 5600, 0, ""),
        sample::task(2, 0, 0, 5600, 6000),
        sample::stage("StageCompleted", 2, 0, &[], 5600, 6000, ""),
        sample::job_end(2, 6000, "JobSucceeded"),
    ]);
    let logs = read(&lines);
    let stages = logs.applications[0].to_run().run.stages.unwrap();
    assert_eq!(stages[0].parents, [0u32; 0]);
    assert_eq!(stages[1].parents, [0u32; 0]);
    assert_eq!(stages[1].driver_gap, ms(2100));
    assert_eq!(stages[2].parents, [0, 1]);
    assert_eq!(stages[2].driver_gap, ms(600));
}

#[track_caller]
fn check_outcome(ending: &[String], expected: (RunOutcome, Option<Failure>)) {
    let mut lines = sample::lines();
    let end = lines.pop().unwrap();
    lines.extend_from_slice(ending);
    lines.push(end);
    let run = read(&lines).applications[0].to_run().run;
    assert_eq!((run.outcome, run.failure), expected);
}

#[test]
fn the_last_job_decides_and_its_texts_tell_the_cause() {
    let failed = |cause| (RunOutcome::Failed, Some(cause));
    let job = |message: &str| {
        vec![sample::job_start(2, 10_100, &[4]), sample::job_end(2, 10_200, message)]
    };
    check_outcome(&job("JobSucceeded"), (RunOutcome::Succeeded, None));
    check_outcome(&job("java.lang.RuntimeException: bug"), failed(Failure::Application));
    check_outcome(&job("AmazonS3Exception: Service Unavailable"), failed(Failure::Transient));
    check_outcome(&job("java.lang.OutOfMemoryError"), failed(Failure::ExecutorOom));
    let lost = "ExecutorLostFailure (executor 1 exited unrelated to the running tasks)";
    let removed = sample::executor_removed(1, 10_150, "exited with exit code 137(SIGKILL)");
    let with_loss = |message: &str| [job(message), vec![removed.clone()]].concat();
    check_outcome(&with_loss(lost), failed(Failure::ExecutorOom));
    // A lost executor that the failure does not speak of is not its cause.
    check_outcome(&with_loss("a bug"), failed(Failure::Application));
    let recovered = [
        job("a bug"),
        vec![sample::job_start(3, 10_300, &[5]), sample::job_end(3, 10_400, "JobSucceeded")],
    ];
    check_outcome(&recovered.concat(), (RunOutcome::Succeeded, None));
}

#[test]
fn a_log_without_an_end_is_unfinished_and_keeps_what_it_has() {
    let lines = sample::lines();
    let logs = read(&lines[..13]);
    let run = logs.applications[0].to_run().run;
    assert_eq!(run.outcome, RunOutcome::Unfinished);
    assert_eq!(run.duration, Some(ms(5060)));
    assert_eq!(run.tasks, Some(3));
}

#[test]
fn a_log_without_a_start_counts_from_its_first_time() {
    let mut lines = sample::lines();
    lines.remove(2);
    let logs = read(&lines);
    assert_eq!(logs.reports[0].status, Status::Partial);
    assert_eq!(logs.applications[0].app_id, "log");
    assert_eq!(logs.applications[0].started_ms, 3000);
    assert!(logs.findings.iter().any(|finding| finding.code == "no-application-start"));
}

#[test]
fn a_stage_of_very_many_tasks_is_kept_compactly() {
    let mut lines = sample::lines();
    lines.truncate(7);
    let count = 30_000u32;
    let tasks = (0..count).map(|task| sample::task(0, 0, task, 3020, 3120 + i64::from(task % 100)));
    lines.extend(tasks);
    lines.push(sample::stage("StageCompleted", 0, 0, &[], 3010, 5030, ""));
    // Late ones: a partition that was done, and one that was not.
    lines.push(sample::task(0, 0, 5, 5040, 5050));
    lines.push(sample::task(0, 0, count, 5040, 5050));
    let logs = read(&lines);
    let application = &logs.applications[0];
    assert_eq!(application.tasks.succeeded, u64::from(count) + 2);
    assert_eq!(application.tasks.repeated, 1);
    let stages = application.to_run().run.stages.unwrap();
    assert_eq!(stages[0].tasks.count(), count + 1);
    assert!(matches!(stages[0].tasks, TaskDurations::Quantiles { .. }));
}

#[test]
fn the_same_application_twice_gets_two_names() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        std::fs::write(folder.path().join(name), sample::text()).unwrap();
    }
    let logs = read_event_logs(&[folder.path().to_owned()], &|_| ());
    let ids: Vec<_> = logs.applications.iter().map(|one| one.run_id.as_str()).collect();
    assert_eq!(ids, ["spark-1", "spark-1#2"]);
    let twice = logs.findings.iter().filter(|finding| finding.code == "duplicate-application");
    assert_eq!(twice.count(), 1);
}

#[test]
fn two_logs_joined_into_one_file_are_two_applications() {
    let second = sample::text().replace("spark-1", "spark-2");
    let logs = read_bytes((sample::text() + &second).as_bytes());
    let ids: Vec<_> = logs.applications.iter().map(|one| one.run_id.as_str()).collect();
    assert_eq!(ids, ["spark-1", "spark-2"]);
    assert_eq!(logs.applications[0].tasks, logs.applications[1].tasks);
}

#[test]
fn peaks_are_resident_memory_where_it_was_measured() {
    let metrics = |executor: &str, jvm: u64, python: u64| {
        let metrics = json!({
            "JVMHeapMemory": 50_000,
            "JVMOffHeapMemory": 7000,
            "ProcessTreeJVMRSSMemory": jvm,
            "ProcessTreePythonRSSMemory": python,
        });
        json!({
            "Executor ID": executor,
            "Stage ID": 0,
            "Stage Attempt ID": 0,
            "Executor Metrics": metrics,
            "Executor Metrics Updated": [{"Stage ID": 0, "Executor Metrics": metrics}],
        })
    };
    let mut lines = sample::lines();
    let end = lines.pop().unwrap();
    lines.extend([
        sample::event("StageExecutorMetrics", metrics("1", 60_000, 5000)),
        sample::event("StageExecutorMetrics", metrics("driver", 61_000, 0)),
        sample::event("ExecutorMetricsUpdate", metrics("2", 0, 99_999)),
        sample::event("ExecutorMetricsUpdate", metrics("<driver>", 62_000, 0)),
        end,
    ]);
    let run = read(&lines).applications[0].to_run().run;
    assert_eq!(run.peak_executor_memory, Some(Bytes::new(65_000)));
    assert_eq!(run.peak_driver_memory, Some(Bytes::new(62_000)));
}

#[test]
fn logs_without_parents_and_job_times_follow_their_order() {
    // As 1.2 and 1.3 wrote them.
    let strip = |line: String| {
        line.replace(",\"Parent IDs\":[0]", "")
            .replace(",\"Parent IDs\":[2]", "")
            .replace(",\"Parent IDs\":[]", "")
            .replace(",\"Stage Attempt ID\":0", "")
            .replace(",\"Submission Time\":3000,\"Stage Infos\"", ",\"Stage Infos\"")
            .replace(",\"Submission Time\":9070,\"Stage Infos\"", ",\"Stage Infos\"")
            .replace(",\"Completion Time\":6070,\"Job Result\"", ",\"Job Result\"")
    };
    let lines: Vec<String> = sample::lines().into_iter().map(strip).collect();
    assert_ne!(lines, sample::lines());
    let logs = read(&lines);
    assert_eq!(logs.reports[0].malformed, 0);
    let stages = logs.applications[0].to_run().run.stages.unwrap();
    assert_eq!(stages.len(), 3);
    assert_eq!(stages[1].parents, [0]);
    assert_eq!(stages[2].parents, [1]);
    assert_eq!(stages[2].driver_gap, ms(3040));
}
