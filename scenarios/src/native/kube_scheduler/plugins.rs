//! Plugin lists: the defaults, what the file disables, enables and weighs anew, by extension point.
//!
//! Source: k8s.io/kubernetes `pkg/scheduler/apis/config/v1/default_plugins.go` (`mergePluginSet`)
//! and `framework/runtime/framework.go` (`expandMultiPointPlugins`, `getScoreWeights`).

use sim::scenario::ScoreSpec;

use super::super::keys::{Reader, is_empty};
use super::arguments::Arguments;
use super::known::{self, FILTERS, Model, Name};
use super::{Api, Rules};
use crate::walk::{At, Fields};

/// Extension points that only prepare others, or come after the node is chosen.
const WITHOUT_EFFECT: [&str; 5] = ["bind", "postBind", "preBind", "preScore", "reserve"];

/// Extension points of which nothing is modelled but what happens by default.
const DEFAULT_ONLY: [&str; 5] = ["permit", "postFilter", "preEnqueue", "preFilter", "queueSort"];

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

impl PluginSet<'_> {
    fn disables(&self, name: &str) -> bool {
        self.disabled.iter().any(|off| off == "*" || off == name)
    }

    fn enables(&self, name: &str) -> bool {
        self.enabled.iter().any(|plugin| plugin.name == name)
    }
}

/// The lists of a profile that are modelled.
#[derive(Default)]
pub(super) struct Plugins<'a> {
    multi_point: PluginSet<'a>,
    score: PluginSet<'a>,
    filter: PluginSet<'a>,
}

impl<'a> Plugins<'a> {
    /// Reads `plugins` of a profile.
    pub(super) fn read(reader: &Reader<'a>, at: &At<'a>, rules: Rules) -> Self {
        let known: &[&str] = match rules.api {
            Api::V1Beta3 | Api::V1 => &["multiPoint", "score", "filter"],
            Api::V1Beta1 | Api::V1Beta2 => &["score", "filter"],
        };
        let known: Vec<&str> = known.iter().copied().chain(DEFAULT_ONLY).collect();
        let Some(fields) = reader.fields(at, &known, &WITHOUT_EFFECT) else {
            return Self::default();
        };
        let set = |key: &str| {
            let at = fields.get(key).filter(|at| !is_empty(at.node));
            at.and_then(|at| reader.fields(&at, &["enabled", "disabled"], &[]))
                .map(|fields| plugin_set(reader, &fields, rules))
                .unwrap_or_default()
        };
        for point in DEFAULT_ONLY {
            let is_default = |set: &PluginSet<'_>| {
                let mut enabled = set.enabled.iter().map(|plugin| plugin.name.as_str());
                enabled.all(|name| is_known(name, rules)) && set.disabled.is_empty()
            };
            if let Some(at) = fields.get(point).filter(|_| !is_default(&set(point))) {
                at.not_modelled();
            }
        }
        for point in WITHOUT_EFFECT {
            set(point);
        }
        let read =
            Self { multi_point: set("multiPoint"), score: set("score"), filter: set("filter") };
        read.check_points(rules);
        read
    }

    /// What a list enables must be of its kind; `multiPoint` takes any.
    fn check_points(&self, rules: Rules) {
        for plugin in &self.score.enabled {
            if known::name(&plugin.name, rules.api) == Name::Known(Model::NoScore) {
                plugin.at.problem(format!("plugin `{}` does not score nodes", plugin.name));
            }
        }
        // Of those without a model, some do filter.
        let scores_only = ["ImageLocality", "NodeResourcesBalancedAllocation"];
        for plugin in &self.filter.enabled {
            if scores_only.contains(&plugin.name.as_str()) {
                plugin.at.problem(format!("plugin `{}` does not filter nodes", plugin.name));
            }
        }
        let separate = |name: &str| matches!(name, "RequestedToCapacityRatio") || is_strategy(name);
        let fit = self.score.enabled.iter().find(|plugin| plugin.name == "NodeResourcesFit");
        let other = self.score.enabled.iter().find(|plugin| separate(&plugin.name));
        if let (Some(fit), Some(other)) = (fit, other) {
            fit.at.problem(format!("`NodeResourcesFit` and `{}` exclude each other", other.name));
        }
    }

    /// The filters that are off, in upstream's order.
    pub(super) fn filters_disabled(&self) -> Vec<String> {
        let on = |name: &str| {
            let everywhere = !self.multi_point.disables(name) || self.multi_point.enables(name);
            everywhere && !self.filter.disables(name) || self.filter.enables(name)
        };
        FILTERS.iter().filter(|name| !on(name)).map(|name| (*name).to_owned()).collect()
    }

    /// The scores with their weights.
    pub(super) fn scores(
        &self,
        rules: Rules,
        defaults: &[(ScoreSpec, i64)],
        arguments: &Arguments,
    ) -> Vec<(ScoreSpec, i64)> {
        let (multi_point, score) = (&self.multi_point, &self.score);
        let mut named: Vec<(&str, i64)> = Vec::new();
        for (spec, weight) in defaults {
            let name = name_of(spec, rules.api);
            if !multi_point.disables(name) && !score.disables(name) {
                named.push((name, *weight));
            }
        }
        // A plugin that `multiPoint` enables scores unless `score` disables it; what `score`
        // enables itself always does, with its own weight. A weight of 0 is 1.
        let of_multi_point = multi_point.enabled.iter().filter(|one| !score.disables(&one.name));
        for plugin in of_multi_point.chain(&score.enabled) {
            let weight = plugin.weight.max(1);
            match named.iter_mut().find(|(name, _)| *name == plugin.name) {
                Some((_, before)) => *before = weight,
                None => named.push((&plugin.name, weight)),
            }
        }
        for plugin in multi_point.enabled.iter().chain(&score.enabled) {
            if plugin.name == "RequestedToCapacityRatio" && arguments.score(&plugin.name).is_none()
            {
                let message = "`RequestedToCapacityRatio` needs a `shape` in `pluginConfig`";
                plugin.at.problem(message);
            }
        }
        let scores = named.into_iter();
        scores
            .filter_map(|(name, weight)| Some((spec_of(name, rules, arguments)?, weight)))
            .collect()
    }
}

