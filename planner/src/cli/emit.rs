//! `emit`: the live system's files for a scenario.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use reports::grid::{Grid, GridCell, GridColumn};
use scenarios::Loaded;

use super::Stop;
use super::effect;
use super::noise::Noise;
use super::output::Output;
use super::run::{self, ScenarioArgs};
use crate::emit::{self, Emitted, Kind};
use crate::result_folder::{self, Owner, ResultFolder};

/// Folders that an earlier `emit` wrote.
const EMITTED: Owner = Owner {
    is_ours: emit::is_ours,
    refusal: "holds other files than those of seatrial emit, and is not overwritten",
};

#[derive(Debug, Args)]
pub(super) struct EmitArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Folder for the files. One that an earlier `emit` wrote is replaced, other files are not.
    #[arg(long, value_name = "DIR", required_unless_present = "diff")]
    out: Option<PathBuf>,
    /// Only these: spark-defaults, spark-classes, pod-templates, spark-application, emr-job-run,
    /// eksctl, cluster-autoscaler, karpenter, scheduler, overprovisioning, pre-puller, retry-ladder,
    /// scenario.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kind)]
    only: Vec<Kind>,
    /// Print what changes in the files that the scenario names, as a unified diff: comments, order
    /// and unknown keys of the user's files stay.
    #[arg(long)]
    diff: bool,
}

fn kind(text: &str) -> Result<Kind, String> {
    let found = Kind::NAMES.iter().find(|(name, _)| *name == text);
    let names: Vec<&str> = Kind::NAMES.iter().map(|(name, _)| *name).collect();
    found.map(|(_, kind)| *kind).ok_or_else(|| format!("one of {}", names.join(", ")))
}

pub(super) fn emit(args: EmitArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let EmitArgs { scenario: given, out, only, diff } = args;
    let (loaded, series) = run::load(&given)?;
    if let Some(out) = &out {
        result_folder::check_as(&EMITTED, out).map_err(Stop::bad_input)?;
    }
    let kinds: BTreeSet<Kind> = only.into_iter().collect();
    // Before anything is written: a file that cannot be read again is the user's to mend.
    let own = diff.then(|| emit::diff(&loaded)).transpose().map_err(Stop::BadInput)?;
    noise.findings(loaded.findings.iter().chain(&series), "of the scenario");
    if let Some(out) = out {
        let window = window(&loaded, noise);
        let emitted = emit::emit(&loaded, &kinds, &out, window.as_deref());
        let folder = ResultFolder::create_as(EMITTED, &out).map_err(Stop::failed)?;
        for file in &emitted.files {
            folder.write(file.name, &file.text).map_err(Stop::failed)?;
        }
        folder.commit().map_err(Stop::failed)?;
        noise.findings(emitted.findings.iter(), "of the files");
        noise.note(&format!("{} files in {}", emitted.files.len(), out.display()));
        if own.is_none() {
            output.grid(&grid(&emitted))?;
        }
    }
    let Some((text, findings)) = own else {
        return Ok(());
    };
    noise.findings(findings.iter(), "of the diff");
    if text.is_empty() {
        noise.note("the files that the scenario names need no change in place");
    }
    output.text(&text)
}

/// What the traces hold. Files can be emitted without: a trace that cannot be read is said, no more.
fn window(loaded: &Loaded, noise: &Noise) -> Option<String> {
    if loaded.traces.is_empty() {
        return None;
    }
    let read = run::record_traces(loaded, noise)
        .and_then(|trace| run::workloads(loaded, trace, 0))
        .map(|workloads| effect::window(&workloads(0)));
    if read.is_err() {
        noise.note("the traces could not be read: the files do not say what they hold");
    }
    read.ok()
}

fn grid(emitted: &Emitted) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("File", "file"),
        GridColumn::words("What", "what"),
        GridColumn::figures("Bytes", "bytes"),
    ]);
    for file in &emitted.files {
        grid.push(vec![
            GridCell::text(file.name),
            GridCell::sentence(file.what),
            GridCell::whole(file.text.len() as u64),
        ]);
    }
    grid
}
