//! The resolved scenario.

use super::{Loaded, loaded, minimal};

/// Everything but the notes about what was assumed.
#[track_caller]
pub(super) fn same_again(first: &Loaded) {
    let again = loaded(&first.resolved);
    assert_eq!(format!("{:#?}", first.scenario), format!("{:#?}", again.scenario));
    assert_eq!(first.resolved, again.resolved);
    assert_eq!(first.workload, again.workload);
    assert_eq!(first.plan, again.plan);
    let guesses = again.findings.iter().filter(|finding| finding.code == "assumption").count();
    assert_eq!(guesses, 0, "every value is explicit: {:#?}", again.findings);
}

#[test]
fn a_small_one() {
    same_again(&loaded(&minimal("")));
}

#[test]
fn one_with_everything() {
    let extra = r#"
kubernetesVersion: "1.33"
workload:
  traces: [{jobTable: day.csv}, {eventLogs: /data/secret/logs/}, {pods: p.csv}, {swf: x.swf}]
  scale: {arrivals: 1.5, input: 2, shufflePartitions: 400, cpuSpeed: 1.25}
  resample: {runsPerDay: 4000, days: 0.25}
  timezone: America/Los_Angeles
spark:
  version: "4.1"
  sparkConf:
    spark.executor.cores: 3
    spark.executor.memory: 10g
    spark.executor.memoryOverhead: 1500
    spark.executor.memoryOverheadFactor: 0.2
    spark.memory.offHeap.enabled: true
    spark.memory.offHeap.size: 100m
    spark.kubernetes.executor.request.cores: 2500m
    spark.kubernetes.resource.type: python
    spark.executor.pyspark.memory: 1g
    spark.dynamicAllocation.enabled: "true"
    spark.dynamicAllocation.initialExecutors: 3
    spark.dynamicAllocation.maxExecutors: 20
    spark.dynamicAllocation.executorAllocationRatio: 0.3
    spark.kubernetes.node.selector.disk: "on"
    spark.kubernetes.namespace: data
    spark.kubernetes.container.image: spark:3.5
    spark.executor.resource.gpu.amount: 1
    spark.executor.resource.gpu.vendor: nvidia.com
    spark.kubernetes.executor.podTemplateContainerName: main
    spark.kubernetes.local.dirs.tmpfs: true
    spark.kubernetes.executor.terminationGracePeriodSeconds: 90s
  driverPodTemplate:
    metadata: {labels: {app: "yes"}, annotations: {n: "1:30"}}
    spec:
      priority: 5
      nodeSelector: {eks.amazonaws.com/capacityType: ON_DEMAND}
      schedulerName: packer
  executorPodTemplate:
    spec:
      schedulerName: packer
      containers:
      - {name: log, resources: {requests: {cpu: 50m}, limits: {memory: 64Mi}}}
      - {name: main, ports: [{hostPort: 4040}]}
      initContainers: [{name: proxy, restartPolicy: Always, image: "mesh:1"}]
      overhead: {cpu: 10m}
      terminationGracePeriodSeconds: 50
      volumes: [{name: scratch, emptyDir: {}}]
      topologySpreadConstraints:
      - {maxSkew: 2, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway,
         labelSelector: {matchLabels: {app: "on"}}}
      tolerations:
      - {key: spot, operator: Equal, value: "true", effect: NoSchedule}
      - {operator: Exists}
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchExpressions: [{key: a, operator: In, values: ["1", b]}, {key: c, operator: Exists}]
          preferredDuringSchedulingIgnoredDuringExecution:
          - {weight: 50, preference: {matchExpressions: [{key: d, operator: Gt, values: ["3"]}]}}
autoscaler:
  clusterAutoscaler:
    extraArgs: {scan-interval: 1m, scale-down-unneeded-time: 5m, expander: "most-pods,price",
      max-nodes-total: 100, scale-down-utilization-threshold: 0.65, scale-down-enabled: false}
scheduler:
  profile:
    schedulerName: packer
    scores:
    - {plugin: NodeResourcesFit, weight: 25, strategy: RequestedToCapacityRatio, cpu: 2,
       shape: [{utilization: 0, score: 0}, {utilization: 100, score: 10}]}
    - {plugin: ImageLocality}
    - {plugin: NodeResourcesBalancedAllocation, resources: [{name: cpu}, {name: nvidia.com/gpu}]}
    filtersDisabled: [NodePorts, PodTopologySpread]
    ignoredResources: [vpc.amazonaws.com/pod-eni]
    ignoredResourceGroups: [smarter-devices]
    hardPodAffinityWeight: 7
    ignorePreferredTermsOfExistingPods: true
    addedAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: NotIn, values: [n1]}]}]
    defaultConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway}]
    percentageOfNodesToScore: 30
    podInitialBackoff: 2s
    podMaxBackoff: 1m
