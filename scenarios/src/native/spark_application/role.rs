//! `spec.driver` and `spec.executor`: sizes as settings, placement as a pod template.

use sim::scenario::PodTemplate;

use super::super::keys::{Reader, string_map};
use super::super::{Place, pod_template};
use crate::native::spark_defaults::SparkConf;
use crate::walk::{At, Fields};

const MODELLED: [&str; 16] = [
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
];

const IRRELEVANT: [&str; 25] = [
    "configMaps",
    "deleteOnTermination",
    "dnsConfig",
    "env",
    "envFrom",
    "envSecretKeyRefs",
    "envVars",
    "hostAliases",
    "hostNetwork",
    "image",
    "initContainers",
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
    "volumeMounts",
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
    if let Some(at) = fields.get("template")
        && let Some(read) = pod_template::template(reader, &at)
    {
        let selector = std::mem::take(&mut template.node_selector);
        *template = read;
        template.node_selector.extend(selector);
    }
    for key in ["gpu", "sidecars"] {
        if let Some(at) = fields.get(key).filter(|at| !super::is_empty(at.node)) {
            at.not_modelled();
        }
    }
    for (key, setting) in [
        ("cores", format!("spark.{role}.cores")),
        ("memory", format!("spark.{role}.memory")),
        ("memoryOverhead", format!("spark.{role}.memoryOverhead")),
        ("coreRequest", format!("spark.kubernetes.{role}.request.cores")),
        ("coreLimit", format!("spark.kubernetes.{role}.limit.cores")),
        ("instances", format!("spark.{role}.instances")),
    ] {
        put(&fields, key, &setting, conf);
    }
    template.labels.extend(string_map(&fields, "labels"));
    template.annotations.extend(string_map(&fields, "annotations"));
    pod_template::placement(reader, &fields, template);
}

/// The text of the field `key` as the setting `setting`.
pub(super) fn put(fields: &Fields<'_>, key: &str, setting: &str, conf: &mut SparkConf) {
    if let Some(at) = fields.get(key)
        && let Some(text) = at.string()
    {
        conf.set(setting, text.trim(), Place::of(&at));
    }
}
