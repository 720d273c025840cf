//! Folds recorded retries: a trace of attempts becomes a trace of submissions.
//!
//! The simulator makes its own retries, by the scenario's ladder; a recorded retry that stayed in
//! the trace would be run twice. A row is a retry when `retry_of` is set or `attempt` is above 1.
//! What it retried is the row named by `retry_of`; without that, the earlier attempt under the
//! same `run_id`; without that, the application's latest earlier row with the attempt before it
//! that did not succeed. Where the first attempt is not in the trace, the earliest retry becomes
//! the submission.

use std::collections::BTreeMap;

use sim::workload::RunOutcome;
use sim::{Finding, Severity};

use super::run_row::RunRow;
use crate::table::{TableCounts, Tally};

/// Removes recorded retries from `rows`, and counts them in `counts` as folded instead of kept.
/// Findings are about `subject`, the file.
pub fn fold_retries(
    rows: Vec<RunRow>,
    counts: &mut TableCounts,
    subject: &str,
) -> (Vec<RunRow>, Vec<Finding>) {
    if rows.iter().all(|row| row.retry_of.is_none() && row.attempt.unwrap_or(1) <= 1) {
        return (rows, Vec::new());
    }
    let mut tally = Tally::new(subject);
    let links: Vec<Link> = links(&rows);
    let mut first_of_group: BTreeMap<Group, usize> = BTreeMap::new();
    for place in 0..rows.len() {
        let group = group_of(place, &links);
        let entry = first_of_group.entry(group).or_insert(place);
        if rank(&rows[place], place, &links) < rank(&rows[*entry], *entry, &links) {
            *entry = place;
        }
    }
    let mut keep = vec![false; rows.len()];
    for place in first_of_group.into_values() {
        keep[place] = true;
        if links[place] != Link::First {
            let line = rows[place].line;
            tally.add(Severity::Info, "retry-without-first", "", line, || {
                "a retry whose first attempt is not in the trace; it became the submission"
                    .to_owned()
            });
        }
    }
    let mut kept = Vec::with_capacity(rows.len());
    for (row, keep) in rows.into_iter().zip(keep) {
        if keep {
            kept.push(row);
            continue;
        }
        counts.kept -= 1;
        counts.folded += 1;
        tally.add(Severity::Info, "retry-folded", "", row.line, || {
            "a recorded retry, not a submission of its own; the simulator makes its own retries"
                .to_owned()
        });
    }
    (kept, tally.into_findings())
}

/// What a row says about its past.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Link {
    /// It is a first attempt.
    First,
    /// It retried the row at that place.
    RetryOf(usize),
    /// It retried a row that is not there.
    RetryOfAbsent(String),
}

/// What attempts of one submission have in common.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Row(usize),
    Absent(String),
}

/// The first attempt comes first, then the earliest.
fn rank(row: &RunRow, place: usize, links: &[Link]) -> (bool, u32, i64, usize) {
    let retry = links[place] != Link::First;
    (retry, row.attempt.unwrap_or(1), row.lowered.submitted_at_ms, place)
}

fn links(rows: &[RunRow]) -> Vec<Link> {
    let mut by_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut by_application: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        by_id.entry(&row.lowered.run.run_id).or_default().push(place);
        by_application.entry(&row.lowered.application).or_default().push(place);
    }
    // So that the latest earlier row is found by search, not by looking at all of them.
    for places in by_application.values_mut() {
        places.sort_by_key(|place| (rows[*place].lowered.submitted_at_ms, *place));
    }
    rows.iter()
        .enumerate()
        .map(|(place, row)| link(rows, place, row, &by_id, &by_application))
        .collect()
}

/// How far back in an application's rows a first attempt is looked for.
const LOOK_BACK: usize = 100;

