//! What users would notice: each mechanism once, end to end, on a platform small enough to check
//! by hand.

use crate::fixtures::*;
use sim::outcome::{PodKind, PodResult};
use sim::scenario::*;
use sim::units::{Bytes, MilliCores, SimDuration, SimTime};
use sim::workload::{Failure, RunOutcome, Stage, TaskDurations};
use sim::{Scenario, Workload};

#[test]
fn a_run_scales_the_cluster_up_from_zero_and_succeeds() {
    let (outcome, records) = simulate(&platform(), &runs(vec![run("r", 0, 40)]), 1);
    assert_eq!((outcome.succeeded, outcome.failed, outcome.unfinished), (1, 0, 0));
    assert_eq!(outcome.pods, 3);
    assert_eq!(outcome.nodes_launched, 2, "one node for the driver, one for both executors");
    assert_eq!(outcome.tasks, 40);
    // 200 s of work on two cores, after two boots one after the other and two pulls.
    let ended = records.runs[0].ended_at.unwrap();
    assert!((300_000..700_000).contains(&ended.as_millis()), "{ended}");
    assert!(records.pods.iter().all(|pod| pod.pending_reason.is_some()));
}

#[test]
fn stages_wait_for_their_parents_and_gaps() {
    let mut submitted = run("r", 0, 0);
    let stage = |id, parents: &[u32], ms: &[u32], gap| Stage {
        stage_id: id,
        parents: parents.to_vec(),
        driver_gap: SimDuration::from_millis(gap),
        tasks: TaskDurations::from_millis(ms.to_vec()),
        ..Stage::default()
    };
    submitted.stages = Some(
        vec![
            stage(0, &[], &[1000, 1000, 1000], 0),
            stage(1, &[], &[1000, 1000, 1000], 0),
            stage(2, &[0, 1], &[4000], 1000),
        ]
        .into(),
    );
    submitted.driver_only = Some(SimDuration::seconds(3));
    let (_, records) = simulate(&platform(), &runs(vec![submitted]), 1);
    let executors = records.pods.iter().filter(|pod| pod.kind == PodKind::Executor);
    let ready: Vec<_> = executors.map(|pod| pod.ready_at.unwrap()).collect();
    let (first, last) = (*ready.iter().min().unwrap(), *ready.iter().max().unwrap());
    // 3 s, 1 s of gap, 4 s, and 2 s of driver time that no gap accounts for; longer by what the
    // second executor was late, at most.
    let took = records.attempts[0].ended_at.since(first);
    let late = last.since(first);
    let expected = SimDuration::seconds(10);
    assert!(expected <= took && took <= expected + late, "{took}, {late} late");
}

