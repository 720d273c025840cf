//! Simulated time: whole milliseconds since the start of the workload.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

use super::ParseUnitError;

/// A point in simulated time, in milliseconds since the start of the workload.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(u64);

/// A length of simulated time, in milliseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimDuration(u64);

impl SimTime {
    /// The start of the workload.
    pub const ZERO: Self = Self(0);
    /// Later than any event.
    pub const MAX: Self = Self(u64::MAX);

    /// A point `ms` milliseconds after the start.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the start.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Seconds since the start, for statistics.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Time passed since `earlier`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }

    /// The first multiple of `step` after the start that is not before `self`.
    pub const fn round_up_to(self, step: SimDuration) -> Self {
        if step.0 == 0 { self } else { Self(self.0.div_ceil(step.0) * step.0) }
    }

    /// `self + duration`, staying at [`SimTime::MAX`] instead of overflowing.
    pub const fn saturating_add(self, duration: SimDuration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// For ever.
    pub const MAX: Self = Self(u64::MAX);

    /// `ms` milliseconds.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// `s` seconds.
    pub const fn seconds(s: u64) -> Self {
        Self(s * 1000)
    }

    /// `m` minutes.
    pub const fn minutes(m: u64) -> Self {
        Self(m * 60_000)
    }

    /// `h` hours.
    pub const fn hours(h: u64) -> Self {
        Self(h * 3_600_000)
    }

    /// Seconds rounded to the nearest millisecond; negative or NaN gives zero.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self((seconds * 1000.0).round() as u64)
    }

    /// Milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Seconds, for statistics.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Whole seconds, rounded up, as clouds bill them.
    pub const fn as_secs_ceil(self) -> u64 {
        self.0.div_ceil(1000)
    }

    /// Whether this is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The longest duration stays the longest.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// `self - other`, or zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Scaled by `factor`, rounded to the nearest millisecond.
    pub fn scale_round(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor).round() as u64)
    }

    /// Reads Go's duration grammar, which Kubernetes and Cluster Autoscaler use: `90s`, `5m`,
    /// `1h30m`, `1.5h`, `500ms`, and `0`. Units: `h`, `m`, `s`, `ms`, `us`, `ns`.
    ///
    /// # Errors
    /// Anything else, a negative duration among it.
    pub fn parse_go(text: &str) -> Result<Self, ParseUnitError> {
        let bad = || ParseUnitError::new(text, "duration such as 90s, 5m or 1h30m");
        if text == "0" {
            return Ok(Self::ZERO);
        }
        let mut rest = text;
        let mut total_ms = 0.0_f64;
        if rest.is_empty() {
            return Err(bad());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
            let number: f64 = rest[..digits].parse().map_err(|_| bad())?;
            rest = &rest[digits..];
            let (unit_ms, length) = if rest.starts_with("ms") {
                (1.0, 2)
            } else if rest.starts_with("us") {
                (1e-3, 2)
            } else if rest.starts_with("ns") {
                (1e-6, 2)
            } else if rest.starts_with('h') {
                (3_600_000.0, 1)
            } else if rest.starts_with('m') {
                (60_000.0, 1)
            } else if rest.starts_with('s') {
                (1_000.0, 1)
            } else {
                return Err(bad());
            };
            total_ms += number * unit_ms;
            rest = &rest[length..];
        }
        if total_ms > 1e15 {
            return Err(bad());
        }
        Ok(Self(total_ms.round() as u64))
    }
}

/// Saturates: a time too far away to count is [`SimTime::MAX`], later than any event.
impl Add<SimDuration> for SimTime {
    type Output = Self;
    fn add(self, duration: SimDuration) -> Self {
        self.saturating_add(duration)
    }
}

impl Sub for SimTime {
    type Output = SimDuration;
    fn sub(self, earlier: Self) -> SimDuration {
        SimDuration(self.0 - earlier.0)
    }
}

/// Saturates, as times do.
impl Add for SimDuration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl AddAssign for SimDuration {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// Saturates, as times do.
impl Mul<u64> for SimDuration {
    type Output = Self;
    fn mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", SimDuration(self.0))
    }
}

/// Go's notation (`1h30m0s`), which every reader of [`SimDuration::parse_go`] takes back.
impl fmt::Display for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, ms) = (self.0 / 3_600_000, self.0 / 60_000 % 60, self.0 % 60_000);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        if ms % 1000 == 0 {
            write!(f, "{}s", ms / 1000)
        } else if self.0 < 1000 {
            write!(f, "{ms}ms")
        } else {
            write!(f, "{}.{:03}s", ms / 1000, ms % 1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected_ms: u64) {
        assert_eq!(SimDuration::parse_go(text), Ok(SimDuration(expected_ms)), "{text}");
    }

    #[test]
    fn reads_go_durations() {
        check("90s", 90_000);
        check("5m", 300_000);
        check("1h30m", 5_400_000);
        check("10m0s", 600_000);
        check("1.5h", 5_400_000);
        check("250ms", 250);
        check("0", 0);
        check("0s", 0);
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in ["", "5", "m", "5 m", "-5m", "5d", "1h30", "1..5h", "9999999999999999h"] {
            assert!(SimDuration::parse_go(text).is_err(), "{text}");
        }
    }

    #[test]
    fn prints_what_it_reads() {
        for ms in [0, 1, 999, 1_000, 1_500, 60_000, 5_400_000, 86_400_001] {
            let text = SimDuration(ms).to_string();
            assert_eq!(SimDuration::parse_go(&text), Ok(SimDuration(ms)), "{text}");
        }
    }
}
