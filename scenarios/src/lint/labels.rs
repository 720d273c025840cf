//! Labels, annotations and taints that were renamed, wherever they stand.
//!
//! A document that has both names is ready for either. Left out: whether anything still sets the
//! older one besides (kubelets set `beta.kubernetes.io` labels to this day). Source: Kubernetes, "Well-known labels, annotations and taints"; Karpenter's
//! v1beta1 migration.

use sim::Severity;

use super::pods::Workload;
use super::rule::{LintFinding, Rule};
use super::set::Set;
use crate::problem::Pos;
use crate::yaml::{Node, Value};

/// A name that has another one today.
pub(super) static RENAMED: Rule = Rule {
    id: "label-renamed",
    severity: Severity::Warning,
    why: "the name is deprecated: what reads or sets it goes, release by release",
    source: "Kubernetes, well-known labels, annotations and taints; Karpenter, v1beta1 migration",
};

/// Deprecated names and today's.
const NAMES: [(&str, &str); 13] = [
    ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
    ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
    ("beta.kubernetes.io/os", "kubernetes.io/os"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("karpenter.sh/do-not-consolidate", "karpenter.sh/do-not-disrupt"),
    ("karpenter.sh/do-not-evict", "karpenter.sh/do-not-disrupt"),
    ("karpenter.sh/provisioner-name", "karpenter.sh/nodepool"),
    ("node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane"),
    ("scheduler.alpha.kubernetes.io/critical-pod", "priorityClassName: system-cluster-critical"),
    ("scheduler.alpha.kubernetes.io/node-selector", "spec.nodeSelector"),
    ("seccomp.security.alpha.kubernetes.io/pod", "securityContext.seccompProfile"),
    ("volume.beta.kubernetes.io/storage-class", "spec.storageClassName"),
];

pub(super) fn judge(set: &Set, workloads: &[Workload]) -> Vec<LintFinding> {
    let mut out = Vec::new();
    for document in &set.documents {
        // What runs has been set by somebody else.
        if document.kind == crate::import::recognise::Kind::Live {
            continue;
        }
        let mut names: Vec<(String, Pos)> = Vec::new();
        walk(&document.node, &mut |name, pos| names.push((name.to_owned(), pos)));
        let has = |new: &str| names.iter().any(|(name, _)| name == new);
        for (name, pos) in &names {
            if let Some(new) = renamed(name).filter(|new| !has(new)) {
                out.push(finding(&set.place(document.file, *pos), name, new));
            }
        }
    }
    for workload in workloads {
        for (key, _) in workload.conf.iter() {
            let selector = key.split_once("node.selector.").map(|(_, label)| label);
            let label = selector.or_else(|| key.split_once(".annotation.").map(|(_, name)| name));
            if let Some(name) = label
                && let Some(new) = renamed(name)
            {
                out.push(finding(workload.at(key), name, new));
            }
        }
    }
    out
}

fn finding(place: &crate::native::Place, name: &str, new: &str) -> LintFinding {
    RENAMED.at(place, format!("`{name}` is deprecated"), format!("write `{new}`"))
}

fn renamed(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|(old, _)| *old == name).map(|(_, new)| *new)
}

/// Keys of maps, and values of `key`, `topologyKey`.
fn walk(node: &Node, seen: &mut impl FnMut(&str, Pos)) {
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                seen(&key.name, key.pos);
                if matches!(key.name.as_str(), "key" | "topologyKey")
                    && let Some(text) = value.scalar_text()
                {
                    seen(text, value.pos);
                }
                walk(value, seen);
            }
        }
        Value::Seq(items) => items.iter().for_each(|item| walk(item, seen)),
        _ => {}
    }
}
