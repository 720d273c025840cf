//! `emit`: what is written reads back as the scenario, is valid in the eyes of others, and is the
//! same every time; a diff changes a user's own files and nothing else in them.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use planner::emit::{Kind, emit};
use scenarios::Loaded;
use serde_json::{Value, json};

/// Everything that can be written, under names that YAML and shells like to take for something
/// else.
const RICH: &str = r#"
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: "rich\nkind: Pod \e[2J\u2028 # é"}
spec:
  kubernetesVersion: "1.33"
  region: us-west-2
  workload: {traces: [{jobTable: "day\n\u0085.csv"}]}
  spark:
    version: "4.0"
    sparkConf:
      spark.executor.cores: "4"
      spark.executor.memory: 12g
      spark.executor.instances: "7"
      spark.kubernetes.namespace: jobs
      spark.kubernetes.container.image: "registry.example/spark:4"
      spark.kubernetes.scheduler.name: packing
      spark.app.note: "= no: 1:30 # \\ \tend"
      spark.executor.resource.gpu.amount: "1"
      spark.executor.resource.gpu.vendor: nvidia.com
    applications:
    - {application: "^no$", team: "1:30", sparkConf: {spark.executor.memory: 6g}}
    - {sparkConf: {spark.driver.cores: "2", spark.dynamicAllocation.enabled: "false"}}
    driverPodTemplate:
      metadata:
        labels: {on: "no", y: "1:30"}
        annotations: {a: "~", b: "0x1f", c: "1e3", d: "é: #"}
      spec:
        priority: 100
        overhead: {cpu: 250m, memory: 64Mi}
        tolerations: [{operator: Exists}]
        affinity:
          nodeAffinity:
            requiredDuringSchedulingIgnoredDuringExecution:
              nodeSelectorTerms:
              - matchExpressions: [{key: role, operator: In, values: ["on", "12"]}]
          podAntiAffinity:
            preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 5
              podAffinityTerm: {topologyKey: zone, labelSelector: {matchLabels: {a: b}}}
        topologySpreadConstraints:
        - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {}}
    executorPodTemplate:
      spec:
        priority: 50
        terminationGracePeriodSeconds: 90
        containers:
        - {name: spark, ports: [{containerPort: 7, hostPort: 7}]}
        - {name: logs, image: "logs:1", resources: {requests: {cpu: 50m, example.com/x: "2"}}}
        initContainers: [{name: init, image: "init:1", restartPolicy: Always}]
        volumes: [{name: scratch, emptyDir: {}}]
  nodes:
    pools:
    - name: drivers
      instanceTypes: [m5.2xlarge]
      minSize: 1
      maxSize: 20
      labels: {role: "12", odd: "on"}
      taints: [{key: spark, value: "no", effect: NoExecute}, {key: empty, effect: NoSchedule}]
    - name: spot
      capacityType: spot
      instanceTypes: [r5.2xlarge, r5a.2xlarge]
      allocationStrategy: capacity-optimized
      minSize: 0
      desiredSize: 3
      maxSize: 100
      maxPods: 40
      zones: [us-west-2b]
      volumeSize: 150500Mi
      scaleDownDisabled: true
      labels: {role: "on"}
  autoscaler:
    clusterAutoscaler:
      extraArgs:
        expander: priority,least-waste
        balancing-ignore-label: [a, "no"]
        max-nodes-total: 1000000
      priorities: {50: [".*spot.*"], -1: [".*", "0x1f"]}
  scheduler:
    profile:
      schedulerName: packing
      filtersDisabled: [NodePorts]
      hardPodAffinityWeight: 3
      podMaxBackoff: 20s
      addedAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms: [{matchExpressions: [{key: x, operator: Exists}]}]
      defaultConstraints: [{maxSkew: 2, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]
      scores:
      - {plugin: NodeResourcesFit, weight: 5, strategy: MostAllocated, cpu: 3, memory: 1}
      - {plugin: NodeResourcesBalancedAllocation, resources: [{name: cpu}, {name: nvidia.com/gpu}]}
      - {plugin: ImageLocality, weight: 2}
  retries: {preset: spark-operator}
  images:
    prePulled: true
    list: [{name: "logs:1", prePulled: true, layers: [{name: a, size: 1Gi}]}]
  overprovisioning:
    replicas: 3
    pod: {cpu: 500m, memory: 1Gi}
    podTemplate:
      metadata: {labels: {on: "off"}, namespace: warm}
      spec: {nodeSelector: {role: "on"}}
"#;

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/library")
}

