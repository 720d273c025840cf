//! What was recognised, by what it will be in the scenario; which of several files counts.

use serde_json::Value;

use super::cluster::Cluster;
use super::karpenter::Karpenter;
use super::recognise::{Kind, Piece, deep, text_of};
use super::spark::Spark;
use super::templates::Template;
use super::{Given, Import, ImportError, one_line, page};
use crate::native::{cluster_autoscaler, eksctl};

/// A native file that goes into the scenario as it is.
#[derive(Debug, Clone)]
pub(super) struct Native {
    /// Where it comes from.
    pub(super) file: String,
    /// What it is to be called.
    pub(super) name: String,
    pub(super) text: String,
}

/// How Cluster Autoscaler's flags were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlagsAs {
    Manifest,
    Values,
}

/// Everything that was recognised.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) eksctl: Option<Native>,
    pub(super) autoscaler: Option<(Native, FlagsAs)>,
    pub(super) priorities: Option<(String, Value)>,
    /// The scheduler's file, and whether it is a policy.
    pub(super) scheduler: Option<(Native, bool)>,
    pub(super) templates: Vec<Template>,
    pub(super) spark: Spark,
    pub(super) cluster: Cluster,
    pub(super) karpenter: Karpenter,
}

impl Draft {
    /// Takes a part of a file.
    pub(super) fn take(&mut self, given: &Given, piece: Piece, out: &mut Import) {
        let file = given.name.as_str();
        let native = |value: &Value, name: &str| match piece.whole {
            true => {
                Native { file: file.to_owned(), name: file.to_owned(), text: given.text.clone() }
            }
            false => Native { file: file.to_owned(), name: name.to_owned(), text: pretty(value) },
        };
        let value = &piece.value;
        match piece.kind {
            Kind::Eksctl => self.eksctl(native(value, "cluster.json"), out),
            Kind::AutoscalerValues => {
                let values = native(value, "cluster-autoscaler-values.json");
                self.autoscaler(values, FlagsAs::Values, out);
            }
            Kind::AutoscalerManifest => {
                let manifest = native(value, "cluster-autoscaler.json");
                self.autoscaler(manifest, FlagsAs::Manifest, out);
            }
            Kind::Priorities => self.priorities(file, value, out),
            Kind::SchedulerConfig => {
                self.scheduler(native(value, "kube-scheduler.json"), false, out);
            }
            Kind::SchedulerPolicy => {
                self.scheduler(native(value, "scheduler-policy.json"), true, out);
            }
            Kind::PodTemplate => self.template(given, piece.value, out),
            Kind::SparkApplication => self.spark.take_application(file, value, out),
            Kind::SparkConf => self.spark.take_defaults(file, &given.text, out),
            Kind::Live => self.cluster.take(file, piece.value, out),
            Kind::Karpenter => self.karpenter.take(given, piece.value, piece.whole, out),
            Kind::EventLog | Kind::Scenario | Kind::Other => {
                ignore(file, piece.kind, value, out);
            }
        }
    }

    fn eksctl(&mut self, native: Native, out: &mut Import) {
        match &self.eksctl {
            // Several documents of one file count together.
            Some(taken) if taken.file == native.file && taken.text == native.text => {}
            Some(taken) => {
                let why = format!(
                    "a second ClusterConfig; {} counts: put the node groups of one cluster into \
                     one file",
                    one_line(&taken.file, 120)
                );
                out.ignore(&native.file, why);
            }
            None => self.eksctl = Some(native),
        }
    }

    fn autoscaler(&mut self, native: Native, kind: FlagsAs, out: &mut Import) {
        let why = |taken: &Native| {
            format!("flags of Cluster Autoscaler once more; {} counts", one_line(&taken.file, 120))
        };
        match &self.autoscaler {
            // A manifest is what runs; values are what is to be installed.
            Some((taken, FlagsAs::Values)) if kind == FlagsAs::Manifest => {
                let (file, why) = (taken.file.clone(), why(&native));
                out.ignore(&file, why);
                self.autoscaler = Some((native, kind));
            }
            Some((taken, _)) => {
                let why = why(taken);
                out.ignore(&native.file, why);
            }
            None => self.autoscaler = Some((native, kind)),
        }
    }

    fn priorities(&mut self, file: &str, value: &Value, out: &mut Import) {
        let text = deep(value, &["data", "priorities"]);
        let parsed = crate::one_line(file, text).ok();
        let table = parsed.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        match table.filter(Value::is_object) {
            Some(_) if self.priorities.is_some() => out.ignore(file, "a second priority table"),
            Some(table) => self.priorities = Some((file.to_owned(), table)),
            None => {
                out.ignore(file, "the priority expander's ConfigMap has no table in `priorities`");
            }
        }
    }

