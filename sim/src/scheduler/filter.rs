//! Filters, in upstream's order and with its messages and statuses: people grep for them.
//!
//! Node name, taints, node selector and required node affinity give the same answer for every node
//! of a kind, so they are asked once per kind ([`StaticFits`]). The rest is asked per node. Leaves
//! out: volumes, devices (DRA), the version's own wording of the taint message (that of 1.36 is
//! used). Source: facts-kubernetes 1.3; upstream `pkg/scheduler/framework/plugins`.

mod fit;
mod inter_pod_affinity;
mod node_affinity;
mod node_ports;
mod topology_spread;

pub(crate) use fit::{Short, short};
pub(super) use fit::{each_short_beside, fits};
pub(super) use inter_pod_affinity::Affinity;
pub(crate) use node_affinity::names as nodes_by_name;
pub(super) use topology_spread::{Spread, includes as spread_includes, rules as spread_rules};

use super::framework::Cycle;
use crate::cluster::{
    Cluster, Node, NodeKind, NodeKindId, NodeState, Placement, PlacementId, PodId,
};
use crate::scenario::{AddedAffinity, SchedulerProfile, TaintEffect};

/// What placement rules say about a kind of node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StaticFit {
    /// Why pods of the placement can never run there.
    pub(crate) rejected: Option<&'static str>,
    /// The plugin that says so.
    pub(super) plugin: &'static str,
    /// The pod's own node selector and required node affinity hold.
    pub(super) own_affinity: bool,
    /// It tolerates all taints that keep pods out.
    pub(super) tolerated: bool,
    /// Sum of the weights of matching preferred node affinity terms.
    pub(crate) preferred_affinity: i64,
    /// Number of `PreferNoSchedule` taints that are not tolerated.
    pub(crate) intolerable_preferences: i64,
}

/// Filters in the order in which they are asked.
pub const ORDER: [&str; 8] = [
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "PodTopologySpread",
    "InterPodAffinity",
];

/// The filters of a profile.
///
/// `NodeUnschedulable` and `NodeResourcesFit` stay on where a profile disables them: a node that is
/// going away, or has no room, is never taken.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    disabled: Vec<String>,
    /// Decision cases: the one filter that is asked.
    only: Option<&'static str>,
    /// Which of those that ask about the node's state are on.
    pub(super) on: On,
    added_affinity: AddedAffinity,
    /// Resources that `NodeResourcesFit` does not check.
    pub(super) ignored: IgnoredResources,
}

/// Filters that are asked at every pod's turn.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct On {
    pub(super) ports: bool,
    pub(super) resources: bool,
    pub(super) spread: bool,
    pub(super) affinity: bool,
}

/// `ignoredResources` and `ignoredResourceGroups`.
#[derive(Debug, Default)]
pub(super) struct IgnoredResources {
    resources: Vec<String>,
    groups: Vec<String>,
}

impl IgnoredResources {
    fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.groups.is_empty()
    }

    fn ignores(&self, cluster: &Cluster, place: usize) -> bool {
        let name = cluster.resource_names.iter().nth(place).unwrap_or_default();
        let group = name.split_once('/').map_or(name, |(group, _)| group);
        self.resources.iter().any(|other| other == name) || self.groups.iter().any(|g| g == group)
    }
}

impl Filters {
    /// Of a profile.
    pub(crate) fn of(profile: &SchedulerProfile) -> Self {
        let disabled = profile.filters_disabled.iter().filter(|name| *name != "NodeResourcesFit");
        Self {
            disabled: disabled.cloned().collect(),
            only: None,
            on: On::default(),
            added_affinity: profile.added_affinity.clone(),
            ignored: IgnoredResources {
                resources: profile.ignored_resources.clone(),
                groups: profile.ignored_resource_groups.clone(),
            },
        }
        .noted()
    }

    /// With [`Filters::on`] as the rest says.
    fn noted(self) -> Self {
        let on = On {
            ports: self.is_on("NodePorts"),
            resources: self.is_on("NodeResourcesFit"),
            spread: self.is_on("PodTopologySpread"),
            affinity: self.is_on("InterPodAffinity"),
        };
        Self { on, ..self }
    }

