//! The Standard Workload Format of the Parallel Workloads Archive: `;` comments, then one job a
//! line in 18 numbers; plain or gzip.
//!
//! A batch job becomes a run like this:
//!
//! | field | becomes |
//! |---|---|
//! | 1 job number | `run_id` = `job-N` |
//! | 2 submit time, and `UnixStartTime` of the header | `submitted_at` |
//! | 4 run time | `duration`; every task takes that long |
//! | 5 allocated processors, else 8, requested | executors of one core; as many tasks |
//! | 4 times 5 | `executor_task_s` |
//! | 7 used memory, KB a processor | `peak_executor_memory` |
//! | 9 requested time | `timeout`, where the job was not longer |
//! | 10 requested memory, KB a processor | `executor_memory` |
//! | 11 status 0 | failed, cause `application`; 5 (cancelled): unfinished; 1 and -1: succeeded |
//! | 12 user, 14 application | `application` = `userU-appA`, or `userU` |
//! | 13 group | `team` = `groupG` |
//!
//! Recorded waits, queues, partitions and think times are left out: the simulator makes its own
//! waits. Jobs that never ran (no run time or no processors) and lines of partial executions
//! (status 2 to 4, whose sum is a line of its own) are dropped and counted.
//!
//! Source of the format: D. Feitelson, "The Standard Workload Format", version 2.2.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use sim::units::{Bytes, SimDuration};
use sim::workload::{Failure, Run, RunOutcome};
use sim::{Finding, Severity};

use crate::table::{ROWS_MAX, TableCounts, Tally, open_text, shorten};
use crate::{LoweredRun, TraceError};

/// Fields of a job line.
const FIELDS: usize = 18;
/// Most bytes of a line; jobs need about 100.
const LINE_BYTES_MAX: u64 = 64 << 10;
/// 100 years: more is a mistake.
const SECONDS_MAX: f64 = 100.0 * 365.25 * 86_400.0;
/// No machine has more processors.
const PROCESSORS_MAX: f64 = 1e5;

/// A job log as it was read.
#[derive(Debug, Default)]
pub struct SwfTable {
    /// One run a job, in the file's order.
    pub runs: Vec<LoweredRun>,
    /// Where the job lines of the file went.
    pub counts: TableCounts,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// Reads the job log at `path`.
///
/// # Errors
/// A file that cannot be read, has a line of more than 64 KiB, or not one line that is a job.
pub fn read_swf(path: &Path) -> Result<SwfTable, TraceError> {
    let mut reader = SwfReader {
        start_ms: 0,
        table: SwfTable::default(),
        tally: Tally::new(path.display().to_string()),
        seen: BTreeSet::new(),
        malformed: 0,
    };
    let mut text = BufReader::new(open_text(path)?);
    let mut bytes = Vec::new();
    let mut line = 0;
    loop {
        bytes.clear();
        line += 1;
        let read = text.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes);
        let read = read.map_err(|source| TraceError::io(path, source))? as u64;
        if read == 0 {
            break;
        }
        if read == LINE_BYTES_MAX {
            return Err(TraceError::unreadable(
                path,
                format!("line {line} has more than {LINE_BYTES_MAX} bytes: not a job log"),
            ));
        }
        reader.line(line, &String::from_utf8_lossy(&bytes));
        if reader.table.counts.rows > ROWS_MAX {
            return Err(TraceError::TooLarge {
                path: path.to_owned(),
                what: "it has too many jobs".to_owned(),
                limit: ROWS_MAX,
            });
        }
    }
    let jobs = reader.table.counts.rows - reader.malformed;
    if jobs == 0 && reader.malformed > 0 {
        return Err(TraceError::unreadable(
            path,
            "not one line has the 18 numbers of a job in the Standard Workload Format",
        ));
    }
    reader.table.findings = reader.tally.into_findings();
    Ok(reader.table)
}

struct SwfReader {
    /// `UnixStartTime`.
    start_ms: i64,
    table: SwfTable,
    tally: Tally,
    seen: BTreeSet<i64>,
    /// Lines that are not 18 numbers.
    malformed: u64,
}

