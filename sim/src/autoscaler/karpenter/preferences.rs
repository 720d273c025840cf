//! What pods require of nodes, and what they prefer as long as it can be had.
//!
//! A preference counts as a requirement until the pod finds no place with it; then the first of
//! these is given up that there is: a term of required node affinity that others can stand for,
//! preferred pod affinity, preferred pod anti-affinity, preferred node affinity (each the heaviest
//! term first), a `ScheduleAnyway` spread constraint, taints of effect `PreferNoSchedule`. With
//! `preference-policy: Ignore` there are none from the start.
//!
//! Each of these levels is worked out once for all pods of a placement, and asked about each kind
//! of node once. What it says of other pods is for [`super::topology`]. Source:
//! kubernetes-sigs/karpenter `pkg/controllers/provisioning/scheduling/preferences.go`.

use super::catalogue::{Catalogue, OfferingSet};
use crate::cluster::{Cluster, NodeKind, NodeKindId, Placement, PlacementId};
use crate::scenario::{
    CapacityType, PodTemplate, Taint, TaintEffect, Toleration, TolerationOperator,
    WhenUnsatisfiable,
};

/// Levels by placement.
#[derive(Debug, Default)]
pub(super) struct Levels {
    by_placement: Vec<Option<Vec<Level>>>,
}

/// What pods of a placement ask for, with some of their preferences given up.
#[derive(Debug)]
pub(super) struct Level {
    /// The template with what is left of its preferences.
    pub(super) template: PodTemplate,
    on_demand_only: bool,
    /// Pods of the placement keep each other off a node by a host port.
    pub(super) alone: bool,
    /// Of each kind of node: 0 = not asked, 1 = may run there, 2 = may not.
    asked: Vec<u8>,
    /// Offerings of each NodePool that they may run on; and whether it is their taints that keep
    /// pods off all of them.
    offerings: Vec<Option<(OfferingSet, bool)>>,
}

impl Levels {
    /// The levels of a placement, strictest first.
    pub(super) fn of(
        &mut self,
        cluster: &Cluster,
        placement: PlacementId,
        (tolerate, ignore): (bool, bool),
    ) -> &mut Vec<Level> {
        let place = placement.0 as usize;
        if self.by_placement.len() <= place {
            self.by_placement.resize_with(place + 1, || None);
        }
        self.by_placement[place]
            .get_or_insert_with(|| levels(cluster.specs.placement(placement), tolerate, ignore))
    }
}

fn levels(placement: &Placement, tolerate: bool, ignore: bool) -> Vec<Level> {
    let mut template = placement.template.clone();
    if ignore {
        while relax_preference(&mut template) {}
    }
    let mut levels = vec![Level::of(placement, template.clone())];
    while relax(&mut template, tolerate) {
        levels.push(Level::of(placement, template.clone()));
    }
    levels
}

/// Gives up the next thing that can be given up; false if there is nothing.
fn relax(template: &mut PodTemplate, tolerate: bool) -> bool {
    if template.required_node_affinity.len() > 1 {
        template.required_node_affinity.remove(0);
        return true;
    }
    relax_preference(template) || (tolerate && tolerate_preferences(template))
}

fn relax_preference(template: &mut PodTemplate) -> bool {
    let affinities = [&mut template.pod_affinity, &mut template.pod_anti_affinity];
    for affinity in affinities {
        let heaviest =
            (0..affinity.preferred.len()).rev().max_by_key(|place| affinity.preferred[*place].0);
        if let Some(heaviest) = heaviest {
            affinity.preferred.remove(heaviest);
            return true;
        }
    }
    if let Some(heaviest) = heaviest_preference(template) {
        template.preferred_node_affinity.remove(heaviest);
        return true;
    }
    let soft = |rule: &crate::scenario::TopologySpreadConstraint| {
        rule.when_unsatisfiable == WhenUnsatisfiable::ScheduleAnyway
    };
    if let Some(place) = template.topology_spread.iter().position(soft) {
        template.topology_spread.swap_remove(place);
        return true;
    }
    false
}

/// The first of the heaviest terms of preferred node affinity.
fn heaviest_preference(template: &PodTemplate) -> Option<usize> {
    let terms = &template.preferred_node_affinity;
    (0..terms.len()).rev().max_by_key(|place| terms[*place].weight)
}

fn tolerate_preferences(template: &mut PodTemplate) -> bool {
    let toleration = Toleration {
        key: String::new(),
        operator: TolerationOperator::Exists,
        value: String::new(),
        effect: Some(TaintEffect::PreferNoSchedule),
    };
    let known = template.tolerations.contains(&toleration);
    if !known {
        template.tolerations.push(toleration);
    }
    !known
}

impl Level {
    fn of(placement: &Placement, template: PodTemplate) -> Self {
        Self {
            on_demand_only: placement.on_demand_only,
            alone: placement.host_ports().next().is_some(),
            asked: Vec::new(),
            offerings: Vec::new(),
            template,
        }
    }

