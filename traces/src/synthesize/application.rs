//! The platform's applications: who owns each, when it runs, how big it is, how it is configured.

use sim::rng::Stream;

use super::SynthOptions;
use super::draw::{exceeded_with, happens, normal, uniform, weighted};

/// What submits an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// A schedule, every so many minutes.
    Schedule {
        /// Minutes between two runs: 30, 60, 360 or 1,440.
        period_min: u32,
        /// Minute of the day of the first one.
        offset_min: u32,
    },
    /// An external event.
    External,
    /// A person.
    Adhoc,
}

/// Numbers that all runs of an application have in common.
#[derive(Debug, Clone)]
pub(super) struct Application {
    pub(super) name: String,
    pub(super) owner: u32,
    pub(super) trigger: Trigger,
    /// The application, by place, whose run of the day comes before.
    pub(super) after: Option<usize>,
    pub(super) critical: bool,
    /// Mean work of a run, in milliseconds of task time.
    pub(super) work_ms: f64,
    /// Mean task, in milliseconds.
    pub(super) task_ms: f64,
    pub(super) shape: Shape,
    pub(super) driver_mib: u64,
    pub(super) executors: u32,
    pub(super) dynamic_allocation: bool,
    /// Logarithm of the usual executor need over its container.
    pub(super) memory_log: f64,
    /// What a day adds to it.
    pub(super) memory_drift: f64,
    /// The same for the driver.
    pub(super) driver_memory_log: f64,
    pub(super) timeout_s: Option<u64>,
    /// Mean time of the driver alone, in milliseconds.
    pub(super) driver_only_ms: f64,
    pub(super) bytes_per_task: f64,
    pub(super) shuffle_ratio: f64,
}

/// An executor's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) cores: u32,
    pub(super) heap_mib: u64,
    pub(super) overhead_mib: u64,
}

impl Shape {
    /// `spark.executor.memory` and `memoryOverhead`: a tenth, at least 384 MiB.
    /// Source: facts-spark A4.
    fn new(cores: u32, heap_mib: u64) -> Self {
        Self { cores, heap_mib, overhead_mib: 384.max(heap_mib / 10) }
    }

    pub(super) fn container_mib(self) -> u64 {
        self.heap_mib + self.overhead_mib
    }
}

/// Shapes people choose, with their shares. `Guess`: 1 to 5 cores as Spark's tuning advice has it,
/// 2 to 7 GiB a core.
const SHAPES: [(u32, u64, f64); 12] = [
    (1, 4_096, 0.08),
    (2, 4_096, 0.05),
    (2, 8_192, 0.12),
    (3, 12_288, 0.06),
    (4, 8_192, 0.13),
    (4, 10_240, 0.11),
    (4, 16_384, 0.18),
    (4, 20_480, 0.08),
    (4, 26_624, 0.05),
    (5, 18_432, 0.06),
    (5, 20_480, 0.04),
    (5, 30_720, 0.04),
];

/// Numbers of executors people write down. The last is Flotilla's cap.
const EXECUTORS: [u32; 14] = [1, 2, 3, 5, 8, 10, 15, 20, 25, 30, 40, 50, 75, 100];
/// Flotilla's default, which a share of its users leaves as it is. `Guess`: 15 %.
const EXECUTORS_DEFAULT: u32 = 25;
const EXECUTORS_DEFAULT_SHARE: f64 = 0.15;

/// How the log of a memory need varies: between applications, and between runs of one. `Guess`:
/// 15 % and 22 %.
const MEMORY_SIGMA_APPLICATION: f64 = 0.15;
pub(super) const MEMORY_SIGMA_RUN: f64 = 0.22;
/// How the log of the work varies between runs of one application. `Guess`: 30 %.
pub(super) const WORK_SIGMA_RUN: f64 = 0.30;
/// A slow run has that many times the work. `Guess`.
pub(super) const SLOW_FACTOR: f64 = 8.0;

