//! Configurations of several API versions, right and wrong, and the recorded ones where they are
//! there.

use sim::scenario::{ScoreSpec, ShapePoint, SpreadDefaults};

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
         leaderElection: {leaderElect: false}\nextenders: [{urlPrefix: x}]\nprofiles:\n- \
         plugins:\n    postFilter: {disabled: [{name: DefaultPreemption}]}\n    queueSort: \
         {enabled: [{name: PrioritySort}]}\n    score: {disabled: [{name: ImageLocalty}], enabled: \
         [{name: Coscheduling}, {name: SelectorSpread}]}\n  pluginConfig:\n  - {name: \
         DefaultPreemption, args: {minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: \
         5}}\n  - {name: NodeAfinity, args: {}}\n  - {name: DynamicResources, args: {x: 1}}\n  - \
         {name: NodeResourcesFit, args: {scoringStrategy: {type: LeastAllocated, resources: \
         [{name: memroy}]}}}\n",
        &[
            "4 not-modelled `extenders` was read and is not modelled",
            "7 not-modelled `profiles[].plugins.postFilter` was read and is not modelled",
            "9 not-modelled `profiles[].plugins.score.enabled[].SelectorSpread` was read and is \
             not modelled",
            "11 not-modelled `profiles[].pluginConfig[].args.minCandidateNodesAbsolute` was read \
             and is not modelled",
            "13 not-modelled `profiles[].pluginConfig[].args` was read and is not modelled",
            "1 scheduler-api-version kube-scheduler 1.33 does not take \
             `kubescheduler.config.k8s.io/v1beta3` (1.23 to 1.28 do); it is read all the same",
            "12 unknown-plugin arguments of the unknown plugin `NodeAfinity` are ignored; did you \
             mean `NodeAffinity`?",
            "14 unknown-resource no node has a resource `memroy`: it counts nothing; did you mean \
             `memory`?",
            "9 unknown-plugin plugin `Coscheduling` is not part of kube-scheduler and not \
             modelled: pods are placed without it",
            "9 unknown-plugin `ImageLocalty` is no plugin, disabling it has no effect; did you \
             mean `ImageLocality`?",
        ],
    );
}

/// The only profile of a v1 configuration at 1.33.
#[track_caller]
fn profile(text: &str) -> SchedulerProfile {
    let head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";
    let read = read("s.yaml", &format!("{head}{text}"), release(33));
    assert_eq!((read.problems, read.not_modelled), (vec![], vec![]));
    let [profile] = &read.value[..] else {
        panic!("{:?}", read.value);
    };
    profile.clone()
}

