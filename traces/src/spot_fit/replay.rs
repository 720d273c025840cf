//! The fitted model, drawn for the pools and the time of the recording, against the recording.

use serde::Serialize;
use sim::Seed;
use sim::scenario::{RecordedSpot, Spells, SpotModel};
use sim::units::SimTime;

use super::{Model, correlation, quantile};
use crate::spot_series::WeatherSeries;

/// How often it is drawn.
const DRAWS: u64 = 100;
/// Pools that are drawn, at most.
const POOLS_MAX: usize = 60;

/// A figure of the recording, and of the fitted model over many draws.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Against {
    /// Which one.
    pub figure: &'static str,
    /// As recorded.
    pub recorded: f64,
    /// The model's mean.
    pub mean: f64,
    /// The model's 5th percentile.
    pub p05: f64,
    /// The model's 95th percentile.
    pub p95: f64,
}

pub(super) fn against(model: &Model, series: &WeatherSeries) -> Vec<Against> {
    let recorded = series.to_recorded(1.0);
    let spells = Spells {
        share_taken: model.share_taken,
        calm_sigma: model.calm_sigma,
        tight_hours: model.tight_hours,
        tight_sigma: model.tight_sigma,
        zone_correlation: model.zone_correlation,
    };
    let mean_hours_between = model.mean_hours_between;
    let law = SpotModel::PoolShocks { mean_hours_between, spells };
    let pools = recorded.pools.iter().take(POOLS_MAX);
    let pools: Vec<(&str, &str, Option<u8>)> =
        pools.map(|pool| (pool.instance_type.as_str(), pool.zone.as_str(), Some(2))).collect();
    let mut drawn: Vec<[Option<f64>; 4]> = Vec::new();
    for root in 0..DRAWS {
        let weather = sim::forecast(&law, &pools, Seed::new(root), recorded.span);
        drawn.push(figures(&weather));
    }
    let names =
        ["spells per pool and day", "share of time tight", "longest calm spell h", "zones' phi"];
    let own = figures(&recorded);
    let of = |(place, figure): (usize, &'static str)| {
        let mut values: Vec<f64> = drawn.iter().filter_map(|figures| figures[place]).collect();
        values.sort_by(f64::total_cmp);
        let mean = super::mean(&values)?;
        let (p05, p95) = (quantile(&values, 0.05), quantile(&values, 0.95));
        Some(Against { figure, recorded: own[place]?, mean, p05, p95 })
    };
    names.into_iter().enumerate().filter_map(of).collect()
}

fn figures(weather: &RecordedSpot) -> [Option<f64>; 4] {
    let days = weather.span.as_millis() as f64 / 8.64e7;
    if weather.pools.is_empty() || days <= 0.0 {
        return [None; 4];
    }
    let pools = weather.pools.len() as f64;
    let (mut onsets, mut tight, mut longest) = (0usize, 0.0, 0u64);
    for pool in &weather.pools {
        onsets += pool.steps.windows(2).filter(|pair| pair[1].tight && !pair[0].tight).count();
        tight += pool.tight_share(weather.span);
        let mut calm_since = None;
        for (at, now) in pool.steps.iter().map(|s| (s.at, s.tight)).chain([(weather.span, true)]) {
            match (calm_since, now) {
                (None, false) => calm_since = Some(at),
                (Some(from), true) => {
                    longest = longest.max(SimTime::since(at, from).as_millis());
                    calm_since = None;
                }
                _ => {}
            }
        }
    }
    let phi = correlation::of(weather).within_region;
    [Some(onsets as f64 / pools / days), Some(tight / pools), Some(longest as f64 / 3.6e6), phi]
}
