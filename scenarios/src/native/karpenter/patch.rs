//! A user's own manifests with what a scenario changed in them: scalars in their places, lists of
//! scalars that become longer or shorter, keys and requirements that come.
//!
//! Left out, each as a finding: keys that go, lists of other things that become longer or shorter.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sim::Finding;

use super::{identity, objects};
use crate::file::json_of;
use crate::native::patch::Patch;
use crate::native::yaml_patch::{Patching, quoted};
use crate::problem::Source;
use crate::yaml::{self, Node, Value};

/// The changes to the file that make its objects those of `wanted`, and what cannot be changed in
/// place.
pub fn patch(file: &str, text: &str, wanted: &[Json]) -> (Patch, Vec<Finding>) {
    let documents = yaml::parse(&Source::new(file, text)).documents;
    let mut patching = Patching::new(file, text, &documents);
    if !patching.may_change() {
        return patching.finish();
    }
    let by_name: BTreeMap<(String, String), &Json> =
        wanted.iter().map(|v| (name_of(v), v)).collect();
    for object in documents.iter().flat_map(objects) {
        let (kind, name) = identity(object);
        if let Some(Json::Object(wanted)) = by_name.get(&(kind.to_owned(), name.to_owned()))
            && let (Some(spec), Some(now)) = (object.get("spec"), wanted.get("spec"))
        {
            patching.become_(spec, now);
        }
    }
    patching.finish()
}

fn name_of(object: &Json) -> (String, String) {
    let text = |value: Option<&Json>| value.and_then(Json::as_str).unwrap_or_default().to_owned();
    let name = object.get("metadata").and_then(|metadata| metadata.get("name"));
    (text(object.get("kind")), text(name))
}

impl Patching<'_> {
    /// Changes what stands at `node` to `wanted`.
    fn become_(&mut self, node: &Node, wanted: &Json) {
        if json_of(node) == *wanted {
            return;
        }
        match (&node.value, wanted) {
            (Value::Map(_), Json::Object(wanted)) => {
                for (key, _) in node.entries().filter(|(key, _)| !wanted.contains_key(&key.name)) {
                    self.note(key.pos.line, format!("`{}` goes", key.name));
                }
                for (key, now) in wanted {
                    match node.get(key).filter(|node| !node.is_null()) {
                        Some(node) => self.become_(node, now),
                        None => self.scalar(node, key, &flow(now)),
                    }
                }
            }
            (Value::Seq(items), Json::Array(wanted)) => self.list(node, items, wanted),
            (Value::Map(_) | Value::Seq(_), _) => {
                self.note(node.pos.line, format!("this becomes {}", flow(wanted)));
            }
            (_, wanted) => self.value(node, &flow(wanted)),
        }
    }

    fn list(&mut self, node: &Node, items: &[Node], wanted: &[Json]) {
        let plain = |item: &Json| !item.is_object() && !item.is_array();
        let scalars = items.iter().all(|item| item.scalar_text().is_some());
        if items.len() == wanted.len() {
            items.iter().zip(wanted).for_each(|(item, now)| self.become_(item, now));
        } else if scalars && wanted.iter().all(plain) && !items.is_empty() {
            self.scalars(items, wanted);
        } else if let Some(last) = items.last()
            && wanted.len() > items.len()
            && self.is_block(items)
        {
            items.iter().zip(wanted).for_each(|(item, now)| self.become_(item, now));
            let column = (items[0].pos.column as usize).saturating_sub(3);
            for now in &wanted[items.len()..] {
                let line = format!("{}- {}", " ".repeat(column), flow(now));
                self.patch.insert_after(last_line(last), line);
            }
        } else {
            let wanted = flow(&Json::Array(wanted.to_vec()));
            self.note(node.pos.line, format!("this list becomes {wanted}"));
        }
    }

    /// A list of scalars that becomes longer or shorter.
    fn scalars(&mut self, items: &[Node], wanted: &[Json]) {
        let (first, last) = (&items[0], &items[items.len() - 1]);
        let one_line = first.pos.line == last.pos.line;
        if one_line && items.iter().all(|item| self.is_plain(item)) && !self.is_block(items) {
            let end = last.pos.column as usize + usize::from(last.pos.width);
            let texts: Vec<String> = wanted.iter().map(flow).collect();
            let width = end - first.pos.column as usize;
            self.patch.replace(first.pos, width, texts.join(", "));
        } else if self.is_block(items) && !wanted.is_empty() {
            for (item, now) in items.iter().zip(wanted) {
                self.become_(item, now);
            }
            for item in items.iter().skip(wanted.len()) {
                self.patch.remove(item.pos.line);
            }
            let column = (first.pos.column as usize).saturating_sub(3);
            for now in wanted.iter().skip(items.len()) {
                let line = format!("{}- {}", " ".repeat(column), flow(now));
                self.patch.insert_after(last.pos.line, line);
            }
        } else {
            let wanted = flow(&Json::Array(wanted.to_vec()));
            self.note(first.pos.line, format!("this list becomes {wanted}"));
        }
    }

    /// Whether every item stands behind a dash of its own line.
    fn is_block(&self, items: &[Node]) -> bool {
        items.iter().all(|item| {
            let before: String =
                self.line(item.pos.line).chars().take((item.pos.column as usize) - 1).collect();
            before.trim() == "-" && before.ends_with("- ")
        })
    }
}

