//! What a pod says about where it may run: the parts of a pod template that placement reads.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Container, LocalDirs, PodAffinity, ResourceList, Taint, TaintEffect, TopologySpreadConstraint,
};
use crate::units::SimDuration;

/// Placement rules of a driver's, executor's or pause pod's template.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct PodTemplate {
    /// Namespace; empty means `default`.
    pub namespace: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// `nodeSelector`: every label must match.
    pub node_selector: BTreeMap<String, String>,
    /// Required node affinity: one of the terms must match. Empty = no requirement.
    pub required_node_affinity: Vec<NodeSelectorTerm>,
    /// Preferred node affinity.
    pub preferred_node_affinity: Vec<PreferredTerm>,
    /// `podAffinity`.
    pub pod_affinity: PodAffinity,
    /// `podAntiAffinity`.
    pub pod_anti_affinity: PodAffinity,
    /// `topologySpreadConstraints`.
    pub topology_spread: Vec<TopologySpreadConstraint>,
    /// Tolerations.
    pub tolerations: Vec<Toleration>,
    /// `nodeName`: the pod asks for this node and no other.
    pub node_name: Option<String>,
    /// Of a template of Spark's, the container that Spark fills in: its image, its ports and what
    /// it asks for besides CPU and memory, which are Spark's to say. Else nothing.
    pub main: Container,
    /// Containers: of a template of Spark's, those besides [`PodTemplate::main`].
    pub containers: Vec<Container>,
    /// Init containers, sidecars (`restartPolicy: Always`) included, in order.
    pub init_containers: Vec<Container>,
    /// Images of `volumes[].image` (`reference`).
    pub image_volumes: Vec<String>,
    /// `overhead` of the pod's runtime class.
    pub overhead: ResourceList,
    /// Priority, already resolved from its class.
    pub priority: i32,
    /// `schedulerName`, where it is not the default one.
    pub scheduler_name: Option<String>,
    /// Names of the volumes that keep Cluster Autoscaler from draining the pod's node: `hostPath`,
    /// and `emptyDir` unless its medium is `Memory`. Source: facts-kubernetes 2.3.
    pub local_storage: Vec<String>,
    /// What the volumes `spark-local-dir-*` are made of, where that is not the node's disk.
    pub local_dirs: Option<LocalDirs>,
    /// `terminationGracePeriodSeconds`, where it is said.
    pub termination_grace: Option<SimDuration>,
}

/// Labels by which templates ask for spot or on-demand nodes.
const CAPACITY_TYPE_LABELS: [&str; 5] = [
    "eks.amazonaws.com/capacityType",
    "karpenter.sh/capacity-type",
    "node.kubernetes.io/lifecycle",
    "node-lifecycle",
    "lifecycle",
];

impl PodTemplate {
    /// The template without its requirements on the capacity type, which a retry ladder's move to
    /// on-demand nodes overrides.
    #[must_use]
    pub fn without_capacity_type(mut self) -> Self {
        let other = |key: &str| !CAPACITY_TYPE_LABELS.contains(&key);
        self.node_selector.retain(|key, _| other(key));
        let terms = &mut self.required_node_affinity;
        for term in terms.iter_mut().filter(|term| !term.match_expressions.is_empty()) {
            term.match_expressions.retain(|requirement| other(&requirement.key));
            if term.match_expressions.is_empty() {
                // This term asked for nothing else: one of the terms always holds now.
                terms.clear();
                break;
            }
        }
        self
    }
}

/// One term of node affinity: all requirements must hold. A term without any matches no node.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct NodeSelectorTerm {
    /// `matchFields`: of these, upstream knows `metadata.name`.
    pub match_fields: Vec<LabelRequirement>,
    /// `matchExpressions`.
    pub match_expressions: Vec<LabelRequirement>,
}

/// A term of preferred node affinity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreferredTerm {
    /// 1 to 100.
    pub weight: i64,
    /// The term.
    pub term: NodeSelectorTerm,
}

/// One requirement on a node label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRequirement {
    /// Label key.
    pub key: String,
    /// Operator.
    pub operator: LabelOperator,
    /// Values; empty for `Exists` and `DoesNotExist`, one number for `Gt` and `Lt`.
    pub values: Vec<String>,
}

/// Operators of node affinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LabelOperator {
    /// The label is one of the values.
    In,
    /// The label is absent or none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
    /// The label is a whole number above the value.
    Gt,
    /// The label is a whole number below the value.
    Lt,
}

/// A toleration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toleration {
    /// Taint key; empty with `Exists` tolerates every key.
    pub key: String,
    /// Operator.
    pub operator: TolerationOperator,
    /// Value for `Equal`.
    pub value: String,
    /// Effect; `None` tolerates every effect.
    pub effect: Option<TaintEffect>,
}

