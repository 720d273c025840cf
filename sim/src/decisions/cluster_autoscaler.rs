//! Single decisions of Cluster Autoscaler: the simulator's own code, on plain inputs.
//!
//! Each function turns its input into what the autoscaler's modules take, asks them, and turns the
//! answer back; nothing is decided here. Amounts are in millicores, bytes and pod slots.

use std::collections::BTreeMap;

use crate::autoscaler::cluster_autoscaler::backoff::{Backoff, BackoffTimes};
use crate::autoscaler::cluster_autoscaler::eligibility::{self, Candidate, Thresholds};
use crate::autoscaler::cluster_autoscaler::estimator::{self, Estimate, Rules, Template};
use crate::autoscaler::cluster_autoscaler::expander::{self, GrowthOption};
use crate::autoscaler::cluster_autoscaler::limits::{self, ClusterLimits, Totals};
use crate::autoscaler::cluster_autoscaler::removal::{self, GroupSize, Unneeded};
use crate::autoscaler::cluster_autoscaler::utilization::{self, Ignored, PodClass};
use crate::cluster::Resources;
use crate::scenario::{
    Expander, GroupPattern, HostPort, PodAffinityTerm, TopologySpreadConstraint,
};
use crate::units::{Bytes, MilliCores, SimDuration, SimTime};

/// Amounts that a pod requests or a node offers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// CPU, millicores.
    pub cpu_milli: u64,
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Pod slots; 1 for a pod.
    pub pods: u32,
    /// `nvidia.com/gpu`.
    pub gpus: u32,
}

impl Amounts {
    fn resources(self) -> Resources {
        let cpu = MilliCores::new(self.cpu_milli);
        let of_pod = Resources::of_pod(cpu, Bytes::new(self.memory_bytes));
        Resources { pods: self.pods, ..of_pod.with_gpus(self.gpus) }
    }

    /// The greater of each amount.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            cpu_milli: self.cpu_milli.max(other.cpu_milli),
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
            pods: self.pods.max(other.pods),
            gpus: self.gpus.max(other.gpus),
        }
    }

    /// The sum of each amount but pod slots.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cpu_milli: self.cpu_milli + other.cpu_milli,
            memory_bytes: self.memory_bytes + other.memory_bytes,
            pods: self.pods,
            gpus: self.gpus + other.gpus,
        }
    }
}

/// Pods of one kind for [`estimate`].
#[derive(Debug, Default, Clone)]
pub struct PodGroup {
    /// How many.
    pub count: u32,
    /// Requests of one.
    pub requests: Amounts,
    /// Namespace.
    pub namespace: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Host ports.
    pub host_ports: Vec<HostPort>,
    /// `topologySpreadConstraints`.
    pub spread: Vec<TopologySpreadConstraint>,
    /// Required pod anti-affinity.
    pub anti_affinity: Vec<PodAffinityTerm>,
}

/// A node for [`estimate`].
#[derive(Debug, Default, Clone)]
pub struct EstimatorNode {
    /// Allocatable; nothing runs on it.
    pub allocatable: Amounts,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// What [`estimate`] gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimated {
    /// Nodes that got pods.
    pub nodes: u32,
    /// Pods that got a node.
    pub pods: u32,
    /// Pods that got a node, by group.
    pub by_group: Vec<u32>,
}

/// How many nodes the groups need; `max_nodes` 0 is no limit.
pub fn estimate(
    template: &EstimatorNode,
    groups: &[PodGroup],
    existing: &[EstimatorNode],
    max_nodes: u32,
) -> Estimated {
    let room = template.allocatable.resources();
    let template = Template { room, allocatable: room, labels: &template.labels };
    let plain = |group: &PodGroup| {
        group.host_ports.is_empty() && group.spread.is_empty() && group.anti_affinity.is_empty()
    };
    let all_plain = groups.iter().all(plain);
    let groups: Vec<estimator::PodGroup<'_>> = groups
        .iter()
        .map(|group| estimator::PodGroup {
            requests: Resources { pods: 1, ..group.requests.resources() },
            count: group.count,
            rules: (!all_plain).then_some(Rules {
                namespace: &group.namespace,
                labels: &group.labels,
                host_ports: &group.host_ports,
                spread: &group.spread,
                anti_affinity: &group.anti_affinity,
            }),
        })
        .collect();
    let existing: Vec<estimator::ExistingNode<'_>> = existing
        .iter()
        .map(|node| estimator::ExistingNode {
            labels: &node.labels,
            room: node.allocatable.resources(),
            pods: Vec::new(),
        })
        .collect();
    let max_nodes = if max_nodes == 0 { u32::MAX } else { max_nodes };
    let Estimate { nodes, pods, by_group, .. } =
        estimator::estimate(&template, &groups, &existing, max_nodes);
    Estimated { nodes, pods, by_group }
}

/// An option for [`best_options`].
#[derive(Debug, Default, Clone)]
pub struct ExpanderOption {
    /// Name of the node group.
    pub group: String,
    /// Nodes to add.
    pub nodes: u32,
    /// Pods helped.
    pub pods: u32,
    /// What these pods request in all.
    pub requests: Amounts,
    /// Capacity of one node.
    pub capacity: Amounts,
    /// Dollars an hour for one node.
    pub price: f64,
}

