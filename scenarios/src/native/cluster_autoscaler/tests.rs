//! Flags by release, right and wrong, and the recorded files where they are there.

use sim::Finding;
use sim::scenario::{ClusterAutoscaler, Expander};
use sim::units::SimDuration;

use super::*;
use crate::problem::Problem;

const fn release(minor: u32) -> KubernetesVersion {
    KubernetesVersion { major: 1, minor }
}

fn applied(flags: &AutoscalerFlags, minor: u32) -> (ClusterAutoscaler, Vec<Problem>, Vec<Finding>) {
    let mut autoscaler = ClusterAutoscaler::default_of(release(minor));
    let (problems, findings) = flags.apply(release(minor), &mut autoscaler);
    (autoscaler, problems, findings)
}

/// Lines of problems (with help) and findings of `extraArgs`.
#[track_caller]
fn check(extra_args: &str, minor: u32, expected: &[&str]) {
    let text = format!("extraArgs:\n{extra_args}");
    let read = read_helm_values("values.yaml", &text);
    let (_, problems, findings) = applied(&read.value, minor);
    let problems = read.problems.iter().chain(&problems).map(|p| {
        let help = p.help.as_deref().map_or(String::new(), |h| format!(" ({h})"));
        format!("{}:{} {}{help}", p.line, p.column, p.message)
    });
    let findings = findings.iter().map(|f| format!("{} {}", f.code, f.message));
    assert_eq!(problems.chain(findings).collect::<Vec<_>>(), expected);
}

#[test]
fn every_modelled_flag_arrives() {
    let text = "extraArgs:\n  scan-interval: 1m\n  scale-down-enabled: \"true\"\n  \
                scale-down-unneeded-time: 5m\n  scale-down-delay-after-add: 90s\n  \
                scale-down-delay-after-delete: 10s\n  scale-down-utilization-threshold: 0.65\n  \
                max-scale-down-parallelism: 20\n  node-delete-delay-after-taint: 0s\n  \
                ignore-daemonsets-utilization: true\n  max-node-provision-time: 5m\n  \
                max-nodes-total: 400\n  max-nodes-per-scaleup: 50\n  new-pod-scale-up-delay: 3s\n  \
                expander: least-waste,most-pods\n  expendable-pods-priority-cutoff: -20\n  \
                v: 4\n  leader-elect: true\n  logtostderr:\n";
    let read = read_helm_values("values.yaml", text);
    assert_eq!(read.problems, []);
    let (autoscaler, problems, findings) = applied(&read.value, 33);
    assert_eq!((problems, findings), (vec![], vec![]));
    let expected = ClusterAutoscaler {
        scan_interval: SimDuration::minutes(1),
        scale_down_enabled: true,
        scale_down_unneeded_time: SimDuration::minutes(5),
        scale_down_delay_after_add: SimDuration::seconds(90),
        scale_down_delay_after_delete: SimDuration::seconds(10),
        scale_down_utilization_threshold: 0.65,
        max_scale_down_parallelism: 20,
        node_delete_delay_after_taint: SimDuration::ZERO,
        ignore_daemonsets_utilization: true,
        max_node_provision_time: SimDuration::minutes(5),
        max_nodes_total: Some(400),
        max_nodes_per_scaleup: 50,
        new_pod_scale_up_delay: SimDuration::seconds(3),
        expander: vec![Expander::LeastWaste, Expander::MostPods],
        expendable_pods_priority_cutoff: -20,
        ..ClusterAutoscaler::default_of(KubernetesVersion { major: 1, minor: 33 })
    };
    assert_eq!(autoscaler, expected);
}

#[test]
fn flags_belong_to_releases() {
    let bulk = "  max-empty-bulk-delete: 30\n";
    check(bulk, 24, &[]);
    check(
        bulk,
        34,
        &["2:26 Cluster Autoscaler 1.34 has no flag `max-empty-bulk-delete` (it exists in \
           releases 1.18 to 1.32; use `max-scale-down-parallelism`)"],
    );
    check(
        "  max-drain-parallelism: 3\n",
        24,
        &["2:26 Cluster Autoscaler 1.24 has no flag `max-drain-parallelism` (it exists in \
           releases since 1.26)"],
    );
    check(
        "  scale-down-uneeded-time: 5m\n",
        33,
        &["2:28 Cluster Autoscaler 1.33 has no flag `scale-down-uneeded-time` (did you mean \
           `scale-down-unneeded-time`?)"],
    );
}

