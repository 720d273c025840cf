//! Settings of the scheduler, of losses and of storage, each with what it becomes.

use sim::scenario::{
    LocalDirs, OutputCommitter, SchedulerMode, ShuffleService, SparkDefaults, SparkVersion,
};
use sim::units::SimDuration;

use super::super::read;

const V35: SparkVersion = SparkVersion { major: 3, minor: 5 };
const V30: SparkVersion = SparkVersion { major: 3, minor: 0 };

/// The settings, and the messages of problems and findings.
fn applied(text: &str, version: SparkVersion) -> (SparkDefaults, Vec<String>) {
    let mut spark = SparkDefaults::default_of(version);
    let (problems, findings) = read("f", text).value.apply(&mut spark);
    let problems = problems.into_iter().map(|problem| {
        let help = problem.help.map_or(String::new(), |help| format!(" ({help})"));
        format!("{}:{} {}{help}", problem.line, problem.column, problem.message)
    });
    let findings = findings.into_iter().map(|finding| finding.message);
    (spark, problems.chain(findings).collect())
}

#[track_caller]
fn clean(text: &str, version: SparkVersion) -> SparkDefaults {
    let (spark, said) = applied(text, version);
    assert_eq!(said, [""; 0], "{text}");
    spark
}

/// Whether the settings `text` do to the defaults of 3.5 what `change` does, and nothing else.
#[track_caller]
fn same(text: &str, change: impl Fn(&mut SparkDefaults)) {
    let mut expected = clean("", V35);
    change(&mut expected);
    assert_eq!(clean(text, V35), expected, "{text}");
}

#[test]
fn the_scheduler() {
    let ms = SimDuration::from_millis;
    let s = SimDuration::seconds;
    same("spark.scheduler.mode fair", |c| c.scheduler_mode = SchedulerMode::Fair);
    same("spark.scheduler.mode FIFO", |_| ());
    same("spark.locality.wait 0\nspark.locality.wait.node 1s", |c| {
        c.locality_wait.process = ms(0);
        c.locality_wait.node = s(1);
        c.locality_wait.rack = ms(0);
    });
    same("spark.locality.wait.rack 7", |c| c.locality_wait.rack = ms(7));
    same(
        "spark.speculation true\nspark.speculation.interval 1s\nspark.speculation.multiplier 2\n\
         spark.speculation.quantile 0.5\nspark.speculation.minTaskRuntime 5s\n\
         spark.speculation.task.duration.threshold 1h\n\
         spark.speculation.efficiency.enabled false\n\
         spark.speculation.efficiency.longRunTaskFactor 3\n\
         spark.speculation.efficiency.processRateMultiplier 0.5",
        |c| {
            let rules = &mut c.speculation;
            (rules.enabled, rules.efficiency) = (true, false);
            (rules.interval, rules.min_task_runtime) = (s(1), s(5));
            (rules.multiplier, rules.quantile) = (2.0, 0.5);
            rules.task_duration_threshold = Some(SimDuration::hours(1));
            (rules.long_run_task_factor, rules.process_rate_multiplier) = (3.0, 0.5);
        },
    );
}

#[test]
fn exclusion_by_its_new_and_old_names() {
    for name in ["excludeOnFailure", "blacklist"] {
        let text = format!(
            "spark.{name}.enabled true\nspark.{name}.timeout 5min\n\
             spark.{name}.task.maxTaskAttemptsPerExecutor 2\n\
             spark.{name}.task.maxTaskAttemptsPerNode 3\n\
             spark.{name}.stage.maxFailedTasksPerExecutor 4\n\
             spark.{name}.stage.maxFailedExecutorsPerNode 5\n\
             spark.{name}.application.maxFailedTasksPerExecutor 6\n\
             spark.{name}.application.maxFailedExecutorsPerNode 7"
        );
        same(&text, |c| {
            let rules = &mut c.exclude_on_failure;
            (rules.enabled, rules.timeout) = (true, SimDuration::minutes(5));
            (rules.task_attempts_per_executor, rules.task_attempts_per_node) = (2, 3);
            rules.stage_failed_tasks_per_executor = 4;
            rules.stage_failed_executors_per_node = 5;
            rules.application_failed_tasks_per_executor = 6;
            rules.application_failed_executors_per_node = 7;
        });
    }
    same("spark.excludeOnFailure.enabled false\nspark.blacklist.enabled true", |_| ());
    let old = clean("spark.blacklist.enabled true", V30);
    assert!(old.exclude_on_failure.enabled);
    let v40 = SparkVersion { major: 4, minor: 0 };
    let tasks = clean("spark.excludeOnFailure.taskAndStage.enabled true", v40).exclude_on_failure;
    assert!(tasks.enabled && !tasks.application);
    let alone = clean("spark.excludeOnFailure.application.enabled true", v40).exclude_on_failure;
    assert!(alone.enabled && alone.application);
    assert_eq!(alone.task_attempts_per_node, i32::MAX as u32);
}

