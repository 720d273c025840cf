//! Spark event logs to recorded applications and runs.
//!
//! [`read_event_logs`] takes files and folders as they lie about: plain, gzip, zstd, lz4 or snappy
//! (told by their first bytes), rolled by Spark or by Databricks, of Spark 1.2 to 4.x, finished or
//! not, cut off or broken in the middle. Each log gives its applications, an account of every line
//! ([`EventLogReport`]) and findings; a file that is no event log is refused with a reason.
//!
//! A log is never held in memory: lines pass through one buffer, tasks are kept in a few bytes
//! each. Lines, blocks and ratios that a broken or hostile file can claim are capped.
//!
//! Leaves out: SQL plans and metrics, cached RDDs, streaming progress, task locality, and what
//! several applications of one cluster did to each other.
//!
//! Source: Spark `core/.../util/JsonProtocol.scala` and `scheduler/EventLoggingListener.scala`,
//! 1.4 to 4.1, and recorded logs of 1.2 to 4.3.

mod codec;
mod collect;
mod configuration;
mod event;
mod expand;
mod failure;
mod finish;
mod kind;
mod lines;
mod lower;
mod open_application;
mod read;
mod recorded;
mod recording;
mod report;
mod stage_graph;
mod stage_tasks;
mod task_overheads;

use std::collections::BTreeMap;
use std::path::PathBuf;

use sim::{Finding, Severity};

pub use codec::Codec;
pub use configuration::Configuration;
pub use expand::{Expansion, LogFiles, expand_paths};
pub use recorded::{
    JobResult, RecordedApplication, RecordedExecutor, RecordedJob, RecordedStage, StageAttempt,
    TaskCounts,
};
pub use report::{EventLogReport, Layout, Status};
pub use task_overheads::TaskOverheads;

/// What a set of event logs gave.
#[derive(Debug, Default)]
pub struct EventLogs {
    /// In order of the logs.
    pub applications: Vec<RecordedApplication>,
    /// One a log, refused ones included, in the order of the paths.
    pub reports: Vec<EventLogReport>,
    /// About logs, then about their applications.
    pub findings: Vec<Finding>,
}

/// Reads all logs in `paths` (see [`expand_paths`] for what folders may hold). `progress` is
/// called now and then with the number of bytes of files read since its last call.
pub fn read_event_logs(paths: &[PathBuf], progress: &dyn Fn(u64)) -> EventLogs {
    let expansion = expand_paths(paths);
    let mut logs = EventLogs::default();
    add_expansion(&expansion, &mut logs);
    for files in &expansion.logs {
        let read = read::read(files, progress);
        logs.reports.push(read.report);
        logs.findings.extend(read.findings);
        for collected in read.applications {
            logs.findings.extend(finish::findings(&collected));
            logs.applications.push(collected.application);
        }
    }
    name_runs(&mut logs);
    logs
}

/// What finding the logs already showed.
fn add_expansion(expansion: &Expansion, logs: &mut EventLogs) {
    for (path, error) in &expansion.errors {
        let subject = path.display().to_string();
        let message = format!("refused: {error}");
        let finding = Finding::new(Severity::Error, "unreadable-path", subject, message);
        logs.findings.push(finding);
        logs.reports.push(EventLogReport {
            path: path.clone(),
            status: Status::Refused(error.to_string()),
            ..EventLogReport::default()
        });
    }
    if expansion.skipped > 0 {
        let message =
            "hidden files, checksums, markers, .md files and links to folders are not read";
        let finding = Finding::new(Severity::Info, "skipped-files", "event logs", message);
        logs.findings.push(finding.times(expansion.skipped));
    }
    for path in &expansion.repeated {
        let subject = path.display().to_string();
        let message = "named more than once; read once";
        let finding = Finding::new(Severity::Info, "repeated-path", subject, message);
        logs.findings.push(finding);
    }
}

/// Gives every application a run id that no other one has.
fn name_runs(logs: &mut EventLogs) {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for application in &mut logs.applications {
        let attempt = application.attempt.as_deref().filter(|attempt| *attempt != "1");
        let mut run_id = application.app_id.clone();
        if let Some(attempt) = attempt {
            run_id = format!("{run_id}-{attempt}");
        }
        let times = seen.entry(run_id.clone()).or_default();
        *times += 1;
        if *times > 1 {
            let subject = application.path.display().to_string();
            let message = format!("{run_id} was recorded before; this one is {run_id}#{times}");
            let finding =
                Finding::new(Severity::Warning, "duplicate-application", subject, message);
            logs.findings.push(finding);
            run_id = format!("{run_id}#{times}");
        }
        application.run_id = run_id;
    }
}
