//! Node pools: those of an eksctl file, then those in place, then changes by name.

use std::collections::{BTreeMap, BTreeSet};

use sim::Severity;
use sim::scenario::{AllocationStrategy, CapacityType, InstanceType, NodePool, Taint, TaintEffect};
use sim::units::{Bytes, HourlyPrice};

use super::context::Context;
use super::instance_types::InstanceTypes;
use super::node_list;
use super::platform::{did_you_mean, duplicate};
use super::settings::Settings;
use crate::native::{
    Place,
    eksctl::{EksctlConfig, NodeGroupSpec, provider_labels},
};
use crate::problem::{Pos, Source};
use crate::walk::At;
use crate::yaml::{self, Node};

/// Root volume of a pool that names none. Source: eksctl's default `volumeSize` of 80.
const VOLUME_GIB: u64 = 80;

/// An eksctl file and what it says.
pub(super) struct EksctlFile {
    pub name: String,
    pub text: String,
    pub config: EksctlConfig,
}

/// A pool as a file has it: what it does not say is `None`.
struct PoolSpec {
    place: Place,
    name: String,
    capacity_type: Option<CapacityType>,
    instance_types: Option<Vec<(String, Place)>>,
    sizes: [Option<(u32, Place)>; 3],
    zones: Option<Vec<String>>,
    labels: Option<BTreeMap<String, String>>,
    taints: Option<Vec<Taint>>,
    volume: Option<Bytes>,
    scale_down_disabled: Option<bool>,
    max_pods: Option<u32>,
    allocation_strategy: Option<AllocationStrategy>,
}

/// Reads every pool; `may_be_none` where something else launches nodes. What cannot be a pool has been reported and is left out.
pub(super) fn read(
    context: &Context<'_>,
    nodes: Option<&Settings<'_>>,
    eksctl: Option<EksctlFile>,
    types: &InstanceTypes,
    region: Option<&str>,
    may_be_none: bool,
) -> Vec<NodePool> {
    let mut specs = eksctl.map(from_eksctl).unwrap_or_default();
    let own = nodes.and_then(|nodes| nodes.sections("pools")).unwrap_or_default();
    specs.extend(own.iter().filter_map(|pool| {
        let name = pool.text("name");
        Some(PoolSpec { name: name?, ..spec(pool) })
    }));
    let overrides = nodes.map(|nodes| nodes.named_sections("overrides"));
    for (key, change) in overrides.unwrap_or_default() {
        let change = change.partial();
        match specs.iter_mut().find(|spec| spec.name == key.name) {
            Some(pool) => change_pool(pool, spec(&change)),
            None => {
                let help = did_you_mean(&key.name, specs.iter().map(|spec| spec.name.as_str()));
                let message = format!("there is no pool `{}`", key.name);
                let path = &change.fields.at.path;
                context.walker.problem(key.pos, path, message, help);
            }
        }
    }
    let list = nodes.and_then(|nodes| nodes.at("list"));
    let mut listed =
        list.as_ref().map(|at| node_list::read(context, at, region)).unwrap_or_default();
    if specs.is_empty() && listed.is_empty() && !may_be_none && context.walker.is_clean() {
        let at = nodes.map(|nodes| &nodes.fields.at);
        let help = "name an eksctl file in `spec.nodes.eksctl`, or list `spec.nodes.pools`";
        match at {
            Some(at) => at.problem_with_help("no node pools", help),
            None => {
                let problem = crate::problem::Problem::of_file(
                    context.main_file(),
                    "`spec.nodes` is missing: no node pools",
                );
                context.walker.report(problem.with_path("spec.nodes").with_help(help));
            }
        }
    }
    find_duplicates(context, &specs);
    let zones = default_zones(nodes, region);
    let own = specs.into_iter().filter_map(|spec| pool(context, spec, types, region, &zones));
    let pools = own.collect::<Vec<_>>();
    listed.splice(0..0, pools);
    listed
}

fn find_duplicates(context: &Context<'_>, specs: &[PoolSpec]) {
    let mut lines: BTreeMap<&str, u32> = BTreeMap::new();
    for spec in specs {
        if let Some(line) = lines.insert(&spec.name, spec.place.line()) {
            duplicate(context, &spec.place, "node pool", &spec.name, line);
        }
    }
}

/// `spec.nodes.zones`, else the first three of the region.
pub(super) fn default_zones(nodes: Option<&Settings<'_>>, region: Option<&str>) -> Vec<String> {
    let given = nodes.and_then(|nodes| nodes.texts("zones"));
    let given: Vec<String> = given.unwrap_or_default().iter().filter_map(At::name).collect();
    if given.is_empty() {
        let region = region.unwrap_or_default();
        ["a", "b", "c"].map(|letter| format!("{region}{letter}")).to_vec()
    } else {
        given
    }
}

