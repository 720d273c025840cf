//! Looking at classes decides what looking at every node decides.

use proptest::prelude::*;

use super::*;
use crate::cluster::{ImageId, NodeKindId, NodeState, NonZeroRequests, Placement, PodSpec};
use crate::outcome::{NoSink, normalised_reason};
use crate::rng::{RngExt, Stream};
use crate::scenario::{PodTemplate, ScoreSpec, Toleration, TolerationOperator};
use crate::scheduler::test_cluster::{bare_node, bare_pod, context, scenario};
use crate::units::{Bytes, MilliCores, SimDuration};
use crate::{Scenario, Seed, Workload};

/// A cluster and the draws that change it.
struct Trial {
    world: World,
    draw: Stream,
    kinds: u32,
    placements: Vec<crate::cluster::PlacementId>,
    bound: Vec<PodId>,
    nominated: Vec<PodId>,
}

impl Trial {
    fn new(scenario: &Scenario, workload: &Workload, mut draw: Stream) -> Self {
        let mut world = World::new(scenario, workload);
        for image in ["a", "b", "c"] {
            world.cluster.image_names.intern(image, Bytes::gib(1));
        }
        let batch = PodTemplate {
            node_selector: [("role".to_owned(), "batch".to_owned())].into(),
            ..PodTemplate::default()
        };
        let tolerant = PodTemplate {
            tolerations: vec![Toleration {
                key: "a".into(),
                operator: TolerationOperator::Exists,
                value: String::new(),
                effect: None,
            }],
            ..PodTemplate::default()
        };
        let placements = [PodTemplate::default(), batch, tolerant].map(|template| {
            world.cluster.specs.intern_placement(Placement { template, ..Placement::default() })
        });
        let kinds = world.cluster.kinds.len() as u32;
        let (bound, nominated) = (Vec::new(), Vec::new());
        let nodes = draw.random_range(0..400);
        let mut trial =
            Self { world, draw, kinds, placements: placements.to_vec(), bound, nominated };
        for _ in 0..nodes {
            trial.add_node(NodeState::Ready);
        }
        trial
    }

    fn add_node(&mut self, state: NodeState) {
        let kind = NodeKindId(self.draw.random_range(0..self.kinds));
        let number = self.world.cluster.nodes_launched;
        self.world.cluster.nodes_launched += 1;
        let cluster = &mut self.world.cluster;
        let requested = cluster.kinds.get(kind).daemonsets;
        let nonzero_requested = NonZeroRequests::of(&requested);
        cluster.add_node(Node { number, kind, state, requested, nonzero_requested, ..bare_node() });
    }

    fn any_node(&mut self) -> Option<NodeId> {
        let count = self.world.cluster.in_order.len();
        (count > 0).then(|| self.world.cluster.in_order[self.draw.random_range(0..count)])
    }

    /// One change of nodes or pods, as the rest of the engine makes them.
    fn change(&mut self) {
        let Some(node) = self.any_node() else {
            return self.add_node(NodeState::Ready);
        };
        match self.draw.random_range(0..12) {
            0 => self.add_node(NodeState::Booting),
            1 => self.world.cluster.set_node_state(node, NodeState::Ready),
            2 => self.world.cluster.set_node_state(node, NodeState::Cordoned),
            3 if self.world.cluster.nodes[node].pods.is_empty() => {
                self.world.cluster.remove_node(node);
            }
            4..=5 => {
                let last = self.draw.random_range(0..3);
                self.world.cluster.set_node_images(node, (0..last).map(ImageId).collect());
            }
            6..=8 if !self.bound.is_empty() => {
                let place = self.draw.random_range(0..self.bound.len());
                self.world.cluster.remove_pod(self.bound.swap_remove(place));
            }
            9 => {
                let state = self.world.cluster.nodes[node].state;
                let pod = self.a_pod();
                if state == NodeState::Ready {
                    let World { cluster, scheduler, .. } = &mut self.world;
                    scheduler.nominations.add(cluster, pod, node, Vec::new());
                }
                self.nominated.push(pod);
            }
            10 if !self.nominated.is_empty() => {
                let place = self.draw.random_range(0..self.nominated.len());
                let pod = self.nominated.swap_remove(place);
                let World { cluster, scheduler, .. } = &mut self.world;
                scheduler.nominations.remove(cluster, pod);
            }
            _ => {}
        }
    }

