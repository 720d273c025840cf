//! What an application's executors need, from peaks that were recorded and deaths that were not
//! survived.
//!
//! The logarithm of the need is normal. Deaths are right-censored observations; the fit is the usual
//! expectation-maximisation. How much runs of one application differ is learnt from all applications:
//! a spread and the number of runs that it counts for beside an application's own, so that three runs
//! that happen to be alike do not pass for certainty; and where needs stand to what is asked for,
//! with the number of runs that this counts for. Chances are those of the next run: Student's t,
//! as mean and spread are only estimated; `chance_at_most` is the 95th percentile over what mean and
//! spread may be. Leaves out that an application's need may drift or follow its input.
//!
//! Source: Gelman et al., Bayesian Data Analysis, 3rd edition, 3.2 (normal data, scaled inverse
//! chi-squared variance); Smyth 2004 for the prior from many variances (here by its likelihood, of
//! F-distributed ratios); Dempster, Laird, Rubin 1977 for censored data.

use statrs::distribution::{
    ChiSquared, Continuous, ContinuousCDF, FisherSnedecor, Normal, StudentsT,
};

/// Runs that the fleet's spread may count for.
const PRIOR_DOFS: [f64; 10] = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0, 64.0];
/// Runs that it counts for where too few applications say how much spreads differ. A guess.
const PRIOR_DOF_UNKNOWN: f64 = 4.0;
/// Applications with two peaks or more that say something about all of them. A guess.
const APPLICATIONS_MIN: usize = 10;
/// Steps of the prior's variance, each a tenth up, from a tenth of the pooled variance on.
const VARIANCE_STEPS: i32 = 32;
/// Least variance: peaks that are all the same are a recording's rounding, not certainty.
const VARIANCE_MIN: f64 = 1e-4;
/// The spread where no application has two runs: a quarter up or down. A guess.
const SPREAD_UNKNOWN: f64 = 0.25;
/// Rounds of the fit.
const ROUNDS: usize = 100;
/// Points in each direction of the grid over mean and spread.
const GRID: usize = 20;

/// What is known of an application.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Its runs.
    pub seen: &'a [Seen],
    /// Logarithm of the container's bytes that it asks for.
    pub asked: f64,
}

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
    /// Runs that it counts for beside an application's own.
    pub dof: f64,
    /// Logarithm of the need over what is asked for: its mean over applications.
    pub offset: f64,
    /// Runs that this counts for beside an application's own.
    pub weight: f64,
}

impl Fleet {
    /// What the peaks of `applications` say.
    pub fn of<'a>(applications: impl IntoIterator<Item = Observed<'a>>) -> Self {
        let mut spreads = Vec::new();
        let mut offsets = Vec::new();
        for one in applications {
            spreads.extend(spread(one.seen));
            let peaks: Vec<f64> = one.seen.iter().filter(|s| !s.died).map(|s| s.ln).collect();
            if !peaks.is_empty() {
                let count = peaks.len() as f64;
                offsets.push((peaks.iter().sum::<f64>() / count - one.asked, count));
            }
        }
        let (squares, dof) =
            spreads.iter().fold((0.0, 0.0), |sum, (dof, s2)| (sum.0 + dof * s2, sum.1 + dof));
        let unknown = SPREAD_UNKNOWN * SPREAD_UNKNOWN;
        let pooled = if dof > 0.0 { (squares / dof).max(VARIANCE_MIN) } else { unknown };
        let flat = Self { variance: pooled, dof: PRIOR_DOF_UNKNOWN, offset: 0.0, weight: 0.0 };
        if spreads.len() < APPLICATIONS_MIN {
            return flat;
        }
        let found = likeliest(&spreads, flat);
        let (offset, weight) = offset(&offsets, found.variance);
        Self { offset, weight, ..found }
    }
}

/// Where needs stand to what is asked for, and how many runs that counts for: what applications
/// differ by beyond what their own runs do.
fn offset(offsets: &[(f64, f64)], variance: f64) -> (f64, f64) {
    let count = offsets.len() as f64;
    let mean = offsets.iter().map(|(offset, _)| offset).sum::<f64>() / count;
    let squares = offsets.iter().map(|(offset, _)| (offset - mean).powi(2)).sum::<f64>();
    let noise = offsets.iter().map(|(_, runs)| variance / runs).sum::<f64>() / count;
    let between = (squares / (count - 1.0) - noise).max(VARIANCE_MIN);
    (mean, variance / between)
}