/// The groups that a chain of expanders leaves, before the random choice among them.
pub fn best_options(
    chain: &[Expander],
    priorities: &[(i32, Vec<GroupPattern>)],
    options: &[ExpanderOption],
) -> Vec<String> {
    let options = options.iter().map(|option| GrowthOption {
        pool: 0,
        name: &option.group,
        nodes: option.nodes,
        pods: option.pods,
        used: option.requests.resources(),
        capacity: option.capacity.resources(),
        price: option.price,
    });
    let best = expander::best(chain, priorities, options.collect());
    best.into_iter().map(|option| option.name.to_owned()).collect()
}

/// A running pod for [`utilization`] and [`eligibility`].
#[derive(Debug, Default, Clone, Copy)]
pub struct RunningPod {
    /// Its requests.
    pub requests: Amounts,
    /// A DaemonSet's, or marked as such.
    pub daemonset: bool,
    /// A mirror pod.
    pub mirror: bool,
    /// Its grace period and 30 s more are over.
    pub long_terminating: bool,
}

/// `ignore-daemonsets-utilization` and `ignore-mirror-pods-utilization`.
#[derive(Debug, Default, Clone, Copy)]
pub struct IgnoredPods {
    /// DaemonSet pods.
    pub daemonsets: bool,
    /// Mirror pods.
    pub mirror: bool,
}

/// What [`utilization`] gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeUtilization {
    /// CPU; 0 on GPU nodes.
    pub cpu: f64,
    /// Memory; 0 on GPU nodes.
    pub memory: f64,
    /// The resource that decides.
    pub dominant: &'static str,
    /// Its share.
    pub utilization: f64,
}

/// How much of a node is requested.
///
/// # Errors
/// The resource of which the node has none.
pub fn utilization(
    allocatable: Amounts,
    gpu_node: bool,
    pods: &[RunningPod],
    ignored: IgnoredPods,
) -> Result<NodeUtilization, &'static str> {
    let found = calculate(allocatable, gpu_node, pods, ignored)?;
    let (dominant, utilization) = (found.dominant(), found.value());
    Ok(NodeUtilization { cpu: found.cpu, memory: found.memory, dominant, utilization })
}

fn calculate(
    allocatable: Amounts,
    gpu_node: bool,
    pods: &[RunningPod],
    ignored: IgnoredPods,
) -> Result<utilization::Utilization, &'static str> {
    let pods = pods.iter().map(|pod| {
        let class = if pod.daemonset && ignored.daemonsets {
            PodClass::DaemonSet
        } else if pod.mirror && ignored.mirror {
            PodClass::Mirror
        } else if pod.long_terminating {
            PodClass::LongTerminating
        } else {
            PodClass::Regular
        };
        (pod.requests.resources(), class)
    });
    let ignored = Ignored { daemonsets: ignored.daemonsets, mirror: ignored.mirror };
    utilization::calculate(&allocatable.resources(), gpu_node, pods, ignored)
}

/// A node for [`eligibility`].
#[derive(Debug, Default, Clone)]
pub struct ScaleDownNode {
    /// Allocatable.
    pub allocatable: Amounts,
    /// Its labels say that it has GPUs.
    pub gpu_node: bool,
    /// Ready.
    pub ready: bool,
    /// Found unremovable a short while ago.
    pub recently_unremovable: bool,
    /// How long it has been marked for deletion.
    pub being_deleted_for: Option<SimDuration>,
    /// Annotation `cluster-autoscaler.kubernetes.io/scale-down-disabled`.
    pub scale_down_disabled: bool,
    /// Its pods.
    pub pods: Vec<RunningPod>,
}

/// Flags for [`eligibility`].
#[derive(Debug, Clone, Copy)]
pub struct EligibilityFlags {
    /// `scale-down-utilization-threshold`.
    pub utilization_threshold: f64,
    /// `scale-down-gpu-utilization-threshold`.
    pub gpu_utilization_threshold: f64,
    /// `scale-down-unready-enabled`.
    pub unready_enabled: bool,
    /// What utilisation leaves out.
    pub ignored: IgnoredPods,
}

/// Upstream's reason against scaling the node down; `None` if it is a candidate.
pub fn eligibility(node: &ScaleDownNode, flags: &EligibilityFlags) -> Option<&'static str> {
    let candidate = Candidate {
        recently_unremovable: node.recently_unremovable,
        being_deleted_for: node.being_deleted_for,
        scale_down_disabled: node.scale_down_disabled,
        ready: node.ready,
        utilization: calculate(node.allocatable, node.gpu_node, &node.pods, flags.ignored).ok(),
    };
    let thresholds = Thresholds {
        utilization: flags.utilization_threshold,
        gpu: flags.gpu_utilization_threshold,
        unready: flags.unready_enabled,
    };
    eligibility::unremovable(&candidate, &thresholds)
}

