//! Fits the shock model (`sim::scenario::SpotModel::PoolShocks`) to a recorded series, and says how
//! well it fits.
//!
//! Fitted: lengths of calm and tight spells as log-normal by maximum likelihood, spells that the
//! end of the recording cuts off as censored, those that its beginning cuts off left out; shock
//! sizes, where nodes were counted; the phi correlation of every two pools on a grid of a minute;
//! shocks an hour. Said about it: the Kolmogorov-Smirnov distance with a p-value by parametric
//! bootstrap (the same draws each time), for the log-normal and for the exponential it is to be
//! better than; quantiles side by side; and the recording's own figures against those of the fitted
//! model, drawn many times for the same pools and the same time.
//!
//! Leaves out: that a series of probes sees changes only at its probes, so that spells shorter than
//! their interval are missing and the others are multiples of it (the bootstrap then rejects any
//! smooth law when there are many spells); trends and hours of the day. In-sample: the same
//! recording fits and judges. Source: none beyond the series itself.

mod correlation;
mod ks;
mod lognormal;
mod replay;
mod special;

use serde::Serialize;

use crate::spot_series::{PoolSeries, WeatherSeries, WeatherStep};

pub use correlation::Pair;
pub use replay::Against;

/// Fewer complete spells are not fitted.
const SPELLS_MIN: usize = 3;

/// More pools are not correlated with each other.
const PAIRS_POOLS_MAX: usize = 60;

/// The fit of a series.
#[derive(Debug, Clone, Serialize)]
pub struct SpotFit {
    /// Pools in the series.
    pub pools: usize,
    /// Pools that were ever tight.
    pub pools_tight_ever: usize,
    /// Hours that were recorded.
    pub hours: f64,
    /// Shocks: falls of a number of nodes, or calm pools that went tight.
    pub shocks: usize,
    /// Tight spells that began while they were recorded.
    pub spells: usize,
    /// Hours between the beginnings of two tight spells of a pool, on average over all pools.
    pub mean_hours_between: Option<f64>,
    /// Share of the time in which pools are tight, on average over all pools.
    pub tight_share: f64,
    /// Calm spells.
    pub calm: Option<SpellFit>,
    /// Tight spells.
    pub tight: Option<SpellFit>,
    /// Shock sizes, where nodes were counted.
    pub sizes: Option<Sizes>,
    /// Correlation of zones.
    pub correlation: Correlations,
    /// The recording against the fitted model.
    pub against: Vec<Against>,
    /// What to put into a scenario under `assumptions.spot`.
    pub model: Model,
    /// What the figures cannot say.
    pub notes: Vec<String>,
}

/// Lengths of spells, hours.
#[derive(Debug, Clone, Serialize)]
pub struct SpellFit {
    /// Spells whose beginning and end were seen.
    pub complete: usize,
    /// Spells that the end of the recording cut off.
    pub censored: usize,
    /// Their mean.
    pub mean: f64,
    /// The fitted log-normal's mean.
    pub fitted_mean: f64,
    /// The fitted sigma of the logarithm.
    pub sigma: f64,
    /// Quantiles side by side.
    pub quantiles: Vec<Quantile>,
    /// Distance from the fitted log-normal.
    pub lognormal: Distance,
    /// Distance from an exponential of the same mean.
    pub exponential: Distance,
}

/// A quantile of complete spells, hours.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Quantile {
    /// Which one.
    pub q: f64,
    /// As recorded.
    pub recorded: f64,
    /// Of the fitted log-normal.
    pub fitted: f64,
}

/// A Kolmogorov-Smirnov distance.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Distance {
    /// The largest difference of the two distribution functions.
    pub ks: f64,
    /// How often a sample of the fitted law, fitted again, is as far from its fit.
    pub p_value: f64,
}

/// Shares of nodes that shocks took.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Sizes {
    /// Shocks that were counted.
    pub shocks: usize,
    /// All nodes taken over all nodes that were there.
    pub share: f64,
    /// The mean over tight spells of what all shocks of a spell took together: the model has one
    /// shock a spell.
    pub share_by_spell: f64,
    /// Median share.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// Largest share.
    pub max: f64,
    /// Variance of the number taken over that of nodes that are taken one by one with that share: 1
    /// is what the model draws.
    pub dispersion: f64,
}

/// Correlations between pools.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Correlations {
    /// Mean phi of one instance type in two zones of a region.
    pub within_region: Option<f64>,
    /// Mean phi of two instance types of a zone.
    pub within_zone: Option<f64>,
    /// Mean phi of pools of different regions.
    pub across_regions: Option<f64>,
    /// Every two pools of which both were sometimes tight.
    pub pairs: Vec<Pair>,
}

