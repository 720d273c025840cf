//! Points by two measures: what costs less against what waits less.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::axis::{value_label, value_ticks};
use super::{FAINT, GRID, INK, WIDTH, draw, label, legend, picture};

const HEIGHT: u32 = 340;
const LEFT: i32 = 70;
const RIGHT: i32 = 40;
const TOP: i32 = 36;
const BOTTOM: i32 = 46;

/// A point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Across.
    pub x: f64,
    /// Up.
    pub y: f64,
    /// What it is: `today`, `recommended`, `front` or `other`.
    pub kind: &'static str,
}

fn colour(kind: &str) -> RGBColor {
    match kind {
        "today" => RGBColor(213, 94, 0),
        "recommended" => RGBColor(0, 158, 115),
        "front" => RGBColor(0, 114, 178),
        _ => RGBColor(170, 170, 170),
    }
}

/// Draws the points over axes with these names; empty with fewer than two.
pub fn scatter(title: &str, (across, up): (&str, &str), points: &[Point]) -> String {
    if points.len() < 2 {
        return String::new();
    }
    let most = |of: fn(&Point) -> f64| points.iter().map(of).fold(0.0, f64::max);
    let (xs, ys) = (value_ticks(most(|p| p.x)), value_ticks(most(|p| p.y)));
    let last = |ticks: &[f64]| ticks.last().copied().unwrap_or(1.0);
    let (right, bottom) = (WIDTH as i32 - RIGHT, HEIGHT as i32 - BOTTOM);
    let x = |value: f64| LEFT + (value / last(&xs) * f64::from(right - LEFT)).round() as i32;
    let y = |value: f64| bottom - (value / last(&ys) * f64::from(bottom - TOP)).round() as i32;
    picture(title, HEIGHT, |area| {
        let kinds = ["today", "recommended", "front", "other"].into_iter();
        let there = kinds.filter(|kind| points.iter().any(|point| point.kind == *kind));
        let names: Vec<_> = there.map(|kind| (kind.to_owned(), colour(kind))).collect();
        legend(area, &names, (LEFT, 12));
        label(area, up, (right, 12), FAINT, HPos::Right);
        label(area, across, (right, HEIGHT as i32 - 10), FAINT, HPos::Right);
        for tick in &ys {
            draw(area.draw(&PathElement::new(vec![(LEFT, y(*tick)), (right, y(*tick))], GRID)));
            label(area, &value_label(*tick), (LEFT - 8, y(*tick)), FAINT, HPos::Right);
        }
        for tick in &xs {
            draw(
                area.draw(&PathElement::new(
                    vec![(x(*tick), bottom), (x(*tick), bottom + 4)],
                    FAINT,
                )),
            );
            label(area, &value_label(*tick), (x(*tick), bottom + 14), FAINT, HPos::Center);
        }
        draw(area.draw(&PathElement::new(vec![(LEFT, bottom), (right, bottom)], INK)));
        // What matters lies on top.
        for kind in ["other", "front", "today", "recommended"] {
            for point in points.iter().filter(|point| point.kind == kind) {
                let size = if matches!(kind, "today" | "recommended") { 7 } else { 4 };
                let centre = (x(point.x), y(point.y));
                draw(area.draw(&Circle::new(centre, size, colour(kind).filled())));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_there() {
        let point = |x, y, kind| Point { x, y, kind };
        let points =
            [point(10.0, 2.0, "today"), point(7.0, 3.0, "recommended"), point(9.0, 9.0, "other")];
        let svg = scatter("Cost and waiting", ("cost", "p99"), &points);
        assert_eq!(svg.matches("<circle").count(), 3, "{svg}");
        assert_eq!(scatter("t", ("a", "b"), &points[..1]), "");
    }
}
