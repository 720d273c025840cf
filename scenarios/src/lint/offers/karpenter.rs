//! A NodePool (or the older Provisioner) as an offer: requirements, taints, how it is consolidated.
//!
//! Left out: weights, limits, budgets, `minValues`, startup taints (they go before pods come), the
//! node class. Source: facts-kubernetes 3 (`karpenter.sh/v1` NodePool, defaults); of v1beta1 and
//! v1alpha5: Karpenter's migration guides.

use std::collections::BTreeMap;

use serde_json::Value;
use sim::scenario::{CapacityType, LabelOperator, LabelRequirement};
use sim::units::SimDuration;

use super::{Offer, Shape, taint};
use crate::catalogue::{Catalogue, Entry, Filter, labels};
use crate::file::json_of;
use crate::import::recognise::{deep, items, text_of};
use crate::lint::set::{Document, Set};
use crate::native::Place;
use crate::yaml::Node;

/// How nodes of a NodePool are taken away while pods run.
#[derive(Debug, Clone)]
pub(in crate::lint) struct Consolidation {
    /// Nodes go with pods on them, too: `WhenEmptyOrUnderutilized`, `WhenUnderutilized`, `Balanced`.
    pub occupied: bool,
    /// `consolidateAfter`; `None` = never.
    pub after: Option<SimDuration>,
    /// The time is in the file.
    pub said: bool,
    /// Where the time is said, else the NodePool.
    pub place: Place,
}

pub(super) fn read(set: &Set, document: &Document) -> Option<Offer> {
    let value = json_of(&document.node);
    let kind = text_of(&value, "kind");
    let is_pool = match kind {
        "NodePool" => true,
        "Provisioner" => false,
        _ => return None,
    };
    let template = value.get("spec").and_then(|spec| spec.get("template"));
    let (labels, spec) = match is_pool {
        true => (template.and_then(|one| one.get("metadata")), template?.get("spec")?),
        false => (value.get("spec"), value.get("spec")?),
    };
    let name = deep(&value, &["metadata", "name"]).to_owned();
    let labels = labels.and_then(|one| one.get("labels")).and_then(Value::as_object);
    let labels = labels.into_iter().flatten();
    let mut labels: BTreeMap<String, String> =
        labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
    let own = if is_pool { "karpenter.sh/nodepool" } else { "karpenter.sh/provisioner-name" };
    labels.insert(own.to_owned(), name.clone());
    let choices: Vec<LabelRequirement> =
        items(spec, &["requirements"]).iter().filter_map(requirement).collect();
    let shapes = shapes(&labels, &choices);
    let offer = Offer {
        name,
        place: set.place(document.file, document.node.pos),
        capacity: capacity(&choices),
        taints: items(spec, &["taints"]).iter().filter_map(taint).collect(),
        unknown_types: unknown_types(&choices),
        labels,
        choices,
        shapes,
        consolidation: Some(consolidation(set, document, is_pool)),
    };
    let own = tells_kubelet(set, &value, is_pool);
    Some(if own { offer.with_own_kubelet() } else { offer })
}

/// Whether the pool's node class, where it is in the set, or the pool itself (before v1) may tell
/// the kubelet what to keep.
fn tells_kubelet(set: &Set, pool: &Value, is_pool: bool) -> bool {
    let (class, of_pool): (&[&str], &[&str]) = match is_pool {
        true => (&["spec", "template", "spec", "nodeClassRef", "name"], &["template", "spec"]),
        false => (&["spec", "providerRef", "name"], &[]),
    };
    let spec = pool.get("spec");
    let spec = of_pool.iter().fold(spec, |node, key| node.and_then(|node| node.get(key)));
    let (class, own) = (deep(pool, class), ["kubelet", "kubeletConfiguration"]);
    own.iter().any(|key| spec.is_some_and(|spec| spec.get(key).is_some()))
        || set.documents.iter().any(|document| {
            let text =
                |node: &Node, key| node.get(key).and_then(Node::scalar_text).map(str::to_owned);
            let kind = text(&document.node, "kind").unwrap_or_default();
            let name = document.node.get("metadata").and_then(|one| text(one, "name"));
            matches!(kind.as_str(), "EC2NodeClass" | "AWSNodeTemplate")
                && name.as_deref() == Some(class)
                && document.node.get("spec").is_some_and(super::tells_kubelet)
        })
}