/// Degrees of freedom and variance of an application's peaks.
fn spread(seen: &[Seen]) -> Option<(f64, f64)> {
    let peaks: Vec<f64> = seen.iter().filter(|one| !one.died).map(|one| one.ln).collect();
    let dof = peaks.len().checked_sub(1).filter(|dof| *dof > 0)? as f64;
    let mean = peaks.iter().sum::<f64>() / peaks.len() as f64;
    let squares: f64 = peaks.iter().map(|ln| (ln - mean).powi(2)).sum();
    Some((dof, (squares / dof).max(VARIANCE_MIN)))
}

/// The prior under which the applications' variances are likeliest: over its own, each is
/// F-distributed.
fn likeliest(spreads: &[(f64, f64)], flat: Fleet) -> Fleet {
    let mut best = (f64::NEG_INFINITY, flat);
    for dof in PRIOR_DOFS {
        for step in 0..VARIANCE_STEPS {
            let variance = flat.variance * 0.1 * 1.1_f64.powi(step);
            let of = |(own, s2): &(f64, f64)| {
                let ratio = FisherSnedecor::new(*own, dof);
                ratio.map_or(0.0, |ratio| ratio.ln_pdf(s2 / variance) - variance.ln())
            };
            let likelihood = spreads.iter().map(of).sum::<f64>();
            if likelihood > best.0 {
                best = (likelihood, Fleet { variance, dof, ..flat });
            }
        }
    }
    best.1
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
    /// Runs that say where the mean is, the prior's among them.
    runs: f64,
    /// Recorded peaks.
    pub peaks: usize,
    /// Runs that died.
    pub deaths: usize,
    /// (mean, spread) that are as likely as each other.
    grid: Vec<(f64, f64)>,
}