orchestrator:
  dependencies: ignore
  rules:
    - {application: "^daily-", critical: true, deadline: 2h}
    - {team: "ads|web", timeout: 90m}
  limits: [{team: ".*", concurrentRuns: 20}]
retries:
  criticalOnDemand: true
  ladder:
  - {when: [executor_oom], attemptsMax: 3, backoff: 90s, backoffFactor: 1.5, backoffMax: 1h,
     adjust: [{executorMemory: {factor: 1.25, max: 60Gi}}, {onDemand: true}]}
  - {when: [driver_oom, spot], attemptsMax: 2,
     adjust: [{driverMemory: {factor: 3, max: 1500M}}, {executorCount: {factor: 1.75, max: 100}}]}
  - {when: [transient], attemptsMax: 5, backoff: 5s, backoffStep: 5s,
     steps: [{adjust: [{taskCpus: 2}]}, {adjust: [{executorMemory: {factor: 2, max: 60Gi}}]}]}
  history:
  - {when: [executor_oom, driver_oom], within: 168h, sameRun: true, compounding: true,
     adjust: [{executorMemory: {factor: 1.5, max: 60Gi}}]}
  onDemandWhenRough: {retryShare: 0.05, within: 18m}
images:
  size: 3.2Gi
  prePulled: true
  serializeImagePulls: false
  maxParallelImagePulls: 3
  registryBytesPerSecond: 1G
  imageGCHighThresholdPercent: 70
  imageGCLowThresholdPercent: 60
  imageMinimumGCAge: 5m
  list:
  - {name: "spark:3.5", prePulled: false, layers: [{name: base, size: 1Gi}, {name: own, size: 10M}]}
  - {name: sidecar, size: 20M}
overprovisioning:
  replicas: 2
  pod: {cpu: "3", memory: 12Gi}
  priority: -20
  podTemplate: {spec: {tolerations: [{key: x, operator: Exists, effect: NoExecute}]}}
fees:
  emr: true
  controlPlane: extended
  storagePerGibHour: 0.0001
  crossZonePerGb: 0.013
  emrOnEc2: {share: 0.2}
  nat: {gateways: 3, imagePulls: true, inputShare: 0.25}
billing:
  commitments:
  - {name: ri, discount: 0.37, reservedInstances: {instanceType: m5.large, count: 4}}
  - {discount: 0.28, savingsPlan: {family: m5, perHour: 1.5}}
  - {discount: 0.17, savingsPlan: {perHour: 2}}
  discount: 0.05
  tax: 0.19
  sharedSplit: even
  timezone: Europe/Berlin
prices: {m5.2xlarge: {spot: 0.123456789}}
assumptions:
  nodeBoot: {distribution: lognormal, p50: 61s, p99: 2m30.5s}
  spot: {model: none}
  imagePullBytesPerSecond: 80M
  taskDurationCv: 0.7
  podTermination: 7s
  eventTtl: 30m
  etcdQuota: 2Gi
  imageDiskFactor: 1.5
  executorWarmUp: 500ms
  hostCores: 4
  localDisk: {hostPath: 2G, tmpfs: 3G}
  networkThroughput: 3G
  spillSlowdown: 0.5
  commitRename: 50ms
