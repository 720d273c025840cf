//! Where Spark keeps shuffle data, spills, cached blocks and results.

use crate::units::Bytes;

/// Who serves shuffle data, and so what is lost with an executor.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum ShuffleService {
    /// The executor that wrote it: lost with it.
    #[default]
    Executor,
    /// `spark.shuffle.service.enabled`: the node's external shuffle service; lost with the node.
    External,
    /// A remote shuffle service or storage (`spark.shuffle.manager` or
    /// `spark.shuffle.sort.io.plugin.class` of a known one): lost with neither.
    Remote,
}

/// What an executor's local directories (`spark.local.dir`) are made of.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum LocalDirs {
    /// `emptyDir` on the node's root disk.
    #[default]
    EmptyDir,
    /// `spark.kubernetes.local.dirs.tmpfs`, or an `emptyDir` with medium `Memory`: it is memory of
    /// the container.
    Tmpfs,
    /// `hostPath` on local NVMe.
    HostPath,
    /// A persistent volume claim (EBS).
    PersistentVolumeClaim,
}

/// How the tasks' output becomes the result.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum OutputCommitter {
    /// `mapreduce.fileoutputcommitter.algorithm.version=1`: the driver renames every file at the
    /// end, one after the other; on an object store a rename is a copy. Spark sets it where nobody
    /// else does (`SparkHadoopUtil`, since 3.0.2).
    #[default]
    FileV1,
    /// Version 2: each task renames its own files; not safe against failures.
    FileV2,
    /// `spark.hadoop.fs.s3a.committer.name=directory|partitioned`: multipart uploads, completed at
    /// the end.
    Staging,
    /// `magic`: the same without a local copy.
    Magic,
    /// EMR's optimised committer.
    EmrOptimized,
}

/// Storage settings.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Storage {
    /// Who serves shuffle data.
    pub shuffle: ShuffleService,
    /// What local directories are made of.
    pub local_dirs: LocalDirs,
    /// `spark.kubernetes.driver.reusePersistentVolumeClaim` with `ownPersistentVolumeClaim`,
    /// executors' volumes on claims, and `spark.shuffle.sort.io.plugin.class` =
    /// `KubernetesLocalDiskShuffleDataIO`: a replacement finds the shuffle files of a lost executor.
    /// Without that plugin, claims are used again and the files on them are not found.
    pub reuse_claims: bool,
    /// How output is committed.
    pub committer: OutputCommitter,
}

/// `spark.memory.*`: what of the heap tasks and cached blocks share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnifiedMemory {
    /// `spark.memory.fraction` of (heap - 300 MiB).
    pub fraction: f64,
    /// `spark.memory.storageFraction`: the part of it that cached blocks keep against execution.
    pub storage_fraction: f64,
}

impl UnifiedMemory {
    /// What Spark keeps for itself. Source: Spark `UnifiedMemoryManager`
    /// (`RESERVED_SYSTEM_MEMORY_BYTES`).
    pub const RESERVED: Bytes = Bytes::mib(300);

    /// Memory for execution and storage together in a heap of that size.
    pub fn pool(&self, heap: Bytes) -> Bytes {
        heap.saturating_sub(Self::RESERVED).scale_floor(self.fraction)
    }
}

impl Default for UnifiedMemory {
    /// Source: facts-spark A1.
    fn default() -> Self {
        Self { fraction: 0.6, storage_fraction: 0.5 }
    }
}
