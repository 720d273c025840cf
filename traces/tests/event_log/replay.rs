//! What is lowered is enough to reproduce the recording: parents, gaps and task durations on as
//! many cores as were recorded give the recorded span again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sim::workload::Stage;
use traces::event_log::read_event_logs;

/// When each stage would end on `slots` cores: list scheduling, tasks of earlier stages first,
/// each on the core that is free first. Milliseconds from the run's start.
fn replay(stages: &[Stage], slots: u64) -> Vec<u64> {
    let mut free = vec![0u64; slots as usize];
    let mut ends: Vec<u64> = vec![0; stages.len()];
    let mut waiting: Vec<usize> = (0..stages.len()).collect();
    let ready = |place: usize, ends: &[u64]| {
        let parents = stages[place].parents.iter();
        let parents_end = parents.map(|parent| ends[*parent as usize]).max().unwrap_or(0);
        parents_end + stages[place].driver_gap.as_millis()
    };
    // Stages in order of readiness; parents come before their children in the list.
    while !waiting.is_empty() {
        let next = waiting
            .iter()
            .copied()
            .filter(|place| {
                let parents = &stages[*place].parents;
                parents.iter().all(|parent| !waiting.contains(&(*parent as usize)))
            })
            .min_by_key(|place| (ready(*place, &ends), *place))
            .unwrap();
        waiting.retain(|place| *place != next);
        let start = ready(next, &ends);
        for task in 0..stages[next].tasks.count() {
            let slot = free.iter_mut().min().unwrap();
            *slot = (*slot).max(start) + stages[next].tasks.get(task).as_millis();
            ends[next] = ends[next].max(*slot);
        }
    }
    ends
}

#[test]
fn replaying_a_fixed_configuration_gives_its_span() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/spark/recorded");
    if !data.is_dir() {
        eprintln!("skipped: no shared data");
        return;
    }
    let mut truth = csv::Reader::from_path(data.join("truth.csv")).unwrap();
    let mut checked = 0;
    for row in truth.deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        if row["configuration"].starts_with("da8") {
            continue;
        }
        let path: PathBuf = data.join(&row["event_log"]);
        let logs = read_event_logs(&[path], &|_| ());
        let run = logs.applications[0].to_run().run;
        // On the recorded executors themselves tasks take what they took, overheads and all.
        let mut stages = run.stages.unwrap().to_vec();
        for (stage, times) in stages.iter_mut().zip(&run.recording.unwrap().task_times) {
            stage.tasks = times.clone();
        }
        let number = |column: &str| row[column].parse::<u64>().unwrap();
        let slots = number("executors_max") * number("cores_per_executor");
        let end = replay(&stages, slots).into_iter().max().unwrap();
        let span = (end - stages[0].driver_gap.as_millis()) as f64;
        let recorded = number("job_span_ms") as f64;
        let error = (span - recorded) / recorded;
        println!("{} {span} {recorded} {error:+.4}", row["event_log"]);
        assert!(error.abs() < 0.02, "{}: {span} for {recorded}", row["event_log"]);
        checked += 1;
    }
    assert_eq!(checked, 25);
}
