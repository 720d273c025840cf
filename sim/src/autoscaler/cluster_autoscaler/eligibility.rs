//! Which nodes scale-down looks at, before it asks whether their pods fit elsewhere.
//!
//! Upstream's checks in their order. Source: kubernetes/autoscaler
//! `core/scaledown/eligibility/eligibility.go` (`cluster-autoscaler-release-1.36`).

use super::utilization::Utilization;
use crate::units::SimDuration;

/// A node with a `ToBeDeletedByClusterAutoscaler` taint younger than this is being deleted.
/// Source: `actuation.MaxCloudProviderNodeDeletionTime`.
const DELETION_TIME: SimDuration = SimDuration::minutes(5);

/// The reason against a node that is used well enough.
pub(crate) const WELL_USED: &str = "NotUnderutilized";

/// What the checks read of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    /// It was found unremovable less than `unremovable-node-recheck-timeout` ago.
    pub(crate) recently_unremovable: bool,
    /// How long it has been marked for deletion.
    pub(crate) being_deleted_for: Option<SimDuration>,
    /// Annotation `cluster-autoscaler.kubernetes.io/scale-down-disabled: "true"`.
    pub(crate) scale_down_disabled: bool,
    /// It is ready.
    pub(crate) ready: bool,
    /// Requested over allocatable; `None` where it cannot be worked out.
    pub(crate) utilization: Option<Utilization>,
}

/// The flags.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thresholds {
    /// `scale-down-utilization-threshold`.
    pub(crate) utilization: f64,
    /// `scale-down-gpu-utilization-threshold`.
    pub(crate) gpu: f64,
    /// `scale-down-unready-enabled`.
    pub(crate) unready: bool,
}

/// Upstream's reason against the node; `None` if it is a candidate.
pub(crate) fn unremovable(node: &Candidate, flags: &Thresholds) -> Option<&'static str> {
    if node.recently_unremovable {
        return Some("RecentlyUnremovable");
    }
    if node.being_deleted_for.is_some_and(|time| time < DELETION_TIME) {
        return Some("CurrentlyBeingDeleted");
    }
    if node.scale_down_disabled {
        return Some("ScaleDownDisabledAnnotation");
    }
    let Some(utilization) = node.utilization else {
        return Some("UnexpectedError");
    };
    if !flags.unready && !node.ready {
        return Some("ScaleDownUnreadyDisabled");
    }
    let threshold = if utilization.gpu.is_some() { flags.gpu } else { flags.utilization };
    (utilization.value() > threshold).then_some(WELL_USED)
}
