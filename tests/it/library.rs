//! Scenarios that come with the program, run to their end.

use std::path::Path;
use std::process::Command;

/// Runs `seatrial` in the project's folder, and gives the `summary.json` that it wrote.
#[track_caller]
fn summary(arguments: &[&str], out: &Path) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_seatrial"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .arg("--out")
        .arg(out)
        .output()
        .expect("the binary runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    std::fs::read(out.join("summary.json")).expect("a run writes its summary")
}

#[test]
fn the_flotilla_policy_runs_and_its_resolved_form_means_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let [first, second, third] = ["first", "second", "third"].map(|name| folder.path().join(name));
    let once = summary(&["run", "scenarios/library/flotilla-policy.yaml"], &first);
    let resolved = first.join("scenario.resolved.yaml");
    let resolved = resolved.to_str().expect("temporary folders have plain names");
    let traces = "spec.workload.traces[0].eventLogs=traces/samples/recorded";
    let again = summary(&["run", resolved, "--set", traces], &second);
    assert!(once == again, "the resolved scenario gives another summary");
    let spreading = ["run", resolved, "--set", traces, "--set", "spec.scheduler=null"];
    assert!(once != summary(&spreading, &third), "packing or spreading makes no difference");
}
