//! Rows of a `runs` table on their way: into a list, or, beyond the threshold, into the file.

use std::collections::BTreeMap;
use std::path::Path;

use sim::workload::Run;
use sim::{Finding, Severity};

use super::SpoolOptions;
use super::file::{Spool, SpoolWriter};
use super::places::{Key, Places};
use crate::TraceError;
use crate::canonical::{RowTaker, RunList, RunRow, RunTable, read_rows, read_runs};
use crate::inspect::Gaps;
use crate::table::TableCounts;
use crate::workload::Names;

/// A `runs` table that was read.
pub(crate) enum ReadRuns {
    Listed(RunTable),
    Spooled(Box<SpooledRuns>),
}

/// Runs of a table in a temporary file, and what is to be known of all of them.
pub(crate) struct SpooledRuns {
    pub(crate) spool: Spool,
    pub(crate) names: Names,
    /// The first and the last submission: when, and the run's id.
    pub(crate) ends: [(i64, Box<str>); 2],
    pub(crate) gaps: Gaps,
    /// Dependencies on what is not there, or is submitted later.
    pub(crate) in_vain: u64,
    pub(crate) counts: TableCounts,
    pub(crate) findings: Vec<Finding>,
}

/// Reads a `runs` table, into a file where it is large and simple (see [`crate::spool`]).
///
/// # Errors
/// As of [`read_runs`]; a temporary file that cannot be written.
pub(crate) fn read_runs_spooling(
    path: &Path,
    options: &SpoolOptions,
) -> Result<ReadRuns, TraceError> {
    let mut taker = Taker {
        options,
        simple: Some(Simple::default()),
        to: To::List(RunList::default()),
        gave_up: false,
    };
    let read = read_rows(path, &mut taker);
    if taker.gave_up {
        return read_runs(path).map(ReadRuns::Listed);
    }
    let (counts, findings) = read?;
    match taker.to {
        To::List(list) => Ok(ReadRuns::Listed(RunTable { rows: list.rows, counts, findings })),
        To::File(spooling) => Ok(ReadRuns::Spooled(Box::new(spooling.finish(counts, findings)?))),
    }
}

struct Taker<'a> {
    options: &'a SpoolOptions,
    /// `None` once a row was not simple.
    simple: Option<Simple>,
    to: To,
    /// A row was not simple that came after the threshold.
    gave_up: bool,
}

enum To {
    List(RunList),
    File(Box<Spooling>),
}

impl RowTaker for Taker<'_> {
    fn is_new(&mut self, row: &RunRow) -> bool {
        match &mut self.to {
            To::List(list) => list.is_new(row),
            // A retry is new, so that it is looked at below; of all others the id alone decides.
            To::File(spooling) => is_retry(row) || spooling.is_new(&row.lowered.run.run_id),
        }
    }

    fn take(&mut self, row: RunRow) -> Result<(), TraceError> {
        if self.simple.as_mut().is_some_and(|simple| !simple.accepts(&row)) {
            self.simple = None;
        }
        match &mut self.to {
            To::List(list) => {
                list.take(row)?;
                if self.simple.is_some() && list.rows.len() > self.options.threshold {
                    let mut spooling = Box::new(Spooling::create(self.options)?);
                    for row in std::mem::take(&mut list.rows) {
                        spooling.is_new(&row.lowered.run.run_id);
                        spooling.take(row)?;
                    }
                    self.to = To::File(spooling);
                }
                Ok(())
            }
            To::File(spooling) if self.simple.is_some() => spooling.take(row),
            To::File(_) => {
                self.gave_up = true;
                // Never shown: it only ends the reading.
                Err(TraceError::Options(Vec::new()))
            }
        }
    }
}

/// Whether the rows so far can be spooled.
#[derive(Default)]
struct Simple {
    last_ms: Option<i64>,
    /// A run looks like a copy of another, whose dependencies it would have.
    copies: bool,
    depends: bool,
}

