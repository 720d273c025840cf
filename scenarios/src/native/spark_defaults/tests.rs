//! Settings, right and wrong, against several releases.

use sim::scenario::{LocalDirs, SparkDefaults, SparkVersion};
use sim::units::{Bytes, MilliCores, SimDuration};

use super::*;

const V35: SparkVersion = SparkVersion { major: 3, minor: 5 };

fn applied(text: &str, version: SparkVersion) -> (SparkDefaults, Vec<Problem>, Vec<Finding>) {
    let read = read("spark-defaults.conf", text);
    let mut spark = SparkDefaults::default_of(version);
    let (problems, findings) = read.value.apply(&mut spark);
    let problems = read.problems.into_iter().chain(problems).collect();
    let findings = read.not_modelled.into_iter().chain(findings).collect();
    (spark, problems, findings)
}

#[track_caller]
fn clean(text: &str) -> SparkDefaults {
    let (spark, problems, findings) = applied(text, V35);
    assert_eq!(problems, []);
    assert_eq!(findings, []);
    spark
}

/// One line per problem: `line:column message (help)`.
#[track_caller]
fn check_problems(text: &str, expected: &[&str]) {
    let (_, problems, _) = applied(text, V35);
    let shown: Vec<String> = problems
        .iter()
        .map(|p| {
            let help = p.help.as_deref().map_or(String::new(), |h| format!(" ({h})"));
            format!("{}:{} {}{help}", p.line, p.column, p.message)
        })
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn every_modelled_setting_arrives() {
    let spark = clean(
        "spark.driver.cores 2\nspark.driver.memory 4g\nspark.driver.memoryOverhead 512\n\
         spark.kubernetes.driver.request.cores 1500m\nspark.executor.cores=4\n\
         spark.executor.memory=11g\nspark.executor.memoryOverhead: 2g\n\
         spark.kubernetes.executor.request.cores 3400m\nspark.executor.instances 7\n\
         spark.task.cpus 2\nspark.task.maxFailures 8\n\
         spark.kubernetes.allocation.batch.size 50\nspark.kubernetes.allocation.batch.delay 500\n\
         spark.scheduler.minRegisteredResourcesRatio 1.0\n\
         spark.scheduler.maxRegisteredResourcesWaitingTime 60s\n\
         spark.kubernetes.scheduler.name packer\nspark.kubernetes.driver.scheduler.name d\n",
    );
    assert_eq!(spark.driver_cores, 2);
    assert_eq!(spark.driver_memory, Bytes::gib(4));
    assert_eq!(spark.driver_memory_overhead, Some(Bytes::mib(512)));
    assert_eq!(spark.driver_request_cores, Some(MilliCores::new(1500)));
    assert_eq!((spark.executor_cores, spark.executor_instances), (4, 7));
    assert_eq!(spark.executor_memory, Bytes::gib(11));
    assert_eq!(spark.executor_memory_overhead, Some(Bytes::gib(2)));
    assert_eq!(spark.executor_request_cores, Some(MilliCores::new(3400)));
    assert_eq!((spark.task_cpus, spark.limits.task_max_failures), (2, 8));
    assert_eq!(spark.allocation_batch_size, 50);
    assert_eq!(spark.allocation_batch_delay, SimDuration::from_millis(500));
    assert_eq!(spark.min_registered_resources_ratio, 1.0);
    assert_eq!(spark.max_registered_resources_waiting_time, SimDuration::minutes(1));
    assert_eq!(spark.driver_template.scheduler_name.as_deref(), Some("d"));
    assert_eq!(spark.executor_template.scheduler_name.as_deref(), Some("packer"));
}

#[test]
fn dynamic_allocation_arrives() {
    let dynamic = clean(
        "spark.dynamicAllocation.enabled TRUE\nspark.dynamicAllocation.minExecutors 1\n\
         spark.dynamicAllocation.maxExecutors 2147483647\n\
         spark.dynamicAllocation.initialExecutors 3\n\
         spark.dynamicAllocation.executorAllocationRatio 0.5\n\
         spark.dynamicAllocation.schedulerBacklogTimeout 2\n\
         spark.dynamicAllocation.executorIdleTimeout 5min\n\
         spark.dynamicAllocation.shuffleTracking.enabled true",
    )
    .dynamic_allocation;
    assert!(dynamic.enabled && dynamic.shuffle_tracking);
    assert_eq!((dynamic.min_executors, dynamic.max_executors), (1, u32::MAX));
    assert_eq!(dynamic.initial_executors, Some(3));
    assert_eq!(dynamic.executor_allocation_ratio, 0.5);
    assert_eq!(dynamic.scheduler_backlog_timeout, SimDuration::seconds(2));
    assert_eq!(dynamic.sustained_scheduler_backlog_timeout, SimDuration::seconds(2));
    assert_eq!(dynamic.executor_idle_timeout, SimDuration::minutes(5));
}

#[test]
fn overhead_factors_by_rank() {
    let factors = |text: &str| {
        let overheads = clean(text).overheads;
        (overheads.driver_factor, overheads.executor_factor)
    };
    assert_eq!(factors(""), (0.1, 0.1));
    assert_eq!(factors("spark.kubernetes.resource.type python"), (0.4, 0.4));
    let both = "spark.kubernetes.resource.type python\nspark.kubernetes.memoryOverheadFactor 0.2";
    assert_eq!(factors(both), (0.2, 0.2));
    let own = "spark.kubernetes.memoryOverheadFactor 0.2\nspark.executor.memoryOverheadFactor 0.3";
    assert_eq!(factors(own), (0.2, 0.3));
    let off_heap = clean("spark.memory.offHeap.enabled true\nspark.memory.offHeap.size 1g");
    assert_eq!(off_heap.overheads.off_heap, Bytes::gib(1));
    let off = clean("spark.memory.offHeap.enabled false\nspark.memory.offHeap.size 1g");
    assert_eq!(off.overheads.off_heap, Bytes::ZERO);
}

#[test]
fn a_release_ignores_what_came_later() {
    let old = SparkVersion { major: 3, minor: 2 };
    let (spark, problems, findings) = applied("spark.executor.memoryOverheadFactor 0.3", old);
    assert_eq!(spark.overheads.executor_factor, 0.1);
    assert_eq!(problems, []);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].code, "ignored-by-spark");
    let text = "spark.dynamicAllocation.enabled true";
    let codes = |version| {
        let found = applied(text, version).2;
        found.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(old), ["dynamic-allocation-refused"]);
    assert_eq!(codes(V35), [""; 0]);
}

