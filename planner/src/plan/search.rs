//! The search: races of small spaces, climbs in wide ones.
//!
//! Deterministic: what is looked at next hangs on the results alone, never on the clock or on which
//! thread was first.

use super::evaluate::{Evaluator, PlanError, Task};
use super::{Candidate, Question};
use crate::compare::Outcomes;

/// Spaces up to this size are raced whole.
const WHOLE: u64 = 60;

/// Replications of neighbours in a climb.
const CLIMB: u64 = 2;

/// Of a climb, so many are raced at its end.
const FINALISTS: usize = 6;

/// What came of the search.
#[derive(Debug, Clone)]
pub struct Found {
    /// The best candidate within the limits; today's settings where nothing is better.
    pub best: Candidate,
    /// How it was searched.
    pub how: String,
}

/// The task of a candidate in the world that the search sees.
pub fn task(question: &Question, candidate: &Candidate) -> Task {
    Task { world: String::new(), sets: question.sets(candidate) }
}

/// Searches.
///
/// # Errors
/// See [`PlanError`].
pub fn search(question: &Question, evaluator: &mut Evaluator<'_>) -> Result<Found, PlanError> {
    let today = question.today();
    if evaluator.evaluate(&[task(question, &today)], 1)?[0].is_none() {
        let reason = evaluator.refused().get(&task(question, &today)).cloned();
        return Err(PlanError::Refused(reason.unwrap_or_default()));
    }
    match question.size().filter(|size| *size <= WHOLE) {
        Some(size) => {
            let best = race(question, evaluator, all(question))?;
            let best = prune(question, evaluator, best)?;
            Ok(Found { best, how: format!("all {size} candidates were raced") })
        }
        None => {
            let (finalists, steps) = climb(question, evaluator)?;
            let best = race(question, evaluator, finalists)?;
            let best = prune(question, evaluator, best)?;
            let space = question.size().map_or("a very large".to_owned(), |size| size.to_string());
            let how = format!("{steps} steps from today's settings in a space of {space}");
            Ok(Found { best, how })
        }
    }
}

/// Every candidate, today's settings first.
fn all(question: &Question) -> Vec<Candidate> {
    let mut all = vec![Vec::new()];
    for knob in &question.knobs {
        let values = || std::iter::once(None).chain((0..knob.values.len()).map(Some));
        all = all
            .into_iter()
            .flat_map(|one: Candidate| {
                values().map(move |value| [one.as_slice(), &[value]].concat())
            })
            .collect();
    }
    all
}

/// How good a candidate is: within the limits first, then small.
fn rank(question: &Question, candidate: &Outcomes, today: &Outcomes) -> (usize, f64) {
    let broken = question.limits.iter().filter(|limit| limit.failed(candidate, today).is_some());
    (broken.count(), candidate.mean(&question.minimize))
}

/// The candidates with their ranks at so many replications, the best first.
fn ranked(
    question: &Question,
    evaluator: &mut Evaluator<'_>,
    candidates: &[Candidate],
    replications: u64,
) -> Result<Vec<Ranked>, PlanError> {
    let mut tasks = vec![task(question, &question.today())];
    tasks.extend(candidates.iter().map(|candidate| task(question, candidate)));
    let mut outcomes = evaluator.evaluate(&tasks, replications)?.into_iter();
    let Some(Some(today)) = outcomes.next() else { return Ok(Vec::new()) };
    let mut ranked: Vec<_> = candidates
        .iter()
        .zip(outcomes)
        .filter_map(|(candidate, outcome)| {
            Some((rank(question, &outcome?, &today), candidate.clone()))
        })
        .collect();
    ranked.sort_by(by_rank);
    Ok(ranked)
}

type Ranked = ((usize, f64), Candidate);

/// Of equally good ones, the one that changes less.
fn by_rank((a, x): &Ranked, (b, y): &Ranked) -> std::cmp::Ordering {
    let changes = |candidate: &Candidate| candidate.iter().flatten().count();
    let order = a.0.cmp(&b.0).then(a.1.total_cmp(&b.1));
    order.then_with(|| changes(x).cmp(&changes(y))).then_with(|| x.cmp(y))
}