/// The last line of a value.
fn last_line(node: &Node) -> u32 {
    let items = node.items().iter().map(last_line);
    let entries = node.entries().map(|(_, node)| last_line(node));
    items.chain(entries).max().unwrap_or(node.pos.line).max(node.pos.line)
}

/// A value on one line.
fn flow(value: &Json) -> String {
    match value {
        Json::String(text) => quoted(text),
        // A flow list reads better than JSON's.
        Json::Array(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Json::Object(entries) => {
            let entries =
                entries.iter().map(|(key, value)| format!("{}: {}", quoted(key), flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# Ours.
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: a
spec:
  template:
    spec:
      requirements:
        - key: karpenter.k8s.aws/instance-family   # not too old
          operator: In
          values: [\"r5\", r5a]   # memory
        - key: karpenter.k8s.aws/instance-size
          operator: In
          values:
            - xlarge
            - 2xlarge
  disruption:
    consolidateAfter: 30s # quick
";

    #[test]
    fn only_what_changed_moves() {
        let before = json_of(&yaml::parse(&Source::new("f", FILE)).documents[0]);
        let (patch, notes) = super::patch("f", FILE, std::slice::from_ref(&before));
        assert!(patch.is_empty() && notes.is_empty());
        let mut now = before;
        now["spec"]["disruption"]["consolidateAfter"] = "10m".into();
        now["spec"]["disruption"]["budgets"] = serde_json::json!([{"nodes": "20%"}]);
        now["spec"]["weight"] = 7.into();
        let list = now["spec"]["template"]["spec"]["requirements"].as_array_mut().unwrap();
        list[0]["values"] = serde_json::json!(["r6i", "r5a", "r5d"]);
        list[1]["values"] = serde_json::json!(["2xlarge"]);
        list.push(serde_json::json!({"key": "x/y", "operator": "Exists"}));
        let (patch, notes) = super::patch("f", FILE, std::slice::from_ref(&now));
        assert_eq!(notes, []);
        let text = patch.apply(FILE);
        expect_test::expect![[r#"
            --- f
            +++ f
            @@ -4,16 +4,18 @@
             metadata:
               name: a
             spec:
            +  weight: 7
               template:
                 spec:
                   requirements:
                     - key: karpenter.k8s.aws/instance-family   # not too old
                       operator: In
            -          values: ["r5", r5a]   # memory
            +          values: [r6i, r5a, r5d]   # memory
                     - key: karpenter.k8s.aws/instance-size
                       operator: In
                       values:
            -            - xlarge
            -            - 2xlarge
            +            - 2xlarge
            +        - {key: x/y, operator: Exists}
               disruption:
            -    consolidateAfter: 30s # quick
            +    consolidateAfter: 10m # quick
            +    budgets: [{nodes: "20%"}]
        "#]]
        .assert_eq(&patch.unified("f", FILE));
        assert_eq!(json_of(&yaml::parse(&Source::new("f", &*text)).documents[0]), now);
        now["spec"]["disruption"] = serde_json::json!({});
        assert_eq!(super::patch("f", FILE, &[now]).1.len(), 1);
    }
}
