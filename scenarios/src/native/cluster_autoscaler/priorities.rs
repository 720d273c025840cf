//! The `priority` expander's table, as its ConfigMap `cluster-autoscaler-priority-expander` has it:
//! a priority and the patterns of the node groups that have it, `10: [.*spot.*]`.

use sim::scenario::GroupPattern;

use crate::walk::At;

/// Reads the table. What is no priority or no pattern is a problem of the map's walker.
pub fn read_priorities(at: &At<'_>) -> Vec<(i32, Vec<GroupPattern>)> {
    let mut table = Vec::new();
    for (key, value) in at.entries().unwrap_or_default() {
        let Ok(priority) = key.name.parse::<i32>() else {
            let name: String = key.name.chars().take(80).collect();
            let message = format!("`{name}` is no priority");
            value.problem_with_help(message, "a whole number; the highest one wins");
            continue;
        };
        let patterns = value.list().unwrap_or_default();
        table.push((priority, patterns.iter().filter_map(pattern).collect()));
    }
    // The order of the file means nothing; the highest priority is asked first.
    table.sort_by_key(|(priority, _): &(i32, Vec<GroupPattern>)| std::cmp::Reverse(*priority));
    table
}

fn pattern(at: &At<'_>) -> Option<GroupPattern> {
    let text = at.string()?;
    match GroupPattern::parse(&text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let text: String = text.chars().take(80).collect();
            let message = format!("`{text}` is no pattern of group names: {error}");
            at.problem_with_help(message, "a regular expression such as .*spot.*");
            None
        }
    }
}
