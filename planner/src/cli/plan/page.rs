//! A plan's answer as tables, a page, and JSON.

use reports::document::{Block, Document, Section};
use reports::grid::{Grid, GridCell, GridColumn};
use reports::plots::{Point, scatter};
use serde_json::{Value, json};

use crate::cli::metrics::{Sides, Unit, differences, interval, percent, shown};
use crate::compare::Outcomes;
use crate::plan::Question;
use crate::plan::answer::{Answer, FRONT};

/// One side against another, with intervals.
pub(super) fn against(today: &Outcomes, best: &Outcomes) -> Grid {
    const SIDES: Sides = [("today", "today"), ("recommended", "recommended")];
    differences(SIDES, today, std::slice::from_ref(best), None)
}

fn usd(value: f64, signed: bool) -> GridCell {
    GridCell::figure(value, shown(value, Unit::Usd, signed))
}

/// What each change does.
pub(super) fn without(answer: &Answer) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("change", "change"),
        GridColumn::figures("cost without it", "cost_without_usd"),
        GridColumn::figures("so that it saves", "saves_usd"),
        GridColumn::words("95 % interval", "interval"),
        GridColumn::figures("p99 queue delay without it", "queue_p99_without_s"),
    ]);
    for one in &answer.without {
        let found = one.against(&answer.best, FRONT[0]);
        let delay = one.mean(FRONT[1]);
        grid.push(vec![
            GridCell::sentence(one.name.clone()),
            usd(found.candidate, false),
            usd(found.absolute(), true),
            GridCell::text(interval(&found, Unit::Usd)),
            GridCell::figure(delay, shown(delay, Unit::Seconds, false)),
        ]);
    }
    grid
}

/// Today and the recommendation in other worlds.
pub(super) fn worlds(answer: &Answer) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("world", "world"),
        GridColumn::figures("today", "today_usd"),
        GridColumn::figures("recommended", "recommended_usd"),
        GridColumn::figures("%", "percent"),
        GridColumn::words("95 % interval", "interval"),
        GridColumn::figures("p99 queue delay", "queue_p99_s"),
        GridColumn::figures("runs failed", "failed"),
    ]);
    let own = ("(as planned)".to_owned(), &answer.today, &answer.best);
    let others = answer.worlds.iter().map(|(name, today, best)| (name.clone(), today, best));
    for (name, today, best) in std::iter::once(own).chain(others) {
        let found = best.against(today, FRONT[0]);
        let change = |path: &str, unit: Unit| {
            let (before, after) = (today.mean(path), best.mean(path));
            let both = format!("{} to {}", shown(before, unit, false), shown(after, unit, false));
            GridCell::figure(after, both)
        };
        grid.push(vec![
            GridCell::text(name),
            usd(found.base, false),
            usd(found.candidate, false),
            percent(&found),
            GridCell::text(interval(&found, Unit::Usd)),
            change(FRONT[1], Unit::Seconds),
            change(FRONT[2], Unit::Count),
        ]);
    }
    grid
}

/// The front.
pub(super) fn front(answer: &Answer) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::figures("cost", "cost_usd"),
        GridColumn::figures("run queue delay p99", "queue_p99_s"),
        GridColumn::figures("runs failed", "failed"),
        GridColumn::words("changes", "changes"),
    ]);
    for one in &answer.front {
        let [cost, delay, failed] = FRONT.map(|path| one.mean(path));
        let name = if one.name.is_empty() { "(today)" } else { &one.name };
        grid.push(vec![
            usd(cost, false),
            GridCell::figure(delay, shown(delay, Unit::Seconds, false)),
            GridCell::figure(failed, shown(failed, Unit::Count, false)),
            GridCell::sentence(name),
        ]);
    }
    grid
}

/// The answer in sentences.
pub(super) fn lines(question: &Question, answer: &Answer) -> Vec<String> {
    let found = answer.best.against(&answer.today, &question.minimize);
    let percent = found.relative().map_or(String::new(), |s| format!(" ({:+.1} %)", s * 100.0));
    let mut lines = Vec::new();
    if answer.sets.is_empty() {
        lines.push("Keep today's settings: nothing in the space is better.".to_owned());
    } else {
        let doubt = match found.is_clear() {
            true => "",
            false => "; the interval includes 0: more replications may tell",
        };
        let change = found.absolute();
        lines.push(format!("Recommended: {} {change:+.2}{percent}{doubt}", question.minimize));
        lines.extend(answer.sets.iter().map(|set| format!("  {set}")));
    }
    lines.extend(answer.broken.iter().map(|said| format!("LIMIT BROKEN: {said}")));
    for (name, today, best) in &answer.worlds {
        let change = best.against(today, &question.minimize).relative().unwrap_or(0.0) * 100.0;
        let word = if change > 0.0 { "worse" } else { "better" };
        lines.push(format!("{name}: {word} than today ({change:+.1} %)"));
    }
    lines.push(format!(
        "{}; {} evaluations, the best with {} replications",
        answer.how, answer.evaluations, question.replications
    ));
    if !answer.refused.is_empty() {
        let (sets, why) = &answer.refused[0];
        let why = why.lines().next().unwrap_or_default();
        lines.push(format!(
            "{} candidates make no scenario, such as {sets}: {why}",
            answer.refused.len()
        ));
    }
    lines
}

pub(super) fn document(question: &Question, answer: &Answer) -> Document {
    let points: Vec<Point> = answer
        .front
        .iter()
        .map(|one| (one, "front"))
        .chain([(&answer.today, "today"), (&answer.best, "recommended")])
        .map(|(one, kind)| Point { x: one.mean(FRONT[0]), y: one.mean(FRONT[1]), kind })
        .collect();
    let axes = ("cost in dollars", "run queue delay p99, seconds");
    let svg = scatter("Cost against waiting", axes, &points);
    let table = |caption: &str, grid| Block::Table { caption: caption.to_owned(), grid, shown: 60 };
    let section = |id, title, blocks| Section { id, title, blocks };
    let mut trade = vec![table("What nothing beats in all three at once", front(answer))];
    trade.extend(Block::picture("Cost against waiting", "front", svg));
    Document {
        title: "A plan".to_owned(),
        subtitle: answer.how.clone(),
        sections: vec![
            section("answer", "The answer", vec![Block::Lines(lines(question, answer))]),
            section(
                "today",
                "Against today",
                vec![table("Paired, with the same weather", against(&answer.today, &answer.best))],
            ),
            section(
                "why",
                "What each change does",
                vec![table("The recommendation with one change taken back", without(answer))],
            ),
            section(
                "risks",
                "In other worlds",
                vec![table("Cost, waiting, failures", worlds(answer))],
            ),
            section("front", "Cost, waiting, failures", trade),
        ],
    }
}

/// Everything, for scripts.
pub(super) fn value(question: &Question, answer: &Answer) -> Value {
    let found = answer.best.against(&answer.today, &question.minimize);
    json!({
        "schema": "seatrial.plan/v1",
        "minimize": question.minimize,
        "recommended": answer.sets,
        "difference": found.absolute(),
        "relative": found.relative(),
        "ci95": found.difference.map(|d| [d.ci95_low, d.ci95_high]),
        "limits_broken": answer.broken,
        "against_today": against(&answer.today, &answer.best).to_value(),
        "without": without(answer).to_value(),
        "worlds": worlds(answer).to_value(),
        "front": front(answer).to_value(),
        "how": answer.how,
        "evaluations": answer.evaluations,
        "refused": answer.refused,
    })
}
