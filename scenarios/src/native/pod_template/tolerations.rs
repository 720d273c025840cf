//! Tolerations, with the checks of the API server.

use sim::scenario::{TaintEffect, Toleration, TolerationOperator};

use super::super::keys::Reader;
use crate::walk::At;

/// Names of taint effects.
pub(in crate::native) const EFFECTS: [(&str, TaintEffect); 3] = [
    ("NoSchedule", TaintEffect::NoSchedule),
    ("PreferNoSchedule", TaintEffect::PreferNoSchedule),
    ("NoExecute", TaintEffect::NoExecute),
];

/// The name of a taint's effect.
pub(crate) fn effect_name(effect: TaintEffect) -> &'static str {
    let found = EFFECTS.iter().find(|(_, known)| *known == effect);
    found.map_or("", |(name, _)| name)
}

const OPERATORS: [(&str, TolerationOperator); 2] =
    [("Equal", TolerationOperator::Equal), ("Exists", TolerationOperator::Exists)];

/// Reads a list of tolerations.
pub(super) fn read<'a>(reader: &Reader<'a>, at: &At<'a>) -> Vec<Toleration> {
    at.list_of(|at| toleration(reader, at)).unwrap_or_default()
}

fn toleration<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<Toleration> {
    let known = ["key", "operator", "value", "effect", "tolerationSeconds"];
    let fields = reader.fields(at, &known, &[])?;
    let empty = |text: &String| !text.is_empty();
    let key = fields.string("key").unwrap_or_default();
    let value = fields.string("value").unwrap_or_default();
    let operator = match fields.get("operator") {
        Some(at) if at.node.scalar_text() == Some("") => TolerationOperator::Equal,
        Some(at) => at.one_of(&OPERATORS)?,
        None => TolerationOperator::Equal,
    };
    let effect = match fields.get("effect") {
        Some(at) if at.string().as_ref().is_some_and(empty) => Some(at.one_of(&EFFECTS)?),
        _ => None,
    };
    if let Some(at) = fields.get("tolerationSeconds") {
        at.not_modelled();
    }
    // Source: k8s.io/kubernetes `validation.ValidateTolerations`.
    if key.is_empty() && operator == TolerationOperator::Equal {
        at.problem("a toleration without `key` needs `operator: Exists`");
        return None;
    }
    if operator == TolerationOperator::Exists && !value.is_empty() {
        at.problem("a toleration with `operator: Exists` takes no `value`");
        return None;
    }
    Some(Toleration { key, operator, value, effect })
}
