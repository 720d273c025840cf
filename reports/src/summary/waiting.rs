//! The part of the summary that says what pods waited for, and how near that is to what was
//! recorded.

use serde::Serialize;
use sim::outcome::{Outcome, PodWaits, WaitingTotal};
use sim::units::SimDuration;

use super::{Quantiles, quantiles, share};

/// Reasons in the summary; the others are added up in one.
const REASONS_MAX: usize = 20;
/// What those others are called.
const OTHERS: &str = "(other reasons)";

/// What pods waited for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaitingPart {
    /// The longest time first.
    pub by_reason: Vec<WaitingReason>,
}

/// Waiting for one reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaitingReason {
    /// The scheduler's message without counts of nodes.
    pub reason: String,
    /// Pods that began to wait for it; one that comes back to it counts again.
    pub pods: u64,
    /// How long they did, added up, in seconds.
    pub wait_s: f64,
    /// Trace pods that were never bound, and whose last reason it was.
    pub trace_pods_never_bound: u64,
    /// Drivers and executors of which the same is true.
    pub spark_pods_never_bound: u64,
}

impl WaitingPart {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let reason = |total: &WaitingTotal| WaitingReason {
            reason: total.reason.clone(),
            pods: total.pods,
            wait_s: total.time.as_secs_f64(),
            trace_pods_never_bound: total.trace_pods_never_bound,
            spark_pods_never_bound: total.spark_pods_never_bound,
        };
        let all = &outcome.waiting_reasons;
        let (shown, others) = all.split_at(all.len().min(REASONS_MAX));
        let mut by_reason: Vec<WaitingReason> = shown.iter().map(reason).collect();
        if !others.is_empty() {
            let mut sum = WaitingTotal { reason: OTHERS.to_owned(), ..WaitingTotal::default() };
            for other in others {
                sum.pods += other.pods;
                sum.time += other.time;
                sum.trace_pods_never_bound += other.trace_pods_never_bound;
                sum.spark_pods_never_bound += other.spark_pods_never_bound;
            }
            by_reason.push(reason(&sum));
        }
        Self { by_reason }
    }
}

/// Waits of trace pods, created to bound, recorded beside simulated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PodWaitsPart {
    /// Pods of which the trace says something.
    pub pods: u64,
    /// As recorded, of pods that were bound; in seconds.
    pub recorded: Quantiles,
    /// As simulated, of pods that were bound; in seconds.
    pub simulated: Quantiles,
    /// Recorded as never bound.
    pub recorded_never: u64,
    /// Never bound in the simulation.
    pub simulated_never: u64,
    /// Both.
    pub both_never: u64,
    /// Bound in both.
    pub compared: u64,
    /// Of those, the share (0 to 1) whose waits differ by at most 1 s.
    pub within_1s: f64,
    /// By at most 10 s.
    pub within_10s: f64,
    /// By at most 60 s.
    pub within_60s: f64,
    /// Spearman's rank correlation of those; 0 where one side has no spread.
    pub rank_correlation: f64,
}

impl PodWaitsPart {
    /// `None` where the trace says nothing about waits.
    pub(super) fn of(waits: &PodWaits) -> Option<Self> {
        let within =
            |seconds| share(waits.within(SimDuration::seconds(seconds)).unwrap_or_default());
        (waits.pods() > 0).then(|| Self {
            pods: waits.pods(),
            recorded: quantiles(&waits.recorded),
            simulated: quantiles(&waits.simulated),
            recorded_never: waits.recorded_never,
            simulated_never: waits.simulated_never,
            both_never: waits.both_never,
            compared: waits.compared(),
            within_1s: within(1),
            within_10s: within(10),
            within_60s: within(60),
            rank_correlation: share(waits.rank_correlation().unwrap_or_default()),
        })
    }
}
