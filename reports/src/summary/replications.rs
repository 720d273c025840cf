//! Several replications in one summary: the first one as the body, and every number with its
//! confidence interval.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Summary;
use crate::student_t::Estimate;

/// Keys that say what was asked for, not what came out.
const GIVEN: [&str; 3] = ["seed", "replications", "replication_statistics"];

impl Summary {
    /// One summary out of those of all replications, in order. `None` without any.
    ///
    /// A number that only some replications have (the cost of a team that another replication's
    /// sample of runs leaves out) counts as 0 in the others.
    pub fn of_replications(summaries: Vec<Self>) -> Option<Self> {
        let count = summaries.len();
        let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        if count > 1 {
            for (replication, summary) in summaries.iter().enumerate() {
                for (path, value) in numbers(summary) {
                    let over_all = values.entry(path).or_insert_with(|| vec![0.0; count]);
                    over_all[replication] = value;
                }
            }
        }
        let mut first = summaries.into_iter().next()?;
        first.replications = count as u64;
        first.replication_statistics = values
            .into_iter()
            .filter_map(|(path, values)| Some((path, Estimate::of(&values)?)))
            .collect();
        Some(first)
    }
}

/// Every number of a summary that was simulated, by its dotted path, in the order of the file:
/// `("cost_usd.by_kind.spot", 12.5)`. A dot inside a name is not escaped.
pub fn numbers(summary: &Summary) -> Vec<(String, f64)> {
    let value = serde_json::to_value(summary)
        .expect("a summary holds only strings, numbers and maps with string keys");
    let mut found = Vec::new();
    if let Value::Object(parts) = &value {
        for (key, part) in parts {
            if !GIVEN.contains(&key.as_str()) {
                collect(key, part, &mut found);
            }
        }
    }
    found
}

/// A summary is at most four levels deep, so that recursion is safe.
fn collect(path: &str, value: &Value, found: &mut Vec<(String, f64)>) {
    match value {
        Value::Object(parts) => {
            for (key, part) in parts {
                collect(&format!("{path}.{key}"), part, found);
            }
        }
        Value::Number(number) => found.extend(number.as_f64().map(|n| (path.to_owned(), n))),
        _ => {}
    }
}
