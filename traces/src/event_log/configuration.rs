//! What a recorded application asked its cluster for, from its Spark properties.
//!
//! Sizes and counts are read with Spark's own grammar. Where the properties are silent (local
//! mode, standalone, platforms that do not show them), the default resource profile that newer
//! logs carry and then the recorded executors answer. Older names of a property are read where
//! the newer one is missing.
//!
//! Leaves out: resource profiles other than the default one, PySpark and off-heap memory.
//!
//! Source: Spark configuration page, 2.3 to 4.1 (`spark.yarn.executor.memoryOverhead` and
//! `spark.kubernetes.executor.memoryOverhead` until 2.3; `spark.executor.memoryOverheadFactor`
//! since 3.3, `spark.kubernetes.memoryOverheadFactor` before; minimum overhead 384 MiB).

use std::collections::BTreeMap;

use sim::units::{Bytes, MilliCores, spark_size};

/// Settings as recorded; `None` where neither the properties nor the executors tell.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// `spark.driver.cores`.
    pub driver_cores: Option<MilliCores>,
    /// `spark.driver.memory`.
    pub driver_memory: Option<Bytes>,
    /// `spark.executor.cores`, or the cores that most executors had.
    pub executor_cores: Option<u32>,
    /// `spark.executor.memory`.
    pub executor_memory: Option<Bytes>,
    /// `spark.executor.memoryOverhead`, or what a recorded factor gives.
    pub executor_memory_overhead: Option<Bytes>,
    /// `spark.dynamicAllocation.enabled`.
    pub dynamic_allocation: Option<bool>,
    /// `spark.dynamicAllocation.minExecutors`; without dynamic allocation the number of
    /// executors asked for, or the most there were at one time.
    pub executors_min: Option<u32>,
    /// `spark.dynamicAllocation.maxExecutors`; `None` for no limit.
    pub executors_max: Option<u32>,
    /// `spark.dynamicAllocation.initialExecutors`.
    pub executors_initial: Option<u32>,
}

/// The default resource profile's requests (3.1 and later), in the log's own units.
#[derive(Debug, Default, Clone)]
pub(super) struct DefaultProfile {
    pub(super) cores: Option<u64>,
    pub(super) memory_mib: Option<u64>,
    pub(super) overhead_mib: Option<u64>,
}

/// What else the log shows about executors.
#[derive(Debug, Default, Clone)]
pub(super) struct SeenExecutors {
    /// The most alive at one time.
    pub(super) peak: u32,
    /// Cores of most of them.
    pub(super) cores: Option<u32>,
}

/// A property whose value could not be used: (key, value, what was expected).
pub(super) type BadProperty = (String, String, &'static str);

const OVERHEAD_MIN: Bytes = Bytes::mib(384);
/// Spark's `Int.MaxValue` stands for "no limit".
const NO_LIMIT: u32 = i32::MAX as u32;

/// Reads the configuration; unusable properties are left out and returned.
pub(super) fn read(
    properties: &BTreeMap<String, String>,
    profile: &DefaultProfile,
    seen: &SeenExecutors,
) -> (Configuration, Vec<BadProperty>) {
    let mut reader = Reader { properties, bad: Vec::new() };
    let executor_memory = reader.size("spark.executor.memory").or(profile.memory_mib.and_then(mib));
    let overhead = reader
        .size("spark.executor.memoryOverhead")
        .or_else(|| reader.size("spark.kubernetes.executor.memoryOverhead"))
        .or_else(|| reader.size("spark.yarn.executor.memoryOverhead"))
        .or(profile.overhead_mib.and_then(mib))
        .or_else(|| reader.overhead_by_factor(executor_memory));
    let dynamic = reader.flag("spark.dynamicAllocation.enabled");
    let minimum = reader.count("spark.dynamicAllocation.minExecutors");
    let maximum = reader.count("spark.dynamicAllocation.maxExecutors");
    let initial = reader.count("spark.dynamicAllocation.initialExecutors");
    let instances = reader.count("spark.executor.instances");
    let (executors_min, executors_max) = if dynamic == Some(true) {
        let limit = maximum.filter(|count| *count < NO_LIMIT);
        (Some(minimum.unwrap_or(0)), limit)
    } else {
        let count = instances.or((seen.peak > 0).then_some(seen.peak));
        (count, count)
    };
    let from_profile = || profile.cores.and_then(|cores| u32::try_from(cores).ok());
    let executor_cores = reader.count("spark.executor.cores").or(seen.cores).or_else(from_profile);
    let configuration = Configuration {
        driver_cores: reader
            .count("spark.driver.cores")
            .map(|cores| MilliCores::cores(u64::from(cores))),
        driver_memory: reader.size("spark.driver.memory"),
        executor_cores: executor_cores.filter(|cores| *cores > 0),
        executor_memory,
        executor_memory_overhead: overhead,
        dynamic_allocation: dynamic,
        executors_min,
        executors_max,
        executors_initial: initial.or(instances.filter(|_| dynamic == Some(true))),
    };
    (configuration, reader.bad)
}

/// A profile's MiB as bytes, unless it is absurd.
fn mib(amount: u64) -> Option<Bytes> {
    (1..=1 << 30).contains(&amount).then(|| Bytes::mib(amount))
}

struct Reader<'a> {
    properties: &'a BTreeMap<String, String>,
    bad: Vec<BadProperty>,
}

