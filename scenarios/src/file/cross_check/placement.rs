//! Which node pools a pod may run on, and whether it fits their nodes.

use std::collections::BTreeMap;

use sim::scenario::{
    InstanceType, LabelRequirement, NodePool, NodeSelectorTerm, PodTemplate, Scenario,
    SparkDefaults, TaintEffect,
};
use sim::units::{Bytes, MilliCores};

/// What a pod asks for.
pub(crate) struct Requests {
    pub cpu: MilliCores,
    pub memory: Bytes,
}

pub(crate) fn driver_requests(spark: &SparkDefaults) -> Requests {
    let cores = MilliCores::cores(u64::from(spark.driver_cores));
    Requests {
        cpu: spark.driver_request_cores.unwrap_or(cores),
        memory: spark.overheads.driver_container(spark.driver_memory, spark.driver_memory_overhead),
    }
}

pub(crate) fn executor_requests(spark: &SparkDefaults) -> Requests {
    let cores = MilliCores::cores(u64::from(spark.executor_cores));
    let (heap, overhead) = (spark.executor_memory, spark.executor_memory_overhead);
    Requests {
        cpu: spark.executor_request_cores.unwrap_or(cores),
        memory: spark.overheads.executor_container(heap, overhead),
    }
}

/// The type that decides what fits: the first one of a group; the largest one of Karpenter's, which
/// chooses by what pods need.
fn decisive<'p>(scenario: &Scenario, pool: &'p NodePool) -> &'p InstanceType {
    let first = &pool.instance_types[0];
    match type_labels(scenario, pool) {
        Some(_) => {
            let size = |node: &&InstanceType| (node.allocatable_memory, node.allocatable_cpu);
            pool.instance_types.iter().max_by_key(size).unwrap_or(first)
        }
        None => first,
    }
}

/// Labels by type, of a pool that is Karpenter's.
fn type_labels<'s>(
    scenario: &'s Scenario,
    pool: &NodePool,
) -> Option<&'s BTreeMap<String, BTreeMap<String, String>>> {
    let owner = scenario.karpenter()?.node_pools.iter().find(|owner| {
        owner.groups.iter().any(|place| scenario.pools[*place as usize].name == pool.name)
    });
    owner.map(|owner| &owner.type_labels)
}

/// Room for pods on a node of the pool's decisive type, after the DaemonSets.
fn room(scenario: &Scenario, pool: &NodePool) -> Requests {
    let node = decisive(scenario, pool);
    Requests {
        cpu: node.allocatable_cpu.saturating_sub(scenario.daemonsets.cpu),
        memory: node.allocatable_memory.saturating_sub(scenario.daemonsets.memory),
    }
}

pub(super) fn fits(scenario: &Scenario, pool: &NodePool, requests: &Requests) -> bool {
    let room = room(scenario, pool);
    requests.cpu <= room.cpu && requests.memory <= room.memory
}

pub(super) fn largest(scenario: &Scenario, pools: &[&NodePool]) -> Requests {
    let mut largest = Requests { cpu: MilliCores::ZERO, memory: Bytes::ZERO };
    for pool in pools {
        let room = room(scenario, pool);
        largest.cpu = largest.cpu.max(room.cpu);
        largest.memory = largest.memory.max(room.memory);
    }
    largest
}

/// Why no pool can take such a pod, where none can.
pub(super) fn placement(
    scenario: &Scenario,
    role: &str,
    requests: &Requests,
    template: &PodTemplate,
) -> Option<(&'static str, String)> {
    let of_any_size = scenario.pools.iter().filter(|pool| pool.max_size > 0);
    let open: Vec<&NodePool> =
        of_any_size.clone().filter(|pool| mismatch(scenario, template, pool).is_none()).collect();
    if open.is_empty() {
        let reason = |pool: &NodePool| {
            Some(format!("{} {}", pool.name, mismatch(scenario, template, pool)?))
        };
        let reasons: Vec<String> = of_any_size.filter_map(reason).collect();
        let message = format!("no node pool is for {role} pods: {}", reasons.join("; "));
        return Some(("no-matching-pool", message));
    }
    if open.iter().any(|pool| fits(scenario, pool, requests)) {
        return None;
    }
    let (cpu, memory) = (requests.cpu, gib(requests.memory));
    let article = if role.starts_with('e') { "an" } else { "a" };
    let reasons: Vec<String> = open.iter().map(|pool| shortage(scenario, pool, requests)).collect();
    let message = format!(
        "{article} {role} asks {cpu} CPU and {memory}, and fits no node: {}",
        reasons.join("; ")
    );
    Some(("pod-fits-no-node", message))
}

/// The arithmetic of one pool.
fn shortage(scenario: &Scenario, pool: &NodePool, requests: &Requests) -> String {
    let (node, daemonsets, room) =
        (decisive(scenario, pool), &scenario.daemonsets, room(scenario, pool));
    let mut short = Vec::new();
    if requests.cpu > room.cpu {
        short.push(format!(
            "CPU {} - {} DaemonSets = {} is below {}",
            node.allocatable_cpu, daemonsets.cpu, room.cpu, requests.cpu,
        ));
    }
    if requests.memory > room.memory {
        short.push(format!(
            "memory {} - {} DaemonSets = {} is below {}",
            gib(node.allocatable_memory),
            gib(daemonsets.memory),
            gib(room.memory),
            gib(requests.memory),
        ));
    }
    format!("{} ({}): {}", pool.name, node.name, short.join(", "))
}

/// Why the pool's nodes are not for such a pod; `None` where they are.
pub(super) fn mismatch(
    scenario: &Scenario,
    template: &PodTemplate,
    pool: &NodePool,
) -> Option<String> {
    let Some(by_type) = type_labels(scenario, pool) else {
        return mismatch_of(&pool.labels, template, pool);
    };
    let mut reason = None;
    for found in &pool.instance_types {
        let mut labels = pool.labels.clone();
        labels.extend(
            by_type.get(&found.name).into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())),
        );
        reason = Some(mismatch_of(&labels, template, pool)?);
    }
    reason
}

fn mismatch_of(
    labels: &BTreeMap<String, String>,
    template: &PodTemplate,
    pool: &NodePool,
) -> Option<String> {
    const ZONE: &str = "topology.kubernetes.io/zone";
    for (key, value) in &template.node_selector {
        let has = match key.as_str() {
            // A label of single nodes: the pool's zones say which values there are.
            ZONE => pool.zones.contains(value),
            _ => labels.get(key) == Some(value),
        };
        if !has {
            return Some(format!("has no label {key}={value}"));
        }
    }
    let terms = &template.required_node_affinity;
    let meets = |requirement: &LabelRequirement| match requirement.key.as_str() {
        // Not judged here: zone and hostname differ from node to node.
        ZONE | "kubernetes.io/hostname" => true,
        _ => requirement.matches(labels),
    };
    let holds = |term: &NodeSelectorTerm| {
        !term.match_expressions.is_empty() && term.match_expressions.iter().all(meets)
    };
    if !terms.is_empty() && !terms.iter().any(holds) {
        return Some("does not meet the required node affinity".to_owned());
    }
    let refused = pool.taints.iter().find(|taint| {
        taint.effect != TaintEffect::PreferNoSchedule
            && !template.tolerations.iter().any(|toleration| toleration.tolerates(taint))
    });
    refused
        .map(|taint| format!("has the taint {}={} that is not tolerated", taint.key, taint.value))
}

/// Memory in words.
pub(crate) fn gib(memory: Bytes) -> String {
    format!("{:.2}Gi", memory.as_gib_f64())
}
