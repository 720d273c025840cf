//! The disruption loop: one command at a time, emptiness before drift before consolidation.
//!
//! Every ten seconds, as long as something may have changed (see [`super`]). A command to delete or
//! to consolidate is validated again 15 seconds after it was found: its candidates must still be
//! candidates, budgets must still allow it, and a simulation must come to the same; emptiness then
//! leaves out nodes that got pods meanwhile. What is carried out cordons the nodes, launches what
//! replaces them, waits for that to be ready, and drains them; if the replacement does not come,
//! the nodes take pods again. After a command the next turn follows at once.
//!
//! Consolidation that finds nothing to do remembers that as long as neither the cluster nor the set
//! of its candidates nor what budgets allow changes, for five minutes. Source: facts-kubernetes 3;
//! kubernetes-sigs/karpenter `pkg/controllers/disruption`.

use super::budgets::{self, Allowance};
use super::candidates::{Candidate, candidates};
use super::claim::Claim;
use super::consolidation::{Simulator, total_price};
use super::{KarpenterState, launch, termination};
use crate::cluster::{NodeId, NodeState};
use crate::engine::event::KarpenterEvent;
use crate::engine::world::{Cx, World};
use crate::outcome::{DisruptedBy, PodResult, ScalingDecision, ScalingRecord};
use crate::scenario::{ConsolidationPolicy, DisruptionReason, Karpenter};
use crate::units::{SimDuration, SimTime};

/// Between two turns.
const POLL: SimDuration = SimDuration::seconds(10);
/// Between finding a command and carrying it out.
const VALIDATION: SimDuration = SimDuration::seconds(15);
/// So long consolidation takes an unchanged cluster for consolidated.
const CONSOLIDATED_FOR: SimDuration = SimDuration::minutes(5);

/// What the loop remembers.
#[derive(Debug, Default)]
pub(super) struct DisruptionLoop {
    /// When the next turn is due.
    next: Option<SimTime>,
    /// Number of the turn that is in the calendar.
    number: u32,
    /// Counts changes of pods and nodes.
    version: u64,
    /// When the last one was.
    changed_at: SimTime,
    /// What the cluster, the candidates and their budgets were when consolidation found nothing to
    /// do.
    consolidated: Option<(u64, Vec<u64>, Vec<u32>)>,
    /// The command that waits to be validated.
    found: Option<Command>,
    /// Commands that wait for their replacements.
    executing: Vec<Executing>,
}

/// Nodes to disrupt, and what to launch for them.
#[derive(Debug, Clone)]
struct Command {
    candidates: Vec<Candidate>,
    replacements: Vec<Claim>,
    by: DisruptedBy,
}

/// A command that was carried out as far as launching what replaces the nodes.
#[derive(Debug)]
struct Executing {
    candidates: Vec<NodeId>,
    /// Those that are not ready yet.
    replacements: Vec<NodeId>,
    by: DisruptedBy,
}

/// What a turn comes to.
struct Turn {
    command: Option<Command>,
    /// Why nodes are kept: (number, reason).
    notes: Vec<(u64, String)>,
    /// When something may be different although nothing happens.
    next: Option<SimTime>,
}

/// A pod or a node has changed.
pub(super) fn changed(world: &mut World, cx: &mut Cx<'_>) {
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    state.disruption.version += 1;
    state.disruption.changed_at = cx.now;
    if !state.nodes.is_empty() {
        arm(world, cx);
    }
}

/// The next turn on the grid is taken.
pub(super) fn arm(world: &mut World, cx: &mut Cx<'_>) {
    let at = cx.now.round_up_to(POLL);
    arm_at(world, cx, at);
}

fn arm_at(world: &mut World, cx: &mut Cx<'_>, at: SimTime) {
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    let disruption = &mut state.disruption;
    if disruption.found.is_some() || disruption.next.is_some_and(|next| next <= at) {
        return;
    }
    disruption.next = Some(at);
    disruption.number += 1;
    cx.at(at, termination::event(KarpenterEvent::Poll(disruption.number)));
}

/// A turn of the loop; stale if its number is not the current one.
pub(super) fn on_poll(world: &mut World, cx: &mut Cx<'_>, number: u32) {
    let Some(settings) = cx.scenario.karpenter() else { return };
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    if state.disruption.number != number || state.disruption.found.is_some() {
        return;
    }
    state.disruption.next = None;
    let at = (cx.now, cx.workload.epoch_ms);
    let Some(turn) = super::with_state(world, |state, world| decide(state, world, settings, at))
    else {
        return;
    };
    note(world, cx, turn.notes);
    match turn.command {
        None => {
            let next = if cx.options.every_scan { Some(cx.now) } else { turn.next };
            if let Some(next) = next {
                let after = cx.now.saturating_add(SimDuration::from_millis(1));
                arm_at(world, cx, next.max(after).round_up_to(POLL));
            }
        }
        Some(command) if command.by == DisruptedBy::Drifted => {
            let done = execute(world, cx, &command);
            again(world, cx, done);
        }
        Some(command) => {
            if let Some(state) = world.autoscaler.karpenter_mut() {
                state.disruption.found = Some(command);
                cx.after(VALIDATION, termination::event(KarpenterEvent::Validate));
            }
        }
    }
}

