//! Cluster Autoscaler's configuration as it is deployed: Helm `extraArgs`, a Helm values file, or
//! a manifest with its command line.
//!
//! Flags are kept as texts with their places; [`AutoscalerFlags::apply`] understands them against
//! a release. Left out: node groups found by tags (pools come from the node group files).
//!
//! Source of the Helm chart's rules: kubernetes/autoscaler `charts/cluster-autoscaler`,
//! `templates/deployment.yaml` (what follows the first underscore of an `extraArgs` key is dropped,
//! so that a flag can be given several times).

mod apply;
mod flag_table;
mod priorities;
pub mod write;

pub use priorities::read_priorities;

use sim::scenario::{GroupPattern, KubernetesVersion};

use super::keys::{Reader, is_empty};
use super::{NativeRead, Place, read_documents};
use crate::walk::At;
use crate::yaml::{Node, Value};

/// Command lines longer than this are none.
const FLAGS_MAX: usize = 1_000;

/// Flags as they were given, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AutoscalerFlags {
    flags: Vec<Flag>,
    /// The first flag beyond the limit.
    too_many: Option<Place>,
    /// The `priority` expander's table (`expanderPriorities` of the chart).
    pub priorities: Vec<(i32, Vec<GroupPattern>)>,
    /// Node group bounds that the configuration names itself (`autoscalingGroups` of the chart).
    pub groups: Vec<GroupBounds>,
    /// The release of the container image, where it is named.
    pub image_version: Option<(KubernetesVersion, Place)>,
}

/// Whether release `version` has the flag `name`.
pub fn flag_exists(name: &str, version: KubernetesVersion) -> bool {
    flag_table::find(name).is_some_and(|flag| flag.is_in(version))
}

/// One flag with its place.
#[derive(Debug, Clone, PartialEq)]
struct Flag {
    /// Without dashes, with `-` for `_`.
    name: String,
    /// `None` where the flag stands alone.
    value: Option<String>,
    place: Place,
}

/// Bounds of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupBounds {
    /// The group's name.
    pub name: String,
    /// Fewest nodes.
    pub min: u32,
    /// Most nodes.
    pub max: u32,
}

impl AutoscalerFlags {
    /// Names and values, in the order of the file; a flag without a value has none.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let flags = self.flags.iter();
        flags.map(|flag| (flag.name.as_str(), flag.value.as_deref()))
    }

    fn push(&mut self, name: &str, value: Option<String>, place: Place) {
        if self.flags.len() < FLAGS_MAX {
            self.flags.push(Flag { name: name.replace('_', "-"), value, place });
        } else if self.too_many.is_none() {
            self.too_many = Some(place);
        }
    }
}

/// Reads a map of flags as in the chart's `extraArgs`. Wrong types are problems of the map's
/// walker.
pub fn read_extra_args(at: &At<'_>) -> AutoscalerFlags {
    let mut flags = AutoscalerFlags::default();
    // One more than are kept, so that the first one beyond the limit is reported.
    let entries = at.entries().unwrap_or_default().into_iter();
    for (key, value) in entries.take(FLAGS_MAX + 1) {
        let name = key.name.split('_').next().unwrap_or_default();
        if name.is_empty() {
            value.problem("a flag without a name");
            continue;
        }
        match &value.node.value {
            Value::Null => flags.push(name, None, Place::of(&value)),
            Value::Seq(_) => {
                for item in value.list().unwrap_or_default().iter().take(FLAGS_MAX + 1) {
                    if let Some(text) = item.string() {
                        flags.push(name, Some(text), Place::of(item));
                    }
                }
            }
            _ => {
                if let Some(text) = value.string() {
                    flags.push(name, Some(text.trim().to_owned()), Place::of(&value));
                }
            }
        }
    }
    flags
}

/// Keys of the chart's values with an effect on how nodes come and go.
const HELM: [&str; 7] = [
    "autoDiscovery",
    "autoscalingGroups",
    "autoscalingGroupsnamePrefix",
    "expanderPriorities",
    "extraArgs",
    "image",
    "replicaCount",
];

/// Reads a values file of the chart.
pub fn read_helm_values(file_name: &str, text: &str) -> NativeRead<AutoscalerFlags> {
    read_documents(file_name, text, |reader, documents| {
        let Some(first) = documents.first() else {
            return AutoscalerFlags::default();
        };
        let (first, path) = values_of(first);
        let root = reader.walker.at(first, path);
        // Everything else in the values is about how the autoscaler itself is deployed.
        let others: Vec<&str> = first.entries().map(|(key, _)| key.name.as_str()).collect();
        let irrelevant: Vec<&str> =
            others.into_iter().filter(|name| super::keys::slip_of(name, &HELM).is_none()).collect();
        let Some(values) = reader.fields(&root, &HELM, &irrelevant) else {
            return AutoscalerFlags::default();
        };
        let mut flags = values.get("extraArgs").map(|at| read_extra_args(&at)).unwrap_or_default();
        if let Some(at) = values.get("autoscalingGroups") {
            flags.groups = at.list_of(|at| bounds(reader, at)).unwrap_or_default();
        }
        if let Some(at) = values.get("expanderPriorities").filter(|at| !is_empty(at.node)) {
            flags.priorities = read_priorities(&at);
        }
        let prefix = values.get("autoscalingGroupsnamePrefix");
        if let Some(at) = prefix.filter(|at| !is_empty(at.node)) {
            at.not_modelled();
        }
        if let Some(at) = values.get("image") {
            flags.image_version = at.node.get("tag").and_then(|tag| {
                let at = reader.walker.at(tag, "image.tag");
                Some((version_of(tag.scalar_text()?)?, Place::of(&at)))
            });
        }
        if values.get("replicaCount").and_then(|at| at.count(0)) == Some(0) {
            let message = "no replica of the autoscaler runs; the scenario has one all the same";
            reader.warn(&root, "autoscaler-not-running", message);
        }
        flags
    })
}

