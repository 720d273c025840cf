//! The published policy of a real platform, and wrong ones.

use super::*;

const V120: KubernetesVersion = KubernetesVersion { major: 1, minor: 20 };

/// A policy as published by a platform team for EKS 1.18 to 1.21.
const PUBLISHED: &str = r#"{
  "kind":"Policy", "apiVersion":"v1",
  "priorities":[
    {"name":"MostRequestedPriority", "weight":25},
    {"name":"BalancedResourceAllocation", "weight":20},
    {"name":"ImageLocalityPriority", "weight":5},
    {"name":"ServiceSpreadingPriority", "weight":1},
    {"name":"NodePreferAvoidPodsPriority", "weight":1},
    {"name":"NodeAffinityPriority", "weight":1},
    {"name":"TaintTolerationPriority", "weight":1},
    {"name":"SelectorSpreadPriority", "weight":3},
    {"name":"InterPodAffinityPriority", "weight":1},
    {"name":"EqualPriority", "weight":1}
  ]
}"#;

#[test]
fn a_published_policy() {
    let read = read("policy.json", PUBLISHED, V120);
    assert_eq!(read.problems, []);
    let expected = [
        (ScoreSpec::MostAllocated { resources: ScoreSpec::cpu_and_memory(1, 1) }, 25),
        (ScoreSpec::balanced_allocation(), 20),
        (ScoreSpec::ImageLocality, 5),
        (ScoreSpec::PodTopologySpread, 3),
        (ScoreSpec::NodeAffinity, 1),
        (ScoreSpec::TaintToleration, 1),
        (ScoreSpec::InterPodAffinity, 1),
    ];
    assert_eq!(read.value.scores, expected);
    let lines: Vec<_> = read.not_modelled.iter().map(|f| (f.line, f.message.as_str())).collect();
    assert_eq!(
        lines,
        [
            (Some(8), "`priorities.NodePreferAvoidPodsPriority` was read and is not modelled"),
            (
                Some(11),
                "`SelectorSpreadPriority` sets `SelectorSpreadPriority` a second time: the last \
                 weight, 3, counts"
            ),
        ]
    );
}

#[test]
fn a_config_map_around_it() {
    let text = PUBLISHED.replace('\n', "\n    ");
    let text = format!("kind: ConfigMap\ndata:\n  policy.cfg: |\n    {text}\n");
    let read = read("cm.yaml", &text, V120);
    assert_eq!(read.problems, []);
    assert_eq!(read.value.scores.len(), 7);
}

#[test]
fn no_priorities_are_the_defaults_and_an_empty_list_is_none() {
    let scores = |text: &str| read("p.yaml", text, V120).value.scores;
    assert_eq!(scores("kind: Policy"), SchedulerProfile::default_of(V120).scores);
    assert_eq!(scores("kind: Policy\npriorities: []"), []);
}

#[test]
fn arguments_make_custom_priorities() {
    let text = "kind: Policy\npriorities:\n- name: Mine\n  weight: 2\n  argument:\n    \
                requestedToCapacityRatioArguments:\n      shape: [{utilization: 0, score: 0}, \
                {utilization: 100, score: 10}]\n      resources: [{name: memory, weight: 3}]\n\
                - {name: Label, weight: 1, argument: {labelPreference: {label: a}}}\n";
    let read = read("p.yaml", text, V120);
    assert_eq!(read.problems, []);
    let [(ScoreSpec::RequestedToCapacityRatio { resources, shape }, 2)] = &read.value.scores[..]
    else {
        panic!("{:?}", read.value);
    };
    assert_eq!((resources, shape.len()), (&vec![("memory".to_owned(), 3)], 2));
    assert_eq!(read.not_modelled.len(), 1);
}

