//! What users see when something is wrong.

use expect_test::{Expect, expect};

use super::minimal;
use crate::file::{ScenarioError, load_text};

#[track_caller]
pub(super) fn check(text: &str, expected: Expect) {
    match load_text("small.yaml", text) {
        Ok(_) => panic!("no problem with\n{text}"),
        Err(ScenarioError::Invalid(problems)) => expected.assert_eq(&problems.to_string()),
    }
}

#[track_caller]
pub(super) fn check_extra(extra: &str, expected: Expect) {
    check(&minimal(extra), expected);
}

#[test]
fn patterns_of_names_and_limits() {
    check_extra(
        "orchestrator: {rules: [{application: '[a-'}], limits: [{team: x}]}",
        expect![[r#"
            error: `[a-` is no pattern of names: unclosed character class
             --> small.yaml:9:40 (spec.orchestrator.rules[0].application)
              |
            9 |   orchestrator: {rules: [{application: '[a-'}], limits: [{team: x}]}
              |                                        ^^^^^
              = help: a regular expression such as ^daily-

            error: `concurrentRuns` is missing
             --> small.yaml:9:58 (spec.orchestrator.limits[0].concurrentRuns)
              |
            9 |   orchestrator: {rules: [{application: '[a-'}], limits: [{team: x}]}
              |                                                          ^
        "#]],
    );
}

#[test]
fn everything_at_once() {
    check(
        "apiVersion: seatrial/v1\nkind: Scenaro\nspec:\n  kubernetesVersion: 1.30\n  regoin: x\n  \
         nodes:\n    pools:\n    - {name: a, instanceTypes: [m5.xlage], maxsize: 3}\n    - {name: \
         a, minSize: 5, maxSize: 2, instanceTypes: [m5.large, m5.large]}\n  images: {size: big}\n",
        expect![[r#"
            error: unknown value `seatrial/v1`
             --> small.yaml:1:13 (apiVersion)
              |
            1 | apiVersion: seatrial/v1
              |             ^^^^^^^^^^^
              = help: known: `seatrial/v1alpha1`

            error: unknown value `Scenaro`
             --> small.yaml:2:7 (kind)
              |
            2 | kind: Scenaro
              |       ^^^^^^^
              = help: did you mean `Scenario`?

            error: `region` is missing
             --> small.yaml:4:3 (spec.region)
              |
            4 |   kubernetesVersion: 1.30
              |   ^

            error: unknown key `regoin`
             --> small.yaml:5:3 (spec.regoin)
              |
            5 |   regoin: x
              |   ^^^^^^
              = help: did you mean `region`?

            error: `maxSize` is missing
             --> small.yaml:8:7 (spec.nodes.pools[0].maxSize)
              |
            8 |     - {name: a, instanceTypes: [m5.xlage], maxsize: 3}
              |       ^

            error: unknown instance type `m5.xlage`; nearest known: m5.xlarge, c5.xlarge, g5.xlarge
             --> small.yaml:8:33 (spec.nodes.pools[0].instanceTypes[0])
              |
            8 |     - {name: a, instanceTypes: [m5.xlage], maxsize: 3}
              |                                 ^^^^^^^^

            error: unknown key `maxsize`
             --> small.yaml:8:44 (spec.nodes.pools[0].maxsize)
              |
            8 |     - {name: a, instanceTypes: [m5.xlage], maxsize: 3}
              |                                            ^^^^^^^
              = help: did you mean `maxSize`?

            error: duplicate node pool `a`
             --> small.yaml:9:14 (spec.nodes.pools[1].name)
              |
            9 |     - {name: a, minSize: 5, maxSize: 2, instanceTypes: [m5.large, m5.large]}
              |              ^
              = help: the first one is at line 8

            error: node pool `a`: minSize 5 is above maxSize 2
             --> small.yaml:9:38 (spec.nodes.pools[1].maxSize)
              |
            9 |     - {name: a, minSize: 5, maxSize: 2, instanceTypes: [m5.large, m5.large]}
              |                                      ^

            error: duplicate instance type `m5.large`
             --> small.yaml:9:67 (spec.nodes.pools[1].instanceTypes[1])
              |
            9 |     - {name: a, minSize: 5, maxSize: 2, instanceTypes: [m5.large, m5.large]}
              |                                                                   ^^^^^^^^

            error: `size`: expected a memory quantity such as 512Mi, 4Gi or 10G, found `big`
              --> small.yaml:10:18 (spec.images.size)
               |
            10 |   images: {size: big}
               |                  ^^^
        "#]],
    );
}

#[test]
fn images() {
    check_extra(
        "images:\n    serializeImagePulls: true\n    maxParallelImagePulls: 3\n    \
         registryBytesPerSecond: 0\n    imageGCLowThresholdPercent: 90\n    list:\n    - {name: \
         a, layers: [{name: base, size: 1Gi}]}\n    - {name: b, size: 1Gi, layers: [{name: base, \
         size: 2Gi}]}\n    - {name: \"a:latest\", size: 1Gi}\n    - {name: c}\n    - {nam: d}",
        expect![[r#"
            error: more than one pull at a time, and `serializeImagePulls` is true
              --> small.yaml:11:30 (spec.images.maxParallelImagePulls)
               |
            11 |       maxParallelImagePulls: 3
               |                              ^
               = help: set `serializeImagePulls: false`, as the kubelet demands

            error: `registryBytesPerSecond` is zero: no image would ever arrive
              --> small.yaml:12:31 (spec.images.registryBytesPerSecond)
               |
            12 |       registryBytesPerSecond: 0
               |                               ^

            error: images are collected until 90 % of the disk are used, which is not below 85 %, where collecting starts
              --> small.yaml:13:35 (spec.images.imageGCLowThresholdPercent)
               |
            13 |       imageGCLowThresholdPercent: 90
               |                                   ^^

            error: image `b` has a `size` and `layers`: one of them
              --> small.yaml:16:25 (spec.images.list[1].size)
               |
            16 |       - {name: b, size: 1Gi, layers: [{name: base, size: 2Gi}]}
               |                         ^^^

            error: layer `base` is 2Gi here and 1Gi in an image before
              --> small.yaml:16:58 (spec.images.list[1].layers[0].size)
               |
            16 |       - {name: b, size: 1Gi, layers: [{name: base, size: 2Gi}]}
               |                                                          ^^^

            error: duplicate image `a:latest`
              --> small.yaml:17:16 (spec.images.list[2].name)
               |
            17 |       - {name: "a:latest", size: 1Gi}
               |                ^^^^^^^^^^

            error: image `c` has neither a `size` nor `layers`
              --> small.yaml:18:9 (spec.images.list[3])
               |
            18 |       - {name: c}
               |         ^

            error: `name` is missing
              --> small.yaml:19:9 (spec.images.list[4].name)
               |
            19 |       - {nam: d}
               |         ^

            error: unknown key `nam`
              --> small.yaml:19:10 (spec.images.list[4].nam)
               |
            19 |       - {nam: d}
               |          ^^^
               = help: did you mean `name`?
        "#]],
    );
}

#[test]
fn versions() {
    check_extra(
        "kubernetesVersion: 1.3",
        expect![[r#"
        error: version 1.3 is not modelled; was "1.30" meant?
         --> small.yaml:9:22 (spec.kubernetesVersion)
          |
        9 |   kubernetesVersion: 1.3
          |                      ^^^
          = help: put quotes around the version
    "#]],
    );
    check_extra(
        "kubernetesVersion: '1.40'\nspark: {version: three}",
        expect![[r#"
            error: version 1.40 is not modelled
             --> small.yaml:9:22 (spec.kubernetesVersion)
              |
            9 |   kubernetesVersion: '1.40'
              |                      ^^^^^^
              = help: 1.20 to 1.36 are modelled

            error: `three` is not a version
              --> small.yaml:10:20 (spec.spark.version)
               |
            10 |   spark: {version: three}
               |                    ^^^^^
               = help: 3.0 to 4.3 are modelled
        "#]],
    );
}

#[test]
fn pools() {
    check_extra(
        "nodes2: {}",
        expect![[r#"
        error: unknown key `nodes2`
         --> small.yaml:9:3 (spec.nodes2)
          |
        9 |   nodes2: {}
          |   ^^^^^^
          = help: did you mean `nodes`?
    "#]],
    );
    check(
        "apiVersion: seatrial/v1alpha1\nkind: Scenario\nspec: {region: us-west-2}",
        expect![[r#"
            error: `spec.nodes` is missing: no node pools
            --> small.yaml (spec.nodes)
             = help: name an eksctl file in `spec.nodes.eksctl`, or list `spec.nodes.pools`
        "#]],
    );
    let pools = "apiVersion: seatrial/v1alpha1\nkind: Scenario\nspec:\n  region: us-west-2\n  \
                 nodes:\n    overrides: {al: {maxSize: 1}}\n    pools:\n    \
                 - {name: all, instanceTypes: [m5.large, m6g.large], maxSize: 1, desiredSize: 2}\n    \
                 - {name: none, instanceTypes: [], maxSize: 1}\n    \
                 - {name: t, instanceTypes: [m5.large], maxSize: 1, taints: [{key: a, effect: No}]}\n";
    check(
        pools,
        expect![[r#"
            error: there is no pool `al`
             --> small.yaml:6:17 (spec.nodes.overrides.al)
              |
            6 |     overrides: {al: {maxSize: 1}}
              |                 ^^
              = help: did you mean `all`?

            error: node pool `all` mixes processors: m5.large is amd64, m6g.large not
             --> small.yaml:8:14 (spec.nodes.pools[0].name)
              |
            8 |     - {name: all, instanceTypes: [m5.large, m6g.large], maxSize: 1, desiredSize: 2}
              |              ^^^

            error: node pool `all`: desiredSize 2 is not within minSize 0 to maxSize 1
             --> small.yaml:8:82 (spec.nodes.pools[0].desiredSize)
              |
            8 |     - {name: all, instanceTypes: [m5.large, m6g.large], maxSize: 1, desiredSize: 2}
              |                                                                                  ^

            error: node pool `none` has no instance types
             --> small.yaml:9:14 (spec.nodes.pools[1].name)
              |
            9 |     - {name: none, instanceTypes: [], maxSize: 1}
              |              ^^^^

            error: unknown value `No`
              --> small.yaml:10:82 (spec.nodes.pools[2].taints[0].effect)
               |
            10 |     - {name: t, instanceTypes: [m5.large], maxSize: 1, taints: [{key: a, effect: No}]}
               |                                                                                  ^^
               = help: known: `NoSchedule`, `PreferNoSchedule`, `NoExecute`
        "#]],
    );
}

#[test]
fn prices() {
    check(
        &minimal("").replace("us-west-2", "mars-north-1"),
        expect![[r#"
            error: no price of `eks_cluster_standard_support` in region `mars-north-1` is known (known in eu-west-1, us-east-1, us-west-2); give one as an override
             --> small.yaml:5:11 (spec.region)
              |
            5 |   region: mars-north-1
              |           ^^^^^^^^^^^^
              = help: set it under `spec.fees`

            error: no on-demand price of `m5.2xlarge` in region `mars-north-1` is known (known in us-east-1, us-west-2, eu-west-1); give one as an override
             --> small.yaml:8:35 (spec.nodes.pools[0].instanceTypes[0])
              |
            8 |     - {name: all, instanceTypes: [m5.2xlarge], maxSize: 10}
              |                                   ^^^^^^^^^^
              = help: set `spec.prices."m5.2xlarge".onDemand`
        "#]],
    );
    check_extra(
        "prices: {m5.lage: {onDemand: 1}, m5.large: {onDemand: -1}}\ninstanceTypes: {big: {vcpu: 4}}",
        expect![[r#"
            error: unknown instance type `m5.lage`; nearest known: m5.large, c5.large, m1.large
             --> small.yaml:9:12 (spec.prices["m5.lage"])
              |
            9 |   prices: {m5.lage: {onDemand: 1}, m5.large: {onDemand: -1}}
              |            ^^^^^^^

            error: `onDemand`: expected a number from 0 to 1000000, found `-1`
             --> small.yaml:9:57 (spec.prices["m5.large"].onDemand)
              |
            9 |   prices: {m5.lage: {onDemand: 1}, m5.large: {onDemand: -1}}
              |                                                         ^^

            error: `big` is not in the catalogue
              --> small.yaml:10:24 (spec.instanceTypes.big)
               |
            10 |   instanceTypes: {big: {vcpu: 4}}
               |                        ^
               = help: a type of your own needs `vcpu` and `memory`
        "#]],
    );
    check(
        &minimal("instanceTypes: {own: {vcpu: 4, memory: 16Gi}}").replace("m5.2xlarge", "own"),
        expect![[r#"
            error: no on-demand price of `own` in region `us-west-2` is known; give one as an override
             --> small.yaml:8:35 (spec.nodes.pools[0].instanceTypes[0])
              |
            8 |     - {name: all, instanceTypes: [own], maxSize: 10}
              |                                   ^^^
              = help: set `spec.prices."own".onDemand`
        "#]],
    );
}

#[test]
fn what_cannot_go_together() {
    check_extra(
        "overprovisioning: {replicas: 1, pod: {cpu: 12, memory: 1Gi}, priority: 5}\n\
         assumptions: {nodeBoot: {p99: 1s}, imagePullBytesPerSecond: 0}\n\
         workload: {traces: [{}, {swf: a, pods: b}], timezone: \"??\"}",
        expect![[r#"
            error: a pause pod of 12 CPU and 1.00Gi is larger than any node: the largest has 7760m CPU and 28.63Gi for pods
             --> small.yaml:9:40 (spec.overprovisioning.pod)
              |
            9 |   overprovisioning: {replicas: 1, pod: {cpu: 12, memory: 1Gi}, priority: 5}
              |                                        ^

            error: pause pods of priority 5 are not below the Spark pods' 0: they would never be pushed out
             --> small.yaml:9:40 (spec.overprovisioning.pod)
              |
            9 |   overprovisioning: {replicas: 1, pod: {cpu: 12, memory: 1Gi}, priority: 5}
              |                                        ^
              = help: set `spec.overprovisioning.priority` below it

            error: `nodeBoot`: p99 1s is below p50 1m0s
              --> small.yaml:10:33 (spec.assumptions.nodeBoot.p99)
               |
            10 |   assumptions: {nodeBoot: {p99: 1s}, imagePullBytesPerSecond: 0}
               |                                 ^^

            error: `imagePullBytesPerSecond` is zero: no image would ever arrive
              --> small.yaml:10:63 (spec.assumptions.imagePullBytesPerSecond)
               |
            10 |   assumptions: {nodeBoot: {p99: 1s}, imagePullBytesPerSecond: 0}
               |                                                               ^

            error: a trace without a path
              --> small.yaml:11:23 (spec.workload.traces[0])
               |
            11 |   workload: {traces: [{}, {swf: a, pods: b}], timezone: "??"}
               |                       ^
               = help: one of jobTable, eventLogs, pods, swf

            error: `swf` and `pods` exclude each other
              --> small.yaml:11:33 (spec.workload.traces[1].swf)
               |
            11 |   workload: {traces: [{}, {swf: a, pods: b}], timezone: "??"}
               |                                 ^

            error: `??` is not the name of a time zone
              --> small.yaml:11:57 (spec.workload.timezone)
               |
            11 |   workload: {traces: [{}, {swf: a, pods: b}], timezone: "??"}
               |                                                         ^^^^
               = help: `UTC`, or an IANA name such as `America/Los_Angeles`
        "#]],
    );
    check_extra(
        "spark: {sparkConf: {spark.dynamicAllocation.enabled: true, \
         spark.dynamicAllocation.minExecutors: 5, spark.dynamicAllocation.maxExecutors: 2, \
         spark.executor.memory: 1.5g}}",
        expect![[r#"
            error: at least 5 executors and at most 2
             --> small.yaml:9:100 (spec.spark.sparkConf["spark.dynamicAllocation.minExecutors"])
              |
            9 |   spark: {sparkConf: {spark.dynamicAllocation.enabled: true, spark.dynamicAllocation.minExecutors: 5
              |                                                                                                    ^

            error: `1.5g` is no value of `spark.executor.memory`
             --> small.yaml:9:167 (spec.spark.sparkConf["spark.executor.memory"])
              |
            9 | llocation.maxExecutors: 2, spark.executor.memory: 1.5g}}
              |                                                   ^^^^
              = help: a Spark size such as 512m or 4g (whole numbers only)
        "#]],
    );
}
