//! The sums that a summary promises, checked to the nano-dollar and to the run.

use sim::Outcome;
use sim::units::NanoUsd;

/// Sums that should be equal and are not: a bug in the engine's bookkeeping, never the input's
/// fault. A wrong bill is worse than none, so that no result is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the result does not add up; this is a bug in seatrial, please report it: {}",
    .0.join("; ")
)]
pub struct Imbalance(pub Vec<String>);

/// Every promise that does not hold.
pub(super) fn check(outcome: &Outcome) -> Result<(), Imbalance> {
    let bill = &outcome.cost;
    let mut wrong = Vec::new();
    let mut money = |what: &str, sum: NanoUsd, whole: NanoUsd| {
        if sum != whole {
            let (sum, whole) = (sum.as_nano(), whole.as_nano());
            wrong.push(format!("{what}: {sum} instead of {whole} nano-dollars"));
        }
    };
    let sum = |parts: &[(String, NanoUsd)]| parts.iter().map(|(_, cost)| *cost).sum();
    // Nodes count what they cost, rows of the ledger what was booked: two ways to one bill.
    money("rows of the ledger", bill.costs.total(), bill.total());
    money("cost by node pool", sum(&bill.by_pool), bill.nodes());
    money("cost by team", sum(&bill.by_team), bill.total());
    money("ledger", bill.costs.nodes.total(), bill.nodes());
    let runs = outcome.succeeded + outcome.failed + outcome.unfinished;
    // A simulation that was stopped half-way has runs that it never came to.
    if runs != outcome.runs && !outcome.stopped {
        wrong.push(format!("runs by outcome: {runs} instead of {}", outcome.runs));
    }
    let pods = outcome.trace_pods_succeeded + outcome.trace_pods_unfinished;
    if pods != outcome.trace_pods && !outcome.stopped {
        wrong.push(format!("trace pods by outcome: {pods} instead of {}", outcome.trace_pods));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Imbalance(wrong)) }
}
