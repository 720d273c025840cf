//! What `trace inspect` prints.

use reports::figures::{duration, grouped};
use reports::grid::{Grid, GridCell, GridColumn};
use reports::render::Format;
use traces::Inspection;

use crate::cli::Stop;
use crate::cli::output::Output;

/// As values for scripts, as its table of columns for CSV, in sections for people.
pub(super) fn print(inspection: &Inspection, output: &mut Output) -> Result<(), Stop> {
    match output.format() {
        Format::Json | Format::Yaml => output.value(inspection),
        Format::Csv => output.grid(&columns(inspection)),
        Format::Table | Format::Markdown => sections(inspection, output),
    }
}

fn sections(inspection: &Inspection, output: &mut Output) -> Result<(), Stop> {
    output.grid(&totals(inspection))?;
    for (title, counts) in
        [("Team", &inspection.top_teams), ("Application", &inspection.top_applications)]
    {
        let counts = counts.iter().map(|(name, runs)| (name.as_str(), *runs));
        print_counts(title, counts, output)?;
    }
    for (title, counts) in [
        ("Trigger", &inspection.triggers),
        ("Outcome", &inspection.outcomes),
        ("Cause of failure", &inspection.failures),
    ] {
        let counts = counts.iter().map(|(name, runs)| (name.as_str(), *runs));
        print_counts(title, counts, output)?;
    }
    failure_patterns(inspection, output)?;
    output.text("\n")?;
    output.grid(&columns(inspection))
}

/// By which signs failures were told.
fn failure_patterns(inspection: &Inspection, output: &mut Output) -> Result<(), Stop> {
    if !inspection.failure_patterns.is_empty() {
        let mut grid = Grid::new(&[
            GridColumn::words("Cause", "cause"),
            GridColumn::words("told by", "pattern"),
            GridColumn::figures("runs", "runs"),
            GridColumn::words("which is", "source"),
        ]);
        for found in &inspection.failure_patterns {
            grid.push(vec![
                GridCell::text(found.cause),
                GridCell::sentence(found.pattern),
                GridCell::whole(found.runs),
                GridCell::sentence(found.source),
            ]);
        }
        output.text("\n")?;
        output.grid(&grid)?;
    }
    match &inspection.unclassified_sample {
        Some(sample) => output.text(&format!(
            "\nfailures that hold no known pattern, and count as the application's own: {}; the first: {}\n",
            inspection.failures_unclassified,
            reports::escape::sentence(sample),
        )),
        None => Ok(()),
    }
}

fn totals(inspection: &Inspection) -> Grid {
    let mut grid = Grid::new(&[GridColumn::words("", "what"), GridColumn::figures("", "value")]);
    let mut row = |what: &str, shown: String| {
        grid.push(vec![GridCell::text(what), GridCell::text(shown)]);
    };
    row("runs", grouped(inspection.runs));
    row("plain pods", grouped(inspection.pods));
    row("runs with stages", grouped(inspection.runs_with_stages));
    row("stages", grouped(inspection.stages));
    row("applications", grouped(inspection.applications));
    row("teams", grouped(inspection.teams));
    if let (Some(first), Some(last)) = (&inspection.first_submission, &inspection.last_submission) {
        row("first submission", first.clone());
        row("last submission", last.clone());
    }
    row("span", duration(inspection.span_s));
    let hours = inspection.task_core_hours;
    row("task time, core-hours", format!("{hours:.1}"));
    grid
}

fn print_counts<'a>(
    title: &'static str,
    counts: impl Iterator<Item = (&'a str, u64)>,
    output: &mut Output,
) -> Result<(), Stop> {
    let mut grid =
        Grid::new(&[GridColumn::words(title, "name"), GridColumn::figures("Runs", "runs")]);
    for (name, runs) in counts {
        grid.push(vec![GridCell::text(name), GridCell::whole(runs)]);
    }
    if grid.is_empty() {
        return Ok(());
    }
    output.text("\n")?;
    output.grid(&grid)
}

fn columns(inspection: &Inspection) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("Column", "column"),
        GridColumn::words("Table", "table"),
        GridColumn::figures("Present", "present"),
        GridColumn::figures("min", "min"),
        GridColumn::figures("p50", "p50"),
        GridColumn::figures("p90", "p90"),
        GridColumn::figures("p99", "p99"),
        GridColumn::figures("max", "max"),
        GridColumn::words("Where missing", "default"),
    ]);
    for column in &inspection.columns {
        let figure = |pick: fn(&traces::inspect::Quantiles) -> f64| match &column.numbers {
            Some(numbers) => {
                let value = pick(numbers);
                // Whole numbers as such; otherwise three decimals, as recorded times have.
                let shown = match value.fract() == 0.0 && value >= 0.0 {
                    true => grouped(value as u64),
                    false => format!("{value:.3}"),
                };
                GridCell::figure(value, shown)
            }
            None => GridCell::Missing,
        };
        let share = column.present_share;
        grid.push(vec![
            GridCell::text(column.name),
            GridCell::text(column.table),
            GridCell::figure(share, format!("{:.1} %", share * 100.0)),
            figure(|numbers| numbers.min),
            figure(|numbers| numbers.p50),
            figure(|numbers| numbers.p90),
            figure(|numbers| numbers.p99),
            figure(|numbers| numbers.max),
            column.default.map_or(GridCell::Missing, GridCell::sentence),
        ]);
    }
    grid
}
