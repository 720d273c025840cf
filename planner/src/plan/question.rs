//! `spec.plan`: what may change, what is wanted, what must not happen.

use serde_json::Value;

use super::Candidate;
use crate::compare::gate::Gate;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// What may change.
    pub knobs: Vec<Knob>,
    /// Path of the metric that should be small.
    pub minimize: String,
    /// What a candidate must not do, against today.
    pub limits: Vec<Gate>,
    /// Replications of those that stay to the end.
    pub replications: u64,
    /// At most so many simulations in the search.
    pub evaluations: u64,
    /// Share of the workload's time, at its end, that the search does not see.
    pub hold_out: f64,
    /// Other worlds in which the recommendation is looked at.
    pub risks: Vec<Risk>,
}

/// A setting that may change.
#[derive(Debug, Clone, PartialEq)]
pub struct Knob {
    /// Where it is, as `--set` has it.
    pub path: String,
    /// The values that it may take, in their order.
    pub values: Vec<String>,
}

/// Another world.
#[derive(Debug, Clone, PartialEq)]
pub struct Risk {
    /// Its name.
    pub name: String,
    /// What is different in it, as `--set` has it.
    pub sets: Vec<String>,
}

const KEYS: [&str; 7] =
    ["knobs", "minimize", "limits", "replications", "evaluations", "holdOut", "risks"];

impl Question {
    /// Reads `spec.plan`.
    ///
    /// # Errors
    /// Everything that is wrong with it, a line each.
    pub fn read(plan: &Value) -> Result<Self, String> {
        let mut wrong = Vec::new();
        let Some(map) = plan.as_object() else {
            return Err("spec.plan: expected a map with knobs".to_owned());
        };
        for key in map.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            wrong.push(format!("spec.plan.{key}: unknown key; there are {}", KEYS.join(", ")));
        }
        let knobs = list(&plan["knobs"], "knobs", knob, &mut wrong);
        if knobs.is_empty() && wrong.is_empty() {
            wrong.push("spec.plan.knobs: nothing may change: name at least one setting".to_owned());
        }
        let gate = |value: &Value, at: &str| {
            let text = value.as_str().ok_or_else(|| format!("{at}: expected a condition"))?;
            Gate::parse(text).map_err(|error| format!("{at}: {}", error.replace("--fail-if ", "")))
        };
        let limits = list(&plan["limits"], "limits", gate, &mut wrong);
        let risks = list(&plan["risks"], "risks", risk, &mut wrong);
        let mut number = |key: &str, default: f64, low: f64, high: f64| match &plan[key] {
            Value::Null => default,
            value => match value.as_f64().filter(|n| (low..=high).contains(n)) {
                Some(number) => number,
                None => {
                    wrong.push(format!("spec.plan.{key}: expected a number from {low} to {high}"));
                    default
                }
            },
        };
        let replications = number("replications", 5.0, 2.0, 1000.0) as u64;
        let evaluations = number("evaluations", 200.0, 2.0, 1e6) as u64;
        let hold_out = number("holdOut", 0.0, 0.0, 0.9);
        let minimize = match plan["minimize"].as_str().unwrap_or("cost_usd.total") {
            "cost" => "cost_usd.total",
            other => other,
        };
        let minimize = minimize.to_owned();
        match wrong.is_empty() {
            true => {
                Ok(Self { knobs, minimize, limits, replications, evaluations, hold_out, risks })
            }
            false => Err(wrong.join("\n")),
        }
    }

    /// Candidates in all, today's settings among them; `None` beyond counting.
    pub fn size(&self) -> Option<u64> {
        let mut size = 1_u64;
        for knob in &self.knobs {
            size = size.checked_mul(knob.values.len() as u64 + 1)?;
        }
        Some(size)
    }

    /// Today's settings.
    pub fn today(&self) -> Candidate {
        vec![None; self.knobs.len()]
    }

    /// What `candidate` changes, as `--set` has it.
    pub fn sets(&self, candidate: &Candidate) -> Vec<String> {
        let chosen = self.knobs.iter().zip(candidate);
        chosen
            .filter_map(|(knob, place)| Some(format!("{}={}", knob.path, knob.values[(*place)?])))
            .collect()
    }
}

fn list<T>(
    value: &Value,
    key: &str,
    read: impl Fn(&Value, &str) -> Result<T, String>,
    wrong: &mut Vec<String>,
) -> Vec<T> {
    let items = match value {
        Value::Null => return Vec::new(),
        Value::Array(items) => items,
        _ => {
            wrong.push(format!("spec.plan.{key}: expected a list"));
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for (place, item) in items.iter().enumerate() {
        match read(item, &format!("spec.plan.{key}[{place}]")) {
            Ok(item) => found.push(item),
            Err(error) => wrong.push(error),
        }
    }
    found
}

fn knob(value: &Value, at: &str) -> Result<Knob, String> {
    let path = value["path"].as_str().filter(|path| path.starts_with("spec."));
    let values = value["values"].as_array().filter(|values| !values.is_empty());
    match (path, values) {
        (Some(path), Some(values)) => Ok(Knob {
            path: path.to_owned(),
            values: values
                .iter()
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                .collect(),
        }),
        _ => Err(format!(
            "{at}: expected `path: spec...` and `values: [...]`, as in {{path: \
             spec.overprovisioning.replicas, values: [0, 2, 4]}}"
        )),
    }
}

fn risk(value: &Value, at: &str) -> Result<Risk, String> {
    let sets = value["set"].as_array().into_iter().flatten();
    let sets: Option<Vec<String>> = sets.map(|set| set.as_str().map(str::to_owned)).collect();
    match (value["name"].as_str(), sets) {
        (Some(name), Some(sets)) if !sets.is_empty() => Ok(Risk { name: name.to_owned(), sets }),
        _ => Err(format!("{at}: expected `name` and `set: [PATH=VALUE]`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_question_is_read_whole() {
        let plan = json!({
            "knobs": [
                {"path": "spec.a", "values": ["1m", 2]},
                {"path": "spec.b", "values": [true]},
            ],
            "limits": ["outcome.failed > +1"],
            "minimize": "cost",
            "holdOut": 0.25,
            "risks": [{"name": "rough", "set": ["spec.c=1"]}],
        });
        let question = Question::read(&plan).unwrap();
        assert_eq!((question.size(), question.minimize.as_str()), (Some(6), "cost_usd.total"));
        assert_eq!(question.sets(&vec![Some(1), None]), ["spec.a=2"]);
        assert_eq!(question.sets(&question.today()), [""; 0]);
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let plan = json!({"knobs": [{"path": "a"}], "limits": ["x"], "holdOut": 2, "risk": 1});
        let error = Question::read(&plan).unwrap_err();
        for part in ["knobs[0]", "limits[0]", "holdOut", "spec.plan.risk: unknown key"] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(Question::read(&json!({})).unwrap_err().contains("nothing may change"));
    }
}
