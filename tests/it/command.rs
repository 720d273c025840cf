//! The command on a small platform in a temporary folder.

use std::path::Path;
use std::process::{Command, Output};

pub(crate) const SCENARIO: &str = "\
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: small platform}
spec:
  region: us-west-2
  workload:
    traces: [{jobTable: day.csv}]
  nodes:
    pools:
      - {name: drivers, capacityType: on-demand, instanceTypes: [m5.xlarge], minSize: 1, maxSize: 9}
      - {name: executors, capacityType: spot, instanceTypes: [m5.4xlarge], minSize: 0, maxSize: 50}
  autoscaler:
    clusterAutoscaler: {extraArgs: {scan-interval: 10s}}
";

/// A folder with a scenario and a trace of 60 runs, some of them with hostile names.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut csv = String::from(
        "run_id,application,team,submitted_at,executor_task_s,tasks,executor_cores,\
         executor_memory_mib,executors_max,dynamic_allocation\n",
    );
    for run in 0..60 {
        let (minute, second) = (run / 2, run % 2 * 30);
        let team = ["data", "ml", "=cmd|' /C calc'!A0", "\u{1b}[31mred"][run % 4];
        csv.push_str(&format!(
            "r-{run},app-{},{team},2026-11-20T08:{minute:02}:{second:02}Z,{},40,4,8192,8,true\n",
            run % 7,
            300 + run * 37 % 900,
        ));
    }
    write(&folder.path().join("scenario.yaml"), SCENARIO);
    write(&folder.path().join("day.csv"), &csv);
    folder
}

pub(crate) fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a temporary file can be written");
}

pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatrial"));
    command.current_dir(folder).args(arguments);
    command
}

pub(crate) fn seatrial(folder: &Path, arguments: &[&str]) -> Output {
    let output = command(folder, arguments).output();
    output.expect("the command can be started")
}

/// Runs, expects success, gives standard output.
#[track_caller]
pub(crate) fn fine(folder: &Path, arguments: &[&str]) -> String {
    let output = seatrial(folder, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// Runs, expects exit code 2 and no new file, gives standard error.
#[track_caller]
pub(crate) fn refused(folder: &Path, arguments: &[&str]) -> String {
    let before = files(folder);
    let output = seatrial(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert_eq!(files(folder), before, "{arguments:?} wrote something");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(stdout, "", "{arguments:?}");
    String::from_utf8(output.stderr).expect("errors are UTF-8")
}

/// Every file and folder below `folder`, hidden ones too.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder is there").flatten() {
            found.push(entry.path().display().to_string());
            if entry.path().is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    found.sort();
    found
}
