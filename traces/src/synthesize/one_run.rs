//! One run of an application: its work, its needs, and how its first attempt ended.

use sim::rng::key_of;
use sim::units::{Bytes, MilliCores, SimDuration};
use sim::workload::{Failure, NodeLifecycle, Run, RunOutcome};

use super::SynthOptions;
use super::application::{Application, MEMORY_SIGMA_RUN, SLOW_FACTOR, Trigger, WORK_SIGMA_RUN};
use super::draw::{happens, normal, uniform};
use crate::LoweredRun;
use crate::canonical::RunRow;

/// When and as which run of its application.
pub(super) struct Submission {
    pub(super) at_ms: i64,
    pub(super) day: u32,
    /// Unique among the application's runs of the day.
    pub(super) number: u64,
    pub(super) depends_on: Option<String>,
}

/// A run and when it is done, a retry after a failure included.
pub(super) struct Made {
    pub(super) row: RunRow,
    pub(super) success_ms: i64,
}

/// Executors do their tasks in waves and wait for stragglers. `Guess`: 75 % busy.
const EFFICIENCY: f64 = 0.75;
/// Executors' pods and JVMs start. `Guess`.
const START_MS: f64 = 20_000.0;
/// Dynamic allocation doubles its requests from one executor on. `Guess`.
const RAMP_MS: f64 = 10_000.0;

/// No attempt fails before its driver's JVM runs. `Guess`.
const DRIVER_START_MS: u64 = 5_000;

/// Draws that a run makes, in a fixed order.
struct Draws {
    work: f64,
    slow: bool,
    memory: f64,
    driver_memory: f64,
    driver_only: f64,
    input: f64,
    bug: f64,
    transient: f64,
    /// At which part of its time a failing attempt fails.
    fails_at: f64,
}

impl Draws {
    fn new(options: &SynthOptions, application: &Application, submission: &Submission) -> Self {
        let keys = [key_of(&application.name), u64::from(submission.day), submission.number];
        let mut stream = options.seed.stream("synth-run", &keys);
        Self {
            work: normal(&mut stream),
            slow: happens(&mut stream, options.slow_run_share),
            memory: normal(&mut stream),
            driver_memory: normal(&mut stream),
            driver_only: normal(&mut stream),
            input: normal(&mut stream),
            bug: uniform(&mut stream),
            transient: uniform(&mut stream),
            fails_at: uniform(&mut stream),
        }
    }
}

/// Makes a run.
pub(super) fn make(
    options: &SynthOptions,
    application: &Application,
    submission: &Submission,
) -> Made {
    let draws = Draws::new(options, application, submission);
    let work = Work::new(application, &draws);
    let need = Need::new(application, submission.day, &draws);
    let (failure, duration_ms) = ending(options, application, &draws, &work, &need);
    let executors = application.executors;
    let run = Run {
        run_id: format!("{}.{:03}.{}", application.name, submission.day, submission.number).into(),
        critical: application.critical,
        driver_cores: Some(MilliCores::cores(1)),
        driver_memory: Some(Bytes::mib(application.driver_mib)),
        executor_cores: Some(application.shape.cores),
        executor_memory: Some(Bytes::mib(application.shape.heap_mib)),
        executor_memory_overhead: Some(Bytes::mib(application.shape.overhead_mib)),
        executors_min: Some(if application.dynamic_allocation { 1 } else { executors }),
        executors_max: Some(executors),
        dynamic_allocation: Some(application.dynamic_allocation),
        duration: Some(SimDuration::from_millis(duration_ms)),
        executor_task_time: Some(SimDuration::from_millis(work.task_ms)),
        driver_only: Some(SimDuration::from_millis(work.driver_only_ms.min(duration_ms))),
        tasks: Some(work.tasks),
        peak_executor_memory: Some(Bytes::mib(need.executor_mib)),
        peak_driver_memory: Some(Bytes::mib(need.driver_mib)),
        input_bytes: Some(Bytes::new(work.input_bytes)),
        shuffle_bytes: Some(Bytes::new(work.shuffle_bytes)),
        timeout: application.timeout_s.map(SimDuration::seconds),
        outcome: failure.map_or(RunOutcome::Succeeded, |_| RunOutcome::Failed),
        failure,
        // Drivers are always on demand, executors of critical runs too. Source: Flotilla.
        node_lifecycle: Some(if application.critical {
            NodeLifecycle::OnDemand
        } else {
            NodeLifecycle::Spot
        }),
        ..Run::default()
    };
    let mut success_ms = submission.at_ms + duration_ms as i64;
    if failure.is_some() {
        success_ms += work.duration_ms as i64;
    }
    let exit_code = match failure {
        None => Some(0),
        Some(failure) => failure.exit_code(),
    };
    let row = RunRow {
        lowered: LoweredRun {
            run,
            application: application.name.clone(),
            team: format!("owner-{:03}", application.owner + 1),
            submitted_at_ms: submission.at_ms,
            trigger: Some(application.trigger_name().to_owned()),
            failure_message: None,
            depends_on: None,
        },
        exit_code,
        attempt: Some(1),
        depends_on: submission.depends_on.clone(),
        ..RunRow::default()
    };
    Made { row, success_ms }
}

