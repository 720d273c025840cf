//! `SparkApplication` and `ScheduledSparkApplication` (v1beta2) of the Spark operator: to settings
//! and pod templates, as the operator hands them to Spark.
//!
//! A field of the application wins over the same setting in its `sparkConf`, as the operator passes
//! it later. Left out, by name as findings: batch schedulers, volumes that are not local storage,
//! memory limits; the schedule of a `ScheduledSparkApplication` (submissions come from the trace).
//!
//! Source: kubeflow/spark-operator `api/v1beta2` (types, `defaults.go`) and
//! `internal/controller/sparkapplication/submission.go` (order of settings); facts-spark A6 for the
//! restart policy.

mod role;
pub mod write;

use sim::Finding;
use sim::scenario::{PodTemplate, RetryLadder, Rung, SparkDefaults, SparkVersion};
use sim::units::SimDuration;
use sim::workload::Failure;

use super::keys::{Reader, is_empty, string_map};
use super::spark_defaults::{self, SparkConf};
use super::{NativeRead, Place, in_place, read_documents};
use crate::problem::Problem;
use crate::walk::{At, Fields};

/// More applications than this are not read from one file.
const APPLICATIONS_MAX: usize = 1_000;

/// One application.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparkApplication {
    /// `metadata.name`.
    pub name: String,
    /// `spec.sparkVersion`.
    pub spark_version: Option<SparkVersion>,
    /// Container image.
    pub image: Option<String>,
    /// Its settings: `sparkConf` and what its fields mean as settings.
    pub conf: SparkConf,
    /// Where its driver may run.
    pub driver_template: PodTemplate,
    /// Where its executors may run.
    pub executor_template: PodTemplate,
    /// What the operator does after a failure.
    pub restart: RestartPolicy,
}

/// `spec.restartPolicy`, as far as failed runs go (failed submissions are not modelled).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Whether a failed run is tried again.
    pub on_failure: bool,
    /// How many times.
    pub retries: u32,
    /// The wait before the k-th retry is k times this.
    pub interval: SimDuration,
}

impl RestartPolicy {
    /// The policy as a ladder that changes nothing between attempts. The wait grows by one interval
    /// a retry.
    pub fn ladder(&self) -> RetryLadder {
        let rung = Rung {
            when: Failure::ALL.to_vec(),
            adjust: Vec::new(),
            steps: Vec::new(),
            attempts_max: self.retries.saturating_add(1),
            backoff: self.interval,
            backoff_factor: 1.0,
            backoff_step: self.interval,
            backoff_max: SimDuration::MAX,
        };
        RetryLadder {
            name: "spark-operator".to_owned(),
            rungs: if self.on_failure { vec![rung] } else { Vec::new() },
            ..RetryLadder::default()
        }
    }
}

impl SparkApplication {
    /// Puts the application's templates and settings into `spark`, whose version picks the rules.
    pub fn apply(&self, spark: &mut SparkDefaults) -> (Vec<Problem>, Vec<Finding>) {
        spark.driver_template = self.driver_template.clone();
        spark.executor_template = self.executor_template.clone();
        self.conf.apply(spark)
    }
}

const SPEC: [&str; 14] = [
    "deps",
    "driver",
    "dynamicAllocation",
    "executor",
    "failureRetries",
    "image",
    "memoryOverheadFactor",
    "nodeSelector",
    "restartPolicy",
    "retryInterval",
    "sparkConf",
    "sparkVersion",
    "type",
    "volumes",
];

const IRRELEVANT: [&str; 18] = [
    "arguments",
    "driverIngressOptions",
    "driverPodDisruptionBudget",
    "hadoopConf",
    "hadoopConfigMap",
    "imagePullPolicy",
    "imagePullSecrets",
    "mainApplicationFile",
    "mainClass",
    "mode",
    "monitoring",
    "proxyUser",
    "pythonVersion",
    "sparkConfigMap",
    "sparkUIOptions",
    "suspend",
    "timeToLiveSeconds",
    "executorPodDisruptionBudget",
];

