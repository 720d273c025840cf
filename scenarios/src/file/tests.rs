//! Whole files: what they mean, what is wrong with them, and that the resolved one means the same.

mod errors;
mod errors_files;
mod errors_policies;
mod hostile;
mod karpenter;
mod resolve;
mod resolve_spark;
mod schedulers;

use super::*;

/// The smallest scenario, with `spec` lines added to its end.
fn minimal(extra: &str) -> String {
    let mut text = "\
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: small}
spec:
  region: us-west-2
  nodes:
    pools:
    - {name: all, instanceTypes: [m5.2xlarge], maxSize: 10}
"
    .to_owned();
    for line in extra.lines() {
        text.push_str("  ");
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[track_caller]
fn loaded(text: &str) -> Loaded {
    match load_text("small.yaml", text) {
        Ok(loaded) => loaded,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_small_file_is_enough() {
    let scenario = loaded(&minimal("")).scenario;
    assert_eq!(scenario.name, "small");
    assert_eq!(scenario.kubernetes, sim::scenario::KubernetesVersion::NEWEST);
    let pool = &scenario.pools[0];
    assert_eq!((pool.min_size, pool.desired_size, pool.max_size), (0, 0, 10));
    assert_eq!(pool.zones, ["us-west-2a", "us-west-2b", "us-west-2c"]);
    assert_eq!(pool.labels["eks.amazonaws.com/capacityType"], "ON_DEMAND");
    assert_eq!(pool.labels["node.kubernetes.io/instance-type"], "m5.2xlarge");
    assert_eq!(pool.instance_types[0].on_demand_price.as_usd_f64(), 0.384);
    assert!(scenario.autoscaler.is_none());
}

#[test]
fn guesses_are_findings() {
    let findings = loaded(&minimal("")).findings;
    let guesses = sim::scenario::Assumptions::default().list().iter().filter(|a| a.guess).count();
    let noted = findings.iter().filter(|f| f.code == "assumption").count();
    assert_eq!(noted, guesses + 1, "the assumptions and the DaemonSets: {findings:#?}");
    let said = loaded(&minimal("assumptions: {runTimeout: 1h}")).findings;
    assert_eq!(said.iter().filter(|f| f.code == "assumption").count(), guesses);
}

#[test]
fn presets_and_ladders() {
    let flotilla = loaded(&minimal("retries: {preset: flotilla-2021}"));
    assert_eq!(flotilla.scenario.retries.rungs.len(), 3);
    assert!(flotilla.findings.iter().any(|f| f.message.contains("guess of the retry preset")));
    let off = "retries: {preset: flotilla-2021, criticalOnDemand: false}";
    assert!(!loaded(&minimal(off)).scenario.retries.critical_on_demand);
}

#[test]
fn prices_and_shapes_replace_the_catalogues() {
    let text = minimal(
        "prices: {m5.2xlarge: {onDemand: 1.5}}\n\
         instanceTypes: {m5.2xlarge: {allocatableCpu: 5, interruptionBand: 4}}",
    );
    let found = &loaded(&text).scenario.pools[0].instance_types[0];
    assert_eq!(found.on_demand_price.as_usd_f64(), 1.5);
    assert_eq!(found.allocatable_cpu, sim::units::MilliCores::cores(5));
    assert_eq!((found.vcpu, found.interruption_band), (8, Some(4)));
}

#[test]
fn overrides_change_pools_by_name() {
    let text = minimal("").replace("maxSize: 10}", "minSize: 2, maxSize: 10}")
        + "    overrides: {all: {capacityType: spot, maxSize: 50, minSize: 5, \
           instanceTypes: [r5.2xlarge]}}\n";
    let pool = &loaded(&text).scenario.pools[0];
    assert_eq!((pool.min_size, pool.desired_size, pool.max_size), (5, 5, 50));
    assert_eq!(pool.instance_types[0].name, "r5.2xlarge");
    assert_eq!(pool.labels["eks.amazonaws.com/capacityType"], "SPOT");
}

#[test]
fn pods_that_fit_nowhere_are_told_with_the_arithmetic() {
    let spark = "spark: {sparkConf: {spark.executor.cores: 8, spark.executor.memory: 40g}}";
    let findings = loaded(&minimal(spark)).findings;
    let finding = findings.iter().find(|f| f.code == "pod-fits-no-node").unwrap();
    assert_eq!(
        finding.message,
        "an executor asks 8 CPU and 44.00Gi, and fits no node: all (m5.2xlarge): CPU 7910m - 150m \
         DaemonSets = 7760m is below 8, memory 28.63Gi - 0.00Gi DaemonSets = 28.63Gi is below \
         44.00Gi"
    );
}

#[test]
fn traces_are_named_and_checked_on_request() {
    let text = minimal("workload: {traces: [{jobTable: not/there.csv}, {eventLogs: s3://b/logs}]}");
    let loaded = loaded(&text);
    assert_eq!(loaded.traces[0].kind, TraceKind::JobTable);
    assert!(loaded.traces[1].is_address());
    let ScenarioError::Invalid(problems) = loaded.check_traces().unwrap_err();
    assert_eq!(problems.0.len(), 1);
    assert_eq!((problems.0[0].line, problems.0[0].column), (9, 34));
}

#[track_caller]
fn warnings(extra: &str) -> Vec<String> {
    let findings = loaded(&minimal(extra)).findings.into_iter();
    let warnings = findings.filter(|finding| finding.severity == sim::Severity::Warning);
    let shown = warnings.map(|finding| format!("{}: {}", finding.code, finding.message));
    shown.filter(|line| !line.starts_with("no-nodes")).collect()
}

#[test]
fn pods_that_no_pool_is_for_are_told_why() {
    let spark = "spark: {executorPodTemplate: {spec: {nodeSelector: {disk: nvme}}}}";
    assert_eq!(
        warnings(spark),
        ["no-matching-pool: no node pool is for executor pods: all has no label disk=nvme"]
    );
    let text = minimal("overprovisioning: {replicas: 1, pod: {cpu: 1, memory: 1Gi}}")
        .replace("maxSize: 10", "maxSize: 10, taints: [{key: a, value: b, effect: NoExecute}]");
    let findings = loaded(&text).findings;
    let told: Vec<_> = findings.iter().filter(|f| f.code == "no-matching-pool").collect();
    assert_eq!(told.len(), 3, "driver, executor, pause pods");
    assert!(told[0].message.ends_with("all has the taint a=b that is not tolerated"));
}

#[test]
fn a_ladder_to_on_demand_needs_such_nodes() {
    let text = minimal("retries: {preset: flotilla-2021}");
    let spot = text.replace("maxSize: 10", "maxSize: 10, capacityType: spot");
    let told = |text: &str| loaded(text).findings.iter().any(|f| f.code == "no-on-demand-pool");
    assert!(told(&spot));
    assert!(!told(&text));
}

#[test]
fn pause_pods_below_the_cutoff_are_a_warning() {
    let extra = "autoscaler: {clusterAutoscaler: {}}\n\
                 overprovisioning: {replicas: 1, pod: {cpu: 1, memory: 1Gi}, priority: -11}";
    let warnings = warnings(extra);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("pause-pods-expendable"), "{warnings:?}");
}

#[test]
fn a_resolved_scenario_elsewhere_says_how_to_name_its_traces() {
    let text = minimal("workload: {traces: [{jobTable: no-such-day.csv}]}");
    let loaded = load_text("there/scenario.resolved.yaml", &text).unwrap();
    let ScenarioError::Invalid(problems) = loaded.check_traces().unwrap_err();
    let help = problems.0[0].help.as_deref().unwrap_or_default();
    assert!(help.ends_with("--set spec.workload.traces[0].jobTable=PATH"), "{help}");
}

#[test]
fn a_pool_that_no_bill_can_hold_is_refused() {
    let text = |price: &str| {
        minimal(&format!("prices: {{m5.2xlarge: {{onDemand: {price}, spot: 0.1}}}}"))
            .replace("maxSize: 10}", "maxSize: 1000000}")
    };
    assert!(load_text("small.yaml", &text("1")).is_ok());
    let ScenarioError::Invalid(problems) = load_text("small.yaml", &text("2")).unwrap_err();
    let text = problems.to_string();
    assert!(text.contains("1000000 nodes would cost $2000000 an hour"), "{text}");
}