#[test]
fn a_container_that_is_too_small_is_killed_and_the_ladder_mends_it() {
    let mut scenario = platform();
    let mut submitted = run("r", 0, 40);
    submitted.executor_memory = Some(Bytes::gib(2));
    submitted.peak_executor_memory = Some(Bytes::gib(4));
    let (outcome, records) = simulate(&scenario, &runs(vec![submitted.clone()]), 1);
    assert_eq!(outcome.failed_attempts.get(Failure::ExecutorOom), 1);
    assert_eq!(records.attempts[0].executors_oom_killed, 4, "spark.task.maxFailures");
    assert_eq!(outcome.failed, 1);

    let mut strict = scenario.clone();
    strict.spark.limits.executor_max_num_failures = Some(1);
    let (_, records) = simulate(&strict, &runs(vec![submitted.clone()]), 1);
    assert_eq!(records.attempts[0].executors_oom_killed, 2, "spark.executor.maxNumFailures");

    let mut roomy = scenario.clone();
    roomy.spark.executor_memory = Bytes::gib(4);
    assert_eq!(simulate(&roomy, &runs(vec![submitted.clone()]), 1).0.failed, 1, "a default only");
    roomy.spark.override_runs.executor_memory = true;
    assert_eq!(simulate(&roomy, &runs(vec![submitted.clone()]), 1).0.succeeded, 1);

    scenario.retries = RetryLadder {
        name: "test".into(),
        history: Vec::new(),
        spot_rough: None,
        critical_on_demand: false,
        rungs: vec![Rung {
            when: vec![Failure::ExecutorOom],
            adjust: vec![
                Adjustment::ExecutorMemory { factor: 2.0, max: Bytes::gib(64) },
                Adjustment::OnDemand,
            ],
            steps: Vec::new(),
            backoff_step: SimDuration::ZERO,
            attempts_max: 3,
            backoff: SimDuration::seconds(30),
            backoff_factor: 1.0,
            backoff_max: SimDuration::minutes(5),
        }],
    };
    let (outcome, records) = simulate(&scenario, &runs(vec![submitted]), 1);
    assert_eq!((outcome.succeeded, outcome.attempts), (1, 2));
    assert!(records.attempts[1].on_demand);
    assert!(records.attempts[1].executor_memory >= Bytes::gib(4));
    let spot_nodes = |after: SimTime| {
        records.pods.iter().any(|pod| {
            pod.kind == PodKind::Executor
                && pod.created_at > after
                && pod.node.is_some_and(|node| {
                    let node = records.nodes.iter().find(|n| n.node == node).unwrap();
                    node.capacity_type == CapacityType::Spot
                })
        })
    };
    assert!(!spot_nodes(records.attempts[0].ended_at), "the retry runs on on-demand nodes");
}

#[test]
fn empty_nodes_go_after_the_unneeded_time_and_busy_ones_stay() {
    let mut scenario = platform();
    let autoscaler = scenario.cluster_autoscaler_mut().unwrap();
    autoscaler.scale_down_unneeded_time = SimDuration::minutes(5);
    autoscaler.scale_down_delay_after_add = SimDuration::minutes(5);
    autoscaler.scan_interval = SimDuration::minutes(1);
    // The second run comes an hour later and needs new nodes.
    let workload = runs(vec![run("a", 0, 40), run("b", 3600, 40)]);
    let (outcome, records) = simulate(&scenario, &workload, 1);
    assert_eq!(outcome.succeeded, 2);
    assert_eq!(outcome.nodes_launched, 4);
    for node in &records.nodes[..2] {
        let last = records.pods.iter().filter(|pod| pod.node == Some(node.node));
        let idle = node.terminated_at.since(last.map(|pod| pod.ended_at).max().unwrap());
        // Unneeded from the next scan on, deleted at the first scan more than 5 minutes later.
        assert!(idle > SimDuration::minutes(5) && idle <= SimDuration::seconds(425), "{idle}");
    }
}

/// Everything is taken, and there is capacity again half a minute later.
fn short_spells() -> Spells {
    Spells { share_taken: 1.0, tight_hours: 0.01, calm_sigma: 0.5, ..Spells::default() }
}

#[test]
fn spot_reclaims_cost_executors_but_not_the_run() {
    let mut scenario = platform();
    scenario.assumptions.spot =
        SpotModel::PoolShocks { mean_hours_between: 0.05, spells: short_spells() };
    // Every three minutes all executors go. Only shuffle data that outlives them bears that.
    scenario.spark.storage.shuffle = ShuffleService::Remote;
    let mut submitted = run("r", 0, 400);
    submitted.executors_max = Some(4);
    let (outcome, records) = simulate(&scenario, &runs(vec![submitted]), 3);
    assert_eq!(outcome.succeeded, 1);
    assert!(outcome.spot_interruptions > 0);
    assert!(records.attempts[0].executors_lost_to_spot > 0);
    assert!(records.attempts[0].task_time_lost > SimDuration::ZERO);
    assert!(outcome.cost.costs.nodes.recompute.as_nano() > 0);
    assert!(outcome.tasks > 400);
    for node in records.nodes.iter().filter(|node| node.interrupted) {
        let pods = records.pods.iter().filter(|pod| pod.node == Some(node.node));
        assert!(pods.clone().all(|pod| pod.ended_at <= node.terminated_at));
    }
    let lost = records.pods.iter().filter(|pod| pod.result == PodResult::SpotReclaimed).count();
    assert_eq!(lost as u32, records.attempts[0].executors_lost_to_spot);
}

