//! Configurations of several API versions, right and wrong, and the recorded ones where they are
//! there.

use sim::scenario::{ScoreSpec, ShapePoint};

use super::*;

const fn release(minor: u32) -> KubernetesVersion {
    KubernetesVersion { major: 1, minor }
}

/// `plugin:weight`, with the strategy of `NodeResourcesFit`.
fn show(profile: &SchedulerProfile) -> String {
    let weights = |resources: &[(String, i64)]| {
        let of = |name| resources.iter().find(|(known, _)| known == name).map_or(0, |(_, w)| *w);
        format!("{},{}", of("cpu"), of("memory"))
    };
    let one = |(spec, weight): &(ScoreSpec, i64)| {
        let strategy = match spec {
            ScoreSpec::LeastAllocated { resources } => format!("/least({})", weights(resources)),
            ScoreSpec::MostAllocated { resources } => format!("/most({})", weights(resources)),
            ScoreSpec::RequestedToCapacityRatio { resources, shape } => {
                format!("/ratio({};{})", weights(resources), shape.len())
            }
            _ => String::new(),
        };
        let plugin = spec.plugin().trim_start_matches("NodeResources");
        format!("{plugin}{strategy}:{weight}")
    };
    let scores: Vec<String> = profile.scores.iter().map(one).collect();
    format!("{}: {}", profile.name, scores.join(" "))
}

#[track_caller]
fn check(api: &str, minor: u32, profiles: &str, expected: &[&str]) {
    let text = format!(
        "apiVersion: kubescheduler.config.k8s.io/{api}\nkind: KubeSchedulerConfiguration\n\
         profiles:\n{profiles}"
    );
    let read = read("s.yaml", &text, release(minor));
    assert_eq!(read.problems, []);
    assert_eq!(read.not_modelled, []);
    assert_eq!(read.value.iter().map(show).collect::<Vec<_>>(), expected);
}

const MODERN: &str = "TaintToleration:3 NodeAffinity:2 PodTopologySpread:2 InterPodAffinity:2 \
                      Fit/least(1,1):1 BalancedAllocation:1 ImageLocality:1";

#[test]
fn defaults_stay_where_nothing_is_said() {
    let text = "kind: KubeSchedulerConfiguration\napiVersion: kubescheduler.config.k8s.io/v1\n";
    let read = read("s.yaml", text, release(33));
    assert_eq!((read.problems, read.not_modelled), (vec![], vec![]));
    assert_eq!(read.value, [SchedulerProfile::default_of(release(33))]);
    let two = "- schedulerName: a\n- schedulerName: b\n  plugins: {}\n";
    check("v1", 33, two, &[&format!("a: {MODERN}"), &format!("b: {MODERN}")]);
}

#[test]
fn a_config_map_around_it() {
    let text = "apiVersion: v1\nkind: ConfigMap\ndata:\n  other: x\n  s.yaml: |\n    \
                apiVersion: kubescheduler.config.k8s.io/v1\n    kind: \
                KubeSchedulerConfiguration\n    profiles:\n    - schedulerName: 3\n      nope: 1\n";
    let read = read("cm.yaml", text, release(33));
    assert_eq!(read.problems, []);
    assert_eq!(read.value[0].name, "3");
    assert_eq!(read.not_modelled[0].subject, "cm.yaml[s.yaml]");
    assert_eq!(read.not_modelled[0].line, Some(5));
}

#[test]
fn strategies() {
    check(
        "v1",
        33,
        "- pluginConfig:\n  - name: NodeResourcesFit\n    args:\n      apiVersion: x\n      \
         scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 3}, {name: \
         memory}]}",
        &["default-scheduler: TaintToleration:3 NodeAffinity:2 PodTopologySpread:2 \
           InterPodAffinity:2 Fit/most(3,1):1 BalancedAllocation:1 ImageLocality:1"],
    );
    let text = "kind: KubeSchedulerConfiguration\napiVersion: kubescheduler.config.k8s.io/v1\n\
                profiles:\n- pluginConfig:\n  - name: NodeResourcesFit\n    args:\n      \
                scoringStrategy:\n        type: RequestedToCapacityRatio\n        resources: \
                [{name: cpu}]\n        requestedToCapacityRatio:\n          shape: [{utilization: \
                0}, {utilization: 100, score: 10}]\n";
    let read = read("s.yaml", text, release(33));
    let shape = vec![(0, 0), (100, 10)].into_iter();
    let shape = shape.map(|(utilization, score)| ShapePoint { utilization, score });
    let expected = ScoreSpec::RequestedToCapacityRatio {
        resources: ScoreSpec::cpu_and_memory(1, 0),
        shape: shape.collect(),
    };
    assert!(read.value[0].scores.contains(&(expected, 1)), "{:?}", read.value);
}

