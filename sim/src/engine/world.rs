//! The state of one simulation, as plain data, and the context that handlers work in.

use std::collections::BTreeMap;

use super::RunOptions;
use super::arrivals::RunCursor;
use super::calendar::Calendar;
use super::event::Event;
use crate::autoscaler::AutoscalerState;
use crate::cluster::{Cluster, NodeKinds, PlacementId, Slab};
use crate::control_plane::ControlPlane;
use crate::images::{ImageCatalog, Registry};
use crate::ledger::Books;
use crate::orchestrator::OrchestratorState;
use crate::outcome::{Outcome, Sink};
use crate::provisioner::PoolState;
use crate::retry::{RetryHistory, RunStates};
use crate::scenario::Scenario;
use crate::scheduler::Scheduler;
use crate::spark::{Attempt, Role};
use crate::spot::SpotMarket;
use crate::units::{SimDuration, SimTime};
use crate::workload::{RunRef, Workload};
use crate::{Finding, Seed, Severity};

/// Everything that changes.
#[derive(Debug)]
pub(crate) struct World {
    /// Nodes and pods.
    pub(crate) cluster: Cluster,
    /// Queues and caches of the scheduler.
    pub(crate) scheduler: Scheduler,
    /// One per pool of the scenario.
    pub(crate) pools: Vec<PoolState>,
    /// The autoscaler, where there is one.
    pub(crate) autoscaler: AutoscalerState,
    /// Spark attempts that are going on.
    pub(crate) attempts: Slab<Attempt>,
    /// What is known of each run so far, by its place in the workload.
    pub(crate) runs: RunStates,
    /// What the retry ladder remembers.
    pub(crate) history: RetryHistory,
    /// Runs that are held back.
    pub(crate) orchestrator: OrchestratorState,
    /// Spot capacity.
    pub(crate) spot: SpotMarket,
    /// What images there are.
    pub(crate) images: ImageCatalog,
    /// Where they are pulled from.
    pub(crate) registry: Registry,
    /// API objects.
    pub(crate) control_plane: ControlPlane,
    /// Money.
    pub(crate) books: Books,
    /// Runs that have not ended, those to come included.
    pub(crate) runs_open: u64,
    /// Runs submitted and not ended.
    pub(crate) runs_active: u32,
    /// Trace pods that have not ended, those to come included.
    pub(crate) trace_pods_open: u64,
    /// A trace pod (by its place in the workload), the last that needed a placement of its own.
    pub(crate) last_trace_pod: Option<(u32, PlacementId)>,
    /// Where Spark's pods may run that were created last: by role, and whether only on-demand nodes
    /// are meant.
    pub(crate) spark_placements: BTreeMap<(Role, bool), PlacementId>,
}

/// What handlers work with besides the world.
pub(crate) struct Cx<'a> {
    /// The current time.
    pub(crate) now: SimTime,
    /// Events to come.
    pub(crate) calendar: Calendar,
    /// The platform.
    pub(crate) scenario: &'a Scenario,
    /// What is submitted.
    pub(crate) workload: &'a Workload,
    /// Its runs, those that are alive at hand.
    pub(crate) runs: RunCursor<'a>,
    /// How to run.
    pub(crate) options: RunOptions,
    /// Randomness.
    pub(crate) seed: Seed,
    /// Takes records.
    pub(crate) sink: &'a mut dyn Sink,
    /// Totals.
    pub(crate) outcome: Outcome,
}

impl<'a> Cx<'a> {
    /// The run at that place of the workload.
    pub(crate) fn run(&self, place: u32) -> RunRef<'a> {
        self.runs.get(place)
    }

    /// Schedules `event` in `delay`.
    pub(crate) fn after(&mut self, delay: SimDuration, event: Event) {
        self.calendar.schedule(self.now.saturating_add(delay), event);
    }

    /// Schedules `event` at `at`, or now if that is past.
    pub(crate) fn at(&mut self, at: SimTime, event: Event) {
        self.calendar.schedule(at.max(self.now), event);
    }

    /// Notes a finding; the same code and subject are counted together.
    pub(crate) fn find(&mut self, severity: Severity, code: &str, subject: &str, message: String) {
        let known = self.outcome.findings.iter_mut();
        match known.into_iter().find(|other| other.code == code && other.subject == subject) {
            Some(finding) => finding.count += 1,
            None => self.outcome.findings.push(Finding::new(severity, code, subject, message)),
        }
    }
}

impl World {
    /// The state before the first event: nothing runs yet.
    pub(crate) fn new(scenario: &Scenario, workload: &Workload) -> Self {
        let mut kinds = NodeKinds::of(&scenario.pools, &scenario.daemonsets);
        kinds.set_spot_prices(&scenario.pools, &scenario.assumptions.spot_prices);
        if let Some(karpenter) = scenario.karpenter() {
            kinds.set_type_labels(&scenario.pools, karpenter);
        }
        let labels_read = scenario.labels_read();
        let mut cluster = Cluster { kinds, labels_read, ..Cluster::default() };
        let images = ImageCatalog::new(scenario, &mut cluster.image_names);
        Self {
            images,
            registry: Registry::new(scenario),
            spot: SpotMarket::new(scenario, &cluster.kinds),
            scheduler: Scheduler::new(scenario),
            cluster,
            pools: scenario.pools.iter().map(PoolState::new).collect(),
            autoscaler: AutoscalerState::new(scenario),
            attempts: Slab::default(),
            runs: RunStates::default(),
            history: RetryHistory::default(),
            orchestrator: OrchestratorState::new(scenario, workload),
            control_plane: ControlPlane::new(scenario, workload),
            books: Books::new(workload.epoch_ms),
            runs_open: workload.runs.len() as u64,
            runs_active: 0,
            trace_pods_open: workload.pods.len() as u64,
            last_trace_pod: None,
            spark_placements: BTreeMap::new(),
        }
    }
}
