//! The parts of Kubernetes manifests that decision cases use, with upstream's field names, to the
//! simulator's types. An unknown field is an error: a case that says more than is understood must
//! not count as one that agrees.

use std::collections::BTreeMap;

use serde::Deserialize;
use sim::scenario::{
    AddedAffinity, Container, HostPort, LabelOperator, LabelRequirement, LabelSelector,
    NodeInclusionPolicy, NodeSelectorTerm, PodAffinity, PodAffinityTerm, PodTemplate,
    PreferredTerm, ResourceList, Taint, TaintEffect, Toleration, TolerationOperator,
    TopologySpreadConstraint, WhenUnsatisfiable,
};
use sim::units::quantity;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct Affinity {
    node_affinity: Option<NodeAffinity>,
    pod_affinity: Option<PodTerms>,
    pod_anti_affinity: Option<PodTerms>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NodeAffinity {
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    required: Option<NodeSelector>,
    #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
    preferred: Option<Vec<Preferred>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct NodeSelector {
    node_selector_terms: Option<Vec<Term>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Preferred {
    weight: i64,
    preference: Term,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Term {
    match_expressions: Option<Vec<Requirement>>,
    match_fields: Option<Vec<Requirement>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    key: String,
    operator: Operator,
    #[serde(default)]
    values: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PodTerms {
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    required: Option<Vec<PodTerm>>,
    #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
    preferred: Option<Vec<WeightedPodTerm>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WeightedPodTerm {
    weight: i64,
    pod_affinity_term: PodTerm,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct PodTerm {
    label_selector: Option<Selector>,
    namespaces: Option<Vec<String>>,
    namespace_selector: Option<Selector>,
    topology_key: String,
    match_label_keys: Option<Vec<String>>,
    mismatch_label_keys: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Selector {
    match_labels: Option<BTreeMap<String, String>>,
    match_expressions: Option<Vec<Requirement>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SpreadConstraint {
    max_skew: u32,
    topology_key: String,
    when_unsatisfiable: Unsatisfiable,
    #[serde(default)]
    label_selector: Option<Selector>,
    #[serde(default)]
    match_label_keys: Option<Vec<String>>,
    #[serde(default)]
    min_domains: Option<u32>,
    #[serde(default)]
    node_affinity_policy: Option<Inclusion>,
    #[serde(default)]
    node_taints_policy: Option<Inclusion>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Unsatisfiable {
    DoNotSchedule,
    ScheduleAnyway,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Inclusion {
    Honor,
    Ignore,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct TolerationSpec {
    key: String,
    operator: Option<String>,
    value: String,
    effect: Option<String>,
    /// About running pods only.
    #[serde(rename = "tolerationSeconds")]
    _toleration_seconds: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaintSpec {
    key: String,
    #[serde(default)]
    value: String,
    effect: String,
}

/// A native PodSpec.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct PodSpec {
    containers: Vec<ContainerSpec>,
    init_containers: Vec<ContainerSpec>,
    node_selector: BTreeMap<String, String>,
    affinity: Affinity,
    tolerations: Vec<TolerationSpec>,
    topology_spread_constraints: Vec<SpreadConstraint>,
    overhead: BTreeMap<String, Quantity>,
    priority: i32,
    node_name: Option<String>,
    scheduler_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct ContainerSpec {
    name: String,
    image: Option<String>,
    resources: Resources,
    restart_policy: Option<String>,
    ports: Vec<Port>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Resources {
    requests: BTreeMap<String, Quantity>,
    limits: BTreeMap<String, Quantity>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Port {
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "containerPort")]
    _container_port: Option<u16>,
    host_port: u16,
    #[serde(rename = "hostIP")]
    host_ip: String,
    protocol: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Quantity {
    Whole(u64),
    Text(String),
}

impl Affinity {
    /// Adds what it says to `template`.
    pub(super) fn apply(self, template: &mut PodTemplate) {
        let node = self.node_affinity.unwrap_or_default().into_sim();
        template.required_node_affinity = node.required;
        template.preferred_node_affinity = node.preferred;
        template.pod_affinity = self.pod_affinity.unwrap_or_default().into_sim();
        template.pod_anti_affinity = self.pod_anti_affinity.unwrap_or_default().into_sim();
    }
}

impl NodeAffinity {
    /// A requirement without any term matches nothing, as a term without any requirement does.
    pub(super) fn into_sim(self) -> AddedAffinity {
        let required = self.required.map(|selector| {
            let terms = selector.node_selector_terms.unwrap_or_default();
            let mut terms: Vec<_> = terms.into_iter().map(Term::into_sim).collect();
            if terms.is_empty() {
                terms.push(NodeSelectorTerm::default());
            }
            terms
        });
        let preferred = self.preferred.unwrap_or_default().into_iter();
        let preferred = preferred
            .map(|term| PreferredTerm { weight: term.weight, term: term.preference.into_sim() });
        AddedAffinity { required: required.unwrap_or_default(), preferred: preferred.collect() }
    }
}

impl Term {
    fn into_sim(self) -> NodeSelectorTerm {
        NodeSelectorTerm {
            match_fields: requirements(self.match_fields),
            match_expressions: requirements(self.match_expressions),
        }
    }
}

fn requirements(given: Option<Vec<Requirement>>) -> Vec<LabelRequirement> {
    let one = |given: Requirement| LabelRequirement {
        key: given.key,
        operator: match given.operator {
            Operator::In => LabelOperator::In,
            Operator::NotIn => LabelOperator::NotIn,
            Operator::Exists => LabelOperator::Exists,
            Operator::DoesNotExist => LabelOperator::DoesNotExist,
            Operator::Gt => LabelOperator::Gt,
            Operator::Lt => LabelOperator::Lt,
        },
        values: given.values.unwrap_or_default(),
    };
    given.unwrap_or_default().into_iter().map(one).collect()
}

impl Selector {
    fn into_sim(self) -> LabelSelector {
        let labels = self.match_labels.unwrap_or_default().into_iter();
        let mut all: Vec<LabelRequirement> = labels
            .map(|(key, value)| LabelRequirement {
                key,
                operator: LabelOperator::In,
                values: vec![value],
            })
            .collect();
        all.extend(requirements(self.match_expressions));
        LabelSelector { requirements: all }
    }
}

impl PodTerms {
    fn into_sim(self) -> PodAffinity {
        let preferred = self.preferred.unwrap_or_default().into_iter();
        PodAffinity {
            required: self
                .required
                .unwrap_or_default()
                .into_iter()
                .map(PodTerm::into_sim)
                .collect(),
            preferred: preferred
                .map(|term| (term.weight, term.pod_affinity_term.into_sim()))
                .collect(),
        }
    }
}

impl PodTerm {
    fn into_sim(self) -> PodAffinityTerm {
        PodAffinityTerm {
            label_selector: self.label_selector.map(Selector::into_sim),
            namespaces: self.namespaces.unwrap_or_default(),
            namespace_selector: self.namespace_selector.map(Selector::into_sim),
            topology_key: self.topology_key,
            match_label_keys: self.match_label_keys.unwrap_or_default(),
            mismatch_label_keys: self.mismatch_label_keys.unwrap_or_default(),
        }
    }
}

impl SpreadConstraint {
    /// Source of the policies' defaults: Kubernetes API, `TopologySpreadConstraint`.
    pub(super) fn into_sim(self) -> TopologySpreadConstraint {
        let policy = |given: Option<Inclusion>, default| match given {
            Some(Inclusion::Honor) => NodeInclusionPolicy::Honor,
            Some(Inclusion::Ignore) => NodeInclusionPolicy::Ignore,
            None => default,
        };
        TopologySpreadConstraint {
            max_skew: self.max_skew,
            topology_key: self.topology_key,
            when_unsatisfiable: match self.when_unsatisfiable {
                Unsatisfiable::DoNotSchedule => WhenUnsatisfiable::DoNotSchedule,
                Unsatisfiable::ScheduleAnyway => WhenUnsatisfiable::ScheduleAnyway,
            },
            label_selector: self.label_selector.map(Selector::into_sim),
            match_label_keys: self.match_label_keys.unwrap_or_default(),
            min_domains: self.min_domains,
            node_affinity_policy: policy(self.node_affinity_policy, NodeInclusionPolicy::Honor),
            node_taints_policy: policy(self.node_taints_policy, NodeInclusionPolicy::Ignore),
        }
    }
}

fn effect(name: &str) -> Result<TaintEffect, String> {
    match name {
        "NoSchedule" => Ok(TaintEffect::NoSchedule),
        "PreferNoSchedule" => Ok(TaintEffect::PreferNoSchedule),
        "NoExecute" => Ok(TaintEffect::NoExecute),
        other => Err(format!(
            "taint effect `{other}`: expected NoSchedule, PreferNoSchedule or NoExecute"
        )),
    }
}

impl TolerationSpec {
    pub(super) fn into_sim(self) -> Result<Toleration, String> {
        let operator = match self.operator.as_deref() {
            None | Some("" | "Equal") => TolerationOperator::Equal,
            Some("Exists") => TolerationOperator::Exists,
            Some(other) => {
                return Err(format!("toleration operator `{other}`: expected Equal or Exists"));
            }
        };
        let named = self.effect.filter(|name| !name.is_empty());
        Ok(Toleration {
            key: self.key,
            operator,
            value: self.value,
            effect: named.as_deref().map(effect).transpose()?,
        })
    }
}

impl TaintSpec {
    pub(super) fn into_sim(self) -> Result<Taint, String> {
        Ok(Taint { effect: effect(&self.effect)?, key: self.key, value: self.value })
    }
}

impl PodSpec {
    pub(super) fn into_sim(self, labels: BTreeMap<String, String>) -> Result<PodTemplate, String> {
        let containers = |list: Vec<ContainerSpec>| -> Result<Vec<Container>, String> {
            list.into_iter().map(ContainerSpec::into_sim).collect()
        };
        let tolerations = self.tolerations.into_iter().map(TolerationSpec::into_sim);
        let spread = self.topology_spread_constraints.into_iter();
        let mut template = PodTemplate {
            labels,
            node_selector: self.node_selector,
            topology_spread: spread.map(SpreadConstraint::into_sim).collect(),
            tolerations: tolerations.collect::<Result<_, _>>()?,
            node_name: self.node_name,
            containers: containers(self.containers)?,
            init_containers: containers(self.init_containers)?,
            overhead: resource_list(&self.overhead)?,
            priority: self.priority,
            scheduler_name: self.scheduler_name,
            ..PodTemplate::default()
        };
        self.affinity.apply(&mut template);
        Ok(template)
    }
}

impl ContainerSpec {
    /// Where only a limit is given, it is the request too.
    fn into_sim(self) -> Result<Container, String> {
        let mut requests = self.resources.limits;
        requests.extend(self.resources.requests);
        let ports = self.ports.into_iter().filter(|port| port.host_port > 0);
        Ok(Container {
            name: self.name,
            image: self.image,
            requests: resource_list(&requests)?,
            restart_always: self.restart_policy.as_deref() == Some("Always"),
            host_ports: ports
                .map(|port| HostPort {
                    port: port.host_port,
                    protocol: port.protocol.unwrap_or_else(|| "TCP".to_owned()),
                    host_ip: port.host_ip,
                })
                .collect(),
        })
    }
}

fn resource_list(given: &BTreeMap<String, Quantity>) -> Result<ResourceList, String> {
    let mut list = ResourceList::default();
    for (name, quantity) in given {
        let text = match quantity {
            Quantity::Whole(number) => number.to_string(),
            Quantity::Text(text) => text.clone(),
        };
        let wrong = |error: &dyn std::fmt::Display| format!("{name}: {error}");
        if name == "cpu" {
            list.cpu = Some(quantity::parse_cpu(&text).map_err(|error| wrong(&error))?);
            continue;
        }
        let amount = quantity::parse_bytes(&text).map_err(|error| wrong(&error))?;
        match name.as_str() {
            "memory" => list.memory = Some(amount),
            "ephemeral-storage" => list.ephemeral_storage = Some(amount),
            other => {
                list.extended.insert(other.to_owned(), amount.as_u64());
            }
        }
    }
    Ok(list)
}
