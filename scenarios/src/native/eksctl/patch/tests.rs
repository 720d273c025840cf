//! Patched files read as the scenario's pools, and keep the rest.

use super::*;

const SCENARIO: &str = "\
apiVersion: seatrial/v1alpha1
kind: Scenario
spec:
  kubernetesVersion: \"1.30\"
  region: us-west-2
  nodes:
    pools:
    - name: a
      capacityType: spot
      instanceTypes: [m5.2xlarge]
      minSize: 1
      desiredSize: 3
      maxSize: 9
      volumeSize: 120Gi
      labels: {role: \"on\"}
";

fn scenario(changes: &str) -> Scenario {
    let text = format!("{SCENARIO}{changes}");
    crate::load_text("test", &text).expect("the scenario is right").scenario
}

#[track_caller]
fn check(groups: &str, changes: &str, expected: &str, notes: &[&str]) {
    let head = "kind: ClusterConfig\nmetadata: {name: c, region: us-west-2, version: \"1.30\"}\n";
    let text = format!("{head}managedNodeGroups:\n{groups}");
    let scenario = scenario(changes);
    let (patch, found) = patch("own.yaml", &text, &scenario);
    assert_eq!(patch.apply(&text), format!("{head}managedNodeGroups:\n{expected}"));
    let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages, notes);
}

#[test]
fn scalars_change_in_their_places_and_missing_ones_come() {
    check(
        "# ours\n- name: a # the group\n  instanceType: m5.large # small\n  spot: false\n  \
         minSize: 0\n  maxSize: 5\n  labels: {role: driver}\n  tags: {x: y}\n",
        "",
        "# ours\n- name: a # the group\n  desiredCapacity: 3\n  volumeSize: 120\n  \
         instanceType: m5.2xlarge # small\n  spot: true\n  minSize: 1\n  maxSize: 9\n  \
         labels: {role: \"on\"}\n  tags: {x: y}\n",
        &[],
    );
}

#[test]
fn a_file_that_says_the_same_stays() {
    let same = "- {name: a, instanceTypes: [m5.2xlarge], spot: true, minSize: 1,\n   \
                desiredCapacity: 3, maxSize: 9, volumeSize: 120, labels: {role: \"on\"}}\n";
    check(same, "", same, &[]);
}

#[test]
fn flow_maps_and_lists() {
    check(
        "- {name: a, instanceTypes: ['m5.large'], spot: true, minSize: 1, maxSize: 9, \
         volumeSize: 120, labels: {role: \"on\"}}\n",
        "",
        "- {desiredCapacity: 3, name: a, instanceTypes: [m5.2xlarge], spot: true, minSize: 1, \
         maxSize: 9, volumeSize: 120, labels: {role: \"on\"}}\n",
        &[],
    );
}

#[test]
fn a_scalar_comes_before_a_list() {
    let text = "kind: ClusterConfig\nmanagedNodeGroups:\n- instanceTypes:\n  - m5.2xlarge\n  \
                name: a\n  spot: true\n  minSize: 1\n  maxSize: 9\n  volumeSize: 120\n  \
                labels: {role: 'on'}\n";
    let (patch, notes) = patch("own.yaml", text, &scenario(""));
    assert_eq!(notes, []);
    let diff = "--- own.yaml\n+++ own.yaml\n@@ -1,6 +1,7 @@\n kind: ClusterConfig\n \
                managedNodeGroups:\n-- instanceTypes:\n+- desiredCapacity: 3\n+  \
                instanceTypes:\n   - m5.2xlarge\n   name: a\n   spot: true\n";
    assert_eq!(patch.unified("own.yaml", text), diff);
}

#[test]
fn one_type_becomes_several() {
    check(
        "- name: a\n  instanceType: m5.2xlarge\n  spot: true\n  minSize: 1\n  \
         desiredCapacity: 3\n  maxSize: 9\n  volumeSize: 120\n  labels: {role: \"on\"}\n",
        "    overrides: {a: {instanceTypes: [m5.2xlarge, m5a.2xlarge]}}\n",
        "- name: a\n  instanceTypes: [m5.2xlarge, m5a.2xlarge]\n  spot: true\n  minSize: 1\n  \
         desiredCapacity: 3\n  maxSize: 9\n  volumeSize: 120\n  labels: {role: \"on\"}\n",
        &[],
    );
}

#[test]
fn what_cannot_be_changed_in_place_is_said() {
    let group = "- name: a\n  instanceTypes: [m5.2xlarge, m5a.2xlarge]\n  spot: true\n  \
                 minSize: &n 2\n  desiredCapacity: 3\n  maxSize: 9\n  volumeSize: *n\n  \
                 labels: {role: \"on\", old: x}\n";
    check(
        group,
        "      taints: [{key: k, effect: NoSchedule}]\n    - name: b\n      \
         instanceTypes: [m5.large]\n      maxSize: 1\n",
        group,
        &[
            "the value here becomes 1: it is shared, or no plain scalar; it cannot be changed in \
             place",
            "the value here becomes 120: it is shared, or no plain scalar; it cannot be changed in \
             place",
            "`a` has the instance types m5.2xlarge; it cannot be changed in place",
            "`a` loses the label `old`; it cannot be changed in place",
            "`a` has taints of the scenario's own; it cannot be changed in place",
            "pool `b` is not in the file: add it; it cannot be changed in place",
        ],
    );
}
