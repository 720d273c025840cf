//! `consolidationPolicy: Balanced`: a move must save enough for what it disrupts.
//!
//! Its score is the share of the NodePool's hourly cost that it saves over the share of the
//! NodePool's disruption cost that it takes (one for each node, and what evicting its pods costs);
//! a score of 1/k, k = 2, is enough. Every Balanced NodePool of the move must agree, with its part
//! of the saving by cost. Source: kubernetes-sigs/karpenter
//! `pkg/controllers/disruption/balanced.go`.

use super::candidates::Candidate;
use crate::scenario::{ConsolidationPolicy, Karpenter};

/// k.
const THRESHOLD: f64 = 2.0;

/// Cost of some nodes: (dollars an hour, disruption).
fn costs<'a>(nodes: impl Iterator<Item = &'a Candidate>) -> (f64, f64) {
    nodes.fold((0.0, 0.0), |(price, disruption), node| {
        (price + node.price.as_usd_f64(), disruption + 1.0 + node.eviction_cost)
    })
}

/// The reason against the move of `moved`, which saves so many dollars an hour, among `all`.
pub(super) fn objection(
    settings: &Karpenter,
    all: &[Candidate],
    moved: &[Candidate],
    savings: f64,
) -> Option<String> {
    let whole = costs(moved.iter()).0;
    settings.node_pools.iter().enumerate().find_map(|(place, node_pool)| {
        let of_pool = |node: &&Candidate| node.node_pool == place;
        let mine = costs(moved.iter().filter(of_pool));
        let policy = node_pool.disruption.consolidation_policy;
        if policy != ConsolidationPolicy::Balanced || mine.1 == 0.0 {
            return None;
        }
        let part = if whole > 0.0 { savings * mine.0 / whole } else { savings };
        let score = score(part, mine.1, costs(all.iter().filter(of_pool)));
        (score < 1.0 / THRESHOLD).then(|| {
            format!("balanced consolidation score {score:.2} is below {:.2}", 1.0 / THRESHOLD)
        })
    })
}

fn score(savings: f64, disruption: f64, (price, disruption_of_all): (f64, f64)) -> f64 {
    if price <= 0.0 || savings <= 0.0 {
        return 0.0;
    }
    if disruption_of_all <= 0.0 {
        return f64::INFINITY;
    }
    (savings / price) / (disruption / disruption_of_all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn savings_are_weighed_against_disruption() {
        // A tenth of the cost for a tenth of the pods is worth it, a hundredth is not.
        assert_eq!(score(1.0, 10.0, (10.0, 100.0)), 1.0);
        assert!(score(0.1, 10.0, (10.0, 100.0)) < 1.0 / THRESHOLD);
        assert_eq!(score(0.0, 10.0, (10.0, 100.0)), 0.0);
        assert_eq!(score(-1.0, 10.0, (10.0, 100.0)), 0.0);
        assert_eq!(score(1.0, 0.0, (10.0, 0.0)), f64::INFINITY);
    }
}
