//! Kinds and API versions that the API server, or Karpenter, does not serve any more.
//!
//! Left out: fields within a kind, but for those of a NodePool that v1 moved or renamed.
//!
//! Source: Kubernetes' deprecated API migration guide; Karpenter's guides for v1beta1 (0.32: new
//! kinds; 0.33: no alpha APIs) and v1 (1.0: both; 1.1: no v1beta1).

use sim::Severity;

use super::rule::{LintFinding, Rule};
use super::set::{Document, Set};
use super::versions::{Release, Targets};
use crate::yaml::Node;

/// Not served at the target.
pub(super) static REMOVED: Rule = Rule {
    id: "api-removed",
    severity: Severity::Error,
    why: "the API server refuses the object: nothing serves this version there",
    source: "Kubernetes deprecated API migration guide; Karpenter upgrade guides (0.33, 1.1)",
};

/// Served at the target, and on its way out.
pub(super) static DEPRECATED: Rule = Rule {
    id: "api-deprecated",
    severity: Severity::Warning,
    why: "it is still served at the target, and a later release drops it",
    source: "the same",
};

/// A field of an older version in a v1 NodePool.
pub(super) static KARPENTER_FIELD: Rule = Rule {
    id: "karpenter-field-moved",
    severity: Severity::Error,
    why: "the object is of v1 and says it as v1beta1 did: the API server drops or refuses the field",
    source: "Karpenter, v1 migration; facts-kubernetes 3 (karpenter.sh/v1 NodePool)",
};

/// A version of kinds: group and version, kind (empty: all), the first release that has what to
/// write instead, the last one that serves it, and what to write.
struct Gone {
    version: &'static str,
    kind: &'static str,
    first: Release,
    last: Release,
    instead: &'static str,
}

const fn gone(
    version: &'static str,
    kind: &'static str,
    first: u32,
    last: u32,
    instead: &'static str,
) -> Gone {
    Gone { version, kind, first: Release::new(1, first), last: Release::new(1, last), instead }
}

/// Of Kubernetes.
const KUBERNETES: [Gone; 30] = [
    gone("extensions/v1beta1", "Ingress", 19, 21, "networking.k8s.io/v1"),
    gone("extensions/v1beta1", "", 14, 15, "apps/v1, policy/v1 or networking.k8s.io/v1"),
    gone("apps/v1beta1", "", 9, 15, "apps/v1"),
    gone("apps/v1beta2", "", 9, 15, "apps/v1"),
    gone("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", 16, 21, "v1"),
    gone("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration", 16, 21, "v1"),
    gone("apiextensions.k8s.io/v1beta1", "", 16, 21, "apiextensions.k8s.io/v1"),
    gone("apiregistration.k8s.io/v1beta1", "", 10, 21, "apiregistration.k8s.io/v1"),
    gone(
        "certificates.k8s.io/v1beta1",
        "CertificateSigningRequest",
        19,
        21,
        "certificates.k8s.io/v1",
    ),
    gone("coordination.k8s.io/v1beta1", "Lease", 14, 21, "coordination.k8s.io/v1"),
    gone("networking.k8s.io/v1beta1", "Ingress", 19, 21, "networking.k8s.io/v1"),
    gone("networking.k8s.io/v1beta1", "IngressClass", 19, 21, "networking.k8s.io/v1"),
    gone("rbac.authorization.k8s.io/v1beta1", "", 8, 21, "rbac.authorization.k8s.io/v1"),
    gone("scheduling.k8s.io/v1beta1", "PriorityClass", 14, 21, "scheduling.k8s.io/v1"),
    gone("storage.k8s.io/v1beta1", "StorageClass", 6, 21, "storage.k8s.io/v1"),
    gone("storage.k8s.io/v1beta1", "CSIDriver", 18, 21, "storage.k8s.io/v1"),
    gone("storage.k8s.io/v1beta1", "CSINode", 17, 21, "storage.k8s.io/v1"),
    gone("storage.k8s.io/v1beta1", "VolumeAttachment", 13, 21, "storage.k8s.io/v1"),
    gone("batch/v1beta1", "CronJob", 21, 24, "batch/v1"),
    gone("discovery.k8s.io/v1beta1", "EndpointSlice", 21, 24, "discovery.k8s.io/v1"),
    gone("events.k8s.io/v1beta1", "Event", 19, 24, "events.k8s.io/v1"),
    gone("node.k8s.io/v1beta1", "RuntimeClass", 20, 24, "node.k8s.io/v1"),
    gone("policy/v1beta1", "PodSecurityPolicy", 22, 24, "labels pod-security.kubernetes.io/*"),
    gone("policy/v1beta1", "PodDisruptionBudget", 21, 24, "policy/v1"),
    gone("autoscaling/v2beta1", "HorizontalPodAutoscaler", 23, 24, "autoscaling/v2"),
    gone("autoscaling/v2beta2", "HorizontalPodAutoscaler", 23, 25, "autoscaling/v2"),
    gone("storage.k8s.io/v1beta1", "CSIStorageCapacity", 24, 26, "storage.k8s.io/v1"),
    gone("flowcontrol.apiserver.k8s.io/v1beta1", "", 29, 25, "flowcontrol.apiserver.k8s.io/v1"),
    gone("flowcontrol.apiserver.k8s.io/v1beta2", "", 29, 28, "flowcontrol.apiserver.k8s.io/v1"),
    gone("flowcontrol.apiserver.k8s.io/v1beta3", "", 29, 31, "flowcontrol.apiserver.k8s.io/v1"),
];

