//! What is assumed about tasks: executors that warm up, disks, network, spills and commits.

use super::{Assumption, Assumptions};
use crate::scenario::LocalDirs;
use crate::units::Bytes;

/// Bytes a second that each kind of local directories takes and gives, by
/// [`LocalDirs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalDisk {
    /// `emptyDir` on the node's root volume.
    pub empty_dir: Bytes,
    /// `emptyDir` in memory.
    pub tmpfs: Bytes,
    /// `hostPath` on local NVMe.
    pub host_path: Bytes,
    /// A claim's volume.
    pub persistent_volume_claim: Bytes,
}

impl Default for LocalDisk {
    fn default() -> Self {
        // gp3 gives 125 MiB/s whatever its size.
        let gp3 = Bytes::mib(125);
        Self {
            empty_dir: gp3,
            tmpfs: Bytes::gib(4),
            host_path: Bytes::new(1_000_000_000),
            persistent_volume_claim: gp3,
        }
    }
}

impl LocalDisk {
    /// Bytes a second of that kind.
    pub fn bytes_per_s(&self, kind: LocalDirs) -> Bytes {
        match kind {
            LocalDirs::EmptyDir => self.empty_dir,
            LocalDirs::Tmpfs => self.tmpfs,
            LocalDirs::HostPath => self.host_path,
            LocalDirs::PersistentVolumeClaim => self.persistent_volume_claim,
        }
    }
}

/// The lines about tasks.
pub(super) fn list_of_tasks(given: &Assumptions) -> Vec<Assumption> {
    let line = |name, value: String, source, guess| Assumption { name, value, source, guess };
    let (fact, guess) = (false, true);
    let recorded = "measured over this project's recordings, on two shared cores";
    let disk = &given.local_disk;
    vec![
        line("executorWarmUp", given.executor_warm_up.to_string(), recorded, guess),
        line("taskWarmUp", given.executor_warm_up_tasks.to_string(), recorded, guess),
        line("executorWarmTime", given.executor_warm_time.to_string(), recorded, guess),
        line(
            "hostCores",
            given.host_cores.to_string(),
            "how this project's recordings were made: local-cluster on two cores; replays only",
            fact,
        ),
        line(
            "localDisk",
            format!(
                "emptyDir {}, tmpfs {}, hostPath {}, persistentVolumeClaim {} a second",
                disk.empty_dir, disk.tmpfs, disk.host_path, disk.persistent_volume_claim
            ),
            "gp3 gives 125 MiB/s (AWS, EBS general purpose volumes); NVMe and memory are guesses",
            guess,
        ),
        line(
            "networkThroughput",
            given.network_bytes_per_s.as_u64().to_string(),
            "10 Gbit/s; instances have anything from 0.75 Gbit/s of baseline up",
            guess,
        ),
        line(
            "spillSlowdown",
            given.spill_slowdown.to_string(),
            "spilled bytes are read and merged once more",
            guess,
        ),
        line(
            "objectStoreCopy",
            given.object_store_copy_bytes_per_s.as_u64().to_string(),
            "copy within an object store; its rate was not found measured",
            guess,
        ),
        line(
            "commitRename",
            given.commit_rename.to_string(),
            "requests behind one rename on an object store; not found measured",
            guess,
        ),
    ]
}
