//! Platforms and workloads to measure the engine with.

use std::collections::BTreeMap;

use sim::rng::RngExt;
use sim::scenario::*;
use sim::units::{Bytes, HourlyPrice, MilliCores, NanoUsd, SimDuration, SimTime};
use sim::workload::{Run, Stage, TaskDurations, TracePod};
use sim::{Scenario, Seed, Workload};

/// Runs of a platform day.
pub const RUNS: u64 = 8_000;
/// Pods of a pod day.
pub const PODS: u64 = 10_000;
/// Pods of a Karpenter day.
pub const KARPENTER_PODS: u64 = 100_000;
const DAY_MS: u64 = 86_400_000;

fn pool(name: &str, capacity_type: CapacityType, max_size: u32) -> NodePool {
    NodePool {
        name: name.into(),
        capacity_type,
        instance_types: vec![InstanceType {
            name: "r5.4xlarge".into(),
            arch: "amd64".into(),
            vcpu: 16,
            memory: Bytes::gib(128),
            allocatable_cpu: MilliCores::new(15_890),
            allocatable_memory: Bytes::mib(118_312),
            max_pods: 234,
            gpus: 0,
            on_demand_price: HourlyPrice::from_usd(1.008).expect("a price"),
            spot_price: HourlyPrice::from_usd(0.4),
            interruption_band: Some(2),
        }],
        zones: vec!["us-west-2a".into(), "us-west-2b".into(), "us-west-2c".into()],
        min_size: 0,
        desired_size: 0,
        max_size,
        labels: BTreeMap::from([("capacity".to_owned(), capacity_type.name().to_owned())]),
        taints: Vec::new(),
        volume: Bytes::gib(80),
        scale_down_disabled: false,
        max_pods: None,
        allocation_strategy: sim::scenario::AllocationStrategy::default(),
    }
}

fn on(capacity_type: CapacityType) -> PodTemplate {
    let selector = ("capacity".to_owned(), capacity_type.name().to_owned());
    PodTemplate { node_selector: BTreeMap::from([selector]), ..PodTemplate::default() }
}

