//! Committing output: what a stage that writes to outside takes beyond its tasks' work.
//!
//! Models, on an object store, where a rename is a copy:
//! - `FileV1`: each task renames its files when it commits, then the driver renames all of them,
//!   one after the other: tasks x rename + bytes / copy rate.
//! - `FileV2`: each task renames its own; the driver does nothing.
//! - `Staging`: each task writes to its local disk and uploads at commit; the driver completes the
//!   uploads, some at a time: tasks x complete / threads.
//! - `Magic`, `EmrOptimized`: the same without the local copy.
//!
//! One file a task. Only the difference between the recorded committer and the simulated one
//! counts; a recorded one that is not known is Spark's default, `FileV1`. Leaves out: throttling by the store,
//! dynamic partitions (many files a task), file systems with a cheap rename. Source: Hadoop's
//! documentation of the S3A committers; the numbers are guesses ([`StorageSpeeds`]).

use super::local_dirs::StorageSpeeds;
use crate::scenario::OutputCommitter;
use crate::units::Bytes;
use crate::workload::Stage;

/// Seconds of committing.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct CommitTime {
    /// In each task.
    pub(crate) per_task: f64,
    /// In the driver, after the last task.
    pub(crate) at_end: f64,
}

/// What committing the output of `stage` takes; nothing where it writes none.
pub(crate) fn commit_time(
    stage: &Stage,
    committer: OutputCommitter,
    local_bytes_per_s: f64,
    speeds: &StorageSpeeds,
) -> CommitTime {
    let tasks = f64::from(stage.tasks.count());
    if stage.output_bytes == Bytes::ZERO || tasks == 0.0 {
        return CommitTime::default();
    }
    let bytes = stage.output_bytes.as_u64() as f64;
    let own_rename = speeds.rename_s + bytes / tasks / speeds.copy;
    let complete = tasks * speeds.complete_s / f64::from(speeds.commit_threads.max(1));
    match committer {
        OutputCommitter::FileV1 => CommitTime { per_task: own_rename, at_end: tasks * own_rename },
        OutputCommitter::FileV2 => CommitTime { per_task: own_rename, at_end: 0.0 },
        OutputCommitter::Staging => {
            // Written and read again.
            CommitTime { per_task: 2.0 * bytes / tasks / local_bytes_per_s, at_end: complete }
        }
        OutputCommitter::Magic | OutputCommitter::EmrOptimized => {
            CommitTime { per_task: 0.0, at_end: complete }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::TaskDurations;

    #[test]
    fn committers_by_hand() {
        // 40 files, 400 MB: 10 MB each, 1 s of copying and 0.2 s for the rename.
        let stage = Stage {
            tasks: TaskDurations::from_millis(vec![5000; 40]),
            output_bytes: Bytes::new(400_000_000),
            ..Stage::default()
        };
        let check = |committer, per_task: f64, at_end: f64| {
            let time = commit_time(&stage, committer, 1e8, &StorageSpeeds::default());
            assert!((time.per_task - per_task).abs() < 1e-9, "{committer:?} {time:?}");
            assert!((time.at_end - at_end).abs() < 1e-9, "{committer:?} {time:?}");
        };
        check(OutputCommitter::FileV1, 1.2, 48.0);
        check(OutputCommitter::FileV2, 1.2, 0.0);
        check(OutputCommitter::Staging, 0.2, 0.5);
        check(OutputCommitter::Magic, 0.0, 0.5);
        let nothing = Stage { output_bytes: Bytes::ZERO, ..stage.clone() };
        let time = commit_time(&nothing, OutputCommitter::FileV1, 1e8, &StorageSpeeds::default());
        assert_eq!(time, CommitTime::default());
    }
}