/// Takes back, one by one, what does not clearly help: whose absence costs no more, as far as
/// anybody can tell, and breaks no limit.
fn prune(
    question: &Question,
    evaluator: &mut Evaluator<'_>,
    mut best: Candidate,
) -> Result<Candidate, PlanError> {
    loop {
        let mut tasks = vec![task(question, &question.today()), task(question, &best)];
        let without: Vec<Candidate> = (0..best.len())
            .filter(|place| best[*place].is_some())
            .map(|place| {
                let mut one = best.clone();
                one[place] = None;
                one
            })
            .collect();
        tasks.extend(without.iter().map(|one| task(question, one)));
        let outcomes = evaluator.evaluate(&tasks, question.replications)?;
        let [Some(today), Some(own), others @ ..] = outcomes.as_slice() else { return Ok(best) };
        let broken = rank(question, own, today).0;
        let needless = without.iter().zip(others).filter_map(|(one, outcome)| {
            let outcome = outcome.as_ref()?;
            let rank = rank(question, outcome, today);
            let found = outcome.against(own, &question.minimize);
            let helps = found.is_clear() && found.absolute() > 0.0;
            (!helps && rank.0 <= broken).then(|| (rank, one.clone()))
        });
        match needless.min_by(by_rank) {
            Some((_, one)) => best = one,
            None => return Ok(best),
        }
    }
}

/// More and more replications for fewer and fewer candidates.
fn race(
    question: &Question,
    evaluator: &mut Evaluator<'_>,
    candidates: Vec<Candidate>,
) -> Result<Candidate, PlanError> {
    let today = question.today();
    let mut alive = candidates;
    let mut replications = 1;
    loop {
        let order = ranked(question, evaluator, &alive, replications)?;
        let best = order.first().map(|(_, candidate)| candidate.clone());
        let spent = evaluator.spent() >= question.evaluations;
        if replications >= question.replications || (spent && replications > 1) {
            return Ok(best.unwrap_or(today));
        }
        let kept = order.len().div_ceil(2).max(3);
        alive = order.into_iter().take(kept).map(|(_, candidate)| candidate).collect();
        if !alive.contains(&today) {
            alive.push(today.clone());
        }
        replications = (replications * 2).min(question.replications);
    }
}

/// One knob a step: the best neighbour, as long as one is better. Gives the best that were seen, and
/// how many steps were made.
fn climb(
    question: &Question,
    evaluator: &mut Evaluator<'_>,
) -> Result<(Vec<Candidate>, usize), PlanError> {
    let mut here = question.today();
    let mut seen: Vec<Ranked> = Vec::new();
    let mut steps = 0;
    // A third of the budget is for the race.
    let budget = question.evaluations * 2 / 3;
    loop {
        let mut around = neighbours(question, &here);
        around.push(here.clone());
        let order = ranked(question, evaluator, &around, CLIMB)?;
        for one in &order {
            if seen.iter().all(|(_, known)| *known != one.1) {
                seen.push(one.clone());
            }
        }
        let best = order.first().map(|(_, candidate)| candidate.clone());
        match best {
            Some(best) if best != here && evaluator.spent() < budget => {
                here = best;
                steps += 1;
            }
            _ => break,
        }
    }
    seen.sort_by(by_rank);
    let mut finalists: Vec<Candidate> =
        seen.into_iter().take(FINALISTS).map(|(_, candidate)| candidate).collect();
    if !finalists.contains(&question.today()) {
        finalists.push(question.today());
    }
    Ok((finalists, steps))
}

/// The candidates that differ in one knob. A knob at today's setting may take any value, as nobody
/// knows where that stands among them; others go one up, one down, or back.
fn neighbours(question: &Question, here: &Candidate) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (place, knob) in question.knobs.iter().enumerate() {
        let values: Vec<Option<usize>> = match here[place] {
            None => (0..knob.values.len()).map(Some).collect(),
            Some(at) => [at.checked_sub(1), Some(at + 1).filter(|at| *at < knob.values.len())]
                .into_iter()
                .flatten()
                .map(Some)
                .chain([None])
                .collect(),
        };
        for value in values {
            let mut one = here.clone();
            one[place] = value;
            found.push(one);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spaces_are_walked_whole_or_step_by_step() {
        let plan = json!({"knobs": [
            {"path": "spec.a", "values": [1, 2, 3]}, {"path": "spec.b", "values": [1]},
        ]});
        let question = Question::read(&plan).unwrap();
        let all = all(&question);
        assert_eq!((all.len(), all[0].clone()), (8, question.today()));
        assert_eq!(neighbours(&question, &question.today()).len(), 4);
        let here = vec![Some(2), Some(0)];
        let around = neighbours(&question, &here);
        assert_eq!(around, [vec![Some(1), Some(0)], vec![None, Some(0)], vec![Some(2), None]]);
    }
}