impl Reader<'_> {
    /// The property read by `parse`; one that cannot be read is noted.
    fn get<T>(
        &mut self,
        key: &str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.properties.get(key)?.trim();
        let parsed = parse(value);
        if parsed.is_none() {
            let value = value.chars().take(80).collect();
            self.bad.push((key.to_owned(), value, expected));
        }
        parsed
    }

    fn size(&mut self, key: &str) -> Option<Bytes> {
        self.get(key, "a Spark size such as 512m or 4g", |text| {
            spark_size::parse_size(text, Bytes::mib(1)).ok()
        })
    }

    fn count(&mut self, key: &str) -> Option<u32> {
        self.get(key, "a whole number", |text| text.parse().ok())
    }

    fn flag(&mut self, key: &str) -> Option<bool> {
        self.get(key, "true or false", |text| text.to_ascii_lowercase().parse().ok())
    }

    fn overhead_by_factor(&mut self, memory: Option<Bytes>) -> Option<Bytes> {
        let factor = |text: &str| {
            let factor: f64 = text.parse().ok()?;
            (0.0..=100.0).contains(&factor).then_some(factor)
        };
        let expected = "a factor such as 0.1";
        let factor = self
            .get("spark.executor.memoryOverheadFactor", expected, factor)
            .or_else(|| self.get("spark.kubernetes.memoryOverheadFactor", expected, factor))?;
        Some(memory?.scale_floor(factor).max(OVERHEAD_MIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into()));
        owned.collect()
    }

    #[test]
    fn reads_fixed_and_dynamic_allocation() {
        let fixed = properties(&[
            ("spark.executor.instances", "4"),
            ("spark.executor.cores", "2"),
            ("spark.executor.memory", "4g"),
            ("spark.executor.memoryOverhead", "1024"),
            ("spark.driver.memory", "2G"),
        ]);
        let nothing = (DefaultProfile::default(), SeenExecutors::default());
        let (read_fixed, bad) = read(&fixed, &nothing.0, &nothing.1);
        assert_eq!(bad, []);
        assert_eq!(read_fixed.executors_min, Some(4));
        assert_eq!(read_fixed.executors_max, Some(4));
        assert_eq!(read_fixed.executor_cores, Some(2));
        assert_eq!(read_fixed.executor_memory, Some(Bytes::gib(4)));
        assert_eq!(read_fixed.executor_memory_overhead, Some(Bytes::gib(1)));
        assert_eq!(read_fixed.driver_memory, Some(Bytes::gib(2)));
        let dynamic = properties(&[
            ("spark.dynamicAllocation.enabled", "true"),
            ("spark.dynamicAllocation.maxExecutors", "2147483647"),
            ("spark.executor.instances", "3"),
        ]);
        let (read_dynamic, _) = read(&dynamic, &nothing.0, &nothing.1);
        assert_eq!(read_dynamic.executors_min, Some(0));
        assert_eq!(read_dynamic.executors_max, None);
        assert_eq!(read_dynamic.executors_initial, Some(3));
    }

    #[test]
    fn falls_back_to_what_the_log_shows() {
        let profile = DefaultProfile { cores: Some(1), memory_mib: Some(512), overhead_mib: None };
        let seen = SeenExecutors { peak: 8, cores: Some(4) };
        let overhead = properties(&[("spark.kubernetes.memoryOverheadFactor", "0.4")]);
        let (found, _) = read(&overhead, &profile, &seen);
        assert_eq!(found.executors_max, Some(8));
        assert_eq!(found.executor_cores, Some(4));
        assert_eq!(found.executor_memory, Some(Bytes::mib(512)));
        assert_eq!(found.executor_memory_overhead, Some(OVERHEAD_MIN));
    }

    #[test]
    fn unusable_values_are_left_out_and_named() {
        let broken = properties(&[
            ("spark.executor.memory", "1.5g"),
            ("spark.executor.cores", "*********(redacted)"),
        ]);
        let (found, bad) = read(&broken, &DefaultProfile::default(), &SeenExecutors::default());
        assert_eq!(found.executor_memory, None);
        assert_eq!(found.executor_cores, None);
        assert_eq!(bad.len(), 2);
        assert_eq!(bad[0].0, "spark.executor.memory");
    }
}
