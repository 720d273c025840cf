use std::sync::Mutex;

use sim::units::{Bytes, SimDuration};
use sim::workload::Run;

use super::*;

const SCENARIO: &str = "
apiVersion: seatrial/v1alpha1
kind: Scenario
spec:
  region: us-west-2
  nodes:
    pools:
      - {name: all, capacityType: spot, instanceTypes: [m5.4xlarge], minSize: 1, maxSize: 20}
";

fn plan(runs: u32, replications: u64, tables: Option<PathBuf>) -> Plan {
    let loaded = scenarios::load_text("test", SCENARIO).unwrap();
    let run = |number: u32| Run {
        run_id: format!("r-{number}").into(),
        submitted_at: SimTime::from_millis(u64::from(number) * 20_000),
        executor_task_time: Some(SimDuration::seconds(600)),
        tasks: Some(60),
        executor_memory: Some(Bytes::gib(4)),
        ..Run::default()
    };
    let workload = Arc::new(Workload {
        applications: vec!["etl".to_owned()],
        teams: vec!["data".to_owned()],
        runs: (0..runs).map(run).collect(),
        ..Workload::default()
    });
    Plan {
        scenario: Arc::new(loaded.scenario),
        workload: Arc::new(move |_| workload.clone()),
        seed: 0,
        replications,
        tables,
    }
}

#[derive(Default)]
struct Seen {
    started: Mutex<Vec<u64>>,
    stop: Arc<AtomicBool>,
    stop_at_progress: bool,
}

impl Watch for Seen {
    fn started(&self, number: u64, _workload: &Workload) {
        self.started.lock().unwrap().push(number);
    }
    fn progress(&self, _number: u64, _now: SimTime, _finished_runs: u64) {
        if self.stop_at_progress {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn replications_differ_and_each_runs_once() {
    let seen = Arc::new(Seen::default());
    let runtime = runtime(2).unwrap();
    let done = replicate(&runtime, plan(40, 4, None), seen.clone(), seen.stop.clone()).unwrap();
    assert_eq!(done.summary.replications, 4);
    assert_eq!(done.summary.workload.runs, 40);
    let statistics = &done.summary.replication_statistics;
    assert_eq!(statistics["workload.runs"].mean, 40.0);
    let spread = statistics["latency_s.run_duration.max"];
    assert!(spread.ci95_low < spread.ci95_high, "{spread:?}");
    let mut started = seen.started.lock().unwrap().clone();
    started.sort_unstable();
    assert_eq!(started, [0, 1, 2, 3]);
}

#[test]
fn stopping_ends_a_simulation_in_its_middle() {
    let seen = Arc::new(Seen { stop_at_progress: true, ..Seen::default() });
    let folder = tempfile::tempdir().unwrap();
    let runtime = runtime(1).unwrap();
    let plan = plan(5_000, 3, Some(folder.path().to_owned()));
    let error = replicate(&runtime, plan, seen.clone(), seen.stop.clone()).unwrap_err();
    assert!(matches!(error, ReplicateError::Interrupted), "{error}");
    assert_eq!(*seen.started.lock().unwrap(), [0]);
}

#[test]
fn a_table_that_cannot_be_written_is_the_error() {
    let seen = Arc::new(Seen::default());
    let runtime = runtime(1).unwrap();
    let plan = plan(1, 2, Some(PathBuf::from("no/such/folder")));
    let error = replicate(&runtime, plan, seen.clone(), seen.stop.clone()).unwrap_err();
    assert!(error.to_string().contains("runs.parquet"), "{error}");
}
