//! Node groups, right and wrong, and the recorded files where they are there.

use sim::scenario::{AllocationStrategy, TaintEffect};

use super::*;

fn groups(text: &str) -> Vec<NodeGroupSpec> {
    let read = read("c.yaml", &format!("kind: ClusterConfig\n{text}"));
    assert_eq!((read.problems, read.not_modelled), (vec![], vec![]));
    read.value.groups
}

/// One line per problem and finding.
#[track_caller]
fn check_lines(text: &str, expected: &[&str]) {
    let read = read("c.yaml", &format!("kind: ClusterConfig\n{text}"));
    let problems = read.problems.iter().map(|p| format!("{}:{} {}", p.line, p.column, p.message));
    let findings = read
        .not_modelled
        .iter()
        .map(|f| format!("{} {} {}", f.line.unwrap_or(0), f.code, f.message));
    assert_eq!(problems.chain(findings).collect::<Vec<_>>(), expected);
}

#[test]
fn a_group_with_everything() {
    let read = read(
        "c.yaml",
        "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: spark, region: \
         us-west-2, version: '1.33'}\navailabilityZones: [us-west-2a, us-west-2b]\n\
         managedNodeGroups:\n- name: spot\n  instanceTypes: [r5.4xlarge, r5d.4xlarge]\n  spot: \
         true\n  \
         minSize: 0\n  maxSize: 100\n  desiredCapacity: 3\n  labels: {role: executor}\n  \
         taints:\n  - \
         {key: spot, value: \"true\", effect: NoSchedule}\n  availabilityZones: [us-west-2c]\n  \
         volumeSize: 200\n  iam: {withAddonPolicies: {autoScaler: true}}\n- {name: driver}\n",
    );
    assert_eq!((read.problems, read.not_modelled), (vec![], vec![]));
    let config = read.value;
    assert_eq!(config.region.as_deref(), Some("us-west-2"));
    assert_eq!((config.name.as_str(), config.version.as_deref()), ("spark", Some("1.33")));
    let [spot, driver] = &config.groups[..] else {
        panic!("{:?}", config.groups);
    };
    assert_eq!(spot.instance_types, ["r5.4xlarge", "r5d.4xlarge"]);
    assert!(spot.spot && spot.managed);
    assert_eq!((spot.min, spot.desired, spot.max), (0, 3, 100));
    assert_eq!(spot.labels["role"], "executor");
    assert_eq!(spot.taints[0].effect, TaintEffect::NoSchedule);
    assert_eq!((spot.zones.join(","), spot.volume_gib), ("us-west-2c".to_owned(), 200));
    assert_eq!(driver.instance_types, ["m5.large"]);
    assert_eq!((driver.min, driver.desired, driver.max), (2, 2, 2));
    assert_eq!((driver.zones.len(), driver.volume_gib), (2, 80));
}

#[test]
fn sizes_follow_each_other() {
    let check = |size: &str, expected: [u32; 3]| {
        let group = &groups(&format!("nodeGroups: [{{name: a{size}}}]"))[0];
        assert_eq!([group.min, group.desired, group.max], expected, "{size}");
    };
    check("", [2, 2, 2]);
    check(", desiredCapacity: 8", [8, 8, 8]);
    check(", minSize: 3", [3, 3, 3]);
    check(", maxSize: 5", [2, 2, 5]);
    check(", minSize: 2, maxSize: 8", [2, 2, 8]);
    check(", minSize: 0, desiredCapacity: 4", [0, 4, 4]);
}

#[test]
fn a_label_without_a_value_is_empty() {
    let group = &groups("nodeGroups:\n- name: a\n  labels:\n    role:\n    b: 1\n")[0];
    assert_eq!((group.labels["role"].as_str(), group.labels["b"].as_str()), ("", "1"));
}

#[test]
fn taints_as_a_map() {
    let group =
        &groups("nodeGroups: [{name: a, taints: {spot: \"true:NoSchedule\", b: NoExecute}}]")[0];
    assert_eq!(group.taints[0].value, "true");
    assert_eq!(group.taints[1].effect, TaintEffect::NoExecute);
}

