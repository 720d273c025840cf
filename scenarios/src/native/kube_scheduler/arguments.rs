//! Plugin arguments (`pluginConfig`): the resource strategy of `NodeResourcesFit`, with the checks
//! of upstream's `apis/config/validation`.

use std::collections::BTreeMap;

use sim::scenario::{ScoreSpec, ShapePoint};

use super::super::keys::{Reader, is_empty};
use crate::walk::At;

/// Keys that every arguments object has.
const TYPE_META: [&str; 2] = ["apiVersion", "kind"];

/// A shape with more points than this would only cost memory.
const SHAPE_POINTS_MAX: usize = 101;

#[derive(Clone, Copy)]
enum Strategy {
    Least,
    Most,
    Ratio,
}

/// What `pluginConfig` says about the plugins that are modelled: by plugin name.
#[derive(Debug, Default)]
pub(super) struct Arguments(BTreeMap<&'static str, ScoreSpec>);

impl Arguments {
    /// Reads the list.
    pub(super) fn read<'a>(reader: &Reader<'a>, at: &At<'a>) -> Self {
        let mut arguments = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for item in at.list().unwrap_or_default() {
            let Some(fields) = reader.fields(&item, &["name", "args"], &[]) else {
                continue;
            };
            let Some(name) = fields.require("name").and_then(|at| at.name()) else {
                continue;
            };
            if seen.contains(&name) {
                item.problem(format!("a second configuration of plugin `{name}`"));
                continue;
            }
            if let Some(args) = fields.get("args") {
                arguments.one(reader, &name, &args);
            }
            seen.push(name);
        }
        arguments
    }

    fn one<'a>(&mut self, reader: &Reader<'a>, name: &str, args: &At<'a>) {
        let known: &[&str] = match name {
            "NodeResourcesFit" => &["scoringStrategy"],
            "NodeResourcesLeastAllocated" | "NodeResourcesMostAllocated" => &["resources"],
            "RequestedToCapacityRatio" => &["resources", "shape"],
            "NodeResourcesBalancedAllocation" => &["resources"],
            "InterPodAffinity" => &["hardPodAffinityWeight"],
            "PodTopologySpread" => &["defaultConstraints", "defaultingType"],
            "NodeAffinity" => &["addedAffinity"],
            "VolumeBinding" => return,
            _ => return args.not_modelled(),
        };
        let Some(fields) = reader.fields(args, known, &TYPE_META) else {
            return;
        };
        let resources = fields.get("resources");
        let spec = match name {
            "NodeResourcesFit" => {
                let strategy = fields.get("scoringStrategy");
                ("NodeResourcesFit", strategy.and_then(|at| strategy_of(reader, &at)))
            }
            "NodeResourcesLeastAllocated" => {
                let resources = resources_or_default(reader, resources.as_ref());
                let spec = ScoreSpec::LeastAllocated { resources };
                ("NodeResourcesLeastAllocated", Some(spec))
            }
            "NodeResourcesMostAllocated" => {
                let resources = resources_or_default(reader, resources.as_ref());
                let spec = ScoreSpec::MostAllocated { resources };
                ("NodeResourcesMostAllocated", Some(spec))
            }
            "RequestedToCapacityRatio" => {
                let resources = resources_or_default(reader, resources.as_ref());
                let points = fields.require("shape").and_then(|at| shape(reader, &at));
                let spec =
                    points.map(|shape| ScoreSpec::RequestedToCapacityRatio { resources, shape });
                ("RequestedToCapacityRatio", spec)
            }
            "NodeResourcesBalancedAllocation" => {
                if let Some(at) = resources
                    && weights_or_default(reader, Some(&at)) != [1, 1]
                {
                    at.not_modelled();
                }
                return;
            }
            _ => {
                for key in known {
                    if let Some(at) = fields.get(key).filter(|at| has_effect(at)) {
                        at.not_modelled();
                    }
                }
                return;
            }
        };
        if let (name, Some(spec)) = spec {
            self.0.insert(name, spec);
        }
    }

    /// The strategy that the arguments give `plugin`.
    pub(super) fn get(&self, plugin: &str) -> Option<&ScoreSpec> {
        self.0.get(plugin)
    }
}

/// Whether an argument differs from upstream's default.
fn has_effect(at: &At<'_>) -> bool {
    let default = match at.path.rsplit('.').next() {
        Some("hardPodAffinityWeight") => "1",
        Some("defaultingType") => "System",
        _ => return !is_empty(at.node),
    };
    at.node.scalar_text() != Some(default)
}

fn strategy_of<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<ScoreSpec> {
    let known = ["type", "resources", "requestedToCapacityRatio"];
    let fields = reader.fields(at, &known, &[])?;
    let kinds = [
        ("LeastAllocated", Strategy::Least),
        ("MostAllocated", Strategy::Most),
        ("RequestedToCapacityRatio", Strategy::Ratio),
    ];
    let kind = fields.get("type").map_or(Some(Strategy::Least), |at| at.one_of(&kinds));
    let resources = resources_or_default(reader, fields.get("resources").as_ref());
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

fn resources_or_default<'a>(reader: &Reader<'a>, at: Option<&At<'a>>) -> Vec<(String, i64)> {
    let [cpu, memory] = weights_or_default(reader, at);
    ScoreSpec::cpu_and_memory(cpu, memory)
}

fn weights_or_default<'a>(reader: &Reader<'a>, at: Option<&At<'a>>) -> [i64; 2] {
    match at.filter(|at| !is_empty(at.node)) {
        Some(at) => resource_weights(reader, at, "name"),
        None => [1, 1],
    }
}

/// Weights of CPU and memory in a list of resources; one that is not listed weighs 0. Others are
/// not modelled. `name_key` is `name`, or `resource` in some of the older arguments.
pub(in crate::native) fn resource_weights<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
    name_key: &str,
) -> [i64; 2] {
    let mut weights: [Option<i64>; 2] = [None, None];
    for item in at.list().unwrap_or_default() {
        let Some(fields) = reader.fields(&item, &[name_key, "weight"], &[]) else {
            continue;
        };
        // A weight of 0, or none, is 1. Source: `apis/config/v1/defaults.go`.
        let weight = match fields.get("weight") {
            Some(at) => at.int(0..=100).unwrap_or(1).max(1),
            None => 1,
        };
        let name = fields.require(name_key).and_then(|at| at.name());
        let slot = match name.as_deref() {
            Some("cpu") => &mut weights[0],
            Some("memory") => &mut weights[1],
            Some(_) => {
                item.not_modelled();
                continue;
            }
            None => continue,
        };
        if slot.replace(weight).is_some() {
            item.problem("the same resource a second time");
        }
    }
    weights.map(|weight| weight.unwrap_or(0))
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
