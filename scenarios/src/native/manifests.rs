//! Manifests that a scenario stands for and that no reader of ours takes: classes of priority and
//! runtime that its pods need, pause pods that keep warm room, and a pre-puller of images.
//!
//! Left out: namespaces other than the pods' own, image pull secrets, pod security.
//!
//! Source: facts-kubernetes 2 (overprovisioning by negative priority), the Kubernetes pages on
//! priority classes and on pod overhead.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sim::scenario::{Images, PodTemplate, ResourceList, Scenario};
use sim::{Finding, Severity};

use super::pod_template::write::{amounts, class_of, live, priority_class, runtime_class};

/// A container that does nothing, in a few hundred kB.
const PAUSE: &str = "registry.k8s.io/pause:3.10";

/// Where pods of the platform itself live.
const NAMESPACE: &str = "kube-system";

/// The classes that the templates of drivers and executors name; none where they name none.
pub fn classes(scenario: &Scenario) -> Vec<Value> {
    let spark = &scenario.spark;
    let roles = [("driver", &spark.driver_template), ("executor", &spark.executor_template)];
    let priorities: BTreeSet<i32> = roles.iter().map(|(_, template)| template.priority).collect();
    let mut out: Vec<Value> = priorities.into_iter().filter_map(priority).collect();
    for (role, template) in roles {
        out.extend(overhead(role, template));
    }
    out
}

/// The runtime class with the overhead of `role`'s pods; none where they have none.
fn overhead(role: &str, template: &PodTemplate) -> Option<Value> {
    let any = template.overhead != ResourceList::default();
    any.then(|| {
        json!({
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": { "name": runtime_class(role) },
            "handler": "runc",
            "overhead": { "podFixed": amounts(&template.overhead) },
        })
    })
}

/// The class of `priority`; none where every cluster has it.
fn priority(priority: i32) -> Option<Value> {
    let name = class_of(priority).filter(|name| !name.starts_with("system-"))?;
    Some(json!({
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": { "name": name },
        "value": priority,
        "globalDefault": false,
    }))
}

/// The pause pods' Deployment with their class; none without overprovisioning.
pub fn overprovisioning(scenario: &Scenario) -> Vec<Value> {
    let Some(pause) = &scenario.overprovisioning else {
        return Vec::new();
    };
    let name = "overprovisioning";
    let own = json!({ "app.kubernetes.io/name": name });
    let labels = with_labels(&own, &pause.template.labels);
    let mut pod = live(&pause.template, "pause");
    if let Some(spec) = pod["spec"].as_object_mut() {
        spec.shift_remove("containers");
        priority_class(spec, pause.priority);
        spec.insert("terminationGracePeriodSeconds".into(), json!(0));
        let requests = json!({ "cpu": pause.cpu.to_string(), "memory": pause.memory.to_string() });
        let resources = json!({ "requests": requests });
        let container = json!({ "name": "pause", "image": PAUSE, "resources": resources });
        spec.insert("containers".into(), json!([container]));
    }
    let mut meta = json!({ "labels": labels });
    if !pause.template.annotations.is_empty() {
        meta["annotations"] = json!(pause.template.annotations);
    }
    let mut out: Vec<Value> = priority(pause.priority).into_iter().collect();
    out.extend(overhead("pause", &pause.template));
    out.push(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "namespace": namespace(&pause.template), "labels": own },
        "spec": {
            "replicas": pause.replicas,
            "selector": { "matchLabels": own },
            "template": { "metadata": meta, "spec": pod["spec"] },
        },
    }));
    out
}

fn namespace(template: &PodTemplate) -> &str {
    if template.namespace.is_empty() { "default" } else { &template.namespace }
}

/// `own` and others; `own` wins, because a selector reads it.
fn with_labels(own: &Value, others: &BTreeMap<String, String>) -> Map<String, Value> {
    let mut out: Map<String, Value> =
        others.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    out.extend(own.as_object().cloned().unwrap_or_default());
    out
}

/// A DaemonSet that pulls the images that are said to be on every node; none where there are none.
/// That images are said to be there and not named is a finding.
pub fn pre_puller(scenario: &Scenario, notes: &mut Vec<Finding>) -> Vec<Value> {
    let names = pre_pulled(scenario);
    if names.is_empty() {
        if scenario.images.pre_pulled {
            let message = "Spark's image is pre-pulled and has no name, so that no pre-puller is \
                           written: set spark.kubernetes.container.image";
            let subject = "spec.images.prePulled";
            notes.push(Finding::new(Severity::Warning, "not-emitted", subject, message));
        }
        return Vec::new();
    }
    let name = "image-pre-puller";
    let labels = json!({ "app.kubernetes.io/name": name });
    let pullers: Vec<Value> = names.iter().enumerate().map(puller).collect();
    vec![json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": { "name": name, "namespace": NAMESPACE, "labels": labels },
        "spec": {
            "selector": { "matchLabels": labels },
            "updateStrategy": { "rollingUpdate": { "maxUnavailable": "100%" } },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "tolerations": [{ "operator": "Exists" }],
                    "terminationGracePeriodSeconds": 1,
                    "initContainers": pullers,
                    "containers": [{ "name": "pause", "image": PAUSE }],
                },
            },
        },
    })]
}

/// A container that starts and ends: its image is there then.
fn puller((place, image): (usize, &String)) -> Value {
    json!({
        "name": format!("pull-{}", place + 1),
        "image": image,
        "command": ["sh", "-c", "true"],
    })
}

/// Images that nodes are to have: those of the list that say so, and Spark's where it is not in it.
fn pre_pulled(scenario: &Scenario) -> BTreeSet<String> {
    let Images { list, pre_pulled, .. } = &scenario.images;
    let mut names: BTreeSet<String> =
        list.iter().filter(|image| image.pre_pulled).map(|image| image.name.clone()).collect();
    if *pre_pulled {
        let spark = &scenario.spark;
        let mains = [&spark.driver_template.main, &spark.executor_template.main];
        let unlisted = mains.into_iter().filter_map(|main| main.image.as_ref());
        names.extend(unlisted.filter(|name| !list.iter().any(|one| one.name == **name)).cloned());
    }
    names
}
