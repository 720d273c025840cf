//! Values that are written as one thing and read as another: YAML's numbers and switches where
//! Kubernetes wants texts, versions that lose their zero, `m` behind an amount of memory.
//!
//! Other amounts that Kubernetes or Spark refuses (`4GB`, `4g` in a pod, `4Gi` in Spark) are found
//! by their readers. Left out: custom resources other than those named here, Helm values.
//!
//! Source: k8s.io/apimachinery (`map[string]string` takes texts alone), sigs.k8s.io/yaml, which
//! reads YAML 1.1 (`on`, `yes`, `off`, `no` are switches); `resource.Quantity` (`m` is a thousandth).

use sim::Severity;

use super::rule::{LintFinding, Rule};
use super::set::{Document, Set};
use crate::import::recognise::Kind;
use crate::yaml::{Node, Value};

/// A number or a switch where a text is wanted.
pub(super) static NO_TEXT: Rule = Rule {
    id: "text-expected",
    severity: Severity::Error,
    why: "the API server takes texts alone here and refuses the whole object",
    source: "k8s.io/api (map[string]string); sigs.k8s.io/yaml (YAML 1.1)",
};

/// `1.30` is 1.3.
pub(super) static VERSION_NUMBER: Rule = Rule {
    id: "version-as-number",
    severity: Severity::Error,
    why: "without quotes a version is a number: 1.30 is 1.3, and programs that want a text refuse it",
    source: "YAML 1.2 core schema; eksctl's and the Spark operator's schemas (type string)",
};

/// Memory in thousandths of a byte.
pub(super) static MILLIBYTES: Rule = Rule {
    id: "memory-in-millibytes",
    severity: Severity::Error,
    why: "in Kubernetes `m` is a thousandth: 512m of memory is about half a byte (Spark reads 512 MiB)",
    source: "k8s.io/apimachinery `resource.Quantity`; Spark `JavaUtils.byteStringAs`",
};

/// Maps of texts, by their key.
const TEXT_MAPS: [&str; 6] =
    ["annotations", "hadoopConf", "labels", "matchLabels", "nodeSelector", "sparkConf"];

/// Groups whose objects have these maps, besides Kubernetes' own.
const GROUPS: [&str; 4] =
    ["eksctl.io", "karpenter.k8s.aws", "karpenter.sh", "sparkoperator.k8s.io"];

/// Whether the maps mean here what they mean in Kubernetes: its own groups, without schemas of
/// other kinds (in which `labels` is a property with a type), and the groups above.
fn is_judged(node: &Node) -> bool {
    let text = |key: &str| node.get(key).and_then(Node::scalar_text).unwrap_or_default();
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    let own = !group.contains('.') || group.ends_with(".k8s.io");
    !text("apiVersion").is_empty()
        && group != "apiextensions.k8s.io"
        && (own || GROUPS.contains(&group))
}

/// Whether `data` is a map of texts.
fn has_data(node: &Node) -> bool {
    matches!(node.get("kind").and_then(Node::scalar_text), Some("ConfigMap" | "Secret"))
}

pub(super) fn judge(set: &Set) -> Vec<LintFinding> {
    let mut out = Vec::new();
    for document in &set.documents {
        let judged = !matches!(
            document.kind,
            Kind::Live | Kind::Scenario | Kind::AutoscalerValues | Kind::SchedulerPolicy
        );
        if judged && is_judged(&document.node) {
            let mut walk = Walk { set, document, out: &mut out };
            walk.node(&document.node, "");
            if has_data(&document.node)
                && let Some(data) = document.node.get("data")
            {
                for (key, value) in data.entries() {
                    walk.text(&key.name, value);
                }
            }
            walk.versions();
        }
    }
    out
}

struct Walk<'a> {
    set: &'a Set,
    document: &'a Document,
    out: &'a mut Vec<LintFinding>,
}

