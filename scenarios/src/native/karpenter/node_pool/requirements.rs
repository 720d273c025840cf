//! `spec.template.spec.requirements`, with the CRD's validations; `Gte` and `Lte` become `Gt` and
//! `Lt` of the next number, keys of older releases those of today, as upstream does.

use sim::scenario::{LabelOperator, LabelRequirement, NodePoolRequirement};

use super::super::fields;
use crate::native::Place;
use crate::walk::{At, Fields};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Plain(LabelOperator),
    Gte,
    Lte,
}

const OPERATORS: [(&str, Operator); 8] = [
    ("In", Operator::Plain(LabelOperator::In)),
    ("NotIn", Operator::Plain(LabelOperator::NotIn)),
    ("Exists", Operator::Plain(LabelOperator::Exists)),
    ("DoesNotExist", Operator::Plain(LabelOperator::DoesNotExist)),
    ("Gt", Operator::Plain(LabelOperator::Gt)),
    ("Lt", Operator::Plain(LabelOperator::Lt)),
    ("Gte", Operator::Gte),
    ("Lte", Operator::Lte),
];

/// Older names of labels. Source: karpenter `NormalizedLabels`.
const NORMALIZED: [(&str, &str); 5] = [
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "kubernetes.io/os"),
    ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
];

/// The requirements and their places.
pub(super) fn read(inner: &Fields<'_>) -> (Vec<NodePoolRequirement>, Vec<Place>) {
    let items = inner.require("requirements").and_then(|at| at.list()).unwrap_or_default();
    if let Some(at) = items.get(100) {
        at.problem("more than 100 requirements");
    }
    let place = |at: &At<'_>| {
        let node = at.node.get("values").unwrap_or(at.node);
        Place::of(&at.walker.at(node, at.path.clone()))
    };
    let read = |at: &At<'_>| Some((requirement(at)?, place(at)));
    items.iter().take(100).filter_map(read).unzip()
}

/// Whether a NodePool may not set the label, which is a problem.
pub(super) fn is_restricted(at: &At<'_>, key: &str) -> bool {
    let domain = key.split_once('/').map_or("", |(domain, _)| domain);
    let restricted = match key {
        "karpenter.sh/capacity-type" => false,
        "karpenter.sh/nodepool" | "kubernetes.io/hostname" => true,
        _ => domain.ends_with("karpenter.sh"),
    };
    if restricted {
        at.problem(format!("label `{key}` is restricted: a NodePool cannot set it"));
    }
    restricted
}

fn requirement(at: &At<'_>) -> Option<NodePoolRequirement> {
    let fields = fields(at, &["key", "operator", "values", "minValues"], &[], &[])?;
    let key_at = fields.require("key");
    let operator_at = fields.require("operator");
    let operator = operator_at.as_ref().and_then(|at| at.one_of(&OPERATORS))?;
    let key_at = key_at?;
    let key = key_at.name()?;
    if is_restricted(&key_at, &key) {
        return None;
    }
    let known = NORMALIZED.iter().find(|(old, _)| *old == key);
    let key = known.map_or(key, |(_, new)| (*new).to_owned());
    let values = fields.get("values").and_then(|at| at.list_of(|at| at.string()));
    let values = values.unwrap_or_default();
    let min_values = fields.get("minValues").and_then(|at| at.int(1..=50)).map(|n| n as u32);
    let values_at = fields.get("values").unwrap_or_else(|| at.clone());
    let (operator, values) = checked(&values_at, operator, values)?;
    if operator == LabelOperator::In
        && let Some(least) = min_values.filter(|least| (values.len() as u32) < *least)
    {
        let count = values.len();
        let message = format!("minValues {least} of {count} values: there must be as many");
        fields.get("minValues").unwrap_or_else(|| at.clone()).problem(message);
    }
    Some(NodePoolRequirement {
        requirement: LabelRequirement { key, operator, values },
        min_values,
    })
}

/// Operator and values as they go together.
fn checked(
    at: &At<'_>,
    operator: Operator,
    values: Vec<String>,
) -> Option<(LabelOperator, Vec<String>)> {
    use LabelOperator::{DoesNotExist, Exists, Gt, In, Lt, NotIn};
    let name = OPERATORS.iter().find(|(_, known)| *known == operator).map_or("", |(name, _)| name);
    let number = |step: i64| match values.as_slice() {
        [value] => value.parse::<i64>().ok().filter(|n| *n >= 0).map(|n| (n + step).to_string()),
        _ => None,
    };
    let compared = match operator {
        Operator::Plain(In | NotIn) if values.is_empty() => {
            at.problem(format!("operator `{name}` needs a value"));
            return None;
        }
        Operator::Plain(plain @ (In | NotIn)) => return Some((plain, values)),
        Operator::Plain(plain @ (Exists | DoesNotExist)) => {
            if !values.is_empty() {
                at.problem(format!("operator `{name}` takes no values"));
                return None;
            }
            return Some((plain, values));
        }
        Operator::Plain(plain @ (Gt | Lt)) => number(0).map(|value| (plain, vec![value])),
        Operator::Gte => number(-1).map(|value| (Gt, vec![value])),
        Operator::Lte => number(1).map(|value| (Lt, vec![value])),
    };
    if compared.is_none() {
        let shown: String = values.join(", ").chars().take(80).collect();
        at.problem(format!("operator `{name}` needs one whole number, not [{shown}]"));
    }
    compared
}

/// Requirements of one key that no value meets together.
pub(super) fn check_conflicts(at: &At<'_>, all: &[NodePoolRequirement], places: &[Place]) {
    for (place, later) in all.iter().enumerate() {
        let later = &later.requirement;
        let earlier = all[..place].iter().enumerate().find(|(_, earlier)| {
            earlier.requirement.key == later.key && excludes(&earlier.requirement, later)
        });
        if let Some((first, _)) = earlier {
            let message = format!("conflicts with another requirement on `{}`", later.key);
            let problem = places[place].problem(message);
            let line = places[first].line();
            at.walker.report(problem.with_help(format!("the other one is at line {line}")));
        }
    }
}

fn excludes(one: &LabelRequirement, other: &LabelRequirement) -> bool {
    use LabelOperator::{DoesNotExist, Gt, In, Lt, NotIn};
    let number = |requirement: &LabelRequirement| -> Option<i64> {
        requirement.values.first().and_then(|value| value.parse().ok())
    };
    match (one.operator, other.operator) {
        (In, _) => !one.values.iter().any(|value| {
            let labels = [(one.key.clone(), value.clone())].into();
            other.matches(&labels)
        }),
        (_, In) => excludes(other, one),
        (DoesNotExist, NotIn | DoesNotExist) | (NotIn, DoesNotExist) => false,
        (DoesNotExist, _) | (_, DoesNotExist) => true,
        (Gt, Lt) | (Lt, Gt) => {
            let (low, high) = if one.operator == Gt { (one, other) } else { (other, one) };
            number(low).zip(number(high)).is_some_and(|(low, high)| high - low < 2)
        }
        _ => false,
    }
}