fn link(
    rows: &[RunRow],
    place: usize,
    row: &RunRow,
    by_id: &BTreeMap<&str, Vec<usize>>,
    by_application: &BTreeMap<&str, Vec<usize>>,
) -> Link {
    let attempt = row.attempt.unwrap_or(1);
    let id: &str = &row.lowered.run.run_id;
    let lowest_attempt = |places: &[usize]| {
        let others = places.iter().copied().filter(|other| *other != place);
        others.min_by_key(|other| (rows[*other].attempt.unwrap_or(1), *other))
    };
    if let Some(retried) = &row.retry_of {
        let found = by_id.get(retried.as_str());
        return match found.and_then(|places| lowest_attempt(places)) {
            Some(other) => Link::RetryOf(other),
            None => Link::RetryOfAbsent(retried.clone()),
        };
    }
    if attempt <= 1 {
        return Link::First;
    }
    let namesake = by_id.get(id).and_then(|places| lowest_attempt(places));
    if let Some(other) = namesake.filter(|other| rows[*other].attempt.unwrap_or(1) < attempt) {
        return Link::RetryOf(other);
    }
    let places = &by_application[row.lowered.application.as_str()];
    let at = row.lowered.submitted_at_ms;
    let before = places
        .partition_point(|other| (rows[*other].lowered.submitted_at_ms, *other) < (at, place));
    places[..before]
        .iter()
        .rev()
        .take(LOOK_BACK)
        .find(|other| {
            let other = &rows[**other];
            other.attempt.unwrap_or(1) + 1 == attempt
                && other.lowered.run.outcome != RunOutcome::Succeeded
        })
        .map_or_else(|| Link::RetryOfAbsent(id.to_owned()), |other| Link::RetryOf(*other))
}

/// Follows the links of the row at `place` to the first attempt. A circle of retries is a group of
/// its own, named by its smallest place.
fn group_of(place: usize, links: &[Link]) -> Group {
    let mut at = place;
    // Attempts are few; a longer chain can only be a circle.
    for _ in 0..LOOK_BACK {
        match &links[at] {
            Link::First => return Group::Row(at),
            Link::RetryOf(other) => at = *other,
            Link::RetryOfAbsent(id) => return Group::Absent(id.clone()),
        }
    }
    let mut smallest = at;
    let mut walker = at;
    for _ in 0..links.len() {
        match &links[walker] {
            Link::RetryOf(other) => walker = *other,
            Link::First => return Group::Row(walker),
            Link::RetryOfAbsent(id) => return Group::Absent(id.clone()),
        }
        smallest = smallest.min(walker);
        if walker == at {
            break;
        }
    }
    Group::Row(smallest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, attempt: u32, retry_of: Option<&str>, failed: bool, at: i64) -> RunRow {
        let mut row = RunRow {
            attempt: Some(attempt),
            retry_of: retry_of.map(str::to_owned),
            ..RunRow::default()
        };
        row.lowered.run.run_id = id.into();
        row.lowered.application = "app".into();
        row.lowered.submitted_at_ms = at;
        if failed {
            row.lowered.run.outcome = RunOutcome::Failed;
        }
        row
    }

    #[track_caller]
    fn check(rows: Vec<RunRow>, expected: &[&str]) {
        let mut counts = TableCounts {
            rows: rows.len() as u64,
            kept: rows.len() as u64,
            ..TableCounts::default()
        };
        let (kept, _) = fold_retries(rows, &mut counts, "runs.csv");
        let ids: Vec<&str> = kept.iter().map(|row| &*row.lowered.run.run_id).collect();
        assert_eq!(ids, expected);
        assert_eq!(counts.rows, counts.kept + counts.folded);
        assert_eq!(counts.kept, kept.len() as u64);
    }

    #[test]
    fn retries_fold_into_their_first_attempt() {
        check(
            vec![
                row("a", 1, None, true, 0),
                row("a2", 2, Some("a"), true, 5),
                row("a3", 3, Some("a2"), false, 9),
                row("b", 1, None, false, 10),
            ],
            &["a", "b"],
        );
    }

    #[test]
    fn retries_under_one_id_and_without_a_name_fold_too() {
        check(vec![row("a", 1, None, true, 0), row("a", 2, None, false, 5)], &["a"]);
        check(vec![row("a", 1, None, true, 0), row("x", 2, None, false, 5)], &["a"]);
        // The earlier run succeeded: it cannot be what was retried.
        check(vec![row("a", 1, None, false, 0), row("x", 2, None, false, 5)], &["a", "x"]);
    }

    #[test]
    fn the_earliest_retry_stands_in_for_an_absent_first_attempt() {
        check(
            vec![row("c3", 3, Some("gone"), false, 9), row("c2", 2, Some("gone"), true, 5)],
            &["c2"],
        );
    }

    #[test]
    fn circles_end() {
        check(
            vec![
                row("a", 2, Some("b"), true, 0),
                row("b", 3, Some("a"), true, 5),
                row("c", 2, Some("c"), true, 7),
            ],
            &["a", "c"],
        );
    }
}
