//! `KubeSchedulerConfiguration` (v1beta1 to v1) to scheduler profiles: which plugins score nodes,
//! and with what weight.
//!
//! Left out, by name as findings: plugins at other extension points than scoring (filters are
//! always on), `percentageOfNodesToScore`, backoff times, extenders, arguments of plugins without
//! a model, other resources than CPU and memory.
//!
//! Source: k8s.io/kube-scheduler `config/v1` types; for how defaults, `multiPoint` and `score`
//! combine: k8s.io/kubernetes `pkg/scheduler/apis/config/v1/default_plugins.go` and
//! `framework/runtime/framework.go`; releases of each API version: KEP-785.

mod arguments;
mod plugins;

use sim::Severity;
use sim::scenario::{KubernetesVersion, SchedulerProfile};

use super::keys::{Reader, is_empty};
use super::{NativeRead, Place, embedded, read_documents};
use crate::walk::At;
use arguments::Arguments;
pub(super) use arguments::{resource_weights, shape};

/// Each API version with the first and the last release that takes it. Source: KEP-785.
const API_VERSIONS: [(&str, Api, u32, u32); 5] = [
    ("kubescheduler.config.k8s.io/v1alpha2", Api::V1Beta1, 18, 20),
    ("kubescheduler.config.k8s.io/v1beta1", Api::V1Beta1, 19, 22),
    ("kubescheduler.config.k8s.io/v1beta2", Api::V1Beta2, 22, 27),
    ("kubescheduler.config.k8s.io/v1beta3", Api::V1, 23, 28),
    ("kubescheduler.config.k8s.io/v1", Api::V1, 25, u32::MAX),
];

/// Rules by which plugin lists combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    /// One plugin per resource strategy; no `multiPoint`.
    V1Beta1,
    /// `NodeResourcesFit` with a strategy; no `multiPoint`; the older weights.
    V1Beta2,
    /// v1beta3 and v1: `multiPoint`.
    V1,
}

const IRRELEVANT: [&str; 11] = [
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
    "parallelism",
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
    let known = ["profiles", "percentageOfNodesToScore"];
    let Some(root) = reader.fields(at, &known, &IRRELEVANT) else {
        return Vec::new();
    };
    let api = api_of(reader, at, version);
    percentage(root.get("percentageOfNodesToScore").as_ref());
    let default = default_profile(api, version);
    let Some(list) = root.get("profiles").filter(|at| !is_empty(at.node)) else {
        return vec![default];
    };
    let mut profiles: Vec<SchedulerProfile> = Vec::new();
    for at in list.list().unwrap_or_default() {
        let Some(profile) = profile(reader, &at, api, &default) else {
            continue;
        };
        if profiles.iter().any(|other| other.name == profile.name) {
            at.problem(format!("a second profile named `{}`", profile.name));
            continue;
        }
        profiles.push(profile);
    }
    profiles
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
        Api::V1 => version.max(KubernetesVersion { minor: 23, ..version }),
        Api::V1Beta1 | Api::V1Beta2 => KubernetesVersion::OLDEST,
    })
}

/// All nodes are scored in the model.
fn percentage(at: Option<&At<'_>>) {
    if let Some(at) = at
        && let Some(percent) = at.int(0..=100)
        && !matches!(percent, 0 | 100)
    {
        at.not_modelled();
    }
}

fn profile<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
    api: Api,
    default: &SchedulerProfile,
) -> Option<SchedulerProfile> {
    let known = ["schedulerName", "plugins", "pluginConfig", "percentageOfNodesToScore"];
    let fields = reader.fields(at, &known, &[])?;
    percentage(fields.get("percentageOfNodesToScore").as_ref());
    let name = match fields.get("schedulerName") {
        Some(at) => at.name()?,
        None => default.name.clone(),
    };
    let arguments = match fields.get("pluginConfig") {
        Some(at) => Arguments::read(reader, &at),
        None => Arguments::default(),
    };
    let plugins = fields.get("plugins");
    let scores = plugins::scores(reader, plugins.as_ref(), api, &default.scores, &arguments);
    if scores.is_empty() {
        let message =
            format!("no plugin of profile `{name}` scores nodes: any feasible one is taken");
        reader.find(Place::of(at).finding(Severity::Info, "no-score-plugins", message));
    }
    Some(SchedulerProfile::new(&name, scores))
}

#[cfg(test)]
mod tests;
