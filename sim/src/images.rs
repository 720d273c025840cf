//! Container images: when the Spark image is on a node.
//!
//! Models: one image for all Spark pods; the first pod that needs it on a node (or the pre-puller
//! DaemonSet, as soon as the node joins) starts the pull, and every pod of the node waits for its
//! end. Leaves out: several images and their shared layers, registry limits, image garbage
//! collection.

use crate::cluster::Node;
use crate::scenario::Scenario;
use crate::units::{SimDuration, SimTime};

/// The node has joined: a pre-puller starts at once.
pub(crate) fn on_node_joined(node: &mut Node, scenario: &Scenario, now: SimTime) {
    if scenario.images.pre_pulled {
        node.image_ready_at = Some(now.saturating_add(pull_time(scenario)));
    }
}

/// When the image is there for a pod bound `now`; starts the pull if nobody did.
pub(crate) fn ready_for_pod(node: &mut Node, scenario: &Scenario, now: SimTime) -> SimTime {
    let start = now.saturating_add(pull_time(scenario));
    (*node.image_ready_at.get_or_insert(start)).max(now)
}

fn pull_time(scenario: &Scenario) -> SimDuration {
    let rate = scenario.assumptions.image_pull_bytes_per_s.as_u64().max(1);
    SimDuration::from_millis(scenario.images.size.as_u64().saturating_mul(1000) / rate)
}
