//! The binpacking estimator: how many nodes of a template some groups of pods need.
//!
//! First fit decreasing: groups by their share of a node, largest first. A pod goes to the first
//! node added in this estimate that takes it, until one of its group fits none; from then on only
//! the last added node is tried, else a node is added. It stops at the limit of nodes, and where
//! a fresh node does not take the pod. Only nodes that got pods count. Pods with a hostname spread
//! constraint that the last node breaks may also go to any other node, existing ones included, and
//! such a node counts too: upstream does so.
//!
//! Plain groups (resources only) are packed by whole groups; the rest pod by pod. Leaves out: the
//! time limits of binpacking, the fast path (same result), required pod affinity, and upstream's
//! start of the search after the last node that was found (facts-kubernetes 2.2: first fit).
//! Source: kubernetes/autoscaler `estimator/binpacking_estimator.go`, `decreasing_pod_orderer.go`.

use std::collections::BTreeMap;

use crate::cluster::Resources;
use crate::scenario::{
    HostPort, LabelSelector, PodAffinityTerm, TopologySpreadConstraint, WhenUnsatisfiable,
};

const HOSTNAME: &str = "kubernetes.io/hostname";

type Labels = BTreeMap<String, String>;

/// What is added: an empty node of the group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template<'a> {
    /// Room for pods.
    pub(crate) room: Resources,
    /// Allocatable, by which groups are ordered.
    pub(crate) allocatable: Resources,
    /// Labels.
    pub(crate) labels: &'a Labels,
}

/// Pods that ask for the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PodGroup<'a> {
    /// Requests of one pod.
    pub(crate) requests: Resources,
    /// How many.
    pub(crate) count: u32,
    /// What else they ask for; `None` for nothing.
    pub(crate) rules: Option<Rules<'a>>,
}

/// What pods ask for besides resources, and what others see of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// Namespace.
    pub(crate) namespace: &'a str,
    /// Labels.
    pub(crate) labels: &'a Labels,
    /// Ports on the node.
    pub(crate) host_ports: &'a [HostPort],
    /// Spread constraints.
    pub(crate) spread: &'a [TopologySpreadConstraint],
    /// Required anti-affinity.
    pub(crate) anti_affinity: &'a [PodAffinityTerm],
}

/// A node that is there already, as spread constraints and anti-affinity see it.
#[derive(Debug, Clone)]
pub(crate) struct ExistingNode<'a> {
    /// Labels.
    pub(crate) labels: &'a Labels,
    /// Room for pods.
    pub(crate) room: Resources,
    /// Its pods.
    pub(crate) pods: Vec<Rules<'a>>,
}

/// The result.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Estimate {
    /// Nodes that got pods.
    pub(crate) nodes: u32,
    /// Pods that got a node.
    pub(crate) pods: u32,
    /// What these pods request.
    pub(crate) used: Resources,
    /// Pods that got a node, by group, in the order in which the groups were given.
    pub(crate) by_group: Vec<u32>,
}

/// Packs `groups` on at most `max_nodes` new nodes.
pub(crate) fn estimate(
    template: &Template<'_>,
    groups: &[PodGroup<'_>],
    existing: &[ExistingNode<'_>],
    max_nodes: u32,
) -> Estimate {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    let score = |group: &PodGroup<'_>| share_of_node(&group.requests, &template.allocatable);
    order.sort_by(|a, b| score(&groups[*b]).total_cmp(&score(&groups[*a])));
    if groups.iter().all(|group| group.rules.is_none()) {
        whole_groups(template, groups, &order, max_nodes)
    } else {
        Packing::new(template, groups, existing, max_nodes).run(&order)
    }
}

/// CPU share plus memory share.
fn share_of_node(requests: &Resources, allocatable: &Resources) -> f64 {
    let ratio = |part: u64, whole: u64| {
        if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
    };
    ratio(requests.cpu.as_millis(), allocatable.cpu.as_millis())
        + ratio(requests.memory.as_u64(), allocatable.memory.as_u64())
}

/// Plain groups: what is the same for every pod of a group is done once.
fn whole_groups(
    template: &Template<'_>,
    groups: &[PodGroup<'_>],
    order: &[usize],
    max_nodes: u32,
) -> Estimate {
    let mut out = Estimate { by_group: vec![0; groups.len()], ..Estimate::default() };
    let mut nodes: Vec<Resources> = Vec::new();
    let mut last_is_empty = false;
    for place in order {
        let group = &groups[*place];
        let mut left = group.count;
        for room in &mut nodes {
            if left == 0 {
                break;
            }
            let taken = room.times(&group.requests).min(left);
            *room = room.minus(&group.requests.repeated(taken));
            left -= taken;
            if taken > 0 {
                last_is_empty = false;
            }
        }
        while left > 0 && !last_is_empty && (nodes.len() as u32) < max_nodes {
            let taken = template.room.times(&group.requests).min(left);
            nodes.push(template.room.minus(&group.requests.repeated(taken)));
            left -= taken;
            last_is_empty = taken == 0;
        }
        let helped = group.count - left;
        out.by_group[*place] = helped;
        out.pods += helped;
        out.used.add(&group.requests.repeated(helped));
    }
    out.nodes = nodes.len() as u32 - u32::from(last_is_empty);
    out
}

/// Why a node does not take a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blocked {
    Spread,
    Other,
}

/// A node in the packing: an existing one, or one that was added.
#[derive(Debug)]
struct Slot<'a> {
    labels: &'a Labels,
    room: Resources,
    /// Number of the added node, from 1; 0 for existing ones.
    added: usize,
    /// Pods that were there before.
    before: &'a [Rules<'a>],
    /// Pods put here, by group.
    placed: Vec<u32>,
    used: bool,
}

