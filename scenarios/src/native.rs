//! The live system's own configuration formats, each read in one place.
//!
//! Readers are tolerant: a key that upstream knows and the model does not follow is a finding by
//! name (`not-modelled`), a key without effect on capacity, cost or waiting (logging, access,
//! tags) is left out in silence, and a key that nobody lists but that is one slip away from one
//! that is modelled is a warning with the nearest name. Wrong values are problems.
//!
//! What is written again, is written beside its reader (`write`). Writers give values;
//! [`yaml_text`] makes YAML of them that readers of YAML 1.1 understand alike.

pub mod cluster_autoscaler;
pub mod eksctl;
pub mod emr_job_run;
pub mod karpenter;
pub mod kube_scheduler;
pub mod legacy_policy;
pub mod manifests;
pub mod pod_template;
pub mod spark_application;
pub mod spark_defaults;

pub mod patch;

mod keys;
mod place;
mod yaml_patch;

use sim::{Finding, Severity};

use crate::problem::{Problem, Source};
use crate::walk::{At, Walker};
use crate::yaml::{self, Node};

pub use place::Place;

/// What a native file held.
#[derive(Debug, Clone, Default)]
pub struct NativeRead<T> {
    /// What could be read, also where there are problems.
    pub value: T,
    /// What is wrong. With any, the value must not be used for a simulation.
    pub problems: Vec<Problem>,
    /// What was read and is not followed by the model, by name; and warnings.
    pub not_modelled: Vec<Finding>,
}

/// Values as the documents of one YAML file.
///
/// # Panics
/// Never: every key of a JSON value is a text and every number finite.
pub fn yaml_text(documents: &[serde_json::Value]) -> String {
    let texts = documents.iter().map(|document| {
        serde_saphyr::to_string(document).expect("a JSON value can be written as YAML")
    });
    texts.collect::<Vec<_>>().join("---\n")
}

/// The text of `kind` that stands in a `ConfigMap` of this file, with a name for it: how such
/// configurations are usually deployed. Lines are then those of the text within.
fn embedded(file_name: &str, text: &str, kind: &str) -> Option<(String, String)> {
    let documents = yaml::parse(&Source::new(file_name, text)).documents;
    let maps = documents.iter().filter(|document| keys::Reader::kind(document) == "ConfigMap");
    let data = maps.filter_map(|map| map.get("data"));
    let mut entries = data.flat_map(Node::entries);
    entries.find_map(|(key, node)| {
        let inner = node.scalar_text()?;
        let first = yaml::parse(&Source::new(file_name, inner)).documents;
        let found = first.iter().any(|document| keys::Reader::kind(document) == kind);
        found.then(|| (format!("{file_name}[{}]", key.name), inner.to_owned()))
    })
}

/// Reads a part of a native format that stands in place in a file of ours through `read`. Problems
/// and findings are the enclosing file's.
fn in_place<T>(
    at: &At<'_>,
    read: impl for<'a> FnOnce(&keys::Reader<'a>, At<'a>) -> T,
) -> NativeRead<T> {
    let walker = Walker::tolerant(at.walker.sources());
    let reader = keys::Reader::new(&walker);
    let value = read(&reader, walker.at(at.node, at.path.clone()));
    let slips = reader.into_findings();
    let (problems, mut not_modelled) = walker.finish();
    not_modelled.extend(slips);
    NativeRead { value, problems, not_modelled }
}

/// Reads the documents of a YAML (or JSON) text through `read`.
fn read_documents<T>(
    file_name: &str,
    text: &str,
    read: impl for<'a> FnOnce(&'a keys::Reader<'a>, &'a [Node]) -> T,
) -> NativeRead<T> {
    let sources = [Source::new(file_name, text)];
    let parsed = yaml::parse(&sources[0]);
    let documents: Vec<Node> =
        parsed.documents.into_iter().filter(|document| !document.is_null()).collect();
    let walker = Walker::tolerant(&sources);
    let reader = keys::Reader::new(&walker);
    let value = read(&reader, &documents);
    let slips = reader.into_findings();
    let (found, mut not_modelled) = walker.finish();
    not_modelled.extend(slips);
    // Upstream's readers take the last of several values; people's files have such.
    let (duplicates, mut problems): (Vec<Problem>, Vec<Problem>) = parsed
        .problems
        .into_iter()
        .partition(|problem| problem.message.starts_with("duplicate key "));
    not_modelled.extend(duplicates.into_iter().map(|problem| {
        let help = problem.help.unwrap_or_default();
        let message = format!("{}: the last one counts, {help}", problem.message);
        Finding::new(Severity::Warning, "set-twice", problem.file, message)
            .at_line(u64::from(problem.line))
    }));
    problems.extend(found);
    NativeRead { value, problems, not_modelled }
}

#[cfg(test)]
mod tests;
