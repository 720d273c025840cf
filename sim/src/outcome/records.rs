//! One record per finished entity: the rows of the result tables.

use serde::Serialize;

use crate::scenario::CapacityType;
use crate::units::{Bytes, MilliCores, NanoUsd, SimDuration, SimTime};
use crate::workload::{ApplicationId, Failure, RunOutcome, TeamId};

use super::{Costs, Ledger, PodUse};

/// One run. A row of `runs`.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Place in the workload.
    pub run: u32,
    /// Its application.
    pub application: ApplicationId,
    /// Its owner.
    pub team: TeamId,
    /// When it was due.
    pub submitted_at: SimTime,
    /// When nothing that it depends on held it back any more; `None` if that never was.
    pub ready_at: Option<SimTime>,
    /// When its first driver's process ran; `None` if it never did.
    pub started_at: Option<SimTime>,
    /// When its last attempt ended; `None` if it was not finished.
    pub ended_at: Option<SimTime>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// The last attempt's cause, where it failed.
    pub failure: Option<Failure>,
    /// Attempts made.
    pub attempts: u32,
    /// Node cost of all its attempts, by kind.
    pub cost: Ledger,
    /// EMR fee of all its pods.
    pub emr: NanoUsd,
    /// Its traffic between zones and through NAT gateways.
    pub network: NanoUsd,
}

impl RunRecord {
    /// Whether it had not succeeded by its deadline, which counts from when it was due; `None`
    /// without one.
    pub fn missed(&self, deadline: Option<SimDuration>) -> Option<bool> {
        let deadline = self.submitted_at.saturating_add(deadline?);
        let in_time = self.ended_at.is_some_and(|at| at <= deadline);
        Some(!in_time || self.outcome != RunOutcome::Succeeded)
    }
}

/// One attempt of a run. A row of `attempts`.
#[derive(Debug, Clone)]
pub struct AttemptRecord {
    /// Place of the run in the workload.
    pub run: u32,
    /// 1 for the first.
    pub attempt: u32,
    /// When it was submitted.
    pub submitted_at: SimTime,
    /// When its driver's process ran.
    pub started_at: Option<SimTime>,
    /// When its first task could be launched.
    pub tasks_started_at: Option<SimTime>,
    /// When it ended, or the simulation did.
    pub ended_at: SimTime,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Container memory of its executors.
    pub executor_memory: Bytes,
    /// What it would be without the ladder's raises.
    pub executor_memory_asked: Bytes,
    /// What an executor needs, as far as it is known.
    pub executor_memory_needed: Option<Bytes>,
    /// Container memory of its driver.
    pub driver_memory: Bytes,
    /// The most executors it may have.
    pub executors_max: u32,
    /// The most executors registered at one time.
    pub executors_peak: u32,
    /// Executors registered to gone, summed.
    pub executor_time: SimDuration,
    /// When each stage of a run with a recording was complete, by its place in the run; empty for
    /// other runs.
    pub stage_ends: Box<[Option<SimTime>]>,
    /// Executors lost to spot reclaims.
    pub executors_lost_to_spot: u32,
    /// Executors killed for memory.
    pub executors_oom_killed: u32,
    /// Executors were bound to on-demand nodes by the ladder.
    pub on_demand: bool,
    /// Task time of completed tasks.
    pub task_time: SimDuration,
    /// Task time lost and repeated.
    pub task_time_lost: SimDuration,
    /// Node cost, by kind.
    pub cost: Ledger,
}

/// What a pod is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PodKind {
    /// A Spark driver.
    Driver,
    /// A Spark executor.
    Executor,
    /// A pod of a pod trace.
    Trace,
    /// A pause pod of overprovisioning.
    Pause,
}

impl PodKind {
    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Executor => "executor",
            Self::Trace => "trace",
            Self::Pause => "pause",
        }
    }
}

