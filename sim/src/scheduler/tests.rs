//! The queue and nominated nodes, event by event.

use super::test_cluster::{bare_node, bare_pod, context, scenario};
use super::*;
use crate::cluster::{Node, NodeKindId, Placement, PodSpec, Resources};
use crate::outcome::NoSink;
use crate::units::{Bytes, MilliCores};
use crate::{Scenario, Workload};

/// A cluster of one node of 16 CPU.
fn one_node(scenario: &Scenario, workload: &Workload) -> (World, NodeId) {
    let mut world = World::new(scenario, workload);
    let node = world.cluster.add_node(Node { kind: NodeKindId(0), ..bare_node() });
    (world, node)
}

fn pod(world: &mut World, cores: u64, priority: i32) -> PodId {
    let placement = world.cluster.specs.intern_placement(Placement::default());
    let requests = Resources::of_pod(MilliCores::cores(cores), Bytes::gib(1));
    bare_pod(world, PodSpec::of(requests, placement, priority))
}

/// Runs the scheduler until it has nothing to do.
fn run(world: &mut World, cx: &mut Cx<'_>) {
    while let Some((at, event)) = cx.calendar.pop() {
        cx.now = at;
        match event {
            Event::Scheduler(SchedulerEvent::Cycle) => on_cycle(world, cx),
            Event::Scheduler(SchedulerEvent::BackoffOver(pod)) => on_backoff_over(world, cx, pod),
            other => unreachable!("{other:?}"),
        }
    }
}

fn node_of(world: &World, pod: PodId) -> Option<NodeId> {
    world.cluster.pods[pod].node
}

#[test]
fn a_nominated_node_is_kept_for_the_preemptor() {
    let (scenario, workload) = (scenario(34, [1, 1]), Workload::default());
    let mut sink = NoSink;
    let mut cx = context(&scenario, &workload, &mut sink, 0);
    let (mut world, node) = one_node(&scenario, &workload);
    let [victim, high, low] = [(12, 0), (12, 2), (8, 1)].map(|(c, p)| pod(&mut world, c, p));
    world.cluster.bind(victim, node, SimTime::ZERO);
    // As after a preemption whose victim has a grace period.
    let World { cluster, scheduler, .. } = &mut world;
    scheduler.nominations.add(cluster, high, node, vec![victim]);
    let reason = world.scheduler.reasons.intern("Insufficient cpu", &"Insufficient cpu".into());
    park(&mut world, &mut cx, high, reason);
    assert!(world.scheduler.nominations.awaits_victims(&world.cluster, high));

    // The victim is gone, but nobody was told yet: only the preemptor fits.
    world.cluster.remove_pod(victim);
    enqueue(&mut world, &mut cx, low);
    run(&mut world, &mut cx);
    assert_eq!(node_of(&world, low), None);
    room_freed(&mut world, &mut cx, node);
    run(&mut world, &mut cx);
    assert_eq!(node_of(&world, high), Some(node));
    assert!(world.scheduler.nominations.is_empty());
    assert_eq!(node_of(&world, low), None);
}

#[test]
fn a_nomination_given_up_frees_its_room() {
    let (scenario, workload) = (scenario(34, [1, 1]), Workload::default());
    let mut sink = NoSink;
    let mut cx = context(&scenario, &workload, &mut sink, 0);
    let (mut world, node) = one_node(&scenario, &workload);
    let [high, low] = [(12, 2), (8, 1)].map(|(c, p)| pod(&mut world, c, p));
    let World { cluster, scheduler, .. } = &mut world;
    scheduler.nominations.add(cluster, high, node, Vec::new());
    let reason = world.scheduler.reasons.intern("Insufficient cpu", &"Insufficient cpu".into());
    park(&mut world, &mut cx, high, reason);
    enqueue(&mut world, &mut cx, low);
    run(&mut world, &mut cx);
    assert_eq!(node_of(&world, low), None);
    // The preemptor is deleted: the other pod is woken, and fits.
    forget(&mut world, &mut cx, high);
    world.cluster.remove_pod(high);
    run(&mut world, &mut cx);
    assert_eq!(node_of(&world, low), Some(node));
}

#[test]
fn the_queue_is_ordered_by_priority_then_by_the_last_attempt() {
    let (scenario, workload) = (scenario(34, [1, 1]), Workload::default());
    let (mut world, _) = one_node(&scenario, &workload);
    let pods: [PodId; 4] = [(0, 0), (0, 5), (1, 0), (0, 9)].map(|(priority, last)| {
        let id = pod(&mut world, 1, priority);
        let pod = &mut world.cluster.pods[id];
        pod.last_attempt_at = SimTime::from_millis(last);
        pod.failed_attempts = u32::from(last > 0);
        activate(&mut world, id);
        id
    });
    let order: Vec<PodId> = std::iter::from_fn(|| next_pod(&mut world, SimTime::ZERO)).collect();
    assert_eq!(order, [pods[2], pods[0], pods[1], pods[3]]);
}

/// Upstream's backoff queue: by the second in which the backoff ends, then like the active queue.
#[test]
fn an_idle_scheduler_takes_pods_that_back_off() {
    let (scenario, workload) = (scenario(33, [1, 1]), Workload::default());
    let (mut world, _) = one_node(&scenario, &workload);
    let mut back_off = |priority, end_ms| {
        let id = pod(&mut world, 1, priority);
        let pod = &mut world.cluster.pods[id];
        pod.phase = PodPhase::Backoff;
        world.scheduler.enter_backoff(pod.spec);
        world.scheduler.push_backoff(id, pod, priority, SimTime::from_millis(end_ms));
        id
    };
    let [late, early, first] = [(9, 2000), (0, 1000), (1, 1000)].map(|(p, end)| back_off(p, end));
    let active = pod(&mut world, 1, 0);
    activate(&mut world, active);
    let order: Vec<PodId> = std::iter::from_fn(|| next_pod(&mut world, SimTime::ZERO)).collect();
    assert_eq!(order, [active, first, early, late]);
}
