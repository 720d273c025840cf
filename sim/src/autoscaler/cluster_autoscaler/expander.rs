//! Expanders: which of several node groups grows. Applied in order until one option is left; ties
//! that remain are settled at random. Source: facts-kubernetes 2.2.

use crate::cluster::{NodeKindId, NodeKinds, Resources};
use crate::engine::world::Cx;
use crate::scenario::Expander;

/// A way to help pending pods.
#[derive(Debug, Clone, Copy)]
pub(super) struct GrowthOption {
    /// The pool.
    pub(super) pool: u32,
    /// Its template node.
    pub(super) kind: NodeKindId,
    /// Nodes to add.
    pub(super) nodes: u32,
    /// Pods helped.
    pub(super) pods: u32,
    /// What these pods request.
    pub(super) used: Resources,
    /// Capacity of one node.
    pub(super) capacity: Resources,
}

/// The option that grows; `None` without options.
pub(super) fn choose(
    cx: &Cx<'_>,
    kinds: &NodeKinds,
    chain: &[Expander],
    mut options: Vec<GrowthOption>,
    scan: u64,
) -> Option<GrowthOption> {
    for expander in chain {
        if options.len() <= 1 {
            break;
        }
        match expander {
            Expander::LeastNodes => keep_best(&mut options, |option| f64::from(option.nodes)),
            Expander::MostPods => keep_best(&mut options, |option| -f64::from(option.pods)),
            Expander::LeastWaste => keep_best(&mut options, waste),
            Expander::Price => keep_best(&mut options, |option| {
                kinds.get(option.kind).price.as_usd_f64() * f64::from(option.nodes)
                    / f64::from(option.pods.max(1))
            }),
            Expander::Random => {}
        }
    }
    let draw = cx.seed.uniform("expander", &[scan]);
    let place = (draw * options.len() as f64) as usize;
    options.get(place).copied()
}

fn keep_best(options: &mut Vec<GrowthOption>, cost: impl Fn(&GrowthOption) -> f64) {
    let best = options.iter().map(&cost).fold(f64::INFINITY, f64::min);
    options.retain(|option| cost(option) <= best);
}

/// Wasted share of CPU plus wasted share of memory, over the capacity of all nodes added.
fn waste(option: &GrowthOption) -> f64 {
    let wasted = |used: u64, capacity: u64| {
        let available = (capacity * u64::from(option.nodes)) as f64;
        (available - used as f64) / available
    };
    wasted(option.used.cpu.as_millis(), option.capacity.cpu.as_millis())
        + wasted(option.used.memory.as_u64(), option.capacity.memory.as_u64())
}
