//! What is submitted next, and the runs that are alive.
//!
//! Runs that are listed are looked up where they are. Of those that are stored, a part is decoded
//! at a time; a run is kept from when it is due until it has ended for good, so that memory follows
//! what is alive. Who asks for another one gets it decoded anew, with its whole part: what is kept
//! decides how long that takes, never what is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::calendar::Calendar;
use super::event::EventClass;
use crate::units::SimTime;
use crate::workload::{Run, RunRef, RunStore, Runs, Workload};

/// What comes next.
pub(super) enum Next {
    Run(u32, SimTime),
    TracePod(u32, SimTime),
    Event(SimTime),
}

/// Cursor over the pods of the workload; the one over its runs is [`RunCursor`].
#[derive(Default)]
pub(super) struct Arrivals {
    pod: usize,
}

impl Arrivals {
    /// Whichever is first: a run, a trace pod or a scheduled event. At equal times, submissions
    /// come with the class of claims, runs before pods.
    pub(super) fn next(
        &mut self,
        workload: &Workload,
        runs: &mut RunCursor<'_>,
        calendar: &Calendar,
    ) -> Option<Next> {
        let run = runs.next_submission();
        let pod = workload.pods.get(self.pod).map(|pod| pod.created_at);
        let arrival = run.into_iter().chain(pod).min();
        let Some(at) = arrival.filter(|at| !calendar.comes_before(*at, EventClass::Claim)) else {
            return calendar.next_at().map(Next::Event);
        };
        if run == arrival {
            return Some(Next::Run(runs.arrive(), at));
        }
        self.pod += 1;
        Some(Next::TracePod(self.pod as u32 - 1, at))
    }
}

/// Goes through the runs of a workload as they are due, and finds those that are alive.
pub(crate) struct RunCursor<'a> {
    form: Form<'a>,
    /// Place of the next run that is due.
    next: usize,
}

enum Form<'a> {
    Listed(&'a [Run]),
    Stored(Stored<'a>),
}

struct Stored<'a> {
    store: &'a dyn RunStore,
    /// The rest of the part that is being gone through, the next run first.
    to_come: std::vec::IntoIter<Run>,
    /// Runs that were due and have not ended.
    alive: BTreeMap<u32, Arc<Run>>,
    /// The part that was asked for last by [`RunCursor::recall`], and its number.
    recalled: Option<(usize, Vec<Arc<Run>>)>,
}

impl<'a> RunCursor<'a> {
    /// Before the first run.
    pub(crate) fn new(runs: &'a Runs) -> Self {
        let form = match runs.form() {
            Ok(list) => Form::Listed(list),
            Err(store) => Form::Stored(Stored {
                store,
                to_come: store.part(0).into_iter(),
                alive: BTreeMap::new(),
                recalled: None,
            }),
        };
        Self { form, next: 0 }
    }

    /// The run at that place of the workload.
    pub(crate) fn get(&self, place: u32) -> RunRef<'a> {
        match &self.form {
            Form::Listed(list) => RunRef::listed(&list[place as usize]),
            Form::Stored(stored) => RunRef::stored(stored.get(place)),
        }
    }

    /// When the next run is due.
    fn next_submission(&self) -> Option<SimTime> {
        let run = match &self.form {
            Form::Listed(list) => list.get(self.next),
            Form::Stored(stored) => stored.to_come.as_slice().first(),
        };
        run.map(|run| run.submitted_at)
    }

    /// The next run is due: gives its place.
    fn arrive(&mut self) -> u32 {
        let place = self.next as u32;
        self.next += 1;
        if let Form::Stored(stored) = &mut self.form {
            let run = stored.to_come.next().expect("a run that is due");
            stored.alive.insert(place, Arc::new(run));
            if stored.to_come.as_slice().is_empty() && self.next < stored.store.count() {
                let number = self.next / stored.store.part_size();
                stored.to_come = stored.store.part(number).into_iter();
            }
        }
        place
    }

    /// The run has ended for good: nobody asks for it any more.
    pub(crate) fn ended(&mut self, place: u32) {
        if let Form::Stored(stored) = &mut self.form {
            stored.alive.remove(&place);
        }
    }

    /// Runs are going to be asked for in their order, also some that are not alive: keeps the part
    /// that this one is in until another is recalled.
    pub(crate) fn recall(&mut self, place: u32) {
        let Form::Stored(stored) = &mut self.form else { return };
        let number = place as usize / stored.store.part_size();
        let is_there = stored.recalled.as_ref().is_some_and(|(known, _)| *known == number);
        if !is_there && !stored.alive.contains_key(&place) {
            let part = stored.store.part(number).into_iter().map(Arc::new).collect();
            stored.recalled = Some((number, part));
        }
    }
}

impl Stored<'_> {
    fn get(&self, place: u32) -> Arc<Run> {
        if let Some(run) = self.alive.get(&place) {
            return run.clone();
        }
        let size = self.store.part_size();
        let (number, within) = (place as usize / size, place as usize % size);
        match &self.recalled {
            Some((known, part)) if *known == number => part[within].clone(),
            _ => Arc::new(self.store.part(number).swap_remove(within)),
        }
    }
}
