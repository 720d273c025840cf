//! What the scores by resources are told: strategies, resources with weights, and shapes.

use sim::scenario::{ScoreSpec, ShapePoint};

use super::super::super::keys::{Reader, is_empty};
use crate::problem::nearest;
use crate::walk::At;

/// A shape with more points than this would only cost memory.
const SHAPE_POINTS_MAX: usize = 101;

/// More resources than this are no configuration.
const RESOURCES_MAX: usize = 100;

#[derive(Clone, Copy)]
enum Strategy {
    Least,
    Most,
    Ratio,
}

/// `scoringStrategy` of `NodeResourcesFit`.
pub(super) fn strategy<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<ScoreSpec> {
    let known = ["type", "resources", "requestedToCapacityRatio"];
    let fields = reader.fields(at, &known, &[])?;
    let kinds = [
        ("LeastAllocated", Strategy::Least),
        ("MostAllocated", Strategy::Most),
        ("RequestedToCapacityRatio", Strategy::Ratio),
    ];
    let kind = fields.require("type").and_then(|at| at.one_of(&kinds));
    let resources = weights_or_default(reader, fields.get("resources").as_ref());
    match kind? {
        Strategy::Least => Some(ScoreSpec::LeastAllocated { resources }),
        Strategy::Most => Some(ScoreSpec::MostAllocated { resources }),
        Strategy::Ratio => {
            let parameters = fields.require("requestedToCapacityRatio")?;
            let parameters = reader.fields(&parameters, &["shape"], &[])?;
            let shape = shape(reader, &parameters.require("shape")?)?;
            Some(ScoreSpec::RequestedToCapacityRatio { resources, shape })
        }
    }
}

/// `resources` of `NodeResourcesBalancedAllocation`, whose weights are all 1.
pub(super) fn balanced<'a>(reader: &Reader<'a>, at: &At<'a>) -> ScoreSpec {
    let weighed = weights(reader, at, "name");
    if weighed.iter().any(|(_, weight)| *weight != 1) {
        at.problem("`NodeResourcesBalancedAllocation` takes no weight but 1");
    }
    ScoreSpec::BalancedAllocation { resources: weighed.into_iter().map(|(name, _)| name).collect() }
}

/// The resources of a list, or CPU and memory alike.
pub(super) fn weights_or_default<'a>(
    reader: &Reader<'a>,
    at: Option<&At<'a>>,
) -> Vec<(String, i64)> {
    match at.filter(|at| !is_empty(at.node)) {
        Some(at) => weights(reader, at, "name"),
        None => ScoreSpec::cpu_and_memory(1, 1),
    }
}

/// A list of resources with their weights. `name_key` is `name`, or `resource` in some of the
/// older arguments.
pub(in crate::native) fn weights<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
    name_key: &str,
) -> Vec<(String, i64)> {
    let items = at.list().unwrap_or_default();
    if items.len() > RESOURCES_MAX {
        at.problem(format!("{} resources; at most {RESOURCES_MAX} are read", items.len()));
        return Vec::new();
    }
    let mut weights: Vec<(String, i64)> = Vec::new();
    for item in items {
        let Some(fields) = reader.fields(&item, &[name_key, "weight"], &[]) else {
            continue;
        };
        // A weight of 0, or none, is 1.
        let weight = match fields.get("weight") {
            Some(at) => at.int(0..=100).unwrap_or(1).max(1),
            None => 1,
        };
        let Some(at) = fields.require(name_key) else {
            continue;
        };
        let Some(name) = at.name() else {
            continue;
        };
        check_name(reader, &at, &name);
        if weights.iter().any(|(known, _)| *known == name) {
            item.problem("the same resource a second time");
        } else {
            weights.push((name, weight));
        }
    }
    weights
}

/// Upstream takes any name; one that no node has counts nothing.
fn check_name(reader: &Reader<'_>, at: &At<'_>, name: &str) {
    let known = ["cpu", "ephemeral-storage", "memory"];
    if known.contains(&name) || name.contains('/') || name.starts_with("hugepages-") {
        return;
    }
    let near =
        nearest(name, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    let shown: String = name.chars().take(80).collect();
    let message = format!("no node has a resource `{shown}`: it counts nothing{near}");
    reader.warn(at, "unknown-resource", message);
}

/// Points of a `RequestedToCapacityRatio` shape.
/// Source: `validateFunctionShape`: at least one point, utilisation rising in 0..=100, score in
/// 0..=10.
pub(in crate::native) fn shape<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<Vec<ShapePoint>> {
    let items = at.list()?;
    if items.is_empty() || items.len() > SHAPE_POINTS_MAX {
        let count = items.len();
        at.problem(format!("{count} points of a shape; 1 to {SHAPE_POINTS_MAX} are allowed"));
        return None;
    }
    let mut points: Vec<ShapePoint> = Vec::new();
    for item in &items {
        let fields = reader.fields(item, &["utilization", "score"], &[])?;
        // Upstream's fields have no defaults: an absent number is 0.
        let number = |key: &str, most| match fields.get(key) {
            Some(at) => at.int(0..=most),
            None => Some(0),
        };
        let point =
            ShapePoint { utilization: number("utilization", 100)?, score: number("score", 10)? };
        if points.last().is_some_and(|last| last.utilization >= point.utilization) {
            item.problem(format!("utilization {} does not rise", point.utilization));
            return None;
        }
        points.push(point);
    }
    Some(points)
}
