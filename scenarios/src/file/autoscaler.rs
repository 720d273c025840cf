//! `spec.autoscaler`: Cluster Autoscaler's flags on top of its release's defaults.

use sim::Severity;
use sim::scenario::{ClusterAutoscaler, Expander, KubernetesVersion};

use super::context::Context;
use super::settings::Settings;
use crate::native::cluster_autoscaler::{self, AutoscalerFlags};

/// `None` without an autoscaler: pools stay at their desired size.
pub(super) fn read(
    context: &Context<'_>,
    spec: &Settings<'_>,
    version: KubernetesVersion,
) -> Option<ClusterAutoscaler> {
    let section = spec.section("autoscaler");
    let karpenter = section.as_ref().and_then(|section| section.optional("karpenter"));
    let Some(given) = section.and_then(|section| section.section("clusterAutoscaler")) else {
        if karpenter.is_some() {
            return None;
        }
        let message = "no autoscaler: pools stay at their desired size".to_owned();
        context.note(Severity::Info, "no-autoscaler", "spec.autoscaler", message);
        return None;
    };
    if let Some(karpenter) = karpenter {
        karpenter.problem_with_help(
            "`karpenter` and `clusterAutoscaler` exclude each other",
            "one of them adds and removes nodes; `null` on top of a base removes the other",
        );
    }
    let mut autoscaler = ClusterAutoscaler::default_of(version);
    let mut apply = |flags: &AutoscalerFlags| {
        let (problems, findings) = flags.apply(version, &mut autoscaler);
        context.take_notes(problems, findings);
    };
    let mut bounds = Vec::new();
    if let Some((key, at)) = given.fields.one_of_keys(&["manifest", "values"])
        && let Some(file) = context.read(&at)
    {
        let read = match key {
            "manifest" => cluster_autoscaler::read_manifest(&file.name, &file.text),
            _ => cluster_autoscaler::read_helm_values(&file.name, &file.text),
        };
        let flags = context.take(read);
        apply(&flags);
        bounds = flags.groups;
    }
    if let Some(at) = given.at("extraArgs") {
        apply(&cluster_autoscaler::read_extra_args(&at));
    }
    if let Some(at) = given.at("priorities") {
        autoscaler.priorities = cluster_autoscaler::read_priorities(&at);
    }
    if autoscaler.expander.contains(&Expander::Priority) && autoscaler.priorities.is_empty() {
        let message = "expander `priority` has no table: it lets every node group through; set \
                       `priorities`, such as {10: [.*spot.*]}"
            .to_owned();
        context.note(Severity::Warning, "no-priorities", "spec.autoscaler", message);
    }
    if !bounds.is_empty() {
        let message = format!(
            "bounds of {} node groups in the autoscaler's own configuration are not used: the node \
             pools' sizes are",
            bounds.len(),
        );
        context.note(Severity::Warning, "not-modelled", "autoscalingGroups", message);
    }
    Some(autoscaler)
}
