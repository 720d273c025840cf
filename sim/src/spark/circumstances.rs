//! Recorded stages under circumstances that are not those of the recording: another executor, other
//! local directories, another committer.
//!
//! Each task's work is stretched by the mean that memory (`memory/pressure.rs`), local directories
//! (`local_dirs.rs`) and committing (`output_commit.rs`) add to it, so that skew stays; Spark's
//! overhead stays. The driver's part of committing delays the stages after, or the end of the run.
//! Where nothing differs, the run's stages are shared as they are. What a recording does not say is
//! taken to be: `emptyDir`, committer version 2, and the heap and slots of the run.

use super::local_dirs::{self, Medium, StorageSpeeds};
use super::memory::Change;
use super::output_commit::{CommitTime, commit_time};
use super::work::Work;
use crate::engine::world::Cx;
use crate::scenario::Storage;
use crate::units::SimDuration;
use crate::workload::Stage;

/// The work under the scenario's circumstances.
pub(super) fn adapt(cx: &Cx<'_>, memory: &Change, work: Work) -> Work {
    let storage = &cx.scenario.spark.storage;
    let speeds = StorageSpeeds::of(&cx.scenario.assumptions);
    // What the recording had is not known: taken to be Spark's defaults.
    adapted(work, memory, &Storage::default(), storage, &speeds)
}

fn adapted(
    work: Work,
    memory: &Change,
    recorded: &Storage,
    storage: &Storage,
    speeds: &StorageSpeeds,
) -> Work {
    let same_storage =
        storage.local_dirs == recorded.local_dirs && storage.committer == recorded.committer;
    if same_storage && memory.recorded == memory.simulated {
        return work;
    }
    let mut stages = work.stages.to_vec();
    let mut at_end = vec![0.0; stages.len()];
    for (stage, at_end) in stages.iter_mut().zip(&mut at_end) {
        let commit = commit_difference(stage, recorded, storage, speeds);
        let extra = extra_seconds(stage, memory, (recorded, storage), speeds) + commit.per_task;
        *at_end = commit.at_end.max(0.0);
        stretch(stage, extra);
    }
    let mut waited_for = vec![false; stages.len()];
    for stage in &mut stages {
        let parents = stage.parents.iter().map(|parent| *parent as usize);
        let mut longest = 0.0_f64;
        for parent in parents {
            if let (Some(waited_for), Some(at_end)) =
                (waited_for.get_mut(parent), at_end.get(parent))
            {
                *waited_for = true;
                longest = longest.max(*at_end);
            }
        }
        stage.driver_gap = stage.driver_gap.saturating_add(SimDuration::from_secs_f64(longest));
    }
    let last = at_end.iter().zip(&waited_for).filter(|(_, waited_for)| !**waited_for);
    let last = last.map(|(seconds, _)| *seconds).fold(0.0, f64::max);
    let tail = work.tail.saturating_add(SimDuration::from_secs_f64(last));
    Work { stages: stages.into(), tail }
}

/// Seconds that a task takes longer (or shorter) for its memory and its local directories.
fn extra_seconds(
    stage: &Stage,
    memory: &Change,
    (recorded, simulated): (&Storage, &Storage),
    speeds: &StorageSpeeds,
) -> f64 {
    let medium = |storage: &Storage, slots| Medium { dirs: storage.local_dirs, slots };
    let before = medium(recorded, memory.recorded.slots);
    let now = medium(simulated, memory.simulated.slots);
    let disks = (speeds.local_dirs(before.dirs), speeds.local_dirs(now.dirs));
    memory.extra_seconds(stage, disks) + local_dirs::extra_seconds(stage, before, now, speeds)
}

fn commit_difference(
    stage: &Stage,
    recorded: &Storage,
    simulated: &Storage,
    speeds: &StorageSpeeds,
) -> CommitTime {
    if recorded.committer == simulated.committer {
        return CommitTime::default();
    }
    let time = |storage: &Storage| {
        commit_time(stage, storage.committer, speeds.local_dirs(storage.local_dirs), speeds)
    };
    let (before, now) = (time(recorded), time(simulated));
    CommitTime { per_task: now.per_task - before.per_task, at_end: now.at_end - before.at_end }
}

/// Stretches the work of the stage's tasks so that their mean grows by `extra` seconds.
fn stretch(stage: &mut Stage, extra: f64) {
    let extra_ms = extra * 1000.0;
    if extra_ms.abs() < 0.5 || stage.tasks.count() == 0 {
        return;
    }
    let overhead = u32::try_from(stage.task_overhead.as_millis()).unwrap_or(u32::MAX);
    let mean = stage.tasks.total().as_millis() as f64 / f64::from(stage.tasks.count());
    let work = mean - f64::from(overhead);
    stage.tasks = stage.tasks.map_millis(|ms| {
        let own = ms.min(overhead);
        // Tasks without work of their own all get the same.
        let longer = if work >= 1.0 {
            f64::from(ms - own) * (1.0 + extra_ms / work)
        } else {
            f64::from(ms - own) + extra_ms
        };
        own.saturating_add(longer.max(0.0).round() as u32)
    });
}

#[cfg(test)]
mod tests;
