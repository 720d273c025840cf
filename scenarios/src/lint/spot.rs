//! Spark on spot nodes: drivers that may land there, executors that are not ready for the notice.
//!
//! Left out: the ladder of retries, which a scenario has. Source: facts-kubernetes 3 (the notice is
//! two minutes), facts-spark A1 (`spark.decommission.*`), A3.

use sim::Severity;
use sim::scenario::CapacityType;
use sim::units::SimDuration;

use super::offers::Offer;
use super::pods::{PodAsk, Role};
use super::rule::{LintFinding, Rule};

/// EC2's notice before an instance is taken.
const NOTICE: SimDuration = SimDuration::seconds(120);

/// A driver that may be reclaimed.
pub(super) static DRIVER_ON_SPOT: Rule = Rule {
    id: "driver-on-spot",
    severity: Severity::Warning,
    why: "a reclaimed driver ends the whole application",
    source: "facts-kubernetes 3 (spot notice); facts-spark A7 (Flotilla: drivers on demand)",
};

/// Executors that do not hand over what they hold.
pub(super) static NO_DECOMMISSION: Rule = Rule {
    id: "spot-without-decommission",
    severity: Severity::Warning,
    why: "reclaimed executors take their shuffle files and cached blocks along; stages run again",
    source: "facts-spark A1, A5 (decommission, fetch failures)",
};

/// More time than the notice gives.
pub(super) static GRACE_OVER_NOTICE: Rule = Rule {
    id: "grace-over-spot-notice",
    severity: Severity::Warning,
    why: "the instance is gone two minutes after the notice; what a pod does later is lost",
    source: "docs.aws.amazon.com, spot instance interruption notices (facts-kubernetes 3)",
};

pub(super) fn judge(offers: &[Offer], pods: &[PodAsk]) -> Vec<LintFinding> {
    let mut out = Vec::new();
    for pod in pods.iter().filter(|pod| !pod.unseen) {
        let Some(offer) = spot(offers, pod) else { continue };
        let found = match pod.role {
            Role::Driver => {
                let what = format!("{} may run on spot nodes: `{}`", pod.who, offer.name);
                let next = "select on-demand nodes for drivers (eks.amazonaws.com/capacityType: \
                            ON_DEMAND, karpenter.sh/capacity-type: on-demand, or a label of a group)";
                let place = pod.at(&["selector", "nodeSelector", "affinity"]);
                vec![DRIVER_ON_SPOT.at(place, what, next)]
            }
            Role::Executor => executor(pod, offer),
            Role::Other => Vec::new(),
        };
        out.extend(found.into_iter().map(|one| one.about(&pod.who)));
    }
    out
}

/// The first group with spot nodes that takes the pod.
fn spot<'o>(offers: &'o [Offer], pod: &PodAsk) -> Option<&'o Offer> {
    offers.iter().find(|offer| {
        let admitted = offer.admitted(&pod.template).unwrap_or_default();
        admitted.iter().any(|(_, capacity)| *capacity == CapacityType::Spot)
    })
}

fn executor(pod: &PodAsk, offer: &Offer) -> Vec<LintFinding> {
    let mut out = Vec::new();
    if !pod.decommission {
        let what =
            format!("{} run on spot nodes (`{}`) without decommissioning", pod.who, offer.name);
        let next = match pod.can_decommission {
            true => {
                "set spark.decommission.enabled=true and spark.storage.decommission.enabled=true"
            }
            false => {
                "only Spark 3.1 and later decommission: upgrade, or keep shuffle files elsewhere"
            }
        };
        out.push(NO_DECOMMISSION.at(pod.at(&["decommission"]), what, next));
    }
    if let Some(grace) = pod.template.termination_grace.filter(|grace| *grace > NOTICE) {
        let what = format!(
            "{} have {grace} to end, and spot nodes (`{}`) are gone after {NOTICE}",
            pod.who, offer.name
        );
        let next = "terminationGracePeriodSeconds of 120 at most";
        let place = pod.at(&["grace", "terminationGracePeriodSeconds"]);
        out.push(GRACE_OVER_NOTICE.at(place, what, next));
    }
    out
}
