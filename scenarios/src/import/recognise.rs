//! What a text is, by what it holds.
//!
//! A file may hold several things: documents of one YAML file, items of a `List`. Left out: a guess
//! from a file's name, except for the role of a pod template ([`super::templates`]).

use serde_json::Value;

use super::{Given, one_line};
use crate::file::json_of;
use crate::problem::Source;
use crate::yaml;

/// Items of a dump, at most.
const ITEMS_MAX: usize = 200_000;

/// What a part of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Eksctl,
    AutoscalerValues,
    AutoscalerManifest,
    Priorities,
    SchedulerConfig,
    SchedulerPolicy,
    PodTemplate,
    SparkApplication,
    SparkConf,
    /// An object of a running cluster: a node, a pod, a deployment.
    Live,
    Karpenter,
    EventLog,
    Scenario,
    /// Another object of Kubernetes.
    Other,
}

/// A part of a file.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    pub(super) value: Value,
    /// The native readers find it in the file as it is; else it has to be taken out.
    pub(super) whole: bool,
}

/// The parts of a file that are known.
pub(super) fn recognise(given: &Given) -> Result<Vec<Piece>, String> {
    let text = given.text.strip_prefix('\u{feff}').unwrap_or(&given.text);
    if text.trim().is_empty() {
        return Err("an empty file".to_owned());
    }
    if let Some(offset) = text.find('\0') {
        return Err(format!("not a text: byte {offset} is NUL"));
    }
    if is_spark_conf(text) {
        return Ok(vec![Piece { kind: Kind::SparkConf, value: Value::Null, whole: true }]);
    }
    let first = text.lines().next().unwrap_or_default();
    if first.starts_with("{\"Event\":\"SparkListener") {
        return Ok(vec![Piece { kind: Kind::EventLog, value: Value::Null, whole: true }]);
    }
    let documents = documents(&given.name, text)?;
    let mut pieces = Vec::new();
    for (place, document) in documents.into_iter().enumerate() {
        match list_items(document) {
            Ok(items) if items.len() > ITEMS_MAX => {
                return Err(format!("{} objects; at most {ITEMS_MAX} are read", items.len()));
            }
            Ok(items) => {
                pieces.extend(items.into_iter().filter_map(|item| piece(item, true, false)));
            }
            Err(document) => pieces.extend(piece(document, false, place == 0)),
        }
    }
    if pieces.is_empty() {
        return Err("nothing that is known: no Kubernetes object, Helm values of Cluster \
                    Autoscaler, or spark-defaults.conf"
            .to_owned());
    }
    Ok(pieces)
}

/// JSON is read by itself: dumps are longer than YAML files may be.
fn documents(name: &str, text: &str) -> Result<Vec<Value>, String> {
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        return Ok(vec![value]);
    }
    let parsed = yaml::parse(&Source::new(one_line(name, 300), text));
    // The native readers take the last of several values, and say so.
    let mut bad = parsed.problems.iter().filter(|p| !p.message.starts_with("duplicate key "));
    if let Some(problem) = bad.next() {
        let at = if problem.line == 0 { String::new() } else { format!("line {}: ", problem.line) };
        return Err(format!("{at}{}", one_line(&problem.message, 300)));
    }
    let documents = parsed.documents.iter().filter(|document| !document.is_null());
    Ok(documents.map(json_of).collect())
}

/// The items of a `List` (or `NodeList`, ..), else the document itself.
fn list_items(mut document: Value) -> Result<Vec<Value>, Value> {
    let kind = text_of(&document, "kind").to_owned();
    let Some(of) = kind.strip_suffix("List") else { return Err(document) };
    let Some(Value::Array(mut items)) = document.get_mut("items").map(Value::take) else {
        return Err(document);
    };
    // The items of a `NodeList` do not say what they are.
    for item in items.iter_mut().filter_map(Value::as_object_mut).filter(|_| !of.is_empty()) {
        item.entry("kind").or_insert_with(|| Value::String(of.to_owned()));
    }
    Ok(items)
}

/// A text of a map; empty where there is none.
pub(crate) fn text_of<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A text deep in maps; empty where there is none.
pub(crate) fn deep<'v>(value: &'v Value, keys: &[&str]) -> &'v str {
    let found = keys.iter().try_fold(value, |value, key| value.get(key));
    found.and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list deep in maps.
pub(crate) fn items<'v>(value: &'v Value, keys: &[&str]) -> &'v [Value] {
    let found = keys.iter().try_fold(value, |value, key| value.get(key));
    found.and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

fn piece(value: Value, of_list: bool, first: bool) -> Option<Piece> {
    let kind = kind_of(&value, of_list)?;
    // Readers of these look at the first document only; the others look at all of a file.
    let first_only = matches!(kind, Kind::AutoscalerValues | Kind::SchedulerPolicy);
    let whole = !of_list && (first || !first_only);
    Some(Piece { kind, value, whole })
}

