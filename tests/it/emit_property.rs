//! Whatever is set, what `emit` writes reads back as the scenario.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::emit::{emitted, folder, meaning};
use crate::invariants::cases;

/// Texts that readers of YAML like to take for something else, or to cut short.
fn a_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("on"),
        Just("no"),
        Just("~"),
        Just("1:30"),
        Just("0x1f"),
        Just("1e3"),
        Just("plain"),
        Just("12"),
        Just("012"),
        Just("null"),
        Just("1.10"),
        Just("a-b_c.d"),
    ]
    .prop_map(str::to_owned)
}

fn labels() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[a-z]{1,6}(\\.example/[a-z]{1,4})?", a_text(), 0..3)
        .prop_map(|labels| json!(labels))
}

fn seconds(range: std::ops::Range<u32>) -> impl Strategy<Value = String> {
    range.prop_map(|seconds| format!("{seconds}s"))
}

fn a_pool(place: usize) -> impl Strategy<Value = Value> {
    let types = proptest::sample::subsequence(
        vec!["m5.xlarge", "m5.2xlarge", "r5.2xlarge", "r5a.2xlarge", "c5.4xlarge", "m5d.4xlarge"],
        1..4,
    );
    let sizes = (0u32..3, 0u32..4, 0u32..90);
    let strategies = ["prioritized", "capacity-optimized", "lowest-price"];
    let strategy = proptest::sample::select(strategies.to_vec());
    let extras = (labels(), proptest::option::of(8u32..200), 1u32..2000, any::<[bool; 3]>());
    let effect = proptest::sample::select(vec!["NoSchedule", "NoExecute", "PreferNoSchedule"]);
    (any::<bool>(), types, sizes, strategy, extras, effect, a_text()).prop_map(
        move |(spot, types, sizes, strategy, (labels, pods, gib, flags), effect, text)| {
            let mut pool = json!({
                "name": format!("pool-{place}"),
                "capacityType": if spot { "spot" } else { "on-demand" },
                "instanceTypes": types,
                "minSize": sizes.0,
                "desiredSize": sizes.0 + sizes.1,
                "maxSize": sizes.0 + sizes.1 + sizes.2,
                "labels": labels,
                "volumeSize": format!("{gib}Gi"),
                "scaleDownDisabled": flags[0],
            });
            if spot {
                pool["allocationStrategy"] = json!(strategy);
            }
            if let Some(pods) = pods {
                pool["maxPods"] = json!(pods);
            }
            if flags[1] {
                pool["taints"] = json!([{"key": "own", "value": text, "effect": effect}]);
            }
            if flags[2] {
                pool["zones"] = json!(["us-west-2b"]);
            }
            pool
        },
    )
}

fn spark() -> impl Strategy<Value = Value> {
    let sizes = (1u32..9, 512u32..60_000, 1u32..40, proptest::option::of(100u32..4000));
    let switches = any::<[bool; 5]>();
    let version = proptest::sample::select(vec!["3.1", "3.3", "3.5", "4.0", "4.2"]);
    let pods = (labels(), labels(), -5i32..9, 1u32..300);
    (version, sizes, switches, pods, a_text()).prop_map(|(version, sizes, on, pods, text)| {
        let mut conf = Map::new();
        let mut set = |key: &str, value: String| {
            conf.insert(format!("spark.{key}"), json!(value));
        };
        set("executor.cores", sizes.0.to_string());
        set("executor.memory", format!("{}m", sizes.1));
        set("executor.instances", sizes.2.to_string());
        set("app.note", text);
        if let Some(milli) = sizes.3 {
            set("kubernetes.executor.request.cores", format!("{milli}m"));
        }
        if on[0] {
            set("dynamicAllocation.enabled", "true".to_owned());
            set("dynamicAllocation.shuffleTracking.enabled", on[1].to_string());
            set("dynamicAllocation.maxExecutors", (sizes.2 + 5).to_string());
        }
        if on[2] {
            set("decommission.enabled", "true".to_owned());
            set("storage.decommission.enabled", on[3].to_string());
        }
        if on[4] {
            set("speculation", "true".to_owned());
        }
        json!({
            "version": version,
            "sparkConf": conf,
            "driverPodTemplate": {"metadata": {"labels": pods.0}, "spec": {"priority": pods.2}},
            "executorPodTemplate": {"spec": {
                "nodeSelector": pods.1,
                "tolerations": [{"key": "own", "operator": "Exists"}],
                "terminationGracePeriodSeconds": pods.3,
            }},
        })
    })
}

