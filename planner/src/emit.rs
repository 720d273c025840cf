//! A scenario as the live system's files, new ones or the user's own with their values changed.
//!
//! The writers of the formats stand beside their readers in `scenarios::native`; here is which
//! files there are, what is written above them, and the scenario file that reads them back. Left
//! out: the application itself, accounts and access, which a scenario does not know.

mod diff;
mod origin;
mod scenario_file;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use scenarios::Loaded;
use scenarios::native::{
    cluster_autoscaler, eksctl, emr_job_run, karpenter, kube_scheduler, manifests, pod_template,
    spark_application, spark_defaults, yaml_text,
};
use serde_json::{Value, json};
use sim::scenario::Karpenter;
use sim::{Finding, Severity};

use crate::fnv::Fnv1a;

pub use diff::diff;
pub use origin::is_ours;
use origin::{Origin, dns_name};

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `spark-defaults.conf`.
    SparkDefaults,
    /// Settings of classes of applications, for whoever submits them.
    SparkClasses,
    /// Pod templates of drivers and executors, and the classes that they name.
    PodTemplates,
    /// A `SparkApplication` of the Spark operator.
    SparkApplication,
    /// The request of an EMR on EKS job run.
    EmrJobRun,
    /// eksctl's `ClusterConfig`.
    Eksctl,
    /// Helm values of Cluster Autoscaler, and the `priority` expander's table.
    ClusterAutoscaler,
    /// Karpenter's `NodePool`s and `EC2NodeClass`es, instead of node groups and Cluster Autoscaler.
    Karpenter,
    /// `KubeSchedulerConfiguration` and the second scheduler that runs it.
    Scheduler,
    /// Pause pods that keep warm room.
    Overprovisioning,
    /// A DaemonSet that pulls images.
    PrePuller,
    /// The retry ladder.
    RetryLadder,
    /// A scenario that names the other files.
    Scenario,
}

impl Kind {
    /// Every kind by its name on the command line.
    pub const NAMES: [(&'static str, Self); 13] = [
        ("spark-defaults", Self::SparkDefaults),
        ("spark-classes", Self::SparkClasses),
        ("pod-templates", Self::PodTemplates),
        ("spark-application", Self::SparkApplication),
        ("emr-job-run", Self::EmrJobRun),
        ("eksctl", Self::Eksctl),
        ("cluster-autoscaler", Self::ClusterAutoscaler),
        ("karpenter", Self::Karpenter),
        ("scheduler", Self::Scheduler),
        ("overprovisioning", Self::Overprovisioning),
        ("pre-puller", Self::PrePuller),
        ("retry-ladder", Self::RetryLadder),
        ("scenario", Self::Scenario),
    ];
}

/// Names of the files.
pub mod names {
    /// Spark's settings.
    pub const SPARK_DEFAULTS: &str = "spark-defaults.conf";
    /// Settings of classes of applications.
    pub const SPARK_CLASSES: &str = "spark-classes.yaml";
    /// The drivers' pod template.
    pub const DRIVER: &str = "driver-pod-template.yaml";
    /// The executors' pod template.
    pub const EXECUTOR: &str = "executor-pod-template.yaml";
    /// Priority and runtime classes that the templates name.
    pub const CLASSES: &str = "pod-classes.yaml";
    /// The Spark operator's application.
    pub const SPARK_APPLICATION: &str = "spark-application.yaml";
    /// EMR on EKS' job run.
    pub const EMR_JOB_RUN: &str = "emr-job-run.json";
    /// eksctl's cluster.
    pub const EKSCTL: &str = "eksctl-cluster.yaml";
    /// Helm values.
    pub const AUTOSCALER: &str = "cluster-autoscaler-values.yaml";
    /// The `priority` expander's table.
    pub const PRIORITIES: &str = "cluster-autoscaler-priority-expander.yaml";
    /// Karpenter's pools and node classes.
    pub const KARPENTER: &str = "karpenter.yaml";
    /// The scheduler's configuration.
    pub const SCHEDULER: &str = "kube-scheduler-config.yaml";
    /// The scheduler that runs it.
    pub const SECOND_SCHEDULER: &str = "second-scheduler.yaml";
    /// Pause pods.
    pub const OVERPROVISIONING: &str = "overprovisioning.yaml";
    /// The image pre-puller.
    pub const PRE_PULLER: &str = "image-pre-puller.yaml";
    /// The retry ladder.
    pub const RETRY_LADDER: &str = "retry-ladder.yaml";
    /// The scenario that names the others.
    pub const SCENARIO: &str = "scenario.yaml";
    /// All of them.
    pub const ALL: [&str; 17] = [
        SPARK_DEFAULTS,
        SPARK_CLASSES,
        DRIVER,
        EXECUTOR,
        CLASSES,
        SPARK_APPLICATION,
        EMR_JOB_RUN,
        EKSCTL,
        AUTOSCALER,
        PRIORITIES,
        KARPENTER,
        SCHEDULER,
        SECOND_SCHEDULER,
        OVERPROVISIONING,
        PRE_PULLER,
        RETRY_LADDER,
        SCENARIO,
    ];
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmittedFile {
    /// Its name, one of [`names::ALL`].
    pub name: &'static str,
    /// What it is, for readers.
    pub what: &'static str,
    /// Its text.
    pub text: String,
}

/// What came of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emitted {
    /// The files, in the order of their kinds.
    pub files: Vec<EmittedFile>,
    /// What the formats cannot say, and what is left to do.
    pub findings: Vec<Finding>,
}

/// The files of `kinds` for a scenario, all of them where there are none, to be put into `folder`.
/// `window` says what its traces hold, where they could be read. The same scenario gives the same
/// bytes.
pub fn emit(
    loaded: &Loaded,
    kinds: &BTreeSet<Kind>,
    folder: &Path,
    window: Option<&str>,
) -> Emitted {
    let origin = Origin::of(loaded, window);
    let mut emitter = Emitter { loaded, folder, origin, out: Emitted::default() };
    if let Some(expected) = &loaded.expected
        && expected.of != hash_of(loaded)
    {
        let message = "was found for other settings than these: left out of the files".to_owned();
        let subject = "metadata.expectedEffect";
        let finding = Finding::new(Severity::Warning, "other-settings", subject, message);
        emitter.out.findings.push(finding);
    }
    for (_, kind) in Kind::NAMES {
        if kinds.is_empty() || kinds.contains(&kind) {
            emitter.one(kind);
        }
    }
    emitter.out
}

/// The scenario in one file for `folder`: every setting is in it, traces and series are found from
/// there, and what it is expected to do, where anything is.
pub fn in_one_file(loaded: &Loaded, folder: &Path, effect: Option<&str>) -> String {
    let mut value = scenario_file::naming(loaded, &[], folder);
    if let Some(effect) = effect {
        value["metadata"]["expectedEffect"] = effect.into();
        value["metadata"]["expectedOf"] = hash_of(loaded).into();
    }
    yaml_text(&[value])
}

/// Hash of what is simulated: the same for the scenario and for its file.
fn hash_of(loaded: &Loaded) -> String {
    format!("fnv1a:{:016x}", Fnv1a::of(format!("{:?}", loaded.scenario).as_bytes()))
}

struct Emitter<'a> {
    loaded: &'a Loaded,
    folder: &'a Path,
    origin: Origin,
    out: Emitted,
}

