//! When a pod that could not be placed is tried again: backoff, and what moves it.
//!
//! Models: after its n-th failed attempt a pod is not tried for `podInitialBackoffSeconds`, doubled
//! n - 1 times, at most `podMaxBackoffSeconds`. Backoff ends with whole seconds, because the queue
//! is flushed once a second. From 1.33 on a scheduler without other work takes pods that are still
//! backing off.
//!
//! What moves a pod out of the unschedulable pool: every pod that ends and every node that joins
//! (upstream moves all pods that `NodeResourcesFit` rejected, in all releases), and a stay in the
//! pool of 60 s (5 min from 1.24 on), looked for every 30 s. Most of these attempts cannot succeed,
//! and the simulation does not make them: a pod is woken when it fits a node that it did not fit
//! before. From 1.33 on the decisions are the same, as long as the scheduler keeps up, since backoff
//! then delays nobody. Before, the attempts in vain lengthen the backoff, so they are made up for:
//! [`Moves`] keeps the times of what would have moved pods, and [`Moves::next_attempt`] counts the
//! attempts that upstream would have made since the last one, when the pod is woken.
//!
//! Leaves out: the time that the scheduler spends on attempts in vain; events that only help pods
//! with affinity to other pods; other reasons than resources, which events move less often.
//! Source: facts-kubernetes 1.4; upstream `backend/queue/` (`scheduling_queue.go`,
//! `backoff_queue.go`).

use std::collections::VecDeque;

use crate::cluster::Pod;
use crate::scenario::{KubernetesVersion, SchedulerProfile};
use crate::units::{SimDuration, SimTime};

/// The queue is flushed once so often: pods whose backoff is over become active.
const FLUSH: SimDuration = SimDuration::seconds(1);
/// Pods that stay too long in the pool are looked for once so often.
const FLUSH_UNSCHEDULABLE: SimDuration = SimDuration::seconds(30);

/// So many times are kept. Who has waited for longer and was not looked at since has its longest
/// backoff long since, so that only the moments of its attempts in vain are less sure.
const MOVES_MAX: usize = 1 << 16;

/// How failed pods are tried again.
#[derive(Debug, Clone, Copy)]
pub(super) struct RetryTimes {
    initial: SimDuration,
    max: SimDuration,
    /// A scheduler without other work takes pods that are backing off (`SchedulerPopFromBackoffQ`,
    /// 1.33).
    pub(super) pops_from_backoff: bool,
    /// Longest stay in the unschedulable pool.
    stay_max: SimDuration,
}

impl RetryTimes {
    /// Of a profile in a release.
    ///
    /// The facts name 60 s for 1.20 and 5 min today; the flag that came with 5 min,
    /// `pod-max-in-unschedulable-pods-duration`, is of 1.24.
    pub(super) fn new(profile: &SchedulerProfile, version: KubernetesVersion) -> Self {
        Self {
            initial: profile.pod_initial_backoff,
            max: profile.pod_max_backoff,
            pops_from_backoff: version.minor >= 33,
            stay_max: SimDuration::seconds(if version.minor >= 24 { 300 } else { 60 }),
        }
    }

    /// The pod has failed so often, the last time then.
    pub(super) fn note(&self, pod: &mut Pod, attempts: u32, last: SimTime) {
        pod.failed_attempts = attempts;
        pod.last_attempt_at = last;
        pod.backoff_until = self.backoff_end(attempts, last);
    }

    /// When a pod's backoff is over that failed for the `attempts`-th time at `last`.
    fn backoff_end(&self, attempts: u32, last: SimTime) -> SimTime {
        let doublings = attempts.saturating_sub(1).min(20);
        let end = last.saturating_add((self.initial * (1 << doublings)).min(self.max));
        if self.pops_from_backoff {
            // Windows of whole seconds; the one that holds the end is still backoff.
            end.saturating_add(SimDuration::from_millis(1)).round_up_to(FLUSH)
        } else {
            end.round_up_to(FLUSH)
        }
    }
}

/// Times at which something happened that moves pods out of the unschedulable pool: those that a
/// waiting pod may still have to be told of.
#[derive(Debug, Default)]
pub(super) struct Moves {
    times: VecDeque<SimTime>,
}