/// The next turn: at once after a command that was carried out.
fn again(world: &mut World, cx: &mut Cx<'_>, done: bool) {
    let soon = cx.now.saturating_add(SimDuration::from_millis(1));
    let at = if done { cx.now } else { soon.round_up_to(POLL) };
    if let Some(state) = world.autoscaler.karpenter_mut() {
        // Whatever armed the loop meanwhile comes later than this, or is this.
        state.disruption.next = state.disruption.next.filter(|next| *next <= at);
    }
    arm_at(world, cx, at);
}

/// The command is validated, and carried out if it still holds.
pub(super) fn on_validate(world: &mut World, cx: &mut Cx<'_>) {
    let Some(settings) = cx.scenario.karpenter() else { return };
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    let Some(command) = state.disruption.found.take() else { return };
    let at = (cx.now, cx.workload.epoch_ms);
    let first = command.candidates[0].number;
    let valid =
        super::with_state(world, |state, world| validate(state, world, settings, command, at));
    let done = match valid {
        Some(Ok(command)) => execute(world, cx, &command),
        Some(Err(reason)) => {
            abandon(world, cx, first, &reason);
            false
        }
        None => false,
    };
    again(world, cx, done);
}

/// What to do in this turn.
fn decide(
    state: &mut KarpenterState,
    world: &World,
    settings: &Karpenter,
    at: (SimTime, i64),
) -> Turn {
    let now = at.0;
    if now.since(state.disruption.changed_at) > CONSOLIDATED_FOR {
        state.disruption.version += 1;
        state.disruption.changed_at = now;
    }
    let all = candidates(state, world, settings, now);
    let allowance =
        |state: &KarpenterState, reason| Allowance::of(state, world, settings, reason, at);
    let mut empty = allowance(state, DisruptionReason::Empty);
    let command = emptiness(&all, &mut empty);
    if command.is_some() {
        return Turn { command, notes: Vec::new(), next: None };
    }
    let drifted = allowance(state, DisruptionReason::Drifted);
    let mut simulator = Simulator { state: &mut *state, world, settings, now, all: &all };
    let mut notes = Vec::new();
    // Whether there is room for a drifted node's pods is looked at in every turn.
    let any_drifted = all.iter().any(|candidate| candidate.drifted);
    if any_drifted {
        let command = drift(&mut simulator, &drifted, &mut notes);
        if command.is_some() {
            return Turn { command, notes, next: None };
        }
    }
    let allowed = allowance(state, DisruptionReason::Underutilized);
    let mut simulator = Simulator { state: &mut *state, world, settings, now, all: &all };
    let command = consolidation(&mut simulator, allowed, &mut notes);
    let windows = !all.is_empty() && budgets::any_windows(settings);
    let next = if any_drifted || windows { Some(now) } else { timers(state, settings, now) };
    Turn { command, notes, next }
}

/// Empty nodes go together.
fn emptiness(all: &[Candidate], allowance: &mut Allowance) -> Option<Command> {
    let empty = all.iter().filter(|c| c.consolidatable && !c.blocked && c.pods.is_empty());
    let candidates: Vec<Candidate> =
        empty.filter(|candidate| allowance.take(candidate.node_pool)).cloned().collect();
    let by = DisruptedBy::Empty;
    let command = Command { candidates, replacements: Vec::new(), by };
    (!command.candidates.is_empty()).then_some(command)
}

/// The first drifted node, empty ones before others, whose pods all find a place.
fn drift(
    simulator: &mut Simulator<'_>,
    allowance: &Allowance,
    notes: &mut Vec<(u64, String)>,
) -> Option<Command> {
    let settings = simulator.settings;
    let may_go = |candidate: &&Candidate| {
        let grace = settings.node_pools[candidate.node_pool].termination_grace_period;
        candidate.drifted && (!candidate.blocked || grace.is_some())
    };
    let mut drifted: Vec<&Candidate> = simulator.all.iter().filter(may_go).collect();
    drifted.sort_by_key(|candidate| !candidate.pods.is_empty());
    for candidate in drifted {
        if !allowance.allows(candidate.node_pool) {
            continue;
        }
        match simulator.simulate(std::slice::from_ref(candidate)) {
            Ok(plan) => {
                let replacements = if candidate.pods.is_empty() { Vec::new() } else { plan.claims };
                let by = DisruptedBy::Drifted;
                return Some(Command { candidates: vec![candidate.clone()], replacements, by });
            }
            Err(reason) => notes.push((candidate.number, reason)),
        }
    }
    None
}

