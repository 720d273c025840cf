//! Pod templates as Kubernetes writes them: `value` whole, so that it reads back as it was, for a
//! resolved scenario; [`live`] as a cluster takes it.
//!
//! Left out of [`live`]: what Spark adds to its pods by itself (namespace, local directories).

use serde_json::{Map, Value, json};
use sim::scenario::{
    Container, HostPort, LabelRequirement, LabelSelector, LocalDirs, NodeInclusionPolicy,
    NodeSelectorTerm, PodAffinity, PodAffinityTerm, PodTemplate, PreferredTerm, ResourceList,
    Toleration, TopologySpreadConstraint, WhenUnsatisfiable,
};

use super::tolerations::effect_name;
use crate::native::spark_defaults::LOCAL_DIR;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// The template of a Spark pod: the container that Spark fills in comes first.
pub(crate) fn value(template: &PodTemplate) -> Value {
    let mut metadata = Map::new();
    put_text(&mut metadata, "namespace", &template.namespace);
    put(&mut metadata, "labels", json!(template.labels), template.labels.is_empty());
    put(&mut metadata, "annotations", json!(template.annotations), template.annotations.is_empty());
    let mut spec = placement(template);
    let others = &template.containers;
    let main = std::iter::once(&template.main);
    let containers: Vec<Value> = main.chain(others).map(container).collect();
    let none = others.is_empty() && template.main == Container::default();
    put(&mut spec, "containers", json!(containers), none);
    put_list(&mut spec, "initContainers", &template.init_containers, container);
    let overhead = amounts(&template.overhead);
    put(&mut spec, "overhead", json!(overhead), overhead.is_empty());
    let local = template.local_storage.iter().map(|name| local_volume(template, name));
    let images = template.image_volumes.iter().enumerate();
    let image = |(place, image): (usize, &String)| {
        let name = if place == 0 { "image".to_owned() } else { format!("image-{}", place + 1) };
        json!({ "name": name, "image": { "reference": image } })
    };
    let elsewhere = match template.local_dirs {
        Some(LocalDirs::Tmpfs) => Some(("emptyDir", json!({ "medium": "Memory" }))),
        Some(LocalDirs::PersistentVolumeClaim) => {
            Some(("persistentVolumeClaim", json!({ "claimName": "OnDemand" })))
        }
        _ => None,
    };
    // Named after those on the node, so that it says what the local directories are.
    let elsewhere =
        elsewhere.map(|(kind, source)| json!({ "name": format!("{LOCAL_DIR}x"), kind: source }));
    let volumes: Vec<Value> = local.chain(images.map(image)).chain(elsewhere).collect();
    put(&mut spec, "volumes", json!(volumes), volumes.is_empty());
    if let Some(grace) = template.termination_grace {
        spec.insert("terminationGracePeriodSeconds".into(), json!(grace.as_millis() / 1000));
    }
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec })
}

/// The template of `role` (`driver`, `executor`) as a cluster takes it: containers have names, and
/// priority and overhead the classes of [`super::super::manifests::classes`]. What Spark says about
/// its pods itself is left out: the namespace, and the local directories.
pub fn live(template: &PodTemplate, role: &str) -> Value {
    let mut plain = without_local_dirs(template);
    plain.namespace = String::new();
    if plain.main.name.is_empty() {
        // As Spark names it.
        plain.main.name = format!("spark-kubernetes-{role}");
    }
    let others = plain.containers.iter_mut().chain(&mut plain.init_containers);
    for (place, container) in others.enumerate().filter(|(_, one)| one.name.is_empty()) {
        container.name = format!("container-{}", place + 1);
    }
    let mut out = value(&plain);
    if let Some(spec) = out["spec"].as_object_mut() {
        priority_class(spec, template.priority);
        if template.overhead != ResourceList::default() {
            spec.insert("runtimeClassName".into(), json!(runtime_class(role)));
        }
    }
    out
}

/// The template without Spark's local directories: Spark adds them, as its settings say.
pub(in crate::native) fn without_local_dirs(template: &PodTemplate) -> PodTemplate {
    let mut out = template.clone();
    out.local_storage.retain(|name| !name.starts_with(LOCAL_DIR));
    out.local_dirs = None;
    out
}

/// Says the priority as the API server's admission takes it: with its class.
pub(in crate::native) fn priority_class(spec: &mut Map<String, Value>, priority: i32) {
    match class_of(priority) {
        Some(class) => {
            spec.insert("priority".into(), json!(priority));
            spec.insert("priorityClassName".into(), json!(class));
        }
        None => {
            spec.shift_remove("priority");
        }
    }
}

