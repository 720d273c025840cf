//! The scheduler's queues and caches.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

use super::filter::{Filters, StaticFit, StaticFits};
use super::nominated::Nominations;
use super::placement::Buffers;
use super::reasons::Reasons;
use super::retry::{Moves, RetryTimes};
use super::score::Scorer;
use super::verdicts::Verdicts;
use crate::cluster::{Cluster, NodeKindId, PlacementId, Pod, PodId, SpecId};
use crate::scenario::Scenario;
use crate::units::SimTime;

/// Queues, caches and the profile.
#[derive(Debug)]
pub(crate) struct Scheduler {
    active: BinaryHeap<Queued<ActiveKey>>,
    /// Woken pods that wait out their backoff, where the scheduler may take them early.
    backoff: BinaryHeap<Queued<BackoffKey>>,
    waiting: Vec<Waiting>,
    waiting_specs: BTreeSet<SpecId>,
    /// Filters and scores that are the same for all nodes of a kind.
    pub(crate) fits: StaticFits,
    failures: Vec<Option<(u64, u32)>>,
    /// By spec: preemption helped none of its pods when so many changes had been.
    pub(super) no_victims: Vec<u64>,
    /// Counts every change that may let a pod fit that did not.
    pub(crate) epoch: u64,
    /// A cycle is in the calendar.
    pub(crate) cycle_scheduled: bool,
    /// When the scheduler is done with the last pod.
    pub(crate) free_at: SimTime,
    /// Score plugins with their weights.
    pub(crate) scorer: Scorer,
    /// Why pods wait.
    pub(super) reasons: Reasons,
    /// Pods that wait for their victims to end.
    pub(super) nominations: Nominations,
    /// Index of the node that the next search starts with: upstream's `nextStartNodeIndex`.
    pub(super) next_start: usize,
    /// Lists that a search fills.
    pub(super) buffers: Buffers,
    /// What was said of classes of nodes.
    pub(super) verdicts: Verdicts,
    /// When failed pods are tried again.
    pub(super) retry_times: RetryTimes,
    /// What moved failed pods, where that shows.
    pub(super) moves: Moves,
}

/// Pods of one spec that failed to be placed.
#[derive(Debug, Default)]
struct Waiting {
    /// In order; pods that are gone or woken are skipped when they are met.
    queue: WaitingQueue,
    /// How many of them wait.
    unschedulable: u32,
    /// How many wait out their backoff.
    backoff: u32,
}

/// Upstream's PrioritySort: highest priority first, then the first to come into the queue; then the
/// first created.
type ActiveKey = (i32, Reverse<SimTime>, Reverse<u64>);

/// Backoff that ends in the same second is ordered as the active queue is.
type BackoffKey = (Reverse<SimTime>, ActiveKey);

/// A pod in a queue: the greatest key first.
#[derive(Debug)]
struct Queued<K> {
    key: K,
    pod: PodId,
}

/// Pods that wait, each with the end of its backoff when it was looked at last: it never ends before.
pub(super) type WaitingQueue = VecDeque<(PodId, SimTime)>;