impl Slot<'_> {
    /// The topology domain: added nodes have a hostname of their own.
    fn domain(&self, key: &str) -> Option<(usize, &str)> {
        let value = self.labels.get(key)?;
        Some(if key == HOSTNAME { (self.added, value) } else { (0, value) })
    }
}

struct Packing<'a> {
    template: &'a Template<'a>,
    groups: &'a [PodGroup<'a>],
    slots: Vec<Slot<'a>>,
    existing: usize,
    max_nodes: u32,
    out: Estimate,
}

impl<'a> Packing<'a> {
    fn new(
        template: &'a Template<'a>,
        groups: &'a [PodGroup<'a>],
        existing: &'a [ExistingNode<'a>],
        max_nodes: u32,
    ) -> Self {
        let slots = existing.iter().map(|node| Slot {
            labels: node.labels,
            room: node.room,
            added: 0,
            before: &node.pods,
            placed: vec![0; groups.len()],
            used: false,
        });
        Self {
            template,
            groups,
            slots: slots.collect(),
            existing: existing.len(),
            max_nodes,
            out: Estimate { by_group: vec![0; groups.len()], ..Estimate::default() },
        }
    }

    fn run(mut self, order: &[usize]) -> Estimate {
        for group in order {
            let mut left = self.groups[*group].count;
            while left > 0 && self.place_on_any(*group, self.existing..self.slots.len()) {
                left -= 1;
            }
            while left > 0 && self.place_on_new(*group) {
                left -= 1;
            }
        }
        self.out.nodes = self.slots.iter().filter(|slot| slot.used).count() as u32;
        self.out
    }

    /// Puts a pod on the last added node, else on a new one. Tells whether the next one of its
    /// group is worth a try.
    fn place_on_new(&mut self, group: usize) -> bool {
        let added = self.slots.len() - self.existing;
        if let Some(last) = (added > 0).then(|| self.slots.len() - 1) {
            match self.fits(last, group) {
                Ok(()) => {
                    self.place(last, group);
                    return true;
                }
                Err(Blocked::Spread) if self.spreads_over_hosts(group) => {
                    if self.place_on_any(group, 0..last) {
                        return true;
                    }
                }
                Err(_) => {}
            }
            if !self.slots[last].used {
                return false;
            }
        }
        if added as u32 >= self.max_nodes {
            return false;
        }
        self.slots.push(Slot {
            labels: self.template.labels,
            room: self.template.room,
            added: added + 1,
            before: &[],
            placed: vec![0; self.groups.len()],
            used: false,
        });
        let last = self.slots.len() - 1;
        let fits = self.fits(last, group).is_ok();
        if fits {
            self.place(last, group);
        }
        fits
    }

    fn place_on_any(&mut self, group: usize, mut places: std::ops::Range<usize>) -> bool {
        let found = places.find(|place| self.fits(*place, group).is_ok());
        if let Some(place) = found {
            self.place(place, group);
        }
        found.is_some()
    }

    fn place(&mut self, place: usize, group: usize) {
        let requests = self.groups[group].requests;
        let slot = &mut self.slots[place];
        slot.room = slot.room.minus(&requests);
        slot.placed[group] += 1;
        slot.used = true;
        self.out.pods += 1;
        self.out.used.add(&requests);
        self.out.by_group[group] += 1;
    }

    fn spreads_over_hosts(&self, group: usize) -> bool {
        let rules = self.groups[group].rules;
        rules.is_some_and(|rules| rules.spread.iter().any(|c| c.topology_key == HOSTNAME))
    }

    /// The filters in upstream's order: NodePorts, NodeResourcesFit, PodTopologySpread,
    /// InterPodAffinity.
    fn fits(&self, place: usize, group: usize) -> Result<(), Blocked> {
        let (slot, pods) = (&self.slots[place], &self.groups[group]);
        if let Some(rules) = &pods.rules
            && self.pods_of(slot).any(|(other, _)| ports_conflict(rules, other))
        {
            return Err(Blocked::Other);
        }
        if !slot.room.fits(&pods.requests) {
            return Err(Blocked::Other);
        }
        self.spread(slot, pods)?;
        match self.anti_affinity(slot, pods) {
            true => Err(Blocked::Other),
            false => Ok(()),
        }
    }

    /// Pods of a node that can be seen: what they ask for, and how many of a kind.
    fn pods_of<'s>(&'s self, slot: &'s Slot<'a>) -> impl Iterator<Item = (&'s Rules<'a>, u32)> {
        let before = slot.before.iter().map(|rules| (rules, 1));
        let groups = self.groups.iter().zip(&slot.placed).filter(|(_, count)| **count > 0);
        before.chain(groups.filter_map(|(group, count)| Some((group.rules.as_ref()?, *count))))
    }

    fn spread(&self, slot: &Slot<'_>, pods: &PodGroup<'_>) -> Result<(), Blocked> {
        let Some(rules) = &pods.rules else { return Ok(()) };
        let hard = |c: &&TopologySpreadConstraint| {
            c.when_unsatisfiable == WhenUnsatisfiable::DoNotSchedule
        };
        let keys: Vec<&str> =
            rules.spread.iter().filter(hard).map(|c| c.topology_key.as_str()).collect();
        for constraint in rules.spread.iter().filter(hard) {
            let Some(own) = slot.domain(&constraint.topology_key) else {
                return Err(Blocked::Other);
            };
            let selects = |other: &Rules<'_>| {
                let selector = constraint.label_selector.as_ref();
                other.namespace == rules.namespace
                    && selector.is_some_and(|s: &LabelSelector| s.matches(other.labels))
            };
            let mut domains: BTreeMap<(usize, &str), u32> = BTreeMap::new();
            for other in &self.slots {
                if keys.iter().any(|key| other.domain(key).is_none()) {
                    continue;
                }
                if let Some(domain) = other.domain(&constraint.topology_key) {
                    let pods = self.pods_of(other).filter(|(pod, _)| selects(pod));
                    let count: u32 = pods.map(|(_, count)| count).sum();
                    *domains.entry(domain).or_default() += count;
                }
            }
            let few = (domains.len() as u32) < constraint.min_domains.unwrap_or(1);
            let least = if few { 0 } else { domains.values().copied().min().unwrap_or(0) };
            let here = domains.get(&own).copied().unwrap_or(0) + u32::from(selects(rules));
            if here.saturating_sub(least) > constraint.max_skew {
                return Err(Blocked::Spread);
            }
        }
        Ok(())
    }

    /// Whether the pods repel, or are repelled by, pods of the node's domains.
    fn anti_affinity(&self, slot: &Slot<'_>, pods: &PodGroup<'_>) -> bool {
        let Some(rules) = &pods.rules else { return false };
        self.slots.iter().any(|other| {
            let same = |term: &PodAffinityTerm| {
                let own = slot.domain(&term.topology_key);
                own.is_some() && own == other.domain(&term.topology_key)
            };
            self.pods_of(other).any(|(pod, _)| {
                rules.anti_affinity.iter().any(|term| same(term) && selects(term, rules, pod))
                    || pod.anti_affinity.iter().any(|term| same(term) && selects(term, pod, rules))
            })
        })
    }
}