impl Emitter<'_> {
    fn one(&mut self, kind: Kind) {
        match kind {
            Kind::SparkDefaults => self.spark_defaults(),
            Kind::SparkClasses => self.spark_classes(),
            Kind::PodTemplates => self.pod_templates(),
            Kind::SparkApplication => self.spark_application(),
            Kind::EmrJobRun => self.emr_job_run(),
            Kind::Eksctl => self.eksctl(),
            Kind::ClusterAutoscaler => self.cluster_autoscaler(),
            Kind::Karpenter => self.karpenter(),
            Kind::Scheduler => self.scheduler(),
            Kind::Overprovisioning => self.overprovisioning(),
            Kind::PrePuller => self.pre_puller(),
            Kind::RetryLadder => self.retry_ladder(),
            Kind::Scenario => self.scenario(),
        }
    }

    /// A file with its header.
    fn put(&mut self, name: &'static str, what: &'static str, notes: &[&str], body: &str) {
        let text = format!("{}{body}", self.origin.header(what, notes));
        self.out.files.push(EmittedFile { name, what, text });
    }

    fn note(&mut self, subject: &str, message: &str) {
        let finding = Finding::new(Severity::Warning, "not-emitted", subject, message);
        self.out.findings.push(finding);
    }

    /// The cluster's own name, else one of the scenario's.
    fn cluster(&self) -> String {
        self.loaded.cluster.clone().unwrap_or_else(|| dns_name(&self.loaded.scenario.name))
    }

    fn settings(&self) -> BTreeMap<String, String> {
        spark_defaults::write::merged(&self.loaded.scenario.spark, &self.loaded.spark_conf)
    }

    fn spark_defaults(&mut self) {
        let mut settings = self.settings();
        for (role, file) in [("driver", names::DRIVER), ("executor", names::EXECUTOR)] {
            settings.insert(format!("spark.kubernetes.{role}.podTemplateFile"), file.to_owned());
        }
        let body = spark_defaults::write::text(&settings);
        let spark = &self.loaded.scenario.spark;
        let templates = [&spark.driver_template, &spark.executor_template];
        if templates.iter().any(|template| template.local_dirs.is_some()) {
            let message = "the local directories of a pod template become settings, whose paths are \
                           not yours: /local on the node, /var/data/spark in the pod";
            self.note(names::SPARK_DEFAULTS, message);
        }
        let notes = ["What is not here has Spark's own default. The pod templates are looked for \
                      where spark-submit runs."];
        self.put(names::SPARK_DEFAULTS, "Spark's settings", &notes, &body);
    }

    fn spark_classes(&mut self) {
        let classes = scenario_file::classes(&self.loaded.resolved);
        if classes.is_empty() {
            return;
        }
        let value = json!({
            "apiVersion": "seatrial/v1alpha1",
            "kind": "SparkClasses",
            "spec": { "applications": classes },
        });
        let notes = ["Regular expressions over names of applications and teams; the last entry \
                      that matches wins, key by key, over spark-defaults.conf and what the \
                      application says. For whoever submits: each pair is a --conf."];
        let body = yaml_text(&[value]);
        self.put(names::SPARK_CLASSES, "settings of classes of applications", &notes, &body);
    }

    fn karpenter(&mut self) {
        if self.loaded.scenario.karpenter().is_some() {
            let what = "Karpenter's node pools and node classes";
            let body = yaml_text(&self.loaded.karpenter);
            self.put(names::KARPENTER, what, &[], &body);
            self.note_settings();
            return;
        }
        let cluster = self.cluster();
        let scenario = &self.loaded.scenario;
        let documents =
            karpenter::from_pools::documents(scenario, &cluster, &mut self.out.findings);
        let notes =
            ["Instead of the node groups and Cluster Autoscaler, not beside them. Role and \
                      discovery tags are those of Karpenter's own guide: say yours. What the move \
                      does to cost and waiting: a scenario with this file in \
                      spec.autoscaler.karpenter.manifests, and seatrial compare."];
        let what = "the node pools as Karpenter's";
        self.put(names::KARPENTER, what, &notes, &yaml_text(&documents));
    }

    /// Settings of Karpenter's own that are no objects.
    fn note_settings(&mut self) {
        let Some(given) = self.loaded.scenario.karpenter() else { return };
        let plain = Karpenter { node_pools: given.node_pools.clone(), ..Karpenter::default() };
        if *given != plain {
            let message = "Karpenter's own settings are values of its Helm chart: set them there, as \
                           scenario.yaml has them";
            self.note("spec.autoscaler.karpenter.settings", message);
        }
    }

    fn pod_templates(&mut self) {
        let spark = &self.loaded.scenario.spark;
        let text = |template, role| yaml_text(&[pod_template::write::live(template, role)]);
        let driver = text(&spark.driver_template, "driver");
        let executor = text(&spark.executor_template, "executor");
        self.put(names::DRIVER, "pod template of drivers", &[], &driver);
        self.put(names::EXECUTOR, "pod template of executors", &[], &executor);
        let classes = manifests::classes(&self.loaded.scenario);
        if !classes.is_empty() {
            let what = "classes that the pod templates name";
            self.put(names::CLASSES, what, &[], &yaml_text(&classes));
        }
    }

    fn spark_application(&mut self) {
        let scenario = &self.loaded.scenario;
        let name = dns_name(&scenario.name);
        let settings = self.settings();
        let value = spark_application::write::application(
            &name,
            &scenario.spark,
            &settings,
            &scenario.retries,
        );
        if !settings.keys().any(|key| key.ends_with("container.image")) {
            let message = "no image is named: set spark.kubernetes.container.image, or `image` in \
                           the SparkApplication";
            self.note(names::SPARK_APPLICATION, message);
        }
        let notes =
            ["CHANGE-ME: what the application is. A retry ladder that the operator cannot \
                      follow is the orchestrator's: restartPolicy is Never then."];
        let body = yaml_text(&[value]);
        self.put(names::SPARK_APPLICATION, "an application of the Spark operator", &notes, &body);
    }

    fn emr_job_run(&mut self) {
        let scenario = &self.loaded.scenario;
        let name = dns_name(&scenario.name);
        let settings = self.settings();
        let tags = self.origin.tags();
        let value = emr_job_run::request(&name, &settings, &scenario.retries, &tags);
        let what = "an EMR on EKS job run";
        let text = format!("{value:#}\n");
        self.out.files.push(EmittedFile { name: names::EMR_JOB_RUN, what, text });
    }

    fn eksctl(&mut self) {
        let scenario = &self.loaded.scenario;
        let name = self.cluster();
        let value = eksctl::write::cluster(scenario, &name, &mut self.out.findings);
        let body = yaml_text(&[value]);
        self.put(names::EKSCTL, "the cluster and its node groups", &[], &body);
    }

    fn cluster_autoscaler(&mut self) {
        let scenario = &self.loaded.scenario;
        let Some(ca) = scenario.cluster_autoscaler() else {
            return;
        };
        let (version, region) = (scenario.kubernetes, &scenario.region);
        let cluster = self.cluster();
        let values = cluster_autoscaler::write::helm_values(ca, version, region, &cluster);
        let table = cluster_autoscaler::write::priorities_config_map(ca);
        let notes = ["Every value is a text: the chart prints numbers as Go does, 1e+06 for a \
                      million."];
        let what = "values of the Helm chart cluster-autoscaler";
        self.put(names::AUTOSCALER, what, &notes, &yaml_text(&[values]));
        if let Some(table) = table {
            let notes = ["The chart writes the same ConfigMap if its expanderPriorities are set: \
                          they are not."];
            let what = "the priority expander's table";
            let anchored = |pattern: &str| pattern.starts_with('^') || pattern.ends_with('$');
            let mut patterns = ca.priorities.iter().flat_map(|(_, patterns)| patterns);
            if let Some(pattern) = patterns.find(|pattern| anchored(pattern.as_str())) {
                let message = format!(
                    "the pattern `{}` is matched against Auto Scaling groups, which EKS names \
                     eks-GROUP-ID: `^` and `$` keep it from matching",
                    pattern.as_str()
                );
                self.note("spec.autoscaler.clusterAutoscaler.priorities", &message);
            }
            self.put(names::PRIORITIES, what, &notes, &yaml_text(&[table]));
        }
    }

    fn scheduler(&mut self) {
        let scenario = &self.loaded.scenario;
        let (profile, version) = (&scenario.scheduler, scenario.kubernetes);
        if !has_scheduler_config(self.loaded) {
            return;
        }
        let findings = &mut self.out.findings;
        let value = kube_scheduler::write::configuration(profile, version, findings);
        let name = dns_name(&profile.name);
        let second = kube_scheduler::write::is_second(profile)
            .then(|| yaml_text(&kube_scheduler::write::second_scheduler(&name, version, &value)));
        let what = "how the scheduler places pods";
        self.put(names::SCHEDULER, what, &[], &yaml_text(&[value]));
        match second {
            Some(text) => {
                self.put(names::SECOND_SCHEDULER, "the scheduler that does so", &[], &text);
            }
            None => {
                let message = "the profile is that of `default-scheduler`, which EKS does not let \
                               one configure, so that no second scheduler is written: name one in \
                               spark.kubernetes.scheduler.name";
                self.note("spec.scheduler", message);
            }
        }
    }

    fn overprovisioning(&mut self) {
        let documents = manifests::overprovisioning(&self.loaded.scenario);
        if !documents.is_empty() {
            let text = yaml_text(&documents);
            self.put(names::OVERPROVISIONING, "pause pods that keep warm room", &[], &text);
        }
    }

    fn pre_puller(&mut self) {
        let documents = manifests::pre_puller(&self.loaded.scenario, &mut self.out.findings);
        if !documents.is_empty() {
            let text = yaml_text(&documents);
            let what = "pulls images as soon as a node joins";
            self.put(names::PRE_PULLER, what, &[], &text);
        }
    }

    fn retry_ladder(&mut self) {
        let retries = scenario_file::retries(&self.loaded.resolved);
        let value = json!({
            "apiVersion": "seatrial/v1alpha1",
            "kind": "RetryLadder",
            "metadata": { "name": self.loaded.scenario.retries.name },
            "spec": retries,
        });
        let notes =
            ["spec has the keys of spec.retries of a scenario. A wait without backoffMax has \
                      no limit; without onDemandWhenRough spot is never too rough."];
        let body = yaml_text(&[value]);
        self.put(names::RETRY_LADDER, "what is tried after a failed attempt", &notes, &body);
    }

    fn scenario(&mut self) {
        let written: Vec<&str> = self.out.files.iter().map(|file| file.name).collect();
        let value: Value = scenario_file::naming(self.loaded, &written, self.folder);
        let notes = ["A trace or series that is somewhere else altogether has the name that the \
                      scenario has for it: say where it is with --set."];
        let what = "the scenario again, with these files in it";
        self.put(names::SCENARIO, what, &notes, &yaml_text(&[value]));
    }
}

/// Whether the scheduler needs a configuration: the release's own profile needs none.
fn has_scheduler_config(loaded: &Loaded) -> bool {
    let scenario = &loaded.scenario;
    !kube_scheduler::write::is_default(&scenario.scheduler, scenario.kubernetes)
}