/// A folder in the project's, so that traces and series are found from it.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

#[track_caller]
fn load(path: &Path, sets: &[&str]) -> Loaded {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    scenarios::load(path, &sets).unwrap_or_else(|error| panic!("{error}"))
}

/// Every scenario of the library, some of them changed, and one with everything.
pub(crate) fn scenarios_to_emit(folder: &Path) -> Vec<(String, Loaded)> {
    let rich = folder.join("rich.yaml");
    std::fs::write(&rich, RICH).unwrap();
    let mut all: Vec<(String, Loaded)> = Vec::new();
    for entry in std::fs::read_dir(library()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            all.push((path.file_stem().unwrap().to_string_lossy().into_owned(), load(&path, &[])));
        }
    }
    assert!(all.len() >= 9, "{}", all.len());
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let quickstart = library().join("quickstart.yaml");
    let changes: [&[&str]; 6] = [
        &[r"spec.spark.sparkConf.spark\.executor\.memory=5120m"],
        &[
            r"spec.spark.sparkConf.spark\.kubernetes\.executor\.limit\.cores=4",
            "spec.scheduler=null",
        ],
        &[r"spec.spark.sparkConf.spark\.kubernetes\.local\.dirs\.tmpfs=true"],
        &[r"spec.spark.sparkConf.spark\.shuffle\.service\.enabled=true", "spec.spark.version=3.2"],
        &[
            "spec.nodes.overrides={drivers: {minSize: 2, labels: {spark-role: 'no'}, maxPods: 30}}",
            "spec.retries.preset=double-cpus-then-memory",
        ],
        &["spec.autoscaler=null", "spec.kubernetesVersion='1.24'", "spec.scheduler=null"],
    ];
    for (place, sets) in changes.iter().enumerate() {
        all.push((format!("quickstart-{place}"), load(&quickstart, sets)));
    }
    all.push(("rich".to_owned(), load(&rich, &[])));
    all
}

pub(crate) fn emitted(loaded: &Loaded, folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    for file in emit(loaded, &BTreeSet::new(), folder, None).files {
        std::fs::write(folder.join(file.name), file.text).unwrap();
    }
}

/// The resolved form, without what has no meaning: the scenario's other names, where the files of
/// the traces are, and what the container is called that Spark fills in.
pub(crate) fn meaning(loaded: &Loaded) -> Value {
    let line = scenarios::one_line("resolved", &loaded.resolved).unwrap();
    let mut value: Value = serde_json::from_str(&line).unwrap();
    value["metadata"] = Value::Null;
    let spec = &mut value["spec"];
    spec["workload"]["traces"] = Value::Null;
    if spec["assumptions"]["spot"].get("series").is_some() {
        spec["assumptions"]["spot"]["series"] = json!("series");
    }
    for role in ["driver", "executor"] {
        let pod = spec["spark"][format!("{role}PodTemplate")]["spec"].as_object_mut().unwrap();
        let first = pod.get_mut("containers").and_then(|list| list.get_mut(0));
        if let Some(main) = first.and_then(Value::as_object_mut)
            && main.get("name") == Some(&json!(format!("spark-kubernetes-{role}")))
        {
            main.remove("name");
        }
        if pod.get("containers") == Some(&json!([{}])) {
            pod.remove("containers");
        }
    }
    value
}

