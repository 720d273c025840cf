//! Which nodes a turn of the scheduler comes across, counted instead of walked.
//!
//! Models `percentageOfNodesToScore`: the search goes around the list of nodes from where the last
//! one ended, and ends when enough nodes have passed the filters. Upstream searches with 16 workers
//! at once; here the nodes are looked at one by one, in order, and the search ends at the first
//! feasible node too many, as upstream's does with `parallelism: 1`.
//!
//! Feasible nodes come as spans: classes, whose members are ascending in one zone. The k-th node of
//! several spans in the order of the list is found by bisection, so that the cost follows the
//! number of spans and not that of nodes. Source: facts-kubernetes 1.4; upstream
//! `schedule_one.go`, `findNodesThatPassFilters` and `numFeasibleNodesToFind`.

use super::classes::{NONE, NodeClasses};
use super::node_tree::NodeTree;
use crate::cluster::NodeId;

/// Clusters of fewer nodes are searched as a whole; of larger ones, at least so many nodes.
const MIN_FEASIBLE_NODES_TO_FIND: usize = 100;

/// After how many feasible nodes the search among `nodes` ends. `percentage` is
/// `percentageOfNodesToScore`; 0 follows the size of the cluster. Where nothing is scored, one node
/// is enough (`scores`).
pub(super) fn nodes_to_find(nodes: usize, percentage: u32, scores: bool) -> usize {
    if !scores {
        return 1;
    }
    if nodes < MIN_FEASIBLE_NODES_TO_FIND {
        return nodes;
    }
    let adaptive = 50_usize.saturating_sub(nodes / 125).max(5);
    let percentage = if percentage == 0 { adaptive } else { percentage.min(100) as usize };
    (nodes * percentage / 100).max(MIN_FEASIBLE_NODES_TO_FIND)
}

/// A class of feasible nodes, and how many of them the search comes across.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// The class.
    pub(super) class: u32,
    /// Members in front of where the search starts.
    before: u32,
    /// Members that the search comes across.
    pub(super) found: u32,
    /// Bounds of the bisection: members that are certainly below the place that is looked for, and
    /// members that may be.
    low: u32,
    high: u32,
    middle: u32,
}

impl Span {
    /// All of a class.
    pub(super) const fn of(class: u32) -> Self {
        Self { class, before: 0, found: 0, low: 0, high: 0, middle: 0 }
    }
}

/// Where nodes are: what spans refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rotation<'a> {
    /// Their order.
    pub(super) tree: &'a NodeTree,
    /// Their classes.
    pub(super) classes: &'a NodeClasses,
    /// Index of the node that the search starts with.
    pub(super) start: usize,
}