/// What a run has to do, and how long that takes undisturbed.
struct Work {
    task_ms: u64,
    tasks: u32,
    driver_only_ms: u64,
    duration_ms: u64,
    input_bytes: u64,
    shuffle_bytes: u64,
}

impl Work {
    fn new(application: &Application, draws: &Draws) -> Self {
        let slow = if draws.slow { SLOW_FACTOR } else { 1.0 };
        // The mean of exp(sigma z - sigma^2/2) is 1.
        let varies = (WORK_SIGMA_RUN * draws.work - 0.5 * WORK_SIGMA_RUN.powi(2)).exp();
        let work = (application.work_ms * varies * slow).round().max(1.0);
        let tasks = (work / application.task_ms).round().clamp(1.0, 1e6);
        let slots = f64::from(application.slots()).min(tasks);
        // No stage is faster than its slowest task; three times the mean is usual. `Guess`.
        let busy = (work / (slots * EFFICIENCY)).max(3.0 * work / tasks);
        let ramp = if application.dynamic_allocation { RAMP_MS } else { 0.0 };
        let driver_only = (application.driver_only_ms * (0.25 * draws.driver_only).exp()).round();
        let input = (tasks * application.bytes_per_task * (0.2 * draws.input).exp()).round();
        Self {
            task_ms: work as u64,
            tasks: tasks as u32,
            driver_only_ms: driver_only as u64,
            duration_ms: (driver_only + START_MS + ramp + busy).round() as u64,
            input_bytes: input as u64,
            shuffle_bytes: (input * application.shuffle_ratio).round() as u64,
        }
    }
}

/// Memory that would suffice, whatever is configured.
struct Need {
    executor_mib: u64,
    driver_mib: u64,
    executor_short: bool,
    driver_short: bool,
}

impl Need {
    fn new(application: &Application, day: u32, draws: &Draws) -> Self {
        // More data needs more memory: the two noises have a correlation of 0.5. `Guess`.
        let noise = 0.5 * draws.work + 0.75_f64.sqrt() * draws.memory;
        let drift = application.memory_drift * f64::from(day);
        let log = application.memory_log + drift + MEMORY_SIGMA_RUN * noise;
        let container = application.shape.container_mib();
        let executor_mib = (container as f64 * log.exp()).round().max(1.0) as u64;
        let driver_container = application.driver_mib + 384.max(application.driver_mib / 10);
        let log = application.driver_memory_log + MEMORY_SIGMA_RUN * draws.driver_memory;
        let driver_mib = (driver_container as f64 * log.exp()).round().max(1.0) as u64;
        Self {
            executor_mib,
            driver_mib,
            executor_short: executor_mib > container,
            driver_short: driver_mib > driver_container,
        }
    }
}

/// How the first attempt ended, and after how long.
fn ending(
    options: &SynthOptions,
    application: &Application,
    draws: &Draws,
    work: &Work,
    need: &Need,
) -> (Option<Failure>, u64) {
    let bugs = if application.trigger == Trigger::Adhoc { 3.0 } else { 1.0 };
    let failure = if need.driver_short {
        Some(Failure::DriverOom)
    } else if need.executor_short {
        Some(Failure::ExecutorOom)
    } else if draws.bug < options.application_failure_share * bugs {
        Some(Failure::Application)
    } else if draws.transient < options.transient_failure_share {
        Some(Failure::Transient)
    } else {
        None
    };
    let duration_ms = match failure {
        None => work.duration_ms,
        // Bugs show early, memory runs out late. `Guess`.
        Some(Failure::Application) => part(work.duration_ms, draws.fails_at.powi(2)),
        Some(Failure::ExecutorOom) => part(work.duration_ms, 0.3 + 0.7 * draws.fails_at),
        Some(_) => part(work.duration_ms, draws.fails_at),
    };
    match application.timeout_s {
        Some(timeout_s) if duration_ms > timeout_s * 1000 => {
            (Some(Failure::Timeout), timeout_s * 1000)
        }
        _ => (failure, duration_ms),
    }
}

fn part(duration_ms: u64, share: f64) -> u64 {
    ((duration_ms as f64 * share).round() as u64).max(DRIVER_START_MS)
}
