use std::fs::File;
use std::path::Path;

use polars::prelude::{DataFrame, DataType, ParquetReader, SerReader};
use sim::outcome::{
    AttemptRecord, Billed, Costs, Ledger, LedgerRecord, NodeRecord, PodKind, PodRecord, PodResult,
    PodUse, RunRecord, ScalingDecision, ScalingRecord, Sink, TimelineRecord, WaitingRecord,
};
use sim::scenario::{CapacityType, InstanceType, NodePool};
use sim::units::{Bytes, HourlyPrice, MilliCores, NanoUsd, SimDuration, SimTime};
use sim::workload::{ApplicationId, Failure, Run, RunOutcome, TeamId, TracePod};
use sim::{Scenario, Workload};

use super::*;

fn workload() -> Workload {
    let run = |id: &str| Run { run_id: id.into(), ..Run::default() };
    Workload {
        epoch_ms: 1_600_000_000_000,
        applications: vec!["etl".to_owned()],
        teams: vec!["data".to_owned()],
        runs: vec![run("r-0"), run("=r,1")].into(),
        pods: vec![TracePod { name: "openb-pod-7".into(), ..TracePod::default() }],
    }
}

pub(crate) fn scenario() -> Scenario {
    use sim::scenario::{
        Assumptions, Billing, DaemonSets, Fees, Images, KubernetesVersion, RetryLadder,
        SchedulerProfile, SparkDefaults, SparkVersion,
    };
    let instance_type = InstanceType {
        name: "m5.xlarge".to_owned(),
        arch: "amd64".to_owned(),
        vcpu: 4,
        memory: Bytes::gib(16),
        allocatable_cpu: MilliCores::new(3920),
        allocatable_memory: Bytes::gib(14),
        max_pods: 58,
        gpus: 0,
        on_demand_price: HourlyPrice::ZERO,
        spot_price: None,
        interruption_band: None,
    };
    let pool = NodePool {
        name: "executors".to_owned(),
        capacity_type: CapacityType::Spot,
        instance_types: vec![instance_type],
        zones: vec!["us-west-2a".to_owned(), "us-west-2b".to_owned()],
        min_size: 0,
        desired_size: 0,
        max_size: 1,
        labels: Default::default(),
        taints: Vec::new(),
        volume: Bytes::ZERO,
        scale_down_disabled: false,
        max_pods: None,
        allocation_strategy: sim::scenario::AllocationStrategy::default(),
    };
    Scenario {
        name: "test".to_owned(),
        kubernetes: KubernetesVersion::NEWEST,
        region: "us-west-2".to_owned(),
        spark: SparkDefaults::default_of(SparkVersion::default()),
        pools: vec![pool],
        autoscaler: None,
        scheduler: SchedulerProfile::default_of(KubernetesVersion::NEWEST),
        orchestrator: Default::default(),
        retries: RetryLadder::default(),
        images: Images::default(),
        overprovisioning: None,
        daemonsets: DaemonSets::default(),
        fees: Fees {
            control_plane: HourlyPrice::ZERO,
            storage_per_gib: HourlyPrice::ZERO,
            emr_per_vcpu: HourlyPrice::ZERO,
            emr_per_gb: HourlyPrice::ZERO,
            cross_zone_per_gb: NanoUsd::new(20_000_000),
            ..Fees::default()
        },
        billing: Billing::default(),
        assumptions: Assumptions::default(),
    }
}

fn run(run: u32) -> RunRecord {
    RunRecord {
        run,
        application: ApplicationId(0),
        team: TeamId(0),
        submitted_at: SimTime::from_millis(1_500),
        ready_at: Some(SimTime::from_millis(1_500)),
        started_at: Some(SimTime::from_millis(61_001)),
        ended_at: None,
        outcome: RunOutcome::Failed,
        failure: Some(Failure::DriverOom),
        attempts: 2,
        cost: Ledger {
            useful: NanoUsd::new(1_000_000_001),
            unallocated: NanoUsd::new(2),
            ..Ledger::default()
        },
        emr: NanoUsd::ZERO,
        network: NanoUsd::ZERO,
    }
}

