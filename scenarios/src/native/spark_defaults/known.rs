//! Which `spark.*` keys are modelled, which have an effect that is not, and which have none on
//! capacity, cost or waiting.
//!
//! `spark_keys.csv` lists the keys that the released jars of Spark 3.0 to 4.3 register, with the
//! release each came with: facts, read by reflection over `ConfigEntry.knownConfigs`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use sim::scenario::SparkVersion;

const SPARK_KEYS_CSV: &str = include_str!("spark_keys.csv");

/// What a key is to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// `apply` reads it.
    Modelled,
    /// Spark acts on it and the model does not.
    NotModelled,
    /// Without effect on what is modelled.
    Irrelevant,
    /// Spark does not know it, but one like it.
    Slip(&'static str),
    /// Neither Spark nor we know it: a library's or a user's own.
    Unknown,
}

/// Keys that [`super::apply`] reads.
pub(super) const MODELLED: [&str; 110] = [
    "spark.blacklist.application.maxFailedExecutorsPerNode",
    "spark.blacklist.application.maxFailedTasksPerExecutor",
    "spark.blacklist.enabled",
    "spark.blacklist.stage.maxFailedExecutorsPerNode",
    "spark.blacklist.stage.maxFailedTasksPerExecutor",
    "spark.blacklist.task.maxTaskAttemptsPerExecutor",
    "spark.blacklist.task.maxTaskAttemptsPerNode",
    "spark.blacklist.timeout",
    "spark.decommission.enabled",
    "spark.driver.cores",
    "spark.driver.memory",
    "spark.driver.memoryOverhead",
    "spark.driver.memoryOverheadFactor",
    "spark.driver.minMemoryOverhead",
    "spark.dynamicAllocation.cachedExecutorIdleTimeout",
    "spark.dynamicAllocation.enabled",
    "spark.dynamicAllocation.executorAllocationRatio",
    "spark.dynamicAllocation.executorIdleTimeout",
    "spark.dynamicAllocation.initialExecutors",
    "spark.dynamicAllocation.maxExecutors",
    "spark.dynamicAllocation.minExecutors",
    "spark.dynamicAllocation.schedulerBacklogTimeout",
    "spark.dynamicAllocation.shuffleTracking.enabled",
    "spark.dynamicAllocation.shuffleTracking.timeout",
    "spark.dynamicAllocation.sustainedSchedulerBacklogTimeout",
    "spark.excludeOnFailure.application.enabled",
    "spark.excludeOnFailure.application.maxFailedExecutorsPerNode",
    "spark.excludeOnFailure.application.maxFailedTasksPerExecutor",
    "spark.excludeOnFailure.enabled",
    "spark.excludeOnFailure.stage.maxFailedExecutorsPerNode",
    "spark.excludeOnFailure.stage.maxFailedTasksPerExecutor",
    "spark.excludeOnFailure.task.maxTaskAttemptsPerExecutor",
    "spark.excludeOnFailure.task.maxTaskAttemptsPerNode",
    "spark.excludeOnFailure.taskAndStage.enabled",
    "spark.excludeOnFailure.timeout",
    "spark.executor.cores",
    "spark.executor.decommission.forceKillTimeout",
    "spark.executor.decommission.killInterval",
    "spark.executor.failuresValidityInterval",
    "spark.executor.instances",
    "spark.executor.maxNumFailures",
    "spark.executor.memory",
    "spark.executor.memoryOverhead",
    "spark.executor.memoryOverheadFactor",
    "spark.executor.minMemoryOverhead",
    "spark.executor.pyspark.memory",
    "spark.hadoop.fs.s3a.committer.name",
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version",
    "spark.kubernetes.allocation.batch.delay",
    "spark.kubernetes.allocation.batch.size",
    "spark.kubernetes.allocation.executor.timeout",
    "spark.kubernetes.allocation.maxPendingPods",
    "spark.kubernetes.allocation.maxPendingPodsPerRp",
    "spark.kubernetes.container.image",
    "spark.kubernetes.driver.container.image",
    "spark.kubernetes.driver.ownPersistentVolumeClaim",
    "spark.kubernetes.driver.podTemplateContainerName",
    "spark.kubernetes.driver.podTemplateFile",
    "spark.kubernetes.driver.request.cores",
    "spark.kubernetes.driver.reusePersistentVolumeClaim",
    "spark.kubernetes.driver.scheduler.name",
    "spark.kubernetes.executor.container.image",
    "spark.kubernetes.executor.podTemplateContainerName",
    "spark.kubernetes.executor.podTemplateFile",
    "spark.kubernetes.executor.request.cores",
    "spark.kubernetes.executor.scheduler.name",
    "spark.kubernetes.executor.terminationGracePeriodSeconds",
    "spark.kubernetes.local.dirs.tmpfs",
    "spark.kubernetes.memoryOverheadFactor",
    "spark.kubernetes.namespace",
    "spark.kubernetes.resource.type",
    "spark.kubernetes.scheduler.name",
    "spark.locality.wait",
    "spark.locality.wait.legacyResetOnTaskLaunch",
    "spark.locality.wait.node",
    "spark.locality.wait.process",
    "spark.locality.wait.rack",
    "spark.memory.fraction",
    "spark.memory.offHeap.enabled",
    "spark.memory.offHeap.size",
    "spark.memory.storageFraction",
    "spark.scheduler.maxRegisteredResourcesWaitingTime",
    "spark.scheduler.minRegisteredResourcesRatio",
    "spark.scheduler.mode",
    "spark.shuffle.manager",
    "spark.shuffle.reduceLocality.enabled",
    "spark.shuffle.service.enabled",
    "spark.shuffle.sort.io.plugin.class",
    "spark.speculation",
    "spark.speculation.efficiency.enabled",
    "spark.speculation.efficiency.longRunTaskFactor",
    "spark.speculation.efficiency.processRateMultiplier",
    "spark.speculation.interval",
    "spark.speculation.minTaskRuntime",
    "spark.speculation.multiplier",
    "spark.speculation.quantile",
    "spark.speculation.task.duration.threshold",
    "spark.sql.parquet.fs.optimized.committer.optimization-enabled",
    "spark.sql.shuffle.partitions",
    "spark.stage.ignoreDecommissionFetchFailure",
    "spark.stage.maxAttempts",
    "spark.stage.maxConsecutiveAttempts",
    "spark.storage.decommission.enabled",
    "spark.storage.decommission.rddBlocks.enabled",
    "spark.storage.decommission.shuffleBlocks.enabled",
    "spark.storage.decommission.shuffleBlocks.maxThreads",
    "spark.task.cpus",
    "spark.task.maxFailures",
    "spark.yarn.driver.memoryOverhead",
    "spark.yarn.executor.memoryOverhead",
];

