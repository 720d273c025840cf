//! The lives of nodes and pods: images, init containers, termination, zones, the control plane.

use crate::fixtures::*;
use sim::Scenario;
use sim::outcome::{PodKind, PodRecord, PodResult};
use sim::scenario::*;
use sim::units::{Bytes, MilliCores, NanoUsd, SimDuration};
use sim::workload::RunOutcome;

/// One node of each pool, there from the start, latencies without spread.
fn still() -> Scenario {
    let mut scenario = platform();
    scenario.autoscaler = None;
    scenario.pools[0] = pool("drivers", CapacityType::OnDemand, (1, 1, 1));
    scenario.pools[1] = pool("executors", CapacityType::Spot, (1, 1, 1));
    let fixed = |s| LogNormal { p50: SimDuration::seconds(s), p99: SimDuration::seconds(s) };
    scenario.assumptions.driver_start = fixed(8);
    scenario.assumptions.executor_start = fixed(4);
    scenario.assumptions.image_pull_bytes_per_s = Bytes::new(100_000_000);
    scenario
}

fn image(name: &str, layers: &[(&str, u64)]) -> Image {
    let layers = layers.iter().map(|(name, mb)| ImageLayer {
        name: (*name).to_owned(),
        size: Bytes::new(mb * 1_000_000),
    });
    Image { name: name.to_owned(), layers: layers.collect(), pre_pulled: false }
}

/// Seconds from bound to ready.
fn start_s(pod: &PodRecord) -> f64 {
    pod.ready_at.unwrap().since(pod.bound_at.unwrap()).as_secs_f64()
}

fn of(pods: &[PodRecord], kind: PodKind) -> Vec<&PodRecord> {
    pods.iter().filter(|pod| pod.kind == kind).collect()
}

#[test]
fn images_share_layers_and_are_pulled_one_after_the_other() {
    let mut scenario = still();
    // All pods on one node: the driver's image brings the base layer.
    scenario.pools[0] = pool("drivers", CapacityType::OnDemand, (1, 1, 1));
    scenario.spark.executor_template = on(CapacityType::OnDemand);
    scenario.spark.executor_instances = 1;
    scenario.images.list = vec![
        image("spark:3.4", &[("base", 1000), ("three-four", 500)]),
        image("spark:3.5", &[("base", 1000), ("three-five", 700)]),
    ];
    scenario.spark.driver_template.main.image = Some("spark:3.4".into());
    scenario.spark.executor_template.main.image = Some("spark:3.5".into());
    let (_, records) = simulate(&scenario, &runs(vec![run("r", 0, 4)]), 1);
    // 1.5 GB at 100 MB/s, a second of container start, 8 s of driver.
    assert_eq!(start_s(of(&records.pods, PodKind::Driver)[0]), 15.0 + 1.0 + 8.0);
    // Only what the base layer leaves.
    assert_eq!(start_s(of(&records.pods, PodKind::Executor)[0]), 7.0 + 1.0 + 4.0);
}

#[test]
fn the_registry_is_shared_by_the_nodes_that_pull() {
    let starts = |registry: Option<u64>| {
        let mut scenario = still();
        scenario.pools[1] = pool("executors", CapacityType::Spot, (3, 3, 3));
        scenario.images.size = Bytes::new(1_000_000_000);
        scenario.images.registry_bytes_per_s = registry.map(Bytes::new);
        let mut wide = run("r", 0, 40);
        wide.executor_cores = Some(3);
        wide.executors_min = Some(3);
        wide.executors_max = Some(3);
        let (_, records) = simulate(&scenario, &runs(vec![wide]), 1);
        let executors = of(&records.pods, PodKind::Executor);
        assert_eq!(executors.len(), 3);
        executors.iter().map(|pod| start_s(pod)).fold(0.0, f64::max)
    };
    assert!((starts(None) - 15.0).abs() < 0.1, "10 s of pull: {}", starts(None));
    let slow = starts(Some(60_000_000));
    // Three nodes share 60 MB/s: 50 s, but for the few milliseconds between their binds.
    assert!((slow - 55.0).abs() < 0.1, "{slow}");
}

#[test]
fn the_kubelet_collects_images_that_nobody_uses() {
    let pulls = |volume: Bytes| {
        let mut scenario = still();
        scenario.pools[0].volume = volume;
        scenario.pools[1].volume = volume;
        scenario.assumptions.image_disk_factor = 1.0;
        scenario.assumptions.system_disk = Bytes::ZERO;
        scenario.images.size = Bytes::gib(10);
        scenario.images.gc_high_percent = 85;
        let far = runs(vec![run("a", 0, 4), run("b", 7200, 4)]);
        let (_, records) = simulate(&scenario, &far, 1);
        let drivers = of(&records.pods, PodKind::Driver);
        (start_s(drivers[0]) > 60.0, start_s(drivers[1]) > 60.0)
    };
    assert_eq!(pulls(Bytes::gib(20)), (true, false), "half full: the image stays");
    assert_eq!(pulls(Bytes::gib(11)), (true, true), "the image had to go after the first run");
}

