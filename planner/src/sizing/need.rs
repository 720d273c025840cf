//! What an application's executors need, from peaks that were recorded and deaths that were not
//! survived.
//!
//! The logarithm of the need is normal. Deaths are right-censored observations; the fit is the usual
//! expectation-maximisation. How much runs of one application differ is learnt from all applications
//! and held against each application's own spread as if it were [`PRIOR_DOF`] further runs (a guess),
//! so that three runs that happen to be alike do not pass for certainty. Chances are those of the
//! next run: Student's t, as mean and spread are only estimated; `chance_at_most` is the 95th
//! percentile over what mean and spread may be.
//!
//! Source: Gelman et al., Bayesian Data Analysis, 3rd edition, 3.2 (normal data, scaled inverse
//! chi-squared variance); Dempster, Laird, Rubin 1977 for censored data.

use statrs::distribution::{ChiSquared, Continuous, ContinuousCDF, Normal, StudentsT};

/// Runs that the fleet's spread counts for. A guess.
const PRIOR_DOF: f64 = 4.0;
/// The spread where no application has two runs: a quarter up or down. A guess.
const SPREAD_UNKNOWN: f64 = 0.25;
/// Rounds of the fit.
const ROUNDS: usize = 100;
/// Points in each direction of the grid over mean and spread.
const GRID: usize = 20;

/// What one run says: the logarithm of bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// The peak, or the size at which it died.
    pub ln: f64,
    /// It died: the need is above.
    pub died: bool,
}

/// What is common to all applications.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fleet {
    /// Variance of the logarithm within an application.
    pub variance: f64,
}

impl Fleet {
    /// The pooled variance of the peaks of `applications`.
    pub fn of<'a>(applications: impl IntoIterator<Item = &'a [Seen]>) -> Self {
        let (mut squares, mut dof) = (0.0, 0.0);
        for seen in applications {
            let peaks: Vec<f64> = seen.iter().filter(|s| !s.died).map(|s| s.ln).collect();
            if peaks.len() > 1 {
                let mean = peaks.iter().sum::<f64>() / peaks.len() as f64;
                squares += peaks.iter().map(|ln| (ln - mean).powi(2)).sum::<f64>();
                dof += peaks.len() as f64 - 1.0;
            }
        }
        let unknown = SPREAD_UNKNOWN * SPREAD_UNKNOWN;
        // Peaks that are all the same are a recording's rounding, not certainty.
        Self { variance: if dof > 0.0 { (squares / dof).max(1e-4) } else { unknown } }
    }
}

/// The need of an application.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// Mean of the logarithm.
    mean: f64,
    /// Spread of the logarithm.
    sd: f64,
    /// Degrees of freedom.
    dof: f64,
    /// Recorded peaks.
    pub peaks: usize,
    /// Runs that died.
    pub deaths: usize,
    /// (mean, spread) that are as likely as each other.
    grid: Vec<(f64, f64)>,
}

impl Need {
    /// Fits; `None` without a single recorded peak: deaths alone bound the need from one side.
    pub fn fit(seen: &[Seen], fleet: &Fleet) -> Option<Self> {
        let peaks = seen.iter().filter(|one| !one.died).count();
        if peaks == 0 {
            return None;
        }
        let all = seen.len() as f64;
        let standard = Normal::standard();
        let mut mean = seen.iter().map(|one| one.ln).sum::<f64>() / all;
        let mut variance = fleet.variance;
        for _ in 0..ROUNDS {
            let sd = variance.sqrt();
            // First and second moment of each observation under the fit so far.
            let moments = seen.iter().map(|one| {
                if !one.died {
                    return (one.ln, one.ln * one.ln);
                }
                let z = (one.ln - mean) / sd;
                // Far above the mean the ratio tends to z itself.
                let above = standard.sf(z);
                let hazard = if above > 1e-12 { standard.pdf(z) / above } else { z + 1.0 / z };
                let first = mean + sd * hazard;
                (first, mean * mean + variance + sd * hazard * (one.ln + mean))
            });
            let (first, second) = moments.fold((0.0, 0.0), |sum, m| (sum.0 + m.0, sum.1 + m.1));
            mean = first / all;
            let squares = (second - all * mean * mean).max(0.0);
            variance = (PRIOR_DOF * fleet.variance + squares) / (PRIOR_DOF + all - 1.0);
        }
        let dof = PRIOR_DOF + peaks as f64 - 1.0;
        let sd = variance.sqrt();
        let grid = grid(mean, sd, dof, peaks as f64);
        Some(Self { mean, sd, dof, peaks, deaths: seen.len() - peaks, grid })
    }