/// Reads every application of a file; documents of other kinds are skipped.
pub fn read(file_name: &str, text: &str) -> NativeRead<Vec<SparkApplication>> {
    read_documents(file_name, text, |reader, documents| {
        let mut applications = Vec::new();
        for document in documents {
            let at = reader.document(document);
            if applications.len() >= APPLICATIONS_MAX {
                at.problem(format!(
                    "more than {APPLICATIONS_MAX} applications; the rest is not read"
                ));
                break;
            }
            applications.extend(match Reader::kind(document) {
                "SparkApplication" => application(reader, &at),
                "ScheduledSparkApplication" => scheduled(reader, &at),
                _ => None,
            });
        }
        let any = |kind: &str| documents.iter().any(|d| Reader::kind(d).ends_with(kind));
        if applications.is_empty() && !any("SparkApplication") {
            let kind: String =
                documents.first().map_or("", Reader::kind).chars().take(60).collect();
            let message = format!("no `SparkApplication` in this file; the first kind is `{kind}`");
            let pos = documents.first().map_or_else(Default::default, |node| node.pos);
            reader.walker.problem(pos, "kind", message, None);
        }
        applications
    })
}

/// Reads an application that stands in place; problems and findings are the enclosing file's.
pub(crate) fn read_inline(at: &At<'_>) -> NativeRead<Option<SparkApplication>> {
    in_place(at, |reader, at| match Reader::kind(at.node) {
        "ScheduledSparkApplication" => scheduled(reader, &at),
        _ => application(reader, &at),
    })
}

fn scheduled<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<SparkApplication> {
    let root = reader.fields(at, &["metadata", "spec"], &["apiVersion", "kind", "status"])?;
    let irrelevant = ["failedRunHistoryLimit", "successfulRunHistoryLimit", "suspend", "timeZone"];
    let spec = reader.fields(&root.require("spec")?, &["template"], &irrelevant)?;
    let application = spec_of(reader, &spec.require("template")?, name_of(&root))?;
    Some(in_namespace(application, &root))
}

fn application<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<SparkApplication> {
    let root = reader.fields(at, &["metadata", "spec"], &["apiVersion", "kind", "status"])?;
    let application = spec_of(reader, &root.require("spec")?, name_of(&root))?;
    Some(in_namespace(application, &root))
}

/// The operator runs an application in its own namespace, whatever the settings say.
fn in_namespace(mut application: SparkApplication, root: &Fields<'_>) -> SparkApplication {
    if let Some(at) = metadata(root, "namespace")
        && let Some(namespace) = at.string()
    {
        application.conf.set("spark.kubernetes.namespace", namespace, Place::of(&at));
    }
    application
}

/// The value of `metadata.key`, with its place.
fn metadata<'a>(root: &Fields<'a>, key: &str) -> Option<At<'a>> {
    let at = root.get("metadata")?;
    let node = at.node.get(key).filter(|node| !is_empty(node))?;
    Some(at.walker.at(node, format!("{}.{key}", at.path)))
}

fn name_of(root: &Fields<'_>) -> String {
    metadata(root, "name").and_then(|at| at.string()).unwrap_or_default()
}

fn spec_of<'a>(reader: &Reader<'a>, at: &At<'a>, name: String) -> Option<SparkApplication> {
    let spec = reader.fields(at, &SPEC, &IRRELEVANT)?;
    let sparkconf = spec.get("sparkConf").filter(|at| !is_empty(at.node));
    let mut conf = sparkconf.map(|at| spark_defaults::from_map(&at)).unwrap_or_default();
    let kinds = [("Java", "java"), ("Python", "python"), ("R", "r"), ("Scala", "java")];
    if let Some(at) = spec.get("type")
        && let Some(kind) = at.one_of(&kinds)
    {
        conf.set("spark.kubernetes.resource.type", kind, Place::of(&at));
    }
    role::put(&spec, "memoryOverheadFactor", "spark.kubernetes.memoryOverheadFactor", &mut conf);
    let deps = spec.get("deps").filter(|at| !is_empty(at.node));
    // Packages and files are downloaded before the application starts; that time is not known.
    for key in ["packages", "pyFiles", "jars", "files"] {
        let list = deps.as_ref().and_then(|at| at.node.get(key));
        if let Some(list) = list.filter(|list| !is_empty(list)) {
            reader.walker.not_modelled(list.pos, format!("{}.deps.{key}", at.path));
        }
    }
    let common = string_map(&spec, "nodeSelector");
    let [driver_template, executor_template] = ["driver", "executor"].map(|role| {
        let mut template = PodTemplate { node_selector: common.clone(), ..PodTemplate::default() };
        if let Some(at) = spec.get(role) {
            role::read(reader, &at, role, &mut conf, &mut template);
        }
        role::volumes(reader, &spec, role, &mut conf, &mut template);
        template
    });
    dynamic_allocation(reader, &spec, &mut conf);
    role::put(&spec, "image", "spark.kubernetes.container.image", &mut conf);
    Some(SparkApplication {
        name,
        spark_version: spec.get("sparkVersion").and_then(|at| version(&at)),
        image: spec.string("image"),
        conf,
        driver_template,
        executor_template,
        restart: restart(reader, &spec),
    })
}

