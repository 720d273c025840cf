//! Labels of nodes that follow from the instance type, by which NodePools and pods choose.
//!
//! Derived from the catalogue's row and from AWS' naming (`m6id.2xlarge`: category m, generation 6,
//! family m6id, size 2xlarge). Left out, so that nobody can judge them here: bandwidth to EBS,
//! encryption in transit, accelerators that are no GPUs, memory of GPUs, ids of zones.
//!
//! Source: aws/karpenter-provider-aws `pkg/providers/instancetype/types.go` (which labels there
//! are), the page on NodePools; makers of processors, hypervisors and GPUs: AWS' pages on instance
//! types.

use std::collections::BTreeMap;

use sim::scenario::LabelRequirement;
use sim::units::Bytes;

use super::Entry;

const PREFIX: &str = "karpenter.k8s.aws/instance-";

/// Labels that a type without them has not: their absence is known.
const ABSENT: [&str; 6] =
    ["gpu-count", "gpu-name", "gpu-manufacturer", "local-nvme", "hypervisor", "generation"];

/// Families below the Nitro system. Source: AWS, "Instances built on the Nitro System".
const XEN: [&str; 25] = [
    "c1", "c3", "c4", "cc2", "cr1", "d2", "f1", "g2", "g3", "g3s", "h1", "hs1", "i2", "i3", "m1",
    "m2", "m3", "m4", "p2", "p3", "r3", "r4", "t1", "t2", "x1",
];

/// Families of accelerators whose processors are AMD's though their names do not say so.
const AMD: [&str; 11] =
    ["g5", "g6", "g6e", "g6f", "gr6", "gr6f", "p5", "inf2", "f2", "g4ad", "hpc6a"];

/// Families whose processors their names do not say, and of which we are not sure.
const UNSURE: [&str; 9] = ["p5e", "p5en", "p6", "g7", "g7e", "trn2", "trn3", "dl2q", "u7i"];

const GPUS: [(&str, &str); 19] = [
    ("g3", "m60"),
    ("g3s", "m60"),
    ("g4dn", "t4"),
    ("g4ad", "radeon-pro-v520"),
    ("g5", "a10g"),
    ("g5g", "t4g"),
    ("g6", "l4"),
    ("gr6", "l4"),
    ("g6f", "l4"),
    ("gr6f", "l4"),
    ("g6e", "l40s"),
    ("p2", "k80"),
    ("p3", "v100"),
    ("p3dn", "v100"),
    ("p4d", "a100"),
    ("p4de", "a100"),
    ("p5", "h100"),
    ("p5e", "h200"),
    ("p5en", "h200"),
];

/// What is known of a type without its row.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// `m5.xlarge`.
    pub name: &'a str,
    /// `amd64` or `arm64`.
    pub arch: &'a str,
    /// vCPUs.
    pub vcpu: u32,
    /// Memory.
    pub memory: Bytes,
    /// GPUs.
    pub gpus: u32,
}

/// Whether a type meets a requirement; `None` where nobody here can say.
pub fn meets(requirement: &LabelRequirement, labels: &BTreeMap<String, String>) -> Option<bool> {
    let absent = requirement.key.strip_prefix(PREFIX).is_some_and(|key| ABSENT.contains(&key));
    (absent || labels.contains_key(&requirement.key)).then(|| requirement.matches(labels))
}

/// Labels of the catalogue's type `entry`.
pub fn of_entry(entry: &Entry) -> BTreeMap<String, String> {
    let shape = Shape {
        name: &entry.name,
        arch: &entry.arch,
        vcpu: entry.vcpu,
        memory: entry.memory,
        gpus: entry.gpus,
    };
    let mut out = of_shape(&shape);
    let mut put = |key: &str, value: u32| {
        out.insert(format!("{PREFIX}{key}"), value.to_string());
    };
    if entry.local_nvme_gb > 0 {
        put("local-nvme", entry.local_nvme_gb);
    }
    if let Some(mbps) = entry.network_mbps {
        put("network-bandwidth", mbps);
    }
    out
}

