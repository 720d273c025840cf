//! Kolmogorov-Smirnov distances, with p-values by parametric bootstrap: the law is fitted to every
//! sample anew, as it was to the recording, without which p-values are far too large.

use rand_distr::{Exp1, StandardNormal};
use sim::Seed;
use sim::rng::{self, RngExt};

use super::lognormal::{self, LogNormalLaw};
use super::{Distance, mean};

/// Samples of the bootstrap.
const SAMPLES: u64 = 499;
/// Longer samples would take long and say no more.
const LENGTH_MAX: usize = 2_000;

pub(super) fn lognormal(sorted: &[f64], law: LogNormalLaw, purpose: &str) -> Distance {
    let ks = distance(sorted, |length| law.cdf(length));
    let again = |sample: u64| {
        let keys = [rng::key_of(purpose), sample];
        let mut stream = Seed::new(0).stream("fit-spot-lognormal", &keys);
        let draw = |_| {
            let z: f64 = stream.sample(StandardNormal);
            (law.mu + law.sigma * z).exp()
        };
        let mut drawn: Vec<f64> = (0..sorted.len().min(LENGTH_MAX)).map(draw).collect();
        drawn.sort_by(f64::total_cmp);
        let own = lognormal::fit(&drawn, &[]).unwrap_or(law);
        distance(&drawn, |length| own.cdf(length))
    };
    Distance { ks, p_value: p_value(ks, again) }
}

pub(super) fn exponential(sorted: &[f64], purpose: &str) -> Distance {
    let of = |sorted: &[f64]| {
        let mean = mean(sorted).unwrap_or(1.0).max(f64::MIN_POSITIVE);
        distance(sorted, |length| 1.0 - (-length / mean).exp())
    };
    let ks = of(sorted);
    let again = |sample: u64| {
        let keys = [rng::key_of(purpose), sample];
        let mut stream = Seed::new(0).stream("fit-spot-exponential", &keys);
        let count = sorted.len().min(LENGTH_MAX);
        let mut drawn: Vec<f64> = (0..count).map(|_| stream.sample(Exp1)).collect();
        drawn.sort_by(f64::total_cmp);
        of(&drawn)
    };
    Distance { ks, p_value: p_value(ks, again) }
}

fn p_value(ks: f64, again: impl Fn(u64) -> f64) -> f64 {
    let as_far = (0..SAMPLES).filter(|sample| again(*sample) >= ks).count();
    (as_far as f64 + 1.0) / (SAMPLES as f64 + 1.0)
}

/// The largest difference between the distribution of `sorted` and `cdf`.
fn distance(sorted: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
    let count = sorted.len() as f64;
    let steps = sorted.iter().enumerate().map(|(place, length)| {
        let law = cdf(*length);
        let (below, above) = (place as f64 / count, (place as f64 + 1.0) / count);
        (law - below).abs().max((above - law).abs())
    });
    steps.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_by_hand() {
        // Of one value in the middle, the distribution jumps from 0 to 1.
        assert_eq!(distance(&[0.5], |x| x), 0.5);
        assert_eq!(distance(&[0.25, 0.75], |x| x), 0.25);
    }

    #[test]
    fn the_right_law_is_kept_and_the_wrong_one_is_not() {
        let law = LogNormalLaw { mu: 0.0, sigma: 1.5 };
        let sample: Vec<f64> =
            (0..200).map(|i| law.quantile((f64::from(i) + 0.5) / 200.0)).collect();
        let own = lognormal::fit(&sample, &[]).expect("a fit");
        assert!(lognormal(&sample, own, "test").p_value > 0.9);
        assert!(exponential(&sample, "test").p_value < 0.01);
    }
}