/// Families of keys that `apply` reads; what follows the prefix is the user's.
pub(super) const MODELLED_PREFIXES: [&str; 14] = [
    "spark.kubernetes.node.selector.",
    "spark.kubernetes.driver.node.selector.",
    "spark.kubernetes.executor.node.selector.",
    "spark.kubernetes.driver.label.",
    "spark.kubernetes.executor.label.",
    "spark.kubernetes.driver.annotation.",
    "spark.kubernetes.executor.annotation.",
    "spark.driver.resource.",
    "spark.executor.resource.",
    "spark.kubernetes.driver.volumes.emptyDir.",
    "spark.kubernetes.driver.volumes.hostPath.",
    "spark.kubernetes.executor.volumes.emptyDir.",
    "spark.kubernetes.executor.volumes.hostPath.",
    "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-",
];

/// Keys, and families of keys, that change what a run needs, waits for or survives.
const NOT_MODELLED_PREFIXES: [&str; 25] = [
    "spark.barrier.",
    "spark.blacklist.",
    "spark.default.parallelism",
    "spark.driver.maxResultSize",
    "spark.dynamicAllocation.",
    "spark.excludeOnFailure.",
    "spark.executor.decommission.",
    "spark.executor.heartbeat",
    "spark.kubernetes.allocation.",
    "spark.kubernetes.decommission.",
    "spark.kubernetes.driver.limit.cores",
    "spark.kubernetes.driver.volumes.",
    "spark.kubernetes.driver.waitToReusePersistentVolumeClaim",
    "spark.kubernetes.dynamicAllocation.",
    "spark.kubernetes.executor.checkAllContainers",
    "spark.kubernetes.executor.limit.cores",
    "spark.kubernetes.executor.missingPodDetectDelta",
    "spark.kubernetes.executor.resize",
    "spark.kubernetes.executor.roll",
    "spark.kubernetes.executor.volumes.",
    "spark.locality.wait.legacy",
    "spark.network.timeout",
    "spark.shuffle.push.",
    "spark.storage.",
    "spark.task.resource.",
];

/// Families whose keys are not all registered and do not matter here.
const IRRELEVANT_PREFIXES: [&str; 24] = [
    "spark.delta.",
    "spark.kubernetes.executor.service.",
    "spark.kubernetes.executorEnv.",
    "spark.local.dir",
    "spark.master",
    "spark.openlineage.",
    "spark.authenticate",
    "spark.databricks.",
    "spark.driverEnv.",
    "spark.emr",
    "spark.executorEnv.",
    "spark.extraListeners",
    "spark.hadoop.",
    "spark.history.",
    "spark.jars",
    "spark.kubernetes.driver.secret",
    "spark.kubernetes.driver.service.",
    "spark.kubernetes.driverEnv.",
    "spark.kubernetes.executor.secret",
    "spark.metrics.",
    "spark.sql.",
    "spark.ui.",
    "spark.yarn.",
    "spark.app.",
];

