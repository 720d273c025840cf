//! The sizes that an application may have, and what each is expected to cost.

use sim::scenario::{Adjustment, MemoryOverheads, RetryLadder};
use sim::units::Bytes;
use sim::workload::Failure;

use super::need::Need;
use crate::ladder::best::DIES_AT;

/// Heaps in whole GiB whose container is at most `largest`: every one up to 16, then every second,
/// then every eighth.
pub fn heaps(largest: Bytes, overheads: &MemoryOverheads, set: Option<Bytes>) -> Vec<Bytes> {
    let steps = (1..=16).chain((18..=64).step_by(2)).chain((72..=1024).step_by(8));
    let fits = |heap: &Bytes| overheads.executor_container(*heap, set) <= largest;
    steps.map(Bytes::gib).take_while(fits).collect()
}

/// The heaps of the attempts after running out of memory, the first one's included.
pub fn ladder_heaps(ladder: &RetryLadder, first: Bytes) -> Vec<Bytes> {
    let mut heaps = vec![first];
    let Some(rung) = ladder.rung_for(Failure::ExecutorOom) else { return heaps };
    let raised = |from: Bytes, adjustments: &[Adjustment]| {
        adjustments.iter().fold(from, |heap, adjustment| match adjustment {
            Adjustment::ExecutorMemory { factor, max } => {
                heap.scale_floor(*factor).min((*max).max(heap))
            }
            _ => heap,
        })
    };
    for attempt in 1..rung.attempts_max.min(32) as usize {
        let last = heaps.last().copied().unwrap_or(first);
        let next = match rung.steps.len() {
            0 => raised(last, &rung.adjust),
            steps => raised(first, &rung.steps[attempt.min(steps) - 1]),
        };
        heaps.push(next);
    }
    heaps
}

/// What a size is expected to come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Dollars a run, with its retries.
    pub usd: f64,
    /// The chance that a run fails for good.
    pub fails: f64,
    /// Attempts a run.
    pub attempts: f64,
}

impl Expected {
    /// Of a run whose attempts have `heaps`; `usd` is what one whole attempt at a heap costs,
    /// `container` its container.
    pub fn of(
        need: &Need,
        heaps: &[Bytes],
        container: impl Fn(Bytes) -> Bytes,
        usd: impl Fn(Bytes) -> f64,
    ) -> Self {
        let (mut total, mut attempts, mut reached) = (0.0, 0.0, 1.0_f64);
        for heap in heaps {
            // A need that was too large for an earlier size is too large for one no larger.
            let dies = need.chance(container(*heap).as_u64() as f64).min(reached);
            total += usd(*heap) * ((reached - dies) + dies * DIES_AT);
            attempts += reached;
            reached = dies;
        }
        Self { usd: total, fails: reached, attempts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizing::{Fleet, Observed, Seen};
    use sim::scenario::Rung;
    use sim::units::SimDuration;

    fn ladder(adjust: Vec<Adjustment>, steps: Vec<Vec<Adjustment>>) -> RetryLadder {
        let rung = Rung {
            when: vec![Failure::ExecutorOom],
            adjust,
            steps,
            attempts_max: 4,
            backoff: SimDuration::ZERO,
            backoff_factor: 1.0,
            backoff_step: SimDuration::ZERO,
            backoff_max: SimDuration::MAX,
        };
        RetryLadder { rungs: vec![rung], ..RetryLadder::default() }
    }

    fn more(factor: f64, gib: u64) -> Adjustment {
        Adjustment::ExecutorMemory { factor, max: Bytes::gib(gib) }
    }

    #[test]
    fn sizes_of_further_attempts_are_the_ladders() {
        let gib = |list: &[u64]| list.iter().map(|gib| Bytes::gib(*gib)).collect::<Vec<_>>();
        let first = Bytes::gib(4);
        assert_eq!(ladder_heaps(&RetryLadder::default(), first), gib(&[4]));
        let doubling = ladder(vec![more(2.0, 12)], Vec::new());
        assert_eq!(ladder_heaps(&doubling, first), gib(&[4, 8, 12, 12]));
        let steps = ladder(Vec::new(), vec![vec![more(2.0, 64)], vec![more(3.0, 64)]]);
        assert_eq!(ladder_heaps(&steps, first), gib(&[4, 8, 12, 12]));
    }

    #[test]
    fn what_is_enough_costs_one_attempt_and_what_is_not_costs_more() {
        let seen = [1.95, 2.0, 2.05].map(|ln| Seen { ln, died: false });
        let need = Need::fit(
            Observed { seen: &seen, asked: 0.0 },
            &Fleet { variance: 0.01, dof: 4.0, offset: 0.0, weight: 0.0 },
        )
        .unwrap();
        let of = |heaps: &[u64]| {
            let heaps: Vec<Bytes> = heaps.iter().map(|bytes| Bytes::new(*bytes)).collect();
            Expected::of(&need, &heaps, |heap| heap, |heap| heap.as_u64() as f64)
        };
        let enough = of(&[100]);
        assert!((enough.usd - 100.0).abs() < 0.1 && enough.fails < 1e-3, "{enough:?}");
        let never = of(&[2, 2]);
        assert!((never.fails - 1.0).abs() < 1e-3, "{never:?}");
        assert!((never.usd - 2.0 * 2.0 * DIES_AT).abs() < 0.01, "{never:?}");
        // Half die at the median, and all get through after it.
        let half = of(&[7, 70]);
        let dies = need.chance(7.0);
        assert!((half.usd - (7.0 * (1.0 - dies + dies * DIES_AT) + 70.0 * dies)).abs() < 0.1);
        assert!((half.attempts - 1.0 - dies).abs() < 1e-9);
    }

    #[test]
    fn heaps_end_where_no_node_has_room() {
        let overheads = MemoryOverheads::default();
        let found = heaps(Bytes::gib(22), &overheads, None);
        assert_eq!(found.last(), Some(&Bytes::gib(20)));
        assert!(found.is_sorted());
    }
}