#[test]
fn init_containers_run_before_the_process() {
    let mut scenario = still();
    scenario.images.pre_pulled = true;
    let init = |restart_always| Container { restart_always, ..Container::default() };
    scenario.spark.driver_template.init_containers = vec![init(false), init(false), init(true)];
    let late = runs(vec![run("r", 600, 4)]);
    let (_, records) = simulate(&scenario, &late, 1);
    // Two of 2 s, a sidecar and the container itself of 1 s each, and the driver's start.
    assert_eq!(start_s(of(&records.pods, PodKind::Driver)[0]), 4.0 + 1.0 + 1.0 + 8.0);
}

#[test]
fn deleted_pods_keep_their_room_until_they_have_ended() {
    let mut scenario = still();
    scenario.assumptions.pod_termination = SimDuration::seconds(20);
    let ended = |scenario: &Scenario| {
        let (outcome, records) = simulate(scenario, &runs(vec![run("r", 0, 4)]), 1);
        assert_eq!(outcome.succeeded, 1);
        let attempt = records.attempts[0].ended_at;
        let executors = of(&records.pods, PodKind::Executor);
        assert!(executors.iter().all(|pod| pod.result == PodResult::Deleted));
        let node = records.nodes.iter().find(|node| Some(node.node) == executors[0].node).unwrap();
        assert!(node.terminated_at >= executors[0].ended_at);
        executors[0].ended_at.since(attempt)
    };
    assert_eq!(ended(&scenario), SimDuration::seconds(20));
    scenario.spark.executor_template.termination_grace = Some(SimDuration::seconds(5));
    assert_eq!(ended(&scenario), SimDuration::seconds(5), "killed at the end of the grace");
}

#[test]
fn a_preemptor_waits_for_its_victims_to_end() {
    let mut scenario = still();
    scenario.assumptions.pod_termination = SimDuration::seconds(12);
    let mut low = trace_pod("low", 0, 600_000, MilliCores::new(3500));
    low.node_selector = on(CapacityType::OnDemand).node_selector;
    let mut high = low.clone();
    (high.created_at, high.priority) = (sim::units::SimTime::from_millis(60_000), 10);
    let workload = sim::Workload { pods: vec![low, high], ..sim::Workload::default() };
    let (outcome, records) = simulate(&scenario, &workload, 1);
    assert_eq!((outcome.trace_pods_succeeded, outcome.trace_pods_unfinished), (1, 1));
    assert_eq!(records.pods[0].result, PodResult::Preempted);
    assert_eq!(records.pods[0].ended_at.as_millis(), 72_000);
    assert!(records.pods[1].bound_at.unwrap() >= records.pods[0].ended_at);
    assert!(records.pods[1].bound_at.unwrap().as_millis() < 74_000);
}

#[test]
fn shuffles_across_zones_are_billed_by_how_executors_are_spread() {
    let bill = |zones: &[&str]| {
        let mut scenario = still();
        scenario.pools[1] = pool("executors", CapacityType::Spot, (2, 2, 2));
        scenario.pools[1].zones = zones.iter().map(|zone| (*zone).to_owned()).collect();
        scenario.fees.cross_zone_per_gb = NanoUsd::new(20_000_000);
        let mut wide = run("r", 0, 40);
        // One executor on each node.
        wide.executor_cores = Some(3);
        wide.executors_min = Some(2);
        wide.executors_max = Some(2);
        wide.shuffle_bytes = Some(Bytes::gib(100));
        let (outcome, records) = simulate(&scenario, &runs(vec![wide]), 1);
        assert_eq!(records.runs[0].outcome, RunOutcome::Succeeded);
        assert_eq!(outcome.cost.by_team.iter().map(|(_, cost)| *cost).sum::<NanoUsd>(), {
            outcome.cost.total()
        });
        (outcome.cross_zone_bytes, outcome.cost.costs.network)
    };
    assert_eq!(bill(&["a", "b"]), (Bytes::gib(50), NanoUsd::new(1_000_000_000)));
    assert_eq!(bill(&["a"]), (Bytes::ZERO, NanoUsd::ZERO));
}

#[test]
fn etcd_beyond_its_quota_is_a_finding_that_names_the_storm() {
    let mut scenario = still();
    let workload = runs(vec![run("r", 0, 4)]);
    let (calm, _) = simulate(&scenario, &workload, 1);
    assert!(calm.findings.iter().all(|finding| finding.code != "etcd-quota"));
    assert!(calm.control_plane.etcd_bytes_peak > Bytes::ZERO);
    let events: u64 = calm.control_plane.events.iter().map(|(_, count)| *count).sum();
    assert!((20..100).contains(&events), "{:?}", calm.control_plane.events);

    scenario.assumptions.etcd_quota = Bytes::mib(1);
    scenario.assumptions.event_object_bytes = Bytes::mib(1);
    let (storm, _) = simulate(&scenario, &workload, 1);
    let finding = storm.findings.iter().find(|finding| finding.code == "etcd-quota").unwrap();
    assert!(finding.message.contains("most by the application application"), "{finding:?}");
}

#[test]
fn a_startup_taint_keeps_pods_off_until_the_daemonsets_run() {
    let mut scenario = platform();
    let fixed = LogNormal { p50: SimDuration::seconds(60), p99: SimDuration::seconds(60) };
    scenario.assumptions.node_boot = fixed;
    scenario.assumptions.daemonset_start = SimDuration::seconds(25);
    let (_, records) = simulate(&scenario, &runs(vec![run("r", 0, 4)]), 1);
    for node in &records.nodes {
        assert_eq!(node.ready_at.unwrap().since(node.launched_at), SimDuration::seconds(85));
    }
}
