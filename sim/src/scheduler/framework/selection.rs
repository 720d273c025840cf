//! Which pods a selector selects, asked once per placement: pods of one placement are the same.
//!
//! Source: upstream `framework/types.go` (`AffinityTerm.Matches`), `podtopologyspread/common.go`
//! (`countPodsMatchSelector`).

use std::collections::BTreeMap;

use crate::cluster::{Cluster, PlacementId};
use crate::scenario::{LabelSelector, PodAffinityTerm, PodTemplate, TopologySpreadConstraint};

/// Answers that are known, by placement.
#[derive(Debug)]
pub(in crate::scheduler) struct Answers {
    known: Vec<Option<bool>>,
}

impl Answers {
    /// None yet.
    pub(in crate::scheduler) fn of(cluster: &Cluster) -> Self {
        Self { known: vec![None; cluster.specs.placements_len()] }
    }

    /// The answer for `placement`, asked for if it is not known.
    pub(in crate::scheduler) fn get(
        &mut self,
        placement: PlacementId,
        ask: impl FnOnce() -> bool,
    ) -> bool {
        *self.known[placement.0 as usize].get_or_insert_with(ask)
    }
}

/// Whose term it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The pod that is being placed: its namespace selectors are resolved among the namespaces
    /// that exist.
    Incoming,
    /// A pod on a node.
    Existing,
}

/// Whether a term of `of` is about pods like `target`.
pub(crate) fn term_selects(
    cluster: &Cluster,
    owner: Owner,
    term: &PodAffinityTerm,
    of: &PodTemplate,
    target: &PodTemplate,
) -> bool {
    let Some(selector) = &term.label_selector else {
        return false;
    };
    let namespace = namespace_of(target);
    let own = term.namespaces.is_empty() && term.namespace_selector.is_none();
    let named = if own {
        namespace_of(of) == namespace
    } else {
        term.namespaces.iter().any(|name| or_default(name) == namespace)
    };
    let by_labels =
        |selector: &LabelSelector| namespace_selected(cluster, owner, selector, namespace);
    if !named && !term.namespace_selector.as_ref().is_some_and(by_labels) {
        return false;
    }
    let value = |key: &String| of.labels.get(key).map(|value| (value, target.labels.get(key)));
    selector.matches(&target.labels)
        && term.match_label_keys.iter().filter_map(value).all(|(own, its)| its == Some(own))
        && term.mismatch_label_keys.iter().filter_map(value).all(|(own, its)| its != Some(own))
}

fn namespace_selected(
    cluster: &Cluster,
    owner: Owner,
    selector: &LabelSelector,
    namespace: &str,
) -> bool {
    if selector.requirements.is_empty() {
        return true;
    }
    match (cluster.namespaces.get(namespace), owner) {
        (Some(labels), _) => selector.matches(labels),
        (None, Owner::Existing) => selector.matches(&BTreeMap::new()),
        (None, Owner::Incoming) => false,
    }
}

/// Whether a spread constraint of `of` selects labels like those of `target`, of any namespace.
pub(in crate::scheduler) fn constraint_selects(
    constraint: &TopologySpreadConstraint,
    of: &PodTemplate,
    target: &PodTemplate,
) -> bool {
    let value = |key: &String| of.labels.get(key).map(|value| (value, target.labels.get(key)));
    constraint.label_selector.as_ref().is_some_and(|selector| selector.matches(&target.labels))
        && constraint.match_label_keys.iter().filter_map(value).all(|(own, its)| its == Some(own))
}

/// Whether the constraint counts pods of `placement`, of which there is one on a node. A selector
/// without any requirement counts none.
pub(crate) fn constraint_counts(
    cluster: &Cluster,
    constraint: &TopologySpreadConstraint,
    of: &PodTemplate,
    placement: PlacementId,
) -> bool {
    let target = cluster.specs.placement(placement);
    let empty = constraint.label_selector.as_ref().is_some_and(|s| s.requirements.is_empty())
        && !constraint.match_label_keys.iter().any(|key| of.labels.contains_key(key));
    !empty
        && !target.terminating
        && namespace_of(of) == namespace_of(&target.template)
        && constraint_selects(constraint, of, &target.template)
}

fn namespace_of(template: &PodTemplate) -> &str {
    or_default(&template.namespace)
}

fn or_default(namespace: &str) -> &str {
    if namespace.is_empty() { "default" } else { namespace }
}
