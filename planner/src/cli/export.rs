//! `export`: results as a Parquet dataset, or one as the metrics of a real cluster.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::Args;
use reports::export::{self, ExportError, MetricsWritten, Window};
use sim::units::{ParseUnitError, SimDuration};

use super::Stop;
use super::noise::Noise;
use super::output::Output;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("form").required(true).multiple(false)
          .args(["parquet", "prometheus"]))]
pub(super) struct ExportArgs {
    /// Result folders, as `seatrial run` wrote them.
    #[arg(required = true, value_name = "RESULT")]
    results: Vec<PathBuf>,
    /// Copy the tables into a dataset for polars, DuckDB and Spark:
    /// DIR/<table>/scenario=<name>/seed=<seed>/part-0.parquet.
    #[arg(long, value_name = "DIR")]
    parquet: Option<PathBuf>,
    /// Write one result as OpenMetrics text, under the names of kube-state-metrics and Cluster
    /// Autoscaler; `-` for standard output.
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
    /// Time between two samples.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration,
          conflicts_with = "parquet")]
    step: SimDuration,
    /// First sample, after the start: 90s, 2h, 1h30m.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration,
          conflicts_with = "parquet")]
    from: SimDuration,
    /// Last sample, after the start [default: the end].
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "parquet")]
    to: Option<SimDuration>,
    /// Replace what an earlier export has written.
    #[arg(long)]
    replace: bool,
}

fn duration(text: &str) -> Result<SimDuration, ParseUnitError> {
    SimDuration::parse_go(text)
}

pub(super) fn export(args: ExportArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let ExportArgs { results, parquet, prometheus, step, from, to, replace } = args;
    if let Some(dir) = parquet {
        let written = export::export_dataset(&results, &dir, replace).map_err(stop)?;
        let shown = dir.display();
        let mib = written.bytes as f64 / f64::from(1 << 20);
        noise.note(&format!("{} files, {mib:.1} MiB in {shown}", written.files));
        return Ok(());
    }
    let [result] = results.as_slice() else {
        return Err(Stop::BadInput(format!(
            "--prometheus writes one RESULT, not {}: their series would be the same; write a file \
             for each",
            results.len()
        )));
    };
    let target = prometheus.expect("clap asks for one of them");
    let window = Window { from, to, step };
    let MetricsWritten { samples, calendar } = match target == Path::new("-") {
        true => {
            // Standard output by itself would write line by line.
            let mut out = BufWriter::with_capacity(1 << 16, output.writer());
            export::write_openmetrics(result, &window, &mut out)
        }
        false => export::write_openmetrics_file(result, &window, &target, replace),
    }
    .map_err(stop)?;
    noise.note(&format!("{samples} samples in {}", target.display()));
    if !calendar {
        noise.note("the trace has no calendar: timestamps count from 1970-01-01");
    }
    Ok(())
}

/// A folder that holds no result, or a place that is taken, is the user's to mend.
fn stop(error: ExportError) -> Stop {
    match error {
        ExportError::Writer(error) => super::output::stop(error),
        error if error.is_bad_input() => Stop::bad_input(error),
        error => Stop::failed(error),
    }
}