/// `assumptions.spot`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// Always `pool-shocks`.
    pub model: &'static str,
    /// Hours between two shocks of a pool, on average.
    pub mean_hours_between: f64,
    /// Share of nodes that a shock takes.
    pub share_taken: f64,
    /// Spread of calm spells.
    pub calm_sigma: f64,
    /// Mean length of tight spells.
    pub tight_hours: f64,
    /// Spread of tight spells.
    pub tight_sigma: f64,
    /// Correlation of two zones.
    pub zone_correlation: f64,
}

/// Spells of one kind.
#[derive(Debug, Default)]
struct Lengths {
    complete: Vec<f64>,
    censored: Vec<f64>,
}

/// Fits the model to `series`.
pub fn fit_spot(series: &WeatherSeries) -> SpotFit {
    let hours = series.span_ms as f64 / 3.6e6;
    let [calm, tight] = lengths(series);
    let shocks = series.pools.iter().map(shocks_of).sum::<usize>();
    let spells = series.pools.iter().map(spells_of).sum::<usize>();
    let pool_hours = hours * series.pools.len() as f64;
    let recorded = series.to_recorded(0.0);
    let shares: Vec<f64> = recorded.pools.iter().map(|p| p.tight_share(recorded.span)).collect();
    let tight_share = mean(&shares).unwrap_or(0.0);
    let mut fit = SpotFit {
        pools: series.pools.len(),
        pools_tight_ever: shares.iter().filter(|share| **share > 0.0).count(),
        hours,
        shocks,
        spells,
        mean_hours_between: (spells > 0).then(|| pool_hours / spells as f64),
        tight_share,
        calm: spell_fit(&calm, "calm"),
        tight: spell_fit(&tight, "tight"),
        sizes: sizes(series),
        correlation: correlation::of(&recorded),
        against: Vec::new(),
        model: default_model(),
        notes: Vec::new(),
    };
    (fit.model, fit.notes) = model(&fit);
    if fit.shocks > 0 {
        fit.against = replay::against(&fit.model, series);
    }
    fit
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The value at quantile `q` of sorted values.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = (q * (sorted.len() as f64 - 1.0)).round().max(0.0) as usize;
    sorted.get(place).copied().unwrap_or(0.0)
}

/// Changes of a pool after the first step, each with the step before it.
fn changes(pool: &PoolSeries) -> impl Iterator<Item = (&WeatherStep, &WeatherStep)> {
    pool.steps.windows(2).map(|pair| (&pair[0], &pair[1]))
}

/// A pool's tight spells.
fn spells_of(pool: &PoolSeries) -> usize {
    changes(pool).filter(|(before, step)| step.tight && !before.tight).count()
}

/// A pool's shocks: falls that were counted, or turns from calm to tight.
fn shocks_of(pool: &PoolSeries) -> usize {
    let is_shock = |(before, step): &(&WeatherStep, &WeatherStep)| {
        step.taken.is_some() || (step.tight && !before.tight)
    };
    changes(pool).filter(is_shock).count()
}

/// What was taken in each tight spell, of the nodes at its beginning.
fn taken_by_spell(series: &WeatherSeries) -> Vec<f64> {
    let mut shares = Vec::new();
    for pool in &series.pools {
        let mut left: Option<f64> = None;
        for (before, step) in changes(pool) {
            if !before.tight {
                shares.extend(left.take().map(|left| 1.0 - left));
            }
            if let Some((taken, of)) = step.taken {
                let stays = 1.0 - f64::from(taken) / f64::from(of.max(1));
                left = Some(left.unwrap_or(1.0) * stays);
            }
        }
        shares.extend(left.map(|left| 1.0 - left));
    }
    shares
}

/// Lengths of calm and of tight spells, hours. A pool's first spell began before the recording.
fn lengths(series: &WeatherSeries) -> [Lengths; 2] {
    let mut found = [Lengths::default(), Lengths::default()];
    for pool in &series.pools {
        let mut steps: Vec<(u64, bool)> =
            pool.steps.iter().map(|step| (step.at_ms, step.tight)).collect();
        steps.dedup_by_key(|(_, tight)| *tight);
        for pair in steps.windows(2).skip(1) {
            let hours = (pair[1].0 - pair[0].0) as f64 / 3.6e6;
            found[usize::from(pair[0].1)].complete.push(hours);
        }
        if let Some((from, tight)) = steps.last().filter(|_| steps.len() > 1) {
            let hours = series.span_ms.saturating_sub(*from) as f64 / 3.6e6;
            found[usize::from(*tight)].censored.push(hours);
        }
    }
    for lengths in &mut found {
        // What began and ended in one row has no length that a logarithm could take.
        lengths.complete.retain(|hours| *hours > 0.0);
        lengths.censored.retain(|hours| *hours > 0.0);
        lengths.complete.sort_by(f64::total_cmp);
    }
    found
}