fn pod(pod: u64, kind: PodKind) -> PodRecord {
    PodRecord {
        pod,
        kind,
        owner: (kind != PodKind::Pause).then_some(0),
        attempt: None,
        executor_id: None,
        cpu: MilliCores::new(3400),
        memory: Bytes::gib(11),
        created_at: SimTime::from_millis(pod),
        bound_at: None,
        ready_at: None,
        ended_at: SimTime::from_millis(pod + 1),
        node: None,
        result: PodResult::Deleted,
        pending_reason: Some("0/3 nodes: 3 too little memory".into()),
        cost: NanoUsd::new(5),
    }
}

fn fill(sink: &mut TableSink<'_>, pods: u64) {
    let of = workload().runs.list().clone();
    sink.run(run(0), &of[0]);
    sink.run(run(1), &of[1]);
    let attempt = AttemptRecord {
        run: 1,
        attempt: 2,
        submitted_at: SimTime::ZERO,
        started_at: None,
        tasks_started_at: None,
        ended_at: SimTime::from_millis(9_999),
        outcome: RunOutcome::Unfinished,
        failure: None,
        executor_memory: Bytes::gib(12),
        executor_memory_asked: Bytes::ZERO,
        executor_memory_needed: None,
        driver_memory: Bytes::gib(2),
        executors_max: u32::MAX,
        executors_peak: 7,
        executor_time: sim::units::SimDuration::ZERO,
        stage_ends: Box::default(),
        executors_lost_to_spot: 1,
        executors_oom_killed: 0,
        on_demand: true,
        task_time: SimDuration::seconds(90),
        task_time_lost: SimDuration::ZERO,
        cost: Ledger::default(),
    };
    sink.attempt(attempt, &of[1]);
    for number in 0..pods {
        let kinds = [PodKind::Driver, PodKind::Trace, PodKind::Pause];
        let pod = pod(number, kinds[number as usize % 3]);
        let owner = (pod.kind == PodKind::Driver).then_some(&of[0]);
        sink.pod(pod, owner);
    }
    sink.node(NodeRecord {
        node: 0,
        pool: 0,
        instance_type: 0,
        zone: 1,
        capacity_type: CapacityType::Spot,
        launched_at: SimTime::ZERO,
        ready_at: None,
        terminated_at: SimTime::from_millis(7),
        interrupted: true,
        disrupted_by: None,
        pods: 3,
        cost: NanoUsd::new(12),
        pods_cost: NanoUsd::new(10),
    });
    sink.timeline(TimelineRecord {
        at: SimTime::from_millis(60_000),
        nodes_on_demand: 1,
        nodes_spot: 2,
        nodes_booting: 3,
        pods_pending: 4,
        pods_bound: 5,
        runs_active: 6,
        cpu_requested: MilliCores::new(7),
        cpu_allocatable: MilliCores::new(8),
        memory_requested: Bytes::new(9),
        memory_allocatable: Bytes::new(10),
    });
    let row = LedgerRecord {
        hour_ms: -1_200_000,
        node: Some([0, 0, 1]),
        billed: Billed::Run(1),
        attempt: Some(2),
        costs: Costs {
            nodes: Ledger {
                reserved: NanoUsd::new(3),
                unallocated: NanoUsd::new(4),
                ..Ledger::default()
            },
            discount: NanoUsd::new(-2),
            ..Costs::default()
        },
        pod_use: PodUse { memory_mib_ms: 1024 * 1500, ..PodUse::default() },
    };
    sink.ledger(row, Some(&of[1]));
    let at = SimTime::from_millis(1_001);
    let reason = "0/3 nodes are available: 3 Insufficient memory";
    sink.waiting(WaitingRecord { pod: 4, at, reason, kind: reason });
    let decision = ScalingDecision::ScaleUp { nodes: 3 };
    sink.scaling(ScalingRecord { at, pool: Some(0), node: None, decision, reason: "0->3" });
    let decision = ScalingDecision::Unneeded;
    sink.scaling(ScalingRecord { at, pool: None, node: Some(7), decision, reason: "empty" });
}

