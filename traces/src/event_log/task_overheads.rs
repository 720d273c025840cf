//! What of a task's time is its own, and what is where it happened to run.
//!
//! The first tasks of a stage on an executor fetch and deserialise the task, load classes and open
//! connections; later ones find all that. Spark measures most of it apart from the run time
//! (`executorDeserializeTime`, scheduler delay, result times), so the difference between first and
//! other tasks of a stage is the overhead of being first. Tasks are kept as they would have been on
//! an executor that had run one of the stage before, and the overhead is kept beside them: a replay
//! with another number of executors pays it as often as it has to.

/// A first task's run time is longer, too, by this share of its measured overhead. Guess: measured
/// over our own recordings, whose true task times are known.
const IN_RUN_TIME: f64 = 0.4;
/// The same of stages that read shuffles: connections are opened in the run time.
const IN_RUN_TIME_OF_READERS: f64 = 1.5;
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

    /// Takes the overhead of first tasks out of `tasks`, and counts it.
    pub(super) fn take_out_of(&mut self, tasks: &mut [KeptTask], reads_shuffle: bool) {
        let is_first = first_tasks(tasks);
        let measured = |task: &KeptTask| task.spark_ms != u32::MAX;
        let others = tasks.iter().zip(&is_first).filter(|(task, first)| !**first && measured(task));
        let (mut count, mut sum) = (0u32, 0.0);
        for (task, _) in others {
            count += 1;
            sum += f64::from(task.spark_ms);
        }
        let usual = if count > 0 { sum / f64::from(count) } else { USUAL_MS };
        self.others += count;
        self.other_ms += sum;
        let factor = 1.0 + if reads_shuffle { IN_RUN_TIME_OF_READERS } else { IN_RUN_TIME };
        for (task, first) in tasks.iter_mut().zip(is_first) {
            if !first || !measured(task) {
                continue;
            }
            let more = (f64::from(task.spark_ms) - usual).max(0.0) * factor;
            let wall = f64::from(task.duration_ms);
            // A task's own CPU time is its own, and so is some of its time in any case.
            let own = (wall - more).max(f64::from(task.cpu_ms).min(wall)).max(wall / 4.0);
            self.firsts += 1;
            self.first_ms += wall - own;
            task.duration_ms = own.round() as u32;
        }
    }
}

/// Which tasks were launched before any other of them had ended on the same executor.
fn first_tasks(tasks: &[KeptTask]) -> Vec<bool> {
    let mut first_end: std::collections::BTreeMap<u32, i64> = std::collections::BTreeMap::new();
    for task in tasks {
        let end = task.launched_ms.saturating_add(i64::from(task.duration_ms));
        let first = first_end.entry(task.executor).or_insert(end);
        *first = end.min(*first);
    }
    tasks.iter().map(|task| task.launched_ms < first_end[&task.executor]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(launched_ms: i64, duration_ms: u32, spark_ms: u32, executor: u32) -> KeptTask {
        KeptTask { launched_ms, place: 0, duration_ms, spark_ms, cpu_ms: 10, executor }
    }

    #[test]
    fn first_tasks_lose_what_others_do_not_have() {
        let mut tasks = [task(0, 150, 60, 1), task(0, 250, 60, 2), task(150, 110, 10, 1)];
        let mut overheads = TaskOverheads::default();
        overheads.take_out_of(&mut tasks, false);
        assert_eq!(tasks.map(|task| task.duration_ms), [80, 180, 110]);
        assert_eq!((overheads.first_task_ms(), overheads.task_ms()), (70.0, 10.0));
        // The sum is kept: nothing is lost, it is told apart.
        assert_eq!(80.0 + 180.0 + 110.0 + 2.0 * overheads.first_task_ms(), 510.0);
    }

    #[test]
    fn a_tasks_cpu_time_and_unmeasured_tasks_stay() {
        let mut tasks = [task(0, 100, 90, 1), task(100, 50, 5, 1), task(0, 70, u32::MAX, 2)];
        tasks[0].cpu_ms = 80;
        let mut overheads = TaskOverheads::default();
        overheads.take_out_of(&mut tasks, true);
        assert_eq!(tasks.map(|task| task.duration_ms), [80, 50, 70]);
    }
}
