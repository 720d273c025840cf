//! Where shuffle data, spills, cached blocks and results go.
//!
//! Left out: several kinds of local directories at once (the first of claim, host path, memory and
//! node's disk is taken), claims' sizes and classes.
//!
//! Source: facts-spark A1 and A4; Spark's `LocalDirsFeatureStep`, `MountVolumesFeatureStep`,
//! `KubernetesLocalDiskShuffleDataIO`; Hadoop's S3A committers; EMR's release guide (the
//! EMRFS S3-optimised committer).

use sim::scenario::{LocalDirs, OutputCommitter, ShuffleService, SparkDefaults, Storage};

use super::super::{LOCAL_DIR, shown};
use super::put;
use super::reading::Reading;

/// Shuffle managers of Spark itself.
const OWN_MANAGERS: [&str; 3] =
    ["sort", "tungsten-sort", "org.apache.spark.shuffle.sort.sortshufflemanager"];

/// The plugin by which an executor finds the shuffle files on a claim that it inherits.
pub(crate) const RECOVERS: &str = "org.apache.spark.shuffle.KubernetesLocalDiskShuffleDataIO";

/// Plugins that write to the executor's own disks.
const LOCAL_PLUGINS: [&str; 2] =
    ["org.apache.spark.shuffle.sort.io.LocalDiskShuffleDataIO", RECOVERS];

/// Parts of the class names of shuffle managers and plugins that keep shuffle data elsewhere:
/// Celeborn, Uniffle and other remote shuffle services, Magnet, Splash, and S3 (AWS Glue's
/// `ChopperPlugin`, the S3 shuffle manager).
const REMOTE: [&str; 9] = [
    "celeborn",
    "uniffle",
    "rss",
    "remoteshuffle",
    "magnet",
    "splash",
    "s3shuffle",
    "chopperplugin",
    "cloudshuffle",
];

pub(super) fn apply(read: &mut Reading<'_>, spark: &mut SparkDefaults) {
    shuffle(read, &mut spark.storage);
    local_dirs(read, spark);
    claims(read, &mut spark.storage);
    committer(read, &mut spark.storage.committer);
    let memory = &mut spark.memory;
    put(&mut memory.fraction, read.number("spark.memory.fraction", f64::MIN_POSITIVE, 1.0));
    put(&mut memory.storage_fraction, read.number("spark.memory.storageFraction", 0.0, 1.0));
    put(&mut spark.sql_shuffle_partitions, read.count("spark.sql.shuffle.partitions", 1));
}

fn shuffle(read: &mut Reading<'_>, storage: &mut Storage) {
    match read.boolean("spark.shuffle.service.enabled") {
        Some(true) => storage.shuffle = ShuffleService::External,
        Some(false) => storage.shuffle = ShuffleService::Executor,
        None => {}
    }
    for (key, local) in [
        ("spark.shuffle.manager", &OWN_MANAGERS[..]),
        ("spark.shuffle.sort.io.plugin.class", &LOCAL_PLUGINS[..]),
    ] {
        let Some(class) = read.text(key) else {
            continue;
        };
        let lower = class.to_ascii_lowercase();
        if local.iter().any(|known| known.eq_ignore_ascii_case(&class)) {
            continue;
        }
        if REMOTE.iter().any(|part| lower.contains(part)) {
            storage.shuffle = ShuffleService::Remote;
        } else {
            let message = format!(
                "`{}` is not known: shuffle data is taken to stay with its executor",
                shown(&class)
            );
            read.warn(key, "unknown-shuffle", message);
        }
    }
}

/// What executors' volumes `spark-local-dir-*` are: of the settings, else of the template, else
/// what Spark adds itself.
fn local_dirs(read: &mut Reading<'_>, spark: &mut SparkDefaults) {
    let tmpfs = read.boolean("spark.kubernetes.local.dirs.tmpfs");
    let mounted = mounted(read);
    let template = &spark.executor_template;
    let on_node = template.local_storage.iter().any(|name| name.starts_with(LOCAL_DIR));
    let own = template.local_dirs.or(on_node.then_some(LocalDirs::EmptyDir));
    let added = tmpfs.map(|tmpfs| if tmpfs { LocalDirs::Tmpfs } else { LocalDirs::EmptyDir });
    put(&mut spark.storage.local_dirs, mounted.or(own).or(added));
}

/// The kind of local directories that the settings mount into executors.
fn mounted(read: &mut Reading<'_>) -> Option<LocalDirs> {
    let volumes = read.family("spark.kubernetes.executor.volumes.");
    let has = |kind: &str| {
        volumes.keys().any(|name| {
            let volume = name.strip_prefix(kind).and_then(|name| name.strip_prefix('.'));
            volume.is_some_and(|name| name.starts_with(LOCAL_DIR) && name.ends_with(".mount.path"))
        })
    };
    if has("persistentVolumeClaim") {
        Some(LocalDirs::PersistentVolumeClaim)
    } else if has("hostPath") {
        Some(LocalDirs::HostPath)
    } else if has("emptyDir") {
        let in_memory = volumes.iter().any(|(name, value)| {
            name.starts_with(&format!("emptyDir.{LOCAL_DIR}"))
                && name.ends_with(".options.medium")
                && value == "Memory"
        });
        Some(if in_memory { LocalDirs::Tmpfs } else { LocalDirs::EmptyDir })
    } else {
        None
    }
}

/// A replacement finds a lost executor's shuffle files where the driver owns the claims, hands
/// them on, and the plugin looks for files on them.
fn claims(read: &mut Reading<'_>, storage: &mut Storage) {
    let default = read.at_least(3, 4);
    let own = read.boolean("spark.kubernetes.driver.ownPersistentVolumeClaim");
    let reuse = read.boolean("spark.kubernetes.driver.reusePersistentVolumeClaim");
    let kept = own.unwrap_or(default) && reuse.unwrap_or(default);
    if storage.local_dirs != LocalDirs::PersistentVolumeClaim {
        storage.reuse_claims = false;
        return;
    }
    // A claim with a name of its own is not one that Spark makes, and is not handed on.
    let prefix = format!("spark.kubernetes.executor.volumes.persistentVolumeClaim.{LOCAL_DIR}");
    let volumes = read.family(&prefix);
    let mut made = volumes.iter().filter(|(name, _)| name.ends_with(".options.claimName"));
    let made = made.all(|(_, name)| name.eq_ignore_ascii_case("OnDemand"));
    let finds = read.get("spark.shuffle.sort.io.plugin.class") == Some(RECOVERS);
    storage.reuse_claims = kept && made && !volumes.is_empty() && finds;
}

fn committer(read: &mut Reading<'_>, committer: &mut OutputCommitter) {
    let version = "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version";
    match read.text(version).as_deref() {
        None => {}
        Some("1") => *committer = OutputCommitter::FileV1,
        Some("2") => *committer = OutputCommitter::FileV2,
        Some(other) => read.bad_value(version, other, "`1` or `2`"),
    }
    let name = "spark.hadoop.fs.s3a.committer.name";
    match read.text(name).as_deref() {
        None | Some("file") => {}
        Some("directory" | "partitioned") => *committer = OutputCommitter::Staging,
        Some("magic") => *committer = OutputCommitter::Magic,
        Some(other) => {
            let allowed = "`file`, `directory`, `partitioned` or `magic`";
            read.bad_value(name, other, allowed);
        }
    }
    let optimised = "spark.sql.parquet.fs.optimized.committer.optimization-enabled";
    if read.boolean(optimised) == Some(true) {
        *committer = OutputCommitter::EmrOptimized;
    }
}
