//! What is suspicious about a trace, beyond what its readers found.

use sim::units::{Bytes, SimDuration};
use sim::workload::{Failure, Run, RunOutcome};
use sim::{Finding, Severity};

use crate::LoweredRun;
use crate::load::LoadedTrace;
use crate::table::render_instant;

/// A check of one run: whether it is worth a remark.
struct Check {
    severity: Severity,
    code: &'static str,
    message: &'static str,
    says: fn(&Run) -> bool,
}

const CHECKS: &[Check] = &[
    Check {
        severity: Severity::Warning,
        code: "work-exceeds-slots",
        message: "more task time than the run's most executors can do in its duration; the \
                  simulated run will be longer than the recorded one",
        says: work_exceeds_slots,
    },
    Check {
        severity: Severity::Warning,
        code: "driver-only-exceeds-duration",
        message: "the driver was alone for longer than the run took",
        says: |run| run.driver_only.zip(run.duration).is_some_and(|(only, all)| only > all),
    },
    Check {
        severity: Severity::Warning,
        code: "peak-above-container",
        message: "succeeded, though an executor needed more memory than its container had; the \
                  simulator will end it for memory",
        says: |run| run.outcome == RunOutcome::Succeeded && peak_exceeds_container(run),
    },
    Check {
        severity: Severity::Warning,
        code: "out-of-memory-without-need",
        message: "failed for executor memory, but no peak above the container is recorded; the \
                  simulator cannot tell how much would have sufficed",
        says: |run| run.failure == Some(Failure::ExecutorOom) && !peak_exceeds_container(run),
    },
    Check {
        severity: Severity::Warning,
        code: "longer-than-timeout",
        message: "succeeded after its timeout; the simulator will end it there",
        says: |run| {
            run.outcome == RunOutcome::Succeeded
                && matches!((run.duration, run.timeout), (Some(took), Some(most)) if took > most)
        },
    },
    Check {
        severity: Severity::Info,
        code: "failed-without-cause",
        message: "failed, and the trace does not say why",
        says: |run| run.outcome == RunOutcome::Failed && run.failure.is_none(),
    },
    Check {
        severity: Severity::Info,
        code: "unfinished",
        message: "the recording stops before the end of the run; its work is what was seen of it",
        says: |run| run.outcome == RunOutcome::Unfinished,
    },
    Check {
        severity: Severity::Info,
        code: "no-memory-need",
        message: "no peak memory recorded; these runs never end for memory in the simulator",
        says: |run| run.peak_executor_memory.is_none() && run.peak_driver_memory.is_none(),
    },
    Check {
        severity: Severity::Info,
        code: "no-executor-shape",
        message: "no executor cores or memory recorded; the scenario's Spark configuration is used",
        says: |run| run.executor_cores.is_none() || run.executor_memory.is_none(),
    },
];

/// The findings of the trace's readers, and what is suspicious about its runs. Each finding names
/// the first run it is about.
pub fn lint(trace: &LoadedTrace) -> Vec<Finding> {
    let mut findings = trace.findings.clone();
    for check in CHECKS {
        let mut said = trace.runs.iter().filter(|run| (check.says)(&run.run));
        let Some(first) = said.next() else { continue };
        let finding = Finding::new(check.severity, check.code, subject(first), check.message);
        findings.push(finding.times(1 + said.count() as u64));
    }
    findings.extend(gap(trace));
    findings
}

/// A gap that is longer than any holiday; a time that was recorded as 0 is 1970.
const GAP_MS: i64 = 14 * 86_400_000;

/// A long gap between submissions: usually a wrong time, and all of it is simulated and billed
/// where the trace is replayed as recorded.
pub fn gap(trace: &LoadedTrace) -> Option<Finding> {
    let mut order: Vec<&LoweredRun> = trace.runs.iter().collect();
    order.sort_by_key(|run| run.submitted_at_ms);
    let mut gaps = Gaps::default();
    order.iter().for_each(|run| gaps.add(run.submitted_at_ms, &run.run.run_id));
    gaps.finding()
}

/// Looks for gaps in submissions that come in order of time.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    last: Option<(i64, Box<str>)>,
    /// The last submission before the first gap.
    first: Option<(i64, Box<str>)>,
    count: u64,
}

