//! Pod templates (`Pod`, or a `PodTemplate`'s `template`) to [`PodTemplate`]: labels, annotations
//! and where the pod may run.
//!
//! Left out, each by name as a finding: pod affinity, topology spread, `matchFields`, volumes that
//! matter to placement or scale-down (`hostPath`, `emptyDir` in memory), priority classes of the
//! cluster's own, `schedulingGates`, `overhead`. Containers' resources: Spark replaces CPU and
//! memory requests, and asks for what its own settings say; other resources (GPUs) are named.
//!
//! Source: k8s.io/api `core/v1` types; facts-spark A4 for what Spark overwrites.

mod affinity;
mod tolerations;

pub(super) use tolerations::EFFECTS;

use sim::scenario::PodTemplate;

use super::keys::{Reader, is_empty, string_map};
use super::{NativeRead, read_documents};
use crate::walk::{At, Fields, Walker};

/// Keys of a pod's spec without effect on capacity, cost or waiting.
const IRRELEVANT: [&str; 24] = [
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "ephemeralContainers",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
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
    "nodeName",
];

/// Keys of a pod's spec that are read.
const SPEC: [&str; 9] = [
    "affinity",
    "containers",
    "initContainers",
    "nodeSelector",
    "priority",
    "priorityClassName",
    "schedulerName",
    "tolerations",
    "volumes",
];

const METADATA_IRRELEVANT: [&str; 9] = [
    "creationTimestamp",
    "finalizers",
    "generateName",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "uid",
];

/// Reads a pod template file: the first `Pod` or `PodTemplate` among its documents.
pub fn read(file_name: &str, text: &str) -> NativeRead<PodTemplate> {
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
        template(reader, &pod).unwrap_or_default()
    })
}

/// Reads a pod template that stands in place in a file of ours: a map with `metadata` and `spec`.
/// Problems and findings are the enclosing file's.
pub fn read_inline(at: &At<'_>) -> NativeRead<PodTemplate> {
    let walker = Walker::tolerant(at.walker.sources());
    let reader = Reader::new(&walker);
    let value = template(&reader, &walker.at(at.node, at.path.clone())).unwrap_or_default();
    let slips = reader.into_findings();
    let (problems, mut not_modelled) = walker.finish();
    not_modelled.extend(slips);
    NativeRead { value, problems, not_modelled }
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
pub(super) fn template<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<PodTemplate> {
    let pod = reader.fields(at, &["metadata", "spec"], &["apiVersion", "kind", "status"])?;
    let mut template = PodTemplate::default();
    if let Some(metadata) = pod.get("metadata") {
        let known = ["labels", "annotations"];
        if let Some(metadata) = reader.fields(&metadata, &known, &METADATA_IRRELEVANT) {
            template.labels = string_map(&metadata, "labels");
            template.annotations = string_map(&metadata, "annotations");
        }
    }
    if let Some(spec) = pod.get("spec").and_then(|at| reader.fields(&at, &SPEC, &IRRELEVANT)) {
        placement(reader, &spec, &mut template);
        volumes(reader, &spec);
        for list in ["containers", "initContainers"] {
            containers(reader, &spec, list);
        }
    }
    Some(template)
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

/// Volumes are not modelled; those that keep Cluster Autoscaler from draining a node, or that use
/// memory, are named.
pub(super) fn volumes<'a>(reader: &Reader<'a>, spec: &Fields<'a>) {
    let volumes = spec.get("volumes").and_then(|at| at.list());
    for volume in volumes.unwrap_or_default() {
        if volume.node.get("hostPath").is_some() {
            reader.walker.not_modelled(volume.node.pos, format!("{}.hostPath", volume.path));
        }
        let medium = volume.node.get("emptyDir").and_then(|dir| dir.get("medium"));
        if medium.and_then(|node| node.scalar_text()) == Some("Memory") {
            let path = format!("{}.emptyDir.medium", volume.path);
            reader.walker.not_modelled(volume.node.pos, path);
        }
    }
}

/// Names what containers ask for beyond CPU and memory, and says that Spark replaces those two.
fn containers<'a>(reader: &Reader<'a>, spec: &Fields<'a>, list: &str) {
    let containers = spec.get(list).and_then(|at| at.list());
    for container in containers.unwrap_or_default() {
        let Some(resources) = container.node.get("resources") else {
            continue;
        };
        let path = format!("{}.resources", container.path);
        let mut replaced = false;
        for (kind, amounts) in resources.entries() {
            for (resource, node) in amounts.entries() {
                let own = format!("{path}.{}.{}", kind.name, resource.name);
                match (list, resource.name.as_str()) {
                    ("containers", "cpu" | "memory") => replaced = true,
                    _ if is_empty(node) => {}
                    _ => reader.walker.not_modelled(node.pos, own),
                }
            }
        }
        if replaced {
            let at = reader.walker.at(resources, path);
            let message = "CPU and memory of a template's container are not used: Spark replaces \
                           them by its own settings (of a sidecar they are not modelled)";
            reader.warn(&at, "replaced-by-spark", message);
        }
    }
}

#[cfg(test)]
mod tests;
