//! Plugin arguments of decision cases to a profile with that one plugin, with the checks that
//! upstream makes when it reads a configuration. Source: K136
//! `apis/config/validation/validation_pluginargs.go`.

use serde::Deserialize;
use serde_json::Value;
use sim::scenario::{
    InterPodAffinityArgs, KubernetesVersion, SchedulerProfile, ScoreSpec, ShapePoint,
};

use super::manifest::NodeAffinity;

/// All arguments of all plugins.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PluginArgs {
    #[serde(rename = "scoringStrategy")]
    strategy: Option<Strategy>,
    resources: Option<Vec<Resource>>,
    shape: Option<Vec<Point>>,
    #[serde(rename = "ignoredResources")]
    ignored_resources: Vec<String>,
    #[serde(rename = "ignoredResourceGroups")]
    ignored_resource_groups: Vec<String>,
    #[serde(rename = "addedAffinity")]
    added_affinity: Option<NodeAffinity>,
    #[serde(rename = "hardPodAffinityWeight")]
    hard_pod_affinity_weight: Option<i64>,
    #[serde(rename = "ignorePreferredTermsOfExistingPods")]
    ignore_preferred_terms: bool,
    /// The feature gate `NodeInclusionPolicyInPodTopologySpread`.
    pub(super) node_inclusion_policy: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strategy {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    resources: Option<Vec<Resource>>,
    #[serde(default)]
    shape: Option<Vec<Point>>,
    #[serde(rename = "requestedToCapacityRatio", default)]
    ratio: Option<Ratio>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratio {
    #[serde(default)]
    shape: Option<Vec<Point>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    name: String,
    #[serde(default)]
    weight: Option<i64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    #[serde(default)]
    utilization: i64,
    #[serde(default)]
    score: i64,
}

/// A profile with the plugin of a case as its only score.
pub(super) enum Configured {
    /// It was taken.
    Profile(Box<SchedulerProfile>),
    /// It is refused: (field, type of error), sorted.
    Refused(Vec<(String, &'static str)>),
    /// It is taken, and the plugin fails when it is asked.
    Error,
}

const INVALID: &str = "FieldValueInvalid";
const REQUIRED: &str = "FieldValueRequired";
const DUPLICATE: &str = "FieldValueDuplicate";
const UNSUPPORTED: &str = "FieldValueNotSupported";

impl PluginArgs {
    /// Reads `args`; `null` and `{}` are the defaults.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(Self::default()),
            given => {
                serde_json::from_value(given.clone()).map_err(|error| format!("args: {error}"))
            }
        }
    }

    /// The profile of a case about `plugin`.
    pub(super) fn configure(
        self,
        plugin: &str,
        version: KubernetesVersion,
    ) -> Result<Configured, String> {
        let mut errors = Vec::new();
        let spec = match plugin {
            "NodeResourcesFit" => self.fit(&mut errors),
            "NodeResourcesLeastAllocated" => {
                Ok(ScoreSpec::LeastAllocated { resources: weights(self.resources.as_deref()) })
            }
            "NodeResourcesMostAllocated" => {
                Ok(ScoreSpec::MostAllocated { resources: weights(self.resources.as_deref()) })
            }
            "RequestedToCapacityRatio" => {
                let shape = points(self.shape.as_deref(), "shape", &mut errors);
                Ok(ScoreSpec::RequestedToCapacityRatio {
                    resources: weights(self.resources.as_deref()),
                    shape,
                })
            }
            "NodeResourcesBalancedAllocation" => self.balanced(&mut errors),
            "ImageLocality" => Ok(ScoreSpec::ImageLocality),
            "NodeAffinity" => Ok(ScoreSpec::NodeAffinity),
            "TaintToleration" => Ok(ScoreSpec::TaintToleration),
            "InterPodAffinity" => Ok(ScoreSpec::InterPodAffinity),
            "PodTopologySpread" => Ok(ScoreSpec::PodTopologySpread),
            // A filter that scores nothing.
            other if sim::decisions::FILTERS.contains(&other) => Ok(ScoreSpec::NodeAffinity),
            other => {
                Err(format!("unknown plugin `{}`", other.chars().take(60).collect::<String>()))
            }
        }?;
        if let Some(weight) = self.hard_pod_affinity_weight
            && !(0..=100).contains(&weight)
        {
            errors.push(("hardPodAffinityWeight".to_owned(), INVALID));
        }
        if !errors.is_empty() {
            errors.sort();
            return Ok(Configured::Refused(errors));
        }
        if empty(&spec) && version.minor > 20 {
            return Ok(Configured::Error);
        }
        let mut profile = SchedulerProfile::new("default-scheduler", vec![(spec, 1)]);
        profile.ignored_resources = self.ignored_resources;
        profile.ignored_resource_groups = self.ignored_resource_groups;
        profile.added_affinity =
            self.added_affinity.map(NodeAffinity::into_sim).unwrap_or_default();
        let default = InterPodAffinityArgs::default();
        profile.inter_pod_affinity = InterPodAffinityArgs {
            hard_pod_affinity_weight: self
                .hard_pod_affinity_weight
                .unwrap_or(default.hard_pod_affinity_weight),
            ignore_preferred_terms_of_existing_pods: self.ignore_preferred_terms,
        };
        Ok(Configured::Profile(Box::new(profile)))
    }

    fn fit(&self, errors: &mut Vec<(String, &'static str)>) -> Result<ScoreSpec, String> {
        let Some(strategy) = &self.strategy else {
            return Ok(ScoreSpec::LeastAllocated { resources: ScoreSpec::cpu_and_memory(1, 1) });
        };
        let given = strategy.resources.as_deref();
        for (place, resource) in given.unwrap_or_default().iter().enumerate() {
            if resource.weight.is_some_and(|weight| !(1..=100).contains(&weight)) {
                errors.push((format!("scoringStrategy.resources[{place}].weight"), INVALID));
            }
        }
        let resources = weights(given);
        Ok(match strategy.kind.as_deref() {
            None | Some("LeastAllocated") => ScoreSpec::LeastAllocated { resources },
            Some("MostAllocated") => ScoreSpec::MostAllocated { resources },
            Some("RequestedToCapacityRatio") => {
                let nested = strategy.ratio.as_ref().and_then(|ratio| ratio.shape.as_deref());
                let shape = strategy.shape.as_deref().or(nested);
                let shape = points(shape, "scoringStrategy.shape", errors);
                ScoreSpec::RequestedToCapacityRatio { resources, shape }
            }
            Some(_) => {
                errors.push(("scoringStrategy.type".to_owned(), UNSUPPORTED));
                ScoreSpec::LeastAllocated { resources }
            }
        })
    }

    fn balanced(&self, errors: &mut Vec<(String, &'static str)>) -> Result<ScoreSpec, String> {
        let Some(given) = &self.resources else {
            return Ok(ScoreSpec::balanced_allocation());
        };
        let mut resources: Vec<String> = Vec::new();
        for (place, resource) in given.iter().enumerate() {
            if resources.contains(&resource.name) {
                errors.push((format!("resources[{place}].name"), DUPLICATE));
            }
            if resource.weight.is_some_and(|weight| weight != 1) {
                errors.push((format!("resources[{place}].weight"), INVALID));
            }
            resources.push(resource.name.clone());
        }
        Ok(ScoreSpec::BalancedAllocation { resources })
    }
}

fn empty(spec: &ScoreSpec) -> bool {
    match spec {
        ScoreSpec::LeastAllocated { resources }
        | ScoreSpec::MostAllocated { resources }
        | ScoreSpec::RequestedToCapacityRatio { resources, .. } => resources.is_empty(),
        ScoreSpec::BalancedAllocation { resources } => resources.is_empty(),
        _ => false,
    }
}

/// A list that is not given is CPU and memory, a weight that is not given 1, as the defaults make
/// them.
fn weights(given: Option<&[Resource]>) -> Vec<(String, i64)> {
    let Some(given) = given else {
        return ScoreSpec::cpu_and_memory(1, 1);
    };
    given.iter().map(|of| (of.name.clone(), of.weight.unwrap_or(1))).collect()
}

fn points(
    given: Option<&[Point]>,
    path: &str,
    errors: &mut Vec<(String, &'static str)>,
) -> Vec<ShapePoint> {
    let given = given.unwrap_or_default();
    if given.is_empty() {
        errors.push((path.to_owned(), REQUIRED));
    }
    for (place, point) in given.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| given[before].utilization);
        let rises = before.is_none_or(|before| before < point.utilization);
        if !rises || !(0..=100).contains(&point.utilization) {
            errors.push((format!("{path}[{place}].utilization"), INVALID));
        }
        if !(0..=10).contains(&point.score) {
            errors.push((format!("{path}[{place}].score"), INVALID));
        }
    }
    let point = |p: &Point| ShapePoint { utilization: p.utilization, score: p.score };
    given.iter().map(point).collect()
}
