//! Applications, right and wrong, and the recorded files where they are there.

use sim::Severity;
use sim::units::{Bytes, MilliCores};

use super::*;

const APPLICATION: &str = r#"
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {name: etl, namespace: data}
spec:
  type: Python
  sparkVersion: 3.5.3
  image: spark:3.5.3
  nodeSelector: {disk: ssd}
  sparkConf:
    spark.executor.memory: 1g
    "spark.kubernetes.allocation.batch.size": "50"
    spark.eventLog.dir: s3a://logs
  restartPolicy: {type: OnFailure, onFailureRetries: 3, onFailureRetryInterval: 10}
  driver:
    cores: 1
    coreRequest: 800m
    memory: 4g
    memoryOverhead: 4g
    labels: {team: a}
    nodeSelector: {karpenter.sh/capacity-type: on-demand}
  executor:
    instances: 4
    cores: 4
    memory: 15g
    tolerations: [{key: spot, operator: Exists}]
    annotations: {safe: "true"}
  dynamicAllocation: {enabled: true, minExecutors: 2, maxExecutors: 9}
"#;

#[test]
fn what_the_webhook_adds_to_pods_arrives() {
    let (application, problems, findings) = one(
        "kind: SparkApplication\nmetadata: {namespace: etl}\nspec:\n  image: spark:4\n  volumes:\n  \
         - {name: spark-local-dir-1, hostPath: {path: /mnt}}\n  - {name: logs, emptyDir: {}}\n  \
         driver:\n    terminationGracePeriodSeconds: 5\n    gpu: {name: nvidia.com/gpu, quantity: 2}\n  \
         executor:\n    image: own:1\n    sidecars: [{name: log, resources: {limits: {cpu: \
         50m}}}]\n    initContainers: [{name: fetch}]\n    volumeMounts: [{name: \
         spark-local-dir-1, mountPath: /d}, {name: logs, mountPath: /l}]\n",
    );
    assert_eq!((problems, findings), (vec![], vec![]));
    let mut spark = SparkDefaults::default_of(SparkVersion::default());
    assert_eq!(application.apply(&mut spark), (vec![], vec![]));
    let (driver, executor) = (&spark.driver_template, &spark.executor_template);
    assert_eq!((driver.namespace.as_str(), executor.namespace.as_str()), ("etl", "etl"));
    assert_eq!(driver.main.image.as_deref(), Some("spark:4"));
    assert_eq!(driver.main.requests.extended["nvidia.com/gpu"], 2);
    assert_eq!(driver.termination_grace, Some(SimDuration::seconds(5)));
    // Spark's own, for the driver mounts none.
    assert_eq!(driver.local_storage, ["spark-local-dir-1"]);
    assert_eq!(executor.main.image.as_deref(), Some("own:1"));
    assert_eq!(executor.local_storage, ["spark-local-dir-1", "logs"]);
    assert_eq!(executor.containers[0].requests.cpu, Some(MilliCores::new(50)));
    assert_eq!(executor.init_containers[0].name, "fetch");
}

fn one(text: &str) -> (SparkApplication, Vec<Problem>, Vec<Finding>) {
    let read = read("app.yaml", text);
    let [application] = &read.value[..] else {
        panic!("{} applications", read.value.len());
    };
    (application.clone(), read.problems, read.not_modelled)
}

#[test]
fn an_application_with_everything() {
    let (application, problems, findings) = one(APPLICATION);
    assert_eq!((problems, findings), (vec![], vec![]));
    assert_eq!(application.name, "etl");
    let version = SparkVersion { major: 3, minor: 5 };
    assert_eq!(application.spark_version, Some(version));
    let mut spark = SparkDefaults::default_of(version);
    assert_eq!(application.apply(&mut spark), (vec![], vec![]));
    assert_eq!(spark.driver_request_cores, Some(MilliCores::new(800)));
    assert_eq!(spark.driver_memory_overhead, Some(Bytes::gib(4)));
    assert_eq!((spark.executor_cores, spark.executor_instances), (4, 4));
    // The field wins over `sparkConf`.
    assert_eq!(spark.executor_memory, Bytes::gib(15));
    assert_eq!(spark.overheads.executor_factor, 0.4);
    assert_eq!(spark.allocation_batch_size, 50);
    let dynamic = spark.dynamic_allocation;
    assert!(dynamic.enabled && dynamic.shuffle_tracking);
    assert_eq!((dynamic.min_executors, dynamic.max_executors), (2, 9));
    assert_eq!(spark.driver_template.node_selector.len(), 2);
    assert_eq!(spark.driver_template.labels["team"], "a");
    assert_eq!(spark.executor_template.node_selector["disk"], "ssd");
    assert_eq!(spark.executor_template.tolerations.len(), 1);
    assert_eq!(spark.executor_template.annotations["safe"], "true");
}

