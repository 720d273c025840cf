//! The log-normal law, and its fit to lengths of which some are only known to be longer.

use super::{mean, special};

/// Steps of the expectation-maximisation; each halves the distance at worst for what is met here.
const STEPS: usize = 200;
/// A spread of nothing has no likelihood: lengths that are all the same get this one.
const SIGMA_MIN: f64 = 1e-3;

/// `exp` of a normal number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LogNormalLaw {
    pub(super) mu: f64,
    pub(super) sigma: f64,
}

impl LogNormalLaw {
    pub(super) fn mean(self) -> f64 {
        (self.mu + self.sigma * self.sigma / 2.0).exp()
    }

    pub(super) fn cdf(self, length: f64) -> f64 {
        special::cdf((length.ln() - self.mu) / self.sigma)
    }

    /// By bisection of the distribution function.
    pub(super) fn quantile(self, q: f64) -> f64 {
        let (mut low, mut high) = (-10.0, 10.0);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if special::cdf(middle) < q { low = middle } else { high = middle }
        }
        (self.mu + self.sigma * low).exp()
    }
}

/// Maximum likelihood for complete lengths and for censored ones, which are longer than theirs.
/// `None` without a complete length.
pub(super) fn fit(complete: &[f64], censored: &[f64]) -> Option<LogNormalLaw> {
    let logs: Vec<f64> = complete.iter().map(|length| length.ln()).collect();
    let cut: Vec<f64> = censored.iter().map(|length| length.ln()).collect();
    let mu = mean(&logs)?;
    let spread = logs.iter().map(|log| (log - mu).powi(2)).sum::<f64>() / logs.len() as f64;
    let mut law = LogNormalLaw { mu, sigma: spread.sqrt().max(SIGMA_MIN) };
    if cut.is_empty() {
        return Some(law);
    }
    let count = (logs.len() + cut.len()) as f64;
    for _ in 0..STEPS {
        let (mut first, mut second) = (logs.iter().sum::<f64>(), 0.0);
        second += logs.iter().map(|log| log * log).sum::<f64>();
        for log in &cut {
            let z = (log - law.mu) / law.sigma;
            let above = special::mean_above(z);
            let expected = law.mu + law.sigma * above;
            // Of a normal number above z: variance 1 + z h - h squared.
            let variance = (1.0 + z * above - above * above).max(0.0);
            first += expected;
            second += expected * expected + law.sigma * law.sigma * variance;
        }
        let mu = first / count;
        let sigma = (second / count - mu * mu).max(0.0).sqrt().max(SIGMA_MIN);
        law = LogNormalLaw { mu, sigma };
    }
    Some(law)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_lengths_give_their_logarithms_moments() {
        let law = fit(&[1.0, std::f64::consts::E.powi(2)], &[]).expect("a fit");
        assert!((law.mu - 1.0).abs() < 1e-12 && (law.sigma - 1.0).abs() < 1e-12);
        assert!((law.quantile(0.5) - std::f64::consts::E).abs() < 1e-5);
        assert!((law.cdf(law.quantile(0.9)) - 0.9).abs() < 1e-6);
        assert_eq!(fit(&[], &[1.0]), None);
        assert_eq!(fit(&[2.0, 2.0], &[]).expect("a fit").sigma, SIGMA_MIN);
    }

    /// Ten thousand lengths, all cut at one hour: the law behind them is found again.
    #[test]
    fn cut_lengths_are_accounted_for() {
        let law = LogNormalLaw { mu: 0.3, sigma: 1.2 };
        let lengths = (1..10_000).map(|place| law.quantile(f64::from(place) / 1e4));
        let (complete, cut): (Vec<f64>, Vec<f64>) = lengths.partition(|length| *length < 1.0);
        let cut: Vec<f64> = cut.iter().map(|_| 1.0).collect();
        let found = fit(&complete, &cut).expect("a fit");
        assert!((found.mu - 0.3).abs() < 0.02, "{found:?}");
        assert!((found.sigma - 1.2).abs() < 0.02, "{found:?}");
    }
}