/// The groups of an eksctl file, with the places of their settings in it.
fn from_eksctl(file: EksctlFile) -> Vec<PoolSpec> {
    let source = Source::new(file.name, file.text);
    let documents = yaml::parse(&source).documents;
    let groups = documents.iter().flat_map(|document| {
        let lists = ["managedNodeGroups", "nodeGroups"].map(|key| document.get(key));
        lists.into_iter().flatten().flat_map(Node::items)
    });
    let groups: Vec<&Node> = groups.collect();
    let spec = |group: NodeGroupSpec| {
        let named = |node: &&&Node| {
            node.get("name").and_then(Node::scalar_text) == Some(group.name.as_str())
        };
        let node = groups.iter().find(named).copied();
        let place_of = |node: Option<&Node>| {
            Place::new(&source, node.map_or_else(Pos::default, |node| node.pos))
                .with_path(group.name.clone())
        };
        let place = |key: &str| place_of(node.and_then(|node| node.get(key).or(node.get("name"))));
        let size = |count: u32, key: &str| Some((count, place(key)));
        let listed = node.and_then(|node| node.get("instanceTypes")).map_or(&[][..], Node::items);
        let type_place = |index: usize| match listed.get(index) {
            Some(item) => place_of(Some(item)),
            None => place("instanceType"),
        };
        let types = group.instance_types.iter().enumerate();
        PoolSpec {
            place: place("name"),
            name: group.name.clone(),
            capacity_type: Some(if group.spot {
                CapacityType::Spot
            } else {
                CapacityType::OnDemand
            }),
            instance_types: Some(
                types.map(|(index, name)| (name.clone(), type_place(index))).collect(),
            ),
            sizes: [
                size(group.min, "minSize"),
                size(group.desired, "desiredCapacity"),
                size(group.max, "maxSize"),
            ],
            zones: (!group.zones.is_empty()).then(|| group.zones.clone()),
            labels: Some(group.labels.clone()),
            taints: Some(group.taints.clone()),
            volume: Some(Bytes::gib(u64::from(group.volume_gib))),
            scale_down_disabled: None,
            max_pods: group.max_pods,
            allocation_strategy: group.allocation_strategy.filter(|_| group.spot),
        }
    };
    file.config.groups.into_iter().map(spec).collect()
}

/// What a map of the file says about a pool; its name aside.
fn spec(given: &Settings<'_>) -> PoolSpec {
    let capacity = given.choice("capacityType");
    let size = |key: &str| {
        let count = given.count(key)?;
        Some((count, Place::of(&given.optional(key)?)))
    };
    let taints = given.sections("taints");
    let zones = given.texts("zones");
    PoolSpec {
        place: Place::of(&given.optional("name").unwrap_or_else(|| given.fields.at.clone())),
        name: String::new(),
        capacity_type: capacity.map(|name| match name {
            "spot" => CapacityType::Spot,
            _ => CapacityType::OnDemand,
        }),
        instance_types: given
            .texts("instanceTypes")
            .map(|names| names.iter().filter_map(|at| Some((at.name()?, Place::of(at)))).collect()),
        sizes: ["minSize", "desiredSize", "maxSize"].map(size),
        zones: zones.map(|zones| zones.iter().filter_map(At::name).collect()),
        labels: given.at("labels").and_then(|at| at.string_map()),
        taints: taints.map(|taints| taints.iter().filter_map(taint).collect()),
        volume: given.bytes("volumeSize"),
        scale_down_disabled: given.bool("scaleDownDisabled"),
        max_pods: given.count("maxPods"),
        allocation_strategy: given.choice("allocationStrategy").map(strategy),
    }
}

fn strategy(name: &str) -> AllocationStrategy {
    let found = AllocationStrategy::NAMES.iter().find(|(known, _)| *known == name);
    found.map_or_else(AllocationStrategy::default, |(_, strategy)| *strategy)
}

fn taint(given: &Settings<'_>) -> Option<Taint> {
    let (key, effect) = (given.text("key"), given.choice("effect"));
    Some(Taint {
        key: key?,
        value: given.at("value").and_then(|at| at.string()).unwrap_or_default(),
        effect: match effect? {
            "NoSchedule" => TaintEffect::NoSchedule,
            "PreferNoSchedule" => TaintEffect::PreferNoSchedule,
            _ => TaintEffect::NoExecute,
        },
    })
}

fn change_pool(pool: &mut PoolSpec, change: PoolSpec) {
    pool.capacity_type = change.capacity_type.or(pool.capacity_type);
    for (size, changed) in pool.sizes.iter_mut().zip(change.sizes) {
        if changed.is_some() {
            *size = changed;
        }
    }
    if change.instance_types.is_some() {
        pool.instance_types = change.instance_types;
    }
    if change.zones.is_some() {
        pool.zones = change.zones;
    }
    if change.labels.is_some() {
        pool.labels = change.labels;
    }
    if change.taints.is_some() {
        pool.taints = change.taints;
    }
    pool.volume = change.volume.or(pool.volume);
    pool.scale_down_disabled = change.scale_down_disabled.or(pool.scale_down_disabled);
    pool.max_pods = change.max_pods.or(pool.max_pods);
    pool.allocation_strategy = change.allocation_strategy.or(pool.allocation_strategy);
}

