//! A command as a process of its own: its CPU time and peak memory, from `/proc`.
//!
//! CPU time is what the kernel adds to this process when it has waited for a child, in hundredths
//! of a second. Peak memory is the child's `VmHWM`, looked at every two milliseconds: what it grows
//! by in its very last ones is missed. Linux only.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a command took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    /// Seconds of CPU time, user and system.
    pub(crate) cpu: f64,
    /// Seconds on the clock.
    pub(crate) wall: f64,
    /// Bytes.
    pub(crate) peak: u64,
}

/// Runs the command to its end, its output thrown away.
pub(crate) fn measure(command: &mut Command) -> Result<Taken, String> {
    let before = children_cpu()?;
    let start = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let status = loop {
        if let Some(now) = fs::read_to_string(&status_file).ok().as_deref().and_then(peak_of) {
            peak = peak.max(now);
        }
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => std::thread::sleep(Duration::from_millis(2)),
            Err(error) => return Err(error.to_string()),
        }
    };
    if !status.success() {
        return Err(format!("{command:?}: {status}"));
    }
    let wall = start.elapsed().as_secs_f64();
    Ok(Taken { cpu: children_cpu()? - before, wall, peak })
}

/// The least of three runs, for each figure but the peak by itself: on a shared machine, what a
/// command took more than that was others' doing. A command of more than ten seconds runs once.
/// What it writes into `out` is removed between the runs.
pub(crate) fn measure_least(command: &mut Command, out: Option<&Path>) -> Result<Taken, String> {
    let mut least = measure(command)?;
    for _ in 1..3 {
        if least.wall > 10.0 {
            break;
        }
        if let Some(out) = out {
            fs::remove_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
        }
        let again = measure(command)?;
        least = Taken {
            cpu: again.cpu.min(least.cpu),
            wall: again.wall.min(least.wall),
            peak: again.peak.max(least.peak),
        };
    }
    Ok(least)
}

/// CPU seconds of all children that were waited for.
fn children_cpu() -> Result<f64, String> {
    let stat = fs::read_to_string("/proc/self/stat").map_err(|error| error.to_string())?;
    children_cpu_of(&stat).ok_or_else(|| "/proc/self/stat is not as proc(5) says".to_owned())
}

/// Fields 16 (`cutime`) and 17 (`cstime`) of `/proc/self/stat`, in hundredths of a second. The
/// second field, the command's name, may hold blanks and parentheses.
fn children_cpu_of(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(13);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) as f64 / 100.0)
}

fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_says() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 90 0 0 0 1 2 123 45 20 0 1 0 5 6 7";
        assert_eq!(children_cpu_of(stat), Some(1.68));
        assert_eq!(children_cpu_of("7 (a"), None);
        assert_eq!(peak_of("VmPeak:\t9 kB\nVmHWM:\t    12 kB\n"), Some(12 << 10));
        assert_eq!(peak_of("Name:\ta\n"), None);
    }

    #[test]
    fn failures_are_said() {
        assert!(measure(&mut Command::new("false")).is_err());
        assert!(measure(&mut Command::new("/nowhere")).is_err());
    }

    #[test]
    fn a_short_command_runs_three_times() {
        let folder = std::env::temp_dir().join(format!("seatrial-least-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let (out, runs) = (folder.join("out"), folder.join("runs"));
        let script = format!("mkdir {} && echo run >> {}", out.display(), runs.display());
        let taken = measure_least(Command::new("sh").arg("-c").arg(script), Some(&out)).unwrap();
        assert!(taken.cpu <= taken.wall + 1.0);
        assert_eq!(fs::read_to_string(runs).unwrap(), "run\nrun\nrun\n");
        fs::remove_dir_all(folder).unwrap();
    }
}