#[test]
fn a_template_file_that_the_scenario_does_not_name_is_a_warning() {
    let text = "spark.kubernetes.executor.podTemplateFile s3://b/e.yaml\n\
                spark.kubernetes.executor.node.selector.a b";
    let (_, problems, findings) = applied(text, V35);
    assert_eq!((problems, findings.len()), (vec![], 1));
    assert_eq!(findings[0].code, "pod-template-not-read");
    let mut spark = SparkDefaults::default_of(V35);
    spark.executor_template.priority = 1;
    assert_eq!(read("f", text).value.apply(&mut spark), (vec![], vec![]));
}

#[test]
fn selectors_labels_and_annotations_go_to_their_templates() {
    let spark = clean(
        "spark.kubernetes.node.selector.disk ssd\n\
         spark.kubernetes.executor.node.selector.topology.kubernetes.io/zone us-west-2a\n\
         spark.kubernetes.driver.label.team data\n\
         spark.kubernetes.executor.annotation.cluster-autoscaler.kubernetes.io/safe-to-evict true",
    );
    assert_eq!(spark.driver_template.node_selector["disk"], "ssd");
    let executor = &spark.executor_template;
    assert_eq!(executor.node_selector.len(), 2);
    assert_eq!(executor.node_selector["topology.kubernetes.io/zone"], "us-west-2a");
    assert_eq!(spark.driver_template.labels["team"], "data");
    let safe = "cluster-autoscaler.kubernetes.io/safe-to-evict";
    assert_eq!(executor.annotations[safe], "true");
}

