//! One node group: shape, size, capacity type, labels and taints.

use sim::scenario::{AllocationStrategy, Taint, TaintEffect};

use super::super::keys::{Reader, string_map};
use super::NodeGroupSpec;
use crate::native::pod_template::EFFECTS;
use crate::walk::{At, Fields};

/// eksctl's default root volume. Source: its JSON Schema, `volumeSize`.
const DEFAULT_VOLUME_GIB: u32 = 80;

/// eksctl's default number of nodes. Source: `DefaultNodeCount` in `pkg/apis/eksctl.io`.
const DEFAULT_NODE_COUNT: u32 = 2;

/// eksctl's default instance type. Source: its documentation and `DefaultNodeType`.
const DEFAULT_INSTANCE_TYPE: &str = "m5.large";

const MODELLED: [&str; 16] = [
    "availabilityZones",
    "desiredCapacity",
    "instanceSelector",
    "instanceType",
    "instanceTypes",
    "instancesDistribution",
    "labels",
    "launchTemplate",
    "localZones",
    "maxPodsPerNode",
    "maxSize",
    "minSize",
    "name",
    "spot",
    "taints",
    "volumeSize",
];

const IRRELEVANT: [&str; 36] = [
    "ami",
    "amiFamily",
    "asgMetricsCollection",
    "bottlerocket",
    "classicLoadBalancerNames",
    "clusterDNS",
    "containerRuntime",
    "disableIMDSv1",
    "disablePodIMDS",
    "ebsOptimized",
    "efaEnabled",
    "enableDetailedMonitoring",
    "enclaveEnabled",
    "iam",
    "instanceName",
    "instancePrefix",
    "nodeRepairConfig",
    "outpostARN",
    "overrideBootstrapCommand",
    "preBootstrapCommands",
    "privateNetworking",
    "propagateASGTags",
    "releaseVersion",
    "securityGroups",
    "ssh",
    "subnets",
    "tags",
    "targetGroupARNs",
    "updateConfig",
    "volumeEncrypted",
    "volumeIOPS",
    "volumeKmsKeyID",
    "volumeName",
    "volumeThroughput",
    "volumeType",
    "disableASGTagPropagation",
];

/// Reads one item of `managedNodeGroups` or `nodeGroups`.
pub(super) fn read<'a>(reader: &Reader<'a>, at: &At<'a>, managed: bool) -> Option<NodeGroupSpec> {
    let fields = reader.fields(at, &MODELLED, &IRRELEVANT)?;
    let name = fields.require("name").and_then(|at| at.name());
    for key in ["instanceSelector", "launchTemplate", "localZones"] {
        if let Some(at) = fields.get(key) {
            at.not_modelled();
        }
    }
    let (instance_types, spot) = capacity(reader, &fields, managed);
    let distribution = fields.get("instancesDistribution");
    let allocation_strategy = distribution.and_then(|at| strategy(&at));
    let [min, desired, max] = sizes(&fields);
    let labels = string_map(&fields, "labels");
    let zones = fields.get("availabilityZones").and_then(|at| at.list_of(At::name));
    Some(NodeGroupSpec {
        name: name?,
        managed,
        instance_types,
        spot,
        allocation_strategy,
        min,
        desired,
        max,
        labels,
        taints: fields.get("taints").map_or(Vec::new(), |at| taints(reader, &at)),
        zones: zones.unwrap_or_default(),
        volume_gib: fields
            .get("volumeSize")
            .and_then(|at| at.int(1..=65_536))
            .and_then(|gib| u32::try_from(gib).ok())
            .unwrap_or(DEFAULT_VOLUME_GIB),
        max_pods: fields
            .get("maxPodsPerNode")
            .and_then(|at| at.int(1..=10_000))
            .and_then(|pods| u32::try_from(pods).ok()),
    })
}

/// Instance types and whether they are spot.
fn capacity<'a>(reader: &Reader<'a>, fields: &Fields<'a>, managed: bool) -> (Vec<String>, bool) {
    let list = |fields: &Fields<'a>, key: &str| {
        let at = fields.get(key)?;
        let names = at.list_of(At::name)?;
        if names.is_empty() {
            at.problem("an empty list of instance types");
        }
        Some(names)
    };
    if let Some(at) = fields.get("instancesDistribution") {
        if managed {
            at.problem("`instancesDistribution` is of `nodeGroups`; managed groups have `spot`");
        } else {
            return distribution(reader, &at, |fields| list(fields, "instanceTypes"));
        }
    }
    let spot_at = fields.get("spot");
    if let Some(at) = spot_at.as_ref().filter(|_| !managed) {
        at.problem("`spot` is of `managedNodeGroups`; other groups have `instancesDistribution`");
    }
    let spot = spot_at.and_then(|at| at.bool()).unwrap_or(false);
    let one = fields.get("instanceType").filter(|at| at.node.scalar_text() != Some("mixed"));
    let several = list(fields, "instanceTypes");
    let types = match (one, several) {
        (Some(at), Some(_)) => {
            at.problem("`instanceType` and `instanceTypes` exclude each other");
            Vec::new()
        }
        (Some(at), None) => at.name().into_iter().collect(),
        (None, Some(types)) => types,
        (None, None) => vec![DEFAULT_INSTANCE_TYPE.to_owned()],
    };
    (types, spot)
}

