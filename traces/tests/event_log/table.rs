//! One line for every log there is: run with `--nocapture` to see it.

use std::path::Path;

use traces::event_log::{EventLogReport, EventLogs, Status, read_event_logs};

const HEADER: &str = "| log | codec | status | lines | used | ignored | unknown | malformed | runs \
                      | stages | tasks | outcome |";

fn row(report: &EventLogReport, logs: &EventLogs, root: &Path) -> String {
    let applications = logs.applications.iter();
    let of_log = applications.filter(|one| one.path == report.path);
    let (mut runs, mut stages, mut tasks, mut outcomes) = (0, 0, 0, String::new());
    for run in of_log.map(|application| application.to_run().run) {
        runs += 1;
        stages += run.stages.as_ref().map_or(0, |stages| stages.len());
        tasks += run.tasks.unwrap();
        outcomes += &format!("{:?}", run.outcome).to_lowercase();
        if let Some(failure) = run.failure {
            outcomes += &format!(": {}", failure.name());
        }
    }
    let status = match &report.status {
        Status::Read => "read".to_owned(),
        Status::Partial => "partial".to_owned(),
        Status::Refused(reason) => format!("refused: {reason}"),
    };
    let (lines, used, ignored) = (report.lines, report.events_used, report.ignored());
    let (unknown, malformed) = (report.events_unknown, report.malformed);
    let codec = report.codec.map_or("", |codec| codec.name());
    let path = report.path.strip_prefix(root).unwrap().display();
    format!(
        "| {path} | {codec} | {status} | {lines} | {used} | {ignored} | {unknown} | {malformed} \
         | {runs} | {stages} | {tasks} | {outcomes} |"
    )
}

#[test]
fn the_table_of_all_logs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/spark");
    let folders = ["eventlogs", "recorded", "recorded-faults"].map(|name| root.join(name));
    if !root.is_dir() {
        eprintln!("skipped: no shared data");
        return;
    }
    let logs = read_event_logs(&folders, &|_| ());
    println!("{HEADER}");
    println!("|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|");
    for report in &logs.reports {
        println!("{}", row(report, &logs, &root));
        assert!(report.adds_up(), "{report:?}");
    }
    let refused = |report: &&EventLogReport| matches!(report.status, Status::Refused(_));
    // The manifests and specifications, and a driver's log.
    assert_eq!(logs.reports.iter().filter(refused).count(), 2 + 5 + 1);
    assert_eq!(logs.applications.len(), 69 + 35 + 9);
}
