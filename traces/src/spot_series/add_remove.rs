//! Nodes added and removed: `2040000,remove,node19`, times in milliseconds.
//!
//! What is removed at one moment is one shock, of the nodes that were there before it; the pool is
//! tight until a node is added. Source: facts-cloud 2 (bamboo; several rows per time).

use std::collections::BTreeSet;

use super::{PoolSeries, Reader, WeatherSeries, WeatherStep, counts, lines};
use crate::TraceError;
use crate::table::shorten;

/// A thousand years.
const TIME_MAX: u64 = 31_557_600_000_000;

#[derive(Default)]
struct Nodes {
    alive: BTreeSet<String>,
    steps: Vec<WeatherStep>,
    first_ms: Option<u64>,
    now_ms: u64,
    /// Nodes before what happens at `now_ms`, and those removed and added by it.
    before: u32,
    removed: u32,
    added: u32,
}

impl Nodes {
    /// What happened at one moment is known: removals first, then additions.
    fn close(&mut self) {
        let at = self.now_ms - self.first_ms.unwrap_or(self.now_ms);
        let left = self.before.saturating_sub(self.removed);
        counts::push(&mut self.steps, at, self.before, left);
        counts::push(&mut self.steps, at, left, left + self.added);
        (self.before, self.removed, self.added) = (self.alive.len() as u32, 0, 0);
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<WeatherSeries, TraceError> {
    let mut nodes = Nodes::default();
    let path = reader.path.to_owned();
    lines::each(&path, |number, text| {
        reader.row()?;
        let fields: Vec<&str> = text.split(',').map(str::trim).take(4).collect();
        let time = fields.first().and_then(|time| time.parse::<u64>().ok());
        let time = time.filter(|ms| *ms <= TIME_MAX);
        let (Some(at), [_, what @ ("add" | "remove"), node]) = (time, fields.as_slice()) else {
            reader.bad("bad-line", number, || {
                format!("`{}` is not `ms,add|remove,node`; it was dropped", shorten(text))
            });
            return Ok(());
        };
        if at < nodes.now_ms {
            reader.bad("time-goes-back", number, || {
                "earlier than the line before it; it was dropped".to_owned()
            });
            return Ok(());
        }
        if at > nodes.now_ms {
            nodes.close();
        }
        nodes.now_ms = at;
        nodes.first_ms.get_or_insert(at);
        match *what {
            "add" if nodes.alive.insert((*node).to_owned()) => nodes.added += 1,
            "remove" if nodes.alive.remove(*node) => nodes.removed += 1,
            _ => {
                let node = shorten(node);
                reader.duplicate(number, || {
                    format!("{what} of `{node}`, which is so already; it was dropped")
                });
                return Ok(());
            }
        }
        reader.counts.kept += 1;
        Ok(())
    })?;
    nodes.close();
    let span_ms = nodes.now_ms - nodes.first_ms.unwrap_or(nodes.now_ms);
    let pool = PoolSeries { steps: nodes.steps, ..PoolSeries::default() };
    let pools = if pool.steps.is_empty() { Vec::new() } else { vec![pool] };
    Ok(WeatherSeries { pools, span_ms })
}
