//! The hold model: the engine's loop with nothing to do but to keep its calendar.
//!
//! So many events are pending; each that comes schedules the next one at a random distance. The
//! usual measure of event queues (Jones 1986), here of the loop over arrivals and calendar. Leaves
//! out what handlers do.

use super::calendar::Calendar;
use super::event::Event;
use super::{Arrivals, Next, RunCursor};
use crate::rng::RngExt;
use crate::units::{SimDuration, SimTime};
use crate::{Seed, Workload};

/// Mean distance of two events of a series, in milliseconds.
const MEAN_MS: u64 = 60_000;

/// Takes `holds` events, of which `pending` are always to come. Gives the time of the last one.
pub fn hold(pending: u32, holds: u64) -> SimTime {
    let workload = Workload::default();
    let mut calendar = Calendar::default();
    let mut arrivals = Arrivals::default();
    let mut runs = RunCursor::new(&workload.runs);
    let mut stream = Seed::new(7).stream("hold", &[]);
    let mut distance = || SimDuration::from_millis(stream.random_range(1..2 * MEAN_MS));
    for _ in 0..pending {
        calendar.schedule(SimTime::ZERO + distance(), Event::Sample);
    }
    let mut now = SimTime::ZERO;
    for _ in 0..holds {
        let Some(Next::Event(at)) = arrivals.next(&workload, &mut runs, &calendar) else { break };
        now = at;
        if let Some((_, event)) = calendar.pop() {
            calendar.schedule(now + distance(), event);
        }
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_at_the_pace_of_the_series() {
        let end = hold(1_000, 100_000).as_millis();
        // 100 events of each of the series.
        assert!((90 * MEAN_MS..110 * MEAN_MS).contains(&end), "{end}");
        assert_eq!(hold(0, 10), SimTime::ZERO);
    }
}
