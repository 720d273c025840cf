//! `spec.autoscaler.karpenter`: manifests as they are deployed, changes to them, settings.
//!
//! Changes are put into the manifests' own trees before those are read, so that one reader sees
//! both and every problem has the place of who wrote it.

mod changes;
mod groups;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use sim::Severity;
use sim::scenario::{InstanceType, Karpenter, NodePool};
use sim::units::SimDuration;

use super::context::Context;
use super::instance_types::InstanceTypes;
use super::platform::{did_you_mean, json_of};
use super::settings::Settings;
use crate::native::karpenter as native;
use crate::problem::{Problem, Source};
use crate::walk::At;
use crate::yaml::{self, Node, Value};

/// What the section holds.
pub(super) struct Read {
    pub karpenter: Karpenter,
    /// How many other pools stand before its groups.
    pub others: usize,
    /// The types that it chooses from, before what single node classes tell their kubelets.
    pub types: Vec<InstanceType>,
    /// Zones of its subnets.
    pub zones: Vec<String>,
    /// The objects with the changes in them.
    pub documents: Vec<Json>,
}

/// Reads the section; its groups come behind the other `pools`.
pub(super) fn read(
    context: &Context<'_>,
    given: &Settings<'_>,
    types: &InstanceTypes,
    zones: &[String],
    region: &str,
    pools: &mut Vec<NodePool>,
) -> Option<Read> {
    let mut karpenter = settings(given);
    let mut texts = Texts { sources: context.walker.sources().to_vec(), objects: Vec::new() };
    for at in given.one_or_more("manifests") {
        texts.read(context, &at);
    }
    changes::apply(context, given, &mut texts.objects);
    let objects: Vec<&Node> = texts.objects.iter().collect();
    let read = context.take(native::read(&texts.sources, &objects));
    if read.node_pools.is_empty() && context.walker.is_clean() {
        given.fields.at.problem("no NodePool among the manifests: Karpenter launches nothing");
    }
    let own = given.texts("zones").unwrap_or_default();
    let own: Vec<String> = own.iter().filter_map(At::name).collect();
    let zones = if own.is_empty() { zones } else { &own };
    let names = names(context, given, types);
    let mut makes = groups::Groups::new(context, types, names, zones, region, pools.len());
    let drifts: BTreeMap<&str, Vec<SimDuration>> = given
        .named_sections("nodePools")
        .into_iter()
        .filter_map(|(key, change)| Some((key.name.as_str(), change.durations("driftAt")?)))
        .collect();
    for mut pool in read.node_pools {
        pool.pool.drift_at = drifts.get(pool.pool.name.as_str()).cloned().unwrap_or_default();
        let class = read.node_classes.iter().find(|class| class.name == pool.class.0);
        makes.add(pool, class, &mut karpenter.node_pools);
    }
    let kept = objects.iter().filter(|object| is_ours(object));
    let documents = kept.map(|object| native::write::plain(json_of(object))).collect();
    let (groups, types) = makes.finish();
    say(context, &groups);
    let others = pools.len();
    for group in &groups {
        if pools.iter().any(|pool| pool.name == group.name) {
            let message = format!("`{}` is the name of another node pool, too", group.name);
            given.fields.at.problem(message);
        }
    }
    pools.extend(groups);
    Some(Read { karpenter, others, types, zones: zones.to_vec(), documents })
}

fn is_ours(object: &Node) -> bool {
    matches!(native::identity(object).0, "NodePool" | "EC2NodeClass")
}

/// Texts of the scenario and of the manifests, and the objects in them.
struct Texts {
    sources: Vec<Source>,
    objects: Vec<Node>,
}

impl Texts {
    /// A file of manifests, or an object in place.
    fn read(&mut self, context: &Context<'_>, at: &At<'_>) {
        if let Value::Map(_) = at.node.value {
            self.objects.extend(native::objects(at.node).into_iter().cloned());
            return;
        }
        if at.node.scalar_text().is_none() || matches!(at.node.value, Value::Bool(_)) {
            at.wrong_type("a path, or an object");
            return;
        }
        let Some(file) = context.read(at) else { return };
        let Ok(number) = u16::try_from(self.sources.len()) else {
            return at.problem("too many files");
        };
        self.sources.push(Source::new(file.name, file.text));
        let parsed = yaml::parse_as(&self.sources[usize::from(number)], number);
        let mut found: Vec<Problem> = parsed.problems;
        let documents = parsed.documents.iter().filter(|document| !document.is_null());
        let objects: Vec<&Node> = documents.flat_map(native::objects).collect();
        if !objects.iter().any(|object| is_ours(object)) && found.is_empty() {
            let source = &self.sources[usize::from(number)];
            let message = "neither a NodePool nor an EC2NodeClass is in this file";
            found.push(Problem::new(source, crate::problem::Pos::default(), message));
        }
        self.objects.extend(objects.into_iter().cloned());
        context.take_notes(found, Vec::new());
    }
}

/// The types to choose from.
fn names(context: &Context<'_>, given: &Settings<'_>, types: &InstanceTypes) -> BTreeSet<String> {
    let Some(listed) = given.texts("instanceTypes") else {
        return types.names();
    };
    let known = types.names();
    let mut out = BTreeSet::new();
    for at in &listed {
        let Some(name) = at.name() else { continue };
        if known.contains(&name) {
            out.insert(name);
        } else {
            let help = did_you_mean(&name, known.iter().map(String::as_str));
            let place = crate::native::Place::of(at);
            context.problem_at(&place, format!("unknown instance type `{name}`"), help);
        }
    }
    // Without any, every requirement would look wrong.
    if out.is_empty() { known } else { out }
}

fn settings(given: &Settings<'_>) -> Karpenter {
    let default = Karpenter::default();
    let Some(given) = given.section("settings") else { return default };
    let gates = given.section("featureGates");
    let gate = |key: &str| gates.as_ref().and_then(|gates| gates.bool(key)).unwrap_or(false);
    Karpenter {
        batch_idle_duration: given
            .duration("batchIdleDuration")
            .unwrap_or(default.batch_idle_duration),
        batch_max_duration: given
            .duration("batchMaxDuration")
            .unwrap_or(default.batch_max_duration),
        vm_memory_overhead: given
            .float("vmMemoryOverheadPercent")
            .unwrap_or(default.vm_memory_overhead),
        spot_to_spot_consolidation: gate("spotToSpotConsolidation"),
        ignore_preferences: given.choice("preferencePolicy") == Some("Ignore"),
        min_values_best_effort: given.choice("minValuesPolicy") == Some("BestEffort"),
        node_pools: Vec::new(),
    }
}

/// Says what of a scenario with Karpenter nobody told us.
fn say(context: &Context<'_>, groups: &[NodePool]) {
    let zones = groups.iter().flat_map(|group| &group.zones).collect::<BTreeSet<_>>();
    if zones.is_empty() {
        return;
    }
    let zones: Vec<&str> = zones.into_iter().map(String::as_str).collect();
    let message = format!(
        "subnets are chosen by what AWS knows of them; nodes are launched in {}",
        zones.join(", ")
    );
    context.note(Severity::Info, "assumption", "spec.autoscaler.karpenter.zones", message);
}