/// Timeouts people choose.
const TIMEOUTS_S: [u64; 8] = [600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400];

/// Everything about the platform that does not change from run to run.
#[derive(Debug)]
pub(super) struct Platform {
    pub(super) applications: Vec<Application>,
    /// Places of the external applications.
    pub(super) external: Vec<usize>,
    /// Places of each owner's ad-hoc applications.
    pub(super) adhoc: Vec<Vec<usize>>,
    /// How active each owner is.
    pub(super) owner_weights: Vec<f64>,
}

impl Platform {
    pub(super) fn new(options: &SynthOptions) -> Self {
        // Skewed like most human activity: the busiest of 100 has about a tenth. `Guess`.
        let owner_weights: Vec<f64> =
            (0..options.owners).map(|rank| (f64::from(rank) + 2.0).powf(-0.8)).collect();
        let mut platform = Self {
            applications: Vec::new(),
            external: Vec::new(),
            adhoc: vec![Vec::new(); options.owners as usize],
            owner_weights,
        };
        let mut rates = Vec::new();
        platform.add_scheduled(options, &mut rates);
        platform.add_external(options, &mut rates);
        platform.add_adhoc(options, &mut rates);
        platform.scale_work(options, &rates);
        for application in &mut platform.applications {
            application.configure(options);
        }
        platform
    }

    /// Applications on a schedule, until their runs of a day are the share asked for.
    fn add_scheduled(&mut self, options: &SynthOptions, rates: &mut Vec<f64>) {
        let mut rest = (options.runs_per_day * options.scheduled_share).round() as u32;
        let mut chain = 0;
        while rest > 0 {
            let place = self.applications.len();
            let mut stream = stream_of(options, place);
            // Of 1,165 scheduled applications 77 % run daily, 10 % every six hours, 10.5 % every
            // hour, 2.5 % every half hour. `Guess`, made so that some 1,500 applications give
            // 8,000 runs.
            let mut kind = weighted(&mut stream, &[0.77, 0.10, 0.105, 0.025]);
            while RUNS[kind] > rest {
                kind -= 1;
            }
            rest -= RUNS[kind];
            let daily = kind == 0;
            let mut application =
                Application::new(options, place, &self.owner_weights, &mut stream);
            application.trigger = schedule(kind, &mut stream);
            // A workflow: a daily application that starts when the one before it is done.
            // `Guess`: 30 %, five steps at most.
            let follows = happens(&mut stream, 0.30);
            let before = self.applications.last();
            chain = match before {
                Some(before) if daily && follows && chain < 4 && is_daily(before) => {
                    application.after = Some(place - 1);
                    application.owner = before.owner;
                    application.critical = before.critical;
                    chain + 1
                }
                _ => 0,
            };
            // Who runs often does less each time. `Guess`.
            application.work_ms *= f64::from(RUNS[kind]).powf(-0.6);
            rates.push(f64::from(RUNS[kind]));
            self.applications.push(application);
        }
    }

    /// `Guess`: 135 applications at 8,000 runs a day wait for external triggers.
    fn add_external(&mut self, options: &SynthOptions, rates: &mut Vec<f64>) {
        let runs = options.runs_per_day * options.external_share;
        if runs <= 0.0 {
            return;
        }
        let count = (options.runs_per_day * 135.0 / 8_000.0).ceil() as usize;
        for _ in 0..count {
            let place = self.applications.len();
            let mut stream = stream_of(options, place);
            let mut application =
                Application::new(options, place, &self.owner_weights, &mut stream);
            application.trigger = Trigger::External;
            application.work_ms *= 0.3;
            rates.push(runs / count as f64);
            self.external.push(place);
            self.applications.push(application);
        }
    }

