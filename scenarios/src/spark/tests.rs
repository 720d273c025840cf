//! Properties of recorded applications, and what they become.

use sim::units::Bytes;

use super::*;

const V35: SparkVersion = SparkVersion { major: 3, minor: 5 };

fn settings(pairs: &[(&str, &str)]) -> (SparkDefaults, Vec<String>) {
    let pairs = pairs.iter().map(|(key, value)| (format!("spark.{key}"), (*value).to_owned()));
    let (spark, findings) = settings_of(V35, &pairs.collect(), "app-1");
    assert!(findings.iter().all(|found| found.subject == "app-1"));
    (spark, findings.into_iter().map(|found| format!("{} {}", found.code, found.message)).collect())
}

/// Executors and their cores, without findings.
#[track_caller]
fn check(pairs: &[(&str, &str)], executors: u32, cores: u32) {
    let (spark, said) = settings(pairs);
    assert_eq!((spark.executor_instances, spark.executor_cores), (executors, cores), "{pairs:?}");
    assert_eq!(said, [""; 0], "{pairs:?}");
}

#[test]
fn executors_of_local_clusters() {
    let master = ("master", "local-cluster[3,4,4096]");
    check(&[master], 3, 4);
    check(&[master, ("executor.cores", "2")], 6, 2);
    check(&[master, ("executor.cores", "1"), ("executor.memory", "2g")], 6, 1);
    check(&[master, ("executor.cores", "2"), ("cores.max", "5")], 2, 2);
    check(&[master, ("cores.max", "8")], 2, 4);
    check(&[master, ("executor.instances", "2")], 2, 4);
    check(&[master, ("executor.instances", "9")], 3, 4);
    let (spark, _) = settings(&[master]);
    assert_eq!(spark.min_registered_resources_ratio, 0.0);
    assert_eq!(spark.allocation_batch_size, u32::MAX);
    let ratio = ("scheduler.minRegisteredResourcesRatio", "0.5");
    assert_eq!(settings(&[master, ratio]).0.min_registered_resources_ratio, 0.5);
}

#[test]
fn executors_of_other_masters() {
    check(&[], 2, 1);
    check(&[("master", "k8s://https://host")], 2, 1);
    check(&[("master", "yarn"), ("executor.instances", "5")], 5, 1);
    check(&[("master", "spark://h:7077"), ("executor.cores", "2"), ("cores.max", "9")], 4, 2);
    check(&[("master", "local")], 1, 1);
    check(&[("master", "local[4]"), ("executor.instances", "7")], 1, 4);
    let (spark, said) = settings(&[("master", "local[*, 3]")]);
    assert_eq!((spark.executor_instances, spark.limits.task_max_failures), (1, 3));
    assert_eq!(said.len(), 1);
    assert_eq!(settings(&[("master", "local[2]")]).0.limits.task_max_failures, 1);
    let ratio = |master| settings(&[("master", master)]).0.min_registered_resources_ratio;
    assert_eq!([ratio("k8s://h"), ratio("yarn")], [0.8, 0.8]);
    assert_eq!([ratio("spark://h:7077"), ratio("local[2]")], [0.0, 0.0]);
    for (master, code) in [
        ("spark://h:7077", "assumed-executors"),
        ("mesos://h", "assumed-master"),
        ("local-cluster[a,b]", "assumed-master"),
        ("local[", "assumed-master"),
        ("", "assumed-master"),
    ] {
        let (_, said) = settings(&[("master", master)]);
        assert!(said.len() == 1 && said[0].starts_with(code), "{master}: {said:?}");
    }
}

#[test]
fn executors_at_the_start_of_dynamic_allocation() {
    let initial = |pairs: &[(&str, &str)]| {
        let mut pairs = pairs.to_vec();
        pairs.push(("dynamicAllocation.enabled", "true"));
        settings(&pairs).0.dynamic_allocation.initial_executors
    };
    assert_eq!(initial(&[]), Some(0));
    assert_eq!(initial(&[("dynamicAllocation.minExecutors", "3")]), Some(3));
    assert_eq!(initial(&[("executor.instances", "5")]), Some(5));
    let both = [("executor.instances", "5"), ("dynamicAllocation.initialExecutors", "7")];
    assert_eq!(initial(&both), Some(7));
    assert_eq!(initial(&[("master", "local-cluster[2,1,1024]"), both[0]]), Some(2));
}

#[test]
fn what_cannot_be_used_is_said_and_what_is_not_sparks_is_not() {
    let (spark, said) = settings(&[
        ("executor.memory", "3g"),
        ("speculation.quantile", "2"),
        ("acme.x", "1"),
        ("executor.memry", "1g"),
        ("driver.memory", "${spark.executor.memory}"),
        ("speculation", "true"),
    ]);
    assert_eq!((spark.executor_memory, spark.driver_memory), (Bytes::gib(3), Bytes::gib(1)));
    assert!(spark.speculation.enabled && spark.speculation.quantile == 0.75);
    assert_eq!(
        said,
        ["unusable-setting `2` is no value of `spark.speculation.quantile` (allowed: a number \
          from 0 to 1); the default counts"]
    );
    let foreign = BTreeMap::from([("java.home".to_owned(), "/x".to_owned())]);
    assert_eq!(settings_of(V35, &foreign, "a").1, []);
}