    /// The chance that the next run needs more than `bytes`.
    pub fn chance(&self, bytes: f64) -> f64 {
        let spread = self.sd * (1.0 + 1.0 / self.peaks as f64).sqrt();
        let at = (bytes.ln() - self.mean) / spread;
        StudentsT::new(0.0, 1.0, self.dof).map_or(1.0, |student| student.sf(at))
    }

    /// The chance is at most this, with 95 % confidence.
    pub fn chance_at_most(&self, bytes: f64) -> f64 {
        let standard = Normal::standard();
        let of = |(mean, sd): &(f64, f64)| standard.sf((bytes.ln() - mean) / sd);
        let mut chances: Vec<f64> = self.grid.iter().map(of).collect();
        chances.sort_by(f64::total_cmp);
        chances[chances.len() * 19 / 20]
    }

    /// The size that half of the runs need more than, in bytes.
    pub fn median(&self) -> f64 {
        self.mean.exp()
    }

    /// The size that one run in twenty needs more than, in bytes.
    pub fn p95(&self) -> f64 {
        (self.mean + 1.645 * self.sd).exp()
    }
}

/// Means and spreads at the middles of equally likely parts.
fn grid(mean: f64, sd: f64, dof: f64, runs: f64) -> Vec<(f64, f64)> {
    let middles = (0..GRID).map(|part| (part as f64 + 0.5) / GRID as f64);
    let chi = ChiSquared::new(dof).ok();
    let standard = Normal::standard();
    let mut out = Vec::with_capacity(GRID * GRID);
    for p in middles.clone() {
        let quantile = chi.map_or(dof, |chi| chi.inverse_cdf(p));
        let spread = sd * (dof / quantile.max(1e-9)).sqrt();
        for p in middles.clone() {
            out.push((mean + spread / runs.sqrt() * standard.inverse_cdf(p), spread));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of a log-normal as if they had been drawn, cut at `cap`: above it they died.
    fn drawn(mean: f64, sd: f64, count: usize, cap: f64) -> Vec<Seen> {
        let standard = Normal::standard();
        let draw = |place: usize| {
            let ln = mean + sd * standard.inverse_cdf((place as f64 + 0.5) / count as f64);
            if ln > cap { Seen { ln: cap, died: true } } else { Seen { ln, died: false } }
        };
        (0..count).map(draw).collect()
    }

    #[test]
    fn a_known_need_is_found_also_where_many_died() {
        let (mean, sd) = (2.0, 0.4);
        for cap in [f64::INFINITY, 2.3, 2.0] {
            let seen = drawn(mean, sd, 400, cap);
            let need = Need::fit(&seen, &Fleet { variance: sd * sd }).unwrap();
            assert!((need.mean - mean).abs() < 0.03, "{cap}: {need:?}");
            assert!((need.sd - sd).abs() < 0.03, "{cap}: {need:?}");
            // Without the deaths it would look smaller than it is.
            let survivors: Vec<Seen> = seen.iter().copied().filter(|one| !one.died).collect();
            let naive = Need::fit(&survivors, &Fleet { variance: sd * sd }).unwrap();
            if cap < 3.0 {
                assert!(naive.mean < mean - 0.05, "{cap}: {naive:?}");
                assert!(naive.chance(2.5_f64.exp()) < need.chance(2.5_f64.exp()) / 2.0);
            }
        }
    }

    #[test]
    fn few_runs_are_no_certainty() {
        let fleet = Fleet { variance: 0.04 };
        let few = Need::fit(&drawn(2.0, 0.02, 3, 9.0), &fleet).unwrap();
        let many = Need::fit(&drawn(2.0, 0.02, 300, 9.0), &fleet).unwrap();
        let size = 2.2_f64.exp();
        assert!(few.chance(size) > 20.0 * many.chance(size).max(1e-6), "{few:?}");
        for need in [&few, &many] {
            assert!(need.chance_at_most(size) >= need.chance(size) * 0.5);
            // More memory never runs out more often.
            let sizes = (10..40).map(|tenth| f64::from(tenth / 10).exp());
            let chances: Vec<f64> = sizes.map(|size| need.chance_at_most(size)).collect();
            assert!(chances.is_sorted_by(|a, b| a >= b), "{chances:?}");
        }
        assert_eq!(Need::fit(&[Seen { ln: 2.0, died: true }], &fleet), None);
    }

    #[test]
    fn the_fleet_is_the_pooled_spread() {
        let wide = drawn(1.0, 0.3, 200, 9.0);
        let one = [Seen { ln: 7.0, died: false }];
        let fleet = Fleet::of([&wide[..], &one[..], &[]]);
        assert!((fleet.variance.sqrt() - 0.3).abs() < 0.01, "{fleet:?}");
        assert_eq!(Fleet::of([&one[..]]).variance, 0.0625);
    }
}
