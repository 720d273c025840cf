//! The tasks that run, by their ends: who ends first is known, and replaced at little cost.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::units::SimTime;

/// A task that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    /// When it ends, if nothing happens.
    pub(super) end: SimTime,
    /// Order of launch, so that ties are settled the same way always.
    pub(super) sequence: u64,
    /// Place of its executor.
    pub(super) executor: u32,
    /// Place of its stage.
    pub(super) stage: u32,
    /// Its place in the stage.
    pub(super) task: u32,
    /// When it was launched.
    pub(super) start: SimTime,
    /// How it ends.
    pub(super) ending: Ending,
}

/// How a running task will end, if nothing happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Succeeds,
    /// It throws.
    Fails,
    /// It kills its executor.
    Kills,
    /// It cannot fetch what it reads.
    FetchFails,
}

impl Running {
    /// In the order of ends; one number, because heaps compare little else.
    const fn key(&self) -> u128 {
        (self.end.as_millis() as u128) << 64 | self.sequence as u128
    }
}

/// What ends first is the greatest, as heaps have it.
impl Ord for Running {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Running {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Running {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Running {}

/// The tasks that run.
#[derive(Debug, Default)]
pub(super) struct RunningTasks(BinaryHeap<Running>);

impl RunningTasks {
    /// How many run.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// None runs.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The task that ends first.
    pub(super) fn first(&self) -> Option<&Running> {
        self.0.peek()
    }

    /// Adds a task.
    pub(super) fn push(&mut self, task: Running) {
        self.0.push(task);
    }

    /// The task that ends first leaves its place to `next`: one way through the heap, not two.
    ///
    /// # Panics
    /// If none runs.
    pub(super) fn replace_first(&mut self, next: Running) {
        *self.0.peek_mut().expect("a task runs") = next;
    }

    /// Takes the task that ends first.
    pub(super) fn pop(&mut self) -> Option<Running> {
        self.0.pop()
    }

    /// Takes them all out, to be changed and put back; in no particular order.
    pub(super) fn take(&mut self) -> Vec<Running> {
        std::mem::take(&mut self.0).into_vec()
    }

    /// Puts back what was taken out.
    pub(super) fn put(&mut self, tasks: Vec<Running>) {
        self.0 = BinaryHeap::from(tasks);
    }

    /// All that run, in no particular order: the same as [`RunningTasks::take`] gives.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Running> {
        self.0.iter()
    }

    /// When they end, in no particular order.
    pub(super) fn ends(&self) -> impl Iterator<Item = SimTime> {
        self.iter().map(|task| task.end)
    }

    /// Takes those out that are `gone`, in the order in which they were launched.
    pub(super) fn extract(&mut self, gone: impl Fn(&Running) -> bool) -> Vec<Running> {
        let mut taken = Vec::new();
        self.0.retain(|task| {
            let goes = gone(task);
            if goes {
                taken.push(*task);
            }
            !goes
        });
        taken.sort_unstable_by_key(|task: &Running| task.sequence);
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Seed;
    use crate::rng::RngExt;

    fn task(end: u64, sequence: u64) -> Running {
        Running {
            end: SimTime::from_millis(end),
            sequence,
            executor: (sequence % 5) as u32,
            stage: 0,
            task: sequence as u32,
            start: SimTime::ZERO,
            ending: Ending::Succeeds,
        }
    }

    #[test]
    fn ends_come_in_order_whatever_comes_and_goes() {
        let mut stream = Seed::new(1).stream("running", &[]);
        let mut tasks = RunningTasks::default();
        let mut reference: BTreeMap<(SimTime, u64), Running> = BTreeMap::new();
        let mut sequence = 0;
        for _ in 0..20_000 {
            // Few different ends, so that launches settle ties.
            let new = task(stream.random_range(0..50), sequence);
            sequence += 1;
            match stream.random_range(0..9u32) {
                0..4 => {
                    tasks.push(new);
                    reference.insert((new.end, new.sequence), new);
                }
                4..6 => assert_eq!(tasks.pop(), reference.pop_first().map(|(_, first)| first)),
                6..8 if !tasks.is_empty() => {
                    tasks.replace_first(new);
                    reference.pop_first();
                    reference.insert((new.end, new.sequence), new);
                }
                _ if sequence.is_multiple_of(50) => {
                    let gone = |task: &Running| task.executor == 3;
                    let mut expected: Vec<Running> =
                        reference.extract_if(.., |_, task| gone(task)).map(|pair| pair.1).collect();
                    expected.sort_by_key(|task| task.sequence);
                    assert_eq!(tasks.extract(gone), expected);
                }
                _ => {}
            }
            assert_eq!(tasks.first(), reference.first_key_value().map(|(_, first)| first));
            assert_eq!(tasks.len(), reference.len());
        }
        let mut all: Vec<Running> = tasks.iter().copied().collect();
        all.sort_by_key(|task| (task.end, task.sequence));
        assert!(all.len() > 100 && all.iter().eq(reference.values()), "{}", all.len());
        let mut ends: Vec<SimTime> = tasks.ends().collect();
        ends.sort_unstable();
        assert!(ends.into_iter().eq(reference.values().map(|task| task.end)));
    }
}
