//! What differs between two scenarios, setting by setting, and a scenario with some of that changed.
//!
//! Both are taken with every value explicit. A setting is a value of the tree, or a list; lists of
//! things with names (node pools) are taken apart by those names. Leaves out: the workload, which is
//! no setting of the platform, and what cannot stand alone: changing it gives an error.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::file::{Loaded, ScenarioError, json_of_text, load_text};

/// A setting that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Where it is, such as `spec.autoscaler.clusterAutoscaler.extraArgs.scan-interval`.
    pub path: String,
    /// Its value before, as JSON; `None` where it is not there.
    pub before: Option<Value>,
    /// Its value after.
    pub after: Option<Value>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    /// The item of a list that has this name.
    Named(String),
}

/// Keys of the document that are no settings of the platform.
const LEFT_OUT: [&str; 3] = ["metadata", "spec.workload", "spec.plan"];

/// Every setting in which `after` differs from `before`, in the order of the file.
pub fn settings(before: &Loaded, after: &Loaded) -> Vec<Setting> {
    let mut found = Vec::new();
    let (before, after) = (json_of_text(&before.resolved), json_of_text(&after.resolved));
    collect(Some(&before), Some(&after), &mut Vec::new(), &mut found);
    found
}

/// `base` with `settings` changed to what they are after.
///
/// # Errors
/// Where the result is no scenario: a setting may need another one beside it.
pub fn with(base: &Loaded, settings: &[Setting]) -> Result<Loaded, ScenarioError> {
    let mut tree = json_of_text(&base.resolved);
    for setting in settings {
        put(&mut tree, &setting.steps, setting.after.as_ref());
    }
    load_text(&format!("{} changed", base.scenario.name), &tree.to_string())
}

fn collect(
    before: Option<&Value>,
    after: Option<&Value>,
    steps: &mut Vec<Step>,
    found: &mut Vec<Setting>,
) {
    if before == after || LEFT_OUT.contains(&path(steps).as_str()) {
        return;
    }
    if let (Some(Value::Object(a)), Some(Value::Object(b))) = (before, after) {
        let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
        for key in keys {
            steps.push(Step::Key(key.clone()));
            collect(a.get(key), b.get(key), steps, found);
            steps.pop();
        }
        return;
    }
    if let (Some(a), Some(b)) = (before.and_then(named), after.and_then(named))
        && a.len() == b.len()
        && a.keys().eq(b.keys())
    {
        for (name, item) in &a {
            steps.push(Step::Named(name.clone()));
            collect(Some(item), b.get(name).copied(), steps, found);
            steps.pop();
        }
        return;
    }
    // Which types there are to choose from follows from what NodePools ask for, unless it is said.
    if path(steps) == "spec.autoscaler.karpenter.instanceTypes" {
        return;
    }
    // What the catalogue says of a type that only one of them uses follows from its pools.
    let of_catalogue = path(&steps[..steps.len().min(2)]) == "spec.instanceTypes";
    if of_catalogue && (before.is_none() || after.is_none()) {
        return;
    }
    found.push(Setting {
        path: path(steps),
        before: before.cloned(),
        after: after.cloned(),
        steps: steps.clone(),
    });
}

/// The items of a list by their names, where every one has its own.
fn named(value: &Value) -> Option<BTreeMap<String, &Value>> {
    let items = value.as_array().filter(|items| !items.is_empty())?;
    let names: Option<BTreeMap<String, &Value>> =
        items.iter().map(|item| Some((name_of(item)?, item))).collect();
    names.filter(|names| names.len() == items.len())
}

/// The `name` of a thing, or an object of Kubernetes' as `Kind name`.
fn name_of(item: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    item.get("name").and_then(text).or_else(|| {
        let name = item.get("metadata")?.get("name").and_then(text)?;
        Some(format!("{} {name}", item.get("kind")?.as_str()?))
    })
}

fn path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Key(key) if path.is_empty() => path.push_str(key),
            Step::Key(key) if key.contains('.') => path.push_str(&format!(".\"{key}\"")),
            Step::Key(key) => path.push_str(&format!(".{key}")),
            Step::Named(name) => path.push_str(&format!("[{name}]")),
        }
    }
    path
}

fn put(tree: &mut Value, steps: &[Step], value: Option<&Value>) {
    let Some((step, rest)) = steps.split_first() else { return };
    match step {
        Step::Key(key) => {
            if !tree.is_object() {
                *tree = Value::Object(Map::new());
            }
            let Some(object) = tree.as_object_mut() else { return };
            match (rest.is_empty(), value) {
                (true, Some(value)) => {
                    object.insert(key.clone(), value.clone());
                }
                (true, None) => {
                    object.remove(key);
                }
                (false, _) => put(object.entry(key.clone()).or_insert(Value::Null), rest, value),
            }
        }
        Step::Named(name) => {
            let items = tree.as_array_mut().into_iter().flatten();
            let own = |item: &&mut Value| name_of(item).as_ref() == Some(name);
            if let Some(item) = items.into_iter().find(own) {
                put(item, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "{apiVersion: seatrial/v1alpha1, kind: Scenario, spec: {region: us-west-2,\
        kubernetesVersion: '1.33', autoscaler: {clusterAutoscaler: {}}, nodes: {pools: [\
        {name: a, instanceTypes: [m5.large], maxSize: 1}, {name: b, instanceTypes: [m5.large], \
        maxSize: 2}]}}}";

    fn loaded(text: &str) -> Loaded {
        load_text("s", text).unwrap()
    }

    #[test]
    fn settings_change_one_by_one() {
        let base = loaded(BASE);
        let other = BASE.replace("maxSize: 2", "maxSize: 9").replace(
            "{clusterAutoscaler: {}}",
            "{clusterAutoscaler: {extraArgs: {scan-interval: 1m}}}",
        );
        let other = loaded(&other);
        let found = settings(&base, &other);
        let paths: Vec<&str> = found.iter().map(|setting| setting.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "spec.nodes.pools[b].maxSize",
                "spec.autoscaler.clusterAutoscaler.extraArgs.scan-interval"
            ]
        );
        assert_eq!(found[0].after, Some(Value::from(9)));
        let one = with(&base, &found[..1]).unwrap();
        assert_eq!(one.scenario.pools[1].max_size, 9);
        assert_eq!(settings(&base, &one).len(), 1);
        let all = with(&base, &found).unwrap();
        assert_eq!(settings(&all, &other), []);
    }

    #[test]
    fn what_is_not_there_comes_and_goes() {
        let base = loaded(BASE);
        let without = loaded(&BASE.replace("autoscaler: {clusterAutoscaler: {}}, ", ""));
        let found = settings(&base, &without);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].path.as_str(), &found[0].after), ("spec.autoscaler", &None));
        assert!(with(&base, &found).unwrap().scenario.autoscaler.is_none());
        let back = settings(&without, &base);
        assert!(with(&without, &back).unwrap().scenario.autoscaler.is_some());
    }
}
