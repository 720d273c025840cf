//! Samples of the cluster's state: once a minute of simulated time in its first year, and ever
//! rarer after that, so that a trace with a wrong time in it (1970, say) does not fill the disk.

use super::event::Event;
use super::world::{Cx, World};
use crate::cluster::{NodeState, Resources};
use crate::outcome::TimelineRecord;
use crate::scenario::CapacityType;
use crate::units::{Bytes, MilliCores, SimDuration, SimTime};

/// Time between two samples in the first [`YEAR_MINUTES`].
const SAMPLE_INTERVAL_MINUTES: u64 = 1;
/// A leap year.
const YEAR_MINUTES: u64 = 366 * 24 * 60;

/// Time from a sample at `now` to the next one: a minute in the first year, two minutes in the next
/// two years, four in the next four, and so on.
fn interval(now: SimTime) -> SimDuration {
    let years = now.as_millis() / (YEAR_MINUTES * 60_000);
    SimDuration::minutes(SAMPLE_INTERVAL_MINUTES << (years + 1).ilog2())
}

/// Records the state and schedules the next sample. The engine ends when all work is done, so a
/// last pending sample does not keep it alive.
pub(crate) fn on_sample(world: &mut World, cx: &mut Cx<'_>) {
    let record = sample(world, cx);
    cx.sink.timeline(record);
    cx.after(interval(cx.now), Event::Sample);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_rarer_in_later_years() {
        let at = |years: u64, ms: u64| SimTime::from_millis(years * YEAR_MINUTES * 60_000 + ms);
        assert_eq!(interval(SimTime::ZERO), SimDuration::minutes(1));
        assert_eq!(interval(at(0, 365 * 86_400_000)), SimDuration::minutes(1));
        assert_eq!(interval(at(1, 0)), SimDuration::minutes(2));
        assert_eq!(interval(at(3, 0)), SimDuration::minutes(4));
        assert_eq!(interval(at(99, 0)), SimDuration::minutes(64));
        assert!(interval(SimTime::from_millis(u64::MAX)) > SimDuration::minutes(64));
    }
}
