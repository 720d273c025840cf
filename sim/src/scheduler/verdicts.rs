//! What filters and scores say of a pod and a class of nodes, remembered.
//!
//! Whether a node passes, why it does not, and the sum of the scores that do not compare candidates
//! follow from the pod's spec and the node's class (see `classes`) alone; so they are worked out once
//! for the pods of a spec, as long as the class is there. Leaves out what looks further: nominated
//! pods, and scores that are normalised over all candidates or count nodes
//! (`score::add_relative_scores`).

use std::collections::BTreeMap;
use std::rc::Rc;

use super::classes::NodeClasses;
use crate::cluster::SpecId;
use crate::outcome::normalised_reason;

/// Of so many specs verdicts are remembered. Pods of one spec come together, as an application's
/// executors do.
const ROWS: usize = 64;

/// From so many nodes on, those that pass are looked for by bits; not in the first searches of a
/// spec, because writing the bits asks about every class. Measured: `docs/performance.md`.
const NODES_WITH_BITS: usize = 64;
const USES_WITHOUT_BITS: u32 = 2;

/// What is known of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Known {
    /// Its nodes do not pass the filters.
    Fails,
    /// They do.
    Passes,
    /// Nothing.
    Nothing,
}

/// What was said of a class, once it is known whether its nodes pass.
#[derive(Debug, Default, Clone, Copy)]
struct Said {
    /// Sum of the scores, weighted, where they do.
    score: i64,
    /// Why they do not: its place in [`Refusals`], once somebody has asked.
    refusal: Option<u32>,
}

/// Verdicts by spec and class.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    rows: Vec<Row>,
    refusals: Refusals,
}

/// Verdicts on the pods of a spec, by the number of the class.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// The last spec that used it.
    spec: Option<SpecId>,
    /// So many searches for it used the row.
    uses: u32,
    /// How many classes had been made when it was used last.
    made: u64,
    known: Vec<Known>,
    said: Vec<Said>,
    /// What pods of the spec ask for, in words, once somebody has asked.
    asks: String,
    /// A bit for each node in the scheduler's list: it passes. Of which list, and after how many
    /// moves in it.
    passing: Vec<u64>,
    orders: u64,
    moved: u64,
}

impl Verdicts {
    /// What is known of `spec` and of the classes that there are; and where the reasons are.
    pub(super) fn of(&mut self, spec: SpecId, classes: &NodeClasses) -> (&mut Row, &mut Refusals) {
        if self.rows.is_empty() {
            self.rows.resize_with(ROWS, Row::default);
        }
        let row = &mut self.rows[spec.0 as usize % ROWS];
        row.refresh(spec, classes);
        (row, &mut self.refusals)
    }
}

impl Row {
    fn refresh(&mut self, spec: SpecId, classes: &NodeClasses) {
        let slots = classes.slots();
        self.uses = if self.spec == Some(spec) { self.uses.saturating_add(1) } else { 0 };
        match classes.made().since(self.made).filter(|_| self.uses > 0) {
            Some(made) => {
                self.known.resize(slots, Known::Nothing);
                // These numbers may have stood for other classes.
                made.for_each(|class| self.known[class as usize] = Known::Nothing);
            }
            None => {
                self.known.clear();
                self.known.resize(slots, Known::Nothing);
            }
        }
        self.said.resize(slots, Said::default());
        (self.spec, self.made) = (Some(spec), classes.made().count());
        if self.uses == 0 {
            self.passing.clear();
            self.asks.clear();
        }
    }

    /// Whether it pays to keep a bit for each node: there are many, and many searches.
    pub(super) fn keeps_bits(&self, nodes: usize) -> bool {
        nodes >= NODES_WITH_BITS && self.uses >= USES_WITHOUT_BITS
    }

    /// Brings the bits up to date. `passes` says of a place in the list whether the node does, and
    /// may note what it finds out.
    pub(super) fn update_bits(
        &mut self,
        classes: &NodeClasses,
        mut passes: impl FnMut(&mut Self, usize) -> bool,
    ) {
        let nodes = classes.in_order().len();
        let same = self.orders == classes.orders() && self.passing.len() == nodes.div_ceil(64);
        match classes.moved().since(self.moved).filter(|_| same) {
            Some(moved) => {
                for index in moved.map(|index| index as usize) {
                    let bit = 1 << (index % 64);
                    let on = passes(self, index);
                    let word = &mut self.passing[index / 64];
                    *word = if on { *word | bit } else { *word & !bit };
                }
            }
            None => {
                self.passing.clear();
                self.passing.resize(nodes.div_ceil(64), 0);
                for index in 0..nodes {
                    let on = u64::from(passes(self, index));
                    self.passing[index / 64] |= on << (index % 64);
                }
            }
        }
        (self.orders, self.moved) = (classes.orders(), classes.moved().count());
    }

