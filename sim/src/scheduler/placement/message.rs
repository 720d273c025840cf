//! What the scheduler says of a pod that no node takes: upstream's message, with what the pod asks
//! for.
//!
//! Why the nodes of a class do not pass is asked once for a spec (see `verdicts`).
//! Source: upstream `types.go` (`FitError`).

use std::rc::Rc;

use super::Turn;
use crate::cluster::{Node, NodeId, NodeState};
use crate::outcome::normalised_reason;
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

    /// Counts why nodes do not pass, where that follows from their classes.
    fn count_refusals(&self, row: &mut Row, refusals: &mut Refusals) {
        let classes = &self.cycle.cluster.classes;
        let mut messages = Vec::new();
        refusals.start_counting();
        for class in classes.in_use().iter().copied() {
            let nodes = classes.nodes_of(class);
            let refusal = row.refusal(class).unwrap_or_else(|| {
                let node = &self.cycle.cluster.nodes[nodes[0]];
                messages.clear();
                self.messages(nodes[0], node, |message| messages.push(message));
                let refusal = refusals.intern(&messages);
                row.set_refusal(class, refusal);
                refusal
            });
            refusals.count(refusal, nodes.len() as u32);
        }
    }

    /// Upstream's message, with the pod's request as the next thing a person asks for, into `text`;
    /// gives its kind. Why nodes do not pass is `known` by class, where nothing else keeps the pod
    /// from them.
    pub(super) fn reason(
        &self,
        known: bool,
        row: &mut Row,
        refusals: &mut Refusals,
        text: &mut String,
    ) -> Rc<str> {
        let cluster = self.cycle.cluster;
        // Few messages, all of them static or the cluster's: found by looking.
        let mut counts: Vec<(&str, u32)> = Vec::new();
        if known {
            self.count_refusals(row, refusals);
            for (refusal, nodes) in refusals.counted() {
                refusals.get(refusal).for_each(|said| count(&mut counts, said, nodes));
            }
        } else {
            cluster.tree.rotation(0).for_each(|id| {
                self.messages(id, &cluster.nodes[id], |said| count(&mut counts, said, 1));
            });
        }
        text.clear();
        text.push_str("0/");
        text.push_str(&cluster.tree.len().to_string());
        text.push_str(" nodes are available: ");
        push_parts(text, &counts);
        text.push_str(row.asks(|| self.asks()));
        match known {
            true => refusals.kind(text),
            false => normalised_reason(text).into(),
        }
    }

    /// What the pod asks for.
    fn asks(&self) -> String {
        let request = &self.cycle.spec.requests;
        let (cpu, memory) = (request.cpu, request.memory.as_gib_f64());
        format!(" (asks cpu {cpu}, memory {memory:.1}Gi)")
    }
}

fn push_parts(text: &mut String, counts: &[(&str, u32)]) {
    if counts.is_empty() {
        return text.push_str("no nodes");
    }
    let part = |(message, count): &(&str, u32)| [&count.to_string(), " ", *message].concat();
    let mut parts: Vec<String> = counts.iter().map(part).collect();
    // Upstream sorts the finished parts, numbers and all.
    parts.sort_unstable();
    for (place, part) in parts.iter().enumerate() {
        text.push_str(if place == 0 { "" } else { ", " });
        text.push_str(part);
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
