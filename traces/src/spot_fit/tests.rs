//! The fit against weather of which the law is known, and against recordings.

use sim::Seed;
use sim::scenario::{RecordedSpot, Spells, SpotModel};
use sim::units::SimTime;

use super::*;
use crate::spot_series::{PoolSeries, SpotContent, WeatherStep, read_spot_series};

fn as_recorded(weather: &RecordedSpot) -> WeatherSeries {
    let pools = weather.pools.iter().map(|pool| PoolSeries {
        instance_type: pool.instance_type.clone(),
        zone: pool.zone.clone(),
        steps: pool
            .steps
            .iter()
            .map(|step| WeatherStep {
                at_ms: step.at.as_millis(),
                tight: step.tight,
                taken: (step.share_taken > 0.0).then_some((30, 100)),
            })
            .collect(),
    });
    WeatherSeries { pools: pools.collect(), span_ms: weather.span.as_millis() }
}

#[test]
fn a_known_law_is_found_again() {
    let spells = Spells {
        share_taken: 0.3,
        calm_sigma: 1.0,
        tight_hours: 0.5,
        tight_sigma: 0.8,
        zone_correlation: 0.0,
    };
    let law = SpotModel::PoolShocks { mean_hours_between: 10.0, spells };
    let pools = [("m5.large", "us-west-2a", Some(2)), ("m5.large", "us-east-1a", Some(2))];
    let span = SimTime::from_millis(400 * 24 * 3_600_000);
    let weather = sim::forecast(&law, &pools, Seed::new(4), span);
    let fit = fit_spot(&as_recorded(&weather));
    // Each pool's own rate is within 0.8 to 1.2 of the middle of its band.
    assert!((8.0..12.5).contains(&fit.model.mean_hours_between), "{:?}", fit.model);
    assert!((fit.model.share_taken - 0.3).abs() < 1e-9);
    assert!((0.9..1.1).contains(&fit.model.calm_sigma), "{:?}", fit.model);
    assert!((0.42..0.58).contains(&fit.model.tight_hours), "{:?}", fit.model);
    assert!((0.7..0.9).contains(&fit.model.tight_sigma), "{:?}", fit.model);
    let calm = fit.calm.expect("calm spells");
    assert!(calm.lognormal.ks < calm.exponential.ks);
    assert!(fit.correlation.across_regions.is_some_and(|phi| phi.abs() < 0.05));
    let tight = fit.against.iter().find(|row| row.figure == "share of time tight");
    let tight = tight.expect("it is compared");
    assert!(tight.p05 <= tight.recorded * 1.2 && tight.p95 >= tight.recorded * 0.8, "{tight:?}");
}

#[test]
fn a_series_that_says_nothing_gives_the_defaults_and_says_so() {
    for series in [
        WeatherSeries::default(),
        WeatherSeries {
            pools: vec![PoolSeries {
                steps: vec![WeatherStep { at_ms: 0, tight: false, taken: None }],
                ..PoolSeries::default()
            }],
            span_ms: 1000,
        },
    ] {
        let fit = fit_spot(&series);
        assert_eq!(fit.model, default_model());
        assert_eq!(fit.notes.len(), 6);
        assert!(fit.against.is_empty() && fit.calm.is_none());
    }
}

/// The recordings beside the project: log-normal is nearer than exponential wherever there are
/// enough calm spells to tell.
#[test]
fn recordings_are_heavy_tailed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/traces/spot");
    for name in [
        "availability-2020/aws_persistent_2020-03-15.out",
        "availability-2020/gcp_persistent_2020-03-01.out",
        "bamboo/p3-trace.csv",
        "bamboo/aws-spot-instances-p2-xlarge-2020-11-20-to-2020-11-23.csv",
    ] {
        let path = std::path::Path::new(folder).join(name);
        if !path.exists() {
            eprintln!("skipped: {} is not here", path.display());
            continue;
        }
        let series = read_spot_series(&path, None).expect("read");
        let SpotContent::Weather(weather) = series.content else { panic!("{name}") };
        let fit = fit_spot(&weather);
        assert!(fit.shocks > 0, "{name}");
        if let Some(calm) = fit.calm.filter(|calm| calm.complete >= 30) {
            assert!(calm.lognormal.ks < calm.exponential.ks, "{name}: {calm:?}");
        }
    }
}
