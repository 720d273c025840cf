//! The scenario again, naming the files that were written; the rest of it is the resolved form.

use std::path::{Component, Path, PathBuf};

use scenarios::Loaded;
use scenarios::file::SpotSeriesUse;
use scenarios::native::{cluster_autoscaler, eksctl};
use serde_json::{Map, Value, json};

use super::names;

/// The resolved text as a value.
fn resolved(text: &str) -> Value {
    // Our own text: what reads it back is tested for every scenario of the library.
    let line = scenarios::one_line("resolved", text).unwrap_or_default();
    serde_json::from_str(&line).unwrap_or_default()
}

/// The names of the traces, as the resolved text has them.
pub(super) fn traces(text: &str) -> Vec<String> {
    let value = resolved(text);
    let traces = value["spec"]["workload"]["traces"].as_array().cloned().unwrap_or_default();
    let names = traces.iter().filter_map(Value::as_object).flat_map(Map::values);
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `spec.spark.applications`.
pub(super) fn classes(text: &str) -> Vec<Value> {
    let value = resolved(text);
    value["spec"]["spark"]["applications"].as_array().cloned().unwrap_or_default()
}

/// `spec.retries` with what its reader fills in.
pub(super) fn retries(text: &str) -> Value {
    let mut value = resolved(text)["spec"]["retries"].take();
    if let Some(rungs) = value["ladder"].as_array_mut() {
        for rung in rungs {
            if rung.get("steps").is_none() {
                rung["steps"] = json!([]);
            }
        }
    }
    if value.get("history").is_none() {
        value["history"] = json!([]);
    }
    value
}

/// The scenario with the files that are among `written`, for the folder `out`.
pub(super) fn naming(loaded: &Loaded, written: &[&str], out: &Path) -> Value {
    let mut value = resolved(&loaded.resolved);
    paths(loaded, out, &mut value["spec"]);
    let has = |name: &str| written.contains(&name);
    let spec = &mut value["spec"];
    if has(names::SPARK_DEFAULTS)
        && let Some(spark) = spec["spark"].as_object_mut()
    {
        spark.shift_remove("sparkConf");
        spark.insert("defaults".into(), json!(names::SPARK_DEFAULTS));
    }
    if has(names::DRIVER) {
        spec["spark"]["driverPodTemplate"] = json!(names::DRIVER);
        spec["spark"]["executorPodTemplate"] = json!(names::EXECUTOR);
    }
    if has(names::EKSCTL)
        && let Some(nodes) = spec["nodes"].as_object_mut()
    {
        nodes.shift_remove("pools");
        nodes.insert("eksctl".into(), json!(names::EKSCTL));
        let overrides = eksctl::write::overrides(&loaded.scenario);
        if !overrides.is_empty() {
            nodes.insert("overrides".into(), Value::Object(overrides));
        }
    }
    if has(names::AUTOSCALER)
        && let Some(ca) = loaded.scenario.cluster_autoscaler()
    {
        let mut out = json!({ "values": names::AUTOSCALER });
        if let Some(table) = cluster_autoscaler::write::priorities(ca) {
            out["priorities"] = table;
        }
        spec["autoscaler"] = json!({ "clusterAutoscaler": out });
    }
    if has(names::KARPENTER) && loaded.scenario.karpenter().is_some() {
        spec["autoscaler"]["karpenter"]["manifests"] = json!([names::KARPENTER]);
    }
    if has(names::SCHEDULER) {
        spec["scheduler"] = json!({ "config": names::SCHEDULER });
    }
    value
}

/// Traces and series stay where they are: their paths, as seen from `out`.
fn paths(loaded: &Loaded, out: &Path, spec: &mut Value) {
    for (place, trace) in loaded.traces.iter().enumerate() {
        if let Some(path) = relative(&trace.path, out).filter(|_| !trace.is_address()) {
            spec["workload"]["traces"][place][trace.kind.key()] = json!(path);
        }
    }
    for series in &loaded.spot_series {
        let section = match series.purpose {
            SpotSeriesUse::Weather | SpotSeriesUse::Bands => "spot",
            SpotSeriesUse::Prices => "spotPrices",
        };
        if let Some(path) = relative(&series.path, out) {
            spec["assumptions"][section]["series"] = json!(path);
        }
    }
}

/// `path` as seen from the folder `from`, with `/`; `None` where nothing but the root is common to
/// both, for such a path means nothing elsewhere.
fn relative(path: &Path, from: &Path) -> Option<String> {
    let [path, from] = [path, from].map(plain);
    let (path, from) = (path?, from?);
    let common = path.iter().zip(&from).take_while(|(a, b)| a == b).count();
    if common == 0 {
        return None;
    }
    let up = from[common..].iter().map(|_| "..".to_owned());
    Some(up.chain(path[common..].iter().cloned()).collect::<Vec<_>>().join("/"))
}

/// The names on the way to `path` from the root, without `.` and `..`.
fn plain(path: &Path) -> Option<Vec<String>> {
    let absolute: PathBuf = std::path::absolute(path).ok()?;
    let mut names = Vec::new();
    for component in absolute.components() {
        match component {
            Component::Normal(name) => names.push(name.to_str()?.to_owned()),
            Component::ParentDir => {
                names.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_from_a_folder() {
        let check = |path: &str, from: &str, expected: Option<&str>| {
            let found = relative(Path::new(path), Path::new(from));
            assert_eq!(found.as_deref(), expected, "{path} from {from}");
        };
        check("a/../b/day.csv", "out", Some("../b/day.csv"));
        check("day.csv", "out/deep", Some("../../day.csv"));
        check("/data/day.csv", "/data/out", Some("../day.csv"));
        check("/data/day.csv", "/srv/out", None);
    }
}
