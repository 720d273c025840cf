//! What a running cluster says of itself: `kubectl get nodes,pods,deploy -o json`.
//!
//! Nodes give groups, shapes, release and region; pods of DaemonSets what every node holds;
//! Deployments the flags of Cluster Autoscaler and of schedulers. Left out: other pods (their
//! requests are at one moment, a trace has all), quotas, priorities, disruption budgets.

use std::collections::BTreeMap;

use serde_json::Value;
use sim::units::quantity::{parse_bytes, parse_cpu};
use sim::units::{Bytes, MilliCores};

use super::group::{Group, NodeSeen, Shape, groups};
use super::recognise::{self, deep, items, text_of};
use super::{Import, one_line};

/// Everything that dumps showed.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    /// The file of the first node; what comments name.
    pub(super) file: String,
    nodes: BTreeMap<String, NodeSeen>,
    /// By namespace and name, so that two dumps of one pod count once.
    pods: BTreeMap<String, Value>,
    pods_from: String,
    /// Image sizes in bytes, as nodes list them.
    images: BTreeMap<String, u64>,
    /// Cluster Autoscaler's Deployment, and its file.
    pub(super) autoscaler: Option<(String, Value)>,
    others: BTreeMap<String, usize>,
}

/// Requests of DaemonSets, at the median node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OnEveryNode {
    pub(super) cpu: MilliCores,
    pub(super) memory: Bytes,
    pub(super) pods: usize,
}

impl Cluster {
    /// Takes an object of a dump.
    pub(super) fn take(&mut self, file: &str, value: Value, out: &mut Import) {
        let name = deep(&value, &["metadata", "name"]).to_owned();
        let key = format!("{}/{name}", deep(&value, &["metadata", "namespace"]));
        match text_of(&value, "kind") {
            "Node" => self.node(file, name, &value),
            "Pod" => {
                if self.pods.is_empty() {
                    file.clone_into(&mut self.pods_from);
                }
                if recognise::running(&value, "kube-scheduler").is_some() {
                    scheduler(file, &value, out);
                }
                self.pods.insert(key, value);
            }
            _ if recognise::autoscaler(&value).is_some() => {
                if self.autoscaler.is_some() {
                    out.ignore(file, format!("{}: a second Cluster Autoscaler", shown(&key)));
                } else {
                    self.autoscaler = Some((file.to_owned(), value));
                }
            }
            _ if recognise::running(&value, "kube-scheduler").is_some() => {
                scheduler(file, &value, out);
            }
            kind => *self.others.entry(one_line(kind, 60)).or_default() += 1,
        }
    }

    fn node(&mut self, file: &str, name: String, value: &Value) {
        if self.file.is_empty() {
            file.clone_into(&mut self.file);
        }
        for image in items(value, &["status", "images"]) {
            let size = image.get("sizeBytes").and_then(Value::as_u64).unwrap_or(0);
            for name in items(image, &["names"]).iter().filter_map(Value::as_str) {
                self.images.insert(name.to_owned(), size);
            }
        }
        self.nodes.insert(name, NodeSeen::read(value));
    }

    pub(super) fn has_nodes(&self) -> bool {
        !self.nodes.is_empty()
    }

    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn pod_count(&self) -> usize {
        self.pods.len()
    }

    /// Where the pods come from.
    pub(super) fn pods_from(&self) -> &str {
        &self.pods_from
    }

    fn workers(&self) -> impl Iterator<Item = &NodeSeen> {
        self.nodes.values().filter(|node| node.is_no_node().is_none())
    }

    /// Node groups by name.
    pub(super) fn groups(&self) -> BTreeMap<String, Group> {
        groups(self.workers())
    }

    /// The smallest node of each instance type.
    pub(super) fn shapes(&self) -> BTreeMap<String, Shape> {
        let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
        let size = |shape: &Shape| {
            let memory = parse_bytes(&shape.allocatable_memory).unwrap_or_default();
            (memory, parse_cpu(&shape.allocatable_cpu).unwrap_or_default())
        };
        for node in self.workers() {
            let own = shapes.entry(node.instance_type()).or_insert_with(|| node.shape.clone());
            if size(&node.shape) < size(own) {
                *own = node.shape.clone();
            }
        }
        shapes
    }

    /// The release of most kubelets, with how many have it.
    pub(super) fn kubelet(&self) -> Option<((u32, u32), usize)> {
        let releases = self.nodes.values().filter_map(|node| release(&node.kubelet));
        most_common(releases)
    }

    pub(super) fn region(&self) -> Option<String> {
        most_common(self.workers().filter_map(NodeSeen::region)).map(|(region, _)| region)
    }

    /// The Spark release of most pods that Spark made.
    pub(super) fn spark_release(&self) -> Option<((u32, u32), usize)> {
        let label = |pod: &Value| release(deep(pod, &["metadata", "labels", "spark-version"]));
        most_common(self.pods.values().filter_map(label))
    }

