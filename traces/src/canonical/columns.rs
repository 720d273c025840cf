//! The columns of the canonical tables.

use crate::table::{CELL_CHARS_MAX, Column, ColumnType};

/// Most characters of `task_ms` and `parents`: 2,048 listed durations of ten digits fit.
const LONG_CHARS_MAX: usize = 40_000;

/// Largest count that is taken for one: executors, tasks.
const EXECUTORS_MAX: u64 = 100_000;
const TASKS_MAX: u64 = 1_000_000_000;

const fn text(name: &'static str, default: &'static str, doc: &'static str) -> Column {
    column(name, ColumnType::Text(CELL_CHARS_MAX), "", default, doc)
}

const fn column(
    name: &'static str,
    kind: ColumnType,
    unit: &'static str,
    default: &'static str,
    doc: &'static str,
) -> Column {
    Column { name, kind, unit, required: false, default, doc }
}

const fn required(column: Column) -> Column {
    Column { required: true, default: "", ..column }
}

const SPARK: &str = "the scenario's Spark configuration";

/// Names of outcomes, as [`sim::workload::RunOutcome`] has them.
pub(super) const OUTCOMES: &[&str] = &["succeeded", "failed", "unfinished"];
/// Names of causes, as [`sim::workload::Failure::name`] has them.
const FAILURES: &[&str] = &[
    "executor_oom",
    "driver_oom",
    "timeout",
    "spot",
    "application",
    "transient",
    "unschedulable",
    "preempted",
    "drained",
    "driver_lost",
    "image_pull",
];
/// Names of lifecycles, as [`sim::workload::NodeLifecycle`] has them.
pub(super) const LIFECYCLES: &[&str] = &["spot", "on_demand"];

