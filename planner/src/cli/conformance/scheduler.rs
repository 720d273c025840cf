//! Cases about one scheduler plugin: `score`, `score_normalized`, `filter` and `fit`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sim::decisions::{CaseNode, CasePod, Decisions, Filtered, NodePlace, ScoreStage};
use sim::scenario::{
    Container, KubernetesVersion, LabelRequirement, NodeInclusionPolicy, NodeSelectorTerm,
    PodAffinity, PodTemplate, ResourceList, SchedulerProfile,
};
use sim::units::{Bytes, MilliCores};

use super::Judged;
use super::manifest::{Affinity, SpreadConstraint, TaintSpec, TolerationSpec};
use super::plugin_args::{Configured, PluginArgs};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    kind: String,
    #[serde(rename = "name", default)]
    _name: String,
    plugin: String,
    #[serde(default)]
    source: Source,
    #[serde(default)]
    args: Value,
    pod: Pod,
    #[serde(default)]
    existing_pods: Vec<Pod>,
    nodes: Vec<Node>,
    #[serde(default)]
    filtered_out_nodes: Vec<Node>,
    #[serde(default)]
    namespaces: BTreeMap<String, BTreeMap<String, String>>,
    expected: Expected,
}

/// Where the case comes from; only the release is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    #[serde(rename = "ref")]
    reference: String,
    made: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Pod {
    #[serde(rename = "name")]
    _name: String,
    namespace: String,
    labels: BTreeMap<String, String>,
    containers: Vec<ContainerCase>,
    init_containers: Vec<ContainerCase>,
    overhead: BTreeMap<String, u64>,
    image_volumes: Vec<String>,
    affinity: Affinity,
    tolerations: Vec<TolerationSpec>,
    topology_spread_constraints: Vec<SpreadConstraint>,
    node_selector: BTreeMap<String, String>,
    node: Option<String>,
    terminating: bool,
    priority: i32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ContainerCase {
    #[serde(rename = "name")]
    _name: String,
    image: Option<String>,
    requests: BTreeMap<String, u64>,
    restart_policy: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    taints: Vec<TaintSpec>,
    #[serde(default)]
    allocatable: BTreeMap<String, u64>,
    #[serde(default)]
    images: Vec<Image>,
    #[serde(default)]
    used: BTreeMap<String, u64>,
    #[serde(default)]
    pods_on_node: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    names: Vec<String>,
    size_bytes: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    scores: Option<Vec<NodeScore>>,
    config_error: Option<Vec<FieldError>>,
    status: Option<String>,
    reasons: Vec<String>,
    fits: Option<bool>,
    insufficient: Option<Vec<Short>>,
    pre_filter_nodes: Option<Vec<String>>,
    pre_score_status: Option<String>,
    run_pre_score: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeScore {
    node: String,
    score: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldError {
    field: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Short {
    resource: String,
    requested: u64,
    used: u64,
    capacity: u64,
    unresolvable: bool,
}

/// The plugin failed.
const ERROR: &str = "status Error";

/// The release that `text` names, for example in `v1.20.2`.
pub(super) fn version_in(text: &str) -> Option<KubernetesVersion> {
    let (_, rest) = text.split_once("v1.")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(KubernetesVersion { major: 1, minor: digits.parse().ok()? })
}

/// Builds the case and compares.
pub(super) fn judge(case: &Value) -> Result<Judged, String> {
    let case: Case = serde_json::from_value(case.clone()).map_err(|error| error.to_string())?;
    let version = version_in(&case.source.reference)
        .or_else(|| version_in(&case.source.made))
        .unwrap_or(KubernetesVersion::NEWEST);
    if version < KubernetesVersion::OLDEST || version > KubernetesVersion::NEWEST {
        return Err(format!(
            "source: release {version}; {} to {} are modelled",
            KubernetesVersion::OLDEST,
            KubernetesVersion::NEWEST
        ));
    }
    let args = PluginArgs::read(&case.args)?;
    let policies = args.node_inclusion_policy.unwrap_or(true);
    let expected = expected(&case)?;
    let got = match args.configure(&case.plugin, version)? {
        Configured::Refused(errors) => show_errors(errors.into_iter()),
        Configured::Error => ERROR.to_owned(),
        Configured::Profile(profile) => {
            let mut built = Built::of(*profile, version, case.namespaces);
            built.add_nodes(case.nodes, case.filtered_out_nodes)?;
            built.add_pods(case.existing_pods)?;
            let pod = case.pod.into_sim(policies)?;
            match case.kind.as_str() {
                "score" | "score_normalized" => {
                    let stage = match (case.kind.as_str(), case.expected.run_pre_score) {
                        ("score_normalized", _) => ScoreStage::Normalized,
                        (_, Some(true)) => ScoreStage::Raw,
                        _ => ScoreStage::Unasked,
                    };
                    built.score(&pod, &case.plugin, stage, &case.expected)?
                }
                _ => built.filter(&pod, &case.plugin, &case.expected)?,
            }
        }
    };
    Ok(Judged::new(&case.kind, &case.plugin, &case.id, expected, got))
}

fn show_errors<T: std::fmt::Display>(errors: impl Iterator<Item = (String, T)>) -> String {
    let mut parts: Vec<String> = errors.map(|(field, kind)| format!("{field} {kind}")).collect();
    parts.sort();
    format!("configuration refused: {}", parts.join(", "))
}

fn show_scores<'a>(scores: impl Iterator<Item = (&'a str, i64)>) -> String {
    let parts: Vec<String> = scores.map(|(node, score)| format!("{node}={score}")).collect();
    format!("scores {}", parts.join(" "))
}

/// The expectation as one line, in the same words as what is got.
fn expected(case: &Case) -> Result<String, String> {
    let expected = &case.expected;
    if let Some(errors) = &expected.config_error {
        return Ok(show_errors(errors.iter().map(|e| (e.field.clone(), e.kind.as_str()))));
    }
    if let Some(status) = &expected.pre_score_status {
        return Ok(format!("status {status}"));
    }
    if case.kind == "filter" || case.kind == "fit" {
        let fits = expected.fits.ok_or("expected.fits is missing")?;
        let mut text = if fits {
            "fits".to_owned()
        } else {
            let status = expected.status.as_deref().unwrap_or_default();
            format!("{status}: {}", expected.reasons.join(", "))
        };
        for short in expected.insufficient.iter().flatten() {
            text += &format!(
                "; {} {} of {} used {} unresolvable {}",
                short.resource, short.requested, short.capacity, short.used, short.unresolvable
            );
        }
        if let Some(nodes) = &expected.pre_filter_nodes {
            text += &format!("; nodes {}", sorted(nodes.clone()));
        }
        return Ok(text);
    }
    if let Some(status) = &expected.status {
        return Ok(format!("status {status}"));
    }
    let scores = expected.scores.as_ref().ok_or("expected.scores is missing")?;
    Ok(show_scores(scores.iter().map(|score| (score.node.as_str(), score.score))))
}

fn sorted(mut names: Vec<String>) -> String {
    names.sort();
    names.join(" ")
}

impl Pod {
    /// Without the feature of inclusion policies, those of the constraints do not hold.
    fn into_sim(self, policies: bool) -> Result<CasePod, String> {
        let containers = |list: Vec<ContainerCase>| -> Result<Vec<Container>, String> {
            list.into_iter().map(ContainerCase::into_sim).collect()
        };
        let spread = self.topology_spread_constraints.into_iter();
        let tolerations = self.tolerations.into_iter().map(TolerationSpec::into_sim);
        let mut template = PodTemplate {
            namespace: self.namespace,
            labels: self.labels,
            node_selector: self.node_selector,
            topology_spread: spread.map(SpreadConstraint::into_sim).collect(),
            tolerations: tolerations.collect::<Result<_, _>>()?,
            containers: containers(self.containers)?,
            init_containers: containers(self.init_containers)?,
            image_volumes: self.image_volumes,
            overhead: resource_list(&self.overhead)?.0,
            priority: self.priority,
            ..PodTemplate::default()
        };
        self.affinity.apply(&mut template);
        if !policies {
            for constraint in &mut template.topology_spread {
                constraint.node_affinity_policy = NodeInclusionPolicy::Honor;
                constraint.node_taints_policy = NodeInclusionPolicy::Ignore;
            }
        }
        Ok(CasePod { template, terminating: self.terminating })
    }
}

impl ContainerCase {
    fn into_sim(self) -> Result<Container, String> {
        Ok(Container {
            image: self.image,
            requests: resource_list(&self.requests)?.0,
            restart_always: self.restart_policy.as_deref() == Some("Always"),
            ..Container::default()
        })
    }
}

/// Amounts in the words of the case files; pod slots apart.
pub(super) fn resource_list(
    given: &BTreeMap<String, u64>,
) -> Result<(ResourceList, Option<u32>), String> {
    let mut list = ResourceList::default();
    let mut pods = None;
    for (name, amount) in given {
        // Sums over thousands of pods must not overflow.
        if *amount > 1 << 60 {
            return Err(format!("{name}: {amount} is above 2^60"));
        }
        match name.as_str() {
            "cpu_milli" => list.cpu = Some(MilliCores::new(*amount)),
            "memory_bytes" => list.memory = Some(Bytes::new(*amount)),
            "ephemeral_storage_bytes" => list.ephemeral_storage = Some(Bytes::new(*amount)),
            "pods" => pods = Some(u32::try_from(*amount).map_err(|_| "pods: too many")?),
            other => {
                list.extended.insert(other.to_owned(), *amount);
            }
        }
    }
    Ok((list, pods))
}

/// The cluster of a case.
struct Built {
    decisions: Decisions,
    places: BTreeMap<String, NodePlace>,
    /// Nodes that the case is about, in order.
    names: Vec<String>,
}

impl Built {
    fn of(
        profile: SchedulerProfile,
        version: KubernetesVersion,
        namespaces: BTreeMap<String, BTreeMap<String, String>>,
    ) -> Self {
        Self {
            decisions: Decisions::new(profile, version, namespaces),
            places: BTreeMap::new(),
            names: Vec::new(),
        }
    }

    fn add_nodes(&mut self, nodes: Vec<Node>, filtered_out: Vec<Node>) -> Result<(), String> {
        let count = nodes.len();
        for (number, node) in nodes.into_iter().chain(filtered_out).enumerate() {
            let name = node.name.clone();
            let (allocatable, pods) = resource_list(&node.allocatable)?;
            let taints = node.taints.into_iter().map(TaintSpec::into_sim);
            let images = node.images.into_iter();
            let case = CaseNode {
                name: node.name,
                labels: node.labels,
                taints: taints.collect::<Result<_, _>>()?,
                allocatable,
                pods: pods.unwrap_or(0),
                images: images.map(|of| (of.names, Bytes::new(of.size_bytes))).collect(),
                used: (resource_list(&node.used)?.0, node.pods_on_node),
            };
            let place = self.decisions.add_node(&case).map_err(|error| error.to_string())?;
            if self.places.insert(name.clone(), place).is_some() {
                return Err(format!("a second node `{name}`"));
            }
            if number < count {
                self.names.push(name);
            }
        }
        Ok(())
    }

    fn add_pods(&mut self, pods: Vec<Pod>) -> Result<(), String> {
        for pod in pods {
            // A pod that is on no node is seen by no plugin.
            let Some(name) = pod.node.clone() else {
                continue;
            };
            let unknown =
                || format!("an existing pod is on `{name}`, which is not among the nodes");
            let place = *self.places.get(&name).ok_or_else(unknown)?;
            let pod = pod.into_sim(true)?;
            self.decisions.bind(&pod, place).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn score(
        &mut self,
        pod: &CasePod,
        plugin: &str,
        stage: ScoreStage,
        expected: &Expected,
    ) -> Result<String, String> {
        // Where a plugin fails or is skipped, it gives no scores; some cases say just that.
        let says_none = expected.pre_score_status.is_none()
            && expected.status.is_none()
            && expected.scores.as_ref().is_some_and(Vec::is_empty);
        if refused_when_parsed(&pod.template, plugin) {
            return Ok(if says_none { show_scores(std::iter::empty()) } else { ERROR.to_owned() });
        }
        let places: Vec<NodePlace> = self.names.iter().map(|name| self.places[name]).collect();
        let scores = self.decisions.score(pod, 0, &places, stage);
        let names = self.names.iter().map(String::as_str);
        match scores.map_err(|error| error.to_string())? {
            Some(scores) => Ok(show_scores(names.zip(scores))),
            None if says_none => Ok(show_scores(std::iter::empty())),
            // A skipped plugin adds nothing to any node.
            None if expected.pre_score_status.is_none() => {
                Ok(show_scores(names.map(|name| (name, 0))))
            }
            None => Ok("status Skip".to_owned()),
        }
    }

    fn filter(
        &mut self,
        pod: &CasePod,
        plugin: &str,
        expected: &Expected,
    ) -> Result<String, String> {
        let [name] = self.names.as_slice() else {
            return Err(format!("{} nodes; a filter is asked about one", self.names.len()));
        };
        let place = self.places[name];
        let filtered = self.decisions.filter(pod, place, plugin);
        let mut text = match filtered.map_err(|error| error.to_string())? {
            Filtered::Fits => "fits".to_owned(),
            Filtered::Rejected { unresolvable, reasons, .. } => {
                let also = if unresolvable { "AndUnresolvable" } else { "" };
                format!("Unschedulable{also}: {}", reasons.join(", "))
            }
        };
        if expected.insufficient.is_some() {
            let short = self.decisions.insufficient(pod, place);
            for short in short.map_err(|error| error.to_string())? {
                text += &format!(
                    "; {} {} of {} used {} unresolvable {}",
                    short.resource, short.requested, short.capacity, short.used, short.unresolvable
                );
            }
        }
        if expected.pre_filter_nodes.is_some() {
            let names = sim::decisions::nodes_by_name(&pod.template).unwrap_or_default();
            text += &format!("; nodes {}", sorted(names));
        }
        Ok(text)
    }
}

/// Upstream parses selectors when it first needs them, and fails then.
fn refused_when_parsed(template: &PodTemplate, plugin: &str) -> bool {
    let bad = |list: &[LabelRequirement]| list.iter().any(|requirement| !requirement.is_valid());
    let bad_terms = |affinity: &PodAffinity| {
        let preferred = affinity.preferred.iter().map(|(_, term)| term);
        affinity.required.iter().chain(preferred).any(|term| {
            let selectors = [&term.label_selector, &term.namespace_selector];
            selectors.into_iter().flatten().any(|selector| bad(&selector.requirements))
        })
    };
    let bad_node_term = |term: &NodeSelectorTerm| bad(&term.match_expressions);
    match plugin {
        "InterPodAffinity" => {
            bad_terms(&template.pod_affinity) || bad_terms(&template.pod_anti_affinity)
        }
        "NodeAffinity" => {
            template.preferred_node_affinity.iter().any(|preferred| bad_node_term(&preferred.term))
        }
        _ => false,
    }
}
