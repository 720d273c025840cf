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
pub(super) const MODELLED: [&str; 48] = [
    "spark.driver.cores",
    "spark.driver.memory",
    "spark.driver.memoryOverhead",
    "spark.driver.memoryOverheadFactor",
    "spark.driver.minMemoryOverhead",
    "spark.dynamicAllocation.enabled",
    "spark.dynamicAllocation.executorAllocationRatio",
    "spark.dynamicAllocation.executorIdleTimeout",
    "spark.dynamicAllocation.initialExecutors",
    "spark.dynamicAllocation.maxExecutors",
    "spark.dynamicAllocation.minExecutors",
    "spark.dynamicAllocation.schedulerBacklogTimeout",
    "spark.dynamicAllocation.shuffleTracking.enabled",
    "spark.dynamicAllocation.sustainedSchedulerBacklogTimeout",
    "spark.executor.cores",
    "spark.executor.instances",
    "spark.executor.memory",
    "spark.executor.memoryOverhead",
    "spark.executor.memoryOverheadFactor",
    "spark.executor.minMemoryOverhead",
    "spark.executor.pyspark.memory",
    "spark.kubernetes.allocation.batch.delay",
    "spark.kubernetes.allocation.batch.size",
    "spark.kubernetes.container.image",
    "spark.kubernetes.driver.container.image",
    "spark.kubernetes.driver.podTemplateContainerName",
    "spark.kubernetes.driver.podTemplateFile",
    "spark.kubernetes.driver.request.cores",
    "spark.kubernetes.driver.scheduler.name",
    "spark.kubernetes.executor.container.image",
    "spark.kubernetes.executor.podTemplateContainerName",
    "spark.kubernetes.executor.podTemplateFile",
    "spark.kubernetes.executor.request.cores",
    "spark.kubernetes.executor.scheduler.name",
    "spark.kubernetes.executor.terminationGracePeriodSeconds",
    "spark.kubernetes.memoryOverheadFactor",
    "spark.kubernetes.namespace",
    "spark.kubernetes.resource.type",
    "spark.kubernetes.scheduler.name",
    "spark.memory.offHeap.enabled",
    "spark.memory.offHeap.size",
    "spark.scheduler.maxRegisteredResourcesWaitingTime",
    "spark.scheduler.minRegisteredResourcesRatio",
    "spark.task.cpus",
    "spark.task.maxFailures",
    // Registered as older names of the two overheads.
    "spark.yarn.driver.memoryOverhead",
    "spark.yarn.executor.memoryOverhead",
    // Read for the check that dynamic allocation needs one of several helpers.
    "spark.shuffle.service.enabled",
];

/// Families of keys that `apply` reads; what follows the prefix is the user's.
pub(super) const MODELLED_PREFIXES: [&str; 13] = [
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
];

/// Keys, and families of keys, that change what a run needs, waits for or survives.
const NOT_MODELLED_PREFIXES: [&str; 37] = [
    "spark.barrier.",
    "spark.blacklist.",
    "spark.decommission.",
    "spark.default.parallelism",
    "spark.driver.maxResultSize",
    "spark.dynamicAllocation.",
    "spark.excludeOnFailure.",
    "spark.executor.decommission.",
    "spark.executor.failuresValidityInterval",
    "spark.executor.heartbeat",
    "spark.executor.maxNumFailures",
    "spark.kubernetes.allocation.",
    "spark.kubernetes.decommission.",
    "spark.kubernetes.driver.limit.cores",
    "spark.kubernetes.driver.ownPersistentVolumeClaim",
    "spark.kubernetes.driver.reusePersistentVolumeClaim",
    "spark.kubernetes.driver.volumes.",
    "spark.kubernetes.driver.waitToReusePersistentVolumeClaim",
    "spark.kubernetes.dynamicAllocation.",
    "spark.kubernetes.executor.checkAllContainers",
    "spark.kubernetes.executor.limit.cores",
    "spark.kubernetes.executor.missingPodDetectDelta",
    "spark.kubernetes.executor.resize",
    "spark.kubernetes.executor.roll",
    "spark.kubernetes.executor.volumes.",
    "spark.kubernetes.local.dirs.tmpfs",
    "spark.locality.wait",
    "spark.memory.fraction",
    "spark.memory.storageFraction",
    "spark.network.timeout",
    "spark.scheduler.mode",
    "spark.shuffle.push.",
    "spark.speculation",
    "spark.sql.shuffle.partitions",
    "spark.stage.",
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
            let alias = key.starts_with("spark.yarn.");
            assert!(alias || registered().contains_key(key), "{key}");
        }
        assert_eq!(registered().len(), 694);
    }

    #[test]
    fn kinds() {
        let check = |key: &str, expected: KeyKind| assert_eq!(kind(key), expected, "{key}");
        check("spark.executor.memory", KeyKind::Modelled);
        check("spark.kubernetes.executor.node.selector.pool", KeyKind::Modelled);
        check("spark.speculation.quantile", KeyKind::NotModelled);
        check("spark.locality.wait", KeyKind::NotModelled);
        check("spark.eventLog.dir", KeyKind::Irrelevant);
        check("spark.hadoop.fs.s3a.fast.upload", KeyKind::Irrelevant);
        check("spark.executor.memry", KeyKind::Slip("spark.executor.memory"));
        check("spark.Executor.Memory", KeyKind::Slip("spark.executor.memory"));
        check("spark.acme.flavour", KeyKind::Unknown);
        check("spark.kubernetes.executor.volumes.hostPath.a.mount.path", KeyKind::Modelled);
        check("spark.kubernetes.executor.volumes.nfs.a.mount.path", KeyKind::NotModelled);
    }
}
