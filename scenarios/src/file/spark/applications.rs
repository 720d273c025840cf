//! `spec.spark.applications`: settings of classes of runs.

use sim::scenario::{ApplicationSettings, RunSettings};
use sim::units::{Bytes, MilliCores, spark_size};

use crate::file::orchestrator::pattern;
use crate::file::settings::Settings;
use crate::walk::At;

/// What a class may set.
const KEYS: [&str; 9] = [
    "spark.executor.cores",
    "spark.executor.memory",
    "spark.executor.memoryOverhead",
    "spark.executor.instances",
    "spark.dynamicAllocation.enabled",
    "spark.dynamicAllocation.minExecutors",
    "spark.dynamicAllocation.maxExecutors",
    "spark.driver.cores",
    "spark.driver.memory",
];

pub(super) fn read(given: &Settings<'_>) -> Vec<ApplicationSettings> {
    let classes = given.sections("applications").unwrap_or_default();
    classes.iter().map(class).collect()
}

fn class(given: &Settings<'_>) -> ApplicationSettings {
    let mut settings = RunSettings::default();
    let entries = given.at("sparkConf").and_then(|at| at.entries()).unwrap_or_default();
    for (key, value) in entries {
        let Some(text) = value.string() else { continue };
        if !set(&mut settings, &key.name, text.trim(), &value) {
            let name: String = key.name.chars().take(80).collect();
            let near = crate::problem::nearest(&key.name, KEYS);
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("a class of applications may set {}", KEYS.join(", ")),
            };
            let message = format!("`{name}` cannot be set for a class of applications");
            value.walker.problem(key.pos, &value.path, message, Some(help));
        }
    }
    ApplicationSettings {
        application: pattern(given, "application"),
        team: pattern(given, "team"),
        settings,
    }
}

/// Puts a setting in; false if there is none of that name. A value that is none is a problem.
fn set(settings: &mut RunSettings, key: &str, text: &str, at: &At<'_>) -> bool {
    let count = |least: u32| -> Option<u32> {
        let number = text.parse::<u32>().ok().filter(|number| *number >= least);
        if number.is_none() {
            at.problem(format!("`{}` is no whole number from {least} on", short(text)));
        }
        number
    };
    let size = || -> Option<Bytes> {
        let found = spark_size::parse_size(text, Bytes::mib(1));
        let found = found.map_err(|error| at.problem(error.to_string())).ok()?;
        if found == Bytes::ZERO {
            at.problem("no memory at all".to_owned());
        }
        Some(found)
    };
    match key {
        "spark.executor.cores" => settings.executor_cores = count(1),
        "spark.executor.memory" => settings.executor_memory = size(),
        "spark.executor.memoryOverhead" => settings.executor_memory_overhead = size(),
        "spark.executor.instances" => {
            let number = count(1);
            settings.executors_min = settings.executors_min.or(number);
            settings.executors_max = settings.executors_max.or(number);
        }
        "spark.dynamicAllocation.enabled" => match text {
            "true" => settings.dynamic_allocation = Some(true),
            "false" => settings.dynamic_allocation = Some(false),
            other => at.problem(format!("`{}` is not true or false", short(other))),
        },
        "spark.dynamicAllocation.minExecutors" => settings.executors_min = count(0),
        "spark.dynamicAllocation.maxExecutors" => settings.executors_max = count(1),
        "spark.driver.cores" => {
            settings.driver_cores = count(1).map(|cores| MilliCores::cores(cores.into()));
        }
        "spark.driver.memory" => settings.driver_memory = size(),
        _ => return false,
    }
    true
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
