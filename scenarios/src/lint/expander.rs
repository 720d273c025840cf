//! The `priority` expander and its table: in the chart's values or in the ConfigMap
//! `cluster-autoscaler-priority-expander`.
//!
//! Names of Auto Scaling groups hold the group's name: patterns are tried on it alone and as EKS and
//! eksctl write it. Left out: groups that no file of the set names.
//!
//! Source: kubernetes/autoscaler, `expander/priority/readme.md`; facts-kubernetes 2.2.

use sim::Severity;
use sim::scenario::{Expander, GroupPattern};

use super::readers::{Autoscaler, Read};
use super::rule::{LintFinding, Rule};
use super::set::{Document, Set};
use crate::import::recognise::Kind;
use crate::native::Place;
use crate::native::cluster_autoscaler::read_priorities;
use crate::problem::Source;
use crate::walk::Walker;
use crate::yaml::{self, Node};

/// The expander is on, and there is no table.
pub(super) static NO_TABLE: Rule = Rule {
    id: "no-priority-table",
    severity: Severity::Warning,
    why: "without its ConfigMap the priority expander ranks nothing, and every group is as good",
    source: "kubernetes/autoscaler, priority expander's readme",
};

/// A pattern that matches no group.
pub(super) static NO_GROUP: Rule = Rule {
    id: "priority-names-no-group",
    severity: Severity::Warning,
    why: "a pattern that matches no node group ranks nothing",
    source: "kubernetes/autoscaler, priority expander's readme",
};

type Table = Vec<(i32, Vec<GroupPattern>)>;

pub(super) fn judge(read: &Read, set: &Set) -> Vec<LintFinding> {
    let mut out = Vec::new();
    let mut tables: Vec<(Place, Table)> = Vec::new();
    for document in set.of(Kind::Priorities) {
        let place = set.place(document.file, document.node.pos);
        match table(document) {
            Some(table) => tables.push((place, table)),
            None => out.push(NO_TABLE.at(
                &place,
                "the ConfigMap has no table under `priorities`",
                "a map of priorities to lists of patterns, as a text under data.priorities",
            )),
        }
    }
    let flags = read.autoscalers.iter();
    let own = flags.filter(|one| !one.value.priorities.is_empty());
    tables.extend(own.map(|one| (one.place.clone(), one.value.priorities.clone())));
    let by_priority = |one: &&Autoscaler| one.value.expander.contains(&Expander::Priority);
    if tables.is_empty() && out.is_empty() {
        out.extend(read.autoscalers.iter().filter(by_priority).map(|one| {
            let what = "expander `priority` without a table in these files";
            let next =
                "add the ConfigMap cluster-autoscaler-priority-expander (or expanderPriorities)";
            NO_TABLE.at(one.at("expander"), what, next)
        }));
    }
    let groups = read.offers.iter().filter(|offer| !offer.is_karpenter());
    let groups: Vec<&str> = groups.map(|offer| offer.name.as_str()).collect();
    if !groups.is_empty() {
        for (place, table) in &tables {
            out.extend(unmatched(place, table, &groups));
        }
    }
    out
}

/// The table of a ConfigMap: YAML in a text.
fn table(document: &Document) -> Option<Table> {
    let text = document.node.get("data")?.get("priorities")?.scalar_text()?;
    let sources = [Source::new("", text)];
    let parsed = yaml::parse(&sources[0]);
    let node = parsed.documents.first().filter(|node: &&Node| node.entries().next().is_some())?;
    let walker = Walker::tolerant(&sources);
    let table = read_priorities(&walker.at(node, "priorities"));
    (!table.is_empty()).then_some(table)
}

/// A group's name as Auto Scaling groups have it.
fn spellings(name: &str) -> [String; 3] {
    [
        name.to_owned(),
        format!("eks-{name}-00c0ffee-0000-0000-0000-000000000000"),
        format!("eksctl-cluster-nodegroup-{name}-NodeGroup-0ABCDEFGHIJK"),
    ]
}

/// A pattern that holds a group's name means it, whatever the cluster is called.
fn unmatched(place: &Place, table: &Table, groups: &[&str]) -> Vec<LintFinding> {
    let names: Vec<String> = groups.iter().flat_map(|name| spellings(name)).collect();
    let patterns = table
        .iter()
        .flat_map(|(priority, patterns)| patterns.iter().map(move |pattern| (*priority, pattern)));
    let none = patterns.filter(|(_, pattern)| {
        !names.iter().any(|name| pattern.matches(name))
            && !groups.iter().any(|name| pattern.as_str().contains(name))
    });
    none.map(|(priority, pattern)| {
        let pattern: String = pattern.as_str().chars().take(80).collect();
        let what =
            format!("`{pattern}` of priority {priority} matches no node group of these files");
        NO_GROUP.at(place, what, "correct the pattern; it is a regular expression over names")
    })
    .collect()
}
