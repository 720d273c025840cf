//! Any template reads back as it was.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use sim::scenario::{LabelOperator, TaintEffect, TolerationOperator};
use sim::units::{Bytes, MilliCores, SimDuration};

use super::*;
use crate::native::pod_template;

/// Keys and values of labels, as YAML likes to take them for something else.
fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9.-]{0,12}[a-z0-9]",
        Just("on".to_owned()),
        Just("null".to_owned()),
        Just("1e3".to_owned()),
        Just("0x1f".to_owned()),
    ]
}

/// Any names.
pub(crate) fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9./-]{0,12}[a-z0-9]",
        Just("on".to_owned()),
        Just("1:30".to_owned()),
        Just("0x1f".to_owned()),
        Just("null".to_owned()),
        Just("é: #".to_owned()),
    ]
}

fn requirement(node: bool) -> impl Strategy<Value = LabelRequirement> {
    let operators = [
        LabelOperator::In,
        LabelOperator::NotIn,
        LabelOperator::Exists,
        LabelOperator::DoesNotExist,
        LabelOperator::Gt,
        LabelOperator::Lt,
    ];
    let count: usize = if node { 6 } else { 4 };
    (label(), 0..count, vec(label(), 1..4), any::<i32>()).prop_map(
        move |(key, operator, values, bound)| {
            let operator = operators[operator];
            let values = match operator {
                LabelOperator::In | LabelOperator::NotIn => values,
                LabelOperator::Exists | LabelOperator::DoesNotExist => Vec::new(),
                LabelOperator::Gt | LabelOperator::Lt => vec![bound.to_string()],
            };
            LabelRequirement { key, operator, values }
        },
    )
}

fn selector() -> impl Strategy<Value = LabelSelector> {
    vec(requirement(false), 0..3).prop_map(|requirements| LabelSelector { requirements })
}

pub(crate) fn node_term() -> impl Strategy<Value = NodeSelectorTerm> {
    let field = |value| LabelRequirement {
        key: "metadata.name".to_owned(),
        operator: LabelOperator::NotIn,
        values: vec![value],
    };
    let fields = vec(name().prop_map(field), 0..2);
    (fields, vec(requirement(true), 0..3)).prop_map(|(match_fields, match_expressions)| {
        NodeSelectorTerm { match_fields, match_expressions }
    })
}

fn pod_term() -> impl Strategy<Value = PodAffinityTerm> {
    let keys = (option::of(selector()), vec(label(), 0..2), vec(label(), 0..2));
    (keys, vec(name(), 0..2), option::of(selector()), label()).prop_map(
        |((label_selector, matching, other), namespaces, namespace_selector, topology_key)| {
            let keys = |keys: Vec<String>| if label_selector.is_some() { keys } else { Vec::new() };
            let match_label_keys = keys(matching);
            let mut mismatch_label_keys = keys(other);
            mismatch_label_keys.retain(|key| !match_label_keys.contains(key));
            PodAffinityTerm {
                namespaces,
                namespace_selector,
                topology_key,
                match_label_keys,
                mismatch_label_keys,
                label_selector,
            }
        },
    )
}

fn pod_affinity() -> impl Strategy<Value = PodAffinity> {
    (vec(pod_term(), 0..3), vec((1_i64..=100, pod_term()), 0..3))
        .prop_map(|(required, preferred)| PodAffinity { required, preferred })
}

pub(crate) fn constraint() -> impl Strategy<Value = TopologySpreadConstraint> {
    let policy = |honor| {
        if honor { NodeInclusionPolicy::Honor } else { NodeInclusionPolicy::Ignore }
    };
    let rest = (option::of(selector()), option::of(1_u32..9), any::<[bool; 3]>());
    (1_u32..9, label(), rest).prop_map(move |(max_skew, topology_key, rest)| {
        let (label_selector, min_domains, [hard, affinity, taints]) = rest;
        TopologySpreadConstraint {
            max_skew,
            topology_key,
            when_unsatisfiable: if hard {
                WhenUnsatisfiable::DoNotSchedule
            } else {
                WhenUnsatisfiable::ScheduleAnyway
            },
            match_label_keys: label_selector.iter().map(|_| "only-here".to_owned()).collect(),
            label_selector,
            min_domains: min_domains.filter(|_| hard),
            node_affinity_policy: policy(affinity),
            node_taints_policy: policy(taints),
        }
    })
}

fn toleration() -> impl Strategy<Value = Toleration> {
    let effects = [
        None,
        Some(TaintEffect::NoSchedule),
        Some(TaintEffect::PreferNoSchedule),
        Some(TaintEffect::NoExecute),
    ];
    (name(), name(), 0..3, 0..4_usize).prop_map(move |(key, value, kind, effect)| {
        let effect = effects[effect];
        let (operator, empty) = (TolerationOperator::Exists, String::new());
        match kind {
            0 => Toleration { key, operator: TolerationOperator::Equal, value, effect },
            1 => Toleration { key, operator, value: empty, effect },
            _ => Toleration { key: empty.clone(), operator, value: empty, effect },
        }
    })
}

