//! What the orchestrator that submits runs knows of the business.

use super::GroupPattern;
use crate::units::SimDuration;
use crate::workload::Workload;

/// The orchestrator's rules.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Orchestrator {
    /// Runs are submitted when they were recorded to be, also where the runs that they depend on
    /// now end later.
    pub ignore_dependencies: bool,
    /// What holds for runs, by application or team; later rules win.
    pub rules: Vec<RunRule>,
    /// How many runs of a team are on their way at one time.
    pub limits: Vec<OwnerLimit>,
}

/// What holds for the runs that it matches, on top of what was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRule {
    /// A pattern over application names; `None` = all.
    pub application: Option<GroupPattern>,
    /// A pattern over team names; `None` = all.
    pub team: Option<GroupPattern>,
    /// They are critical, or not.
    pub critical: Option<bool>,
    /// An attempt that takes longer is killed.
    pub timeout: Option<SimDuration>,
    /// So long after its submission was due a run should have succeeded.
    pub deadline: Option<SimDuration>,
}

/// A team's limit.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnerLimit {
    /// A pattern over team names; every team that matches has the limit for itself.
    pub team: GroupPattern,
    /// Runs that are submitted and have not ended, waits between attempts included.
    pub concurrent_runs: u32,
}

impl Orchestrator {
    /// Whether it changes nothing.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Puts the rules into the runs of `workload`.
    pub fn apply(&self, workload: &mut Workload) {
        let Workload { applications, teams, runs, .. } = workload;
        for rule in self.rules.clone() {
            // Once a name, not once a run.
            let by_application = GroupPattern::matching(rule.application.as_ref(), applications);
            let by_team = GroupPattern::matching(rule.team.as_ref(), teams);
            runs.change(move |runs| {
                let runs = runs.iter_mut();
                for run in runs.filter(|run| {
                    by_application.get(run.application.0 as usize) == Some(&true)
                        && by_team.get(run.team.0 as usize) == Some(&true)
                }) {
                    run.critical = rule.critical.unwrap_or(run.critical);
                    run.timeout = rule.timeout.or(run.timeout);
                    run.deadline = rule.deadline.or(run.deadline);
                }
            });
        }
        if self.ignore_dependencies {
            runs.change(|runs| runs.iter_mut().for_each(|run| run.depends_on = Box::default()));
        }
    }

    /// The limit of each team: the last one that matches its name.
    pub fn limits_of(&self, teams: &[String]) -> Vec<Option<u32>> {
        let limit = |team: &String| {
            let found = self.limits.iter().rev().find(|limit| limit.team.matches(team));
            found.map(|limit| limit.concurrent_runs)
        };
        teams.iter().map(limit).collect()
    }
}
