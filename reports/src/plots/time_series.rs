//! Values over time: stacked areas, or lines.

use jiff::tz::TimeZone;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::axis::{time_ticks, value_label, value_ticks};
use super::{FAINT, GRID, INK, WIDTH, colour_of, draw, label, legend, picture};

const HEIGHT: u32 = 250;
const LEFT: i32 = 62;
const RIGHT: i32 = 26;
const TOP: i32 = 36;
const BOTTOM: i32 = 26;

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// On top of each other.
    Stacked,
    /// Each by itself.
    Lines,
}

/// One series.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its word in the legend; its colour goes by it.
    pub name: &'static str,
    /// A value for each of the plot's times.
    pub values: Vec<f64>,
}

/// A plot.
#[derive(Debug, Clone)]
pub struct TimePlot<'a> {
    /// For those who do not see it.
    pub title: &'a str,
    /// What one unit of the values is.
    pub unit: &'a str,
    /// Seconds since the start, ascending. Each value holds until the next time.
    pub times: &'a [f64],
    /// The series, from the bottom up.
    pub series: Vec<Series>,
    /// How they are drawn.
    pub kind: Kind,
    /// Milliseconds from 1970 to the start.
    pub start_epoch_ms: i64,
    /// Zone of the axis.
    pub zone: &'a TimeZone,
}

/// Draws it; empty without at least two times.
pub fn time_plot(plot: &TimePlot<'_>) -> String {
    let [first, .., last] = plot.times else { return String::new() };
    let tops = tops(plot);
    let most = tops.iter().flatten().copied().fold(0.0, f64::max);
    let ticks = value_ticks(most);
    let top = ticks.last().copied().unwrap_or(1.0);
    let (right, bottom) = (WIDTH as i32 - RIGHT, HEIGHT as i32 - BOTTOM);
    let span = (last - first).max(1e-9);
    let x = |at: f64| LEFT + ((at - first) / span * f64::from(right - LEFT)).round() as i32;
    let y = |value: f64| bottom - (value / top * f64::from(bottom - TOP)).round() as i32;
    picture(plot.title, HEIGHT, |area| {
        let names: Vec<_> = plot
            .series
            .iter()
            .map(|series| (series.name.replace('_', " "), colour_of(series.name)))
            .collect();
        label(area, plot.unit, (LEFT, 12), FAINT, HPos::Left);
        legend(area, &names, (LEFT + super::width_of(plot.unit) + 20, 12));
        for tick in &ticks {
            let line = PathElement::new(vec![(LEFT, y(*tick)), (right, y(*tick))], GRID);
            draw(area.draw(&line));
            label(area, &value_label(*tick), (LEFT - 8, y(*tick)), FAINT, HPos::Right);
        }
        for (at, text) in time_ticks(*first, *last, plot.start_epoch_ms, plot.zone) {
            let tick = PathElement::new(vec![(x(at), bottom), (x(at), bottom + 4)], FAINT);
            draw(area.draw(&tick));
            label(area, &text, (x(at), bottom + 14), FAINT, HPos::Center);
        }
        let step = |values: &[f64]| steps(plot.times, values, &x, &y);
        for (place, series) in plot.series.iter().enumerate() {
            let colour = colour_of(series.name);
            match plot.kind {
                Kind::Lines => {
                    let style = colour.stroke_width(2);
                    draw(area.draw(&PathElement::new(step(&tops[place]), style)));
                }
                Kind::Stacked => {
                    let mut outline = step(&tops[place]);
                    let below = match place.checked_sub(1) {
                        Some(below) => step(&tops[below]),
                        None => vec![(x(*first), bottom), (x(*last), bottom)],
                    };
                    outline.extend(below.into_iter().rev());
                    draw(area.draw(&Polygon::new(outline, colour.filled())));
                }
            }
        }
        let axis = PathElement::new(vec![(LEFT, bottom), (right, bottom)], INK);
        draw(area.draw(&axis));
    })
}

/// The upper edge of each series.
fn tops(plot: &TimePlot<'_>) -> Vec<Vec<f64>> {
    let mut below = vec![0.0; plot.times.len()];
    let mut tops = Vec::new();
    for series in &plot.series {
        let mut values = series.values.clone();
        values.resize(plot.times.len(), 0.0);
        if plot.kind == Kind::Stacked {
            values.iter_mut().zip(&below).for_each(|(value, below)| *value += below);
            below.clone_from(&values);
        }
        tops.push(values);
    }
    tops
}

/// A line of steps through the values; points that change nothing are left out.
fn steps(
    times: &[f64],
    values: &[f64],
    x: &impl Fn(f64) -> i32,
    y: &impl Fn(f64) -> i32,
) -> Vec<(i32, i32)> {
    let mut points: Vec<(i32, i32)> = Vec::new();
    for (at, value) in times.iter().zip(values) {
        let point = (x(*at), y(*value));
        match points.last().copied() {
            Some(last) if last.1 == point.1 => {}
            Some(last) => {
                if last.0 != point.0 {
                    points.push((point.0, last.1));
                }
                points.push(point);
            }
            None => points.push(point),
        }
    }
    if let (Some(at), Some(last)) = (times.last(), points.last().copied()) {
        points.push((x(*at), last.1));
    }
    points
}