#[test]
fn emitted_files_read_back_as_the_scenario() {
    let folder = folder();
    for (name, loaded) in scenarios_to_emit(folder.path()) {
        let target = folder.path().join(&name);
        emitted(&loaded, &target);
        let again = load(&target.join("scenario.yaml"), &[]);
        let (before, after) = (meaning(&loaded), meaning(&again));
        let keys = before["spec"].as_object().unwrap().keys();
        for key in keys {
            let (before, after) = (&before["spec"][key], &after["spec"][key]);
            assert_eq!(before, after, "{name}: spec.{key}: {before:#}\n{after:#}");
        }
        assert_eq!(before, after, "{name}");
        if name != "rich" {
            again.check_traces().unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}

#[test]
fn emitted_files_are_the_same_bytes_every_time_and_say_what_they_came_from() {
    let folder = folder();
    for (name, loaded) in scenarios_to_emit(folder.path()) {
        let once = emit(&loaded, &BTreeSet::new(), folder.path(), None);
        assert_eq!(once, emit(&loaded, &BTreeSet::new(), folder.path(), None), "{name}");
        for file in &once.files {
            let head: String = file.text.lines().take(3).collect();
            let said = match file.name.ends_with(".json") {
                true => file.text.contains("\"seatrial.resolved\": \"fnv1a:"),
                false => head.contains("resolved form fnv1a:") && head.contains("# Traces: "),
            };
            assert!(said, "{name}: {}", file.text);
            let escape = file.text.contains('\u{1b}') || file.text.contains('\u{2028}');
            assert!(!escape, "{name}: {}", file.text);
        }
        let kinds = BTreeSet::from([Kind::Eksctl, Kind::RetryLadder]);
        let names: Vec<&str> =
            emit(&loaded, &kinds, folder.path(), None).files.iter().map(|file| file.name).collect();
        assert_eq!(names, ["eksctl-cluster.yaml", "retry-ladder.yaml"], "{name}");
    }
}

/// The documents of every YAML file of a folder, as our own reader takes them.
fn as_we_read(folder: &Path) -> Value {
    let mut files = serde_json::Map::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let documents = text.split("\n---\n").map(|text| -> Value {
                let line = scenarios::one_line("document", text).unwrap();
                serde_json::from_str(&line).unwrap()
            });
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.insert(name, documents.collect());
        }
    }
    Value::Object(files)
}

