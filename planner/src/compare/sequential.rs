//! How many replications: until the answer is clear, or says that it is not.
//!
//! After three replications, and then after every two more, it is asked whether each watched question
//! is decided. Who looks several times finds something by chance more often than one time in twenty:
//! so that a look counts at 99 % only, where the final interval is of 95 %. A question is decided when
//! the interval lies on one side of its bound, or, of a plain difference, within one hundredth of the
//! base on both sides of zero: too small to matter.

use super::gate::Gate;
use super::{Outcomes, Side, mean, simulate};
use crate::replicate::ReplicateError;
use reports::student_t::interval_99;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::runtime::Runtime;

/// Replications before the first look.
pub const FIRST: u64 = 3;
/// Replications between looks.
const STEP: u64 = 2;
/// A difference within this share of the base does not matter.
const SMALL: f64 = 0.01;

/// What is watched: always the cost, and each gate.
const METRIC: &str = "cost_usd.total";

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Replications of each side.
    pub replications: u64,
    /// At most so many were allowed.
    pub most: u64,
    /// Questions that are not decided.
    pub open: Vec<String>,
}

impl Stopped {
    /// A sentence about it.
    pub fn said(&self) -> String {
        let Self { replications, most, open } = self;
        match open.is_empty() {
            true if replications < most => {
                format!("clear after {replications} of at most {most} replications")
            }
            true => format!("clear after {replications} replications"),
            false => format!(
                "NOT CLEAR after {replications} replications: {}; more of them (--replications) may \
                 tell",
                open.join(", ")
            ),
        }
    }
}

/// Simulates `sides`, the base first, until everything is decided or `most` replications are done;
/// where `first` is `most`, it looks once.
///
/// # Errors
/// As [`simulate`].
pub fn until_clear(
    runtime: &Runtime,
    sides: &[Side],
    (seed, first, most): (u64, u64, u64),
    gates: &[Gate],
    (stop, finished): (&Arc<AtomicBool>, &dyn Fn()),
) -> Result<(Vec<Outcomes>, Stopped), ReplicateError> {
    let mut outcomes = Vec::new();
    let (mut done, mut to) = (0, first.min(most));
    loop {
        simulate(runtime, sides, seed, (done, to), (stop, finished), &mut outcomes)?;
        done = to;
        let open = open(&outcomes, gates);
        if open.is_empty() || done >= most {
            return Ok((outcomes, Stopped { replications: done, most, open }));
        }
        to = (done + STEP).min(most);
    }
}

/// Questions that are not decided.
fn open(outcomes: &[Outcomes], gates: &[Gate]) -> Vec<String> {
    let Some((base, candidates)) = outcomes.split_first() else { return Vec::new() };
    let mut open = Vec::new();
    for candidate in candidates {
        let of = |what: &str| match candidates.len() {
            1 => what.to_owned(),
            _ => format!("{what} of {}", candidate.name),
        };
        if !difference_is_decided(base, candidate) {
            open.push(of("the difference in cost"));
        }
        let undecided = gates.iter().filter(|gate| !gate.is_decided(candidate, base));
        open.extend(undecided.map(|gate| of(&format!("`{}`", gate.text))));
    }
    open
}

fn difference_is_decided(base: &Outcomes, candidate: &Outcomes) -> bool {
    let (own, before) = (candidate.values(METRIC), base.values(METRIC));
    let differences: Vec<f64> = own.iter().zip(&before).map(|(a, b)| a - b).collect();
    let Some((low, high)) = interval_99(&differences) else { return false };
    let small = SMALL * mean(&before);
    low > 0.0 || high < 0.0 || (low > -small && high < small)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(values: &[f64]) -> Outcomes {
        let numbers = values.iter().map(|value| vec![(METRIC.to_owned(), *value)]);
        Outcomes { name: "s".to_owned(), numbers: numbers.collect() }
    }

    #[track_caller]
    fn check(base: &[f64], candidate: &[f64], gate: Option<&str>, expected: &[&str]) {
        let gates: Vec<Gate> = gate.map(|gate| Gate::parse(gate).unwrap()).into_iter().collect();
        assert_eq!(open(&[outcomes(base), outcomes(candidate)], &gates), expected);
    }

    #[test]
    fn questions_are_decided_by_their_bounds() {
        let base = [100.0, 110.0, 90.0];
        check(&base, &[110.0, 121.0, 99.0], None, &[]);
        check(&base, &[101.0, 109.0, 95.0], None, &["the difference in cost"]);
        // Hardly different, and surely so.
        check(&base, &[100.1, 110.0, 89.9], None, &[]);
        // Ten percent more, but more than nine?
        let more = [110.0, 121.0, 99.0];
        check(&base, &more, Some("cost.total > +4%"), &[]);
        check(&base, &more, Some("cost.total > +5%"), &["`cost.total > +5%`"]);
        check(&base, &more, Some("cost.total > 1000"), &[]);
    }

    #[test]
    fn the_verdict_is_a_sentence() {
        let stopped = Stopped { replications: 5, most: 10, open: Vec::new() };
        assert_eq!(stopped.said(), "clear after 5 of at most 10 replications");
        let stopped = Stopped { open: vec!["a".to_owned()], replications: 10, ..stopped };
        assert!(stopped.said().starts_with("NOT CLEAR after 10 replications: a;"));
    }
}
