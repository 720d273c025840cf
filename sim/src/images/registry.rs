//! The registry as a shared pipe: every node that pulls gets the same rate.
//!
//! A node gets its own rate, or an equal part of the registry's where that is less (processor
//! sharing). Rates are equal, so one clock of "bytes given to each node" serves all of them: a
//! pull is through when the clock has reached its end, whatever the rate did in between.

use std::collections::BTreeMap;

use crate::cluster::NodeId;
use crate::scenario::Scenario;
use crate::units::SimTime;

/// Nodes that pull, and how far they are.
#[derive(Debug)]
pub(crate) struct Registry {
    node_rate: u64,
    whole_rate: Option<u64>,
    /// Thousandths of a byte given to each pulling node so far.
    pub(super) clock: u128,
    at: SimTime,
    /// Pulling nodes by the clock at which their next pull is through, then by number.
    ends: BTreeMap<(u128, u64), NodeId>,
    /// When the event in the calendar is due.
    pub(super) scheduled: Option<SimTime>,
    /// Number of that event; others are stale.
    pub(super) generation: u32,
}

impl Registry {
    /// Nobody pulls.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self {
            node_rate: scenario.assumptions.image_pull_bytes_per_s.as_u64().max(1),
            whole_rate: scenario.images.registry_bytes_per_s.map(|rate| rate.as_u64().max(1)),
            clock: 0,
            at: SimTime::ZERO,
            ends: BTreeMap::new(),
            scheduled: None,
            generation: 0,
        }
    }

    /// Bytes a second that each pulling node gets; at least one.
    fn rate(&self) -> u128 {
        let part = self.whole_rate.map(|whole| whole / (self.ends.len() as u64).max(1));
        u128::from(part.unwrap_or(self.node_rate).clamp(1, self.node_rate))
    }

    /// Brings the clock up to `now`.
    pub(super) fn tick(&mut self, now: SimTime) {
        if !self.ends.is_empty() {
            self.clock += self.rate() * u128::from(now.since(self.at).as_millis());
        }
        self.at = now;
    }

    /// The node's next pull is through at `end`; `before` is what was said last.
    pub(super) fn set_end(
        &mut self,
        node: NodeId,
        number: u64,
        before: Option<u128>,
        end: Option<u128>,
    ) {
        if let Some(before) = before {
            self.ends.remove(&(before, number));
        }
        if let Some(end) = end {
            self.ends.insert((end, number), node);
        }
    }

    /// A node with a pull that is through by now.
    pub(super) fn first_through(&self) -> Option<NodeId> {
        let ((end, _), node) = self.ends.first_key_value()?;
        (*end <= self.clock).then_some(*node)
    }

    /// When the next pull of all is through, if no other starts or ends before.
    pub(super) fn next(&self) -> Option<SimTime> {
        let ((end, _), _) = self.ends.first_key_value()?;
        let wait = end.saturating_sub(self.clock).div_ceil(self.rate());
        let wait = crate::units::SimDuration::from_millis(u64::try_from(wait).unwrap_or(u64::MAX));
        Some(self.at.saturating_add(wait))
    }
}
