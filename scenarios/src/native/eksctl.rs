//! eksctl's `ClusterConfig`: node groups, managed and not.
//!
//! Left out, by name as findings: `instanceSelector`, mixed spot and on-demand shares other than
//! all or nothing, capacity reservations, placement, kubelet settings, extra
//! volumes, launch templates; Karpenter, Fargate and auto mode of the cluster. Access, networking,
//! SSH, tags and the like have no effect on what is modelled.
//!
//! Source: eksctl's published JSON Schema (August 2026: keys, volume size 80 GB, on-demand share
//! 100 %), eksctl's documentation (`instanceTypes` default `m5.large`) and `pkg/apis/eksctl.io`
//! (two nodes where no size is given; the bounds follow the desired size).

mod group;
pub mod patch;
pub mod write;

use sim::scenario::{AllocationStrategy, CapacityType, InstanceType, Taint};

use super::keys::Reader;
use super::{NativeRead, in_place, read_documents};
use crate::walk::At;
use std::collections::BTreeMap;

/// More groups than this are no cluster.
const GROUPS_MAX: usize = 1_000;

/// A cluster's node groups.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EksctlConfig {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.region`.
    pub region: Option<String>,
    /// `metadata.version`, as it is written.
    pub version: Option<String>,
    /// The cluster's zones.
    pub zones: Vec<String>,
    /// Managed groups, then the others, in the order of the file.
    pub groups: Vec<NodeGroupSpec>,
}

/// One node group, with eksctl's defaults filled in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NodeGroupSpec {
    /// Its name.
    pub name: String,
    /// Of `managedNodeGroups`.
    pub managed: bool,
    /// Instance types, at least one where there was no problem.
    pub instance_types: Vec<String>,
    /// All nodes are spot instances.
    pub spot: bool,
    /// `spotAllocationStrategy` of `instancesDistribution`, where it is given.
    pub allocation_strategy: Option<AllocationStrategy>,
    /// Fewest nodes.
    pub min: u32,
    /// Nodes at the start.
    pub desired: u32,
    /// Most nodes.
    pub max: u32,
    /// Labels of the nodes, without the provider's own.
    pub labels: BTreeMap<String, String>,
    /// Taints of the nodes.
    pub taints: Vec<Taint>,
    /// Zones; the cluster's own where the group names none.
    pub zones: Vec<String>,
    /// Root volume in GiB.
    pub volume_gib: u32,
    /// `maxPodsPerNode`, where it is given.
    pub max_pods: Option<u32>,
}

/// Keys of the cluster with an effect on capacity that is not modelled are noted by name; these
/// have none.
const IRRELEVANT: [&str; 20] = [
    "accessConfig",
    "addons",
    "addonsConfig",
    "apiVersion",
    "capabilities",
    "cloudWatch",
    "gitops",
    "iam",
    "iamIdentityMappings",
    "identityProviders",
    "kind",
    "kubeAPIServerConfig",
    "kubeControllerManagerConfig",
    "kubernetesNetworkConfig",
    "privateCluster",
    "remoteNetworkConfig",
    "secretsEncryption",
    "upgradePolicy",
    "vpc",
    "zonalShiftConfig",
];

/// Reads a file; its `ClusterConfig` documents count together, the first one names the cluster.
pub fn read(file_name: &str, text: &str) -> NativeRead<EksctlConfig> {
    read_documents(file_name, text, |reader, documents| {
        let mut config = EksctlConfig::default();
        let mut found = false;
        for document in documents {
            if Reader::kind(document) == "ClusterConfig" {
                cluster(reader, &reader.document(document), &mut config, !found);
                found = true;
            }
        }
        if !found {
            let kind = documents.first().map_or("", Reader::kind);
            let kind: String = kind.chars().take(60).collect();
            let pos = documents.first().map_or_else(Default::default, |node| node.pos);
            let message = format!("expected kind `ClusterConfig`, found `{kind}`");
            reader.walker.problem(pos, "kind", message, None);
        }
        config
    })
}

/// Reads a `ClusterConfig` that stands in place; problems and findings are the enclosing file's.
pub(crate) fn read_inline(at: &At<'_>) -> NativeRead<EksctlConfig> {
    in_place(at, |reader, at| {
        let mut config = EksctlConfig::default();
        cluster(reader, &at, &mut config, true);
        config
    })
}

fn cluster<'a>(reader: &Reader<'a>, at: &At<'a>, config: &mut EksctlConfig, first: bool) {
    let known = ["metadata", "availabilityZones", "managedNodeGroups", "nodeGroups"];
    let Some(fields) = reader.fields(at, &known, &IRRELEVANT) else {
        return;
    };
    let metadata = fields.get("metadata").and_then(|at| {
        let irrelevant = ["annotations", "forceUpdateVersion", "rollbackConfig", "tags"];
        reader.fields(&at, &["name", "region", "version"], &irrelevant)
    });
    if let Some(metadata) = metadata.filter(|_| first) {
        config.name = metadata.string("name").unwrap_or_default();
        config.region = metadata.string("region");
        config.version = metadata.string("version");
    }
    let zones = fields.get("availabilityZones").and_then(|at| at.list_of(At::name));
    let zones = zones.unwrap_or_default();
    for (key, managed) in [("managedNodeGroups", true), ("nodeGroups", false)] {
        let Some(list) = fields.get(key) else {
            continue;
        };
        for item in list.list().unwrap_or_default() {
            if config.groups.len() >= GROUPS_MAX {
                item.problem(format!("more than {GROUPS_MAX} node groups; the rest is not read"));
                break;
            }
            let Some(mut group) = group::read(reader, &item, managed) else {
                continue;
            };
            if group.zones.is_empty() {
                group.zones.clone_from(&zones);
            }
            if config.groups.iter().any(|other| other.name == group.name) {
                item.problem(format!("a second node group named `{}`", group.name));
                continue;
            }
            config.groups.push(group);
        }
    }
    if first {
        config.zones = zones;
    }
}

/// The labels that EKS, eksctl and the cloud controller put on every node.
/// Source: facts-kubernetes 2 and eksctl's `alpha.eksctl.io/nodegroup-name`.
pub(crate) fn provider_labels(
    pool: &str,
    capacity_type: CapacityType,
    instance_type: &InstanceType,
    region: Option<&str>,
) -> BTreeMap<String, String> {
    [
        ("alpha.eksctl.io/nodegroup-name", pool),
        ("eks.amazonaws.com/capacityType", capacity_type.eks_label()),
        ("eks.amazonaws.com/nodegroup", pool),
        ("kubernetes.io/arch", &instance_type.arch),
        ("kubernetes.io/os", "linux"),
        ("node.kubernetes.io/instance-type", &instance_type.name),
        ("topology.kubernetes.io/region", region.unwrap_or_default()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

#[cfg(test)]
mod tests;