/// Labels of a type of which the catalogue has no row: what its name and shape say.
pub fn of_shape(shape: &Shape<'_>) -> BTreeMap<String, String> {
    let (family, size) = shape.name.split_once('.').unwrap_or((shape.name, ""));
    let category: String = family.chars().take_while(char::is_ascii_lowercase).collect();
    // `u-6tb1` is generation 1.
    let rest = family.rsplit("tb").next().unwrap_or(family);
    let digits = rest.chars().skip_while(|c| !c.is_ascii_digit());
    let generation: String = digits.take_while(char::is_ascii_digit).collect();
    let mut out = BTreeMap::new();
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() {
            out.insert(key.to_owned(), value.to_owned());
        }
    };
    put("node.kubernetes.io/instance-type", shape.name);
    put("kubernetes.io/arch", shape.arch);
    put("kubernetes.io/os", "linux");
    let mut own = |key: &str, value: &str| put(&format!("{PREFIX}{key}"), value);
    own("family", family);
    own("size", size);
    own("category", &category);
    own("generation", &generation);
    own("cpu", &shape.vcpu.to_string());
    own("memory", &shape.memory.as_mib_floor().to_string());
    own("cpu-manufacturer", maker(family, shape.arch));
    own("hypervisor", hypervisor(family, size));
    if shape.gpus > 0 {
        own("gpu-count", &shape.gpus.to_string());
        let name = GPUS.iter().find(|(known, _)| *known == family).map_or("", |(_, name)| name);
        own("gpu-name", name);
        own("gpu-manufacturer", if family == "g4ad" { "amd" } else { "nvidia" });
    }
    out
}

/// Who made the processor; empty where that is not known.
fn maker(family: &str, arch: &str) -> &'static str {
    let kind: String = family
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .filter(|c| !c.is_ascii_digit())
        .collect();
    let unsure = UNSURE.contains(&family) || family.starts_with("mac") || family.starts_with("p6");
    match arch {
        _ if unsure => "",
        "arm64" => "aws",
        _ if AMD.contains(&family) || kind.starts_with('a') => "amd",
        _ => "intel",
    }
}

/// Empty for a machine without one.
fn hypervisor(family: &str, size: &str) -> &'static str {
    match size {
        _ if size.starts_with("metal") => "",
        "24xlarge" if family == "p3dn" => "nitro",
        _ if XEN.contains(&family) || family == "x1e" => "xen",
        _ => "nitro",
    }
}

#[cfg(test)]
mod tests {
    use sim::scenario::LabelOperator;

    use super::super::Catalogue;
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: &[(&str, &str)]) {
        let labels = of_entry(Catalogue::builtin().entry(name).unwrap());
        for (key, value) in expected {
            let found = labels.get(&format!("{PREFIX}{key}")).map_or("", String::as_str);
            assert_eq!(found, *value, "{name}: {key}");
        }
    }

    #[test]
    fn names_are_taken_apart() {
        let m6id = [
            ("category", "m"),
            ("generation", "6"),
            ("family", "m6id"),
            ("size", "2xlarge"),
            ("cpu", "8"),
            ("memory", "32768"),
            ("local-nvme", "474"),
            ("cpu-manufacturer", "intel"),
            ("hypervisor", "nitro"),
            ("gpu-count", ""),
        ];
        check("m6id.2xlarge", &m6id);
        check("r5a.large", &[("cpu-manufacturer", "amd"), ("local-nvme", "")]);
        check("r6g.large", &[("cpu-manufacturer", "aws"), ("category", "r")]);
        check("r4.4xlarge", &[("hypervisor", "xen"), ("generation", "4")]);
        check("m5.metal", &[("hypervisor", ""), ("size", "metal")]);
        check(
            "g5.xlarge",
            &[("gpu-count", "1"), ("gpu-name", "a10g"), ("cpu-manufacturer", "amd")],
        );
        check("g4dn.xlarge", &[("category", "g"), ("gpu-name", "t4")]);
    }

    #[test]
    fn what_nobody_can_judge_is_neither_met_nor_unmet() {
        let labels = of_entry(Catalogue::builtin().entry("m5.large").unwrap());
        let exists = |key: &str| LabelRequirement {
            key: format!("{PREFIX}{key}"),
            operator: LabelOperator::Exists,
            values: Vec::new(),
        };
        assert_eq!(meets(&exists("ebs-bandwidth"), &labels), None);
        assert_eq!(meets(&exists("local-nvme"), &labels), Some(false));
        assert_eq!(meets(&exists("family"), &labels), Some(true));
    }
}
