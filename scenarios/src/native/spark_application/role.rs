//! `spec.driver` and `spec.executor`: sizes as settings, placement as a pod template.

use sim::scenario::PodTemplate;

use super::super::keys::{Reader, string_map};
use super::super::{Place, pod_template};
use crate::native::pod_template::Role;
use crate::native::spark_defaults::{self, SparkConf};
use crate::walk::{At, Fields};
use crate::yaml::Node;

const MODELLED: [&str; 20] = [
    "affinity",
    "annotations",
    "coreLimit",
    "coreRequest",
    "cores",
    "instances",
    "labels",
    "memory",
    "memoryOverhead",
    "nodeSelector",
    "priorityClassName",
    "schedulerName",
    "sidecars",
    "template",
    "tolerations",
    "gpu",
    "image",
    "initContainers",
    "terminationGracePeriodSeconds",
    "volumeMounts",
];

const IRRELEVANT: [&str; 22] = [
    "configMaps",
    "deleteOnTermination",
    "dnsConfig",
    "env",
    "envFrom",
    "envSecretKeyRefs",
    "envVars",
    "hostAliases",
    "hostNetwork",
    "javaOptions",
    "kubernetesMaster",
    "lifecycle",
    "podName",
    "podSecurityContext",
    "ports",
    "secrets",
    "securityContext",
    "serviceAccount",
    "serviceAnnotations",
    "serviceLabels",
    "shareProcessNamespace",
    "podSecurityPolicy",
];

/// Reads one role into the settings and its template.
pub(super) fn read<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
    role: &str,
    conf: &mut SparkConf,
    template: &mut PodTemplate,
) {
    let Some(fields) = reader.fields(at, &MODELLED, &IRRELEVANT) else {
        return;
    };
    let main = conf.get(&format!("spark.kubernetes.{role}.podTemplateContainerName"));
    if let Some(at) = fields.get("template")
        && let Some(read) = pod_template::template(reader, &at, Role::Spark(main))
    {
        let selector = std::mem::take(&mut template.node_selector);
        *template = read;
        template.node_selector.extend(selector);
    }
    containers(reader, &fields, template);
    for (key, setting) in [
        ("cores", format!("spark.{role}.cores")),
        ("memory", format!("spark.{role}.memory")),
        ("memoryOverhead", format!("spark.{role}.memoryOverhead")),
        ("coreRequest", format!("spark.kubernetes.{role}.request.cores")),
        ("coreLimit", format!("spark.kubernetes.{role}.limit.cores")),
        ("instances", format!("spark.{role}.instances")),
        ("image", format!("spark.kubernetes.{role}.container.image")),
    ] {
        put(&fields, key, &setting, conf);
    }
    template.labels.extend(string_map(&fields, "labels"));
    template.annotations.extend(string_map(&fields, "annotations"));
    pod_template::placement(reader, &fields, template);
    pod_template::grace(&fields, template);
}

/// Sidecars, init containers and GPUs: the operator's webhook adds them to the pod.
fn containers<'a>(reader: &Reader<'a>, fields: &Fields<'a>, template: &mut PodTemplate) {
    for (key, list) in
        [("sidecars", &mut template.containers), ("initContainers", &mut template.init_containers)]
    {
        if let Some(at) = fields.get(key) {
            list.extend(pod_template::containers_of(reader, &at, false));
        }
    }
    if let Some(gpu) = fields.get("gpu")
        && let Some(gpu) = reader.fields(&gpu, &["name", "quantity"], &[])
        && let Some(name) = gpu.require("name").and_then(|at| at.name())
        && let Some(at) = gpu.require("quantity")
        && let Some(amount) = pod_template::resource_amount(reader, &name, &at)
    {
        template.main.requests.extended.insert(name, amount);
    }
}

/// The application's volumes that the role mounts. Those that Spark is to use as its local
/// directories become settings, as the operator does it.
pub(super) fn volumes<'a>(
    reader: &Reader<'a>,
    spec: &Fields<'a>,
    role: &str,
    conf: &mut SparkConf,
    template: &mut PodTemplate,
) {
    let mounts = spec.get(role).and_then(|at| at.node.get("volumeMounts").cloned());
    let mounts = mounts.as_ref().map_or(&[][..], Node::items);
    let text = |node: &Node, key: &str| node.get(key)?.scalar_text().map(str::to_owned);
    let names: Vec<String> = mounts.iter().filter_map(|mount| text(mount, "name")).collect();
    pod_template::volumes(reader, spec, template, |name| names.iter().any(|known| known == name));
    for volume in spec.get("volumes").and_then(|at| at.list()).unwrap_or_default() {
        let name = text(volume.node, "name").unwrap_or_default();
        let mount = mounts.iter().find(|mount| text(mount, "name").as_ref() == Some(&name));
        let path = mount.and_then(|mount| text(mount, "mountPath"));
        let kind = volume.node.entries().find(|(key, _)| key.name != "name");
        if let (Some(path), Some((kind, _))) = (path, kind)
            && name.starts_with(spark_defaults::LOCAL_DIR)
        {
            let key = format!("spark.kubernetes.{role}.volumes.{}.{name}.mount.path", kind.name);
            conf.set(&key, path, Place::of(&volume));
        }
    }
}

/// The text of the field `key` as the setting `setting`.
pub(super) fn put(fields: &Fields<'_>, key: &str, setting: &str, conf: &mut SparkConf) {
    if let Some(at) = fields.get(key)
        && let Some(text) = at.string()
    {
        conf.set(setting, text.trim(), Place::of(&at));
    }
}
