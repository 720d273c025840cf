//! Shares in a grid: rows of cells, the darker the larger.
//!
//! Every cell also says its share in figures, so that no one has to read it off a colour.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{FAINT, INK, WIDTH, draw, label, picture, width_of};

const TOP: i32 = 40;
const ROW: i32 = 26;
const BOTTOM: i32 = 8;
/// Room for the names of rows, and for a column.
const LEFT: i32 = 150;
const COLUMN_MAX: i32 = 84;
/// More rows or columns than this are cut off: nobody could read them.
const ROWS_MAX: usize = 60;
const COLUMNS_MAX: usize = 40;

/// A row of cells.
#[derive(Debug, Clone)]
pub struct HeatRow {
    /// Its name, short and printable.
    pub name: String,
    /// Shares from 0 to 1; `None` where there is nothing.
    pub cells: Vec<Option<f64>>,
    /// What a pointer over each cell shows.
    pub notes: Vec<String>,
}

/// Draws rows under the names of their columns (each on up to two lines); empty without any.
pub fn heat_map(title: &str, columns: &[String], rows: &[HeatRow]) -> String {
    let columns = &columns[..columns.len().min(COLUMNS_MAX)];
    let rows = &rows[..rows.len().min(ROWS_MAX)];
    if columns.is_empty() || rows.is_empty() {
        return String::new();
    }
    let width = ((WIDTH as i32 - LEFT) / columns.len() as i32).min(COLUMN_MAX);
    let height = TOP + ROW * rows.len() as i32 + BOTTOM;
    let at = |column: usize, row: usize| (LEFT + width * column as i32, TOP + ROW * row as i32);
    let svg = picture(title, height as u32, |area| {
        for (place, name) in columns.iter().enumerate() {
            let (x, _) = at(place, 0);
            for (line, text) in name.lines().take(2).enumerate() {
                let middle = (x + width / 2, 12 + 14 * line as i32);
                label(area, text, middle, FAINT, HPos::Center);
            }
        }
        for (row, one) in rows.iter().enumerate() {
            let (_, y) = at(0, row);
            label(area, &one.name, (LEFT - 8, y + ROW / 2), INK, HPos::Right);
            for (column, share) in one.cells.iter().take(columns.len()).enumerate() {
                let (x, y) = at(column, row);
                let middle = (x + width / 2, y + ROW / 2);
                let Some(share) = share else {
                    label(area, "-", middle, FAINT, HPos::Center);
                    continue;
                };
                let cell = [(x + 1, y + 1), (x + width - 1, y + ROW - 1)];
                draw(area.draw(&Rectangle::new(cell, colour(*share).filled())));
                let mut text = format!("{:.0} %", share * 100.0);
                if width_of(&text) > width {
                    text = format!("{:.0}", share * 100.0);
                }
                let ink =
                    if *share > 0.55 { RGBColor(255, 255, 255) } else { RGBColor(20, 20, 20) };
                label(area, &text, middle, ink, HPos::Center);
            }
        }
    });
    with_notes(&svg, rows, columns.len(), width)
}

/// From a light blue for nothing to a dark red for everything; colour-blind readers see it darken.
fn colour(share: f64) -> RGBColor {
    let share = share.clamp(0.0, 1.0).sqrt();
    let mix = |from: f64, to: f64| (from + (to - from) * share).round() as u8;
    RGBColor(mix(222.0, 160.0), mix(235.0, 40.0), mix(247.0, 0.0))
}

/// Puts an unseen cell with its note over every cell.
fn with_notes(svg: &str, rows: &[HeatRow], columns: usize, width: i32) -> String {
    let mut notes = String::new();
    for (row, one) in rows.iter().enumerate() {
        for (column, note) in one.notes.iter().take(columns).enumerate() {
            let (x, y) = (LEFT + width * column as i32, TOP + ROW * row as i32);
            let text = crate::escape::xml(note);
            notes.push_str(&format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{ROW}\" \
                 fill=\"transparent\"><title>{text}</title></rect>"
            ));
        }
    }
    svg.replacen("</svg>", &format!("{notes}</svg>"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_say_their_shares_and_names_are_escaped() {
        let row = HeatRow {
            name: "r5.4xlarge".to_owned(),
            cells: vec![Some(0.25), None],
            notes: vec!["<b>3 executors".to_owned(), String::new()],
        };
        let svg = heat_map("Stranded", &["4 cores\n8 GiB".to_owned(), "5".to_owned()], &[row]);
        assert!(svg.contains("25 %") && svg.contains("&lt;b&gt;3 executors"), "{svg}");
        assert!(svg.contains("8 GiB") && !svg.contains("<b>"), "{svg}");
        assert_eq!(heat_map("nothing", &[], &[]), "");
    }
}