fn registered() -> &'static BTreeMap<&'static str, Option<SparkVersion>> {
    static KEYS: OnceLock<BTreeMap<&'static str, Option<SparkVersion>>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let rows = SPARK_KEYS_CSV.lines().skip(1);
        rows.filter_map(|row| row.split_once(','))
            .map(|(key, since)| (key, version(since)))
            .collect()
    })
}

fn version(text: &str) -> Option<SparkVersion> {
    let mut numbers = text.split('.').map(str::parse);
    Some(SparkVersion { major: numbers.next()?.ok()?, minor: numbers.next()?.ok()? })
}

/// The release that brought `key`, where it is known.
pub(super) fn since(key: &str) -> Option<SparkVersion> {
    let role_selector = ["driver", "executor"]
        .iter()
        .any(|role| key.starts_with(&format!("spark.kubernetes.{role}.node.selector.")));
    if role_selector {
        // Source: facts-spark A4.
        return Some(SparkVersion { major: 3, minor: 3 });
    }
    *registered().get(key)?
}

/// What `key` is to the model.
pub(super) fn kind(key: &str) -> KeyKind {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| key.starts_with(prefix));
    if MODELLED.contains(&key) || starts(&MODELLED_PREFIXES) {
        KeyKind::Modelled
    } else if registered().contains_key(key) {
        if starts(&NOT_MODELLED_PREFIXES) { KeyKind::NotModelled } else { KeyKind::Irrelevant }
    } else if let Some(near) = near(key) {
        KeyKind::Slip(near)
    } else if starts(&NOT_MODELLED_PREFIXES) {
        KeyKind::NotModelled
    } else if starts(&IRRELEVANT_PREFIXES) {
        KeyKind::Irrelevant
    } else {
        KeyKind::Unknown
    }
}

/// The key that `key`, which lacks the prefix `spark.`, was meant to be.
pub(super) fn without_prefix(key: &str) -> Option<&'static str> {
    let full = format!("spark.{}", key.chars().take(100).collect::<String>());
    let exact = registered().get_key_value(full.as_str()).map(|(known, _)| *known);
    exact.or_else(|| near(&full)).or_else(|| near(key))
}

/// The registered key, not `key` itself, that `key` was meant to be.
pub(super) fn near(key: &str) -> Option<&'static str> {
    if key.len() > 100 || registered().contains_key(key) {
        return None;
    }
    // Families that hold anybody's names: nearness there means nothing.
    let free = ["spark.hadoop.", "spark.sql.", "spark.executorEnv.", "spark.metrics.conf."];
    if free.iter().any(|prefix| key.starts_with(prefix)) {
        return None;
    }
    let lower = key.to_lowercase();
    let keys = registered().keys().filter(|known| known.len().abs_diff(key.len()) <= 2);
    keys.map(|known| (strsim::osa_distance(&lower, &known.to_lowercase()), *known))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_modelled_key_is_spelled_as_spark_registers_it() {
        for key in MODELLED {
            // Older names, and settings of libraries and of Spark SQL, which registers its own.
            let other = ["spark.yarn.", "spark.hadoop.", "spark.sql."];
            let other = other.iter().any(|prefix| key.starts_with(prefix));
            assert!(other || registered().contains_key(key), "{key}");
        }
        assert_eq!(registered().len(), 694);
    }

    #[test]
    fn kinds() {
        let check = |key: &str, expected: KeyKind| assert_eq!(kind(key), expected, "{key}");
        check("spark.executor.memory", KeyKind::Modelled);
        check("spark.kubernetes.executor.node.selector.pool", KeyKind::Modelled);
        check("spark.speculation.quantile", KeyKind::Modelled);
        check("spark.locality.wait", KeyKind::Modelled);
        check("spark.barrier.sync.timeout", KeyKind::NotModelled);
        check("spark.eventLog.dir", KeyKind::Irrelevant);
        check("spark.hadoop.fs.s3a.fast.upload", KeyKind::Irrelevant);
        check("spark.executor.memry", KeyKind::Slip("spark.executor.memory"));
        check("spark.Executor.Memory", KeyKind::Slip("spark.executor.memory"));
        check("spark.acme.flavour", KeyKind::Unknown);
        check("spark.kubernetes.executor.volumes.hostPath.a.mount.path", KeyKind::Modelled);
        check("spark.kubernetes.executor.volumes.nfs.a.mount.path", KeyKind::NotModelled);
    }
}