/// Several nodes at once, or else one.
fn consolidation(
    simulator: &mut Simulator<'_>,
    mut allowance: Allowance,
    notes: &mut Vec<(u64, String)>,
) -> Option<Command> {
    let settings = simulator.settings;
    let policy = |c: &Candidate| settings.node_pools[c.node_pool].disruption.consolidation_policy;
    let may_go = |c: &&Candidate| {
        c.consolidatable && !c.blocked && policy(c) != ConsolidationPolicy::WhenEmpty
    };
    let mut eligible: Vec<&Candidate> = simulator.all.iter().filter(may_go).collect();
    let key = |eligible: &[&Candidate]| eligible.iter().map(|c| c.number).collect::<Vec<u64>>();
    let version = simulator.state.disruption.version;
    let state = (version, key(&eligible), allowance.left.clone());
    if eligible.is_empty() || simulator.state.disruption.consolidated.as_ref() == Some(&state) {
        return None;
    }
    eligible.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(a.number.cmp(&b.number)));
    // One node alone may be any of a NodePool that may lose one; several must all be allowed.
    let alone: Vec<&Candidate> =
        eligible.iter().copied().filter(|c| allowance.allows(c.node_pool)).collect();
    let allowed: Vec<Candidate> =
        eligible.into_iter().filter(|c| allowance.take(c.node_pool)).cloned().collect();
    let by = DisruptedBy::Underutilized;
    if let Some((count, claim)) = simulator.multi_node(&allowed) {
        let candidates = allowed[..count].to_vec();
        return Some(Command { candidates, replacements: claim.into_iter().collect(), by });
    }
    for candidate in alone {
        match simulator.consolidate(std::slice::from_ref(candidate)) {
            Ok(claim) => {
                let candidates = vec![candidate.clone()];
                return Some(Command { candidates, replacements: claim.into_iter().collect(), by });
            }
            Err(reason) => notes.push((candidate.number, reason)),
        }
    }
    simulator.state.disruption.consolidated = Some(state);
    None
}

/// When a timer comes due.
fn timers(state: &KarpenterState, settings: &Karpenter, now: SimTime) -> Option<SimTime> {
    let mut times = Vec::new();
    for facts in state.nodes.values().filter(|facts| !facts.draining && !facts.waits) {
        let of = &settings.node_pools[facts.node_pool];
        times.push(facts.nominated_until);
        times.extend(
            of.disruption.consolidate_after.map(|after| facts.last_pod_event.saturating_add(after)),
        );
        times.extend(of.drift_at.iter().map(|at| SimTime::ZERO.saturating_add(*at)));
    }
    if !state.nodes.is_empty() {
        // Later than five minutes.
        let unchanged = state.disruption.changed_at.saturating_add(CONSOLIDATED_FOR);
        times.push(unchanged.saturating_add(SimDuration::from_millis(1)));
    }
    times.into_iter().filter(|at| *at > now).min()
}

/// Whether the command still holds, and what is left of it.
///
/// # Errors
/// Why it does not.
fn validate(
    state: &mut KarpenterState,
    world: &World,
    settings: &Karpenter,
    mut command: Command,
    at: (SimTime, i64),
) -> Result<Command, String> {
    let all = candidates(state, world, settings, at.0);
    let empty = command.by == DisruptedBy::Empty;
    let reason = if empty { DisruptionReason::Empty } else { DisruptionReason::Underutilized };
    let mut allowance = Allowance::of(state, world, settings, reason, at);
    let mut still = Vec::new();
    for candidate in &command.candidates {
        let now = all.iter().find(|other| other.number == candidate.number);
        let now = now.filter(|c| c.consolidatable && !c.blocked && (!empty || c.pods.is_empty()));
        match now {
            Some(now) if allowance.take(now.node_pool) => still.push(now.clone()),
            _ if empty => {}
            Some(_) => return Err("disruption budgets no longer allow it".to_owned()),
            None => return Err("candidates are no longer valid".to_owned()),
        }
    }
    if still.is_empty() {
        return Err("nodes are no longer empty".to_owned());
    }
    command.candidates = still;
    if empty {
        return Ok(command);
    }
    let mut simulator = Simulator { state, world, settings, now: at.0, all: &all };
    let fresh = simulator.consolidate(&command.candidates)?;
    match (command.replacements.first_mut(), fresh) {
        (None, None) => Ok(command),
        (Some(old), Some(fresh))
            if old.pool == fresh.pool && old.types.iter().all(|t| fresh.types.contains(t)) =>
        {
            old.offerings.intersect(&fresh.offerings);
            Ok(command)
        }
        _ => Err("scheduling simulation produced new results".to_owned()),
    }
}

