//! What an attempt's pods ask for, and whether that is enough.
//!
//! Container memory follows Spark's own formula (`MemoryOverheads`): heap + overhead + off-heap +
//! PySpark memory, with overhead = `memoryOverhead`, or the greater of factor x heap and 384 MiB. A
//! run that needs more than its container is killed by the kernel (exit 137). Where the executor is
//! another one than the recorded one, a recorded peak is moved to its task slots, and its stages
//! are asked what becomes of them (`memory/pressure.rs`). Source: facts-spark A4.

mod pressure;

pub(super) use pressure::{Change, ExecutorMemory};
use pressure::{Verdict, peak_with_slots};

use crate::cluster::Resources;
use crate::engine::world::Cx;
use crate::retry::Raises;
use crate::scenario::{LocalDirs, SparkDefaults};
use crate::units::{Bytes, MilliCores};
use crate::workload::{Failure, Removal, Run, Stage};

/// The shape of an attempt: what its driver and executors are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// The driver's requests.
    pub(crate) driver: Resources,
    /// An executor's requests.
    pub(crate) executor: Resources,
    /// An executor's container without the ladder's raises.
    pub(crate) executor_asked: Bytes,
    /// What an executor needs, as far as it is known.
    pub(crate) executor_needed: Option<Bytes>,
    /// Task slots of an executor.
    pub(crate) slots: u32,
    /// What a running task uses, in thousandths of a core.
    pub(crate) slot_milli: u64,
    /// Executors at the start.
    pub(crate) initial: u32,
    /// Fewest executors.
    pub(crate) min: u32,
    /// Most executors.
    pub(crate) max: u32,
    /// Dynamic allocation is on.
    pub(crate) dynamic: bool,
    /// The driver needs more memory than its container has.
    pub(crate) driver_ooms: bool,
    /// Executors need more memory than their containers have.
    pub(crate) executor_ooms: bool,
    /// The exit code of an executor that dies of memory: 52 in the JVM, 137 by the kernel.
    pub(crate) exit_code: i32,
    /// The executor where the run was recorded, and here.
    pub(super) memory: Change,
}

