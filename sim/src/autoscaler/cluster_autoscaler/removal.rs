//! Which unneeded nodes may be deleted now: timers, then the sizes of their groups.
//!
//! Source: kubernetes/autoscaler `core/scaledown/unneeded/nodes.go` (`RemovableAt`).

use crate::units::{SimDuration, SimTime};

/// An unneeded node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unneeded {
    /// Its group.
    pub(crate) group: u32,
    /// Since when.
    pub(crate) since: SimTime,
    /// `scale-down-unneeded-time`, or `scale-down-unready-time` where it is not ready.
    pub(crate) wait: SimDuration,
}

/// A group's nodes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupSize {
    /// Target size, less what was found removable so far.
    pub(crate) size: u32,
    /// Deletions under way that the target size still counts.
    pub(crate) deletions: u32,
    /// Least size.
    pub(crate) min: u32,
}

/// Upstream's reason against deleting the node now; without one, the group is a node smaller.
pub(crate) fn unremovable(
    node: &Unneeded,
    now: SimTime,
    groups: &mut [GroupSize],
) -> Option<&'static str> {
    if node.since.saturating_add(node.wait) >= now {
        return Some("NotUnneededLongEnough");
    }
    let group = &mut groups[node.group as usize];
    if group.size.saturating_sub(group.deletions) <= group.min {
        return Some("NodeGroupMinSizeReached");
    }
    group.size -= 1;
    None
}
