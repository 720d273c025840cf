//! The scenario file to [`sim::Scenario`], with everything that is wrong at once.
//!
//! The file names the live system's own files; they are read by [`crate::native`]. What cannot go
//! together is refused here, what probably was not meant is a finding, and every value that no
//! file gave is written out in [`Loaded::resolved`].
//!
//! Left out: traces and spot series are named and not read, and `plan` is kept and not understood.

mod assumptions;
mod autoscaler;
mod billing;
mod context;
pub(crate) mod cross_check;
mod images;
mod instance_types;
mod karpenter;
mod node_list;
mod orchestrator;
mod overprovisioning;
mod platform;
mod pools;
mod resolved;
mod retry_ladder;
mod scheduler;
mod settings;
mod spark;
mod spot;
mod workload;

use std::path::{Path, PathBuf};

use sim::{Finding, Scenario};

use crate::native::spark_defaults::SparkConf;
use crate::overlay::{self, Overlay};
use crate::problem::{Problem, Problems, Source};
use crate::walk::Walker;

pub use billing::extended_support;
pub(crate) use platform::json_of;
pub use spot::{SpotSeriesRef, SpotSeriesUse};
pub use workload::{Resample, TraceKind, TraceRef, WorkloadOptions};

/// Why a scenario could not be loaded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ScenarioError {
    /// What the user wrote cannot be used.
    #[error("{0}")]
    Invalid(Problems),
}

/// A scenario and what came with it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The platform.
    pub scenario: Scenario,
    /// The traces, in the order of the file. They may not be there: see [`Loaded::check_traces`].
    pub traces: Vec<TraceRef>,
    /// What is to be done with the traces.
    pub workload: WorkloadOptions,
    /// Recorded spot series that the scenario names. They are not read: who simulates the scenario
    /// puts what they say into it first.
    pub spot_series: Vec<SpotSeriesRef>,
    /// `metadata.expectedEffect` and the hash of what it is about.
    pub expected: Option<Expected>,
    /// `spec.plan`, as it is.
    pub plan: Option<serde_json::Value>,
    /// Spark's settings as they were given, those that the model does not follow among them.
    pub spark_conf: SparkConf,
    /// Karpenter's NodePools and EC2NodeClasses as they are with the scenario's changes; none
    /// without Karpenter.
    pub karpenter: Vec<serde_json::Value>,
    /// The cluster's name, where an eksctl file says it.
    pub cluster: Option<String>,
    /// The live system's files that went in.
    pub native_files: Vec<NativeFile>,
    /// Settings that are not modelled, guesses that were used, combinations that look unmeant.
    pub findings: Vec<Finding>,
    /// The scenario with every value explicit and nothing outside of it but its traces; loads to
    /// the same [`Scenario`]. The same bytes for the same input; no absolute paths.
    pub resolved: String,
}

/// What the settings were found to do, by whoever wrote the scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// For people.
    pub effect: String,
    /// Hash of the settings that it is about.
    pub of: String,
}

/// A file of the live system that a scenario names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeFile {
    /// The setting that names it, such as `spec.spark.defaults`.
    pub setting: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Loads the scenario file `path` with its bases and the `--set` options.
///
/// # Errors
/// Everything that is wrong, in its files and in the native files that it names.
pub fn load(path: &Path, sets: &[String]) -> Result<Loaded, ScenarioError> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    lower(overlay::load(path, sets), stem.as_deref().unwrap_or("scenario"))
}

/// Loads a scenario from `text`, as if it stood in a file called `name` in the current folder.
///
/// # Errors
/// As [`load`].
pub fn load_text(name: &str, text: &str) -> Result<Loaded, ScenarioError> {
    lower(overlay::of_text(name, text), name)
}

/// A retry ladder as what `spec.retries` holds, every value explicit.
pub fn retries_value(ladder: &sim::scenario::RetryLadder) -> serde_json::Value {
    resolved::ladder(ladder)
}

/// A YAML text of ours as JSON.
pub(crate) fn json_of_text(text: &str) -> serde_json::Value {
    let (node, _) = crate::yaml::parse_one(&Source::new("resolved", text), 0);
    platform::json_of(&node)
}

/// A YAML text as one line, as the value of a `--set` option can hold it.
///
/// # Errors
/// What is wrong with the text of the file `name`, with its place.
pub fn one_line(name: &str, yaml: &str) -> Result<String, ScenarioError> {
    let (node, problems) = crate::yaml::parse_one(&Source::new(name, yaml), 0);
    if problems.is_empty() {
        Ok(platform::json_of(&node).to_string())
    } else {
        Err(ScenarioError::Invalid(Problems(problems)))
    }
}

fn lower(overlay: Overlay, default_name: &str) -> Result<Loaded, ScenarioError> {
    if overlay.incomplete {
        // What a missing part would have said is not missing from the others.
        return Err(ScenarioError::Invalid(Problems(overlay.problems)));
    }
    let walker = Walker::strict(&overlay.sources);
    let context = context::Context::new(&walker);
    let loaded = platform::lower(&context, &overlay.node, default_name);
    let (mut findings, native_files) = context.finish();
    let mut problems = overlay.problems.clone();
    let (found, noted) = walker.finish();
    problems.extend(found);
    findings.extend(noted);
    match loaded {
        Some(loaded) if problems.is_empty() => Ok(Loaded { findings, native_files, ..loaded }),
        _ => Err(ScenarioError::Invalid(Problems(in_order(problems, &overlay)))),
    }
}

/// Problems by file, in the order in which the files were read, then by line.
fn in_order(mut problems: Vec<Problem>, overlay: &Overlay) -> Vec<Problem> {
    let rank = |problem: &Problem| {
        let own = overlay.sources.iter().position(|source| source.name == problem.file);
        (own.unwrap_or(usize::MAX), problem.file.clone(), problem.line, problem.column)
    };
    problems.sort_by_cached_key(rank);
    problems.dedup();
    problems
}

impl Loaded {
    /// Traces that are not there. An address (`s3://..`) is not looked at.
    ///
    /// # Errors
    /// One problem a trace.
    pub fn check_traces(&self) -> Result<(), ScenarioError> {
        let missing: Vec<Problem> =
            self.traces.iter().filter_map(|trace| trace.missing()).collect();
        if missing.is_empty() { Ok(()) } else { Err(ScenarioError::Invalid(Problems(missing))) }
    }
}

#[cfg(test)]
mod tests;