#[test]
fn a_driver_on_a_reclaimed_node_takes_its_attempt_with_it() {
    let mut scenario = platform();
    scenario.spark.driver_template = on(CapacityType::Spot);
    scenario.assumptions.spot =
        SpotModel::PoolShocks { mean_hours_between: 0.05, spells: short_spells() };
    let (outcome, _) = simulate(&scenario, &runs(vec![run("r", 0, 4000)]), 1);
    assert_eq!(outcome.failed_attempts.get(Failure::Spot), 1);
    assert_eq!(outcome.failed, 1);
}

#[test]
fn what_fits_no_node_fails_as_unschedulable() {
    let mut submitted = run("r", 0, 4);
    submitted.executor_cores = Some(4);
    let (outcome, records) = simulate(&platform(), &runs(vec![submitted]), 1);
    assert_eq!(outcome.failed_attempts.get(Failure::Unschedulable), 1);
    assert_eq!(records.runs[0].outcome, RunOutcome::Failed);
    let executor = records.pods.iter().find(|pod| pod.kind == PodKind::Executor).unwrap();
    assert!(executor.bound_at.is_none());
    let reason = executor.pending_reason.as_deref().unwrap();
    assert!(reason.contains("nodes are available"), "{reason}");
}

#[test]
fn dynamic_allocation_grows_with_the_backlog_and_shrinks_when_idle() {
    let mut scenario = platform();
    let settings = &mut scenario.spark.dynamic_allocation;
    settings.enabled = true;
    settings.initial_executors = Some(1);
    settings.max_executors = 12;
    settings.shuffle_tracking = false;
    let mut submitted = run("r", 0, 0);
    let stage = |id: u32, ms: Vec<u32>, parents: Vec<u32>| Stage {
        stage_id: id,
        parents,
        tasks: TaskDurations::from_millis(ms),
        ..Stage::default()
    };
    submitted.stages =
        Some(vec![stage(0, vec![20_000; 100], vec![]), stage(1, vec![600_000], vec![0])].into());
    let (outcome, records) = simulate(&scenario, &runs(vec![submitted]), 1);
    assert_eq!(outcome.succeeded, 1);
    assert_eq!(records.attempts[0].executors_peak, 12);
    let idle = records
        .pods
        .iter()
        .filter(|pod| pod.kind == PodKind::Executor && pod.ended_at < records.attempts[0].ended_at);
    assert_eq!(idle.count(), 11, "all but the one that runs the long task");
}

#[test]
fn pause_pods_keep_room_warm() {
    let wait = |replicas: u32| {
        let mut scenario = platform();
        scenario.overprovisioning = Some(Overprovisioning {
            replicas,
            cpu: MilliCores::new(3000),
            memory: Bytes::gib(8),
            priority: -1,
            template: on(CapacityType::OnDemand),
        });
        // The pause pods get their nodes long before the run comes.
        let (outcome, records) = simulate(&scenario, &runs(vec![run("r", 3600, 4)]), 1);
        assert_eq!(outcome.succeeded, 1);
        let driver = records.pods.iter().find(|pod| pod.kind == PodKind::Driver).unwrap();
        (driver.bound_at.unwrap().since(driver.created_at), outcome)
    };
    let (cold, _) = wait(0);
    let (warm, outcome) = wait(1);
    assert!(cold > SimDuration::seconds(30), "{cold}");
    assert!(warm < SimDuration::seconds(1), "{warm}");
    assert!(outcome.cost.costs.nodes.pause_pods.as_nano() > 0);
}

