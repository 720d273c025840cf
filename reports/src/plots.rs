//! Plots as SVG, drawn with `plotters` behind this one module.
//!
//! Quiet: no frame, light grid, no more ink than the data needs. Colours are Okabe and Ito's, which
//! colour-blind readers tell apart; every colour also has its word in a legend. Drawn with colours
//! that stand for something (ink, grid, paper) and are replaced afterwards by CSS variables, so that
//! one picture serves light and dark pages; standing alone it brings its own two palettes.
//!
//! Foreign text is made safe before it comes here (`escape::xml`); `plotters` escapes markup again.

mod axis;
mod heat_map;
mod lanes;
mod sankey;
mod scatter;
mod time_series;
mod waterfall;

pub use heat_map::{HeatRow, heat_map};
pub use lanes::{Bar, Lane, lanes};
pub use sankey::{Flow, sankey};
pub use scatter::{Point, scatter};
pub use time_series::{Kind, Series, TimePlot, time_plot};
pub use waterfall::{Step, waterfall};

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Width of all plots: as wide as the page's text.
pub const WIDTH: u32 = 920;

/// Stands for the colour of text.
pub(crate) const INK: RGBColor = RGBColor(1, 1, 1);
/// Stands for the colour of grid lines.
pub(crate) const GRID: RGBColor = RGBColor(2, 2, 2);
/// Stands for the colour of text of less weight.
pub(crate) const FAINT: RGBColor = RGBColor(3, 3, 3);

/// Colours by what they mean, the same in every plot and table.
pub(crate) fn colour_of(name: &str) -> RGBColor {
    match name {
        "useful" | "on-demand" | "on_demand" | "requested" | "launched" => RGBColor(0, 114, 178),
        "spot" | "emr" => RGBColor(86, 180, 233),
        "recompute" | "interruptions" | "pending" | "gone" => RGBColor(213, 94, 0),
        "failed_attempts" => RGBColor(204, 121, 167),
        "executor_idle" | "storage" => RGBColor(230, 159, 0),
        "starting" | "booting" => RGBColor(240, 228, 66),
        "control_plane" | "bound" | "network" => RGBColor(0, 158, 115),
        "reserved" => RGBColor(138, 138, 138),
        "unallocated" | "allocatable" | "commitment_unused" => RGBColor(189, 189, 189),
        _ => RGBColor(120, 120, 160),
    }
}

/// The area that plots draw on: pixels.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Text in `colour` at (x, y), anchored there by `horizontal`.
pub(crate) fn label(
    area: &Area<'_>,
    text: &str,
    (x, y): (i32, i32),
    colour: RGBColor,
    horizontal: HPos,
) {
    let style = TextStyle::from(("sans-serif", 12).into_font())
        .color(&colour)
        .pos(Pos::new(horizontal, VPos::Center));
    draw(area.draw_text(text, &style, (x, y)));
}

/// Coloured squares with their words, in a row.
pub(crate) fn legend(area: &Area<'_>, names: &[(String, RGBColor)], (x, y): (i32, i32)) {
    let mut left = x;
    for (name, colour) in names {
        let square = [(left, y - 5), (left + 10, y + 5)];
        draw(area.draw(&Rectangle::new(square, colour.filled())));
        label(area, name, (left + 15, y), INK, HPos::Left);
        left += 15 + width_of(name) + 14;
    }
}

/// About how wide `text` is in 12 pixels' sans-serif.
pub(crate) fn width_of(text: &str) -> i32 {
    (text.chars().count() as f64 * 6.0).ceil() as i32
}

/// Drawing into a string does not fail.
pub(crate) fn draw<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.expect("an SVG is a string; drawing into it does not fail")
}

/// A picture of `height`, drawn by `paint`, with `title` for those who do not see it.
pub(crate) fn picture(title: &str, height: u32, paint: impl FnOnce(&Area<'_>)) -> String {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        paint(&area);
        draw(area.present());
    }
    finish(&svg, title)
}

/// Makes colours variables, the size relative, and puts the title in.
fn finish(svg: &str, title: &str) -> String {
    let svg = svg
        .replace("\"#010101\"", "\"var(--ink,#1b1f24)\"")
        .replace("\"#020202\"", "\"var(--grid,#e3e6ea)\"")
        .replace("\"#030303\"", "\"var(--faint,#59636e)\"");
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    let body = body.trim_end().trim_end_matches("</svg>");
    let box_ = svg.split_once("viewBox=\"").and_then(|(_, rest)| rest.split_once('"'));
    let box_ = box_.map_or("0 0 920 300", |(size, _)| size);
    let title = crate::escape::xml(title);
    format!(
        "<svg viewBox=\"{box_}\" role=\"img\" aria-label=\"{title}\" \
         xmlns=\"http://www.w3.org/2000/svg\"><title>{title}</title>{body}</svg>\n"
    )
}

/// The picture as a file of its own, with its palettes and background.
pub fn standalone(svg: &str) -> String {
    const STYLE: &str = "<style>svg{--ink:#1b1f24;--grid:#e3e6ea;--faint:#59636e;\
        background:#fff}@media(prefers-color-scheme:dark){svg{--ink:#e6e9ed;--grid:#30363d;\
        --faint:#9aa4af;background:#14181d}}</style>";
    match svg.split_once("</title>") {
        Some((head, body)) => format!("{head}</title>{STYLE}{body}"),
        None => svg.to_owned(),
    }
}

#[cfg(test)]
mod tests;
