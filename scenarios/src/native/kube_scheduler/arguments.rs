//! Plugin arguments (`pluginConfig`), with the checks of upstream.
//!
//! Left out, by name as findings: arguments of plugins without a model, and of `DefaultPreemption`
//! where they differ from the default.
//!
//! Source: k8s.io/kube-scheduler `config/v1` types; k8s.io/kubernetes
//! `pkg/scheduler/apis/config/v1/defaults.go` and `apis/config/validation/validation_pluginargs.go`.

mod resources;

use std::collections::BTreeMap;

use sim::scenario::{AddedAffinity, SchedulerProfile, ScoreSpec, SpreadDefaults};

use super::super::keys::{Reader, is_empty};
use super::super::pod_template;
use super::Rules;
use super::known::{self, Name};
use crate::walk::{At, Fields};
use resources::{balanced, strategy, weights_or_default};
pub(in crate::native) use resources::{shape, weights};

/// Keys that every arguments object has.
const TYPE_META: [&str; 2] = ["apiVersion", "kind"];

/// What `pluginConfig` says: scores by plugin name, the rest in a profile.
#[derive(Debug)]
pub(super) struct Arguments {
    scores: BTreeMap<String, ScoreSpec>,
    profile: SchedulerProfile,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { scores: BTreeMap::new(), profile: SchedulerProfile::new("", Vec::new()) }
    }
}

impl Arguments {
    /// Reads the list.
    pub(super) fn read<'a>(reader: &Reader<'a>, at: &At<'a>, rules: Rules) -> Self {
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
                arguments.one(reader, &name, &args, rules);
            }
            seen.push(name);
        }
        arguments
    }

    /// The score that the arguments give `plugin`.
    pub(super) fn score(&self, plugin: &str) -> Option<&ScoreSpec> {
        self.scores.get(plugin)
    }

    /// A profile with these arguments, and neither name nor scores.
    pub(super) fn into_profile(self) -> SchedulerProfile {
        self.profile
    }

    fn one<'a>(&mut self, reader: &Reader<'a>, name: &str, args: &At<'a>, rules: Rules) {
        let Some(known) = known_arguments(reader, name, args, rules) else {
            return;
        };
        let irrelevant: &[&str] = match name {
            "VolumeBinding" => &["apiVersion", "kind", "bindTimeoutSeconds", "shape"],
            _ => &TYPE_META,
        };
        let Some(fields) = reader.fields(args, known, irrelevant) else {
            return;
        };
        is_of_kind(&fields, name);
        let profile = &mut self.profile;
        match name {
            "NodeResourcesFit" => {
                fit(&fields, profile);
                let given = fields.get("scoringStrategy");
                self.put(name, given.and_then(|at| strategy(reader, &at)));
            }
            "NodeResourcesBalancedAllocation" => {
                let given = fields.get("resources").filter(|at| !is_empty(at.node));
                self.put(name, given.map(|at| balanced(reader, &at)));
            }
            "NodeResourcesLeastAllocated" => {
                let resources = weights_or_default(reader, fields.get("resources").as_ref());
                self.put(name, Some(ScoreSpec::LeastAllocated { resources }));
            }
            "NodeResourcesMostAllocated" => {
                let resources = weights_or_default(reader, fields.get("resources").as_ref());
                self.put(name, Some(ScoreSpec::MostAllocated { resources }));
            }
            "RequestedToCapacityRatio" => {
                let resources = weights_or_default(reader, fields.get("resources").as_ref());
                let shape = fields.require("shape").and_then(|at| shape(reader, &at));
                let spec =
                    shape.map(|shape| ScoreSpec::RequestedToCapacityRatio { resources, shape });
                self.put(name, spec);
            }
            "InterPodAffinity" => inter_pod_affinity(&fields, profile),
            "NodeAffinity" => {
                if let Some(at) = fields.get("addedAffinity") {
                    profile.added_affinity = added_affinity(reader, &at);
                }
            }
            "PodTopologySpread" => spread(reader, &fields, profile),
            "DefaultPreemption" => preemption(&fields),
            _ => {}
        }
    }

    fn put(&mut self, plugin: &str, spec: Option<ScoreSpec>) {
        if let Some(spec) = spec {
            self.scores.insert(plugin.to_owned(), spec);
        }
    }
}

