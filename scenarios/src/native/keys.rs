//! Keys of native YAML files: modelled, without effect, or neither; with slips told apart.

use std::cell::RefCell;
use std::collections::BTreeMap;

use sim::{Finding, Severity};

use super::Place;
use crate::walk::{At, Fields, Walker};
use crate::yaml::{Node, Value};

/// More warnings than this from one file tell nothing new.
const SLIPS_MAX: usize = 100;

/// A walker with a list for what is neither a problem nor plainly not modelled.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) walker: &'a Walker<'a>,
    findings: RefCell<Vec<Finding>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(walker: &'a Walker<'a>) -> Self {
        Self { walker, findings: RefCell::default() }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings.into_inner()
    }

    /// Adds a finding.
    pub(super) fn find(&self, finding: Finding) {
        let mut findings = self.findings.borrow_mut();
        if findings.len() < SLIPS_MAX && !findings.contains(&finding) {
            findings.push(finding);
        }
    }

    /// Adds a warning about `at`.
    pub(super) fn warn(&self, at: &At<'_>, code: &str, message: impl Into<String>) {
        self.find(Place::of(at).finding(Severity::Warning, code, message));
    }

    /// A document as something to read on.
    pub(super) fn document(&self, node: &'a Node) -> At<'a> {
        self.walker.at(node, "")
    }

    /// The map `at`, in which `modelled` keys will be read and `irrelevant` ones have no effect.
    /// Any other key with a value is noted as not modelled, and warned about where it is one slip
    /// away from a modelled one.
    pub(super) fn fields(
        &self,
        at: &At<'a>,
        modelled: &[&str],
        irrelevant: &[&str],
    ) -> Option<Fields<'a>> {
        for (key, node) in at.node.entries() {
            let name = key.name.as_str();
            if modelled.contains(&name) || irrelevant.contains(&name) {
                continue;
            }
            if let Some(near) = slip_of(name, modelled) {
                let place = self.walker.at(node, at.path.clone());
                let message = format!("unknown key `{name}` is ignored; did you mean `{near}`?");
                self.warn(&place, "unknown-key", message);
            } else if !is_empty(node) {
                let dot = if at.path.is_empty() { "" } else { "." };
                let path = format!("{}{dot}{name}", at.path);
                self.walker.not_modelled(key.pos, path);
            }
        }
        // Every key is known by now; asking for none would note them all a second time.
        let all: Vec<&str> = at.node.entries().map(|(key, _)| key.name.as_str()).collect();
        at.fields(&all)
    }

    /// The document's `kind`, or an empty text.
    pub(super) fn kind(node: &Node) -> &str {
        node.get("kind").and_then(Node::scalar_text).unwrap_or("")
    }
}

/// A map of texts; as in the API server, a key without a value has the empty text.
pub(super) fn string_map(fields: &Fields<'_>, key: &str) -> BTreeMap<String, String> {
    let entries = fields.get(key).and_then(|at| at.entries());
    let texts = entries.unwrap_or_default().into_iter().filter_map(|(key, at)| {
        let text = if at.node.is_null() { String::new() } else { at.string()? };
        Some((key.name.clone(), text))
    });
    texts.collect()
}

/// Nothing, or an empty list or map: charts list every key with such defaults.
pub(super) fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Seq(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The name of `known` that `name` was meant to be: two letters off at most, and only for names
/// long enough for that to mean something.
pub(super) fn slip_of<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let length = name.chars().count();
    if !(5..=100).contains(&length) {
        return None;
    }
    let lower = name.to_lowercase();
    known
        .iter()
        .map(|candidate| {
            let distance = strsim::osa_distance(&lower, &candidate.to_lowercase());
            (distance, *candidate)
        })
        .filter(|(distance, _)| *distance <= 2 && *distance * 4 <= length)
        .min()
        .map(|(_, candidate)| candidate)
}
