//! The scenario written out with every value explicit: what goes into a result folder.
//!
//! Native files are gone into it, the catalogue's prices and shapes too, so that it means the same
//! with another release of the program. Only traces stay outside; an absolute path of one is cut
//! to its file name.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sim::scenario::{
    Adjustment, Assumptions, Capacity, CapacityLimit, CapacityType, HistoryRule, Images,
    InstanceType, LogNormal, NodePool, Orchestrator, RetryLadder, RunRule, Rung, Scenario,
};
use sim::units::{SimDuration, SimTime};
use sim::workload::Failure;

use super::Expected;
use super::spot::SpotSeriesRef;
use super::workload::Read;
use crate::native::cluster_autoscaler::write as ca_flags;
use crate::native::pod_template::{effect_name, write as pod_template};

mod billing;
mod karpenter;
mod scheduler;
mod spark;
mod spot;

/// The scenario as YAML.
pub(super) fn text(
    (scenario, karpenter): (&Scenario, Option<&karpenter::Karpenter>),
    workload: &Read,
    series: &[SpotSeriesRef],
    (plan, expected): (Option<&Value>, Option<&Expected>),
) -> String {
    let mut value = scenario_value(scenario);
    if let Some(read) = karpenter {
        karpenter::put(&mut value["spec"], scenario, read);
    }
    spot::put(&mut value["spec"]["assumptions"], &scenario.assumptions, series);
    value["spec"]["workload"] = workload_value(workload);
    if let Some(plan) = plan {
        value["spec"]["plan"] = plan.clone();
    }
    if let Some(expected) = expected {
        value["metadata"]["expectedEffect"] = json!(expected.effect);
        value["metadata"]["expectedOf"] = json!(expected.of);
    }
    // Every key is a text and every number finite, so that nothing in it cannot be written.
    serde_saphyr::to_string(&value).expect("a JSON value can be written as YAML")
}

fn scenario_value(scenario: &Scenario) -> Value {
    let mut spec = Map::new();
    let mut put = |key: &str, value: Value| {
        spec.insert(key.to_owned(), value);
    };
    put("kubernetesVersion", json!(scenario.kubernetes.to_string()));
    put("region", json!(scenario.region));
    put("workload", Value::Null);
    put("spark", spark::value(scenario));
    put("nodes", nodes(scenario));
    if let Some(autoscaler) = scenario.cluster_autoscaler() {
        let flags = ca_flags::flags(autoscaler, scenario.kubernetes);
        let mut value = json!({ "clusterAutoscaler": { "extraArgs": flags } });
        if let Some(priorities) = ca_flags::priorities(autoscaler) {
            value["clusterAutoscaler"]["priorities"] = priorities;
        }
        put("autoscaler", value);
    }
    put("scheduler", json!({ "profile": scheduler::value(&scenario.scheduler) }));
    if !scenario.orchestrator.is_plain() {
        put("orchestrator", orchestrator(&scenario.orchestrator));
    }
    put("retries", ladder(&scenario.retries));
    put("images", images(&scenario.images));
    if let Some(pause) = &scenario.overprovisioning {
        put(
            "overprovisioning",
            json!({
                "replicas": pause.replicas,
                "pod": { "cpu": pause.cpu.to_string(), "memory": pause.memory.to_string() },
                "priority": pause.priority,
                "podTemplate": pod_template::value(&pause.template),
            }),
        );
    }
    put("fees", billing::fees(&scenario.fees));
    put("billing", billing::terms(&scenario.billing));
    put("instanceTypes", instance_types(scenario.pools.iter().flat_map(|p| &p.instance_types)));
    put("assumptions", assumptions(&scenario.assumptions));
    json!({
        "apiVersion": "seatrial/v1alpha1",
        "kind": "Scenario",
        "metadata": { "name": scenario.name },
        "spec": spec,
    })
}

