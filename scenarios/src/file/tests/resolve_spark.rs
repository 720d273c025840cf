//! The resolved scenario's settings of Spark.

use super::resolve::same_again;
use super::{load_text, loaded, minimal};

/// A scenario of that release with those settings reads back as it was.
#[track_caller]
fn check(version: &str, conf: &[&str], template: &str) {
    let conf: String = conf.iter().map(|line| format!("    spark.{line}\n")).collect();
    let conf = if conf.is_empty() { String::new() } else { format!("  sparkConf:\n{conf}") };
    let text = format!("spark:\n  version: \"{version}\"\n{conf}{template}");
    let first = loaded(&minimal(&text));
    same_again(&first);
    let again = loaded(&first.resolved);
    let ignored: Vec<_> =
        again.findings.iter().filter(|found| found.code == "ignored-by-spark").collect();
    assert!(ignored.is_empty(), "{ignored:#?}");
}

const VOLUMES: &str = "kubernetes.executor.volumes";

#[test]
fn scheduling_and_losses() {
    let conf = [
        "scheduler.mode: FAIR",
        "locality.wait: 1s",
        "locality.wait.node: 0s",
        "speculation: true",
        "speculation.multiplier: 1.25",
        "speculation.task.duration.threshold: 90s",
        "blacklist.enabled: true",
        "blacklist.stage.maxFailedTasksPerExecutor: 9",
        "task.maxFailures: 6",
        "dynamicAllocation.cachedExecutorIdleTimeout: 10min",
        "dynamicAllocation.shuffleTracking.timeout: 1h",
        "sql.shuffle.partitions: 17",
        "memory.fraction: 0.75",
        "hadoop.fs.s3a.committer.name: magic",
    ];
    for version in ["3.0", "3.1", "3.2", "3.5", "4.3"] {
        check(version, &conf, "");
    }
    let later = [
        "excludeOnFailure.taskAndStage.enabled: true",
        "stage.maxAttempts: 7",
        "stage.maxConsecutiveAttempts: 2",
        "executor.maxNumFailures: 12",
        "executor.failuresValidityInterval: 30min",
        "executor.decommission.killInterval: 100s",
        "executor.decommission.forceKillTimeout: 2min",
        "decommission.enabled: true",
        "storage.decommission.enabled: true",
        "storage.decommission.rddBlocks.enabled: false",
        "kubernetes.allocation.maxPendingPods: 30",
        "shuffle.service.enabled: true",
    ];
    check("4.1", &later, "");
    check("4.0", &["excludeOnFailure.application.enabled: true"], "");
    check("3.5", &["shuffle.manager: org.apache.spark.shuffle.RssShuffleManager"], "");
    for old in ["3.0", "3.2"] {
        check(old, &["kubernetes.memoryOverheadFactor: 0.25"], "");
    }
}

#[test]
fn local_directories() {
    let dir = |kind: &str| format!("{VOLUMES}.{kind}.spark-local-dir-3.mount.path: /d");
    for kind in ["hostPath", "emptyDir", "persistentVolumeClaim", "nfs"] {
        check("3.5", &[&dir(kind)], "");
    }
    check("3.5", &["kubernetes.local.dirs.tmpfs: true"], "");
    let name = "org.apache.spark.shuffle.KubernetesLocalDiskShuffleDataIO";
    let plugin = format!("shuffle.sort.io.plugin.class: {name}");
    check("3.5", &[&dir("persistentVolumeClaim"), &plugin], "");
    for source in [
        "emptyDir: {}",
        "emptyDir: {medium: Memory}",
        "hostPath: {path: /mnt}",
        "persistentVolumeClaim: {claimName: a}",
    ] {
        let volumes = format!("spec: {{volumes: [{{name: spark-local-dir-1, {source}}}]}}");
        let template = format!("  executorPodTemplate: {{{volumes}}}\n");
        check("3.5", &[], &template);
        check("3.5", &[&dir("hostPath")], &template);
        check("3.5", &[&dir("emptyDir")], &template);
        check("3.5", &["kubernetes.local.dirs.tmpfs: true"], &template);
    }
}

#[test]
fn throughput_of_nothing_is_refused() {
    for given in ["networkThroughput: 0", "localDisk: {hostPath: 0}", "objectStoreCopy: 0"] {
        let error = load_text("small.yaml", &minimal(&format!("assumptions: {{{given}}}")));
        let text = error.unwrap_err().to_string();
        assert!(text.contains("is zero: nothing would ever end"), "{text}");
    }
}
