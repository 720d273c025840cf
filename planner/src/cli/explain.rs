//! `explain`: why a pod, a run, a node or a node group of a result lived as it did.

use std::path::PathBuf;

use clap::Args;
use reports::explain::{self, ExplainError, Subject};

use super::Stop;
use super::output::Output;
use crate::result_folder;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("subject").required(true).multiple(false)
          .args(["run", "pod", "run_option", "node", "node_group"]))]
pub(super) struct ExplainArgs {
    /// Result folder, as `seatrial run` wrote it.
    result: PathBuf,
    /// A run, by its id or its place in the workload: the same as --run.
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// A pod: its number, RUN/driver, RUN/exec-N, or its name in the pod trace.
    #[arg(long, value_name = "POD")]
    pod: Option<String>,
    /// The attempt whose pod is meant [default: the last that has it].
    #[arg(long, value_name = "N", requires = "pod")]
    attempt: Option<u32>,
    /// A run, by its id or its place in the workload.
    #[arg(long = "run", id = "run_option", value_name = "RUN")]
    run_option: Option<String>,
    /// A node, by its number.
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// A node group (node pool), by its name.
    #[arg(long, value_name = "GROUP")]
    node_group: Option<String>,
    /// Also draw the run's pods over time as SVG.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pod", "node", "node_group"])]
    svg: Option<PathBuf>,
}

pub(super) fn explain(args: ExplainArgs, output: &mut Output) -> Result<(), Stop> {
    let ExplainArgs { result, run, pod, attempt, run_option, node, node_group, svg } = args;
    let subject = pod
        .map(|name| Subject::Pod { name, attempt })
        .or(node.map(Subject::Node))
        .or(node_group.map(Subject::NodeGroup))
        .or(run.or(run_option).map(Subject::Run))
        .expect("clap asks for one of them");
    let explanation = explain::explain(&result, &subject).map_err(stop)?;
    if let (Some(path), Some(picture)) = (svg, explanation.picture()) {
        let picture = reports::plots::standalone(picture);
        result_folder::write_whole(&path, &picture).map_err(Stop::failed)?;
    }
    output.text(&explanation.render(output.format(), output.bold()))
}

/// A folder or a name that is not there is the user's to mend; so is a damaged table.
fn stop(error: ExplainError) -> Stop {
    Stop::bad_input(error)
}
