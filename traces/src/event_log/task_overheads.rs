//! What of a task's time is its own, and what is where it happened to run.
//!
//! The first tasks of a stage on an executor fetch and deserialise the task, load classes and open
//! connections; later ones find all that. Spark measures most of it apart from the run time
//! (`executorDeserializeTime`, scheduler delay, result times), so the difference between first and
//! other tasks of a stage is the overhead of being first. Tasks are kept as they would have been on
//! an executor that had run one of the stage before, and the overhead is kept beside them: a replay
//! with another number of executors pays it as often as it has to.

use std::collections::BTreeMap;

/// A first task's run time is longer, too: by this share of its measured overhead. Guess: measured
/// over our own recordings, whose true task times are known.
const IN_RUN_TIME: f64 = 0.3;
/// The same of stages that read shuffles: connections are opened in the run time.
const IN_RUN_TIME_OF_READERS: f64 = 0.7;
/// Where such a first task's own thread was busy for longer than those of others, it loaded classes,
/// and so did threads that are not counted: its run time is longer by so many times as much. Guess:
/// as above, where eight executors shared two cores.
const LOADING_PER_CPU: f64 = 8.0;
/// More CPU time than this does not come from loading classes. Guess: as above (100 ms at most).
const LOADING_CPU_MAX_MS: f64 = 120.0;
/// A task whose CPU time is so many deviations above that of others has loaded classes.
const CLEARLY_MORE: f64 = 2.0;
/// An executor is fresh for so long after its first task's launch: the default of the assumption
/// `executorWarmTime`.
pub(super) const FRESH_MS: i64 = 8_000;
/// Times of launches and ends come from different threads of the driver: a slot's next task may be
/// launched that much before its last one ended.
const CLOCKS_MS: i64 = 10;
/// Spark's own part of a task where no stage shows it. Guess: as above.
const USUAL_MS: f64 = 12.0;

/// A successful task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeptTask {
    pub(super) launched_ms: i64,
    /// Its partition, or what stands for it.
    pub(super) place: u32,
    /// Launch to finish.
    pub(super) duration_ms: u32,
    /// The part of it outside of its run time; `u32::MAX` where nothing was measured.
    pub(super) spark_ms: u32,
    /// CPU time of its body.
    pub(super) cpu_ms: u32,
    /// Which executor.
    pub(super) executor: u32,
    /// Tasks that run there at a time; 0 = not known.
    pub(super) slots: u32,
    /// It was launched while its executor was fresh.
    pub(super) fresh: bool,
}

/// Sums over a stage's tasks, in milliseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct TaskOverheads {
    /// First tasks of the stage on an executor.
    firsts: u32,
    /// Their overhead beyond that of others.
    first_ms: f64,
    /// Other tasks.
    others: u32,
    /// Spark's own part of them.
    other_ms: f64,
    /// Of all of them, those on fresh executors.
    fresh: u32,
}

impl TaskOverheads {
    /// Mean overhead of being a first task, in milliseconds.
    pub fn first_task_ms(&self) -> f64 {
        self.first_ms / f64::from(self.firsts.max(1))
    }

    /// Mean part of other tasks that is Spark's own, in milliseconds.
    pub fn task_ms(&self) -> f64 {
        if self.others == 0 && self.firsts > 0 {
            return USUAL_MS;
        }
        self.other_ms / f64::from(self.others.max(1))
    }

    /// How many of the tasks ran on fresh executors.
    pub fn fresh_tasks(&self) -> u32 {
        self.fresh
    }

