//! The phi correlation of every two pools being tight, on a grid of a minute.

use serde::Serialize;
use sim::scenario::{RecordedPool, RecordedSpot};

use super::{Correlations, PAIRS_POOLS_MAX, mean};

const STEP_MS: u64 = 60_000;
/// A longer recording is looked at less often.
const SAMPLES_MAX: u64 = 200_000;

/// Two pools.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// Zone and instance type of one.
    pub first: String,
    /// Of the other one.
    pub second: String,
    /// Correlation, -1 to 1.
    pub phi: f64,
}

/// Correlations of the first pools of a series.
pub(super) fn of(series: &RecordedSpot) -> Correlations {
    let span = series.span.as_millis();
    let step = STEP_MS.max(span / SAMPLES_MAX);
    let pools = &series.pools[..series.pools.len().min(PAIRS_POOLS_MAX)];
    let states: Vec<Vec<bool>> = pools.iter().map(|pool| states(pool, span, step)).collect();
    let mut out = Correlations::default();
    let (mut within, mut zone, mut across) = (Vec::new(), Vec::new(), Vec::new());
    for (place, first) in pools.iter().enumerate() {
        for (other, second) in pools.iter().enumerate().skip(place + 1) {
            let Some(phi) = phi(&states[place], &states[other]) else { continue };
            let name = |pool: &RecordedPool| format!("{} {}", pool.zone, pool.instance_type);
            out.pairs.push(Pair { first: name(first), second: name(second), phi });
            let known = !first.zone.is_empty() && !second.zone.is_empty();
            let same_type = first.instance_type == second.instance_type;
            match (first.zone == second.zone, region(first) == region(second)) {
                _ if !known => {}
                (true, _) => zone.push(phi),
                (false, true) if same_type => within.push(phi),
                (false, true) => {}
                (false, false) => across.push(phi),
            }
        }
    }
    out.within_region = mean(&within);
    out.within_zone = mean(&zone);
    out.across_regions = mean(&across);
    out
}

fn region(pool: &RecordedPool) -> &str {
    pool.zone.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end_matches('-')
}

fn states(pool: &RecordedPool, span: u64, step: u64) -> Vec<bool> {
    let mut place = 0;
    let mut states = Vec::new();
    for at in (0..span).step_by(step as usize) {
        while pool.steps.get(place + 1).is_some_and(|next| next.at.as_millis() <= at) {
            place += 1;
        }
        states.push(pool.steps.get(place).is_some_and(|step| step.tight));
    }
    states
}

/// `None` where one of them never changes.
fn phi(first: &[bool], second: &[bool]) -> Option<f64> {
    let mut counts = [[0.0f64; 2]; 2];
    for (a, b) in first.iter().zip(second) {
        counts[usize::from(*a)][usize::from(*b)] += 1.0;
    }
    let [[none, right], [left, both]] = counts;
    let product = (none + right) * (left + both) * (none + left) * (right + both);
    (product > 0.0).then(|| (none * both - left * right) / product.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phi_of_small_tables() {
        let of = |a: &str, b: &str| {
            let bits = |text: &str| text.chars().map(|c| c == '1').collect::<Vec<bool>>();
            phi(&bits(a), &bits(b))
        };
        assert_eq!(of("0011", "0011"), Some(1.0));
        assert_eq!(of("0011", "1100"), Some(-1.0));
        assert_eq!(of("0011", "0101"), Some(0.0));
        assert_eq!(of("0000", "0101"), None);
    }
}
