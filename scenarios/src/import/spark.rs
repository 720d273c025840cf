//! `spark-defaults.conf` and `SparkApplication`s to one configuration.
//!
//! Of several applications only the settings that all of them share are taken: the others belong
//! to runs, and come with a trace. Their templates and what the operator does after a failure come from
//! the first application, as the operator reads it. Left out: schedules, arguments, files.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sim::scenario::{PodTemplate, SparkVersion};
use sim::units::SimDuration;
use sim::workload::Failure;

use super::templates::Role;
use super::{Import, one_line};
use crate::native::pod_template::write::value as resolved_template;
use crate::native::spark_application::{self, RestartPolicy, SparkApplication};
use crate::native::spark_defaults;

/// What was given of Spark.
#[derive(Debug, Default)]
pub(super) struct Spark {
    pub(super) defaults: Option<(String, String)>,
    applications: Vec<(String, SparkApplication)>,
}

impl Spark {
    /// Takes a `spark-defaults.conf`.
    pub(super) fn take_defaults(&mut self, file: &str, text: &str, out: &mut Import) {
        match &self.defaults {
            Some((taken, _)) => {
                let why = format!(
                    "a second spark-defaults.conf; {} counts: merge them, or name this one in \
                     `spec.spark.defaults`",
                    one_line(taken, 120)
                );
                out.ignore(file, why);
            }
            None => self.defaults = Some((file.to_owned(), text.to_owned())),
        }
    }

    /// Takes the applications of a document.
    pub(super) fn take_application(&mut self, file: &str, value: &Value, out: &mut Import) {
        let read = spark_application::read(file, &value.to_string());
        if let Some(problem) = read.problems.first() {
            let message = one_line(&problem.message, 200);
            out.ignore(file, format!("a SparkApplication that cannot be read: {message}"));
            return;
        }
        self.applications.extend(read.value.into_iter().map(|one| (file.to_owned(), one)));
    }

    /// The files that the settings name as pod templates, for driver and executor.
    pub(super) fn named_templates(&self) -> [Option<String>; 2] {
        let Some((file, text)) = &self.defaults else { return [None, None] };
        let conf = spark_defaults::read(file, text).value;
        conf.pod_template_files().map(|name| name.map(str::to_owned))
    }

    pub(super) fn count(&self) -> usize {
        self.applications.len()
    }

    /// The file of the first application.
    pub(super) fn file(&self) -> Option<&str> {
        self.applications.first().map(|(file, _)| file.as_str())
    }

    /// Spark's release, and who says so.
    pub(super) fn version(&self) -> Option<(SparkVersion, String)> {
        let mut said = self.applications.iter();
        let said = said.find_map(|(file, one)| Some((one.spark_version?, file.clone())));
        said.or_else(|| self.version_of_image())
    }

    /// The release in the image's tag (`apache/spark:3.5.1`), where the image is Spark's by name.
    fn version_of_image(&self) -> Option<(SparkVersion, String)> {
        let (file, text) = self.defaults.as_ref()?;
        let conf = spark_defaults::read(file, text).value;
        let image = conf.get("spark.kubernetes.container.image")?;
        let (name, tag) = image.rsplit_once(':')?;
        let name = name.rsplit('/').next().unwrap_or(name);
        let (major, minor) = super::cluster::release(tag)?;
        name.contains("spark").then(|| {
            let why = format!("{file}: the tag of its image, {}", one_line(image, 120));
            (SparkVersion { major, minor }, why)
        })
    }

    /// Settings that all applications share.
    pub(super) fn shared(&self) -> Map<String, Value> {
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (_, application) in &self.applications {
            for (key, value) in application.conf.iter() {
                *counts.entry((key, value)).or_default() += 1;
            }
        }
        let all = self.applications.len();
        let shared = counts.into_iter().filter(|(_, count)| *count == all);
        shared.map(|((key, value), _)| (key.to_owned(), json!(value))).collect()
    }

    /// Keys that applications set to different values, or that only some of them set.
    pub(super) fn differing(&self) -> Vec<String> {
        let shared = self.shared();
        let keys = self.applications.iter().flat_map(|(_, one)| one.conf.iter());
        let mut keys: Vec<String> =
            keys.map(|(key, _)| key.to_owned()).filter(|key| !shared.contains_key(key)).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// The template that the first application means, as a pod; `None` where it says nothing.
    pub(super) fn template(&self, role: Role) -> Option<(String, Value)> {
        let (file, application) = self.applications.first()?;
        let template = match role {
            Role::Driver => &application.driver_template,
            Role::Executor => &application.executor_template,
        };
        (*template != PodTemplate::default()).then(|| (file.clone(), resolved_template(template)))
    }

    /// `spec.retries`, where the operator tries failed applications again.
    pub(super) fn retries(&self) -> Option<(String, Value)> {
        let (file, application) = self.applications.first()?;
        let RestartPolicy { on_failure, retries, interval } = application.restart;
        if !on_failure || retries == 0 {
            return None;
        }
        let when: Vec<&str> = Failure::ALL.into_iter().map(Failure::name).collect();
        let wait = seconds(interval);
        let rung = json!({
            "when": when,
            "attemptsMax": retries.saturating_add(1).min(100),
            "backoff": wait,
            "backoffStep": wait,
        });
        Some((file.clone(), json!({ "name": "spark-operator", "ladder": [rung] })))
    }
}

fn seconds(time: SimDuration) -> String {
    format!("{}s", time.as_secs_ceil())
}
