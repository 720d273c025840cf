//! The part of the summary that says what Karpenter's disruption of nodes did.

use serde::Serialize;
use sim::outcome::{DisruptedBy, DisruptionTotal, Outcome};

use super::Named;

/// Nodes that Karpenter took out of service, and what went with them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DisruptionPart {
    /// For all reasons together.
    pub total: DisruptionCounts,
    /// By reason; each reason is always there.
    pub by_reason: Named<DisruptionCounts>,
}

/// What was disrupted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize)]
pub struct DisruptionCounts {
    /// Nodes.
    pub nodes: u64,
    /// Pods evicted from them.
    pub pods_evicted: u64,
    /// Drivers among these: each one ended its attempt.
    pub drivers_evicted: u64,
    /// Task time lost with executors, in seconds: what ran then, and what is computed again.
    pub task_time_lost_s: f64,
}

impl DisruptionPart {
    /// `None` where nothing was disrupted.
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        if outcome.disruptions.is_empty() {
            return None;
        }
        let mut total = DisruptionTotal::default();
        for one in outcome.disruptions.values() {
            total.nodes += one.nodes;
            total.pods += one.pods;
            total.drivers += one.drivers;
            total.task_time_lost += one.task_time_lost;
        }
        let of = |reason: DisruptedBy| {
            let found = outcome.disruptions.get(&reason).copied().unwrap_or_default();
            (reason.name().to_owned(), counts(&found))
        };
        let by_reason = Named(DisruptedBy::ALL.into_iter().map(of).collect());
        Some(Self { total: counts(&total), by_reason })
    }
}

fn counts(total: &DisruptionTotal) -> DisruptionCounts {
    DisruptionCounts {
        nodes: total.nodes,
        pods_evicted: total.pods,
        drivers_evicted: total.drivers,
        task_time_lost_s: total.task_time_lost.as_secs_f64(),
    }
}
