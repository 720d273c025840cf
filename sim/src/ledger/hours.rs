//! Hours of the bill: whole hours of UTC, numbered from the one in which the workload starts.
//!
//! Leaves out: zones that are half an hour off; their days begin with the hour that holds midnight.

use crate::units::SimTime;

/// Milliseconds of an hour.
pub(crate) const HOUR_MS: u64 = 3_600_000;

/// Where the hours begin.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Hours {
    /// Milliseconds of the first hour before the workload starts.
    offset: u64,
}

/// A part of a time that lies in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Number of the hour.
    pub(crate) hour: u32,
    /// Begin.
    pub(crate) from: SimTime,
    /// End.
    pub(crate) to: SimTime,
}

impl Hours {
    /// The hours of a workload that starts at `epoch_ms`.
    pub(crate) fn new(epoch_ms: i64) -> Self {
        Self { offset: epoch_ms.rem_euclid(HOUR_MS as i64).unsigned_abs() }
    }

    /// The hour that holds `at`.
    pub(crate) fn of(self, at: SimTime) -> u32 {
        let hour = at.as_millis().saturating_add(self.offset) / HOUR_MS;
        u32::try_from(hour).unwrap_or(u32::MAX)
    }

    /// When `hour` begins, in milliseconds from the start; the first one may begin before it.
    pub(crate) fn begin_ms(self, hour: u32) -> i64 {
        i64::from(hour) * HOUR_MS as i64 - self.offset as i64
    }

    /// When `hour` ends.
    pub(crate) fn end(self, hour: u32) -> SimTime {
        let end = (u64::from(hour) + 1) * HOUR_MS;
        SimTime::from_millis(end.saturating_sub(self.offset))
    }

    /// The time from `from` to `to`, hour by hour; nothing where it is empty.
    pub(crate) fn cut(self, from: SimTime, to: SimTime) -> impl Iterator<Item = Cut> {
        let mut next = from;
        std::iter::from_fn(move || {
            if next >= to {
                return None;
            }
            let hour = self.of(next);
            let cut = Cut { hour, from: next, to: self.end(hour).min(to).max(next) };
            // The last hour of all has no end.
            next = if hour == u32::MAX { to } else { cut.to };
            Some(cut)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_those_of_the_calendar() {
        // Twenty past.
        let hours = Hours::new(1_767_225_600_000 + 20 * 60_000);
        assert_eq!(hours.begin_ms(0), -20 * 60_000);
        let at = |minutes: u64| SimTime::from_millis(minutes * 60_000);
        assert_eq!([hours.of(at(0)), hours.of(at(39)), hours.of(at(40))], [0, 0, 1]);
        let cuts: Vec<_> = hours.cut(at(30), at(101)).collect();
        assert_eq!(
            cuts,
            [
                Cut { hour: 0, from: at(30), to: at(40) },
                Cut { hour: 1, from: at(40), to: at(100) },
                Cut { hour: 2, from: at(100), to: at(101) },
            ]
        );
        assert_eq!(hours.cut(at(5), at(5)).count(), 0);
    }

    #[test]
    fn times_before_1970_have_hours_too() {
        assert_eq!(Hours::new(-1).begin_ms(0), 1 - HOUR_MS as i64);
    }
}
