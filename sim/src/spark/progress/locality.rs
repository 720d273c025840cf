//! Tasks that hold out for a better place ("delay scheduling").
//!
//! Models: a task that reads a cached block prefers the executor that holds it, then another on the
//! same host; a task that reads a shuffle of fewer than 1,000 maps with fewer than 1,000 tasks
//! prefers hosts that hold at least a fifth of the map outputs (of several shuffles: the hosts that
//! suit all, or else any of them, as Spark's zipped partitions do). A stage refuses worse slots
//! until `spark.locality.wait.process`, then `.node`, have passed since it was submitted or since it
//! last took every slot that it was offered (3.1 and later; before, or with
//! `legacyResetOnTaskLaunch`, since its last launch). On Kubernetes every executor is its own host.
//! Once a block's executor is gone, its task computes it again where it runs.
//!
//! Leaves out: racks; data outside the cluster (object stores have no place); RDDs that are dropped
//! before the application ends, or that did not fit into memory; stages of more than
//! [`PREFERRING_TASKS_MAX`] tasks that read cached blocks; how much each map wrote for each reducer
//! (taken to be equal); blocks that a decommissioned executor moves away (they count as lost); the
//! second between Spark's offers (`spark.scheduler.revive.interval`).
//!
//! Source: facts-spark A5 (`TaskSetManager`, `MapOutputTracker`), `ZippedPartitionsBaseRDD`.

use super::Progress;
use super::stage_state::{BitSet, NOWHERE};
use crate::units::SimTime;

/// Spark's `SHUFFLE_PREF_MAP_THRESHOLD` and `SHUFFLE_PREF_REDUCE_THRESHOLD`.
const SHUFFLE_PREFERS_BELOW: u32 = 1000;
/// Spark's `REDUCER_PREF_LOCS_FRACTION` is a fifth: one in so many.
const FIFTH: usize = 5;
/// Cached blocks are looked for one by one up to here. A guard on time, not a rule of Spark's.
const PREFERRING_TASKS_MAX: u32 = 4096;

/// Where a stage's tasks want to run.
#[derive(Debug, Default)]
enum Preference {
    /// Anywhere.
    #[default]
    Nothing,
    /// Each with its cached block, which tasks of that stage left.
    Blocks(u32),
    /// Any of them on any of these hosts.
    Hosts(BitSet),
}

/// How far from what it prefers a task may run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    #[default]
    Process,
    Node,
    Any,
}

/// What a stage holds out for, and since when.
#[derive(Debug, Default)]
pub(super) struct Holding {
    preference: Preference,
    level: Level,
    since: SimTime,
    /// The worst level of a launch in this round of offers.
    launched: Option<Level>,
}

impl Holding {
    /// Whether the stage's next task may have the only slot that is free, one on that host,
    /// whatever the time: so it takes it. False also where that depends on the task.
    pub(super) fn accepts(&mut self, host: u32, at: SimTime) -> bool {
        let level = match &self.preference {
            Preference::Nothing => return true,
            Preference::Blocks(_) => return false,
            Preference::Hosts(hosts) if hosts.contains(host) => Level::Node,
            Preference::Hosts(_) if self.level == Level::Any => Level::Any,
            Preference::Hosts(_) => return false,
        };
        // Nothing is refused in this round of offers: as `end_offers` does.
        (self.level, self.since) = (level, at);
        true
    }

    /// Whether any task of the stage runs as gladly on that host as anywhere: it takes such a slot,
    /// whatever was taken before.
    pub(super) fn prefers(&self, host: u32) -> bool {
        match &self.preference {
            Preference::Nothing => true,
            Preference::Blocks(_) => false,
            Preference::Hosts(hosts) => hosts.contains(host),
        }
    }

    /// Its tasks took slots that it prefers, the last one then: as [`Holding::accepts`] notes it.
    pub(super) fn took_preferred(&mut self, at: SimTime) {
        if let Preference::Hosts(_) = self.preference {
            (self.level, self.since) = (Level::Node, at);
        }
    }
}

