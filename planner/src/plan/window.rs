//! A part of a workload by time: what a search sees, and what is held out from it.

use std::collections::BTreeMap;

use sim::Workload;
use sim::units::{SimDuration, SimTime};

/// The runs and pods submitted from `from` on and before `to`, as a workload that starts at `from`.
/// Runs wait for those parents that are in it too.
pub fn window(workload: &Workload, from: SimTime, to: SimTime) -> Workload {
    let within = |at: SimTime| at >= from && at < to;
    let shifted = |at: SimTime| SimTime::from_millis(at.since(from).as_millis());
    let mut places: BTreeMap<u32, u32> = BTreeMap::new();
    let mut runs = Vec::new();
    for (place, run) in workload.runs.iter().enumerate() {
        if within(run.submitted_at) {
            places.insert(place as u32, runs.len() as u32);
            runs.push((*run).clone());
        }
    }
    for run in &mut runs {
        run.submitted_at = shifted(run.submitted_at);
        run.depends_on = run.depends_on.iter().filter_map(|run| places.get(run).copied()).collect();
    }
    let pods = workload.pods.iter().filter(|pod| within(pod.created_at)).cloned();
    let pods = pods.map(|mut pod| {
        pod.created_at = shifted(pod.created_at);
        pod
    });
    let offset = i64::try_from(from.as_millis()).unwrap_or(i64::MAX);
    Workload {
        epoch_ms: workload.epoch_ms.saturating_add(offset),
        applications: workload.applications.clone(),
        teams: workload.teams.clone(),
        runs: runs.into(),
        pods: pods.collect(),
    }
}

/// Where the held-out part begins: the last `share` of the time from the first submission on.
pub fn cut(workload: &Workload, share: f64) -> SimTime {
    let last = workload.last_submission();
    let held = SimDuration::from_secs_f64(last.as_secs_f64() * share);
    SimTime::from_millis(last.as_millis() - held.as_millis().min(last.as_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::workload::Run;

    #[test]
    fn a_window_has_its_own_clock_and_places() {
        let run = |id: &str, at: u64, parents: &[u32]| Run {
            run_id: id.into(),
            submitted_at: SimTime::from_millis(at),
            depends_on: parents.to_vec().into(),
            ..Run::default()
        };
        let runs = vec![run("a", 0, &[]), run("b", 500, &[0]), run("c", 1000, &[1, 0])];
        let workload = Workload { epoch_ms: 7, runs: runs.into(), ..Workload::default() };
        let at = cut(&workload, 0.5);
        assert_eq!(at, SimTime::from_millis(500));
        let late = window(&workload, at, SimTime::MAX);
        assert_eq!((late.runs.len(), late.epoch_ms), (2, 507));
        let runs: Vec<_> = late.runs.iter().collect();
        assert_eq!(runs[1].submitted_at, SimTime::from_millis(500));
        assert_eq!(runs[0].depends_on.to_vec(), [0_u32; 0]);
        assert_eq!(runs[1].depends_on.to_vec(), [0]);
        assert_eq!(window(&workload, SimTime::ZERO, at).runs.len(), 1);
    }
}