#[test]
fn disabling_enabling_and_weights() {
    let flotilla = "- plugins:\n    score:\n      disabled: [{name: '*'}]\n      enabled:\n      - \
                    {name: NodeResourcesFit, weight: 25}\n      - {name: ImageLocality}\n";
    check("v1", 33, flotilla, &["default-scheduler: Fit/least(1,1):25 ImageLocality:1"]);
    // Enabling in `score` without a weight means 1, also where `multiPoint` gave more.
    let again = "- plugins: {score: {enabled: [{name: TaintToleration}]}}\n";
    let expected = MODERN.replace("TaintToleration:3", "TaintToleration:1");
    check("v1", 33, again, &[&format!("default-scheduler: {expected}")]);
    let multi = "- plugins: {multiPoint: {disabled: [{name: '*'}], enabled: [{name: NodeAffinity, \
                 weight: 7}, {name: ImageLocality}, {name: NodeName}]}, score: {disabled: [{name: \
                 ImageLocality}]}}\n";
    check("v1", 33, multi, &["default-scheduler: NodeAffinity:7"]);
}

#[test]
fn older_versions_have_separate_plugins_and_older_weights() {
    let bin_packing = "- plugins:\n    score:\n      disabled: [{name: \
        NodeResourcesLeastAllocated}]\n      \
                       enabled: [{name: NodeResourcesMostAllocated, weight: 5}]\n";
    check(
        "v1beta1",
        20,
        bin_packing,
        &["default-scheduler: TaintToleration:1 NodeAffinity:1 PodTopologySpread:2 \
           InterPodAffinity:1 BalancedAllocation:1 ImageLocality:1 Fit/most(1,1):5"],
    );
    let ratio = "- plugins: {score: {disabled: [{name: '*'}], enabled: [{name: \
                 RequestedToCapacityRatio, weight: 2}]}}\n  pluginConfig: [{name: \
                 RequestedToCapacityRatio, args: {shape: [{utilization: 0, score: 0}, \
                 {utilization: 100, score: 10}], resources: [{name: memory, weight: 5}]}}]\n";
    check("v1beta1", 22, ratio, &["default-scheduler: Fit/ratio(0,5;2):2"]);
    check(
        "v1beta2",
        25,
        "- schedulerName: s\n",
        &["s: TaintToleration:1 NodeAffinity:1 PodTopologySpread:2 InterPodAffinity:1 \
           Fit/least(1,1):1 BalancedAllocation:1 ImageLocality:1"],
    );
}