/// Of Karpenter: alpha to 0.32, beta from 0.32 to 1.0.
const KARPENTER: [Gone; 5] = [
    Gone {
        version: "karpenter.sh/v1alpha5",
        kind: "Provisioner",
        first: Release::new(0, 32),
        last: Release::new(0, 32),
        instead: "a NodePool (of karpenter.sh/v1beta1 in 0.32, of v1 from 1.0)",
    },
    Gone {
        version: "karpenter.sh/v1alpha5",
        kind: "",
        first: Release::new(0, 32),
        last: Release::new(0, 32),
        instead: "karpenter.sh/v1beta1 in 0.32, v1 from 1.0 (Machine is NodeClaim)",
    },
    Gone {
        version: "karpenter.k8s.aws/v1alpha1",
        kind: "",
        first: Release::new(0, 32),
        last: Release::new(0, 32),
        instead: "an EC2NodeClass for the AWSNodeTemplate (of v1beta1 in 0.32, of v1 from 1.0)",
    },
    Gone {
        version: "karpenter.sh/v1beta1",
        kind: "",
        first: Release::new(1, 0),
        last: Release::new(1, 0),
        instead: "karpenter.sh/v1",
    },
    Gone {
        version: "karpenter.k8s.aws/v1beta1",
        kind: "",
        first: Release::new(1, 0),
        last: Release::new(1, 0),
        instead: "karpenter.k8s.aws/v1",
    },
];

pub(super) fn judge(set: &Set, targets: &Targets) -> Vec<LintFinding> {
    let (kubernetes, karpenter) = (targets.kubernetes(), targets.karpenter());
    let mut out = Vec::new();
    for document in &set.documents {
        out.extend(one(set, document, &KUBERNETES, "Kubernetes", kubernetes));
        out.extend(one(set, document, &KARPENTER, "Karpenter", karpenter));
        out.extend(moved(set, document));
    }
    out
}

fn one(
    set: &Set,
    document: &Document,
    table: &[Gone],
    program: &str,
    target: Release,
) -> Option<LintFinding> {
    let version = document.node.get("apiVersion")?;
    let text = version.scalar_text()?;
    let kind = document.node.get("kind").and_then(Node::scalar_text)?;
    let row = table
        .iter()
        .find(|row| row.version == text && (row.kind.is_empty() || row.kind == kind))?;
    // Until there is something else to write, it is the version to write.
    if target < row.first {
        return None;
    }
    let place = set.place(document.file, version.pos);
    let shown = crate::import::one_line(kind, 60);
    let (rule, fate) = match target > row.last {
        true => (&REMOVED, "is not served by"),
        false => (&DEPRECATED, "is still served by"),
    };
    let what = format!("{shown} of {text} {fate} {program} {target}; {} is the last one", row.last);
    Some(rule.at(&place, what, format!("write {}", row.instead)))
}

/// What v1 of a NodePool has elsewhere or under another name.
fn moved(set: &Set, document: &Document) -> Vec<LintFinding> {
    let node = &document.node;
    let text = |key: &str| node.get(key).and_then(Node::scalar_text).unwrap_or_default();
    if (text("apiVersion"), text("kind")) != ("karpenter.sh/v1", "NodePool") {
        return Vec::new();
    }
    let of = |keys: &[&str]| keys.iter().try_fold(node, |node, key| node.get(key));
    let mut out = Vec::new();
    let mut say = |node: &Node, what: &str, next: &str| {
        out.push(KARPENTER_FIELD.at(&set.place(document.file, node.pos), what, next));
    };
    if let Some(policy) = of(&["spec", "disruption", "consolidationPolicy"])
        && policy.scalar_text() == Some("WhenUnderutilized")
    {
        say(policy, "consolidationPolicy `WhenUnderutilized`", "write WhenEmptyOrUnderutilized");
    }
    if let Some(expiry) = of(&["spec", "disruption", "expireAfter"]) {
        say(expiry, "spec.disruption.expireAfter", "move it to spec.template.spec.expireAfter");
    }
    if let Some(kubelet) = of(&["spec", "template", "spec", "kubelet"]) {
        say(kubelet, "spec.template.spec.kubelet", "move it to spec.kubelet of the EC2NodeClass");
    }
    if let Some(version) = of(&["spec", "template", "spec", "nodeClassRef", "apiVersion"]) {
        say(version, "nodeClassRef.apiVersion", "write nodeClassRef.group: karpenter.k8s.aws");
    }
    out
}