    /// The same with this filter alone.
    pub(crate) fn only(self, plugin: &'static str) -> Self {
        Self { only: Some(plugin), disabled: Vec::new(), ..self }.noted()
    }

    /// Whether the filter is on.
    pub(super) fn is_on(&self, plugin: &str) -> bool {
        self.only.is_none_or(|only| only == plugin)
            && !self.disabled.iter().any(|off| off == plugin)
    }

    fn static_fit(&self, placement: &Placement, kind: &NodeKind) -> StaticFit {
        let template = &placement.template;
        let not_tolerated = |taint| !template.tolerations.iter().any(|t| t.tolerates(taint));
        let hard = |effect| matches!(effect, TaintEffect::NoSchedule | TaintEffect::NoExecute);
        let tolerated = !kind.taints.iter().any(|t| hard(t.effect) && not_tolerated(t));
        let own_affinity = node_affinity::matches(placement, kind);
        let named = template.node_name.is_none() || template.node_name == kind.node_name;
        let added = node_affinity::any_matches(&self.added_affinity.required, kind);
        let checks = [
            (named, "NodeName", "node(s) didn't match the requested node name"),
            (tolerated, "TaintToleration", "node(s) had untolerated taint(s)"),
            (added, "NodeAffinity", "node(s) didn't match scheduler-enforced node affinity"),
            (own_affinity, "NodeAffinity", "node(s) didn't match Pod's node affinity/selector"),
        ];
        let failed = checks.iter().find(|(holds, plugin, _)| !holds && self.is_on(plugin));
        let preferred = template.preferred_node_affinity.iter();
        let soft = kind.taints.iter().filter(|t| t.effect == TaintEffect::PreferNoSchedule);
        StaticFit {
            rejected: failed.map(|(.., message)| *message),
            plugin: failed.map_or("", |(_, plugin, _)| *plugin),
            own_affinity,
            tolerated,
            preferred_affinity: preferred
                .chain(&self.added_affinity.preferred)
                .filter(|preferred| node_affinity::term_matches(&preferred.term, kind))
                .map(|preferred| preferred.weight)
                .sum(),
            intolerable_preferences: soft.filter(|taint| not_tolerated(taint)).count() as i64,
        }
    }
}

/// What placement rules say about kinds of nodes, worked out when first asked.
#[derive(Debug, Default)]
pub(crate) struct StaticFits {
    filters: Filters,
    by_placement: Vec<KindFits>,
}

/// What is known of one placement: of kinds of which there are nodes everything, because there may
/// be thousands of others.
#[derive(Debug, Default, Clone)]
pub(crate) struct KindFits {
    fits: Vec<Option<StaticFit>>,
    /// How many of the kinds that were met are done.
    met: usize,
    /// Some kind that was met has what is preferred.
    pub(super) any_preferred: bool,
    /// Some kind that was met has a `PreferNoSchedule` taint that is not tolerated.
    pub(super) any_intolerable: bool,
}

impl KindFits {
    /// About the kind of a node that is there.
    pub(super) fn of(&self, node: &Node) -> &StaticFit {
        self.fits[node.kind.0 as usize].as_ref().expect("kinds of nodes that are there are known")
    }
}

impl StaticFits {
    /// By the filters of a profile.
    pub(crate) fn new(filters: Filters) -> Self {
        Self { filters, by_placement: Vec::new() }
    }

    /// What is known of the placement, of all kinds of which there are nodes.
    pub(crate) fn of(&mut self, cluster: &Cluster, placement: PlacementId) -> &KindFits {
        let place = placement.0 as usize;
        if self.by_placement.len() <= place {
            self.by_placement.resize(place + 1, KindFits::default());
        }
        let row = &mut self.by_placement[place];
        let met = cluster.kinds.met();
        if row.met < met.len() {
            let rules = cluster.specs.placement(placement);
            row.fits.resize(cluster.kinds.len(), None);
            for kind in &met[row.met..] {
                let fit = self.filters.static_fit(rules, cluster.kinds.get(*kind));
                let fit = row.fits[kind.0 as usize].get_or_insert(fit);
                row.any_preferred |= fit.preferred_affinity > 0;
                row.any_intolerable |= fit.intolerable_preferences > 0;
            }
            row.met = met.len();
        }
        row
    }

