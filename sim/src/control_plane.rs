//! API objects alive over time: Kubernetes events, kept for an hour, and pods.
//!
//! Models the number of event objects with the API server's `--event-ttl` of one hour (which EKS
//! gives no way to change), counted in buckets of a minute. Leaves out: sizes in bytes, and events
//! of other controllers. Source: facts-cloud section 5: a pod that runs and stops gives Scheduled,
//! Pulling, Pulled, Created, Started and Killing; each failed placement gives one FailedScheduling
//! (repeats are folded into one object with a count, so a pod is counted once).

use std::collections::VecDeque;

use crate::units::SimTime;

/// Events of a pod that is bound, runs and ends.
pub(crate) const EVENTS_PER_BOUND_POD: u64 = 6;

const BUCKET_MS: u64 = 60_000;
const TTL_BUCKETS: u64 = 60;

/// Counts of API objects.
#[derive(Debug, Default)]
pub(crate) struct ControlPlane {
    buckets: VecDeque<(u64, u64)>,
    alive: u64,
    /// Most event objects alive at one time.
    pub(crate) events_peak: u64,
}

impl ControlPlane {
    /// `count` event objects are created.
    pub(crate) fn add_events(&mut self, now: SimTime, count: u64) {
        let bucket = now.as_millis() / BUCKET_MS;
        while let Some((oldest, expired)) = self.buckets.front().copied() {
            if oldest + TTL_BUCKETS > bucket {
                break;
            }
            self.alive -= expired;
            self.buckets.pop_front();
        }
        match self.buckets.back_mut() {
            Some((last, held)) if *last == bucket => *held += count,
            _ => self.buckets.push_back((bucket, count)),
        }
        self.alive += count;
        self.events_peak = self.events_peak.max(self.alive);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_live_for_an_hour() {
        let mut control_plane = ControlPlane::default();
        let at = |minutes: u64| SimTime::from_millis(minutes * BUCKET_MS);
        control_plane.add_events(at(0), 10);
        control_plane.add_events(at(59), 5);
        assert_eq!(control_plane.events_peak, 15);
        control_plane.add_events(at(60), 5);
        assert_eq!((control_plane.alive, control_plane.events_peak), (10, 15));
    }
}
