//! A scheduler profile as a `KubeSchedulerConfiguration` of the newest API version that the release
//! takes, and a second scheduler that runs it.
//!
//! Every score plugin is enabled by name with its weight, and all others are disabled, so that no
//! default of a release is part of it.
//!
//! Source: as of the reader beside it; the Kubernetes page "Configure Multiple Schedulers" for the
//! account and the bindings of a second scheduler.

use serde_json::{Map, Value, json};
use sim::scenario::{KubernetesVersion, SchedulerProfile, ScoreSpec, SpreadDefaults};
use sim::units::SimDuration;
use sim::{Finding, Severity};

use super::plugins::name_of;
use super::{API_VERSIONS, Api};
use crate::native::pod_template::write::{node_affinity, spread};
use crate::native::yaml_text;

/// Where the scheduler and its configuration live.
const NAMESPACE: &str = "kube-system";

/// The name of the scheduler that every cluster has.
const DEFAULT_NAME: &str = "default-scheduler";

/// Whether the profile is the release's own, so that the cluster has it already.
pub fn is_default(profile: &SchedulerProfile, version: KubernetesVersion) -> bool {
    *profile == SchedulerProfile::default_of(version)
}

/// Whether a second scheduler can have the profile: its name is its own.
pub fn is_second(profile: &SchedulerProfile) -> bool {
    profile.name != DEFAULT_NAME
}

/// The configuration; what it cannot say is a finding.
pub fn configuration(
    profile: &SchedulerProfile,
    version: KubernetesVersion,
    notes: &mut Vec<Finding>,
) -> Value {
    let (name, api) = newest(version);
    check(profile, api, notes);
    let mut out = json!({
        "apiVersion": name,
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {
            "leaderElect": true,
            "resourceLock": "leases",
            "resourceName": profile.name,
            "resourceNamespace": NAMESPACE,
        },
        "podInitialBackoffSeconds": profile.pod_initial_backoff.as_secs_ceil(),
        "podMaxBackoffSeconds": profile.pod_max_backoff.as_secs_ceil(),
    });
    if let Some(percentage) = profile.percentage_of_nodes_to_score {
        out["percentageOfNodesToScore"] = json!(percentage);
    }
    let enabled: Vec<Value> = profile
        .scores
        .iter()
        .map(|(spec, weight)| json!({ "name": name_of(spec, api), "weight": weight }))
        .collect();
    let mut plugins = json!({ "score": { "disabled": [{ "name": "*" }], "enabled": enabled } });
    if !profile.filters_disabled.is_empty() {
        let off = profile.filters_disabled.iter();
        plugins["filter"] = json!({
            "disabled": off.map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        });
    }
    let mut one = json!({ "schedulerName": profile.name, "plugins": plugins });
    let arguments = arguments(profile, api);
    if !arguments.is_empty() {
        one["pluginConfig"] = json!(arguments);
    }
    out["profiles"] = json!([one]);
    out
}

/// The newest API version that the release takes.
fn newest(version: KubernetesVersion) -> (&'static str, Api) {
    let taken = |first: u32, last: u32| (first..=last).contains(&version.minor);
    let rows = API_VERSIONS.iter().rev();
    let found = rows.clone().find(|(_, _, first, last)| taken(*first, *last));
    found.map_or(("kubescheduler.config.k8s.io/v1", Api::V1), |(name, api, ..)| (name, *api))
}

fn check(profile: &SchedulerProfile, api: Api, notes: &mut Vec<Finding>) {
    let mut note = |message: String| {
        notes.push(Finding::new(Severity::Warning, "not-emitted", "spec.scheduler", message));
    };
    let fits = profile.scores.iter().filter(|(spec, _)| spec.plugin() == "NodeResourcesFit");
    if api > Api::V1Beta1 && fits.count() > 1 {
        note("NodeResourcesFit has one strategy from 1.22 on: the first one is written".to_owned());
    }
    let whole = |time: SimDuration| SimDuration::seconds(time.as_secs_ceil()) == time;
    if !whole(profile.pod_initial_backoff) || !whole(profile.pod_max_backoff) {
        note("backoffs are whole seconds: they are rounded up".to_owned());
    }
    let own = |spec: &ScoreSpec| *spec != ScoreSpec::balanced_allocation();
    let balanced = |spec: &ScoreSpec| matches!(spec, ScoreSpec::BalancedAllocation { .. });
    if api == Api::V1Beta1 && profile.scores.iter().any(|(spec, _)| balanced(spec) && own(spec)) {
        note("NodeResourcesBalancedAllocation takes no resources before 1.22".to_owned());
    }
}