/// An Auto Scaling group with a mixed-instances policy. The model has groups that are all spot or
/// all on-demand: the share above the base decides.
fn distribution<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
    types: impl Fn(&Fields<'a>) -> Option<Vec<String>>,
) -> (Vec<String>, bool) {
    let modelled = [
        "instanceTypes",
        "onDemandBaseCapacity",
        "onDemandPercentageAboveBaseCapacity",
        "spotAllocationStrategy",
    ];
    let Some(fields) = reader.fields(at, &modelled, &[]) else {
        return (Vec::new(), false);
    };
    let base = fields.get("onDemandBaseCapacity");
    let base = base.and_then(|at| at.count(0)).unwrap_or(0);
    let share_at = fields.get("onDemandPercentageAboveBaseCapacity");
    let share = share_at.and_then(|at| at.int(0..=100)).unwrap_or(100);
    let spot = share < 50;
    if base > 0 || !matches!(share, 0 | 100) {
        let taken = if spot { "spot" } else { "on-demand" };
        let message = format!(
            "a group of {base} on-demand nodes and {share} % of the others on-demand is read as \
             all {taken}: mixed groups are not modelled"
        );
        reader.warn(at, "not-modelled", message);
    }
    if fields.at.node.get("instanceTypes").is_none() {
        fields.require("instanceTypes");
    }
    (types(&fields).unwrap_or_default(), spot)
}

/// How an Auto Scaling group chooses among its spot pools, where that is said.
fn strategy(distribution: &At<'_>) -> Option<AllocationStrategy> {
    let name = distribution.node.get("spotAllocationStrategy")?.scalar_text()?;
    let known = AllocationStrategy::NAMES.iter().filter(|(_, found)| found.is_of_spot());
    let found = known.clone().find(|(known, _)| *known == name);
    if found.is_none() {
        let names: Vec<&str> = known.map(|(name, _)| *name).collect();
        let message = format!("`spotAllocationStrategy` is `{name}`; one of {}", names.join(", "));
        distribution.problem(message);
    }
    found.map(|(_, strategy)| *strategy)
}

/// Minimum, desired and maximum size from those that are said.
pub(super) fn sizes_of([min, desired, max]: [Option<u32>; 3]) -> [u32; 3] {
    let least = min.or(desired).unwrap_or(DEFAULT_NODE_COUNT);
    let start = desired.unwrap_or(least);
    [least, start, max.unwrap_or(start)]
}

/// Minimum, desired and maximum size: the bounds follow the desired size, and without any there
/// are two nodes.
fn sizes(fields: &Fields<'_>) -> [u32; 3] {
    let read = |key: &str| fields.get(key).and_then(|at| at.count(0));
    let (min, desired, max) = (read("minSize"), read("desiredCapacity"), read("maxSize"));
    let [least, start, most] = sizes_of([min, desired, max]);
    let problem = |key: &str, message: String| {
        let at = fields.get(key).unwrap_or_else(|| fields.at.clone());
        at.problem(message);
    };
    if most < least {
        let origin = match (min, desired) {
            (None, None) => " (eksctl's default)",
            _ => "",
        };
        problem("maxSize", format!("`maxSize` {most} is below `minSize` {least}{origin}"));
    } else if !(least..=most).contains(&start) {
        let message = format!("`desiredCapacity` {start} is not within {least} to {most}");
        problem("desiredCapacity", message);
    }
    [least, start, most]
}

/// Taints as a list of key, value and effect, or as a map `key: "value:Effect"`.
fn taints<'a>(reader: &Reader<'a>, at: &At<'a>) -> Vec<Taint> {
    if at.node.entries().next().is_none() {
        return at.list_of(|at| listed(reader, at)).unwrap_or_default();
    }
    let entries = at.entries().unwrap_or_default().into_iter();
    entries
        .filter_map(|(key, at)| {
            let text = at.string()?;
            let (value, effect) = text.rsplit_once(':').unwrap_or(("", &text));
            let effect = effect_of(&at, effect)?;
            Some(Taint { key: key.name.clone(), value: value.to_owned(), effect })
        })
        .collect()
}

fn listed<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<Taint> {
    let fields = reader.fields(at, &["key", "value", "effect"], &[])?;
    let key = fields.require("key").and_then(|at| at.name());
    let effect = fields.require("effect").and_then(|at| at.one_of(&EFFECTS));
    Some(Taint { key: key?, value: fields.string("value").unwrap_or_default(), effect: effect? })
}

fn effect_of(at: &At<'_>, name: &str) -> Option<TaintEffect> {
    let found = EFFECTS.iter().find(|(known, _)| *known == name);
    if found.is_none() {
        let shown: String = name.chars().take(80).collect();
        at.problem_with_help(
            format!("unknown taint effect `{shown}`"),
            "value:Effect, where Effect is NoSchedule, PreferNoSchedule or NoExecute",
        );
    }
    found.map(|(_, effect)| *effect)
}