/// The `runs` table: one row per submission by the orchestrator, or per recorded attempt.
pub const RUN_COLUMNS: &[Column] = &[
    required(text("run_id", "", "The orchestrator's name for the submission; unique.")),
    required(text("application", "", "What the runs of one job have in common.")),
    text("team", "`unassigned`", "Who owns it."),
    required(column(
        "submitted_at",
        ColumnType::Instant,
        "RFC 3339, or s or ms since 1970",
        "",
        "When it was submitted. Text without an offset is UTC; numbers below 1e11 are seconds.",
    )),
    text("trigger", "unknown", "What set it off: `schedule`, `event`, `adhoc`, or any other word."),
    column("critical", ColumnType::Flag, "", "`false`", "Critical for the business."),
    column("driver_cores", ColumnType::Cores, "cores", SPARK, "`spark.driver.cores`."),
    column(
        "driver_memory_mib",
        ColumnType::Mebibytes,
        "MiB",
        SPARK,
        "`spark.driver.memory` (heap).",
    ),
    column(
        "executor_cores",
        ColumnType::Count(1, 1_024),
        "task slots",
        SPARK,
        "`spark.executor.cores`.",
    ),
    column(
        "executor_memory_mib",
        ColumnType::Mebibytes,
        "MiB",
        SPARK,
        "`spark.executor.memory` (heap).",
    ),
    column(
        "executor_memory_overhead_mib",
        ColumnType::Mebibytes,
        "MiB",
        SPARK,
        "`spark.executor.memoryOverhead`.",
    ),
    column(
        "executors_min",
        ColumnType::Count(0, EXECUTORS_MAX),
        "executors",
        SPARK,
        "Fewest executors; with dynamic allocation off, the number of executors.",
    ),
    column(
        "executors_max",
        ColumnType::Count(1, EXECUTORS_MAX),
        "executors",
        SPARK,
        "Most executors.",
    ),
    column("dynamic_allocation", ColumnType::Flag, "", SPARK, "`spark.dynamicAllocation.enabled`."),
    column(
        "duration_s",
        ColumnType::Seconds,
        "s",
        "what `executor_task_s` takes on the executors; one of the two is required",
        "From the driver's start to its end.",
    ),
    column(
        "executor_task_s",
        ColumnType::Seconds,
        "s",
        "`duration_s` less `driver_only_s`, on all task slots; one of the two is required",
        "Task time summed over all tasks: the work that executors have to do.",
    ),
    column(
        "driver_only_s",
        ColumnType::Seconds,
        "s",
        "the scenario's assumption",
        "Time in which the driver worked alone: planning, collecting, waiting between jobs.",
    ),
    column(
        "tasks",
        ColumnType::Count(0, TASKS_MAX),
        "tasks",
        "the scenario's assumption of a task's length",
        "Number of tasks.",
    ),
    column(
        "peak_executor_memory_mib",
        ColumnType::Mebibytes,
        "MiB",
        "what was configured sufficed",
        "The most memory that one executor's container needed.",
    ),
    column(
        "peak_driver_memory_mib",
        ColumnType::Mebibytes,
        "MiB",
        "what was configured sufficed",
        "The most memory that the driver's container needed.",
    ),
    column("input_bytes", ColumnType::Bytes, "bytes", "not recorded", "Read from outside."),
    column("shuffle_bytes", ColumnType::Bytes, "bytes", "not recorded", "Written for shuffles."),
    column(
        "timeout_s",
        ColumnType::Seconds,
        "s",
        "no timeout",
        "The orchestrator kills an attempt that takes longer.",
    ),
    column(
        "deadline_s",
        ColumnType::Seconds,
        "s",
        "no deadline",
        "So long after `submitted_at` it should have succeeded.",
    ),
    column(
        "outcome",
        ColumnType::Choice(OUTCOMES),
        "",
        "`failed` where `failure` is set, else `succeeded`",
        "How the recorded attempt ended.",
    ),
    column(
        "failure",
        ColumnType::Choice(FAILURES),
        "",
        "told from `failure_message`, then `exit_code`, by the patterns of \
         `traces/src/failure_patterns.csv`; else not recorded",
        "Why it failed.",
    ),
    column(
        "failure_message",
        ColumnType::Text(LONG_CHARS_MAX),
        "",
        "not recorded",
        "What was said of it: a reason, an exception.",
    ),
    column(
        "exit_code",
        ColumnType::Signed,
        "",
        "not recorded",
        "Exit code of the driver's container.",
    ),
    column(
        "attempt",
        ColumnType::Count(1, 10_000),
        "",
        "1",
        "Which try this row is. Later tries are not submissions: the simulator makes its own.",
    ),
    text("retry_of", "a submission of its own", "The `run_id` that this row retried."),
    column(
        "node_lifecycle",
        ColumnType::Choice(LIFECYCLES),
        "",
        "not recorded",
        "The capacity that its executors ran on.",
    ),
    text(
        "depends_on",
        "nothing",
        "`run_id`s, joined by `;`, that had to end before it was submitted: it waits where they \
         end later.",
    ),
];