/// The arguments that are read of `name`; `None` where it has none to read.
fn known_arguments<'a>(
    reader: &Reader<'a>,
    name: &str,
    args: &At<'a>,
    rules: Rules,
) -> Option<&'static [&'static str]> {
    match known::name(name, rules.api) {
        Name::Known(_) => {}
        Name::Removed => {
            let api = rules.api.name();
            args.problem(format!("plugin `{name}` was removed in {api} or before"));
            return None;
        }
        Name::OutOfTree => {
            args.not_modelled();
            return None;
        }
        Name::Unknown(near) => {
            let shown: String = name.chars().take(80).collect();
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let message = format!("arguments of the unknown plugin `{shown}` are ignored{near}");
            reader.warn(args, "unknown-plugin", message);
            return None;
        }
    }
    Some(match name {
        "NodeResourcesFit" => &["ignoredResources", "ignoredResourceGroups", "scoringStrategy"],
        "NodeResourcesLeastAllocated" | "NodeResourcesMostAllocated" => &["resources"],
        "RequestedToCapacityRatio" => &["resources", "shape"],
        "NodeResourcesBalancedAllocation" => &["resources"],
        "InterPodAffinity" => &["hardPodAffinityWeight", "ignorePreferredTermsOfExistingPods"],
        "PodTopologySpread" => &["defaultConstraints", "defaultingType"],
        "NodeAffinity" => &["addedAffinity"],
        "DefaultPreemption" => &["minCandidateNodesAbsolute", "minCandidateNodesPercentage"],
        "VolumeBinding" => &[],
        _ => {
            args.not_modelled();
            return None;
        }
    })
}

/// The object must be the plugin's own arguments.
fn is_of_kind(fields: &Fields<'_>, name: &str) {
    let expected = format!("{name}Args");
    if let Some(at) = fields.get("kind")
        && at.node.scalar_text() != Some(expected.as_str())
    {
        at.wrong_type(&format!("`{expected}`"));
    }
}

/// `ignoredResources` and `ignoredResourceGroups` of `NodeResourcesFit`.
fn fit(fields: &Fields<'_>, profile: &mut SchedulerProfile) {
    let names = |key: &str| {
        let at = fields.get(key);
        at.and_then(|at| at.list_of(|at| Some((at.name()?, at.clone())))).unwrap_or_default()
    };
    for (name, _) in names("ignoredResources") {
        profile.ignored_resources.push(name);
    }
    for (name, at) in names("ignoredResourceGroups") {
        if name.contains('/') {
            at.problem("a resource group is the part before the `/`");
        }
        profile.ignored_resource_groups.push(name);
    }
}

fn inter_pod_affinity(fields: &Fields<'_>, profile: &mut SchedulerProfile) {
    let args = &mut profile.inter_pod_affinity;
    if let Some(weight) = fields.get("hardPodAffinityWeight").and_then(|at| at.int(0..=100)) {
        args.hard_pod_affinity_weight = weight;
    }
    if let Some(ignore) = fields.bool("ignorePreferredTermsOfExistingPods") {
        args.ignore_preferred_terms_of_existing_pods = ignore;
    }
}

/// Reads `addedAffinity`.
pub(super) fn added_affinity<'a>(reader: &Reader<'a>, at: &At<'a>) -> AddedAffinity {
    let (required, preferred) = pod_template::added_affinity(reader, at);
    AddedAffinity { required, preferred }
}

fn spread<'a>(reader: &Reader<'a>, fields: &Fields<'a>, profile: &mut SchedulerProfile) {
    let types = [("List", true), ("System", false)];
    let list = fields.get("defaultingType").and_then(|at| at.one_of(&types)).unwrap_or(false);
    let at = fields.get("defaultConstraints").filter(|at| !is_empty(at.node));
    let constraints =
        at.as_ref().map(|at| pod_template::default_constraints(reader, at)).unwrap_or_default();
    match at {
        Some(at) if !list => {
            let message = "`defaultConstraints` need `defaultingType: List`";
            at.problem_with_help(message, "the default is `System`");
        }
        _ if list => profile.spread_defaults = SpreadDefaults::List(constraints),
        _ => {}
    }
}

/// Preemption looks at upstream's default number of candidates.
/// Source: facts-kubernetes 1.4 (10 % of the nodes, at least 100).
fn preemption(fields: &Fields<'_>) {
    for (key, default, most) in [
        ("minCandidateNodesAbsolute", 100, i64::from(i32::MAX)),
        ("minCandidateNodesPercentage", 10, 100),
    ] {
        if let Some(at) = fields.get(key)
            && at.int(0..=most).is_some_and(|count| count != default)
        {
            at.not_modelled();
        }
    }
}
