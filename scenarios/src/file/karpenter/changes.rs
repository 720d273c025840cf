//! `nodePools`: what overlays, `--set` and plans change in a NodePool, put into its tree.

use crate::file::context::Context;
use crate::file::platform::did_you_mean;
use crate::file::settings::Settings;
use crate::native::karpenter as native;
use crate::problem::Pos;
use crate::walk::At;
use crate::yaml::{Key, Node, Value};

/// A key of the section and where it stands in a NodePool.
const WHERE: [(&str, &[&str]); 9] = [
    ("consolidateAfter", &["disruption"]),
    ("consolidationPolicy", &["disruption"]),
    ("budgets", &["disruption"]),
    ("weight", &[]),
    ("expireAfter", &["template", "spec"]),
    ("terminationGracePeriod", &["template", "spec"]),
    ("taints", &["template", "spec"]),
    ("startupTaints", &["template", "spec"]),
    ("requirements", &["template", "spec"]),
];

/// Puts the changes of the section into `objects`.
pub(super) fn apply(context: &Context<'_>, given: &Settings<'_>, objects: &mut [Node]) {
    for (key, change) in given.named_sections("nodePools") {
        check(&change);
        let names = objects.iter().map(native::identity).filter(|(kind, _)| *kind == "NodePool");
        let names: Vec<String> = names.map(|(_, name)| name.to_owned()).collect();
        let found = objects
            .iter_mut()
            .find(|object| native::identity(object) == ("NodePool", key.name.as_str()));
        let Some(object) = found else {
            let help = did_you_mean(&key.name, names.iter().map(String::as_str));
            let message = format!("there is no NodePool `{}` among the manifests", key.name);
            context.walker.problem(key.pos, &change.fields.at.path, message, help);
            continue;
        };
        one(&change, object);
    }
}

/// Types that the table says; what the values mean is the reader's of manifests.
fn check(change: &Settings<'_>) {
    for key in ["consolidateAfter", "expireAfter", "terminationGracePeriod"] {
        change.text(key);
    }
    change.choice("consolidationPolicy");
    change.int("weight");
    for key in ["budgets", "taints", "startupTaints"] {
        if let Some(at) = change.at(key) {
            at.list();
        }
    }
    for key in ["requirements", "limits"] {
        change.entries(key);
    }
    if let Some(at) = change.at("labels") {
        at.string_map();
    }
}

fn one(change: &Settings<'_>, object: &mut Node) {
    for (key, way) in WHERE {
        let Some(at) = change.at(key) else { continue };
        let pos = change.fields.key_pos(key).unwrap_or(at.node.pos);
        let mut node = enter(object, "spec", pos);
        for step in way {
            node = enter(node, step, pos);
        }
        let node = enter(node, key, pos);
        if key == "requirements" {
            requirements(&at, node);
        } else {
            *node = at.node.clone();
        }
    }
    for (key, way) in [("limits", &["limits"][..]), ("labels", &["template", "metadata", "labels"])]
    {
        for (name, at) in change.entries(key) {
            let mut node = enter(object, "spec", name.pos);
            for step in way {
                node = enter(node, step, name.pos);
            }
            *enter(node, &name.name, name.pos) = at.node.clone();
        }
    }
}

/// The entry `key`, made where it is not there.
fn enter<'n>(node: &'n mut Node, key: &str, pos: Pos) -> &'n mut Node {
    if !matches!(node.value, Value::Map(_)) {
        *node = Node { value: Value::Map(Vec::new()), pos };
    }
    let Value::Map(entries) = &mut node.value else { unreachable!("it is a map by now") };
    let place = entries.iter().position(|(known, _)| known.name == key).unwrap_or_else(|| {
        let name = Key { name: key.to_owned(), pos };
        entries.push((name, Node { value: Value::Null, pos }));
        entries.len() - 1
    });
    &mut entries[place].1
}

/// Requirements by key instead of those of that key; further ones come at the end.
fn requirements(at: &At<'_>, node: &mut Node) {
    let mut items = node.items().to_vec();
    for (key, at) in at.entries().unwrap_or_default() {
        let own = |item: &Node| item.get("key").and_then(Node::scalar_text) == Some(&key.name);
        let place = items.iter().position(own).unwrap_or(items.len());
        items.retain(|item| !own(item));
        items.insert(place.min(items.len()), requirement(key, &at));
    }
    *node = Node { value: Value::Seq(items), pos: at.node.pos };
}

/// `key: [values]`, `key: value`, or `key: {operator, values, minValues}`.
fn requirement(key: &Key, at: &At<'_>) -> Node {
    let pos = at.node.pos;
    let entry = |name: &str, node: Node| (Key { name: name.to_owned(), pos }, node);
    let text = |text: &str, pos: Pos| Node { value: Value::String(text.to_owned()), pos };
    let mut entries = vec![entry("key", text(&key.name, key.pos))];
    match &at.node.value {
        Value::Map(given) => {
            if at.node.get("operator").is_none() {
                entries.push(entry("operator", text("In", pos)));
            }
            entries.extend(given.iter().filter(|(name, _)| name.name != "key").cloned());
        }
        Value::Seq(_) => {
            entries.push(entry("operator", text("In", pos)));
            entries.push(entry("values", at.node.clone()));
        }
        _ => {
            let values = Node { value: Value::Seq(vec![at.node.clone()]), pos };
            entries.push(entry("operator", text("In", pos)));
            entries.push(entry("values", values));
        }
    }
    Node { value: Value::Map(entries), pos }
}
