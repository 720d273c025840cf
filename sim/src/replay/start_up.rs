//! Executors between being asked for and being registered.
//!
//! Models: in a cluster, a fixed latency each (the medians of the assumptions). On one host
//! (local-cluster mode) the starting JVMs share the host's cores: each has [`JVM_START_WORK`] to do
//! and uses up to [`JVM_PARALLEL`] cores. Leaves out: waiting for nodes, images; what the driver and
//! running tasks take of the same cores.

use crate::units::{SimDuration, SimTime};

/// CPU time from the start of an executor's process to its registration. Guess: measured on our own
/// recordings, where one executor alone took 0.9 s and four together 2.3 s, on two cores.
const JVM_START_WORK_MS: f64 = 1400.0;
/// Cores that one starting JVM keeps busy (its compiler and collector run beside it). Guess: as
/// above.
const JVM_PARALLEL: f64 = 1.5;

/// How executors start.
#[derive(Debug, Clone, Copy)]
pub(super) enum StartUpKind {
    /// Each takes that long.
    Latency(SimDuration),
    /// They share so many cores.
    Shared(f64),
}

/// Executors that start.
#[derive(Debug)]
pub(super) struct StartUp {
    kind: StartUpKind,
    /// (key, milliseconds of work or of latency left).
    starting: Vec<(u32, f64)>,
    advanced_to: SimTime,
}

impl StartUp {
    /// None starts yet.
    pub(super) fn new(kind: StartUpKind) -> Self {
        Self { kind, starting: Vec::new(), advanced_to: SimTime::ZERO }
    }

    /// How many start.
    pub(super) fn count(&self) -> usize {
        self.starting.len()
    }

    /// Executor `key` is asked for.
    pub(super) fn begin(&mut self, now: SimTime, key: u32) {
        self.pass_time(now);
        let work = match self.kind {
            StartUpKind::Latency(latency) => latency.as_millis() as f64,
            StartUpKind::Shared(_) => JVM_START_WORK_MS,
        };
        self.starting.push((key, work));
    }

    /// When the next one is registered.
    pub(super) fn next(&self) -> Option<SimTime> {
        let least = self.starting.iter().map(|(_, left)| *left).reduce(f64::min)?;
        let wait = (least / self.rate()).ceil().max(0.0);
        Some(self.advanced_to.saturating_add(SimDuration::from_millis(wait as u64)))
    }

    /// Those that are registered by `now`, in order of their keys.
    pub(super) fn take_ready(&mut self, now: SimTime) -> Vec<u32> {
        self.pass_time(now);
        let ready = |left: f64| left < 1e-6;
        let keys = self.starting.iter().filter(|(_, left)| ready(*left)).map(|(key, _)| *key);
        let keys: Vec<u32> = keys.collect();
        self.starting.retain(|(_, left)| !ready(*left));
        keys
    }

    /// Milliseconds of work done in a millisecond, by each.
    fn rate(&self) -> f64 {
        match self.kind {
            StartUpKind::Latency(_) => 1.0,
            StartUpKind::Shared(cores) => {
                (cores / self.starting.len().max(1) as f64).min(JVM_PARALLEL)
            }
        }
    }

    fn pass_time(&mut self, now: SimTime) {
        let done = now.since(self.advanced_to).as_millis() as f64 * self.rate();
        for (_, left) in &mut self.starting {
            *left = (*left - done).max(0.0);
        }
        self.advanced_to = self.advanced_to.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executors_that_start_together_share_the_cores() {
        let registered = |count: u32| {
            let mut start_up = StartUp::new(StartUpKind::Shared(2.0));
            (0..count).for_each(|key| start_up.begin(SimTime::ZERO, key));
            let at = start_up.next().unwrap();
            assert_eq!(start_up.take_ready(at).len(), count as usize);
            at.as_millis()
        };
        // 1400 ms of work at 1.5 cores; two at a core each; four at half a core.
        assert_eq!((registered(1), registered(2), registered(4)), (934, 1400, 2800));
    }

    #[test]
    fn latencies_do_not_depend_on_each_other() {
        let mut start_up = StartUp::new(StartUpKind::Latency(SimDuration::seconds(5)));
        start_up.begin(SimTime::ZERO, 1);
        start_up.begin(SimTime::from_millis(2000), 2);
        assert_eq!(start_up.next(), Some(SimTime::from_millis(5000)));
        assert_eq!(start_up.take_ready(SimTime::from_millis(5000)), [1]);
        assert_eq!(start_up.next(), Some(SimTime::from_millis(7000)));
        assert_eq!(start_up.count(), 1);
    }
}