/// How a pod ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PodResult {
    /// Its process ended well.
    Succeeded,
    /// Its process ended badly.
    Failed,
    /// Killed for memory, exit code 137.
    OomKilled,
    /// Its node was taken back.
    SpotReclaimed,
    /// Deleted: by the driver (idle), at the end of its application, or before it was bound.
    Deleted,
    /// Pushed out by a pod of higher priority.
    Preempted,
    /// Still there when the simulation ended.
    Unfinished,
}

impl PodResult {
    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::OomKilled => "oom_killed",
            Self::SpotReclaimed => "spot_reclaimed",
            Self::Deleted => "deleted",
            Self::Preempted => "preempted",
            Self::Unfinished => "unfinished",
        }
    }
}

/// One pod. A row of `pods`.
#[derive(Debug, Clone)]
pub struct PodRecord {
    /// Number in order of creation, from 0.
    pub pod: u64,
    /// What it was for.
    pub kind: PodKind,
    /// Place of its run in the workload, or of the trace pod in the pod trace.
    pub owner: Option<u32>,
    /// Attempt of the run.
    pub attempt: Option<u32>,
    /// Spark's executor id.
    pub executor_id: Option<u32>,
    /// CPU request.
    pub cpu: MilliCores,
    /// Memory request.
    pub memory: Bytes,
    /// When it was created.
    pub created_at: SimTime,
    /// When it was bound to a node.
    pub bound_at: Option<SimTime>,
    /// When its process was ready: driver running, executor registered.
    pub ready_at: Option<SimTime>,
    /// When it ended.
    pub ended_at: SimTime,
    /// Number of its node.
    pub node: Option<u64>,
    /// How it ended.
    pub result: PodResult,
    /// Why it could not be placed at first, as the scheduler said it.
    pub pending_reason: Option<Box<str>>,
    /// Node cost of its time, all kinds.
    pub cost: NanoUsd,
}

/// One node. A row of `nodes`.
#[derive(Debug, Clone)]
pub struct NodeRecord {
    /// Number in order of launch, from 0.
    pub node: u64,
    /// Place of its pool in the scenario.
    pub pool: u32,
    /// Place of its instance type in the pool.
    pub instance_type: u32,
    /// Its zone.
    pub zone: u32,
    /// Spot or on-demand.
    pub capacity_type: CapacityType,
    /// When it was asked for: the bill starts.
    pub launched_at: SimTime,
    /// When pods could be bound to it.
    pub ready_at: Option<SimTime>,
    /// When it was gone, or the simulation ended: the bill stops.
    pub terminated_at: SimTime,
    /// Taken back by the cloud.
    pub interrupted: bool,
    /// Why Karpenter took it out of service, where it did.
    pub disrupted_by: Option<DisruptedBy>,
    /// Pods that were bound to it.
    pub pods: u32,
    /// What it cost.
    pub cost: NanoUsd,
    /// Where that went, as far as the node itself knows: `starting` is its boot, and the pods'
    /// part is in `useful` as a whole.
    pub pods_cost: NanoUsd,
}

/// A sample of the cluster. A row of `timeline`.
#[derive(Debug, Clone, Copy)]
pub struct TimelineRecord {
    /// When.
    pub at: SimTime,
    /// On-demand nodes that are billed.
    pub nodes_on_demand: u32,
    /// Spot nodes that are billed.
    pub nodes_spot: u32,
    /// Nodes that are not ready yet.
    pub nodes_booting: u32,
    /// Pods without a node.
    pub pods_pending: u32,
    /// Pods on a node.
    pub pods_bound: u32,
    /// Runs submitted and not ended.
    pub runs_active: u32,
    /// CPU requests on ready nodes.
    pub cpu_requested: MilliCores,
    /// CPU allocatable on ready nodes.
    pub cpu_allocatable: MilliCores,
    /// Memory requests on ready nodes.
    pub memory_requested: Bytes,
    /// Memory allocatable on ready nodes.
    pub memory_allocatable: Bytes,
}

/// Whom a row of the ledger belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Billed {
    /// A run, by its place in the workload.
    Run(u32),
    /// Pods of the pod trace.
    TracePods,
    /// Pause pods.
    PausePods,
    /// Nobody: boot, kubelet, what no pod asked for, storage, the control plane, commitments.
    Shared,
}

