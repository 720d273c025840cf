//! The runs of a workload: a list of them, or a store that gives them part by part.
//!
//! A month of a large platform is more runs than should be in memory at one time. Such a workload
//! is a [`RunStore`], which whoever reads the trace implements (here is no file and no format); the
//! engine decodes one part at a time and keeps the runs that are alive (`engine/arrivals.rs`).
//! Everything else that a list can do a store can do too, only slower: [`Runs::get`] decodes a part
//! for a single run. Leaves out: changing one stored run; [`Runs::list`] makes a list of all first.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::Run;
use crate::units::SimTime;

/// Runs that are somewhere else than in memory, sorted by `submitted_at`. Several simulations may
/// read one store at the same time.
pub trait RunStore: Send + Sync + fmt::Debug {
    /// How many runs there are.
    fn count(&self) -> usize;

    /// How many runs a part has; the last one may have fewer. At least 1.
    fn part_size(&self) -> usize;

    /// The runs from the place `number * part_size` on. Must give the same each time.
    fn part(&self, number: usize) -> Vec<Run>;
}

/// Spark submissions, sorted by `submitted_at`, then by position in the trace.
#[derive(Default, Clone)]
pub struct Runs(Form);

#[derive(Clone)]
enum Form {
    Listed(Vec<Run>),
    Stored { store: Arc<dyn RunStore>, first: SimTime, last: SimTime },
}

/// A run of either form, to read.
#[derive(Debug, Clone)]
pub struct RunRef<'a>(Held<'a>);

#[derive(Debug, Clone)]
enum Held<'a> {
    Listed(&'a Run),
    Stored(Arc<Run>),
}

impl Runs {
    /// The runs of `store`.
    pub fn stored(store: Arc<dyn RunStore>) -> Self {
        let count = store.count();
        if count == 0 {
            return Self::default();
        }
        let at = |run: Option<&Run>| run.map_or(SimTime::ZERO, |run| run.submitted_at);
        let first = at(store.part(0).first());
        let last = at(store.part((count - 1) / store.part_size()).last());
        Self(Form::Stored { store, first, last })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Listed(runs) => runs.len(),
            Form::Stored { store, .. } => store.count(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When the first one is submitted.
    pub fn first_submission(&self) -> Option<SimTime> {
        match &self.0 {
            Form::Listed(runs) => runs.first().map(|run| run.submitted_at),
            Form::Stored { first, .. } => Some(*first),
        }
    }

    /// When the last one is submitted.
    pub fn last_submission(&self) -> Option<SimTime> {
        match &self.0 {
            Form::Listed(runs) => runs.last().map(|run| run.submitted_at),
            Form::Stored { last, .. } => Some(*last),
        }
    }

    /// The run at that place.
    pub fn get(&self, place: usize) -> Option<RunRef<'_>> {
        match &self.0 {
            Form::Listed(runs) => runs.get(place).map(RunRef::listed),
            Form::Stored { store, .. } if place < store.count() => {
                let size = store.part_size();
                let run = store.part(place / size).into_iter().nth(place % size);
                run.map(|run| RunRef::stored(Arc::new(run)))
            }
            Form::Stored { .. } => None,
        }
    }

    /// All of them in their order, a part in memory at a time.
    pub fn iter(&self) -> impl Iterator<Item = RunRef<'_>> {
        let (list, store) = match &self.0 {
            Form::Listed(runs) => (runs.as_slice(), None),
            Form::Stored { store, .. } => ([].as_slice(), Some(store)),
        };
        let parts = store.into_iter().flat_map(|store| {
            let parts = store.count().div_ceil(store.part_size());
            (0..parts).flat_map(|number| store.part(number))
        });
        let stored = parts.map(|run| RunRef::stored(Arc::new(run)));
        list.iter().map(RunRef::listed).chain(stored)
    }

    /// The runs as a list, to change it; stored ones are read into one before.
    pub fn list(&mut self) -> &mut Vec<Run> {
        if let Form::Stored { store, .. } = &self.0 {
            let parts = store.count().div_ceil(store.part_size());
            self.0 = Form::Listed((0..parts).flat_map(|number| store.part(number)).collect());
        }
        match &mut self.0 {
            Form::Listed(runs) => runs,
            Form::Stored { .. } => unreachable!("it was made a list above"),
        }
    }

    /// Changes every run by itself: listed ones now, stored ones whenever a part of them is read.
    /// `change` gets some of the runs in their order, and must not change when they are submitted.
    pub fn change(&mut self, change: impl Fn(&mut [Run]) + Send + Sync + 'static) {
        match &mut self.0 {
            Form::Listed(runs) => change(runs),
            Form::Stored { store, .. } => {
                *store = Arc::new(Changed { store: store.clone(), change });
            }
        }
    }

    /// The list, or the store.
    pub(crate) fn form(&self) -> Result<&[Run], &dyn RunStore> {
        match &self.0 {
            Form::Listed(runs) => Ok(runs),
            Form::Stored { store, .. } => Err(&**store),
        }
    }
}

/// A store whose runs are changed as they are read.
struct Changed<F> {
    store: Arc<dyn RunStore>,
    change: F,
}

impl<F: Fn(&mut [Run]) + Send + Sync> RunStore for Changed<F> {
    fn count(&self) -> usize {
        self.store.count()
    }

    fn part_size(&self) -> usize {
        self.store.part_size()
    }

    fn part(&self, number: usize) -> Vec<Run> {
        let mut runs = self.store.part(number);
        (self.change)(&mut runs);
        runs
    }
}

impl<F> fmt::Debug for Changed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Changed").field(&self.store).finish()
    }
}

impl fmt::Debug for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of either form the same, as a list: plans tell workloads apart by this text.
        let mut list = f.debug_list();
        self.iter().for_each(|run| {
            list.entry(&*run);
        });
        list.finish()
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl From<Vec<Run>> for Runs {
    fn from(runs: Vec<Run>) -> Self {
        Self(Form::Listed(runs))
    }
}

impl FromIterator<Run> for Runs {
    fn from_iter<T: IntoIterator<Item = Run>>(runs: T) -> Self {
        Self(Form::Listed(runs.into_iter().collect()))
    }
}

impl<'a> RunRef<'a> {
    pub(crate) fn listed(run: &'a Run) -> Self {
        Self(Held::Listed(run))
    }

    pub(crate) fn stored(run: Arc<Run>) -> Self {
        Self(Held::Stored(run))
    }
}

impl Deref for RunRef<'_> {
    type Target = Run;

    fn deref(&self) -> &Run {
        match &self.0 {
            Held::Listed(run) => run,
            Held::Stored(run) => run,
        }
    }
}
