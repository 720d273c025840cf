//! Settings of Spark that the release deprecates, or does not register any more.
//!
//! Settings that a release does not know yet are found by the settings' reader. Left out: settings
//! of Spark SQL, of connectors and of YARN.
//!
//! Source: `SparkConf.deprecatedConfigs` and `configsWithAlternatives` in the released jar of 3.5.3;
//! keys that later jars do not register: reflection over `ConfigEntry.knownConfigs` of 3.0.3 to
//! 4.3.0 (facts-spark, sources).

use sim::Severity;

use super::pods::Workload;
use super::rule::{LintFinding, Rule};
use super::versions::Release;

/// Spark warns about it.
pub(super) static DEPRECATED: Rule = Rule {
    id: "spark-setting-deprecated",
    severity: Severity::Warning,
    why: "Spark still reads it, or says that it does not, and a later release drops it",
    source: "`SparkConf` of the released jar (3.5.3)",
};

/// No code reads it.
pub(super) static REMOVED: Rule = Rule {
    id: "spark-setting-removed",
    severity: Severity::Warning,
    why: "this release does not register the setting: it has no effect",
    source: "the released jars of 3.0.3 to 4.3.0",
};

/// Settings with the release that deprecated them and what to write.
const OLD: [(&str, Release, &str); 28] = [
    (BLACKLIST, Release::new(3, 1), "spark.excludeOnFailure.*"),
    ("spark.executor.plugins", Release::new(3, 0), "spark.plugins"),
    ("spark.executor.port", Release::new(2, 0), NOT_USED),
    ("spark.files.userClassPathFirst", Release::new(1, 3), "spark.executor.userClassPathFirst"),
    ("spark.kryoserializer.buffer.max.mb", Release::new(1, 4), "spark.kryoserializer.buffer.max"),
    ("spark.kryoserializer.buffer.mb", Release::new(1, 4), "spark.kryoserializer.buffer"),
    ("spark.maxRemoteBlockSizeFetchToMem", Release::new(3, 0), FETCH_TO_MEMORY),
    ("spark.reducer.maxMbInFlight", Release::new(1, 4), "spark.reducer.maxSizeInFlight"),
    ("spark.reducer.maxReqSizeShuffleToMem", Release::new(2, 3), FETCH_TO_MEMORY),
    ("spark.rpc.numRetries", Release::new(2, 2), NOT_USED),
    ("spark.rpc.retry.wait", Release::new(2, 2), NOT_USED),
    ("spark.scheduler.executorTaskBlacklistTime", Release::new(2, 1), "spark.excludeOnFailure.*"),
    (
        "spark.scheduler.blacklist.unschedulableTaskSetTimeout",
        Release::new(3, 1),
        "spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout",
    ),
    ("spark.scheduler.listenerbus.eventqueue.size", Release::new(2, 3), EVENT_QUEUE),
    ("spark.shuffle.file.buffer.kb", Release::new(1, 4), "spark.shuffle.file.buffer"),
    ("spark.shuffle.service.index.cache.entries", Release::new(2, 3), INDEX_CACHE),
    ("spark.unsafe.offHeap", Release::new(1, 6), "spark.memory.offHeap.enabled"),
    ("spark.yarn.access.hadoopFileSystems", Release::new(3, 0), KERBEROS),
    ("spark.yarn.access.namenodes", Release::new(2, 2), KERBEROS),
    ("spark.yarn.am.port", Release::new(2, 0), NOT_USED),
    ("spark.yarn.driver.memoryOverhead", Release::new(2, 3), "spark.driver.memoryOverhead"),
    ("spark.yarn.executor.memoryOverhead", Release::new(2, 3), "spark.executor.memoryOverhead"),
    (
        "spark.yarn.executor.failuresValidityInterval",
        Release::new(3, 5),
        "spark.executor.failuresValidityInterval",
    ),
    ("spark.yarn.keytab", Release::new(3, 0), "spark.kerberos.keytab"),
    ("spark.yarn.max.executor.failures", Release::new(3, 5), "spark.executor.maxNumFailures"),
    ("spark.yarn.principal", Release::new(3, 0), "spark.kerberos.principal"),
    ("spark.yarn.services", Release::new(3, 0), NOT_USED),
    ("spark.cache.class", Release::new(0, 8), "storage levels with RDD.persist"),
];

const BLACKLIST: &str = "spark.blacklist.";
const EVENT_QUEUE: &str = "spark.scheduler.listenerbus.eventqueue.capacity";
const FETCH_TO_MEMORY: &str = "spark.network.maxRemoteBlockSizeFetchToMem";
const INDEX_CACHE: &str = "spark.shuffle.service.index.cache.size";
const KERBEROS: &str = "spark.kerberos.access.hadoopFileSystems";
const NOT_USED: &str = "nothing: it is not used any more";

/// Settings with the first release, of those that were read, that does not register them.
const GONE: [(&str, Release); 7] = [
    ("spark.deploy.spreadOut", Release::new(4, 0)),
    ("spark.kubernetes.executor.lostCheck.maxAttempts", Release::new(3, 3)),
    ("spark.kubernetes.pyspark.pythonVersion", Release::new(4, 1)),
    ("spark.storage.blockManagerSlaveTimeoutMs", Release::new(3, 1)),
    ("spark.storage.safetyFraction", Release::new(3, 2)),
    ("spark.testing.dynamicAllocation.scheduleInterval", Release::new(3, 1)),
    ("spark.ui.jettyStopTimeout", Release::new(4, 2)),
];

pub(super) fn judge(workloads: &[Workload]) -> Vec<LintFinding> {
    let mut out = Vec::new();
    for workload in workloads {
        let release = Release::from(workload.spark.version);
        for (key, _) in workload.conf.iter() {
            out.extend(one(workload, key, release));
        }
    }
    out
}

fn one(workload: &Workload, key: &str, release: Release) -> Option<LintFinding> {
    let place = workload.at(key);
    if let Some((_, since)) = GONE.iter().find(|(name, _)| *name == key)
        && release >= *since
    {
        let what = format!("Spark {release} has no `{key}`");
        return Some(REMOVED.at(place, what, "drop it"));
    }
    let is_old = |name: &str| name == key || (name == BLACKLIST && key.starts_with(BLACKLIST));
    let (_, since, instead) = OLD.iter().find(|(name, ..)| is_old(name))?;
    if release < *since {
        return None;
    }
    let shown = crate::import::one_line(key, 80);
    let what = format!("`{shown}` is deprecated since Spark {since}");
    Some(DEPRECATED.at(place, what, format!("write {instead}")))
}
