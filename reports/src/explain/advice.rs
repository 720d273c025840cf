//! What to do next: short sentences from what the tables say. Each names the figure that it comes
//! from; nothing is said where they do not tell.
//!
//! Leaves out: selectors and affinity, which the tables do not hold; where they keep a pod off, the
//! sentence says where to look.

use sim::units::Bytes;

use super::rows::{NodeRow, PodRow, PoolRow, ScalingRow};
use super::waits::Wait;
use crate::figures::duration;

/// Below this, in seconds, a wait is nobody's concern.
const SHORT_S: f64 = 5.0;

/// Everything that is known about a pod's wait.
pub(super) struct Case<'a> {
    pub(super) pod: &'a PodRow,
    pub(super) waits: &'a [Wait],
    pub(super) node: Option<&'a NodeRow>,
    pub(super) scaling: &'a [ScalingRow],
    pub(super) pools: &'a [PoolRow],
}

/// Sentences for a pod.
pub(super) fn of_pod(case: &Case<'_>) -> Vec<String> {
    let mut said = Vec::new();
    match case.pod.bound {
        None => never_bound(case, &mut said),
        Some(bound) => said.push(bound_after(case, bound)),
    }
    match case.pod.result.as_str() {
        "oom_killed" => said.push(format!(
            "It was killed for memory at {}: more memory overhead, or a rung of the retry ladder \
             that adds memory.",
            gib(case.pod.memory)
        )),
        "spot_reclaimed" => said.push(
            "Its spot node was taken back: on-demand capacity for this kind of pod, or more \
             instance types to choose from."
                .to_owned(),
        ),
        "preempted" => said.push(
            "A pod of higher priority took its room: a higher priority class, or more room."
                .to_owned(),
        ),
        _ => {}
    }
    said
}

fn never_bound(case: &Case<'_>, said: &mut Vec<String>) {
    said.extend(too_large(case.pod, case.pools));
    if !said.is_empty() {
        return;
    }
    let reasons: Vec<&str> = case.waits.iter().map(|wait| wait.reason.as_str()).collect();
    let says = |word: &str| reasons.iter().any(|reason| reason.contains(word));
    if says("taint") && !says("Insufficient") {
        said.push(
            "Taints keep it off every node: compare its tolerations with the taints of the node \
             groups."
                .to_owned(),
        );
    }
    if (says("affinity") || says("selector")) && !says("Insufficient") {
        said.push(
            "Its node selector or affinity matches no node: compare it with the labels of the \
             node groups."
                .to_owned(),
        );
    }
    for row in case.scaling.iter().filter(|row| row.reason.contains("max")) {
        if let (Some(pool), "no_scale_up") = (&row.pool, row.decision.as_str()) {
            let line = format!("Node group {pool} was at its maximum: raise its maxSize.");
            if !said.contains(&line) {
                said.push(line);
            }
        }
    }
    if said.is_empty() {
        said.push(match case.waits.is_empty() {
            true => "It ended before the scheduler came to it.".to_owned(),
            false => "It fits an empty node of some group by its size, and never had one: larger \
                      maxSize, or look at its node selector, tolerations and affinity."
                .to_owned(),
        });
    }
}

/// What no node of any group can ever hold, and the largest that there is.
fn too_large(pod: &PodRow, pools: &[PoolRow]) -> Option<String> {
    let by_memory = pools.iter().max_by_key(|pool| pool.memory)?;
    let by_cpu = pools.iter().max_by_key(|pool| pool.cpu_milli)?;
    if pod.memory > by_memory.memory {
        return Some(format!(
            "No node can ever hold it: it asks {} of memory, the largest node has {} for pods \
             ({}, {}). A larger instance type, or pods of at most {}.",
            gib(pod.memory),
            gib(by_memory.memory),
            by_memory.pool,
            by_memory.instance_type,
            gib(by_memory.memory),
        ));
    }
    if pod.cpu_milli > by_cpu.cpu_milli {
        return Some(format!(
            "No node can ever hold it: it asks cpu {}, the largest node has {} for pods ({}, {}). \
             A larger instance type, or fewer cores a pod.",
            cores(pod.cpu_milli),
            cores(by_cpu.cpu_milli),
            by_cpu.pool,
            by_cpu.instance_type,
        ));
    }
    let holds = |pool: &&PoolRow| pool.memory >= pod.memory && pool.cpu_milli >= pod.cpu_milli;
    if pools.iter().any(|pool| holds(&pool)) {
        return None;
    }
    Some(format!(
        "No node has both cpu {} and {} of memory for pods: another ratio of memory to cores.",
        cores(pod.cpu_milli),
        gib(pod.memory),
    ))
}

fn bound_after(case: &Case<'_>, bound: f64) -> String {
    let waited = bound - case.pod.created;
    if waited < SHORT_S {
        return format!("Nothing to do about its wait: it had a node after {}.", duration(waited));
    }
    let node = case.node.filter(|node| node.launched > case.pod.created);
    match node.and_then(|node| Some((node, node.ready?))) {
        Some((node, ready)) => format!(
            "Of {} it waited {} until its node was asked for, {} until that was ready and {} \
             until it was bound. Shorter: warm room (overprovisioning) or a larger minSize of {}.",
            duration(waited),
            duration(node.launched - case.pod.created),
            duration(ready - node.launched),
            duration((bound - ready).max(0.0)),
            node.pool,
        ),
        None => format!(
            "It waited {} for room on a node that was asked for before it came. Shorter: warm \
             room (overprovisioning), or a larger maxSize where a group was at its maximum.",
            duration(waited),
        ),
    }
}

/// `13.2Gi`.
pub(super) fn gib(bytes: i64) -> String {
    let bytes = Bytes::new(u64::try_from(bytes).unwrap_or(0));
    format!("{:.1}Gi", bytes.as_gib_f64())
}

/// `3.92`, `4`.
pub(super) fn cores(milli: i64) -> String {
    format!("{}", milli as f64 / 1000.0)
}
