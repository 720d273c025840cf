//! Small platforms and workloads, built in code.

use std::collections::BTreeMap;

use sim::outcome::{
    AttemptRecord, LedgerRecord, NodeRecord, PodKind, PodRecord, PodResult, RunRecord,
    TimelineRecord, WaitingRecord,
};
use sim::scenario::*;
use sim::units::{Bytes, HourlyPrice, MilliCores, NanoUsd, SimDuration, SimTime};
use sim::workload::{Run, TracePod};
use sim::{Outcome, RunOptions, Scenario, Seed, Sink, Workload};

/// Keeps every record.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) runs: Vec<RunRecord>,
    pub(crate) attempts: Vec<AttemptRecord>,
    pub(crate) pods: Vec<PodRecord>,
    pub(crate) nodes: Vec<NodeRecord>,
    pub(crate) timeline: Vec<TimelineRecord>,
    pub(crate) ledger: Vec<LedgerRecord>,
    /// (pod, since when, why).
    pub(crate) waiting: Vec<(u64, SimTime, String)>,
}

impl Sink for Records {
    fn run(&mut self, record: RunRecord, _of: &Run) {
        self.runs.push(record);
    }
    fn attempt(&mut self, record: AttemptRecord, _of: &Run) {
        self.attempts.push(record);
    }
    fn pod(&mut self, record: PodRecord, _of: Option<&Run>) {
        self.pods.push(record);
    }
    fn node(&mut self, record: NodeRecord) {
        self.nodes.push(record);
    }
    fn timeline(&mut self, record: TimelineRecord) {
        self.timeline.push(record);
    }
    fn ledger(&mut self, record: LedgerRecord, _of: Option<&Run>) {
        self.ledger.push(record);
    }
    fn waiting(&mut self, record: WaitingRecord<'_>) {
        self.waiting.push((record.pod, record.at, record.reason.to_owned()));
    }
}

/// Simulates with every invariant checked after every event.
pub(crate) fn simulate(scenario: &Scenario, workload: &Workload, seed: u64) -> (Outcome, Records) {
    let mut records = Records::default();
    let options = RunOptions { check_invariants: true, ..RunOptions::default() };
    let outcome = sim::run(scenario, workload, Seed::new(seed), options, &mut records);
    (outcome, records)
}

/// 4 vCPU, 16 GiB, with round numbers for what pods may request.
pub(crate) fn four_cores() -> InstanceType {
    InstanceType {
        name: "m5.xlarge".into(),
        arch: "amd64".into(),
        vcpu: 4,
        memory: Bytes::gib(16),
        allocatable_cpu: MilliCores::new(3920),
        allocatable_memory: Bytes::mib(14_162),
        max_pods: 58,
        gpus: 0,
        on_demand_price: HourlyPrice::from_usd(0.192).expect("a price"),
        spot_price: HourlyPrice::from_usd(0.08),
        interruption_band: Some(2),
    }
}

pub(crate) fn pool(name: &str, capacity_type: CapacityType, sizes: (u32, u32, u32)) -> NodePool {
    let label = ("eks.amazonaws.com/capacityType".to_owned(), capacity_type.eks_label().to_owned());
    NodePool {
        name: name.into(),
        capacity_type,
        instance_types: vec![four_cores()],
        zones: vec!["us-west-2a".into(), "us-west-2b".into()],
        min_size: sizes.0,
        desired_size: sizes.1,
        max_size: sizes.2,
        labels: BTreeMap::from([label]),
        taints: Vec::new(),
        volume: Bytes::gib(80),
        scale_down_disabled: false,
        max_pods: None,
        allocation_strategy: AllocationStrategy::default(),
    }
}

/// Drivers on on-demand nodes, executors on spot, both from zero; spot is never taken back.
pub(crate) fn platform() -> Scenario {
    let kubernetes = KubernetesVersion { major: 1, minor: 33 };
    let mut spark = SparkDefaults::default_of(SparkVersion::default());
    spark.driver_template = on(CapacityType::OnDemand);
    spark.executor_template = on(CapacityType::Spot);
    Scenario {
        name: "platform".into(),
        kubernetes,
        region: "us-west-2".into(),
        spark,
        pools: vec![
            pool("drivers", CapacityType::OnDemand, (0, 0, 20)),
            pool("executors", CapacityType::Spot, (0, 0, 50)),
        ],
        autoscaler: Some(Autoscaler::ClusterAutoscaler(ClusterAutoscaler::default_of(kubernetes))),
        scheduler: SchedulerProfile::default_of(kubernetes),
        orchestrator: Orchestrator::default(),
        retries: RetryLadder::default(),
        images: Images::default(),
        overprovisioning: None,
        daemonsets: DaemonSets::default(),
        fees: Fees {
            control_plane: HourlyPrice::from_usd(0.1).expect("a price"),
            storage_per_gib: HourlyPrice::from_usd(0.08 / 730.0).expect("a price"),
            emr_per_vcpu: HourlyPrice::ZERO,
            emr_per_gb: HourlyPrice::ZERO,
            cross_zone_per_gb: NanoUsd::new(20_000_000),
            ..Fees::default()
        },
        billing: Billing::default(),
        assumptions: Assumptions { spot: SpotModel::None, ..Assumptions::default() },
    }
}

/// A template that asks for a capacity type.
pub(crate) fn on(capacity_type: CapacityType) -> PodTemplate {
    PodTemplate {
        node_selector: BTreeMap::from([(
            "eks.amazonaws.com/capacityType".to_owned(),
            capacity_type.eks_label().to_owned(),
        )]),
        ..PodTemplate::default()
    }
}

/// So many seconds after the start.
pub(crate) fn at(seconds: u64) -> SimTime {
    SimTime::from_millis(seconds * 1000)
}

/// A pod on node 4 that waited from 10 s to 100 s and was deleted at 700 s.
pub(crate) fn pod_record(number: u64, kind: PodKind) -> PodRecord {
    PodRecord {
        pod: number,
        kind,
        owner: Some(0),
        attempt: (kind != PodKind::Trace).then_some(1),
        executor_id: (kind == PodKind::Executor).then_some(number as u32),
        cpu: MilliCores::new(3400),
        memory: Bytes::gib(11),
        created_at: at(10),
        bound_at: Some(at(100)),
        ready_at: Some(at(130)),
        ended_at: at(700),
        node: Some(4),
        result: PodResult::Deleted,
        pending_reason: None,
        cost: NanoUsd::ZERO,
    }
}

/// A run of `tasks` tasks of 10 s on two executors of one core.
pub(crate) fn run(id: &str, submitted_s: u64, tasks: u32) -> Run {
    Run {
        run_id: id.into(),
        submitted_at: SimTime::from_millis(submitted_s * 1000),
        tasks: Some(tasks),
        executor_task_time: Some(SimDuration::seconds(10 * u64::from(tasks))),
        ..Run::default()
    }
}

pub(crate) fn runs(runs: Vec<Run>) -> Workload {
    Workload {
        applications: vec!["application".into()],
        teams: vec!["team".into()],
        runs: runs.into(),
        ..Workload::default()
    }
}

/// A pod that asks for a whole core of a node.
pub(crate) fn trace_pod(
    name: &str,
    created_ms: u64,
    duration_ms: u64,
    cpu: MilliCores,
) -> TracePod {
    TracePod {
        name: name.into(),
        created_at: SimTime::from_millis(created_ms),
        duration: SimDuration::from_millis(duration_ms),
        cpu,
        memory: Bytes::mib(100),
        ..TracePod::default()
    }
}
