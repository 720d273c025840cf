//! A user's own eksctl file with other values: scalars by their places, and scalars that are
//! missing.
//!
//! Left out, each as a finding: lists that become longer or shorter, taints, zones, labels that
//! come or go, strategies, groups that come, scalars that an alias shares.

use sim::Finding;
use sim::scenario::{CapacityType, NodePool, Scenario};

use super::group::sizes_of;
use super::write::{own_labels, volume_gib};
use super::{NodeGroupSpec, read};
use crate::native::patch::Patch;
use crate::native::yaml_patch::{Patching, entry, quoted};
use crate::problem::Source;
use crate::yaml::{self, Node};

/// The changes to the file that make its node groups, region and release those of `scenario`, and
/// what cannot be changed in place.
pub fn patch(file: &str, text: &str, scenario: &Scenario) -> (Patch, Vec<Finding>) {
    let documents = yaml::parse(&Source::new(file, text)).documents;
    let mut patching = Patching::new(file, text, &documents);
    if !patching.may_change() {
        return patching.finish();
    }
    let config = read(file, text).value;
    let mut first = true;
    for document in documents.iter().filter(|node| kind(node) == "ClusterConfig") {
        if std::mem::take(&mut first)
            && let Some(metadata) = document.get("metadata")
        {
            patching.metadata(metadata, &config.region, &config.version, scenario);
        }
        let lists = ["managedNodeGroups", "nodeGroups"].map(|key| document.get(key));
        for node in lists.into_iter().flatten().flat_map(Node::items) {
            let name = node.get("name").and_then(Node::scalar_text);
            let spec = config.groups.iter().find(|group| Some(group.name.as_str()) == name);
            let pool = scenario.node_groups().find(|pool| Some(pool.name.as_str()) == name);
            match (spec, pool) {
                (Some(spec), Some(pool)) => patching.group(node, spec, pool, &scenario.region),
                (_, None) => patching.note(node.pos.line, "the group has no pool".to_owned()),
                _ => {}
            }
        }
    }
    for pool in scenario.node_groups() {
        if !config.groups.iter().any(|group| group.name == pool.name) {
            patching.note(0, format!("pool `{}` is not in the file: add it", pool.name));
        }
    }
    patching.finish()
}

fn kind(node: &Node) -> &str {
    node.get("kind").and_then(Node::scalar_text).unwrap_or_default()
}

impl Patching<'_> {
    fn metadata(
        &mut self,
        node: &Node,
        region: &Option<String>,
        version: &Option<String>,
        scenario: &Scenario,
    ) {
        if region.as_ref().is_some_and(|region| *region != scenario.region) {
            self.scalar(node, "region", &quoted(&scenario.region));
        }
        let wanted = scenario.kubernetes.to_string();
        if version.as_ref().is_some_and(|version| *version != wanted) {
            self.scalar(node, "version", &format!("\"{wanted}\""));
        }
    }

    fn group(&mut self, node: &Node, spec: &NodeGroupSpec, pool: &NodePool, region: &str) {
        self.sizes(node, spec, pool);
        let volume = volume_gib(pool.volume);
        if volume != u64::from(spec.volume_gib) {
            self.scalar(node, "volumeSize", &volume.to_string());
        }
        match (spec.max_pods, pool.max_pods) {
            (before, Some(now)) if before != Some(now) => {
                self.scalar(node, "maxPodsPerNode", &now.to_string());
            }
            (Some(_), None) => {
                self.note(node.pos.line, format!("`{}` loses maxPodsPerNode", pool.name));
            }
            _ => {}
        }
        let spot = pool.capacity_type == CapacityType::Spot;
        if spot != spec.spot {
            if spec.managed {
                self.scalar(node, "spot", if spot { "true" } else { "false" });
            } else {
                let message = format!("`{}` changes between spot and on-demand", pool.name);
                self.note(node.pos.line, message);
            }
        }
        self.instance_types(node, spec, pool);
        self.labels(node, spec, pool, region);
        self.others(node, spec, pool);
    }

    /// Sizes follow from each other in the file, where they are not written: one that would follow
    /// a change is written.
    fn sizes(&mut self, node: &Node, spec: &NodeGroupSpec, pool: &NodePool) {
        let keys = ["minSize", "desiredCapacity", "maxSize"];
        let before = [spec.min, spec.desired, spec.max];
        let now = [pool.min_size, pool.desired_size, pool.max_size];
        let said: [Option<u32>; 3] = std::array::from_fn(|place| {
            let is_there = node.get(keys[place]).is_some() || before[place] != now[place];
            is_there.then_some(now[place])
        });
        let follows = sizes_of(said);
        for place in 0..keys.len() {
            let changes = before[place] != now[place];
            if changes || said[place].is_none() && follows[place] != now[place] {
                self.scalar(node, keys[place], &now[place].to_string());
            }
        }
    }

    fn instance_types(&mut self, node: &Node, spec: &NodeGroupSpec, pool: &NodePool) {
        let wanted: Vec<&str> = pool.instance_types.iter().map(|one| one.name.as_str()).collect();
        if spec.instance_types == wanted {
            return;
        }
        let holder = node.get("instancesDistribution").unwrap_or(node);
        let listed = holder.get("instanceTypes").map_or(&[][..], Node::items);
        if listed.len() == wanted.len() {
            for (item, name) in listed.iter().zip(&wanted) {
                if item.scalar_text() != Some(name) {
                    self.value(item, &quoted(name));
                }
            }
        } else if listed.is_empty() && wanted.len() == 1 {
            self.scalar(node, "instanceType", &quoted(wanted[0]));
        } else if listed.is_empty()
            && let Some((key, value)) = entry(node, "instanceType")
            && self.is_plain(value)
        {
            // One type becomes several: the key changes too.
            self.patch.replace(key.pos, key.name.chars().count(), "instanceTypes");
            let names: Vec<String> = wanted.iter().map(|name| quoted(name)).collect();
            self.value(value, &format!("[{}]", names.join(", ")));
        } else {
            let (name, types) = (&pool.name, wanted.join(", "));
            self.note(node.pos.line, format!("`{name}` has the instance types {types}"));
        }
    }

    fn labels(&mut self, node: &Node, spec: &NodeGroupSpec, pool: &NodePool, region: &str) {
        for (key, before) in &spec.labels {
            match pool.labels.get(key) {
                Some(now) if now != before => {
                    if let Some(labels) = node.get("labels") {
                        self.scalar(labels, key, &quoted(now));
                    }
                }
                Some(_) => {}
                None => {
                    self.note(node.pos.line, format!("`{}` loses the label `{key}`", pool.name));
                }
            }
        }
        for (key, value) in own_labels(pool, region) {
            if !spec.labels.contains_key(&key) {
                let message = format!("`{}` gets the label `{key}: {value}`", pool.name);
                self.note(node.pos.line, message);
            }
        }
    }

    fn others(&mut self, node: &Node, spec: &NodeGroupSpec, pool: &NodePool) {
        let strategy = spec.allocation_strategy.filter(|_| spec.spot).unwrap_or_default();
        for (what, same) in [
            ("taints", spec.taints == pool.taints),
            ("zones", spec.zones.is_empty() || spec.zones == pool.zones),
            ("an allocation strategy", strategy == pool.allocation_strategy),
            ("an annotation against scale-down", !pool.scale_down_disabled),
        ] {
            if !same {
                let name = &pool.name;
                self.note(node.pos.line, format!("`{name}` has {what} of the scenario's own"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
