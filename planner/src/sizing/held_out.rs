//! How well the fits foretell runs that they did not see: the last quarter of the time is kept from
//! them, and what the fits say of it is held against what happened.
//!
//! Leaves out runs that died at a smaller size than the one in question: whether they needed more
//! than that is not known. They are counted.

use std::collections::BTreeMap;

use sim::scenario::Scenario;
use sim::units::SimTime;
use sim::{Workload, workload::RunRef};

use super::gather::{asked, container, seen};
use super::need::{Fleet, Need, Observed, Seen};

/// Share of the runs, at the end, that the fits do not see.
const SHARE: f64 = 0.25;
/// Chances at which sizes are looked at.
const LEVELS: [f64; 3] = [0.5, 0.1, 0.01];

/// Foretold against met.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Met {
    /// Runs.
    pub runs: usize,
    /// How many of them were to need more.
    pub foretold: f64,
    /// Standard deviation of that, were the fits true.
    pub spread: f64,
    /// How many did.
    pub met: usize,
}

impl Met {
    fn add(&mut self, chance: f64, more: bool) {
        self.runs += 1;
        self.foretold += chance;
        self.spread = (self.spread.powi(2) + chance * (1.0 - chance)).sqrt();
        self.met += usize::from(more);
    }
}

/// What became of the runs that the fits did not see.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    /// They were submitted from here on.
    pub from: SimTime,
    /// Of the sizes that they were submitted with.
    pub own_sizes: Met,
    /// Of sizes that are to be too small in 50, 10 and 1 % of the runs: the chance, what was met, and
    /// runs that died below the size.
    pub levels: Vec<(f64, Met, usize)>,
}

/// Fits on the first runs, looks at the last; `None` where there is nothing to look at.
pub fn held_out(scenario: &Scenario, workload: &Workload) -> Option<HeldOut> {
    let place = (workload.runs.len() as f64 * (1.0 - SHARE)) as usize;
    let from = workload.runs.get(place)?.submitted_at;
    let known = |run: &RunRef<'_>| run.submitted_at < from;
    let mut before: BTreeMap<u32, Vec<RunRef<'_>>> = BTreeMap::new();
    for run in workload.runs.iter().filter(known) {
        before.entry(run.application.0).or_default().push(run);
    }
    let known_of: BTreeMap<u32, (Vec<Seen>, f64)> = before
        .iter()
        .map(|(of, runs)| {
            let seen = runs.iter().filter_map(|run| seen(scenario, run)).collect();
            (*of, (seen, asked(scenario, runs)))
        })
        .collect();
    fn observed((seen, asked): &(Vec<Seen>, f64)) -> Observed<'_> {
        Observed { seen, asked: *asked }
    }
    let fleet = Fleet::of(known_of.values().map(observed));
    let needs: BTreeMap<u32, Need> = known_of
        .iter()
        .filter_map(|(of, known)| Some((*of, Need::fit(observed(known), &fleet)?)))
        .collect();
    let mut found = HeldOut {
        from,
        own_sizes: Met::default(),
        levels: LEVELS.map(|level| (level, Met::default(), 0)).to_vec(),
    };
    for run in workload.runs.iter().filter(|run| !known(run)) {
        let (Some(need), Some(one)) = (needs.get(&run.application.0), seen(scenario, &run)) else {
            continue;
        };
        let own = (container(scenario, &run).as_u64() as f64).ln();
        found.own_sizes.add(need.chance(own.exp()), one.died || one.ln > own);
        for (level, met, unknown) in &mut found.levels {
            let size = need.size_of(*level).ln();
            match one.died && one.ln < size {
                true => *unknown += 1,
                false => met.add(*level, one.died || one.ln > size),
            }
        }
    }
    (found.own_sizes.runs > 0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_add_up_as_those_of_independent_runs() {
        let mut met = Met::default();
        for run in 0..100 {
            met.add(0.1, run % 10 == 0);
        }
        assert_eq!((met.runs, met.met), (100, 10));
        assert!((met.foretold - 10.0).abs() < 1e-9, "{met:?}");
        assert!((met.spread - 3.0).abs() < 1e-9, "{met:?}");
    }
}
