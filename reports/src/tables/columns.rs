//! What the tables' columns are, with their units: the only place that says so.

/// One table.
#[derive(Debug)]
pub struct TableSpec {
    /// Its name; the file is `NAME.parquet`.
    pub name: &'static str,
    /// What a row is.
    pub row: &'static str,
    /// Its columns, in order.
    pub columns: &'static [ColumnSpec],
}

/// One column.
#[derive(Debug)]
pub struct ColumnSpec {
    /// Its name, the unit at its end.
    pub name: &'static str,
    /// Its type in Parquet.
    pub kind: ColumnType,
    /// Rows may have no value.
    pub nullable: bool,
    /// What it says.
    pub doc: &'static str,
}

/// A column's type in Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8.
    Text,
    /// 64 bits, signed.
    Integer,
    /// 64 bits.
    Float,
    /// True or false.
    Boolean,
}

impl ColumnType {
    /// The name in the documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
        }
    }
}

const fn text(name: &'static str, doc: &'static str) -> ColumnSpec {
    column(name, ColumnType::Text, doc)
}

const fn integer(name: &'static str, doc: &'static str) -> ColumnSpec {
    column(name, ColumnType::Integer, doc)
}

const fn float(name: &'static str, doc: &'static str) -> ColumnSpec {
    column(name, ColumnType::Float, doc)
}

const fn boolean(name: &'static str, doc: &'static str) -> ColumnSpec {
    column(name, ColumnType::Boolean, doc)
}

const fn column(name: &'static str, kind: ColumnType, doc: &'static str) -> ColumnSpec {
    ColumnSpec { name, kind, nullable: false, doc }
}

const fn or_null(column: ColumnSpec) -> ColumnSpec {
    ColumnSpec { nullable: true, ..column }
}

/// Every table, in the order of the documentation.
pub static TABLES: [TableSpec; 9] = [
    TableSpec {
        name: "runs",
        row: "One row per run (one submission by the orchestrator), in order of their ends.",
        columns: &RUNS,
    },
    TableSpec {
        name: "attempts",
        row: "One row per attempt of a run, in order of their ends.",
        columns: &ATTEMPTS,
    },
    TableSpec {
        name: "pods",
        row: "One row per pod: drivers, executors, pods of a pod trace and pause pods.",
        columns: &PODS,
    },
    TableSpec { name: "nodes", row: "One row per node.", columns: &NODES },
    TableSpec {
        name: "timeline",
        row: "One row per sample of the cluster's state: once a minute in the first year, half as often \
              in the next two, again half as often in the next four, and so on.",
        columns: &TIMELINE,
    },
    TableSpec {
        name: "ledger",
        row: "One row per hour, owner (an attempt of a run, or what belongs to no run) and kind of \
              node. Rows may be about the same; their sum is the bill, to the nano-dollar: \
              `cost_nano_usd` adds up to `cost_usd.total`, its first eight parts to the nodes' \
              `on_demand + spot`. Rows by run go out as attempts end, the others at the end.",
        columns: &LEDGER,
    },
    TableSpec {
        name: "waiting",
        row: "One row each time a waiting pod's reason changes: from `at_s` on it waits for \
              `reason`, until its next row, or until it is bound or ends (`pods`).",
        columns: &WAITING,
    },
    TableSpec {
        name: "scaling",
        row: "One row each time an autoscaler's decision about a node pool or a node, or its \
              reason, changes.",
        columns: &SCALING,
    },
    TableSpec {
        name: "pools",
        row: "One row per node pool and instance type, in the scenario's order: what was there to \
              choose from.",
        columns: &POOLS,
    },
];

static RUNS: [ColumnSpec; 24] = [
    integer("run", "Place in the workload, from 0, in order of submission."),
    text("run_id", "The orchestrator's name for it."),
    text("application", "What the runs of one job have in common."),
    text("team", "Its owner."),
    text("submitted_at", "When it was submitted, RFC 3339 in UTC."),
    float("submitted_s", "When it was submitted, in seconds since the start."),
    or_null(float(
        "ready_s",
        "When the runs that it depends on had ended, or when it was due; null if that never was.",
    )),
    or_null(float("started_s", "When its first driver ran; null if none ever did.")),
    or_null(float("ended_s", "When its last attempt ended; null if it was not finished.")),
    text("outcome", "`succeeded`, `failed` or `unfinished`."),
    or_null(text(
        "failure",
        "Cause of the last attempt's failure, by the names of `failed_attempts_by_cause`.",
    )),
    or_null(float("deadline_s", "When it should have succeeded; null without a deadline.")),
    boolean("deadline_missed", "It had not; false without a deadline."),
    integer("attempts", "Attempts made."),
    float("cost_usd", "Node cost of all its attempts, in dollars."),
    float("useful_usd", "Of that: work whose output was used."),
    float("recompute_usd", "Of that: work repeated after a loss."),
    float("failed_attempts_usd", "Of that: work of attempts that failed."),
    float("executor_idle_usd", "Of that: executors without a task."),
    float("starting_usd", "Of that: boot, image pull, JVM start."),
    float("reserved_usd", "Of that: kubelet, system and DaemonSets."),
    float("unallocated_usd", "Of that: what nobody asked for."),
    float("emr_usd", "EMR fee of its pods, in dollars."),
    float("network_usd", "Its traffic between zones and through NAT gateways, in dollars."),
];