/// Drivers on on-demand nodes, executors on spot, from zero.
pub fn platform() -> Scenario {
    let kubernetes = KubernetesVersion { major: 1, minor: 33 };
    let mut spark = SparkDefaults::default_of(SparkVersion::default());
    spark.driver_template = on(CapacityType::OnDemand);
    spark.executor_template = on(CapacityType::Spot);
    Scenario {
        name: "bench".into(),
        kubernetes,
        region: "us-west-2".into(),
        spark,
        pools: vec![
            pool("drivers", CapacityType::OnDemand, 300),
            pool("executors", CapacityType::Spot, 1_000),
        ],
        autoscaler: Some(Autoscaler::ClusterAutoscaler(ClusterAutoscaler::default_of(kubernetes))),
        scheduler: SchedulerProfile::default_of(kubernetes),
        orchestrator: Orchestrator::default(),
        retries: RetryLadder::default(),
        images: Images { pre_pulled: true, ..Images::default() },
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

/// Runs of 20 to 580 tasks of 10 s on average, a third of them with dynamic allocation.
pub fn platform_day() -> Workload {
    let mut stream = Seed::new(7).stream("bench-day", &[]);
    let mut runs: Vec<Run> = (0..RUNS)
        .map(|i| {
            let tasks = stream.random_range(20..580);
            Run {
                run_id: format!("r{i}").into(),
                submitted_at: SimTime::from_millis(stream.random_range(0..DAY_MS)),
                driver_memory: Some(Bytes::gib(4)),
                executor_cores: Some(4),
                executor_memory: Some(Bytes::gib(16)),
                executors_min: Some(1),
                executors_max: Some(stream.random_range(2..12)),
                dynamic_allocation: Some(i % 3 == 0),
                tasks: Some(tasks),
                executor_task_time: Some(SimDuration::seconds(u64::from(tasks) * 10)),
                driver_only: Some(SimDuration::seconds(30)),
                ..Run::default()
            }
        })
        .collect();
    runs.sort_by_key(|run| run.submitted_at);
    let names = vec!["bench".to_owned()];
    Workload { applications: names.clone(), teams: names, runs: runs.into(), ..Workload::default() }
}

/// 20 pods arrive together, of 1, 2 or 4 cores and 6.5 GiB a core, for 10 minutes on average.
pub fn pod_day() -> Workload {
    let mut stream = Seed::new(7).stream("bench-pods", &[]);
    let mut at = 0;
    let pods = (0..PODS)
        .map(|i| {
            if i % 20 == 0 {
                at = i * DAY_MS / PODS;
            }
            let cores = 1 << stream.random_range(0..3u32);
            let mean: f64 = stream.random::<f64>();
            TracePod {
                name: format!("p{i}").into(),
                created_at: SimTime::from_millis(at),
                duration: SimDuration::from_secs_f64(-600.0 * (1.0 - mean).ln()),
                cpu: MilliCores::cores(cores),
                memory: Bytes::mib(6_656) * cores,
                ..TracePod::default()
            }
        })
        .collect();
    Workload { pods, ..Workload::default() }
}

/// `nodes` nodes of a fixed pool, without an autoscaler.
pub fn fixed_platform(nodes: u32) -> Scenario {
    let mut scenario = platform();
    scenario.autoscaler = None;
    scenario.pools.truncate(1);
    let pool = &mut scenario.pools[0];
    (pool.min_size, pool.desired_size, pool.max_size) = (nodes, nodes, nodes);
    scenario.assumptions.scheduler_pods_per_s = 1000;
    scenario
}

/// Pods that keep `nodes` nodes about three quarters full: one for every core of the cluster,
/// spread over an hour. `alike`: of `pod_day`'s three shapes; otherwise of 36 shapes, so that
/// hardly any two nodes are equal.
pub fn pods_for(nodes: u32, alike: bool) -> Workload {
    let count = u64::from(nodes) * 16;
    let mut stream = Seed::new(7).stream("bench-placement", &[]);
    let pods = (0..count)
        .map(|i| {
            let cores = 1 << stream.random_range(0..3u32);
            let halves = stream.random_range(4..16u64);
            let memory = Bytes::mib(512) * if alike { 13 } else { halves } * cores;
            let mean: f64 = stream.random::<f64>();
            TracePod {
                name: format!("p{i}").into(),
                created_at: SimTime::from_millis(i * 3_600_000 / count),
                duration: SimDuration::from_secs_f64(-1157.0 * (1.0 - mean).ln()),
                cpu: MilliCores::cores(cores),
                memory,
                ..TracePod::default()
            }
        })
        .collect();
    Workload { pods, ..Workload::default() }
}

/// A recorded run of that many stages in a row, each of so many tasks of 100 to 2000 ms, which read
/// each other's shuffles.
pub fn staged_run(stages: u32, tasks: u32) -> Run {
    let mut stream = Seed::new(7).stream("bench-replay", &[]);
    let stages = (0..stages).map(|place| Stage {
        stage_id: place,
        parents: place.checked_sub(1).into_iter().collect(),
        shuffle_parents: place.checked_sub(1).into_iter().collect(),
        shuffle_read_bytes: Bytes::mib(100),
        tasks: TaskDurations::from_millis(
            (0..tasks).map(|_| stream.random_range(100..2_000u32)).collect(),
        ),
        ..Stage::default()
    });
    Run { run_id: "staged".into(), stages: Some(stages.collect()), ..Run::default() }
}

/// One NodePool of 300 instance types: 20 families of 5 to 24 cents a core and 2 to 8 GiB a core,
/// in 15 sizes.
pub fn karpenter_platform(consolidates: bool) -> Scenario {
    let mut scenario = platform();
    let types: Vec<InstanceType> = (0..20u32)
        .flat_map(|family| (1..=15u32).map(move |size| karpenter_type(family, size * 4)))
        .collect();
    for (place, name) in [(0, "default-on-demand"), (1, "default-spot")] {
        let pool = &mut scenario.pools[place];
        name.clone_into(&mut pool.name);
        pool.instance_types.clone_from(&types);
        pool.max_size = u32::MAX;
    }
    let mut disruption = Disruption::default();
    if !consolidates {
        disruption.consolidation_policy = ConsolidationPolicy::WhenEmpty;
    }
    scenario.autoscaler = Some(Autoscaler::Karpenter(Karpenter {
        node_pools: vec![KarpenterNodePool {
            name: "default".into(),
            weight: 0,
            requirements: Vec::new(),
            taints: Vec::new(),
            startup_taints: Vec::new(),
            expire_after: Some(SimDuration::hours(720)),
            termination_grace_period: None,
            drift_at: Vec::new(),
            limits: NodePoolLimits::default(),
            disruption,
            groups: vec![0, 1],
            type_labels: BTreeMap::new(),
        }],
        ..Karpenter::default()
    }));
    scenario
}

fn karpenter_type(family: u32, cores: u32) -> InstanceType {
    let gib = 2 << (family % 3);
    let usd = f64::from(cores) * (0.05 + 0.01 * f64::from(family));
    InstanceType {
        name: format!("f{family:02}.{cores}core"),
        arch: "amd64".into(),
        vcpu: cores,
        memory: Bytes::gib(gib * u64::from(cores)),
        allocatable_cpu: MilliCores::new(u64::from(cores) * 1000 - 90),
        allocatable_memory: Bytes::gib(gib * u64::from(cores)).scale_floor(0.9),
        max_pods: 110,
        gpus: 0,
        on_demand_price: HourlyPrice::from_usd(usd).expect("a price"),
        spot_price: HourlyPrice::from_usd(usd * 0.4),
        interruption_band: Some(1),
    }
}

/// 50 pods arrive together, of 36 shapes, for 10 minutes on average.
pub fn karpenter_day() -> Workload {
    let mut stream = Seed::new(7).stream("bench-karpenter", &[]);
    let mut at = 0;
    let pods = (0..KARPENTER_PODS)
        .map(|i| {
            if i % 50 == 0 {
                at = i * DAY_MS / KARPENTER_PODS;
            }
            let cores = 1 << stream.random_range(0..3u32);
            let halves = stream.random_range(4..16u64);
            let mean: f64 = stream.random::<f64>();
            TracePod {
                name: format!("p{i}").into(),
                created_at: SimTime::from_millis(at),
                duration: SimDuration::from_secs_f64(-600.0 * (1.0 - mean).ln()),
                cpu: MilliCores::cores(cores),
                memory: Bytes::mib(512) * halves * cores,
                ..TracePod::default()
            }
        })
        .collect();
    Workload { pods, ..Workload::default() }
}

/// `count` pods over `days`, 20 at a time, of 1, 2 or 4 cores and 6.5 GiB a core, that run for a
/// log-normal time of 600 s on average.
pub fn pods_over(count: u64, days: u64) -> Workload {
    let mut stream = Seed::new(7).stream("bench-pods-over", &[]);
    let mut at = 0;
    let pods = (0..count)
        .map(|i| {
            if i % 20 == 0 {
                at = i * days * DAY_MS / count;
            }
            let cores = 1 << stream.random_range(0..3u32);
            let (a, b): (f64, f64) = (stream.random(), stream.random());
            let z = (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos();
            TracePod {
                name: format!("p{i}").into(),
                created_at: SimTime::from_millis(at),
                duration: SimDuration::from_secs_f64(600.0 * (z - 0.5).exp()),
                cpu: MilliCores::cores(cores),
                memory: Bytes::mib(6_656) * cores,
                ..TracePod::default()
            }
        })
        .collect();
    Workload { pods, ..Workload::default() }
}

/// One on-demand pool that grows as far as the pods ask for: on spot, some pods would be lost.
pub fn growing_platform() -> Scenario {
    let mut scenario = platform();
    scenario.pools.truncate(1);
    scenario.pools[0].max_size = 10_000;
    scenario
}
