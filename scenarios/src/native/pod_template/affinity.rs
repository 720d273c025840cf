//! `affinity`: node affinity here, pod affinity in the file beside it.
//!
//! Source: k8s.io/kubernetes `validation.ValidateAffinity`; `NodeAffinityArgs` for the affinity
//! that a scheduler's profile adds to every pod.

use sim::scenario::{NodeSelectorTerm, PodTemplate, PreferredTerm};

use super::super::keys::Reader;
use super::{pod_affinity, selectors};
use crate::walk::At;

pub(super) const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
pub(super) const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Required and preferred terms of node affinity.
pub(in crate::native) type NodeTerms = (Vec<NodeSelectorTerm>, Vec<PreferredTerm>);

/// Reads `affinity` into `template`.
pub(super) fn read<'a>(reader: &Reader<'a>, at: &At<'a>, template: &mut PodTemplate) {
    let known = ["nodeAffinity", "podAffinity", "podAntiAffinity"];
    let Some(affinity) = reader.fields(at, &known, &[]) else {
        return;
    };
    if let Some(at) = affinity.get("nodeAffinity") {
        let (required, preferred) = node(reader, &at);
        template.required_node_affinity.extend(required);
        template.preferred_node_affinity.extend(preferred);
    }
    if let Some(at) = affinity.get("podAffinity") {
        pod_affinity::read(reader, &at, &mut template.pod_affinity);
    }
    if let Some(at) = affinity.get("podAntiAffinity") {
        pod_affinity::read(reader, &at, &mut template.pod_anti_affinity);
    }
}

/// Reads `addedAffinity` of a scheduler's profile: node affinity as a pod has it.
pub(in crate::native) fn added<'a>(reader: &Reader<'a>, at: &At<'a>) -> NodeTerms {
    node(reader, at)
}

fn node<'a>(reader: &Reader<'a>, at: &At<'a>) -> NodeTerms {
    let Some(node) = reader.fields(at, &[REQUIRED, PREFERRED], &[]) else {
        return NodeTerms::default();
    };
    let required = node
        .get(REQUIRED)
        .and_then(|at| reader.fields(&at, &["nodeSelectorTerms"], &[]))
        .and_then(|required| required.require("nodeSelectorTerms"))
        .and_then(|at| {
            if at.list()?.is_empty() {
                at.problem("a required node affinity without terms matches no node");
            }
            at.list_of(|at| term(reader, at))
        });
    let preferred = node.get(PREFERRED).and_then(|at| {
        at.list_of(|at| {
            let fields = reader.fields(at, &["weight", "preference"], &[])?;
            let weight = fields.require("weight")?.int(1..=100)?;
            let term = term(reader, &fields.require("preference")?)?;
            Some(PreferredTerm { weight, term })
        })
    });
    (required.unwrap_or_default(), preferred.unwrap_or_default())
}

fn term<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<NodeSelectorTerm> {
    let fields = reader.fields(at, &["matchExpressions", "matchFields"], &[])?;
    let labels = fields.get("matchExpressions");
    let match_expressions =
        labels.and_then(|at| at.list_of(|at| selectors::node_label(reader, at)));
    let names = fields.get("matchFields");
    let match_fields = names.and_then(|at| at.list_of(|at| selectors::node_field(reader, at)));
    Some(NodeSelectorTerm {
        match_fields: match_fields.unwrap_or_default(),
        match_expressions: match_expressions.unwrap_or_default(),
    })
}
