//! Nominated nodes: room that a preemptor's victims are still giving up.
//!
//! A pod that preempts others names the node (`status.nominatedNodeName`) and waits for its victims
//! to end. Until it is bound, pods of the same or a lower priority find only what it leaves them,
//! and it looks at that node first. A preemptor of higher priority takes the nominations of lower
//! ones on its node away. Source: upstream `RunFilterPluginsWithNominatedPods`,
//! `evaluateNominatedNode`, `preemption.Evaluator.prepareCandidate`.

use crate::cluster::{Cluster, NodeId, PodId, Resources};

/// Pods with a nominated node: a handful, or none.
#[derive(Debug, Default)]
pub(crate) struct Nominations {
    list: Vec<Nomination>,
}

#[derive(Debug, Clone, Copy)]
struct Nomination {
    pod: PodId,
    node: NodeId,
    priority: i32,
    requests: Resources,
}

impl Nominations {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The node that `pod` waits for, if that is still there.
    pub(super) fn node_of(&self, cluster: &Cluster, pod: PodId) -> Option<NodeId> {
        let nomination = self.list.iter().find(|nomination| nomination.pod == pod)?;
        cluster.nodes.get(nomination.node).map(|_| nomination.node)
    }

    /// What pods of at least `priority`, other than `pod`, are to have on `node`.
    pub(super) fn reserved(&self, node: NodeId, pod: PodId, priority: i32) -> Resources {
        let mut sum = Resources::default();
        for other in &self.list {
            if other.node == node && other.pod != pod && other.priority >= priority {
                sum.add(&other.requests);
            }
        }
        sum
    }

    /// Pods that wait for `node`.
    pub(super) fn on(&self, node: NodeId) -> impl Iterator<Item = PodId> {
        self.list.iter().filter(move |other| other.node == node).map(|other| other.pod)
    }

    /// `pod` waits for `node`; pods of lower priority do no longer.
    pub(super) fn add(&mut self, cluster: &mut Cluster, pod: PodId, node: NodeId) {
        self.remove(cluster, pod);
        let spec = cluster.specs.get(cluster.pods[pod].spec);
        let (priority, requests) = (spec.priority, spec.requests);
        let lower = |other: &Nomination| other.node == node && other.priority < priority;
        for _ in self.list.extract_if(.., |other| lower(other)) {
            cluster.classes.nominate(node, -1);
        }
        self.list.push(Nomination { pod, node, priority, requests });
        cluster.classes.nominate(node, 1);
    }

    /// `pod` waits for no node any more. Tells whether it did.
    pub(super) fn remove(&mut self, cluster: &mut Cluster, pod: PodId) -> bool {
        let Some(place) = self.list.iter().position(|nomination| nomination.pod == pod) else {
            return false;
        };
        let nomination = self.list.swap_remove(place);
        if cluster.nodes.get(nomination.node).is_some() {
            cluster.classes.nominate(nomination.node, -1);
        }
        true
    }
}
