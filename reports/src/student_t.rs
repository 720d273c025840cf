//! Student's t: how far the mean of a few replications may be from the truth.
//!
//! The two-sided 95 % level, and 99 % for those who look more than once. Sources: NIST/SEMATECH e-Handbook of Statistical Methods,
//! section 1.3.6.7.2 (table up to 30 degrees of freedom); beyond that the Cornish-Fisher expansion,
//! Abramowitz and Stegun 26.7.5, which is exact to five digits there. Only the four basic
//! operations and the square root: the same digits on every platform.

use serde::Serialize;

/// Mean of a metric over replications, with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Lower end of the interval.
    pub ci95_low: f64,
    /// Upper end of the interval.
    pub ci95_high: f64,
    /// Replications.
    pub n: u64,
}

impl Estimate {
    /// The estimate from one value per replication; `None` with fewer than two of them.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.len() < 2 {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        let half = quantile_975(values.len() as u64 - 1) * (squares / (n - 1.0) / n).sqrt();
        Some(Self {
            mean: round_9(mean),
            ci95_low: round_9(mean - half),
            ci95_high: round_9(mean + half),
            n: values.len() as u64,
        })
    }
}

/// The 99 % interval of the mean, for those who look while values are still coming; `None` with
/// fewer than two of them.
pub fn interval_99(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    // Beyond the table the last one is a little too wide, never too narrow.
    let quantile = QUANTILES_995[(values.len() - 2).min(QUANTILES_995.len() - 1)];
    let half = quantile * (squares / (n - 1.0) / n).sqrt();
    Some((mean - half, mean + half))
}

/// The 99.5 % quantiles at degrees of freedom 1 to 30.
const QUANTILES_995: [f64; 30] = [
    63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169, 3.106, 3.055, 3.012,
    2.977, 2.947, 2.921, 2.898, 2.878, 2.861, 2.845, 2.831, 2.819, 2.807, 2.797, 2.787, 2.779,
    2.771, 2.763, 2.756, 2.750,
];

/// Nine decimals are a nano-dollar; more would only show how sums were rounded.
fn round_9(value: f64) -> f64 {
    let rounded = (value * 1e9).round() / 1e9;
    // Adding zero turns -0.0 into 0.0. Values above 9e15 have no decimals to round.
    if value.abs() < 9e6 { rounded + 0.0 } else { value }
}

/// Degrees of freedom 1 to 30.
const QUANTILES: [f64; 30] = [
    12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157,
    2.228139, 2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922,
    2.093024, 2.085963, 2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831,
    2.048407, 2.045230, 2.042272,
];

/// The 97.5 % quantile at `degrees` of freedom (at least 1).
fn quantile_975(degrees: u64) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    if let Some(quantile) = QUANTILES.get(degrees.saturating_sub(1) as usize) {
        return *quantile;
    }
    let n = degrees as f64;
    let (z3, z5) = (Z * Z * Z, Z * Z * Z * Z * Z);
    Z + (z3 + Z) / (4.0 * n) + (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / (96.0 * n * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_published_ones() {
        for (degrees, expected) in [
            (1, 12.706),
            (4, 2.776),
            (30, 2.042),
            (31, 2.040),
            (60, 2.000),
            (100, 1.984),
            (1_000, 1.962),
        ] {
            let quantile = quantile_975(degrees);
            assert!((quantile - expected).abs() < 6e-4, "{degrees}: {quantile}");
        }
    }

    #[test]
    fn an_interval_by_hand() {
        // Deviations -2, -sqrt 3, sqrt 3, 2; t at 3 degrees of freedom is 3.182446.
        let estimate = Estimate::of(&[8.0, 10.0 - 3f64.sqrt(), 10.0 + 3f64.sqrt(), 12.0]);
        let squares = 4.0 + 3.0 + 3.0 + 4.0;
        let half = 3.182446 * f64::sqrt(squares / 3.0 / 4.0);
        let estimate = estimate.unwrap();
        assert!((estimate.mean - 10.0).abs() < 1e-9);
        assert!((estimate.ci95_high - 10.0 - half).abs() < 1e-8);
        assert!((10.0 - half - estimate.ci95_low).abs() < 1e-8);
        assert_eq!(estimate.n, 4);
    }

    #[test]
    fn one_value_says_nothing_about_the_spread() {
        assert_eq!(Estimate::of(&[1.0]), None);
        assert_eq!(Estimate::of(&[]), None);
        let constant = Estimate::of(&[3.5, 3.5]).unwrap();
        assert_eq!((constant.ci95_low, constant.ci95_high), (3.5, 3.5));
    }

    #[test]
    fn the_wider_interval_is_the_tables() {
        let (low, high) = interval_99(&[1.0, 2.0, 3.0]).unwrap();
        // s = 1, so that half of it is 9.925 / sqrt(3).
        assert!((high - 2.0 - 9.925 / 3f64.sqrt()).abs() < 1e-12);
        assert!((low + high - 4.0).abs() < 1e-12);
        assert_eq!(interval_99(&[1.0]), None);
        assert_eq!(interval_99(&[4.0; 50]), Some((4.0, 4.0)));
    }
}
