//! Which pods keep their node from being drained.
//!
//! Upstream's rules in their order; the first that has an opinion decides. Leaves out: pod
//! disruption budgets (the model has none), `blocking-system-pod-distruption-timeout`.
//! Source: kubernetes/autoscaler `simulator/drainability/rules/rules.go`; facts-kubernetes 2.3.

/// What the rules read of a pod.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PodFacts<'a> {
    /// A mirror pod of the kubelet's.
    pub(crate) mirror: bool,
    /// Its grace period and 30 s more are over.
    pub(crate) long_terminating: bool,
    /// A DaemonSet's.
    pub(crate) daemonset: bool,
    /// Ended.
    pub(crate) terminal: bool,
    /// `cluster-autoscaler.kubernetes.io/safe-to-evict`.
    pub(crate) safe_to_evict: Option<bool>,
    /// Kind of its controller; `None` without one.
    pub(crate) controller: Option<&'a str>,
    /// In namespace `kube-system`.
    pub(crate) system: bool,
    /// Has local storage that `safe-to-evict-local-volumes` does not excuse.
    pub(crate) local_storage: bool,
}

/// `skip-nodes-with-...`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DrainFlags {
    pub(crate) skip_custom_controllers: bool,
    pub(crate) skip_system: bool,
    pub(crate) skip_local_storage: bool,
}

/// What the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drain {
    /// It goes with its node.
    Skip,
    /// It is evicted and must fit elsewhere.
    Evict,
    /// Its node stays; upstream's reason.
    Block(&'static str),
}

/// Asks the rules.
pub(crate) fn drainability(pod: &PodFacts<'_>, flags: &DrainFlags) -> Drain {
    if pod.mirror || pod.long_terminating || pod.daemonset {
        return Drain::Skip;
    }
    if pod.safe_to_evict == Some(true) || pod.terminal {
        return Drain::Evict;
    }
    let replicated = match pod.controller {
        None => false,
        Some("ReplicationController" | "Job" | "ReplicaSet" | "StatefulSet") => true,
        Some(_) => !flags.skip_custom_controllers,
    };
    if !replicated {
        return Drain::Block("NotReplicated");
    }
    if flags.skip_system && pod.system {
        return Drain::Block("UnmovableKubeSystemPod");
    }
    if pod.safe_to_evict == Some(false) {
        return Drain::Block("NotSafeToEvictAnnotation");
    }
    if flags.skip_local_storage && pod.local_storage {
        return Drain::Block("LocalStorageRequested");
    }
    Drain::Evict
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: DrainFlags =
        DrainFlags { skip_custom_controllers: true, skip_system: true, skip_local_storage: true };

    #[track_caller]
    fn check(pod: PodFacts<'_>, expected: Drain) {
        assert_eq!(drainability(&pod, &FLAGS), expected, "{pod:?}");
    }

    #[test]
    fn the_first_rule_with_an_opinion_decides() {
        let replicated = PodFacts { controller: Some("ReplicaSet"), ..PodFacts::default() };
        check(replicated, Drain::Evict);
        check(PodFacts::default(), Drain::Block("NotReplicated"));
        check(PodFacts { controller: Some("Pod"), ..replicated }, Drain::Block("NotReplicated"));
        check(PodFacts { safe_to_evict: Some(true), ..PodFacts::default() }, Drain::Evict);
        check(
            PodFacts { safe_to_evict: Some(false), ..replicated },
            Drain::Block("NotSafeToEvictAnnotation"),
        );
        check(
            PodFacts { local_storage: true, ..replicated },
            Drain::Block("LocalStorageRequested"),
        );
        let system = PodFacts { system: true, local_storage: true, ..replicated };
        check(system, Drain::Block("UnmovableKubeSystemPod"));
        check(PodFacts { safe_to_evict: Some(true), ..system }, Drain::Evict);
        check(PodFacts { daemonset: true, ..system }, Drain::Skip);
        let flags = DrainFlags { skip_custom_controllers: false, ..FLAGS };
        let custom = PodFacts { controller: Some("Pod"), ..PodFacts::default() };
        assert_eq!(drainability(&custom, &flags), Drain::Evict);
    }
}
