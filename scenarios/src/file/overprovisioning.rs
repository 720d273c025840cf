//! `spec.overprovisioning`: pause pods that keep warm room.

use sim::scenario::{Overprovisioning, PodTemplate};

use super::context::Context;
use super::settings::Settings;
use super::spark;
use crate::walk::At;

/// Priority of pause pods that have none. Source: facts-kubernetes 2: the autoscaler's
/// `expendable-pods-priority-cutoff` of -10, below which pods do not make it grow the cluster.
const PRIORITY: i32 = -10;

/// Pause pods, and where their requests and priority stand.
pub(super) struct Pause<'a> {
    pub value: Overprovisioning,
    pub pod: At<'a>,
}

pub(super) fn read<'a>(context: &Context<'_>, given: &Settings<'a>) -> Option<Pause<'a>> {
    let (replicas, pod) = (given.count("replicas"), given.section("pod"));
    let cpu = pod.as_ref().and_then(|pod| pod.cpu("cpu"));
    let memory = pod.as_ref().and_then(|pod| pod.bytes("memory"));
    let priority = given.int("priority").and_then(|priority| i32::try_from(priority).ok());
    let template = spark::template(context, given.at("podTemplate"), None);
    let template: PodTemplate = template.unwrap_or_default();
    Some(Pause {
        value: Overprovisioning {
            replicas: replicas?,
            cpu: cpu?,
            memory: memory?,
            priority: priority.unwrap_or(PRIORITY),
            template,
        },
        pod: pod?.fields.at,
    })
}
