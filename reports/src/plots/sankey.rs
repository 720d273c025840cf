//! Where money went: bands from what was bought to what became of it, as wide as the money.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{FAINT, INK, WIDTH, colour_of, draw, label, picture};
use crate::figures::dollars;
use sim::units::NanoUsd;

const BAR: i32 = 12;
const GAP: i32 = 14;
const SIDE: i32 = 230;
const TOP: i32 = 14;
/// Height of all money.
const INK_HEIGHT: i32 = 220;
/// Height of a name and its money.
const LINES: f64 = 18.0;

/// So much money from one to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// What was bought.
    pub from: &'static str,
    /// What became of it.
    pub to: &'static str,
    /// Nano-dollars; nothing that is not positive is drawn.
    pub nano: i64,
}

/// Draws the flows; names on both sides keep their order of appearance. Empty without money.
pub fn sankey(title: &str, flows: &[Flow]) -> String {
    let flows: Vec<&Flow> = flows.iter().filter(|flow| flow.nano > 0).collect();
    let total: i64 = flows.iter().map(|flow| flow.nano).sum();
    if total <= 0 {
        return String::new();
    }
    let mut left = Side::of(flows.iter().map(|flow| (flow.from, flow.nano)));
    let mut right = Side::of(flows.iter().map(|flow| (flow.to, flow.nano)));
    let most = left.nodes.len().max(right.nodes.len()) as i32;
    let scale = f64::from(INK_HEIGHT + 10 * most) / total as f64;
    let ends = [left.place(scale), right.place(scale)];
    let end = ends[0].max(ends[1]);
    // The shorter side stands in the middle.
    left.shift((end - ends[0]) / 2.0);
    right.shift((end - ends[1]) / 2.0);
    let height = end.ceil() as i32 + TOP;
    let (x0, x1) = (SIDE, WIDTH as i32 - SIDE);
    picture(title, height as u32, |area| {
        for flow in &flows {
            let from = left.take(flow.from, flow.nano, scale);
            let to = right.take(flow.to, flow.nano, scale);
            let band = band((x0 + BAR, from), (x1 - BAR, to));
            draw(area.draw(&Polygon::new(band, colour_of(flow.to).mix(0.45).filled())));
        }
        for (side, x, anchor) in [(&left, x0, HPos::Right), (&right, x1 - BAR, HPos::Left)] {
            for node in &side.nodes {
                let (y0, y1) = (node.top.round() as i32, (node.top + node.height).round() as i32);
                let bar = [(x, y0), (x + BAR, y1.max(y0 + 1))];
                draw(area.draw(&Rectangle::new(bar, colour_of(node.name).filled())));
                let at = if matches!(anchor, HPos::Right) { x - 8 } else { x + BAR + 8 };
                let middle = i32::midpoint(y0, y1);
                let name = node.name.replace('_', " ");
                let share = node.nano as f64 / total as f64 * 100.0;
                let money = format!("{} ({share:.1} %)", dollars(NanoUsd::new(node.nano)));
                label(area, &name, (at, middle - 7), INK, anchor);
                label(area, &money, (at, middle + 7), FAINT, anchor);
            }
        }
    })
}

struct Node {
    name: &'static str,
    nano: i64,
    top: f64,
    height: f64,
    used: f64,
}

struct Side {
    nodes: Vec<Node>,
}

impl Side {
    fn of(parts: impl Iterator<Item = (&'static str, i64)>) -> Self {
        let mut nodes: Vec<Node> = Vec::new();
        for (name, nano) in parts {
            match nodes.iter_mut().find(|node| node.name == name) {
                Some(node) => node.nano += nano,
                None => nodes.push(Node { name, nano, top: 0.0, height: 0.0, used: 0.0 }),
            }
        }
        Self { nodes }
    }

    /// Puts the nodes below each other, with room for two lines of text each; gives where they end.
    fn place(&mut self, scale: f64) -> f64 {
        let (mut top, mut end) = (f64::from(TOP), f64::from(TOP));
        for node in &mut self.nodes {
            node.height = node.nano as f64 * scale;
            node.top = top;
            end = (top + node.height).max(top + LINES);
            top = end + f64::from(GAP);
        }
        end
    }

    fn shift(&mut self, by: f64) {
        self.nodes.iter_mut().for_each(|node| node.top += by);
    }

    /// The next piece of a node's edge: from, to.
    fn take(&mut self, name: &str, nano: i64, scale: f64) -> (f64, f64) {
        let node = self.nodes.iter_mut().find(|node| node.name == name);
        let node = node.expect("every flow has its nodes");
        let from = node.top + node.used;
        node.used += nano as f64 * scale;
        (from, node.top + node.used)
    }
}

/// The outline of a band between two vertical edges.
fn band((x0, from): (i32, (f64, f64)), (x1, to): (i32, (f64, f64))) -> Vec<(i32, i32)> {
    const STEPS: i32 = 24;
    let edge = |a: f64, b: f64, step: i32| {
        let t = f64::from(step) / f64::from(STEPS);
        let eased = t * t * (3.0 - 2.0 * t);
        let x = f64::from(x0) + f64::from(x1 - x0) * t;
        (x.round() as i32, (a + (b - a) * eased).round() as i32)
    };
    let upper = (0..=STEPS).map(|step| edge(from.0, to.0, step));
    let lower =
        (0..=STEPS).rev().map(|step| edge(from.1.max(from.0 + 1.0), to.1.max(to.0 + 1.0), step));
    upper.chain(lower).collect()
}
