//! What manifests of Karpenter's mean, and what users see when one is wrong.

use std::path::Path;

use expect_test::{Expect, expect};
use sim::scenario::{BudgetNodes, ConsolidationPolicy, LabelOperator};
use sim::units::SimDuration;

use super::*;
use crate::yaml::parse;

fn read_text(text: &str) -> NativeRead<Manifests> {
    let sources = [Source::new("k.yaml", text)];
    let parsed = parse(&sources[0]);
    assert_eq!(parsed.problems, [], "{text}");
    let objects: Vec<&Node> = parsed.documents.iter().flat_map(objects).collect();
    read(&sources, &objects)
}

fn pool(spec: &str) -> String {
    format!(
        "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {{name: a}}\nspec:\n  template:\n    \
         spec:\n      nodeClassRef: {{group: karpenter.k8s.aws, kind: EC2NodeClass, name: d}}\n{spec}"
    )
}

#[track_caller]
fn check(spec: &str, expected: Expect) {
    let read = read_text(&pool(spec));
    let shown: String = read.problems.iter().map(ToString::to_string).collect();
    expected.assert_eq(&shown);
}

#[test]
fn a_node_pool_is_read() {
    let read = read_text(&pool(
        "      requirements:\n      - {key: karpenter.k8s.aws/instance-cpu, operator: Gte, values: \
         ['4']}\n      - {key: karpenter.k8s.aws/instance-family, operator: Exists, minValues: 2}\n      \
         expireAfter: Never\n      terminationGracePeriod: 1h30m\n      taints: [{key: spark, value: \
         executor, effect: NoSchedule}]\n      startupTaints: [{key: cni, effect: NoExecute}]\n    \
         metadata: {labels: {team: data}, annotations: {karpenter.sh/do-not-disrupt: 'true'}}\n  \
         weight: 7\n  limits: {cpu: 1k, memory: 1Ti, nodes: 5, nvidia.com/gpu: 2}\n  disruption:\n    \
         consolidationPolicy: WhenEmpty\n    consolidateAfter: 90s\n    budgets:\n    - nodes: 20%\n    \
         - {nodes: '3', reasons: [Empty], schedule: '0 9 * * 1-5', duration: 8h}\n",
    ));
    assert_eq!(read.problems, []);
    assert_eq!(read.not_modelled, []);
    let native = &read.value.node_pools[0];
    assert!(native.do_not_disrupt);
    let pool = &native.pool;
    assert_eq!((pool.name.as_str(), pool.weight), ("a", 7));
    let cpu = &pool.requirements[0].requirement;
    assert_eq!((cpu.operator, cpu.values.as_slice()), (LabelOperator::Gt, &["3".to_owned()][..]));
    assert_eq!(pool.requirements[1].min_values, Some(2));
    assert_eq!(pool.requirements[2].requirement.key, "team");
    assert_eq!(pool.expire_after, None);
    assert_eq!(pool.termination_grace_period, Some(SimDuration::minutes(90)));
    assert_eq!((pool.taints.len(), pool.startup_taints.len()), (1, 1));
    assert_eq!((pool.limits.nodes, pool.limits.gpus), (Some(5), Some(2)));
    assert_eq!(pool.limits.cpu.map(|cpu| cpu.as_millis()), Some(1_000_000));
    let disruption = &pool.disruption;
    assert_eq!(disruption.consolidation_policy, ConsolidationPolicy::WhenEmpty);
    assert_eq!(disruption.consolidate_after, Some(SimDuration::seconds(90)));
    assert_eq!(disruption.budgets[0].nodes, BudgetNodes::Percent(20));
    assert_eq!(disruption.budgets[1].nodes, BudgetNodes::Count(3));
    assert!(disruption.budgets[1].window.is_some());
}

#[test]
fn what_is_not_said_is_upstreams() {
    let read = read_text(&pool("      requirements: []\n"));
    let pool = &read.value.node_pools[0].pool;
    assert_eq!(pool.expire_after, Some(SimDuration::hours(720)));
    assert_eq!(pool.disruption, sim::scenario::Disruption::default());
    assert_eq!(pool.weight, 0);
}

