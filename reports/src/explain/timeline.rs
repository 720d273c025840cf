//! A run's pods over time: waiting, starting, working, how they ended; as text and as a picture.
//!
//! One lane a pod, drivers first in each attempt, then executors as they were created. Of very many
//! pods the first lanes are shown and the others folded into one line that says how many they are.
//! Leaves out: single tasks and stages, which no table holds.

use serde_json::{Value, json};

use super::clock::Clock;
use super::rows::{NodeRow, PodRow};
use super::waits::Wait;
use crate::figures::duration;
use crate::grid::{Grid, GridCell, GridColumn};
use crate::plots::{Bar, Lane, lanes};

/// Lanes of the picture.
const LANES: usize = 60;

/// Lanes of the text.
const LINES: usize = 25;

/// Characters of the text's bars.
const WIDTH: usize = 60;

/// A run's pods over time.
pub(super) struct Timeline<'a> {
    from: f64,
    to: f64,
    pods: Vec<&'a PodRow>,
    waits: Vec<&'a [Wait]>,
    nodes: Vec<Option<&'a NodeRow>>,
}

impl<'a> Timeline<'a> {
    /// Of `pods` with their waits and the nodes that they ran on.
    pub(super) fn new(pods: &'a [PodRow], waits: &'a [Vec<Wait>], nodes: &'a [NodeRow]) -> Self {
        let mut order: Vec<usize> = (0..pods.len()).collect();
        order.sort_by_key(|place| {
            let pod = &pods[*place];
            (pod.attempt, pod.kind != "driver", pod.pod)
        });
        let node = |pod: &PodRow| nodes.iter().find(|node| Some(node.node) == pod.node);
        let times = |pick: fn(f64, f64) -> f64, start: f64, of: fn(&PodRow) -> f64| {
            pods.iter().map(of).fold(start, pick)
        };
        Self {
            from: times(f64::min, f64::INFINITY, |pod| pod.created),
            to: times(f64::max, 0.0, |pod| pod.ended),
            waits: order.iter().map(|place| waits[*place].as_slice()).collect(),
            nodes: order.iter().map(|place| node(&pods[*place])).collect(),
            pods: order.into_iter().map(|place| &pods[place]).collect(),
        }
    }

    fn bars(&self, place: usize) -> Vec<Bar> {
        let pod = self.pods[place];
        let bound = pod.waited_until();
        let ready = pod.ready.unwrap_or(pod.ended).clamp(bound, pod.ended.max(bound));
        let mut bars = vec![Bar { kind: "waiting", from: pod.created, to: bound }];
        if pod.bound.is_some() {
            bars.push(Bar { kind: "starting", from: bound, to: ready });
            bars.push(Bar { kind: "working", from: ready, to: pod.ended });
        }
        bars.retain(|bar| bar.to > bar.from);
        bars
    }

    fn lost(pod: &PodRow) -> bool {
        matches!(pod.result.as_str(), "oom_killed" | "spot_reclaimed" | "preempted" | "failed")
    }

    /// What there is to say of a lane: where it ran, how it ended, what it waited for.
    fn note(&self, place: usize) -> String {
        let pod = self.pods[place];
        let mut note = match (pod.node, self.nodes[place]) {
            (Some(number), Some(node)) => format!(
                "node {number}, {} in {}, {}",
                node.instance_type,
                node.zone,
                node.capacity_type.replace('_', "-")
            ),
            (Some(number), None) => format!("node {number}"),
            _ => "no node".to_owned(),
        };
        if Self::lost(pod) {
            note = format!("{}; {note}", pod.result.replace('_', " "));
        }
        if let Some(last) = self.waits[place].last() {
            let waited = duration(bound_wait(pod));
            note.push_str(&format!("; waited {waited}: {}", last.reason));
        }
        note
    }

    /// The text: a bar for each pod.
    pub(super) fn grid(&self) -> Grid {
        let mut grid = Grid::new(&[
            GridColumn::words("pod", "pod"),
            GridColumn::figures("attempt", "attempt"),
            GridColumn::words("· waits  ░ starts  █ works  × lost", "bar"),
            GridColumn::figures("cost", "cost_usd"),
            GridColumn::words("where", "note"),
        ]);
        for (place, pod) in self.pods.iter().enumerate() {
            let bars = self.bars(place);
            let value: Vec<Value> =
                bars.iter().map(|bar| json!({bar.kind: [bar.from, bar.to]})).collect();
            let shown = self.text_bar(&bars, Self::lost(pod), pod.ended);
            grid.push(vec![
                GridCell::text(pod.name()),
                pod.attempt.map_or(GridCell::Missing, |n| GridCell::figure(n, n.to_string())),
                GridCell::figure(value, shown),
                GridCell::figure(pod.cost, format!("${:.4}", pod.cost)),
                GridCell::text(self.note(place)),
            ]);
        }
        grid
    }

    /// What the text's bars span.
    pub(super) fn lines(&self, clock: Clock) -> Vec<String> {
        if self.pods.is_empty() {
            return Vec::new();
        }
        let length = duration(self.to - self.from);
        vec![format!("from {} to {} ({length})", clock.show(self.from), clock.show(self.to))]
    }

    fn text_bar(&self, bars: &[Bar], lost: bool, ended: f64) -> String {
        let span = (self.to - self.from).max(1e-9);
        let place = |at: f64| (((at - self.from) / span * WIDTH as f64) as usize).min(WIDTH - 1);
        let mut cells = vec!['\u{2007}'; WIDTH];
        for bar in bars {
            let sign = match bar.kind {
                "waiting" => '·',
                "starting" => '░',
                _ => '█',
            };
            cells[place(bar.from)..=place(bar.to)].fill(sign);
        }
        if lost {
            cells[place(ended)] = '×';
        }
        cells.into_iter().collect()
    }

    /// The picture; empty without pods.
    pub(super) fn svg(&self, title: &str, start_epoch_ms: i64) -> String {
        let shown = self.pods.iter().take(LANES).enumerate();
        let mut all: Vec<Lane> = shown
            .map(|(place, pod)| Lane {
                name: crate::escape::shortened(&pod.name(), 34),
                bars: self.bars(place),
                mark: Self::lost(pod).then_some(pod.ended),
                money: format!("${:.4}", pod.cost),
                note: crate::escape::sentence(&self.note(place)),
            })
            .collect();
        let rest = self.pods.get(LANES..).unwrap_or_default();
        if !rest.is_empty() {
            let from = rest.iter().map(|pod| pod.created).fold(f64::INFINITY, f64::min);
            let to = rest.iter().map(|pod| pod.ended).fold(0.0, f64::max);
            let cost: f64 = rest.iter().map(|pod| pod.cost).sum();
            all.push(Lane {
                name: format!("… {} more pods", rest.len()),
                bars: vec![Bar { kind: "folded", from, to }],
                mark: None,
                money: format!("${cost:.4}"),
                note: "folded".to_owned(),
            });
        }
        lanes(title, &all, (self.from, self.to), start_epoch_ms)
    }

    /// Rows of the text.
    pub(super) const fn lines_max() -> usize {
        LINES
    }
}

fn bound_wait(pod: &PodRow) -> f64 {
    pod.waited_until() - pod.created
}
