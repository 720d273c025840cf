//! `NodeResourcesFit`'s strategies. Source: facts-kubernetes 1.1 (K136 `noderesources/`).

use super::MAX_SCORE;
use crate::cluster::Resources;
use crate::scenario::ShapePoint;

/// (capacity, requested with the pod, weight) of CPU and memory, without absent resources.
fn resources(
    allocatable: &Resources,
    used: &Resources,
    request: &Resources,
    weights: [i64; 2],
) -> impl Iterator<Item = (i64, i64, i64)> {
    let cpu = (allocatable.cpu.as_millis(), (used.cpu + request.cpu).as_millis());
    let memory = (allocatable.memory.as_u64(), (used.memory + request.memory).as_u64());
    [cpu, memory]
        .into_iter()
        .zip(weights)
        .map(|((capacity, requested), weight)| (capacity as i64, requested as i64, weight))
        .filter(|(capacity, ..)| *capacity > 0)
}

fn weighted_mean(scores: impl Iterator<Item = (i64, i64)>) -> i64 {
    let (sum, weights) = scores
        .fold((0, 0), |(sum, weights), (score, weight)| (sum + score * weight, weights + weight));
    if weights == 0 { 0 } else { sum / weights }
}

/// `(capacity - requested) * 100 / capacity`, 0 above capacity.
pub(super) fn least_allocated(
    allocatable: &Resources,
    used: &Resources,
    request: &Resources,
    weights: [i64; 2],
) -> i64 {
    weighted_mean(resources(allocatable, used, request, weights).map(
        |(capacity, requested, weight)| {
            let score = if requested > capacity {
                0
            } else {
                times_hundred(capacity - requested, capacity)
            };
            (score, weight)
        },
    ))
}

/// `min(requested, capacity) * 100 / capacity`.
pub(super) fn most_allocated(
    allocatable: &Resources,
    used: &Resources,
    request: &Resources,
    weights: [i64; 2],
) -> i64 {
    weighted_mean(resources(allocatable, used, request, weights).map(
        |(capacity, requested, weight)| (times_hundred(requested.min(capacity), capacity), weight),
    ))
}

/// Utilisation through a piecewise linear shape; resources that score 0 do not weigh.
pub(super) fn requested_to_capacity_ratio(
    allocatable: &Resources,
    used: &Resources,
    request: &Resources,
    weights: [i64; 2],
    shape: &[ShapePoint],
) -> i64 {
    let mut sum = 0;
    let mut weight_sum = 0;
    for (capacity, requested, weight) in resources(allocatable, used, request, weights) {
        let utilization = times_hundred(requested.min(capacity), capacity);
        let score = on_shape(shape, utilization);
        if score > 0 {
            sum += score * weight;
            weight_sum += weight;
        }
    }
    if weight_sum == 0 { 0 } else { (sum as f64 / weight_sum as f64).round() as i64 }
}

/// `part * 100 / whole` without overflow for any number of bytes.
fn times_hundred(part: i64, whole: i64) -> i64 {
    (i128::from(part) * i128::from(MAX_SCORE) / i128::from(whole)) as i64
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
    use crate::units::{Bytes, MilliCores};

    fn of(cpu: u64, memory: u64) -> Resources {
        Resources::of_pod(MilliCores::new(cpu), Bytes::new(memory))
    }

    /// Cases of the upstream tables `TestLeastAllocatedScoringStrategy` and
    /// `TestMostAllocatedScoringStrategy` (kubernetes v1.36.2).
    #[test]
    fn scores_of_upstream_tables() {
        let check = |allocatable, used, request, least, most| {
            assert_eq!(least_allocated(&allocatable, &used, &request, [1, 1]), least);
            assert_eq!(most_allocated(&allocatable, &used, &request, [1, 1]), most);
        };
        check(of(4000, 10_000), of(0, 0), of(3000, 5000), 37, 62);
        check(of(6000, 10_000), of(0, 0), of(3000, 5000), 50, 50);
        check(of(10_000, 20_000), of(6000, 0), of(0, 0), 70, 30);
        check(of(10_000, 20_000), of(6000, 5000), of(0, 0), 57, 42);
        check(of(4000, 10_000), of(6000, 0), of(0, 0), 50, 50);
    }

    #[test]
    fn shapes_are_piecewise_linear() {
        let shape = [
            ShapePoint { utilization: 0, score: 0 },
            ShapePoint { utilization: 50, score: 8 },
            ShapePoint { utilization: 100, score: 10 },
        ];
        for (utilization, score) in [(0, 0), (25, 40), (50, 80), (75, 90), (100, 100)] {
            assert_eq!(on_shape(&shape, utilization), score, "{utilization}");
        }
    }
}