    /// Words of the bits, each with its place, from that of the node at `start` on and around; the
    /// first word has no bits before that node, and the last one those.
    fn words_from(&self, start: usize) -> impl Iterator<Item = (usize, u64)> + '_ {
        let (first, below) = (start / 64, (1 << (start % 64)) - 1);
        let word = |place: usize| self.passing.get(place).copied().unwrap_or(0);
        let whole = move |place: usize| (place, word(place));
        std::iter::once((first, word(first) & !below))
            .chain((first + 1..self.passing.len()).map(whole))
            .chain((0..first).map(whole))
            .chain(std::iter::once((first, word(first) & below)))
    }

    /// How many nodes pass.
    pub(super) fn passing_count(&self) -> usize {
        self.passing.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The same words, each as the bits of the first `count` nodes that pass, and the others.
    pub(super) fn split_from(
        &self,
        start: usize,
        count: usize,
    ) -> impl Iterator<Item = (usize, u64, u64)> + '_ {
        let mut left = count as u32;
        self.words_from(start).map(move |(place, word)| {
            let beyond = without_lowest(word, left);
            let within = word & !beyond;
            left -= within.count_ones();
            (place, within, beyond)
        })
    }

    /// The place of the first node that passes after the first `count` from `start` on and around.
    pub(super) fn first_beyond(&self, start: usize, count: usize) -> Option<usize> {
        let mut words = self.split_from(start, count);
        let (place, _, beyond) = words.find(|(_, _, beyond)| *beyond != 0)?;
        bits(place, beyond).next()
    }

    /// Places in the list of nodes that pass, from `start` on and around.
    pub(super) fn passing_from(&self, start: usize) -> impl Iterator<Item = usize> + '_ {
        self.words_from(start).flat_map(|(place, word)| bits(place, word))
    }

    /// What is known of a class.
    #[inline]
    pub(super) fn known(&self, class: u32) -> Known {
        self.known[class as usize]
    }

    /// Of a class whose nodes pass: the sum of their scores.
    pub(super) fn score(&self, class: u32) -> i64 {
        self.said[class as usize].score
    }

    /// Nodes of the class pass, with that sum of scores, or do not.
    pub(super) fn set(&mut self, class: u32, score: Option<i64>) -> Known {
        let known = if score.is_some() { Known::Passes } else { Known::Fails };
        self.known[class as usize] = known;
        self.said[class as usize] = Said { score: score.unwrap_or_default(), refusal: None };
        known
    }

    /// Of a class whose nodes do not pass: why, as a place in [`Refusals`], if it is known.
    pub(super) fn refusal(&self, class: u32) -> Option<u32> {
        self.said[class as usize].refusal
    }

    pub(super) fn set_refusal(&mut self, class: u32, refusal: u32) {
        self.said[class as usize].refusal = Some(refusal);
    }

    /// What pods of the spec ask for.
    pub(super) fn asks(&mut self, ask: impl FnOnce() -> String) -> &str {
        if self.asks.is_empty() {
            self.asks = ask();
        }
        &self.asks
    }
}

/// The word without the lowest `count` bits that are set in it.
fn without_lowest(mut word: u64, count: u32) -> u64 {
    if word.count_ones() <= count {
        return 0;
    }
    for _ in 0..count {
        word &= word - 1;
    }
    word
}

/// Places of the bits that are set in the word at `place`.
pub(super) fn bits(place: usize, mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if word == 0 {
            return None;
        }
        let bit = word.trailing_zeros() as usize;
        word &= word - 1;
        Some(place * 64 + bit)
    })
}

/// What filters said against nodes, each different list of messages once.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    lists: Vec<Vec<Box<str>>>,
    /// Nodes by list.
    counts: Vec<u32>,
    /// What is normal of messages, by the lists that they are about.
    kinds: BTreeMap<Vec<u32>, Rc<str>>,
}

impl Refusals {
    /// The place of a list. There are as many as filters and resources can be combined to, of which
    /// few are met.
    pub(super) fn intern(&mut self, messages: &[&str]) -> u32 {
        let same = |list: &Vec<Box<str>>| {
            list.iter().map(|message| &**message).eq(messages.iter().copied())
        };
        let known = self.lists.iter().position(same);
        let place = known.unwrap_or_else(|| {
            self.lists.push(messages.iter().map(|message| (*message).into()).collect());
            self.lists.len() - 1
        });
        place as u32
    }

    /// Counts from nothing.
    pub(super) fn start_counting(&mut self) {
        self.counts.clear();
    }

    /// That is why so many nodes do not pass.
    pub(super) fn count(&mut self, place: u32, nodes: u32) {
        if self.counts.len() <= place as usize {
            self.counts.resize(place as usize + 1, 0);
        }
        self.counts[place as usize] += nodes;
    }

    /// What was counted: places, and how many nodes.
    pub(super) fn counted(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0..)
            .zip(&self.counts)
            .filter(|(_, nodes)| **nodes > 0)
            .map(|(place, nodes)| (place, *nodes))
    }

    /// The kind of a message about what was counted: it does not depend on the numbers.
    pub(super) fn kind(&mut self, message: &str) -> Rc<str> {
        let key: Vec<u32> = self.counted().map(|(place, _)| place).collect();
        let kind = self.kinds.entry(key).or_insert_with(|| normalised_reason(message).into());
        kind.clone()
    }

    /// The messages at a place.
    pub(super) fn get(&self, place: u32) -> impl Iterator<Item = &str> {
        self.lists[place as usize].iter().map(|message| &**message)
    }
}