fn images(images: &Images) -> Value {
    let list: Vec<Value> = images
        .list
        .iter()
        .map(|image| {
            let layers = image.layers.iter();
            let layers: Vec<Value> = layers
                .map(|layer| json!({ "name": layer.name, "size": layer.size.to_string() }))
                .collect();
            json!({ "name": image.name, "layers": layers, "prePulled": image.pre_pulled })
        })
        .collect();
    let mut out = json!({
        "size": images.size.to_string(),
        "prePulled": images.pre_pulled,
        "list": list,
        "maxParallelImagePulls": images.max_parallel_pulls,
        "imageGCHighThresholdPercent": images.gc_high_percent,
        "imageGCLowThresholdPercent": images.gc_low_percent,
        "imageMinimumGCAge": images.gc_minimum_age.to_string(),
    });
    if let Some(rate) = images.registry_bytes_per_s {
        out["registryBytesPerSecond"] = json!(rate.to_string());
    }
    out
}

fn orchestrator(given: &Orchestrator) -> Value {
    let rule = |rule: &RunRule| {
        let mut out = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                out.insert(key.to_owned(), value);
            }
        };
        put("application", rule.application.as_ref().map(|p| json!(p.as_str())));
        put("team", rule.team.as_ref().map(|p| json!(p.as_str())));
        put("critical", rule.critical.map(|critical| json!(critical)));
        put("timeout", rule.timeout.map(|time| json!(time.to_string())));
        put("deadline", rule.deadline.map(|time| json!(time.to_string())));
        Value::Object(out)
    };
    let limits = given.limits.iter().map(
        |limit| json!({ "team": limit.team.as_str(), "concurrentRuns": limit.concurrent_runs }),
    );
    json!({
        "dependencies": if given.ignore_dependencies { "ignore" } else { "wait" },
        "rules": given.rules.iter().map(rule).collect::<Vec<_>>(),
        "limits": limits.collect::<Vec<_>>(),
    })
}

fn workload_value(workload: &Read) -> Value {
    let traces: Vec<Value> = workload
        .traces
        .iter()
        .map(|trace| json!({ trace.kind.key(): portable(&trace.written) }))
        .collect();
    let options = &workload.options;
    let mut out = Map::new();
    out.insert("traces".into(), json!(traces));
    let rescale = &options.rescale;
    let mut scale = json!({
        "arrivals": options.arrivals,
        "input": rescale.input,
        "cpuSpeed": rescale.cpu_speed,
    });
    if let Some(partitions) = rescale.shuffle_partitions {
        scale["shufflePartitions"] = json!(partitions.to);
    }
    out.insert("scale".into(), scale);
    if let Some(resample) = options.resample {
        let resample = json!({ "runsPerDay": resample.runs_per_day, "days": resample.days });
        out.insert("resample".into(), resample);
    }
    out.insert("timezone".into(), json!(options.timezone));
    Value::Object(out)
}

/// A path as it is written; only the last part of an absolute one, which says nothing elsewhere.
fn portable(written: &str) -> String {
    let path = written.replace('\\', "/");
    let drive = path.as_bytes().get(1) == Some(&b':');
    if !path.contains("://") && (path.starts_with('/') || drive) {
        path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
    } else {
        path
    }
}

fn nodes(scenario: &Scenario) -> Value {
    let pools: Vec<Value> = scenario.pools.iter().map(pool).collect();
    let daemonsets = &scenario.daemonsets;
    json!({
        "pools": pools,
        "daemonsets": {
            "cpu": daemonsets.cpu.to_string(),
            "memory": daemonsets.memory.to_string(),
            "pods": daemonsets.pods,
        },
    })
}

