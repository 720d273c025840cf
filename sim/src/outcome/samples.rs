//! Durations, kept exactly until their percentiles are asked for.
//!
//! Each different duration is kept once, with how often it came where that is more than once: the
//! delays of many millions of pods are some hundred thousand different ones, so that what is kept
//! hardly grows once a simulation has seen a few days. Durations of runs hardly repeat: four bytes
//! each. Those added last wait in a list, because sorting them in one by one would be slow.

use crate::units::SimDuration;

/// So many wait at least before they are sorted in.
const RECENT_MIN: usize = 1 << 16;

/// Durations, in milliseconds.
#[derive(Debug, Default, Clone)]
pub struct Samples {
    /// Added since the others were sorted.
    recent: Vec<u32>,
    /// Those that came once, ascending.
    once: Vec<u32>,
    /// Those that came more often, ascending, and how often.
    repeated: Vec<(u32, usize)>,
    count: usize,
    sum_ms: u64,
}

impl Samples {
    /// Adds one; longer than 49 days counts as 49 days.
    pub fn add(&mut self, duration: SimDuration) {
        let ms = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        self.recent.push(ms);
        self.count += 1;
        self.sum_ms += u64::from(ms);
        // Sorting in costs as much as there is: the more there is, the more wait for it.
        let kept = self.once.len() + self.repeated.len();
        if self.recent.len() >= RECENT_MIN.max(kept / 2) {
            self.sort_in();
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The durations at `quantiles` (0..=1), by the nearest-rank method: the smallest sample that
    /// at least that share of samples does not exceed. `None` without samples.
    pub fn quantiles<const N: usize>(&self, quantiles: [f64; N]) -> Option<[SimDuration; N]> {
        let last = self.count.checked_sub(1)?;
        let ranks = quantiles.map(|quantile| {
            let rank = (quantile * self.count as f64).ceil() as usize;
            rank.saturating_sub(1).min(last)
        });
        let mut found = [SimDuration::ZERO; N];
        let mut before = 0;
        self.each(|ms, times| {
            for (rank, found) in ranks.iter().zip(&mut found) {
                if (before..before + times).contains(rank) {
                    *found = SimDuration::from_millis(u64::from(ms));
                }
            }
            before += times;
        });
        Some(found)
    }

    /// The mean in seconds; `None` without samples.
    pub fn mean_s(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_ms as f64 / 1000.0 / self.count as f64)
    }

    fn sort_in(&mut self) {
        let (mut once, mut repeated) = (Vec::new(), Vec::new());
        self.each(|ms, times| match times {
            1 => once.push(ms),
            _ => repeated.push((ms, times)),
        });
        self.recent.clear();
        (self.once, self.repeated) = (once, repeated);
    }

    /// Every different duration, ascending, and how often it came.
    fn each(&self, mut visit: impl FnMut(u32, usize)) {
        let mut recent = self.recent.clone();
        recent.sort_unstable();
        let mut recent =
            recent.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).peekable();
        let mut once = self.once.iter().map(|ms| (*ms, 1)).peekable();
        let mut repeated = self.repeated.iter().copied().peekable();
        loop {
            let heads = [recent.peek(), once.peek(), repeated.peek()];
            let Some(least) = heads.into_iter().flatten().map(|(ms, _)| *ms).min() else {
                return;
            };
            let is_least = |head: &(u32, usize)| head.0 == least;
            let times =
                [recent.next_if(is_least), once.next_if(is_least), repeated.next_if(is_least)];
            visit(least, times.into_iter().flatten().map(|(_, times)| times).sum());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::rng::RngExt;

    /// What a sorted list of all of them says, however many are sorted in.
    #[test]
    fn quantiles_are_those_of_a_sorted_list() {
        for (count, different) in
            [(1, 1), (7, 3), (RECENT_MIN * 3 + 5, 900), (RECENT_MIN * 2, 1 << 30)]
        {
            let mut draw = Seed::new(count as u64).stream("trial", &[]);
            let mut samples = Samples::default();
            let mut list: Vec<u32> = (0..count).map(|_| draw.random_range(0..different)).collect();
            for ms in &list {
                samples.add(SimDuration::from_millis(u64::from(*ms)));
            }
            list.sort_unstable();
            let quantiles = [0.0, 0.01, 0.5, 0.9, 0.999, 1.0];
            let expected = quantiles.map(|quantile| {
                let rank = (quantile * count as f64).ceil() as usize;
                SimDuration::from_millis(u64::from(list[rank.saturating_sub(1).min(count - 1)]))
            });
            assert_eq!(samples.quantiles(quantiles), Some(expected));
            assert_eq!(samples.count(), count);
            let sum: u64 = list.iter().map(|ms| u64::from(*ms)).sum();
            assert_eq!(samples.mean_s(), Some(sum as f64 / 1000.0 / count as f64));
        }
        assert_eq!(Samples::default().quantiles([0.5]), None);
        assert_eq!(Samples::default().mean_s(), None);
    }

    #[test]
    fn what_repeats_takes_no_more_memory() {
        let mut samples = Samples::default();
        for number in 0..2_000_000_u64 {
            samples.add(SimDuration::from_millis(number % 1000));
        }
        assert_eq!(samples.count(), 2_000_000);
        assert!(samples.once.len() + samples.repeated.len() <= 1000);
        assert!(samples.recent.len() < RECENT_MIN);
    }
}