impl Gaps {
    /// The next submission.
    pub(crate) fn add(&mut self, at_ms: i64, id: &str) {
        let before = self.last.replace((at_ms, id.into()));
        let gap = before.filter(|(before, _)| at_ms.saturating_sub(*before) > GAP_MS);
        if let Some(before) = gap {
            self.count += 1;
            self.first.get_or_insert(before);
        }
    }

    /// What [`gap`] says of them.
    pub(crate) fn finding(&self) -> Option<Finding> {
        let (at_ms, id) = self.first.as_ref()?;
        let message = format!(
            "nothing is submitted for more than 14 days after it, at {}: is its time right?",
            render_instant(*at_ms)
        );
        let subject = format!("run {}", crate::table::shorten(id));
        let finding = Finding::new(Severity::Warning, "gap-in-submissions", subject, message);
        Some(finding.times(self.count))
    }
}

fn subject(run: &LoweredRun) -> String {
    format!("run {}", crate::table::shorten(&run.run.run_id))
}

fn work_exceeds_slots(run: &Run) -> bool {
    let slots = || Some(u64::from(run.executor_cores?) * u64::from(run.executors_max?));
    let (Some(work), Some(took), Some(slots)) = (run.executor_task_time, run.duration, slots())
    else {
        return false;
    };
    // A second of grace: recorded times are often whole seconds.
    let took = took.saturating_add(SimDuration::seconds(1)).as_millis();
    run.outcome == RunOutcome::Succeeded && work.as_millis() > took.saturating_mul(slots)
}

/// The container is heap and overhead; where the overhead is not recorded, Spark's default of a
/// tenth, at least 384 MiB. Source: facts-spark A4.
fn peak_exceeds_container(run: &Run) -> bool {
    let (Some(peak), Some(heap)) = (run.peak_executor_memory, run.executor_memory) else {
        return false;
    };
    let overhead =
        run.executor_memory_overhead.unwrap_or_else(|| Bytes::mib(384).max(heap.scale_floor(0.1)));
    peak > heap.saturating_add(overhead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(run: Run, codes: &[&str]) {
        let trace = LoadedTrace {
            runs: vec![LoweredRun { run, ..LoweredRun::default() }],
            ..LoadedTrace::default()
        };
        let found = lint(&trace);
        let found: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(found, codes);
    }

    fn good() -> Run {
        Run {
            executor_cores: Some(4),
            executors_max: Some(2),
            executor_memory: Some(Bytes::gib(8)),
            peak_executor_memory: Some(Bytes::gib(7)),
            duration: Some(SimDuration::seconds(100)),
            executor_task_time: Some(SimDuration::seconds(700)),
            ..Run::default()
        }
    }

    #[test]
    fn a_time_that_is_far_off_is_named() {
        let at =
            |submitted_at_ms| LoweredRun { run: good(), submitted_at_ms, ..LoweredRun::default() };
        let trace = |times: [i64; 3]| LoadedTrace {
            runs: times.into_iter().map(at).collect(),
            ..LoadedTrace::default()
        };
        let day = 86_400_000;
        assert_eq!(lint(&trace([20_000 * day, 20_010 * day, 20_005 * day])), []);
        let found = lint(&trace([20_000 * day, 0, 20_005 * day]));
        assert_eq!(found[0].code, "gap-in-submissions");
        assert!(found[0].message.contains("1970-01-01"), "{}", found[0].message);
    }

    #[test]
    fn suspicious_runs_are_named() {
        check(good(), &[]);
        let more =
            |seconds| Run { executor_task_time: Some(SimDuration::seconds(seconds)), ..good() };
        check(more(808), &[]);
        check(more(809), &["work-exceeds-slots"]);
        let memory = |gib, failure: Option<Failure>| Run {
            peak_executor_memory: Some(Bytes::gib(gib)),
            outcome: failure.map_or(RunOutcome::Succeeded, |_| RunOutcome::Failed),
            failure,
            ..good()
        };
        check(memory(9, None), &["peak-above-container"]);
        check(memory(9, Some(Failure::ExecutorOom)), &[]);
        check(memory(7, Some(Failure::ExecutorOom)), &["out-of-memory-without-need"]);
        check(Run::default(), &["no-memory-need", "no-executor-shape"]);
    }
}
