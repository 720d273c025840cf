//! What the pods of an attempt ask for, interned: drivers, executors, where they may run.

use std::collections::BTreeSet;

use super::memory::Shape;
use crate::Severity;
use crate::cluster::{Amounts, ImageId, Placement, PlacementId, PodSpec, Resources};
use crate::engine::world::{Cx, World};
use crate::scenario::PodTemplate;

/// Label of the run that a pod of Spark's belongs to.
const APP_SELECTOR: &str = "spark-app-selector";

/// What a pod of Spark's is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Driver,
    Executor,
}

impl Role {
    /// As the label `spark-role` says it.
    const fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Executor => "executor",
        }
    }
}

/// What the driver asks for.
pub(super) fn driver_spec(
    world: &mut World,
    cx: &mut Cx<'_>,
    shape: &Shape,
    run_id: &str,
) -> PodSpec {
    pod_spec(world, cx, (Role::Driver, false), &shape.driver, run_id)
}

/// What an executor asks for.
pub(super) fn executor_spec(
    world: &mut World,
    cx: &mut Cx<'_>,
    shape: &Shape,
    run_id: &str,
    on_demand: bool,
) -> PodSpec {
    pod_spec(world, cx, (Role::Executor, on_demand), &shape.executor, run_id)
}

/// What a pod asks for: Spark's own container and what the template adds to it.
fn pod_spec(
    world: &mut World,
    cx: &mut Cx<'_>,
    (role, on_demand): (Role, bool),
    spark: &Resources,
    run_id: &str,
) -> PodSpec {
    let main = Amounts::of(spark);
    let template = match role {
        Role::Driver => &cx.scenario.spark.driver_template,
        Role::Executor => &cx.scenario.spark.executor_template,
    };
    let names = &mut world.cluster.resource_names;
    let amounts = Amounts::of_pod(names, Some(main), template).unwrap_or_else(|_| {
        let message = "more extended resources than are modelled: the containers that the template \
                       adds are left out";
        cx.find(Severity::Warning, "too-many-resources", role.name(), message.to_owned());
        Amounts { requests: *spark, ..main }
    });
    amounts.spec(placement_id(world, template, (role, on_demand), run_id), template.priority)
}

/// Where a pod may run. Where no selector tells runs apart, all of a role may run in the same places.
fn placement_id(
    world: &mut World,
    template: &PodTemplate,
    (role, on_demand): (Role, bool),
    run_id: &str,
) -> PlacementId {
    let by_run = world.cluster.labels_read.contains(APP_SELECTOR);
    let known = world.spark_placements.get(&(role, on_demand)).filter(|_| !by_run);
    if let Some(known) = known {
        return *known;
    }
    let images = match role {
        Role::Driver => world.images.driver.clone(),
        Role::Executor => world.images.executor.clone(),
    };
    let mut placement = placement(template.clone(), images, on_demand);
    keep_labels(&mut placement.template, &world.cluster.labels_read, role, run_id);
    let id = world.cluster.specs.intern_placement(placement);
    world.spark_placements.insert((role, on_demand), id);
    id
}

/// Keeps the labels that some selector of the scenario reads; Spark's own ones among them.
fn keep_labels(template: &mut PodTemplate, read: &BTreeSet<String>, role: Role, run_id: &str) {
    template.labels.retain(|key, _| read.contains(key));
    for (key, value) in [("spark-role", role.name()), (APP_SELECTOR, run_id)] {
        if read.contains(key) {
            template.labels.insert(key.to_owned(), value.to_owned());
        }
    }
}

/// `karpenter.sh/do-not-disrupt`, and the pod's deletion cost.
fn disruption_annotations(template: &PodTemplate) -> (bool, i32) {
    const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
    let annotation = |key: &str| template.annotations.get(key).map(String::as_str);
    let cost = annotation(DELETION_COST).and_then(|cost| cost.parse().ok()).unwrap_or(0);
    (annotation("karpenter.sh/do-not-disrupt") == Some("true"), cost)
}

/// Annotations do not matter to placement, and labels that nobody reads do not either (see
/// [`keep_labels`]), so they are left out: equal placements are interned once.
fn placement(mut template: PodTemplate, images: Vec<ImageId>, on_demand_only: bool) -> Placement {
    const SAFE_TO_EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict";
    const SAFE_VOLUMES: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes";
    let safe_to_evict = match template.annotations.get(SAFE_TO_EVICT).map(String::as_str) {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    };
    let safe_volumes = template.annotations.get(SAFE_VOLUMES).map_or("", String::as_str);
    let is_safe = |volume: &String| safe_volumes.split(',').any(|safe| safe == volume);
    let local_storage = !template.local_storage.iter().all(is_safe);
    let (do_not_disrupt, deletion_cost) = disruption_annotations(&template);
    // What placement reads of it is in `local_storage` now.
    template.local_storage.clear();
    template.annotations.clear();
    if on_demand_only {
        template = template.without_capacity_type();
    }
    Placement {
        template,
        images,
        on_demand_only,
        safe_to_evict,
        do_not_disrupt,
        deletion_cost,
        local_storage,
        ..Placement::default()
    }
}
