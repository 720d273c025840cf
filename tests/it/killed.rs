//! A run that is killed leaves nothing under the name of its result, and an older result as it was.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::command::{command, files, fine, folder};

/// Starts a run that takes long, waits until its tables are being written, and kills it.
fn start_and_kill(at: &Path) {
    let arguments = ["run", "scenario.yaml", "--replications", "10000", "--out", "result"];
    let mut child = command(at, &arguments).spawn().unwrap();
    let unfinished = format!(".result.{}.tmp", child.id());
    let writes = |name: &String| name.contains(&unfinished) && name.contains(".parquet");
    let begun = Instant::now();
    while !files(at).iter().any(writes) {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        assert!(begun.elapsed() < Duration::from_secs(120), "no table was opened");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_run_leaves_no_half_result() {
    let folder = folder();
    let result = folder.path().join("result");
    start_and_kill(folder.path());
    assert!(!result.exists());
    fine(folder.path(), &["run", "scenario.yaml", "--out", "result", "--no-report"]);
    let contents = || files(&result).iter().map(|file| std::fs::read(file).unwrap()).collect();
    let before: Vec<Vec<u8>> = contents();
    start_and_kill(folder.path());
    assert_eq!(before, contents());
}
