//! Pods and pod templates (`Pod`, or a `PodTemplate`'s `template`) to [`PodTemplate`]: everything
//! of a pod that placement, scale-down and termination read.
//!
//! Of a template of Spark's, one container is the one that Spark fills in ([`PodTemplate::main`]):
//! its CPU and memory are replaced by Spark's own settings, what else it asks for counts. Of a
//! complete pod ([`read_pod`], [`read_pod_spec`]) every container counts as it is.
//!
//! Left out, each by name as a finding: volumes that a node has to have or to attach, memory of
//! `emptyDir` volumes, priority classes of the cluster's own, `tolerationSeconds`, pod-level
//! `resources`, `schedulingGates`, `resourceClaims`, and any other key that is not known to be
//! without effect.
//!
//! Source: k8s.io/api `core/v1` types; checks as in k8s.io/kubernetes `pkg/apis/core/validation`,
//! defaults as in `pkg/apis/core/v1/defaults.go`; facts-spark A4 for what Spark overwrites.

mod affinity;
mod containers;
mod pod_affinity;
mod selectors;
mod spread;
mod tolerations;
mod volumes;
pub mod write;

pub(super) use affinity::added as added_affinity;
pub(super) use containers::{read_list as containers_of, resource_amount};
pub(super) use spread::default_constraints;
pub(super) use tolerations::EFFECTS;
pub(crate) use tolerations::effect_name;
pub(super) use volumes::{local, read as volumes};

use sim::scenario::PodTemplate;
use sim::units::SimDuration;

use super::keys::{Reader, string_map};
use super::{NativeRead, in_place, read_documents};
use crate::walk::{At, Fields};

/// Keys of a pod's spec without effect on capacity, cost or waiting.
const IRRELEVANT: [&str; 22] = [
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "ephemeralContainers",
    "hostAliases",
    "hostIPC",
    "hostPID",
    "hostUsers",
    "hostname",
    "imagePullSecrets",
    "os",
    "preemptionPolicy",
    "readinessGates",
    "restartPolicy",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "subdomain",
    "terminationMessagePath",
];

/// Keys of a pod's spec that are read.
const SPEC: [&str; 14] = [
    "affinity",
    "containers",
    "hostNetwork",
    "initContainers",
    "nodeName",
    "nodeSelector",
    "overhead",
    "priority",
    "priorityClassName",
    "schedulerName",
    "terminationGracePeriodSeconds",
    "tolerations",
    "topologySpreadConstraints",
    "volumes",
];

const METADATA_IRRELEVANT: [&str; 8] = [
    "creationTimestamp",
    "finalizers",
    "generateName",
    "managedFields",
    "name",
    "ownerReferences",
    "resourceVersion",
    "uid",
];

/// Whose pod it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role<'a> {
    /// Spark fills in one container: the one of this name (`podTemplateContainerName`), else the
    /// first one.
    Spark(Option<&'a str>),
    /// A complete pod: every container counts as it is.
    Whole,
}

/// Reads a template of Spark's: the first `Pod` or `PodTemplate` among the file's documents. Spark
/// fills in the container `main`, else the first one.
pub fn read(file_name: &str, text: &str, main: Option<&str>) -> NativeRead<PodTemplate> {
    read_as(file_name, text, Role::Spark(main))
}

/// Reads a complete pod: the first `Pod` or `PodTemplate` among the file's documents.
pub fn read_pod(file_name: &str, text: &str) -> NativeRead<PodTemplate> {
    read_as(file_name, text, Role::Whole)
}

/// Reads a template of Spark's that stands in place in a file of ours: a map with `metadata` and
/// `spec`. Problems and findings are the enclosing file's.
pub fn read_inline(at: &At<'_>, main: Option<&str>) -> NativeRead<PodTemplate> {
    in_place(at, |reader, at| template(reader, &at, Role::Spark(main)).unwrap_or_default())
}

/// Reads the spec of a complete pod that stands in place; labels and namespace are the caller's.
pub fn read_pod_spec(at: &At<'_>) -> NativeRead<PodTemplate> {
    in_place(at, |reader, at| {
        let mut template = PodTemplate::default();
        spec(reader, &at, Role::Whole, &mut template);
        template
    })
}

fn read_as(file_name: &str, text: &str, role: Role<'_>) -> NativeRead<PodTemplate> {
    read_documents(file_name, text, |reader, documents| {
        let is_pod = |kind: &str| matches!(kind, "Pod" | "PodTemplate" | "");
        let mut pods = documents.iter().filter(|d| is_pod(Reader::kind(d)));
        let Some(first) = pods.next() else {
            no_pod(reader, documents.first().map(|node| reader.document(node)));
            return PodTemplate::default();
        };
        if let Some(second) = pods.next() {
            let message = "a second pod template in the file: the first one counts, as in Spark";
            reader.warn(&reader.document(second), "not-modelled", message);
        }
        let root = reader.document(first);
        let pod = match root.node.get("template") {
            Some(template) => reader.walker.at(template, "template"),
            None => root,
        };
        template(reader, &pod, role).unwrap_or_default()
    })
}

