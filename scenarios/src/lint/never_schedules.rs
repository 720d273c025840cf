//! Pods that no node group of the set takes: labels that none has, taints that are not tolerated,
//! more than the largest node has.
//!
//! What is judged is what the files say; without any node group nothing is. A node usually has more
//! memory than Karpenter estimates; Cluster Autoscaler goes by the node that is there, and Karpenter
//! (from 1.2) by nodes of the type that it has seen: between the two is a warning. Left out: quotas,
//! limits of NodePools, what else runs on the node except the DaemonSets that every cluster has.
//!
//! Source: [`crate::catalogue`] for allocatable; facts-kubernetes 1.4 (`NodeResourcesFit` on an
//! empty node), 3 (Karpenter's overhead).

use std::collections::BTreeSet;

use sim::Severity;
use sim::scenario::{CapacityType, DaemonSets};
use sim::units::{Bytes, MilliCores};

use super::offers::{Miss, Offer, Shape};
use super::pods::PodAsk;
use super::rule::{LintFinding, Rule};
use crate::catalogue::{Catalogue, Filter};
use crate::file::cross_check::gib;

/// No node group has what the pod selects.
pub(super) static NO_LABELS: Rule = Rule {
    id: "no-node-has-the-label",
    severity: Severity::Error,
    why: "the pod stays Pending: no node of any group here has what it selects",
    source: "kube-scheduler NodeAffinity; Karpenter's compatibility of requirements",
};

/// Groups have the labels, and taints that are not tolerated.
pub(super) static TAINTED: Rule = Rule {
    id: "taint-not-tolerated",
    severity: Severity::Error,
    why: "the pod stays Pending: every group that it selects has a taint that it does not tolerate",
    source: "kube-scheduler TaintToleration; k8s.io/api `ToleratesTaint`",
};

/// More than any node has.
pub(super) static TOO_LARGE: Rule = Rule {
    id: "pod-fits-no-node",
    severity: Severity::Error,
    why: "the pod stays Pending: with overhead and sidecars it asks for more than an empty node has",
    source: "allocatable of EKS and Karpenter (`scenarios/src/catalogue/allocatable.rs`); facts-spark A4",
};

/// Fits an empty node that keeps little for itself.
pub(super) static TIGHT: Rule = Rule {
    id: "pod-barely-fits",
    severity: Severity::Warning,
    why: "DaemonSets, or a system that keeps as much as Karpenter estimates, leave no room for it",
    source: "the same; 150m CPU of DaemonSets is a guess, 1.7 to 7.5 % of memory is measured",
};

/// GPUs where there are none.
pub(super) static NO_GPU: Rule = Rule {
    id: "no-node-has-gpus",
    severity: Severity::Error,
    why: "the pod stays Pending: it asks for GPUs and no instance type that it may use has any",
    source: "the catalogue (`scenarios/catalogue/instance_types.csv`)",
};

/// A size that the catalogue does not have, of a family that it has.
pub(super) static UNKNOWN_TYPE: Rule = Rule {
    id: "unknown-instance-type",
    severity: Severity::Warning,
    why: "EC2 has the family and perhaps not the size; pods are not judged against the group",
    source: "the catalogue: Karpenter's table of instance types",
};

pub(super) fn judge(offers: &[Offer], pods: &[PodAsk]) -> Vec<LintFinding> {
    let mut out: Vec<LintFinding> = offers.iter().filter_map(unknown_types).collect();
    if !offers.is_empty() {
        let found = |pod: &PodAsk| Some(one(offers, pod)?.about(&pod.who));
        out.extend(pods.iter().filter_map(found));
    }
    out
}

fn unknown_types(offer: &Offer) -> Option<LintFinding> {
    let catalogue = Catalogue::builtin();
    let all = catalogue.list(&Filter::default());
    let family = |name: &str| name.split_once('.').map(|(family, _)| family.to_owned());
    let families: BTreeSet<&str> = all.iter().map(|entry| entry.family()).collect();
    // EC2 has families that the catalogue does not.
    let known = |name: &&String| family(name).is_some_and(|own| families.contains(own.as_str()));
    let name = offer.unknown_types.iter().find(known)?;
    let error = catalogue.entry(name).err()?;
    let what = format!("group `{}`: {error}", offer.name);
    Some(UNKNOWN_TYPE.at(&offer.place, what, "correct the name, or leave it if EC2 has it"))
}

fn one(offers: &[Offer], pod: &PodAsk) -> Option<LintFinding> {
    let mut taken: Vec<(&Offer, Option<&Shape>)> = Vec::new();
    let mut misses: Vec<(&Offer, Miss)> = Vec::new();
    for offer in offers {
        let admitted = match pod.unseen {
            true => {
                Ok(offer.shapes.iter().map(|shape| (Some(shape), CapacityType::Spot)).collect())
            }
            false => offer.admitted(&pod.template),
        };
        match admitted {
            Ok(shapes) => taken.extend(shapes.into_iter().map(|(shape, _)| (offer, shape))),
            Err(miss) => misses.push((offer, miss)),
        }
    }
    if taken.is_empty() && !pod.unseen {
        return Some(nowhere(pod, &misses));
    }
    size(pod, &taken)
}

