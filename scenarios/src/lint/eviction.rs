//! Nodes that are taken away under running pods: Karpenter's consolidation and Cluster
//! Autoscaler's scale-down, against Spark's own timers and annotations.
//!
//! Cluster Autoscaler does not move Spark's pods unless they say so: they have no controller that
//! it knows. Left out: drift, expiry (`expireAfter` is forceful), budgets but for those that allow
//! nothing; operators' drivers where `skip-nodes-with-custom-controller-pods` is off.
//!
//! Source: facts-kubernetes 2.3 (drainability), 3 (consolidation, `do-not-disrupt`).

use sim::Severity;
use sim::scenario::PodTemplate;

use super::offers::Offer;
use super::pods::{PodAsk, Role};
use super::readers::Autoscaler;
use super::rule::{LintFinding, Rule};

const DO_NOT_DISRUPT: &str = "karpenter.sh/do-not-disrupt";
const SAFE_TO_EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict";

/// Karpenter moves executors that Spark still counts as in use.
pub(super) static CONSOLIDATION_BEFORE_IDLE: Rule = Rule {
    id: "consolidation-before-idle-timeout",
    severity: Severity::Warning,
    why: "idle executors are evicted, with their shuffle files, before Spark would let them go; Spark \
          asks for new ones and the nodes churn",
    source: "facts-kubernetes 3 (consolidateAfter, default 0s); facts-spark A2 (executorIdleTimeout)",
};

/// Cluster Autoscaler's scale-down is faster than the executors' idle timeout.
pub(super) static SCALE_DOWN_BEFORE_IDLE: Rule = Rule {
    id: "scale-down-before-idle-timeout",
    severity: Severity::Warning,
    why: "idle executors are evicted, with their shuffle files, before Spark would let them go: the \
          next stage waits for a boot",
    source: "facts-kubernetes 2.1, 2.3 (scale-down-unneeded-time); facts-spark A2",
};

/// A driver that is moved is a run that starts again.
pub(super) static DRIVER_EVICTABLE: Rule = Rule {
    id: "driver-may-be-evicted",
    severity: Severity::Warning,
    why: "an evicted driver ends the whole application",
    source: "facts-kubernetes 3 (consolidation of occupied nodes), 2.3 (safe-to-evict)",
};

/// A driver that nothing marks; upstream keeps it for another reason.
pub(super) static DRIVER_UNMARKED: Rule = Rule {
    id: "driver-not-marked",
    severity: Severity::Info,
    why: "Cluster Autoscaler keeps its node only because it has no controller that it knows; the \
          annotation says it",
    source: "facts-kubernetes 2.3 (drainability rules: not replicated, safe-to-evict)",
};

impl Autoscaler {
    /// Whether scale-down moves an executor: it says so, or neither its controller (a Pod) nor its
    /// local directories keep it.
    pub(super) fn evicts(&self, executor: &PodTemplate) -> bool {
        let value = &self.value;
        let kept =
            value.skip_nodes_with_custom_controller_pods || value.skip_nodes_with_local_storage;
        let may = says(executor, SAFE_TO_EVICT, "true")
            || !kept && !says(executor, SAFE_TO_EVICT, "false");
        value.scale_down_enabled && may
    }
}

pub(super) fn judge(
    offers: &[Offer],
    pods: &[PodAsk],
    autoscalers: &[Autoscaler],
) -> Vec<LintFinding> {
    let mut out = Vec::new();
    for pod in pods.iter().filter(|pod| !pod.unseen) {
        let found = match pod.role {
            Role::Executor => {
                let mut found = consolidated(offers, pod);
                found.extend(scaled_down(autoscalers, pod));
                found
            }
            Role::Driver => driver(offers, autoscalers, pod),
            Role::Other => Vec::new(),
        };
        out.extend(found.into_iter().map(|one| one.about(&pod.who)));
    }
    out
}