fn no_pod(reader: &Reader<'_>, first: Option<At<'_>>) {
    match first {
        Some(at) => {
            let kind = Reader::kind(at.node);
            let kind: String = kind.chars().take(60).collect();
            at.problem(format!("expected a `Pod` or `PodTemplate`, found kind `{kind}`"));
        }
        None => {
            let message = "an empty file; expected a `Pod` or `PodTemplate`";
            reader.walker.problem(Default::default(), "", message, None);
        }
    }
}

/// A map with `metadata` and `spec`: a pod, or the template in a `SparkApplication`.
pub(super) fn template<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
    role: Role<'_>,
) -> Option<PodTemplate> {
    let pod = reader.fields(at, &["metadata", "spec"], &["apiVersion", "kind", "status"])?;
    let mut template = PodTemplate::default();
    if let Some(metadata) = pod.get("metadata") {
        let known = ["labels", "annotations", "namespace"];
        if let Some(metadata) = reader.fields(&metadata, &known, &METADATA_IRRELEVANT) {
            template.labels = string_map(&metadata, "labels");
            template.annotations = string_map(&metadata, "annotations");
            let namespace = metadata.string("namespace").unwrap_or_default();
            template.namespace = namespace_of(&namespace);
        }
    }
    if let Some(at) = pod.get("spec") {
        spec(reader, &at, role, &mut template);
    }
    Some(template)
}

/// The namespace as [`PodTemplate::namespace`] says it: empty for `default`.
pub(super) fn namespace_of(name: &str) -> String {
    if name == "default" { String::new() } else { name.to_owned() }
}

fn spec<'a>(reader: &Reader<'a>, at: &At<'a>, role: Role<'_>, template: &mut PodTemplate) {
    let Some(spec) = reader.fields(at, &SPEC, &IRRELEVANT) else {
        return;
    };
    placement(reader, &spec, template);
    containers::read(reader, &spec, role, template);
    if let Some(at) = spec.get("overhead") {
        template.overhead = containers::amounts(reader, &at);
    }
    if let Some(at) = spec.get("topologySpreadConstraints") {
        template.topology_spread = spread::read(reader, &at);
    }
    template.node_name = spec.string("nodeName").filter(|name| !name.is_empty());
    grace(&spec, template);
    volumes::read(reader, &spec, template, |_| true);
}

/// `terminationGracePeriodSeconds`: of a pod, or of a role of a `SparkApplication`.
pub(super) fn grace(spec: &Fields<'_>, template: &mut PodTemplate) {
    let seconds = spec.get("terminationGracePeriodSeconds");
    if let Some(seconds) = seconds.and_then(|at| at.count(0)) {
        template.termination_grace = Some(SimDuration::seconds(u64::from(seconds)));
    }
}

/// Selector, affinity, tolerations, priority and scheduler: of a pod's spec, or of the driver and
/// executor of a `SparkApplication`, which use the same keys.
pub(super) fn placement<'a>(reader: &Reader<'a>, spec: &Fields<'a>, template: &mut PodTemplate) {
    template.node_selector.extend(string_map(spec, "nodeSelector"));
    if let Some(at) = spec.get("affinity") {
        affinity::read(reader, &at, template);
    }
    if let Some(at) = spec.get("tolerations") {
        template.tolerations.extend(tolerations::read(reader, &at));
    }
    priority(spec, template);
    if let Some(name) = spec.get("schedulerName").and_then(|at| at.name()) {
        template.scheduler_name = Some(name).filter(|name| name != "default-scheduler");
    }
}

/// `priority` as it is; of the classes, those that every cluster has.
/// Source: k8s.io/kubernetes `pkg/apis/scheduling` (system classes 2,000,000,000 and +1,000).
fn priority(spec: &Fields<'_>, template: &mut PodTemplate) {
    let number = spec.get("priority");
    let low = i64::from(i32::MIN);
    if let Some(value) = number.as_ref().and_then(|at| at.int(low..=2_000_001_000)) {
        template.priority = i32::try_from(value).unwrap_or(i32::MAX);
    }
    let Some(at) = spec.get("priorityClassName") else {
        return;
    };
    match at.string().as_deref() {
        Some("system-node-critical") => template.priority = 2_000_001_000,
        Some("system-cluster-critical") => template.priority = 2_000_000_000,
        Some("") | None => {}
        // The class' value stands in another object of the cluster.
        Some(_) if number.is_none() => at.not_modelled(),
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests;