/// Operators of tolerations.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum TolerationOperator {
    /// Key and value are the taint's.
    #[default]
    Equal,
    /// The key is the taint's.
    Exists,
}

impl Toleration {
    /// Whether a pod with this toleration does not mind `taint`.
    /// Source: k8s.io/api core/v1 `ToleratesTaint`.
    pub fn tolerates(&self, taint: &Taint) -> bool {
        let effect = self.effect.is_none_or(|effect| effect == taint.effect);
        let key = self.key.is_empty() || self.key == taint.key;
        let value = match self.operator {
            TolerationOperator::Exists => true,
            TolerationOperator::Equal => !self.key.is_empty() && self.value == taint.value,
        };
        effect && key && value
    }
}

impl LabelRequirement {
    /// Whether a node with these labels meets the requirement.
    /// Source: apimachinery `labels.Requirement.Matches`.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            LabelOperator::In => value.is_some_and(|value| self.values.contains(value)),
            LabelOperator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            LabelOperator::Exists => value.is_some(),
            LabelOperator::DoesNotExist => value.is_none(),
            LabelOperator::Gt => self.compare(value, |label, bound| label > bound),
            LabelOperator::Lt => self.compare(value, |label, bound| label < bound),
        }
    }

    /// Whether the API server takes it. Upstream finds requirements that it would not (they can
    /// come from a configuration) only when it uses them: a term with one never matches.
    /// Source: apimachinery `labels.NewRequirement`, `util/validation`.
    pub fn is_valid(&self) -> bool {
        let values = match self.operator {
            LabelOperator::In | LabelOperator::NotIn => !self.values.is_empty(),
            LabelOperator::Exists | LabelOperator::DoesNotExist => self.values.is_empty(),
            LabelOperator::Gt | LabelOperator::Lt => {
                matches!(self.values.as_slice(), [value] if value.parse::<i64>().is_ok())
            }
        };
        let (prefix, name) = self.key.rsplit_once('/').unwrap_or(("a", &self.key));
        values
            && !prefix.is_empty()
            && !name.is_empty()
            && is_label_value(name)
            && self.values.iter().all(|value| is_label_value(value))
    }

    fn compare(&self, value: Option<&String>, holds: fn(i64, i64) -> bool) -> bool {
        let label = value.and_then(|value| value.parse().ok());
        let bound = self.values.first().and_then(|value| value.parse().ok());
        label.zip(bound).is_some_and(|(label, bound)| holds(label, bound))
    }
}

/// Empty, or at most 63 letters, digits, `-`, `_` and `.`, the ends letters or digits.
fn is_label_value(value: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    value.len() <= 63
        && value.chars().all(inner)
        && end(value.chars().next())
        && end(value.chars().next_back())
}

impl NodeSelectorTerm {
    /// Whether a node with these labels meets every requirement of the term.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        !self.match_expressions.is_empty()
            && self.match_expressions.iter().all(|requirement| requirement.matches(labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taint(key: &str, value: &str, effect: TaintEffect) -> Taint {
        Taint { key: key.into(), value: value.into(), effect }
    }

    #[test]
    fn tolerations_match_as_upstream() {
        let spot = taint("spot", "true", TaintEffect::NoSchedule);
        let equal = Toleration {
            key: "spot".into(),
            operator: TolerationOperator::Equal,
            value: "true".into(),
            effect: None,
        };
        assert!(equal.tolerates(&spot));
        assert!(!equal.tolerates(&taint("spot", "false", TaintEffect::NoSchedule)));
        let all = Toleration {
            key: String::new(),
            operator: TolerationOperator::Exists,
            value: String::new(),
            effect: None,
        };
        assert!(all.tolerates(&spot));
        let other_effect = Toleration { effect: Some(TaintEffect::NoExecute), ..equal };
        assert!(!other_effect.tolerates(&spot));
    }

    #[test]
    fn requirements_match_as_upstream() {
        let labels = BTreeMap::from([("cpu".to_owned(), "16".to_owned())]);
        let check = |operator, values: &[&str], expected| {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            let requirement = LabelRequirement { key: "cpu".into(), operator, values };
            assert_eq!(requirement.matches(&labels), expected, "{requirement:?}");
        };
        check(LabelOperator::In, &["8", "16"], true);
        check(LabelOperator::NotIn, &["16"], false);
        check(LabelOperator::Exists, &[], true);
        check(LabelOperator::DoesNotExist, &[], false);
        check(LabelOperator::Gt, &["8"], true);
        check(LabelOperator::Lt, &["16"], false);
        assert!(!NodeSelectorTerm::default().matches(&labels));
    }
}
