//! `NodePool`: what nodes may be launched, and when they are taken away.
//!
//! Left out: `replicas` (static pools), limits other than CPU, memory, nodes and GPUs,
//! `timeAdded` of taints. Source: karpenter.sh/v1 CRD with its validations; facts-kubernetes 3.

mod disruption;
mod requirements;

use std::collections::BTreeMap;

use sim::scenario::{
    Disruption, KarpenterNodePool, LabelOperator, LabelRequirement, NodePoolLimits,
    NodePoolRequirement, Taint, TaintEffect,
};
use sim::units::SimDuration;

use super::fields;
use crate::native::Place;
use crate::native::keys::Reader;
use crate::walk::{At, Fields};

/// Upstream's default of `expireAfter`.
const EXPIRE_AFTER: SimDuration = SimDuration::hours(720);

/// A NodePool as its file has it.
#[derive(Debug, Clone)]
pub struct NodePool {
    /// Where it is.
    pub place: Place,
    /// What the model takes of it: no groups and no labels of types yet.
    pub pool: KarpenterNodePool,
    /// Where each of its requirements is, labels included.
    pub places: Vec<Place>,
    /// Labels of its nodes, as the template says.
    pub labels: BTreeMap<String, String>,
    /// The template's annotation `karpenter.sh/do-not-disrupt`.
    pub do_not_disrupt: bool,
    /// Name of its `EC2NodeClass`, and where that is said.
    pub class: (String, Place),
}

/// Reads a NodePool; what it cannot do without has been reported where it gives `None`.
pub(super) fn read<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<NodePool> {
    let (name, spec) = super::parts(at)?;
    let known = ["template", "disruption", "limits", "weight"];
    let spec = fields(&spec, &known, &["replicas"], &[])?;
    let template = fields(&spec.require("template")?, &["metadata", "spec"], &[], &[])?;
    let metadata = template.get("metadata");
    let metadata = metadata.and_then(|at| fields(&at, &["labels", "annotations"], &[], &[]));
    let (labels, label_places) = labels(metadata.as_ref());
    let annotations = metadata.as_ref().and_then(|fields| fields.string_map("annotations"));
    let on = |key: &str| {
        annotations.as_ref().is_some_and(|all| all.get(key).is_some_and(|v| v == "true"))
    };
    let known = [
        "requirements",
        "nodeClassRef",
        "taints",
        "startupTaints",
        "expireAfter",
        "terminationGracePeriod",
    ];
    let inner = fields(&template.require("spec")?, &known, &[], &[])?;
    let (mut requirements, mut places) = requirements::read(&inner);
    for ((key, value), place) in labels.iter().zip(label_places) {
        let values = vec![value.clone()];
        let requirement =
            LabelRequirement { key: key.clone(), operator: LabelOperator::In, values };
        requirements.push(NodePoolRequirement { requirement, min_values: None });
        places.push(place);
    }
    requirements::check_conflicts(at, &requirements, &places);
    let expire = inner.get("expireAfter").map(|at| or_never(&at));
    let weight = spec.get("weight").and_then(|at| at.int(1..=100)).unwrap_or(0);
    let pool = KarpenterNodePool {
        name,
        weight: weight as u32,
        requirements,
        taints: taints(&inner, "taints"),
        startup_taints: taints(&inner, "startupTaints"),
        expire_after: expire.unwrap_or(Some(EXPIRE_AFTER)),
        termination_grace_period: inner.get("terminationGracePeriod").and_then(|at| duration(&at)),
        drift_at: Vec::new(),
        limits: limits(&spec),
        disruption: spec
            .get("disruption")
            .map_or_else(Disruption::default, |at| disruption::read(reader, &at)),
        groups: Vec::new(),
        type_labels: BTreeMap::new(),
    };
    let class = class(&inner)?;
    let do_not_disrupt = on("karpenter.sh/do-not-disrupt");
    Some(NodePool { place: Place::of(at), pool, places, labels, do_not_disrupt, class })
}

