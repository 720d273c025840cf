//! Pods.

use super::slab::Id;
use super::{NodeId, SpecId};
use crate::outcome::PodKind;
use crate::spark::AttemptId;
use crate::units::{SimDuration, SimTime};

/// A pod's id.
pub(crate) type PodId = Id<Pod>;

/// Whose pod it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PodOwner {
    /// The driver of an attempt.
    Driver(AttemptId),
    /// An executor of an attempt, with Spark's executor id (from 1).
    Executor(AttemptId, u32),
    /// A pod of the pod trace, by its place.
    Trace(u32),
    /// Overprovisioning.
    Pause,
}

impl PodOwner {
    /// What the pod is for.
    pub(crate) const fn kind(self) -> PodKind {
        match self {
            Self::Driver(_) => PodKind::Driver,
            Self::Executor(..) => PodKind::Executor,
            Self::Trace(_) => PodKind::Trace,
            Self::Pause => PodKind::Pause,
        }
    }
}

/// Where a pod is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PodPhase {
    /// In the scheduler's active queue.
    Active,
    /// Failed to be placed and waits out its backoff, woken.
    Backoff,
    /// Failed to be placed and waits for something to change.
    Unschedulable,
    /// On a node.
    Bound,
}

/// A pod.
#[derive(Debug, Clone)]
pub(crate) struct Pod {
    /// Number in order of creation.
    pub(crate) number: u64,
    /// Whose it is.
    pub(crate) owner: PodOwner,
    /// What it asks for.
    pub(crate) spec: SpecId,
    /// Phase.
    pub(crate) phase: PodPhase,
    /// When it was created.
    pub(crate) created_at: SimTime,
    /// When it was bound.
    pub(crate) bound_at: Option<SimTime>,
    /// When its process is, or will be, there (container started).
    pub(crate) process_at: Option<SimTime>,
    /// When it is, or will be, ready for work (driver context up, executor registered).
    pub(crate) ready_at: Option<SimTime>,
    /// It is bound, and an image of its containers is not there yet.
    pub(crate) waits_for_images: bool,
    /// It is being deleted: its containers end then, and its room is free. It has been charged to
    /// that moment, and belongs to nobody any more.
    pub(crate) ends_at: Option<SimTime>,
    /// Its node.
    pub(crate) node: Option<NodeId>,
    /// How often the scheduler tried it in vain.
    pub(crate) failed_attempts: u32,
    /// When the scheduler last tried it.
    pub(crate) last_attempt_at: SimTime,
    /// The end of the backoff that follows from these two, once it has failed.
    pub(crate) backoff_until: SimTime,
    /// Why it was not placed at the first try, as a place in the scheduler's list of reasons.
    pub(crate) reason: Option<u32>,
    /// The same at the last try.
    pub(crate) last_reason: Option<u32>,
    /// Executors: task slot time that was used, over all slots, of tasks that completed.
    pub(crate) busy: SimDuration,
    /// Executors: task slot time that was lost.
    pub(crate) lost: SimDuration,
    /// Executors: task slots; 1 for others.
    pub(crate) slots: u32,
}

impl Pod {
    /// A pod that was just created and waits to be tried.
    pub(crate) const fn new(
        number: u64,
        owner: PodOwner,
        spec: SpecId,
        slots: u32,
        now: SimTime,
    ) -> Self {
        Self {
            number,
            owner,
            spec,
            phase: PodPhase::Active,
            created_at: now,
            bound_at: None,
            process_at: None,
            ready_at: None,
            waits_for_images: false,
            ends_at: None,
            node: None,
            failed_attempts: 0,
            last_attempt_at: now,
            backoff_until: now,
            reason: None,
            last_reason: None,
            busy: SimDuration::ZERO,
            lost: SimDuration::ZERO,
            slots,
        }
    }
}