fn is_strategy(name: &str) -> bool {
    matches!(name, "NodeResourcesLeastAllocated" | "NodeResourcesMostAllocated")
}

fn is_known(name: &str, rules: Rules) -> bool {
    matches!(known::name(name, rules.api), Name::Known(_))
}

/// Upstream's name of a score, by the rules of the API version.
pub(super) fn name_of(spec: &ScoreSpec, api: Api) -> &'static str {
    match (api, spec) {
        (Api::V1Beta1, ScoreSpec::LeastAllocated { .. }) => "NodeResourcesLeastAllocated",
        (Api::V1Beta1, ScoreSpec::MostAllocated { .. }) => "NodeResourcesMostAllocated",
        (Api::V1Beta1, ScoreSpec::RequestedToCapacityRatio { .. }) => "RequestedToCapacityRatio",
        _ => spec.plugin(),
    }
}

/// The score of a plugin name; `None` where it has none (or needs arguments that are not there).
fn spec_of(name: &str, rules: Rules, arguments: &Arguments) -> Option<ScoreSpec> {
    // Before 1.22, `NodeResourcesFit` only filters.
    if name == "NodeResourcesFit" && rules.api == Api::V1Beta1 && rules.version.minor < 22 {
        return None;
    }
    if let Some(spec) = arguments.score(name) {
        return Some(spec.clone());
    }
    let resources = ScoreSpec::cpu_and_memory(1, 1);
    Some(match name {
        "NodeResourcesFit" | "NodeResourcesLeastAllocated" => {
            ScoreSpec::LeastAllocated { resources }
        }
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

fn plugin_set<'a>(reader: &Reader<'a>, fields: &Fields<'a>, rules: Rules) -> PluginSet<'a> {
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
        check_name(reader, plugin, rules.api);
    }
    let disabled = list("disabled");
    for plugin in disabled.iter().filter(|plugin| plugin.name != "*") {
        if let Name::Unknown(Some(near)) = known::name(&plugin.name, rules.api) {
            let shown: String = plugin.name.chars().take(80).collect();
            let message = format!(
                "`{shown}` is no plugin, disabling it has no effect; did you mean `{near}`?"
            );
            reader.warn(&plugin.at, "unknown-plugin", message);
        }
    }
    PluginSet { enabled, disabled: disabled.into_iter().map(|plugin| plugin.name).collect() }
}

/// A name that is enabled: known, removed, somebody's own, or wrong.
fn check_name(reader: &Reader<'_>, plugin: &Enabled<'_>, api: Api) {
    let shown: String = plugin.name.chars().take(80).collect();
    match known::name(&plugin.name, api) {
        Name::Known(Model::Score | Model::NoScore) => {}
        Name::Known(Model::NotModelled) => {
            let path = format!("{}.{shown}", plugin.at.path);
            reader.walker.not_modelled(plugin.at.node.pos, path);
        }
        Name::Removed => {
            let message = format!("plugin `{shown}` was removed in {} or before", api.name());
            plugin.at.problem_with_help(message, replacement(&plugin.name));
        }
        Name::OutOfTree => {
            let message = format!(
                "plugin `{shown}` is not part of kube-scheduler and not modelled: pods are placed \
                 without it"
            );
            reader.warn(&plugin.at, "unknown-plugin", message);
        }
        Name::Unknown(near) => {
            let message = format!("unknown plugin `{shown}`");
            let help = near.map(|near| format!("did you mean `{near}`?"));
            reader.walker.problem(plugin.at.node.pos, &plugin.at.path, message, help);
        }
    }
}

/// What took the place of a removed plugin.
fn replacement(name: &str) -> &'static str {
    match name {
        "NodeResourcesLeastAllocated"
        | "NodeResourcesMostAllocated"
        | "RequestedToCapacityRatio" => "a `scoringStrategy` of `NodeResourcesFit` replaced it",
        "SelectorSpread" | "DefaultPodTopologySpread" => "`PodTopologySpread` replaced it",
        "NodeLabel" => "`NodeAffinity` with `addedAffinity` replaced it",
        _ => "nothing replaced it",
    }
}

fn plugin<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<Enabled<'a>> {
    let fields = reader.fields(at, &["name", "weight"], &[])?;
    let weight = match fields.get("weight") {
        Some(at) => at.int(0..=i64::from(i32::MAX))?,
        None => 0,
    };
    Some(Enabled { name: fields.require("name")?.name()?, weight, at: at.clone() })
}