    /// Two ad-hoc applications (a notebook and a query tool, say) for each owner. `Guess`.
    fn add_adhoc(&mut self, options: &SynthOptions, rates: &mut Vec<f64>) {
        let share = (1.0 - options.scheduled_share - options.external_share).max(0.0);
        let weights: f64 = self.owner_weights.iter().sum();
        for owner in 0..options.owners {
            let weight = self.owner_weights[owner as usize] / weights;
            for _ in 0..2 {
                let place = self.applications.len();
                let mut stream = stream_of(options, place);
                let mut application =
                    Application::new(options, place, &self.owner_weights, &mut stream);
                application.trigger = Trigger::Adhoc;
                application.owner = owner;
                application.critical = false;
                application.work_ms *= 0.3;
                application.timeout_s = None;
                rates.push(options.runs_per_day * share * weight / 2.0);
                self.adhoc[owner as usize].push(place);
                self.applications.push(application);
            }
        }
    }

    /// Makes the mean run what was asked for, whatever the tail of this seed is.
    fn scale_work(&mut self, options: &SynthOptions, rates: &[f64]) {
        let runs: f64 = rates.iter().sum();
        let work: f64 = self
            .applications
            .iter()
            .zip(rates)
            .map(|(application, rate)| application.work_ms * rate)
            .sum();
        let slow = 1.0 + options.slow_run_share * (SLOW_FACTOR - 1.0);
        let wanted = options.mean_core_hours * 3_600_000.0 * runs / slow;
        let factor = if work > 0.0 { wanted / work } else { 1.0 };
        for application in &mut self.applications {
            application.work_ms = (application.work_ms * factor).round().max(1.0);
        }
    }
}

/// Runs a day of the four kinds of schedule.
const RUNS: [u32; 4] = [1, 4, 24, 48];

fn stream_of(options: &SynthOptions, place: usize) -> Stream {
    options.seed.stream("synth-application", &[place as u64])
}

fn is_daily(application: &Application) -> bool {
    matches!(application.trigger, Trigger::Schedule { period_min: 1_440, .. })
}

/// On the hour 55 %, on the half-hour 25 %, else any minute; daily ones mostly at night. `Guess`,
/// after what people write into cron.
fn schedule(kind: usize, stream: &mut Stream) -> Trigger {
    const NIGHT: [f64; 24] = [
        8.0, 11.0, 14.0, 11.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.5, 1.5,
        1.5, 1.5, 1.5, 1.5, 1.5, 2.0, 3.0,
    ];
    let period_min = 1_440 / RUNS[kind];
    let minute = match weighted(stream, &[0.55, 0.25, 0.20]) {
        0 => 0,
        1 => 30,
        _ => (uniform(stream) * 60.0) as u32,
    };
    let hour = match kind {
        0 => weighted(stream, &NIGHT) as u32,
        1 => (uniform(stream) * 6.0) as u32,
        _ => 0,
    };
    Trigger::Schedule { period_min, offset_min: (hour * 60 + minute) % period_min }
}

