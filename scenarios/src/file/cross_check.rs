//! Settings of several sections that cannot go together, and pods that no node can take.
//! Spark's own settings are compared where they are read.

use sim::scenario::{NodePool, PodTemplate, Scenario, TaintEffect};
use sim::units::{Bytes, MilliCores};
use sim::{Severity, scenario::SparkDefaults};

use super::context::Context;
use super::overprovisioning::Pause;

/// What a pod asks for.
struct Requests {
    cpu: MilliCores,
    memory: Bytes,
}

/// Reports everything of `scenario` that does not go together.
pub(super) fn check(context: &Context<'_>, scenario: &Scenario, pause: Option<&Pause<'_>>) {
    if let Some(pause) = pause {
        pause_pods(context, scenario, pause);
    }
    if scenario.pools.is_empty() {
        return;
    }
    let defaults = &scenario.spark;
    let driver = (driver_requests(defaults), &defaults.driver_template);
    let executor = (executor_requests(defaults), &defaults.executor_template);
    for (role, (requests, template)) in [("driver", driver), ("executor", executor)] {
        if let Some((code, message)) = placement(scenario, role, &requests, template) {
            context.note(Severity::Warning, code, &format!("spec.spark ({role})"), message);
        }
    }
    if scenario.autoscaler.is_none() && scenario.pools.iter().all(|pool| pool.desired_size == 0) {
        let message = "no node at the start and no autoscaler to launch one: nothing will run";
        context.note(Severity::Warning, "no-nodes", "spec.nodes", message.to_owned());
    }
}

fn pause_pods(context: &Context<'_>, scenario: &Scenario, pause: &Pause<'_>) {
    let value = &pause.value;
    let requests = Requests { cpu: value.cpu, memory: value.memory };
    let open: Vec<&NodePool> = scenario.pools.iter().filter(|pool| pool.max_size > 0).collect();
    if !open.is_empty() && !open.iter().any(|pool| fits(scenario, pool, &requests)) {
        let largest = largest(scenario, &open);
        let message = format!(
            "a pause pod of {} CPU and {} is larger than any node: the largest has {} CPU and {} \
             for pods",
            requests.cpu,
            gib(requests.memory),
            largest.cpu,
            gib(largest.memory),
        );
        pause.pod.problem(message);
    }
    let spark = &scenario.spark;
    let lowest = spark.driver_template.priority.min(spark.executor_template.priority);
    if value.priority >= lowest {
        let message = format!(
            "pause pods of priority {} are not below the Spark pods' {lowest}: they would never be \
             pushed out",
            value.priority,
        );
        pause.pod.problem_with_help(message, "set `spec.overprovisioning.priority` below it");
    }
    let cutoff = scenario.autoscaler.as_ref().map(|ca| ca.expendable_pods_priority_cutoff);
    if let Some(cutoff) = cutoff.filter(|cutoff| value.priority < *cutoff) {
        let message = format!(
            "pause pods of priority {} are below the autoscaler's cutoff {cutoff}: it launches no \
             nodes for them",
            value.priority,
        );
        context.note(Severity::Warning, "pause-pods-expendable", "spec.overprovisioning", message);
    }
}

/// Source: facts-spark A4 (`BasicDriverFeatureStep`).
fn driver_requests(spark: &SparkDefaults) -> Requests {
    let overheads = &spark.overheads;
    let overhead = spark.driver_memory_overhead.unwrap_or_else(|| {
        mebibytes(spark.driver_memory, overheads.driver_factor).max(overheads.minimum)
    });
    let cores = MilliCores::cores(u64::from(spark.driver_cores));
    Requests {
        cpu: spark.driver_request_cores.unwrap_or(cores),
        memory: spark.driver_memory.saturating_add(overhead),
    }
}

