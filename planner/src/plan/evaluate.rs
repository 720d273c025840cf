//! Evaluations: simulations of candidates, each written down as soon as it is known.
//!
//! A line of `evaluations.jsonl` is one evaluation; the first line says what plan they are of. A plan
//! that is started again reads them and simulates only what is missing; the same plan gives the same
//! answer, wherever it was stopped. A line that was cut off by a power failure is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use crate::compare::{Outcomes, Side, simulate};
use crate::replicate::ReplicateError;

/// What is simulated: plain values, that another machine could be given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Task {
    /// Name of the world: empty for the one that the search sees.
    pub world: String,
    /// What the candidate changes, as `--set` has it.
    pub sets: Vec<String>,
}

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    task: Task,
    replication: u64,
    numbers: BTreeMap<String, f64>,
}

/// The first line of the journal.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    schema: String,
    plan: String,
}

const SCHEMA: &str = "seatrial.evaluations/v1";

/// Why a plan ended early.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The journal cannot be read or written.
    #[error("{}: {reason}", path.display())]
    Journal {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A simulation failed.
    #[error(transparent)]
    Simulation(#[from] ReplicateError),
    /// Nothing can be told without today's settings, or without the recommendation in a world that
    /// was asked for.
    #[error("no scenario, where one is needed: {0}")]
    Refused(String),
}

/// Makes a candidate's scenario and workload; why not, where that is no scenario.
pub type Build<'a> = dyn Fn(&Task) -> Result<Side, String> + 'a;

/// Simulates and remembers.
pub struct Evaluator<'a> {
    runtime: &'a Runtime,
    build: &'a Build<'a>,
    seed: u64,
    stop: Arc<AtomicBool>,
    finished: &'a dyn Fn(),
    journal: File,
    path: PathBuf,
    known: BTreeMap<(Task, u64), BTreeMap<String, f64>>,
    refused: BTreeMap<Task, String>,
    /// Evaluations asked for, those read from the journal among them: the budget counts these, so
    /// that going on spends what was left.
    asked: BTreeSet<(Task, u64)>,
}

