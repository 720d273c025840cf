//! The Spot Advisor's bands: how often a pool is interrupted.
//!
//! Models: a band is a range of interruption frequencies, not a point; each pool (and each instance
//! type of a region) has its own frequency within its band, drawn once, keyed by its names. Leaves
//! out: bands that change from month to month. Source: facts-cloud 0.3; the advisor defines the
//! frequency as the share of instances interrupted in the trailing month.

use crate::Seed;

/// The lowest and the highest frequency of the bands that have an end. The lowest band is taken to
/// begin at 1 %: no pool is never interrupted (a guess).
const RANGES: [(f64, f64); 4] = [(0.01, 0.05), (0.05, 0.10), (0.10, 0.15), (0.15, 0.20)];

/// Where the open-ended band begins, and the most that is drawn in it. Guess: it falls off as a
/// Pareto distribution with exponent 2, so that half of its pools are above 28 %.
const OPEN: (f64, f64) = (0.20, 0.95);

/// The frequency that other frequencies are relative to: the middle of band 2.
pub(super) const MIDDLE: f64 = 0.125;

/// Hours in a month of 365.25 / 12 days.
const MONTH_HOURS: f64 = 730.5;

/// Share of instances that are interrupted in a month: the pool's own, within its band.
pub(super) fn frequency(seed: Seed, band: u8, keys: &[u64]) -> f64 {
    let draw = seed.uniform("spot-band", keys);
    match RANGES.get(usize::from(band)) {
        Some((low, high)) => low + (high - low) * draw,
        None => (OPEN.0 / (1.0 - draw).sqrt()).min(OPEN.1),
    }
}

/// Shocks an hour, each of which takes `share_taken`, that interrupt the share `frequency` of all
/// instances within a month.
pub(super) fn shocks_per_hour(frequency: f64, share_taken: f64) -> f64 {
    if share_taken <= 0.0 {
        return 0.0;
    }
    -(1.0 - frequency).ln() / (share_taken.min(1.0) * MONTH_HOURS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_stay_within_their_band_and_the_open_one_has_a_tail() {
        let draws = |band| (0..2000u64).map(move |key| frequency(Seed::new(1), band, &[key]));
        for (band, (low, high)) in RANGES.iter().enumerate() {
            assert!(draws(band as u8).all(|f| (*low..*high).contains(&f)), "band {band}");
        }
        assert!(draws(4).all(|f| (0.20..=0.95).contains(&f)));
        let above = draws(4).filter(|f| *f > 0.283).count();
        assert!((900..1100).contains(&above), "{above} of 2000 above the median");
        assert!(draws(4).any(|f| f > 0.9));
    }

    #[test]
    fn a_month_of_shocks_interrupts_the_frequency() {
        let rate = shocks_per_hour(0.25, 0.5);
        let left = (-rate * 0.5 * MONTH_HOURS).exp();
        assert!((left - 0.75).abs() < 1e-12, "{left}");
        assert_eq!(shocks_per_hour(0.25, 0.0), 0.0);
    }
}