    /// Whether the pods may run on nodes of the kind.
    pub(super) fn allows(&mut self, cluster: &Cluster, kind: NodeKindId) -> bool {
        let place = kind.0 as usize;
        if self.asked.len() <= place {
            self.asked.resize(cluster.kinds.len().max(place + 1), 0);
        }
        if self.asked[place] == 0 {
            self.asked[place] = if self.ask(cluster.kinds.get(kind)) { 1 } else { 2 };
        }
        self.asked[place] == 1
    }

    /// Offerings of a NodePool that the pods may run on, and whether taints keep them off.
    pub(super) fn offerings(
        &mut self,
        cluster: &Cluster,
        catalogue: &Catalogue,
        pool: usize,
    ) -> &(OfferingSet, bool) {
        if self.offerings.len() <= pool {
            self.offerings.resize(catalogue.pools.len(), None);
        }
        if self.offerings[pool].is_none() {
            let offerings = &catalogue.pools[pool].offerings;
            let mut set = OfferingSet::none(offerings.len());
            for (place, offering) in offerings.iter().enumerate() {
                if self.allows(cluster, offering.kind) {
                    set.insert(place);
                }
            }
            let mut kinds = offerings.iter().map(|offering| cluster.kinds.get(offering.kind));
            let tainted = kinds.all(|kind| !self.tolerates(&kind.taints));
            self.offerings[pool] = Some((set, tainted));
        }
        self.offerings[pool].as_ref().expect("it was just filled")
    }

    fn tolerates(&self, taints: &[Taint]) -> bool {
        taints.iter().all(|taint| self.template.tolerations.iter().any(|t| t.tolerates(taint)))
    }

    /// Of several required terms the first one counts, of preferred ones the heaviest.
    fn ask(&self, kind: &NodeKind) -> bool {
        if self.on_demand_only && kind.capacity_type != CapacityType::OnDemand {
            return false;
        }
        let template = &self.template;
        let mut selector = template.node_selector.iter();
        let required = template.required_node_affinity.first();
        let preferred = heaviest_preference(template);
        let preferred = preferred.map(|place| &template.preferred_node_affinity[place].term);
        let mut terms = required.into_iter().chain(preferred);
        self.tolerates(&kind.taints)
            && selector.all(|(key, value)| kind.labels.get(key) == Some(value))
            && terms.all(|term| term.match_fields.is_empty() && term.matches(&kind.labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{
        LabelOperator, LabelRequirement, LabelSelector, NodeSelectorTerm, PodAffinityTerm,
        PreferredTerm,
    };

    fn term(value: &str) -> NodeSelectorTerm {
        let requirement = LabelRequirement {
            key: "zone".into(),
            operator: LabelOperator::In,
            values: vec![value.into()],
        };
        NodeSelectorTerm { match_expressions: vec![requirement], ..NodeSelectorTerm::default() }
    }

    /// What is left: required terms, pod affinity, anti-affinity, preferred terms, tolerations.
    fn counts(template: &PodTemplate) -> [usize; 5] {
        [
            template.required_node_affinity.len(),
            template.pod_affinity.preferred.len(),
            template.pod_anti_affinity.preferred.len(),
            template.preferred_node_affinity.len(),
            template.tolerations.len(),
        ]
    }

    fn template() -> PodTemplate {
        let near = PodAffinityTerm {
            label_selector: Some(LabelSelector::default()),
            topology_key: "zone".into(),
            ..PodAffinityTerm::default()
        };
        let mut template = PodTemplate {
            required_node_affinity: vec![term("a"), term("b")],
            preferred_node_affinity: vec![
                PreferredTerm { weight: 1, term: term("c") },
                PreferredTerm { weight: 9, term: term("d") },
            ],
            ..PodTemplate::default()
        };
        template.pod_affinity.preferred = vec![(5, near.clone())];
        template.pod_anti_affinity.preferred = vec![(5, near)];
        template
    }

    #[test]
    fn preferences_are_given_up_one_at_a_time_in_order() {
        let mut of = template();
        let mut seen = vec![counts(&of)];
        while relax(&mut of, true) {
            seen.push(counts(&of));
        }
        let expected = [
            [2, 1, 1, 2, 0],
            [1, 1, 1, 2, 0],
            [1, 0, 1, 2, 0],
            [1, 0, 0, 2, 0],
            [1, 0, 0, 1, 0],
            [1, 0, 0, 0, 0],
            [1, 0, 0, 0, 1],
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_heaviest_preference_goes_first() {
        let mut of = PodTemplate { required_node_affinity: Vec::new(), ..template() };
        of.pod_affinity.preferred.clear();
        of.pod_anti_affinity.preferred.clear();
        assert!(relax(&mut of, false));
        assert_eq!(of.preferred_node_affinity[0].weight, 1);
    }

    #[test]
    fn ignored_preferences_make_one_level() {
        let mut template = template();
        template.required_node_affinity.truncate(1);
        let placement = Placement { template, ..Placement::default() };
        assert_eq!(levels(&placement, false, true).len(), 1);
        assert_eq!(levels(&placement, false, false).len(), 5);
    }
}