impl SwfReader {
    fn line(&mut self, line: u64, text: &str) {
        let text = text.trim();
        if let Some(comment) = text.strip_prefix(';') {
            self.header(line, comment);
        } else if !text.is_empty() {
            self.table.counts.rows += 1;
            self.job(line, text);
        }
    }

    fn header(&mut self, line: u64, comment: &str) {
        let Some((key, value)) = comment.split_once(':') else {
            return;
        };
        if key.trim() != "UnixStartTime" {
            return;
        }
        match value.trim().parse::<i64>() {
            Ok(seconds) if (0..=253_402_214_400).contains(&seconds) => {
                self.start_ms = seconds * 1000;
            }
            _ => self.tally.add(Severity::Warning, "bad-value", "UnixStartTime", line, || {
                let value = shorten(value.trim());
                format!("`{value}` is not seconds since 1970; times count from 1970")
            }),
        }
    }

    fn drop_row(&mut self, code: &'static str, column: &str, line: u64, message: &str) {
        self.table.counts.bad += 1;
        self.tally.add(Severity::Warning, code, column, line, || {
            format!("{message}; the line was dropped")
        });
    }

    fn job(&mut self, line: u64, text: &str) {
        let numbers: Vec<Option<f64>> = text
            .split_ascii_whitespace()
            .take(FIELDS + 1)
            .map(|field| field.parse().ok().filter(|number: &f64| number.is_finite()))
            .collect();
        if numbers.len() != FIELDS || numbers.contains(&None) {
            self.malformed += 1;
            let message = format!("`{}` is not {FIELDS} numbers", shorten(text));
            return self.drop_row("bad-line", "", line, &message);
        }
        let job: Vec<f64> = numbers.into_iter().flatten().collect();
        let known = |field: usize| Some(job[field - 1]).filter(|number| *number >= 0.0);
        let id = job[0] as i64;
        let status = job[10] as i64;
        if (2..=4).contains(&status) {
            let message = "a partial execution, which a line of its own sums up";
            return self.drop_row("partial-execution", "", line, message);
        }
        let run_time =
            known(4).filter(|seconds| (f64::MIN_POSITIVE..SECONDS_MAX).contains(seconds));
        let processors = known(5)
            .filter(|count| *count >= 1.0)
            .or(known(8))
            .filter(|count| (1.0..=PROCESSORS_MAX).contains(count));
        let (Some(run_time), Some(processors)) = (run_time, processors) else {
            return self.drop_row("never-ran", "", line, "no run time or no processors");
        };
        let Some(submitted) = known(2).filter(|seconds| *seconds <= SECONDS_MAX) else {
            return self.drop_row("bad-value", "submit time", line, "not seconds since the start");
        };
        if !self.seen.insert(id) {
            self.table.counts.duplicates += 1;
            self.tally.add(Severity::Warning, "duplicate-run-id", "", line, || {
                format!("job {id} is there already; the later line was dropped")
            });
            return;
        }
        self.table.counts.kept += 1;
        let run = lower(&job, id, run_time, processors as u32);
        let user = known(12).map_or(-1, |user| user as i64);
        let application = match known(14) {
            Some(application) => format!("user{user}-app{}", application as i64),
            None => format!("user{user}"),
        };
        self.table.runs.push(LoweredRun {
            run,
            application,
            team: format!("group{}", known(13).map_or(-1, |group| group as i64)),
            submitted_at_ms: self.start_ms + (submitted * 1000.0).round() as i64,
            trigger: None,
            failure_message: None,
            depends_on: None,
        });
    }
}

