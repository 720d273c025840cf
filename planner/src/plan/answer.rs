//! What a search comes to: the recommendation against today, what each changed setting does, the
//! front of those that nothing beats, other worlds, and days that the search did not see.

use super::evaluate::{Evaluator, PlanError, Task};
use super::search::{Found, task};
use super::{Candidate, Question};
use crate::compare::Outcomes;

/// What the front is about, besides the metric that is to be small.
pub const FRONT: [&str; 3] = ["cost_usd.total", "latency_s.run_queue_delay.p99", "outcome.failed"];

/// Name of the world that the search did not see.
pub const HELD_OUT: &str = "held out";

/// The answer.
#[derive(Debug)]
pub struct Answer {
    /// What is recommended, as `--set` has it; empty where today's settings are.
    pub sets: Vec<String>,
    /// Today's settings.
    pub today: Outcomes,
    /// The recommendation.
    pub best: Outcomes,
    /// Limits that it breaks.
    pub broken: Vec<String>,
    /// Each changed setting taken back alone.
    pub without: Vec<Outcomes>,
    /// Today and the recommendation in other worlds.
    pub worlds: Vec<(String, Outcomes, Outcomes)>,
    /// Candidates that none beats in all of [`FRONT`], by cost.
    pub front: Vec<Outcomes>,
    /// Candidates that make no scenario, with the reason.
    pub refused: Vec<(String, String)>,
    /// How it was searched.
    pub how: String,
    /// Evaluations that it took.
    pub evaluations: u64,
}

/// Works out the answer.
///
/// # Errors
/// See [`PlanError`].
pub fn answer(
    question: &Question,
    evaluator: &mut Evaluator<'_>,
    found: Found,
) -> Result<Answer, PlanError> {
    let today = question.today();
    let pair = [task(question, &today), task(question, &found.best)];
    let [today, best] = two(evaluator, &pair, question.replications)?;
    let limits = question.limits.iter();
    let broken = limits.filter_map(|limit| limit.failed(&best, &today)).collect();
    let mut without = Vec::new();
    for place in changed(&found.best) {
        let mut one = found.best.clone();
        one[place] = None;
        let task = task(question, &one);
        if let Some(Some(mut outcome)) =
            evaluator.evaluate(&[task], question.replications)?.into_iter().next()
        {
            let knob = &question.knobs[place];
            let value = found.best[place].map_or("", |value| &knob.values[value]);
            outcome.name = format!("{}={value}", knob.path);
            without.push(outcome);
        }
    }
    let mut worlds = Vec::new();
    let names = question.risks.iter().map(|risk| risk.name.clone());
    let held = (question.hold_out > 0.0).then(|| HELD_OUT.to_owned());
    for world in held.into_iter().chain(names) {
        let of = |sets: &Vec<String>| Task { world: world.clone(), sets: sets.clone() };
        let pair = [of(&pair[0].sets), of(&pair[1].sets)];
        let [today, best] = two(evaluator, &pair, question.replications)?;
        worlds.push((world, today, best));
    }
    let front = front(evaluator)?;
    let refused = evaluator.refused().iter();
    Ok(Answer {
        sets: pair[1].sets.clone(),
        today,
        best,
        broken,
        without,
        worlds,
        front,
        refused: refused.map(|(task, why)| (task.sets.join(", "), first_line(why))).collect(),
        how: found.how,
        evaluations: evaluator.spent(),
    })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn changed(candidate: &Candidate) -> Vec<usize> {
    (0..candidate.len()).filter(|place| candidate[*place].is_some()).collect()
}

fn two(
    evaluator: &mut Evaluator<'_>,
    pair: &[Task; 2],
    replications: u64,
) -> Result<[Outcomes; 2], PlanError> {
    let mut outcomes = evaluator.evaluate(pair, replications)?.into_iter().flatten();
    match (outcomes.next(), outcomes.next()) {
        (Some(today), Some(best)) => Ok([today, best]),
        _ => {
            let why = pair.iter().find_map(|task| evaluator.refused().get(task));
            Err(PlanError::Refused(why.cloned().unwrap_or_default()))
        }
    }
}

/// Of what was evaluated twice or more: those that none beats.
fn front(evaluator: &mut Evaluator<'_>) -> Result<Vec<Outcomes>, PlanError> {
    let mut tasks = evaluator.with_replications(2);
    tasks.sort_by_key(|task| task.sets.len());
    let all: Vec<Outcomes> = evaluator.evaluate(&tasks, 2)?.into_iter().flatten().collect();
    let points: Vec<[f64; 3]> = all.iter().map(|one| FRONT.map(|path| one.mean(path))).collect();
    let beats = |a: &[f64; 3], b: &[f64; 3]| {
        a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b)
    };
    let mut front: Vec<(f64, Outcomes)> = all
        .into_iter()
        .zip(&points)
        .enumerate()
        // Of those that are the same in everything, the first one changes least.
        .filter(|(place, (_, point))| {
            let beaten = points.iter().any(|other| beats(other, point));
            !beaten && !points[..*place].contains(point)
        })
        .map(|(_, one)| one)
        .map(|(one, point)| (point[0], one))
        .collect();
    front.sort_by(|(a, x), (b, y)| a.total_cmp(b).then_with(|| x.name.cmp(&y.name)));
    Ok(front.into_iter().map(|(_, one)| one).collect())
}
