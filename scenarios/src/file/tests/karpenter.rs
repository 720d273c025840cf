//! A scenario with Karpenter: groups, changes, resolved form, and what users see when it is wrong.

use std::path::Path;

use expect_test::{Expect, expect};
use sim::scenario::{AllocationStrategy, CapacityType, Scenario};
use sim::units::{Bytes, MilliCores, SimDuration};

use crate::file::{Loaded, ScenarioError, load, load_text};

const CLASS: &str = "{apiVersion: karpenter.k8s.aws/v1, kind: EC2NodeClass, metadata: {name: d}, \
    spec: {blockDeviceMappings: [{deviceName: /dev/xvda, ebs: {volumeSize: 100Gi}}], kubelet: \
    {kubeReserved: {memory: 1Gi}, systemReserved: {cpu: 100m}}}}";

/// A scenario with one NodePool `jobs` of these requirements, with more in its `spec` and in the
/// section.
fn text(requirements: &str, pool: &str, section: &str) -> String {
    format!(
        "apiVersion: seatrial/v1alpha1\nkind: Scenario\nspec:\n  region: us-west-2\n  \
         kubernetesVersion: '1.33'\n  autoscaler:\n    karpenter:\n      manifests:\n      - \
         apiVersion: karpenter.sh/v1\n        kind: NodePool\n        metadata: {{name: jobs}}\n        \
         spec:\n          template:\n            metadata: {{labels: {{team: data}}}}\n            \
         spec:\n              nodeClassRef: {{group: karpenter.k8s.aws, kind: EC2NodeClass, name: \
         d}}\n              requirements: [{requirements}]\n{pool}      - {CLASS}\n{section}"
    )
}

const R5: &str = "{key: karpenter.k8s.aws/instance-family, operator: In, values: [r5, r5a]}, {key: \
    karpenter.k8s.aws/instance-size, operator: In, values: [xlarge, 2xlarge]}";

