//! Where a difference comes from: one change at a time, put into the base alone.
//!
//! A change is a setting where few differ, else a part of the scenario. What the changes do not add
//! up to is their interaction. Leaves out: orders of changes (Shapley values): one number for what
//! several changes do together says enough to go and look.

use std::sync::Arc;

use scenarios::Loaded;
use scenarios::difference::{self, Setting};
use sim::Scenario;

use super::{Side, Workloads};
use crate::spot_weather;

/// More settings than this are looked at by part: the table would not be read.
const SETTINGS_MAX: usize = 12;

/// The base with one change of the candidate at a time, and the changes that make no scenario
/// alone.
pub fn one_by_one(
    (base, base_side): (&Loaded, &Side),
    (candidate, candidate_side): (&Loaded, &Side),
) -> (Vec<Side>, Vec<String>) {
    let settings = difference::settings(base, candidate);
    let (mut sides, mut refused) = (Vec::new(), Vec::new());
    let changes = together(settings, base, candidate);
    if changes.len() > SETTINGS_MAX {
        sides = parts(base_side, candidate_side);
    } else {
        for (name, settings) in &changes {
            let changed = difference::with(base, settings).ok();
            let changed = changed.and_then(|mut loaded| {
                spot_weather::apply(&mut loaded.scenario, &loaded.spot_series).ok()?;
                Some(loaded.scenario)
            });
            match changed {
                Some(scenario) => sides.push(Side {
                    name: name.trim_start_matches("spec.").to_owned(),
                    scenario: Arc::new(scenario),
                    ..base_side.clone()
                }),
                None => refused.push(name.clone()),
            }
        }
    }
    sides.extend(workload(base_side, candidate_side));
    (sides, refused)
}

/// Name of the change to another kind of autoscaler.
const OTHER_AUTOSCALER: &str = "autoscaler and nodes";

/// Settings that are one change: each by itself, but for those of an autoscaler of another kind,
/// which comes with its own nodes.
fn together(
    settings: Vec<Setting>,
    base: &Loaded,
    candidate: &Loaded,
) -> Vec<(String, Vec<Setting>)> {
    let mut changes: Vec<(String, Vec<Setting>)> = Vec::new();
    let other = is_karpenter(&base.scenario) != is_karpenter(&candidate.scenario);
    let parts = ["spec.nodes.", "spec.autoscaler", "spec.instanceTypes"];
    for setting in settings {
        let joins = other && parts.iter().any(|part| setting.path.starts_with(part));
        let known = changes.iter_mut().find(|(name, _)| joins && name == OTHER_AUTOSCALER);
        match known {
            Some((_, all)) => all.push(setting),
            None if joins => changes.push((OTHER_AUTOSCALER.to_owned(), vec![setting])),
            None => changes.push((setting.path.clone(), vec![setting])),
        }
    }
    changes
}

fn is_karpenter(scenario: &Scenario) -> bool {
    scenario.karpenter().is_some()
}

/// The base with the candidate's workload, where that is another one.
fn workload(base: &Side, candidate: &Side) -> Option<Side> {
    let same = same_workload(&base.workload, &candidate.workload);
    let workload = candidate.workload.clone();
    (!same).then(|| Side { name: "workload".to_owned(), workload, ..base.clone() })
}

fn same_workload(one: &Workloads, other: &Workloads) -> bool {
    format!("{:?}", one(0)) == format!("{:?}", other(0))
}

/// The parts of a scenario that can be changed one at a time.
fn parts(base: &Side, candidate: &Side) -> Vec<Side> {
    let from = &*candidate.scenario;
    type Change = fn(&mut Scenario, &Scenario);
    let changes: [(&'static str, Change); 12] = [
        ("spark", |to, from| to.spark = from.spark.clone()),
        ("nodes", |to, from| {
            to.pools.clone_from(&from.pools);
            to.daemonsets = from.daemonsets;
        }),
        ("autoscaler", |to, from| to.autoscaler.clone_from(&from.autoscaler)),
        (OTHER_AUTOSCALER, |to, from| {
            // Karpenter's NodePools say by place which pools are theirs.
            to.pools.clone_from(&from.pools);
            to.daemonsets = from.daemonsets;
            to.autoscaler.clone_from(&from.autoscaler);
        }),
        ("scheduler", |to, from| {
            to.scheduler = from.scheduler.clone();
            to.kubernetes = from.kubernetes;
        }),
        ("retries", |to, from| to.retries = from.retries.clone()),
        ("orchestrator", |to, from| to.orchestrator = from.orchestrator.clone()),
        ("images", |to, from| to.images = from.images.clone()),
        ("overprovisioning", |to, from| to.overprovisioning.clone_from(&from.overprovisioning)),
        ("fees", |to, from| to.fees = from.fees),
        ("billing", |to, from| to.billing.clone_from(&from.billing)),
        ("assumptions", |to, from| to.assumptions = from.assumptions.clone()),
    ];
    let mut parts = Vec::new();
    let joined = is_karpenter(&base.scenario) || is_karpenter(from);
    for (name, change) in changes {
        let is_meant = match name {
            "nodes" | "autoscaler" => !joined,
            OTHER_AUTOSCALER => joined,
            _ => true,
        };
        if !is_meant {
            continue;
        }
        let mut scenario = (*base.scenario).clone();
        let before = format!("{scenario:?}");
        change(&mut scenario, from);
        if format!("{scenario:?}") != before {
            let scenario = Arc::new(scenario);
            parts.push(Side { name: name.to_owned(), scenario, ..base.clone() });
        }
    }
    parts
}
