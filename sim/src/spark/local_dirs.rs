//! Local directories and the network as bounds on shuffle.
//!
//! Models: a task's shuffle writes, spills and local part of shuffle reads go through the
//! executor's local directories, its shuffle reads through the network, both shared by the
//! executor's concurrent tasks. Such work overlaps with computing, so that it is a bound, not an
//! addition: a task takes longer only where the bound is above both its recorded duration and the
//! recorded bound. A faster medium saves at most the recorded waiting for shuffle blocks. Under the
//! recorded circumstances nothing changes.
//!
//! Leaves out: the page cache (small shuffles never touch a disk), executors that share a node's
//! disk, burst credits, IOPS. tmpfs is memory of the container (`memory/pressure.rs`). Throughputs
//! are guesses ([`StorageSpeeds`]).

use crate::scenario::{Assumptions, LocalDirs};
use crate::workload::Stage;

/// How fast data is stored and moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StorageSpeeds {
    /// `emptyDir` on the root disk, bytes a second.
    pub(crate) empty_dir: f64,
    /// `hostPath` on NVMe, bytes a second.
    pub(crate) nvme: f64,
    /// A persistent volume claim, bytes a second.
    pub(crate) claim: f64,
    /// tmpfs, bytes a second.
    pub(crate) tmpfs: f64,
    /// Network of an executor, bytes a second.
    pub(crate) network: f64,
    /// Seconds to rename (or copy) one file of output, without its bytes.
    pub(crate) rename_s: f64,
    /// Bytes a second that the object store copies when a file is renamed.
    pub(crate) copy: f64,
    /// Seconds to complete one multipart upload.
    pub(crate) complete_s: f64,
    /// Uploads that are completed at one time.
    pub(crate) commit_threads: u32,
}

impl Default for StorageSpeeds {
    /// Disks: gp3's baseline of 125 MiB/s (facts-cloud, fees). All others are guesses: NVMe 1 GB/s,
    /// tmpfs 5 GB/s, 10 Gbit/s of network, 0.2 s a rename, 10 MB/s of copying, 0.1 s a completed
    /// upload, 8 threads.
    fn default() -> Self {
        Self {
            empty_dir: 125.0 * 1024.0 * 1024.0,
            nvme: 1e9,
            claim: 125.0 * 1024.0 * 1024.0,
            tmpfs: 5e9,
            network: 1.25e9,
            rename_s: 0.2,
            copy: 10e6,
            complete_s: 0.1,
            commit_threads: 8,
        }
    }
}

impl StorageSpeeds {
    /// The scenario's assumptions.
    pub(crate) fn of(assumptions: &Assumptions) -> Self {
        let speed = |kind| assumptions.local_disk.bytes_per_s(kind).as_u64() as f64;
        Self {
            empty_dir: speed(LocalDirs::EmptyDir),
            nvme: speed(LocalDirs::HostPath),
            claim: speed(LocalDirs::PersistentVolumeClaim),
            tmpfs: speed(LocalDirs::Tmpfs),
            network: assumptions.network_bytes_per_s.as_u64() as f64,
            rename_s: assumptions.commit_rename.as_secs_f64(),
            copy: assumptions.object_store_copy_bytes_per_s.as_u64() as f64,
            ..Self::default()
        }
    }

    /// Bytes a second of local directories.
    pub(crate) fn local_dirs(&self, medium: LocalDirs) -> f64 {
        match medium {
            LocalDirs::EmptyDir => self.empty_dir,
            LocalDirs::Tmpfs => self.tmpfs,
            LocalDirs::HostPath => self.nvme,
            LocalDirs::PersistentVolumeClaim => self.claim,
        }
    }
}

/// Local directories and who shares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Medium {
    /// What they are made of.
    pub(crate) dirs: LocalDirs,
    /// Tasks of an executor at one time.
    pub(crate) slots: u32,
}

impl Medium {
    /// Seconds that moving a task's bytes takes at least.
    fn bound(self, stage: &Stage, speeds: &StorageSpeeds) -> f64 {
        let tasks = stage.tasks.count().max(1);
        let concurrent = f64::from(self.slots.clamp(1, tasks));
        let read = stage.shuffle_read_bytes.as_u64() as f64;
        // What is spilled is written and read.
        let written = stage.shuffle_write_bytes.as_u64() as f64;
        let spilled = 2.0 * stage.spilled_bytes.as_u64() as f64;
        let disk = (written + spilled + read) / speeds.local_dirs(self.dirs);
        disk.max(read / speeds.network) * concurrent / f64::from(tasks)
    }
}

/// Seconds that a task of `stage` takes longer (or shorter) on another medium.
pub(crate) fn extra_seconds(
    stage: &Stage,
    recorded: Medium,
    simulated: Medium,
    speeds: &StorageSpeeds,
) -> f64 {
    if recorded == simulated {
        return 0.0;
    }
    let (before, now) = (recorded.bound(stage, speeds), simulated.bound(stage, speeds));
    let tasks = f64::from(stage.tasks.count().max(1));
    if now >= before {
        let task = stage.tasks.total().as_secs_f64() / tasks;
        (now - before.max(task)).max(0.0)
    } else {
        -(before - now).min(stage.fetch_wait.as_secs_f64() / tasks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, SimDuration};
    use crate::workload::TaskDurations;

    /// 4 tasks of 1 s that write 125 MiB each.
    fn stage() -> Stage {
        Stage {
            tasks: TaskDurations::from_millis(vec![1000; 4]),
            shuffle_write_bytes: Bytes::mib(500),
            fetch_wait: SimDuration::from_millis(800),
            ..Stage::default()
        }
    }

    fn on(dirs: LocalDirs, slots: u32) -> Medium {
        Medium { dirs, slots }
    }

    #[test]
    fn a_shared_disk_bounds_its_tasks() {
        let speeds = StorageSpeeds::default();
        let extra = |recorded, simulated| extra_seconds(&stage(), recorded, simulated, &speeds);
        let (disk, nvme) = (LocalDirs::EmptyDir, LocalDirs::HostPath);
        // 1 s alone, as recorded; four at a time take 4 s.
        assert_eq!(extra(on(disk, 1), on(disk, 1)), 0.0);
        assert!((extra(on(disk, 1), on(disk, 4)) - 3.0).abs() < 1e-9);
        // What is below the recorded duration does not show.
        assert_eq!(extra(on(nvme, 1), on(nvme, 4)), 0.0);
        // From 4 s to 0.5 s: only the recorded waiting, 0.2 s a task, is saved.
        assert!((extra(on(disk, 4), on(nvme, 4)) + 0.2).abs() < 1e-9);
    }

    proptest::proptest! {
        #[test]
        fn more_sharing_is_never_faster(a in 1_u32..16, b in 1_u32..16, bytes in 0_u64..1 << 40) {
            let stage = Stage { shuffle_read_bytes: Bytes::new(bytes), ..stage() };
            let (few, many) = (a.min(b), a.max(b));
            let speeds = StorageSpeeds::default();
            let disk = |slots| on(LocalDirs::EmptyDir, slots);
            let extra = |slots| extra_seconds(&stage, disk(2), disk(slots), &speeds);
            proptest::prop_assert!(extra(few) <= extra(many));
        }
    }
}
