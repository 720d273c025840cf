//! Which of the nodes that pass is taken: the best, or one of several that are equally good.
//!
//! Source: as for `placement`.

use super::{Buffers, Found, Turn};
use crate::cluster::NodeId;
use crate::scheduler::ties;
use crate::scheduler::verdicts::{Known, Row};

/// Where one of so many nodes is among the best, walking over those found is quicker than listing
/// the best. Measured.
const WALK: usize = 8;

impl Turn<'_> {
    /// Which of so many equal nodes is taken, where a draw decides that.
    pub(super) fn draw(&self, ties: usize) -> Option<usize> {
        let (seed, number) = self.draws?;
        if ties == 1 {
            return Some(0);
        }
        Some((seed.uniform("scheduler-tie", &[number]) * ties as f64) as usize)
    }

    /// The node that is taken where the score is a class's own: of the nodes of the best classes it
    /// is asked which were looked at, of others only where none was.
    pub(super) fn best_by_own_score(&self, row: &Row, distances: &mut Vec<usize>) -> Found {
        let classes = &self.cycle.cluster.classes;
        let beyond = row.first_beyond(self.start, self.limit);
        let nodes = classes.in_order().len();
        let looked_at = beyond.map_or(nodes, |first| self.distance_to(first));
        let passing = classes.in_use().iter().filter(|class| row.known(**class) == Known::Passes);
        let scores = passing.map(|class| (row.score(*class), *class));
        let mut least_tried = i64::MAX;
        loop {
            let untried = scores.clone().filter(|(score, _)| *score < least_tried);
            let Some((best, _)) = untried.max() else { return Found { node: None, looked_at } };
            let best_classes = scores.clone().filter(|(score, _)| *score == best);
            self.list_looked_at(best_classes.map(|(_, class)| class), looked_at, distances);
            if !distances.is_empty() {
                let k = self.draw(distances.len()).unwrap_or(0);
                return Found { node: Some(self.kth_of(k, distances)), looked_at };
            }
            least_tried = best;
        }
    }

    /// The node that is taken, where those that were found are counted.
    pub(super) fn best_of_found(&self, buffers: &mut Buffers, looked_at: usize) -> NodeId {
        let ties = buffers.note_best();
        if ties == 1 {
            return buffers.first_best();
        }
        let order = self.cycle.cluster.classes.in_order();
        let indices = (self.start..order.len()).chain(0..self.start).take(looked_at);
        let is_found = |index: &usize| buffers.counts[order[*index] as usize] > 0;
        self.pick(self.draw(ties), indices.filter(is_found), buffers)
    }

    /// The node that is taken, where `count` nodes that pass were found by their bits.
    pub(super) fn best_by_bits(
        &self,
        row: &Row,
        buffers: &mut Buffers,
        count: usize,
        looked_at: usize,
    ) -> NodeId {
        let ties = buffers.note_best();
        match self.draw(ties) {
            Some(k) if count > WALK * ties => self.kth_best(k, looked_at, buffers),
            k => self.pick(k, row.passing_from(self.start).take(count), buffers),
        }
    }

    /// The node that is taken of those `found` (their places in the list, in order): the `k`-th of
    /// the best, or the first as a heap has them.
    fn pick(
        &self,
        k: Option<usize>,
        mut found: impl Iterator<Item = usize>,
        buffers: &Buffers,
    ) -> NodeId {
        let classes = &self.cycle.cluster.classes;
        let order = classes.in_order();
        let is_best = |index: usize| buffers.best[order[index] as usize];
        let index = match k {
            Some(k) => found.filter(|index| is_best(*index)).nth(k),
            None => {
                let best = found.by_ref().enumerate().filter(|(_, index)| is_best(*index));
                // Nothing goes before the first of all.
                let ranks = best.map(|(rank, index)| (ties::walk_order(rank), index));
                first_or_min(ranks, ties::walk_order(0))
            }
        };
        classes.node_at(index.expect("the best score is somebody's"))
    }

    /// The `k`-th of the best nodes, of classes all of whose nodes pass, among those looked at.
    fn kth_best(&self, k: usize, looked_at: usize, buffers: &mut Buffers) -> NodeId {
        let Buffers { found, best, distances, .. } = buffers;
        let best_classes = found.iter().copied().filter(|class| best[*class as usize]);
        self.list_looked_at(best_classes, looked_at, distances);
        self.kth_of(k, distances)
    }

    /// How far from the start of the search the nodes of these classes are that were looked at.
    fn list_looked_at(
        &self,
        classes: impl Iterator<Item = u32>,
        looked_at: usize,
        distances: &mut Vec<usize>,
    ) {
        distances.clear();
        for class in classes {
            let all = self.cycle.cluster.classes.places_of(class);
            let all = all.map(|index| self.distance_to(index));
            distances.extend(all.filter(|distance| *distance < looked_at));
        }
    }

    /// The `k`-th of the nodes that are so far from the start of the search.
    fn kth_of(&self, k: usize, distances: &mut [usize]) -> NodeId {
        let classes = &self.cycle.cluster.classes;
        let (_, distance, _) = distances.select_nth_unstable(k);
        classes.node_at((self.start + *distance) % classes.in_order().len())
    }
}

/// The value of the least key; that of the first, if its key is `least`.
fn first_or_min<K: Ord, V>(mut pairs: impl Iterator<Item = (K, V)>, least: K) -> Option<V> {
    let first = pairs.next()?;
    if first.0 == least {
        return Some(first.1);
    }
    std::iter::once(first).chain(pairs).min_by(|a, b| a.0.cmp(&b.0)).map(|(_, value)| value)
}