plan: {objective: cost, "no": [1, 2.5, null, true]}
"#;
    let first = loaded(&minimal(extra));
    same_again(&first);
    assert!(!first.resolved.contains("secret"));
    assert!(first.resolved.contains("eventLogs: logs"));
    let images = &first.scenario.images;
    assert_eq!((images.list.len(), images.max_parallel_pulls), (2, 3));
    assert!(!images.list[0].pre_pulled && images.list[1].pre_pulled);
    assert_eq!(first.scenario.fees.cross_zone_per_gb.as_nano(), 13_000_000);
    let billing = &first.scenario.billing;
    assert_eq!((billing.commitments.len(), billing.tax_ppm), (3, 190_000));
    assert_eq!(billing.commitments[1].name, "commitment 2");
    let executor = &first.scenario.spark.executor_template;
    assert_eq!(executor.node_selector["disk"], "on");
    assert_eq!(executor.tolerations.len(), 2);
    assert_eq!(
        (executor.main.name.as_str(), executor.containers[0].name.as_str()),
        ("main", "log")
    );
    assert_eq!(executor.main.requests.extended["nvidia.com/gpu"], 1);
    assert_eq!(executor.local_storage, ["scratch"]);
    let scheduler = &first.scenario.scheduler;
    assert_eq!(scheduler.filters_disabled, ["NodePorts", "PodTopologySpread"]);
    assert_eq!(scheduler.percentage_of_nodes_to_score, Some(30));
    assert_eq!(scheduler.pod_max_backoff.as_millis(), 60_000);
    assert_ne!(scheduler.added_affinity, Default::default());
    assert_eq!(first.scenario.overprovisioning.as_ref().unwrap().template.tolerations.len(), 1);
}

#[test]
fn every_release_and_preset() {
    for minor in 20..=36 {
        let version = format!("kubernetesVersion: \"1.{minor}\"\n");
        same_again(&loaded(&minimal(&format!("{version}autoscaler: {{clusterAutoscaler: {{}}}}"))));
    }
    for (preset, _) in crate::retries::PRESETS {
        same_again(&loaded(&minimal(&format!("retries: {{preset: {preset}}}"))));
    }
    for spark in ["3.0", "3.3", "3.4", "4.0", "4.2", "4.3"] {
        same_again(&loaded(&minimal(&format!("spark: {{version: \"{spark}\"}}"))));
    }
}

#[test]
fn the_same_bytes_every_time() {
    let text = minimal("retries: {preset: flotilla-2021}");
    assert_eq!(loaded(&text).resolved, loaded(&text).resolved);
}

#[test]
fn spot_models_and_series() {
    let spells =
        "shareTaken: 0.3, calmSigma: 2, tightHours: 0.7, tightSigma: 1, zoneCorrelation: 0.1";
    for spot in [
        format!("{{model: pool-shocks, meanHoursBetween: 7.5, {spells}}}"),
        format!("{{model: advisor, {spells}}}"),
        format!("{{model: advisor, series: advisor.json, format: advisor, {spells}}}"),
        "{model: recorded, series: /data/series.out, shareTaken: 0.4}".to_owned(),
    ] {
        let extra = format!(
            "assumptions:\n  spot: {spot}\n  spotPrices: {{series: prices, format: price-history}}\n  \
             rebalance: {{response: replace, recall: 0.5, precision: 0.4, leadMin: 5m, leadMax: 1h}}"
        );
        let first = loaded(&minimal(&extra));
        same_again(&first);
        let series = |loaded: &Loaded| {
            let series = loaded.spot_series.iter();
            series.map(|s| (s.purpose, s.format, s.share_taken)).collect::<Vec<_>>()
        };
        assert_eq!(series(&first), series(&loaded(&first.resolved)));
        assert!(!first.resolved.contains("/data"), "{}", first.resolved);
    }
}

#[test]
fn spot_settings_that_make_no_sense_are_refused() {
    let refused = |assumptions: &str| {
        let text = minimal(&format!("assumptions: {{{assumptions}}}"));
        match crate::file::load_text("small.yaml", &text) {
            Ok(_) => panic!("{assumptions} was taken"),
            Err(error) => error.to_string(),
        }
    };
    for (assumptions, part) in [
        ("spot: {model: recorded}", "series"),
        ("spot: {model: recorded, series: x, calmSigma: 1}", "no meaning for the model `recorded`"),
        ("spot: {series: x}", "no meaning for the model `pool-shocks`"),
        ("spot: {model: advisor, meanHoursBetween: 3}", "no meaning for the model `advisor`"),
        ("spot: {zoneCorelation: 0.4}", "zoneCorrelation"),
        ("rebalance: {leadMin: 2h, leadMax: 1h}", "`leadMax` 1h0m0s is below `leadMin` 2h0m0s"),
        ("spotPrices: {}", "series"),
    ] {
        let message = refused(assumptions);
        assert!(message.contains(part), "{assumptions}: {message}");
    }
}