impl Scheduler {
    /// Empty queues.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self {
            active: BinaryHeap::new(),
            backoff: BinaryHeap::new(),
            waiting: Vec::new(),
            waiting_specs: BTreeSet::new(),
            fits: StaticFits::new(Filters::of(&scenario.scheduler)),
            failures: Vec::new(),
            no_victims: Vec::new(),
            epoch: 0,
            cycle_scheduled: false,
            free_at: SimTime::ZERO,
            scorer: Scorer::new(&scenario.scheduler, scenario.kubernetes),
            reasons: Reasons::default(),
            nominations: Nominations::default(),
            next_start: 0,
            buffers: Buffers::default(),
            verdicts: Verdicts::default(),
            retry_times: RetryTimes::new(&scenario.scheduler, scenario.kubernetes),
            moves: Moves::default(),
        }
    }

    /// Adds to the active queue.
    pub(super) fn push_active(&mut self, pod_id: PodId, pod: &Pod, priority: i32) {
        self.active.push(Queued { key: active_key(pod, priority), pod: pod_id });
    }

    /// Takes the first of the active queue; it may be gone by now.
    pub(super) fn pop_active(&mut self) -> Option<PodId> {
        self.active.pop().map(|queued| queued.pod)
    }

    /// Adds to those who may be taken before their backoff ends at `end`.
    pub(super) fn push_backoff(&mut self, pod_id: PodId, pod: &Pod, priority: i32, end: SimTime) {
        let key = (Reverse(end), active_key(pod, priority));
        self.backoff.push(Queued { key, pod: pod_id });
    }

    /// Takes the first of those who back off, if its backoff is over by `until`; it may be gone by
    /// now.
    pub(super) fn pop_backoff(&mut self, until: SimTime) -> Option<PodId> {
        let over = self.backoff.peek().is_some_and(|queued| queued.key.0.0 <= until);
        if over { self.backoff.pop().map(|queued| queued.pod) } else { None }
    }

    /// Whether there is a pod to try.
    pub(super) fn has_work(&self) -> bool {
        !self.active.is_empty() || !self.backoff.is_empty()
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
    pub(crate) fn unschedulable(
        &self,
    ) -> impl Iterator<Item = (SpecId, u32, impl Iterator<Item = PodId>)> {
        self.waiting.iter().enumerate().filter_map(|(spec, waiting)| {
            let count = waiting.unschedulable + waiting.backoff;
            let pods = waiting.queue.iter().map(|(pod, _)| *pod);
            (count > 0).then_some((SpecId(spec as u32), count, pods))
        })
    }

    /// A pod of `spec` is unschedulable from now on.
    pub(crate) fn park(&mut self, spec: SpecId, pod: PodId, backoff_until: SimTime) {
        let waiting = self.waiting_of(spec);
        waiting.queue.push_back((pod, backoff_until));
        waiting.unschedulable += 1;
        self.waiting_specs.insert(spec);
    }

    /// Pods of `spec` in order of parking; some may be gone or woken by now.
    pub(super) fn waiting_queue(&mut self, spec: SpecId) -> &mut WaitingQueue {
        &mut self.waiting_of(spec).queue
    }

    /// A pod of `spec` is not unschedulable any more.
    pub(crate) fn leave_waiting(&mut self, spec: SpecId) {
        let waiting = self.waiting_of(spec);
        waiting.unschedulable -= 1;
        if waiting.unschedulable == 0 {
            waiting.queue.clear();
            self.waiting_specs.remove(&spec);
            if self.waiting_specs.is_empty() {
                self.moves.forget();
            }
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

    /// Why any spec failed, as far as nothing has changed since.
    pub(super) fn known_failures(&self) -> impl Iterator<Item = u32> {
        let known = self.failures.iter().flatten();
        known.filter(|(epoch, _)| *epoch == self.epoch).map(|(_, reason)| *reason)
    }

    /// `spec` fits no node now.
    pub(crate) fn note_failure(&mut self, spec: SpecId, reason: u32) {
        let place = spec.0 as usize;
        if self.failures.len() <= place {
            self.failures.resize(place + 1, None);
        }
        self.failures[place] = Some((self.epoch, reason));
    }

    /// The reason at `place`, and its kind.
    pub(crate) fn reason(&self, place: u32) -> (&str, &str) {
        self.reasons.get(place)
    }

    /// What placement rules say about a kind of node: worked out once.
    pub(crate) fn static_fit(
        &mut self,
        cluster: &Cluster,
        placement: PlacementId,
        kind: NodeKindId,
    ) -> StaticFit {
        self.fits.of_kind(cluster, placement, kind)
    }

    fn waiting_of(&mut self, spec: SpecId) -> &mut Waiting {
        let place = spec.0 as usize;
        if self.waiting.len() <= place {
            self.waiting.resize_with(place + 1, Waiting::default);
        }
        &mut self.waiting[place]
    }
}

fn active_key(pod: &Pod, priority: i32) -> ActiveKey {
    // Upstream's timestamp is renewed whenever a pod comes back from an attempt.
    let since = if pod.failed_attempts == 0 { pod.created_at } else { pod.last_attempt_at };
    (priority, Reverse(since), Reverse(pod.number))
}

impl<K: Ord> Ord for Queued<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl<K: Ord> PartialOrd for Queued<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord> PartialEq for Queued<K> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<K: Ord> Eq for Queued<K> {}