/// The chart's values in a file that holds more: a Flux `HelmRelease`, an Argo CD `Application`,
/// or the values of a chart that depends on this one.
fn values_of(document: &Node) -> (&Node, &'static str) {
    let find = |path: &[&str]| path.iter().try_fold(document, |node, key| node.get(key));
    let places: [(&[&str], &str); 3] = [
        (&["spec", "values"], "spec.values"),
        (&["spec", "source", "helm", "valuesObject"], "spec.source.helm.valuesObject"),
        (&["cluster-autoscaler"], "cluster-autoscaler"),
    ];
    places
        .into_iter()
        .filter(|_| document.get("extraArgs").is_none())
        .find_map(|(keys, path)| Some((find(keys)?, path)))
        .unwrap_or((document, ""))
}

fn bounds<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<GroupBounds> {
    let keys = ["name", "minSize", "maxSize"];
    let fields = reader.fields(at, &keys, &["instanceType", "region"])?;
    let min = fields.require("minSize").and_then(|at| at.count(0));
    let max = fields.require("maxSize").and_then(|at| at.count(0));
    let name = fields.require("name")?.name()?;
    let (min, max) = (min?, max?);
    if min > max {
        at.problem(format!("`minSize` {min} is above `maxSize` {max}"));
        return None;
    }
    Some(GroupBounds { name, min, max })
}

/// Reads a manifest: the command line of the container that runs the autoscaler, among any
/// documents.
pub fn read_manifest(file_name: &str, text: &str) -> NativeRead<AutoscalerFlags> {
    read_documents(file_name, text, |reader, documents| {
        for document in documents.iter().flat_map(with_items) {
            let pod = match Reader::kind(document) {
                "Pod" => Some(document),
                _ => document.get("spec").and_then(|spec| spec.get("template")),
            };
            let containers =
                pod.and_then(|pod| pod.get("spec")).and_then(|spec| spec.get("containers"));
            let found = containers
                .map_or(&[][..], Node::items)
                .iter()
                .find(|container| runs_autoscaler(container));
            if let Some(container) = found {
                return command_line(reader, container);
            }
        }
        let message = "no container that runs `cluster-autoscaler` in this manifest";
        let pos = documents.first().map_or_else(Default::default, |node| node.pos);
        reader.walker.problem(pos, "", message, None);
        AutoscalerFlags::default()
    })
}

/// A document, and the items of a `List`.
fn with_items(document: &Node) -> impl Iterator<Item = &Node> {
    let items = document.get("items").map_or(&[][..], Node::items);
    std::iter::once(document).chain(items)
}

fn runs_autoscaler(container: &Node) -> bool {
    let named = |key: &str| {
        let text = container.get(key).and_then(Node::scalar_text);
        text.is_some_and(|text| text.contains("cluster-autoscaler"))
    };
    let command = container.get("command").map_or(&[][..], Node::items);
    let program = command.first().and_then(Node::scalar_text).unwrap_or("");
    named("image") || named("name") || program.contains("cluster-autoscaler")
}

/// `command` and `args` as flags: `--flag=value`, `--flag value`, `--flag`.
fn command_line<'a>(reader: &'a Reader<'a>, container: &'a Node) -> AutoscalerFlags {
    let mut flags = AutoscalerFlags::default();
    let mut words = Vec::new();
    for key in ["command", "args"] {
        let Some(list) = container.get(key) else {
            continue;
        };
        let at = reader.walker.at(list, key);
        for item in at.list().unwrap_or_default() {
            if let Some(text) = item.string() {
                words.push((text, Place::of(&item)));
            }
        }
    }
    let mut words = words.into_iter().peekable();
    while let Some((word, place)) = words.next() {
        let Some(flag) = word.strip_prefix('-') else {
            continue;
        };
        let flag = flag.strip_prefix('-').unwrap_or(flag);
        if let Some((name, value)) = flag.split_once('=') {
            flags.push(name, Some(value.to_owned()), place);
            continue;
        }
        let takes_value =
            flag_table::find(flag).is_some_and(|facts| facts.kind != flag_table::FlagType::Bool);
        let follows = words.next_if(|(next, _)| takes_value && !next.starts_with("--"));
        flags.push(flag, follows.map(|(value, _)| value), place);
    }
    if let Some(image) = container.get("image") {
        let at = reader.walker.at(image, "image");
        flags.image_version = image
            .scalar_text()
            .and_then(|text| version_of(text.rsplit_once(':')?.1))
            .map(|version| (version, Place::of(&at)));
    }
    flags
}

/// `v1.32.1` as 1.32.
fn version_of(tag: &str) -> Option<KubernetesVersion> {
    let mut numbers = tag.strip_prefix('v').unwrap_or(tag).split('.');
    Some(KubernetesVersion {
        major: numbers.next()?.parse().ok()?,
        minor: numbers.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests;