impl<K: Copy + Eq> Progress<K> {
    /// Whether tasks of the stage prefer some slots to others.
    pub(super) fn prefers_places(&self, stage: u32) -> bool {
        !matches!(self.stages[stage as usize].holding.preference, Preference::Nothing)
    }

    /// A stage is not open any more: finds out whether the others prefer something.
    pub(super) fn note_preferences(&mut self) {
        self.holds_out &= self.open.iter().any(|stage| self.prefers_places(*stage));
    }

    /// The stage is submitted: finds out what its tasks prefer.
    pub(super) fn prefer_places(&mut self, stage: u32, at: SimTime) {
        let preference = self.preference_of(stage);
        let level = match preference {
            Preference::Nothing => {
                self.stages[stage as usize].holding = Holding::default();
                return;
            }
            Preference::Blocks(_) => Level::Process,
            Preference::Hosts(_) => Level::Node,
        };
        let count = self.work.stages[stage as usize].tasks.count();
        let state = &mut self.stages[stage as usize];
        if matches!(preference, Preference::Blocks(_)) && state.next < count {
            // Tasks leave out of order: all of them go through the list that allows it.
            state.requeued = (state.next..count).rev().chain(state.requeued.drain(..)).collect();
            state.next = count;
        }
        state.holding = Holding { preference, level, since: at, launched: None };
    }

    fn preference_of(&self, stage: u32) -> Preference {
        let count = self.work.stages[stage as usize].tasks.count();
        if let Some(by) = self.blocks_of(stage) {
            let blocks = &self.stages[by as usize].blocks_on;
            if count <= PREFERRING_TASKS_MAX && blocks.iter().any(|at| *at != NOWHERE) {
                return Preference::Blocks(by);
            }
        }
        match self.hosts_of_inputs(stage) {
            hosts if hosts.is_empty() => Preference::Nothing,
            hosts => Preference::Hosts(hosts),
        }
    }

    /// The complete stage that left the cached blocks which the stage's tasks read.
    fn blocks_of(&self, stage: u32) -> Option<u32> {
        let recorded = &self.work.stages[stage as usize];
        let by = recorded.cached_by.filter(|by| *by != stage)?;
        let same = self.work.stages[by as usize].tasks.count() == recorded.tasks.count();
        (same && self.stages[by as usize].done_at.is_some()).then_some(by)
    }

    /// Hosts that hold enough of the shuffles that the stage reads.
    fn hosts_of_inputs(&self, stage: u32) -> BitSet {
        let recorded = &self.work.stages[stage as usize];
        let small = recorded.tasks.count() < SHUFFLE_PREFERS_BELOW;
        let seen = recorded.locality;
        // Tasks without a preference are recorded at the nearest level: where most are, the program
        // reads in a way that prefers nothing (a cogroup), or the input was spread too thin.
        let indifferent = seen.process_local > seen.node_local.saturating_add(seen.any);
        let executors_go = self.rules.outputs_go_with_executor;
        if !small || indifferent || !executors_go || !self.rules.locality.reduce {
            return BitSet::default();
        }
        let parents = self.work.read_by(stage as usize).iter();
        let mut sets = parents.map(|parent| self.hosts_with_a_fifth(*parent));
        let Some(first) = sets.next() else { return BitSet::default() };
        let (all, any) = sets.fold((first.clone(), first), |(all, any), hosts| {
            (all.intersection(&hosts), any.union(&hosts))
        });
        if all.is_empty() { any } else { all }
    }