/// The `stages` table: one row per stage of a run, in order of submission.
pub const STAGE_COLUMNS: &[Column] = &[
    required(text("run_id", "", "The run, as in `runs`.")),
    required(column(
        "stage_id",
        ColumnType::Count(0, u32::MAX as u64),
        "",
        "",
        "Spark's id of the stage, unique in the run.",
    )),
    column(
        "parents",
        ColumnType::Text(LONG_CHARS_MAX),
        "",
        "none",
        "`stage_id`s, joined by `;`, of earlier rows of the run whose output it needs.",
    ),
    column(
        "driver_gap_s",
        ColumnType::Seconds,
        "s",
        "0",
        "From the end of its parents, or the start of the run, to its submission.",
    ),
    required(column("tasks", ColumnType::Count(0, 10_000_000), "tasks", "", "Number of tasks.")),
    column(
        "task_ms",
        ColumnType::Text(LONG_CHARS_MAX),
        "ms",
        "required where `tasks` is above 0",
        "Duration of every task in order of partition, joined by `;`, `123x4` for four of 123 ms; \
         or, of more than 2,048 tasks, `q:` evenly spaced quantiles `|tail:` the slowest tasks, \
         which the quantiles leave out.",
    ),
    column("input_bytes", ColumnType::Bytes, "bytes", "0", "Read from outside."),
    column("shuffle_read_bytes", ColumnType::Bytes, "bytes", "0", "Read from shuffles."),
    column("shuffle_write_bytes", ColumnType::Bytes, "bytes", "0", "Written for shuffles."),
    column(
        "peak_task_memory_bytes",
        ColumnType::Bytes,
        "bytes",
        "0",
        "The most execution memory that one of its tasks needed (`peakExecutionMemory`).",
    ),
    column(
        "shuffle_parents",
        ColumnType::Text(LONG_CHARS_MAX),
        "",
        "`parents`, where it reads shuffles",
        "Those of `parents` whose shuffle it reads; the others only come before it.",
    ),
    column(
        "job",
        ColumnType::Count(0, u32::MAX as u64),
        "",
        "0",
        "Its job, in order of submission.",
    ),
    column("pool", ColumnType::Count(0, u32::MAX as u64), "", "0", "FAIR pool; 0 = the default."),
    column(
        "resource_profile",
        ColumnType::Count(0, u32::MAX as u64),
        "",
        "0",
        "Resource profile; 0 = the default.",
    ),
    column(
        "first_task_overhead_s",
        ColumnType::Seconds,
        "s",
        "0",
        "How much longer its first tasks on an executor take than `task_ms` says.",
    ),
    column(
        "task_overhead_s",
        ColumnType::Seconds,
        "s",
        "0",
        "Mean part of `task_ms` that is Spark's own: scheduler delay, deserialisation, results.",
    ),
    column(
        "fresh_tasks",
        ColumnType::Count(0, u32::MAX as u64),
        "",
        "0",
        "Tasks that were recorded within 8 s of the first one on their executor.",
    ),
    column("cpu_s", ColumnType::Seconds, "s", "0", "CPU time of its tasks, summed."),
    column("gc_s", ColumnType::Seconds, "s", "0", "Garbage collection meanwhile, summed."),
    column("fetch_wait_s", ColumnType::Seconds, "s", "0", "Waiting for shuffle blocks, summed."),
    column("output_bytes", ColumnType::Bytes, "bytes", "0", "Written to outside."),
    column("spilled_bytes", ColumnType::Bytes, "bytes", "0", "Spilled to disk."),
    column("cached_bytes", ColumnType::Bytes, "bytes", "0", "Held in memory as cached blocks."),
    column("caches", ColumnType::Flag, "", "`false`", "Its tasks leave cached blocks."),
    column(
        "cached_by",
        ColumnType::Text(CELL_CHARS_MAX),
        "",
        "none",
        "The earlier stage of as many tasks whose cached blocks its tasks read.",
    ),
    column(
        "locality",
        ColumnType::Text(CELL_CHARS_MAX),
        "",
        "not recorded",
        "Tasks that ran process-local, node-local, rack-local and anywhere, joined by `;`.",
    ),
    column("barrier", ColumnType::Flag, "", "`false`", "It is a barrier stage."),
];

/// The `pods` table: one row per plain pod.
pub const POD_COLUMNS: &[Column] = &[
    required(text("pod", "", "Its name; unique.")),
    required(column(
        "created_s",
        ColumnType::Seconds,
        "s",
        "",
        "When it was created: seconds since the start of the trace; 1e9 or more: since 1970.",
    )),
    required(column("duration_s", ColumnType::Seconds, "s", "", "How long it runs once started.")),
    required(column(
        "cpu_milli",
        ColumnType::Count(0, 10_000_000),
        "thousandths of a core",
        "",
        "CPU request.",
    )),
    required(column("memory_mib", ColumnType::Mebibytes, "MiB", "", "Memory request.")),
    column("gpus", ColumnType::Count(0, 1_024), "GPUs", "0", "`nvidia.com/gpu` request."),
    column("priority", ColumnType::Signed, "", "0", "Pod priority."),
    text(
        "node_selector",
        "any node",
        "`key=value`, joined by `;`. `%`, `;` and `=` inside are written `%25`, `%3B`, `%3D`.",
    ),
    text("labels", "none", "Labels, in the same notation."),
    text(
        "recorded_wait_s",
        "not recorded",
        "How long the real pod waited for its node, in seconds; `never` when it was never bound.",
    ),
];
