//! The bench recipe: CPU time and peak memory of what people run, into the tables of
//! `docs/performance.md`, each between markers of its own, with the machine.
//!
//! Every workload is a process of its own (`process.rs`), so that peaks do not mix. CPU seconds and
//! not those of the clock, because machines are shared; only for two threads against one the clock
//! counts. The least of three runs, of what takes less than ten seconds; what differs by a few per
//! cent is no difference all the same; `instructions` is for that.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::process::{Taken, measure, measure_least};

const FILE: &str = "docs/performance.md";

/// Files and programs of a recipe.
struct Bench {
    root: PathBuf,
    /// What is written goes here, and is removed at the end.
    scratch: PathBuf,
}

type Part = fn(&Bench) -> Result<Table, String>;

/// Parts by name, in the order of the document.
const PARTS: [(&str, Part); 6] = [
    ("loop", bare_loop),
    ("pods", pods),
    ("platform", platform),
    ("ingest", ingest),
    ("replications", replications),
    ("plan", plan),
];

/// Measures the parts of these names, or all, and writes their tables.
pub(crate) fn run(root: &Path, names: &[&str]) -> Outcome {
    if let Some(unknown) = names.iter().find(|name| PARTS.iter().all(|(part, _)| part != *name)) {
        let known = PARTS.map(|(name, _)| name).join(", ");
        return Err(format!("part {unknown}: {known} are known"));
    }
    let scratch = std::env::temp_dir().join(format!("seatrial-recipe-{}", std::process::id()));
    fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let bench = Bench { root: root.to_owned(), scratch };
    let outcome = PARTS
        .iter()
        .filter(|(name, _)| names.is_empty() || names.contains(name))
        .try_for_each(|(name, part)| {
            let table = part(&bench).map_err(|error| format!("{name}: {error}"))?.markdown();
            println!("{name}\n{table}");
            let path = root.join(FILE);
            let text = fs::read_to_string(&path).map_err(|error| format!("{FILE}: {error}"))?;
            let text = replace_between(&text, name, &format!("{}\n\n{table}", machine()))?;
            fs::write(&path, text).map_err(|error| format!("{FILE}: {error}"))
        });
    // A folder that stays is no reason to fail.
    let _ = fs::remove_dir_all(&bench.scratch);
    outcome
}

/// Cells of text; all columns but the first are right-aligned.
struct Table(Vec<Vec<String>>);

impl Table {
    fn new<const N: usize>(header: [&str; N]) -> Self {
        Self(vec![header.map(str::to_owned).to_vec()])
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.0.push(cells.to_vec());
    }

    fn markdown(&self) -> String {
        let line = |cells: &Vec<String>| format!("| {} |\n", cells.join(" | "));
        let rule = |columns: usize| format!("|---|{}\n", "--:|".repeat(columns.saturating_sub(1)));
        let rows = self.0.iter().enumerate();
        rows.map(|(place, cells)| match place {
            0 => line(cells) + &rule(cells.len()),
            _ => line(cells),
        })
        .collect()
    }
}

/// Puts `body` between `<!-- recipe NAME -->` and `<!-- /recipe NAME -->`.
fn replace_between(text: &str, name: &str, body: &str) -> Result<String, String> {
    let (open, close) = (format!("<!-- recipe {name} -->"), format!("<!-- /recipe {name} -->"));
    let parts = text.split_once(&open).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&close)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or_else(|| format!("{FILE} has no {open} .. {close}"))?;
    Ok(format!("{before}{open}\n{body}{close}{after}"))
}

/// The machine, and how busy it is.
fn machine() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let value = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?.to_owned();
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cpu = value(&read("/proc/cpuinfo"), "model name").unwrap_or_default();
    let memory = value(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "{cores} cores of {cpu}, {} GiB; load average {load} with the measurement's own.",
        kib >> 20
    )
}

impl Bench {
    fn seatrial(&self) -> Command {
        let mut command = Command::new(self.root.join("target/release/seatrial"));
        command.current_dir(&self.root);
        command
    }

    fn own(&self, arguments: &[&str]) -> Result<Taken, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        measure_least(Command::new(program).args(arguments), None)
    }

    fn run(&self, arguments: &[&str], out: &str) -> Result<Taken, String> {
        let out = self.scratch.join(out);
        let mut command = self.seatrial();
        measure_least(command.arg("run").args(arguments).arg("--out").arg(&out), Some(&out))
    }

    fn path(&self, name: &str) -> String {
        self.scratch.join(name).display().to_string()
    }
}