#[test]
fn mixed_groups() {
    let types = "instanceTypes: [m5.large]";
    let all_spot = format!(
        "nodeGroups: [{{name: a, instanceType: mixed, instancesDistribution: {{{types}, \
         onDemandPercentageAboveBaseCapacity: 0}}}}]"
    );
    assert!(groups(&all_spot)[0].spot);
    assert_eq!(groups(&all_spot)[0].allocation_strategy, None);
    let deep =
        all_spot.replace("Capacity: 0}", "Capacity: 0, spotAllocationStrategy: lowest-price}");
    let strategy = groups(&deep)[0].allocation_strategy;
    assert_eq!(strategy, Some(AllocationStrategy::LowestPrice));
    let unknown = deep.replace("lowest-price", "cheapest");
    check_lines(
        &unknown.replace("nodeGroups: [", "nodeGroups:\n- ").replace("}}]", "}}"),
        &["3:57 `spotAllocationStrategy` is `cheapest`; one of lowest-price, capacity-optimized, \
           capacity-optimized-prioritized, price-capacity-optimized"],
    );
    check_lines(
        &format!(
            "nodeGroups:\n- {{name: a, instancesDistribution: {{{types}, \
                  onDemandPercentageAboveBaseCapacity: 20, spotInstancePools: 2}}}}"
        ),
        &[
            "3 not-modelled `nodeGroups[].instancesDistribution.spotInstancePools` was read and \
             is not modelled",
            "3 not-modelled a group of 0 on-demand nodes and 20 % of the others on-demand is \
             read as all spot: mixed groups are not modelled",
        ],
    );
}

#[test]
fn what_is_not_followed_is_named_once() {
    check_lines(
        "karpenter: {version: '1'}\nvpc: {}\nmanagedNodeGroups:\n- name: a\n  instanceSelector: \
         {vCPUs: 4}\n  capacityReservation: {id: cr-1}\n  desiredCapcity: 4\n- name: b\n  \
         capacityReservation: {id: cr-1}\n",
        &[
            "2 not-modelled `karpenter` was read and is not modelled",
            "6 not-modelled `managedNodeGroups[].instanceSelector` was read and is not modelled",
            "7 not-modelled `managedNodeGroups[].capacityReservation` was read and is not \
             modelled",
            "8 unknown-key unknown key `desiredCapcity` is ignored; did you mean \
             `desiredCapacity`?",
        ],
    );
}

#[test]
fn wrong_values_are_problems_all_at_once() {
    check_lines(
        "managedNodeGroups:\n- {name: a, minSize: 5, maxSize: 2}\n- {name: a}\n- {name: b, \
         desiredCapacity: 9, minSize: 1, maxSize: 3}\n- {minSize: many}\n- {name: c, maxSize: 1}\n\
         - {name: d, instanceType: m5.large, instanceTypes: [m5.xlarge], taints: {x: Never}}\n\
         nodeGroups:\n- {name: e, spot: true, volumeSize: 0, taints: [{key: a, effect: NoRun}]}\n",
        &[
            "3:34 `maxSize` 2 is below `minSize` 5",
            "4:3 a second node group named `a`",
            "5:30 `desiredCapacity` 9 is not within 1 to 3",
            "6:3 `name` is missing",
            "6:13 `minSize`: expected a whole number from 0 to 4294967295, found `many`",
            "7:22 `maxSize` 1 is below `minSize` 2 (eksctl's default)",
            "8:27 `instanceType` and `instanceTypes` exclude each other",
            "8:77 unknown taint effect `Never`",
            "10:19 `spot` is of `managedNodeGroups`; other groups have `instancesDistribution`",
            "10:66 unknown value `NoRun`",
            "10:37 `volumeSize`: expected a whole number from 1 to 65536, found `0`",
        ],
    );
}

#[test]
fn hostile_texts_end_in_problems() {
    for text in [
        "",
        "kind: Pod",
        "kind: ClusterConfig\nnodeGroups: 3",
        "[]",
        "kind: ClusterConfig\nnodeGroups: [[]]",
        "\0",
    ] {
        assert_ne!(read("c.yaml", text).problems.len(), 0, "{text:?}");
    }
    let many: String = (0..3_000).map(|i| format!("- name: g{i}\n")).collect();
    let read = read("c.yaml", &format!("kind: ClusterConfig\nnodeGroups:\n{many}"));
    assert_eq!((read.value.groups.len(), read.problems.len()), (GROUPS_MAX, 1));
}

#[test]
fn recorded_files_load() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/native-configs/eksctl");
    let mut count = 0;
    for (name, groups, spot) in [
        ("05-advanced-nodegroups.yaml", 3, 0),
        ("08-spot-instances.yaml", 1, 0),
        ("15-managed-nodes.yaml", 4, 0),
        ("18-node-to-pod-label-matching.yaml", 2, 0),
        ("26-managed-nodegroup-spot-instances.yaml", 3, 2),
        ("34-taints.yaml", 4, 0),
    ] {
        let Ok(text) = std::fs::read_to_string(format!("{folder}/{name}")) else {
            eprintln!("skipped: no {folder}/{name}");
            continue;
        };
        let read = read(name, &text);
        assert_eq!(read.problems, [], "{name}");
        assert_eq!(read.value.groups.len(), groups, "{name}");
        let spots = read.value.groups.iter().filter(|group| group.spot);
        assert_eq!(spots.count(), spot, "{name}");
        count += 1;
    }
    assert!(matches!(count, 0 | 6));
}