/// The name of the class of `priority`; none for 0.
/// Source: k8s.io/kubernetes `pkg/apis/scheduling` for the system's.
pub(in crate::native) fn class_of(priority: i32) -> Option<String> {
    match priority {
        0 => None,
        2_000_000_000 => Some("system-cluster-critical".to_owned()),
        2_000_001_000 => Some("system-node-critical".to_owned()),
        below if below < 0 => Some(format!("priority-minus-{}", below.unsigned_abs())),
        above => Some(format!("priority-{above}")),
    }
}

/// The name of the runtime class with the overhead of `role`.
pub(in crate::native) fn runtime_class(role: &str) -> String {
    format!("spark-{role}-overhead")
}

/// A volume on the node.
fn local_volume(template: &PodTemplate, name: &str) -> Value {
    let on_host = template.local_dirs == Some(LocalDirs::HostPath) && name.starts_with(LOCAL_DIR);
    if on_host {
        json!({ "name": name, "hostPath": { "path": "/local" } })
    } else {
        json!({ "name": name, "emptyDir": {} })
    }
}

/// What the scheduler reads of a pod's spec besides its requests.
fn placement(template: &PodTemplate) -> Map<String, Value> {
    let mut spec = Map::new();
    let selector = &template.node_selector;
    put(&mut spec, "nodeSelector", json!(selector), selector.is_empty());
    let mut affinity = Map::new();
    let terms = (&template.required_node_affinity, &template.preferred_node_affinity);
    let node = node_affinity(terms.0, terms.1);
    put(&mut affinity, "nodeAffinity", json!(node), node.is_empty());
    for (key, pods) in
        [("podAffinity", &template.pod_affinity), ("podAntiAffinity", &template.pod_anti_affinity)]
    {
        put(&mut affinity, key, pod_affinity(pods), *pods == PodAffinity::default());
    }
    let none = affinity.is_empty();
    put(&mut spec, "affinity", Value::Object(affinity), none);
    put_list(&mut spec, "tolerations", &template.tolerations, toleration);
    put_list(&mut spec, "topologySpreadConstraints", &template.topology_spread, spread);
    spec.insert("priority".into(), json!(template.priority));
    put_text(&mut spec, "schedulerName", template.scheduler_name.as_deref().unwrap_or_default());
    put_text(&mut spec, "nodeName", template.node_name.as_deref().unwrap_or_default());
    spec
}

fn put(out: &mut Map<String, Value>, key: &str, value: Value, is_empty: bool) {
    if !is_empty {
        out.insert(key.to_owned(), value);
    }
}

fn put_text(out: &mut Map<String, Value>, key: &str, text: &str) {
    put(out, key, json!(text), text.is_empty());
}

fn put_list<T>(out: &mut Map<String, Value>, key: &str, items: &[T], one: impl Fn(&T) -> Value) {
    let values: Vec<Value> = items.iter().map(one).collect();
    put(out, key, json!(values), items.is_empty());
}

/// Node affinity, of a pod or of a scheduler's profile; empty where it asks for nothing.
pub(crate) fn node_affinity(
    required: &[NodeSelectorTerm],
    preferred: &[PreferredTerm],
) -> Map<String, Value> {
    let mut out = Map::new();
    let terms: Vec<Value> = required.iter().map(term).collect();
    put(&mut out, REQUIRED, json!({ "nodeSelectorTerms": terms }), required.is_empty());
    put_list(
        &mut out,
        PREFERRED,
        preferred,
        |preferred| json!({ "weight": preferred.weight, "preference": term(&preferred.term) }),
    );
    out
}

fn term(term: &NodeSelectorTerm) -> Value {
    let mut out = Map::new();
    put_list(&mut out, "matchExpressions", &term.match_expressions, requirement);
    put_list(&mut out, "matchFields", &term.match_fields, requirement);
    Value::Object(out)
}

fn requirement(requirement: &LabelRequirement) -> Value {
    let mut out = json!({ "key": requirement.key, "operator": requirement.operator });
    if !requirement.values.is_empty() {
        out["values"] = json!(requirement.values);
    }
    out
}

fn selector(selector: &LabelSelector) -> Value {
    let mut out = Map::new();
    put_list(&mut out, "matchExpressions", &selector.requirements, requirement);
    Value::Object(out)
}

fn pod_affinity(affinity: &PodAffinity) -> Value {
    let mut out = Map::new();
    put_list(&mut out, REQUIRED, &affinity.required, pod_term);
    put_list(
        &mut out,
        PREFERRED,
        &affinity.preferred,
        |(weight, term)| json!({ "weight": weight, "podAffinityTerm": pod_term(term) }),
    );
    Value::Object(out)
}