/// What a document, or an item of a list, is; `None` where it says nothing of the kind.
pub(crate) fn kind_of(value: &Value, of_list: bool) -> Option<Kind> {
    let group = text_of(value, "apiVersion").split('/').next().unwrap_or_default();
    Some(match (text_of(value, "kind"), group) {
        ("ClusterConfig", _) => Kind::Eksctl,
        ("KubeSchedulerConfiguration", _) => Kind::SchedulerConfig,
        ("Policy", "v1" | "") if has_any(value, &["priorities", "predicates"]) => {
            Kind::SchedulerPolicy
        }
        ("SparkApplication" | "ScheduledSparkApplication", _) => Kind::SparkApplication,
        (_, "karpenter.sh" | "karpenter.k8s.aws" | "karpenter.azure.com") => Kind::Karpenter,
        ("Scenario", "seatrial") => Kind::Scenario,
        ("Node", _) => Kind::Live,
        ("Pod", _) if of_list || is_running(value) => Kind::Live,
        ("Pod" | "PodTemplate", _) => Kind::PodTemplate,
        ("Deployment" | "StatefulSet" | "DaemonSet", _) if of_list => Kind::Live,
        ("Deployment" | "StatefulSet", _) if autoscaler(value).is_some() => {
            Kind::AutoscalerManifest
        }
        ("ConfigMap", _) => config_map(value),
        ("HelmRelease" | "Application", _) if is_autoscaler_chart(value) => Kind::AutoscalerValues,
        ("", _) if is_autoscaler_chart(value) => Kind::AutoscalerValues,
        ("", _) if has_any(value, &["priorities", "predicates"]) => Kind::SchedulerPolicy,
        ("", "") => return None,
        _ => Kind::Other,
    })
}

fn has_any(value: &Value, keys: &[&str]) -> bool {
    keys.iter().any(|key| value.get(key).is_some_and(Value::is_array))
}

fn is_running(pod: &Value) -> bool {
    !deep(pod, &["status", "phase"]).is_empty() || !deep(pod, &["metadata", "uid"]).is_empty()
}

/// Values of Cluster Autoscaler's chart, by keys that no other well-known chart has.
fn is_autoscaler_chart(document: &Value) -> bool {
    let own = |values: &Value| {
        let keys = ["autoDiscovery", "autoscalingGroups", "expanderPriorities"];
        let flags = values.get("extraArgs").and_then(Value::as_object);
        let known = ["expander", "scan-interval", "scale-down-unneeded-time", "skip-nodes-with"];
        let flags = flags.is_some_and(|flags| {
            flags.keys().any(|key| key.starts_with("scale-down-") || known.contains(&key.as_str()))
        });
        flags || keys.iter().any(|key| values.get(key).is_some())
    };
    let places: [&[&str]; 4] = [
        &[],
        &["spec", "values"],
        &["spec", "source", "helm", "valuesObject"],
        &["cluster-autoscaler"],
    ];
    places.iter().any(|keys| {
        let found = keys.iter().try_fold(document, |value, key| value.get(key));
        found.is_some_and(own)
    })
}

fn config_map(value: &Value) -> Kind {
    let entries = value.get("data").and_then(Value::as_object).into_iter().flatten();
    if deep(value, &["metadata", "name"]) == "cluster-autoscaler-priority-expander" {
        return Kind::Priorities;
    }
    for text in entries.filter_map(|(_, text)| text.as_str()) {
        let documents = documents("", text).unwrap_or_default();
        match documents.first().map(|document| text_of(document, "kind")) {
            Some("KubeSchedulerConfiguration") => return Kind::SchedulerConfig,
            Some("Policy") => return Kind::SchedulerPolicy,
            _ => {}
        }
    }
    Kind::Other
}

/// The container of a workload that runs Cluster Autoscaler.
pub(crate) fn autoscaler(workload: &Value) -> Option<&Value> {
    running(workload, "cluster-autoscaler")
}

/// The container of a workload (or pod) that runs `program`.
pub(super) fn running<'v>(workload: &'v Value, program: &str) -> Option<&'v Value> {
    let of_template = items(workload, &["spec", "template", "spec", "containers"]);
    let containers = of_template.iter().chain(items(workload, &["spec", "containers"]));
    containers.into_iter().find(|container| {
        let command = items(container, &["command"]).first().and_then(Value::as_str);
        let image = text_of(container, "image").rsplit('/').next().unwrap_or_default();
        let image = image.split([':', '@']).next().unwrap_or_default();
        image == program
            || text_of(container, "name") == program
            || command.is_some_and(|command| command.ends_with(program))
    })
}

/// Most lines are settings of Spark.
pub(crate) fn is_spark_conf(text: &str) -> bool {
    let lines = text.lines().map(str::trim_start);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '!']));
    let (mut all, mut settings) = (0_u64, 0_u64);
    for line in lines.take(10_000) {
        all += 1;
        // A map of a YAML file holds such keys too, behind a colon.
        let key = line.split(|c: char| c.is_whitespace() || c == '=').next().unwrap_or_default();
        settings += u64::from(key.starts_with("spark.") && !key.ends_with(':'));
    }
    settings > 0 && settings * 5 >= all * 4
}
