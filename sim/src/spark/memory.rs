//! What an attempt's pods ask for, and whether that is enough.
//!
//! Container memory follows Spark's own formula (`MemoryOverheads`): heap + overhead + off-heap +
//! PySpark memory, with overhead = `memoryOverhead`, or the greater of factor x heap and 384 MiB. A run that needs more
//! than its container is killed by the kernel (exit 137). Source: facts-spark A4.

use crate::cluster::Resources;
use crate::engine::world::Cx;
use crate::retry::Raises;
use crate::scenario::SparkDefaults;
use crate::units::{Bytes, MilliCores};
use crate::workload::{Failure, Run};

/// The shape of an attempt: what its driver and executors are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// The driver's requests.
    pub(crate) driver: Resources,
    /// An executor's requests.
    pub(crate) executor: Resources,
    /// Task slots of an executor.
    pub(crate) slots: u32,
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
}

/// Works out the shape of the next attempt of a run, after the ladder's raises.
pub(crate) fn shape(cx: &Cx<'_>, run: &Run, raises: &Raises, run_key: u64) -> Shape {
    let spark = &cx.scenario.spark;
    let overheads = &spark.overheads;
    let raised = |heap: Bytes, factor: f64, max: Bytes| {
        if factor > 1.0 { heap.scale_floor(factor).min(max.max(heap)) } else { heap }
    };
    let heap = run.executor_memory.unwrap_or(spark.executor_memory);
    let set = run.executor_memory_overhead.or(spark.executor_memory_overhead);
    let recorded_container = overheads.executor_container(heap, set);
    let heap = raised(heap, raises.executor_memory, raises.executor_memory_max);
    let set = set.map(|bytes| raised(bytes, raises.executor_memory, Bytes::new(u64::MAX)));
    let executor_memory = overheads.executor_container(heap, set);

    let driver_heap = run.driver_memory.unwrap_or(spark.driver_memory);
    let driver_set = spark.driver_memory_overhead;
    let recorded_driver = overheads.driver_container(driver_heap, driver_set);
    let driver_heap = raised(driver_heap, raises.driver_memory, raises.driver_memory_max);
    let driver_memory = overheads.driver_container(driver_heap, driver_set);

    let executor_cores = run.executor_cores.unwrap_or(spark.executor_cores).max(1);
    let cpu = spark.executor_request_cores;
    let driver_cpu = run.driver_cores.unwrap_or(MilliCores::cores(spark.driver_cores.into()));
    let (initial, min, max, dynamic) = executors(run, spark, raises);
    let need = |recorded, container: Bytes, peak: Option<Bytes>, failure, purpose| {
        need(cx, run, run_key, recorded, peak, failure, purpose).is_some_and(|n| n > container)
    };
    let (oom, driver_oom) = (Failure::ExecutorOom, Failure::DriverOom);
    Shape {
        driver: Resources::of_pod(spark.driver_request_cores.unwrap_or(driver_cpu), driver_memory),
        executor: Resources::of_pod(
            cpu.unwrap_or(MilliCores::cores(executor_cores.into())),
            executor_memory,
        ),
        slots: (executor_cores / spark.task_cpus.max(1)).max(1),
        initial,
        min,
        max,
        dynamic,
        driver_ooms: need(
            recorded_driver,
            driver_memory,
            run.peak_driver_memory,
            driver_oom,
            "driver-memory",
        ),
        executor_ooms: need(
            recorded_container,
            executor_memory,
            run.peak_executor_memory,
            oom,
            "executor-memory",
        ),
    }
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
    if !run.dynamic_allocation.unwrap_or(settings.enabled) {
        let fixed = run.executors_max.or(run.executors_min).unwrap_or(spark.executor_instances);
        let fixed = raised(fixed.max(1));
        return (fixed, fixed, fixed, false);
    }
    let max = run.executors_max.unwrap_or(settings.max_executors).max(1);
    let min = run.executors_min.unwrap_or(settings.min_executors).min(max);
    let initial = settings.initial_executors.unwrap_or(min).max(min).min(max);
    (raised(initial), raised(min), raised(max), true)
}