    /// What pods of DaemonSets request on the median node.
    pub(super) fn daemonsets(&self) -> Option<OnEveryNode> {
        let mut by_node: BTreeMap<&str, OnEveryNode> = BTreeMap::new();
        let none = OnEveryNode { cpu: MilliCores::ZERO, memory: Bytes::ZERO, pods: 0 };
        for pod in self.pods.values() {
            let mut owners = items(pod, &["metadata", "ownerReferences"]).iter();
            let node = deep(pod, &["spec", "nodeName"]);
            let ended = matches!(deep(pod, &["status", "phase"]), "Succeeded" | "Failed");
            let worker = self.nodes.get(node).is_none_or(|seen| seen.is_no_node().is_none());
            let daemon = owners.any(|owner| text_of(owner, "kind") == "DaemonSet");
            if !daemon || node.is_empty() || ended || !worker {
                continue;
            }
            let on_node = by_node.entry(node).or_insert(none);
            let (cpu, memory) = requests(pod);
            on_node.cpu = MilliCores::new(on_node.cpu.as_millis().saturating_add(cpu.as_millis()));
            on_node.memory = on_node.memory.saturating_add(memory);
            on_node.pods += 1;
        }
        let all: Vec<OnEveryNode> = by_node.into_values().collect();
        Some(OnEveryNode {
            cpu: median(all.iter().map(|one| one.cpu))?,
            memory: median(all.iter().map(|one| one.memory))?,
            pods: median(all.iter().map(|one| one.pods))?,
        })
    }

    /// The largest image of Spark's pods that the nodes list, with its bytes.
    pub(super) fn spark_image(&self) -> Option<(String, u64)> {
        let spark = self.pods.values().filter(|pod| role(pod).is_some());
        let images = spark.flat_map(|pod| items(pod, &["spec", "containers"]));
        let sized = images.filter_map(|container| {
            let name = text_of(container, "image");
            Some((name.to_owned(), *self.images.get(name)?))
        });
        sized.max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)))
    }

    /// Says what was seen and not used.
    pub(super) fn leftovers(&self, out: &mut Import) {
        let count =
            |wanted: &str| self.pods.values().filter(|pod| role(pod) == Some(wanted)).count();
        let (drivers, executors) = (count("driver"), count("executor"));
        if drivers + executors > 0 {
            let why = format!(
                "{drivers} Spark drivers and {executors} executors at one moment are no trace: \
                 give event logs in `spec.workload.traces`"
            );
            out.ignore(&self.pods_from, why);
        }
        let mut whys: BTreeMap<&str, usize> = BTreeMap::new();
        for why in self.nodes.values().filter_map(NodeSeen::is_no_node) {
            *whys.entry(why).or_default() += 1;
        }
        for (why, count) in whys {
            out.ignore(&self.file, format!("{count} nodes: {why}"));
        }
        let file = if self.file.is_empty() { &self.pods_from } else { &self.file };
        for (kind, count) in &self.others {
            out.ignore(file, format!("{count} objects of kind `{kind}` say nothing of capacity"));
        }
    }
}

fn shown(key: &str) -> String {
    one_line(key, 120)
}

fn role(pod: &Value) -> Option<&str> {
    let role = deep(pod, &["metadata", "labels", "spark-role"]);
    (!role.is_empty()).then_some(role)
}

/// A scheduler whose configuration is in a file of its own.
fn scheduler(file: &str, workload: &Value, out: &mut Import) {
    let Some(container) = recognise::running(workload, "kube-scheduler") else { return };
    let words = items(container, &["command"]).iter().chain(items(container, &["args"]));
    let words = words.filter_map(Value::as_str);
    let named = ["--config=", "--policy-config-file="];
    let flag = words
        .filter(|word| named.iter().any(|flag| word.starts_with(flag)))
        .map(|word| one_line(word, 120))
        .next();
    let until_then = match flag {
        Some(flag) => format!(
            "a kube-scheduler of {file} runs with `{flag}`: give that file (or its ConfigMap) too"
        ),
        None => format!("a kube-scheduler of {file} runs without a configuration: the default"),
    };
    if !out.unknown.iter().any(|unknown| unknown.until_then == until_then) {
        out.unknown("spec.scheduler.config", until_then);
    }
}

/// `v1.29.3-eks-1234` as 1.29.
pub(super) fn release(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().trim_start_matches('v').split(['.', '-', '+']);
    let (major, minor) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((major, minor))
}

/// The value that comes most often, the smallest one of several, with how often.
pub(super) fn most_common<T: Ord>(values: impl Iterator<Item = T>) -> Option<(T, usize)> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count)
}

fn median<T: Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort();
    let middle = values.len() / 2;
    values.into_iter().nth(middle)
}

/// What a pod requests. Source: facts-kubernetes 1.4, without sidecars among init containers.
fn requests(pod: &Value) -> (MilliCores, Bytes) {
    let of = |container: &Value| {
        let cpu = deep(container, &["resources", "requests", "cpu"]);
        let memory = deep(container, &["resources", "requests", "memory"]);
        (parse_cpu(cpu).unwrap_or_default(), parse_bytes(memory).unwrap_or_default())
    };
    let mut sum = (MilliCores::ZERO, Bytes::ZERO);
    for (cpu, memory) in items(pod, &["spec", "containers"]).iter().map(of) {
        sum.0 = MilliCores::new(sum.0.as_millis().saturating_add(cpu.as_millis()));
        sum.1 = sum.1.saturating_add(memory);
    }
    for (cpu, memory) in items(pod, &["spec", "initContainers"]).iter().map(of) {
        sum = (sum.0.max(cpu), sum.1.max(memory));
    }
    sum
}