impl Need {
    /// Fits; `None` without a single recorded peak: deaths alone bound the need from one side.
    pub fn fit(of: Observed<'_>, fleet: &Fleet) -> Option<Self> {
        let Observed { seen, asked } = of;
        let peaks = seen.iter().filter(|one| !one.died).count();
        if peaks == 0 {
            return None;
        }
        let (weight, prior) = (fleet.weight, asked + fleet.offset);
        let all = seen.len() as f64 + weight;
        // Without a prior of its own, the mean takes one degree of freedom.
        let taken = if weight > 0.0 { weight } else { 1.0 };
        let standard = Normal::standard();
        let mut mean = (seen.iter().map(|one| one.ln).sum::<f64>() + weight * prior) / all;
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
            let known = (weight * prior, weight * prior * prior);
            let (first, second) = moments.fold(known, |sum, m| (sum.0 + m.0, sum.1 + m.1));
            mean = first / all;
            let squares = (second - all * mean * mean).max(0.0);
            variance = (fleet.dof * fleet.variance + squares) / (fleet.dof + all - taken);
        }
        let runs = peaks as f64 + weight;
        let dof = fleet.dof + runs - taken;
        let sd = variance.sqrt();
        let grid = grid(mean, sd, dof, runs);
        Some(Self { mean, sd, dof, runs, peaks, deaths: seen.len() - peaks, grid })
    }

    /// The chance that the next run needs more than `bytes`.
    pub fn chance(&self, bytes: f64) -> f64 {
        let spread = self.sd * (1.0 + 1.0 / self.runs).sqrt();
        let at = (bytes.ln() - self.mean) / spread;
        StudentsT::new(0.0, 1.0, self.dof).map_or(1.0, |student| student.sf(at))
    }

    /// The size that the next run needs more than with this chance, in bytes.
    pub fn size_of(&self, chance: f64) -> f64 {
        let spread = self.sd * (1.0 + 1.0 / self.runs).sqrt();
        let student = StudentsT::new(0.0, 1.0, self.dof);
        let at = student.map_or(f64::INFINITY, |student| student.inverse_cdf(1.0 - chance));
        (self.mean + spread * at).exp()
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

    /// Nothing is known of where needs stand to what is asked for.
    fn flat(variance: f64) -> Fleet {
        Fleet { variance, dof: 4.0, offset: 0.0, weight: 0.0 }
    }

    fn of(seen: &[Seen]) -> Observed<'_> {
        Observed { seen, asked: 3.0 }
    }

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
            let need = Need::fit(of(&seen), &flat(sd * sd)).unwrap();
            assert!((need.mean - mean).abs() < 0.03, "{cap}: {need:?}");
            assert!((need.sd - sd).abs() < 0.03, "{cap}: {need:?}");
            // Without the deaths it would look smaller than it is.
            let survivors: Vec<Seen> = seen.iter().copied().filter(|one| !one.died).collect();
            let naive = Need::fit(of(&survivors), &flat(sd * sd)).unwrap();
            if cap < 3.0 {
                assert!(naive.mean < mean - 0.05, "{cap}: {naive:?}");
                assert!(naive.chance(2.5_f64.exp()) < need.chance(2.5_f64.exp()) / 2.0);
            }
        }
    }

    #[test]
    fn few_runs_are_no_certainty() {
        let fleet = flat(0.04);
        let few = Need::fit(of(&drawn(2.0, 0.02, 3, 9.0)), &fleet).unwrap();
        let many = Need::fit(of(&drawn(2.0, 0.02, 300, 9.0)), &fleet).unwrap();
        let size = 2.2_f64.exp();
        assert!(few.chance(size) > 20.0 * many.chance(size).max(1e-6), "{few:?}");
        for need in [&few, &many] {
            assert!(need.chance_at_most(size) >= need.chance(size) * 0.5);
            // More memory never runs out more often.
            let sizes = (10..40).map(|tenth| f64::from(tenth / 10).exp());
            let chances: Vec<f64> = sizes.map(|size| need.chance_at_most(size)).collect();
            assert!(chances.is_sorted_by(|a, b| a >= b), "{chances:?}");
        }
        assert_eq!(Need::fit(of(&[Seen { ln: 2.0, died: true }]), &fleet), None);
    }

    #[test]
    fn sizes_have_the_chances_that_they_were_asked_for() {
        let need = Need::fit(of(&drawn(2.0, 0.3, 9, 9.0)), &flat(0.09)).unwrap();
        for chance in [0.5, 0.1, 0.01] {
            let again = need.chance(need.size_of(chance));
            assert!((again - chance).abs() < 1e-6, "{chance}: {again}");
        }
    }

    #[test]
    fn the_fleet_is_the_pooled_spread() {
        let wide = drawn(1.0, 0.3, 200, 9.0);
        let one = [Seen { ln: 7.0, died: false }];
        let fleet = Fleet::of([of(&wide), of(&one), of(&[])]);
        assert!((fleet.variance.sqrt() - 0.3).abs() < 0.01, "{fleet:?}");
        assert_eq!(Fleet::of([of(&one)]).variance, 0.0625);
    }

    #[test]
    fn applications_that_are_alike_say_much_about_a_new_one() {
        // Spreads of 0.2 everywhere; needs stand half an e-fold below what is asked, give or take.
        let applications = |between: f64| -> Vec<(Vec<Seen>, f64)> {
            let standard = Normal::standard();
            let one = |place: u32| {
                let z = standard.inverse_cdf((f64::from(place) + 0.5) / 40.0);
                let asked = 1.0 + f64::from(place % 5);
                (drawn(asked - 0.5 + between * z, 0.2, 8, 99.0), asked)
            };
            (0..40).map(one).collect()
        };
        let fleet = |between: f64| {
            let all = applications(between);
            Fleet::of(all.iter().map(|(seen, asked)| Observed { seen, asked: *asked }))
        };
        let (alike, unlike) = (fleet(0.1), fleet(1.0));
        assert!(alike.dof >= 32.0 && (alike.variance.sqrt() - 0.2).abs() < 0.03, "{alike:?}");
        assert!((alike.offset + 0.5).abs() < 0.02, "{alike:?}");
        assert!(alike.weight > 2.0 && unlike.weight < 0.1, "{alike:?} {unlike:?}");
        // One run says little; what the others say keeps the chance from being a guess.
        let once = [Seen { ln: 2.0, died: false }];
        let usual = Observed { seen: &once, asked: 2.5 };
        let chance = |fleet: &Fleet| Need::fit(usual, fleet).unwrap().chance(3.0_f64.exp());
        assert!(chance(&alike) < chance(&flat(0.04)) / 4.0, "{}", chance(&alike));
    }
}
