//! Our defaults against those of the released jars.

use std::collections::BTreeMap;

use sim::scenario::{SparkDefaults, SparkVersion};

use super::super::known::{self, MODELLED};
use super::super::read;

/// The defaults by key and release, as the jars print them: `-` for a key that the release does not
/// register.
struct Released {
    versions: Vec<SparkVersion>,
    rows: BTreeMap<String, Vec<String>>,
    changed: Vec<String>,
}

fn released() -> Option<Released> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/data/spark/config_defaults_by_version.csv"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("SKIPPED: {path} is not there, defaults are not compared with the jars'");
        return None;
    };
    let mut out = Released { versions: vec![], rows: BTreeMap::new(), changed: vec![] };
    for (place, line) in text.lines().enumerate() {
        // Only defaults that are lists of names hold commas, and none of those is modelled.
        let cells: Vec<&str> = line.split(',').collect();
        let [key, _, values @ .., changed] = cells.as_slice() else { continue };
        if place == 0 {
            let version = |text: &&str| {
                let mut numbers = text.split('.').map(|n| n.parse().unwrap());
                SparkVersion { major: numbers.next().unwrap(), minor: numbers.next().unwrap() }
            };
            out.versions = values.iter().map(version).collect();
        } else if values.len() == out.versions.len() {
            let values = values.iter().map(|&value| value.to_owned()).collect();
            out.rows.insert((*key).to_owned(), values);
            if *changed == "1" {
                out.changed.push((*key).to_owned());
            }
        }
    }
    Some(out)
}

impl Released {
    /// The default of `key` in the release at `place`, followed where it is another key's. `None`:
    /// the key is unknown then, or has no default.
    fn default_of(&self, key: &str, place: usize) -> Option<String> {
        let row = self.rows.get(key)?;
        if known::since(key).is_some_and(|since| since > self.versions[place]) {
            return None;
        }
        // Keys that older releases read without registering them are what they became.
        let value = row[place..].iter().find(|value| *value != "-")?;
        let other = value.strip_prefix("<value of ").and_then(|rest| rest.strip_suffix('>'));
        match other {
            Some(other) => self.default_of(other, place),
            None => Some(value.clone()).filter(|value| value != "<undefined>"),
        }
    }
}

fn applied(text: &str, version: SparkVersion) -> SparkDefaults {
    let mut spark = SparkDefaults::default_of(version);
    let (problems, _) = read("jar", text).value.apply(&mut spark);
    assert_eq!(problems, [], "{text}");
    spark
}

/// Executors on claims that can be handed on, so that the defaults of that show.
const CLAIMS: &str = "\
spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.mount.path /d
spark.shuffle.sort.io.plugin.class org.apache.spark.shuffle.KubernetesLocalDiskShuffleDataIO
";

#[test]
fn a_jars_default_said_aloud_changes_nothing() {
    let Some(released) = released() else { return };
    assert_eq!(released.versions.len(), 10);
    let mut compared = 0;
    for (place, version) in released.versions.iter().enumerate() {
        for key in MODELLED {
            let Some(value) = released.default_of(key, place) else { continue };
            // `None` here: as many as the minimum.
            if key == "spark.dynamicAllocation.initialExecutors" {
                assert_eq!(applied("", *version).dynamic_allocation.initial_executors, None);
                continue;
            }
            let base = if key == "spark.shuffle.sort.io.plugin.class" { "" } else { CLAIMS };
            let without = applied(base, *version);
            let with = applied(&format!("{base}{key} {value}"), *version);
            assert_eq!(with, without, "{key} {value} in {version:?}");
            compared += 1;
        }
    }
    assert!(compared > 500, "{compared}");
}

/// A default that the jars gave up is a change when it is said, so that the test above is not one
/// of settings that nobody reads.
#[test]
fn what_changed_between_releases_is_followed() {
    let Some(released) = released() else { return };
    let changed = released.changed.iter().filter(|key| MODELLED.contains(&key.as_str()));
    let changed: Vec<&str> = changed.map(String::as_str).collect();
    assert_eq!(
        changed,
        [
            "spark.dynamicAllocation.shuffleTracking.enabled",
            "spark.kubernetes.allocation.batch.size",
            "spark.kubernetes.driver.ownPersistentVolumeClaim",
            "spark.kubernetes.driver.reusePersistentVolumeClaim",
            "spark.speculation.multiplier",
            "spark.speculation.quantile",
            "spark.stage.ignoreDecommissionFetchFailure",
            "spark.storage.decommission.rddBlocks.enabled",
            "spark.storage.decommission.shuffleBlocks.enabled",
        ]
    );
    let newest = *released.versions.last().unwrap();
    for key in changed {
        let row = &released.rows[key];
        let oldest = row.iter().find(|value| *value != "-").unwrap();
        let with = applied(&format!("{CLAIMS}{key} {oldest}"), newest);
        assert_ne!(with, applied(CLAIMS, newest), "{key} {oldest}");
    }
}

/// Where the jars have no default, the code that reads the setting has one.
#[test]
fn what_the_jars_leave_undefined_is_known() {
    let Some(released) = released() else { return };
    let newest = released.versions.len() - 1;
    let defaults = SparkDefaults::default_of(released.versions[newest]);
    let undefined = |key: &str| released.rows[key][newest] == "<undefined>";
    for (key, held) in [
        ("spark.driver.memoryOverhead", defaults.driver_memory_overhead.is_none()),
        ("spark.executor.memoryOverhead", defaults.executor_memory_overhead.is_none()),
        ("spark.executor.maxNumFailures", defaults.limits.executor_max_num_failures.is_none()),
        (
            "spark.executor.failuresValidityInterval",
            defaults.limits.executor_failures_validity.is_none(),
        ),
        (
            "spark.speculation.task.duration.threshold",
            defaults.speculation.task_duration_threshold.is_none(),
        ),
        ("spark.executor.decommission.killInterval", defaults.decommission.kill_interval.is_none()),
        (
            "spark.executor.decommission.forceKillTimeout",
            defaults.decommission.force_kill_timeout.is_none(),
        ),
        ("spark.excludeOnFailure.enabled", !defaults.exclude_on_failure.enabled),
        ("spark.executor.instances", defaults.executor_instances == 2),
        (
            "spark.scheduler.minRegisteredResourcesRatio",
            defaults.min_registered_resources_ratio == 0.8,
        ),
    ] {
        assert!(undefined(key) && held, "{key}");
    }
}
