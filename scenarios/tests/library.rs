//! Every scenario that comes with the program: it loads, nothing in it goes unsaid, and its
//! resolved form means the same.

use std::path::{Path, PathBuf};

use scenarios::{Loaded, load, load_text};
use sim::scenario::CapacityType;

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("library")
}

#[track_caller]
fn loaded(name: &str) -> Loaded {
    match load(&library().join(name), &[]) {
        Ok(loaded) => loaded,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn every_scenario_loads_and_loads_again() {
    let mut count = 0;
    for entry in std::fs::read_dir(library()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        count += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let first_line = "# yaml-language-server: $schema=../../docs/scenario.schema.json";
        assert_eq!(text.lines().next(), Some(first_line), "{name}");
        let first = loaded(&name);
        first.check_traces().expect("its traces come with the program");
        let again = load_text("again.yaml", &first.resolved).unwrap();
        assert_eq!(format!("{:#?}", first.scenario), format!("{:#?}", again.scenario), "{name}");
        assert_eq!(first.resolved, again.resolved, "{name}");
        assert!(!first.resolved.contains(&*library().to_string_lossy()), "{name}");
        let warnings: Vec<_> =
            first.findings.iter().filter(|f| f.severity > sim::Severity::Info).collect();
        assert!(warnings.is_empty(), "{name}: {warnings:#?}");
    }
    assert!(count >= 2, "{count}");
}

#[test]
fn the_quickstart_means_what_its_files_say() {
    let scenario = loaded("quickstart.yaml").scenario;
    let pools: Vec<_> = scenario
        .pools
        .iter()
        .map(|pool| (pool.name.as_str(), pool.capacity_type, pool.max_size))
        .collect();
    assert_eq!(
        pools,
        [
            ("drivers", CapacityType::OnDemand, 20),
            ("executors-spot", CapacityType::Spot, 100),
            ("executors-on-demand", CapacityType::OnDemand, 50),
        ]
    );
    assert_eq!(scenario.pools[1].instance_types.len(), 4);
    assert_eq!(scenario.pools[1].zones.len(), 3);
    assert_eq!(scenario.pools[1].taints[0].value, "executor");
    assert_eq!(scenario.spark.dynamic_allocation.max_executors, 25);
    assert_eq!(scenario.scheduler.scores[0].1, 25);
    assert_eq!(
        scenario.cluster_autoscaler().unwrap().scale_down_unneeded_time.as_millis(),
        300_000
    );
    assert_eq!(scenario.retries.name, "flotilla-2021");
}

#[test]
fn the_platform_day_inherits() {
    let day = loaded("platform-day.yaml");
    assert_eq!(day.scenario.pools[1].max_size, 400);
    assert_eq!(day.scenario.pools[1].instance_types.len(), 4);
    assert_eq!(day.workload.resample, None);
    assert_eq!(day.traces.len(), 1);
    assert!(day.traces[0].path.ends_with("samples/platform-day.csv"));
    assert_eq!(day.native_files.len(), 5);
    let sets = ["spec.workload.traces[0].jobTable=my.csv".to_owned()];
    let own = load(&library().join("platform-day.yaml"), &sets).unwrap();
    assert_eq!(own.traces[0].path, Path::new("my.csv"), "relative to the current folder");
}

#[test]
fn the_flotilla_policy_packs() {
    use sim::scenario::ScoreSpec;
    let loaded = loaded("flotilla-policy.yaml");
    let profile = &loaded.scenario.scheduler;
    let scores: Vec<_> =
        profile.scores.iter().map(|(spec, weight)| (spec.plugin(), *weight)).collect();
    assert_eq!(
        scores,
        [
            ("NodeResourcesFit", 25),
            ("NodeResourcesBalancedAllocation", 20),
            ("ImageLocality", 5),
            ("PodTopologySpread", 1),
            ("NodeAffinity", 1),
            ("TaintToleration", 1),
            ("InterPodAffinity", 1),
        ]
    );
    assert!(matches!(profile.scores[0].0, ScoreSpec::MostAllocated { .. }));
    assert_eq!(profile.filters_disabled, [""; 0]);
    let not_modelled: Vec<_> = loaded
        .findings
        .iter()
        .filter(|finding| finding.code == "not-modelled")
        .map(|finding| finding.message.as_str())
        .collect();
    let only = "`priorities.NodePreferAvoidPodsPriority` was read and is not modelled";
    assert_eq!(not_modelled, [only]);
}