#[test]
fn wrong_values_are_problems_also_where_not_modelled() {
    check(
        "  scan-interval: 10\n  scale-down-enabled: maybe\n  max-nodes-total: -1\n  \
         scale-down-utilization-threshold: 50\n  skip-nodes-with-system-pods: 2\n  \
         expander: least-wast,random,random\n  max-node-provision-time: 0s\n  \
         max-nodes-per-scaleup:\n",
        33,
        &[
            "2:18 `10` is no value of flag `scan-interval` (a duration with its unit, such as \
             90s, 5m or 1h30m)",
            "3:23 `maybe` is no value of flag `scale-down-enabled` (`true` or `false`)",
            "4:20 `-1` is no value of flag `max-nodes-total` (a whole number of at least 0)",
            "5:37 `50` is no value of flag `scale-down-utilization-threshold` (a share from 0 to \
             1)",
            "6:32 `2` is no value of flag `skip-nodes-with-system-pods` (`true` or `false`)",
            "7:13 unknown expander `least-wast` (did you mean `least-waste`?)",
            "7:13 expander `random` is named twice; upstream refuses that",
            "8:28 `0s` is no value of flag `max-node-provision-time` (a duration above zero, \
             such as 10s)",
            "9:24 flag `max-nodes-per-scaleup` needs a value",
        ],
    );
}

#[test]
fn what_is_not_followed_is_named() {
    check(
        "  skip-nodes-with-system-pods: false\n  ignore-taint_1: a\n  \
         ignore-taint_2: b\n  expander: grpc\n  cloud-provider: aws\n",
        33,
        &[
            "not-modelled `skip-nodes-with-system-pods` was read and is not modelled",
            "not-modelled `ignore-taint` was read and is not modelled",
            "not-modelled `ignore-taint` was read and is not modelled",
            "not-modelled expander `grpc` is not modelled: it is left out",
        ],
    );
    let text = "autoscalingGroups:\n- {name: a, minSize: 1, maxSize: 4}\n\
                expanderPriorities: {50: [\".*spot.*\"]}\nextraArg: {}\nnodeSelector: {a: b}\n";
    let read = read_helm_values("v.yaml", text);
    assert_eq!(read.problems, []);
    let codes: Vec<_> = read.not_modelled.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(codes, ["unknown key `extraArg` is ignored; did you mean `extraArgs`?"]);
    let (autoscaler, ..) = applied(&read.value, 33);
    assert_eq!(autoscaler.priorities[0].0, 50);
    assert!(autoscaler.priorities[0].1[0].matches("a-spot-group"));
    assert_eq!((read.value.groups[0].min, read.value.groups[0].max), (1, 4));
}

#[test]
fn every_modelled_flag_has_the_type_that_it_is_read_as() {
    for minor in 20..=36 {
        for name in flag_table::MODELLED {
            let facts = flag_table::find(name).unwrap();
            if !facts.is_in(release(minor)) {
                continue;
            }
            let value = match facts.kind {
                flag_table::FlagType::Bool => "true",
                flag_table::FlagType::Duration => "7s",
                flag_table::FlagType::Float => "0.7",
                flag_table::FlagType::Int => "7",
                _ if name == "gpu-total" => "nvidia.com/gpu:0:7",
                _ if name.ends_with("-total") => "0:7",
                _ => "least-waste",
            };
            check(&format!("  {name}: {value}\n"), minor, &[]);
        }
    }
}

#[test]
fn values_within_other_files() {
    let values = "extraArgs: {scan-interval: 42s}";
    for text in [
        format!("cluster-autoscaler:\n  {values}\n"),
        format!("kind: HelmRelease\nspec:\n  values:\n    {values}\n"),
        format!("spec: {{source: {{helm: {{valuesObject: {{{values}}}}}}}}}"),
    ] {
        let read = read_helm_values("v.yaml", &text);
        assert_eq!((read.problems, read.not_modelled), (vec![], vec![]));
        let (autoscaler, ..) = applied(&read.value, 33);
        assert_eq!(autoscaler.scan_interval, SimDuration::seconds(42), "{text}");
    }
}

