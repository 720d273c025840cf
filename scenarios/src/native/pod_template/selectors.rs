//! Requirements on labels: of node affinity, and of label selectors of pods.
//!
//! Source: apimachinery `labels.NewRequirement`, `metav1.LabelSelector`; k8s.io/kubernetes
//! `validation.ValidateNodeSelectorRequirement`, `ValidateNodeFieldSelectorRequirement`.

use sim::scenario::{LabelOperator, LabelRequirement, LabelSelector};

use super::super::keys::{Reader, string_map};
use crate::walk::At;

/// Operators of node affinity. Label selectors know the first four.
const OPERATORS: [(&str, LabelOperator); 6] = [
    ("In", LabelOperator::In),
    ("NotIn", LabelOperator::NotIn),
    ("Exists", LabelOperator::Exists),
    ("DoesNotExist", LabelOperator::DoesNotExist),
    ("Gt", LabelOperator::Gt),
    ("Lt", LabelOperator::Lt),
];

/// The only field of a node that affinity can ask for.
const NODE_NAME_FIELD: &str = "metadata.name";

/// A requirement on a node's label.
pub(super) fn node_label<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<LabelRequirement> {
    requirement(reader, at, &OPERATORS)
}

/// A requirement on a node's field.
pub(super) fn node_field<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<LabelRequirement> {
    let field = requirement(reader, at, &OPERATORS[..2])?;
    if field.key != NODE_NAME_FIELD {
        let message = format!("unknown field `{}`", field.key.chars().take(80).collect::<String>());
        at.problem_with_help(message, format!("known: `{NODE_NAME_FIELD}`"));
        return None;
    }
    if field.values.len() != 1 {
        at.problem(format!("`{NODE_NAME_FIELD}` takes one value"));
        return None;
    }
    Some(field)
}

/// A label selector. An empty one selects everything; the caller knows what none at all means.
pub(super) fn label_selector<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<LabelSelector> {
    let fields = reader.fields(at, &["matchLabels", "matchExpressions"], &[])?;
    let labels = string_map(&fields, "matchLabels").into_iter();
    let mut requirements: Vec<LabelRequirement> = labels
        .map(|(key, value)| LabelRequirement {
            key,
            operator: LabelOperator::In,
            values: vec![value],
        })
        .collect();
    if let Some(at) = fields.get("matchExpressions") {
        let expressions = at.list_of(|at| requirement(reader, at, &OPERATORS[..4]));
        requirements.extend(expressions.unwrap_or_default());
    }
    Some(LabelSelector { requirements })
}

/// `matchLabelKeys` or `mismatchLabelKeys`, which need a selector beside them.
pub(super) fn label_keys(at: Option<At<'_>>, selector: Option<&LabelSelector>) -> Vec<String> {
    let Some(at) = at else {
        return Vec::new();
    };
    let keys = at.list_of(|at| at.name()).unwrap_or_default();
    if !keys.is_empty() && selector.is_none() {
        let name = at.path.rsplit('.').next().unwrap_or_default();
        at.problem(format!("`{name}` needs a `labelSelector` beside it"));
        return Vec::new();
    }
    keys
}

fn requirement<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
    operators: &[(&str, LabelOperator)],
) -> Option<LabelRequirement> {
    let fields = reader.fields(at, &["key", "operator", "values"], &[])?;
    let key = fields.require("key").and_then(|at| at.name());
    let operator = fields.require("operator").and_then(|at| at.one_of(operators));
    let values_at = fields.get("values");
    let values = values_at.as_ref().and_then(|at| at.list_of(|at| at.string())).unwrap_or_default();
    let (key, operator) = (key?, operator?);
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
