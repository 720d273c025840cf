//! Karpenter's `NodePool` and `EC2NodeClass` (v1), as they are deployed.
//!
//! A key that the CRDs do not have is a problem; one that they have and the model does not follow
//! is a finding; what says who may do what and where nodes come from (roles, subnets, images, user
//! data, tags) has no effect and is left out in silence. Older API versions are refused: they say
//! the same in other places.
//!
//! Source: the CRDs of karpenter.sh/v1 and karpenter.k8s.aws/v1; facts-kubernetes 3.

pub mod from_pools;
pub mod node_class;
pub mod node_pool;
pub mod patch;
pub mod write;

use std::collections::BTreeMap;

use sim::Severity;

use super::keys::{Reader, is_empty};
use super::{NativeRead, Place};
use crate::problem::{Source, suggestion};
use crate::walk::{At, Fields, Walker};
use crate::yaml::Node;

pub use node_class::NodeClass;
pub use node_pool::NodePool;

/// Everything of Karpenter's that a set of manifests holds.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// NodePools, in order.
    pub node_pools: Vec<NodePool>,
    /// EC2NodeClasses, in order.
    pub node_classes: Vec<NodeClass>,
}

/// Reads `documents`, whose places are in `sources`.
pub fn read(sources: &[Source], documents: &[&Node]) -> NativeRead<Manifests> {
    let walker = Walker::tolerant(sources);
    let reader = Reader::new(&walker);
    let value = manifests(&reader, documents);
    let slips = reader.into_findings();
    let (problems, mut not_modelled) = walker.finish();
    not_modelled.extend(slips);
    NativeRead { value, problems, not_modelled }
}

/// The objects of a document: those of a `List`, else itself.
pub fn objects(document: &Node) -> Vec<&Node> {
    let is_list = Reader::kind(document).ends_with("List");
    match document.get("items").filter(|_| is_list) {
        Some(items) => items.items().iter().collect(),
        None => vec![document],
    }
}

/// Kind and name of an object.
pub fn identity(object: &Node) -> (&str, &str) {
    let name = object.get("metadata").and_then(|metadata| metadata.get("name"));
    (Reader::kind(object), name.and_then(Node::scalar_text).unwrap_or(""))
}

fn manifests<'a>(reader: &Reader<'a>, documents: &[&'a Node]) -> Manifests {
    let mut out = Manifests::default();
    let mut seen: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for document in documents {
        let at = reader.document(document);
        let (kind, name) = identity(document);
        if !is_read(reader, &at, kind) {
            continue;
        }
        if let Some(line) = seen.insert((kind, name), document.pos.line) {
            let help = format!("the first one is at line {line}");
            at.problem_with_help(format!("duplicate {kind} `{name}`"), help);
            continue;
        }
        match kind {
            "NodePool" => out.node_pools.extend(node_pool::read(reader, &at)),
            _ => out.node_classes.extend(node_class::read(reader, &at)),
        }
    }
    out
}

/// Whether the object is one that is read; it says why where it is not.
fn is_read(reader: &Reader<'_>, at: &At<'_>, kind: &str) -> bool {
    let version = at.node.get("apiVersion").and_then(Node::scalar_text).unwrap_or("");
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let own = match kind {
        "NodePool" => "karpenter.sh",
        "EC2NodeClass" => "karpenter.k8s.aws",
        "Provisioner" | "AWSNodeTemplate" | "Machine" => {
            let message = format!("`{kind}` is of Karpenter before 0.32: v1 is read");
            at.problem_with_help(message, "convert it as Karpenter's migration guides say");
            return false;
        }
        _ => {
            let message = format!("`{kind}` is neither NodePool nor EC2NodeClass: not read");
            reader.find(Place::of(at).finding(Severity::Info, "not-modelled", message));
            return false;
        }
    };
    if group != own {
        let place = at.node.get("apiVersion").unwrap_or(at.node);
        let at = reader.walker.at(place, "apiVersion");
        at.problem_with_help(format!("`{kind}` of `{group}`"), format!("known: `{own}/v1`"));
        return false;
    }
    if version != "v1" {
        let place = at.node.get("apiVersion").unwrap_or(at.node);
        let message = format!("`{group}/{version}` is not read: v1 is");
        let help = "Karpenter 1.0 and later serve v1; convert the file as its migration guide says";
        reader.walker.at(place, "apiVersion").problem_with_help(message, help);
        return false;
    }
    true
}

/// The map `at` with keys that the CRD knows: those that are read, those that are not followed,
/// and those without effect. Any other one is a problem.
fn fields<'a>(
    at: &At<'a>,
    read: &[&str],
    not_followed: &[&str],
    without_effect: &[&str],
) -> Option<Fields<'a>> {
    for (key, node) in at.node.entries() {
        let name = key.name.as_str();
        let dot = if at.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{name}", at.path);
        if not_followed.contains(&name) {
            if !is_empty(node) {
                at.walker.not_modelled(key.pos, path);
            }
        } else if !read.contains(&name) && !without_effect.contains(&name) {
            let known = [read, not_followed, without_effect].concat();
            let help = suggestion(name, &known);
            let shown: String = name.chars().take(80).collect();
            at.walker.problem(key.pos, &path, format!("unknown key `{shown}`"), help);
        }
    }
    let all: Vec<&str> = at.node.entries().map(|(key, _)| key.name.as_str()).collect();
    at.fields(&all)
}

/// `metadata` and `spec` of an object.
fn parts<'a>(at: &At<'a>) -> Option<(String, At<'a>)> {
    let object = fields(at, &["apiVersion", "kind", "metadata", "spec"], &[], &["status"])?;
    let metadata = object.require("metadata")?;
    let name = metadata.node.get("name").filter(|name| !name.is_null());
    let Some(name) = name else {
        metadata.problem("`name` is missing");
        return None;
    };
    let name = at.walker.at(name, "metadata.name").name()?;
    Some((name, object.require("spec")?))
}

#[cfg(test)]
mod tests;