static ATTEMPTS: [ColumnSpec; 20] = [
    integer("run", "Place of its run in the workload."),
    text("run_id", "The orchestrator's name for the run."),
    integer("attempt", "1 for the first."),
    float("submitted_s", "When it was submitted, in seconds since the start."),
    or_null(float("started_s", "When its driver ran.")),
    or_null(float("tasks_started_s", "When its first task could be launched.")),
    float("ended_s", "When it ended, or the simulation did."),
    text("outcome", "`succeeded`, `failed` or `unfinished`."),
    or_null(text("failure", "Why it failed.")),
    integer("executor_memory_bytes", "Container memory of an executor."),
    integer("driver_memory_bytes", "Container memory of the driver."),
    or_null(integer("executors_max", "The most executors it may have; null without a limit.")),
    integer("executors_peak", "The most executors registered at one time."),
    float("executor_s", "Executors registered to gone, summed, in seconds."),
    integer("executors_lost_to_spot", "Executors lost to spot reclaims."),
    integer("executors_oom_killed", "Executors killed for memory."),
    boolean("on_demand", "The retry ladder bound its executors to on-demand nodes."),
    float("task_s", "Task time of completed tasks, in seconds."),
    float("task_lost_s", "Task time lost and repeated, in seconds."),
    float("cost_usd", "Node cost, in dollars."),
];

static PODS: [ColumnSpec; 16] = [
    integer("pod", "Number in order of creation, from 0."),
    text("kind", "`driver`, `executor`, `trace` or `pause`."),
    or_null(integer(
        "owner",
        "Place of its run in the workload, or of the trace pod in the pod trace.",
    )),
    or_null(text("owner_name", "The run's `run_id`, or the trace pod's name.")),
    or_null(integer("attempt", "Attempt of the run.")),
    or_null(integer("executor_id", "Spark's executor id.")),
    integer("cpu_milli", "CPU request, in thousandths of a core."),
    integer("memory_bytes", "Memory request."),
    float("created_s", "When it was created, in seconds since the start."),
    or_null(float("bound_s", "When it was bound to a node.")),
    or_null(float("ready_s", "When its process was ready: driver running, executor registered.")),
    float("ended_s", "When it ended, or the simulation did."),
    or_null(integer("node", "Number of its node.")),
    text(
        "result",
        "`succeeded`, `failed`, `oom_killed`, `spot_reclaimed`, `deleted`, `preempted` or \
         `unfinished`.",
    ),
    or_null(text(
        "pending_reason",
        "Why it could not be placed at first, as the scheduler said it.",
    )),
    float("cost_usd", "Node cost of its time, in dollars."),
];

static NODES: [ColumnSpec; 12] = [
    integer("node", "Number in order of launch, from 0."),
    text("pool", "Its node pool."),
    text("instance_type", "Its instance type."),
    text("zone", "Its zone."),
    text("capacity_type", "`on_demand` or `spot`."),
    float("launched_s", "When it was asked for, in seconds since the start: the bill starts."),
    or_null(float("ready_s", "When pods could be bound to it.")),
    float("terminated_s", "When it was gone, or the simulation ended: the bill stops."),
    boolean("interrupted", "Taken back by the cloud."),
    integer("pods", "Pods that were bound to it."),
    float("cost_usd", "What it cost, in dollars."),
    float("pods_cost_usd", "Of that: the time and room of its pods."),
];