/// Whether `term` of a pod with `own` rules is about `other`.
fn selects(term: &PodAffinityTerm, own: &Rules<'_>, other: &Rules<'_>) -> bool {
    let namespace = if term.namespaces.is_empty() && term.namespace_selector.is_none() {
        own.namespace == other.namespace
    } else {
        term.namespace_selector.is_some() || term.namespaces.iter().any(|n| n == other.namespace)
    };
    namespace && term.label_selector.as_ref().is_some_and(|s| s.matches(other.labels))
}

fn ports_conflict(a: &Rules<'_>, b: &Rules<'_>) -> bool {
    let any = |ip: &str| ip.is_empty() || ip == "0.0.0.0";
    let clash = |x: &HostPort, y: &HostPort| {
        x.port == y.port
            && x.protocol == y.protocol
            && (any(&x.host_ip) || any(&y.host_ip) || x.host_ip == y.host_ip)
    };
    a.host_ports.iter().any(|x| b.host_ports.iter().any(|y| clash(x, y)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, MilliCores};

    fn requests(cpu: u64, memory: u64) -> Resources {
        Resources::of_pod(MilliCores::new(cpu), Bytes::new(memory))
    }

    /// Both ways of packing give the same for plain groups, also where a pod fits no node.
    #[test]
    fn whole_groups_pack_like_single_pods() {
        let labels = Labels::new();
        let room = Resources { pods: 7, ..requests(1000, 1000) };
        let template = Template { room, allocatable: room, labels: &labels };
        let rules = Rules {
            namespace: "",
            labels: &labels,
            host_ports: &[],
            spread: &[],
            anti_affinity: &[],
        };
        let mut state = 1u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..500 {
            let groups: Vec<PodGroup<'_>> = (0..draw(5))
                .map(|_| PodGroup {
                    requests: requests(draw(1200), draw(1200)),
                    count: draw(9) as u32,
                    rules: None,
                })
                .collect();
            let single: Vec<PodGroup<'_>> =
                groups.iter().map(|group| PodGroup { rules: Some(rules), ..*group }).collect();
            let max = draw(12) as u32;
            let whole = estimate(&template, &groups, &[], max);
            assert_eq!(whole, estimate(&template, &single, &[], max), "{groups:?}");
            assert!(whole.nodes <= max);
        }
    }
}
