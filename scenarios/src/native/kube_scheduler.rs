//! `KubeSchedulerConfiguration` (v1alpha1 to v1) to scheduler profiles: which plugins filter and
//! score nodes, with what weights and arguments.
//!
//! Left out, by name as findings: plugins at other extension points than filtering and scoring,
//! extenders, arguments of plugins without a model, `algorithmSource.policy` (the scenario names a
//! policy itself).
//!
//! Source: k8s.io/kube-scheduler `config/v1` types; checks as in k8s.io/kubernetes
//! `pkg/scheduler/apis/config/validation/validation.go`; releases of each API version: KEP-785.

mod arguments;
mod known;
mod plugins;
pub mod write;

use sim::Severity;
use sim::scenario::{
    AddedAffinity, KubernetesVersion, SchedulerProfile, ScoreSpec, TopologySpreadConstraint,
};
use sim::units::SimDuration;

use super::keys::{Reader, is_empty};
use super::{NativeRead, Place, embedded, in_place, pod_template, read_documents};
use crate::walk::{At, Fields};
use arguments::Arguments;
pub(super) use arguments::{shape, weights};
use plugins::Plugins;

/// Each API version with the first and the last release that takes it. Source: KEP-785; v1alpha1
/// is older than every release that is modelled.
const API_VERSIONS: [(&str, Api, u32, u32); 6] = [
    ("kubescheduler.config.k8s.io/v1alpha1", Api::V1Beta1, 10, 18),
    ("kubescheduler.config.k8s.io/v1alpha2", Api::V1Beta1, 18, 20),
    ("kubescheduler.config.k8s.io/v1beta1", Api::V1Beta1, 19, 22),
    ("kubescheduler.config.k8s.io/v1beta2", Api::V1Beta2, 22, 27),
    ("kubescheduler.config.k8s.io/v1beta3", Api::V1Beta3, 23, 28),
    ("kubescheduler.config.k8s.io/v1", Api::V1, 25, u32::MAX),
];

/// Rules by which plugin lists combine, and which names they may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Api {
    /// v1alpha1 to v1beta1: one plugin per resource strategy; no `multiPoint`.
    V1Beta1,
    /// `NodeResourcesFit` with a strategy; no `multiPoint`; the older weights.
    V1Beta2,
    /// `multiPoint`; today's weights.
    V1Beta3,
    /// The same without `SelectorSpread`.
    V1,
}

impl Api {
    /// Its name in messages.
    const fn name(self) -> &'static str {
        match self {
            Self::V1Beta1 => "v1beta1",
            Self::V1Beta2 => "v1beta2",
            Self::V1Beta3 => "v1beta3",
            Self::V1 => "v1",
        }
    }
}

/// What decides how a file is understood.
#[derive(Debug, Clone, Copy)]
struct Rules {
    api: Api,
    version: KubernetesVersion,
}

const IRRELEVANT: [&str; 10] = [
    "apiVersion",
    "clientConnection",
    "delayCacheUntilActive",
    "enableContentionProfiling",
    "enableProfiling",
    "healthzBindAddress",
    "kind",
    "leaderElection",
    "metadata",
    "metricsBindAddress",
];

const ROOT: [&str; 5] = [
    "parallelism",
    "percentageOfNodesToScore",
    "podInitialBackoffSeconds",
    "podMaxBackoffSeconds",
    "profiles",
];

/// What v1alpha1 has at the top instead of `profiles`.
const ALPHA: [&str; 5] = [
    "algorithmSource",
    "hardPodAffinitySymmetricWeight",
    "pluginConfig",
    "plugins",
    "schedulerName",
];

/// Reads a configuration file, or a `ConfigMap` that holds one; one profile for each of its
/// `profiles`, or the release's default one where it has none.
pub fn read(
    file_name: &str,
    text: &str,
    version: KubernetesVersion,
) -> NativeRead<Vec<SchedulerProfile>> {
    if let Some((name, inner)) = embedded(file_name, text, "KubeSchedulerConfiguration") {
        return read_plain(&name, &inner, version);
    }
    read_plain(file_name, text, version)
}

fn read_plain(
    file_name: &str,
    text: &str,
    version: KubernetesVersion,
) -> NativeRead<Vec<SchedulerProfile>> {
    read_documents(file_name, text, |reader, documents| {
        let configuration = documents
            .iter()
            .find(|document| Reader::kind(document) == "KubeSchedulerConfiguration");
        let Some(document) = configuration else {
            let found: String =
                documents.first().map_or("", Reader::kind).chars().take(60).collect();
            let pos = documents.first().map_or_else(Default::default, |node| node.pos);
            let message = format!("expected kind `KubeSchedulerConfiguration`, found `{found}`");
            reader.walker.problem(pos, "kind", message, None);
            return Vec::new();
        };
        configuration_of(reader, &reader.document(document), version)
    })
}

