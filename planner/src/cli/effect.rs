//! What settings are expected to do, as a sentence that files carry with them.

use jiff::Timestamp;
use reports::figures::grouped;
use sim::Workload;
use sim::units::SimTime;

use super::metrics::{Unit, shown};
use crate::compare::Outcomes;

/// Cost with its interval, waiting and failures against `base`, and on what that was seen.
pub(super) fn sentence(base: &Outcomes, then: &Outcomes, workload: &Workload) -> String {
    let cost = then.against(base, "cost_usd.total");
    let share = |dollars: f64| match cost.base == 0.0 {
        true => shown(dollars, Unit::Usd, true),
        false => format!("{:+.1} %", dollars / cost.base * 100.0),
    };
    let interval = match &cost.difference {
        Some(found) => {
            format!("95 % interval {} to {}", share(found.ci95_low), share(found.ci95_high))
        }
        None => "one replication, no interval".to_owned(),
    };
    let change = |path: &str, unit: Unit| {
        let [before, after] = [base, then].map(|side| shown(side.mean(path), unit, false));
        format!("{before} to {after}")
    };
    format!(
        "cost {} ({interval}), p99 queue delay {}, failed runs {}, in {} replications of {}",
        share(cost.absolute()),
        change("latency_s.run_queue_delay.p99", Unit::Seconds),
        change("outcome.failed", Unit::Count),
        base.replications(),
        window(workload),
    )
}

/// What is submitted, and when: `7,934 runs, 2026-03-02T00:00Z to 2026-03-02T23:59Z`.
pub(super) fn window(workload: &Workload) -> String {
    let pods = workload.pods.first().map(|pod| pod.created_at);
    let first = workload.runs.first_submission().into_iter().chain(pods).min();
    let at = |time: SimTime| {
        let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let at = Timestamp::from_millisecond(workload.epoch_ms.saturating_add(ms));
        at.map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%MZ").to_string())
    };
    let mut what = Vec::new();
    for (count, name) in [(workload.runs.len(), "runs"), (workload.pods.len(), "pods")] {
        if count > 0 {
            what.push(format!("{} {name}", grouped(count as u64)));
        }
    }
    let (from, to) = (at(first.unwrap_or(SimTime::ZERO)), at(workload.last_submission()));
    format!("{}, {from} to {to}", what.join(" and "))
}
