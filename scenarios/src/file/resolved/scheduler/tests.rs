//! Any profile reads back as it was.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::{option, sample};
use sim::scenario::{AddedAffinity, InterPodAffinityArgs, PreferredTerm, ShapePoint};
use sim::units::SimDuration;

use super::*;
use crate::load_text;
use crate::native::kube_scheduler::FILTERS;
use crate::native::pod_template::write::tests::{constraint, name, node_term};

fn weights() -> impl Strategy<Value = Vec<(String, i64)>> {
    let names = vec!["cpu", "memory", "ephemeral-storage", "nvidia.com/gpu"];
    (sample::subsequence(names, 1..=4), vec(1_i64..=100, 4))
        .prop_map(|(names, weights)| names.into_iter().map(str::to_owned).zip(weights).collect())
}

fn fit() -> impl Strategy<Value = ScoreSpec> {
    let points = vec((0_i64..=100, 0_i64..=10), 1..4);
    (weights(), 0..3, points).prop_map(|(resources, strategy, mut points)| match strategy {
        0 => ScoreSpec::LeastAllocated { resources },
        1 => ScoreSpec::MostAllocated { resources },
        _ => {
            points.sort_unstable();
            points.dedup_by_key(|(utilization, _)| *utilization);
            let shape = points.into_iter();
            let shape = shape.map(|(utilization, score)| ShapePoint { utilization, score });
            ScoreSpec::RequestedToCapacityRatio { resources, shape: shape.collect() }
        }
    })
}

fn scores() -> impl Strategy<Value = Vec<(ScoreSpec, i64)>> {
    let balanced = weights().prop_map(|resources| ScoreSpec::BalancedAllocation {
        resources: resources.into_iter().map(|(name, _)| name).collect(),
    });
    let others = vec![
        ScoreSpec::ImageLocality,
        ScoreSpec::NodeAffinity,
        ScoreSpec::TaintToleration,
        ScoreSpec::InterPodAffinity,
        ScoreSpec::PodTopologySpread,
    ];
    let weights = vec(1_i64..=i64::from(i32::MAX), 7);
    (option::of(fit()), option::of(balanced), sample::subsequence(others, 0..=5), weights).prop_map(
        |(fit, balanced, others, weights)| {
            fit.into_iter().chain(balanced).chain(others).zip(weights).collect()
        },
    )
}

prop_compose! {
    fn profile()(
        name in name(),
        scores in scores(),
        filters_disabled in sample::subsequence(FILTERS.to_vec(), 0..=8),
        ignored in (vec("[a-z]{1,5}\\.io/[a-z]{1,5}", 0..3), vec("[a-z]{1,5}\\.io", 0..3)),
        pods in (0_i64..=100, any::<bool>()),
        required in vec(node_term(), 0..3),
        preferred in vec((1_i64..=100, node_term()), 0..3),
        defaults in option::of(option::of(constraint())),
        percentage in option::of(1_u32..=100),
        backoff in (1_u64..100_000, 0_u64..100_000),
    ) -> SchedulerProfile {
        let spread_defaults = defaults.map_or(SpreadDefaults::System, |constraint| {
            let mut constraints: Vec<_> = constraint.into_iter().collect();
            for constraint in &mut constraints {
                // The selector is that of the pod's workload.
                constraint.label_selector = None;
                constraint.match_label_keys.clear();
            }
            SpreadDefaults::List(constraints)
        });
        let preferred = preferred.into_iter();
        SchedulerProfile {
            name,
            scores,
            filters_disabled: filters_disabled.into_iter().map(str::to_owned).collect(),
            ignored_resources: ignored.0,
            ignored_resource_groups: ignored.1,
            inter_pod_affinity: InterPodAffinityArgs {
                hard_pod_affinity_weight: pods.0,
                ignore_preferred_terms_of_existing_pods: pods.1,
            },
            added_affinity: AddedAffinity {
                required,
                preferred: preferred.map(|(weight, term)| PreferredTerm { weight, term }).collect(),
            },
            spread_defaults,
            percentage_of_nodes_to_score: percentage,
            pod_initial_backoff: SimDuration::from_millis(backoff.0),
            pod_max_backoff: SimDuration::from_millis(backoff.0 + backoff.1),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_profile_reads_back(profile in profile()) {
        let pods = json!({ "spec": { "schedulerName": profile.name } });
        let scenario = json!({
            "apiVersion": "seatrial/v1alpha1",
            "kind": "Scenario",
            "spec": {
                "region": "us-west-2",
                "nodes": { "pools": [{ "name": "a", "instanceTypes": ["m5.large"], "maxSize": 1 }] },
                "scheduler": { "profile": value(&profile) },
                "spark": { "driverPodTemplate": pods, "executorPodTemplate": pods },
            },
        });
        let loaded = load_text("profile.json", &scenario.to_string());
        let loaded = loaded.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(loaded.scenario.scheduler, profile);
    }
}