#[test]
fn losses() {
    let s = SimDuration::seconds;
    same(
        "spark.task.maxFailures 8\nspark.stage.maxConsecutiveAttempts 3\n\
         spark.stage.maxAttempts 5\nspark.executor.maxNumFailures 0\n\
         spark.executor.failuresValidityInterval 1h\n\
         spark.stage.ignoreDecommissionFetchFailure true",
        |c| {
            let limits = &mut c.limits;
            (limits.task_max_failures, limits.stage_max_consecutive_attempts) = (8, 3);
            (limits.stage_max_attempts, limits.executor_max_num_failures) = (5, Some(0));
            limits.executor_failures_validity = Some(SimDuration::hours(1));
            limits.ignore_decommission_fetch_failure = true;
        },
    );
    same("spark.stage.maxAttempts 2147483647", |_| ());
    same(
        "spark.decommission.enabled true\nspark.storage.decommission.enabled true\n\
         spark.storage.decommission.rddBlocks.enabled false\n\
         spark.storage.decommission.shuffleBlocks.enabled false\n\
         spark.storage.decommission.shuffleBlocks.maxThreads 2\n\
         spark.executor.decommission.killInterval 100\n\
         spark.executor.decommission.forceKillTimeout 2min",
        |c| {
            let rules = &mut c.decommission;
            (rules.enabled, rules.storage) = (true, true);
            (rules.rdd_blocks, rules.shuffle_blocks) = (false, false);
            rules.shuffle_threads_max = 2;
            (rules.kill_interval, rules.force_kill_timeout) = (Some(s(100)), Some(s(120)));
        },
    );
}

#[test]
fn memory_allocation_and_timeouts() {
    let s = SimDuration::seconds;
    same(
        "spark.memory.fraction 0.8\nspark.memory.storageFraction 0.3\n\
         spark.sql.shuffle.partitions 64",
        |c| {
            (c.memory.fraction, c.memory.storage_fraction) = (0.8, 0.3);
            c.sql_shuffle_partitions = 64;
        },
    );
    same(
        "spark.kubernetes.allocation.maxPendingPods 9\n\
         spark.kubernetes.allocation.executor.timeout 30s",
        |c| {
            c.allocation_max_pending_pods = 9;
            c.allocation_executor_timeout = s(30);
        },
    );
    let v41 = SparkVersion { major: 4, minor: 1 };
    let text = "spark.kubernetes.allocation.maxPendingPods 9\n\
                spark.kubernetes.allocation.maxPendingPodsPerRp 4";
    assert_eq!(clean(text, v41).allocation_max_pending_pods, 4);
    same(
        "spark.dynamicAllocation.cachedExecutorIdleTimeout 120\n\
         spark.dynamicAllocation.shuffleTracking.timeout 60000",
        |c| {
            c.dynamic_allocation.cached_executor_idle_timeout = Some(s(120));
            c.dynamic_allocation.shuffle_tracking_timeout = Some(s(60));
        },
    );
    same(
        "spark.dynamicAllocation.cachedExecutorIdleTimeout 2147483647\n\
         spark.dynamicAllocation.shuffleTracking.timeout 9223372036854775807ms",
        |_| (),
    );
}

#[test]
fn who_serves_shuffle_data() {
    let check = |text: &str, expected: ShuffleService| {
        assert_eq!(clean(text, V35).storage.shuffle, expected, "{text}");
    };
    check("", ShuffleService::Executor);
    check("spark.shuffle.manager sort", ShuffleService::Executor);
    check("spark.shuffle.service.enabled true", ShuffleService::External);
    for class in [
        "org.apache.spark.shuffle.celeborn.SparkShuffleManager",
        "org.apache.spark.shuffle.RssShuffleManager",
        "org.apache.spark.shuffle.uniffle.UniffleShuffleManager",
        "org.apache.spark.shuffle.sort.S3ShuffleManager",
    ] {
        check(&format!("spark.shuffle.manager {class}"), ShuffleService::Remote);
    }
    let plugin = "spark.shuffle.sort.io.plugin.class";
    let chopper = "com.amazonaws.spark.shuffle.io.cloud.ChopperPlugin";
    check(&format!("{plugin} {chopper}"), ShuffleService::Remote);
    let local = "org.apache.spark.shuffle.sort.io.LocalDiskShuffleDataIO";
    check(&format!("{plugin} {local}"), ShuffleService::Executor);
    let (spark, said) = applied("spark.shuffle.manager com.acme.Shuffle", V35);
    assert_eq!(spark.storage.shuffle, ShuffleService::Executor);
    assert_eq!(
        said,
        ["`com.acme.Shuffle` is not known: shuffle data is taken to stay with its executor"]
    );
}