    /// What placement rules say about a kind, whether there ever was a node of it or not.
    pub(crate) fn of_kind(
        &mut self,
        cluster: &Cluster,
        placement: PlacementId,
        kind: NodeKindId,
    ) -> StaticFit {
        self.of(cluster, placement);
        let fits = &mut self.by_placement[placement.0 as usize].fits;
        fits.resize(cluster.kinds.len(), None);
        *fits[kind.0 as usize].get_or_insert_with(|| {
            self.filters.static_fit(cluster.specs.placement(placement), cluster.kinds.get(kind))
        })
    }
}

/// Why a filter turned a node down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection<'a> {
    /// Upstream's plugin name.
    pub(crate) plugin: &'static str,
    /// What it says: one message, or one per resource that is short.
    pub(crate) messages: Vec<&'a str>,
    /// `UnschedulableAndUnresolvable`: no pod that goes would change it. Else `Unschedulable`.
    pub(crate) unresolvable: bool,
}

impl<'a> Rejection<'a> {
    fn of(plugin: &'static str, message: &'a str) -> Self {
        Self { plugin, messages: vec![message], unresolvable: false }
    }

    fn unresolvable(plugin: &'static str, message: &'a str) -> Self {
        Self { unresolvable: true, ..Self::of(plugin, message) }
    }
}

/// Asks the filters in upstream's order; the first that says no is the answer.
pub(super) fn rejection<'a>(cycle: &Cycle<'a>, node: &Node) -> Option<Rejection<'a>> {
    if node.state != NodeState::Ready {
        return Some(Rejection::unresolvable("NodeUnschedulable", "node(s) were unschedulable"));
    }
    let fit = cycle.fit(node);
    if let Some(message) = fit.rejected {
        return Some(Rejection::unresolvable(fit.plugin, message));
    }
    rejection_by_state(cycle, node, &[])
}

/// The filters whose answer depends on what is on the nodes, once `gone` of the node's pods are not
/// there.
pub(super) fn rejection_by_state<'a>(
    cycle: &Cycle<'a>,
    node: &Node,
    gone: &[PodId],
) -> Option<Rejection<'a>> {
    if cycle.has_ports && !node_ports::free(cycle, node, gone) {
        let message = "node(s) didn't have free ports for the requested pod ports";
        return Some(Rejection::of("NodePorts", message));
    }
    if !fit::fits(cycle, node, gone) {
        let short = fit::short(cycle, node, gone);
        return Some(Rejection {
            plugin: "NodeResourcesFit",
            unresolvable: short.iter().any(Short::unresolvable),
            messages: short.into_iter().map(|short| short.message).collect(),
        });
    }
    let spread = cycle.spread.as_ref().and_then(|spread| spread.rejection(node));
    spread.or_else(|| cycle.affinity.as_ref().and_then(|affinity| affinity.rejection(node)))
}

/// Whether `node` passes those filters once `gone` of its pods are not there.
pub(super) fn passes_by_state(cycle: &Cycle<'_>, node: &Node, gone: &[PodId]) -> bool {
    fit::fits(cycle, node, gone)
        && (!cycle.has_ports || node_ports::free(cycle, node, gone))
        && passes_beside_others(cycle, node)
}

/// Whether `node` passes those of them that look at pods on other nodes.
pub(super) fn passes_beside_others(cycle: &Cycle<'_>, node: &Node) -> bool {
    cycle.spread.as_ref().is_none_or(|spread| spread.rejection(node).is_none())
        && cycle.affinity.as_ref().is_none_or(|affinity| affinity.rejection(node).is_none())
}
