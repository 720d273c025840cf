//! From one sum to another, step by step: bars that begin where the one before ends.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{FAINT, GRID, INK, WIDTH, draw, label, picture};

const LEFT: i32 = 300;
const RIGHT: i32 = 120;
const ROW: i32 = 24;
const TOP: i32 = 10;

/// A row: a sum, or a change of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// How much.
    pub value: f64,
    /// A sum, not a change.
    pub is_sum: bool,
    /// How people read it.
    pub shown: String,
}

/// Draws the steps; empty without any.
pub fn waterfall(title: &str, steps: &[Step]) -> String {
    let (mut at, mut ends) = (0.0_f64, Vec::new());
    for step in steps {
        let from = if step.is_sum { 0.0 } else { at };
        at = if step.is_sum { step.value } else { at + step.value };
        ends.push((from, at));
    }
    let values = || ends.iter().flat_map(|(from, to)| [*from, *to]);
    let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
    if steps.is_empty() || high <= low {
        return String::new();
    }
    let right = WIDTH as i32 - RIGHT;
    let x = |value: f64| LEFT + ((value - low) / (high - low) * f64::from(right - LEFT)) as i32;
    let height = 2 * TOP + ROW * steps.len() as i32;
    picture(title, height as u32, |area| {
        let zero = PathElement::new(vec![(x(0.0), TOP), (x(0.0), height - TOP)], GRID);
        draw(area.draw(&zero));
        for (place, (step, (from, to))) in steps.iter().zip(&ends).enumerate() {
            let middle = TOP + ROW * place as i32 + ROW / 2;
            let colour = match (step.is_sum, step.value < 0.0) {
                (true, _) => RGBColor(138, 138, 138),
                (false, true) => RGBColor(0, 114, 178),
                (false, false) => RGBColor(213, 94, 0),
            };
            let (a, b) = (x(from.min(*to)), x(from.max(*to)));
            let bar = [(a, middle - 7), (b.max(a + 1), middle + 7)];
            draw(area.draw(&Rectangle::new(bar, colour.filled())));
            let name = crate::escape::shortened(&step.name, 46);
            label(area, &name, (LEFT - 10, middle), INK, HPos::Right);
            label(area, &step.shown, (b.max(a + 1) + 8, middle), FAINT, HPos::Left);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_begin_where_the_sum_is() {
        let step = |name: &str, value, is_sum| Step {
            name: name.to_owned(),
            value,
            is_sum,
            shown: format!("{value}"),
        };
        let steps = [step("base", 100.0, true), step("a", -40.0, false), step("new", 60.0, true)];
        let svg = waterfall("From base to new", &steps);
        assert_eq!(svg.matches("<rect").count(), 3, "{svg}");
        // From 100 down to 60: its right end is the base's.
        assert!(svg.contains("x=\"600\"") && svg.contains("x=\"300\""), "{svg}");
        assert_eq!(waterfall("nothing", &[]), "");
    }
}
