//! `NodeResourcesBalancedAllocation` in its three eras. Source: facts-kubernetes 1.1.

use super::MAX_SCORE;
use crate::cluster::Resources;
use crate::scenario::KubernetesVersion;

/// Which formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    /// 1.20 and 1.21: `(1 - |cpu - memory|) * 100`, 0 for a full node.
    Difference,
    /// Up to 1.35: `(1 - standard deviation) * 100`.
    Deviation,
    /// From 1.36: how much the pod changes the deviation's score; unchanged = 75.
    Change,
}

impl Era {
    /// The era of a release. The facts name 1.20, 1.34 and 1.36; the first change came with the
    /// plugin's arguments in 1.22.
    pub(super) const fn of(version: KubernetesVersion) -> Self {
        match version.minor {
            ..=21 => Self::Difference,
            22..=35 => Self::Deviation,
            _ => Self::Change,
        }
    }
}

/// The score of a node.
pub(super) fn score(
    era: Era,
    allocatable: &Resources,
    used: &Resources,
    request: &Resources,
) -> i64 {
    let mut with = *used;
    with.add(request);
    match era {
        Era::Difference => difference(allocatable, &with),
        Era::Deviation => deviation(allocatable, &with),
        Era::Change => {
            let change = deviation(allocatable, &with) - deviation(allocatable, used);
            50 + (50 + change) / 2
        }
    }
}

fn fractions(allocatable: &Resources, requested: &Resources) -> [Option<f64>; 2] {
    let of = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    [
        of(requested.cpu.as_millis(), allocatable.cpu.as_millis()),
        of(requested.memory.as_u64(), allocatable.memory.as_u64()),
    ]
}

fn difference(allocatable: &Resources, requested: &Resources) -> i64 {
    let [cpu, memory] = fractions(allocatable, requested).map(|fraction| fraction.unwrap_or(1.0));
    if cpu >= 1.0 || memory >= 1.0 {
        return 0;
    }
    ((1.0 - (cpu - memory).abs()) * MAX_SCORE as f64) as i64
}

fn deviation(allocatable: &Resources, requested: &Resources) -> i64 {
    let deviation = match fractions(allocatable, requested) {
        [Some(cpu), Some(memory)] => (cpu.min(1.0) - memory.min(1.0)).abs() / 2.0,
        _ => 0.0,
    };
    ((1.0 - deviation) * MAX_SCORE as f64) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, MilliCores};

    fn of(cpu: u64, memory: u64) -> Resources {
        Resources::of_pod(MilliCores::new(cpu), Bytes::new(memory))
    }

    #[test]
    fn the_three_eras() {
        let (allocatable, used, request) = (of(6000, 10_000), of(0, 0), of(3000, 5000));
        assert_eq!(score(Era::Difference, &allocatable, &used, &request), 100);
        assert_eq!(score(Era::Deviation, &allocatable, &used, &request), 100);
        assert_eq!(score(Era::Change, &allocatable, &used, &request), 75);
        let request = of(3000, 0);
        assert_eq!(score(Era::Difference, &allocatable, &used, &request), 50);
        assert_eq!(score(Era::Deviation, &allocatable, &used, &request), 75);
        // 100 before, 75 after: 50 + (50 - 25) / 2.
        assert_eq!(score(Era::Change, &allocatable, &used, &request), 62);
    }
}
