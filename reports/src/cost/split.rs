//! Who pays for what belongs to nobody.
//!
//! In each period, each kind of shared cost is split among that period's owners by their weights;
//! parts are differences of rounded sums, so that they add up exactly. A period without an owner
//! keeps its shared cost.

use std::collections::BTreeMap;

use sim::scenario::{SharedSplit, weight_usd};

use super::{Cell, Costs, KINDS, Key};

/// The name of what belongs to nobody.
const SHARED: &str = "(shared)";

/// Puts the shared cells into the groups of `costs`.
pub(super) fn put(costs: &mut Costs, shared: BTreeMap<(Key, usize), Cell>) {
    for ((key, period), cell) in shared {
        let owners = match costs.split {
            SharedSplit::None => Vec::new(),
            rule => owners(costs, &key, period, rule),
        };
        let whole: u128 = owners.iter().map(|(_, weight)| *weight).sum();
        if whole == 0 {
            let name = |(name, dimension): (Option<String>, &super::Dimension)| {
                if dimension.is_owner() { Some(SHARED.to_owned()) } else { name }
            };
            let key: Key = key.into_iter().zip(&costs.by).map(name).collect();
            costs.groups.entry(key).or_default().entry(period).or_default().add(&cell);
            continue;
        }
        let mut before = 0;
        for (owner, weight) in owners {
            let mut part = Cell::default();
            for place in 0..KINDS.len() {
                let to =
                    |weight: u128| i128::from(cell.kinds[place]) * weight as i128 / whole as i128;
                part.kinds[place] = (to(before + weight) - to(before)) as i64;
            }
            part.shared = part.kinds;
            before += weight;
            costs.groups.entry(owner).or_default().entry(period).or_default().add(&part);
        }
    }
}

/// Owners of the period with their weights, each as a group like `key` (whose other dimensions
/// stay what they are).
fn owners(costs: &Costs, key: &Key, period: usize, rule: SharedSplit) -> Vec<(Key, u128)> {
    let mut weights: BTreeMap<Key, u128> = BTreeMap::new();
    for (group, cells) in &costs.groups {
        let Some(cell) = cells.get(&period) else { continue };
        let pairs = group.iter().zip(key).zip(&costs.by);
        let owner: Key = pairs
            .map(
                |((own, shared), dimension)| {
                    if dimension.is_owner() { own.clone() } else { shared.clone() }
                },
            )
            .collect();
        *weights.entry(owner).or_default() += weight(cell, rule);
    }
    if rule == SharedSplit::Even {
        weights.values_mut().for_each(|weight| *weight = 1);
    }
    weights.into_iter().collect()
}

/// In millionths of a dollar at OpenCost's prices. What a group got of shared cost before does not
/// count: only its pods do.
fn weight(cell: &Cell, rule: SharedSplit) -> u128 {
    let cpu = match rule {
        SharedSplit::Request => cell.cpu[0],
        SharedSplit::MaxRequestUse => cell.cpu[2],
        SharedSplit::None | SharedSplit::Even => 0.0,
    };
    (weight_usd(cpu / 3600.0, cell.memory / 3600.0) * 1e6).round() as u128
}
