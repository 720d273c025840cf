//! `report`: a result folder as HTML, Markdown or CSV.

use std::path::{Path, PathBuf};

use clap::Args;
use reports::document::Document;
use reports::plots;
use reports::render::Format;
use reports::report::{self, ReportError};

use super::Stop;
use super::noise::Noise;
use super::output::Output;
use super::progress::Working;
use crate::result_folder;

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Result folder, as `seatrial run` wrote it.
    result: PathBuf,
    /// Where the HTML goes [default: report.html in the result folder]; its pictures go into the
    /// result folder's `plots`. With -o markdown or csv, the report goes to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// IANA name of the zone in which days begin [default: the scenario's].
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
}

pub(super) fn report(args: ReportArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let working = Working::start(noise, "report");
    let document = report::report(&args.result, args.timezone.as_deref());
    let document = document.map_err(Stop::bad_input)?;
    drop(working);
    match output.format() {
        Format::Markdown => return output.text(&document.to_markdown()),
        Format::Csv => return output.text(&document.to_csv()),
        Format::Json | Format::Yaml => {
            return Err(Stop::BadInput(
                "a report is HTML (without -o), markdown or csv; for scripts there are \
                 summary.json and the tables"
                    .to_owned(),
            ));
        }
        Format::Table => {}
    }
    let path = args.out.unwrap_or_else(|| args.result.join("report.html"));
    let write =
        |path: &Path, text: &str| result_folder::write_whole(path, text).map_err(Stop::failed);
    write(&path, &document.to_html())?;
    pictures(&document, &args.result.join("plots"))?;
    output.text(&format!("{}\n", path.display()))
}

/// Writes the report of the result in `folder` into it.
pub(super) fn into_folder(folder: &Path) -> Result<(), Stop> {
    let document =
        report::report(folder, None).map_err(|error: ReportError| Stop::failed(error))?;
    std::fs::write(folder.join("report.html"), document.to_html()).map_err(Stop::failed)?;
    pictures(&document, &folder.join("plots"))
}

fn pictures(document: &Document, folder: &Path) -> Result<(), Stop> {
    std::fs::create_dir_all(folder).map_err(Stop::failed)?;
    for (name, svg) in document.pictures() {
        let path = folder.join(format!("{name}.svg"));
        std::fs::write(&path, plots::standalone(svg)).map_err(Stop::failed)?;
    }
    Ok(())
}
