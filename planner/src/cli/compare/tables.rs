//! The tables of a comparison.

use reports::grid::{Grid, GridCell, GridColumn};
use reports::plots::{Step, waterfall};
use scenarios::difference::Setting;
use serde_json::{Value, json};

use crate::cli::metrics::{SHOWN, Unit, shown};
use crate::compare::Outcomes;

/// Metrics whose difference is taken apart.
const TAKEN_APART: [(&str, &str, Unit); 4] = [SHOWN[0], SHOWN[5], SHOWN[9], SHOWN[10]];

/// Each change alone, and what they do not add up to.
pub(super) fn attribution(base: &Outcomes, candidate: &Outcomes, parts: &[Outcomes]) -> Grid {
    let mut columns = vec![GridColumn::words("changed alone", "part")];
    columns.extend(TAKEN_APART.map(|(title, path, _)| GridColumn::figures(title, path)));
    let mut grid = Grid::new(&columns);
    let effect = |of: &Outcomes, path: &str| of.against(base, path).absolute();
    let mut row =
        |name: &str, effects: [f64; 4]| {
            let mut cells = vec![GridCell::sentence(name)];
            cells.extend(effects.iter().zip(TAKEN_APART).map(|(effect, (_, _, unit))| {
                GridCell::figure(*effect, shown(*effect, unit, true))
            }));
            grid.push(cells);
        };
    let mut sums = [0.0; 4];
    for part in parts {
        let effects = TAKEN_APART.map(|(_, path, _)| effect(part, path));
        sums.iter_mut().zip(effects).for_each(|(sum, own)| *sum += own);
        row(&part.name, effects);
    }
    let whole = TAKEN_APART.map(|(_, path, _)| effect(candidate, path));
    row("(together beyond that)", std::array::from_fn(|place| whole[place] - sums[place]));
    row("(all)", whole);
    grid
}

/// From the base's cost to the candidate's, change by change.
pub(super) fn cost_steps(base: &Outcomes, candidate: &Outcomes, parts: &[Outcomes]) -> String {
    let (_, path, unit) = SHOWN[0];
    let whole = candidate.against(base, path);
    let step = |name: &str, value: f64, is_sum: bool| Step {
        name: name.to_owned(),
        value,
        is_sum,
        shown: shown(value, unit, !is_sum),
    };
    let mut steps = vec![step("base", whole.base, true)];
    let mut sum = 0.0;
    for part in parts {
        let effect = part.against(base, path).absolute();
        sum += effect;
        steps.push(step(&tail(&part.name), effect, false));
    }
    steps.push(step("(together beyond that)", whole.absolute() - sum, false));
    steps.push(step("candidate", whole.candidate, true));
    waterfall("From the base's cost to the candidate's", &steps)
}

/// The end of a long path says more than its beginning.
fn tail(path: &str) -> String {
    const MOST: usize = 42;
    let chars: Vec<char> = path.chars().collect();
    match chars.len() > MOST {
        true => format!("…{}", chars[chars.len() - MOST..].iter().collect::<String>()),
        false => path.to_owned(),
    }
}

/// The settings in which two scenarios differ.
pub(super) fn settings(settings: &[Setting]) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("setting", "setting"),
        GridColumn::words("base", "before"),
        GridColumn::words("candidate", "after"),
    ]);
    let value = |value: &Option<Value>| match value {
        None => GridCell::Missing,
        Some(Value::String(text)) => GridCell::text(text.clone()),
        Some(other) => GridCell::sentence(other.to_string().chars().take(200).collect::<String>()),
    };
    for setting in settings {
        let path = GridCell::sentence(setting.path.clone());
        grid.push(vec![path, value(&setting.before), value(&setting.after)]);
    }
    grid
}

/// Everything, for scripts.
pub(super) fn value(
    base: &Outcomes,
    candidates: &[Outcomes],
    attributed: &[Vec<Outcomes>],
) -> Value {
    let difference = |of: &Outcomes, path: &str| {
        let found = of.against(base, path);
        json!({
            "base": found.base,
            "candidate": found.candidate,
            "difference": found.absolute(),
            "relative": found.relative(),
            "ci95": found.difference.map(|d| [d.ci95_low, d.ci95_high]),
        })
    };
    let one = |(candidate, parts): (&Outcomes, &Vec<Outcomes>)| {
        let metrics = candidate.metrics();
        let metrics = metrics.iter().map(|path| ((*path).to_owned(), difference(candidate, path)));
        let parts = parts.iter().map(|part| {
            let effects = TAKEN_APART.map(|(_, path, _)| (path.to_owned(), difference(part, path)));
            (part.name.clone(), Value::Object(effects.into_iter().collect()))
        });
        json!({
            "candidate": candidate.name,
            "metrics": Value::Object(metrics.collect()),
            "changed_alone": Value::Object(parts.collect()),
        })
    };
    let candidates: Vec<Value> = candidates.iter().zip(attributed).map(one).collect();
    json!({ "base": base.name, "candidates": candidates })
}
