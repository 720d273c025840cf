//! Moments as people read them: the calendar's time where the trace has one, else the time since
//! the start.

use crate::grid::GridCell;

/// Shows moments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Start of the workload, milliseconds since 1970-01-01 UTC; 0 where the trace has no calendar.
    pub(super) start_epoch_ms: i64,
}

impl Clock {
    /// `2026-11-20 07:00:12Z`, or `+1d 07:00:12`.
    pub(super) fn show(self, at_s: f64) -> String {
        let ms = (at_s * 1000.0).round() as i64;
        if self.start_epoch_ms != 0 {
            let moment = self.start_epoch_ms.saturating_add(ms);
            if let Ok(time) = jiff::Timestamp::from_millisecond(moment) {
                let text = format!("{time:.0}");
                return text.replacen('T', " ", 1);
            }
        }
        let whole = ms.max(0) / 1000;
        let (hours, minutes) = (whole / 3600 % 24, whole / 60 % 60);
        let days = match whole / 86_400 {
            0 => String::new(),
            days => format!("{days}d "),
        };
        format!("+{days}{hours:02}:{minutes:02}:{:02}", whole % 60)
    }

    /// A cell: seconds since the start for scripts.
    pub(super) fn cell(self, at_s: f64) -> GridCell {
        GridCell::figure(at_s, self.show(at_s))
    }

    /// As [`Clock::cell`], or nothing.
    pub(super) fn maybe(self, at_s: Option<f64>) -> GridCell {
        at_s.map_or(GridCell::Missing, |at_s| self.cell(at_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start_epoch_ms: i64, at_s: f64, expected: &str) {
        assert_eq!(Clock { start_epoch_ms }.show(at_s), expected);
    }

    #[test]
    fn moments_are_the_calendars_where_there_is_one() {
        check(0, 3_723.4, "+01:02:03");
        check(0, 90_000.0, "+1d 01:00:00");
        check(1_600_000_000_000, 1.5, "2020-09-13 12:26:41Z");
        check(i64::MAX, 60.0, "+00:01:00");
    }
}