#[test]
fn every_argument_arrives() {
    let found = profile(
        "parallelism: 8\npercentageOfNodesToScore: 30\npodInitialBackoffSeconds: 2\n\
         podMaxBackoffSeconds: 60\nprofiles:\n- percentageOfNodesToScore: 70\n  pluginConfig:\n  - \
         name: NodeResourcesFit\n    args:\n      apiVersion: kubescheduler.config.k8s.io/v1\n      \
         kind: NodeResourcesFitArgs\n      ignoredResources: [a.b/c]\n      \
         ignoredResourceGroups: [d.e]\n      scoringStrategy: {type: MostAllocated, resources: \
         [{name: nvidia.com/gpu, weight: 5}, {name: cpu, weight: 0}]}\n  - name: \
         NodeResourcesBalancedAllocation\n    args: {resources: [{name: cpu}, {name: \
         nvidia.com/gpu, weight: 1}]}\n  - name: InterPodAffinity\n    args: \
         {hardPodAffinityWeight: 0, ignorePreferredTermsOfExistingPods: true}\n  - name: \
         NodeAffinity\n    args:\n      addedAffinity:\n        \
         preferredDuringSchedulingIgnoredDuringExecution: [{weight: 3, preference: \
         {matchExpressions: [{key: a, operator: Exists}]}}]\n  - name: PodTopologySpread\n    \
         args: {defaultingType: List, defaultConstraints: [{maxSkew: 4, topologyKey: z, \
         whenUnsatisfiable: ScheduleAnyway}]}\n  - {name: VolumeBinding, args: \
         {bindTimeoutSeconds: 60}}\n",
    );
    let gpu = |weight| ("nvidia.com/gpu".to_owned(), weight);
    let fit = ScoreSpec::MostAllocated { resources: vec![gpu(5), ("cpu".to_owned(), 1)] };
    assert!(found.scores.contains(&(fit, 1)), "{found:?}");
    let resources = vec!["cpu".to_owned(), "nvidia.com/gpu".to_owned()];
    assert!(found.scores.contains(&(ScoreSpec::BalancedAllocation { resources }, 1)), "{found:?}");
    assert_eq!(
        (&found.ignored_resources[..], &found.ignored_resource_groups[..]),
        (&["a.b/c".to_owned()][..], &["d.e".to_owned()][..])
    );
    assert_eq!(found.inter_pod_affinity.hard_pod_affinity_weight, 0);
    assert!(found.inter_pod_affinity.ignore_preferred_terms_of_existing_pods);
    assert_eq!(found.added_affinity.preferred[0].weight, 3);
    let SpreadDefaults::List(constraints) = &found.spread_defaults else {
        panic!("{found:?}");
    };
    assert_eq!((constraints[0].max_skew, &constraints[0].topology_key[..]), (4, "z"));
    assert_eq!(found.percentage_of_nodes_to_score, Some(70));
    assert_eq!(found.pod_initial_backoff, SimDuration::seconds(2));
    assert_eq!(found.pod_max_backoff, SimDuration::minutes(1));
    assert_eq!(profile("percentageOfNodesToScore: 0").percentage_of_nodes_to_score, None);
    assert_eq!(profile("percentageOfNodesToScore: 9").percentage_of_nodes_to_score, Some(9));
}

#[test]
fn filters_can_be_off() {
    let off = |plugins: &str| {
        profile(&format!("profiles: [{{plugins: {plugins}}}]\n")).filters_disabled.join(" ")
    };
    assert_eq!(off("{}"), "");
    assert_eq!(off("{filter: {disabled: [{name: NodePorts}]}}"), "NodePorts");
    let some = "{filter: {disabled: [{name: '*'}], enabled: [{name: NodeResourcesFit}, {name: \
                NodeUnschedulable}, {name: TaintToleration}, {name: VolumeBinding}]}}";
    assert_eq!(off(some), "NodeName NodeAffinity NodePorts PodTopologySpread InterPodAffinity");
    let multi = "{multiPoint: {disabled: [{name: InterPodAffinity}, {name: PodTopologySpread}]}, \
                 filter: {enabled: [{name: PodTopologySpread}]}}";
    assert_eq!(off(multi), "InterPodAffinity");
    let all = "{multiPoint: {disabled: [{name: '*'}], enabled: [{name: NodeResourcesFit}, {name: \
               NodeName}]}, filter: {disabled: [{name: NodeName}]}}";
    assert_eq!(
        off(all),
        "NodeUnschedulable NodeName TaintToleration NodeAffinity NodePorts PodTopologySpread \
         InterPodAffinity"
    );
}

#[test]
fn the_oldest_version_is_one_profile() {
    let text = "apiVersion: kubescheduler.config.k8s.io/v1alpha1\nkind: \
                KubeSchedulerConfiguration\nschedulerName: packer\nalgorithmSource: {provider: \
                ClusterAutoscalerProvider}\nhardPodAffinitySymmetricWeight: 5\n";
    let read = read("s.yaml", text, release(20));
    assert_eq!(read.problems, []);
    assert_eq!(read.not_modelled.len(), 1, "{:?}", read.not_modelled);
    assert_eq!(
        show(&read.value[0]),
        "packer: TaintToleration:1 NodeAffinity:1 PodTopologySpread:2 InterPodAffinity:1 \
         Fit/most(1,1):1 BalancedAllocation:1 ImageLocality:1"
    );
    assert_eq!(read.value[0].inter_pod_affinity.hard_pod_affinity_weight, 5);
}