#[test]
fn timeouts_end_attempts() {
    let mut submitted = run("r", 0, 4000);
    submitted.timeout = Some(SimDuration::minutes(10));
    let (outcome, records) = simulate(&platform(), &runs(vec![submitted]), 1);
    assert_eq!(outcome.failed_attempts.get(Failure::Timeout), 1);
    assert_eq!(records.attempts[0].ended_at, SimTime::from_millis(600_000));
    assert_eq!(outcome.cost.costs.nodes.useful.as_nano(), 0);
    assert!(outcome.cost.costs.nodes.failed_attempts.as_nano() > 0);
}

/// One node on which a driver and its executors stand side by side.
fn one_shared_node() -> Scenario {
    let mut scenario = platform();
    scenario.pools = vec![pool("all", CapacityType::OnDemand, (1, 1, 1))];
    scenario.spark.driver_template = PodTemplate::default();
    scenario.spark.executor_template = PodTemplate::default();
    scenario.autoscaler = None;
    scenario.daemonsets = DaemonSets::default();
    scenario.assumptions.unschedulable_timeout = SimDuration::hours(3);
    scenario
}

#[test]
fn pending_executors_that_are_not_wanted_any_more_are_given_up() {
    let mut scenario = one_shared_node();
    scenario.spark.dynamic_allocation.initial_executors = Some(4);
    let mut submitted = run("r", 0, 1);
    submitted.executor_cores = Some(2);
    submitted.dynamic_allocation = Some(true);
    (submitted.executors_min, submitted.executors_max) = (Some(1), Some(4));
    submitted.executor_task_time = Some(SimDuration::hours(1));
    let (outcome, records) = simulate(&scenario, &runs(vec![submitted]), 1);
    assert_eq!((outcome.succeeded, outcome.pods), (1, 5));
    let pending: Vec<_> = records.pods.iter().filter(|pod| pod.bound_at.is_none()).collect();
    assert_eq!(pending.len(), 3, "there is room for one executor, and work for one");
    let timeout = scenario.spark.dynamic_allocation.executor_idle_timeout;
    for pod in pending {
        assert_eq!(pod.ended_at.since(pod.created_at), timeout);
    }
}

#[test]
fn a_pod_that_pushes_out_a_driver_pushes_out_its_executors_once() {
    let mut urgent = trace_pod("urgent", 120_000, 60_000, MilliCores::new(3500));
    urgent.priority = 1000;
    let mut workload = runs(vec![run("r", 0, 400)]);
    workload.pods = vec![urgent];
    let (outcome, records) = simulate(&one_shared_node(), &workload, 1);
    assert_eq!((outcome.trace_pods_succeeded, outcome.failed), (1, 1));
    let bound = records.pods.iter().find(|pod| pod.kind == PodKind::Trace).unwrap().bound_at;
    let room = records.attempts[0].ended_at + one_shared_node().assumptions.pod_termination;
    assert_eq!(room, bound.unwrap(), "the driver went, and all with it, once they had ended");
}

#[test]
fn an_executor_that_pushes_out_its_own_driver_goes_with_it() {
    let mut scenario = one_shared_node();
    scenario.spark.executor_template.priority = 100;
    let mut submitted = run("r", 0, 40);
    submitted.executor_cores = Some(3);
    submitted.executors_max = Some(1);
    let (outcome, records) = simulate(&scenario, &runs(vec![submitted]), 1);
    assert_eq!((outcome.succeeded, outcome.failed), (0, 1));
    let executor = records.pods.iter().find(|pod| pod.kind == PodKind::Executor).unwrap();
    assert_eq!((executor.bound_at, executor.result), (None, PodResult::Deleted));
}

