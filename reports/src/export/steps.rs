//! The moments at which a result is sampled: every step from `from` on, as a scrape would.
//!
//! Moments are milliseconds since the start of the workload. The last moment is the first one at
//! which the simulation had ended, so that every end is seen.

use sim::units::SimDuration;

/// From when to when, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first moment, since the start of the workload.
    pub from: SimDuration,
    /// The last moment; `None` for the end of the simulation.
    pub to: Option<SimDuration>,
    /// Between two moments; at least a second.
    pub step: SimDuration,
}

/// The moments of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    first: i64,
    step: i64,
    last: i64,
    end: i64,
}

/// A result's second as milliseconds; what is no number is the start.
pub(super) fn ms(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

fn whole(duration: SimDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}

impl Steps {
    /// The moments of `window` in a simulation that ended at `end`.
    ///
    /// # Errors
    /// A window without a moment; with what to do.
    pub(super) fn new(window: &Window, end: i64) -> Result<Self, String> {
        let end = end.clamp(0, i64::MAX / 4);
        let (first, step) = (whole(window.from), whole(window.step));
        if step < 1000 {
            return Err("--step must be at least 1s".to_owned());
        }
        if first > end {
            return Err(format!(
                "--from {}s is after the end of the simulation, {}s",
                first / 1000,
                end / 1000
            ));
        }
        let last = end.saturating_add(step - 1);
        let last = window.to.map_or(last, |to| whole(to).min(last));
        if last < first {
            return Err("--to must not be before --from".to_owned());
        }
        Ok(Self { first, step, last, end })
    }

    /// The moments from `start` on and before `end`.
    pub(super) fn within(self, start: i64, end: i64) -> impl Iterator<Item = i64> {
        let mut next = self.first.saturating_add(self.ceil(start).max(0).saturating_mul(self.step));
        std::iter::from_fn(move || {
            let at = next;
            next = next.saturating_add(self.step);
            (at < end && at <= self.last).then_some(at)
        })
    }

    /// The moments at which there was a cluster: before the simulation ended.
    pub(super) fn before_end(self) -> impl Iterator<Item = i64> {
        self.within(self.first, self.end)
    }

    /// All moments.
    pub(super) fn all(self) -> impl Iterator<Item = i64> {
        self.within(self.first, i64::MAX)
    }

    /// The moment at which the end of something at `end` is first seen; `None` if that is not in
    /// the window.
    pub(super) fn first_after(self, end: i64) -> Option<i64> {
        let place = self.ceil(end);
        let at = self.first.saturating_add(place.saturating_mul(self.step));
        (place >= 0 && at <= self.last).then_some(at)
    }

    /// How many steps after the first moment `at` is, rounded up.
    const fn ceil(self, at: i64) -> i64 {
        let after = at.saturating_sub(self.first);
        after.div_euclid(self.step) + (after.rem_euclid(self.step) != 0) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(from: u64, to: Option<u64>, step: u64, end: i64) -> Result<Steps, String> {
        let seconds = |s: u64| SimDuration::from_millis(s * 1000);
        let window = Window { from: seconds(from), to: to.map(seconds), step: seconds(step) };
        Steps::new(&window, end)
    }

    #[track_caller]
    fn check(moments: impl Iterator<Item = i64>, expected: &[i64]) {
        assert_eq!(moments.collect::<Vec<i64>>(), expected);
    }

    #[test]
    fn moments_are_on_the_grid() {
        let grid = steps(0, None, 60, 150_000).unwrap();
        check(grid.all(), &[0, 60_000, 120_000, 180_000]);
        check(grid.before_end(), &[0, 60_000, 120_000]);
        check(grid.within(1, 120_000), &[60_000]);
        check(grid.within(60_000, 120_001), &[60_000, 120_000]);
        check(grid.within(61_000, 62_000), &[]);
        let grid = steps(30, Some(100), 60, 150_000).unwrap();
        check(grid.all(), &[30_000, 90_000]);
        check(grid.within(0, 40_000), &[30_000]);
        check(steps(0, None, 60, 120_000).unwrap().all(), &[0, 60_000, 120_000]);
        check(steps(0, None, 60, i64::MIN).unwrap().all(), &[0]);
    }

    #[test]
    fn an_end_is_seen_once_and_only_in_the_window() {
        let grid = steps(120, Some(240), 60, 900_000).unwrap();
        assert_eq!(grid.first_after(60_000), None);
        assert_eq!(grid.first_after(60_001), Some(120_000));
        assert_eq!(grid.first_after(120_000), Some(120_000));
        assert_eq!(grid.first_after(120_001), Some(180_000));
        assert_eq!(grid.first_after(240_001), None);
        assert_eq!(grid.first_after(i64::MAX), None);
        assert_eq!(grid.first_after(i64::MIN), None);
    }

    #[test]
    fn windows_without_moments_are_refused() {
        assert!(steps(0, None, 0, 9).unwrap_err().contains("--step"));
        assert!(steps(10, None, 60, 9_000).unwrap_err().contains("--from 10s"));
        assert!(steps(5, Some(4), 60, 9_000).unwrap_err().contains("--to"));
    }
}
