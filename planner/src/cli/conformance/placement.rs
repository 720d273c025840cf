//! Sequences of placements recorded from a real scheduler: for every pod that was created, the
//! nodes that passed the filters with their scores, or the message why none did. The recorded
//! choice is followed, so that one difference does not make all that comes after differ.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sim::decisions::{BoundPod, CaseNode, CasePod, Decisions, NodePlace, Placed};
use sim::scenario::KubernetesVersion;
use sim::units::Bytes;

use super::Judged;
use super::manifest::{PodSpec, TaintSpec};
use super::scheduler::{resource_list, version_in};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sequence {
    schema: String,
    #[serde(default)]
    config: String,
    scheduler_configuration: Value,
    /// Of the generator; nothing here is random.
    #[serde(rename = "seed", default)]
    _seed: Value,
    nodes: Vec<Node>,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    taints: Vec<TaintSpec>,
    allocatable: BTreeMap<String, u64>,
    #[serde(default)]
    images: Vec<Image>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Image {
    names: Vec<String>,
    size_bytes: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, tag = "op", rename_all = "lowercase")]
enum Step {
    Create {
        pod: String,
        #[serde(default)]
        labels: BTreeMap<String, String>,
        spec: Box<PodSpec>,
        node: Option<String>,
        unschedulable: Option<String>,
        #[serde(default)]
        final_scores: BTreeMap<String, i64>,
    },
    Delete {
        pod: String,
    },
}

/// Judges every step that creates a pod: its feasible nodes, its scores, its message.
pub(super) fn judge(value: Value) -> Result<Vec<Judged>, String> {
    let sequence: Sequence = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let version = version_in(&sequence.schema).unwrap_or(KubernetesVersion::NEWEST);
    let text = sequence.scheduler_configuration.to_string();
    let read = scenarios::native::kube_scheduler::read("scheduler_configuration", &text, version);
    if let Some(problem) = read.problems.first() {
        return Err(format!("scheduler_configuration: {}", problem.message));
    }
    let profile = read.value.into_iter().next().ok_or("no profile in scheduler_configuration")?;
    let mut decisions = Decisions::new(profile, version, BTreeMap::new());
    let mut places: BTreeMap<String, NodePlace> = BTreeMap::new();
    let mut names = Vec::new();
    for node in sequence.nodes {
        let name = node.name.clone();
        let place = decisions.add_node(&case_node(node)?).map_err(|error| error.to_string())?;
        if places.insert(name.clone(), place).is_some() {
            return Err(format!("a second node `{name}`"));
        }
        names.push(name);
    }
    let mut run = Run {
        plugin: if sequence.config.is_empty() { "sequence".to_owned() } else { sequence.config },
        decisions,
        places,
        names,
        bound: BTreeMap::new(),
        judged: Vec::new(),
    };
    for (number, step) in sequence.steps.into_iter().enumerate() {
        run.step(step).map_err(|reason| format!("steps[{number}]: {reason}"))?;
    }
    Ok(run.judged)
}

fn case_node(node: Node) -> Result<CaseNode, String> {
    let (allocatable, pods) = resource_list(&node.allocatable)?;
    let taints = node.taints.into_iter().map(TaintSpec::into_sim);
    let images = node.images.into_iter();
    Ok(CaseNode {
        name: node.name,
        labels: node.labels,
        taints: taints.collect::<Result<_, _>>()?,
        allocatable,
        pods: pods.unwrap_or(0),
        images: images.map(|image| (image.names, Bytes::new(image.size_bytes))).collect(),
        ..CaseNode::default()
    })
}

struct Run {
    plugin: String,
    decisions: Decisions,
    places: BTreeMap<String, NodePlace>,
    names: Vec<String>,
    bound: BTreeMap<String, BoundPod>,
    judged: Vec<Judged>,
}

impl Run {
    fn step(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Create { pod, labels, spec, node, unschedulable, final_scores } => {
                let template = spec.into_sim(labels)?;
                let case = CasePod { template, terminating: false };
                let placed = self.decisions.place(&case).map_err(|error| error.to_string())?;
                self.compare(&pod, &placed, node.as_deref(), unschedulable, &final_scores);
                if let Some(node) = node {
                    let place = *self.places.get(&node).ok_or_else(|| unknown("node", &node))?;
                    let bound = self.decisions.bind(&case, place);
                    let bound = bound.map_err(|error| error.to_string())?;
                    if self.bound.insert(pod.clone(), bound).is_some() {
                        return Err(format!("pod `{pod}` is created a second time"));
                    }
                }
                Ok(())
            }
            Step::Delete { pod } => {
                let bound = self.bound.remove(&pod).ok_or_else(|| unknown("pod", &pod))?;
                self.decisions.delete(bound);
                Ok(())
            }
        }
    }

    /// The choice, where it was scored, must be one of the best; ties are the recording's.
    fn compare(
        &mut self,
        pod: &str,
        placed: &Placed,
        node: Option<&str>,
        unschedulable: Option<String>,
        final_scores: &BTreeMap<String, i64>,
    ) {
        let feasible: BTreeMap<&str, i64> =
            placed.feasible.iter().map(|(at, score)| (self.names[*at].as_str(), *score)).collect();
        let mut add = |kind: &str, expected: String, got: String| {
            self.judged.push(Judged::new(kind, &self.plugin, pod, expected, got));
        };
        let best = feasible.values().max().copied();
        let chosen = node.is_some_and(|node| feasible.get(node).copied() == best);
        let got = match (node, best) {
            (Some(node), Some(_)) if chosen => node.to_owned(),
            (_, Some(best)) => {
                let all = feasible.iter().filter(|(_, score)| **score == best);
                all.map(|(name, _)| *name).collect::<Vec<_>>().join(" or ")
            }
            (_, None) => "no node".to_owned(),
        };
        add("placement choice", node.unwrap_or("no node").to_owned(), got);
        if !final_scores.is_empty() {
            let expected = final_scores.iter().map(|(name, score)| (name.as_str(), *score));
            add("placement scores", show(expected), show(feasible.iter().map(|(n, s)| (*n, *s))));
        }
        if let Some(expected) = unschedulable {
            add("placement message", expected, placed.message.clone().unwrap_or_default());
        }
    }
}

fn show<'a>(scores: impl Iterator<Item = (&'a str, i64)>) -> String {
    let parts: Vec<String> = scores.map(|(name, score)| format!("{name}={score}")).collect();
    parts.join(" ")
}

fn unknown(what: &str, name: &str) -> String {
    format!("unknown {what} `{}`", name.chars().take(60).collect::<String>())
}
