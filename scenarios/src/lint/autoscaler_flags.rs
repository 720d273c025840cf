//! Flags of Cluster Autoscaler that the release does not have.
//!
//! Source: `flags.csv` (from `flags.go` of the release branches), facts-kubernetes 2.1.

use sim::Severity;

use super::rule::{LintFinding, Rule};
use crate::problem::Problem;

/// A flag that the release does not have.
pub(super) static UNKNOWN: Rule = Rule {
    id: "autoscaler-flag-unknown",
    severity: Severity::Error,
    why: "the autoscaler ends at once with a flag that it does not have",
    source: "`flags.go` of the release branches 1.18 to 1.36 (`flags.csv`)",
};

/// The reader's problem as a finding.
pub(super) fn finding(problem: &Problem) -> LintFinding {
    let next = problem.help.clone().unwrap_or_else(|| "drop the flag".to_owned());
    UNKNOWN.of(problem, problem.message.clone(), next)
}
