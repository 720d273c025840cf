//! `spec.retries`: a preset by name, or rungs in place.

use sim::Severity;
use sim::scenario::{Adjustment, HistoryRule, RetryLadder, Rung, SpotRough};
use sim::units::SimDuration;
use sim::workload::Failure;

use super::context::Context;
use super::settings::{Settings, choice};
use crate::retries::preset;
use crate::schema::{ADJUSTMENTS, FAILURES, Kind};

/// More rungs than there are failures cannot be reached.
const RUNGS_MAX: usize = Failure::ALL.len();

pub(super) fn read(context: &Context<'_>, given: Option<Settings<'_>>) -> RetryLadder {
    let Some(given) = given else {
        return RetryLadder { name: "none".to_owned(), ..RetryLadder::default() };
    };
    let chosen = given.fields.one_of_keys(&["preset", "ladder"]);
    let mut ladder = match chosen {
        Some(("ladder", _)) => RetryLadder {
            name: "custom".to_owned(),
            rungs: rungs(&given),
            ..RetryLadder::default()
        },
        Some(_) => {
            let found = given.choice("preset").and_then(preset);
            for guess in found.iter().flat_map(|preset| preset.guesses) {
                context.note(
                    Severity::Info,
                    "assumption",
                    "spec.retries.preset",
                    format!("a guess of the retry preset: {guess}"),
                );
            }
            found.map(|preset| preset.ladder).unwrap_or_default()
        }
        None => RetryLadder { name: "none".to_owned(), ..RetryLadder::default() },
    };
    if let Some(name) = given.text("name") {
        ladder.name = name;
    }
    if let Some(critical) = given.bool("criticalOnDemand") {
        ladder.critical_on_demand = critical;
    }
    if let Some(rules) = given.sections("history") {
        ladder.history = rules.iter().filter_map(history_rule).collect();
    }
    if let Some(rough) = given.section("onDemandWhenRough") {
        let (retry_share, within) = (rough.float("retryShare"), rough.duration("within"));
        ladder.spot_rough =
            retry_share.zip(within).map(|(retry_share, within)| SpotRough { retry_share, within });
    }
    ladder
}

fn history_rule(given: &Settings<'_>) -> Option<HistoryRule> {
    let when = failures(given, &mut Vec::new());
    let within = given.duration("within");
    let adjust = adjustments(given);
    Some(HistoryRule {
        when: when?,
        within: within?,
        same_run: given.bool("sameRun").unwrap_or(false),
        compounding: given.bool("compounding").unwrap_or(false),
        adjust,
    })
}

fn adjustments(given: &Settings<'_>) -> Vec<Adjustment> {
    let adjust = given.sections("adjust").unwrap_or_default();
    adjust.iter().filter_map(adjustment).collect()
}

fn rungs(given: &Settings<'_>) -> Vec<Rung> {
    let rungs = given.sections("ladder").unwrap_or_default();
    let mut answered: Vec<Failure> = Vec::new();
    let mut out = Vec::new();
    for (place, section) in rungs.iter().enumerate() {
        if place >= RUNGS_MAX {
            section.fields.at.problem(format!("more than {RUNGS_MAX} rungs: one a failure"));
            break;
        }
        if let Some(rung) = rung(section, &mut answered) {
            out.push(rung);
        }
    }
    out
}

fn rung(given: &Settings<'_>, answered: &mut Vec<Failure>) -> Option<Rung> {
    let when = failures(given, answered);
    let attempts_max = given.count("attemptsMax");
    let backoff = given.duration("backoff").unwrap_or(SimDuration::ZERO);
    let backoff_max = given.duration("backoffMax").unwrap_or(SimDuration::MAX);
    if let Some(at) = given.optional("backoffMax").filter(|_| backoff_max < backoff) {
        at.problem(format!("`backoffMax` {backoff_max} is below `backoff` {backoff}"));
    }
    let steps = given.sections("steps").unwrap_or_default();
    Some(Rung {
        adjust: adjustments(given),
        steps: steps.iter().map(adjustments).collect(),
        when: when?,
        attempts_max: attempts_max?,
        backoff,
        backoff_factor: given.float("backoffFactor").unwrap_or(1.0),
        backoff_step: given.duration("backoffStep").unwrap_or(SimDuration::ZERO),
        backoff_max,
    })
}

/// The failures of a rung; one that an earlier rung answers never gets here.
fn failures(given: &Settings<'_>, answered: &mut Vec<Failure>) -> Option<Vec<Failure>> {
    let Kind::Choice(names) = FAILURES else {
        return None;
    };
    let at = given.at("when")?;
    let mut when = Vec::new();
    for item in at.list()? {
        let Some(failure) = choice(&item, names).and_then(Failure::from_name) else {
            continue;
        };
        if answered.contains(&failure) {
            item.problem(format!("`{}` is answered by an earlier rung already", failure.name()));
        } else {
            answered.push(failure);
            when.push(failure);
        }
    }
    if at.node.items().is_empty() {
        at.problem("a rung that answers no failure");
    }
    Some(when)
}

fn adjustment(given: &Settings<'_>) -> Option<Adjustment> {
    let Some((key, at)) = given.fields.one_of_keys(&ADJUSTMENTS) else {
        let help = format!("one of {}", ADJUSTMENTS.join(", "));
        given.fields.at.problem_with_help("an adjustment of nothing", help);
        return None;
    };
    if key == "onDemand" {
        if given.bool(key)? {
            return Some(Adjustment::OnDemand);
        }
        at.problem("`onDemand: false` changes nothing");
        return None;
    }
    if key == "taskCpus" {
        return given.count(key).map(|factor| Adjustment::TaskCpus { factor });
    }
    let section = given.section(key)?;
    let factor = section.float("factor");
    if key == "executorCount" {
        let max = section.count("max");
        return Some(Adjustment::ExecutorCount { factor: factor?, max: max? });
    }
    let max = section.bytes("max");
    let (factor, max) = (factor?, max?);
    Some(match key {
        "executorMemory" => Adjustment::ExecutorMemory { factor, max },
        _ => Adjustment::DriverMemory { factor, max },
    })
}
