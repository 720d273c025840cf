//! `NodeResourcesBalancedAllocation` in its three eras. Source: facts-kubernetes 1.1.

use super::super::framework::Cycle;
use super::MAX_SCORE;
use super::resources::{Amount, Count, Resource, amount};
use crate::cluster::{Node, PodSpec, ResourceNames};
use crate::scenario::KubernetesVersion;
use crate::units::{Bytes, MilliCores};

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

/// The plugin with its resources.
#[derive(Debug)]
pub(super) struct BalancedAllocation {
    era: Era,
    resources: Vec<Resource>,
    /// A pod that asks for none of the resources is scored too. The release that changed this is
    /// between 1.20 and 1.36; 1.28 is a guess.
    scores_best_effort: bool,
}

impl BalancedAllocation {
    /// Of a profile in a release.
    pub(super) fn of(resources: &[String], version: KubernetesVersion) -> Self {
        Self {
            era: Era::of(version),
            resources: resources.iter().map(|name| Resource::named(name)).collect(),
            scores_best_effort: version.minor < 28,
        }
    }

    /// `PreScore`: false = the plugin is skipped for this pod.
    pub(super) fn scores(&self, spec: &PodSpec, names: &ResourceNames) -> bool {
        let asked = &spec.requests;
        let asks = |resource: &Resource| match resource {
            Resource::Cpu => asked.cpu > MilliCores::ZERO,
            Resource::Memory => asked.memory > Bytes::ZERO,
            Resource::EphemeralStorage => asked.ephemeral_storage > Bytes::ZERO,
            Resource::Extended(name) => names.find(name).is_some_and(|at| asked.extended[at] > 0),
        };
        self.scores_best_effort || self.resources.iter().any(asks)
    }

    /// The score of a node.
    pub(super) fn score(&self, cycle: &Cycle<'_>, node: &Node) -> i64 {
        let count = match self.era {
            Era::Difference => Count::NonZero,
            Era::Deviation | Era::Change => Count::Requested,
        };
        let amounts =
            || self.resources.iter().map(|resource| amount(cycle, node, resource, count, true));
        match self.era {
            Era::Difference => difference(amounts()),
            Era::Deviation => deviation(amounts(), true),
            Era::Change => {
                let change = deviation(amounts(), true) - deviation(amounts(), false);
                50 + (50 + change) / 2
            }
        }
    }
}

/// Of CPU and memory, the only two that counted.
fn difference(amounts: impl Iterator<Item = Amount>) -> i64 {
    let mut fractions = amounts.map(|of| match of.capacity {
        0 => 1.0,
        capacity => (of.used + of.asked) as f64 / capacity as f64,
    });
    let (cpu, memory) = (fractions.next().unwrap_or(1.0), fractions.next().unwrap_or(1.0));
    if cpu >= 1.0 || memory >= 1.0 {
        return 0;
    }
    ((1.0 - (cpu - memory).abs()) * MAX_SCORE as f64) as i64
}

/// `(1 - standard deviation of the used fractions) * 100`, with the pod or without it.
fn deviation(amounts: impl Iterator<Item = Amount> + Clone, with_pod: bool) -> i64 {
    let fractions = amounts.filter(|of| of.capacity > 0).map(|of| {
        let requested = if with_pod { of.used + of.asked } else { of.used };
        (requested as f64 / of.capacity as f64).min(1.0)
    });
    let mut first_ones = fractions.clone();
    let deviation = match (first_ones.next(), first_ones.next(), first_ones.next()) {
        (_, None, _) | (None, ..) => 0.0,
        // Two as a rule: not worth a list.
        (Some(first), Some(second), None) => ((first - second) / 2.0).abs(),
        (Some(_), Some(_), Some(_)) => {
            let count = fractions.clone().count();
            let mean = fractions.clone().sum::<f64>() / count as f64;
            (fractions.map(|f| (f - mean) * (f - mean)).sum::<f64>() / count as f64).sqrt()
        }
    };
    ((1.0 - deviation) * MAX_SCORE as f64) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(capacity: i64, used: i64, asked: i64) -> Amount {
        Amount { capacity, used, asked }
    }

    #[track_caller]
    fn check(amounts: &[Amount], in_difference: i64, with: i64, without: i64) {
        assert_eq!(difference(amounts.iter().copied()), in_difference);
        assert_eq!(deviation(amounts.iter().copied(), true), with);
        assert_eq!(deviation(amounts.iter().copied(), false), without);
    }

    #[test]
    fn the_fractions_of_resources() {
        check(&[of(6000, 0, 3000), of(10_000, 0, 5000)], 100, 100, 100);
        check(&[of(6000, 0, 3000), of(10_000, 0, 0)], 50, 75, 100);
        // Full: 1.20 gives nothing, later releases cap at 1.
        check(&[of(6000, 3000, 6000), of(10_000, 5000, 0)], 0, 75, 100);
        // A resource that the node lacks is left out; one alone is balanced.
        check(&[of(6000, 0, 3000), of(0, 0, 0)], 0, 100, 100);
        // Fractions 0.2, 0.4, 0.9: mean 0.5, deviation sqrt(0.26 / 3) = 0.294.
        check(&[of(10, 0, 2), of(10, 4, 0), of(10, 9, 0)], 80, 70, 63);
    }
}
