//! The scenario file: every key with the file that it comes from.
//!
//! Left out: keys at their default. What is foreign stands in JSON's quotes, and in comments
//! without anything that could end a line.

use serde_json::{Map, Value, json};
use sim::scenario::KubernetesVersion;

use super::draft::{Draft, FlagsAs, Native};
use super::templates::{Chosen, Role, choose};
use super::{Import, karpenter, one_line, plain_name, pools};
use crate::native::cluster_autoscaler;

/// Longest comment.
const COMMENT_MAX: usize = 200;
/// Spark's releases that a scenario may name. Source: facts-spark A1.
const SPARK: std::ops::RangeInclusive<(u32, u32)> = (3, 0)..=(4, 3);

/// A YAML text in the making.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    fn raw(&mut self, depth: usize, text: &str, why: &str) {
        self.0.push_str(&"  ".repeat(depth));
        self.0.push_str(text);
        if !why.is_empty() {
            self.0.push_str("  # ");
            self.0.push_str(&one_line(why, COMMENT_MAX));
        }
        self.0.push('\n');
    }

    /// `key:` of a map.
    pub(super) fn open(&mut self, depth: usize, key: &str) {
        self.raw(depth, &format!("{key}:"), "");
    }

    /// `key: value`, with where it comes from.
    pub(super) fn entry(&mut self, depth: usize, key: &str, value: &Value, why: &str) {
        self.raw(depth, &format!("{key}: {}", scalar(value)), why);
    }

    /// A map with foreign keys, one a line.
    pub(super) fn map(&mut self, depth: usize, key: &str, map: &Map<String, Value>, why: &str) {
        self.raw(depth, &format!("{key}:"), why);
        for (key, value) in map {
            self.raw(depth + 1, &format!("{}: {}", json!(key), scalar(value)), "");
        }
    }

    /// The first key of an item of a list; the others follow with [`Page::entry`], one deeper.
    pub(super) fn item(&mut self, depth: usize, key: &str, value: &Value, why: &str) {
        self.raw(depth, &format!("- {key}: {}", scalar(value)), why);
    }
}

/// A value on one line: words that are plain in YAML without quotes.
fn scalar(value: &Value) -> String {
    let plain = |text: &str| {
        text.len() > 1
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
            && matches!(crate::yaml::resolve_plain(text), crate::yaml::Value::String(_))
            && !matches!(text.to_lowercase().as_str(), "yes" | "no" | "on" | "off")
    };
    match value {
        Value::String(text) if plain(text) => text.clone(),
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(scalar).collect();
            format!("[{}]", list.join(", "))
        }
        Value::Object(map) => {
            let one = |(key, value): (&String, &Value)| {
                format!("{}: {}", scalar(&json!(key)), scalar(value))
            };
            let map: Vec<String> = map.iter().map(one).collect();
            format!("{{{}}}", map.join(", "))
        }
        other => other.to_string(),
    }
}

/// Writes the scenario `name` of everything in `draft` into `out`.
pub(super) fn write(mut draft: Draft, name: &str, out: &mut Import) {
    let mut page = Page::default();
    page.raw(0, "# Written by `seatrial import`. Behind each key: the file that says so.", "");
    page.raw(0, "# What is not here has its default: docs/scenario-format.md.", "");
    page.raw(0, "apiVersion: seatrial/v1alpha1", "");
    page.raw(0, "kind: Scenario", "");
    page.open(0, "metadata");
    page.entry(1, "name", &json!(name), "");
    page.open(0, "spec");
    let (version, why) = version(&draft, out);
    match version {
        Some(version) => {
            page.entry(1, "kubernetesVersion", &json!(version.to_string()), &why);
        }
        None => page.raw(1, "# kubernetesVersion:", &why),
    }
    let region = pools::region(&draft, &mut page, out);
    page.raw(1, "# workload: {traces: [{eventLogs: PATH}]}", "no file says: set it before a run");
    out.unknown(
        "spec.workload.traces",
        "nothing is submitted: `[{eventLogs: PATH}]` for recorded event logs, `[{jobTable: \
         FILE}]` for a table of runs",
    );
    spark(&mut draft, &mut page, out);
    pools::nodes(&draft, &region, &mut page, out);
    autoscaler(&draft, &mut page, out);
    scheduler(&draft, &mut page, out);
    retries(&draft, &mut page, out);
    images(&draft, out);
    assumptions(out);
    out.scenario = page.0;
}

/// A file beside the scenario, and its line.
fn file(page: &mut Page, depth: usize, key: &str, native: &Native, why: &str, out: &mut Import) {
    let name = out.copy(&native.file, &native.name, &native.text);
    page.entry(depth, key, &json!(name), why);
}

