//! What a stage's tasks need of an executor's memory, and what happens where it is not enough.
//!
//! Models: Spark's unified memory. Execution and cached blocks share a pool of
//! fraction x (heap - 300 MiB), plus off-heap memory where it is on; cached blocks keep their
//! storage part; each of N concurrent tasks may have up to pool / N and is sure of pool / 2N. What
//! a task needs beyond pool / N is spilled: slower, not dead. The JVM dies of memory (exit 52) when
//! what cannot be spilled is more than pool / 2N, or when the objects of the user's code do not fit
//! beside the pool. The kernel kills the container (exit 137) when heap, native memory, off-heap,
//! PySpark and local directories on tmpfs are more than its limit.
//!
//! Leaves out: a task alone that takes the whole pool while others wait, eviction of cached blocks
//! (they are read again, not recomputed), broadcasts. Logs hold neither the largest record nor the
//! user's objects: both are guessed as parts of `peakExecutionMemory`. So a verdict is worth
//! something only beside that of the recorded executor, which is known to have lived
//! ([`Change::death`]). Source: Spark's `UnifiedMemoryManager` and `ExecutionMemoryPool`,
//! facts-spark A3 (exit codes) and A4 (container).

use crate::scenario::UnifiedMemory;
use crate::units::Bytes;
use crate::workload::Stage;

/// The part of a task's execution memory that cannot be spilled, its largest record among it: an
/// eighth, a guess.
const PINNED: f64 = 0.125;
/// Objects of the user's code a task, as a part of its execution memory: a quarter, a guess.
const USER: f64 = 0.25;
/// Native memory of a JVM (metaspace, code, threads, network buffers): a guess.
const NATIVE: Bytes = Bytes::mib(200);
/// Native memory that a running task adds: a guess.
const NATIVE_PER_TASK: Bytes = Bytes::mib(8);
/// How much garbage collection may change either way: a guess, as the rule is.
const GC_CHANGE_MAX: f64 = 10.0;

/// An executor as far as memory goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ExecutorMemory {
    /// `spark.executor.memory`.
    pub(crate) heap: Bytes,
    /// Heap, overhead, off-heap and PySpark memory.
    pub(crate) container: Bytes,
    /// `spark.memory.offHeap.size`.
    pub(crate) off_heap: Bytes,
    /// `spark.executor.pyspark.memory`, taken as used up.
    pub(crate) pyspark: Bytes,
    /// What its local directories hold, where they are memory.
    pub(crate) tmpfs: Bytes,
    /// Tasks at a time.
    pub(crate) slots: u32,
    /// Executors that share the cached blocks.
    pub(crate) executors: u32,
    /// `spark.memory.*`.
    pub(crate) unified: UnifiedMemory,
}

/// What becomes of a stage's tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They have what they need.
    Fits,
    /// Each spills so many bytes.
    Spills(Bytes),
    /// The JVM dies: exit code 52.
    HeapOom,
    /// The kernel kills the container: exit code 137.
    ContainerKill,
}

impl Verdict {
    /// The exit code of an executor that dies of it.
    pub(crate) const fn exit_code(self) -> Option<i32> {
        match self {
            Self::Fits | Self::Spills(_) => None,
            Self::HeapOom => Some(52),
            Self::ContainerKill => Some(137),
        }
    }
}

/// What the tasks of a stage that run at one time use.
struct Use {
    /// Needed by each for execution.
    execution: Bytes,
    /// What each may have.
    share: Bytes,
    /// Objects of the user's code, together.
    user: Bytes,
    /// Of the pool, cached blocks included.
    pool: Bytes,
    /// Of the heap.
    heap: Bytes,
}

impl ExecutorMemory {
    fn concurrent(&self, stage: &Stage) -> u32 {
        self.slots.min(stage.tasks.count()).max(1)
    }

    fn usage(&self, stage: &Stage) -> Use {
        let tasks = u64::from(self.concurrent(stage));
        let each = |bytes: Bytes, among: u64| Bytes::new(bytes.as_u64() / among.max(1));
        let spilled = each(stage.spilled_bytes, u64::from(stage.tasks.count()));
        let execution = stage.peak_task_memory.saturating_add(spilled);
        let all = self.unified.pool(self.heap).saturating_add(self.off_heap);
        let cached = each(stage.cached_bytes, u64::from(self.executors)).min(all);
        let kept = cached.min(all.scale_floor(self.unified.storage_fraction));
        let share = each(all.saturating_sub(kept), tasks);
        let times = |bytes: Bytes| Bytes::new(bytes.as_u64().saturating_mul(tasks));
        let pool = times(execution.min(share)).saturating_add(cached).min(all);
        let user = times(stage.peak_task_memory.scale_floor(USER));
        let heap = UnifiedMemory::RESERVED
            .saturating_add(pool.saturating_sub(self.off_heap))
            .saturating_add(user)
            .min(self.heap);
        Use { execution, share, user, pool, heap }
    }

