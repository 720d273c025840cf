//! `spec.disruption`: policy, how long after, and budgets.

use sim::Severity;
use sim::scenario::{
    BudgetNodes, BudgetWindow, ConsolidationPolicy, CronSchedule, Disruption, DisruptionBudget,
    DisruptionReason,
};
use sim::units::SimDuration;

use super::super::fields;
use super::or_never;
use crate::native::keys::Reader;
use crate::walk::{At, Fields};

pub(super) fn read(reader: &Reader<'_>, at: &At<'_>) -> Disruption {
    let default = Disruption::default();
    let known = ["consolidationPolicy", "consolidateAfter", "budgets"];
    let Some(given) = fields(at, &known, &[], &[]) else { return default };
    let policy = given.get("consolidationPolicy");
    let budgets = given.get("budgets").and_then(|at| {
        if let Some(at) = at.list()?.get(50) {
            at.problem("more than 50 budgets");
        }
        at.list_of(|at| budget(reader, at))
    });
    Disruption {
        consolidation_policy: policy
            .and_then(|at| at.one_of(&ConsolidationPolicy::NAMES))
            .unwrap_or(default.consolidation_policy),
        consolidate_after: given
            .get("consolidateAfter")
            .map_or(default.consolidate_after, |at| or_never(&at)),
        budgets: budgets.unwrap_or(default.budgets),
    }
}

fn budget(reader: &Reader<'_>, at: &At<'_>) -> Option<DisruptionBudget> {
    let given = fields(at, &["nodes", "reasons", "schedule", "duration"], &[], &[])?;
    let nodes_at = given.get("nodes");
    let nodes = nodes_at.as_ref().map_or(Some(BudgetNodes::Percent(10)), nodes);
    let reasons = given.get("reasons");
    let reasons = reasons.and_then(|at| at.list_of(|at| at.one_of(&DisruptionReason::NAMES)));
    let window = match (given.get("schedule"), given.get("duration")) {
        (None, None) => None,
        (Some(at), None) | (None, Some(at)) => {
            at.problem("`schedule` and `duration` go together: one of them is missing");
            None
        }
        (Some(_), Some(_)) => window(&given),
    };
    if nodes == Some(BudgetNodes::Percent(0)) && window.is_none() {
        let message = "a budget of 0%: nodes are never disrupted of Karpenter's own will";
        reader.find(crate::native::Place::of(at).finding(Severity::Info, "no-disruption", message));
    }
    Some(DisruptionBudget { nodes: nodes?, reasons: reasons.unwrap_or_default(), window })
}

fn nodes(at: &At<'_>) -> Option<BudgetNodes> {
    let text = at.string()?;
    let digits = |text: &str| {
        let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| plain)
    };
    let found = match text.strip_suffix('%') {
        Some(percent) => digits(percent).filter(|n| *n <= 100).map(BudgetNodes::Percent),
        None => digits(&text).map(BudgetNodes::Count),
    };
    if found.is_none() {
        let shown: String = text.chars().take(80).collect();
        let message = format!("`{shown}` is not a number of nodes");
        at.problem_with_help(message, "a whole number, or a percentage from 0% to 100%");
    }
    found
}

fn window(given: &Fields<'_>) -> Option<BudgetWindow> {
    let at = given.get("schedule")?;
    let schedule = match CronSchedule::parse(&at.string()?) {
        Ok(schedule) => Some(schedule),
        Err(message) => {
            at.problem(message);
            None
        }
    };
    let at = given.get("duration")?;
    let text = at.string()?;
    let body = text.strip_suffix("0s").filter(|rest| rest.ends_with(['h', 'm'])).unwrap_or(&text);
    let plain = body.chars().all(|c| c.is_ascii_digit() || matches!(c, 'h' | 'm'));
    let duration =
        SimDuration::parse_go(&text).ok().filter(|_| plain && body.ends_with(['h', 'm']));
    if duration.is_none() {
        let shown: String = text.chars().take(80).collect();
        let message = format!("`{shown}` is not a duration of a budget");
        at.problem_with_help(message, "whole hours and minutes, such as 8h, 30m or 1h30m");
    }
    Some(BudgetWindow { schedule: schedule?, duration: duration? })
}
