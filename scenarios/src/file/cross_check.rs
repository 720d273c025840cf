//! Settings of several sections that cannot go together, and pods that no node can take.
//! Spark's own settings are compared where they are read.

mod placement;

use sim::Severity;
use sim::scenario::{CapacityType, NodePool, Scenario};

use super::context::Context;
use super::overprovisioning::Pause;

pub(crate) use placement::{Requests, driver_requests, executor_requests, gib};
use placement::{fits, largest, mismatch, placement};

/// Reports everything of `scenario` that does not go together.
pub(super) fn check(context: &Context<'_>, scenario: &Scenario, pause: Option<&Pause<'_>>) {
    if let Some(pause) = pause {
        pause_pods(context, scenario, pause);
    }
    if scenario.pools.is_empty() {
        return;
    }
    let defaults = &scenario.spark;
    let driver = (driver_requests(defaults), &defaults.driver_template);
    let executor = (executor_requests(defaults), &defaults.executor_template);
    for (role, (requests, template)) in [("driver", driver), ("executor", executor)] {
        if let Some((code, message)) = placement(scenario, role, &requests, template) {
            context.note(Severity::Warning, code, &format!("spec.spark ({role})"), message);
        }
    }
    on_demand_fallback(context, scenario);
    if scenario.autoscaler.is_none() && scenario.pools.iter().all(|pool| pool.desired_size == 0) {
        let message = "no node at the start and no autoscaler to launch one: nothing will run";
        context.note(Severity::Warning, "no-nodes", "spec.nodes", message.to_owned());
    }
}

/// A ladder that moves executors to on-demand nodes needs some that take them.
fn on_demand_fallback(context: &Context<'_>, scenario: &Scenario) {
    let ladder = &scenario.retries;
    let template = scenario.spark.executor_template.clone().without_capacity_type();
    let may_run =
        scenario.pools.iter().filter(|pool| mismatch(scenario, &template, pool).is_none());
    let on_demand =
        |pool: &NodePool| pool.capacity_type == CapacityType::OnDemand && pool.max_size > 0;
    if ladder.moves_to_on_demand() && may_run.clone().count() > 0 && !may_run.clone().any(on_demand)
    {
        let message = format!(
            "the retry ladder `{}` moves executors to on-demand nodes, and no on-demand pool takes \
             them",
            ladder.name,
        );
        context.note(Severity::Warning, "no-on-demand-pool", "spec.retries", message);
    }
}

fn pause_pods(context: &Context<'_>, scenario: &Scenario, pause: &Pause<'_>) {
    let value = &pause.value;
    let requests = Requests { cpu: value.cpu, memory: value.memory };
    let open: Vec<&NodePool> = scenario.pools.iter().filter(|pool| pool.max_size > 0).collect();
    if !open.is_empty() && !open.iter().any(|pool| fits(scenario, pool, &requests)) {
        let largest = largest(scenario, &open);
        let message = format!(
            "a pause pod of {} CPU and {} is larger than any node: the largest has {} CPU and {} \
             for pods",
            requests.cpu,
            gib(requests.memory),
            largest.cpu,
            gib(largest.memory),
        );
        pause.pod.problem(message);
    }
    let wanted = Requests { cpu: value.cpu, memory: value.memory };
    if let Some(("no-matching-pool", message)) =
        placement(scenario, "pause", &wanted, &value.template)
    {
        context.note(Severity::Warning, "no-matching-pool", "spec.overprovisioning", message);
    }
    let spark = &scenario.spark;
    let lowest = spark.driver_template.priority.min(spark.executor_template.priority);
    if value.priority >= lowest {
        let message = format!(
            "pause pods of priority {} are not below the Spark pods' {lowest}: they would never be \
             pushed out",
            value.priority,
        );
        pause.pod.problem_with_help(message, "set `spec.overprovisioning.priority` below it");
    }
    let cutoff = scenario.cluster_autoscaler().map(|ca| ca.expendable_pods_priority_cutoff);
    if let Some(cutoff) = cutoff.filter(|cutoff| value.priority < *cutoff) {
        let message = format!(
            "pause pods of priority {} are below the autoscaler's cutoff {cutoff}: it launches no \
             nodes for them",
            value.priority,
        );
        context.note(Severity::Warning, "pause-pods-expendable", "spec.overprovisioning", message);
    }
}