/// Works out the shape of the next attempt of a run, after the ladder's raises.
pub(crate) fn shape(cx: &Cx<'_>, run: &Run, raises: &Raises, run_key: u64) -> Shape {
    let spark = &cx.scenario.spark;
    let overheads = &spark.overheads;
    let raised = |heap: Bytes, factor: f64, max: Bytes| {
        if factor > 1.0 { heap.scale_floor(factor).min(max.max(heap)) } else { heap }
    };
    let over = spark.override_runs;
    let recorded_heap = run.executor_memory.unwrap_or(spark.executor_memory);
    let set = run.executor_memory_overhead.or(spark.executor_memory_overhead);
    let recorded_container = overheads.executor_container(recorded_heap, set);
    let own = run.settings.as_deref();
    let (heap, set) = (spark.executor_heap_of(run), spark.executor_overhead_of(run));
    let executor_asked = overheads.executor_container(heap, set);
    let heap = raised(heap, raises.executor_memory, raises.executor_memory_max);
    let set = set.map(|bytes| raised(bytes, raises.executor_memory, Bytes::new(u64::MAX)));
    let executor_memory = overheads.executor_container(heap, set);

    let driver_heap = run.driver_memory.unwrap_or(spark.driver_memory);
    let driver_set = spark.driver_memory_overhead;
    let recorded_driver = overheads.driver_container(driver_heap, driver_set);
    let driver_heap = if over.driver_memory { spark.driver_memory } else { driver_heap };
    let driver_heap = own.and_then(|own| own.driver_memory).unwrap_or(driver_heap);
    let driver_heap = raised(driver_heap, raises.driver_memory, raises.driver_memory_max);
    let driver_memory = overheads.driver_container(driver_heap, driver_set);

    let executor_cores = spark.executor_cores_of(run).max(1);
    let cpu = spark.executor_request_cores;
    let driver_cpu =
        own.and_then(|own| own.driver_cores).or_else(|| kept(over.driver_cores, run.driver_cores));
    let driver_cpu = driver_cpu.unwrap_or(MilliCores::cores(spark.driver_cores.into()));
    let (initial, min, max, dynamic) = executors(run, spark, raises);
    let task_cpus = spark.task_cpus.max(1).saturating_mul(raises.task_cpus.max(1));
    let slots = (executor_cores / task_cpus).max(1);
    let memory = change(
        run,
        spark,
        (recorded_heap, recorded_container),
        (heap, executor_memory),
        slots,
        max,
    );
    let peak = executor_peak(run, &memory);
    let death = match run.failure {
        // Known better from the recording.
        Some(Failure::ExecutorOom) => None,
        _ => memory.death(stages_of(run)).and_then(Verdict::exit_code),
    };
    let need = |recorded, peak: Option<Bytes>, failure, purpose| {
        need(cx, run, run_key, recorded, peak, failure, purpose)
    };
    let (oom, driver_oom) = (Failure::ExecutorOom, Failure::DriverOom);
    let mut executor_needed = need(recorded_container, peak, oom, "executor-memory");
    if run.peak_executor_memory.is_none() {
        executor_needed = executor_needed.map(|needed| memory.with_fewer_slots(needed));
    }
    let driver_needed = need(recorded_driver, run.peak_driver_memory, driver_oom, "driver-memory");
    let dies = executor_needed.is_some_and(|needed| needed > executor_memory);
    Shape {
        driver: Resources::of_pod(spark.driver_request_cores.unwrap_or(driver_cpu), driver_memory),
        executor: Resources::of_pod(
            cpu.unwrap_or(MilliCores::cores(executor_cores.into())),
            executor_memory,
        ),
        executor_asked,
        executor_needed,
        slots,
        slot_milli: u64::from(executor_cores) * 1000 / u64::from(slots),
        initial,
        min,
        max,
        dynamic,
        driver_ooms: driver_needed.is_some_and(|needed| needed > driver_memory),
        executor_ooms: dies || death.is_some(),
        exit_code: if dies { recorded_exit(run) } else { death.unwrap_or(137) },
        memory,
    }
}

/// What a run was recorded with, unless the scenario's setting wins.
fn kept<T>(overridden: bool, recorded: Option<T>) -> Option<T> {
    recorded.filter(|_| !overridden)
}

fn stages_of(run: &Run) -> &[Stage] {
    run.stages.as_deref().unwrap_or_default()
}

/// The executor where the run was recorded, and here. (heap, container) of both.
fn change(
    run: &Run,
    spark: &SparkDefaults,
    recorded: (Bytes, Bytes),
    simulated: (Bytes, Bytes),
    slots: u32,
    max: u32,
) -> Change {
    let executors = run.recording.iter().flat_map(|recording| &recording.executors);
    let cores = executors.map(|executor| executor.cores).max().filter(|cores| *cores > 0);
    let recorded_slots =
        cores.or(run.executor_cores).map_or(slots, |cores| (cores / spark.task_cpus.max(1)).max(1));
    // No more executors than there are tasks for: it matters where there is no maximum.
    let widest = stages_of(run).iter().map(|stage| stage.tasks.count()).max().unwrap_or(0);
    let of = |(heap, container), slots: u32, tmpfs| ExecutorMemory {
        heap,
        container,
        off_heap: spark.overheads.off_heap,
        pyspark: spark.overheads.pyspark,
        tmpfs,
        slots,
        executors: max.min(widest.div_ceil(slots)).max(1),
        unified: spark.memory,
    };
    let tmpfs = match spark.storage.local_dirs {
        LocalDirs::Tmpfs => local_bytes(run, of(simulated, slots, Bytes::ZERO).executors),
        _ => Bytes::ZERO,
    };
    Change {
        recorded: of(recorded, recorded_slots, Bytes::ZERO),
        simulated: of(simulated, slots, tmpfs),
    }
}

