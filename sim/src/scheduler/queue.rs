//! The scheduler's queues and caches.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

use super::filter::{Filters, StaticFit, StaticFits};
use super::score::Scorer;
use crate::cluster::{Cluster, NodeKindId, PlacementId, PodId, SpecId};
use crate::scenario::Scenario;
use crate::units::SimTime;

/// Queues, caches and the profile.
#[derive(Debug)]
pub(crate) struct Scheduler {
    active: BinaryHeap<Queued>,
    waiting: Vec<Waiting>,
    waiting_specs: BTreeSet<SpecId>,
    /// Filters and scores that are the same for all nodes of a kind.
    pub(crate) fits: StaticFits,
    failures: Vec<Option<(u64, u32)>>,
    reasons: Vec<String>,
    /// Counts every change that may let a pod fit that did not.
    pub(crate) epoch: u64,
    /// A cycle is in the calendar.
    pub(crate) cycle_scheduled: bool,
    /// When the scheduler is done with the last pod.
    pub(crate) free_at: SimTime,
    /// Score plugins with their weights.
    pub(crate) scorer: Scorer,
}

/// Pods of one spec that failed to be placed.
#[derive(Debug, Default)]
struct Waiting {
    /// In order; pods that are gone or woken are skipped when they are met.
    queue: VecDeque<PodId>,
    /// How many of them wait.
    unschedulable: u32,
    /// How many wait out their backoff.
    backoff: u32,
}

/// A pod of the active queue: highest priority first, then the oldest.
#[derive(Debug)]
struct Queued {
    key: (i32, Reverse<SimTime>, Reverse<u64>),
    pod: PodId,
}

impl Scheduler {
    /// Empty queues.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self {
            active: BinaryHeap::new(),
            waiting: Vec::new(),
            waiting_specs: BTreeSet::new(),
            fits: StaticFits::new(Filters::of(&scenario.scheduler)),
            failures: Vec::new(),
            reasons: Vec::new(),
            epoch: 0,
            cycle_scheduled: false,
            free_at: SimTime::ZERO,
            scorer: Scorer::new(&scenario.scheduler, scenario.kubernetes),
        }
    }

    /// Adds to the active queue.
    pub(crate) fn push_active(&mut self, pod: PodId, priority: i32, since: SimTime, number: u64) {
        self.active.push(Queued { key: (priority, Reverse(since), Reverse(number)), pod });
    }

    /// Takes the first of the active queue; it may be gone by now.
    pub(crate) fn pop_active(&mut self) -> Option<PodId> {
        self.active.pop().map(|queued| queued.pod)
    }

    /// Whether the active queue holds anything.
    pub(crate) fn has_active(&self) -> bool {
        !self.active.is_empty()
    }

    /// Whether a pod is unschedulable.
    pub(crate) fn anyone_waits(&self) -> bool {
        !self.waiting_specs.is_empty()
    }

    /// Specs of which pods are unschedulable, in order.
    pub(crate) fn waiting_specs(&self) -> Vec<SpecId> {
        self.waiting_specs.iter().copied().collect()
    }

    /// Pods that the autoscaler sees as unschedulable, by spec: (spec, how many, those that wait
    /// in order of parking, backoff aside).
    pub(crate) fn unschedulable(&self) -> impl Iterator<Item = (SpecId, u32, &VecDeque<PodId>)> {
        self.waiting.iter().enumerate().filter_map(|(spec, waiting)| {
            let count = waiting.unschedulable + waiting.backoff;
            (count > 0).then_some((SpecId(spec as u32), count, &waiting.queue))
        })
    }

    /// A pod of `spec` is unschedulable from now on.
    pub(crate) fn park(&mut self, spec: SpecId, pod: PodId) {
        let waiting = self.waiting_of(spec);
        waiting.queue.push_back(pod);
        waiting.unschedulable += 1;
        self.waiting_specs.insert(spec);
    }

    /// The next pod of `spec` in the queue of unschedulable ones; it may be gone by now.
    pub(crate) fn take_waiting(&mut self, spec: SpecId) -> Option<PodId> {
        self.waiting_of(spec).queue.pop_front()
    }

    /// A pod of `spec` is not unschedulable any more.
    pub(crate) fn leave_waiting(&mut self, spec: SpecId) {
        let waiting = self.waiting_of(spec);
        waiting.unschedulable -= 1;
        if waiting.unschedulable == 0 {
            waiting.queue.clear();
            self.waiting_specs.remove(&spec);
        }
    }

    /// A pod of `spec` starts to wait out its backoff.
    pub(crate) fn enter_backoff(&mut self, spec: SpecId) {
        self.waiting_of(spec).backoff += 1;
    }

    /// A pod of `spec` does so no longer.
    pub(crate) fn leave_backoff(&mut self, spec: SpecId) {
        self.waiting_of(spec).backoff -= 1;
    }

    /// Why `spec` failed, if nothing has changed since.
    pub(crate) fn known_failure(&self, spec: SpecId) -> Option<u32> {
        let (epoch, reason) = (*self.failures.get(spec.0 as usize)?)?;
        (epoch == self.epoch).then_some(reason)
    }

    /// `spec` fits no node now.
    pub(crate) fn note_failure(&mut self, spec: SpecId, reason: u32) {
        let place = spec.0 as usize;
        if self.failures.len() <= place {
            self.failures.resize(place + 1, None);
        }
        self.failures[place] = Some((self.epoch, reason));
    }

    /// Keeps a reason; gives its place.
    pub(crate) fn keep_reason(&mut self, reason: String) -> u32 {
        if self.reasons.last() != Some(&reason) {
            self.reasons.push(reason);
        }
        self.reasons.len() as u32 - 1
    }

    /// The reason at `place`.
    pub(crate) fn reason(&self, place: u32) -> &str {
        &self.reasons[place as usize]
    }

    /// What placement rules say about a kind of node: worked out once.
    pub(crate) fn static_fit(
        &mut self,
        cluster: &Cluster,
        placement: PlacementId,
        kind: NodeKindId,
    ) -> StaticFit {
        self.fits.of(cluster, placement)[kind.0 as usize]
    }

    fn waiting_of(&mut self, spec: SpecId) -> &mut Waiting {
        let place = spec.0 as usize;
        if self.waiting.len() <= place {
            self.waiting.resize_with(place + 1, Waiting::default);
        }
        &mut self.waiting[place]
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Queued {}
