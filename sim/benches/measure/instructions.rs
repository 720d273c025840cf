//! Instructions of fixed workloads, counted by valgrind: nearly the same on a busy machine as on an
//! idle one, so that growth of a few per cent shows.
//!
//! They are kept in `docs/instructions.csv`. They depend on the compiler, the C library and, through
//! what that chooses for a CPU, a little on the machine: after a change of any of these, record anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Outcome;

/// Where the counts are kept.
const FILE: &str = "docs/instructions.csv";
/// Growth beyond so many per cent is said.
const TOLERANCE: u64 = 5;

/// Name, program (`seatrial` or `measure`) and arguments; `OUT` is a folder for what is written.
const WORKLOADS: [(&str, &str, &[&str]); 6] = [
    ("bare-loop", "measure", &["hold", "10000", "1000000"]),
    ("pods-10k", "measure", &["pods", "10000", "1"]),
    (
        "quickstart",
        "seatrial",
        &["run", "scenarios/library/quickstart.yaml", "--no-report", "-j1", "--out", "OUT"],
    ),
    (
        "platform-day",
        "seatrial",
        &["run", "scenarios/library/platform-day.yaml", "--no-report", "-j1", "--out", "OUT"],
    ),
    ("report", "seatrial", &["run", "scenarios/library/quickstart.yaml", "-j1", "--out", "OUT"]),
    ("ingest", "seatrial", &["trace", "ingest", "traces/samples/recorded", "--out", "OUT"]),
];

/// Counts all workloads and writes the file.
pub(crate) fn record(root: &Path) -> Outcome {
    let counts = count_all(root)?;
    fs::write(root.join(FILE), render(&counts)).map_err(|error| format!("{FILE}: {error}"))?;
    println!("written: {FILE}");
    Ok(())
}

/// Counts all workloads and compares them with the file; an error if one has grown.
pub(crate) fn check(root: &Path) -> Outcome {
    let text = fs::read_to_string(root.join(FILE)).map_err(|error| format!("{FILE}: {error}"))?;
    let recorded = parse(&text)?;
    let counts = count_all(root)?;
    let (lines, grown) = compare(&recorded, &counts);
    lines.iter().for_each(|line| println!("{line}"));
    if grown.is_empty() {
        return Ok(());
    }
    Err(format!("more than {TOLERANCE} % more instructions than {FILE} says: {}", grown.join(", ")))
}

fn count_all(root: &Path) -> Result<BTreeMap<String, u64>, String> {
    let out = std::env::temp_dir().join(format!("seatrial-instructions-{}", std::process::id()));
    let mut counts = BTreeMap::new();
    for (name, program, arguments) in WORKLOADS {
        let counted = count(root, program, arguments, &out);
        // Nothing there is no reason to stop: some workloads write nothing.
        let _ = fs::remove_dir_all(&out);
        let counted = counted.map_err(|error| format!("{name}: {error}"))?;
        println!("{name}: {counted}");
        counts.insert(name.to_owned(), counted);
    }
    Ok(counts)
}

fn count(root: &Path, program: &str, arguments: &[&str], out: &Path) -> Result<u64, String> {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(root.join("target/release").join(program))
        .args(arguments.iter().map(|word| match *word {
            "OUT" => out.as_os_str(),
            word => word.as_ref(),
        }))
        .current_dir(root);
    let output = command.output().map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{}\n{said}", output.status));
    }
    instructions_in(&said).ok_or_else(|| format!("valgrind counted nothing:\n{said}"))
}

/// The count in `==7== I   refs:      9,421,232,465`.
fn instructions_in(said: &str) -> Option<u64> {
    let counts = said.lines().filter_map(|line| line.split_once("refs:"));
    let (_, count) = counts.into_iter().find(|(before, _)| before.trim_end().ends_with('I'))?;
    count.trim().replace(',', "").parse().ok()
}

fn render(counts: &BTreeMap<String, u64>) -> String {
    let rows = counts.iter().map(|(name, count)| format!("{name},{count}\n"));
    format!("workload,instructions\n{}", rows.collect::<String>())
}

fn parse(text: &str) -> Result<BTreeMap<String, u64>, String> {
    let mut counts = BTreeMap::new();
    for (number, line) in text.lines().enumerate().skip(1).filter(|(_, line)| !line.is_empty()) {
        let row = line.split_once(',').and_then(|(name, count)| {
            Some((name.trim().to_owned(), count.trim().parse::<u64>().ok()?))
        });
        let (name, count) = row.ok_or_else(|| {
            format!("{FILE}:{}: {line:?}; `workload,instructions` is expected", number + 1)
        })?;
        if counts.insert(name.clone(), count).is_some() {
            return Err(format!("{FILE}:{}: {name} is there twice", number + 1));
        }
    }
    Ok(counts)
}

/// A line for each workload, and the names of those that have grown.
fn compare(
    recorded: &BTreeMap<String, u64>,
    counts: &BTreeMap<String, u64>,
) -> (Vec<String>, Vec<String>) {
    let mut grown = Vec::new();
    let mut lines = Vec::new();
    for (name, now) in counts {
        let Some(before) = recorded.get(name).filter(|before| **before > 0) else {
            lines.push(format!("{name}: {now}, not recorded"));
            grown.push(format!("{name} (not recorded)"));
            continue;
        };
        let growth = *now as f64 / *before as f64 - 1.0;
        lines.push(format!("{name}: {before} to {now}, {:+.1} %", growth * 100.0));
        if u128::from(*now) * 100 > u128::from(*before) * u128::from(100 + TOLERANCE) {
            grown.push(format!("{name} ({:+.1} %)", growth * 100.0));
        }
    }
    (lines, grown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
        pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn valgrinds_count_is_found() {
        let said = "==7== Cachegrind\n==7== \n==7== I   refs:      9,421,232,465\n";
        assert_eq!(instructions_in(said), Some(9_421_232_465));
        let new = "==7== I refs:        42\n==7== D refs:  7\n";
        assert_eq!(instructions_in(new), Some(42));
        assert_eq!(instructions_in("==7== LL refs: 3"), None);
        assert_eq!(instructions_in(""), None);
    }

    #[test]
    fn the_file_reads_back() {
        let some = counts(&[("a", 1), ("b", 9_421_232_465)]);
        assert_eq!(parse(&render(&some)), Ok(some));
        assert!(parse("workload,instructions\na,x\n").unwrap_err().contains("csv:2"));
        assert!(parse("workload,instructions\na\n").is_err());
        assert!(parse("workload,instructions\na,1\na,2\n").unwrap_err().contains("twice"));
    }

    #[test]
    fn only_growth_beyond_the_tolerance_is_said() {
        let recorded = counts(&[("same", 100), ("more", 100), ("less", 100)]);
        let now = counts(&[("same", 105), ("more", 106), ("less", 50), ("new", 1)]);
        let (lines, grown) = compare(&recorded, &now);
        assert_eq!(lines.len(), 4);
        assert_eq!(grown, ["more (+6.0 %)", "new (not recorded)"]);
    }

    #[test]
    fn every_workload_is_recorded() {
        let text = include_str!("../../../docs/instructions.csv");
        let names: Vec<String> = parse(text).unwrap().into_keys().collect();
        let mut all = WORKLOADS.map(|(name, ..)| name.to_owned());
        all.sort();
        assert_eq!(names, all);
    }
}