    /// Takes the overhead of first tasks out of `tasks`, and counts it.
    pub(super) fn take_out_of(&mut self, tasks: &mut [KeptTask], reads_shuffle: bool) {
        let is_first = first_tasks(tasks);
        let others = tasks.iter().zip(&is_first).filter(|(_, first)| !**first);
        let usual = Usual::of(others.map(|(task, _)| task));
        self.others += usual.count;
        self.other_ms += usual.spark_ms * f64::from(usual.count);
        for (task, first) in tasks.iter_mut().zip(is_first) {
            self.fresh += u32::from(task.fresh);
            if !first || task.spark_ms == u32::MAX {
                continue;
            }
            let spark = (f64::from(task.spark_ms) - usual.spark_ms).max(0.0);
            let more = if reads_shuffle {
                spark * (1.0 + IN_RUN_TIME_OF_READERS) + usual.loading_ms(task)
            } else {
                spark * (1.0 + IN_RUN_TIME)
            };
            let wall = f64::from(task.duration_ms);
            // A task's own CPU time is its own, and so is some of its time in any case.
            let own = (wall - more).max(f64::from(task.cpu_ms).min(wall)).max(wall / 4.0);
            self.firsts += 1;
            self.first_ms += wall - own;
            task.duration_ms = own.round() as u32;
        }
    }
}

/// What tasks that are not the first on their executor are like.
struct Usual {
    count: u32,
    spark_ms: f64,
    cpu_ms: f64,
    /// Standard deviation of their CPU time.
    cpu_deviation: f64,
}

impl Usual {
    fn of<'a>(others: impl Iterator<Item = &'a KeptTask>) -> Self {
        let (mut count, mut spark, mut cpu, mut squares) = (0u32, 0.0, 0.0, 0.0);
        for task in others.filter(|task| task.spark_ms != u32::MAX) {
            let cpu_ms = f64::from(task.cpu_ms);
            count += 1;
            spark += f64::from(task.spark_ms);
            cpu += cpu_ms;
            squares += cpu_ms * cpu_ms;
        }
        let n = f64::from(count.max(1));
        let spark_ms = if count > 0 { spark / n } else { USUAL_MS };
        let variance = (squares / n - (cpu / n).powi(2)).max(0.0);
        Self { count, spark_ms, cpu_ms: cpu / n, cpu_deviation: variance.sqrt() }
    }

    /// How much longer the run time of a first task is for the classes that it loaded.
    fn loading_ms(&self, task: &KeptTask) -> f64 {
        let more = f64::from(task.cpu_ms) - self.cpu_ms;
        let clear = self.count > 1 && more > CLEARLY_MORE * self.cpu_deviation;
        if clear { more.min(LOADING_CPU_MAX_MS) * LOADING_PER_CPU } else { 0.0 }
    }
}

/// When a task's slot was free again, by the clock of launches.
fn freed_ms(task: &KeptTask) -> i64 {
    let duration = i64::from(task.duration_ms);
    task.launched_ms.saturating_add(duration - (duration / 2).min(CLOCKS_MS))
}

/// The most tasks that ran on each executor at one time.
pub(super) fn most_at_a_time(tasks: &[KeptTask]) -> BTreeMap<u32, u32> {
    let mut changes: Vec<(u32, i64, i32)> = Vec::with_capacity(tasks.len() * 2);
    for task in tasks {
        changes.push((task.executor, task.launched_ms, 1));
        changes.push((task.executor, freed_ms(task), -1));
    }
    // Ends come before launches at the same time.
    changes.sort_unstable();
    let mut most = BTreeMap::new();
    for of_one in changes.chunk_by(|a, b| a.0 == b.0) {
        let mut now = 0i32;
        let counts = of_one.iter().map(|(_, _, change)| {
            now += change;
            now
        });
        most.insert(of_one[0].0, counts.max().unwrap_or(0).max(1).unsigned_abs());
    }
    most
}

