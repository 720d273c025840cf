//! What to change: which applications may shrink without risk, and which run out too often.

use sim::scenario::{MemoryOverheads, RetryLadder};
use sim::units::Bytes;

use super::need::Need;
use super::sizes::{Expected, heaps, ladder_heaps};

/// Runs that something was seen of, enough to change a size by. A guess.
const SEEN_MIN: usize = 3;
/// Smaller savings are not worth a change.
const SAVING_MIN: f64 = 0.02;

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// A shrunk application runs out of memory at most so often, with 95 % confidence; one that
    /// does so more often may be raised.
    pub oom: f64,
    /// So many of an application's runs may fail for good for want of memory.
    pub fails: f64,
    /// The largest container that a node has room for.
    pub largest: Bytes,
}

/// An application as it is today.
#[derive(Debug, Clone)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// Who owns most of its runs.
    pub team: String,
    /// Runs in the trace.
    pub runs: usize,
    /// `spark.executor.memory` of most of them.
    pub heap: Bytes,
    /// `spark.executor.memoryOverhead`, where it is set.
    pub overhead: Option<Bytes>,
    /// Dollars of a whole attempt's executors, by their cores.
    pub usd_cpu: f64,
    /// Dollars of a whole attempt's executors for each GiB of their containers.
    pub usd_per_gib: f64,
    /// What its executors need, if anything is known.
    pub need: Option<Need>,
}

/// What to do with an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Less memory is safe and saves money.
    Shrink,
    /// It runs out too often; more memory costs less than the retries, or is needed at all.
    Raise,
    /// As it is.
    Keep,
    /// Nothing is known of its peaks, or it is not simulated to an end.
    Unknown,
}

impl Verdict {
    /// As tables have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shrink => "shrink",
            Self::Raise => "raise",
            Self::Keep => "keep",
            Self::Unknown => "unknown",
        }
    }
}

/// What is recommended for an application.
#[derive(Debug, Clone)]
pub struct Advice {
    /// The application.
    pub application: Application,
    /// What to do.
    pub verdict: Verdict,
    /// The heap that is recommended; today's where nothing changes.
    pub heap: Bytes,
    /// Chance of running out of memory at a first attempt: today, and its bound.
    pub today: Option<(f64, f64)>,
    /// The same at the recommended size.
    pub then: Option<(f64, f64)>,
    /// What a run comes to: today, then.
    pub expected: Option<(Expected, Expected)>,
}

impl Advice {
    /// Dollars that all runs of the trace are expected to save.
    pub fn saved_usd(&self) -> f64 {
        let runs = self.application.runs as f64;
        self.expected.map_or(0.0, |(today, then)| (today.usd - then.usd) * runs)
    }
}

