//! Nodes, pods and runs over time.

use super::data::Data;
use crate::document::{Block, Section};
use crate::plots::{Kind, Series};

pub(super) fn section(data: &Data) -> Section {
    let timeline = &data.timeline;
    let plot = |title: &'static str, unit, kind, series: Vec<Series>| {
        (title, data.plot(title, unit, &timeline.at, series, kind))
    };
    let series = |name, place: usize| Series { name, values: timeline.values[place].clone() };
    let nodes = plot(
        "Nodes over time",
        "nodes that are billed",
        Kind::Stacked,
        vec![series("on_demand", 0), series("spot", 1)],
    );
    let cpu = plot(
        "CPU that pods ask for, of what nodes offer",
        "cores",
        Kind::Lines,
        vec![series("allocatable", 7), series("requested", 6)],
    );
    let pods = plot(
        "Pods on nodes and pods that wait",
        "pods",
        Kind::Stacked,
        vec![series("bound", 4), series("pending", 3)],
    );
    let pictures = [(nodes, "nodes"), (cpu, "cpu"), (pods, "pods")];
    let blocks =
        pictures.into_iter().filter_map(|((title, svg), file)| Block::picture(title, file, svg));
    Section { id: "time", title: "Over time", blocks: blocks.collect() }
}
