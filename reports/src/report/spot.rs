//! Spot interruptions over time, and what they cost.

use super::data::Data;
use crate::document::{Block, Section};
use crate::figures::{dollars, grouped};
use crate::plots::{Kind, Series};
use sim::units::NanoUsd;

pub(super) fn section(data: &Data) -> Section {
    let mut blocks = Vec::new();
    let count = data.number("/nodes/spot_interruptions");
    if count > 0.0 {
        let whole = data.whole();
        let lost: i64 = data.behaviour.values().map(|own| own.lost_to_spot).sum();
        let hours = data.number("/nodes/node_hours/spot");
        blocks.push(Block::Lines(vec![format!(
            "{} spot nodes were taken back, one in {:.0} node-hours; {} executors went with them, \
             and {} went into work that had to be repeated.",
            grouped(count as u64),
            hours / count,
            grouped(u64::try_from(lost).unwrap_or(0)),
            dollars(NanoUsd::new(whole.kinds[1])),
        )]));
        blocks.extend(Block::picture("Spot nodes taken back, by hour", "spot", plot(data)));
    }
    Section { id: "spot", title: "Spot", blocks }
}

fn plot(data: &Data) -> String {
    let (times, [_, _, values]) = data.nodes_by_hour();
    let series = vec![Series { name: "interruptions", values }];
    data.plot("Spot nodes taken back", "nodes an hour", &times, series, Kind::Stacked)
}
