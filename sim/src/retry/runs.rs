//! What is known of runs: of those on their way all of it, of those that have ended only that.

use std::collections::BTreeMap;

use super::RunProgress;

/// Runs by their places in the workload. Memory follows what is on its way, but for a bit a run.
#[derive(Debug, Default)]
pub(crate) struct RunStates {
    open: BTreeMap<u32, RunProgress>,
    /// A bit each.
    ended: Vec<u64>,
}

impl RunStates {
    /// Whether the run has ended for good.
    pub(crate) fn has_ended(&self, place: u32) -> bool {
        let word = self.ended.get((place / 64) as usize);
        word.is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// What is known of a run that has not ended.
    pub(crate) fn get_mut(&mut self, place: u32) -> &mut RunProgress {
        debug_assert!(!self.has_ended(place), "run {place} has ended");
        self.open.entry(place).or_default()
    }

    /// The run has ended: gives what was known of it.
    pub(super) fn end(&mut self, place: u32) -> RunProgress {
        let word = (place / 64) as usize;
        if self.ended.len() <= word {
            self.ended.resize(word + 1, 0);
        }
        self.ended[word] |= 1 << (place % 64);
        self.open.remove(&place).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_have_ended_leave_a_bit() {
        let mut runs = RunStates::default();
        runs.get_mut(70).attempts = 3;
        assert!(!runs.has_ended(70));
        assert_eq!(runs.end(70).attempts, 3);
        assert!(runs.has_ended(70) && !runs.has_ended(71) && !runs.has_ended(6));
        assert!(runs.open.is_empty());
        // It was never due.
        assert_eq!(runs.end(5).attempts, 0);
    }
}
