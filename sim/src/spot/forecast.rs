//! The weather of capacity pools alone, without a platform under it: for fits and tests.

use super::SpotMarket;
use crate::Seed;
use crate::scenario::{RecordedPool, RecordedSpot, SpotModel, SpotStep};
use crate::units::SimTime;

/// What the pools `(instance type, zone, band)` go through under `model` until `span`, as if it had
/// been recorded: the same draws as in a simulation with that seed.
pub fn forecast(
    model: &SpotModel,
    pools: &[(&str, &str, Option<u8>)],
    seed: Seed,
    span: SimTime,
) -> RecordedSpot {
    let mut market = SpotMarket::default();
    for (instance_type, zone, band) in pools {
        market.place_of(instance_type, zone, *band);
    }
    market.set_weather(model, seed);
    let mut changes: Vec<(SimTime, usize, bool, f64)> = Vec::new();
    let mut at_start = vec![0u32; market.processes.len()];
    for (place, process) in market.processes.iter_mut().enumerate() {
        let mut next = process.start(seed);
        at_start[place] = u32::from(process.tight);
        while let Some(turn) = next.filter(|turn| turn.at < span) {
            changes.push((turn.at, place, turn.tight, turn.share_taken));
            next = process.turn(seed, &turn);
        }
    }
    changes.sort_by_key(|(at, place, ..)| (*at, *place));
    let pools = (0..market.pools.len()).map(|pool| {
        let mine = |place: usize| market.processes[place].pools.contains(&(pool as u32));
        let mut held: Vec<u32> =
            (0..at_start.len()).map(|place| at_start[place] * u32::from(mine(place))).collect();
        let start = held.iter().any(|tight| *tight > 0);
        let mut steps = vec![SpotStep { at: SimTime::ZERO, tight: start, share_taken: 0.0 }];
        for (at, place, tight, share_taken) in changes.iter().filter(|change| mine(change.1)) {
            held[*place] = u32::from(*tight);
            let tight = held.iter().any(|tight| *tight > 0);
            let last = &steps[steps.len() - 1];
            if last.tight != tight || *share_taken > 0.0 {
                steps.push(SpotStep { at: *at, tight, share_taken: *share_taken });
            }
        }
        let of = &market.pools[pool];
        RecordedPool { instance_type: of.instance_type.clone(), zone: of.zone.clone(), steps }
    });
    RecordedSpot { pools: pools.collect(), span }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Spells;

    /// Moments, each after a random-free step, at which two pools are tight or not.
    fn phi(weather: &RecordedSpot, first: usize, second: usize) -> f64 {
        let mut counts = [[0.0f64; 2]; 2];
        let mut places = [0, 0];
        let step = 300_000;
        for at in (0..weather.span.as_millis()).step_by(step) {
            let state = [first, second].map(|pool| &weather.pools[pool].steps);
            let mut tight = [false; 2];
            for (side, steps) in state.into_iter().enumerate() {
                while steps.get(places[side] + 1).is_some_and(|s| s.at.as_millis() <= at) {
                    places[side] += 1;
                }
                tight[side] = steps[places[side]].tight;
            }
            counts[usize::from(tight[0])][usize::from(tight[1])] += 1.0;
        }
        let [[none, right], [left, both]] = counts;
        let product = (none + right) * (left + both) * (none + left) * (right + both);
        (none * both - left * right) / product.sqrt()
    }

    fn often(spells: Spells) -> SpotModel {
        SpotModel::PoolShocks { mean_hours_between: 4.0, spells }
    }

    const ZONES: [(&str, &str, Option<u8>); 3] = [
        ("r5.4xlarge", "us-west-2a", Some(2)),
        ("r5.4xlarge", "us-west-2b", Some(2)),
        ("r5.4xlarge", "us-east-1a", Some(2)),
    ];

    /// facts-cloud 0.4: 0.39 to 0.59 within a region, 0.03 to 0.20 between regions.
    #[test]
    fn zones_of_a_region_move_together_and_regions_do_not() {
        let year = SimTime::from_millis(365 * 24 * 3_600_000);
        let mut within = Vec::new();
        let mut across = Vec::new();
        for root in 0..6 {
            let weather = forecast(&often(Spells::default()), &ZONES, Seed::new(root), year);
            within.push(phi(&weather, 0, 1));
            across.push(phi(&weather, 0, 2));
        }
        let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
        assert!((0.35..0.55).contains(&mean(&within)), "{within:?}");
        assert!(mean(&across).abs() < 0.06, "{across:?}");
    }

    #[test]
    fn pools_do_not_feel_which_others_there_are() {
        let week = SimTime::from_millis(7 * 24 * 3_600_000);
        let model = often(Spells::default());
        let alone = forecast(&model, &ZONES[1..2], Seed::new(5), week);
        let together = forecast(&model, &ZONES, Seed::new(5), week);
        assert_eq!(alone.pools[0], together.pools[1]);
    }

    #[test]
    fn shocks_come_as_often_as_asked_and_lengths_are_heavy_tailed() {
        let years = SimTime::from_millis(40 * 365 * 24 * 3_600_000);
        let spells = Spells { zone_correlation: 0.0, ..Spells::default() };
        let weather = forecast(&often(spells), &ZONES[..2], Seed::new(3), years);
        let hours = years.as_millis() as f64 / 3.6e6;
        let shocks =
            |pool: usize| weather.pools[pool].steps.iter().filter(|s| s.share_taken > 0.0).count();
        // Within band 2, the rate is between 0.8 and 1.2 of the middle's.
        for pool in [0, 1] {
            let between = hours / shocks(pool) as f64;
            assert!((3.1..5.3).contains(&between), "{between}");
        }
        let steps = &weather.pools[0].steps;
        let calm = steps.windows(2).filter(|pair| !pair[0].tight);
        let mut calm: Vec<f64> =
            calm.map(|pair| pair[1].at.since(pair[0].at).as_secs_f64()).collect();
        calm.sort_by(f64::total_cmp);
        let mean = calm.iter().sum::<f64>() / calm.len() as f64;
        let ratio = mean / calm[calm.len() / 2];
        // exp(1.75 squared / 2) = 4.6.
        assert!((3.0..7.0).contains(&ratio), "{ratio}");
    }

    /// Once in a month, a node of a pool in band 1 is taken with 5 to 10 %.
    #[test]
    fn the_advisors_bands_are_met() {
        let years = SimTime::from_millis(400 * 365 * 24 * 3_600_000);
        let pools = [("c5.large", "eu-west-1a", Some(1)), ("c5.large", "eu-west-1b", Some(4))];
        let model = SpotModel::Advisor { spells: Spells::default() };
        let weather = forecast(&model, &pools, Seed::new(1), years);
        let taken = |pool: usize| {
            let months = years.as_millis() as f64 / 3.6e6 / 730.5;
            let steps = weather.pools[pool].steps.iter();
            let left: f64 = steps.map(|step| (1.0 - step.share_taken).ln()).sum();
            1.0 - (left / months).exp()
        };
        // A shock takes each node with 25 %: ln(0.75) is a little more than 0.25.
        assert!((0.045..0.125).contains(&taken(0)), "{}", taken(0));
        assert!(taken(1) > 0.18, "{}", taken(1));
    }
}
