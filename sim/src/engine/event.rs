//! Everything that can happen, as one closed two-level list.

use crate::cluster::{NodeId, PodId};
use crate::spark::AttemptId;
use crate::workload::TeamId;

/// An event. Each component owns its inner list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    /// Pods changing by themselves.
    Pod(PodEvent),
    /// Nodes coming and going.
    Provisioner(ProvisionerEvent),
    /// Images arriving on nodes and going.
    Image(ImageEvent),
    /// Spot capacity being taken back.
    Spot(SpotEvent),
    /// Spark attempts.
    Spark(SparkEvent),
    /// The scheduler.
    Scheduler(SchedulerEvent),
    /// The autoscaler.
    Autoscaler(AutoscalerEvent),
    /// A sample of the cluster is due.
    Sample,
}

/// Pods changing by themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PodEvent {
    /// The process is up: `SparkContext` there, executor registered, trace pod running.
    ProcessReady(PodId),
    /// A trace pod's work is done.
    TracePodEnded(PodId),
    /// A deleted pod's containers have ended.
    Terminated(PodId),
}

/// Nodes coming and going.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ProvisionerEvent {
    /// The kubelet is ready.
    NodeReady(NodeId),
    /// The node did not become ready in time.
    LaunchTimedOut(NodeId),
    /// The autoscaler's deletion is through.
    NodeDeleted(NodeId),
    /// It is known that the pool (by its place) gets no instance for one of its launches.
    LaunchFailed(u32),
}

/// Images arriving on nodes and going.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ImageEvent {
    /// The pull that is through first of all is through; stale if its number is not the current
    /// one.
    Pulled(u32),
    /// The kubelet's turn to collect garbage.
    GarbageCollection(NodeId),
}

/// Spot capacity being taken back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SpotEvent {
    /// A process of the weather (by its place in the list of them) turns.
    WeatherTurned(u32),
    /// Nodes of a process' pools get rebalance recommendations; stale if its turns are not these.
    Recommended(u32, u64),
    /// A node's replacement is ready.
    Replaced(NodeId),
    /// A drained node's last pod has ended.
    Drained(NodeId),
    /// The notice is over: the instance goes.
    InstanceReclaimed(NodeId),
}

/// Spark attempts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SparkEvent {
    /// A retry is due: the run (by its place in the workload) is submitted again.
    RetrySubmitted(u32),
    /// The runs that a run (by its place in the workload) depends on have ended.
    RunReady(u32),
    /// A run of the team has ended, and others of it wait.
    OwnerHasRoom(TeamId),
    /// The pod allocator's next round.
    AllocationRound(AttemptId),
    /// Waited long enough for executors to register: tasks may start with those there are.
    RegistrationWaitOver(AttemptId),
    /// The attempt's next interesting moment, as predicted; stale if its prediction is not the
    /// attempt's current one.
    Progress(AttemptId, u32),
    /// The orchestrator's timeout has passed.
    TimedOut(AttemptId),
    /// The platform's patience with pending pods is over.
    PatienceOver(AttemptId),
}

/// The scheduler.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SchedulerEvent {
    /// The next pod of the active queue is tried.
    Cycle,
    /// A pod's backoff is over.
    BackoffOver(PodId),
}

/// The autoscaler.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AutoscalerEvent {
    /// A turn of Cluster Autoscaler's loop.
    Scan,
    /// Karpenter.
    Karpenter(KarpenterEvent),
}

/// Karpenter's controllers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KarpenterEvent {
    /// The batch of pods may be over.
    BatchOver,
    /// An offering without capacity is tried again.
    OfferingBack,
    /// A turn of the disruption loop; stale if its number is not the current one.
    Poll(u32),
    /// The command is validated again.
    Validate,
    /// `expireAfter` of the node is over.
    Expired(NodeId),
    /// `terminationGracePeriod` of the node is over.
    GraceOver(NodeId),
    /// The last pod of a draining node is gone.
    Drained(NodeId),
}

/// What comes first among events of one instant.
///
/// Releases before supply, supply before claims, claims before decisions about what is left
/// over, samples last: a pod that ends at 12:00:00 makes room for one that arrives at 12:00:00,
/// and the autoscaler sees only what the scheduler could not place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EventClass {
    /// Room becomes free.
    Release,
    /// Room is added.
    Supply,
    /// Work arrives. The workload's submissions are taken in this class.
    Claim,
    /// The scheduler.
    Schedule,
    /// The autoscaler.
    Autoscale,
    /// Observation.
    Sample,
}

impl Event {
    /// Its class.
    pub(crate) const fn class(&self) -> EventClass {
        match self {
            Self::Pod(PodEvent::TracePodEnded(_) | PodEvent::Terminated(_))
            | Self::Provisioner(
                ProvisionerEvent::NodeDeleted(_)
                | ProvisionerEvent::LaunchTimedOut(_)
                | ProvisionerEvent::LaunchFailed(_),
            )
            | Self::Autoscaler(AutoscalerEvent::Karpenter(
                KarpenterEvent::Drained(_) | KarpenterEvent::GraceOver(_),
            ))
            | Self::Spot(_)
            | Self::Spark(
                SparkEvent::Progress(..) | SparkEvent::TimedOut(_) | SparkEvent::PatienceOver(_),
            ) => EventClass::Release,
            Self::Pod(PodEvent::ProcessReady(_))
            | Self::Image(_)
            | Self::Provisioner(ProvisionerEvent::NodeReady(_)) => EventClass::Supply,
            Self::Spark(
                SparkEvent::RetrySubmitted(_)
                | SparkEvent::RunReady(_)
                | SparkEvent::OwnerHasRoom(_)
                | SparkEvent::AllocationRound(_)
                | SparkEvent::RegistrationWaitOver(_),
            ) => EventClass::Claim,
            Self::Scheduler(_) => EventClass::Schedule,
            Self::Autoscaler(_) => EventClass::Autoscale,
            Self::Sample => EventClass::Sample,
        }
    }

    /// Its place among events of its class at one instant, before the order of scheduling. When an
    /// application foresaw a moment must not show, so its wake-ups come in an order of their own.
    pub(crate) const fn rank(&self) -> u32 {
        match self {
            Self::Spark(SparkEvent::Progress(id, _)) => id.place() as u32 + 1,
            _ => 0,
        }
    }
}