fn seconds(value: f64) -> String {
    format!("{value:.2} s")
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// By which power of the size the time grows.
fn exponent(small: (f64, f64), large: (f64, f64)) -> f64 {
    (large.1 / small.1).ln() / (large.0 / small.0).ln()
}

/// The hold model, beside the standard library's heap with the same events.
fn bare_loop(bench: &Bench) -> Result<Table, String> {
    const HOLDS: u64 = 5_000_000;
    let mut table = Table::new(["pending", "loop", "heap alone", "ratio", "memory"]);
    for pending in ["10000", "1000000"] {
        let holds = HOLDS.to_string();
        let whole = bench.own(&["hold", pending, &holds])?;
        let queue = bench.own(&["queue", pending, &holds])?;
        let each = |taken: Taken| format!("{:.0} ns", taken.cpu * 1e9 / HOLDS as f64);
        let ratio = format!("{:.2}", whole.cpu / queue.cpu);
        table.row([pending.to_owned(), each(whole), each(queue), ratio, mib(whole.peak)]);
    }
    Ok(table)
}

/// Pods on a cluster that grows with them, and over many days on 40 nodes.
fn pods(bench: &Bench) -> Result<Table, String> {
    let mut table =
        Table::new(["pods", "cluster", "CPU", "memory", "exponent", "bytes a pod more"]);
    let cases = [
        ("grows, 1 day", None, [("10000", "1"), ("100000", "1"), ("1000000", "1")].as_slice()),
        ("40 nodes, 10000 pods a day", Some("40"), &[("100000", "10"), ("1000000", "100")]),
    ];
    for (cluster, nodes, sizes) in cases {
        let mut before: Option<(f64, Taken)> = None;
        for (count, days) in sizes {
            let mut arguments = vec!["pods", count, days];
            arguments.extend(nodes);
            let taken = bench.own(&arguments)?;
            let size: f64 = count.parse().unwrap_or(1.0);
            let (power, bytes) = before.map_or_else(Default::default, |(smaller, less)| {
                let more = taken.peak.saturating_sub(less.peak) as f64 / (size - smaller);
                let power = exponent((smaller, less.cpu), (size, taken.cpu));
                (format!("{power:.2}"), format!("{more:.0}"))
            });
            before = Some((size, taken));
            let (cpu, memory) = (seconds(taken.cpu), mib(taken.peak));
            table.row([(*count).to_owned(), cluster.to_owned(), cpu, memory, power, bytes]);
        }
    }
    Ok(table)
}

/// The platform's day and thirty of them, and the report of those.
fn platform(bench: &Bench) -> Result<Table, String> {
    const DAY: &str = "scenarios/library/platform-day.yaml";
    let mut table = Table::new(["", "CPU", "memory", "exponent"]);
    let day = bench.run(&[DAY, "--no-report", "-j1"], "day")?;
    table.row(["one day, 7,934 runs".into(), seconds(day.cpu), mib(day.peak), String::new()]);
    let csv = bench.path("month.csv");
    measure(bench.seatrial().args(["trace", "synth", "--days", "30", "--out", &csv]))?;
    let set = format!("spec.workload.traces[0].jobTable={csv}");
    let month = bench.run(&[DAY, "--no-report", "-j1", "--set", &set], "month")?;
    let power = exponent((7_934.0, day.cpu), (232_171.0, month.cpu));
    let name = "30 days, 232,171 runs".to_owned();
    table.row([name, seconds(month.cpu), mib(month.peak), format!("{power:.2}")]);
    let mut report = bench.seatrial();
    let report = measure_least(report.arg("report").arg(bench.path("month")), None)?;
    let name = "report of the 30 days".to_owned();
    table.row([name, seconds(report.cpu), mib(report.peak), String::new()]);
    Ok(table)
}

/// Copies of the recorded logs in the repository, read in a folder: plain and zstd, on one core and
/// on two, beside a bare parse and `zstd -dc` of the same bytes.
fn ingest(bench: &Bench) -> Result<Table, String> {
    const COPIES: usize = 60;
    let samples = bench.root.join("traces/samples/recorded");
    let (plain, packed) = (bench.scratch.join("plain"), bench.scratch.join("packed"));
    for folder in [&plain, &packed] {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    let whole = bench.path("whole.json");
    let script = format!(
        "set -e; for f in {0}/*.zstd; do b=$(basename $f .json.zstd); \
         zstd -qdcf $f > {1}/$b-0.json; zstd -qf {1}/$b-0.json -o {2}/$b-0.json.zstd; \
         for i in $(seq 1 {3}); do cp {1}/$b-0.json {1}/$b-$i.json; \
         cp {2}/$b-0.json.zstd {2}/$b-$i.json.zstd; done; done; cat {1}/*.json > {4}",
        samples.display(),
        plain.display(),
        packed.display(),
        COPIES - 1,
        whole
    );
    measure(Command::new("sh").arg("-c").arg(script))?;
    let bytes = fs::metadata(&whole).map_err(|error| error.to_string())?.len();
    let rate = |seconds: f64| format!("{:.0} MB/s", bytes as f64 / 1e6 / seconds);
    let parse = bench.own(&["parse", &whole])?;
    let unpack = format!("zstd -dcf {}/*.zstd > /dev/null", packed.display());
    let unpack = measure_least(Command::new("sh").arg("-c").arg(unpack), None)?;
    let mut table = Table::new(["", "by the clock", "by CPU time", "of a bare parse", "memory"]);
    let mut row = |name: &str, taken: Taken| {
        let share = format!("{:.2}", parse.cpu / taken.cpu);
        table.row([name.into(), rate(taken.wall), rate(taken.cpu), share, mib(taken.peak)]);
    };
    row("bare parse, plain", parse);
    row("zstd -dc", unpack);
    for (what, folder) in [("plain", &plain), ("zstd", &packed)] {
        for (threads, cores) in [("one core", "0"), ("two cores", "0,1")] {
            let mut command = Command::new("taskset");
            command.args(["-c", cores]).arg(bench.root.join("target/release/seatrial"));
            let out = bench.scratch.join("trace");
            command.args(["trace", "ingest", "--out"]).args([&out, folder]);
            row(&format!("ingest, {what}, {threads}"), measure_least(&mut command, Some(&out))?);
            let _ = fs::remove_dir_all(out);
        }
    }
    Ok(table)
}

/// Replications of the quickstart on two cores against one.
fn replications(bench: &Bench) -> Result<Table, String> {
    let mut table = Table::new(["8 replications of the quickstart", "clock", "CPU", "memory"]);
    for jobs in ["-j1", "-j2"] {
        let quickstart = "scenarios/library/quickstart.yaml";
        let taken = bench.run(&[quickstart, "--no-report", "--replications", "8", jobs], jobs)?;
        table.row([jobs.into(), seconds(taken.wall), seconds(taken.cpu), mib(taken.peak)]);
    }
    Ok(table)
}

/// Evaluations of a plan over the quickstart.
fn plan(bench: &Bench) -> Result<Table, String> {
    let scenario = format!(
        "apiVersion: seatrial/v1alpha1\nkind: Scenario\nbase: {}\nmetadata:\n  name: bench-plan\n\
         spec:\n  plan:\n    knobs:\n    - {{path: spec.overprovisioning.replicas, values: \
         [0, 3, 12]}}\n    - {{path: \
         spec.autoscaler.clusterAutoscaler.extraArgs.scale-down-unneeded-time, values: \
         [1m, 2m, 10m]}}\n    minimize: cost\n    replications: 2\n",
        bench.root.join("scenarios/library/quickstart.yaml").display()
    );
    let (file, out) = (bench.scratch.join("plan.yaml"), bench.scratch.join("plan"));
    fs::write(&file, scenario).map_err(|error| error.to_string())?;
    let mut command = bench.seatrial();
    command.arg("plan").arg(&file).args(["--evaluations", "30", "--out"]).arg(&out);
    let taken = measure_least(&mut command, Some(&out))?;
    let listed = fs::read_to_string(out.join("evaluations.jsonl")).map_err(|e| e.to_string())?;
    let count = listed.lines().count();
    let mut table = Table::new(["plan of the quickstart", "evaluations", "a minute", "CPU of one"]);
    let minute = format!("{:.0}", count as f64 * 60.0 / taken.wall);
    let one = seconds(taken.cpu / count as f64);
    table.row(["3 x 3 settings, two cores".into(), count.to_string(), minute, one]);
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_go_between_their_markers() {
        let text = "a\n<!-- recipe x -->\nold\n<!-- /recipe x -->\nb\n";
        let new = replace_between(text, "x", "new\n").unwrap();
        assert_eq!(new, "a\n<!-- recipe x -->\nnew\n<!-- /recipe x -->\nb\n");
        assert_eq!(replace_between(&new, "x", "new\n").unwrap(), new);
        assert!(replace_between(text, "y", "").is_err());
    }

    #[test]
    fn exponents_are_slopes() {
        assert!((exponent((10.0, 1.0), (100.0, 10.0)) - 1.0).abs() < 1e-9);
        assert!((exponent((10.0, 1.0), (1000.0, 10_000.0)) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_document_has_a_place_for_every_part() {
        let text = include_str!("../../../docs/performance.md");
        for (name, _) in PARTS {
            assert!(replace_between(text, name, "").is_ok(), "{name}");
        }
    }

    #[test]
    fn tables_are_markdown() {
        let mut table = Table::new(["", "CPU"]);
        table.row(["day".to_owned(), "1 s".to_owned()]);
        assert_eq!(table.markdown(), "|  | CPU |\n|---|--:|\n| day | 1 s |\n");
    }
}
