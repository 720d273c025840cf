//! Profiles read back from what is written for their release.

use sim::scenario::{InterPodAffinityArgs, ShapePoint};

use super::*;
use crate::native::kube_scheduler::read;

#[track_caller]
fn check(profile: &SchedulerProfile, minor: u32) {
    let version = KubernetesVersion { major: 1, minor };
    let mut notes = Vec::new();
    let text = yaml_text(&[configuration(profile, version, &mut notes)]);
    assert_eq!(notes, [], "1.{minor}: {text}");
    let again = read("again.yaml", &text, version);
    assert_eq!(again.problems, [], "1.{minor}: {text}");
    assert_eq!(again.not_modelled, [], "1.{minor}: {text}");
    assert_eq!(again.value, std::slice::from_ref(profile), "1.{minor}: {text}");
}

#[test]
fn profiles_read_back_in_every_release() {
    for minor in 20..=36 {
        let version = KubernetesVersion { major: 1, minor };
        let default = SchedulerProfile::default_of(version);
        check(&default, minor);
        let resources = vec![("cpu".to_owned(), 3), ("memory".to_owned(), 1)];
        let packing = vec![
            (ScoreSpec::MostAllocated { resources: resources.clone() }, 25),
            (ScoreSpec::balanced_allocation(), 20),
            (ScoreSpec::ImageLocality, 5),
        ];
        let mut packing = SchedulerProfile::new("packing", packing);
        packing.filters_disabled = vec!["PodTopologySpread".to_owned()];
        packing.ignored_resources = vec!["example.com/foo".to_owned()];
        packing.percentage_of_nodes_to_score = Some(70);
        packing.inter_pod_affinity = InterPodAffinityArgs {
            hard_pod_affinity_weight: 7,
            ignore_preferred_terms_of_existing_pods: false,
        };
        packing.pod_max_backoff = SimDuration::seconds(60);
        check(&packing, minor);
        let point = |utilization, score| ShapePoint { utilization, score };
        let shape = vec![point(0, 0), point(100, 10)];
        let spec = ScoreSpec::RequestedToCapacityRatio { resources, shape };
        check(&SchedulerProfile::new("ratio", vec![(spec, 2)]), minor);
    }
}

#[test]
fn what_a_release_cannot_say_is_a_finding() {
    let resources = vec![("cpu".to_owned(), 1)];
    let both = vec![
        (ScoreSpec::MostAllocated { resources: resources.clone() }, 1),
        (ScoreSpec::LeastAllocated { resources }, 1),
    ];
    let mut profile = SchedulerProfile::new("both", both);
    profile.pod_initial_backoff = SimDuration::from_millis(1500);
    let mut notes = Vec::new();
    configuration(&profile, KubernetesVersion::NEWEST, &mut notes);
    assert_eq!(notes.len(), 2, "{notes:?}");
    let third = ScoreSpec::BalancedAllocation { resources: vec!["cpu".to_owned()] };
    notes.clear();
    let profile = SchedulerProfile::new("balanced", vec![(third, 1)]);
    configuration(&profile, KubernetesVersion::OLDEST, &mut notes);
    assert_eq!(notes.len(), 1, "{notes:?}");
}