/// Kubernetes' release, and who says so; `None` where the loader finds it by itself.
fn version(draft: &Draft, out: &mut Import) -> (Option<KubernetesVersion>, String) {
    let (low, high) = (KubernetesVersion::OLDEST, KubernetesVersion::NEWEST);
    if let Some(((major, minor), count)) = draft.cluster.kubelet() {
        let seen = KubernetesVersion { major, minor };
        let used = seen.clamp(low, high);
        let mut why = format!("{}: kubelets of {count} nodes", draft.cluster.file);
        if seen != used {
            why = format!("{why} are {seen}, the nearest modelled release");
            out.unknown("spec.kubernetesVersion", format!("{used}, as {seen} is not modelled"));
        }
        return (Some(used), why);
    }
    if let (Some(native), Some(text)) =
        (&draft.eksctl, draft.eksctl_config().and_then(|config| config.version))
    {
        return (None, format!("{}: metadata.version {text}", native.file));
    }
    if let Some((native, kind)) = &draft.autoscaler {
        let read = match kind {
            FlagsAs::Manifest => cluster_autoscaler::read_manifest(&native.file, &native.text),
            FlagsAs::Values => cluster_autoscaler::read_helm_values(&native.file, &native.text),
        };
        let image = read.value.image_version.map(|(version, _)| version);
        if let Some(image) = image.filter(|version| (low..=high).contains(version)) {
            let why = format!("{}: the release of Cluster Autoscaler's image", native.file);
            out.unknown("spec.kubernetesVersion", format!("{image}, as Cluster Autoscaler's"));
            return (Some(image), why);
        }
    }
    if let Some((native, policy)) = &draft.scheduler {
        let text = &native.text;
        let newest = match policy {
            true => Some(22),
            false if text.contains("kubescheduler.config.k8s.io/v1beta1") => Some(22),
            false if text.contains("kubescheduler.config.k8s.io/v1beta2") => Some(27),
            false if text.contains("kubescheduler.config.k8s.io/v1beta3") => Some(28),
            false => None,
        };
        if let Some(minor) = newest {
            let version = KubernetesVersion { major: 1, minor };
            let why = format!("a guess: the newest release that takes {}", native.file);
            out.unknown("spec.kubernetesVersion", format!("{version}: {why}"));
            return (Some(version), why);
        }
    }
    out.unknown("spec.kubernetesVersion", format!("{high}, the newest that is modelled"));
    (None, "no file says: set it".to_owned())
}

fn spark(draft: &mut Draft, page: &mut Page, out: &mut Import) {
    page.open(1, "spark");
    spark_version(draft, page, out);
    if let Some((from, text)) = draft.spark.defaults.clone() {
        out.found(&from, "spark-defaults.conf", "spec.spark.defaults");
        let native = Native { file: from.clone(), name: from.clone(), text };
        file(page, 2, "defaults", &native, &one_line(&from, 120), out);
    }
    let applications = draft.spark.count();
    if let Some(from) = draft.spark.file().map(str::to_owned) {
        let shared = draft.spark.shared();
        let what = format!("{applications} SparkApplications");
        let used = "spec.spark.sparkConf: the settings that all of them share";
        out.found(&from, what, used);
        if !shared.is_empty() {
            let why = format!("{from}: what {applications} SparkApplications share");
            page.map(2, "sparkConf", &shared, &why);
        }
        let differing = draft.spark.differing();
        if !differing.is_empty() {
            let some: Vec<&str> = differing.iter().take(6).map(String::as_str).collect();
            let why = format!(
                "{} settings that SparkApplications do not share ({}, ..): a trace has them run \
                 by run",
                differing.len(),
                one_line(&some.join(", "), 300),
            );
            out.ignore(&from, why);
        }
    }
    templates(draft, page, out);
}

fn spark_version(draft: &Draft, page: &mut Page, out: &mut Import) {
    let seen = draft.spark.version().map(|(version, why)| ((version.major, version.minor), why));
    let running = draft.cluster.spark_release().map(|(version, count)| {
        (version, format!("{}: label of {count} pods", draft.cluster.pods_from()))
    });
    match running.or(seen) {
        Some(((major, minor), why)) if SPARK.contains(&(major, minor)) => {
            page.entry(2, "version", &json!(format!("{major}.{minor}")), &why);
        }
        Some(((major, minor), _)) => {
            let until_then = format!("3.5: {major}.{minor} is not modelled (3.0 to 4.3 are)");
            out.unknown("spec.spark.version", until_then);
            page.raw(2, "version: \"3.5\"", "the files' release is not modelled");
        }
        None => {
            page.raw(2, "version: \"3.5\"", "a guess: no file says");
            out.unknown("spec.spark.version", "3.5");
        }
    }
}

