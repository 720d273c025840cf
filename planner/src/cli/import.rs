//! `import`: a scenario out of what people have.

use std::path::PathBuf;

use clap::Args;
use reports::escape;
use reports::grid::{Grid, GridCell, GridColumn};
use reports::render::{self, Format};
use scenarios::import::{self, Import};
use serde_json::json;

use super::Stop;
use super::output::Output;

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Files and folders: eksctl, `kubectl get nodes,pods,deploy -o json`, Cluster Autoscaler flags,
    /// scheduler configuration, pod templates, SparkApplications, spark-defaults.conf.
    #[arg(required = true, value_name = "FILE_OR_DIR")]
    given: Vec<PathBuf>,
    /// New folder for scenario.yaml and the files that it names.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Name of the scenario [default: the folder's].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

pub(super) fn import(args: ImportArgs, output: &mut Output) -> Result<(), Stop> {
    if args.out.exists() {
        let out = args.out.display();
        return Err(Stop::BadInput(format!("{out} is there already; give a new folder")));
    }
    let (given, unread) = import::gather(&args.given, Some(&args.out)).map_err(Stop::bad_input)?;
    let name = args.name.unwrap_or_else(|| import::name_of(&args.out));
    let mut made = import::import(&name, &given).map_err(Stop::bad_input)?;
    made.ignored.extend(unread);
    let folder = write(&args.out, &made)?;
    // A scenario that does not load helps nobody: what is wrong with it is said instead.
    scenarios::load(&folder.join("scenario.yaml"), &[]).map_err(|problems| {
        let _ = std::fs::remove_dir_all(&folder);
        Stop::BadInput(format!("what was found makes no scenario yet:\n{problems}"))
    })?;
    std::fs::rename(&folder, &args.out).map_err(Stop::failed)?;
    print(&args.out.display().to_string(), &made, output)
}

/// Writes the files into a hidden folder beside `out`.
fn write(out: &std::path::Path, made: &Import) -> Result<PathBuf, Stop> {
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned());
    let Some(name) = name else {
        return Err(Stop::BadInput("--out needs the name of a new folder".to_owned()));
    };
    let folder = out.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(Stop::failed)?;
    let put = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).map_err(|error| {
            let _ = std::fs::remove_dir_all(&folder);
            Stop::failed(error)
        })
    };
    for file in &made.files {
        put(&file.name, &file.text)?;
    }
    put("scenario.yaml", &made.scenario)?;
    Ok(folder)
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