fn lower(job: &[f64], id: i64, run_time: f64, processors: u32) -> Run {
    let duration = SimDuration::from_secs_f64(run_time);
    let kilobytes = |number: f64| {
        (number > 0.0 && number < 1e12).then(|| Bytes::new((number * 1024.0).round() as u64))
    };
    let timeout = (job[8] > 0.0 && job[8] >= run_time && job[8] < SECONDS_MAX)
        .then(|| SimDuration::from_secs_f64(job[8]));
    let (outcome, failure) = match job[10] as i64 {
        0 => (RunOutcome::Failed, Some(Failure::Application)),
        5 => (RunOutcome::Unfinished, None),
        _ => (RunOutcome::Succeeded, None),
    };
    Run {
        run_id: format!("job-{id}").into(),
        executor_cores: Some(1),
        executors_min: Some(processors),
        executors_max: Some(processors),
        dynamic_allocation: Some(false),
        duration: Some(duration),
        executor_task_time: Some(duration * u64::from(processors)),
        driver_only: Some(SimDuration::ZERO),
        tasks: Some(processors),
        peak_executor_memory: kilobytes(job[6]),
        executor_memory: kilobytes(job[9]),
        timeout,
        outcome,
        failure,
        ..Run::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &[u8]) -> Result<SwfTable, TraceError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.swf");
        std::fs::write(&path, content).expect("written");
        read_swf(&path)
    }

    #[test]
    fn jobs_become_runs() {
        let table = read(
            b"; UnixStartTime: 1000\n\
              1 10 5 60 4 -1 2048 -1 3600 4096 1 3 2 7 -1 -1 -1 -1\n\
              2 20 5 -1 4 -1 -1 -1 3600 -1 5 3 2 7 -1 -1 -1 -1\n\
              3 30 5 60.5 -1 -1 -1 8 30 -1 0 4 -1 -1 -1 -1 -1 -1\n\
              4 30 5 60 4 -1 -1 8 30 -1 3 4 -1 -1 -1 -1 -1 -1\n\
              1 40 5 60 4 -1 -1 8 30 -1 1 4 -1 -1 -1 -1 -1 -1\n\
              hello world\n",
        )
        .expect("read");
        let counts = table.counts;
        assert_eq!((counts.rows, counts.kept, counts.bad, counts.duplicates), (6, 2, 3, 1));
        let first = &table.runs[0];
        assert_eq!(first.submitted_at_ms, 1_010_000);
        assert_eq!(first.application, "user3-app7");
        assert_eq!(first.run.executor_task_time, Some(SimDuration::seconds(240)));
        assert_eq!(first.run.executor_memory, Some(Bytes::mib(4)));
        assert_eq!(first.run.timeout, Some(SimDuration::hours(1)));
        let second = &table.runs[1];
        assert_eq!(second.run.failure, Some(Failure::Application));
        assert_eq!(second.run.executors_max, Some(8));
        assert_eq!((second.run.timeout, second.team.as_str()), (None, "group-1"));
    }

    #[test]
    fn what_is_no_job_log_is_refused() {
        assert!(read(b"run_id,application\na,b\n").is_err());
        assert!(read(&[b'1'; 100_000]).is_err());
        assert!(read(&[0x1f, 0x8b, 1, 2, 3]).is_err());
        assert_eq!(read(b"; nothing\n").expect("read").counts.rows, 0);
    }

    proptest::proptest! {
        #[test]
        fn random_lines_add_up(
            lines in proptest::collection::vec("[0-9 .e;-]{0,60}", 0..20),
            fields in proptest::collection::vec(proptest::num::f64::ANY, 18),
        ) {
            let fields: Vec<String> = fields.iter().map(f64::to_string).collect();
            let text = format!("{}\n{}\n", lines.join("\n"), fields.join(" "));
            if let Ok(table) = read(text.as_bytes()) {
                let counts = table.counts;
                proptest::prop_assert_eq!(counts.rows, counts.kept + counts.dropped());
                proptest::prop_assert_eq!(counts.kept, table.runs.len() as u64);
            }
        }
    }

    #[test]
    fn recorded_logs_are_accounted_for() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/traces/swf");
        for (name, rows) in [("NASA-iPSC-1993-3.1-cln.swf.gz", 18_239), ("hpc2n_head.swf", 3_170)] {
            let path = Path::new(folder).join(name);
            if !path.exists() {
                eprintln!("skipped: {} is not here", path.display());
                continue;
            }
            let table = read_swf(&path).expect("read");
            assert_eq!(table.counts.rows, rows, "{name}");
            assert_eq!(rows, table.counts.kept + table.counts.dropped());
            assert_eq!(table.runs.len() as u64, table.counts.kept);
            assert!(table.counts.kept * 10 > rows * 9, "{:?}", table.counts);
        }
    }
}
