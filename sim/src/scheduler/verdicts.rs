//! What filters and scores say of a pod and a class of nodes, remembered.
//!
//! Whether a node passes, and the sum of the scores that do not compare candidates, follow from the
//! pod's spec and the node's class (see `classes`) alone; so they are worked out once for the pods
//! of a spec, as long as the class is there. Leaves out what looks further: nominated pods, and
//! scores that are normalised over all candidates or count nodes (`score::add_relative`).

use crate::cluster::SpecId;

/// Of so many specs verdicts are remembered. Pods of one spec come together, as an application's
/// executors do.
const ROWS: usize = 64;

/// What was said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict {
    /// Of the class; 0 = nothing was asked yet.
    pub(super) stamp: u32,
    /// The node passes the filters.
    pub(super) passes: bool,
    /// Sum of the scores, weighted.
    pub(super) score: i64,
}

impl Verdict {
    const UNKNOWN: Self = Self { stamp: 0, passes: false, score: 0 };
}

/// Verdicts by spec and class.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    rows: Vec<Row>,
}

#[derive(Debug, Default)]
struct Row {
    /// The last spec that used it.
    spec: Option<SpecId>,
    verdicts: Vec<Verdict>,
}

impl Verdicts {
    /// What is known of `spec`, by the number of the class, of which there are `slots`.
    pub(super) fn of(&mut self, spec: SpecId, slots: usize) -> &mut [Verdict] {
        if self.rows.is_empty() {
            self.rows.resize_with(ROWS, Row::default);
        }
        let row = &mut self.rows[spec.0 as usize % ROWS];
        if row.spec != Some(spec) {
            row.spec = Some(spec);
            row.verdicts.clear();
        }
        if row.verdicts.len() < slots {
            row.verdicts.resize(slots, Verdict::UNKNOWN);
        }
        &mut row.verdicts
    }
}