/// What an executor's local directories hold at the end: all that was written for shuffles and
/// spilled, because Spark deletes shuffle files late; split evenly.
fn local_bytes(run: &Run, executors: u32) -> Bytes {
    let all = stages_of(run).iter().fold(Bytes::ZERO, |sum, stage| {
        sum.saturating_add(stage.shuffle_write_bytes).saturating_add(stage.spilled_bytes)
    });
    Bytes::new(all.as_u64() / u64::from(executors.max(1)))
}

/// The recorded peak of an executor's container, on the simulated executor.
fn executor_peak(run: &Run, memory: &Change) -> Option<Bytes> {
    let task = stages_of(run).iter().map(|stage| stage.peak_task_memory).max();
    let (recorded, simulated) = (&memory.recorded, &memory.simulated);
    let peak = run.peak_executor_memory?;
    let task = task.unwrap_or(Bytes::ZERO);
    let moved = peak_with_slots(peak, task, recorded.slots, simulated.slots);
    Some(moved.saturating_add(simulated.tmpfs))
}

/// The exit code with which the recorded run's executors died of memory: the kernel's, unless its
/// log says that it was the JVM.
fn recorded_exit(run: &Run) -> i32 {
    let died = Removal::Exited { exit_code: Some(52) };
    let mut executors = run.recording.iter().flat_map(|recording| &recording.executors);
    let in_jvm = run.failure == Some(Failure::ExecutorOom)
        && executors.any(|executor| executor.removal == Some(died));
    if in_jvm { 52 } else { 137 }
}

/// How much memory one executor (or the driver) of the run needs, if anything is known of it.
///
/// A recorded peak is the need, except where the recorded run died of memory at that peak: it
/// cannot have been seen above its container. Then the need is taken as 5 % to 80 % above the
/// recorded container, one draw per run (a guess).
fn need(
    cx: &Cx<'_>,
    run: &Run,
    run_key: u64,
    recorded_container: Bytes,
    peak: Option<Bytes>,
    failure: Failure,
    purpose: &'static str,
) -> Option<Bytes> {
    let died = run.failure == Some(failure);
    match peak {
        Some(peak) if !died || peak > recorded_container => Some(peak),
        _ if died => {
            let above = 1.05 + 0.75 * cx.seed.uniform(purpose, &[run_key]);
            Some(recorded_container.scale_floor(above))
        }
        other => other,
    }
}

/// (initial, min, max, dynamic).
fn executors(run: &Run, spark: &SparkDefaults, raises: &Raises) -> (u32, u32, u32, bool) {
    let raised = |count: u32| {
        if raises.executor_count > 1.0 {
            let more = (f64::from(count) * raises.executor_count).round() as u32;
            more.min(raises.executor_count_max.max(count))
        } else {
            count
        }
    };
    let settings = &spark.dynamic_allocation;
    let over = spark.override_runs.executors;
    let own = run.settings.as_deref();
    let recorded_min =
        own.and_then(|own| own.executors_min).or_else(|| kept(over, run.executors_min));
    let recorded_max =
        own.and_then(|own| own.executors_max).or_else(|| kept(over, run.executors_max));
    let dynamic =
        own.and_then(|own| own.dynamic_allocation).or_else(|| kept(over, run.dynamic_allocation));
    if !dynamic.unwrap_or(settings.enabled) {
        let fixed = recorded_max.or(recorded_min).unwrap_or(spark.executor_instances);
        let fixed = raised(fixed.max(1));
        return (fixed, fixed, fixed, false);
    }
    let max = recorded_max.unwrap_or(settings.max_executors).max(1);
    let min = recorded_min.unwrap_or(settings.min_executors).min(max);
    let initial = settings.initial_executors.unwrap_or(min).max(min).min(max);
    (raised(initial), raised(min), raised(max), true)
}
