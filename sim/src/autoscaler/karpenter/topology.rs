//! What pods say about the pods near them, as a planned node must respect it.
//!
//! Spread constraints, pod affinity and pod anti-affinity by zone and by host; of preferred ones
//! those that are not given up yet. A planned node gets one zone as soon as a pod with a rule about
//! zones joins it: of those allowed the one with the fewest of the selected pods. A new host is
//! always possible, so that the fewest pods of any host are none. Leaves out: other topology keys,
//! `minDomains`, anti-affinity of pods that are there against those that come, and pods of planned
//! nodes without a zone yet. Source: kubernetes-sigs/karpenter
//! `pkg/controllers/provisioning/scheduling/topology*.go`.

use std::collections::BTreeMap;

use crate::cluster::{Cluster, NodeId, NodeKinds, PlacementId};
use crate::scenario::{PodAffinityTerm, PodTemplate, TopologySpreadConstraint};
use crate::scheduler::framework::selection::{Owner, constraint_counts, term_selects};

/// A place that a rule counts pods of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Domain {
    /// A zone, by its number.
    Zone(u32),
    /// A node, by its number.
    Node(u64),
    /// A planned node, by its place.
    Claim(usize),
}

/// One rule of a pod, with the pods that it counts.
#[derive(Debug)]
pub(super) struct Rule<'a> {
    what: What<'a>,
    /// About hosts, else about zones.
    pub(super) by_host: bool,
    selects_itself: bool,
    counts: BTreeMap<Domain, u32>,
    total: u32,
}

#[derive(Debug, Clone, Copy)]
enum What<'a> {
    Spread(&'a TopologySpreadConstraint),
    Near(&'a PodAffinityTerm),
    Far(&'a PodAffinityTerm),
}

/// Pods of a placement that the plan has put somewhere: how many, the host, and the zone, if known.
pub(super) type Placed = (PlacementId, u32, Domain, Option<u32>);

/// The rules of a template, counted over the nodes without those of `gone` and over what is
/// planned.
pub(super) fn rules<'a>(
    cluster: &Cluster,
    template: &'a PodTemplate,
    own: PlacementId,
    gone: &[NodeId],
    planned: &[Placed],
) -> Vec<Rule<'a>> {
    let soft = |terms: &'a [(i64, PodAffinityTerm)]| terms.iter().map(|(_, term)| term);
    let near = &template.pod_affinity;
    let far = &template.pod_anti_affinity;
    let near = near.required.iter().chain(soft(&near.preferred)).map(What::Near);
    let far = far.required.iter().chain(soft(&far.preferred)).map(What::Far);
    let spread = template.topology_spread.iter().map(What::Spread);
    let all = spread.chain(near).chain(far);
    let known = all.filter_map(|what| {
        let by_host = match what.key() {
            "kubernetes.io/hostname" => true,
            "topology.kubernetes.io/zone" => false,
            _ => return None,
        };
        let selects_itself = what.selects(cluster, template, own);
        Some(Rule { what, by_host, selects_itself, counts: BTreeMap::new(), total: 0 })
    });
    let mut rules: Vec<Rule<'a>> = known.collect();
    for rule in &mut rules {
        let mut answers: BTreeMap<u32, bool> = BTreeMap::new();
        let what = rule.what;
        let mut selects = |placement: PlacementId| {
            *answers
                .entry(placement.0)
                .or_insert_with(|| what.selects(cluster, template, placement))
        };
        for id in cluster.in_order.iter().filter(|id| !gone.contains(id)) {
            let node = &cluster.nodes[*id];
            let zone = cluster.kinds.get(node.kind).zone_number;
            for pod in &node.pods {
                if selects(cluster.specs.get(cluster.pods[*pod].spec).placement) {
                    rule.count(Domain::Node(node.number), Some(zone), 1);
                }
            }
        }
        for (placement, count, host, zone) in planned {
            if selects(*placement) {
                rule.count(*host, *zone, *count);
            }
        }
    }
    rules
}

impl What<'_> {
    fn key(&self) -> &str {
        match self {
            Self::Spread(rule) => &rule.topology_key,
            Self::Near(term) | Self::Far(term) => &term.topology_key,
        }
    }

    fn selects(&self, cluster: &Cluster, of: &PodTemplate, placement: PlacementId) -> bool {
        let target = &cluster.specs.placement(placement).template;
        match self {
            Self::Spread(rule) => constraint_counts(cluster, rule, of, placement),
            Self::Near(term) | Self::Far(term) => {
                term_selects(cluster, Owner::Incoming, term, of, target)
            }
        }
    }
}

impl Rule<'_> {
    fn count(&mut self, host: Domain, zone: Option<u32>, by: u32) {
        let domain = if self.by_host { Some(host) } else { zone.map(Domain::Zone) };
        if let Some(domain) = domain {
            *self.counts.entry(domain).or_default() += by;
            self.total += by;
        }
    }

    /// A pod of the rule's own kind got a place.
    pub(super) fn placed(&mut self, host: Domain, zone: Option<u32>) {
        if self.selects_itself {
            self.count(host, zone, 1);
        }
    }

    /// How many pods it counts there.
    pub(super) fn here(&self, domain: Domain) -> u32 {
        self.counts.get(&domain).copied().unwrap_or(0)
    }

    /// Whether a pod may go there, where it could go to those `zones`.
    pub(super) fn allows(&self, domain: Domain, zones: &[u32]) -> bool {
        let here = self.here(domain);
        match self.what {
            What::Near(_) => here > 0 || (self.total == 0 && self.selects_itself),
            What::Far(_) => here == 0,
            What::Spread(rule) => {
                let fewest = zones.iter().map(|zone| self.here(Domain::Zone(*zone))).min();
                let fewest = if self.by_host { 0 } else { fewest.unwrap_or(0) };
                here + u32::from(self.selects_itself) <= fewest + rule.max_skew
            }
        }
    }
}

/// Of `zones` the one that a planned node gets: allowed by every rule about zones, with the fewest
/// pods; `None` if none is.
pub(super) fn zone_for(rules: &[Rule<'_>], zones: &[u32], all: &[u32]) -> Option<u32> {
    let about_zones = || rules.iter().filter(|rule| !rule.by_host);
    let allowed = zones
        .iter()
        .copied()
        .filter(|zone| about_zones().all(|rule| rule.allows(Domain::Zone(*zone), all)));
    let pods = |zone: &u32| about_zones().map(|rule| rule.here(Domain::Zone(*zone))).sum::<u32>();
    allowed.min_by_key(|zone| (pods(zone), *zone))
}

/// Zones of some kinds of nodes, each once, ascending.
pub(super) fn zones_of(
    kinds: &NodeKinds,
    of: impl Iterator<Item = crate::cluster::NodeKindId>,
) -> Vec<u32> {
    let mut zones: Vec<u32> = of.map(|kind| kinds.get(kind).zone_number).collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}