fn autoscaler() -> impl Strategy<Value = Option<Value>> {
    let expanders = ["random", "least-waste", "most-pods", "priority", "priority,least-waste"];
    let expander = proptest::sample::select(expanders.to_vec());
    let times = (seconds(1..100), seconds(1..3000), seconds(0..3000), 1u32..100);
    let flags = (any::<bool>(), any::<bool>(), 1u32..2000);
    let some = (expander, times, flags).prop_map(|(expander, times, flags)| {
        let mut out = json!({"extraArgs": {
            "expander": expander,
            "scan-interval": times.0,
            "scale-down-unneeded-time": times.1,
            "scale-down-delay-after-add": times.2,
            "scale-down-utilization-threshold": f64::from(times.3) / 100.0,
            "balance-similar-node-groups": flags.0,
            "skip-nodes-with-local-storage": flags.1,
            "max-nodes-total": flags.2,
        }});
        if expander.contains("priority") {
            out["priorities"] = json!({"50": [".*0.*"], "10": [".*", "0x1f"]});
        }
        json!({ "clusterAutoscaler": out })
    });
    proptest::option::weighted(0.8, prop_oneof![some, karpenter()])
}

/// A NodePool with its class, and changes on top.
fn karpenter() -> impl Strategy<Value = Value> {
    let families = proptest::sample::subsequence(vec!["m5", "r5", "c5", "r5a"], 1..4);
    let capacity = proptest::sample::subsequence(vec!["spot", "on-demand"], 1..3);
    let policies = ["WhenEmpty", "WhenEmptyOrUnderutilized", "Balanced"];
    let policy = proptest::sample::select(policies.to_vec());
    let times = (seconds(1..900), seconds(1..900), 1u32..101, 0u32..101);
    let disk = (1u32..2000, proptest::option::of(8u32..200), any::<[bool; 4]>());
    (families, capacity, policy, times, disk, a_text()).prop_map(
        |(families, capacity, policy, times, (gib, pods, flags), text)| {
            let mut pool = json!({
                "apiVersion": "karpenter.sh/v1",
                "kind": "NodePool",
                "metadata": {"name": "jobs"},
                "spec": {
                    "weight": times.2,
                    "template": {
                        "metadata": {"labels": {"note": text}},
                        "spec": {
                            "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass",
                                             "name": "disk"},
                            "requirements": [
                                {"key": "karpenter.sh/capacity-type", "operator": "In",
                                 "values": capacity},
                                {"key": "karpenter.k8s.aws/instance-family", "operator": "In",
                                 "values": families, "minValues": 1},
                                {"key": "karpenter.k8s.aws/instance-cpu", "operator": "Lt",
                                 "values": ["17"]},
                            ],
                        },
                    },
                    "disruption": {"consolidationPolicy": policy, "consolidateAfter": times.0},
                    "limits": {"cpu": "100"},
                },
            });
            if flags[0] {
                let window = json!([{"nodes": format!("{}%", times.3), "reasons": ["Empty"],
                                     "schedule": "0 9 * * mon-fri", "duration": "8h"}]);
                pool["spec"]["disruption"]["budgets"] = window;
            }
            if flags[1] {
                pool["spec"]["template"]["spec"]["taints"] =
                    json!([{"key": "own", "effect": "NoSchedule"}]);
            }
            let mut class = json!({
                "apiVersion": "karpenter.k8s.aws/v1",
                "kind": "EC2NodeClass",
                "metadata": {"name": "disk"},
                "spec": {
                    "role": "nodes",
                    "amiSelectorTerms": [{"alias": "al2023@latest"}],
                    "subnetSelectorTerms": [{"tags": {"karpenter.sh/discovery": "c"}}],
                    "securityGroupSelectorTerms": [{"tags": {"karpenter.sh/discovery": "c"}}],
                    "blockDeviceMappings": [
                        {"deviceName": "/dev/xvda", "ebs": {"volumeSize": format!("{gib}Gi")}}],
                },
            });
            if let Some(pods) = pods {
                class["spec"]["kubelet"] =
                    json!({"maxPods": pods, "kubeReserved": {"cpu": "200m"}});
            }
            let mut out = json!({"manifests": [pool, class]});
            if flags[2] {
                out["nodePools"] = json!({"jobs": {"consolidateAfter": times.1, "driftAt": ["1h"],
                    "requirements": {"karpenter.k8s.aws/instance-size": ["xlarge", "2xlarge"]}}});
            }
            if flags[3] {
                out["settings"] = json!({"batchIdleDuration": times.0,
                                         "featureGates": {"spotToSpotConsolidation": true}});
            }
            json!({ "karpenter": out })
        },
    )
}