fn pool(pool: &NodePool) -> Value {
    let taints: Vec<Value> = pool
        .taints
        .iter()
        .map(|taint| {
            json!({ "key": taint.key, "value": taint.value, "effect": effect_name(taint.effect) })
        })
        .collect();
    let types: Vec<&str> = pool.instance_types.iter().map(|found| found.name.as_str()).collect();
    let mut out = json!({
        "name": pool.name,
        "capacityType": match pool.capacity_type {
            CapacityType::Spot => "spot",
            CapacityType::OnDemand => "on-demand",
        },
        "instanceTypes": types,
        "minSize": pool.min_size,
        "desiredSize": pool.desired_size,
        "maxSize": pool.max_size,
        "allocationStrategy": pool.allocation_strategy.name(),
        "zones": pool.zones,
        "labels": pool.labels,
        "taints": taints,
        "volumeSize": pool.volume.to_string(),
        "scaleDownDisabled": pool.scale_down_disabled,
    });
    if let Some(max_pods) = pool.max_pods {
        out["maxPods"] = json!(max_pods);
    }
    out
}

fn instance_types<'t>(types: impl Iterator<Item = &'t InstanceType>) -> Value {
    let types: BTreeMap<&str, Value> =
        types.map(|found| (found.name.as_str(), instance_type(found))).collect();
    json!(types)
}

fn instance_type(found: &InstanceType) -> Value {
    let mut out = json!({
        "arch": found.arch,
        "vcpu": found.vcpu,
        "memory": found.memory.to_string(),
        "allocatableCpu": found.allocatable_cpu.to_string(),
        "allocatableMemory": found.allocatable_memory.to_string(),
        "maxPods": found.max_pods,
        "gpus": found.gpus,
        "onDemandPrice": found.on_demand_price.as_usd_f64(),
    });
    if let Some(price) = found.spot_price {
        out["spotPrice"] = json!(price.as_usd_f64());
    }
    if let Some(band) = found.interruption_band {
        out["interruptionBand"] = json!(band);
    }
    out
}

pub(super) fn ladder(ladder: &RetryLadder) -> Value {
    let mut out = json!({
        "name": ladder.name,
        "ladder": ladder.rungs.iter().map(rung).collect::<Vec<_>>(),
        "criticalOnDemand": ladder.critical_on_demand,
    });
    if !ladder.history.is_empty() {
        let rule = |rule: &HistoryRule| {
            json!({
                "when": names(&rule.when),
                "within": rule.within.to_string(),
                "sameRun": rule.same_run,
                "compounding": rule.compounding,
                "adjust": adjustments(&rule.adjust),
            })
        };
        out["history"] = ladder.history.iter().map(rule).collect();
    }
    if let Some(rough) = ladder.spot_rough {
        out["onDemandWhenRough"] =
            json!({ "retryShare": rough.retry_share, "within": rough.within.to_string() });
    }
    out
}

fn rung(rung: &Rung) -> Value {
    let mut out = json!({
        "when": names(&rung.when),
        "adjust": adjustments(&rung.adjust),
        "attemptsMax": rung.attempts_max,
        "backoff": rung.backoff.to_string(),
        "backoffFactor": rung.backoff_factor,
        "backoffStep": rung.backoff_step.to_string(),
    });
    if !rung.steps.is_empty() {
        let steps = rung.steps.iter();
        out["steps"] = steps.map(|step| json!({ "adjust": adjustments(step) })).collect();
    }
    if rung.backoff_max != SimDuration::MAX {
        out["backoffMax"] = json!(rung.backoff_max.to_string());
    }
    out
}

fn names(failures: &[Failure]) -> Vec<&'static str> {
    failures.iter().map(|failure| failure.name()).collect()
}

fn adjustments(adjustments: &[Adjustment]) -> Vec<Value> {
    adjustments.iter().map(adjustment).collect()
}

fn adjustment(adjustment: &Adjustment) -> Value {
    let memory =
        |factor: &f64, max: &sim::units::Bytes| json!({ "factor": factor, "max": max.to_string() });
    match adjustment {
        Adjustment::ExecutorMemory { factor, max } => {
            json!({ "executorMemory": memory(factor, max) })
        }
        Adjustment::DriverMemory { factor, max } => json!({ "driverMemory": memory(factor, max) }),
        Adjustment::ExecutorCount { factor, max } => {
            json!({ "executorCount": { "factor": factor, "max": max } })
        }
        Adjustment::OnDemand => json!({ "onDemand": true }),
        Adjustment::TaskCpus { factor } => json!({ "taskCpus": factor }),
    }
}

