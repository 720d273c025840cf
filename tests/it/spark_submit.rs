//! A real Spark takes what `emit` writes: `spark-submit` of the PySpark package, in cluster mode,
//! against a stub API server on loopback, posts the driver pod that our own reader expects.

use std::path::Path;
use std::process::Command;

use scenarios::Loaded;
use serde_json::{Value, json};
use sim::scenario::MemoryOverheads;

use crate::emit::{emitted, folder, scenarios_to_emit, skipped};

/// Spark's overhead factor of Python applications where the user set none. Source: facts-spark A4.
const PYTHON_FACTOR: f64 = 0.4;

/// What the driver's pod is to be, as our own reader understands the scenario.
fn expected(loaded: &Loaded) -> Value {
    let spark = &loaded.scenario.spark;
    let template = &spark.driver_template;
    let cores = sim::units::MilliCores::cores(u64::from(spark.driver_cores));
    let memory = |overheads: MemoryOverheads| {
        let set = spark.driver_memory_overhead;
        overheads.driver_container(spark.driver_memory, set).as_mib_ceil()
    };
    let factors = ["spark.driver.memoryOverheadFactor", "spark.kubernetes.memoryOverheadFactor"];
    let is_set = factors.iter().any(|key| loaded.spark_conf.get(key).is_some());
    let factor = if is_set { spark.overheads.driver_factor } else { PYTHON_FACTOR };
    let python = MemoryOverheads { driver_factor: factor, ..spark.overheads };
    let namespace = match template.namespace.as_str() {
        "" => "default",
        name => name,
    };
    let settings: serde_json::Map<String, Value> =
        loaded.spark_conf.iter().map(|(key, value)| (key.to_owned(), json!(value))).collect();
    json!({
        "driver": {
            "namespace": namespace,
            "labels": template.labels,
            "annotations": template.annotations,
            "node_selector": template.node_selector,
            "scheduler_name": template.scheduler_name,
            "cpu_milli": spark.driver_request_cores.unwrap_or(cores).as_millis(),
            "memory_mib": memory(spark.overheads),
            "memory_mib_python": memory(python),
        },
        "settings": settings,
    })
}

#[test]
fn a_real_spark_posts_the_driver_pod_of_emitted_files() {
    let runs = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|done| done.status.success())
    };
    if !runs("python3", &["-c", "import pyspark, yaml"]) || !runs("java", &["-version"]) {
        skipped(
            "no real Spark takes emitted files: no python3 with pyspark and pyyaml (pip install \
             pyspark pyyaml), or no java (apt-get install default-jre-headless)",
        );
        return;
    }
    let folder = folder();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/spark_submit.py");
    let all = scenarios_to_emit(folder.path());
    let chosen = ["platform-day", "rich"];
    let chosen: Vec<_> =
        all.into_iter().filter(|(name, _)| chosen.contains(&name.as_str())).collect();
    assert_eq!(chosen.len(), 2);
    for (name, loaded) in chosen {
        let target = folder.path().join(&name);
        emitted(&loaded, &target);
        let ours = folder.path().join(format!("{name}.json"));
        std::fs::write(&ours, expected(&loaded).to_string()).unwrap();
        let output = Command::new("python3").args([&script, &target, &ours]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {stderr}");
        let said = String::from_utf8(output.stdout).unwrap();
        for what in ["namespace", "memory request", "tolerations", "executor template"] {
            // Once for a JVM application, once for a Python one.
            assert_eq!(said.lines().filter(|line| *line == what).count(), 2, "{name}: {said}");
        }
    }
}
