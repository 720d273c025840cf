//! Backoff of a node group whose scale-up failed.
//!
//! Models: the first failure backs the group off for the initial duration; a failure after a
//! backoff has ended doubles it, up to the longest; a failure during a backoff starts the same
//! duration anew; everything is forgotten when the last failure is older than the reset timeout.
//! Source: kubernetes/autoscaler `utils/backoff/exponential_backoff.go`.

use crate::units::{SimDuration, SimTime};

/// `initial-node-group-backoff-duration`, `max-node-group-backoff-duration` and
/// `node-group-backoff-reset-timeout`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BackoffTimes {
    pub(crate) initial: SimDuration,
    pub(crate) max: SimDuration,
    pub(crate) reset: SimDuration,
}

/// What is remembered of one group; the default is a group that never failed.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Backoff(Option<Failed>);

#[derive(Debug, Clone, Copy)]
struct Failed {
    duration: SimDuration,
    until: SimTime,
    last_failure: SimTime,
}

impl Backoff {
    /// The group failed now. Gives the end of its backoff.
    pub(crate) fn fail(&mut self, now: SimTime, times: &BackoffTimes) -> SimTime {
        self.forget_stale(now, times);
        let duration = match self.0 {
            None => times.initial,
            Some(failed) if failed.until < now => {
                failed.duration.saturating_add(failed.duration).min(times.max)
            }
            Some(failed) => failed.duration,
        };
        let until = now.saturating_add(duration);
        self.0 = Some(Failed { duration, until, last_failure: now });
        until
    }

    /// Whether the group is backed off now; at the very end of its backoff it still is.
    pub(crate) fn is_backed_off(&self, now: SimTime) -> bool {
        self.0.is_some_and(|failed| failed.until >= now)
    }

    /// Whether it failed, and that is not forgotten.
    pub(crate) const fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// The group works: everything is forgotten.
    pub(crate) fn remove(&mut self) {
        self.0 = None;
    }

    fn forget_stale(&mut self, now: SimTime, times: &BackoffTimes) {
        let stale = |failed: Failed| failed.last_failure.saturating_add(times.reset) < now;
        if self.0.is_some_and(stale) {
            self.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_only_after_the_end_and_forgets() {
        let times = BackoffTimes {
            initial: SimDuration::minutes(5),
            max: SimDuration::minutes(15),
            reset: SimDuration::hours(3),
        };
        let at = |minute: u64| SimTime::from_millis(minute * 60_000);
        let mut group = Backoff::default();
        assert!(!group.is_backed_off(at(0)));
        assert_eq!(group.fail(at(0), &times), at(5));
        assert_eq!(group.fail(at(2), &times), at(7), "still backed off: not doubled");
        assert!(group.is_backed_off(at(7)));
        assert!(!group.is_backed_off(at(8)));
        assert_eq!(group.fail(at(8), &times), at(18));
        assert_eq!(group.fail(at(20), &times), at(35), "at most the longest");
        assert_eq!(group.fail(at(20 + 181), &times), at(206), "forgotten after three hours");
        group.remove();
        assert!(!group.is_backed_off(at(202)));
    }
}
