//! Lanes with bars: the lives of things beside each other.

use jiff::tz::TimeZone;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::axis::time_ticks;
use super::{Area, FAINT, GRID, INK, WIDTH, draw, label, legend, picture};

const LEFT: i32 = 220;
const RIGHT: i32 = 76;
const TOP: i32 = 34;
const LANE: i32 = 17;
const BOTTOM: i32 = 26;

/// A part of a lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// `waiting`, `starting`, `working` or `folded`.
    pub kind: &'static str,
    /// Begin, in seconds since the start.
    pub from: f64,
    /// End.
    pub to: f64,
}

/// A lane.
#[derive(Debug, Clone)]
pub struct Lane {
    /// Its name, short and printable.
    pub name: String,
    /// Its bars, in order.
    pub bars: Vec<Bar>,
    /// When it was lost.
    pub mark: Option<f64>,
    /// What it cost, for its right end.
    pub money: String,
    /// What a pointer over it shows.
    pub note: String,
}

fn colour(kind: &str) -> RGBColor {
    match kind {
        "waiting" => RGBColor(230, 159, 0),
        "starting" => RGBColor(86, 180, 233),
        "working" => RGBColor(0, 114, 178),
        "lost" => RGBColor(213, 94, 0),
        _ => RGBColor(150, 150, 150),
    }
}

/// Draws lanes from `span.0` to `span.1`, seconds since the start; empty without any.
pub fn lanes(title: &str, lanes: &[Lane], span: (f64, f64), start_epoch_ms: i64) -> String {
    if lanes.is_empty() || span.1 <= span.0 {
        return String::new();
    }
    let height = TOP + LANE * lanes.len() as i32 + BOTTOM;
    let right = WIDTH as i32 - RIGHT;
    let scale = f64::from(right - LEFT) / (span.1 - span.0);
    let x = |at: f64| LEFT + ((at - span.0) * scale).round() as i32;
    let svg = picture(title, height as u32, |area| {
        let names = ["waiting", "starting", "working", "lost"];
        legend(area, &names.map(|name| (name.to_owned(), colour(name))), (LEFT, 12));
        let bottom = height - BOTTOM;
        for (at, text) in time_ticks(span.0, span.1, start_epoch_ms, &TimeZone::UTC) {
            let line = PathElement::new(vec![(x(at), TOP - 4), (x(at), bottom)], GRID);
            draw(area.draw(&line));
            label(area, &text, (x(at), bottom + 12), FAINT, HPos::Center);
        }
        for (place, lane) in lanes.iter().enumerate() {
            one(area, lane, TOP + LANE * place as i32, &x, right);
        }
    });
    with_notes(&svg, lanes)
}

fn one(area: &Area<'_>, lane: &Lane, top: i32, x: &impl Fn(f64) -> i32, right: i32) {
    let middle = top + LANE / 2;
    label(area, &lane.name, (LEFT - 8, middle), INK, HPos::Right);
    label(area, &lane.money, (right + RIGHT - 6, middle), FAINT, HPos::Right);
    for bar in &lane.bars {
        let (from, to) = (x(bar.from), x(bar.to).max(x(bar.from) + 1));
        let inset = if bar.kind == "waiting" { 5 } else { 2 };
        let shape = [(from, top + inset), (to, top + LANE - inset)];
        draw(area.draw(&Rectangle::new(shape, colour(bar.kind).filled())));
    }
    if let Some(at) = lane.mark {
        let centre = (x(at), middle);
        draw(area.draw(&Cross::new(centre, 5, colour("lost").stroke_width(2))));
    }
}

/// Puts an unseen bar with its note over every lane.
fn with_notes(svg: &str, lanes: &[Lane]) -> String {
    let mut notes = String::new();
    for (place, lane) in lanes.iter().enumerate() {
        let y = TOP + LANE * place as i32;
        let text = crate::escape::xml(&format!("{}: {}", lane.name, lane.note));
        notes.push_str(&format!(
            "<rect x=\"0\" y=\"{y}\" width=\"{WIDTH}\" height=\"{LANE}\" fill=\"transparent\">\
             <title>{text}</title></rect>"
        ));
    }
    svg.replacen("</svg>", &format!("{notes}</svg>"), 1)
}
