//! `import`: scenarios out of what people have, told by content; and what is no scenario.

use std::io::Write;

use serde_json::{Value, json};

use crate::command::{files, fine, folder, refused, write};

/// A cluster as `kubectl get nodes,pods,deploy -o json` prints it: three nodes of a spot group, one
/// of another, an autoscaler.
fn dump() -> Value {
    let node = |name: &str, group: &str, kind: &str, capacity: &str| {
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {
                "eks.amazonaws.com/nodegroup": group,
                "eks.amazonaws.com/capacityType": capacity,
                "node.kubernetes.io/instance-type": kind,
                "topology.kubernetes.io/zone": "us-west-2a",
                "topology.kubernetes.io/region": "us-west-2",
            }},
            "spec": {},
            "status": {
                "nodeInfo": {"kubeletVersion": "v1.33.1-eks-1"},
                "capacity": {"cpu": "4", "memory": "16Gi", "pods": "58"},
            },
        })
    };
    let autoscaler = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "cluster-autoscaler", "namespace": "kube-system"},
        "spec": {"template": {"spec": {"containers": [{
            "name": "cluster-autoscaler",
            "image": "registry.k8s.io/autoscaling/cluster-autoscaler:v1.33.0",
            "command": ["./cluster-autoscaler", "--expander=least-waste",
                        "--scale-down-unneeded-time=3m"],
        }]}}},
    });
    json!({"apiVersion": "v1", "kind": "List", "items": [
        node("a", "executors", "m5.xlarge", "SPOT"),
        node("b", "executors", "m5.xlarge", "SPOT"),
        node("c", "executors", "m5.xlarge", "SPOT"),
        node("d", "drivers\u{1b}[31m", "m5.large", "ON_DEMAND"),
        autoscaler,
    ]})
}

#[test]
fn a_cluster_and_its_files_become_a_scenario_that_runs() {
    let folder = folder();
    let here = folder.path();
    std::fs::create_dir(here.join("have")).unwrap();
    write(&here.join("have/dump.json"), &dump().to_string());
    // By content: names say nothing.
    write(&here.join("have/x1.txt"), "spark.executor.cores 4\nspark.executor.memory 9g\n");
    write(&here.join("have/README.md"), "# Not configuration\n");
    let said = fine(here, &["import", "have", "--out", "made", "-o", "json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    let used: Vec<&str> =
        said["found"].as_array().unwrap().iter().filter_map(|f| f["used"].as_str()).collect();
    assert!(used.iter().any(|used| used.contains("spec.nodes")), "{said}");
    assert!(used.iter().any(|used| used.contains("clusterAutoscaler")), "{said}");
    assert!(used.iter().any(|used| used.contains("spec.spark")), "{said}");
    let unknown = said["unknown"].to_string();
    assert!(unknown.contains("spec.workload.traces"), "{said}");
    assert!(said["ignored"].to_string().contains("README.md"), "{said}");
    let scenario = std::fs::read_to_string(here.join("made/scenario.yaml")).unwrap();
    assert!(!scenario.contains('\u{1b}') && scenario.contains('#'), "{scenario}");
    let trace = format!("spec.workload.traces=[{{jobTable: {}}}]", here.join("day.csv").display());
    fine(here, &["run", "made/scenario.yaml", "--set", &trace, "--out", "result"]);
    let resolved = std::fs::read_to_string(here.join("result/scenario.resolved.yaml")).unwrap();
    assert!(resolved.contains("scale-down-unneeded-time: 3m0s"), "{resolved}");
    assert!(resolved.contains("m5.xlarge") && resolved.contains("m5.large"), "{resolved}");
}

#[test]
fn what_makes_no_scenario_is_refused_and_leaves_nothing() {
    let folder = folder();
    let here = folder.path();
    write(&here.join("nodes.yaml"), "apiVersion: karpenter.sh/v1\nkind: NodePool\n");
    // Ten aliases of ten aliases, nine times over.
    let level = |n: u32| {
        let before = vec![format!("*a{}", n - 1); 10].join(", ");
        format!("a{n}: &a{n} [{before}]\n")
    };
    let bomb: String = (1..10).map(level).collect();
    write(&here.join("bomb.yaml"), &format!("kind: ClusterConfig\na0: &a0 [x]\n{bomb}"));
    write(&here.join("huge.yaml"), &"# much\n".repeat(3 << 20));
    write(&here.join("broken.json"), "{\"kind\": ");
    for given in ["nodes.yaml", "bomb.yaml", "huge.yaml", "broken.json", "missing.yaml", "day.csv"]
    {
        let said = refused(here, &["import", given, "--out", "made"]);
        assert!(!said.contains("panicked") && said.contains(given), "{given}: {said}");
    }
    assert!(refused(here, &["import", "huge.yaml", "--out", "made"]).contains("bytes"));
    // What is refused leaves no folder on the way either, and is told by the user's names.
    let pools = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: c, region: \
                 us-west-2}\nmanagedNodeGroups: [{name: a, instanceType: m5.lrge}]\n";
    write(&here.join("cluster.yaml"), pools);
    let said = refused(here, &["import", "cluster.yaml", "--out", "deep/er/made"]);
    assert!(said.contains("m5.lrge") && said.contains("deep/er/made"), "{said}");
    assert!(!said.contains("seatrial-import"), "{said}");
    let name = "a\u{1b}[2J\u{7}b.yaml";
    write(&here.join(name), "kind: [");
    let said = refused(here, &["import", name, "--out", "made"]);
    assert!(!said.contains('\u{1b}') && !said.contains('\u{7}'), "{said}");
    write(&here.join("spark.conf"), "spark.executor.cores 4\n");
    fine(here, &["import", "spark.conf", "--out", "made"]);
    let before = files(here);
    let said = refused(here, &["import", "spark.conf", "--out", "made"]);
    assert!(said.contains("there already"), "{said}");
    assert_eq!(files(here), before);
}

#[test]
fn published_configurations_become_scenarios() {
    let shared =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/native-configs");
    if !shared.is_dir() {
        let why = "SKIPPED: published configurations are not imported: no ../shared";
        writeln!(std::io::stderr(), "{why}").unwrap();
        return;
    }
    let folder = folder();
    let here = folder.path();
    for kind in
        ["cluster-autoscaler", "eksctl", "kube-scheduler", "pod-templates", "spark-operator"]
    {
        let given = shared.join(kind).display().to_string();
        let said = fine(here, &["import", &given, "--out", kind]);
        assert!(said.contains("What no file says"), "{kind}: {said}");
    }
    let given = shared.join("karpenter").display().to_string();
    let said = fine(here, &["import", &given, "--out", "karpenter"]);
    assert!(said.contains("spec.autoscaler.karpenter.manifests"), "{said}");
    // Published examples are all called the same.
    assert!(said.contains("EC2NodeClass `default` once more"), "{said}");
    assert!(said.contains("What no file says"), "{said}");
}