impl Rotation<'_> {
    /// Searches until `limit` nodes are found; sets every span's `found` and gives the number of
    /// nodes that were looked at. `span_of` is overwritten.
    pub(super) fn search(&self, spans: &mut [Span], span_of: &mut Vec<u32>, limit: usize) -> usize {
        let cut = self.tree.cut(self.start);
        let (mut before, mut total) = (0, 0);
        for span in &mut *spans {
            let class = self.classes.get(span.class);
            span.before = if self.start == 0 {
                0
            } else {
                let rank = self.tree.rank_at(cut, class.zone);
                let serial = self.tree.serial_at(class.zone, rank);
                class.members.partition_point(|member| member.serial < serial) as u32
            };
            span.found = class.members.len() as u32;
            before += span.before as usize;
            total += class.members.len();
        }
        if total <= limit {
            return self.tree.len();
        }
        span_of.clear();
        span_of.resize(self.classes.slots(), NONE);
        for (place, span) in (0..).zip(&*spans) {
            span_of[span.class as usize] = place;
        }
        // The first node that is one too many ends the search.
        let behind = total - before;
        if limit < behind {
            let index = self.select_near(spans, span_of, before + limit, total);
            for span in &mut *spans {
                span.found = span.low - span.before;
            }
            index - self.start
        } else {
            let index = self.select_near(spans, span_of, limit - behind, total);
            for span in &mut *spans {
                span.found = span.found - span.before + span.low;
            }
            self.tree.len() - self.start + index
        }
    }

    /// The `k`-th node (from 0) that the search came across among those of `spans`.
    pub(super) fn nth(&self, spans: &mut [Span], k: usize) -> NodeId {
        if let [span] = spans {
            let members = &self.classes.get(span.class).members;
            return members[(span.before as usize + k) % members.len()].node;
        }
        let (mut before, mut total) = (0, 0);
        for span in &*spans {
            before += span.before as usize;
            total += self.classes.get(span.class).members.len();
        }
        let behind = total - before;
        self.select(spans, if k < behind { before + k } else { k - behind }).0
    }

    /// The index that [`Rotation::select`] gives, and the same `low` of every span. Of many spans,
    /// feasible nodes are spread evenly enough that a walk from a little before the expected place
    /// is shorter than bisection; where they are not, bisection it is.
    fn select_near(&self, spans: &mut [Span], span_of: &[u32], k: usize, total: usize) -> usize {
        let margin = 2 * k.isqrt() + 8;
        let expected = self.tree.len() * k / total;
        let round = self.tree.cut(expected.saturating_sub(margin)).round;
        let mut count = 0;
        for span in &mut *spans {
            let class = self.classes.get(span.class);
            let serial = self.tree.serial_at(class.zone, round);
            span.low = class.members.partition_point(|member| member.serial < serial) as u32;
            count += span.low as usize;
        }
        if count > k || k - count > 4 * margin {
            return self.select(spans, k).1;
        }
        let start = self.tree.before_round(round);
        for (steps, node) in self.tree.rotation(start).enumerate() {
            let span = span_of[self.classes.class_of(node) as usize];
            if span != NONE {
                if count == k {
                    return start + steps;
                }
                spans[span as usize].low += 1;
                count += 1;
            }
        }
        unreachable!("more than {k} nodes are feasible")
    }

    /// The `k`-th node (from 0) of all members of `spans` in the order of the list, and its index
    /// there; every span's `low` is the number of its members before that node.
    fn select(&self, spans: &mut [Span], k: usize) -> (NodeId, usize) {
        for span in &mut *spans {
            span.low = 0;
            span.high = self.classes.get(span.class).members.len() as u32;
        }
        let round = self.round_of(spans, k);
        let mut left = k - spans.iter().map(|span| span.low as usize).sum::<usize>();
        let mut index = self.tree.before_round(round);
        for zone in self.tree.zones() {
            let of_zone = |span: &&mut Span| {
                self.classes.get(span.class).zone == *zone && span.low < span.high
            };
            if let Some(span) = spans.iter_mut().find(of_zone) {
                if left == 0 {
                    let member = self.classes.get(span.class).members[span.low as usize];
                    return (member.node, index);
                }
                left -= 1;
                span.low += 1;
            }
            index += usize::from(self.tree.has_rank(*zone, round));
        }
        unreachable!("the round holds the node")
    }

    /// The round (rank in its zone) of the `k`-th node of `spans`. Their bounds are left at the
    /// round's begin and end.
    fn round_of(&self, spans: &mut [Span], k: usize) -> usize {
        let (mut low, mut high) = (0, self.tree.rounds());
        while high - low > 1 {
            let middle = low.midpoint(high);
            let mut count = 0;
            for span in &mut *spans {
                if span.low < span.high {
                    let class = self.classes.get(span.class);
                    let serial = self.tree.serial_at(class.zone, middle);
                    let open = &class.members[span.low as usize..span.high as usize];
                    let below = open.partition_point(|member| member.serial < serial);
                    span.middle = span.low + below as u32;
                } else {
                    span.middle = span.low;
                }
                count += span.middle as usize;
            }
            if count <= k {
                low = middle;
                spans.iter_mut().for_each(|span| span.low = span.middle);
            } else {
                high = middle;
                spans.iter_mut().for_each(|span| span.high = span.middle);
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: facts-kubernetes 1.4; the figures are upstream's documented examples: 50 % of 100
    /// nodes, 10 % of 5,000, and never below 5 %.
    #[test]
    fn how_many_nodes_are_enough() {
        let check = |nodes, percentage, enough| {
            assert_eq!(nodes_to_find(nodes, percentage, true), enough, "{nodes} {percentage}");
        };
        check(99, 0, 99);
        check(99, 10, 99);
        check(100, 0, 100);
        check(1000, 0, 420);
        check(3000, 0, 780);
        check(5000, 0, 500);
        check(6000, 0, 300);
        check(3000, 100, 3000);
        check(3000, 40, 1200);
        check(1000, 5, 100);
        assert_eq!(nodes_to_find(1000, 0, false), 1);
    }
}