impl Walk<'_> {
    fn say(&mut self, rule: &'static Rule, node: &Node, what: String, next: String) {
        let place = self.set.place(self.document.file, node.pos);
        self.out.push(rule.at(&place, what, next));
    }

    fn node(&mut self, node: &Node, within: &str) {
        match &node.value {
            Value::Map(entries) => {
                for (key, value) in entries {
                    let name = key.name.as_str();
                    if TEXT_MAPS.contains(&within) {
                        self.text(name, value);
                    }
                    match name {
                        "memory" if matches!(within, "requests" | "limits") => self.memory(value),
                        // Of one variable, toleration, taint or requirement.
                        "value" if within == "env[]" || is_taint(node) => self.text(name, value),
                        "values" if node.get("operator").is_some() => {
                            for item in value.items() {
                                self.text(name, item);
                            }
                        }
                        _ => {}
                    }
                    self.node(value, name);
                }
            }
            Value::Seq(items) => {
                let name = format!("{within}[]");
                items.iter().for_each(|item| self.node(item, &name));
            }
            _ => {}
        }
    }

    /// A value that has to be a text.
    fn text(&mut self, key: &str, value: &Node) {
        let switch = |text: &str| {
            matches!(
                text,
                "y" | "Y"
                    | "yes"
                    | "Yes"
                    | "YES"
                    | "on"
                    | "On"
                    | "ON"
                    | "n"
                    | "N"
                    | "no"
                    | "No"
                    | "NO"
                    | "off"
                    | "Off"
                    | "OFF"
            )
        };
        let read_as = match &value.value {
            Value::Bool(on) => format!("the switch {on}"),
            Value::Number(text) => format!("the number {text}"),
            Value::String(text) if switch(text) && !self.is_quoted(value) => {
                "a switch (YAML 1.1)".to_owned()
            }
            _ => return,
        };
        let text = value.scalar_text().unwrap_or_default();
        let shown = crate::import::one_line(text, 60);
        let key = crate::import::one_line(key, 80);
        let what = format!("`{key}: {shown}` is {read_as}, no text");
        self.say(&NO_TEXT, value, what, format!("put quotes around it: \"{shown}\""));
    }

    /// Whether a text stands in quotes, or in a block.
    fn is_quoted(&self, value: &Node) -> bool {
        let source = &self.set.sources[self.document.file];
        let line = source.text.lines().nth((value.pos.line as usize).saturating_sub(1));
        let first = line.and_then(|line| line.chars().nth((value.pos.column as usize).max(1) - 1));
        matches!(first, Some('"' | '\'' | '|' | '>' | '!' | '&' | '*'))
    }

    fn memory(&mut self, value: &Node) {
        let Some(text) = value.scalar_text() else { return };
        let amount = text.strip_suffix('m').filter(|amount| amount.parse::<f64>().is_ok());
        if let Some(amount) = amount {
            let what = format!("memory `{text}` is {amount} thousandths of a byte");
            self.say(&MILLIBYTES, value, what, format!("write {amount}Mi"));
        }
    }

    /// Versions that tools read as texts.
    fn versions(&mut self) {
        let keys: &[&str] = match self.document.kind {
            Kind::Eksctl => &["metadata", "version"],
            Kind::SparkApplication => &["spec", "sparkVersion"],
            _ => return,
        };
        let node = &self.document.node;
        let Some(found) = keys.iter().try_fold(node, |node, key| node.get(key)) else { return };
        if let Value::Number(text) = &found.value {
            let key = keys.join(".");
            let what = format!("`{key}: {text}` is a number, no text");
            let next = format!("put quotes around it: \"{text}\"");
            self.say(&VERSION_NUMBER, &found.clone(), what, next);
        }
    }
}

/// A toleration or a taint.
fn is_taint(node: &Node) -> bool {
    node.get("effect").is_some() || (node.get("key").is_some() && node.get("operator").is_some())
}