fn latency(latency: &LogNormal) -> Value {
    json!({
        "distribution": "lognormal",
        "p50": latency.p50.to_string(),
        "p99": latency.p99.to_string(),
    })
}

fn assumptions(given: &Assumptions) -> Value {
    json!({
        "nodeBoot": latency(&given.node_boot),
        "imagePullBytesPerSecond": given.image_pull_bytes_per_s.to_string(),
        "containerStart": given.container_start.to_string(),
        "driverStart": latency(&given.driver_start),
        "executorStart": latency(&given.executor_start),
        "spotNotice": given.spot_notice.to_string(),
        "capacity": capacity(&given.capacity),
        "spotDrain": given.spot_drain,
        "terminationGrace": given.termination_grace.to_string(),
        "unschedulableTimeout": given.unschedulable_timeout.to_string(),
        "runTimeout": given.run_timeout.to_string(),
        "taskDurationCv": given.task_duration_cv,
        "meanTaskDuration": given.mean_task_duration.to_string(),
        "schedulerPodsPerSecond": given.scheduler_pods_per_s,
        "daemonsetStart": given.daemonset_start.to_string(),
        "initContainer": given.init_container.to_string(),
        "podTermination": given.pod_termination.to_string(),
        "imageDiskFactor": given.image_disk_factor,
        "systemDisk": given.system_disk.to_string(),
        "eventTtl": given.event_ttl.to_string(),
        "eventObjectBytes": given.event_object_bytes.to_string(),
        "podObjectBytes": given.pod_object_bytes.to_string(),
        "etcdQuota": given.etcd_quota.to_string(),
        "executorWarmUp": given.executor_warm_up.to_string(),
        "taskWarmUp": given.executor_warm_up_tasks.to_string(),
        "executorWarmTime": given.executor_warm_time.to_string(),
        "hostCores": given.host_cores,
        "localDisk": {
            "emptyDir": given.local_disk.empty_dir.to_string(),
            "tmpfs": given.local_disk.tmpfs.to_string(),
            "hostPath": given.local_disk.host_path.to_string(),
            "persistentVolumeClaim": given.local_disk.persistent_volume_claim.to_string(),
        },
        "networkThroughput": given.network_bytes_per_s.to_string(),
        "spillSlowdown": given.spill_slowdown,
        "objectStoreCopy": given.object_store_copy_bytes_per_s.to_string(),
        "commitRename": given.commit_rename.to_string(),
    })
}

fn capacity(given: &Capacity) -> Value {
    let limit = |limit: &CapacityLimit| {
        let mut value = json!({
            "capacityType": limit.capacity_type.name().replace('_', "-"),
            "maxInstances": limit.max_instances,
            "from": limit.from.since(SimTime::ZERO).to_string(),
            "probability": limit.probability,
        });
        for (key, name) in [("instanceType", &limit.instance_type), ("zone", &limit.zone)] {
            if let Some(name) = name {
                value[key] = json!(name);
            }
        }
        if limit.until < SimTime::MAX {
            value["until"] = json!(limit.until.since(SimTime::ZERO).to_string());
        }
        value
    };
    let mut value = json!({
        "limits": given.limits.iter().map(limit).collect::<Vec<_>>(),
        "launchesHang": given.failure_seen_after.is_none(),
    });
    if let Some(time) = given.failure_seen_after {
        value["failureSeenAfter"] = json!(time.to_string());
    }
    let quotas =
        [("spotVcpus", given.spot_vcpu_quota), ("onDemandVcpus", given.on_demand_vcpu_quota)];
    for (key, quota) in quotas {
        if let Some(quota) = quota {
            value[key] = json!(quota);
        }
    }
    value
}
