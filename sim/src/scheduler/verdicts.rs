//! What filters and scores say of a pod and a class of nodes, remembered.
//!
//! Whether a node passes, why it does not, and the sum of the scores that do not compare candidates
//! follow from the pod's spec and the node's class (see `classes`) alone; so they are worked out once
//! for the pods of a spec, as long as the class is there. Leaves out what looks further: nominated
//! pods, and scores that are normalised over all candidates or count nodes
//! (`score::add_relative_scores`).

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
    /// Why it does not: its place in [`Refusals`], once somebody has asked.
    pub(super) refusal: Option<u32>,
    /// Sum of the scores, weighted.
    pub(super) score: i64,
}

impl Verdict {
    const UNKNOWN: Self = Self { stamp: 0, passes: false, refusal: None, score: 0 };
}

/// What filters said against nodes, each different list of messages once.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    lists: Vec<Vec<Box<str>>>,
}

impl Refusals {
    /// The place of a list. There are as many as filters and resources can be combined to, of which
    /// few are met.
    pub(super) fn intern(&mut self, messages: &[&str]) -> u32 {
        let same = |list: &Vec<Box<str>>| {
            list.iter().map(|message| &**message).eq(messages.iter().copied())
        };
        let known = self.lists.iter().position(same);
        let place = known.unwrap_or_else(|| {
            self.lists.push(messages.iter().map(|message| (*message).into()).collect());
            self.lists.len() - 1
        });
        place as u32
    }

    /// The messages at a place.
    pub(super) fn get(&self, place: u32) -> impl Iterator<Item = &str> {
        self.lists[place as usize].iter().map(|message| &**message)
    }
}

/// Verdicts by spec and class.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    rows: Vec<Row>,
    refusals: Refusals,
}

#[derive(Debug, Default)]
struct Row {
    /// The last spec that used it.
    spec: Option<SpecId>,
    verdicts: Vec<Verdict>,
}

impl Verdicts {
    /// What is known of `spec`, by the number of the class, of which there are `slots`; and where the
    /// reasons are.
    pub(super) fn of(&mut self, spec: SpecId, slots: usize) -> (&mut [Verdict], &mut Refusals) {
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
        (&mut row.verdicts, &mut self.refusals)
    }
}