fn pod_term(term: &PodAffinityTerm) -> Value {
    let mut out = Map::new();
    put_selector(&mut out, "labelSelector", term.label_selector.as_ref());
    put_selector(&mut out, "namespaceSelector", term.namespace_selector.as_ref());
    put_names(&mut out, "namespaces", &term.namespaces);
    put_text(&mut out, "topologyKey", &term.topology_key);
    put_names(&mut out, "matchLabelKeys", &term.match_label_keys);
    put_names(&mut out, "mismatchLabelKeys", &term.mismatch_label_keys);
    Value::Object(out)
}

fn put_selector(out: &mut Map<String, Value>, key: &str, found: Option<&LabelSelector>) {
    if let Some(found) = found {
        out.insert(key.to_owned(), selector(found));
    }
}

fn put_names(out: &mut Map<String, Value>, key: &str, names: &[String]) {
    put(out, key, json!(names), names.is_empty());
}

/// A spread constraint, of a pod or of a scheduler's profile.
pub(crate) fn spread(constraint: &TopologySpreadConstraint) -> Value {
    let policy = |policy| match policy {
        NodeInclusionPolicy::Honor => "Honor",
        NodeInclusionPolicy::Ignore => "Ignore",
    };
    let mut out = Map::new();
    out.insert("maxSkew".into(), json!(constraint.max_skew));
    put_text(&mut out, "topologyKey", &constraint.topology_key);
    let when = match constraint.when_unsatisfiable {
        WhenUnsatisfiable::DoNotSchedule => "DoNotSchedule",
        WhenUnsatisfiable::ScheduleAnyway => "ScheduleAnyway",
    };
    put_text(&mut out, "whenUnsatisfiable", when);
    put_selector(&mut out, "labelSelector", constraint.label_selector.as_ref());
    put_names(&mut out, "matchLabelKeys", &constraint.match_label_keys);
    if let Some(domains) = constraint.min_domains {
        out.insert("minDomains".into(), json!(domains));
    }
    put_text(&mut out, "nodeAffinityPolicy", policy(constraint.node_affinity_policy));
    put_text(&mut out, "nodeTaintsPolicy", policy(constraint.node_taints_policy));
    Value::Object(out)
}

fn toleration(toleration: &Toleration) -> Value {
    let mut out = json!({ "operator": toleration.operator });
    if !toleration.key.is_empty() {
        out["key"] = json!(toleration.key);
    }
    if !toleration.value.is_empty() {
        out["value"] = json!(toleration.value);
    }
    if let Some(effect) = toleration.effect {
        out["effect"] = json!(effect_name(effect));
    }
    out
}

fn container(container: &Container) -> Value {
    let mut out = Map::new();
    put_text(&mut out, "name", &container.name);
    put_text(&mut out, "image", container.image.as_deref().unwrap_or_default());
    let requests = amounts(&container.requests);
    let mut resources = Map::new();
    // What cannot be overcommitted needs a limit, which is the request.
    let limits = extended(&container.requests);
    put(&mut resources, "limits", json!(limits), limits.is_empty());
    put(&mut resources, "requests", json!(requests), requests.is_empty());
    put(&mut out, "resources", json!(resources), requests.is_empty());
    put_text(&mut out, "restartPolicy", if container.restart_always { "Always" } else { "" });
    put_list(&mut out, "ports", &container.host_ports, host_port);
    Value::Object(out)
}

fn host_port(port: &HostPort) -> Value {
    let mut out =
        json!({ "containerPort": port.port, "hostPort": port.port, "protocol": port.protocol });
    if !port.host_ip.is_empty() {
        out["hostIP"] = json!(port.host_ip);
    }
    out
}

pub(in crate::native) fn amounts(list: &ResourceList) -> Map<String, Value> {
    let mut out = Map::new();
    let plain = [
        ("cpu", list.cpu.map(|cpu| cpu.to_string())),
        ("memory", list.memory.map(|memory| memory.to_string())),
        ("ephemeral-storage", list.ephemeral_storage.map(|storage| storage.to_string())),
    ];
    for (name, amount) in plain {
        put_text(&mut out, name, amount.as_deref().unwrap_or_default());
    }
    out.extend(extended(list));
    out
}

/// Devices and huge pages.
fn extended(list: &ResourceList) -> Map<String, Value> {
    let amounts = list.extended.iter();
    amounts.map(|(name, amount)| (name.clone(), json!(amount.to_string()))).collect()
}

#[cfg(test)]
pub(crate) mod tests;