fn says(template: &PodTemplate, annotation: &str, value: &str) -> bool {
    template.annotations.get(annotation).is_some_and(|own| own == value)
}

/// NodePools that take the pod and whose occupied nodes are consolidated.
fn consolidating<'o>(
    offers: &'o [Offer],
    template: &'o PodTemplate,
) -> impl Iterator<Item = &'o Offer> {
    offers.iter().filter(|offer| {
        let occupied = offer.consolidation.as_ref();
        occupied.is_some_and(|one| one.occupied && one.after.is_some())
            && offer.admitted(template).is_ok()
    })
}

fn consolidated(offers: &[Offer], pod: &PodAsk) -> Vec<LintFinding> {
    let Some(idle) = pod.idle_timeout else { return Vec::new() };
    if says(&pod.template, DO_NOT_DISRUPT, "true") {
        return Vec::new();
    }
    let of = |offer: &Offer| {
        let consolidation = offer.consolidation.as_ref()?;
        let after = consolidation.after.filter(|after| *after < idle)?;
        let default = if consolidation.said { "" } else { " (the default)" };
        let what = format!(
            "NodePool `{}` consolidates after {after}{default}, {} are idle for {idle} before they go",
            offer.name, pod.who
        );
        let next = "set consolidateAfter above spark.dynamicAllocation.executorIdleTimeout, or \
                    consolidationPolicy: WhenEmpty";
        Some(CONSOLIDATION_BEFORE_IDLE.at(&consolidation.place, what, next))
    };
    consolidating(offers, &pod.template).filter_map(of).collect()
}

fn scaled_down(autoscalers: &[Autoscaler], pod: &PodAsk) -> Vec<LintFinding> {
    let Some(idle) = pod.idle_timeout else { return Vec::new() };
    let of = |autoscaler: &Autoscaler| {
        let unneeded = autoscaler.value.scale_down_unneeded_time;
        if !autoscaler.evicts(&pod.template) || unneeded >= idle {
            return None;
        }
        let what = format!(
            "scale-down-unneeded-time is {unneeded}, {} may be evicted and are idle for {idle} \
             before they go",
            pod.who
        );
        let next = "set scale-down-unneeded-time above \
                    spark.dynamicAllocation.executorIdleTimeout";
        Some(SCALE_DOWN_BEFORE_IDLE.at(autoscaler.at("scale-down-unneeded-time"), what, next))
    };
    autoscalers.iter().filter_map(of).collect()
}

fn driver(offers: &[Offer], autoscalers: &[Autoscaler], pod: &PodAsk) -> Vec<LintFinding> {
    let mut out = Vec::new();
    let template = &pod.template;
    if !says(template, DO_NOT_DISRUPT, "true")
        && let Some(offer) = consolidating(offers, template).next()
    {
        let what = format!(
            "{} has no `{DO_NOT_DISRUPT}: \"true\"`, and NodePool `{}` consolidates nodes with pods",
            pod.who, offer.name
        );
        let next = format!("annotate the driver: {DO_NOT_DISRUPT}: \"true\"");
        out.push(DRIVER_EVICTABLE.at(pod.at(&["annotations"]), what, next));
    }
    let Some(_) = autoscalers.iter().find(|one| one.value.scale_down_enabled) else {
        return out;
    };
    let next = format!("annotate the driver: {SAFE_TO_EVICT}: \"false\"");
    if says(template, SAFE_TO_EVICT, "true") {
        let what = format!("{} is `{SAFE_TO_EVICT}: \"true\"`, and scale-down is on", pod.who);
        out.push(DRIVER_EVICTABLE.at(pod.at(&["annotations"]), what, next));
    } else if !says(template, SAFE_TO_EVICT, "false") {
        let what = format!("{} has no `{SAFE_TO_EVICT}: \"false\"`, and scale-down is on", pod.who);
        out.push(DRIVER_UNMARKED.at(pod.at(&["annotations"]), what, next));
    }
    out
}
