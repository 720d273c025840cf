//! Node affinity, required and preferred. Pod affinity and `matchFields` are named and left out.

use sim::scenario::{
    LabelOperator, LabelRequirement, NodeSelectorTerm, PodTemplate, PreferredTerm,
};

use super::super::keys::{Reader, is_empty};
use crate::walk::At;

const OPERATORS: [(&str, LabelOperator); 6] = [
    ("In", LabelOperator::In),
    ("NotIn", LabelOperator::NotIn),
    ("Exists", LabelOperator::Exists),
    ("DoesNotExist", LabelOperator::DoesNotExist),
    ("Gt", LabelOperator::Gt),
    ("Lt", LabelOperator::Lt),
];

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Reads `affinity` into `template`.
pub(super) fn read<'a>(reader: &Reader<'a>, at: &At<'a>, template: &mut PodTemplate) {
    let known = ["nodeAffinity", "podAffinity", "podAntiAffinity"];
    let Some(affinity) = reader.fields(at, &known, &[]) else {
        return;
    };
    for pods in ["podAffinity", "podAntiAffinity"] {
        if let Some(at) = affinity.get(pods).filter(|at| !is_empty(at.node)) {
            at.not_modelled();
        }
    }
    let Some(node) = affinity.get("nodeAffinity") else {
        return;
    };
    let Some(node) = reader.fields(&node, &[REQUIRED, PREFERRED], &[]) else {
        return;
    };
    if let Some(required) = node
        .get(REQUIRED)
        .and_then(|at| reader.fields(&at, &["nodeSelectorTerms"], &[]))
        .and_then(|required| required.require("nodeSelectorTerms"))
    {
        let terms = required.list_of(|at| term(reader, at)).unwrap_or_default();
        if required.node.items().is_empty() {
            required.problem("a required node affinity without terms matches no node");
        }
        template.required_node_affinity.extend(terms);
    }
    if let Some(preferred) = node.get(PREFERRED) {
        let terms = preferred.list_of(|at| {
            let fields = reader.fields(at, &["weight", "preference"], &[])?;
            let weight = fields.require("weight")?.int(1..=100)?;
            let term = term(reader, &fields.require("preference")?)?;
            Some(PreferredTerm { weight, term })
        });
        template.preferred_node_affinity.extend(terms.unwrap_or_default());
    }
}

fn term<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<NodeSelectorTerm> {
    let fields = reader.fields(at, &["matchExpressions"], &[])?;
    let expressions = fields.get("matchExpressions");
    let match_expressions =
        expressions.and_then(|at| at.list_of(|at| requirement(reader, at))).unwrap_or_default();
    Some(NodeSelectorTerm { match_expressions, ..NodeSelectorTerm::default() })
}

fn requirement<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<LabelRequirement> {
    let fields = reader.fields(at, &["key", "operator", "values"], &[])?;
    let key = fields.require("key").and_then(|at| at.name());
    let operator = fields.require("operator").and_then(|at| at.one_of(&OPERATORS));
    let values_at = fields.get("values");
    let values = values_at.as_ref().and_then(|at| at.list_of(|at| at.string())).unwrap_or_default();
    let (key, operator) = (key?, operator?);
    // Source: apimachinery `labels.NewRequirement`.
    let wrong = match operator {
        LabelOperator::In | LabelOperator::NotIn if values.is_empty() => "at least one value",
        LabelOperator::Exists | LabelOperator::DoesNotExist if !values.is_empty() => "no values",
        LabelOperator::Gt | LabelOperator::Lt
            if values.len() != 1 || values[0].parse::<i64>().is_err() =>
        {
            "one whole number as value"
        }
        _ => {
            return Some(LabelRequirement { key, operator, values });
        }
    };
    let name = OPERATORS.iter().find(|(_, known)| *known == operator).map_or("", |(n, _)| n);
    values_at.unwrap_or_else(|| at.clone()).problem(format!("operator `{name}` takes {wrong}"));
    None
}
