//! `upgrade`: what other releases change by default, and what that does to the scenario.

mod here;
mod page;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use reports::render::{self, Format};
use scenarios::Loaded;
use scenarios::upgrade::{self, Change, Releases};

use self::here::Here;
use super::Stop;
use super::compare::{self, Asked, Compared};
use super::noise::Noise;
use super::output::Output;
use super::run::{ScenarioArgs, SimulationArgs};
use crate::compare::Side;
use crate::compare::attribution::one_by_one;
use crate::emit;
use crate::result_folder::{self, Owner, ResultFolder};

#[derive(Debug, Args)]
pub(super) struct UpgradeArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Spark's release after the upgrade, 3.0 to 4.3.
    #[arg(long, value_name = "RELEASE")]
    spark: Option<String>,
    /// The cluster's and Cluster Autoscaler's release after the upgrade, 1.20 to 1.36.
    #[arg(long, value_name = "RELEASE")]
    kubernetes: Option<String>,
    /// The new Kubernetes release is in EKS' extended support as well.
    #[arg(long)]
    keep_extended_support: bool,
    #[command(flatten)]
    simulation: SimulationArgs,
    /// Folder of the answer: upgrade.html, upgrade.json, upgraded.yaml
    /// [default: results/<name>-upgrade].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Folders that an earlier `upgrade` wrote.
const UPGRADE: Owner = Owner {
    is_ours: |folder| {
        folder.join("upgrade.json").is_file() && folder.join("upgraded.yaml").is_file()
    },
    refusal: "holds other files than those of seatrial upgrade, and is not overwritten",
};

/// The answer.
struct Upgrade {
    from: Releases,
    to: Releases,
    base: Loaded,
    target: Loaded,
    /// What changes and what it means here, the pressing ones first.
    changes: Vec<(Change, Here)>,
    compared: Compared,
    /// The control plane is billed for extended support before, after.
    extended: (bool, bool),
}

pub(super) fn upgrade(args: UpgradeArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let spark = args.spark.as_ref().map(|to| format!("spec.spark.version=\"{to}\""));
    let kubernetes = args.kubernetes.as_ref().map(|to| format!("spec.kubernetesVersion=\"{to}\""));
    if spark.is_none() && kubernetes.is_none() {
        return Err(Stop::BadInput(
            "nothing to upgrade: give --spark RELEASE, --kubernetes RELEASE, or both".to_owned(),
        ));
    }
    let seed = args.simulation.seed;
    let load = |own: &[&Option<String>]| {
        let own = own.iter().filter_map(|set| set.as_ref().cloned());
        let sets = args.scenario.sets.iter().cloned().chain(own).collect();
        compare::side(&args.scenario.scenario, sets, seed, noise)
    };
    let (base, base_side) = load(&[])?;
    let name = format!("{}-upgrade", result_folder::sanitised(&base.scenario.name));
    let out = args.out.unwrap_or_else(|| Path::new("results").join(name));
    result_folder::check_as(&UPGRADE, &out).map_err(Stop::bad_input)?;
    let was_extended = is_extended(&base);
    let support = (was_extended && kubernetes.is_some() && !args.keep_extended_support)
        .then(|| "spec.fees.controlPlane=standard".to_owned());
    let (target, mut target_side) = load(&[&spark, &kubernetes, &support])?;
    let (from, to) = (Releases::of(&base), Releases::of(&target));
    refuse_downgrade(&from, &to)?;
    "upgraded".clone_into(&mut target_side.name);
    let mut alone = Vec::new();
    if spark.is_some() && kubernetes.is_some() {
        for (name, sets) in [("Spark", [&spark, &None]), ("Kubernetes", [&kubernetes, &support])] {
            let (_, side) = load(&sets)?;
            alone.push(Side { name: format!("{name} alone"), ..side });
        }
    } else {
        alone = one_by_one((&base, &base_side), (&target, &target_side)).0;
        alone.retain(|side| !Arc::ptr_eq(&side.scenario, &base_side.scenario));
    }
    let asked = Asked {
        loaded: vec![base.clone(), target.clone()],
        sides: vec![base_side, target_side],
        alone: vec![if alone.len() > 1 { alone } else { Vec::new() }],
        gates: Vec::new(),
        error: None,
        all: false,
    };
    let compared = compare::carry_out(asked, &args.simulation, noise)?;
    let meant = |change: Change| {
        let here = here::here(&base, &target, &change);
        (change, here)
    };
    let mut changes: Vec<_> = upgrade::changes(&from, &to).into_iter().map(meant).collect();
    changes.sort_by_key(|(_, here)| here.rank());
    let extended = (was_extended, is_extended(&target));
    let found = Upgrade { from, to, base, target, changes, compared, extended };
    write(&out, &found)?;
    print(&out, &found, output)
}

fn is_extended(loaded: &Loaded) -> bool {
    loaded.scenario.fees.control_plane == scenarios::extended_support()
}

fn refuse_downgrade(from: &Releases, to: &Releases) -> Result<(), Stop> {
    let mut said = Vec::new();
    if to.spark < from.spark {
        said.push(format!("--spark {}: the scenario is at {} already", to.spark, from.spark));
    }
    if to.kubernetes < from.kubernetes {
        let (to, from) = (to.kubernetes, from.kubernetes);
        said.push(format!("--kubernetes {to}: the scenario is at {from} already"));
    }
    match said.is_empty() {
        true => Ok(()),
        false => Err(Stop::BadInput(format!(
            "{}\n  an upgrade goes forward; to compare with an older release: seatrial compare",
            said.join("\n")
        ))),
    }
}

fn write(out: &Path, found: &Upgrade) -> Result<(), Stop> {
    let folder = ResultFolder::create_as(UPGRADE, out).map_err(Stop::failed)?;
    let put = |name: &str, text: &str| folder.write(name, text).map_err(Stop::failed);
    put("upgrade.html", &page::document(found).to_html())?;
    put("upgrade.json", &render::json(&page::value(found)))?;
    let header = format!("# seatrial upgrade: {}\n", page::title(found));
    let expected = compare::expected(&found.compared, 1);
    put(
        "upgraded.yaml",
        &format!("{header}{}", emit::in_one_file(&found.target, out, expected.as_deref())),
    )?;
    folder.commit().map_err(Stop::failed)
}

fn print(out: &Path, found: &Upgrade, output: &mut Output) -> Result<(), Stop> {
    match output.format() {
        Format::Json => return output.text(&render::json(&page::value(found))),
        Format::Yaml => return output.text(&render::yaml(&page::value(found))),
        Format::Csv => return output.grid(&page::changes(found)),
        Format::Markdown => return output.text(&page::document(found).to_markdown()),
        Format::Table => {}
    }
    output.text(&format!("{}\n\nWhat changes by default\n", page::title(found)))?;
    output.grid(&page::short(found))?;
    let files = page::files(found);
    if !files.is_empty() {
        output.text("\nFiles to touch\n")?;
        output.grid(&files)?;
    }
    output.text("\nWhat it does: ")?;
    compare::print_tables(&found.compared, output)?;
    for line in page::lines(found) {
        output.text(&format!("\n{}", reports::escape::sentence(&line)))?;
    }
    let next = "upgrade.html, upgrade.json; seatrial run upgraded.yaml simulates it";
    output.text(&format!("\n\n{}: {next}\n", out.display()))
}