static TIMELINE: [ColumnSpec; 11] = [
    float("at_s", "When, in seconds since the start."),
    integer("nodes_on_demand", "On-demand nodes that are billed."),
    integer("nodes_spot", "Spot nodes that are billed."),
    integer("nodes_booting", "Nodes that are not ready yet."),
    integer("pods_pending", "Pods without a node."),
    integer("pods_bound", "Pods on a node."),
    integer("runs_active", "Runs submitted and not ended."),
    integer("cpu_requested_milli", "CPU requests on ready nodes."),
    integer("cpu_allocatable_milli", "CPU allocatable on ready nodes."),
    integer("memory_requested_bytes", "Memory requests on ready nodes."),
    integer("memory_allocatable_bytes", "Memory allocatable on ready nodes."),
];

static LEDGER: [ColumnSpec; 33] = [
    float(
        "hour_s",
        "Begin of the hour (of UTC), in seconds since the start; the first one may begin before it.",
    ),
    or_null(text("pool", "The node pool; null for what is on no node.")),
    or_null(text("instance_type", "Its instance type.")),
    or_null(text("zone", "Its zone.")),
    or_null(text("capacity_type", "`on_demand` or `spot`.")),
    text("billed", "Whose it is: a `run`'s, `trace_pods`, `pause_pods`, or `shared` by all."),
    or_null(text("team", "The run's owner.")),
    or_null(text("application", "The run's application.")),
    or_null(integer("run", "Place of the run in the workload.")),
    or_null(integer("attempt", "Attempt of the run.")),
    float("cost_usd", "Everything in this row, in dollars."),
    integer(
        "cost_nano_usd",
        "The same in nano-dollars, exactly: the sum of the columns up to `tax_nano_usd`.",
    ),
    integer("useful_nano_usd", "Of that: work whose output was used."),
    integer("recompute_nano_usd", "Of that: work repeated after a loss."),
    integer("failed_attempts_nano_usd", "Of that: work of attempts that failed."),
    integer("executor_idle_nano_usd", "Of that: executors without a task."),
    integer("starting_nano_usd", "Of that: boot, image pull, JVM start."),
    integer("reserved_nano_usd", "Of that: kubelet, system and DaemonSets."),
    integer("pause_pods_nano_usd", "Of that: pause pods."),
    integer("unallocated_nano_usd", "Of that: what nobody asked for."),
    integer("storage_nano_usd", "Of that: root volumes."),
    integer("control_plane_nano_usd", "Of that: the EKS control plane."),
    integer("emr_nano_usd", "Of that: EMR."),
    integer("network_nano_usd", "Of that: shuffle traffic between zones."),
    integer("nat_nano_usd", "Of that: NAT gateways."),
    integer(
        "commitment_savings_nano_usd",
        "Of that: what commitments take off on-demand prices (negative).",
    ),
    integer("commitment_unused_nano_usd", "Of that: paid for commitments and not used."),
    integer("discount_nano_usd", "Of that: the discount on all before it (negative)."),
    integer("tax_nano_usd", "Of that: tax."),
    float("cpu_requested_core_s", "CPU that its pods requested, in core-seconds."),
    float(
        "cpu_used_core_s",
        "CPU that they used: running tasks of executors; other pods, what they request.",
    ),
    float("cpu_larger_core_s", "The larger of the two, pod by pod."),
    float("memory_gib_s", "Memory that they requested, in GiB-seconds; counts as used."),
];

static WAITING: [ColumnSpec; 3] = [
    integer("pod", "Number of the pod."),
    float("at_s", "Since when, in seconds since the start."),
    text("reason", "The scheduler's message."),
];

static SCALING: [ColumnSpec; 6] = [
    float("at_s", "When, in seconds since the start."),
    or_null(text("pool", "The node pool; null for the cluster as a whole.")),
    or_null(integer("node", "Number of the node, where the decision is about one.")),
    text(
        "decision",
        "`scale_up`, `no_scale_up`, `launch_failed`, `backed_off`, `unneeded`, `scale_down` or \
         `no_scale_down`; Karpenter's are `disrupt`, `unconsolidatable` and `command_abandoned` too.",
    ),
    or_null(integer("nodes", "How many nodes more; null for other decisions than `scale_up`.")),
    text("reason", "Why."),
];

static POOLS: [ColumnSpec; 10] = [
    text("pool", "The node pool."),
    text("instance_type", "One of its instance types; the first is preferred."),
    text("capacity_type", "`on_demand` or `spot`."),
    integer("min", "Fewest nodes of the pool."),
    integer("desired", "Its nodes at the start."),
    integer("max", "Most nodes of the pool."),
    integer("pods_cpu_milli", "CPU that an empty node has for pods: allocatable less DaemonSets."),
    integer("pods_memory_bytes", "The same for memory."),
    integer("gpus", "GPUs of a node."),
    text("taints", "Its taints, `key=value:effect`, separated by commas."),
];
