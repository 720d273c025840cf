//! How long pods waited for what.

use std::collections::BTreeMap;

use sim::outcome::normalised_reason;

use super::rows::PodRow;
use crate::figures::duration;
use crate::grid::{Grid, GridCell, GridColumn};

/// A time during which a pod waited for one reason.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wait {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) reason: String,
}

/// The pod's waits in order. Reasons that differ in nothing but counts of nodes are one wait, with
/// the first message.
pub(super) fn waits(pod: &PodRow, reasons: &[(f64, String)]) -> Vec<Wait> {
    let mut waits: Vec<Wait> = Vec::new();
    let until = pod.waited_until();
    for (at, reason) in reasons {
        let at = at.min(until);
        if let Some(last) = waits.last_mut() {
            if normalised_reason(&last.reason) == normalised_reason(reason) {
                continue;
            }
            last.to = at;
        }
        waits.push(Wait { from: at, to: until, reason: reason.clone() });
    }
    waits
}

/// Waits of many pods by normalised reason: pods, time in all, the longest; the most time first.
pub(super) fn by_reason<'a>(all: impl Iterator<Item = &'a [Wait]>) -> Grid {
    let mut totals: BTreeMap<String, (u64, f64, f64)> = BTreeMap::new();
    for waits in all {
        let mut own: BTreeMap<String, f64> = BTreeMap::new();
        for wait in waits {
            *own.entry(normalised_reason(&wait.reason)).or_default() += wait.to - wait.from;
        }
        for (reason, time) in own {
            let total = totals.entry(reason).or_default();
            *total = (total.0 + 1, total.1 + time, total.2.max(time));
        }
    }
    let mut rows: Vec<_> = totals.into_iter().collect();
    rows.sort_by(|a, b| b.1.1.total_cmp(&a.1.1));
    let mut grid = Grid::new(&[
        GridColumn::words("reason", "reason"),
        GridColumn::figures("pods", "pods"),
        GridColumn::figures("time in all", "time_s"),
        GridColumn::figures("longest", "longest_s"),
    ]);
    for (reason, (pods, time, longest)) in rows {
        grid.push(vec![
            GridCell::sentence(reason),
            GridCell::whole(pods),
            seconds(time),
            seconds(longest),
        ]);
    }
    grid
}

/// A length of time: seconds for scripts, to the millisecond.
pub(super) fn seconds(time: f64) -> GridCell {
    GridCell::figure((time * 1000.0).round() / 1000.0, duration(time))
}