/// `pluginConfig`: what differs from a plugin's defaults.
fn arguments(profile: &SchedulerProfile, api: Api) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    let mut put = |name: &str, args: Map<String, Value>| {
        if !args.is_empty() {
            out.push(json!({ "name": name, "args": args }));
        }
    };
    let mut fit = fit(profile);
    let mut strategy_is_said = false;
    for (spec, _) in &profile.scores {
        let name = name_of(spec, api);
        match (score_arguments(spec), api) {
            (None, _) => {}
            (Some(_), Api::V1Beta1) if name == "NodeResourcesBalancedAllocation" => {}
            (Some((strategy, args)), Api::V1Beta2 | Api::V1Beta3 | Api::V1)
                if name == "NodeResourcesFit" =>
            {
                if !std::mem::replace(&mut strategy_is_said, true) {
                    fit.insert("scoringStrategy".into(), scoring_strategy(strategy, args));
                }
            }
            (Some((_, args)), _) => put(name, args),
        }
    }
    put("NodeResourcesFit", fit);
    put("InterPodAffinity", inter_pod_affinity(profile));
    let added = &profile.added_affinity;
    let added = node_affinity(&added.required, &added.preferred);
    if !added.is_empty() {
        put("NodeAffinity", Map::from_iter([("addedAffinity".to_owned(), json!(added))]));
    }
    if let SpreadDefaults::List(constraints) = &profile.spread_defaults {
        let constraints: Vec<Value> = constraints.iter().map(constraint).collect();
        let args = [("defaultingType", json!("List")), ("defaultConstraints", json!(constraints))];
        put(
            "PodTopologySpread",
            args.map(|(key, value)| (key.to_owned(), value)).into_iter().collect(),
        );
    }
    out
}

/// A constraint of a profile; upstream takes nothing of it but these.
fn constraint(constraint: &sim::scenario::TopologySpreadConstraint) -> Value {
    let mut value = spread(constraint);
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|key, _| !["nodeAffinityPolicy", "nodeTaintsPolicy"].contains(&key.as_str()));
    }
    value
}

fn scoring_strategy(strategy: &str, mut args: Map<String, Value>) -> Value {
    let shape = args.shift_remove("shape");
    let mut out = json!({ "type": strategy });
    if let Some(resources) = args.shift_remove("resources") {
        out["resources"] = resources;
    }
    if let Some(shape) = shape {
        out["requestedToCapacityRatio"] = json!({ "shape": shape });
    }
    out
}

/// The strategy and the arguments of a score; `None` where there is nothing to say.
fn score_arguments(spec: &ScoreSpec) -> Option<(&'static str, Map<String, Value>)> {
    let weighed = |resources: &[(String, i64)]| {
        let one = |(name, weight): &(String, i64)| json!({ "name": name, "weight": weight });
        json!(resources.iter().map(one).collect::<Vec<_>>())
    };
    let mut args = Map::new();
    let strategy = match spec {
        ScoreSpec::LeastAllocated { resources } => {
            args.insert("resources".into(), weighed(resources));
            "LeastAllocated"
        }
        ScoreSpec::MostAllocated { resources } => {
            args.insert("resources".into(), weighed(resources));
            "MostAllocated"
        }
        ScoreSpec::RequestedToCapacityRatio { resources, shape } => {
            args.insert("resources".into(), weighed(resources));
            args.insert("shape".into(), json!(shape));
            "RequestedToCapacityRatio"
        }
        ScoreSpec::BalancedAllocation { resources }
            if *spec != ScoreSpec::balanced_allocation() =>
        {
            let one = |name: &String| json!({ "name": name, "weight": 1 });
            args.insert("resources".into(), resources.iter().map(one).collect());
            ""
        }
        _ => return None,
    };
    Some((strategy, args))
}

