//! Totals of waiting: by reason, and of trace pods beside what was recorded of them.

use super::{PodKind, Samples};
use crate::units::SimDuration;

/// Waiting for one normalised reason.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct WaitingTotal {
    /// The scheduler's message without counts of nodes.
    pub reason: String,
    /// Pods that began to wait for it; a pod that comes back to it counts again.
    pub pods: u64,
    /// How long they did, added up.
    pub time: SimDuration,
    /// Trace pods that were never bound, and whose last reason it was.
    pub trace_pods_never_bound: u64,
    /// Drivers and executors that were never bound, and whose last reason it was.
    pub spark_pods_never_bound: u64,
}

impl WaitingTotal {
    pub(super) fn add_never_bound(&mut self, kind: PodKind) {
        match kind {
            PodKind::Trace => self.trace_pods_never_bound += 1,
            PodKind::Driver | PodKind::Executor => self.spark_pods_never_bound += 1,
            PodKind::Pause => {}
        }
    }
}

/// Waits of trace pods, created to bound, simulated beside recorded. Only pods of which the trace
/// says something.
#[derive(Debug, Default, Clone)]
pub struct PodWaits {
    /// As recorded, of pods that were bound.
    pub recorded: Samples,
    /// As simulated, of pods that were bound.
    pub simulated: Samples,
    /// Recorded as never bound.
    pub recorded_never: u64,
    /// Never bound in the simulation.
    pub simulated_never: u64,
    /// Both.
    pub both_never: u64,
    /// Bound in both: (recorded, simulated) in milliseconds.
    pub(super) pairs: Vec<(u32, u32)>,
}

impl PodWaits {
    /// Pods of which the trace says how long they waited, or that they were never bound.
    pub fn pods(&self) -> u64 {
        self.recorded.count() as u64 + self.recorded_never
    }

    /// Pods that were bound in both.
    pub fn compared(&self) -> u64 {
        self.pairs.len() as u64
    }

    /// The share (0 to 1) of pods bound in both whose simulated wait is at most `limit` away from
    /// the recorded one; `None` without any.
    pub fn within(&self, limit: SimDuration) -> Option<f64> {
        let near = |(recorded, simulated): &&(u32, u32)| {
            u64::from(recorded.abs_diff(*simulated)) <= limit.as_millis()
        };
        let count = self.pairs.iter().filter(near).count();
        (!self.pairs.is_empty()).then(|| count as f64 / self.pairs.len() as f64)
    }

    /// Spearman's rank correlation of the pods bound in both, equal waits sharing their mean rank.
    /// `None` where one side has no spread.
    pub fn rank_correlation(&self) -> Option<f64> {
        let recorded = ranks(&self.pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
        let simulated = ranks(&self.pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
        let middle = (self.pairs.len() as f64 + 1.0) / 2.0;
        let (mut both, mut left, mut right) = (0.0, 0.0, 0.0);
        for (a, b) in recorded.iter().zip(&simulated) {
            both += (a - middle) * (b - middle);
            left += (a - middle) * (a - middle);
            right += (b - middle) * (b - middle);
        }
        let spread = (left * right).sqrt();
        (spread > 0.0).then(|| both / spread)
    }
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(values: &[u32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|place| (values[*place], *place));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for group in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let mean = first as f64 + (group.len() as f64 + 1.0) / 2.0;
        for place in group {
            ranks[*place] = mean;
        }
        first += group.len();
    }
    ranks
}
