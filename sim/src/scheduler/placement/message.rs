//! What the scheduler says of a pod that no node takes: upstream's message, with what the pod asks
//! for.
//!
//! Why the nodes of a class do not pass is asked once for a spec (see `verdicts`).
//! Source: upstream `types.go` (`FitError`).

use super::Turn;
use crate::cluster::{Node, NodeId, NodeState};
use crate::scheduler::filter;
use crate::scheduler::verdicts::{Refusals, Row};

impl Turn<'_> {
    /// Why a node does not pass: calls `say` with each message.
    fn messages<'b>(&'b self, id: NodeId, node: &'b Node, mut say: impl FnMut(&'b str)) {
        let fit = self.cycle.fit(node);
        if let Some(message) = fit.rejected.filter(|_| node.state == NodeState::Ready) {
            // Asked first, because most nodes are of another kind.
            return say(message);
        }
        let ready = node.state == NodeState::Ready;
        if ready && !self.cycle.has_ports && !filter::fits(self.cycle, node, &[]) {
            // Nearly always so: said without a list.
            return filter::each_short_beside(self.cycle, node, &node.requested, |short| {
                say(short.message);
            });
        }
        if let Some(rejection) = self.cycle.rejection(node) {
            return rejection.messages.into_iter().for_each(say);
        }
        let mut used = node.requested;
        used.add(&self.nominations.reserved(id, Some(self.pod), self.cycle.spec.priority));
        filter::each_short_beside(self.cycle, node, &used, |short| say(short.message));
    }

    /// Why nodes do not pass, and how many for that reason.
    fn refusals(&self, row: &mut Row, refusals: &mut Refusals) -> Vec<(u32, u32)> {
        let classes = &self.cycle.cluster.classes;
        let mut counts: Vec<(u32, u32)> = Vec::new();
        for class in classes.in_use().iter().copied() {
            let nodes = classes.nodes_of(class);
            let refusal = row.refusal(class, || {
                let mut messages = Vec::new();
                let node = &self.cycle.cluster.nodes[nodes[0]];
                self.messages(nodes[0], node, |message| messages.push(message));
                refusals.intern(&messages)
            });
            match counts.iter_mut().find(|(known, _)| *known == refusal) {
                Some((_, count)) => *count += nodes.len() as u32,
                None => counts.push((refusal, nodes.len() as u32)),
            }
        }
        counts
    }

    /// Upstream's message, with the pod's request as the next thing a person asks for. `verdicts` of
    /// all classes of nodes, where nothing else keeps the pod from them.
    pub(super) fn reason(&self, verdicts: Option<&mut Row>, refusals: &mut Refusals) -> String {
        let cluster = self.cycle.cluster;
        // Few messages, all of them static or the cluster's: found by looking.
        let mut counts: Vec<(&str, u32)> = Vec::new();
        match verdicts {
            Some(verdicts) => {
                for (refusal, nodes) in self.refusals(verdicts, refusals) {
                    refusals.get(refusal).for_each(|said| count(&mut counts, said, nodes));
                }
            }
            None => cluster.tree.rotation(0).for_each(|id| {
                self.messages(id, &cluster.nodes[id], |said| count(&mut counts, said, 1));
            }),
        }
        let mut parts: Vec<String> =
            counts.into_iter().map(|(message, count)| format!("{count} {message}")).collect();
        // Upstream sorts the finished parts, numbers and all.
        parts.sort();
        let detail = if parts.is_empty() { "no nodes".to_owned() } else { parts.join(", ") };
        let request = &self.cycle.spec.requests;
        let (cpu, memory) = (request.cpu, request.memory.as_gib_f64());
        let nodes = cluster.tree.len();
        format!("0/{nodes} nodes are available: {detail} (asks cpu {cpu}, memory {memory:.1}Gi)")
    }
}

/// Counts a message, said of so many nodes.
fn count<'a>(counts: &mut Vec<(&'a str, u32)>, message: &'a str, nodes: u32) {
    let same = |known: &str| std::ptr::eq(known, message) || known == message;
    match counts.iter_mut().find(|(known, _)| same(known)) {
        Some((_, count)) => *count += nodes,
        None => counts.push((message, nodes)),
    }
}
