//! `NodeResourcesFit`'s strategies, and the plugins of their names that 1.20 had.
//!
//! Three things differ in 1.20: a resource that a node does not have weighs all the same (and
//! scores 0, or what the shape gives a full one); `MostAllocated` gives 0 above capacity; the
//! shape's utilisation is rounded up. The release between that changed these is not known: 1.22,
//! when the strategies became arguments of `NodeResourcesFit`, is a guess.
//! Source: facts-kubernetes 1.1 (K136, K120 `noderesources/`).

use super::super::framework::Cycle;
use super::MAX_SCORE;
use super::resources::{Count, Resource, amount};
use crate::cluster::Node;
use crate::scenario::{KubernetesVersion, ScoreSpec, ShapePoint};

/// A strategy with its resources.
#[derive(Debug)]
pub(super) struct Fit {
    strategy: Strategy,
    resources: Vec<(Resource, i64)>,
    /// As 1.20 did it.
    old: bool,
}

#[derive(Debug)]
enum Strategy {
    Least,
    Most,
    Ratio(Vec<ShapePoint>),
}

impl Fit {
    /// Of a resource strategy; `None` for any other plugin.
    pub(super) fn of(spec: &ScoreSpec, version: KubernetesVersion) -> Option<Self> {
        let (strategy, resources) = match spec {
            ScoreSpec::LeastAllocated { resources } => (Strategy::Least, resources),
            ScoreSpec::MostAllocated { resources } => (Strategy::Most, resources),
            ScoreSpec::RequestedToCapacityRatio { resources, shape } => {
                (Strategy::Ratio(shape.clone()), resources)
            }
            _ => return None,
        };
        let resources = resources.iter().map(|(name, weight)| (Resource::named(name), *weight));
        Some(Self { strategy, resources: resources.collect(), old: version.minor < 22 })
    }

    /// The score of a node.
    pub(super) fn score(&self, cycle: &Cycle<'_>, node: &Node) -> i64 {
        let (mut sum, mut weights) = (0, 0);
        for (resource, weight) in &self.resources {
            let amount = amount(cycle, node, resource, Count::NonZero, !self.old);
            if amount.capacity == 0 && !self.old {
                continue;
            }
            let score = self.of_resource(amount.capacity, amount.used + amount.asked);
            // A ratio of 0 does not weigh.
            if score > 0 || !matches!(self.strategy, Strategy::Ratio(_)) {
                sum += score * weight;
                weights += weight;
            }
        }
        match (&self.strategy, weights) {
            (_, 0) => 0,
            (Strategy::Ratio(_), weights) => (sum as f64 / weights as f64).round() as i64,
            (_, weights) => sum / weights,
        }
    }

    fn of_resource(&self, capacity: i64, requested: i64) -> i64 {
        let above = requested > capacity;
        match &self.strategy {
            Strategy::Least if above || capacity == 0 => 0,
            Strategy::Least => times_hundred(capacity - requested, capacity),
            Strategy::Most if capacity == 0 || (above && self.old) => 0,
            Strategy::Most => times_hundred(requested.min(capacity), capacity),
            Strategy::Ratio(shape) if above || capacity == 0 => on_shape(shape, MAX_SCORE),
            Strategy::Ratio(shape) if self.old => {
                on_shape(shape, MAX_SCORE - times_hundred(capacity - requested, capacity))
            }
            Strategy::Ratio(shape) => on_shape(shape, times_hundred(requested, capacity)),
        }
    }
}

/// `part * 100 / whole` without overflow for any number of bytes.
fn times_hundred(part: i64, whole: i64) -> i64 {
    match part.checked_mul(MAX_SCORE) {
        Some(product) => product / whole,
        None => (i128::from(part) * i128::from(MAX_SCORE) / i128::from(whole)) as i64,
    }
}

/// Integer division truncates toward zero, as upstream's does.
fn on_shape(shape: &[ShapePoint], utilization: i64) -> i64 {
    let scaled = |point: &ShapePoint| point.score * 10;
    let Some(place) = shape.iter().position(|point| utilization <= point.utilization) else {
        return shape.last().map_or(0, scaled);
    };
    let Some(before) = place.checked_sub(1) else {
        return scaled(&shape[0]);
    };
    let (low, high) = (&shape[before], &shape[place]);
    scaled(low)
        + (scaled(high) - scaled(low)) * (utilization - low.utilization)
            / (high.utilization - low.utilization)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(spec: &ScoreSpec, minor: u32) -> Fit {
        Fit::of(spec, KubernetesVersion { major: 1, minor }).expect("a strategy")
    }

    fn shape() -> Vec<ShapePoint> {
        [(0, 0), (50, 8), (100, 10)]
            .map(|(utilization, score)| ShapePoint { utilization, score })
            .to_vec()
    }

    #[test]
    fn strategies_of_one_resource() {
        let resources = ScoreSpec::cpu_and_memory(1, 1);
        let least = ScoreSpec::LeastAllocated { resources: resources.clone() };
        let most = ScoreSpec::MostAllocated { resources: resources.clone() };
        let ratio = ScoreSpec::RequestedToCapacityRatio { resources, shape: shape() };
        let check = |spec: &ScoreSpec, minor, capacity, requested, expected| {
            assert_eq!(fit(spec, minor).of_resource(capacity, requested), expected, "{spec:?}");
        };
        check(&least, 36, 4000, 3000, 25);
        check(&least, 36, 4000, 5000, 0);
        check(&most, 36, 4000, 3000, 75);
        check(&most, 36, 4000, 5000, 100);
        check(&most, 20, 4000, 5000, 0);
        // 2/3 used: 66 now, 67 in 1.20.
        check(&ratio, 36, 3000, 2000, 80 + 20 * 16 / 50);
        check(&ratio, 20, 3000, 2000, 80 + 20 * 17 / 50);
        check(&ratio, 36, 0, 0, 100);
    }

    #[test]
    fn shapes_are_piecewise_linear() {
        for (utilization, score) in [(0, 0), (25, 40), (50, 80), (75, 90), (100, 100)] {
            assert_eq!(on_shape(&shape(), utilization), score, "{utilization}");
        }
    }
}