fn templates(draft: &mut Draft, page: &mut Page, out: &mut Import) {
    let templates = std::mem::take(&mut draft.templates);
    let Chosen { driver, executor, others } = choose(templates, draft.spark.named_templates());
    for (role, chosen) in [(Role::Driver, driver), (Role::Executor, executor)] {
        let key = format!("{}PodTemplate", role.name());
        let setting = format!("spec.spark.{key}");
        let of_application = draft.spark.template(role);
        if let Some((template, why)) = chosen {
            out.found(&template.file, format!("pod template ({why})"), setting);
            let name = template.file.clone();
            let why = format!("{name}: taken for the {}'s by {why}", role.name());
            let native = Native { file: template.file, name, text: template.text };
            file(page, 2, &key, &native, &why, out);
        } else if let Some((from, value)) = of_application {
            let name = format!("{}-of-application.json", role.name());
            let text = serde_json::to_string_pretty(&value).unwrap_or_default() + "\n";
            let native = Native { file: from.clone(), name, text };
            let why = format!("made of the {} section of {from}", role.name());
            out.found(&from, format!("SparkApplication's {}", role.name()), setting);
            file(page, 2, &key, &native, &why, out);
        } else {
            out.unknown(&setting, "pods may go to any node without a taint");
        }
    }
    for (template, why) in others {
        out.ignore(&template.file, why);
    }
}

fn autoscaler(draft: &Draft, page: &mut Page, out: &mut Import) {
    if draft.karpenter.has_pools() {
        return karpenter::write(draft, page, out);
    }
    let Some((native, kind)) = &draft.autoscaler else {
        let until_then = "pools stay at their desired size; `{}` is Cluster Autoscaler with its \
                          release's defaults";
        out.unknown("spec.autoscaler.clusterAutoscaler", until_then);
        if let Some((from, _)) = &draft.priorities {
            let why = "the priority expander's table, without Cluster Autoscaler's own flags";
            out.ignore(from, why);
        }
        return;
    };
    page.open(1, "autoscaler");
    page.open(2, "clusterAutoscaler");
    let (key, what) = match kind {
        FlagsAs::Manifest => ("manifest", "Cluster Autoscaler's Deployment"),
        FlagsAs::Values => ("values", "Cluster Autoscaler's Helm values"),
    };
    out.found(&native.file, what, format!("spec.autoscaler.clusterAutoscaler.{key}"));
    file(page, 3, key, native, &native.file, out);
    if let Some((from, table)) = &draft.priorities {
        let what = "the priority expander's table";
        out.found(from, what, "spec.autoscaler.clusterAutoscaler.priorities");
        let table = table.as_object().cloned().unwrap_or_default();
        page.map(3, "priorities", &table, from);
    }
}

fn scheduler(draft: &Draft, page: &mut Page, out: &mut Import) {
    let Some((native, policy)) = &draft.scheduler else {
        if !out.unknown.iter().any(|unknown| unknown.key == "spec.scheduler.config") {
            let until_then = "the release's default profile, as EKS' own scheduler has it";
            out.unknown("spec.scheduler.config", until_then);
        }
        return;
    };
    page.open(1, "scheduler");
    let (key, what) = match policy {
        true => ("policy", "legacy scheduler Policy"),
        false => ("config", "KubeSchedulerConfiguration"),
    };
    out.found(&native.file, what, format!("spec.scheduler.{key}"));
    file(page, 2, key, native, &native.file, out);
}

fn retries(draft: &Draft, page: &mut Page, out: &mut Import) {
    match draft.spark.retries() {
        Some((from, value)) => {
            out.found(&from, "restartPolicy of its SparkApplication", "spec.retries");
            let why = format!("{from}: restartPolicy");
            page.entry(1, "retries", &value, &why);
        }
        None => out.unknown("spec.retries", "none: a failed attempt is final"),
    }
}

fn images(draft: &Draft, out: &mut Import) {
    let until_then = match draft.cluster.spark_image() {
        Some((image, bytes)) => format!(
            "3Gi; nodes list `{}` with {} MiB, which is the compressed size where they run \
             containerd",
            one_line(&image, 120),
            bytes >> 20,
        ),
        None => "3Gi of compressed layers, not pulled before".to_owned(),
    };
    out.unknown("spec.images.size", until_then);
}

fn assumptions(out: &mut Import) {
    let all = [
        ("spec.assumptions.nodeBoot", "60 s at the median, 150 s at the 99th percentile"),
        ("spec.assumptions.spot", "shocks a day apart: fit it to a recorded series"),
        ("spec.overprovisioning", "no pause pods"),
        ("spec.fees.emr", "no charge of EMR on EKS"),
    ];
    for (key, until_then) in all {
        out.unknown(key, until_then);
    }
}

/// A name for a pool that no file gives.
pub(super) fn pool_name(name: &str) -> String {
    let plain = plain_name(name);
    if plain == name { plain } else { one_line(name, 100) }
}