fn configuration_of<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
    version: KubernetesVersion,
) -> Vec<SchedulerProfile> {
    let api = api_of(reader, at, version);
    let is_alpha = api_text(at).is_some_and(|text| text.ends_with("/v1alpha1"));
    let known: Vec<&str> = if is_alpha {
        // No `profiles`: the file is one.
        ROOT[..4].iter().chain(&ALPHA).copied().collect()
    } else {
        ROOT.to_vec()
    };
    let Some(root) = reader.fields(at, &known, &IRRELEVANT) else {
        return Vec::new();
    };
    let rules = Rules { api, version };
    let default = common(&root, default_profile(api, version));
    if let Some(at) = root.get("parallelism") {
        // How many nodes are filtered at a time: no decision depends on it.
        at.int(1..=i64::from(i32::MAX));
    }
    if is_alpha {
        return alpha(reader, &root, rules, default);
    }
    let Some(list) = root.get("profiles").filter(|at| !is_empty(at.node)) else {
        return vec![default];
    };
    let mut profiles: Vec<SchedulerProfile> = Vec::new();
    for at in list.list().unwrap_or_default() {
        let known = ["schedulerName", "plugins", "pluginConfig", "percentageOfNodesToScore"];
        let Some(fields) = reader.fields(&at, &known, &[]) else {
            continue;
        };
        if list.node.items().len() > 1 && fields.require("schedulerName").is_none() {
            continue;
        }
        let Some(mut profile) = profile(reader, &fields, rules, &default) else {
            continue;
        };
        if let Some(at) = fields.get("percentageOfNodesToScore") {
            profile.percentage_of_nodes_to_score = percentage(&at);
        }
        if profiles.iter().any(|other| other.name == profile.name) {
            at.problem(format!("a second profile named `{}`", profile.name));
            continue;
        }
        profiles.push(profile);
    }
    profiles
}

/// What holds for every profile: the queue's times, and the share of nodes that is scored.
fn common(root: &Fields<'_>, mut profile: SchedulerProfile) -> SchedulerProfile {
    let most = i64::from(u32::MAX);
    let seconds = |key: &str| {
        let seconds = root.get(key)?.int(1..=most)?;
        Some(SimDuration::seconds(u64::try_from(seconds).ok()?))
    };
    let (first, longest) = (seconds("podInitialBackoffSeconds"), seconds("podMaxBackoffSeconds"));
    profile.pod_initial_backoff = first.unwrap_or(profile.pod_initial_backoff);
    profile.pod_max_backoff = longest.unwrap_or(profile.pod_max_backoff);
    if profile.pod_max_backoff < profile.pod_initial_backoff {
        let (first, longest) = (profile.pod_initial_backoff, profile.pod_max_backoff);
        let key = ["podMaxBackoffSeconds", "podInitialBackoffSeconds"];
        if let Some(at) = key.iter().find_map(|key| root.get(key)) {
            at.problem(format!(
                "the longest backoff of {longest} is below the first one of {first}"
            ));
        }
    }
    if let Some(at) = root.get("percentageOfNodesToScore") {
        profile.percentage_of_nodes_to_score = percentage(&at);
    }
    profile
}

/// A v1alpha1 file, which is one profile.
fn alpha<'a>(
    reader: &Reader<'a>,
    root: &Fields<'a>,
    rules: Rules,
    mut default: SchedulerProfile,
) -> Vec<SchedulerProfile> {
    let source = root.get("algorithmSource");
    let source = source.and_then(|at| reader.fields(&at, &["provider", "policy"], &[]));
    if let Some(source) = source {
        if let Some(at) = source.get("policy") {
            let message = "the policy is not read from here: name it in the scenario's \
                           `spec.scheduler.policy`";
            at.problem(message);
        }
        let providers = [("ClusterAutoscalerProvider", true), ("DefaultProvider", false)];
        if source.get("provider").and_then(|at| at.one_of(&providers)) == Some(true) {
            // The same plugins, with full nodes first. Source: facts-kubernetes 1.3.
            for (spec, _) in &mut default.scores {
                if let ScoreSpec::LeastAllocated { resources } = spec {
                    *spec = ScoreSpec::MostAllocated { resources: std::mem::take(resources) };
                }
            }
        }
    }
    let weight = root.get("hardPodAffinitySymmetricWeight").and_then(|at| at.int(0..=100));
    let mut profiles: Vec<_> = profile(reader, root, rules, &default).into_iter().collect();
    if let (Some(weight), Some(profile)) = (weight, profiles.first_mut()) {
        profile.inter_pod_affinity.hard_pod_affinity_weight = weight;
    }
    profiles
}

