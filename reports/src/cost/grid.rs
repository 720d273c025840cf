//! The cost report as a table.

use serde_json::{Map, Value, json};
use sim::units::NanoUsd;

use super::forecast::Growth;
use super::{Cell, Costs, Forecast, KINDS};
use crate::figures::{dollars, percent};
use crate::grid::{Grid, GridCell, GridColumn};

/// A row for each group and period: the latest period first, in it the dearest group first, of each
/// period the first `top` groups and what the others come to.
pub fn table(costs: &Costs, top: usize) -> Grid {
    let mut columns = vec![GridColumn::words("period", "period")];
    columns.extend(costs.by.iter().map(|by| GridColumn::words(by.name(), by.name())));
    columns.extend([
        GridColumn::figures("cost", "cost_usd"),
        GridColumn::figures("share", "share"),
        GridColumn::figures("before", "cost_before_usd"),
        GridColumn::figures("an hour", "change_per_hour"),
        GridColumn::figures("waste", "waste_usd"),
        GridColumn::figures("of it", "waste_share"),
        GridColumn::figures("shared", "shared_usd"),
    ]);
    let mut grid = Grid::new(&columns);
    for period in (0..costs.periods.len()).rev() {
        let whole = costs.of_period(period);
        let mut groups: Vec<_> = costs
            .groups
            .iter()
            .filter_map(|(key, cells)| Some((key, cells, cells.get(&period)?)))
            .collect();
        groups.sort_by(|(a, _, x), (b, _, y)| y.total().cmp(&x.total()).then_with(|| a.cmp(b)));
        for (key, cells, cell) in groups.iter().take(top) {
            let before = period.checked_sub(1).and_then(|before| cells.get(&before));
            let names =
                key.iter().map(|name| name.clone().map_or(GridCell::Missing, GridCell::Text));
            grid.push(row(costs, period, names.collect(), (cell, before), &whole));
        }
        let rest = groups.get(top..).unwrap_or_default();
        if !rest.is_empty() {
            let (mut cell, mut before) = (Cell::default(), Cell::default());
            for (_, cells, own) in rest {
                cell.add(own);
                let earlier = period.checked_sub(1).and_then(|before| cells.get(&before));
                earlier.into_iter().for_each(|own| before.add(own));
            }
            let mut names = vec![GridCell::Missing; costs.by.len()];
            let others = format!("{} others", rest.len());
            names[0] = GridCell::figure(others.clone(), others);
            let before = (period > 0).then_some(&before);
            grid.push(row(costs, period, names, (&cell, before), &whole));
        }
    }
    grid
}

fn row(
    costs: &Costs,
    period: usize,
    names: Vec<GridCell>,
    (cell, before): (&Cell, Option<&Cell>),
    whole: &Cell,
) -> Vec<GridCell> {
    let share = |part: i64, whole: i64| {
        let value = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        GridCell::figure(value, percent(part as f64, whole as f64))
    };
    let name = &costs.periods[period].name;
    let mut row = vec![GridCell::figure(name.as_str(), name.as_str())];
    row.extend(names);
    let change = before.filter(|before| before.total() > 0).map(|before| {
        let hours = |place: usize| costs.periods[place].hours.max(1e-9);
        let rate = cell.total() as f64 / hours(period);
        rate / (before.total() as f64 / hours(period - 1)) - 1.0
    });
    row.extend([
        GridCell::money(NanoUsd::new(cell.total())),
        share(cell.total(), whole.total()),
        before.map_or(GridCell::Missing, |before| GridCell::money(NanoUsd::new(before.total()))),
        change.map_or(GridCell::Missing, |change| {
            GridCell::figure(change, format!("{:+.1} %", change * 100.0))
        }),
        GridCell::money(NanoUsd::new(cell.waste())),
        share(cell.waste(), cell.total()),
        GridCell::money(NanoUsd::new(cell.shared_total())),
    ]);
    row
}

/// One decimal, where it is not whole.
fn tenths(hours: f64) -> String {
    let text = format!("{hours:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// What goes above or below the table: totals, the forecast, what `waste` and `shared` mean.
pub fn summary_lines(costs: &Costs, forecast: Option<&Forecast>) -> Vec<String> {
    let total = costs.total();
    let shown = |nano: i64| dollars(NanoUsd::new(nano));
    let hours: f64 = costs.periods.iter().map(|span| span.hours).sum();
    let mut lines = vec![format!(
        "{} in {} hours, of that {} waste ({})",
        shown(total.total()),
        tenths(hours),
        shown(total.waste()),
        percent(total.waste() as f64, total.total() as f64),
    )];
    let partial: Vec<String> = costs
        .periods
        .iter()
        .filter(|span| !span.is_whole())
        .map(|span| {
            format!("{} ({} of {:.0} hours)", span.name, tenths(span.hours), span.full_hours)
        })
        .collect();
    if !partial.is_empty() {
        lines.push(format!("not whole: {}", partial.join(", ")));
    }
    if let Some(forecast) = forecast {
        let growth = match forecast.growth {
            Growth::Given(share) => format!("growing by {:.1} % as given", share * 100.0),
            Growth::Fitted(share, n) => {
                format!("growing by {:.1} % as the {n} whole periods say", share * 100.0)
            }
            Growth::Unknown => "without growth (fewer than 3 whole periods; --growth)".to_owned(),
        };
        let next = dollars(NanoUsd::new((forecast.usd * 1e9).round() as i64));
        lines.push(format!("the next whole period: {next}, {growth}"));
    }
    lines.push(
        "waste: recompute, failed attempts, idle executors, starting, pause pods, unallocated, \
         unused commitments; `an hour`: change of the cost of an hour against the period before"
            .to_owned(),
    );
    lines.push(format!("what belongs to nobody is split: {}", costs.split.name()));
    lines
}

impl Costs {
    /// Everything, for scripts.
    pub fn to_value(&self, forecast: Option<&Forecast>) -> Value {
        let usd = |nano: i64| NanoUsd::new(nano).as_usd_f64();
        let mut rows = Vec::new();
        for (key, cells) in &self.groups {
            for (period, cell) in cells {
                let mut row = Map::new();
                row.insert("period".to_owned(), json!(self.periods[*period].name));
                for (by, name) in self.by.iter().zip(key) {
                    row.insert(by.name().to_owned(), json!(name));
                }
                row.insert("cost_usd".to_owned(), json!(usd(cell.total())));
                row.insert("waste_usd".to_owned(), json!(usd(cell.waste())));
                row.insert("shared_usd".to_owned(), json!(usd(cell.shared_total())));
                let kinds = KINDS.iter().zip(cell.kinds);
                let kinds = kinds.map(|(kind, nano)| ((*kind).to_owned(), json!(usd(nano))));
                row.insert("kinds_usd".to_owned(), Value::Object(kinds.collect()));
                rows.push(Value::Object(row));
            }
        }
        let periods: Vec<Value> = self
            .periods
            .iter()
            .enumerate()
            .map(|(place, span)| {
                json!({
                    "name": span.name,
                    "hours": span.hours,
                    "full_hours": span.full_hours,
                    "cost_usd": usd(self.of_period(place).total()),
                })
            })
            .collect();
        json!({
            "split": self.split.name(),
            "total_usd": usd(self.total().total()),
            "periods": periods,
            "forecast": forecast.map(|f| json!({
                "next_period_usd": f.usd,
                "growth": f.growth.share(),
                "growth_from": match f.growth {
                    Growth::Given(_) => "given",
                    Growth::Fitted(..) => "fitted",
                    Growth::Unknown => "unknown",
                },
            })),
            "rows": rows,
        })
    }
}
