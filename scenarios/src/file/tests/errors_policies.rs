//! What users see when a policy is wrong: ladders, autoscaler, scheduler, the bill.

use expect_test::expect;

use super::errors::check_extra;

#[test]
fn ladders() {
    check_extra(
        "retries:\n  ladder:\n  - {when: [spot, oom], attemptsMax: 0}\n  - {when: [spot], \
         attemptsMax: 2, backoff: 5m, backoffMax: 1m, adjust: [{}, {onDemand: false}, \
         {executorCount: {factor: 2}}]}\n",
        expect![[r#"
            error: unknown value `oom`
              --> small.yaml:11:21 (spec.retries.ladder[0].when[1])
               |
            11 |     - {when: [spot, oom], attemptsMax: 0}
               |                     ^^^
               = help: known: `executor_oom`, `driver_oom`, `timeout`, `spot`, `application`, `transient`, `unschedulable`, `preempted`, `drained`, `driver_lost`, `image_pull`

            error: `attemptsMax`: expected a whole number from 1 to 100, found `0`
              --> small.yaml:11:40 (spec.retries.ladder[0].attemptsMax)
               |
            11 |     - {when: [spot, oom], attemptsMax: 0}
               |                                        ^

            error: `spot` is answered by an earlier rung already
              --> small.yaml:12:15 (spec.retries.ladder[1].when[0])
               |
            12 |     - {when: [spot], attemptsMax: 2, backoff: 5m, backoffMax: 1m, adjust: [{}, {onDemand: false}, {e
               |               ^^^^

            error: `backoffMax` 1m0s is below `backoff` 5m0s
              --> small.yaml:12:63 (spec.retries.ladder[1].backoffMax)
               |
            12 |     - {when: [spot], attemptsMax: 2, backoff: 5m, backoffMax: 1m, adjust: [{}, {onDemand: false}, {e
               |                                                               ^^

            error: an adjustment of nothing
              --> small.yaml:12:76 (spec.retries.ladder[1].adjust[0])
               |
            12 |     - {when: [spot], attemptsMax: 2, backoff: 5m, backoffMax: 1m, adjust: [{}, {onDemand: false}, {e
               |                                                                            ^
               = help: one of executorMemory, driverMemory, executorCount, onDemand, taskCpus

            error: `onDemand: false` changes nothing
              --> small.yaml:12:91 (spec.retries.ladder[1].adjust[1].onDemand)
               |
            12 |     - {when: [spot], attemptsMax: 2, backoff: 5m, backoffMax: 1m, adjust: [{}, {onDemand: false}, {e
               |                                                                                           ^^^^^

            error: `max` is missing
              --> small.yaml:12:115 (spec.retries.ladder[1].adjust[2].executorCount.max)
               |
            12 | , adjust: [{}, {onDemand: false}, {executorCount: {factor: 2}}]}
               |                                                   ^
        "#]],
    );
    check_extra(
        "retries: {preset: flotila-2021}",
        expect![[r#"
        error: unknown value `flotila-2021`
         --> small.yaml:9:21 (spec.retries.preset)
          |
        9 |   retries: {preset: flotila-2021}
          |                     ^^^^^^^^^^^^
          = help: did you mean `flotilla-2021`?
    "#]],
    );
    check_extra(
        "retries: {preset: none, ladder: []}",
        expect![[r#"
        error: `ladder` and `preset` exclude each other
         --> small.yaml:9:35 (spec.retries.ladder)
          |
        9 |   retries: {preset: none, ladder: []}
          |                                   ^
    "#]],
    );
}

#[test]
fn autoscalers_and_schedulers() {
    check_extra(
        "autoscaler: {clusterAutoscaler: {extraArgs: {scale-down-uneeded-time: 5m, \
         scan-interval: often}}}",
        expect![[r#"
            error: Cluster Autoscaler 1.36 has no flag `scale-down-uneeded-time`
             --> small.yaml:9:73 (spec.autoscaler.clusterAutoscaler.extraArgs.scale-down-uneeded-time)
              |
            9 |   autoscaler: {clusterAutoscaler: {extraArgs: {scale-down-uneeded-time: 5m, scan-interval: often}}}
              |                                                                         ^^
              = help: did you mean `scale-down-unneeded-time`?

            error: `often` is no value of flag `scan-interval`
             --> small.yaml:9:92 (spec.autoscaler.clusterAutoscaler.extraArgs.scan-interval)
              |
            9 |   autoscaler: {clusterAutoscaler: {extraArgs: {scale-down-uneeded-time: 5m, scan-interval: often}}}
              |                                                                                            ^^^^^
              = help: a duration with its unit, such as 90s, 5m or 1h30m
        "#]],
    );
    check_extra(
        "autoscaler: {karpenter: {manifests: k.yaml}}",
        expect![[r#"
            error: `k.yaml`: no such file
             --> small.yaml:9:39 (spec.autoscaler.karpenter.manifests)
              |
            9 |   autoscaler: {karpenter: {manifests: k.yaml}}
              |                                       ^^^^^^
        "#]],
    );
    check_extra(
        "scheduler:\n  profile:\n    scores:\n    - {plugin: ImageLocality, cpu: 2}\n    \
         - {plugin: ImageLocality}\n    - {plugin: NodeResourcesFit, strategy: \
         RequestedToCapacityRatio}\n    - {plugin: NodeResourcesFit, weight: 0, shape: []}\n",
        expect![[r#"
            error: `cpu` is for NodeResourcesFit, not for ImageLocality
              --> small.yaml:12:38 (spec.scheduler.profile.scores[0].cpu)
               |
            12 |       - {plugin: ImageLocality, cpu: 2}
               |                                      ^

            error: plugin `ImageLocality` is listed twice
              --> small.yaml:13:9 (spec.scheduler.profile.scores[1])
               |
            13 |       - {plugin: ImageLocality}
               |         ^

            error: RequestedToCapacityRatio needs a `shape` of at least one point
              --> small.yaml:14:9 (spec.scheduler.profile.scores[2])
               |
            14 |       - {plugin: NodeResourcesFit, strategy: RequestedToCapacityRatio}
               |         ^

            error: `weight`: expected a whole number from 1 to 2147483647, found `0`
              --> small.yaml:15:44 (spec.scheduler.profile.scores[3].weight)
               |
            15 |       - {plugin: NodeResourcesFit, weight: 0, shape: []}
               |                                            ^

            error: `shape` is for the strategy RequestedToCapacityRatio
              --> small.yaml:15:54 (spec.scheduler.profile.scores[3].shape)
               |
            15 |       - {plugin: NodeResourcesFit, weight: 0, shape: []}
               |                                                      ^
        "#]],
    );
}

#[test]
fn terms_of_the_bill() {
    check_extra(
        "billing:\n\
         \x20 timezone: Europe/Berln\n\
         \x20 discount: 5\n\
         \x20 commitments: [{discount: 0.1}, {discount: 0.1, savingsPlan: {}},\n\
         \x20   {discount: 0.1, reservedInstances: {instanceType: m5.lrge, count: 1}}]",
        expect![[r#"
            error: `Europe/Berln` is not the name of a time zone
              --> small.yaml:10:15 (spec.billing.timezone)
               |
            10 |     timezone: Europe/Berln
               |               ^^^^^^^^^^^^
               = help: did you mean `Europe/Berlin`?

            error: `discount`: expected a number from 0 to 1, found `5`
              --> small.yaml:11:15 (spec.billing.discount)
               |
            11 |     discount: 5
               |               ^

            error: a commitment that covers nothing
              --> small.yaml:12:19 (spec.billing.commitments[0])
               |
            12 |     commitments: [{discount: 0.1}, {discount: 0.1, savingsPlan: {}},
               |                   ^
               = help: one of reservedInstances, savingsPlan

            error: `perHour` is missing
              --> small.yaml:12:65 (spec.billing.commitments[1].savingsPlan.perHour)
               |
            12 |     commitments: [{discount: 0.1}, {discount: 0.1, savingsPlan: {}},
               |                                                                 ^

            error: unknown instance type `m5.lrge`; nearest known: m5.large, c5.large, m1.large
              --> small.yaml:13:57 (spec.billing.commitments[2].reservedInstances.instanceType)
               |
            13 |       {discount: 0.1, reservedInstances: {instanceType: m5.lrge, count: 1}}]
               |                                                         ^^^^^^^
        "#]],
    );
}
