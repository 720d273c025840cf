//! Region, node groups, DaemonSets, shapes and prices.
//!
//! An eksctl file says what groups may be, a dump what they are at one moment: with both, the
//! groups are eksctl's and start with as many nodes as were seen. Left out: groups at zero nodes
//! where only a dump is given, for no node shows them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::group::Group;
use super::page::{Page, pool_name};
use super::{Import, one_line, prices};

/// The region that is taken where no file says one: a guess, with prices in the catalogue.
const REGION: &str = "us-east-1";

/// Writes the region unless eksctl's file says it; gives it.
pub(super) fn region(draft: &Draft, page: &mut Page, out: &mut Import) -> String {
    if let Some(region) = draft.eksctl_config().and_then(|config| config.region) {
        return region;
    }
    if let Some(region) = draft.cluster.region() {
        let why = format!("{}: labels of nodes", draft.cluster.file);
        page.entry(1, "region", &json!(region), &why);
        return region;
    }
    if let Some((region, file)) = draft.karpenter.region() {
        page.entry(1, "region", &json!(region), &format!("{file}: zones of a NodePool"));
        return region;
    }
    page.entry(1, "region", &json!(REGION), "a guess: no file says");
    out.unknown("spec.region", format!("{REGION}: prices and zones"));
    REGION.to_owned()
}

/// Writes `nodes`, `instanceTypes`, `prices` and `fees`.
pub(super) fn nodes(draft: &Draft, region: &str, page: &mut Page, out: &mut Import) {
    let groups = draft.cluster.groups();
    let mut bought: BTreeSet<(String, bool)> = BTreeSet::new();
    page.open(1, "nodes");
    if let Some(native) = &draft.eksctl {
        out.found(&native.file, "eksctl ClusterConfig", "spec.nodes.eksctl");
        let name = out.copy(&native.file, &native.name, &native.text);
        page.entry(2, "eksctl", &json!(name), &native.file);
        for group in draft.eksctl_config().into_iter().flat_map(|config| config.groups) {
            bought.extend(group.instance_types.into_iter().map(|name| (name, group.spot)));
        }
        overrides(draft, &groups, page, out);
    } else if groups.is_empty() {
        if !draft.karpenter.has_pools() {
            placeholder(page, out);
        }
    } else {
        let file = &draft.cluster.file;
        let nodes = draft.cluster.node_count();
        let what = format!("{nodes} nodes of a running cluster");
        out.found(file, what, format!("spec.nodes.pools: {} pools", groups.len()));
        page.open(2, "pools");
        let bounds = draft.bounds();
        for (name, group) in &groups {
            bought.extend(group.types.iter().map(|(name, _)| (name.clone(), group.spot)));
            pool(name, group, file, &bounds, page, out);
        }
    }
    daemonsets(draft, page, out);
    shapes(draft, page, out);
    price_lines(region, &bought, page, out);
}

/// Sizes that were seen, for groups of eksctl's.
fn overrides(draft: &Draft, groups: &BTreeMap<String, Group>, page: &mut Page, out: &mut Import) {
    let Some(config) = draft.eksctl_config() else { return };
    let file = &draft.cluster.file;
    let mut lines = Map::new();
    for (name, group) in groups {
        let known = config.groups.iter().find(|one| one.name == *name);
        let count = u32::try_from(group.count).unwrap_or(u32::MAX);
        match known {
            Some(one) if (one.min..=one.max).contains(&count) => {
                lines.insert(name.clone(), json!({ "desiredSize": count }));
            }
            Some(one) => out.ignore(
                file,
                format!(
                    "group `{}` has {count} nodes, which eksctl's file ({} to {}) does not allow",
                    one_line(name, 60),
                    one.min,
                    one.max,
                ),
            ),
            None => {
                let why = format!(
                    "group `{}` of {count} nodes is not in eksctl's file: add it there, or to \
                     `spec.nodes.pools`",
                    one_line(name, 60)
                );
                out.ignore(file, why);
            }
        }
    }
    if !lines.is_empty() {
        out.found(file, "nodes of a running cluster", "spec.nodes.overrides: sizes at the start");
        page.map(2, "overrides", &lines, &format!("{file}: nodes of each group"));
    }
}

/// Without any node group the scenario has one that says so.
fn placeholder(page: &mut Page, out: &mut Import) {
    let why = "a placeholder: no file has node groups";
    page.open(2, "pools");
    page.item(2, "name", &json!("placeholder"), why);
    page.entry(3, "instanceTypes", &json!(["m5.2xlarge"]), "a guess");
    page.entry(3, "minSize", &json!(1), "a guess");
    page.entry(3, "maxSize", &json!(20), "a guess");
    out.unknown(
        "spec.nodes.pools",
        "a placeholder of m5.2xlarge, without labels: give an eksctl file or `kubectl get nodes \
         -o json`",
    );
}

