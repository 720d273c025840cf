//! `trace synth`: a made-up platform's runs.

use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reports::figures::grouped;
use sim::Seed;
use traces::SynthOptions;
use traces::table::Format;

use super::{Stop, stop};
use crate::cli::noise::Noise;

#[derive(Debug, Args)]
pub(in crate::cli) struct SynthArgs {
    /// Table to write (`day.csv`, `day.parquet`), or a folder for one.
    #[arg(long, value_name = "FILE_OR_DIR")]
    out: PathBuf,
    /// Mean submissions on a working day.
    #[arg(long, value_name = "N")]
    runs_per_day: Option<f64>,
    /// Days.
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// People who own the applications.
    #[arg(long, value_name = "N")]
    owners: Option<u32>,
    /// First day, in UTC [default: 2026-03-02, a Monday].
    #[arg(long, value_name = "YYYY-MM-DD")]
    start: Option<Date>,
    /// Mean work of a run, in core-hours of task time.
    #[arg(long, value_name = "HOURS")]
    mean_core_hours: Option<f64>,
    /// Root of all draws: the same seed gives the same bytes.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl SynthArgs {
    fn options(&self) -> Result<SynthOptions, Stop> {
        let usual = SynthOptions::default();
        let start_epoch_ms = match self.start {
            None => usual.start_epoch_ms,
            Some(date) => {
                date.to_zoned(TimeZone::UTC).map_err(Stop::bad_input)?.timestamp().as_millisecond()
            }
        };
        Ok(SynthOptions {
            runs_per_day: self.runs_per_day.unwrap_or(usual.runs_per_day),
            days: self.days.unwrap_or(usual.days),
            owners: self.owners.unwrap_or(usual.owners),
            mean_core_hours: self.mean_core_hours.unwrap_or(usual.mean_core_hours),
            start_epoch_ms,
            seed: Seed::new(self.seed),
            ..usual
        })
    }
}

pub(super) fn synth(args: &SynthArgs, noise: &Noise) -> Result<(), Stop> {
    let options = args.options()?;
    options.check().map_err(stop)?;
    let whole = || traces::synthesize_rows(&options);
    let (runs, written) = match Format::of(&args.out) {
        Ok(Format::Csv) => {
            let days = traces::synthesize_days(&options);
            let runs = traces::canonical::write_runs_csv(&args.out, days).map_err(stop)?;
            (runs, vec![args.out.clone()])
        }
        Ok(Format::Parquet) => {
            let rows = whole();
            traces::canonical::write_runs(&args.out, &rows).map_err(stop)?;
            (rows.len() as u64, vec![args.out.clone()])
        }
        Err(_) => {
            let written = traces::ingest::write_runs_folder(whole(), &args.out, Format::Parquet);
            let report = written.map_err(stop)?;
            (report.runs, report.written)
        }
    };
    for path in written {
        noise.note(&format!("written: {} ({} runs)", path.display(), grouped(runs)));
    }
    Ok(())
}
