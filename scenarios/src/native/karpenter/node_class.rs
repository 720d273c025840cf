//! `EC2NodeClass`: the disk and the kubelet's settings of its nodes.
//!
//! Left out: local NVMe as pod storage (`instanceStorePolicy`), `podsPerCore`, soft evictions,
//! capacity reservations and placement groups; what nodes boot from and who they are has no effect.
//!
//! Source: karpenter.k8s.aws/v1 CRD; aws/karpenter-provider-aws `pkg/providers/instancetype/
//! types.go` (default disk of 20 GiB; the root volume, else the family's device for pods' storage).

use sim::Severity;
use sim::units::{Bytes, MilliCores};

use super::fields;
use crate::native::Place;
use crate::native::keys::{Reader, slip_of};
use crate::walk::{At, Fields};
use crate::yaml::Node;

/// Disk of a node whose class says nothing about it.
pub const VOLUME: Bytes = Bytes::gib(20);

/// What the kubelet keeps back of a resource, where the class says.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    /// `cpu`.
    pub cpu: Option<MilliCores>,
    /// `memory`.
    pub memory: Option<Bytes>,
}

/// Memory that is left when the kubelet evicts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Eviction {
    /// So much.
    Bytes(Bytes),
    /// Such a share of the node's memory.
    Share(f64),
}

/// A node class as its file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeClass {
    /// `metadata.name`.
    pub name: String,
    /// Disk of pods' storage.
    pub volume: Bytes,
    /// `kubelet.maxPods`.
    pub max_pods: Option<u32>,
    /// `kubelet.kubeReserved`.
    pub kube_reserved: Reserved,
    /// `kubelet.systemReserved`.
    pub system_reserved: Reserved,
    /// `kubelet.evictionHard."memory.available"`.
    pub eviction: Option<Eviction>,
}

impl NodeClass {
    /// A class that says nothing.
    pub fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            volume: VOLUME,
            max_pods: None,
            kube_reserved: Reserved::default(),
            system_reserved: Reserved::default(),
            eviction: None,
        }
    }
}

const NOT_FOLLOWED: [&str; 5] = [
    "instanceStorePolicy",
    "capacityReservationSelectorTerms",
    "cpuOptions",
    "placementGroupSelector",
    "ipPrefixCount",
];

const WITHOUT_EFFECT: [&str; 13] = [
    "amiSelectorTerms",
    "subnetSelectorTerms",
    "securityGroupSelectorTerms",
    "associatePublicIPAddress",
    "connectionTracking",
    "context",
    "detailedMonitoring",
    "instanceProfile",
    "metadataOptions",
    "networkInterfaces",
    "role",
    "tags",
    "userData",
];

pub(super) fn read<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<NodeClass> {
    let (name, spec) = super::parts(at)?;
    let known = ["amiFamily", "blockDeviceMappings", "kubelet"];
    let spec = fields(&spec, &known, &NOT_FOLLOWED, &WITHOUT_EFFECT)?;
    let family = family(reader, &spec);
    let volume = volume(&spec, family.as_deref());
    let mut out = NodeClass { volume: volume.unwrap_or(VOLUME), ..NodeClass::plain(&name) };
    let kubelet = spec.get("kubelet").and_then(|at| kubelet(reader, &at));
    if let Some(kubelet) = kubelet {
        out.max_pods = kubelet.get("maxPods").and_then(|at| at.count(0));
        out.kube_reserved = reserved(&kubelet, "kubeReserved");
        out.system_reserved = reserved(&kubelet, "systemReserved");
        out.eviction = kubelet.get("evictionHard").and_then(|at| eviction(&at));
    }
    Some(out)
}

const FAMILIES: [(&str, &str); 7] = [
    ("AL2", "AL2"),
    ("AL2023", "AL2023"),
    ("Bottlerocket", "Bottlerocket"),
    ("Custom", "Custom"),
    ("Windows2019", "Windows2019"),
    ("Windows2022", "Windows2022"),
    ("Windows2025", "Windows2025"),
];

/// `amiFamily`, else the family of an alias.
fn family(reader: &Reader<'_>, spec: &Fields<'_>) -> Option<String> {
    let given = spec.get("amiFamily");
    let said = given.as_ref().and_then(|at| at.one_of(&FAMILIES)).map(str::to_owned);
    let terms = spec.get("amiSelectorTerms");
    let alias = terms.as_ref().into_iter().flat_map(|at| at.node.items());
    let alias = alias.filter_map(|term| term.get("alias").and_then(Node::scalar_text)).next();
    let alias =
        alias.and_then(|text| text.split_once('@')).map(|(family, _)| family.to_lowercase());
    if let (Some(at), Some(family)) = (&given, &said)
        && family.starts_with("Windows")
    {
        reader.warn(at, "not-modelled", format!("`{family}`: Spark's pods run on Linux"));
    }
    said.or(alias)
}