/// One line per problem and finding of a v1 configuration at 1.33.
#[track_caller]
fn check_lines(text: &str, expected: &[&str]) {
    let read = read("s.yaml", text, release(33));
    let problems = read.problems.iter().map(|p| format!("{}:{} {}", p.line, p.column, p.message));
    let findings = read
        .not_modelled
        .iter()
        .map(|f| format!("{} {} {}", f.line.unwrap_or(0), f.code, f.message));
    assert_eq!(problems.chain(findings).collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_not_followed_is_named() {
    check_lines(
        "apiVersion: kubescheduler.config.k8s.io/v1beta3\nkind: KubeSchedulerConfiguration\n\
         leaderElection: {leaderElect: false}\npercentageOfNodesToScore: 30\n\
         podMaxBackoffSeconds: 20\nextenders: [{urlPrefix: x}]\nprofiles:\n- plugins:\n    filter: \
         {disabled: [{name: NodePorts}]}\n    score: {enabled: [{name: Coscheduling}, {name: \
         ImageLocalty}, {name: NodePreferAvoidPods}]}\n  pluginConfig:\n  - {name: \
         InterPodAffinity, args: {hardPodAffinityWeight: 1}}\n  - {name: PodTopologySpread, args: \
         {defaultingType: List, defaultConstraints: [{maxSkew: 1}]}}\n  - {name: \
         NodeResourcesBalancedAllocation, args: {resources: [{name: cpu}, {name: \
         nvidia.com/gpu}]}}\n",
        &[
            "4 not-modelled `percentageOfNodesToScore` was read and is not modelled",
            "5 not-modelled `podMaxBackoffSeconds` was read and is not modelled",
            "6 not-modelled `extenders` was read and is not modelled",
            "9 not-modelled `profiles[].plugins.filter` was read and is not modelled",
            "10 not-modelled `profiles[].plugins.score.enabled[].NodePreferAvoidPods` was read \
             and is not modelled",
            "13 not-modelled `profiles[].pluginConfig[].args.defaultingType` was read and is not \
             modelled",
            "13 not-modelled `profiles[].pluginConfig[].args.defaultConstraints` was read and is \
             not modelled",
            "14 not-modelled `profiles[].pluginConfig[].args.resources` was read and is not \
             modelled",
            "14 not-modelled `profiles[].pluginConfig[].args.resources[]` was read and is not \
             modelled",
            "1 scheduler-api-version kube-scheduler 1.33 does not take \
             `kubescheduler.config.k8s.io/v1beta3` (1.23 to 1.28 do); it is read all the same",
            "10 unknown-plugin plugin `Coscheduling` is none of kube-scheduler's own: not modelled",
            "10 unknown-plugin plugin `ImageLocalty` is none of kube-scheduler's own: not \
             modelled; did you mean `ImageLocality`?",
        ],
    );
}

#[test]
fn wrong_values_are_problems_all_at_once() {
    check_lines(
        "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles:\n\
         - schedulerName: a\n  plugins: {score: {enabled: [{name: NodeAffinity, weight: -1}, \
         {name: \
         ImageLocality}, {name: ImageLocality}]}}\n- schedulerName: a\n  pluginConfig:\n  - name: \
         NodeResourcesFit\n    args: {scoringStrategy: {type: MostAlocated}}\n- schedulerName: \
         b\n  \
         pluginConfig:\n  - name: NodeResourcesFit\n    args:\n      scoringStrategy:\n        \
         type: \
         RequestedToCapacityRatio\n        resources: [{name: cpu, weight: 101}, {name: \
         cpu}]\n        \
         requestedToCapacityRatio: {shape: [{utilization: 50, score: 11}]}\n- schedulerName: c\n  \
         pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: \
         RequestedToCapacityRatio, requestedToCapacityRatio: {shape: [{utilization: 50}, \
         {utilization: 50}]}}}}]\n",
        &[
            "5:60 `weight`: expected a whole number from 0 to 2147483647, found `-1`",
            "5:88 plugin `ImageLocality` is enabled twice",
            "9:36 unknown value `MostAlocated`",
            "6:3 a second profile named `a`",
            "16:41 `weight`: expected a whole number from 0 to 100, found `101`",
            "16:47 the same resource a second time",
            "17:69 `score`: expected a whole number from 0 to 10, found `11`",
            "19:154 utilization 50 does not rise",
        ],
    );
}

#[test]
fn hostile_texts_end_in_problems() {
    for text in [
        "",
        "kind: ConfigMap",
        "kind: KubeSchedulerConfiguration",
        "apiVersion: kubescheduler.config.k8s.io/v9\nkind: KubeSchedulerConfiguration",
        "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles: 3",
        "\0",
    ] {
        assert_ne!(read("s.yaml", text, release(33)).problems.len(), 0, "{text:?}");
    }
}

#[test]
fn recorded_configurations_load() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let simulator = format!("{folder}/native-configs/kube-scheduler/kube-scheduler-simulator.yaml");
    let Ok(text) = std::fs::read_to_string(&simulator) else {
        eprintln!("skipped: no {simulator}");
        return;
    };
    let from_file = read("s.yaml", &text, release(36));
    assert_eq!((from_file.problems, from_file.not_modelled), (vec![], vec![]));
    for (name, expected) in [
        ("default_11", MODERN.to_owned()),
        ("most_21", MODERN.replace("least", "most")),
        ("rtcr_31", MODERN.replace("least(1,1)", "ratio(1,1;3)")),
        (
            "flotilla_41",
            "Fit/most(1,1):25 BalancedAllocation:20 ImageLocality:5 NodeAffinity:1 \
             TaintToleration:1 InterPodAffinity:1 PodTopologySpread:1"
                .to_owned(),
        ),
    ] {
        let path = format!("{folder}/decision-cases/placement-{name}.json");
        let case: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let json = case["scheduler_configuration"].to_string();
        let read = read("s.json", &json, release(36));
        assert_eq!((read.problems, read.not_modelled), (vec![], vec![]), "{name}");
        assert_eq!(show(&read.value[0]), format!("default-scheduler: {expected}"));
    }
}
