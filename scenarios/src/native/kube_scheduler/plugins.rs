//! Plugin lists: the defaults, what the file disables, enables and weighs anew.

use sim::scenario::ScoreSpec;

use super::super::keys::{Reader, is_empty};
use super::Api;
use super::arguments::Arguments;
use crate::problem::nearest;
use crate::walk::{At, Fields};

/// Plugins that do not score (or only with alpha features), and are always on in the model.
const WITHOUT_SCORE: [&str; 18] = [
    "AzureDiskLimits",
    "CinderLimits",
    "DefaultBinder",
    "DefaultPreemption",
    "DynamicResources",
    "EBSLimits",
    "GCEPDLimits",
    "GangScheduling",
    "NodeDeclaredFeatures",
    "NodeName",
    "NodePorts",
    "NodeUnschedulable",
    "NodeVolumeLimits",
    "PrioritySort",
    "SchedulingGates",
    "VolumeBinding",
    "VolumeRestrictions",
    "VolumeZone",
];

/// Score plugins of older releases that nothing models: no pod or node of a scenario carries what
/// they look at.
const NOT_MODELLED: [&str; 4] =
    ["NodeLabel", "NodePreferAvoidPods", "SelectorSpread", "ServiceAffinity"];

/// A plugin that is enabled, with its weight (0 = not given).
struct Enabled<'a> {
    name: String,
    weight: i64,
    at: At<'a>,
}

#[derive(Default)]
struct PluginSet<'a> {
    enabled: Vec<Enabled<'a>>,
    disabled: Vec<String>,
}

/// Upstream's name of a score, by the rules of the API version.
fn name_of(spec: &ScoreSpec, api: Api) -> &'static str {
    match (api, spec) {
        (Api::V1Beta1, ScoreSpec::LeastAllocated { .. }) => "NodeResourcesLeastAllocated",
        (Api::V1Beta1, ScoreSpec::MostAllocated { .. }) => "NodeResourcesMostAllocated",
        (Api::V1Beta1, ScoreSpec::RequestedToCapacityRatio { .. }) => "RequestedToCapacityRatio",
        _ => spec.plugin(),
    }
}

/// The score of a plugin name; `None` where it has none (or needs arguments that are not there).
fn spec_of(name: &str, api: Api, arguments: &Arguments) -> Option<ScoreSpec> {
    if let Some(spec) = arguments.get(name) {
        return Some(spec.clone());
    }
    let resources = ScoreSpec::cpu_and_memory(1, 1);
    Some(match name {
        "NodeResourcesFit" if api != Api::V1Beta1 => ScoreSpec::LeastAllocated { resources },
        "NodeResourcesLeastAllocated" => ScoreSpec::LeastAllocated { resources },
        "NodeResourcesMostAllocated" => ScoreSpec::MostAllocated { resources },
        "NodeResourcesBalancedAllocation" => ScoreSpec::balanced_allocation(),
        "ImageLocality" => ScoreSpec::ImageLocality,
        "NodeAffinity" => ScoreSpec::NodeAffinity,
        "TaintToleration" => ScoreSpec::TaintToleration,
        "InterPodAffinity" => ScoreSpec::InterPodAffinity,
        "PodTopologySpread" => ScoreSpec::PodTopologySpread,
        _ => return None,
    })
}

