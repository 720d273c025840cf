//! When runs are submitted: on their schedule, after the runs that they depend on, and not more of
//! a team at one time than it may have.
//!
//! Models: a run waits until every run that it depends on has ended, whichever way, and is then
//! submitted at once, or when it is due if that is later: a late parent makes late children; a team
//! at its limit queues its further runs, critical ones first, else in order of when they were due; a
//! run keeps its place under the limit until it has ended for good. Leaves out: children of failed
//! parents that are skipped, parents that end earlier than recorded and would let their children
//! start earlier than recorded, the orchestrator's own delay between the two.
//!
//! Source: how Airflow runs a DAG (`trigger_rule: all_done`) and limits pools; what the recorded
//! orchestrator did is in the recorded submissions.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::event::{Event, SparkEvent};
use crate::engine::world::{Cx, World};
use crate::scenario::Scenario;
use crate::spark::application;
use crate::units::{SimDuration, SimTime};
use crate::workload::{TeamId, Workload};

/// What the orchestrator holds back.
#[derive(Debug, Default)]
pub(crate) struct OrchestratorState {
    /// Runs that wait for others: how many of them.
    parents_left: BTreeMap<u32, u32>,
    /// By run: those that wait for it.
    children: BTreeMap<u32, Vec<u32>>,
    /// Each team's limit.
    limits: Vec<Option<u32>>,
    /// Each team's runs that are on their way.
    active: Vec<u32>,
    /// Each team's runs that wait for room: (not critical, due, place).
    queues: BTreeMap<TeamId, BTreeSet<(bool, SimTime, u32)>>,
}

impl OrchestratorState {
    /// Nothing is held back yet.
    pub(crate) fn new(scenario: &Scenario, workload: &Workload) -> Self {
        Self {
            limits: scenario.orchestrator.limits_of(&workload.teams),
            active: vec![0; workload.teams.len()],
            ..Self::default()
        }
    }

    /// Whether the team may have one more run on its way.
    fn has_room(&self, team: TeamId) -> bool {
        let limit = self.limits.get(team.0 as usize).copied().flatten();
        limit.is_none_or(|limit| self.active[team.0 as usize] < limit)
    }
}

/// A run's time has come, as recorded.
pub(crate) fn on_run_due(world: &mut World, cx: &mut Cx<'_>, place: u32) {
    let run = cx.run(place);
    let open = run.depends_on.iter().filter(|parent| !world.runs.has_ended(**parent));
    let parents: Vec<u32> = open.copied().collect();
    if parents.is_empty() {
        on_run_ready(world, cx, place);
        return;
    }
    let state = &mut world.orchestrator;
    state.parents_left.insert(place, parents.len() as u32);
    for parent in parents {
        state.children.entry(parent).or_default().push(place);
    }
}

/// Nothing that it depends on holds the run back any more: it is submitted if its team has room.
pub(crate) fn on_run_ready(world: &mut World, cx: &mut Cx<'_>, place: u32) {
    let run = cx.run(place);
    world.runs.get_mut(place).ready_at = Some(cx.now);
    if world.orchestrator.has_room(run.team) {
        submit(world, cx, place);
    } else {
        let entry = (!run.critical, run.submitted_at, place);
        world.orchestrator.queues.entry(run.team).or_default().insert(entry);
    }
}

/// A run of the team has ended for good, after so many attempts: who waited for it, or for its
/// room, is released.
pub(crate) fn run_ended(
    world: &mut World,
    cx: &mut Cx<'_>,
    (place, team): (u32, TeamId),
    attempts: u32,
) {
    let state = &mut world.orchestrator;
    for child in state.children.remove(&place).unwrap_or_default() {
        let Some(left) = state.parents_left.get_mut(&child) else { continue };
        *left -= 1;
        if *left == 0 {
            state.parents_left.remove(&child);
            cx.after(SimDuration::ZERO, Event::Spark(SparkEvent::RunReady(child)));
        }
    }
    if attempts == 0 {
        // It never had a place.
        return;
    }
    state.active[team.0 as usize] -= 1;
    if state.queues.get(&team).is_some_and(|queue| !queue.is_empty()) {
        cx.after(SimDuration::ZERO, Event::Spark(SparkEvent::OwnerHasRoom(team)));
    }
}

/// A team may have room again.
pub(crate) fn on_owner_has_room(world: &mut World, cx: &mut Cx<'_>, team: TeamId) {
    while world.orchestrator.has_room(team) {
        let queue = world.orchestrator.queues.get_mut(&team);
        let Some((_, _, place)) = queue.and_then(BTreeSet::pop_first) else { return };
        submit(world, cx, place);
    }
}

fn submit(world: &mut World, cx: &mut Cx<'_>, place: u32) {
    let team = cx.run(place).team;
    world.orchestrator.active[team.0 as usize] += 1;
    application::on_run_submitted(world, cx, place);
}
