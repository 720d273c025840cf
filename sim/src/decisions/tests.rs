//! Single decisions with numbers of our own.

use super::*;
use crate::scenario::{
    Container, HostPort, LabelOperator, LabelRequirement, LabelSelector, NodeInclusionPolicy,
    PodAffinityTerm, ScoreSpec, TopologySpreadConstraint, WhenUnsatisfiable,
};
use crate::units::MilliCores;

const ZONE: &str = "zone";

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Nodes `a` and `b` in zone 1, `c` in zone 2, with 4 cores each.
fn three_nodes(scores: Vec<(ScoreSpec, i64)>) -> Decisions {
    let profile = SchedulerProfile::new("default-scheduler", scores);
    let mut decisions = Decisions::new(profile, KubernetesVersion::NEWEST, BTreeMap::new());
    for (name, zone) in [("a", "1"), ("b", "1"), ("c", "2")] {
        let node = CaseNode {
            name: name.to_owned(),
            labels: labels(&[(ZONE, zone), ("kubernetes.io/hostname", name)]),
            allocatable: ResourceList { cpu: Some(MilliCores::cores(4)), ..Default::default() },
            pods: 10,
            ..CaseNode::default()
        };
        decisions.add_node(&node).unwrap();
    }
    decisions
}

fn pod(app: &str) -> CasePod {
    let container = Container {
        requests: ResourceList { cpu: Some(MilliCores::cores(1)), ..Default::default() },
        ..Container::default()
    };
    let template = PodTemplate {
        labels: labels(&[("app", app)]),
        containers: vec![container],
        ..PodTemplate::default()
    };
    CasePod { template, terminating: false }
}

fn selector(app: &str) -> Option<LabelSelector> {
    let requirement = LabelRequirement {
        key: "app".to_owned(),
        operator: LabelOperator::In,
        values: vec![app.to_owned()],
    };
    Some(LabelSelector { requirements: vec![requirement] })
}

fn near(app: &str, key: &str) -> PodAffinityTerm {
    PodAffinityTerm {
        label_selector: selector(app),
        topology_key: key.to_owned(),
        ..PodAffinityTerm::default()
    }
}

fn spread(when_unsatisfiable: WhenUnsatisfiable) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        max_skew: 1,
        topology_key: ZONE.to_owned(),
        when_unsatisfiable,
        label_selector: selector("x"),
        match_label_keys: Vec::new(),
        min_domains: None,
        node_affinity_policy: NodeInclusionPolicy::Honor,
        node_taints_policy: NodeInclusionPolicy::Ignore,
    }
}

/// The names of the nodes that pass, with their scores.
#[track_caller]
fn check(decisions: &mut Decisions, pod: &CasePod, expected: &[(&str, i64)]) {
    let placed = decisions.place(pod).unwrap();
    let name = |place: usize| ["a", "b", "c"][place];
    let got: Vec<_> = placed.feasible.iter().map(|(at, score)| (name(*at), *score)).collect();
    assert_eq!(got, expected, "{:?}", placed.message);
}

#[test]
fn the_first_pod_of_a_group_may_go_anywhere_and_the_next_follow_it() {
    let mut decisions = three_nodes(Vec::new());
    let mut member = pod("x");
    member.template.pod_affinity.required.push(near("x", ZONE));
    check(&mut decisions, &member, &[("a", 0), ("b", 0), ("c", 0)]);
    let mut stranger = member.clone();
    stranger.template.labels = labels(&[("app", "y")]);
    check(&mut decisions, &stranger, &[]);
    decisions.bind(&member, 2).unwrap();
    check(&mut decisions, &member, &[("c", 0)]);
}

#[test]
fn anti_affinity_holds_both_ways() {
    let mut decisions = three_nodes(Vec::new());
    let mut shy = pod("x");
    shy.template.pod_anti_affinity.required.push(near("y", ZONE));
    let there = decisions.bind(&shy, 0).unwrap();
    check(&mut decisions, &pod("y"), &[("c", 0)]);
    check(&mut decisions, &pod("z"), &[("a", 0), ("b", 0), ("c", 0)]);
    decisions.delete(there);
    decisions.bind(&pod("y"), 2).unwrap();
    check(&mut decisions, &shy, &[("a", 0), ("b", 0)]);
}

#[test]
fn spread_keeps_the_skew() {
    let mut decisions = three_nodes(Vec::new());
    let mut even = pod("x");
    even.template.topology_spread.push(spread(WhenUnsatisfiable::DoNotSchedule));
    decisions.bind(&even, 0).unwrap();
    check(&mut decisions, &even, &[("c", 0)]);
    let gone = CasePod { terminating: true, ..even.clone() };
    decisions.bind(&gone, 2).unwrap();
    check(&mut decisions, &even, &[("c", 0)]);
    decisions.bind(&even, 2).unwrap();
    check(&mut decisions, &even, &[("a", 0), ("b", 0), ("c", 0)]);
    // With three places wanted and two there, the fewest counts as 0.
    even.template.topology_spread[0].min_domains = Some(3);
    check(&mut decisions, &even, &[]);
}

#[test]
fn scores_prefer_emptier_places_and_wanted_company() {
    let mut decisions = three_nodes(vec![(ScoreSpec::PodTopologySpread, 2)]);
    let mut even = pod("x");
    even.template.topology_spread.push(spread(WhenUnsatisfiable::ScheduleAnyway));
    decisions.bind(&even, 0).unwrap();
    // ln(4) for each pod: 1 against 0, so 100 * (1 + 0 - 1) / 1 = 0, and 100.
    check(&mut decisions, &even, &[("a", 0), ("b", 0), ("c", 200)]);
    let mut decisions = three_nodes(vec![(ScoreSpec::InterPodAffinity, 1)]);
    let mut company = pod("x");
    company.template.pod_affinity.preferred.push((10, near("y", ZONE)));
    company.template.pod_anti_affinity.preferred.push((5, near("y", "kubernetes.io/hostname")));
    decisions.bind(&pod("y"), 0).unwrap();
    // 10 - 5, 10, and 0.
    check(&mut decisions, &company, &[("a", 50), ("b", 100), ("c", 0)]);
}

#[test]
fn a_port_is_taken_once_and_a_name_is_one_node() {
    let mut decisions = three_nodes(Vec::new());
    let mut server = pod("x");
    let port = HostPort { port: 80, protocol: "TCP".to_owned(), host_ip: String::new() };
    server.template.containers[0].host_ports.push(port);
    decisions.bind(&server, 1).unwrap();
    check(&mut decisions, &server, &[("a", 0), ("c", 0)]);
    let mut other = server.clone();
    other.template.containers[0].host_ports[0].protocol = "UDP".to_owned();
    check(&mut decisions, &other, &[("a", 0), ("b", 0), ("c", 0)]);
    let mut named = pod("x");
    named.template.node_name = Some("c".to_owned());
    check(&mut decisions, &named, &[("c", 0)]);
}

#[test]
fn the_message_counts_and_says_whether_preemption_helps() {
    let mut decisions = three_nodes(Vec::new());
    let mut large = pod("x");
    large.template.containers[0].requests.cpu = Some(MilliCores::cores(5));
    large.template.node_selector = labels(&[(ZONE, "1")]);
    let placed = decisions.place(&large).unwrap();
    assert_eq!(
        placed.message.as_deref(),
        Some(
            "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 \
             Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 \
             Preemption is not helpful for scheduling."
        )
    );
}
