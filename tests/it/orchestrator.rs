//! Runs that wait for others, limits of teams, deadlines.

use crate::fixtures::*;
use sim::scenario::{GroupPattern, Orchestrator, OwnerLimit, RunRule};
use sim::units::{SimDuration, SimTime};
use sim::workload::{Run, RunOutcome, TeamId};

fn pattern(text: &str) -> GroupPattern {
    GroupPattern::parse(text).unwrap()
}

fn after(parents: &[u32], run: Run) -> Run {
    Run { depends_on: parents.into(), ..run }
}

fn ends(records: &Records) -> Vec<SimTime> {
    let mut runs: Vec<_> = records.runs.iter().collect();
    runs.sort_by_key(|run| run.run);
    runs.iter().map(|run| run.ended_at.unwrap()).collect()
}

#[test]
fn a_late_parent_makes_late_children() {
    let workload = runs(vec![
        run("slow", 0, 200),
        run("quick", 0, 2),
        after(&[0, 1], run("child", 60, 2)),
        after(&[2], run("grandchild", 90, 2)),
        after(&[1], run("in-time", 3600, 2)),
    ]);
    let (outcome, records) = simulate(&platform(), &workload, 1);
    assert_eq!(outcome.succeeded, 5);
    let ends = ends(&records);
    let ready = |run: u32| records.runs.iter().find(|r| r.run == run).unwrap().ready_at.unwrap();
    assert_eq!(ready(2), ends[0].max(ends[1]), "both had to end");
    assert_eq!(ready(3), ends[2]);
    assert_eq!(ready(4), SimTime::from_millis(3_600_000), "its parent had ended long before");
    let first = |run: u32| records.attempts.iter().find(|a| a.run == run).unwrap().submitted_at;
    assert_eq!(first(2), ready(2));
    let owner = &outcome.owners[0];
    assert_eq!((owner.runs, owner.late_parents.0), (5, 2));

    let mut apart = workload.clone();
    Orchestrator { ignore_dependencies: true, ..Orchestrator::default() }.apply(&mut apart);
    let (_, records) = simulate(&platform(), &apart, 1);
    let child = records.runs.iter().find(|run| run.run == 2).unwrap();
    assert_eq!(child.ready_at, Some(SimTime::from_millis(60_000)));
}

#[test]
fn a_failed_parent_lets_its_children_go() {
    let failed = Run { outcome: RunOutcome::Failed, ..run("fails", 0, 2) };
    let workload = runs(vec![failed, after(&[0], run("child", 1, 2))]);
    let (outcome, records) = simulate(&platform(), &workload, 1);
    assert_eq!((outcome.succeeded, outcome.failed), (1, 1));
    let at = ends(&records)[0];
    assert_eq!(records.runs.iter().find(|run| run.run == 1).unwrap().ready_at, Some(at));
}

#[test]
fn a_team_at_its_limit_queues_its_runs_critical_ones_first() {
    let critical = Run { critical: true, ..run("critical", 3, 2) };
    let other_team = Run { team: TeamId(1), ..run("other", 4, 2) };
    let mut workload =
        runs(vec![run("a", 0, 2), run("b", 1, 2), run("c", 2, 2), critical, other_team]);
    workload.teams.push("free".into());
    let mut scenario = platform();
    scenario.orchestrator.limits = vec![OwnerLimit { team: pattern("^team$"), concurrent_runs: 1 }];
    let (outcome, records) = simulate(&scenario, &workload, 1);
    assert_eq!(outcome.succeeded, 5);
    let mut attempts: Vec<_> = records.attempts.iter().collect();
    attempts.sort_by_key(|attempt| attempt.submitted_at);
    let order: Vec<u32> = attempts.iter().map(|a| a.run).filter(|run| *run != 4).collect();
    assert_eq!(order, [0, 3, 1, 2]);
    let of_team: Vec<_> = attempts.iter().filter(|a| a.run != 4).collect();
    assert!(of_team.windows(2).all(|pair| pair[0].ended_at <= pair[1].submitted_at));
    let other = attempts.iter().find(|a| a.run == 4).unwrap();
    assert_eq!(other.submitted_at, SimTime::from_millis(4_000), "not its limit");
    // The wait in the orchestrator is a wait for the driver.
    let [longest] = outcome.run_queue_delay.quantiles([1.0]).unwrap();
    assert!(longest > SimDuration::minutes(1), "{longest}");
}

#[test]
fn deadlines_and_timeouts_are_counted_by_owner() {
    let mut workload = runs(vec![run("short", 0, 2), run("long", 0, 400), run("none", 0, 2)]);
    workload.applications = vec!["daily-report".into(), "adhoc".into()];
    workload.runs.list()[2].application = sim::workload::ApplicationId(1);
    let mut scenario = platform();
    let rule = |application: &str| RunRule {
        application: Some(pattern(application)),
        team: None,
        critical: Some(true),
        timeout: None,
        deadline: Some(SimDuration::minutes(20)),
    };
    scenario.orchestrator.rules = vec![rule("^daily-")];
    scenario.orchestrator.apply(&mut workload);
    let (outcome, records) = simulate(&scenario, &workload, 1);
    let owner = &outcome.owners[0];
    assert_eq!((owner.runs, owner.with_deadline), (3, 2));
    assert_eq!((owner.deadline_missed, owner.critical_missed), (1, 1));
    let long = records.runs.iter().find(|run| run.run == 1).unwrap();
    assert_eq!(long.missed(workload.runs.get(1).unwrap().deadline), Some(true));

    // A later rule wins; an attempt that is killed has missed its deadline, too.
    let timeout = Some(SimDuration::minutes(10));
    let mut strict = workload.clone();
    let kills = RunRule { timeout, ..rule("daily") };
    scenario.orchestrator.rules.push(kills);
    scenario.orchestrator.apply(&mut strict);
    let (outcome, _) = simulate(&scenario, &strict, 1);
    let owner = &outcome.owners[0];
    assert_eq!((owner.timeouts, owner.failed, owner.deadline_missed), (1, 1, 1));
    assert_eq!(owner.runs, owner.succeeded + owner.failed + owner.unfinished);
}