/// Not through `eprintln`, which the harness keeps to itself where a test passes.
pub(crate) fn skipped(why: &str) {
    let line = format!("SKIPPED: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

#[test]
fn emitted_manifests_are_valid_for_other_readers() {
    let python = |arguments: &[&str]| Command::new("python3").args(arguments).output();
    let modules = "import yaml, jsonschema, kubernetes_validate";
    if !python(&["-c", modules]).is_ok_and(|output| output.status.success()) {
        skipped(
            "emitted manifests are not validated: no python3 with pyyaml, jsonschema and \
             kubernetes-validate (pip install them)",
        );
        return;
    }
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/schemas");
    if !schemas.is_dir() {
        skipped("SparkApplication and ClusterConfig are not validated: no ../shared/data/schemas");
    }
    let folder = folder();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/emit.py");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let mut kinds = BTreeSet::new();
    for (name, loaded) in scenarios_to_emit(folder.path()) {
        let target = folder.path().join(&name);
        emitted(&loaded, &target);
        let ours = folder.path().join(format!("{name}.json"));
        std::fs::write(&ours, as_we_read(&target).to_string()).unwrap();
        let release = format!("1.{}", loaded.scenario.kubernetes.minor.max(25));
        let paths = [&script, &target, &schemas, &ours].map(|path| text(path));
        let [script, target, schemas, ours] = paths.each_ref().map(String::as_str);
        let output = python(&[script, target, schemas, ours, &release]).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {stderr}");
        let said = String::from_utf8(output.stdout).unwrap();
        kinds.extend(said.split_whitespace().map(str::to_owned));
    }
    let mut expected = vec![
        "ClusterRoleBinding",
        "ConfigMap",
        "DaemonSet",
        "Deployment",
        "Pod",
        "PriorityClass",
        "Role",
        "RoleBinding",
        "RuntimeClass",
        "ServiceAccount",
    ];
    if schemas.is_dir() {
        expected.extend(["ClusterConfig", "EC2NodeClass", "NodePool", "SparkApplication"]);
    }
    let expected: BTreeSet<String> = expected.into_iter().map(str::to_owned).collect();
    assert_eq!(kinds, expected);
}

fn seatrial(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatrial"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().unwrap()
}

#[track_caller]
fn refused(arguments: &[&str], reason: &str) {
    let output = seatrial(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert!(stderr.contains(reason), "{arguments:?}: {stderr}");
}

#[test]
fn emit_on_the_command_line() {
    let folder = folder();
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    let quickstart = "scenarios/library/quickstart.yaml";
    refused(&["emit", quickstart], "--out");
    refused(&["emit", quickstart, "--out", out, "--only", "eksctll"], "spark-defaults");
    refused(&["emit", "none.yaml", "--out", out], "none.yaml");
    refused(&["emit", quickstart, "--out", out, "--set", "spec.region=5"], "region");
    assert!(!Path::new(out).exists());
    let output = seatrial(&["emit", quickstart, "--out", out, "--only", "eksctl,emr-job-run"]);
    assert_eq!(output.status.code(), Some(0));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("eksctl-cluster.yaml"), "{stdout}");
    // An earlier emit is replaced whole; what somebody put beside it is not.
    let output = seatrial(&["emit", quickstart, "--out", out]);
    assert_eq!(output.status.code(), Some(0));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("no second scheduler is written"), "{stderr}");
    std::fs::write(Path::new(out).join("notes.txt"), "mine").unwrap();
    refused(&["emit", quickstart, "--out", out], "not overwritten");
    assert_eq!(std::fs::read_to_string(Path::new(out).join("notes.txt")).unwrap(), "mine");
}

/// The library's quickstart with its files, as a user's own.
fn own(folder: &Path) -> PathBuf {
    let files = library().join("quickstart");
    std::fs::create_dir(folder.join("quickstart")).unwrap();
    for entry in std::fs::read_dir(files).unwrap() {
        let path = entry.unwrap().path();
        let target = folder.join("quickstart").join(path.file_name().unwrap());
        std::fs::copy(path, target).unwrap();
    }
    let scenario = folder.join("quickstart.yaml");
    std::fs::copy(library().join("quickstart.yaml"), &scenario).unwrap();
    scenario
}

#[test]
fn emit_diff_changes_the_values_of_own_files_and_nothing_else() {
    let folder = folder();
    let scenario = own(folder.path());
    let sets = [
        r"spec.spark.sparkConf.spark\.executor\.memory=8g",
        r"spec.spark.sparkConf.spark\.speculation=true",
        "spec.nodes.overrides.executors-spot={maxSize: 150, instanceTypes: [r5.4xlarge]}",
    ];
    let run = |sets: &[&str]| {
        let mut arguments = vec!["emit", "quickstart.yaml", "--diff"];
        sets.iter().for_each(|set| arguments.extend(["--set", set]));
        let mut command = Command::new(env!("CARGO_BIN_EXE_seatrial"));
        let output = command.current_dir(folder.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let [none, said] = run(&[]);
    assert!(none.is_empty() && said.contains("need no change"), "{none}{said}");
    let [diff, said] = run(&sets);
    let changed: Vec<&str> = diff.lines().filter(|line| line.starts_with(['+', '-'])).collect();
    assert_eq!(
        changed,
        [
            "--- quickstart/nodegroups.yaml",
            "+++ quickstart/nodegroups.yaml",
            "-  maxSize: 100",
            "+  maxSize: 150",
            "--- quickstart/spark-defaults.conf",
            "+++ quickstart/spark-defaults.conf",
            "-spark.executor.memory                                   6g",
            "+spark.executor.memory                                   8g",
            "+spark.speculation true",
        ]
    );
    assert!(said.contains("`executors-spot` has the instance types r5.4xlarge"), "{said}");
    let patch = Command::new("patch").current_dir(folder.path()).args(["--version"]).output();
    if !patch.is_ok_and(|output| output.status.success()) {
        skipped("the diff is not applied: no `patch`");
        return;
    }
    std::fs::write(folder.path().join("own.diff"), &diff).unwrap();
    let output = Command::new("patch")
        .current_dir(folder.path())
        .args(["-p0", "--fuzz=0", "-i", "own.diff"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{diff}{}", String::from_utf8_lossy(&output.stdout));
    // What could be changed in place is now in the files.
    let wanted = load(&scenario, &sets);
    let patched = load(&scenario, &sets[2..]);
    assert_eq!(meaning(&wanted), meaning(&patched));
    let plain = load(&scenario, &[]);
    assert_eq!(plain.scenario.pools[1].max_size, 150);
    let [left, _] = run(&sets);
    assert!(left.is_empty(), "{left}");
}