#[test]
fn pods_get_what_settings_say_of_them() {
    let spark = clean(
        "spark.kubernetes.namespace data\nspark.kubernetes.container.image spark:3.5\n\
         spark.kubernetes.executor.container.image own:1\n\
         spark.executor.resource.gpu.amount 2\nspark.executor.resource.gpu.vendor nvidia.com\n\
         spark.executor.resource.gpu.discoveryScript /x.sh\n\
         spark.kubernetes.driver.scheduler.name default-scheduler\n\
         spark.kubernetes.executor.volumes.hostPath.spark-local-dir-9.mount.path /d\n\
         spark.kubernetes.executor.volumes.hostPath.spark-local-dir-9.options.path /mnt\n\
         spark.kubernetes.driver.volumes.emptyDir.logs.mount.path /l",
    );
    let (driver, executor) = (&spark.driver_template, &spark.executor_template);
    assert_eq!((driver.namespace.as_str(), executor.namespace.as_str()), ("data", "data"));
    assert_eq!(driver.main.image.as_deref(), Some("spark:3.5"));
    assert_eq!(executor.main.image.as_deref(), Some("own:1"));
    assert_eq!(executor.main.requests.extended["nvidia.com/gpu"], 2);
    assert!(driver.main.requests.extended.is_empty());
    assert_eq!(driver.scheduler_name, None);
    assert_eq!(executor.local_storage, ["spark-local-dir-9"]);
    assert_eq!(driver.local_storage, ["logs", "spark-local-dir-1"]);
    let default = clean("spark.kubernetes.namespace default");
    assert_eq!(default.driver_template.namespace, "");
}

#[test]
fn local_directories_in_memory_are_no_local_storage() {
    let (spark, problems, findings) = applied("spark.kubernetes.local.dirs.tmpfs true", V35);
    assert_eq!((problems, findings), (vec![], vec![]));
    assert_eq!(spark.driver_template.local_storage, [""; 0]);
    let volume = "spark.kubernetes.executor.volumes.emptyDir.spark-local-dir-1";
    let text = format!("{volume}.mount.path /d\n{volume}.options.medium Memory");
    let (spark, _, findings) = applied(&text, V35);
    assert_eq!(spark.executor_template.local_storage, [""; 0]);
    assert_eq!((findings, spark.storage.local_dirs), (vec![], LocalDirs::Tmpfs));
}

#[test]
fn executors_have_a_grace_period_of_sparks_own_since_4_1() {
    let grace = |text: &str, minor: u32| {
        let version = SparkVersion { major: 4, minor };
        applied(text, version).0.executor_template.termination_grace
    };
    let key = "spark.kubernetes.executor.terminationGracePeriodSeconds";
    assert_eq!(grace("", 0), None);
    assert_eq!(grace("", 1), Some(SimDuration::seconds(30)));
    assert_eq!(grace(&format!("{key} 2m"), 1), Some(SimDuration::minutes(2)));
    assert_eq!(grace(&format!("{key} 2m"), 0), None);
}

#[test]
fn a_templates_namespace_is_replaced() {
    let mut spark = SparkDefaults::default_of(V35);
    spark.executor_template.namespace = "own".to_owned();
    let (problems, findings) = read("f", "spark.task.cpus 1").value.apply(&mut spark);
    assert_eq!(problems, []);
    let message = "the executor pod template's namespace `own` is not used: Spark's is `default`";
    assert_eq!(findings[0].message, message);
    assert_eq!(spark.executor_template.namespace, "");
}

#[test]
fn wrong_resources() {
    check_problems(
        "spark.executor.resource.gpu.amount 0\nspark.executor.resource.gpu.vendor nvidia.com\n\
         spark.driver.resource.fpga.amount 1",
        &[
            "1:36 `0` is no value of `spark.executor.resource.gpu.amount` (a whole number of at \
             least 1)",
            "3:35 `spark.driver.resource.fpga` is asked for without its vendor (set \
             spark.driver.resource.fpga.vendor, such as nvidia.com)",
        ],
    );
    let (_, problems, findings) = applied("spark.executor.resource.gpu.amuont 1", V35);
    assert_eq!(problems, []);
    assert_eq!(
        findings[0].message,
        "unknown setting `spark.executor.resource.gpu.amuont` is ignored; did you mean `amount`?"
    );
}

