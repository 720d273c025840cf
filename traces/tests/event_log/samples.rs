//! The sample recordings that come with the project.

use std::cell::Cell;
use std::path::Path;

use sim::workload::RunOutcome;
use traces::event_log::{Codec, Status, read_event_logs};

#[test]
fn the_samples_are_read_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/recorded");
    let told = Cell::new(0);
    let logs = read_event_logs(&[folder], &|bytes| told.set(told.get() + bytes));
    let bytes: u64 = logs.reports.iter().map(|report| report.bytes).sum();
    assert_eq!(told.get(), bytes);
    // Nothing but the folder's README is passed over, and nothing is wrong.
    let findings: Vec<_> = logs.findings.iter().map(|one| (one.code.as_str(), one.count)).collect();
    assert_eq!(findings, [("skipped-files", 1)]);
    for report in &logs.reports {
        assert!(report.adds_up(), "{report:?}");
        assert_eq!(report.status, Status::Read);
        assert_eq!(report.codec, Some(Codec::Zstd));
        assert_eq!(report.malformed + report.events_unknown + report.blank, 0);
    }
    // (name, jobs, stages, tasks, executors), as the applications were specified.
    let expected = [
        ("etl_skew-da8_i5", 1, 3, 80, 8),
        ("etl_skew-e4x1", 1, 3, 80, 4),
        ("iterative-e4x1", 5, 9, 184, 4),
        ("join_dag-e4x1", 1, 4, 78, 4),
        ("longtail_gap-e4x1", 2, 4, 112, 4),
        ("skewed_join-e4x1", 1, 4, 116, 4),
    ];
    assert_eq!(logs.applications.len(), expected.len());
    for (application, (name, jobs, stages, tasks, executors)) in
        logs.applications.iter().zip(expected)
    {
        let run = application.to_run().run;
        assert_eq!(application.name, name);
        assert_eq!(application.jobs.len(), jobs, "{name}");
        assert_eq!(run.stages.as_ref().map(|stages| stages.len()), Some(stages), "{name}");
        assert_eq!(run.tasks, Some(tasks), "{name}");
        assert_eq!(application.executors_peak(), executors, "{name}");
        assert_eq!(run.outcome, RunOutcome::Succeeded, "{name}");
        let work = run.driver_only.zip(run.duration);
        assert!(work.is_some_and(|(alone, whole)| alone < whole), "{name}");
    }
}
