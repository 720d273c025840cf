//! Expanders: which of several node groups grows. Applied in order until one option is left; ties
//! that remain are settled at random.
//!
//! Models: `least-nodes`, `least-waste`, `most-pods`, `price` (as the cheapest per pod: AWS has no
//! pricing model upstream), `priority`, `random`. Leaves out: `grpc`.
//! Source: kubernetes/autoscaler `expander/`; facts-kubernetes 2.2.

use crate::cluster::Resources;
use crate::scenario::{Expander, GroupPattern};

/// A way to help pending pods.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GrowthOption<'a> {
    /// The pool, or another index of the caller's.
    pub(crate) pool: u32,
    /// Name of the group.
    pub(crate) name: &'a str,
    /// Nodes to add.
    pub(crate) nodes: u32,
    /// Pods helped.
    pub(crate) pods: u32,
    /// What these pods request.
    pub(crate) used: Resources,
    /// Capacity of one node.
    pub(crate) capacity: Resources,
    /// Dollars an hour for one node.
    pub(crate) price: f64,
}

/// The `priority` expander's table: priority to patterns.
pub(crate) type Priorities = [(i32, Vec<GroupPattern>)];

/// The options that the chain leaves, in the order in which they were given. Options without a
/// node are none. More than one are equally good.
pub(crate) fn best<'a>(
    chain: &[Expander],
    priorities: &Priorities,
    mut options: Vec<GrowthOption<'a>>,
) -> Vec<GrowthOption<'a>> {
    for expander in chain {
        if options.is_empty() {
            break;
        }
        match expander {
            Expander::LeastNodes => {
                options.retain(|option| option.nodes > 0);
                keep_best(&mut options, |option| f64::from(option.nodes));
            }
            Expander::MostPods => keep_best(&mut options, |option| -f64::from(option.pods)),
            Expander::LeastWaste => keep_best(&mut options, waste),
            Expander::Price => keep_best(&mut options, |option| {
                option.price * f64::from(option.nodes) / f64::from(option.pods.max(1))
            }),
            Expander::Priority => keep_priority(&mut options, priorities),
            Expander::Random => {}
        }
        if options.len() == 1 {
            break;
        }
    }
    options
}

/// The one of equally good options that the draw (0.0..1.0) picks.
pub(crate) fn settle<'a>(options: &[GrowthOption<'a>], draw: f64) -> Option<GrowthOption<'a>> {
    options.get((draw * options.len() as f64) as usize).copied()
}

fn keep_best(options: &mut Vec<GrowthOption<'_>>, cost: impl Fn(&GrowthOption<'_>) -> f64) {
    let best = options.iter().map(&cost).fold(f64::INFINITY, f64::min);
    options.retain(|option| cost(option) <= best);
}

/// Wasted share of CPU plus wasted share of memory, over the capacity of all nodes added.
fn waste(option: &GrowthOption<'_>) -> f64 {
    let wasted = |used: u64, capacity: u64| {
        let available = (capacity * u64::from(option.nodes)) as f64;
        (available - used as f64) / available
    };
    wasted(option.used.cpu.as_millis(), option.capacity.cpu.as_millis())
        + wasted(option.used.memory.as_u64(), option.capacity.memory.as_u64())
}

/// The groups with the highest priority of which a pattern matches the name; where no pattern
/// matches any group, all of them. Negative priorities never win, as upstream starts from -1.
fn keep_priority(options: &mut Vec<GrowthOption<'_>>, priorities: &Priorities) {
    let priority = |option: &GrowthOption<'_>| {
        let matching = priorities.iter().filter(|(priority, patterns)| {
            *priority >= 0 && patterns.iter().any(|pattern| pattern.matches(option.name))
        });
        matching.map(|(priority, _)| *priority).max()
    };
    let best = options.iter().filter_map(priority).max();
    if best.is_some() {
        options.retain(|option| priority(option) == best);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, MilliCores};

    fn option(name: &str, nodes: u32, pods: u32, cores: u64) -> GrowthOption<'_> {
        let capacity = Resources::of_pod(MilliCores::cores(cores), Bytes::gib(4 * cores));
        let used = Resources::of_pod(MilliCores::cores(1), Bytes::gib(4)).repeated(pods);
        GrowthOption { pool: 0, name, nodes, pods, used, capacity, price: cores as f64 }
    }

    #[track_caller]
    fn check(chain: &[Expander], priorities: &[(i32, &str)], expected: &[&str]) {
        let table: Vec<(i32, Vec<GroupPattern>)> = priorities
            .iter()
            .map(|(priority, text)| (*priority, vec![GroupPattern::parse(text).expect("one")]))
            .collect();
        let options =
            vec![option("spot-a", 2, 4, 4), option("spot-b", 1, 6, 8), option("demand", 2, 6, 4)];
        let left: Vec<&str> =
            best(chain, &table, options).iter().map(|option| option.name).collect();
        assert_eq!(left, expected);
    }

    #[test]
    fn chains_narrow_the_options() {
        use Expander::{LeastNodes, LeastWaste, MostPods, Price, Priority, Random};
        check(&[LeastNodes], &[], &["spot-b"]);
        check(&[MostPods], &[], &["spot-b", "demand"]);
        check(&[LeastWaste], &[], &["spot-b", "demand"]);
        check(&[MostPods, LeastNodes], &[], &["spot-b"]);
        check(&[Price], &[], &["spot-b", "demand"]);
        check(&[Random], &[], &["spot-a", "spot-b", "demand"]);
        check(&[Priority], &[(10, ".*spot.*"), (50, "demand")], &["demand"]);
        check(&[Priority], &[(10, ".*"), (50, "^spot")], &["spot-a", "spot-b"]);
        check(&[Priority, MostPods], &[(50, "^spot")], &["spot-b"]);
        check(&[Priority], &[(50, "gpu")], &["spot-a", "spot-b", "demand"]);
        check(&[Priority], &[(-5, "demand")], &["spot-a", "spot-b", "demand"]);
    }
}