    fn hosts_with_a_fifth(&self, parent: u32) -> BitSet {
        let outputs = &self.stages[parent as usize].outputs;
        let mut hosts = BitSet::default();
        if outputs.len() >= SHUFFLE_PREFERS_BELOW as usize {
            return hosts;
        }
        let mut held = vec![0; self.executors.len()];
        for executor in outputs.iter().filter(|executor| **executor != NOWHERE) {
            held[*executor as usize] += 1;
        }
        let holders = self.executors.iter().zip(held).filter(|(executor, _)| executor.alive);
        let mut held: Vec<(u32, usize)> =
            holders.map(|(executor, held)| (executor.host, held)).collect();
        held.sort_unstable();
        for same in held.chunk_by(|a, b| a.0 == b.0) {
            let held: usize = same.iter().map(|(_, held)| held).sum();
            if held > 0 && held * FIFTH >= outputs.len() {
                hosts.insert(same[0].0);
            }
        }
        hosts
    }

    /// The task's cached block is lost: the stage whose work is to be done again for it.
    pub(super) fn computes_block_of(&self, stage: u32, task: u32) -> Option<u32> {
        let by = self.blocks_of(stage)?;
        let blocks = &self.stages[by as usize].blocks_on;
        (blocks.get(task as usize) == Some(&NOWHERE)).then_some(by)
    }

    /// A task has left or computed its cached block on the executor.
    pub(super) fn keep_block(&mut self, stage: u32, task: u32, executor: u32) {
        let count = self.work.stages[stage as usize].tasks.count() as usize;
        let state = &mut self.stages[stage as usize];
        if state.blocks_read {
            if state.blocks_on.is_empty() {
                state.blocks_on = vec![NOWHERE; count];
            }
            state.blocks_on[task as usize] = executor;
        }
        if let Some(by) = self.computes_block_of(stage, task) {
            self.stages[by as usize].blocks_on[task as usize] = executor;
        }
    }

    /// The executor's cached blocks are lost.
    pub(super) fn lose_blocks(&mut self, executor: u32) {
        for state in self.stages.iter_mut().filter(|state| !state.blocks_on.is_empty()) {
            for at in state.blocks_on.iter_mut().filter(|at| **at == executor) {
                *at = NOWHERE;
            }
        }
    }

    /// [`Progress::take_task`] of a stage that prefers places: the nearest pair of a waiting task
    /// and a free slot, if it is near enough by now.
    pub(super) fn take_preferred_task(&mut self, stage: u32, at: SimTime) -> Option<(u32, u32)> {
        let allowed = self.allowed_level(stage, at);
        let nearest = match self.stages[stage as usize].holding.preference {
            Preference::Hosts(_) => Level::Node,
            _ => Level::Process,
        };
        let levels = [Level::Process, Level::Node, Level::Any];
        for level in levels.into_iter().filter(|level| (nearest..=allowed).contains(level)) {
            let Some((task, place)) = self.pair_at(stage, level, at) else { continue };
            let slot = self.free.remove(place)?;
            let state = &mut self.stages[stage as usize];
            match state.requeued.iter().rposition(|other| *other == task) {
                Some(place) => {
                    state.requeued.remove(place);
                }
                None => state.next += 1,
            }
            let holding = &mut state.holding;
            holding.launched = holding.launched.max(Some(level));
            if self.rules.locality.legacy_reset {
                (holding.level, holding.since) = (level, at);
            }
            self.pending -= 1;
            self.unqueue_time(stage, task);
            return Some((task, slot));
        }
        self.take_copy(stage)
    }