/// The profile's scores.
pub(super) fn scores<'a>(
    reader: &Reader<'a>,
    plugins: Option<&At<'a>>,
    api: Api,
    defaults: &[(ScoreSpec, i64)],
    arguments: &Arguments,
) -> Vec<(ScoreSpec, i64)> {
    let (multi_point, score) = match plugins {
        Some(at) => sets(reader, at, api),
        None => (PluginSet::default(), PluginSet::default()),
    };
    let mut named: Vec<(&str, i64)> = Vec::new();
    let disabled =
        |set: &PluginSet<'_>, name: &str| set.disabled.iter().any(|off| off == "*" || off == name);
    for (spec, weight) in defaults {
        let name = name_of(spec, api);
        if !disabled(&multi_point, name) && !disabled(&score, name) {
            named.push((name, *weight));
        }
    }
    // A plugin that `multiPoint` enables scores unless `score` disables it; what `score` enables
    // itself always does, with its own weight. A weight of 0 is 1.
    let of_multi_point =
        multi_point.enabled.iter().filter(|plugin| !disabled(&score, &plugin.name));
    for plugin in of_multi_point.chain(&score.enabled) {
        let weight = plugin.weight.max(1);
        match named.iter_mut().find(|(name, _)| *name == plugin.name) {
            Some((_, before)) => *before = weight,
            None => named.push((&plugin.name, weight)),
        }
    }
    for plugin in multi_point.enabled.iter().chain(&score.enabled) {
        check_name(reader, plugin, api, arguments);
    }
    let scores = named.into_iter();
    scores.filter_map(|(name, weight)| Some((spec_of(name, api, arguments)?, weight))).collect()
}

/// Names that are no score of ours: known without score, not modelled, or somebody's own.
fn check_name(reader: &Reader<'_>, plugin: &Enabled<'_>, api: Api, arguments: &Arguments) {
    let name = plugin.name.as_str();
    if spec_of(name, api, arguments).is_some() || WITHOUT_SCORE.contains(&name) {
        return;
    }
    if NOT_MODELLED.contains(&name) {
        let path = format!("{}.{name}", plugin.at.path);
        return reader.walker.not_modelled(plugin.at.node.pos, path);
    }
    if name == "RequestedToCapacityRatio" {
        return plugin.at.problem("`RequestedToCapacityRatio` needs a `shape` in `pluginConfig`");
    }
    let shown: String = name.chars().take(80).collect();
    let known = [
        "ImageLocality",
        "InterPodAffinity",
        "NodeAffinity",
        "NodeResourcesBalancedAllocation",
        "NodeResourcesFit",
        "PodTopologySpread",
        "TaintToleration",
    ];
    let near =
        nearest(name, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    let message = format!("plugin `{shown}` is none of kube-scheduler's own: not modelled{near}");
    reader.warn(&plugin.at, "unknown-plugin", message);
}

/// `multiPoint` and `score`; other extension points are named.
fn sets<'a>(reader: &Reader<'a>, at: &At<'a>, api: Api) -> (PluginSet<'a>, PluginSet<'a>) {
    let known: &[&str] = match api {
        Api::V1 => &["multiPoint", "score"],
        Api::V1Beta1 | Api::V1Beta2 => &["score"],
    };
    // Before scoring, these only prepare it.
    let irrelevant = ["bind", "preScore", "preBind", "postBind", "queueSort", "reserve", "permit"];
    let Some(fields) = reader.fields(at, known, &irrelevant) else {
        return Default::default();
    };
    let set = |key: &str| {
        let at = fields.get(key).filter(|at| !is_empty(at.node));
        at.and_then(|at| reader.fields(&at, &["enabled", "disabled"], &[]))
            .map(|fields| plugin_set(reader, &fields))
            .unwrap_or_default()
    };
    (set("multiPoint"), set("score"))
}

fn plugin_set<'a>(reader: &Reader<'a>, fields: &Fields<'a>) -> PluginSet<'a> {
    let list = |key: &str| -> Vec<Enabled<'a>> {
        let at = fields.get(key);
        let items = at.and_then(|at| at.list_of(|at| plugin(reader, at)));
        items.unwrap_or_default()
    };
    let enabled = list("enabled");
    for (place, plugin) in enabled.iter().enumerate() {
        if enabled[..place].iter().any(|before| before.name == plugin.name) {
            plugin.at.problem(format!("plugin `{}` is enabled twice", plugin.name));
        }
    }
    let disabled = list("disabled").into_iter().map(|plugin| plugin.name);
    PluginSet { enabled, disabled: disabled.collect() }
}

fn plugin<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<Enabled<'a>> {
    let fields = reader.fields(at, &["name", "weight"], &[])?;
    let weight = match fields.get("weight") {
        Some(at) => at.int(0..=i64::from(i32::MAX))?,
        None => 0,
    };
    Some(Enabled { name: fields.require("name")?.name()?, weight, at: at.clone() })
}
