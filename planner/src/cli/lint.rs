//! `lint`: what is wrong with files as people have them.

use std::path::PathBuf;

use clap::Args;
use reports::escape;
use reports::grid::{Grid, GridCell, GridColumn};
use reports::render::{self, Format};
use scenarios::import;
use scenarios::lint::{self, LintFinding, Release, Report, Said, Targets};
use serde_json::json;
use sim::Severity;

use super::Stop;
use super::noise::Noise;
use super::output::Output;

#[derive(Debug, Args)]
pub(super) struct LintArgs {
    /// Files and folders: eksctl, Karpenter NodePools, Cluster Autoscaler flags, scheduler
    /// configuration, pod templates, SparkApplications, spark-defaults.conf; or a scenario, with the
    /// files that it names.
    #[arg(required_unless_present = "rules", value_name = "FILE_OR_DIR")]
    given: Vec<PathBuf>,
    /// Judge for this Kubernetes, and Cluster Autoscaler [default: what the files say].
    #[arg(long, value_name = "RELEASE")]
    kubernetes: Option<Release>,
    /// Judge for this Spark [default: what the files say, else 3.5].
    #[arg(long, value_name = "RELEASE")]
    spark: Option<Release>,
    /// Judge for this Karpenter [default: 1.6].
    #[arg(long, value_name = "RELEASE")]
    karpenter: Option<Release>,
    /// Warnings fail, too.
    #[arg(long)]
    strict: bool,
    /// Print the rules with their sources, and judge nothing.
    #[arg(long, conflicts_with_all = ["given", "strict"])]
    rules: bool,
}

pub(super) fn lint(args: LintArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    if args.rules {
        return output.grid(&rules());
    }
    let (given, unread) = import::gather(&args.given, None).map_err(Stop::bad_input)?;
    let said = |release: Option<Release>, option: &str| {
        release.map(|release| Said { release, by: option.to_owned() })
    };
    let asked = Targets {
        kubernetes: said(args.kubernetes, "--kubernetes"),
        spark: said(args.spark, "--spark"),
        karpenter: said(args.karpenter, "--karpenter"),
    };
    let mut report = lint::lint(given, asked).map_err(Stop::bad_input)?;
    report.skipped.extend(unread);
    if report.judged.is_empty() {
        let skipped = report.skipped.iter().map(|one| format!("{}: {}", one.file, one.why));
        let skipped: Vec<String> = skipped.take(20).collect();
        let message = format!("nothing here can be judged\n{}", skipped.join("\n"));
        return Err(Stop::BadInput(message));
    }
    print(&report, output)?;
    for one in &report.skipped {
        noise.note(&format!("not judged: {}: {}", one.file, one.why));
    }
    let count = |severity: Severity| {
        report.findings.iter().filter(|one| one.rule.severity == severity).count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if errors > 0 || (args.strict && warnings > 0) {
        let strict = if args.strict { " (--strict)" } else { "" };
        let counts = [counted(errors, "error"), counted(warnings, "warning")].join(", ");
        return Err(Stop::Gate(format!("{counts}{strict}")));
    }
    Ok(())
}

/// `1 error`, `2 errors`.
fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// The word for people and scripts.
const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn print(report: &Report, output: &mut Output) -> Result<(), Stop> {
    match output.format() {
        Format::Json => output.text(&render::json(&value(report))),
        Format::Yaml => output.text(&render::yaml(&value(report))),
        Format::Table => output.text(&text(report)),
        Format::Csv | Format::Markdown => output.grid(&grid(report)),
    }
}

/// As compilers write it: place, severity, rule; then what, why and what next.
fn text(report: &Report) -> String {
    let mut out = String::new();
    for one in &report.findings {
        let place = escape::sentence(&place(one));
        out.push_str(&format!("{place}: {} [{}]\n", word(one.rule.severity), one.rule.id));
        out.push_str(&format!("  {}\n", escape::sentence(&one.what)));
        out.push_str(&format!("  why:  {}\n", one.rule.why));
        out.push_str(&format!("  next: {}\n\n", escape::sentence(&one.next)));
    }
    out.push_str(&summary(report));
    out
}

fn place(one: &LintFinding) -> String {
    match (one.line, one.column) {
        (0, _) => one.file.clone(),
        (line, 0) => format!("{}:{line}", one.file),
        (line, column) => format!("{}:{line}:{column}", one.file),
    }
}

fn summary(report: &Report) -> String {
    let count = |severity: Severity| {
        report.findings.iter().filter(|one| one.rule.severity == severity).count()
    };
    let said = |name: &str, said: &Option<Said>| match said {
        Some(said) => format!("{name} {} ({})", said.release, escape::sentence(&said.by)),
        None => name.to_owned(),
    };
    let targets = &report.targets;
    format!(
        "{}, {}, {}, {}; judged for {}, {}, {}\n",
        counted(report.judged.len(), "file"),
        counted(count(Severity::Error), "error"),
        counted(count(Severity::Warning), "warning"),
        counted(count(Severity::Info), "note"),
        said("Kubernetes", &targets.kubernetes),
        said("Spark", &targets.spark),
        said("Karpenter", &targets.karpenter),
    )
}

fn value(report: &Report) -> serde_json::Value {
    let findings = report.findings.iter().map(|one| {
        json!({
            "file": one.file,
            "line": (one.line > 0).then_some(one.line),
            "column": (one.column > 0).then_some(one.column),
            "severity": word(one.rule.severity),
            "rule": one.rule.id,
            "what": one.what,
            "why": one.rule.why,
            "next": one.next,
        })
    });
    let said = |said: &Option<Said>| {
        said.as_ref().map(|said| json!({ "release": said.release.to_string(), "by": said.by }))
    };
    let skipped = report.skipped.iter().map(|one| json!({ "file": one.file, "why": one.why }));
    json!({
        "findings": findings.collect::<Vec<_>>(),
        "judged": report.judged,
        "skipped": skipped.collect::<Vec<_>>(),
        "targets": {
            "kubernetes": said(&report.targets.kubernetes),
            "spark": said(&report.targets.spark),
            "karpenter": said(&report.targets.karpenter),
        },
    })
}

fn grid(report: &Report) -> Grid {
    let columns = [
        ("File", "file"),
        ("Line", "line"),
        ("Column", "column"),
        ("Severity", "severity"),
        ("Rule", "rule"),
        ("What", "what"),
        ("Why", "why"),
        ("Next", "next"),
    ];
    let mut grid = Grid::new(&columns.map(|(title, key)| GridColumn::words(title, key)));
    for one in &report.findings {
        let number = |number: u32| match number {
            0 => GridCell::Missing,
            number => GridCell::whole(u64::from(number)),
        };
        grid.push(vec![
            GridCell::sentence(one.file.as_str()),
            number(one.line),
            number(one.column),
            GridCell::text(word(one.rule.severity)),
            GridCell::text(one.rule.id),
            GridCell::sentence(one.what.as_str()),
            GridCell::sentence(one.rule.why),
            GridCell::sentence(one.next.as_str()),
        ]);
    }
    grid
}

/// Every rule.
fn rules() -> Grid {
    let columns =
        [("Rule", "rule"), ("Severity", "severity"), ("Why", "why"), ("Source", "source")];
    let mut grid = Grid::new(&columns.map(|(title, key)| GridColumn::words(title, key)));
    for rule in lint::RULES {
        grid.push(vec![
            GridCell::text(rule.id),
            GridCell::text(word(rule.severity)),
            GridCell::sentence(rule.why),
            GridCell::sentence(rule.source),
        ]);
    }
    grid
}