#[test]
fn two_priorities_of_one_plugin() {
    let text = "priorities: [{name: SelectorSpreadPriority, weight: 7}, {name: \
                EvenPodsSpreadPriority, weight: 3}]";
    let both = read("p.yaml", text, V120);
    assert_eq!(both.value.scores, [(ScoreSpec::PodTopologySpread, 3)]);
    assert_eq!(both.value.spread_defaults, SpreadDefaults::System);
    assert_eq!(
        both.not_modelled[0].message,
        "`EvenPodsSpreadPriority` and `SelectorSpreadPriority` are both the plugin \
         `PodTopologySpread` now: the weight of `EvenPodsSpreadPriority` counts"
    );
    let one = read("p.yaml", "priorities: [{name: EvenPodsSpreadPriority, weight: 3}]", V120);
    assert_eq!(one.value.spread_defaults, SpreadDefaults::List(vec![]));
}

#[test]
fn predicates_are_filters() {
    let off = |predicates: &str| {
        let text = format!("kind: Policy\npredicates: {predicates}\n");
        let read = read("p.yaml", &text, V120);
        assert_eq!(read.problems, []);
        read.value.filters_disabled
    };
    assert_eq!(off("[{name: GeneralPredicates}]"), ["PodTopologySpread", "InterPodAffinity"]);
    assert_eq!(
        off("[{name: PodFitsResources}, {name: PodFitsPorts}, {name: NoDiskConflict}, {name: \
             MatchNodeSelector}, {name: HostName}, {name: MatchInterPodAffinity}]"),
        ["PodTopologySpread"]
    );
    assert_eq!(
        off("[]"),
        [
            "NodeName",
            "NodeAffinity",
            "NodePorts",
            "NodeResourcesFit",
            "PodTopologySpread",
            "InterPodAffinity"
        ]
    );
    assert_eq!(read("p.yaml", "kind: Policy", V120).value.filters_disabled, [""; 0]);
    let custom = "predicates: [{name: Mine, argument: {labelsPresence: {labels: [a]}}}, {name: \
                  PodFitResources}]\nhardPodAffinitySymmetricWeight: 9";
    let read = read("p.yaml", custom, V120);
    assert_eq!(read.problems[0].message, "unknown predicate `PodFitResources`");
    assert_eq!(read.problems[0].help.as_deref(), Some("did you mean `PodFitsResources`?"));
    assert_eq!(read.not_modelled.len(), 1);
    assert_eq!(read.value.inter_pod_affinity.hard_pod_affinity_weight, 9);
}

#[test]
fn wrong_policies() {
    let read_lines = |text: &str| -> Vec<String> {
        let problems = read("p.yaml", text, V120).problems;
        problems
            .iter()
            .map(|p| {
                let help = p.help.as_deref().map_or(String::new(), |h| format!(" ({h})"));
                format!("{}:{} {}{help}", p.line, p.column, p.message)
            })
            .collect()
    };
    assert_eq!(
        read_lines(
            "kind: Polcy\npriorities:\n- {name: MostRequestPriority, weight: 1}\n- {name: \
             NodeAffinityPriority, weight: 0}\n- {name: TaintTolerationPriority}\n- {name: \
             RequestedToCapacityRatioPriority, weight: 1}\n- {name: Mine, weight: 1, argument: \
             {}}\nhardPodAffinitySymmetricWeight: 101\n"
        ),
        [
            "1:7 unknown value `Polcy` (did you mean `Policy`?)",
            "3:10 unknown priority `MostRequestPriority` (did you mean `MostRequestedPriority`?)",
            "4:40 `weight`: expected a whole number from 1 to 2147483647, found `0`",
            "5:3 `weight` is missing",
            "6:3 `RequestedToCapacityRatioPriority` needs its `argument`",
            "7:37 exactly one argument is required",
            "8:33 `hardPodAffinitySymmetricWeight`: expected a whole number from 0 to 100, found \
             `101`",
        ]
    );
    for text in ["", "[]", "priorities: 3", "priorities: [3]", "{\"kind\":", "\0"] {
        assert_ne!(read_lines(text).len(), 0, "{text:?}");
    }
}

#[test]
fn a_release_without_policies_is_a_warning() {
    let read = read("p.json", PUBLISHED, KubernetesVersion { major: 1, minor: 33 });
    assert_eq!(read.problems, []);
    let codes: Vec<_> = read.not_modelled.iter().map(|f| f.code.as_str()).collect();
    assert!(codes.contains(&"scheduler-api-version"), "{codes:?}");
    assert_eq!(read.value.scores.len(), 7);
}