#[test]
fn names_of_each_era() {
    let problems = |api: &str, minor: u32, enabled: &str| -> Vec<String> {
        let text = format!(
            "apiVersion: kubescheduler.config.k8s.io/{api}\nkind: KubeSchedulerConfiguration\n\
             profiles: [{{plugins: {{score: {{enabled: [{enabled}]}}}}}}]\n"
        );
        let problems = read("s.yaml", &text, release(minor)).problems.into_iter();
        problems
            .map(|p| {
                format!("{}{}", p.message, p.help.map_or(String::new(), |h| format!(" ({h})")))
            })
            .collect()
    };
    let most = "{name: NodeResourcesMostAllocated}";
    assert_eq!(problems("v1beta1", 20, most), [""; 0]);
    assert_eq!(
        problems("v1beta2", 23, most),
        ["plugin `NodeResourcesMostAllocated` was removed in v1beta2 or before (a \
          `scoringStrategy` of `NodeResourcesFit` replaced it)"]
    );
    assert_eq!(problems("v1beta3", 24, "{name: SelectorSpread}"), [""; 0]);
    assert_eq!(
        problems("v1", 33, "{name: SelectorSpread}"),
        ["plugin `SelectorSpread` was removed in v1 or before (`PodTopologySpread` replaced it)"]
    );
    assert_eq!(
        problems("v1", 33, "{name: NodeResourceFit}, {name: Own}, {name: NodePorts}"),
        [
            "unknown plugin `NodeResourceFit` (did you mean `NodeResourcesFit`?)",
            "unknown plugin `Own`",
            "plugin `NodePorts` does not score nodes",
        ]
    );
    let both = "{name: NodeResourcesFit}, {name: NodeResourcesLeastAllocated}";
    assert_eq!(
        problems("v1beta1", 22, both),
        ["`NodeResourcesFit` and `NodeResourcesLeastAllocated` exclude each other"]
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
fn wrong_arguments_are_problems_all_at_once() {
    check_lines(
        "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n\
         parallelism: 0\npercentageOfNodesToScore: 101\npodInitialBackoffSeconds: 0\n\
         podMaxBackoffSeconds: 0\nprofiles:\n- schedulerName: a\n  pluginConfig:\n  - {name: \
         NodeResourcesFit, args: {kind: FitArgs, ignoredResourceGroups: [a/b], scoringStrategy: \
         {resources: []}}}\n  - {name: NodeResourcesBalancedAllocation, args: {resources: [{name: \
         cpu, weight: 2}]}}\n  - {name: InterPodAffinity, args: {hardPodAffinityWeight: 101}}\n  - \
         {name: NodeAffinity, args: {addedAffinity: {requiredDuringSchedulingIgnoredDuringExecution: \
         {nodeSelectorTerms: []}}}}\n  - {name: PodTopologySpread, args: {defaultConstraints: \
         [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway, labelSelector: {}}]}}\n  \
         - {name: NodeLabel, args: {}}\n- plugins: {}\n",
        &[
            "5:27 `podInitialBackoffSeconds`: expected a whole number from 1 to 4294967295, found \
             `0`",
            "6:23 `podMaxBackoffSeconds`: expected a whole number from 1 to 4294967295, found `0`",
            "4:27 `percentageOfNodesToScore`: expected a whole number from 0 to 100, found `101`",
            "3:14 `parallelism`: expected a whole number from 1 to 2147483647, found `0`",
            "10:43 `kind`: expected `NodeResourcesFitArgs`, found `FitArgs`",
            "10:76 a resource group is the part before the `/`",
            "10:99 `type` is missing",
            "11:63 `NodeResourcesBalancedAllocation` takes no weight but 1",
            "12:60 `hardPodAffinityWeight`: expected a whole number from 0 to 100, found `101`",
            "13:117 a required node affinity without terms matches no node",
            "14:59 a default constraint takes no `labelSelector`",
            "14:58 `defaultConstraints` need `defaultingType: List`",
            "15:29 plugin `NodeLabel` was removed in v1 or before",
            "16:3 `schedulerName` is missing",
        ],
    );
    check_lines(
        "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n\
         podMaxBackoffSeconds: 3\npodInitialBackoffSeconds: 4\n",
        &["3:23 the longest backoff of 3s is below the first one of 4s"],
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