fn write(folder: &Path, pods: u64) {
    let (scenario, workload) = (scenario(), workload());
    let mut sink = TableSink::create(folder, &scenario, &workload).unwrap();
    fill(&mut sink, pods);
    assert!(sink.progress(SimTime::ZERO, 0));
    sink.finish().unwrap();
}

fn read(folder: &Path, table: &str) -> DataFrame {
    let file = File::open(folder.join(format!("{table}.parquet"))).unwrap();
    ParquetReader::new(file).finish().unwrap()
}

fn texts(table: &DataFrame, column: &str) -> Vec<Option<String>> {
    let column = table.column(column).unwrap().str().unwrap();
    column.iter().map(|text| text.map(str::to_owned)).collect()
}

#[test]
fn every_table_has_the_documented_columns() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 3);
    for spec in &TABLES {
        let table = read(folder.path(), spec.name);
        assert!(table.height() > 0, "{}", spec.name);
        let found = table.get_column_names();
        let found: Vec<&str> = found.into_iter().map(|name| name.as_str()).collect();
        let expected: Vec<_> = spec.columns.iter().map(|column| column.name).collect();
        assert_eq!(found, expected);
        for column in spec.columns {
            let kind = match table.column(column.name).unwrap().dtype() {
                DataType::String => ColumnType::Text,
                DataType::Int64 => ColumnType::Integer,
                DataType::Float64 => ColumnType::Float,
                DataType::Boolean => ColumnType::Boolean,
                other => panic!("{other}"),
            };
            assert_eq!(kind, column.kind, "{}.{}", spec.name, column.name);
        }
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), TABLES.len(), "{left:?}");
}

#[test]
fn columns_say_whether_they_have_nulls() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 3);
    for spec in &TABLES {
        let file = File::open(folder.path().join(format!("{}.parquet", spec.name))).unwrap();
        let schema = ParquetReader::new(file).schema().unwrap();
        for column in spec.columns {
            let field = schema.get(column.name).unwrap();
            assert_eq!(field.is_nullable, column.nullable, "{}.{}", spec.name, column.name);
        }
    }
}

#[test]
fn values_are_in_their_units_and_names_resolved() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 3);
    let runs = read(folder.path(), "runs");
    assert_eq!(texts(&runs, "run_id")[1].as_deref(), Some("=r,1"));
    assert_eq!(texts(&runs, "application")[0].as_deref(), Some("etl"));
    assert_eq!(texts(&runs, "submitted_at")[0].as_deref(), Some("2020-09-13T12:26:41.500Z"));
    let started = runs.column("started_s").unwrap().f64().unwrap().get(0);
    assert_eq!(started, Some(61.001));
    assert_eq!(runs.column("ended_s").unwrap().null_count(), 2);
    let cost = runs.column("cost_usd").unwrap().f64().unwrap().get(0);
    assert_eq!(cost, Some(1.000000003));
    let pods = read(folder.path(), "pods");
    let owners = texts(&pods, "owner_name");
    assert_eq!(owners[0].as_deref(), Some("r-0"));
    assert_eq!(owners[1].as_deref(), Some("openb-pod-7"));
    assert_eq!(owners[2], None);
    let nodes = read(folder.path(), "nodes");
    assert_eq!(texts(&nodes, "instance_type")[0].as_deref(), Some("m5.xlarge"));
    assert_eq!(texts(&nodes, "zone")[0].as_deref(), Some("us-west-2b"));
    let attempts = read(folder.path(), "attempts");
    assert_eq!(attempts.column("executors_max").unwrap().null_count(), 1);
    let ledger = read(folder.path(), "ledger");
    let nano = ledger.column("cost_nano_usd").unwrap().i64().unwrap();
    assert_eq!(nano.iter().flatten().sum::<i64>(), 5);
    assert_eq!(texts(&ledger, "billed")[0].as_deref(), Some("run"));
    assert_eq!(texts(&ledger, "zone")[0].as_deref(), Some("us-west-2b"));
    let number = |column: &str| ledger.column(column).unwrap().f64().unwrap().get(0);
    assert_eq!((number("hour_s"), number("memory_gib_s")), (Some(-1200.0), Some(1.5)));
}