fn scheduler() -> impl Strategy<Value = Option<Value>> {
    let strategies = ["LeastAllocated", "MostAllocated"];
    let fit = (1u32..9, proptest::sample::select(strategies.to_vec()), 1u32..9, 1u32..9);
    let times = (seconds(1..5), seconds(5..60), 0u32..101);
    let some = (fit, 1u32..9, times).prop_map(|(fit, spread, times)| {
        json!({"profile": {
            "podInitialBackoff": times.0,
            "podMaxBackoff": times.1,
            "percentageOfNodesToScore": times.2,
            "scores": [
                {"plugin": "NodeResourcesFit", "weight": fit.0, "strategy": fit.1,
                 "cpu": fit.2, "memory": fit.3},
                {"plugin": "PodTopologySpread", "weight": spread},
            ],
        }})
    });
    proptest::option::of(some)
}

fn retries() -> impl Strategy<Value = Value> {
    let presets = ["none", "flotilla-2021", "flotilla-2026", "emr-on-eks", "spark-operator"];
    let preset =
        proptest::sample::select(presets.to_vec()).prop_map(|name| json!({"preset": name}));
    let rung = (2u32..9, seconds(0..900), 10u32..30, 1u32..8).prop_map(|(most, wait, by, cpus)| {
        json!({"ladder": [
            {"when": ["executor_oom"], "attemptsMax": most, "backoff": wait,
             "adjust": [{"executorMemory": {"factor": f64::from(by) / 10.0, "max": "200Gi"}}]},
            {"when": ["spot", "timeout"], "attemptsMax": most,
             "adjust": [{"onDemand": true}, {"taskCpus": cpus + 1}]},
        ]})
    });
    prop_oneof![preset, rung]
}

fn a_scenario() -> impl Strategy<Value = Value> {
    let pools = (a_pool(0), a_pool(1), a_pool(2));
    let version = proptest::sample::select(vec!["1.21", "1.24", "1.29", "1.33", "1.36"]);
    let images = (seconds(1..9), any::<bool>(), 100u32..9000);
    let policies = (autoscaler(), scheduler(), retries());
    let warm = proptest::option::of((1u32..50, 100u32..3000, -90i32..-5));
    (version, spark(), pools, policies, images, warm).prop_map(
        |(version, spark, pools, (autoscaler, scheduler, retries), images, warm)| {
            let mut spec = json!({
                "kubernetesVersion": version,
                "region": "us-west-2",
                "spark": spark,
                "nodes": {"pools": [pools.0, pools.1, pools.2]},
                "retries": retries,
                "images": {"size": format!("{}Mi", images.2), "prePulled": images.1},
                "assumptions": {"containerStart": images.0},
            });
            if let Some(autoscaler) = autoscaler {
                spec["autoscaler"] = autoscaler;
            }
            if let Some(scheduler) = scheduler {
                spec["scheduler"] = scheduler;
            }
            if let Some((replicas, cpu, priority)) = warm {
                spec["overprovisioning"] = json!({
                    "replicas": replicas,
                    "pod": {"cpu": format!("{cpu}m"), "memory": "1Gi"},
                    "priority": priority,
                });
            }
            json!({"apiVersion": "seatrial/v1alpha1", "kind": "Scenario", "spec": spec})
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(40),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_is_set_is_read_back(scenario in a_scenario()) {
        let folder = folder();
        // JSON is YAML.
        let loaded = scenarios::load_text("random.yaml", &scenario.to_string())
            .unwrap_or_else(|error| panic!("{error}\n{scenario:#}"));
        let target = folder.path().join("out");
        emitted(&loaded, &target);
        let again = scenarios::load(&target.join("scenario.yaml"), &[])
            .unwrap_or_else(|error| panic!("{error}\n{scenario:#}"));
        let (before, after) = (meaning(&loaded), meaning(&again));
        for (key, value) in before["spec"].as_object().expect("a map") {
            prop_assert_eq!(value, &after["spec"][key], "spec.{}", key);
        }
        prop_assert_eq!(&before, &after);
    }
}