/// A group whose nodes are unneeded, for [`removable_at`].
#[derive(Debug, Clone, Copy)]
pub struct UnneededGroup {
    /// Unneeded nodes without pods that must move.
    pub empty: u32,
    /// Unneeded nodes with such pods.
    pub drain: u32,
    /// How long they have been unneeded.
    pub unneeded_for: SimDuration,
    /// `scale-down-unneeded-time`.
    pub unneeded_time: SimDuration,
    /// Least size.
    pub min: u32,
    /// Target size.
    pub target: u32,
    /// Deletions under way.
    pub deletions: u32,
}

/// How many may be deleted now: without pods that must move, and with.
pub fn removable_at(group: &UnneededGroup) -> (u32, u32) {
    let UnneededGroup { min, target: size, deletions, unneeded_for, .. } = *group;
    let mut sizes = [GroupSize { size, deletions, min }];
    let since = SimTime::ZERO;
    let now = since.saturating_add(unneeded_for);
    let node = Unneeded { group: 0, since, wait: group.unneeded_time };
    let mut count = |nodes: u32| {
        (0..nodes).filter(|_| removal::unremovable(&node, now, &mut sizes).is_none()).count() as u32
    };
    let empty = count(group.empty);
    (empty, count(group.drain))
}

/// Limits for [`scale_up`]; `None` is no limit.
#[derive(Debug, Default, Clone, Copy)]
pub struct ScaleUpLimits {
    /// `max-nodes-total`.
    pub nodes: Option<u32>,
    /// Upper bound of `cores-total`.
    pub cores: Option<u64>,
    /// Upper bound of `memory-total`, in bytes.
    pub memory_bytes: Option<u64>,
    /// Upper bound of `gpu-total`.
    pub gpus: Option<u64>,
}

/// What [`scale_up`] gives. Pods by their places among the pending ones.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ScaleUp {
    /// Nodes that are added.
    pub delta: u32,
    /// Pods that the chosen group helps.
    pub triggered: Vec<usize>,
    /// Pods that no group helps.
    pub remain_unschedulable: Vec<usize>,
    /// Pods that another group would help.
    pub await_evaluation: Vec<usize>,
}

/// One scale-up: `groups` are the node groups' templates with what they hold now (one entry per
/// node in `nodes`), `chosen` is the expander's choice with the nodes that it wants.
pub fn scale_up(
    nodes: &[Amounts],
    groups: &[Amounts],
    pending: &[Amounts],
    chosen: (usize, u32),
    cluster: &ScaleUpLimits,
) -> ScaleUp {
    let fits = |group: &Amounts, pod: &Amounts| {
        group.resources().fits(&Resources { pods: 1, ..pod.resources() })
    };
    let template = EstimatorNode { allocatable: groups[chosen.0], ..EstimatorNode::default() };
    let schedulable: Vec<usize> =
        (0..pending.len()).filter(|pod| fits(&groups[chosen.0], &pending[*pod])).collect();
    let pod_groups: Vec<PodGroup> = schedulable
        .iter()
        .map(|pod| PodGroup { count: 1, requests: pending[*pod], ..PodGroup::default() })
        .collect();
    let estimated = estimate(&template, &pod_groups, &[], 0);
    let mut out = ScaleUp::default();
    for (pod, requests) in pending.iter().enumerate() {
        match schedulable.iter().position(|place| *place == pod) {
            Some(place) if estimated.by_group[place] > 0 => out.triggered.push(pod),
            Some(_) => {}
            None if groups.iter().any(|group| fits(group, requests)) => {
                out.await_evaluation.push(pod);
            }
            None => out.remain_unschedulable.push(pod),
        }
    }
    let mut totals = Totals { nodes: nodes.len() as u32, ..Totals::default() };
    for node in nodes {
        totals.capacity.cpu += MilliCores::cores(node.cpu_milli.div_ceil(1000));
        totals.capacity.add(&Resources { cpu: MilliCores::new(0), ..node.resources() });
    }
    let limits = ClusterLimits {
        nodes: cluster.nodes,
        cores: cluster.cores,
        memory: cluster.memory_bytes,
        gpus: cluster.gpus,
    };
    out.delta = limits::cap(chosen.1, &groups[chosen.0].resources(), &totals, &limits).0;
    out
}

/// Backoffs of node groups over time.
#[derive(Debug)]
pub struct BackoffTrial {
    times: BackoffTimes,
    groups: BTreeMap<String, Backoff>,
}

impl BackoffTrial {
    /// No group has failed yet.
    pub const fn new(initial: SimDuration, max: SimDuration, reset: SimDuration) -> Self {
        Self { times: BackoffTimes { initial, max, reset }, groups: BTreeMap::new() }
    }

    /// A scale-up of the group failed.
    pub fn fail(&mut self, group: &str, at: SimTime) {
        self.groups.entry(group.to_owned()).or_default().fail(at, &self.times);
    }

    /// Whether the group is backed off.
    pub fn is_backed_off(&self, group: &str, at: SimTime) -> bool {
        self.groups.get(group).is_some_and(|backoff| backoff.is_backed_off(at))
    }

    /// The group's backoff is removed.
    pub fn remove(&mut self, group: &str) {
        if let Some(backoff) = self.groups.get_mut(group) {
            backoff.remove();
        }
    }
}
