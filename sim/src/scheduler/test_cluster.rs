//! Clusters for the scheduler's tests.

use std::collections::BTreeMap;

use crate::cluster::{Node, NodeKindId, NodeState, NonZeroRequests, Resources};
use crate::cluster::{Pod, PodId, PodOwner, PodSpec};
use crate::engine::RunOptions;
use crate::engine::arrivals::RunCursor;
use crate::engine::calendar::Calendar;
use crate::engine::world::{Cx, World};
use crate::outcome::NoSink;
use crate::scenario::*;
use crate::units::{Bytes, HourlyPrice, MilliCores, NanoUsd, SimTime};
use crate::{Outcome, Scenario, Seed, Workload};

/// A ready node without anything on it.
pub(super) fn bare_node() -> Node {
    Node {
        number: 0,
        kind: NodeKindId(0),
        state: NodeState::Ready,
        launched_at: SimTime::ZERO,
        ready_at: Some(SimTime::ZERO),
        requested: Resources::default(),
        nonzero_requested: NonZeroRequests::default(),
        images: Vec::new(),
        pods: Vec::new(),
        lowest_priority: i32::MAX,
        image_store: crate::images::ImageStore::default(),
        gone_at: None,
        unneeded_since: None,
        well_used: false,
        kept_because: None,
        interrupted: false,
        disrupted_by: None,
        spot_number: 0,
        replaces: None,
        replaced: false,
        pods_bound_ever: 0,
        pods_cost: NanoUsd::ZERO,
    }
}

/// Round numbers: 16 CPU, 64 GiB, 20 pods.
fn instance_type(name: &str) -> InstanceType {
    InstanceType {
        name: name.into(),
        arch: "amd64".into(),
        vcpu: 16,
        memory: Bytes::gib(64),
        allocatable_cpu: MilliCores::cores(16),
        allocatable_memory: Bytes::gib(64),
        max_pods: 20,
        gpus: 0,
        on_demand_price: HourlyPrice::from_usd(1.0).expect("a price"),
        spot_price: None,
        interruption_band: None,
    }
}

/// Two pools of two instance types in the given numbers of zones; the second pool is labelled
/// `role: batch` and has a `PreferNoSchedule` taint.
pub(super) fn scenario(minor: u32, zones: [usize; 2]) -> Scenario {
    let kubernetes = KubernetesVersion { major: 1, minor };
    let pool = |place: usize, labels: BTreeMap<String, String>, taints| NodePool {
        name: format!("pool-{place}"),
        capacity_type: CapacityType::OnDemand,
        instance_types: vec![instance_type("large"), instance_type("other")],
        zones: (0..zones[place]).map(|zone| format!("zone-{zone}")).collect(),
        min_size: 0,
        desired_size: 0,
        max_size: 1000,
        labels,
        taints,
        volume: Bytes::gib(80),
        scale_down_disabled: false,
        max_pods: None,
        allocation_strategy: crate::scenario::AllocationStrategy::default(),
    };
    let batch = BTreeMap::from([("role".to_owned(), "batch".to_owned())]);
    let taint = Taint { key: "a".into(), value: "b".into(), effect: TaintEffect::PreferNoSchedule };
    Scenario {
        name: "test".into(),
        kubernetes,
        region: "us-west-2".into(),
        spark: SparkDefaults::default_of(SparkVersion::default()),
        pools: vec![pool(0, BTreeMap::new(), Vec::new()), pool(1, batch, vec![taint])],
        autoscaler: None,
        scheduler: SchedulerProfile::default_of(kubernetes),
        orchestrator: crate::scenario::Orchestrator::default(),
        retries: RetryLadder::default(),
        images: Images::default(),
        overprovisioning: None,
        daemonsets: DaemonSets::default(),
        fees: Fees {
            cross_zone_per_gb: NanoUsd::ZERO,
            control_plane: HourlyPrice::ZERO,
            storage_per_gib: HourlyPrice::ZERO,
            emr_per_vcpu: HourlyPrice::ZERO,
            emr_per_gb: HourlyPrice::ZERO,
            ..Fees::default()
        },
        billing: Billing::default(),
        assumptions: Assumptions::default(),
    }
}

/// What handlers work with, at the start.
pub(super) fn context<'a>(
    scenario: &'a Scenario,
    workload: &'a Workload,
    sink: &'a mut NoSink,
    seed: u64,
) -> Cx<'a> {
    Cx {
        now: SimTime::ZERO,
        calendar: Calendar::default(),
        scenario,
        workload,
        runs: RunCursor::new(&workload.runs),
        options: RunOptions::default(),
        seed: Seed::new(seed),
        sink,
        outcome: Outcome::default(),
    }
}

/// A pod without an owner that anybody asks, in the active queue's phase.
pub(super) fn bare_pod(world: &mut World, spec: PodSpec) -> PodId {
    let number = world.cluster.pods_created;
    world.cluster.pods_created += 1;
    let spec = world.cluster.specs.intern(spec);
    world.cluster.pods.insert(Pod::new(number, PodOwner::Pause, spec, 1, SimTime::ZERO))
}