    /// The first waiting task with a free slot at that level, and the slot's place.
    fn pair_at(&self, stage: u32, level: Level, at: SimTime) -> Option<(u32, usize)> {
        let state = &self.stages[stage as usize];
        let host = |executor: u32| self.executors[executor as usize].host;
        let mut free_at = BitSet::default();
        if let Preference::Blocks(_) = state.holding.preference {
            for slot in &self.free {
                free_at.insert(if level == Level::Process { *slot } else { host(*slot) });
            }
        }
        let fits = |task: u32, slot: u32| match &state.holding.preference {
            Preference::Nothing => true,
            Preference::Hosts(hosts) => level == Level::Any || hosts.contains(host(slot)),
            Preference::Blocks(by) => match (self.block_at(*by, task), level) {
                (None, _) | (_, Level::Any) => true,
                (Some(home), Level::Process) => slot == home,
                (Some(home), Level::Node) => host(slot) == host(home),
            },
        };
        let hopeless = |task: u32| match &state.holding.preference {
            Preference::Blocks(by) => self.block_at(*by, task).is_some_and(|home| match level {
                Level::Process => !free_at.contains(home),
                Level::Node => !free_at.contains(host(home)),
                Level::Any => false,
            }),
            _ => false,
        };
        let count = self.work.stages[stage as usize].tasks.count();
        let fresh = (state.next < count).then_some(state.next);
        for task in state.requeued.iter().rev().copied().chain(fresh) {
            if hopeless(task) {
                continue;
            }
            let mut slots = self.free.iter();
            let suits = |slot: &u32| fits(task, *slot) && self.is_allowed(stage, task, *slot, at);
            if let Some(place) = slots.position(suits) {
                return Some((task, place));
            }
        }
        None
    }

    fn block_at(&self, by: u32, task: u32) -> Option<u32> {
        let blocks = &self.stages[by as usize].blocks_on;
        blocks.get(task as usize).copied().filter(|at| *at != NOWHERE)
    }

    /// How far from what it prefers the stage accepts slots by now.
    fn allowed_level(&mut self, stage: u32, at: SimTime) -> Level {
        loop {
            let level = self.stages[stage as usize].holding.level;
            let wait = match level {
                Level::Process => self.rules.locality.process,
                Level::Node => self.rules.locality.node,
                Level::Any => return level,
            };
            let next = if level == Level::Process { Level::Node } else { Level::Any };
            let due = self.stages[stage as usize].holding.since.saturating_add(wait);
            let hopes = self.may_come_near(stage);
            let holding = &mut self.stages[stage as usize].holding;
            if !hopes {
                (holding.level, holding.since) = (next, at);
            } else if due <= at {
                (holding.level, holding.since) = (next, due);
            } else {
                return level;
            }
        }
    }

    /// Whether some waiting task has a place that it prefers.
    fn may_come_near(&self, stage: u32) -> bool {
        let state = &self.stages[stage as usize];
        match &state.holding.preference {
            Preference::Nothing => false,
            Preference::Blocks(by) => {
                state.requeued.iter().any(|task| self.block_at(*by, *task).is_some())
            }
            Preference::Hosts(hosts) => {
                self.executors().any(|executor| !executor.draining && hosts.contains(executor.host))
            }
        }
    }

    /// A round of offers is over: a stage that launched tasks and refused nothing starts to wait
    /// anew, at the worst level that it took.
    pub(super) fn end_offers(&mut self, passed: &[u32], at: SimTime) {
        for stage in &self.open {
            let holding = &mut self.stages[*stage as usize].holding;
            let Some(level) = holding.launched.take() else { continue };
            if !passed.contains(stage) && !self.rules.locality.legacy_reset {
                (holding.level, holding.since) = (level, at);
            }
        }
    }

    /// When a stage that refuses free slots accepts worse ones; `None` where none does.
    pub(super) fn next_easing(&self) -> Option<SimTime> {
        if !self.holds_out || self.free.is_empty() {
            return None;
        }
        let rules = &self.rules.locality;
        let stages = self.open.iter().filter(|stage| self.prefers_places(**stage));
        let eases = stages.filter_map(|stage| {
            let holding = &self.stages[*stage as usize].holding;
            let wait = match holding.level {
                Level::Process => rules.process,
                Level::Node => rules.node,
                Level::Any => return None,
            };
            Some(holding.since.saturating_add(wait))
        });
        eases.min()
    }
}

#[cfg(test)]
mod tests;