    fn scheduler(&mut self, native: Native, policy: bool, out: &mut Import) {
        match &self.scheduler {
            Some((taken, _)) => {
                let why = format!(
                    "a second scheduler configuration; {} counts",
                    one_line(&taken.file, 120)
                );
                out.ignore(&native.file, why);
            }
            None => self.scheduler = Some((native, policy)),
        }
    }

    fn template(&mut self, given: &Given, value: Value, out: &mut Import) {
        if self.templates.iter().any(|template| template.file == given.name) {
            out.ignore(&given.name, "a second pod template in one file: Spark reads the first");
            return;
        }
        let (file, text) = (given.name.clone(), given.text.clone());
        self.templates.push(Template { file, text, value });
    }

    /// Writes the scenario.
    pub(super) fn write(mut self, name: &str, out: &mut Import) -> Result<(), ImportError> {
        self.cluster.leftovers(out);
        if let Some((file, deployment)) = self.cluster.autoscaler.take() {
            let name = "cluster-autoscaler.json".to_owned();
            let native = Native { file, name, text: pretty(&deployment) };
            // What runs counts more than what a file says.
            if let Some((taken, _)) = self.autoscaler.take() {
                let why = "flags of Cluster Autoscaler once more; those of the cluster's own \
                           Deployment count";
                out.ignore(&taken.file, why);
            }
            self.autoscaler = Some((native, FlagsAs::Manifest));
        }
        if self.is_empty() {
            return Err(ImportError::Nothing(nothing(out)));
        }
        page::write(self, name, out);
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.eksctl.is_none()
            && self.autoscaler.is_none()
            && !self.karpenter.has_pools()
            && self.scheduler.is_none()
            && self.templates.is_empty()
            && self.spark.defaults.is_none()
            && self.spark.count() == 0
            && !self.cluster.has_nodes()
            && self.cluster.pod_count() == 0
    }

    /// Bounds of node groups in the autoscaler's own configuration: name, fewest, most.
    pub(super) fn bounds(&self) -> Vec<(String, u32, u32)> {
        let Some((native, kind)) = &self.autoscaler else { return Vec::new() };
        let read = match kind {
            FlagsAs::Manifest => cluster_autoscaler::read_manifest(&native.file, &native.text),
            FlagsAs::Values => cluster_autoscaler::read_helm_values(&native.file, &native.text),
        };
        let groups = read.value.groups.iter().map(|g| (g.name.clone(), g.min, g.max));
        let flags = read.value.iter().filter(|(name, _)| *name == "nodes");
        let flags = flags.filter_map(|(_, value)| {
            let mut parts = value?.splitn(3, ':');
            let (min, max) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            Some((parts.next()?.to_owned(), min, max))
        });
        let all = groups.chain(flags).filter(|(_, min, max)| min <= max);
        all.collect()
    }

    /// The eksctl file, read.
    pub(super) fn eksctl_config(&self) -> Option<eksctl::EksctlConfig> {
        let native = self.eksctl.as_ref()?;
        Some(eksctl::read(&native.file, &native.text).value)
    }
}

/// Why nothing can be made of the files, with what to do.
fn nothing(out: &Import) -> String {
    let mut text = String::from(
        "nothing that a scenario can be made of: no node groups (eksctl, `kubectl get nodes -o \
         json`), Cluster Autoscaler, NodePools, scheduler configuration, pod templates, SparkApplications or \
         spark-defaults.conf",
    );
    for ignored in out.ignored.iter().take(20) {
        let (file, why) = (one_line(&ignored.file, 120), one_line(&ignored.why, 300));
        text.push_str(&format!("\n  {file}: {why}"));
    }
    if out.ignored.len() > 20 {
        text.push_str(&format!("\n  and {} more", out.ignored.len() - 20));
    }
    text
}

fn ignore(file: &str, kind: Kind, value: &Value, out: &mut Import) {
    let object = one_line(text_of(value, "kind"), 60);
    let name = one_line(deep(value, &["metadata", "name"]), 60);
    let why = match kind {
        Kind::EventLog => "an event log of Spark: name its folder in \
                           `spec.workload.traces[0].eventLogs`"
            .to_owned(),
        Kind::Scenario => "a scenario already: run it, or inherit from it with `base`".to_owned(),
        _ => format!("{object} `{name}` says nothing of capacity, placement or Spark"),
    };
    out.ignore(file, why);
}

/// A part of a file as a file.
fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    text + "\n"
}
