//! What a simulation gives: totals in [`Outcome`], and one record per finished entity to a [`Sink`].
//!
//! Records are handed over as soon as their entity is finished and then forgotten, so that memory
//! follows what is alive. They are written out as Parquet tables by `reports`.

mod bill;

mod records;
mod samples;

mod tally;

mod waits;

pub use bill::{Bill, CommitmentTotal, CoreTime, Costs, Ledger, PodUse};
pub use samples::Samples;
pub use tally::normalised as normalised_reason;
pub use waits::{PodWaits, WaitingTotal};

pub(crate) use tally::Tally;

pub use records::{
    AttemptRecord, Billed, DisruptedBy, LedgerRecord, NodeRecord, PodKind, PodRecord, PodResult,
    RunRecord, ScalingDecision, ScalingRecord, TimelineRecord, WaitingRecord,
};

use std::collections::BTreeMap;

use crate::units::{Bytes, SimDuration, SimTime};
use crate::workload::{FailureCounts, Run};

/// Takes records in the order in which their entities finish, with the run that they are `of`, as
/// it was submitted: nobody has to look it up, it may be in memory only for now.
pub trait Sink {
    /// A run is finished, or the simulation ended before it was.
    fn run(&mut self, _record: RunRecord, _of: &Run) {}
    /// An attempt ended.
    fn attempt(&mut self, _record: AttemptRecord, _of: &Run) {}
    /// A pod ended; of a run, where it is Spark's.
    fn pod(&mut self, _record: PodRecord, _of: Option<&Run>) {}
    /// A node is gone, or the simulation ended.
    fn node(&mut self, _record: NodeRecord) {}
    /// A sample of the cluster's state.
    fn timeline(&mut self, _record: TimelineRecord) {}
    /// What one owner paid for; of a run, where that is the owner.
    fn ledger(&mut self, _record: LedgerRecord, _of: Option<&Run>) {}
    /// A pod waits, and this is why; given when the reason changes.
    fn waiting(&mut self, _record: WaitingRecord<'_>) {}
    /// The autoscaler took a decision about a node group or a node, or would not take it; given
    /// when the decision or its reason changes.
    fn scaling(&mut self, _record: ScalingRecord<'_>) {}
    /// Simulated time has reached `now`; called now and then. Returning `false` stops the run.
    fn progress(&mut self, _now: SimTime, _finished_runs: u64) -> bool {
        true
    }
}

/// Forgets everything: for callers who only want the totals.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoSink;

impl Sink for NoSink {}

/// Totals of one simulation. `runs = succeeded + failed + unfinished`.
#[derive(Debug, Default, Clone)]
pub struct Outcome {
    /// The scenario's name.
    pub scenario: String,
    /// Runs submitted.
    pub runs: u64,
    /// Attempts started.
    pub attempts: u64,
    /// Pods created: drivers, executors, trace pods and pause pods.
    pub pods: u64,
    /// First to last submission.
    pub span: SimDuration,
    /// Start to the last event.
    pub end: SimTime,
    /// Runs that succeeded, at whichever attempt.
    pub succeeded: u64,
    /// Runs that failed for good.
    pub failed: u64,
    /// Runs that were still on their way at the end.
    pub unfinished: u64,
    /// Failed attempts by cause.
    pub failed_attempts: FailureCounts,
    /// Trace pods: submitted.
    pub trace_pods: u64,
    /// Trace pods: ran to their end.
    pub trace_pods_succeeded: u64,
    /// Trace pods: pending, running or lost at the end.
    pub trace_pods_unfinished: u64,
    /// How the runs of each team went, by the teams' numbers in the workload.
    pub owners: Vec<OwnerTotal>,
    /// Why pods waited, by normalised reason; the longest time first.
    pub waiting_reasons: Vec<WaitingTotal>,
    /// Waits of trace pods, simulated beside recorded.
    pub pod_waits: PodWaits,
    /// Created to bound, of every pod that was bound, pause pods aside.
    pub pod_scheduling_delay: Samples,
    /// Run submitted (and not held back by runs that it depends on) to its first driver running.
    pub run_queue_delay: Samples,
    /// Run submitted to its end, of succeeded runs.
    pub run_duration: Samples,
    /// Nodes launched, those of the start included.
    pub nodes_launched: u64,
    /// Most nodes at one time.
    pub nodes_peak: u64,
    /// Billed node time by capacity type: (on-demand, spot).
    pub node_time: (SimDuration, SimDuration),
    /// Spot nodes taken back.
    pub spot_interruptions: u64,
    /// Nodes that Karpenter took out of service, by why; only reasons that there were.
    pub disruptions: BTreeMap<DisruptedBy, DisruptionTotal>,
    /// CPU requested by pods over CPU allocatable, over all node time.
    pub cpu_utilization: f64,
    /// Memory requested by pods over memory allocatable, over all node time.
    pub memory_utilization: f64,
    /// The bill.
    pub cost: Bill,
    /// Most event objects alive at one time.
    pub event_objects_peak: u64,
    /// Most pod objects alive at one time.
    pub pods_peak: u64,
    /// What etcd had to hold at its fullest, and why.
    pub control_plane: ControlPlaneLoad,
    /// Bytes that crossed zones.
    pub cross_zone_bytes: Bytes,
    /// Events taken from the calendar.
    pub events: u64,
    /// Tasks that ran (every attempt of them).
    pub tasks: u64,
    /// What the model has to say about what it left out or could not do.
    pub findings: Vec<crate::Finding>,
    /// The simulation was stopped by its sink before its end.
    pub stopped: bool,
}

/// What Karpenter's disruption of nodes did, for one reason.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct DisruptionTotal {
    /// Nodes.
    pub nodes: u64,
    /// Pods evicted from them.
    pub pods: u64,
    /// Drivers among these: each one ended its attempt.
    pub drivers: u64,
    /// Task time lost with executors: what ran then, and what must be computed again.
    pub task_time_lost: SimDuration,
}

/// How the runs of a team went.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct OwnerTotal {
    /// The team's name.
    pub team: String,
    /// Runs that were due: `succeeded + failed + unfinished`.
    pub runs: u64,
    /// Succeeded.
    pub succeeded: u64,
    /// Failed for good.
    pub failed: u64,
    /// On their way, or held back, at the end.
    pub unfinished: u64,
    /// Attempts that the orchestrator's timeout ended.
    pub timeouts: u64,
    /// Runs with a deadline.
    pub with_deadline: u64,
    /// Of those, the ones that had not succeeded by it.
    pub deadline_missed: u64,
    /// Of those, critical ones.
    pub critical_missed: u64,
    /// Runs that others, on which they depend, held back, and for how long in all.
    pub late_parents: (u64, SimDuration),
}

/// What etcd had to hold at its fullest minute, and who filled it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ControlPlaneLoad {
    /// The end of that minute.
    pub at: SimTime,
    /// Objects and revisions that are not compacted yet.
    pub etcd_bytes_peak: Bytes,
    /// etcd's quota; beyond it the cluster is read-only.
    pub etcd_quota: Bytes,
    /// Event objects alive then, by their reason; each reason is always there.
    pub events: Vec<(&'static str, u64)>,
    /// The application with most of them, and how many.
    pub application: Option<(String, u64)>,
}
