//! Spot interruptions over time, and what they cost.

use super::data::Data;
use crate::document::{Block, Section};
use crate::figures::{dollars, grouped};
use crate::plots::{Kind, Series, TimePlot, time_plot};
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
    let (first, last) = match (data.node_events.keys().next(), data.node_events.keys().last()) {
        (Some(first), Some(last)) => (*first, *last),
        _ => return String::new(),
    };
    let hours: Vec<i64> = (first..=last + 1).collect();
    let times: Vec<f64> = hours.iter().map(|hour| *hour as f64 * 3600.0).collect();
    let at = |hour: &i64| data.node_events.get(hour).map_or(0.0, |events| events[2]);
    let series = vec![Series { name: "interruptions", values: hours.iter().map(at).collect() }];
    time_plot(&TimePlot {
        title: "Spot nodes taken back",
        unit: "nodes an hour",
        times: &times,
        series,
        kind: Kind::Stacked,
        start_epoch_ms: data.start_epoch_ms,
        zone: &data.zone,
    })
}
