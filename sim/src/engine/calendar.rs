//! The future event list: a heap ordered by time, class, rank and sequence.
//!
//! Recorded traces have one-second stamps, so ties are common and their order changes results: the
//! class decides first (see [`EventClass`]), then the rank (see [`Event::rank`]), then the order of
//! scheduling.
//!
//! The heap holds keys and not events, so that more of it is near. An event that comes before all
//! others, as the scheduler's next cycle often does, stays out of it.

use super::event::{Event, EventClass};
use crate::heap::{Heap, Ranked};
use crate::units::SimTime;

/// Events that are to come.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    /// Before everything in the heap.
    first: Option<Scheduled>,
    heap: Heap<Scheduled>,
    events: Vec<Event>,
    /// Slots of `events` without one.
    free: Vec<u32>,
    sequence: u64,
}

#[derive(Debug, Clone, Copy)]
struct Scheduled {
    at: SimTime,
    order: u64,
    /// Where the event is.
    slot: u32,
}

impl Ranked for Scheduled {
    fn rank(&self) -> u128 {
        (self.at.as_millis() as u128) << u64::BITS | self.order as u128
    }
}

/// Bits of the order that class and rank are left of.
const CLASS: u32 = 61;
const RANK: u32 = 28;
/// The event has a rank.
const RANKED: u64 = 1 << 60;

/// Class, rank and sequence as one number. Events of one rank at one instant are one application's
/// predictions, all but one of them stale, so that little of the sequence is enough there.
const fn order(event: &Event, sequence: u64) -> u64 {
    let class = (event.class() as u64) << CLASS;
    match event.rank() {
        0 => class | sequence,
        rank => class | RANKED | (rank as u64) << RANK | sequence & ((1 << RANK) - 1),
    }
}

impl Calendar {
    /// Schedules `event` at `at`.
    pub(crate) fn schedule(&mut self, at: SimTime, event: Event) {
        let order = order(&event, self.sequence);
        self.sequence += 1;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.events[slot as usize] = event;
                slot
            }
            None => {
                self.events.push(event);
                u32::try_from(self.events.len() - 1).expect("fewer than 2^32 events are pending")
            }
        };
        let new = Scheduled { at, order, slot };
        if self.next().is_some_and(|next| next.rank() <= new.rank()) {
            self.heap.push(new);
        } else if let Some(second) = self.first.replace(new) {
            self.heap.push(second);
        }
    }

    fn next(&self) -> Option<&Scheduled> {
        self.first.as_ref().or_else(|| self.heap.peek())
    }

    /// When the next event is.
    pub(crate) fn next_at(&self) -> Option<SimTime> {
        self.next().map(|next| next.at)
    }

    /// Whether an event comes before what is of `class` at `at`.
    pub(crate) fn comes_before(&self, at: SimTime, class: EventClass) -> bool {
        let next = self.next();
        next.is_some_and(|next| (next.at, next.order >> CLASS) < (at, class as u64))
    }

    /// Takes the next event.
    pub(crate) fn pop(&mut self) -> Option<(SimTime, Event)> {
        let next = self.first.take().or_else(|| self.heap.pop())?;
        self.free.push(next.slot);
        Some((next.at, self.events[next.slot as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::engine::event::{AutoscalerEvent, SchedulerEvent, SpotEvent};
    use crate::rng::RngExt;

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

    /// Whatever is scheduled and taken in between, events come as a sort by time and then by order of
    /// scheduling gives them.
    #[test]
    fn events_come_in_order() {
        let mut draw = Seed::new(3).stream("trial", &[]);
        let mut calendar = Calendar::default();
        let mut pending: Vec<(SimTime, u32)> = Vec::new();
        let mut taken = 0;
        for number in 0..20_000_u32 {
            let at = SimTime::from_millis(draw.random_range(0..300));
            calendar.schedule(at, Event::Spot(SpotEvent::WeatherTurned(number)));
            pending.push((at, number));
            for _ in 0..draw.random_range(0..3) {
                let first = pending.iter().copied().min();
                let popped = calendar.pop().map(|(at, event)| match event {
                    Event::Spot(SpotEvent::WeatherTurned(number)) => (at, number),
                    other => panic!("{other:?} was never scheduled"),
                });
                assert_eq!(popped, first);
                pending.retain(|event| Some(*event) != first);
                taken += usize::from(first.is_some());
            }
        }
        assert!(taken > 19_000, "{taken}");
    }
}