fn requirement(value: &Value) -> Option<LabelRequirement> {
    let operator = match text_of(value, "operator") {
        "In" => LabelOperator::In,
        "NotIn" => LabelOperator::NotIn,
        "Exists" => LabelOperator::Exists,
        "DoesNotExist" => LabelOperator::DoesNotExist,
        "Gt" => LabelOperator::Gt,
        "Lt" => LabelOperator::Lt,
        _ => return None,
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let values = items(value, &["values"]).iter().map(text).collect();
    Some(LabelRequirement { key: text_of(value, "key").to_owned(), operator, values })
}

/// Spot where it may be, and on-demand; without a requirement on-demand alone.
/// Source: Karpenter, page on NodePools: on-demand where no capacity type is said.
fn capacity(choices: &[LabelRequirement]) -> Vec<CapacityType> {
    let keys = ["karpenter.sh/capacity-type"];
    let Some(own) = choices.iter().find(|one| keys.contains(&one.key.as_str())) else {
        return vec![CapacityType::OnDemand];
    };
    let may = |name: &str| own.matches(&BTreeMap::from([(own.key.clone(), name.to_owned())]));
    let mut out = Vec::new();
    out.extend(may("spot").then_some(CapacityType::Spot));
    out.extend(may("on-demand").then_some(CapacityType::OnDemand));
    out
}

/// The catalogue's types that meet every requirement on what the catalogue knows of them.
fn shapes(own_labels: &BTreeMap<String, String>, choices: &[LabelRequirement]) -> Vec<Shape> {
    let catalogue = Catalogue::builtin();
    let known = |entry: &&&Entry| {
        let own = labels::of_entry(entry);
        let meets = |choice: &LabelRequirement| labels::meets(choice, &own).unwrap_or(true);
        let said = |(key, value): (&String, &String)| own.get(key).is_none_or(|own| own == value);
        choices.iter().all(meets) && own_labels.iter().all(said)
    };
    catalogue.list(&Filter::default()).iter().filter(known).map(|entry| Shape::of(entry)).collect()
}

/// Instance types that a requirement names and the catalogue does not have.
fn unknown_types(choices: &[LabelRequirement]) -> Vec<String> {
    let catalogue = Catalogue::builtin();
    let named = choices.iter().filter(|one| {
        one.key == "node.kubernetes.io/instance-type" && one.operator == LabelOperator::In
    });
    let names = named.flat_map(|one| one.values.iter());
    names.filter(|name| catalogue.entry(name).is_err()).cloned().collect()
}

/// `spec.disruption`, or the older `spec.consolidation` with `ttlSecondsAfterEmpty`.
fn consolidation(set: &Set, document: &Document, is_pool: bool) -> Consolidation {
    let spec = document.node.get("spec");
    let place = |node: Option<&Node>| {
        set.place(document.file, node.map_or(document.node.pos, |node| node.pos))
    };
    if !is_pool {
        let on = spec.and_then(|spec| spec.get("consolidation")).and_then(|one| one.get("enabled"));
        let empty = spec.and_then(|spec| spec.get("ttlSecondsAfterEmpty"));
        let seconds = empty.and_then(Node::scalar_text).and_then(|text| text.parse().ok());
        let occupied = on.and_then(Node::scalar_text) == Some("true");
        let after =
            if occupied { Some(SimDuration::ZERO) } else { seconds.map(SimDuration::seconds) };
        let place = place(on.or(empty));
        return Consolidation { occupied, after, said: true, place };
    }
    let disruption = spec.and_then(|spec| spec.get("disruption"));
    let of = |key: &str| disruption.and_then(|one| one.get(key));
    let policy = of("consolidationPolicy").and_then(Node::scalar_text);
    let after = of("consolidateAfter");
    let text = after.and_then(Node::scalar_text).unwrap_or("0s");
    Consolidation {
        occupied: policy != Some("WhenEmpty") && !disruption.is_some_and(is_forbidden),
        after: match text {
            "Never" => None,
            text => Some(SimDuration::parse_go(text).unwrap_or_default()),
        },
        said: after.is_some(),
        place: place(after.or(disruption)),
    }
}

/// Whether a budget without a schedule lets no node with pods be consolidated.
fn is_forbidden(disruption: &Node) -> bool {
    let budgets = disruption.get("budgets").map_or(&[][..], Node::items);
    budgets.iter().any(|budget| {
        let none = matches!(budget.get("nodes").and_then(Node::scalar_text), Some("0" | "0%"));
        let reasons = budget.get("reasons").map_or(&[][..], Node::items);
        let meant = |reason: &Node| reason.scalar_text() == Some("Underutilized");
        let all = reasons.is_empty();
        none && budget.get("schedule").is_none() && (all || reasons.iter().any(meant))
    })
}