fn spell_fit(lengths: &Lengths, purpose: &str) -> Option<SpellFit> {
    if lengths.complete.len() < SPELLS_MIN {
        return None;
    }
    let law = lognormal::fit(&lengths.complete, &lengths.censored)?;
    // How far off it is can be told of complete spells only, and from a law fitted to those.
    let complete = lognormal::fit(&lengths.complete, &[])?;
    let quantiles = [0.5, 0.9, 0.99].map(|q| Quantile {
        q,
        recorded: quantile(&lengths.complete, q),
        fitted: law.quantile(q),
    });
    Some(SpellFit {
        complete: lengths.complete.len(),
        censored: lengths.censored.len(),
        mean: mean(&lengths.complete).unwrap_or(0.0),
        fitted_mean: law.mean(),
        sigma: law.sigma,
        quantiles: quantiles.to_vec(),
        lognormal: ks::lognormal(&lengths.complete, complete, purpose),
        exponential: ks::exponential(&lengths.complete, purpose),
    })
}

fn sizes(series: &WeatherSeries) -> Option<Sizes> {
    let steps = series.pools.iter().flat_map(|pool| &pool.steps);
    let counted: Vec<(f64, f64)> = steps
        .filter_map(|step| step.taken)
        .map(|(taken, of)| (f64::from(taken), f64::from(of.max(1))))
        .collect();
    if counted.is_empty() {
        return None;
    }
    let (taken, of) = counted.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let share = taken / of;
    let mut shares: Vec<f64> = counted.iter().map(|(taken, of)| taken / of).collect();
    shares.sort_by(f64::total_cmp);
    let squares: f64 = counted.iter().map(|(taken, of)| (taken - of * share).powi(2)).sum();
    let drawn = of * share * (1.0 - share);
    Some(Sizes {
        shocks: counted.len(),
        share,
        share_by_spell: mean(&taken_by_spell(series)).unwrap_or(share),
        p50: quantile(&shares, 0.5),
        p90: quantile(&shares, 0.9),
        max: quantile(&shares, 1.0),
        dispersion: if drawn > 0.0 { squares / drawn } else { 0.0 },
    })
}

fn default_model() -> Model {
    let spells = sim::scenario::Spells::default();
    Model {
        model: "pool-shocks",
        mean_hours_between: 24.0,
        share_taken: spells.share_taken,
        calm_sigma: spells.calm_sigma,
        tight_hours: spells.tight_hours,
        tight_sigma: spells.tight_sigma,
        zone_correlation: spells.zone_correlation,
    }
}

/// The model with every number that the fit has, within the scenario file's limits; and which ones
/// it has not.
fn model(fit: &SpotFit) -> (Model, Vec<String>) {
    let mut model = default_model();
    let mut notes = Vec::new();
    let digits = |value: f64| (value * 1e4).round() / 1e4;
    let mut set = |value: &mut f64, found: Option<f64>, limits: (f64, f64), name: &str| match found
        .filter(|found| found.is_finite())
    {
        Some(found) => *value = digits(found.clamp(limits.0, limits.1)),
        None => notes.push(format!("`{name}` is the default: the series does not tell it")),
    };
    let share = fit.sizes.map(|sizes| sizes.share_by_spell);
    set(&mut model.share_taken, share, (0.0, 1.0), "shareTaken");
    let calm = fit.calm.as_ref().map(|calm| calm.sigma);
    set(&mut model.calm_sigma, calm, (0.0, 4.0), "calmSigma");
    let tight = fit.tight.as_ref().map(|tight| tight.sigma);
    set(&mut model.tight_sigma, tight, (0.0, 4.0), "tightSigma");
    let phi = fit.correlation.within_region;
    set(&mut model.zone_correlation, phi, (0.0, 1.0), "zoneCorrelation");
    // The share of time in which pools are tight and how often that begins are what the model has
    // to give, whatever the tails: see `sim`'s `spot::weather` for its two parts.
    let own = (1.0 - model.zone_correlation) * fit.tight_share;
    let regional = (fit.tight_share - own) / (1.0 - own).max(f64::MIN_POSITIVE);
    let begins = own * (1.0 - regional) + regional * (1.0 - own);
    let length = fit.mean_hours_between.map(|between| begins * between);
    let length = length.filter(|hours| *hours > 0.0);
    set(&mut model.tight_hours, length, (0.001, 1e4), "tightHours");
    let between = length.map(|hours| hours / (own + regional));
    set(&mut model.mean_hours_between, between, (0.01, 1e6), "meanHoursBetween");
    (model, notes)
}

#[cfg(test)]
mod tests;
