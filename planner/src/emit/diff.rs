//! The files that a scenario names, with its values: a unified diff of each. A format that cannot
//! be changed in place is compared, and a difference is a finding.

use std::path::Path;

use scenarios::Loaded;
use scenarios::file::NativeFile;
use scenarios::native::patch::Patch;
use scenarios::native::{
    cluster_autoscaler, eksctl, karpenter, kube_scheduler, legacy_policy, pod_template,
    spark_defaults,
};
use sim::scenario::{ClusterAutoscaler, PodTemplate, SparkDefaults};
use sim::{Finding, Severity};

use super::names;

/// Where Karpenter's manifests are named.
const MANIFESTS: &str = "spec.autoscaler.karpenter.manifests";

/// A unified diff of the files, and what is not in it.
///
/// # Errors
/// A file that cannot be read any more.
pub fn diff(loaded: &Loaded) -> Result<(String, Vec<Finding>), String> {
    let (mut out, mut findings) = (String::new(), Vec::new());
    for file in &loaded.native_files {
        let shown = file.path.display().to_string();
        let text = read(&file.path)?;
        let patch = match file.setting.as_str() {
            "spec.spark.defaults" => {
                let scenario = &loaded.scenario;
                let wanted = spark_defaults::write::merged(&scenario.spark, &loaded.spark_conf);
                spark_defaults::patch::patch(&text, &wanted)
            }
            "spec.nodes.eksctl" => {
                let (patch, notes) = eksctl::patch::patch(&shown, &text, &loaded.scenario);
                findings.extend(notes);
                patch
            }
            setting if setting.starts_with(MANIFESTS) => {
                let (patch, notes) = karpenter::patch::patch(&shown, &text, &loaded.karpenter);
                findings.extend(notes);
                patch
            }
            _ => {
                findings.extend(compared(loaded, file, &shown, &text));
                Patch::default()
            }
        };
        out.push_str(&patch.unified(&shown, &text));
    }
    findings.extend(without_file(loaded));
    Ok((out, findings))
}

/// What the scenario says itself, so that there is no file to change.
fn without_file(loaded: &Loaded) -> Vec<Finding> {
    let scenario = &loaded.scenario;
    let named =
        |start: &str| loaded.native_files.iter().any(|file| file.setting.starts_with(start));
    let profile = !kube_scheduler::write::is_default(&scenario.scheduler, scenario.kubernetes);
    let groups = scenario.node_groups().next().is_some();
    let autoscaler = match scenario.karpenter() {
        Some(_) => ("spec.autoscaler", true, names::KARPENTER),
        None => ("spec.autoscaler", scenario.autoscaler.is_some(), names::AUTOSCALER),
    };
    let parts = [
        ("spec.spark.defaults", loaded.spark_conf.iter().next().is_some(), names::SPARK_DEFAULTS),
        ("spec.nodes.eksctl", groups, names::EKSCTL),
        autoscaler,
        ("spec.scheduler", profile, names::SCHEDULER),
    ];
    let own = parts.into_iter().filter(|(start, is_said, _)| *is_said && !named(start));
    own.map(|(start, _, instead)| {
        let message = format!("no file of yours says this: it is in {instead} of --out only");
        Finding::new(Severity::Warning, "not-patched", start, message)
    })
    .collect()
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The finding that a file says something else than the scenario, and that this is not in the diff.
fn compared(loaded: &Loaded, file: &NativeFile, name: &str, text: &str) -> Option<Finding> {
    let scenario = &loaded.scenario;
    let (same, instead) = match file.setting.as_str() {
        "spec.spark.driverPodTemplate" => {
            let main = loaded.spark_conf.pod_template_containers()[0];
            let template = pod_template::read(name, text, main).value;
            let with = |spark: &mut SparkDefaults| spark.driver_template = template;
            let spark = with_settings(loaded, with);
            (spark.driver_template == scenario.spark.driver_template, names::DRIVER)
        }
        "spec.spark.executorPodTemplate" => {
            let main = loaded.spark_conf.pod_template_containers()[1];
            let template = pod_template::read(name, text, main).value;
            let with = |spark: &mut SparkDefaults| spark.executor_template = template;
            let spark = with_settings(loaded, with);
            (spark.executor_template == scenario.spark.executor_template, names::EXECUTOR)
        }
        "spec.scheduler.config" => {
            let read = kube_scheduler::read(name, text, scenario.kubernetes).value;
            (read.contains(&scenario.scheduler), names::SCHEDULER)
        }
        "spec.scheduler.policy" => {
            let mut read = legacy_policy::read(name, text, scenario.kubernetes).value;
            read.name.clone_from(&scenario.scheduler.name);
            (read == scenario.scheduler, names::SCHEDULER)
        }
        setting if setting.starts_with("spec.autoscaler.clusterAutoscaler.") => {
            let is_manifest = setting.ends_with("manifest");
            (autoscaler(loaded, is_manifest, name, text), names::AUTOSCALER)
        }
        "spec.overprovisioning.podTemplate" => {
            let read = pod_template::read(name, text, None).value;
            let own: Option<&PodTemplate> =
                scenario.overprovisioning.as_ref().map(|pause| &pause.template);
            (own == Some(&read), names::OVERPROVISIONING)
        }
        _ => (false, names::SCENARIO),
    };
    let message = format!(
        "the scenario says more than this file, whose format is not changed in place: compare \
         {instead} of --out"
    );
    (!same).then(|| Finding::new(Severity::Warning, "not-patched", name, message))
}

/// Spark's configuration from the settings and a template that was read again.
fn with_settings(loaded: &Loaded, with: impl FnOnce(&mut SparkDefaults)) -> SparkDefaults {
    let mut spark = SparkDefaults::default_of(loaded.scenario.spark.version);
    with(&mut spark);
    loaded.spark_conf.apply(&mut spark);
    spark
}

/// Whether the autoscaler's own configuration is all that the scenario says about it.
fn autoscaler(loaded: &Loaded, is_manifest: bool, name: &str, text: &str) -> bool {
    let version = loaded.scenario.kubernetes;
    let flags = match is_manifest {
        true => cluster_autoscaler::read_manifest(name, text),
        false => cluster_autoscaler::read_helm_values(name, text),
    };
    let mut found = ClusterAutoscaler::default_of(version);
    flags.value.apply(version, &mut found);
    loaded.scenario.cluster_autoscaler() == Some(&found)
}
