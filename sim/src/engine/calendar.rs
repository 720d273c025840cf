//! The future event list: a binary heap ordered by time, class, rank and sequence.
//!
//! Recorded traces have one-second stamps, so ties are common and their order changes results: the
//! class decides first (see [`EventClass`]), then the rank (see [`Event::rank`]), then the order of
//! scheduling.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::event::{Event, EventClass};
use crate::units::SimTime;

/// Events that are to come.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    heap: BinaryHeap<Scheduled>,
    sequence: u64,
}

#[derive(Debug)]
struct Scheduled {
    at: SimTime,
    /// Class, rank and sequence: one number, because heaps compare little else.
    order: u128,
    event: Event,
}

/// Bits of the order that class and rank are left of.
const CLASS: u32 = 96;
const RANK: u32 = 64;

impl Calendar {
    /// Schedules `event` at `at`.
    pub(crate) fn schedule(&mut self, at: SimTime, event: Event) {
        let sequence = self.sequence;
        self.sequence += 1;
        let order = (event.class() as u128) << CLASS
            | u128::from(event.rank()) << RANK
            | u128::from(sequence);
        self.heap.push(Scheduled { at, order, event });
    }

    /// The time and class of the next event.
    pub(crate) fn peek(&self) -> Option<(SimTime, EventClass)> {
        self.heap.peek().map(|next| (next.at, next.event.class()))
    }

    /// Takes the next event.
    pub(crate) fn pop(&mut self) -> Option<(SimTime, Event)> {
        self.heap.pop().map(|next| (next.at, next.event))
    }
}

impl Ord for Scheduled {
    /// Reversed: the heap gives the greatest first, the calendar the earliest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Scheduled {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{AutoscalerEvent, SchedulerEvent};

    #[test]
    fn ties_are_settled_by_class_then_by_sequence() {
        let mut calendar = Calendar::default();
        let at = SimTime::from_millis(5);
        calendar.schedule(at, Event::Sample);
        calendar.schedule(at, Event::Autoscaler(AutoscalerEvent::Scan));
        calendar.schedule(at, Event::Scheduler(SchedulerEvent::Cycle));
        calendar.schedule(SimTime::ZERO, Event::Sample);
        let order: Vec<_> = std::iter::from_fn(|| calendar.pop()).collect();
        assert_eq!(order[0].0, SimTime::ZERO);
        assert!(matches!(order[1].1, Event::Scheduler(_)));
        assert!(matches!(order[2].1, Event::Autoscaler(_)));
        assert!(matches!(order[3].1, Event::Sample));
    }
}