fn pool(
    context: &Context<'_>,
    spec: PoolSpec,
    types: &InstanceTypes,
    region: Option<&str>,
    zones: &[String],
) -> Option<NodePool> {
    let capacity_type = spec.capacity_type.unwrap_or(CapacityType::OnDemand);
    let spot = capacity_type == CapacityType::Spot;
    let mut seen = BTreeSet::new();
    let named = spec.instance_types.as_deref().unwrap_or_default();
    if named.is_empty() && spec.instance_types.is_some() {
        let message = format!("node pool `{}` has no instance types", spec.name);
        context.problem_at(&spec.place, message, None);
    }
    let mut instance_types = Vec::new();
    for (name, place) in named {
        if !seen.insert(name) {
            duplicate(context, place, "instance type", name, 0);
        } else if let Some(found) = types.get(context, name, spot, place) {
            instance_types.push(found);
        }
    }
    let sizes = sizes(context, &spec);
    let first: &InstanceType = instance_types.first()?;
    let odd: Vec<&str> =
        instance_types.iter().filter(|t| t.arch != first.arch).map(|t| t.name.as_str()).collect();
    if !odd.is_empty() {
        let message = format!(
            "node pool `{}` mixes processors: {} is {}, {} not",
            spec.name,
            first.name,
            first.arch,
            odd.join(", "),
        );
        context.problem_at(&spec.place, message, None);
    }
    let [min_size, desired_size, max_size] = sizes?;
    too_dear(context, &spec, max_size, &instance_types);
    let mut labels = provider_labels(&spec.name, capacity_type, first, region);
    labels.extend(spec.labels.unwrap_or_default());
    Some(NodePool {
        labels,
        name: spec.name,
        capacity_type,
        instance_types,
        zones: spec.zones.filter(|own| !own.is_empty()).unwrap_or_else(|| zones.to_vec()),
        min_size,
        desired_size,
        max_size,
        taints: spec.taints.unwrap_or_default(),
        volume: spec.volume.unwrap_or(Bytes::gib(VOLUME_GIB)),
        scale_down_disabled: spec.scale_down_disabled.unwrap_or(false),
        max_pods: spec.max_pods,
        allocation_strategy: spec.allocation_strategy.unwrap_or_default(),
    })
}

/// A bill is kept in nano-dollars, in 63 bits: a year at the most that a pool may cost fits.
fn too_dear(context: &Context<'_>, spec: &PoolSpec, max_size: u32, types: &[InstanceType]) {
    const MOST_USD_PER_HOUR: f64 = 1e6;
    let prices = types.iter().map(|t| t.on_demand_price.as_usd_f64());
    let spot = types.iter().filter_map(|t| t.spot_price).map(HourlyPrice::as_usd_f64);
    let per_hour = prices.chain(spot).fold(0.0, f64::max) * f64::from(max_size);
    if let Some((_, place)) = spec.sizes[2].as_ref().filter(|_| per_hour > MOST_USD_PER_HOUR) {
        let message = format!(
            "node pool `{}`: {max_size} nodes would cost ${per_hour:.0} an hour, more than a bill \
             can hold",
            spec.name,
        );
        let help = format!("at most ${MOST_USD_PER_HOUR:.0} an hour for a pool");
        context.problem_at(place, message, Some(help));
    }
}

/// Fewest, first and most nodes; `None` where they cannot be.
fn sizes(context: &Context<'_>, spec: &PoolSpec) -> Option<[u32; 3]> {
    let [min, desired, max] = &spec.sizes;
    let (max, max_place) = max.as_ref()?;
    let min_size = min.as_ref().map_or(0, |(size, _)| *size);
    if min_size > *max {
        let message =
            format!("node pool `{}`: minSize {min_size} is above maxSize {max}", spec.name);
        context.problem_at(max_place, message, None);
        return None;
    }
    let desired_size = match desired {
        Some((size, place)) if !(min_size..=*max).contains(size) => {
            // An override of a limit moves the size that came with the old limits.
            if place.line() != max_place.line() || place.file() != max_place.file() {
                let moved = (*size).clamp(min_size, *max);
                let message = format!(
                    "node pool `{}` starts with {moved} nodes: desiredSize {size} is not within \
                     {min_size} to {max}",
                    spec.name,
                );
                context.note(Severity::Warning, "size-moved", &spec.name, message);
                moved
            } else {
                let message = format!(
                    "node pool `{}`: desiredSize {size} is not within minSize {min_size} to \
                     maxSize {max}",
                    spec.name,
                );
                context.problem_at(place, message, None);
                return None;
            }
        }
        Some((size, _)) => *size,
        None => min_size,
    };
    Some([min_size, desired_size, *max])
}