fn pool(
    name: &str,
    group: &Group,
    file: &str,
    bounds: &[(String, u32, u32)],
    page: &mut Page,
    out: &mut Import,
) {
    let named = pool_name(name);
    let why = format!("{file}: {} nodes by {}", group.count, group.by);
    page.item(2, "name", &json!(named), &why);
    let capacity = if group.spot { "spot" } else { "on-demand" };
    page.entry(3, "capacityType", &json!(capacity), &format!("{file}: labels of its nodes"));
    let types: Vec<&str> = group.types.iter().map(|(name, _)| name.as_str()).collect();
    let counts: Vec<String> = group.types.iter().map(|(_, count)| count.to_string()).collect();
    let why = format!("{file}: {} nodes of each", counts.join(", "));
    page.entry(3, "instanceTypes", &json!(types), &why);
    if !group.zones.is_empty() {
        page.entry(3, "zones", &json!(group.zones), &format!("{file}: labels of its nodes"));
    }
    let count = u32::try_from(group.count).unwrap_or(u32::MAX).min(1_000_000);
    let own = bounds.iter().filter(|(asg, ..)| {
        *asg == named
            || asg.starts_with(&format!("eks-{named}-"))
            || asg.ends_with(&format!("-{named}"))
    });
    // The longest name is the nearest one.
    match own.max_by_key(|(asg, ..)| asg.len()) {
        Some((_, min, max)) => {
            let why = "Cluster Autoscaler's own bounds";
            page.entry(3, "minSize", &json!(*min.min(&count)), why);
            page.entry(3, "desiredSize", &json!(count), &format!("{file}: its nodes"));
            page.entry(3, "maxSize", &json!(*max.max(&count)), why);
        }
        None => {
            let most = count.saturating_mul(2).max(count.saturating_add(10)).min(1_000_000);
            page.entry(3, "minSize", &json!(0), "a guess: nodes do not say");
            page.entry(3, "desiredSize", &json!(count), &format!("{file}: its nodes"));
            page.entry(3, "maxSize", &json!(most), "a guess: nodes do not say");
            let key = format!("spec.nodes.pools (minSize, maxSize of {})", one_line(&named, 60));
            out.unknown(&key, format!("0 and {most}: guesses; {count} nodes were seen"));
        }
    }
    if !group.labels.is_empty() {
        let labels = group.labels.iter().map(|(key, value)| (key.clone(), json!(value)));
        page.map(3, "labels", &labels.collect(), &format!("{file}: what its nodes share"));
    }
    if !group.taints.is_empty() {
        page.entry(3, "taints", &json!(group.taints), &format!("{file}: what its nodes share"));
    }
}

fn daemonsets(draft: &Draft, page: &mut Page, out: &mut Import) {
    let Some(found) = draft.cluster.daemonsets() else {
        let until_then = "150m CPU in 2 pods on every node; `kubectl get pods -A -o json` says it";
        out.unknown("spec.nodes.daemonsets", until_then);
        return;
    };
    let from = draft.cluster.pods_from();
    let value = json!({
        "cpu": format!("{}m", found.cpu.as_millis()),
        "memory": format!("{}Mi", found.memory.as_mib_ceil()),
        "pods": found.pods.min(1000),
    });
    let what = format!("{} pods of a running cluster", draft.cluster.pod_count());
    out.found(from, what, "spec.nodes.daemonsets: what DaemonSets request");
    let why = format!("{from}: pods of DaemonSets on the median node");
    page.entry(2, "daemonsets", &value, &why);
}

fn shapes(draft: &Draft, page: &mut Page, out: &mut Import) {
    let (types, guessed) = prices::shapes(&draft.cluster.shapes());
    if !types.is_empty() {
        let why = format!("{}: what kubelets say", draft.cluster.file);
        page.map(1, "instanceTypes", &types, &why);
    }
    for name in guessed {
        let key = format!("spec.instanceTypes.\"{name}\".onDemandPrice");
        out.unknown(&key, "a guess: the type is not in the catalogue");
    }
}

fn price_lines(region: &str, bought: &BTreeSet<(String, bool)>, page: &mut Page, out: &mut Import) {
    let missing = prices::missing(region, bought);
    let why = format!("a guess: those of {}; the catalogue has none of this region", missing.from);
    if !missing.by_type.is_empty() {
        page.map(1, "prices", &missing.by_type, &why);
        out.unknown("spec.prices", format!("{why}: set yours"));
    }
    if let Some(fees) = missing.fees.as_ref().and_then(Value::as_object) {
        page.map(1, "fees", fees, &why);
        out.unknown("spec.fees", format!("{why}: set yours"));
    }
}