#[test]
fn what_local_directories_are_made_of() {
    let volume = |kind: &str, rest: &str| {
        let prefix = format!("spark.kubernetes.executor.volumes.{kind}.spark-local-dir-1");
        format!("{prefix}.mount.path /d\n{prefix}.options.{rest}")
    };
    let check = |text: &str, expected: LocalDirs| {
        assert_eq!(clean(text, V35).storage.local_dirs, expected, "{text}");
    };
    check("", LocalDirs::EmptyDir);
    check("spark.kubernetes.local.dirs.tmpfs true", LocalDirs::Tmpfs);
    check(&volume("emptyDir", "medium Memory"), LocalDirs::Tmpfs);
    check(&volume("emptyDir", "sizeLimit 1Gi"), LocalDirs::EmptyDir);
    check(&volume("hostPath", "path /mnt"), LocalDirs::HostPath);
    let claim = volume("persistentVolumeClaim", "claimName OnDemand");
    check(&claim, LocalDirs::PersistentVolumeClaim);
    // A volume of one's own wins over what Spark would add.
    let both = format!("{claim}\nspark.kubernetes.local.dirs.tmpfs true");
    check(&both, LocalDirs::PersistentVolumeClaim);
}

#[test]
fn shuffle_files_on_claims_that_are_used_again() {
    let claims = |name: &str, more: &str| {
        let volume = "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1";
        let plugin = "spark.shuffle.sort.io.plugin.class \
                      org.apache.spark.shuffle.KubernetesLocalDiskShuffleDataIO";
        format!("{volume}.mount.path /d\n{volume}.options.claimName {name}\n{plugin}\n{more}")
    };
    let v33 = SparkVersion { major: 3, minor: 3 };
    let check = |text: &str, version: SparkVersion, expected: bool| {
        assert_eq!(clean(text, version).storage.reuse_claims, expected, "{text}");
    };
    let reuse = "spark.kubernetes.driver.reusePersistentVolumeClaim";
    let own = "spark.kubernetes.driver.ownPersistentVolumeClaim";
    check(&claims("OnDemand", ""), V35, true);
    check(&claims("mine", ""), V35, false);
    check(&claims("OnDemand", &format!("{reuse} false")), V35, false);
    check(&claims("OnDemand", &format!("{own} false")), V35, false);
    check(&claims("OnDemand", ""), v33, false);
    check(&claims("OnDemand", &format!("{reuse} true\n{own} true")), v33, true);
    let local = claims("OnDemand", "").replace("Kubernetes", "sort.io.");
    check(&local, V35, false);
}

#[test]
fn committers() {
    let check = |text: &str, expected: OutputCommitter| {
        assert_eq!(clean(text, V35).storage.committer, expected, "{text}");
    };
    let version = "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version";
    let name = "spark.hadoop.fs.s3a.committer.name";
    check("", OutputCommitter::FileV1);
    check(&format!("{version} 1"), OutputCommitter::FileV1);
    check(&format!("{version} 2"), OutputCommitter::FileV2);
    check(&format!("{name} file"), OutputCommitter::FileV1);
    check(&format!("{name} directory"), OutputCommitter::Staging);
    check(&format!("{name} partitioned\n{version} 2"), OutputCommitter::Staging);
    check(&format!("{name} magic"), OutputCommitter::Magic);
    let emr = "spark.sql.parquet.fs.optimized.committer.optimization-enabled";
    check(&format!("{emr} true"), OutputCommitter::EmrOptimized);
    check(&format!("{emr} false"), OutputCommitter::FileV1);
}

#[test]
fn wrong_values_have_their_place_and_what_is_allowed() {
    let check = |text: &str, expected: &str| assert_eq!(applied(text, V35).1, [expected]);
    check(
        "spark.scheduler.mode LIFO",
        "1:22 `LIFO` is no value of `spark.scheduler.mode` (`FIFO` or `FAIR`)",
    );
    check(
        "spark.speculation.quantile 1.5",
        "1:28 `1.5` is no value of `spark.speculation.quantile` (a number from 0 to 1)",
    );
    check(
        "spark.speculation.interval 0",
        "1:28 Spark would look all the time (more than 0, as in 100ms)",
    );
    check(
        "spark.locality.wait 3 s",
        "1:21 `3 s` is no value of `spark.locality.wait` (a Spark time such as 60s, 10min or \
         500ms (whole numbers only))",
    );
    check(
        "spark.hadoop.fs.s3a.committer.name fast",
        "1:36 `fast` is no value of `spark.hadoop.fs.s3a.committer.name` (`file`, `directory`, \
         `partitioned` or `magic`)",
    );
    check(
        "spark.excludeOnFailure.enabled true\nspark.task.maxFailures 2",
        "2:24 a task may fail 2 times on a node and 2 times in all: Spark refuses to start, as \
         one bad node ends the job",
    );
    check(
        "spark.excludeOnFailure.enabled true\nspark.stage.maxAttempts 0",
        "2:25 `0` is no value of `spark.stage.maxAttempts` (a whole number of at least 1)",
    );
}
