//! What was read of recorded files, to be simulated: a list of runs, or a large job table's in a
//! temporary file (see [`crate::spool`]).

use std::sync::Arc;

use sim::workload::{Runs, TracePod};
use sim::{Finding, Workload};

use crate::load::{LoadedTrace, TableReport};
use crate::spool::SpooledRuns;
use crate::workload::{WorkloadOptions, epoch, into_workload, span_problem};
use crate::{TraceError, inspect};

/// What was read.
pub enum Recorded {
    /// All of it in memory.
    Listed(LoadedTrace),
    /// The runs in a file. Only for workloads as they were recorded: neither scaled nor resampled
    /// nor rescaled.
    Spooled(SpooledTrace),
}

/// A trace whose runs are in a file.
pub struct SpooledTrace {
    pub(crate) runs: Box<SpooledRuns>,
    pub(crate) pods: Vec<TracePod>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) tables: Vec<TableReport>,
}

impl Recorded {
    /// What was found, source by source.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Listed(trace) => &trace.findings,
            Self::Spooled(trace) => &trace.findings,
        }
    }

    /// Where the rows of every table went.
    pub fn tables(&self) -> &[TableReport] {
        match self {
            Self::Listed(trace) => &trace.tables,
            Self::Spooled(trace) => &trace.tables,
        }
    }

    /// Whether there is neither a run nor a pod.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Listed(trace) => trace.runs.is_empty() && trace.pods.is_empty(),
            Self::Spooled(_) => false,
        }
    }

    /// See [`inspect::gap`].
    pub fn gap(&self) -> Option<Finding> {
        match self {
            Self::Listed(trace) => inspect::gap(trace),
            Self::Spooled(trace) => trace.runs.gaps.finding(),
        }
    }

    /// See [`WorkloadOptions::check`].
    ///
    /// # Errors
    /// All that is out of range.
    pub fn check(&self, options: &WorkloadOptions) -> Result<(), TraceError> {
        match self {
            Self::Listed(trace) => options.check(trace),
            Self::Spooled(trace) => {
                let ends = [0, 1].map(|end| {
                    let (at, id) = &trace.runs.ends[end];
                    (*at, &**id)
                });
                let problem = span_problem(Some(ends), &trace.pods);
                problem.map_or(Ok(()), |problem| Err(TraceError::Options(vec![problem])))
            }
        }
    }

    /// See [`into_workload`].
    pub fn into_workload(self, options: &WorkloadOptions) -> Workload {
        match self {
            Self::Listed(trace) => into_workload(trace, options),
            Self::Spooled(SpooledTrace { runs, pods, .. }) => {
                let epoch_ms = epoch(runs.ends.iter().map(|(at, _)| *at), &pods);
                let store = Runs::stored(Arc::new(runs.spool.since(epoch_ms)));
                runs.names.workload(epoch_ms, store, pods)
            }
        }
    }
}