#[test]
fn restart_policies_are_ladders() {
    let ladder = one(APPLICATION).0.restart.ladder();
    let [rung] = &ladder.rungs[..] else {
        panic!("{ladder:?}");
    };
    assert_eq!(rung.attempts_max, 4);
    // 10, 20, 30 s.
    let interval = SimDuration::seconds(10);
    assert_eq!((rung.backoff, rung.backoff_factor, rung.backoff_step), (interval, 1.0, interval));
    let never = "kind: SparkApplication\nspec: {restartPolicy: {type: Never}}";
    assert_eq!(one(never).0.restart.ladder().rungs, []);
}

#[test]
fn one_executor_where_nothing_is_said() {
    let (application, ..) = one("kind: SparkApplication\nspec: {type: Scala}");
    assert_eq!(application.conf.get("spark.executor.instances"), Some("1"));
    let dynamic = "kind: SparkApplication\nspec: {dynamicAllocation: {enabled: true}}";
    assert_eq!(one(dynamic).0.conf.get("spark.executor.instances"), None);
}

#[test]
fn what_is_not_followed_is_named_and_wrong_values_are_problems() {
    let (application, problems, findings) = one(
        "kind: SparkApplication\nspec:\n  type: Pyton\n  batchScheduler: volcano\n  sparkVersion: \
         latest\n  deps: {packages: [a:b:1]}\n  driver: {memry: 1g, gpu: {name: g, quantity: 1}, \
         terminationGracePeriodSeconds: 5}\n  executor: {cores: four, tolerations: [{value: \
         x}]}\n  \
         sparkConf: {executor.memory: 4g}\n",
    );
    let lines: Vec<String> =
        problems.iter().map(|p| format!("{}:{} {}", p.line, p.column, p.message)).collect();
    assert_eq!(
        lines,
        [
            "9:15 `executor.memory` does not start with `spark.`",
            "3:9 unknown value `Pyton`",
            "7:48 unknown resource `g`",
            "8:41 a toleration without `key` needs `operator: Exists`",
            "5:17 `sparkVersion`: expected a Spark version such as 3.5.3, found `latest`",
        ]
    );
    let lines: Vec<&str> = findings.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(
        lines,
        [
            "`spec.batchScheduler` was read and is not modelled",
            "`spec.deps.packages` was read and is not modelled",
            "unknown key `memry` is ignored; did you mean `memory`?",
        ]
    );
    let (problems, _) = application.apply(&mut SparkDefaults::default_of(SparkVersion::default()));
    assert_eq!(problems[0].message, "`four` is no value of `spark.executor.cores`");
    assert_eq!((problems[0].line, problems[0].column), (8, 21));
}

#[test]
fn of_a_setting_that_is_given_twice_the_last_counts() {
    let text = "kind: SparkApplication\nspec:\n  sparkConf:\n    spark.task.cpus: 2\n    \
                spark.task.cpus: 3\n";
    let (application, problems, findings) = one(text);
    assert_eq!(problems, []);
    assert_eq!(application.conf.get("spark.task.cpus"), Some("3"));
    assert_eq!((findings.len(), findings[0].line), (1, Some(5)));
}

#[test]
fn hostile_texts_end_in_problems() {
    for text in
        ["", "kind: Pod", "kind: SparkApplication", "kind: SparkApplication\nspec: []", "\0"]
    {
        assert_ne!(read("a.yaml", text).problems.len(), 0, "{text:?}");
    }
    let many = "---\nkind: SparkApplication\nspec: {}\n".repeat(2_000);
    let read = read("a.yaml", &many);
    assert_eq!((read.value.len(), read.problems.len()), (APPLICATIONS_MAX, 1));
}

#[test]
fn recorded_files_load() {
    let folder =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/native-configs/spark-operator");
    let Ok(files) = std::fs::read_dir(folder) else {
        eprintln!("skipped: no {folder}");
        return;
    };
    let mut count = 0;
    for file in files {
        let path = file.unwrap().path();
        let read = read("a.yaml", &std::fs::read_to_string(&path).unwrap());
        assert_eq!(read.problems, [], "{path:?}");
        assert_ne!(read.value.len(), 0, "{path:?}");
        for application in read.value {
            let version = application.spark_version.unwrap_or_default();
            let mut spark = SparkDefaults::default_of(version);
            let (problems, findings) = application.apply(&mut spark);
            assert_eq!(problems, [], "{path:?}");
            let mut warnings = findings.iter().filter(|f| f.severity == Severity::Warning);
            assert_eq!(warnings.next(), None, "{path:?}");
        }
        count += 1;
    }
    assert_eq!(count, 11);
}