impl Application {
    fn new(options: &SynthOptions, place: usize, owners: &[f64], stream: &mut Stream) -> Self {
        let subject = SUBJECTS[weighted(stream, &[1.0; SUBJECTS.len()])];
        let task = TASKS[weighted(stream, &[1.0; TASKS.len()])];
        // Log-normal body; 6 % have a Pareto tail of index 1.3 from the 97th percentile of the
        // body on, cut at 300 times its median. `Guess`, after the heavy tails of every published
        // trace of batch work.
        let body = (1.2 * normal(stream)).exp();
        let tail = 10.0 * uniform(stream).powf(-1.0 / 1.3);
        let work = if happens(stream, 0.06) { tail } else { body };
        let (cores, heap_mib) = {
            let (cores, heap_mib, _) = SHAPES[weighted(stream, &SHAPES.map(|shape| shape.2))];
            (cores, heap_mib)
        };
        let sigma = MEMORY_SIGMA_APPLICATION.hypot(MEMORY_SIGMA_RUN);
        let usual = |share: f64| -sigma * exceeded_with(share);
        Self {
            name: format!("{subject}-{task}-{place:04}"),
            owner: weighted(stream, owners) as u32,
            trigger: Trigger::External,
            after: None,
            critical: happens(stream, options.critical_share),
            work_ms: work.min(300.0),
            // Median 8 s, so that the mean run has a few hundred tasks. `Guess`.
            task_ms: (8_000.0 * (0.5 * normal(stream)).exp()).round().clamp(500.0, 60_000.0),
            shape: Shape::new(cores, heap_mib),
            driver_mib: [2_048, 4_096, 8_192][weighted(stream, &[0.35, 0.45, 0.20])],
            executors: 1,
            dynamic_allocation: happens(stream, options.dynamic_allocation_share),
            memory_log: usual(options.executor_oom_share)
                + MEMORY_SIGMA_APPLICATION * normal(stream),
            // Data grows, or shrinks, by some 3 % a month. `Guess`.
            memory_drift: 0.001 * normal(stream),
            driver_memory_log: usual(options.driver_oom_share)
                + MEMORY_SIGMA_APPLICATION * normal(stream),
            // 0 = has one; `configure` chooses it. `Guess`: 75 % of applications have a timeout.
            timeout_s: happens(stream, 0.75).then_some(0),
            driver_only_ms: (25_000.0 * (0.6 * normal(stream)).exp()).round(),
            // Around 64 MiB, half of Spark's largest input split. `Guess`.
            bytes_per_task: (67_108_864.0 * (0.7 * normal(stream)).exp()).round(),
            // Most applications shuffle little, some much: 0 to 0.4, a tenth at the median. `Guess`,
            // held below what the collected event logs show (0 to 2.4 MB a core-second).
            shuffle_ratio: (uniform(stream).powi(2) * 0.4 * 1e3).round() / 1e3,
        }
    }

    /// What follows from the size: the number of executors and the timeout.
    fn configure(&mut self, options: &SynthOptions) {
        let mut stream =
            options.seed.stream("synth-configuration", &[sim::rng::key_of(&self.name)]);
        // As many as finish in about ten minutes, rounded up to a number that people like.
        let aim_ms = (600_000.0 * (0.5 * normal(&mut stream)).exp()).round();
        let wanted = (self.work_ms / aim_ms / f64::from(self.shape.cores)).ceil() as u32;
        let liked = EXECUTORS.into_iter().find(|count| *count >= wanted);
        self.executors = liked.unwrap_or(EXECUTORS[EXECUTORS.len() - 1]);
        if happens(&mut stream, EXECUTORS_DEFAULT_SHARE) {
            self.executors = self.executors.max(EXECUTORS_DEFAULT);
        }
        if self.timeout_s.is_some() {
            let usual_s = (self.work_ms / f64::from(self.slots()) + self.driver_only_ms) / 1000.0;
            // People leave room: three times the usual.
            let liked = TIMEOUTS_S.into_iter().find(|timeout| *timeout as f64 >= 3.0 * usual_s);
            self.timeout_s = liked;
        }
    }

    pub(super) fn slots(&self) -> u32 {
        self.executors * self.shape.cores
    }

    pub(super) const fn trigger_name(&self) -> &'static str {
        match self.trigger {
            Trigger::Schedule { .. } => "schedule",
            Trigger::External => "event",
            Trigger::Adhoc => "adhoc",
        }
    }
}

/// Words for names.
const SUBJECTS: [&str; 12] = [
    "orders",
    "inventory",
    "clients",
    "styles",
    "forecast",
    "pricing",
    "returns",
    "shipments",
    "feedback",
    "sessions",
    "finance",
    "demand",
];
const TASKS: [&str; 10] = [
    "load",
    "join",
    "features",
    "train",
    "score",
    "report",
    "export",
    "clean",
    "aggregate",
    "sync",
];
