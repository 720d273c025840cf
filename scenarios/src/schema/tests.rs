//! The table against the loader, the defaults, and the committed documents.

use std::collections::BTreeSet;

use expect_test::expect_file;
use serde_json::{Map, Value, json};

use super::*;
use crate::file::{ScenarioError, load_text};

#[test]
fn the_committed_documents_are_current() {
    let mut schema = serde_json::to_string_pretty(&schema()).unwrap();
    schema.push('\n');
    expect_file!["../../../docs/scenario.schema.json"].assert_eq(&schema);
    expect_file!["../../../docs/scenario-format.md"].assert_eq(&markdown());
}

/// A way to a key: the sections on it with the keys that were taken.
type Way = Vec<(&'static Section, &'static Key)>;

/// Every key of every section, by one way to it.
fn ways() -> Vec<Way> {
    fn inner(kind: &'static Kind) -> Option<&'static Section> {
        match kind {
            Kind::Section(section) => Some(section),
            Kind::List(kind) | Kind::Map(kind) => inner(kind),
            _ => None,
        }
    }
    let mut seen = BTreeSet::from([ROOT.name]);
    let mut open: Vec<(&'static Section, Way)> = vec![(&ROOT, Vec::new())];
    let mut ways = Vec::new();
    while let Some((section, way)) = open.pop() {
        for key in section.keys {
            let mut next = way.clone();
            next.push((section, key));
            if let Some(found) = inner(&key.kind).filter(|found| seen.insert(found.name)) {
                open.push((found, next.clone()));
            }
            ways.push(next);
        }
    }
    ways
}

/// Something that `kind` takes.
fn example(kind: &Kind) -> Value {
    match kind {
        Kind::Text | Kind::Path | Kind::PathOrMap => json!("x"),
        Kind::Bool => json!(true),
        Kind::Int(low, _) => json!(low),
        Kind::Float(low, _) => json!(low),
        Kind::Duration => json!("1s"),
        Kind::Cpu | Kind::Bytes => json!("1"),
        Kind::Choice(names) => json!(names[0].0),
        Kind::Section(section) => Value::Object(required(section)),
        Kind::List(item) => json!([example(item)]),
        Kind::OneOrMore(item) => example(item),
        Kind::Map(_) | Kind::Any => json!({}),
    }
}

fn required(section: &Section) -> Map<String, Value> {
    let keys = section.keys.iter().filter(|key| key.required);
    keys.map(|key| (key.name.to_owned(), example(&key.kind))).collect()
}

/// Something that `kind` does not take.
fn wrong(kind: &Kind) -> Option<Value> {
    match kind {
        Kind::Any => None,
        Kind::PathOrMap => Some(json!([])),
        Kind::OneOrMore(_) => Some(json!(true)),
        Kind::Section(_) | Kind::List(_) | Kind::Map(_) => Some(json!("wrong")),
        _ => Some(json!({ "wrong": 1 })),
    }
}

/// A document with `value` at the end of `way`, and the path of that end.
fn document(way: &[(&'static Section, &'static Key)], value: Value) -> (Value, String) {
    let Some(((section, key), rest)) = way.split_first() else {
        return (value, String::new());
    };
    let (mut inside, mut path) = document(rest, value);
    let mut step = key.name.to_owned();
    if !rest.is_empty() {
        match key.kind {
            Kind::List(_) => {
                inside = json!([inside]);
                step.push_str("[0]");
            }
            Kind::Map(_) => {
                inside = json!({ "m5.large": inside });
                step.push_str("[\"m5.large\"]");
            }
            _ => {}
        }
        path = format!("{step}.{path}");
    } else {
        path = step;
    }
    let mut out = required(section);
    out.insert(key.name.to_owned(), inside);
    (Value::Object(out), path)
}

#[test]
fn the_loader_checks_every_key() {
    let ways = ways();
    assert!(ways.len() > 120, "{}", ways.len());
    for way in ways {
        let (_, key) = way.last().unwrap();
        let Some(value) = wrong(&key.kind) else {
            continue;
        };
        let (document, path) = document(&way, value);
        let text = document.to_string();
        let ScenarioError::Invalid(problems) = load_text("s.yaml", &text).unwrap_err();
        let found = problems.0.iter().any(|problem| problem.path == path);
        assert!(found, "no problem at {path} of\n{text}\nbut\n{problems}");
    }
}

#[test]
fn the_defaults_said_are_the_defaults_used() {
    let text = "{apiVersion: seatrial/v1alpha1, kind: Scenario, spec: {region: us-west-2, nodes: \
                {pools: [{name: a, instanceTypes: [m5.large], maxSize: 1}]}}}";
    let resolved = load_text("s.yaml", text).unwrap().resolved;
    let resolved = crate::yaml::parse(&crate::problem::Source::new("r", resolved));
    let mut compared = 0;
    for way in ways() {
        let (_, key) = way.last().unwrap();
        if key.default.is_empty() || key.default.starts_with('(') {
            continue;
        }
        let mut node = Some(&resolved.documents[0]);
        for (_, key) in &way {
            node = node.and_then(|node| node.get(key.name));
        }
        // What a value of its own replaces (such as `vmMemoryOverheadPercent`) is not written.
        if let Some(used) = node.and_then(|node| node.scalar_text()) {
            assert_eq!(used.trim_end_matches(".0"), key.default, "{}", key.name);
            compared += 1;
        }
    }
    assert!(compared >= 30, "{compared}");
}

#[test]
fn the_assumptions_are_all_there() {
    let ways = ways();
    let named: BTreeSet<&str> = ways
        .iter()
        .filter_map(|way| way.last().filter(|(section, _)| section.name == "Assumptions"))
        .map(|(_, key)| key.name)
        .collect();
    let listed: BTreeSet<&str> =
        sim::scenario::Assumptions::default().list().iter().map(|line| line.name).collect();
    assert_eq!(named, listed);
}
