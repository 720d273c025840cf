//! A stage while its application runs: what waits, what is done, where its output lies.

use std::ops::Range;

use super::locality::Holding;
use crate::units::{SimDuration, SimTime};

/// Where a partition's output lies: the place of an executor, or nowhere.
pub(super) const NOWHERE: u32 = u32::MAX;

/// A set of small numbers: a bit each.
#[derive(Debug, Default, Clone)]
pub(super) struct BitSet(Vec<u64>);

impl BitSet {
    /// Makes room for numbers below `count`.
    pub(super) fn reserve(&mut self, count: u32) {
        let words = count.div_ceil(64) as usize;
        if self.0.len() < words {
            self.0.resize(words, 0);
        }
    }

    /// Adds `number`; false if it was in.
    #[inline]
    pub(super) fn insert(&mut self, number: u32) -> bool {
        let word = (number / 64) as usize;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let bit = 1u64 << (number % 64);
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    /// Adds all of `numbers`.
    pub(super) fn insert_all(&mut self, numbers: Range<u32>) {
        self.reserve(numbers.end);
        let mut number = numbers.start;
        while number < numbers.end {
            let (word, from) = ((number / 64) as usize, number % 64);
            let to = (64 - from).min(numbers.end - number);
            self.0[word] |= (u64::MAX >> (64 - to)) << from;
            number += to;
        }
    }

    /// Takes `number` out.
    pub(super) fn remove(&mut self, number: u32) {
        if let Some(word) = self.0.get_mut((number / 64) as usize) {
            *word &= !(1u64 << (number % 64));
        }
    }

    /// Nothing is in.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// What is in both.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    /// What is in either.
    pub(super) fn union(&self, other: &Self) -> Self {
        let (long, short) =
            if self.0.len() < other.0.len() { (other, self) } else { (self, other) };
        let mut all = long.clone();
        all.0.iter_mut().zip(&short.0).for_each(|(a, b)| *a |= b);
        all
    }

    /// Whether `number` is in.
    pub(super) fn contains(&self, number: u32) -> bool {
        self.0.get((number / 64) as usize).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}

/// A stage of an application that runs.
#[derive(Debug, Default)]
pub(super) struct StageState {
    /// Stages that wait for it to be complete, now.
    pub(super) waiters: Vec<u32>,
    /// Stages that read its shuffle.
    pub(super) readers: Vec<u32>,
    /// Stages that it still waits for.
    pub(super) parents_left: u32,
    /// Its first task that was never launched.
    pub(super) next: u32,
    /// Tasks to launch again.
    pub(super) requeued: Vec<u32>,
    /// Tasks to launch a copy of, with the executor of the original.
    pub(super) copies: Vec<(u32, u32)>,
    /// Partitions that are not done.
    pub(super) left: u32,
    /// Partitions that are done.
    pub(super) done: BitSet,
    /// Where each partition's output lies; empty where nobody reads it, or it was never submitted.
    pub(super) outputs: Vec<u32>,
    /// Outputs that were lost after the stage was complete.
    pub(super) missing: Vec<u32>,
    /// Stages whose shuffle it reads and that miss outputs.
    pub(super) parents_missing: u32,
    /// It was submitted and is not done.
    pub(super) active: bool,
    /// It was submitted at least once.
    pub(super) submitted: bool,
    /// It waits to be submitted again after a fetch failure.
    pub(super) resubmits: bool,
    /// Fetch-failed attempts in a row.
    pub(super) fetch_failures: u32,
    /// Attempts so far, beyond the first.
    pub(super) attempts: u32,
    /// Time of its tasks that are not launched.
    pub(super) waiting: SimDuration,
    /// Each of its tasks takes what was recorded, wherever it runs.
    pub(super) as_recorded: bool,
    /// Its longest task.
    pub(super) longest: SimDuration,
    /// The latest end of a launched task. A task that is run again ends later than it would have.
    pub(super) last_end: SimTime,
    /// Executors on which a task of it has ended.
    pub(super) ran_on: BitSet,
    /// Its running tasks.
    pub(super) running: u32,
    /// Durations of its successful tasks, where speculation wants them.
    pub(super) durations_ms: Vec<u32>,
    /// Failed tasks per executor, where exclusion wants them.
    pub(super) failed_on: Vec<(u32, u32)>,
    /// Where its tasks want to run.
    pub(super) holding: Holding,
    /// Other stages read the cached blocks that its tasks leave.
    pub(super) blocks_read: bool,
    /// The executor that holds each partition's cached block; empty before there are any.
    pub(super) blocks_on: Vec<u32>,
    /// When it was complete.
    pub(super) done_at: Option<SimTime>,
}

impl StageState {
    /// Whether a task of it can be launched.
    pub(super) fn has_waiting(&self, count: u32) -> bool {
        self.next < count || !self.requeued.is_empty() || !self.copies.is_empty()
    }

    /// The task that would be taken next, if one waits.
    pub(super) fn next_waiting(&self) -> u32 {
        self.requeued.last().copied().unwrap_or(self.next)
    }

    /// Takes the next task of those that wait.
    pub(super) fn take_waiting(&mut self) -> u32 {
        self.requeued.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }

    /// Whether the end of `task` changes nothing but the stage itself, which is not done with it.
    pub(super) fn is_usual(&self, task: u32) -> bool {
        self.left > 1 && !self.blocks_read && !self.done.contains(task)
    }

    /// A task has succeeded and runs no more.
    #[inline]
    pub(super) fn succeed(&mut self, task: u32, executor: u32) {
        self.ran_on.insert(executor);
        self.done.insert(task);
        if let Some(output) = self.outputs.get_mut(task as usize) {
            *output = executor;
        }
        self.left -= 1;
    }

    /// The stage, of `count` tasks, is submitted: makes room for what they leave.
    pub(super) fn make_room(&mut self, count: u32) {
        self.done.reserve(count);
        if self.outputs.is_empty() && !self.readers.is_empty() {
            self.outputs = vec![NOWHERE; count as usize];
        }
    }
}
