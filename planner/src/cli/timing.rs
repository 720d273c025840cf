//! What a command took: wall time, CPU time and peak memory. These depend on the machine, so they
//! go to stderr and `--timing FILE`, never into a result.
//!
//! CPU time and peak memory are what Linux says in `/proc/self`; elsewhere they are left out
//! (`null`). CPU time is in whole hundredths of a second: `/proc` counts in units of `USER_HZ`,
//! which is 100 on every Linux platform that Rust's standard library supports.

use std::path::Path;
use std::time::{Duration, Instant};

use reports::figures::{duration, grouped};
use serde::Serialize;

use super::Stop;

/// A stop-watch over the phases of a command.
pub(super) struct Timing {
    start: Instant,
    /// What the process had used before: `cargo run` turns into the command it runs.
    cpu_before: f64,
    phase: Instant,
    phases: Vec<(&'static str, Duration)>,
}

/// The file of `--timing`.
#[derive(Debug, Serialize)]
struct Report {
    schema: &'static str,
    wall_s: f64,
    cpu_s: Option<f64>,
    peak_memory_bytes: Option<u64>,
    phases: Vec<Phase>,
}

#[derive(Debug, Serialize)]
struct Phase {
    phase: &'static str,
    wall_s: f64,
}

impl Timing {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        let cpu_before = cpu_seconds().unwrap_or(0.0);
        Self { start: now, cpu_before, phase: now, phases: Vec::new() }
    }

    fn cpu_s(&self) -> Option<f64> {
        // Rounded to the kernel's clock ticks, a hundredth of a second.
        cpu_seconds().map(|now| ((now - self.cpu_before) * 100.0).round() / 100.0)
    }

    /// The phase that has just ended was called `name`.
    pub(super) fn lap(&mut self, name: &'static str) {
        let now = Instant::now();
        self.phases.push((name, now - self.phase));
        self.phase = now;
    }

    /// One line for people.
    pub(super) fn line(&self) -> String {
        let mut line = format!("{} wall", duration(self.start.elapsed().as_secs_f64()));
        if let Some(cpu) = self.cpu_s() {
            line.push_str(&format!(", {} CPU", duration(cpu)));
        }
        if let Some(bytes) = peak_memory_bytes() {
            line.push_str(&format!(", {} MiB peak memory", grouped(bytes >> 20)));
        }
        let phases: Vec<String> = self
            .phases
            .iter()
            .map(|(name, took)| format!("{name} {}", duration(took.as_secs_f64())))
            .collect();
        if !phases.is_empty() {
            line.push_str(&format!(" ({})", phases.join(", ")));
        }
        line
    }

    /// Writes the file of `--timing`.
    pub(super) fn write(&self, path: &Path) -> Result<(), Stop> {
        let report = Report {
            schema: "seatrial.timing/v1",
            wall_s: self.start.elapsed().as_secs_f64(),
            cpu_s: self.cpu_s(),
            peak_memory_bytes: peak_memory_bytes(),
            phases: self
                .phases
                .iter()
                .map(|(phase, took)| Phase { phase, wall_s: took.as_secs_f64() })
                .collect(),
        };
        std::fs::write(path, reports::render::json(&report))
            .map_err(|error| Stop::Failed(format!("{}: {error}", path.display())))
    }
}

/// CPU time of all threads so far, those that have ended included.
fn cpu_seconds() -> Option<f64> {
    cpu_seconds_of(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// Fields 14 (`utime`) and 15 (`stime`) of proc_pid_stat(5). The second field, the command's name,
/// may hold blanks and parentheses.
fn cpu_seconds_of(stat: &str) -> Option<f64> {
    const USER_HZ: f64 = 100.0;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) as f64 / USER_HZ)
}

/// The most memory that was resident at one time.
fn peak_memory_bytes() -> Option<u64> {
    peak_memory_of(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn peak_memory_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_says() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 90 0 0 0 123 45 0 0 20 0 1 0 5 6 7";
        assert_eq!(cpu_seconds_of(stat), Some(1.68));
        let status = "Name:\ta\nVmPeak:\t  900 kB\nVmHWM:\t    12 kB\n";
        assert_eq!(peak_memory_of(status), Some(12 << 10));
        assert_eq!(cpu_seconds_of("7 (a"), None);
        assert_eq!(peak_memory_of("Name:\ta\n"), None);
    }

    #[test]
    fn phases_are_written_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timing.json");
        let mut timing = Timing::start();
        timing.lap("reading");
        timing.lap("simulating");
        timing.write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["schema"], "seatrial.timing/v1");
        assert_eq!(value["phases"][1]["phase"], "simulating");
        assert!(value["wall_s"].as_f64().unwrap() >= 0.0);
        assert!(timing.line().contains(" wall"));
    }
}