/// `3.5.3` as 3.5.
fn version(at: &At<'_>) -> Option<SparkVersion> {
    let text = at.string()?;
    let mut numbers = text.split('.').map(|part| part.parse().ok());
    if let (Some(Some(major)), Some(Some(minor))) = (numbers.next(), numbers.next()) {
        return Some(SparkVersion { major, minor });
    }
    at.wrong_type("a Spark version such as 3.5.3");
    None
}

fn dynamic_allocation<'a>(reader: &Reader<'a>, spec: &Fields<'a>, conf: &mut SparkConf) {
    let keys = [
        ("enabled", "enabled"),
        ("initialExecutors", "initialExecutors"),
        ("maxExecutors", "maxExecutors"),
        ("minExecutors", "minExecutors"),
        ("shuffleTrackingEnabled", "shuffleTracking.enabled"),
        ("shuffleTrackingTimeout", "shuffleTracking.timeout"),
    ];
    let prefix = "spark.dynamicAllocation";
    let names = keys.map(|(name, _)| name);
    let fields = spec.get("dynamicAllocation");
    if let Some(fields) = fields.and_then(|at| reader.fields(&at, &names, &[])) {
        // The operator passes the others only where it is on.
        let on = fields.bool("enabled") == Some(true);
        for (name, key) in keys.into_iter().filter(|(name, _)| on || *name == "enabled") {
            role::put(&fields, name, &format!("{prefix}.{key}"), conf);
        }
        if on && fields.get("shuffleTrackingEnabled").is_none() {
            let key = format!("{prefix}.shuffleTracking.enabled");
            conf.set(&key, "true", Place::of(&fields.at));
        }
    }
    // The operator asks for one executor where nothing is said, Spark would ask for two.
    let dynamic = conf.get(&format!("{prefix}.enabled"));
    let dynamic = dynamic.is_some_and(|on| on.eq_ignore_ascii_case("true"));
    if !dynamic && conf.get("spark.executor.instances").is_none() {
        conf.set("spark.executor.instances", "1", Place::of(&spec.at));
    }
}

fn restart<'a>(reader: &Reader<'a>, spec: &Fields<'a>) -> RestartPolicy {
    let default_interval = 5;
    let known = ["type", "onFailureRetries", "onFailureRetryInterval"];
    let of_submission = ["onSubmissionFailureRetries", "onSubmissionFailureRetryInterval"];
    let policy = spec.get("restartPolicy");
    let Some(policy) = policy.and_then(|at| reader.fields(&at, &known, &of_submission)) else {
        return RestartPolicy::default();
    };
    let kinds = [("Never", false), ("OnFailure", true), ("Always", true)];
    let on_failure = policy.get("type").and_then(|at| at.one_of(&kinds)).unwrap_or(false);
    if let Some(at) = policy.get("type").filter(|at| at.node.scalar_text() == Some("Always")) {
        let message = "an application that is always restarted is read as one that is restarted \
                       after failures only";
        reader.warn(&at, "not-modelled", message);
    }
    let count = |fields: &Fields<'a>, key: &str, least| fields.get(key)?.count(least);
    let retries =
        count(&policy, "onFailureRetries", 0).or_else(|| count(spec, "failureRetries", 0));
    let interval =
        count(&policy, "onFailureRetryInterval", 1).or_else(|| count(spec, "retryInterval", 1));
    RestartPolicy {
        on_failure,
        retries: retries.unwrap_or(0),
        interval: SimDuration::seconds(u64::from(interval.unwrap_or(default_interval))),
    }
}

#[cfg(test)]
mod tests;