/// Which tasks were launched on a slot of their executor that none of them had had: as many as it
/// has slots, before any of them had ended there.
fn first_tasks(tasks: &[KeptTask]) -> Vec<bool> {
    let mut first_end: BTreeMap<u32, i64> = BTreeMap::new();
    for task in tasks {
        let end = freed_ms(task);
        let first = first_end.entry(task.executor).or_insert(end);
        *first = end.min(*first);
    }
    let mut in_order: Vec<usize> = (0..tasks.len()).collect();
    in_order.sort_by_key(|place| tasks[*place].launched_ms);
    let mut is_first = vec![false; tasks.len()];
    let mut launched: BTreeMap<u32, u32> = BTreeMap::new();
    for place in in_order {
        let task = &tasks[place];
        let before = launched.entry(task.executor).or_default();
        let has_slot = task.slots == 0 || *before < task.slots;
        is_first[place] = has_slot && task.launched_ms < first_end[&task.executor];
        *before += 1;
    }
    is_first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(launched_ms: i64, duration_ms: u32, spark_ms: u32, executor: u32) -> KeptTask {
        KeptTask {
            launched_ms,
            place: 0,
            duration_ms,
            spark_ms,
            cpu_ms: 10,
            executor,
            slots: 1,
            fresh: launched_ms == 0,
        }
    }

    #[test]
    fn first_tasks_lose_what_others_do_not_have() {
        let mut tasks = [task(0, 150, 60, 1), task(0, 250, 60, 2), task(150, 110, 10, 1)];
        let mut overheads = TaskOverheads::default();
        overheads.take_out_of(&mut tasks, false);
        assert_eq!(tasks.map(|task| task.duration_ms), [85, 185, 110]);
        assert_eq!((overheads.first_task_ms(), overheads.task_ms()), (65.0, 10.0));
        assert_eq!(overheads.fresh_tasks(), 2);
        // The sum is kept: nothing is lost, it is told apart.
        assert_eq!(85.0 + 185.0 + 110.0 + 2.0 * overheads.first_task_ms(), 510.0);
    }

    #[test]
    fn a_tasks_cpu_time_and_unmeasured_tasks_stay() {
        let mut tasks = [task(0, 100, 90, 1), task(100, 50, 5, 1), task(0, 70, u32::MAX, 2)];
        tasks[0].cpu_ms = 80;
        let mut overheads = TaskOverheads::default();
        overheads.take_out_of(&mut tasks, true);
        assert_eq!(tasks.map(|task| task.duration_ms), [80, 50, 70]);
    }

    #[test]
    fn a_slots_next_task_is_no_first_one_though_clocks_overlap() {
        let tasks = [task(0, 150, 60, 1), task(148, 110, 10, 1), task(0, 20, 60, 2)];
        assert_eq!(first_tasks(&tasks), [true, false, true]);
        // Where slots are not known, what runs at the same time tells them.
        let unknown = tasks.map(|task| KeptTask { slots: 0, ..task });
        assert_eq!(first_tasks(&unknown), [true, false, true]);
        let two = [task(0, 150, 60, 1), task(1, 150, 60, 1), task(2, 150, 60, 1)];
        assert_eq!(first_tasks(&two.map(|t| KeptTask { slots: 2, ..t })), [true, true, false]);
    }

    #[test]
    fn slots_show_in_tasks_that_ran_at_a_time() {
        let tasks =
            [task(0, 150, 60, 1), task(20, 90, 10, 1), task(105, 9, 10, 1), task(0, 1, 0, 2)];
        assert_eq!(most_at_a_time(&tasks), BTreeMap::from([(1, 2), (2, 1)]));
    }

    #[test]
    fn readers_that_load_classes_lose_what_their_threads_do_not_show() {
        let mut tasks = [task(0, 900, 60, 1), task(900, 110, 10, 1), task(1010, 110, 10, 1)];
        tasks[0].cpu_ms = 60;
        let mut overheads = TaskOverheads::default();
        overheads.take_out_of(&mut tasks, true);
        // 50 x 1.7 in Spark's part, 50 x 8 for the classes.
        assert_eq!(tasks.map(|task| task.duration_ms), [900 - 85 - 400, 110, 110]);
    }
}
