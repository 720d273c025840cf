//! Draws, rounded at once, so that the last bit of a platform's math library cannot show.

use rand_distr::{Distribution, StandardNormal};
use sim::rng::{RngExt, Stream};

/// A number in `0..1`, in steps of a millionth, never 0.
pub(super) fn uniform(stream: &mut Stream) -> f64 {
    (f64::from(stream.random_range(0..1_000_000_u32)) + 0.5) / 1e6
}

/// Whether something of that `share` happens.
pub(super) fn happens(stream: &mut Stream, share: f64) -> bool {
    uniform(stream) < share
}

/// A standard normal number, in steps of a millionth.
pub(super) fn normal(stream: &mut Stream) -> f64 {
    let z: f64 = StandardNormal.sample(stream);
    (z * 1e6).round() / 1e6
}

/// An exponential number of mean 1, in steps of a millionth.
pub(super) fn exponential(stream: &mut Stream) -> f64 {
    (-uniform(stream).ln() * 1e6).round() / 1e6
}

/// The place in `weights` that a draw falls on.
pub(super) fn weighted(stream: &mut Stream, weights: &[f64]) -> usize {
    let mut rest = uniform(stream) * weights.iter().sum::<f64>();
    for (place, weight) in weights.iter().enumerate() {
        rest -= weight;
        if rest < 0.0 {
            return place;
        }
    }
    weights.len() - 1
}

/// The share of a day (`0..1` of its runs) to the millisecond of the day, where the 24 hours have
/// these weights.
pub(super) fn clock_ms(share: f64, hours: &[f64; 24]) -> i64 {
    let mut rest = share.clamp(0.0, 1.0) * hours.iter().sum::<f64>();
    for (hour, weight) in hours.iter().enumerate() {
        if rest < *weight {
            return hour as i64 * 3_600_000 + (rest / weight * 3_600_000.0).floor() as i64;
        }
        rest -= weight;
    }
    86_399_999
}

/// The standard normal number that a draw exceeds with probability `share`.
///
/// Bisection of the normal tail, which a continued fraction or a series gives to 1e-9; exact
/// enough for shares that are guesses, and the same everywhere after rounding to 1e-6.
pub(super) fn exceeded_with(share: f64) -> f64 {
    if share <= 0.0 {
        return 12.0;
    }
    let (mut low, mut high) = (-12.0, 12.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if upper_tail(middle) > share {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low * 1e6_f64).round() / 1e6
}

/// P(Z > z) of a standard normal Z.
fn upper_tail(z: f64) -> f64 {
    if z < 0.0 {
        return 1.0 - upper_tail(-z);
    }
    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if z < 2.5 {
        // P(0 < Z < z) = density * (z + z^3/3 + z^5/(3*5) + ...).
        let (mut term, mut sum) = (z, z);
        for k in 1..80 {
            term *= z * z / f64::from(2 * k + 1);
            sum += term;
        }
        return 0.5 - density * sum;
    }
    let fraction = (1..=60).rev().fold(z, |rest, k| z + f64::from(k) / rest);
    density / fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_tables() {
        for (z, share) in [(0.0, 0.5), (1.0, 0.158_655), (1.644_854, 0.05), (3.0, 0.001_35)] {
            assert!((upper_tail(z) - share).abs() < 1e-6, "{z}: {}", upper_tail(z));
            assert!((exceeded_with(share) - z).abs() < 1e-3, "{share}");
        }
        assert!((exceeded_with(0.9) + 1.281_552).abs() < 1e-5);
    }

    #[test]
    fn the_clock_follows_the_weights() {
        let mut hours = [0.0; 24];
        hours[9] = 1.0;
        hours[14] = 3.0;
        assert_eq!(clock_ms(0.125, &hours), 9 * 3_600_000 + 1_800_000);
        assert_eq!(clock_ms(0.25, &hours), 14 * 3_600_000);
        assert_eq!(clock_ms(1.0, &hours), 86_399_999);
    }
}