fn amounts() -> impl Strategy<Value = ResourceList> {
    let cpu = option::of((0_u64..1_000_000).prop_map(MilliCores::new));
    let bytes = || option::of((0_u64..1 << 45).prop_map(Bytes::new));
    let names = prop_oneof![Just("nvidia.com/gpu"), Just("hugepages-2Mi"), Just("a.b/c")];
    (cpu, bytes(), bytes(), btree_map(names.prop_map(str::to_owned), 0_u64..1_000_000, 0..3))
        .prop_map(|(cpu, memory, ephemeral_storage, extended)| ResourceList {
            cpu,
            memory,
            ephemeral_storage,
            extended,
        })
}

fn some_container() -> impl Strategy<Value = Container> {
    let protocol = prop_oneof![Just("TCP"), Just("UDP"), Just("SCTP")].prop_map(str::to_owned);
    let address = prop_oneof![Just(String::new()), Just("10.0.0.1".to_owned())];
    let port = (1_u16.., protocol, address).prop_map(|(port, protocol, host_ip)| HostPort {
        port,
        protocol,
        host_ip,
    });
    (option::of(name()), amounts(), any::<bool>(), vec(port, 0..3)).prop_map(
        |(image, requests, restart_always, host_ports)| Container {
            name: String::new(),
            image,
            requests,
            restart_always,
            host_ports,
        },
    )
}

prop_compose! {
    fn placement_rules()(
        selector in btree_map(name(), name(), 0..3),
        required in vec(node_term(), 0..3),
        preferred in vec((1_i64..=100, node_term()), 0..3),
        pods in (pod_affinity(), pod_affinity()),
        spread in vec(constraint(), 0..3),
        tolerations in vec(toleration(), 0..3),
        priority in any::<i32>().prop_filter("allowed", |priority| *priority <= 2_000_001_000),
        names in (option::of(name()), option::of(name())),
    ) -> PodTemplate {
        let preferred = preferred.into_iter();
        let mut topology_spread: Vec<TopologySpreadConstraint> = Vec::new();
        for one in spread {
            let same = |other: &TopologySpreadConstraint| other.topology_key == one.topology_key;
            if !topology_spread.iter().any(same) {
                topology_spread.push(one);
            }
        }
        PodTemplate {
            node_selector: selector,
            required_node_affinity: required,
            preferred_node_affinity:
                preferred.map(|(weight, term)| PreferredTerm { weight, term }).collect(),
            pod_affinity: pods.0,
            pod_anti_affinity: pods.1,
            topology_spread,
            tolerations,
            priority,
            node_name: names.0,
            scheduler_name: names.1,
            ..PodTemplate::default()
        }
    }
}

prop_compose! {
    fn template()(
        rules in placement_rules(),
        metadata in (name(), btree_map(name(), name(), 0..3), btree_map(name(), name(), 0..3)),
        main in some_container(),
        others in vec(some_container(), 0..3),
        init in vec(some_container(), 0..3),
        overhead in amounts(),
        volumes in (0..3_usize, vec(name(), 0..2)),
        grace in option::of(0_u64..10_000),
    ) -> PodTemplate {
        // Names are unique, only init containers are sidecars, and Spark says its container's CPU
        // and memory.
        let named = |(place, container): (usize, Container), prefix: &str| {
            let restart_always = container.restart_always && prefix == "init";
            Container { name: format!("{prefix}-{place}"), restart_always, ..container }
        };
        let requests = ResourceList { cpu: None, memory: None, ..main.requests };
        PodTemplate {
            namespace: metadata.0,
            labels: metadata.1,
            annotations: metadata.2,
            main: Container { requests, restart_always: false, ..main },
            containers: others.into_iter().enumerate().map(|c| named(c, "other")).collect(),
            init_containers: init.into_iter().enumerate().map(|c| named(c, "init")).collect(),
            overhead,
            local_storage: (0..volumes.0).map(|place| format!("v{place}")).collect(),
            image_volumes: volumes.1,
            termination_grace: grace.map(SimDuration::seconds),
            ..rules
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_template_reads_back(template in template()) {
        let text = serde_saphyr::to_string(&value(&template)).expect("JSON can be YAML");
        let read = pod_template::read("again.yaml", &text, None);
        prop_assert_eq!(&read.problems, &vec![], "{}", text);
        prop_assert_eq!(&read.not_modelled, &vec![], "{}", text);
        prop_assert_eq!(&read.value, &template, "{}", text);
        let json = pod_template::read("again.json", &value(&template).to_string(), None);
        prop_assert_eq!(json.value, template);
    }
}

#[test]
fn an_empty_template_has_no_containers() {
    let template = PodTemplate::default();
    let value = value(&template);
    assert_eq!(value["spec"], json!({ "priority": 0 }));
    assert_eq!(pod_template::read("t", &value.to_string(), None).value, template);
}