/// Labels of the template, each with its place.
fn labels(metadata: Option<&Fields<'_>>) -> (BTreeMap<String, String>, Vec<Place>) {
    let entries = metadata.and_then(|fields| fields.get("labels")).and_then(|at| at.entries());
    let mut found = BTreeMap::new();
    for (key, at) in entries.unwrap_or_default() {
        let text = if at.node.is_null() { Some(String::new()) } else { at.string() };
        let Some(text) = text else { continue };
        if !requirements::is_restricted(&at, &key.name) {
            found.insert(key.name.clone(), (text, Place::of(&at)));
        }
    }
    let places = found.values().map(|(_, place)| place.clone()).collect();
    (found.into_iter().map(|(key, (text, _))| (key, text)).collect(), places)
}

fn class(inner: &Fields<'_>) -> Option<(String, Place)> {
    let reference = fields(&inner.require("nodeClassRef")?, &["group", "kind", "name"], &[], &[])?;
    let wanted = [("group", "karpenter.k8s.aws"), ("kind", "EC2NodeClass")];
    for (key, value) in wanted {
        let at = reference.require(key);
        if let Some(at) = at.filter(|at| at.node.scalar_text() != Some(value)) {
            let message =
                format!("`{}` is not modelled", at.node.scalar_text().unwrap_or_default());
            at.problem_with_help(message, format!("known: `{value}`"));
        }
    }
    let name = reference.require("name")?;
    Some((name.name()?, Place::of(&name)))
}

fn limits(spec: &Fields<'_>) -> NodePoolLimits {
    let read = ["cpu", "memory", "nodes", "nvidia.com/gpu"];
    let mut out = NodePoolLimits::default();
    let Some(at) = spec.get("limits") else { return out };
    let others: Vec<&str> = at.node.entries().map(|(key, _)| key.name.as_str()).collect();
    let others: Vec<&str> = others.into_iter().filter(|key| !read.contains(key)).collect();
    let Some(given) = fields(&at, &read, &others, &[]) else { return out };
    out.cpu = given.get("cpu").and_then(|at| at.cpu());
    out.memory = given.get("memory").and_then(|at| at.bytes());
    out.nodes = given.get("nodes").and_then(|at| at.count(0));
    out.gpus = given.get("nvidia.com/gpu").and_then(|at| at.int(0..=i64::MAX)).map(|n| n as u64);
    out
}

const EFFECTS: [(&str, TaintEffect); 3] = [
    ("NoSchedule", TaintEffect::NoSchedule),
    ("PreferNoSchedule", TaintEffect::PreferNoSchedule),
    ("NoExecute", TaintEffect::NoExecute),
];

fn taints(inner: &Fields<'_>, key: &str) -> Vec<Taint> {
    let taint = |at: &At<'_>| {
        let fields = fields(at, &["key", "value", "effect"], &[], &["timeAdded"])?;
        let key = fields.require("key").and_then(|at| at.name());
        let effect = fields.require("effect").and_then(|at| at.one_of(&EFFECTS));
        let value = fields.string("value").unwrap_or_default();
        Some(Taint { key: key?, value, effect: effect? })
    };
    inner.get(key).and_then(|at| at.list_of(taint)).unwrap_or_default()
}

/// `Never`, or a duration in whole hours, minutes and seconds; a problem counts as `Never`.
fn or_never(at: &At<'_>) -> Option<SimDuration> {
    if at.node.scalar_text() == Some("Never") { None } else { duration(at) }
}

/// Of a duration, the CRD takes whole numbers of hours, minutes and seconds.
fn duration(at: &At<'_>) -> Option<SimDuration> {
    let text = at.string()?;
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, 'h' | 'm' | 's'));
    let found = SimDuration::parse_go(&text).ok();
    let found = found.filter(|_| plain && !text.contains("ms") && text.ends_with(['h', 'm', 's']));
    if found.is_none() {
        let shown: String = text.chars().take(80).collect();
        let message = format!("`{shown}` is not a duration of Karpenter's");
        at.problem_with_help(message, "whole hours, minutes and seconds, such as 720h, 10m or 30s");
    }
    found
}
