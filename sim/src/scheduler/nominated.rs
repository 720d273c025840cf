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

#[derive(Debug)]
struct Nomination {
    pod: PodId,
    node: NodeId,
    priority: i32,
    requests: Resources,
    /// Those that have to go; they may be gone by now.
    victims: Vec<PodId>,
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
    pub(super) fn reserved(&self, node: NodeId, pod: Option<PodId>, priority: i32) -> Resources {
        let mut sum = Resources::default();
        for other in &self.list {
            if other.node == node && Some(other.pod) != pod && other.priority >= priority {
                sum.add(&other.requests);
            }
        }
        sum
    }

    /// Pods that wait for `node`, first come first.
    pub(super) fn on(&self, node: NodeId) -> Vec<PodId> {
        self.list.iter().filter(|other| other.node == node).map(|other| other.pod).collect()
    }

    /// Whether some victim of `pod` is still there: then it must not preempt others. Source:
    /// upstream `PodEligibleToPreemptOthers`.
    pub(super) fn awaits_victims(&self, cluster: &Cluster, pod: PodId) -> bool {
        let mut own = self.list.iter().filter(|nomination| nomination.pod == pod);
        own.any(|nomination| nomination.victims.iter().any(|v| cluster.pods.get(*v).is_some()))
    }

    /// `pod` waits for `node` until `victims` are gone; pods of lower priority do no longer: these are
    /// given.
    pub(super) fn add(
        &mut self,
        cluster: &mut Cluster,
        pod: PodId,
        node: NodeId,
        victims: Vec<PodId>,
    ) -> Vec<PodId> {
        self.remove(cluster, pod);
        let spec = cluster.specs.get(cluster.pods[pod].spec);
        let (priority, requests) = (spec.priority, spec.requests);
        let lower = |other: &Nomination| other.node == node && other.priority < priority;
        let displaced: Vec<PodId> =
            self.list.extract_if(.., |other| lower(other)).map(|other| other.pod).collect();
        for _ in &displaced {
            cluster.classes.nominate(node, -1);
        }
        self.list.push(Nomination { pod, node, priority, requests, victims });
        cluster.classes.nominate(node, 1);
        displaced
    }

    /// `pod` waits for no node any more. Gives the node that it waited for, if that is there.
    pub(super) fn remove(&mut self, cluster: &mut Cluster, pod: PodId) -> Option<NodeId> {
        let place = self.list.iter().position(|nomination| nomination.pod == pod)?;
        let nomination = self.list.remove(place);
        cluster.nodes.get(nomination.node)?;
        cluster.classes.nominate(nomination.node, -1);
        Some(nomination.node)
    }
}
