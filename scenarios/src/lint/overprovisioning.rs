//! Pause pods that keep warm room, below the priority for which Cluster Autoscaler adds nodes.
//!
//! Left out: classes that no workload of the set uses. Source: facts-kubernetes 2.1, 2.2
//! (`expendable-pods-priority-cutoff`, -10).

use sim::Severity;

use super::readers::Autoscaler;
use super::rule::{LintFinding, Rule};
use super::set::Set;
use crate::import::recognise::Kind;
use crate::yaml::Node;

/// Pods for which no node is added.
pub(super) static EXPENDABLE: Rule = Rule {
    id: "overprovisioning-expendable",
    severity: Severity::Warning,
    why: "pods below the cutoff are expendable: the autoscaler adds no node for them",
    source: "facts-kubernetes 2.1 (expendable-pods-priority-cutoff, default -10), 2.2",
};

pub(super) fn judge(set: &Set, autoscalers: &[Autoscaler]) -> Vec<LintFinding> {
    // The default holds where no autoscaler is among the files.
    let cutoffs = autoscalers.iter().map(|one| one.value.expendable_pods_priority_cutoff);
    let cutoff = cutoffs.max().unwrap_or(-10);
    let mut out = Vec::new();
    for document in set.of(Kind::Other) {
        let node = &document.node;
        let text = |key: &str| node.get(key).and_then(Node::scalar_text);
        let value = text("value").and_then(|value| value.parse::<i32>().ok());
        let (Some("PriorityClass"), Some(value)) = (text("kind"), value) else { continue };
        let name = node.get("metadata").and_then(|one| one.get("name"));
        let name = name.and_then(Node::scalar_text).unwrap_or_default();
        if value < cutoff && is_used(set, name) {
            let at = node.get("value").map_or(node.pos, |value| value.pos);
            let shown = crate::import::one_line(name, 80);
            let what = format!("class `{shown}` has priority {value}, and the cutoff is {cutoff}");
            let next = "a priority from the cutoff to -1, or a lower \
                        expendable-pods-priority-cutoff";
            out.push(EXPENDABLE.at(&set.place(document.file, at), what, next));
        }
    }
    out
}

/// Whether a workload of the set has the class.
fn is_used(set: &Set, name: &str) -> bool {
    set.documents.iter().any(|document| {
        let spec = document.node.get("spec");
        let template = spec.and_then(|spec| spec.get("template"));
        let pod = template.and_then(|template| template.get("spec"));
        [spec, pod]
            .into_iter()
            .flatten()
            .any(|spec| spec.get("priorityClassName").and_then(Node::scalar_text) == Some(name))
    })
}