impl Billed {
    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::TracePods => "trace_pods",
            Self::PausePods => "pause_pods",
            Self::Shared => "shared",
        }
    }
}

/// Money of one owner on one kind of node in one hour. A row of `ledger`. Several rows may be
/// about the same; all of them add up to the bill.
#[derive(Debug, Clone)]
pub struct LedgerRecord {
    /// When the hour begins, in milliseconds from the start; the first one may begin before it.
    pub hour_ms: i64,
    /// The kind of node: places of the pool in the scenario, of the instance type and of the zone
    /// in the pool. `None` for what is on no node.
    pub node: Option<[u32; 3]>,
    /// Whose it is.
    pub billed: Billed,
    /// Attempt of the run.
    pub attempt: Option<u32>,
    /// The money.
    pub costs: Costs,
    /// What the pods behind it requested and used.
    pub pod_use: PodUse,
}

/// Why a pod waits, from a moment on. A row of `waiting`.
#[derive(Debug, Clone, Copy)]
pub struct WaitingRecord<'a> {
    /// Number of the pod, as in [`PodRecord`].
    pub pod: u64,
    /// Since when.
    pub at: SimTime,
    /// The scheduler's message, in upstream's words.
    pub reason: &'a str,
    /// The same without what differs from pod to pod and from moment to moment
    /// ([`normalised_reason`](super::normalised_reason)).
    pub kind: &'a str,
}

/// What the autoscaler decided, from a moment on. A row of `scaling`.
#[derive(Debug, Clone, Copy)]
pub struct ScalingRecord<'a> {
    /// When.
    pub at: SimTime,
    /// Place of the pool in the scenario; `None` for the cluster as a whole.
    pub pool: Option<u32>,
    /// Number of the node, where the decision is about one.
    pub node: Option<u64>,
    /// The decision.
    pub decision: ScalingDecision,
    /// Why, in upstream's words where it has any.
    pub reason: &'a str,
}

/// What the autoscaler decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalingDecision {
    /// Grow by so many nodes.
    ScaleUp {
        /// How many.
        nodes: u32,
    },
    /// Do not grow, although pods wait.
    NoScaleUp,
    /// A launch failed, or was given up.
    LaunchFailed,
    /// The group is backed off.
    BackedOff,
    /// The node is unneeded: its timer runs.
    Unneeded,
    /// Delete the node.
    ScaleDown,
    /// Keep the node, although it is little used.
    NoScaleDown,
    /// Take the node out of service, for a reason of [`DisruptedBy`].
    Disrupt,
    /// Keep the node: it cannot be consolidated.
    Unconsolidatable,
    /// A command to disrupt nodes was given up when it was validated again.
    CommandAbandoned,
}

/// Why Karpenter took a node out of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DisruptedBy {
    /// No pods that would have to move.
    Empty,
    /// Consolidation: its pods fit elsewhere, or on a cheaper node.
    Underutilized,
    /// Not as its NodePool or node class says any more.
    Drifted,
    /// Older than `expireAfter`.
    Expired,
    /// Under interruption notice.
    Interrupted,
}

impl DisruptedBy {
    /// Every reason, in order.
    pub const ALL: [Self; 5] =
        [Self::Empty, Self::Underutilized, Self::Drifted, Self::Expired, Self::Interrupted];

    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Underutilized => "underutilized",
            Self::Drifted => "drifted",
            Self::Expired => "expired",
            Self::Interrupted => "interrupted",
        }
    }
}

impl ScalingDecision {
    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScaleUp { .. } => "scale_up",
            Self::NoScaleUp => "no_scale_up",
            Self::LaunchFailed => "launch_failed",
            Self::BackedOff => "backed_off",
            Self::Unneeded => "unneeded",
            Self::ScaleDown => "scale_down",
            Self::NoScaleDown => "no_scale_down",
            Self::Disrupt => "disrupt",
            Self::Unconsolidatable => "unconsolidatable",
            Self::CommandAbandoned => "command_abandoned",
        }
    }
}