/// One node that a pod fills for 100 s, one pod that waits for its room, and pods that come and go
/// every second. Gives how long the room stays empty.
fn room_stays_empty_for(minor: u32, others: bool) -> (SimDuration, Records) {
    let mut scenario = platform();
    scenario.kubernetes.minor = minor;
    scenario.scheduler = SchedulerProfile::default_of(scenario.kubernetes);
    scenario.autoscaler = None;
    scenario.pools = vec![pool("nodes", CapacityType::OnDemand, (1, 1, 1))];
    let large = MilliCores::cores(3);
    let mut pods =
        vec![trace_pod("runs", 0, 100_000, large), trace_pod("waits", 1000, 10_000, large)];
    if others {
        let small = MilliCores::new(100);
        pods.extend((2..100).map(|second| trace_pod("other", second * 1000, 500, small)));
    }
    let (_, records) = simulate(&scenario, &Workload { pods, ..Workload::default() }, 0);
    let of = |owner| records.pods.iter().find(|pod| pod.owner == Some(owner)).expect("a record");
    let bound_at = of(1).bound_at.expect("it was bound");
    (bound_at.since(of(0).ended_at), records)
}

/// Source: facts-kubernetes 1.4: any event moved all pods into backoff; since 1.33 an idle
/// scheduler takes pods out of it.
#[test]
fn attempts_in_vain_delay_pods_before_1_33() {
    let (quiet, _) = room_stays_empty_for(20, false);
    assert!(quiet < SimDuration::seconds(1), "{quiet}");
    let (busy, _) = room_stays_empty_for(20, true);
    assert!(busy > SimDuration::seconds(1) && busy <= SimDuration::seconds(11), "{busy}");
    for others in [false, true] {
        let (now, _) = room_stays_empty_for(33, others);
        assert!(now < SimDuration::seconds(1), "{now}");
    }
}

#[test]
fn a_waiting_pod_says_why() {
    let (_, records) = room_stays_empty_for(33, true);
    let first = records.waiting.first().expect("a pod waited");
    assert_eq!((first.0, first.1.as_millis() / 1000), (1, 1));
    assert!(first.2.starts_with("0/1 nodes are available: 1 Insufficient cpu"), "{}", first.2);
    let mut last = std::collections::BTreeMap::new();
    for (pod, _, reason) in &records.waiting {
        assert_ne!(last.insert(pod, reason), Some(reason), "given when it changes");
    }
}

/// No room is freed when a driver is bound, and yet pods that want to be near one can go ahead.
#[test]
fn a_pod_that_waits_for_another_is_woken_when_that_is_bound() {
    let mut scenario = platform();
    scenario.autoscaler = None;
    for name in [0, 1] {
        (scenario.pools[name].desired_size, scenario.pools[name].min_size) = (4, 4);
    }
    let near_drivers = PodAffinityTerm {
        label_selector: Some(LabelSelector {
            requirements: vec![LabelRequirement {
                key: "spark-role".into(),
                operator: LabelOperator::In,
                values: vec!["driver".into()],
            }],
        }),
        topology_key: "topology.kubernetes.io/zone".into(),
        ..PodAffinityTerm::default()
    };
    scenario.overprovisioning = Some(Overprovisioning {
        replicas: 1,
        cpu: MilliCores::new(100),
        memory: Bytes::mib(100),
        priority: -5,
        template: PodTemplate {
            pod_affinity: PodAffinity { required: vec![near_drivers], ..PodAffinity::default() },
            ..PodTemplate::default()
        },
    });
    let (_, records) = simulate(&scenario, &runs(vec![run("r", 60, 30)]), 0);
    let bound = |kind| {
        let pod = records.pods.iter().find(|pod| pod.kind == kind).expect("one");
        pod.bound_at.map(|at| at.as_millis() / 1000)
    };
    let driver = bound(PodKind::Driver).expect("it ran");
    let pause = bound(PodKind::Pause).expect("a driver was there");
    assert!((driver..driver + 5).contains(&pause), "driver {driver}, pause pod {pause}");
}