impl Moves {
    /// Something happened `now`.
    pub(super) fn note(&mut self, now: SimTime) {
        if self.times.back() != Some(&now) {
            self.times.push_back(now);
        }
        if self.times.len() > MOVES_MAX {
            self.times.pop_front();
        }
    }

    /// Nobody waits.
    pub(super) fn forget(&mut self) {
        self.times.clear();
    }

    /// The pod has been waiting since its last attempt and is moved `now`: when it is tried next.
    /// Notes the attempts in vain.
    pub(super) fn tries(&self, times: &RetryTimes, pod: &mut Pod, now: SimTime) -> SimTime {
        if pod.backoff_until >= now {
            // As `next_attempt` would find: nearly always so, and many pods are asked.
            return pod.backoff_until;
        }
        let state = (pod.failed_attempts, pod.last_attempt_at);
        let (tried, attempts, last) = self.next_attempt(times, state, now);
        times.note(pod, attempts, last);
        tried
    }

    /// A pod that failed for the `attempts`-th time at `last` has been waiting ever since, and is
    /// moved `now`: when it is tried next, with the attempts and the time of the last one as they
    /// are by then.
    fn next_attempt(
        &self,
        times: &RetryTimes,
        (mut attempts, mut last): (u32, SimTime),
        now: SimTime,
    ) -> (SimTime, u32, SimTime) {
        loop {
            let backoff_end = times.backoff_end(attempts, last);
            if backoff_end >= now {
                // Whatever moves it before, it is not tried before.
                return (backoff_end, attempts, last);
            }
            let after = self.times.partition_point(|at| *at <= last);
            let event = self.times.get(after).copied().unwrap_or(now);
            let leftover = last
                .saturating_add(times.stay_max + SimDuration::from_millis(1))
                .round_up_to(FLUSH_UNSCHEDULABLE);
            let moved = event.min(leftover).min(now);
            let tried = moved.max(backoff_end);
            if tried >= now {
                return (tried, attempts, last);
            }
            // In vain: had it fitted then, it would have been woken.
            attempts += 1;
            last = tried;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(minor: u32) -> RetryTimes {
        let version = KubernetesVersion { major: 1, minor };
        RetryTimes::new(&SchedulerProfile::default_of(version), version)
    }

    fn at(ms: u64) -> SimTime {
        SimTime::from_millis(ms)
    }

    /// Source: facts-kubernetes 1.4, `min(1s * 2^(attempts-1), 10s)`.
    #[test]
    fn backoff_doubles_and_ends_with_a_second() {
        for (attempts, seconds) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (50, 10)] {
            assert_eq!(times(20).backoff_end(attempts, at(0)), at(seconds * 1000), "{attempts}");
            let end = times(33).backoff_end(attempts, at(0));
            assert_eq!(end, at(seconds * 1000 + 1000), "{attempts}");
        }
        assert_eq!(times(20).backoff_end(1, at(250)), at(2000));
        assert_eq!(times(33).backoff_end(1, at(250)), at(2000));
    }

    #[test]
    fn attempts_in_vain_lengthen_the_backoff() {
        let mut moves = Moves::default();
        // Nothing happened: the first event finds the backoff of the first attempt over.
        assert_eq!(moves.next_attempt(&times(20), (1, at(0)), at(20_000)), (at(20_000), 1, at(0)));
        // Something happened every second: tried at 1, 3, 7 and 15 s, and then not before 25 s.
        (1..=20).for_each(|second| moves.note(at(second * 1000)));
        let next = moves.next_attempt(&times(20), (1, at(0)), at(20_500));
        assert_eq!(next, (at(25_000), 5, at(15_000)));
        // While it backs off anyway, nothing is tried.
        let next = moves.next_attempt(&times(20), (4, at(15_000)), at(20_500));
        assert_eq!(next, (at(23_000), 4, at(15_000)));
    }

    #[test]
    fn a_long_stay_is_an_attempt_too() {
        let moves = Moves::default();
        let next = moves.next_attempt(&times(20), (1, at(0)), at(100_000));
        assert_eq!(next, (at(100_000), 2, at(90_000)));
        let next = moves.next_attempt(&times(30), (1, at(0)), at(100_000));
        assert_eq!(next, (at(100_000), 1, at(0)));
    }
}
