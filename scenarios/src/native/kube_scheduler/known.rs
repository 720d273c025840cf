//! The plugins that kube-scheduler has had from 1.18 on: what they do, and until which version of
//! the configuration a file may name them.
//!
//! Source: k8s.io/kubernetes `pkg/scheduler/framework/plugins/registry.go` of v1.20 and v1.36, and
//! the lists of removed plugins in `pkg/scheduler/apis/config/validation/validation.go`;
//! kubernetes-sigs/scheduler-plugins for those that others build in.

use super::Api;
use crate::problem::nearest;

/// Filters that the model has, in upstream's order. All are on by default, in every release.
pub(super) const FILTERS: [&str; 8] = sim::decisions::FILTERS;

/// What the model has of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    /// A score. (Filters are in [`FILTERS`].)
    Score,
    /// Nothing of it scores; filters and others are always on, or look at what no simulated pod
    /// has.
    NoScore,
    /// It scored, by what no node or pod of a scenario carries.
    NotModelled,
}

/// (name, what is modelled, the first API version that refuses it).
const PLUGINS: [(&str, Model, Option<Api>); 35] = [
    ("AzureDiskLimits", Model::NoScore, None),
    ("CinderLimits", Model::NoScore, None),
    ("DefaultBinder", Model::NoScore, None),
    ("DefaultPodTopologySpread", Model::NotModelled, Some(Api::V1Beta2)),
    ("DefaultPreemption", Model::NoScore, None),
    ("DynamicResources", Model::NoScore, None),
    ("EBSLimits", Model::NoScore, None),
    ("GCEPDLimits", Model::NoScore, None),
    ("GangScheduling", Model::NoScore, None),
    ("ImageLocality", Model::Score, None),
    ("InterPodAffinity", Model::Score, None),
    ("NodeAffinity", Model::Score, None),
    ("NodeDeclaredFeatures", Model::NoScore, None),
    ("NodeLabel", Model::NotModelled, Some(Api::V1Beta2)),
    ("NodeName", Model::NoScore, None),
    ("NodePorts", Model::NoScore, None),
    ("NodePreferAvoidPods", Model::NotModelled, Some(Api::V1Beta2)),
    ("NodeResourceLimits", Model::NotModelled, Some(Api::V1Beta2)),
    ("NodeResourcesBalancedAllocation", Model::Score, None),
    ("NodeResourcesFit", Model::Score, None),
    ("NodeResourcesLeastAllocated", Model::Score, Some(Api::V1Beta2)),
    ("NodeResourcesMostAllocated", Model::Score, Some(Api::V1Beta2)),
    ("NodeUnschedulable", Model::NoScore, None),
    ("NodeVolumeLimits", Model::NoScore, None),
    ("PodTopologySpread", Model::Score, None),
    ("PrioritySort", Model::NoScore, None),
    ("RequestedToCapacityRatio", Model::Score, Some(Api::V1Beta2)),
    ("SchedulingGates", Model::NoScore, None),
    ("SelectorSpread", Model::NotModelled, Some(Api::V1)),
    ("ServiceAffinity", Model::NotModelled, Some(Api::V1Beta2)),
    ("TaintToleration", Model::Score, None),
    ("TopologyPlacementGenerator", Model::NoScore, None),
    ("VolumeBinding", Model::NoScore, None),
    ("VolumeRestrictions", Model::NoScore, None),
    ("VolumeZone", Model::NoScore, None),
];

/// Plugins of kubernetes-sigs/scheduler-plugins, which people build into their own scheduler.
const OUT_OF_TREE: [&str; 16] = [
    "CapacityScheduling",
    "Coscheduling",
    "CrossNodePreemption",
    "LoadVariationRiskBalancing",
    "LowRiskOverCommitment",
    "NetworkOverhead",
    "NodeMetadata",
    "NodeResourceTopologyMatch",
    "NodeResourcesAllocatable",
    "Peaks",
    "PodState",
    "PreemptionToleration",
    "QOSSort",
    "SySched",
    "TargetLoadPacking",
    "TopologicalSort",
];

/// What a plugin name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// A plugin that the API version may name.
    Known(Model),
    /// A plugin that the API version refuses.
    Removed,
    /// A plugin that others build in.
    OutOfTree,
    /// None that we know; the nearest one.
    Unknown(Option<&'static str>),
}

/// What `name` is to a file of the version `api`.
pub(super) fn name(name: &str, api: Api) -> Name {
    if let Some((_, model, refused)) = PLUGINS.iter().find(|(known, ..)| *known == name) {
        let refused = refused.is_some_and(|since| api >= since);
        return if refused { Name::Removed } else { Name::Known(*model) };
    }
    if OUT_OF_TREE.contains(&name) {
        return Name::OutOfTree;
    }
    let current = PLUGINS.iter().filter(|(_, _, refused)| refused.is_none_or(|since| api < since));
    Name::Unknown(nearest(name, current.map(|(known, ..)| *known)))
}
