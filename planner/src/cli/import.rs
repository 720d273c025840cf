//! `import`: a scenario out of what people have.

use std::path::{Path, PathBuf};

use clap::Args;
use reports::escape;
use reports::grid::{Grid, GridCell, GridColumn};
use reports::render::{self, Format};
use scenarios::import::{self, Import};
use serde_json::json;

use super::Stop;
use super::output::Output;
use crate::result_folder::{self, Owner, ResultFolder};

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Files and folders: eksctl, `kubectl get nodes,pods,deploy -o json`, Cluster Autoscaler
    /// flags, scheduler configuration, pod templates, SparkApplications, spark-defaults.conf.
    #[arg(required = true, value_name = "FILE_OR_DIR")]
    given: Vec<PathBuf>,
    /// New folder for scenario.yaml and the files that it names.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Name of the scenario [default: the folder's].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// Only a new folder is written.
const NEW: Owner = Owner { is_ours: |_| false, refusal: "is there already; give a new folder" };

pub(super) fn import(args: ImportArgs, output: &mut Output) -> Result<(), Stop> {
    result_folder::check_as(&NEW, &args.out).map_err(Stop::bad_input)?;
    let (given, unread) = import::gather(&args.given, Some(&args.out)).map_err(Stop::bad_input)?;
    let name = args.name.unwrap_or_else(|| import::name_of(&args.out));
    let mut made = import::import(&name, &given).map_err(Stop::bad_input)?;
    made.ignored.extend(unread);
    check(&made, &args.out)?;
    let folder = ResultFolder::create_as(NEW, &args.out).map_err(Stop::failed)?;
    put(&made, folder.path()).map_err(Stop::failed)?;
    folder.commit().map_err(Stop::failed)?;
    print(&args.out.display().to_string(), &made, output)
}

/// A scenario that does not load helps nobody: what is wrong with it is said instead, before there
/// is anything of it where the user wants it.
fn check(made: &Import, out: &Path) -> Result<(), Stop> {
    let trial = std::env::temp_dir().join(format!("seatrial-import-{}", std::process::id()));
    std::fs::create_dir(&trial).map_err(Stop::failed)?;
    let loaded = put(made, &trial).map(|()| scenarios::load(&trial.join("scenario.yaml"), &[]));
    std::fs::remove_dir_all(&trial).map_err(Stop::failed)?;
    match loaded.map_err(Stop::failed)? {
        Ok(_) => Ok(()),
        Err(problems) => {
            let there = out.display().to_string();
            let problems = problems.to_string().replace(&trial.display().to_string(), &there);
            Err(Stop::BadInput(format!("what was found makes no scenario yet:\n{problems}")))
        }
    }
}

fn put(made: &Import, folder: &Path) -> std::io::Result<()> {
    for file in &made.files {
        std::fs::write(folder.join(&file.name), &file.text)?;
    }
    std::fs::write(folder.join("scenario.yaml"), &made.scenario)
}

fn print(out: &str, made: &Import, output: &mut Output) -> Result<(), Stop> {
    let list = |columns: &[GridColumn], rows: Vec<Vec<&str>>| {
        let mut grid = Grid::new(columns);
        for row in rows {
            grid.push(row.into_iter().map(GridCell::sentence).collect());
        }
        grid
    };
    let words = GridColumn::words;
    let found = made.found.iter().map(|f| vec![f.file.as_str(), &f.what, &f.used]).collect();
    let found =
        list(&[words("file", "file"), words("is", "is"), words("taken for", "used")], found);
    let unknown = made.unknown.iter().map(|u| vec![u.key.as_str(), &u.until_then]).collect();
    let unknown = list(&[words("key", "key"), words("until it is set", "until_then")], unknown);
    let ignored = made.ignored.iter().map(|i| vec![i.file.as_str(), &i.why]).collect();
    let ignored = list(&[words("file", "file"), words("why", "why")], ignored);
    let parts = [("Found", found), ("What no file says", unknown), ("Not used", ignored)];
    if matches!(output.format(), Format::Json | Format::Yaml) {
        let value = json!({
            "scenario": format!("{out}/scenario.yaml"),
            "found": parts[0].1.to_value(),
            "unknown": parts[1].1.to_value(),
            "ignored": parts[2].1.to_value(),
        });
        return match output.format() {
            Format::Json => output.text(&render::json(&value)),
            _ => output.text(&render::yaml(&value)),
        };
    }
    for (title, grid) in parts.iter().filter(|(_, grid)| !grid.is_empty()) {
        output.text(&format!("{title}\n"))?;
        output.grid(grid)?;
        output.text("\n")?;
    }
    let next = "name a trace in spec.workload.traces, then seatrial run";
    output.text(&format!("{}/scenario.yaml: {next}\n", escape::sentence(out)))
}