/// Size of the disk of pods' storage.
fn volume(spec: &Fields<'_>, family: Option<&str>) -> Option<Bytes> {
    let bottlerocket = family.is_some_and(|family| family.eq_ignore_ascii_case("bottlerocket"));
    let device = if bottlerocket { "/dev/xvdb" } else { "/dev/xvda" };
    let mappings = spec.get("blockDeviceMappings")?.list()?;
    let mut found: Vec<(bool, String, Option<Bytes>)> = Vec::new();
    for at in &mappings {
        let Some(mapping) = fields(at, &["deviceName", "ebs", "rootVolume"], &[], &[]) else {
            continue;
        };
        let root = mapping.bool("rootVolume").unwrap_or(false);
        let name = mapping.string("deviceName").unwrap_or_default();
        const OTHERS: [&str; 8] = [
            "deleteOnTermination",
            "encrypted",
            "iops",
            "kmsKeyID",
            "snapshotID",
            "throughput",
            "volumeInitializationRate",
            "volumeType",
        ];
        let ebs = mapping.get("ebs").and_then(|at| fields(&at, &["volumeSize"], &[], &OTHERS));
        let size = ebs.and_then(|ebs| ebs.get("volumeSize")).and_then(|at| at.bytes());
        found.push((root, name, size));
    }
    let by_root = found.iter().find(|(root, ..)| *root);
    let by_device = found.iter().find(|(_, name, _)| name == device);
    let custom = found.last().filter(|_| family == Some("Custom"));
    by_root.or(custom).or(by_device).and_then(|(_, _, size)| *size)
}

/// Whatever Karpenter's kubelet settings are called, the CRD takes: those that it does not
/// schedule by reach the node and nothing else.
fn kubelet<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<Fields<'a>> {
    const READ: [&str; 4] = ["maxPods", "kubeReserved", "systemReserved", "evictionHard"];
    for (key, node) in at.node.entries() {
        let name = key.name.as_str();
        let path = format!("{}.{name}", at.path);
        let place = reader.walker.at(node, path.clone());
        if name == "podsPerCore" || name.starts_with("evictionSoft") {
            reader.walker.not_modelled(key.pos, path);
        } else if let Some(near) = slip_of(name, &READ).filter(|near| *near != name) {
            let message = format!("`{name}` only reaches the node; did you mean `{near}`?");
            reader.warn(&place, "unknown-key", message);
        }
    }
    let all: Vec<&str> = at.node.entries().map(|(key, _)| key.name.as_str()).collect();
    at.fields(&all)
}

fn reserved(kubelet: &Fields<'_>, key: &str) -> Reserved {
    let known = ["cpu", "memory"];
    let others = ["ephemeral-storage", "pid"];
    let given = kubelet.get(key).and_then(|at| fields(&at, &known, &others, &[]));
    let Some(given) = given else { return Reserved::default() };
    Reserved {
        cpu: given.get("cpu").and_then(|at| at.cpu()),
        memory: given.get("memory").and_then(|at| at.bytes()),
    }
}

fn eviction(at: &At<'_>) -> Option<Eviction> {
    let others = [
        "nodefs.available",
        "nodefs.inodesFree",
        "imagefs.available",
        "imagefs.inodesFree",
        "pid.available",
    ];
    let given = fields(at, &["memory.available"], &others, &[])?;
    let at = given.get("memory.available")?;
    let text = at.string()?;
    match text.strip_suffix('%') {
        Some(percent) => {
            let share = percent.parse::<f64>().ok().filter(|n| (0.0..=100.0).contains(n));
            if share.is_none() {
                at.problem(format!("`{text}` is not a percentage"));
            }
            Some(Eviction::Share(share? / 100.0))
        }
        None => Some(Eviction::Bytes(at.bytes()?)),
    }
}

/// A finding that a pool's class is not there.
pub(crate) fn missing(name: &str, place: &Place) -> sim::Finding {
    let message = format!(
        "EC2NodeClass `{name}` is not among the manifests: taken with upstream's defaults, 20Gi of \
         disk among them"
    );
    place.finding(Severity::Warning, "no-node-class", message)
}
