//! `spark-defaults.conf` and `sparkConf` maps to [`sim::scenario::SparkDefaults`].
//!
//! Settings are kept as texts with their places; [`SparkConf::apply`] understands them against a
//! Spark release. Left out: variable substitution (`${spark.x}`, `${env:X}`: such a setting is a
//! warning and is not used), and every setting that is named as not modelled.

mod apply;
mod known;
pub mod patch;
mod properties;
pub mod write;

use std::collections::BTreeMap;

use sim::scenario::SparkVersion;
use sim::{Finding, Severity};

use super::{NativeRead, Place};
use crate::problem::{Pos, Problem, Source};
use crate::walk::At;
use crate::yaml::TEXT_BYTES_MAX;

/// More settings than this are no configuration.
const SETTINGS_MAX: usize = 10_000;

/// Volumes whose names start with this hold Spark's shuffle and spill files. Source: Spark's
/// `LocalDirsFeatureStep`.
pub(crate) const LOCAL_DIR: &str = "spark-local-dir-";

pub(crate) use apply::RECOVERS;

/// Whether the release knows `key`: it came with it or before, or nobody registers it.
pub(crate) fn is_known(key: &str, version: SparkVersion) -> bool {
    known::since(key).is_none_or(|since| version >= since)
}

/// Settings by key, with their places.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparkConf {
    settings: BTreeMap<String, Setting>,
}

/// A setting's text and its place.
#[derive(Debug, Clone, PartialEq)]
struct Setting {
    value: String,
    place: Place,
}

impl SparkConf {
    /// The value of `key`, as it is written.
    pub fn get(&self, key: &str) -> Option<&str> {
        Some(&self.settings.get(key)?.value)
    }

    /// Where `key` is set.
    pub fn place(&self, key: &str) -> Option<&Place> {
        Some(&self.settings.get(key)?.place)
    }

    /// All settings, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.settings.iter();
        entries.map(|(key, setting)| (key.as_str(), setting.value.as_str()))
    }

    /// Sets `key`, as if it stood at `place`.
    pub fn set(&mut self, key: &str, value: impl Into<String>, place: Place) {
        let value = value.into();
        if self.settings.len() < SETTINGS_MAX || self.settings.contains_key(key) {
            self.settings.insert(key.to_owned(), Setting { value, place });
        }
    }

    /// The settings of `over` win, as `--conf` wins over the defaults file.
    pub fn merge(&mut self, over: Self) {
        self.settings.extend(over.settings);
    }

    /// The pod template files that the settings name, for driver and executor.
    pub fn pod_template_files(&self) -> [Option<&str>; 2] {
        ["driver", "executor"]
            .map(|role| self.get(&format!("spark.kubernetes.{role}.podTemplateFile")))
    }

    /// The containers of their pod templates that Spark fills in, by name, for driver and executor.
    pub fn pod_template_containers(&self) -> [Option<&str>; 2] {
        ["driver", "executor"]
            .map(|role| self.get(&format!("spark.kubernetes.{role}.podTemplateContainerName")))
    }
}

/// Reads a `spark-defaults.conf`. As in Spark, the last of several values counts (a warning), and
/// keys that do not start with `spark.` are ignored (a warning).
pub fn read(file_name: &str, text: &str) -> NativeRead<SparkConf> {
    let mut out = NativeRead::<SparkConf>::default();
    if text.len() > TEXT_BYTES_MAX {
        let message =
            format!("{} bytes of settings; at most {TEXT_BYTES_MAX} are read", text.len());
        out.problems.push(Problem::of_file(file_name, message));
        return out;
    }
    let source = Source::new(file_name, text.strip_prefix('\u{feff}').unwrap_or(text));
    let properties = properties::read(&source, &mut out.problems);
    if properties.len() > SETTINGS_MAX {
        let message = format!("{} settings; at most {SETTINGS_MAX} are read", properties.len());
        out.problems.push(Problem::of_file(file_name, message));
        return out;
    }
    for property in properties {
        let place = |pos: Pos| Place::new(&source, pos).with_path(property.key.clone());
        let warning = |code: &str, message: String| -> Finding {
            place(property.key_pos).finding(Severity::Warning, code, message)
        };
        if !property.key.starts_with("spark.") {
            let near = known::without_prefix(&property.key)
                .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let message = format!(
                "`{}` does not start with `spark.`: Spark ignores it{near}",
                shown(&property.key)
            );
            out.not_modelled.push(warning("ignored-by-spark", message));
            continue;
        }
        if let Some(before) = out.value.place(&property.key) {
            let message = format!(
                "`{}` is set again: the value of line {} is not used",
                shown(&property.key),
                before.line()
            );
            out.not_modelled.push(warning("set-twice", message));
        }
        let here = place(property.value_pos);
        out.value.set(&property.key, property.value.clone(), here);
    }
    out
}

/// Reads a map of settings (`sparkConf` of a scenario or of a `SparkApplication`). Keys that do
/// not start with `spark.` are problems of the map's walker, as the Spark operator refuses them.
pub fn from_map(at: &At<'_>) -> SparkConf {
    let mut conf = SparkConf::default();
    let entries = at.entries().unwrap_or_default();
    if entries.len() > SETTINGS_MAX {
        let count = entries.len();
        at.problem(format!("{count} settings; at most {SETTINGS_MAX} are read"));
        return conf;
    }
    for (key, value) in entries {
        let Some(text) = value.string() else {
            continue;
        };
        if !key.name.starts_with("spark.") {
            let help =
                known::without_prefix(&key.name).map(|near| format!("did you mean `{near}`?"));
            let message = format!("`{}` does not start with `spark.`", shown(&key.name));
            at.walker.problem(key.pos, &value.path, message, help);
            continue;
        }
        conf.set(&key.name, text.trim(), Place::of(&value));
    }
    conf
}

/// A text short enough for a message.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests;