/// Source: facts-spark A4 (`BasicExecutorFeatureStep`).
fn executor_requests(spark: &SparkDefaults) -> Requests {
    let overheads = &spark.overheads;
    let overhead = spark.executor_memory_overhead.unwrap_or_else(|| {
        mebibytes(spark.executor_memory, overheads.executor_factor).max(overheads.minimum)
    });
    let cores = MilliCores::cores(u64::from(spark.executor_cores));
    let memory = spark.executor_memory.saturating_add(overhead);
    Requests {
        cpu: spark.executor_request_cores.unwrap_or(cores),
        memory: memory.saturating_add(overheads.off_heap).saturating_add(overheads.pyspark),
    }
}

/// A share of a heap, in whole MiB as Spark computes it.
fn mebibytes(heap: Bytes, factor: f64) -> Bytes {
    Bytes::mib((heap.as_mib_floor() as f64 * factor).floor() as u64)
}

/// Room for pods on a node of the pool's first type, after the DaemonSets.
fn room(scenario: &Scenario, pool: &NodePool) -> Requests {
    let node = &pool.instance_types[0];
    Requests {
        cpu: node.allocatable_cpu.saturating_sub(scenario.daemonsets.cpu),
        memory: node.allocatable_memory.saturating_sub(scenario.daemonsets.memory),
    }
}

fn fits(scenario: &Scenario, pool: &NodePool, requests: &Requests) -> bool {
    let room = room(scenario, pool);
    requests.cpu <= room.cpu && requests.memory <= room.memory
}

fn largest(scenario: &Scenario, pools: &[&NodePool]) -> Requests {
    let mut largest = Requests { cpu: MilliCores::ZERO, memory: Bytes::ZERO };
    for pool in pools {
        let room = room(scenario, pool);
        largest.cpu = largest.cpu.max(room.cpu);
        largest.memory = largest.memory.max(room.memory);
    }
    largest
}

/// Why no pool can take such a pod, where none can.
fn placement(
    scenario: &Scenario,
    role: &str,
    requests: &Requests,
    template: &PodTemplate,
) -> Option<(&'static str, String)> {
    let open: Vec<&NodePool> = scenario
        .pools
        .iter()
        .filter(|pool| pool.max_size > 0 && may_run_on(template, pool))
        .collect();
    if open.is_empty() {
        let names: Vec<&str> = scenario.pools.iter().map(|pool| pool.name.as_str()).collect();
        let message = format!(
            "the {role}'s node selector, affinity and tolerations fit none of the node pools {}",
            names.join(", "),
        );
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
        (&pool.instance_types[0], &scenario.daemonsets, room(scenario, pool));
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

/// Node selector, required node affinity, and taints.
fn may_run_on(template: &PodTemplate, pool: &NodePool) -> bool {
    let selected =
        template.node_selector.iter().all(|(key, value)| pool.labels.get(key) == Some(value));
    let terms = &template.required_node_affinity;
    // Zone and hostname are labels of single nodes; a term on them is not judged by the pool's.
    let affine = terms.is_empty()
        || terms.iter().any(|term| {
            !term.match_expressions.is_empty()
                && term.match_expressions.iter().all(|requirement| {
                    let of_node = matches!(
                        requirement.key.as_str(),
                        "topology.kubernetes.io/zone" | "kubernetes.io/hostname"
                    );
                    of_node || requirement.matches(&pool.labels)
                })
        });
    let zone = template.node_selector.get("topology.kubernetes.io/zone");
    let in_zone = zone.is_some_and(|zone| pool.zones.contains(zone));
    let selected = selected
        || in_zone
            && template.node_selector.iter().all(|(key, value)| {
                key == "topology.kubernetes.io/zone" || pool.labels.get(key) == Some(value)
            });
    let tolerated = pool.taints.iter().all(|taint| {
        taint.effect == TaintEffect::PreferNoSchedule
            || template.tolerations.iter().any(|toleration| toleration.tolerates(taint))
    });
    selected && affine && tolerated
}

/// Memory in words.
fn gib(memory: Bytes) -> String {
    format!("{:.2}Gi", memory.as_gib_f64())
}
