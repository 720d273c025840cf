//! One try of a run: its pods, its progress, what it cost so far.

use std::collections::{BTreeMap, VecDeque};

use super::dynamic_allocation::Target;
use super::memory::Shape;
use super::progress::Progress;
use crate::cluster::{NodeKindId, PodId, PodSpec};
use crate::ledger::Charge;
use crate::outcome::Ledger;
use crate::units::{NanoUsd, SimDuration, SimTime};

/// An attempt's id.
pub(crate) type AttemptId = crate::cluster::Id<Attempt>;

/// An attempt that is going on.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// Place of its run in the workload.
    pub(crate) run: u32,
    /// 1 for the first.
    pub(crate) number: u32,
    /// Key of its run's random streams.
    pub(crate) run_key: u64,
    /// When it was submitted.
    pub(crate) submitted_at: SimTime,
    /// When its driver's process ran.
    pub(crate) started_at: Option<SimTime>,
    /// When its first task could be launched.
    pub(crate) tasks_started_at: Option<SimTime>,
    /// Its driver's pod; `None` only while it is being made.
    pub(crate) driver: Option<PodId>,
    /// The driver's context is up.
    pub(crate) driver_ready: bool,
    /// What its pods are.
    pub(crate) shape: Shape,
    /// What an executor asks for.
    pub(crate) executor_spec: PodSpec,
    /// Executors that are pending, starting or registered, in order of creation.
    pub(crate) executors: Vec<PodId>,
    /// Executors that are registered.
    pub(crate) registered: u32,
    /// Most of them at one time.
    pub(crate) registered_peak: u32,
    /// Executors created so far: the next id is one more.
    pub(crate) executors_created: u32,
    /// How many executors are wanted.
    pub(crate) target: Target,
    /// An allocation round is in the calendar.
    pub(crate) allocation_scheduled: bool,
    /// The work.
    pub(crate) progress: Progress,
    /// Number of the current prediction; events of earlier ones are stale.
    pub(crate) prediction: u32,
    /// The ladder moved its executors to on-demand nodes.
    pub(crate) on_demand: bool,
    /// Executors killed for memory.
    pub(crate) oom_kills: u32,
    /// When executors failed, as far back as failures count.
    pub(crate) executor_failures: VecDeque<SimTime>,
    /// Executors lost to spot.
    pub(crate) spot_losses: u32,
    /// What pods that ended came to, by hour and kind of node.
    pub(crate) charges: BTreeMap<(u32, NodeKindId), Charge>,
    /// Executors that ever registered, by the number of their zone.
    pub(crate) zones: Vec<(u32, u64)>,
    /// Fee for traffic between zones, once the attempt has ended.
    pub(crate) network: NanoUsd,
    /// Fee for input through NAT gateways, once the attempt has ended.
    pub(crate) nat: NanoUsd,
}

impl Attempt {
    /// Keys of its random streams: the run's and the number of the attempt.
    pub(crate) fn stream_keys(&self) -> [u64; 2] {
        [self.run_key, u64::from(self.number)]
    }

    /// An executor has failed. Gives how many failures count by now.
    pub(crate) fn executor_failed(&mut self, now: SimTime, validity: Option<SimDuration>) -> u32 {
        self.executor_failures.push_back(now);
        if let Some(validity) = validity {
            self.executor_failures.retain(|at| now.since(*at) < validity);
        }
        self.executor_failures.len() as u32
    }

    /// An executor in the zone of that number has registered.
    pub(crate) fn registered_in(&mut self, zone: u32) {
        match self.zones.iter_mut().find(|(other, _)| *other == zone) {
            Some((_, count)) => *count += 1,
            None => self.zones.push((zone, 1)),
        }
    }

    /// A pod on a node of `kind` came to `part` in `hour`.
    pub(crate) fn charge(&mut self, hour: u32, kind: NodeKindId, part: &Charge) {
        self.charges.entry((hour, kind)).or_default().add(part);
    }

    /// Node cost and EMR fee of its pods.
    pub(crate) fn cost(&self) -> (Ledger, NanoUsd) {
        let mut sum = Charge::default();
        self.charges.values().for_each(|charge| sum.add(charge));
        (sum.nodes, sum.emr)
    }

    /// What must hold after every event.
    ///
    /// # Panics
    /// If it does not.
    pub(crate) fn check(&self, now: SimTime) {
        let alive = self.progress.executors().count();
        assert_eq!(alive, self.registered as usize, "at {now}: executors of run {}", self.run);
        let counted = self.progress.executors_live() as usize;
        assert_eq!(alive, counted, "at {now}: executors counted of run {}", self.run);
        assert!(self.executors.len() >= alive, "at {now}: pods of run {}", self.run);
    }
}