impl Simple {
    fn accepts(&mut self, row: &RunRow) -> bool {
        let at = row.lowered.submitted_at_ms;
        let in_order = self.last_ms.is_none_or(|last| last <= at);
        self.last_ms = Some(at);
        self.copies |= row.lowered.run.run_id.contains('~');
        self.depends |= row.depends_on.is_some();
        in_order && !is_retry(row) && !(self.copies && self.depends)
    }
}

fn is_retry(row: &RunRow) -> bool {
    row.retry_of.is_some() || row.attempt.unwrap_or(1) != 1
}

/// Runs on their way to the file.
struct Spooling {
    writer: SpoolWriter,
    places: Places,
    names: Names,
    ends: Option<[(i64, Box<str>); 2]>,
    gaps: Gaps,
    in_vain: u64,
    /// Parents that are not there yet, of runs that were submitted at the time of the last one.
    awaited: BTreeMap<Box<str>, u64>,
}

impl Spooling {
    fn create(options: &SpoolOptions) -> Result<Self, TraceError> {
        Ok(Self {
            writer: SpoolWriter::create(&options.folder)?,
            places: Places::new(),
            names: Names::default(),
            ends: None,
            gaps: Gaps::default(),
            in_vain: 0,
            awaited: BTreeMap::new(),
        })
    }

    /// Whether no earlier row has the id; the row is taken then.
    fn is_new(&mut self, id: &str) -> bool {
        let key = Key::of(id);
        let new = self.places.find(key).is_none();
        if new {
            self.places.add(key, self.writer.count() as u32);
        }
        new
    }

    fn take(&mut self, row: RunRow) -> Result<(), TraceError> {
        let at = row.lowered.submitted_at_ms;
        let id = row.lowered.run.run_id.clone();
        let depends_on = self.parents(&row);
        let mut run = Run { depends_on, ..row.lowered.run };
        (run.application, run.team) = self.names.of(&row.lowered.application, &row.lowered.team);
        self.gaps.add(at, &id);
        match &mut self.ends {
            Some([_, last]) => *last = (at, id),
            None => self.ends = Some([(at, id.clone()), (at, id)]),
        }
        self.writer.push(run, at)
    }

    /// Places of the runs that it depends on. Those that are not there are counted: at once, when
    /// time goes on, or never, if they come at the same time.
    fn parents(&mut self, row: &RunRow) -> Box<[u32]> {
        let at = row.lowered.submitted_at_ms;
        let own = self.writer.count() as u32;
        if self.ends.as_ref().is_some_and(|[_, (last, _)]| *last < at) {
            self.close_awaited();
        }
        let mut found = Vec::new();
        for parent in row.parents() {
            match self.places.find(Key::of(parent)) {
                Some(place) if place < own => found.push(place),
                // Itself: the trace has it, but nobody waits for it.
                Some(_) => {}
                None => *self.awaited.entry(parent.into()).or_default() += 1,
            }
        }
        self.awaited.remove(&row.lowered.run.run_id);
        found.into()
    }

    fn close_awaited(&mut self) {
        self.in_vain += std::mem::take(&mut self.awaited).into_values().sum::<u64>();
    }

    fn finish(
        mut self,
        counts: TableCounts,
        findings: Vec<Finding>,
    ) -> Result<SpooledRuns, TraceError> {
        self.close_awaited();
        Ok(SpooledRuns {
            spool: self.writer.finish()?,
            names: self.names,
            ends: self.ends.expect("more runs than the threshold"),
            gaps: self.gaps,
            in_vain: self.in_vain,
            counts,
            findings,
        })
    }
}

/// Dependencies that cannot hold: on what is not there, or is submitted later.
pub(crate) fn in_vain(count: u64, subject: &str) -> Option<Finding> {
    let message = "runs in `depends_on` that the trace does not have, or has later: nothing waits \
                   for them";
    let finding = Finding::new(Severity::Warning, "depends-on-nothing", subject, message);
    (count > 0).then(|| finding.times(count))
}