/// Carries the command out. Tells whether that worked.
fn execute(world: &mut World, cx: &mut Cx<'_>, command: &Command) -> bool {
    let (by, count) = (command.by, command.candidates.len());
    let mut replacements = Vec::new();
    for claim in &command.replacements {
        let pods = claim.pods;
        let why = format!("replaces {count} node(s), {}, to fit {pods} pod(s)", by.name());
        match launch::launch(world, cx, claim, &why) {
            Ok(node) => replacements.push(node),
            Err(code) => {
                let reason = format!("failed to launch replacement nodeclaim: {code}");
                abandon(world, cx, command.candidates[0].number, &reason);
                return false;
            }
        }
    }
    let kinds = &world.cluster.kinds;
    let price = |id: &NodeId| kinds.get(world.cluster.nodes[*id].kind).price_at(cx.now).as_nano();
    let before = total_price(&command.candidates);
    let after: u64 = replacements.iter().map(price).sum();
    assert!(
        by != DisruptedBy::Underutilized || after < before.as_nano() || before.as_nano() == 0,
        "at {}: a consolidation from {before:?} to {after} nano-dollars an hour",
        cx.now
    );
    let action = if replacements.is_empty() { "delete" } else { "replace" };
    let reason = format!(
        "disrupting node(s) via {action}: {}, {count} node(s), {} replacement(s)",
        by.name(),
        replacements.len()
    );
    for candidate in &command.candidates {
        termination::cordon(world, cx, candidate.node, by, &reason);
        let state = world.autoscaler.karpenter_mut();
        if let Some(facts) = state.and_then(|state| state.nodes.get_mut(&candidate.number)) {
            facts.waits = true;
        }
    }
    let nodes: Vec<NodeId> = command.candidates.iter().map(|candidate| candidate.node).collect();
    if replacements.is_empty() {
        for node in nodes {
            termination::drain(world, cx, node, by, PodResult::Deleted);
        }
    } else if let Some(state) = world.autoscaler.karpenter_mut() {
        state.disruption.executing.push(Executing { candidates: nodes, replacements, by });
    }
    changed(world, cx);
    true
}

/// A node is ready: those that waited for it are drained.
pub(super) fn replacement_ready(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    let executing = &mut state.disruption.executing;
    for command in executing.iter_mut() {
        command.replacements.retain(|other| *other != node_id);
    }
    let done = |command: &mut Executing| command.replacements.is_empty();
    let done: Vec<Executing> = executing.extract_if(.., done).collect();
    for command in done {
        for node in command.candidates {
            termination::drain(world, cx, node, command.by, PodResult::Deleted);
        }
    }
}

/// A node is gone: who waited for it takes pods again.
pub(super) fn node_gone(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    let executing = &mut state.disruption.executing;
    for command in executing.iter_mut() {
        command.candidates.retain(|other| *other != node_id);
    }
    let failed = |command: &mut Executing| {
        command.candidates.is_empty() || command.replacements.contains(&node_id)
    };
    let failed: Vec<Executing> = executing.extract_if(.., failed).collect();
    for node in failed.into_iter().flat_map(|command| command.candidates) {
        let cordoned = world.cluster.nodes.get(node).filter(|n| n.state == NodeState::Cordoned);
        if let Some(number) = cordoned.map(|node| node.number) {
            abandon(world, cx, number, "replacement nodeclaim was deleted");
            termination::uncordon(world, cx, node);
        }
    }
}

/// Records that a command was given up, at one of its nodes.
fn abandon(world: &World, cx: &mut Cx<'_>, number: u64, reason: &str) {
    let mut nodes = world.cluster.nodes.iter();
    let node = nodes.find(|(_, node)| node.number == number).map(|(_, node)| node);
    let pool = node.map(|node| world.cluster.kinds.get(node.kind).pool);
    let decision = ScalingDecision::CommandAbandoned;
    cx.sink.scaling(ScalingRecord { at: cx.now, pool, node: Some(number), decision, reason });
}

/// Records why nodes are kept, once per change.
fn note(world: &mut World, cx: &mut Cx<'_>, notes: Vec<(u64, String)>) {
    for (number, reason) in notes {
        let Some(state) = world.autoscaler.karpenter_mut() else { return };
        let Some(facts) = state.nodes.get_mut(&number).filter(|facts| facts.note != reason) else {
            continue;
        };
        facts.note.clone_from(&reason);
        let node = world.cluster.nodes.get(facts.id);
        let pool = node.map(|node| world.cluster.kinds.get(node.kind).pool);
        cx.sink.scaling(ScalingRecord {
            at: cx.now,
            pool,
            node: Some(number),
            decision: ScalingDecision::Unconsolidatable,
            reason: &reason,
        });
    }
}