fn fit(profile: &SchedulerProfile) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, names) in [
        ("ignoredResources", &profile.ignored_resources),
        ("ignoredResourceGroups", &profile.ignored_resource_groups),
    ] {
        if !names.is_empty() {
            out.insert(key.to_owned(), json!(names));
        }
    }
    out
}

fn inter_pod_affinity(profile: &SchedulerProfile) -> Map<String, Value> {
    let args = &profile.inter_pod_affinity;
    let mut out = Map::new();
    if *args != sim::scenario::InterPodAffinityArgs::default() {
        out.insert("hardPodAffinityWeight".into(), json!(args.hard_pod_affinity_weight));
        if args.ignore_preferred_terms_of_existing_pods {
            out.insert("ignorePreferredTermsOfExistingPods".into(), json!(true));
        }
    }
    out
}

/// A second scheduler under `name`, which is a name of Kubernetes' own kind, with `configuration`.
pub fn second_scheduler(
    name: &str,
    version: KubernetesVersion,
    configuration: &Value,
) -> Vec<Value> {
    let meta = json!({ "name": name, "namespace": NAMESPACE });
    let subjects = json!([{ "kind": "ServiceAccount", "name": name, "namespace": NAMESPACE }]);
    let group = "rbac.authorization.k8s.io";
    let binding = |suffix: &str, role: &str| {
        json!({
            "apiVersion": format!("{group}/v1"),
            "kind": "ClusterRoleBinding",
            "metadata": { "name": format!("{name}-{suffix}") },
            "subjects": subjects,
            "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": role },
        })
    };
    let in_namespace = |suffix: &str, role: &str| {
        json!({
            "apiVersion": format!("{group}/v1"),
            "kind": "RoleBinding",
            "metadata": { "name": format!("{name}-{suffix}"), "namespace": NAMESPACE },
            "subjects": subjects,
            "roleRef": { "apiGroup": group, "kind": "Role", "name": role },
        })
    };
    let leases = format!("{name}-leases");
    vec![
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta }),
        binding("as-kube-scheduler", "system:kube-scheduler"),
        binding("as-volume-scheduler", "system:volume-scheduler"),
        in_namespace("authentication-reader", "extension-apiserver-authentication-reader"),
        json!({
            "apiVersion": format!("{group}/v1"),
            "kind": "Role",
            "metadata": { "name": leases, "namespace": NAMESPACE },
            "rules": [{
                "apiGroups": ["coordination.k8s.io"],
                "resources": ["leases"],
                "verbs": ["create", "get", "list", "update", "watch"],
            }],
        }),
        in_namespace("leases", &leases),
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta,
            "data": { "config.yaml": yaml_text(std::slice::from_ref(configuration)) },
        }),
        deployment(name, version),
    ]
}

fn deployment(name: &str, version: KubernetesVersion) -> Value {
    let labels = json!({ "app.kubernetes.io/name": name });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "namespace": NAMESPACE, "labels": labels },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "serviceAccountName": name,
                    "priorityClassName": "system-cluster-critical",
                    "containers": [{
                        "name": "kube-scheduler",
                        "image": format!("registry.k8s.io/kube-scheduler:v{version}.0"),
                        "command": ["kube-scheduler", "--config=/etc/kube-scheduler/config.yaml"],
                        "resources": { "requests": { "cpu": "100m", "memory": "128Mi" } },
                        "livenessProbe": {
                            "httpGet": { "path": "/healthz", "port": 10259, "scheme": "HTTPS" },
                            "initialDelaySeconds": 15,
                        },
                        "volumeMounts": [{
                            "name": "config", "mountPath": "/etc/kube-scheduler", "readOnly": true,
                        }],
                    }],
                    "volumes": [{ "name": "config", "configMap": { "name": name } }],
                },
            },
        },
    })
}

#[cfg(test)]
mod tests;