impl<'a> Evaluator<'a> {
    /// Opens the journal in `folder` for the plan called `plan`, and reads what is in it.
    ///
    /// # Errors
    /// A journal of another plan, or one that cannot be read.
    pub fn open(
        folder: &Path,
        plan: &str,
        (runtime, seed): (&'a Runtime, u64),
        build: &'a Build<'a>,
        (stop, finished): (Arc<AtomicBool>, &'a dyn Fn()),
    ) -> Result<Self, PlanError> {
        let path = folder.join("evaluations.jsonl");
        let bad = |reason: String| PlanError::Journal { path: path.clone(), reason };
        std::fs::create_dir_all(folder).map_err(|error| bad(error.to_string()))?;
        let header = Header { schema: SCHEMA.to_owned(), plan: plan.to_owned() };
        let (known, lines) = match File::open(&path) {
            Ok(file) => read(BufReader::new(file), &header).map_err(bad)?,
            Err(_) => Default::default(),
        };
        // Written anew, so that a line that was cut off is gone.
        let unfinished = path.with_extension("tmp");
        let rewrite = || -> std::io::Result<File> {
            let mut file = File::create(&unfinished)?;
            writeln!(file, "{}", serde_json::to_string(&header)?)?;
            for line in &lines {
                writeln!(file, "{line}")?;
            }
            file.sync_all()?;
            std::fs::rename(&unfinished, &path)?;
            OpenOptions::new().append(true).open(&path)
        };
        let journal = rewrite().map_err(|error| bad(error.to_string()))?;
        let (refused, asked) = Default::default();
        Ok(Self { runtime, build, seed, stop, finished, journal, path, known, refused, asked })
    }

    /// Makes sure that every task has its first `replications`, and gives them in order; `None` for
    /// a task that makes no scenario.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn evaluate(
        &mut self,
        tasks: &[Task],
        replications: u64,
    ) -> Result<Vec<Option<Outcomes>>, PlanError> {
        // Each task once, whoever asks for it how often, and each of them made once.
        let wanted: BTreeSet<&Task> = tasks.iter().collect();
        let mut sides: BTreeMap<&Task, Side> = BTreeMap::new();
        for task in wanted {
            let numbers = (0..replications).map(|number| (task.clone(), number));
            self.asked.extend(numbers.clone());
            let all_known = numbers.into_iter().all(|key| self.known.contains_key(&key));
            if all_known || self.refused.contains_key(task) {
                continue;
            }
            match (self.build)(task) {
                Ok(side) => drop(sides.insert(task, side)),
                Err(reason) => drop(self.refused.insert(task.clone(), reason)),
            }
        }
        for number in 0..replications {
            let missing = sides
                .iter()
                .filter(|(task, _)| !self.known.contains_key(&((**task).clone(), number)));
            let (new, sides): (Vec<_>, Vec<Side>) =
                missing.map(|(task, side)| (((*task).clone(), number), side.clone())).unzip();
            self.simulate(&sides, new, number)?;
        }
        Ok(tasks.iter().map(|task| self.outcomes(task, replications)).collect())
    }

    fn simulate(
        &mut self,
        sides: &[Side],
        new: Vec<(Task, u64)>,
        number: u64,
    ) -> Result<(), PlanError> {
        // A few at a time, so that little is lost when it is stopped.
        const AT_ONCE: usize = 8;
        for (sides, keys) in sides.chunks(AT_ONCE).zip(new.chunks(AT_ONCE)) {
            let mut outcomes = Vec::new();
            let watch = (&self.stop, self.finished);
            let times = (number, number + 1);
            simulate(self.runtime, sides, self.seed, times, watch, &mut outcomes)?;
            for (key, outcome) in keys.iter().zip(outcomes) {
                let numbers = outcome.kept();
                let failed = |error: std::io::Error| PlanError::Journal {
                    path: self.path.clone(),
                    reason: error.to_string(),
                };
                let line = line(&key.0, key.1, numbers);
                writeln!(self.journal, "{line}").map_err(failed)?;
                // As it will be read: a number must not change where a plan goes on.
                self.known.extend(parse(&line));
            }
            self.journal.flush().map_err(|error| PlanError::Journal {
                path: self.path.clone(),
                reason: error.to_string(),
            })?;
        }
        Ok(())
    }

    fn outcomes(&self, task: &Task, replications: u64) -> Option<Outcomes> {
        let name = task.sets.join(", ");
        let numbers = (0..replications)
            .map(|number| self.known.get(&(task.clone(), number)))
            .collect::<Option<Vec<_>>>()?;
        Some(Outcomes::of(name, &numbers))
    }

    /// Evaluations asked for so far.
    pub fn spent(&self) -> u64 {
        self.asked.len() as u64
    }

    /// Every task with at least `replications` of them.
    pub fn with_replications(&self, replications: u64) -> Vec<Task> {
        let mut counts: BTreeMap<&Task, u64> = BTreeMap::new();
        for (task, _) in self.known.keys().filter(|(task, _)| task.world.is_empty()) {
            *counts.entry(task).or_default() += 1;
        }
        let enough = counts.into_iter().filter(|(_, count)| *count >= replications);
        enough.map(|(task, _)| task.clone()).collect()
    }

    /// Tasks that make no scenario, with the reason.
    pub fn refused(&self) -> &BTreeMap<Task, String> {
        &self.refused
    }
}

type Numbers = BTreeMap<String, f64>;

fn line(task: &Task, replication: u64, numbers: Numbers) -> String {
    let line = Line { task: task.clone(), replication, numbers };
    serde_json::to_string(&line).expect("texts and finite numbers can be written as JSON")
}

fn parse(line: &str) -> Option<((Task, u64), Numbers)> {
    let line: Line = serde_json::from_str(line).ok()?;
    Some(((line.task, line.replication), line.numbers))
}

type Journal = (BTreeMap<(Task, u64), Numbers>, Vec<String>);

fn read(reader: impl BufRead, expected: &Header) -> Result<Journal, String> {
    let mut lines = reader.lines();
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    let header: Option<Header> = serde_json::from_str(&first).ok();
    if header.as_ref() != Some(expected) {
        return Err(
            "holds another plan (its scenario, space or seed differ); give another --out, \
                    or remove it"
                .to_owned(),
        );
    }
    let lines = lines.map_while(Result::ok).filter_map(|line| Some((parse(&line)?, line)));
    Ok(lines.unzip())
}