fn loaded(requirements: &str, pool: &str, section: &str) -> Loaded {
    load_text("k.yaml", &text(requirements, pool, section)).unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn check(requirements: &str, pool: &str, section: &str, expected: Expect) {
    let ScenarioError::Invalid(problems) =
        load_text("k.yaml", &text(requirements, pool, section)).unwrap_err();
    expected.assert_eq(&problems.to_string());
}

fn again(first: &Loaded) -> Scenario {
    let again = load_text("again", &first.resolved).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(format!("{:#?}", first.scenario), format!("{:#?}", again.scenario));
    assert_eq!(first.resolved, again.resolved);
    assert_eq!(first.karpenter, again.karpenter);
    again.scenario
}

#[test]
fn a_node_pool_is_a_group_for_each_capacity_type() {
    let first = loaded(R5, "", "");
    let scenario = &first.scenario;
    let names: Vec<_> =
        scenario.pools.iter().map(|pool| (pool.name.as_str(), pool.capacity_type)).collect();
    let expected = [("jobs-spot", CapacityType::Spot), ("jobs-on-demand", CapacityType::OnDemand)];
    assert_eq!(names, expected);
    let spot = &scenario.pools[0];
    let types: Vec<&str> = spot.instance_types.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(types, ["r5.2xlarge", "r5.xlarge", "r5a.2xlarge", "r5a.xlarge"]);
    assert_eq!(spot.allocation_strategy, AllocationStrategy::PriceCapacityOptimized);
    assert_eq!(spot.volume, Bytes::gib(100));
    for (key, value) in [
        ("karpenter.sh/nodepool", "jobs"),
        ("karpenter.sh/capacity-type", "spot"),
        ("team", "data"),
        ("karpenter.k8s.aws/ec2nodeclass", "d"),
    ] {
        assert_eq!(spot.labels.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert_eq!(spot.labels.get("karpenter.k8s.aws/instance-family"), None);
    // What the class keeps: 1Gi instead of 11 MiB a pod and 255 MiB; 100m beside the kubelet's.
    let plain =
        crate::catalogue::Catalogue::builtin().instance_type("r5.xlarge", "us-west-2").unwrap();
    let own = &spot.instance_types[1];
    assert_eq!(own.allocatable_cpu, plain.allocatable_cpu.saturating_sub(MilliCores::new(100)));
    let kept = Bytes::gib(1).saturating_sub(Bytes::mib(11 * 58 + 255));
    assert_eq!(own.allocatable_memory, plain.allocatable_memory.saturating_sub(kept));
    let pool = &scenario.karpenter().unwrap().node_pools[0];
    assert_eq!(pool.groups, [0, 1]);
    let family = &pool.type_labels["r5a.xlarge"]["karpenter.k8s.aws/instance-family"];
    assert_eq!(family, "r5a");
    again(&first);
}

#[test]
fn changes_are_on_top_of_the_manifests() {
    let section = "      settings: {batchIdleDuration: 2s, featureGates: {spotToSpotConsolidation: \
                   true}}\n      zones: [us-west-2b]\n      nodePools:\n        jobs:\n          \
                   consolidateAfter: 5m\n          consolidationPolicy: WhenEmpty\n          budgets: \
                   [{nodes: 50%}]\n          weight: 3\n          expireAfter: Never\n          driftAt: [6h, \
                   12h]\n          limits: {cpu: 100}\n          labels: {tier: a}\n          requirements: \
                   {karpenter.k8s.aws/instance-family: r5, karpenter.sh/capacity-type: [spot]}\n";
    let pool = "          limits: {memory: 1Ti}\n";
    let first = loaded(R5, pool, section);
    let scenario = again(&first);
    let karpenter = scenario.karpenter().unwrap();
    assert_eq!(karpenter.batch_idle_duration, SimDuration::seconds(2));
    assert!(karpenter.spot_to_spot_consolidation);
    let pool = &karpenter.node_pools[0];
    assert_eq!(pool.disruption.consolidate_after, Some(SimDuration::minutes(5)));
    assert_eq!((pool.weight, pool.expire_after), (3, None));
    assert_eq!(pool.drift_at, [SimDuration::hours(6), SimDuration::hours(12)]);
    assert_eq!(pool.limits.cpu, Some(MilliCores::cores(100)));
    assert_eq!(pool.limits.memory, Some(Bytes::gib(1024)));
    assert_eq!(scenario.pools.len(), 1);
    let group = &scenario.pools[0];
    assert_eq!(group.name, "jobs");
    assert_eq!(group.zones, ["us-west-2b"]);
    let types: Vec<&str> = group.instance_types.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(types, ["r5.2xlarge", "r5.xlarge"]);
    assert_eq!(group.labels["karpenter.k8s.aws/instance-family"], "r5");
    assert_eq!(group.labels["tier"], "a");
    let written = &first.karpenter[0]["spec"];
    assert_eq!(written["disruption"]["consolidateAfter"], "5m");
    assert_eq!(written["template"]["spec"]["requirements"][2]["values"][0], "spot");
}

#[test]
fn other_pools_stand_beside_it() {
    let section = "  nodes:\n    pools: [{name: system, instanceTypes: [r5.xlarge], minSize: 2, \
                   maxSize: 2}]\n";
    let scenario = again(&loaded(R5, "", section));
    assert_eq!(scenario.pools[0].name, "system");
    assert_eq!(scenario.karpenter().unwrap().node_pools[0].groups, [1, 2]);
    let memory = |pool: usize, name: &str| {
        let types = &scenario.pools[pool].instance_types;
        types.iter().find(|t| t.name == name).unwrap().allocatable_memory
    };
    assert_ne!(memory(0, "r5.xlarge"), memory(1, "r5.xlarge"), "the class's kubelet is its own");
}

#[test]
fn what_is_not_judged_is_said() {
    let requirements = format!(
        "{R5}, {{key: karpenter.k8s.aws/instance-ebs-bandwidth, operator: Gt, values: ['1000']}}"
    );
    let first = loaded(&requirements, "", "");
    let found = first.findings.iter().find(|finding| finding.code == "not-judged");
    let found = found.expect("it is said");
    assert!(found.message.contains("instance-ebs-bandwidth"), "{}", found.message);
    assert!(found.message.contains("4 of 4"), "{}", found.message);
}

#[test]
fn what_never_matches() {
    check(
        "{key: karpenter.k8s.aws/instance-family, operator: In, values: [r55]}",
        "",
        "",
        expect![[r#"
            error: NodePool `jobs`: no instance type is left by this requirement on `karpenter.k8s.aws/instance-family`
              --> k.yaml:17:93 (spec.template.spec.requirements[0])
               |
            17 |               requirements: [{key: karpenter.k8s.aws/instance-family, operator: In, values: [r55]}]
               |                                                                                             ^
               = help: did you mean `r5`?
        "#]],
    );
    check(
        "{key: karpenter.sh/capacity-type, operator: In, values: [ondemand]}",
        "",
        "",
        expect![[r#"
            error: unknown capacity type `ondemand`
              --> k.yaml:17:86 (spec.template.spec.requirements[0])
               |
            17 |               requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [ondemand]}]
               |                                                                                      ^
               = help: did you mean `on-demand`?

            error: NodePool `jobs`: no instance type is left by this requirement on `karpenter.sh/capacity-type`
              --> k.yaml:17:86 (spec.template.spec.requirements[0])
               |
            17 |               requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [ondemand]}]
               |                                                                                      ^
               = help: did you mean `on-demand`?
        "#]],
    );
    check(
        "{key: topology.kubernetes.io/zone, operator: In, values: [us-east-1a]}",
        "",
        "",
        expect![[r#"
            error: NodePool `jobs`: no instance type is left by this requirement on `topology.kubernetes.io/zone`
              --> k.yaml:17:87 (spec.template.spec.requirements[0])
               |
            17 |               requirements: [{key: topology.kubernetes.io/zone, operator: In, values: [us-east-1a]}]
               |                                                                                       ^
               = help: did you mean `us-west-2a`?
        "#]],
    );
}

#[test]
fn what_does_not_go_together() {
    check(
        R5,
        "          disruptoin: {}\n",
        "    clusterAutoscaler: {}\n",
        expect![[r#"
        error: `karpenter` and `clusterAutoscaler` exclude each other
         --> k.yaml:8:7 (spec.autoscaler.karpenter)
          |
        8 |       manifests:
          |       ^
          = help: one of them adds and removes nodes; `null` on top of a base removes the other

        error: unknown key `disruptoin`
          --> k.yaml:18:11 (spec.disruptoin)
           |
        18 |           disruptoin: {}
           |           ^^^^^^^^^^
           = help: did you mean `disruption`?
    "#]],
    );
    check(
        R5,
        "",
        "      nodePools:\n        job: {weight: 3}\n        jobs: {consolidateAfter: soon, \
         requirements: {karpenter.k8s.aws/instance-cpu: {operator: Gt, values: [x]}}}\n      \
         instanceTypes: [r5.xlarg]\n",
        expect![[r#"
            error: there is no NodePool `job` among the manifests
              --> k.yaml:20:9 (spec.autoscaler.karpenter.nodePools.job)
               |
            20 |         job: {weight: 3}
               |         ^^^
               = help: did you mean `jobs`?

            error: `soon` is not a duration of Karpenter's
              --> k.yaml:21:34 (spec.disruption.consolidateAfter)
               |
            21 |         jobs: {consolidateAfter: soon, requirements: {karpenter.k8s.aws/instance-cpu: {operator: Gt,
               |                                  ^^^^
               = help: whole hours, minutes and seconds, such as 720h, 10m or 30s

            error: operator `Gt` needs one whole number, not [x]
              --> k.yaml:21:110 (spec.template.spec.requirements[2].values)
               |
            21 | nter.k8s.aws/instance-cpu: {operator: Gt, values: [x]}}}
               |                                                   ^

            error: unknown instance type `r5.xlarg`
              --> k.yaml:22:23 (spec.autoscaler.karpenter.instanceTypes[0])
               |
            22 |       instanceTypes: [r5.xlarg]
               |                       ^^^^^^^^
               = help: did you mean `r5.xlarge`?
        "#]],
    );
}

#[test]
fn files_of_others() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/native-configs/karpenter");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no {}", folder.display());
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut groups = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.contains("kind: NodePool") {
            continue;
        }
        let path = std::fs::canonicalize(path).unwrap();
        let scenario = format!(
            "{{apiVersion: seatrial/v1alpha1, kind: Scenario, spec: {{region: us-east-1, \
             kubernetesVersion: '1.33', autoscaler: {{karpenter: {{manifests: [\"{}\", \"{}\"]}}}}}}}}",
            path.display(),
            std::fs::canonicalize(folder.join("data-on-eks-ec2nodeclass.yaml")).unwrap().display(),
        );
        // Their node class of the same name is another one.
        let own = text.contains("kind: EC2NodeClass");
        let scenario = if own {
            let second = scenario.rfind(", \"").unwrap();
            format!("{}]}}}}}}}}", &scenario[..second])
        } else {
            scenario
        };
        let file = scratch.path().join("s.yaml");
        std::fs::write(&file, scenario).unwrap();
        let first = load(&file, &[]).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        groups += again(&first).pools.len();
    }
    assert!(groups >= 10, "{groups}");
}
