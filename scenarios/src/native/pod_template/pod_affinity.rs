//! `podAffinity` and `podAntiAffinity`, with the checks of the API server.
//!
//! Source: k8s.io/kubernetes `validation.validatePodAffinityTerm`,
//! `validateWeightedPodAffinityTerms`, `validateMatchLabelKeysAndMismatchLabelKeys`.

use sim::scenario::{PodAffinity, PodAffinityTerm};

use super::super::keys::Reader;
use super::affinity::{PREFERRED, REQUIRED};
use super::selectors::{label_keys, label_selector};
use crate::walk::At;

const TERM: [&str; 6] = [
    "labelSelector",
    "matchLabelKeys",
    "mismatchLabelKeys",
    "namespaceSelector",
    "namespaces",
    "topologyKey",
];

/// Reads either of the two into `affinity`.
pub(super) fn read<'a>(reader: &Reader<'a>, at: &At<'a>, affinity: &mut PodAffinity) {
    let Some(fields) = reader.fields(at, &[REQUIRED, PREFERRED], &[]) else {
        return;
    };
    if let Some(at) = fields.get(REQUIRED) {
        affinity.required.extend(at.list_of(|at| term(reader, at)).unwrap_or_default());
    }
    if let Some(at) = fields.get(PREFERRED) {
        let terms = at.list_of(|at| {
            let fields = reader.fields(at, &["weight", "podAffinityTerm"], &[])?;
            let weight = fields.require("weight").and_then(|at| at.int(1..=100));
            let term = term(reader, &fields.require("podAffinityTerm")?);
            Some((weight?, term?))
        });
        affinity.preferred.extend(terms.unwrap_or_default());
    }
}

fn term<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<PodAffinityTerm> {
    let fields = reader.fields(at, &TERM, &[])?;
    let topology_key = fields.require("topologyKey").and_then(|at| at.name());
    let selector = |key: &str| fields.get(key).and_then(|at| label_selector(reader, &at));
    let selected = selector("labelSelector");
    let match_label_keys = label_keys(fields.get("matchLabelKeys"), selected.as_ref());
    let mismatch_label_keys = label_keys(fields.get("mismatchLabelKeys"), selected.as_ref());
    if let Some(key) = match_label_keys.iter().find(|key| mismatch_label_keys.contains(key)) {
        at.problem(format!("`{key}` is in both `matchLabelKeys` and `mismatchLabelKeys`"));
    }
    let namespaces = fields.get("namespaces").and_then(|at| at.list_of(|at| at.name()));
    Some(PodAffinityTerm {
        label_selector: selected,
        namespaces: namespaces.unwrap_or_default(),
        namespace_selector: selector("namespaceSelector"),
        topology_key: topology_key?,
        match_label_keys,
        mismatch_label_keys,
    })
}