fn api_text<'n>(at: &At<'n>) -> Option<&'n str> {
    at.node.get("apiVersion")?.scalar_text()
}

/// The rules of the file's API version; one that the release does not take is a warning, for it
/// can still be understood.
fn api_of(reader: &Reader<'_>, at: &At<'_>, version: KubernetesVersion) -> Api {
    let Some(node) = at.node.get("apiVersion") else {
        at.problem("`apiVersion` is missing; for example kubescheduler.config.k8s.io/v1");
        return Api::V1;
    };
    let place = reader.walker.at(node, "apiVersion");
    let known = API_VERSIONS.map(|(name, ..)| (name, name));
    let Some(name) = place.one_of(&known) else {
        return Api::V1;
    };
    let row = API_VERSIONS.iter().find(|(known, ..)| *known == name);
    let Some((_, api, first, last)) = row else {
        return Api::V1;
    };
    if !(*first..=*last).contains(&version.minor) {
        let until = match *last {
            u32::MAX => String::new(),
            last => format!(" to 1.{last}"),
        };
        let message = format!(
            "kube-scheduler {version} does not take `{name}` (1.{first}{until} do); it is read \
             all the same"
        );
        reader.warn(&place, "scheduler-api-version", message);
    }
    *api
}

/// The default plugins that a file of this API version changes. Up to v1beta2 these have the
/// weights of 1.20, whatever the release.
fn default_profile(api: Api, version: KubernetesVersion) -> SchedulerProfile {
    SchedulerProfile::default_of(match api {
        Api::V1 | Api::V1Beta3 => version.max(KubernetesVersion { minor: 23, ..version }),
        Api::V1Beta1 | Api::V1Beta2 => KubernetesVersion::OLDEST,
    })
}

/// 0 is upstream's adaptive share, as is nothing.
fn percentage(at: &At<'_>) -> Option<u32> {
    let percent = at.int(0..=100)?;
    u32::try_from(percent).ok().filter(|percent| *percent > 0)
}

fn profile<'a>(
    reader: &Reader<'a>,
    fields: &Fields<'a>,
    rules: Rules,
    default: &SchedulerProfile,
) -> Option<SchedulerProfile> {
    let name = match fields.get("schedulerName") {
        Some(at) => at.name()?,
        None => default.name.clone(),
    };
    let arguments = match fields.get("pluginConfig") {
        Some(at) => Arguments::read(reader, &at, rules),
        None => Arguments::default(),
    };
    let plugins = match fields.get("plugins") {
        Some(at) => Plugins::read(reader, &at, rules),
        None => Plugins::default(),
    };
    let scores = plugins.scores(rules, &default.scores, &arguments);
    if scores.is_empty() {
        let message =
            format!("no plugin of profile `{name}` scores nodes: any feasible one is taken");
        let finding = Place::of(&fields.at).finding(Severity::Info, "no-score-plugins", message);
        reader.find(finding);
    }
    Some(SchedulerProfile {
        name,
        scores,
        filters_disabled: plugins.filters_disabled(),
        percentage_of_nodes_to_score: default.percentage_of_nodes_to_score,
        pod_initial_backoff: default.pod_initial_backoff,
        pod_max_backoff: default.pod_max_backoff,
        ..arguments.into_profile()
    })
}

/// Reads an `addedAffinity` that stands in place in a file of ours.
pub fn read_added_affinity(at: &At<'_>) -> NativeRead<AddedAffinity> {
    in_place(at, |reader, at| arguments::added_affinity(reader, &at))
}

/// Reads `defaultConstraints` that stand in place in a file of ours.
pub fn read_default_constraints(at: &At<'_>) -> NativeRead<Vec<TopologySpreadConstraint>> {
    in_place(at, |reader, at| pod_template::default_constraints(reader, &at))
}

/// The filters that the model has, by upstream's names.
pub const FILTERS: [&str; 8] = known::FILTERS;

#[cfg(test)]
mod tests;