    fn a_pod(&mut self) -> PodId {
        let cores = [1, 2, 4, 12][self.draw.random_range(0..4usize)];
        let memory = Bytes::gib([2, 4][self.draw.random_range(0..2usize)]) * cores;
        let placement = self.placements[self.draw.random_range(0..self.placements.len())];
        let priority = self.draw.random_range(0..2);
        let requests = Resources::of_pod(MilliCores::cores(cores), memory);
        bare_pod(&mut self.world, PodSpec::of(requests, placement, priority))
    }

    /// Both ways, from the same state.
    fn decide(&mut self, cx: &Cx<'_>, pod: PodId) -> [(Decision, usize); 2] {
        let start = self.world.scheduler.next_start;
        let Cluster { classes, nodes, tree, .. } = &mut self.world.cluster;
        classes.sync(nodes, tree);
        [true, false].map(|by_class| {
            self.world.scheduler.next_start = start;
            let decision = search(&mut self.world, cx, pod, by_class);
            if let Decision::Rejected { reason } = decision {
                let (message, kind) = self.world.scheduler.reason(reason);
                assert_eq!(kind, normalised_reason(message));
            }
            (decision, self.world.scheduler.next_start)
        })
    }
}

fn a_profile(scenario: &mut Scenario, draw: &mut Stream) {
    let profile = &mut scenario.scheduler;
    profile.percentage_of_nodes_to_score =
        [None, Some(5), Some(30), Some(100)][draw.random_range(0..4usize)];
    match draw.random_range(0..4) {
        0 => {
            profile.scores = {
                let resources = ScoreSpec::cpu_and_memory(1, 1);
                vec![(ScoreSpec::MostAllocated { resources }, 1)]
            }
        }
        1 => profile.scores = Vec::new(),
        _ => {}
    }
}

/// Source: facts-kubernetes 1.4; the figures are upstream's documented examples: 50 % of 100
/// nodes, 10 % of 5,000, and never below 5 %.
#[test]
fn how_many_nodes_are_enough() {
    let check = |nodes, percentage, enough| {
        assert_eq!(nodes_to_find(nodes, percentage, true), enough, "{nodes} {percentage}");
    };
    check(99, 0, 99);
    check(99, 10, 99);
    check(100, 0, 100);
    check(1000, 0, 420);
    check(3000, 0, 780);
    check(5000, 0, 500);
    check(6000, 0, 300);
    check(3000, 100, 3000);
    check(3000, 40, 1200);
    check(1000, 5, 100);
    assert_eq!(nodes_to_find(1000, 0, false), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Decision by decision: the node, ties included, the reason's text, and the node that the next
    /// search starts with.
    #[test]
    fn classes_decide_as_every_node_does(
        seed in any::<u64>(),
        minor in 20u32..=36,
        zones in [1usize..5, 1usize..4],
    ) {
        let mut draw = Seed::new(seed).stream("trial", &[]);
        let mut scenario = scenario(minor, zones);
        a_profile(&mut scenario, &mut draw);
        let workload = Workload::default();
        let mut sink = NoSink;
        let mut cx = context(&scenario, &workload, &mut sink, seed);
        let mut trial = Trial::new(&scenario, &workload, draw);
        for _ in 0..300 {
            for _ in 0..trial.draw.random_range(0..4) {
                trial.change();
            }
            let waiting = !trial.nominated.is_empty() && trial.draw.random_range(0..4) == 0;
            let pod = if waiting { trial.nominated[0] } else { trial.a_pod() };
            let [by_class, reference] = trial.decide(&cx, pod);
            prop_assert_eq!(by_class, reference);
            if let Decision::Node(node) = reference.0 {
                trial.nominated.retain(|other| *other != pod);
                let World { cluster, scheduler, .. } = &mut trial.world;
                scheduler.nominations.remove(cluster, pod);
                cluster.bind(pod, node, cx.now);
                trial.bound.push(pod);
            }
            cx.now = cx.now.saturating_add(SimDuration::from_millis(700));
        }
        // The trial is worth something: pods were placed.
        prop_assert!(trial.world.cluster.in_order.is_empty() || !trial.bound.is_empty());
    }
}