#[test]
fn command_lines() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      \
                containers:\n      - {name: sidecar, image: x}\n      - image: \
                r.io/cluster-autoscaler:v1.30.2\n        command: [./cluster-autoscaler, --v=4, \
                --scan-interval, 30s]\n        args: [--scale_down_enabled=false, \
                --ignore-daemonsets-utilization, --expander=random]\n";
    let read = read_manifest("ca.yaml", text);
    assert_eq!(read.problems, []);
    let (autoscaler, problems, findings) = applied(&read.value, 33);
    assert_eq!(problems, []);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].code, "autoscaler-version");
    assert_eq!(autoscaler.scan_interval, SimDuration::seconds(30));
    assert!(!autoscaler.scale_down_enabled && autoscaler.ignore_daemonsets_utilization);
    assert_eq!(autoscaler.expander, [Expander::Random]);
}

#[test]
fn hostile_texts_end_in_problems() {
    for text in ["[1]", "extraArgs: 3", "extraArgs: {scan-interval: {a: b}}", "extraArgs: {_x: 1}"]
    {
        assert_ne!(read_helm_values("v.yaml", text).problems.len(), 0, "{text}");
    }
    for text in ["", "kind: Deployment", "kind: Pod\nspec: {containers: 3}", "\0"] {
        assert_ne!(read_manifest("m.yaml", text).problems.len(), 0, "{text}");
    }
    let many: String = (0..5_000).map(|i| format!("  flag-{i}: x\n")).collect();
    let read = read_helm_values("v.yaml", &format!("extraArgs:\n{many}"));
    assert_eq!(read.value.iter().count(), FLAGS_MAX);
    let (_, problems, _) = applied(&read.value, 33);
    assert_eq!(problems[0].message, "more than 1000 flags; the rest is not read");
}

#[test]
fn recorded_files_load() {
    let folder =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/native-configs/cluster-autoscaler");
    let file = |name: &str| std::fs::read_to_string(format!("{folder}/{name}"));
    let (Ok(helm), Ok(manifest)) = (file("helm-values.yaml"), file("aws-autodiscover.yaml")) else {
        eprintln!("skipped: no {folder}");
        return;
    };
    let helm = read_helm_values("helm-values.yaml", &helm);
    assert_eq!((helm.problems, helm.not_modelled), (vec![], vec![]));
    assert_eq!(applied(&helm.value, 36).1, []);
    let manifest = read_manifest("aws-autodiscover.yaml", &manifest);
    assert_eq!(manifest.problems, []);
    let (autoscaler, problems, findings) = applied(&manifest.value, 32);
    assert_eq!(problems, []);
    assert_eq!(findings, [], "every flag of it is modelled");
    assert!(!autoscaler.skip_nodes_with_local_storage);
    assert_eq!(autoscaler.expander, [Expander::LeastWaste]);
}

#[test]
fn limits_backoff_and_balancing_are_read() {
    let text = "extraArgs:\n  cores-total: 8:320\n  memory-total: 0:1024\n  gpu-total: [a:0:4, b:1:2]\n  \
                balancing-ignore-label_1: a\n  balancing-ignore-label_2: b\n  \
                initial-node-group-backoff-duration: 1m\n  max-drain-parallelism: 3\n  \
                balance-similar-node-groups: true\n  memory-difference-ratio: 0.1\n  \
                expander: priority,least-waste\n";
    let read = read_helm_values("values.yaml", text);
    let (autoscaler, problems, findings) = applied(&read.value, 33);
    assert_eq!((problems, findings), (vec![], vec![]));
    assert_eq!((autoscaler.cores_total.min, autoscaler.cores_total.max), (8, 320));
    assert_eq!(autoscaler.gpu_total.map(|limit| (limit.min, limit.max)), Some((1, 6)));
    assert_eq!(autoscaler.balancing_ignore_labels, ["a", "b"]);
    assert_eq!(autoscaler.initial_node_group_backoff_duration, SimDuration::minutes(1));
    assert_eq!(autoscaler.max_drain_parallelism, 3);
    assert_eq!(autoscaler.expander, [Expander::Priority, Expander::LeastWaste]);
    let (_, problems, _) =
        applied(&read_helm_values("v", "extraArgs: {cores-total: 9:8, memory-total: 5}").value, 33);
    let problems: Vec<String> = problems.iter().map(|p| p.message.clone()).collect();
    assert_eq!(
        problems,
        ["`9:8` is no value of flag `cores-total`", "`5` is no value of flag `memory-total`"]
    );
    let read = read_helm_values("v", "expanderPriorities: {high: [a], 10: ['*spot']}");
    let problems: Vec<String> = read.problems.iter().map(|p| p.message.clone()).collect();
    assert_eq!(
        problems,
        [
            "`high` is no priority",
            "`*spot` is no pattern of group names: repetition operator missing expression"
        ]
    );
}
