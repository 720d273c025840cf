//! Samples of the cluster's state, once a minute of simulated time.

use super::event::Event;
use super::world::{Cx, World};
use crate::cluster::{NodeState, Resources};
use crate::outcome::TimelineRecord;
use crate::scenario::CapacityType;
use crate::units::{Bytes, MilliCores, SimDuration};

/// Time between two samples.
pub(crate) const SAMPLE_INTERVAL: SimDuration = SimDuration::minutes(1);

/// Records the state and schedules the next sample. The engine ends when all work is done, so a
/// last pending sample does not keep it alive.
pub(crate) fn on_sample(world: &mut World, cx: &mut Cx<'_>) {
    let record = sample(world, cx);
    cx.sink.timeline(record);
    cx.after(SAMPLE_INTERVAL, Event::Sample);
}

/// The state now.
pub(crate) fn sample(world: &World, cx: &Cx<'_>) -> TimelineRecord {
    let cluster = &world.cluster;
    let mut record = TimelineRecord {
        at: cx.now,
        nodes_on_demand: 0,
        nodes_spot: 0,
        nodes_booting: 0,
        pods_pending: cluster.pods.len() as u32 - cluster.pods_bound,
        pods_bound: cluster.pods_bound,
        runs_active: world.runs_active,
        cpu_requested: MilliCores::ZERO,
        cpu_allocatable: MilliCores::ZERO,
        memory_requested: Bytes::ZERO,
        memory_allocatable: Bytes::ZERO,
    };
    let (mut requested, mut allocatable) = (Resources::default(), Resources::default());
    for (_, node) in cluster.nodes.iter() {
        let kind = cluster.kinds.get(node.kind);
        match kind.capacity_type {
            CapacityType::OnDemand => record.nodes_on_demand += 1,
            CapacityType::Spot => record.nodes_spot += 1,
        }
        if node.state == NodeState::Booting {
            record.nodes_booting += 1;
        } else {
            requested.add(&node.requested);
            allocatable.add(&kind.allocatable);
        }
    }
    record.cpu_requested = requested.cpu;
    record.memory_requested = requested.memory;
    record.cpu_allocatable = allocatable.cpu;
    record.memory_allocatable = allocatable.memory;
    record
}
