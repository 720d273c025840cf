//! What to change, from where an application's money went. Rules of thumb, said with their numbers;
//! `seatrial compare --change` tells what a change would really do.

use super::data::Behaviour;
use crate::cost::Cell;
use crate::figures::percent;

/// What helps against a cause of failures.
pub(super) fn for_cause(cause: &str) -> &'static str {
    match cause {
        "executor_oom" => "more executor memory, or a ladder that raises it: seatrial ladder",
        "driver_oom" => "more driver memory: spark.driver.memory",
        "timeout" => "more executors, or a longer timeout: spec.orchestrator.rules",
        "spot" => "on-demand retries, decommissioning, other instance types",
        "driver_lost" => "drivers on on-demand nodes",
        "unschedulable" => "larger nodes or pools: seatrial explain --pod says what did not fit",
        "preempted" => "a higher priority, or more room",
        "drained" => "safe-to-evict: \"false\" on drivers; a longer scale-down-unneeded-time",
        "image_pull" => "pre-pulled images, a mirror",
        "application" => "its own code: no retry helps",
        "transient" => "retries with a backoff",
        _ => "",
    }
}

/// What to change about an application; empty where nothing stands out.
pub(super) fn for_owner(cell: &Cell, own: Option<&Behaviour>) -> String {
    // Useful, recompute, failed attempts, idle, starting: what its own pods came to.
    let pods = |place: usize| (cell.kinds[place] - cell.shared[place]) as f64;
    let whole: f64 = (0..5).map(pods).sum();
    if whole <= 0.0 {
        return String::new();
    }
    let above = |place: usize, share: f64| pods(place) > whole * share;
    let part = |place: usize| percent(pods(place), whole);
    let killed = own.is_some_and(|own| own.oom_killed > 0);
    let most = own.and_then(|own| own.causes.iter().max_by_key(|(_, count)| **count));
    let mut advice = Vec::new();
    if above(2, 0.1) {
        let cause = most.map_or("", |(cause, _)| for_cause(cause));
        advice.push(format!("{} went into failed attempts: {cause}", part(2)));
    } else if killed {
        advice.push("executors die of memory: more spark.executor.memory".to_owned());
    }
    if above(3, 0.25) {
        advice.push(format!(
            "executors idle {}: fewer (spark.dynamicAllocation.maxExecutors) or a shorter \
             executorIdleTimeout",
            part(3)
        ));
    }
    if above(4, 0.25) {
        advice.push(format!("{} is starting: pre-pulled images, fewer and longer runs", part(4)));
    }
    if above(1, 0.1) {
        advice
            .push(format!("{} was computed twice: on-demand executors, decommissioning", part(1)));
    }
    let (requested, used) = (cell.cpu[0], cell.cpu[1]);
    if advice.is_empty() && requested > 0.0 && used < 0.4 * requested {
        advice.push(format!("uses {} of the CPU that it asks for", percent(used, requested)));
    }
    advice.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_what_stands_out() {
        let mut cell = Cell::default();
        assert_eq!(for_owner(&cell, None), "");
        cell.kinds[..5].copy_from_slice(&[60, 0, 0, 40, 0]);
        assert!(for_owner(&cell, None).starts_with("executors idle 40.0 %"));
        cell.kinds[..5].copy_from_slice(&[60, 0, 40, 0, 0]);
        let mut own = Behaviour::default();
        own.causes.insert("executor_oom".to_owned(), 3);
        let advice = for_owner(&cell, Some(&own));
        assert!(advice.contains("40.0 % went into failed attempts: more executor memory"));
        // What is shared is nobody's habit.
        cell.shared = cell.kinds;
        assert_eq!(for_owner(&cell, Some(&own)), "");
    }
}