/// Why no group takes the pod.
fn nowhere(pod: &PodAsk, misses: &[(&Offer, Miss)]) -> LintFinding {
    let tainted: Vec<String> = misses
        .iter()
        .filter_map(|(offer, miss)| match miss {
            Miss::Taint(taint) => Some(format!("`{}` has {taint}", offer.name)),
            Miss::Label(_) => None,
        })
        .collect();
    if !tainted.is_empty() {
        let what =
            format!("{}: a taint of every group to choose from: {}", pod.who, list(&tainted));
        let next = "add the toleration to the pod, or take the taint off the group";
        return TAINTED.at(pod.at(&["tolerations", "nodeSelector", "affinity"]), what, next);
    }
    let labels: BTreeSet<&str> = misses
        .iter()
        .filter_map(|(_, miss)| match miss {
            Miss::Label(label) => Some(label.as_str()),
            Miss::Taint(_) => None,
        })
        .collect();
    let labels: Vec<String> = labels.into_iter().map(|label| format!("`{label}`")).collect();
    let names: Vec<String> = misses.iter().map(|(offer, _)| format!("`{}`", offer.name)).collect();
    let what = format!("{}: no node group has {}", pod.who, list(&labels));
    let next = format!("label a group so, or change the selector; the groups are {}", list(&names));
    NO_LABELS.at(pod.at(&["selector", "nodeSelector", "affinity"]), what, next)
}

/// A list that is not too long for a line.
fn list(items: &[String]) -> String {
    const MOST: usize = 6;
    let shown: Vec<&str> = items.iter().take(MOST).map(String::as_str).collect();
    match items.len().saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Whether the pod fits an empty node of what it may use.
fn size(pod: &PodAsk, taken: &[(&Offer, Option<&Shape>)]) -> Option<LintFinding> {
    // With a group of unknown types the largest node is not known.
    let all: Option<Vec<(&Offer, &Shape)>> =
        taken.iter().map(|(offer, shape)| Some((*offer, (*shape)?))).collect();
    let mut nodes = all.filter(|nodes| !nodes.is_empty())?;
    if pod.gpus > 0 {
        nodes.retain(|(_, shape)| u64::from(shape.gpus) >= pod.gpus);
        if nodes.is_empty() {
            let what = format!("{} for {} GPUs", pod.asks(), pod.gpus);
            let next = "add a node group of a type with as many (`seatrial catalog`)";
            return Some(NO_GPU.at(pod.at(&["containers"]), what, next));
        }
    }
    let daemonsets = DaemonSets::default();
    let fits = |cpu: MilliCores, memory: Bytes| pod.cpu <= cpu && pod.memory <= memory;
    let surely = nodes.iter().any(|(_, shape)| {
        fits(
            shape.cpu.saturating_sub(daemonsets.cpu),
            shape.memory.saturating_sub(daemonsets.memory),
        )
    });
    if surely {
        return None;
    }
    let perhaps = nodes.iter().find(|(_, shape)| fits(shape.cpu_most, shape.memory_most));
    let asks = format!("{} for {} CPU and {}", pod.asks(), pod.cpu, gib(pod.memory));
    let has_cpu = |node: &(&Offer, &Shape)| pod.cpu <= node.1.cpu.saturating_sub(daemonsets.cpu);
    let key = if nodes.iter().any(has_cpu) { "memory" } else { "cores" };
    let place = pod.at(&[key, "memory", "cores", "containers", "nodeSelector"]);
    if let Some((offer, shape)) = perhaps {
        let what = format!(
            "{asks}; `{}` ({}) has {} CPU and {} before DaemonSets",
            offer.name,
            shape.name,
            shape.cpu,
            gib(shape.memory)
        );
        let next = "leave some room (`seatrial catalog tile`)";
        return Some(TIGHT.at(place, what, next));
    }
    let largest = nodes.iter().max_by_key(|(_, shape)| (shape.cpu, shape.memory))?;
    let (offer, shape) = largest;
    let what = format!(
        "{asks}; of {} instance types to choose from the largest, {} in `{}`, has {} CPU and {}",
        nodes.len(),
        shape.name,
        offer.name,
        shape.cpu_most,
        gib(shape.memory_most)
    );
    let next = "ask for less (a CPU request below the cores: spark.kubernetes.executor.request.cores), \
                or allow larger types (`seatrial catalog fit`)";
    Some(TOO_LARGE.at(place, what, next))
}