#[test]
fn requirements_that_cannot_be() {
    check(
        "      requirements:\n      - {key: kubernetes.io/arch, operator: in, values: [amd64]}\n      \
         - {key: karpenter.k8s.aws/instance-cpu, operator: Gt, values: [four]}\n      - {key: \
         kubernetes.io/hostname, operator: Exists}\n      - {key: x, operator: In, values: []}\n      \
         - {key: y, operator: Exists, values: [a]}\n      - {key: z, operator: In, values: [a], \
         minValues: 2}\n      - {key: team, operator: In, values: [a]}\n      - {key: team, operator: \
         NotIn, values: [a]}\n      - {key: n, operator: Gt, values: ['4']}\n      - {key: n, \
         operator: Lt, values: ['5']}\n",
        expect![[r#"
            error: unknown value `in`
             --> k.yaml:9:45 (spec.template.spec.requirements[0].operator)
              |
            9 |       - {key: kubernetes.io/arch, operator: in, values: [amd64]}
              |                                             ^^
              = help: did you mean `In`?
            error: operator `Gt` needs one whole number, not [four]
              --> k.yaml:10:69 (spec.template.spec.requirements[1].values)
               |
            10 |       - {key: karpenter.k8s.aws/instance-cpu, operator: Gt, values: [four]}
               |                                                                     ^
            error: label `kubernetes.io/hostname` is restricted: a NodePool cannot set it
              --> k.yaml:11:15 (spec.template.spec.requirements[2].key)
               |
            11 |       - {key: kubernetes.io/hostname, operator: Exists}
               |               ^^^^^^^^^^^^^^^^^^^^^^
            error: operator `In` needs a value
              --> k.yaml:12:40 (spec.template.spec.requirements[3].values)
               |
            12 |       - {key: x, operator: In, values: []}
               |                                        ^
            error: operator `Exists` takes no values
              --> k.yaml:13:44 (spec.template.spec.requirements[4].values)
               |
            13 |       - {key: y, operator: Exists, values: [a]}
               |                                            ^
            error: minValues 2 of 1 values: there must be as many
              --> k.yaml:14:56 (spec.template.spec.requirements[5].minValues)
               |
            14 |       - {key: z, operator: In, values: [a], minValues: 2}
               |                                                        ^
            error: conflicts with another requirement on `team`
              --> k.yaml:16:46 (spec.template.spec.requirements[7])
               |
            16 |       - {key: team, operator: NotIn, values: [a]}
               |                                              ^
               = help: the other one is at line 15
            error: conflicts with another requirement on `n`
              --> k.yaml:18:40 (spec.template.spec.requirements[9])
               |
            18 |       - {key: n, operator: Lt, values: ['5']}
               |                                        ^
               = help: the other one is at line 17
        "#]],
    );
}

#[test]
fn settings_that_cannot_be() {
    check(
        "      requirements: []\n      expireAfter: 30d\n      consolidateAfter: 30s\n  weight: 101\n  \
         disruption:\n    consolidationPolicy: WhenUnderutilized\n    consolidateAfter: 1.5h\n    \
         budgets:\n    - {nodes: 110%}\n    - {nodes: 10%, schedule: '@daily'}\n    - {nodes: 1, \
         schedule: 0 25 * * *, duration: 30s}\n    - {nodes: 1, reasons: [Drift]}\n",
        expect![[r#"
            error: unknown key `consolidateAfter`
              --> k.yaml:10:7 (spec.template.spec.consolidateAfter)
               |
            10 |       consolidateAfter: 30s
               |       ^^^^^^^^^^^^^^^^
               = help: known: `requirements`, `nodeClassRef`, `taints`, `startupTaints`, `expireAfter`, `terminationGracePeriod`
            error: `30d` is not a duration of Karpenter's
             --> k.yaml:9:20 (spec.template.spec.expireAfter)
              |
            9 |       expireAfter: 30d
              |                    ^^^
              = help: whole hours, minutes and seconds, such as 720h, 10m or 30s
            error: `weight`: expected a whole number from 1 to 100, found `101`
              --> k.yaml:11:11 (spec.weight)
               |
            11 |   weight: 101
               |           ^^^
            error: `110%` is not a number of nodes
              --> k.yaml:16:15 (spec.disruption.budgets[0].nodes)
               |
            16 |     - {nodes: 110%}
               |               ^^^^
               = help: a whole number, or a percentage from 0% to 100%
            error: `schedule` and `duration` go together: one of them is missing
              --> k.yaml:17:30 (spec.disruption.budgets[1].schedule)
               |
            17 |     - {nodes: 10%, schedule: '@daily'}
               |                              ^^^^^^^^
            error: "25" is not 0 to 23, a list, a range or a step of them
              --> k.yaml:18:28 (spec.disruption.budgets[2].schedule)
               |
            18 |     - {nodes: 1, schedule: 0 25 * * *, duration: 30s}
               |                            ^^^^^^^^^^
            error: `30s` is not a duration of a budget
              --> k.yaml:18:50 (spec.disruption.budgets[2].duration)
               |
            18 |     - {nodes: 1, schedule: 0 25 * * *, duration: 30s}
               |                                                  ^^^
               = help: whole hours and minutes, such as 8h, 30m or 1h30m
            error: unknown value `Drift`
              --> k.yaml:19:28 (spec.disruption.budgets[3].reasons[0])
               |
            19 |     - {nodes: 1, reasons: [Drift]}
               |                            ^^^^^
               = help: did you mean `Drifted`?
            error: unknown value `WhenUnderutilized`
              --> k.yaml:13:26 (spec.disruption.consolidationPolicy)
               |
            13 |     consolidationPolicy: WhenUnderutilized
               |                          ^^^^^^^^^^^^^^^^^
               = help: known: `WhenEmpty`, `WhenEmptyOrUnderutilized`, `Balanced`
            error: `1.5h` is not a duration of Karpenter's
              --> k.yaml:14:23 (spec.disruption.consolidateAfter)
               |
            14 |     consolidateAfter: 1.5h
               |                       ^^^^
               = help: whole hours, minutes and seconds, such as 720h, 10m or 30s
        "#]],
    );
}

#[test]
fn node_classes() {
    let class = |spec: &str| {
        read_text(&format!(
            "apiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {{name: d}}\nspec:\n{spec}"
        ))
    };
    let read = class(
        "  amiSelectorTerms: [{alias: bottlerocket@latest}]\n  role: r\n  blockDeviceMappings:\n  - \
         {deviceName: /dev/xvda, ebs: {volumeSize: 4Gi, volumeType: gp3}}\n  - {deviceName: \
         /dev/xvdb, ebs: {volumeSize: 100Gi}}\n  kubelet: {maxPods: 50, kubeReserved: {memory: 1Gi}, \
         evictionHard: {memory.available: 5%}, podsPerCore: 2}\n  instanceStorePolicy: RAID0\n",
    );
    assert_eq!(read.problems, []);
    let found = &read.value.node_classes[0];
    assert_eq!(found.volume, sim::units::Bytes::gib(100));
    assert_eq!(found.max_pods, Some(50));
    assert_eq!(found.eviction, Some(node_class::Eviction::Share(0.05)));
    let names: Vec<&str> = read.not_modelled.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(
        names,
        [
            "`spec.kubelet.podsPerCore` was read and is not modelled",
            "`spec.instanceStorePolicy` was read and is not modelled"
        ]
    );
    assert_eq!(class("  role: r\n").value.node_classes[0].volume, node_class::VOLUME);
    let wrong = class("  blockDeviceMapping: []\n");
    expect![[r#"
        error: unknown key `blockDeviceMapping`
         --> k.yaml:5:3 (spec.blockDeviceMapping)
          |
        5 |   blockDeviceMapping: []
          |   ^^^^^^^^^^^^^^^^^^
          = help: did you mean `blockDeviceMappings`?
    "#]]
    .assert_eq(&wrong.problems[0].to_string());
}

#[test]
fn other_versions_and_kinds() {
    let text = "apiVersion: karpenter.sh/v1beta1\nkind: NodePool\nmetadata: {name: a}\n---\n\
                apiVersion: karpenter.sh/v1alpha5\nkind: Provisioner\n---\napiVersion: v1\nkind: \
                Namespace\n";
    let read = read_text(text);
    let shown: String = read.problems.iter().map(ToString::to_string).collect();
    expect![[r#"
        error: `karpenter.sh/v1beta1` is not read: v1 is
         --> k.yaml:1:13 (apiVersion)
          |
        1 | apiVersion: karpenter.sh/v1beta1
          |             ^^^^^^^^^^^^^^^^^^^^
          = help: Karpenter 1.0 and later serve v1; convert the file as its migration guide says
        error: `Provisioner` is of Karpenter before 0.32: v1 is read
         --> k.yaml:5:1
          |
        5 | apiVersion: karpenter.sh/v1alpha5
          | ^
          = help: convert it as Karpenter's migration guides say
    "#]]
    .assert_eq(&shown);
    assert_eq!(read.not_modelled.len(), 1);
}

#[test]
fn what_people_have() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/native-configs/karpenter");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no {}", folder.display());
        return;
    };
    let mut pools = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let read = read_text(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(read.problems, [], "{}", path.display());
        pools += read.value.node_pools.len();
        assert!(read.value.node_pools.len() + read.value.node_classes.len() > 0);
    }
    assert!(pools >= 10, "{pools}");
}