#[test]
fn wrong_values_have_their_place_and_what_is_allowed() {
    check_problems(
        "spark.executor.memory 1.5g\nspark.executor.cores four\n\
         spark.kubernetes.executor.request.cores -1\nspark.dynamicAllocation.enabled yes\n\
         spark.executor.instances 99999999999\nspark.kubernetes.resource.type scala\n\
         spark.kubernetes.allocation.batch.delay 0",
        &[
            "1:23 `1.5g` is no value of `spark.executor.memory` (a Spark size such as 512m or 4g \
             (whole numbers only))",
            "2:22 `four` is no value of `spark.executor.cores` (a whole number of at least 1)",
            "3:41 `-1` is no value of `spark.kubernetes.executor.request.cores` (a CPU quantity \
             such as 500m, 2 or 3.5)",
            "4:33 `yes` is no value of `spark.dynamicAllocation.enabled` (`true` or `false`)",
            "5:26 `99999999999` is no value of `spark.executor.instances` (a whole number of at \
             least 0)",
            "6:32 unknown application type `scala` (`java`, `python` or `r`)",
            "7:41 the delay between two batches is zero (more than 0, as in 1s)",
        ],
    );
}

#[test]
fn settings_at_odds_are_problems() {
    check_problems(
        "spark.task.cpus 2",
        &["1:17 a task takes 2 cores and an executor has 1: no task would ever run"],
    );
    check_problems(
        "spark.dynamicAllocation.enabled true\nspark.dynamicAllocation.minExecutors 9\n\
         spark.dynamicAllocation.maxExecutors 3",
        &["2:38 at least 9 executors and at most 3"],
    );
    check_problems(
        "spark.memory.offHeap.enabled true",
        &["1:30 off-heap memory is on without a size (set spark.memory.offHeap.size, as Spark \
           requires)"],
    );
}

#[test]
fn what_is_not_followed_is_named() {
    let (_, problems, findings) = applied(
        "spark.barrier.sync.timeout 1\nspark.eventLog.dir s3a://x\nspark.executor.memry 4g\n\
         executor.memory 4g\nspark.executor.memory ${env:MEM}\nspark.app.name a\n\
         spark.app.name b\nspark.acme.x 1",
        V35,
    );
    assert_eq!(problems, []);
    let shown: Vec<String> = findings
        .iter()
        .map(|f| format!("{} {} {}", f.line.unwrap_or(0), f.code, f.message))
        .collect();
    assert_eq!(
        shown,
        [
            "4 ignored-by-spark `executor.memory` does not start with `spark.`: Spark ignores \
             it; did you mean `spark.executor.memory`?",
            "7 set-twice `spark.app.name` is set again: the value of line 6 is not used",
            "1 not-modelled `spark.barrier.sync.timeout` was read and is not modelled",
            "3 unknown-setting unknown setting `spark.executor.memry` is ignored; did you mean \
             `spark.executor.memory`?",
            "5 not-modelled `spark.executor.memory` is not used: variables in `${env:MEM}`",
            "8 unknown-setting `spark.acme.x` is no setting that Spark registers; not modelled",
        ]
    );
}

#[test]
fn hostile_files_end_in_problems() {
    let many: String = (0..20_000).map(|i| format!("spark.x{i} 1\n")).collect();
    assert_eq!(read("f", &many).problems.len(), 1);
    assert_eq!(read("f", &"x".repeat(5 << 20)).problems.len(), 1);
    let odd = format!("{} 1\n=\n:\n\\\n\u{0} \u{1b}[31m\nspark. 1\n", "é".repeat(100_000));
    let (_, problems, findings) = applied(&odd, V35);
    assert_eq!(problems, []);
    assert!(findings.iter().all(|finding| finding.message.len() < 2_000));
    let nameless = "spark.kubernetes.node.selector. x";
    check_problems(nameless, &["1:33 a name is missing after the last dot (see the Spark docs)"]);
}