#[test]
fn reasons_and_decisions_have_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1);
    let waiting = read(folder.path(), "waiting");
    assert_eq!(waiting.column("pod").unwrap().i64().unwrap().get(0), Some(4));
    assert_eq!(waiting.column("at_s").unwrap().f64().unwrap().get(0), Some(1.001));
    let reasons = texts(&waiting, "reason");
    assert_eq!(reasons[0].as_deref(), Some("0/3 nodes are available: 3 Insufficient memory"));
    let scaling = read(folder.path(), "scaling");
    let pools = texts(&scaling, "pool");
    assert_eq!((pools[0].as_deref(), pools[1].as_deref()), (Some("executors"), None));
    let nodes = scaling.column("nodes").unwrap().i64().unwrap();
    assert_eq!((nodes.get(0), nodes.get(1)), (Some(3), None));
    assert_eq!(texts(&scaling, "decision")[1].as_deref(), Some("unneeded"));
    let pools = read(folder.path(), "pools");
    assert_eq!(texts(&pools, "instance_type")[0].as_deref(), Some("m5.xlarge"));
    assert_eq!(pools.column("max").unwrap().i64().unwrap().get(0), Some(1));
}

#[test]
fn many_rows_go_into_several_row_groups_and_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 150_000);
    let pods = read(folder.path(), "pods");
    assert_eq!(pods.height(), 150_000);
    let numbers = pods.column("pod").unwrap().i64().unwrap();
    assert!(numbers.iter().flatten().eq(0..150_000));
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for folder in &folders {
        write(folder.path(), 1_000);
    }
    for spec in &TABLES {
        let [a, b] = folders
            .each_ref()
            .map(|folder| std::fs::read(folder.path().join(format!("{}.parquet", spec.name))));
        assert_eq!(a.unwrap(), b.unwrap(), "{}", spec.name);
    }
}

#[test]
fn tables_without_rows_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, workload) = (scenario(), workload());
    let sink = TableSink::create(folder.path(), &scenario, &workload).unwrap();
    sink.finish().unwrap();
    for spec in &TABLES {
        let table = read(folder.path(), spec.name);
        // What there is to choose from is there before anything happens.
        let rows = usize::from(spec.name == "pools");
        assert_eq!((table.height(), table.width()), (rows, spec.columns.len()));
    }
}

#[test]
fn tables_are_read_back_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 10);
    let pods = TableFile::open(folder.path(), "pods").unwrap();
    assert_eq!(pods.start_epoch_ms(), 1_600_000_000_000);
    let mut rows = Vec::new();
    pods.rows(&["ended_s", "pod", "owner_name"], |row| {
        rows.push((row.integer(1), row.text(2).map(str::to_owned), row.float(0)));
    })
    .unwrap();
    assert_eq!(rows.len(), 10);
    assert_eq!(rows[3], (Some(3), Some("r-0".to_owned()), Some(0.004)));
    assert_eq!(rows[2].1, None);
    let nodes = TableFile::open(folder.path(), "nodes").unwrap();
    let mut interrupted = 0;
    nodes.rows(&["interrupted"], |row| interrupted += u32::from(row.is_true(0))).unwrap();
    assert_eq!(interrupted, 1);
    let error = nodes.rows(&["colour"], |_| {}).unwrap_err().to_string();
    assert!(error.contains("nodes.parquet") && error.contains("colour"), "{error}");
    let error = TableFile::open(folder.path(), "knots").unwrap_err().to_string();
    assert!(error.contains("knots.parquet"), "{error}");
    std::fs::write(folder.path().join("runs.parquet"), "PAR1 not really").unwrap();
    assert!(TableFile::open(folder.path(), "runs").is_err());
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let (scenario, workload) = (scenario(), workload());
    let missing = Path::new("no/such/folder");
    let error = TableSink::create(missing, &scenario, &workload).err().unwrap();
    assert!(error.to_string().contains("runs.parquet.tmp"), "{error}");
}