    /// What becomes of the tasks of `stage`.
    pub(crate) fn verdict(&self, stage: &Stage) -> Verdict {
        let usage = self.usage(stage);
        let sure = Bytes::new(usage.share.as_u64() / 2);
        let beside_pool = self
            .heap
            .saturating_sub(UnifiedMemory::RESERVED)
            .saturating_sub(self.unified.pool(self.heap));
        if usage.execution.scale_floor(PINNED) > sure || usage.user > beside_pool {
            return Verdict::HeapOom;
        }
        let tasks = u64::from(self.concurrent(stage));
        let resident = [
            usage.heap,
            usage.pool.min(self.off_heap),
            NATIVE,
            Bytes::new(NATIVE_PER_TASK.as_u64() * tasks),
            self.pyspark,
            self.tmpfs,
        ];
        let resident = resident.into_iter().fold(Bytes::ZERO, Bytes::saturating_add);
        if resident > self.container {
            return Verdict::ContainerKill;
        }
        match usage.execution.saturating_sub(usage.share) {
            Bytes::ZERO => Verdict::Fits,
            spilled => Verdict::Spills(spilled),
        }
    }

    /// Seconds that a task spends on spilling: what does not fit is written and read again, on
    /// local directories of `bytes_per_s` that the concurrent tasks share.
    fn spill_seconds(&self, stage: &Stage, bytes_per_s: f64) -> f64 {
        let usage = self.usage(stage);
        let spilled = usage.execution.saturating_sub(usage.share).as_u64() as f64;
        2.0 * spilled * f64::from(self.concurrent(stage)) / bytes_per_s
    }

    /// Garbage collection as a multiple of something that is the same for all executors: live
    /// bytes, which a collection goes through, over free bytes, which put it off. A guess.
    fn gc_weight(&self, stage: &Stage) -> f64 {
        let live = self.usage(stage).heap.as_u64() as f64;
        let heap = self.heap.as_u64() as f64;
        live.max(1.0) / (heap - live).max(heap / 20.0).max(1.0)
    }
}

/// The recorded executor and the simulated one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    /// Where the run was recorded.
    pub(crate) recorded: ExecutorMemory,
    /// Here.
    pub(crate) simulated: ExecutorMemory,
}

impl Change {
    /// A need of the recorded executor where fewer tasks share the simulated one: the part of the heap
    /// that tasks share (`spark.memory.fraction`) goes down with them. A guess, for runs of which no
    /// peak was recorded.
    pub(in crate::spark) fn with_fewer_slots(&self, needed: Bytes) -> Bytes {
        let ratio = f64::from(self.simulated.slots) / f64::from(self.recorded.slots.max(1));
        let shared = self.recorded.unified.fraction;
        if ratio < 1.0 { needed.scale_floor(1.0 - shared + shared * ratio) } else { needed }
    }

    /// What kills the simulated executor, by the first of the `stages` that does. A stage that
    /// would have killed the recorded one too, which lived, is one that the guesses are wrong for.
    pub(crate) fn death(&self, stages: &[Stage]) -> Option<Verdict> {
        if self.recorded == self.simulated {
            return None;
        }
        stages.iter().find_map(|stage| {
            let verdict = self.simulated.verdict(stage);
            verdict.exit_code()?;
            let lived = self.recorded.verdict(stage).exit_code().is_none();
            lived.then_some(verdict)
        })
    }

    /// Seconds that a task of `stage` takes longer (or shorter): spills, garbage collection.
    pub(crate) fn extra_seconds(&self, stage: &Stage, speeds: (f64, f64)) -> f64 {
        if self.recorded == self.simulated {
            return 0.0;
        }
        let (recorded, simulated) = speeds;
        let spill = self.simulated.spill_seconds(stage, simulated)
            - self.recorded.spill_seconds(stage, recorded);
        let gc = self.simulated.gc_weight(stage) / self.recorded.gc_weight(stage);
        let gc = gc.clamp(1.0 / GC_CHANGE_MAX, GC_CHANGE_MAX) - 1.0;
        let tasks = f64::from(stage.tasks.count().max(1));
        spill + gc * stage.gc_time.as_secs_f64() / tasks
    }
}

/// The recorded peak of a container with other task slots, and with local directories on tmpfs.
///
/// need(slots) = base + per task x slots. The base is what is there without tasks
/// ([`crate::workload::Rescale::MEMORY_BASE`]); the rest is split over the recorded slots, and is
/// at least `task`, the most execution memory that a task needed. Fewer slots need no more.
pub(crate) fn peak_with_slots(peak: Bytes, task: Bytes, recorded: u32, slots: u32) -> Bytes {
    let (recorded, slots) = (recorded.max(1), slots.max(1));
    if recorded == slots {
        return peak;
    }
    let base = crate::workload::Rescale::MEMORY_BASE.min(peak);
    let split = peak.saturating_sub(base).as_u64() / u64::from(recorded);
    let per_task = Bytes::new(split).max(task).as_u64();
    if slots > recorded {
        // From the peak, so that more slots never need less, whatever the rounding.
        let more = per_task.saturating_mul(u64::from(slots - recorded));
        return peak.saturating_add(Bytes::new(more));
    }
    base.saturating_add(Bytes::new(per_task.saturating_mul(u64::from(slots)))).min(peak)
}

#[cfg(test)]
mod tests;
