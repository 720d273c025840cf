//! Disruption budgets: how many nodes of a NodePool may be on their way out at once.
//!
//! Of the budgets that are active and speak of the reason the most restrictive one counts; a share
//! is of the NodePool's registered nodes, rounded up; nodes that are cordoned or going count
//! against it. Schedules are in UTC; a workload without calendar time begins at its epoch of 0.
//! Source: facts-kubernetes 3; kubernetes-sigs/karpenter `pkg/apis/v1/nodepool.go`, `helpers.go`.

use super::KarpenterState;
use crate::cluster::NodeState;
use crate::engine::world::World;
use crate::scenario::{BudgetNodes, DisruptionBudget, DisruptionReason, Karpenter};
use crate::units::SimTime;

/// What budgets allow for one reason, by NodePool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Allowance {
    /// How many nodes may still go, by NodePool.
    pub(super) left: Vec<u32>,
}

impl Allowance {
    /// What is allowed now.
    pub(super) fn of(
        state: &KarpenterState,
        world: &World,
        settings: &Karpenter,
        reason: DisruptionReason,
        (now, epoch_ms): (SimTime, i64),
    ) -> Self {
        let mut counts = vec![(0u32, 0u32); settings.node_pools.len()];
        for facts in state.nodes.values() {
            let Some(node) = world.cluster.nodes.get(facts.id) else { continue };
            if node.state != NodeState::Booting {
                counts[facts.node_pool].0 += 1;
                counts[facts.node_pool].1 += u32::from(node.state == NodeState::Cordoned);
            }
        }
        let elapsed = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let minute = epoch_ms.saturating_add(elapsed).div_euclid(60_000);
        let left = settings.node_pools.iter().zip(counts).map(|(of, (nodes, going))| {
            allowed(&of.disruption.budgets, reason, nodes, minute).saturating_sub(going)
        });
        Self { left: left.collect() }
    }

    /// Takes one node of the NodePool, if that is allowed.
    pub(super) fn take(&mut self, node_pool: usize) -> bool {
        let left = &mut self.left[node_pool];
        let allowed = *left > 0;
        *left = left.saturating_sub(1);
        allowed
    }

    /// Whether a node of the NodePool may go.
    pub(super) fn allows(&self, node_pool: usize) -> bool {
        self.left[node_pool] > 0
    }
}

/// Whether what budgets allow changes with time alone.
pub(super) fn any_windows(settings: &Karpenter) -> bool {
    let mut budgets = settings.node_pools.iter().flat_map(|of| &of.disruption.budgets);
    budgets.any(|budget| budget.window.is_some())
}

/// How many of so many nodes may be on their way out in that minute.
fn allowed(budgets: &[DisruptionBudget], reason: DisruptionReason, nodes: u32, minute: i64) -> u32 {
    let speaks = |budget: &&DisruptionBudget| {
        let active = budget.window.as_ref().is_none_or(|window| {
            let minutes = window.duration.as_millis().div_ceil(60_000) as i64;
            window.schedule.covers(minute, minutes)
        });
        active && (budget.reasons.is_empty() || budget.reasons.contains(&reason))
    };
    let limits = budgets.iter().filter(speaks).map(|budget| match budget.nodes {
        BudgetNodes::Count(count) => count,
        BudgetNodes::Percent(percent) => {
            (u64::from(nodes) * u64::from(percent)).div_ceil(100) as u32
        }
    });
    limits.min().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{BudgetWindow, CronSchedule};
    use crate::units::SimDuration;

    fn budget(nodes: BudgetNodes, reasons: &[DisruptionReason]) -> DisruptionBudget {
        DisruptionBudget { nodes, reasons: reasons.to_vec(), window: None }
    }

    #[test]
    fn the_most_restrictive_active_budget_counts() {
        use BudgetNodes::{Count, Percent};
        use DisruptionReason::{Drifted, Empty, Underutilized};
        let check = |budgets: &[DisruptionBudget], reason, nodes, expected| {
            assert_eq!(allowed(budgets, reason, nodes, 0), expected, "{budgets:?}");
        };
        check(&[budget(Percent(10), &[])], Empty, 11, 2);
        check(&[budget(Percent(10), &[])], Empty, 0, 0);
        check(&[budget(Percent(0), &[])], Empty, 100, 0);
        check(&[budget(Percent(50), &[]), budget(Count(3), &[])], Drifted, 100, 3);
        let only = [budget(Count(0), &[Underutilized]), budget(Count(7), &[])];
        check(&only, Underutilized, 100, 0);
        check(&only, Empty, 100, 7);
        check(&[budget(Count(1), &[Drifted])], Empty, 100, u32::MAX);
    }

    #[test]
    fn a_schedule_opens_and_closes_a_window() {
        let schedule = CronSchedule::parse("0 9 * * *").expect("it is one");
        let window = Some(BudgetWindow { schedule, duration: SimDuration::hours(8) });
        let frozen = DisruptionBudget { window, ..budget(BudgetNodes::Count(0), &[]) };
        let at = |hour: i64| {
            allowed(std::slice::from_ref(&frozen), DisruptionReason::Empty, 9, hour * 60)
        };
        assert_eq!([at(8), at(9), at(16), at(17)], [u32::MAX, 0, 0, u32::MAX]);
    }

    #[test]
    fn what_is_allowed_is_taken_once() {
        let mut allowance = Allowance { left: vec![1, 0] };
        assert!(allowance.allows(0) && !allowance.allows(1));
        assert!(allowance.take(0) && !allowance.take(0));
        assert!(!allowance.take(1));
    }
}