/// What to do with `application`.
pub fn advise(
    application: Application,
    ladder: &RetryLadder,
    overheads: &MemoryOverheads,
    limits: &Limits,
) -> Advice {
    let today = application.heap;
    let container = |heap: Bytes| overheads.executor_container(heap, application.overhead);
    let usd =
        |heap: Bytes| application.usd_cpu + application.usd_per_gib * container(heap).as_gib_f64();
    let known = application.need.clone().filter(|_| application.usd_cpu > 0.0);
    let Some(need) = known else {
        let unknown = Verdict::Unknown;
        return Advice {
            application,
            verdict: unknown,
            heap: today,
            today: None,
            then: None,
            expected: None,
        };
    };
    let chances = |heap: Bytes| {
        let bytes = container(heap).as_u64() as f64;
        (need.chance(bytes), need.chance_at_most(bytes))
    };
    let expected = |heap: Bytes| Expected::of(&need, &ladder_heaps(ladder, heap), container, usd);
    let sizes = heaps(limits.largest, overheads, application.overhead);
    let now = expected(today);
    let smaller = sizes.iter().copied().find(|heap| chances(*heap).1 <= limits.oom);
    let smaller = smaller.filter(|heap| {
        *heap < today
            && need.peaks >= SEEN_MIN
            && expected(*heap).usd <= now.usd * (1.0 - SAVING_MIN)
    });
    let larger = || {
        let fails = |heap: &Bytes| expected(*heap).fails <= limits.fails;
        let mut above: Vec<Bytes> = sizes.iter().copied().filter(|heap| *heap > today).collect();
        if !fails(&today) {
            // The cheapest of those that are enough, else the one with which fewest fail.
            if above.iter().any(fails) {
                above.retain(fails);
            } else {
                return above.last().copied();
            }
        }
        let cheapest = above
            .into_iter()
            .min_by(|a, b| expected(*a).usd.total_cmp(&expected(*b).usd).then(a.cmp(b)));
        cheapest
            .filter(|heap| !fails(&today) || expected(*heap).usd <= now.usd * (1.0 - SAVING_MIN))
    };
    let often = chances(today).0 > limits.oom && need.peaks + need.deaths >= SEEN_MIN;
    let (verdict, heap) = match (smaller, often) {
        (Some(heap), _) => (Verdict::Shrink, heap),
        (None, true) => larger().map_or((Verdict::Keep, today), |heap| (Verdict::Raise, heap)),
        (None, false) => (Verdict::Keep, today),
    };
    let (before, after) = (chances(today), chances(heap));
    let then = expected(heap);
    Advice {
        verdict,
        heap,
        today: Some(before),
        then: Some(after),
        expected: Some((now, then)),
        application,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizing::{Fleet, Observed, Seen};

    fn application(heap_gib: u64, needs_gib: &[f64], died_gib: &[f64]) -> Application {
        let ln = |gib: f64| (gib * 1024.0 * 1024.0 * 1024.0).ln();
        let peaks = needs_gib.iter().map(|gib| Seen { ln: ln(*gib), died: false });
        let deaths = died_gib.iter().map(|gib| Seen { ln: ln(*gib), died: true });
        let seen: Vec<Seen> = peaks.chain(deaths).collect();
        Application {
            name: "a".to_owned(),
            team: "t".to_owned(),
            runs: seen.len(),
            heap: Bytes::gib(heap_gib),
            overhead: None,
            usd_cpu: 0.4,
            usd_per_gib: 0.05,
            need: Need::fit(
                Observed { seen: &seen, asked: 0.0 },
                &Fleet { variance: 0.01, dof: 4.0, offset: 0.0, weight: 0.0 },
            ),
        }
    }

    fn advice(application: Application) -> Advice {
        let limits = Limits { oom: 0.01, fails: 0.01, largest: Bytes::gib(100) };
        advise(application, &RetryLadder::default(), &MemoryOverheads::default(), &limits)
    }

    #[test]
    fn only_what_is_safe_shrinks() {
        let found = advice(application(32, &[7.5, 8.0, 8.5, 8.0, 7.8, 8.2], &[]));
        assert_eq!(found.verdict, Verdict::Shrink, "{found:?}");
        assert!(found.heap > Bytes::gib(8) && found.heap < Bytes::gib(16), "{found:?}");
        assert!(found.then.unwrap().1 <= 0.01 && found.saved_usd() > 0.0);
        // The next smaller size would not be safe.
        let need = found.application.need.as_ref().unwrap();
        let below = MemoryOverheads::default()
            .executor_container(found.heap.saturating_sub(Bytes::gib(1)), None);
        assert!(need.chance_at_most(below.as_u64() as f64) > 0.01);
        // Two runs are too few, however small they were.
        assert_eq!(advice(application(32, &[8.0, 8.1], &[])).verdict, Verdict::Keep);
    }

    #[test]
    fn what_runs_out_is_raised_and_what_nobody_saw_is_unknown() {
        let found = advice(application(6, &[5.0, 5.5, 6.0, 6.2], &[6.6, 6.6, 6.6]));
        assert_eq!(found.verdict, Verdict::Raise, "{found:?}");
        assert!(found.expected.unwrap().1.fails <= 0.01, "{found:?}");
        assert!(found.today.unwrap().0 > 0.2, "{found:?}");
        let found = advice(application(6, &[], &[6.6, 6.6]));
        assert_eq!((found.verdict, found.heap), (Verdict::Unknown, Bytes::gib(6)));
        let found = advice(application(8, &[7.0, 7.05, 6.95, 7.0, 7.1, 6.9], &[]));
        assert_ne!(found.verdict, Verdict::Raise, "{found:?}");
    }
}
