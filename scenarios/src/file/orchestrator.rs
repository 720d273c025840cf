//! `spec.orchestrator`: dependencies, rules for runs, limits of teams.

use sim::scenario::{GroupPattern, Orchestrator, OwnerLimit, RunRule};

use super::settings::Settings;

pub(super) fn read(given: Option<Settings<'_>>) -> Orchestrator {
    let Some(given) = given else { return Orchestrator::default() };
    let rules = given.sections("rules").unwrap_or_default();
    let limits = given.sections("limits").unwrap_or_default();
    Orchestrator {
        ignore_dependencies: given.choice("dependencies") == Some("ignore"),
        rules: rules.iter().map(rule).collect(),
        limits: limits.iter().filter_map(limit).collect(),
    }
}

fn rule(given: &Settings<'_>) -> RunRule {
    RunRule {
        application: pattern(given, "application"),
        team: pattern(given, "team"),
        critical: given.bool("critical"),
        timeout: given.duration("timeout"),
        deadline: given.duration("deadline"),
    }
}

fn limit(given: &Settings<'_>) -> Option<OwnerLimit> {
    let team = pattern(given, "team");
    let concurrent_runs = given.count("concurrentRuns");
    Some(OwnerLimit { team: team?, concurrent_runs: concurrent_runs? })
}

/// A pattern over names.
pub(super) fn pattern(given: &Settings<'_>, key: &str) -> Option<GroupPattern> {
    let at = given.at(key)?;
    let text = at.string()?;
    match GroupPattern::parse(&text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let text: String = text.chars().take(80).collect();
            let message = format!("`{text}` is no pattern of names: {error}");
            at.problem_with_help(message, "a regular expression such as ^daily-");
            None
        }
    }
}
