//! Nodes, and the kinds of nodes a scenario can have.

use std::collections::BTreeMap;

use super::slab::Id;
use super::{ImageId, NonZeroRequests, PodId, Resources};
use crate::images::ImageStore;
use crate::ledger::PriceCurve;
use crate::outcome::DisruptedBy;
use crate::scenario::{
    CapacityType, DaemonSets, InstanceType, Karpenter, NodePool, SpotPrices, Taint,
};
use crate::units::{Bytes, HourlyPrice, NanoUsd, SimTime};

/// A node's id.
pub(crate) type NodeId = Id<Node>;

/// Where a node is in its life. Billed from the first to the last state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum NodeState {
    /// Asked for, not ready.
    Booting,
    /// Takes pods.
    Ready,
    /// Takes no pods any more: deleted by the autoscaler, or under interruption notice.
    Cordoned,
}

/// A node.
#[derive(Debug)]
pub(crate) struct Node {
    /// Number in order of launch.
    pub(crate) number: u64,
    /// Its kind.
    pub(crate) kind: NodeKindId,
    /// State.
    pub(crate) state: NodeState,
    /// When it was asked for.
    pub(crate) launched_at: SimTime,
    /// When it took pods.
    pub(crate) ready_at: Option<SimTime>,
    /// Requests of its pods, those of the DaemonSets included.
    pub(crate) requested: Resources,
    /// The same as scores count it.
    pub(crate) nonzero_requested: NonZeroRequests,
    /// Images that it reports, ascending.
    pub(crate) images: Vec<ImageId>,
    /// Its pods, without those of the DaemonSets.
    pub(crate) pods: Vec<PodId>,
    /// The lowest priority among its pods; the highest possible one without pods.
    pub(crate) lowest_priority: i32,
    /// Images that it has and pulls.
    pub(crate) image_store: ImageStore,
    /// When the cloud takes it, where that is known: nothing runs on it longer.
    pub(crate) gone_at: Option<SimTime>,
    /// Since when the autoscaler holds it for unneeded.
    pub(crate) unneeded_since: Option<SimTime>,
    /// Scale-down found it used well enough to stay, and its pods are the same since.
    pub(crate) well_used: bool,
    /// Why the autoscaler keeps it, as last recorded.
    pub(crate) kept_because: Option<&'static str>,
    /// The cloud takes it back.
    pub(crate) interrupted: bool,
    /// Why Karpenter takes it out of service, where it does.
    pub(crate) disrupted_by: Option<DisruptedBy>,
    /// Its number among the nodes of its capacity pool, in order of launch.
    pub(crate) spot_number: u64,
    /// The node that it was launched to replace, as long as it is not ready.
    pub(crate) replaces: Option<NodeId>,
    /// Its replacement is on its way: nobody launches another one.
    pub(crate) replaced: bool,
    /// Pods that were ever bound to it.
    pub(crate) pods_bound_ever: u32,
    /// What its pods were charged so far.
    pub(crate) pods_cost: NanoUsd,
}

/// Place in [`NodeKinds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeKindId(pub(crate) u32);

/// What nodes of one pool, instance type and zone have in common.
#[derive(Debug)]
pub(crate) struct NodeKind {
    /// Place of the pool in the scenario.
    pub(crate) pool: u32,
    /// Place of the instance type in the pool.
    pub(crate) instance_type: u32,
    /// Place of the zone in the pool.
    pub(crate) zone: u32,
    /// The same zone has the same number in every pool.
    pub(crate) zone_number: u32,
    /// Spot or on-demand.
    pub(crate) capacity_type: CapacityType,
    /// What the machine has.
    pub(crate) capacity: Resources,
    /// What pods may request.
    pub(crate) allocatable: Resources,
    /// What the DaemonSets request.
    pub(crate) daemonsets: Resources,
    /// `metadata.name`, where the kind is one node (decision cases). Nodes of a simulation have
    /// names that nobody can know in advance, and each is a `kubernetes.io/hostname` of its own.
    pub(crate) node_name: Option<String>,
    /// Labels, zone and instance type included.
    pub(crate) labels: BTreeMap<String, String>,
    /// Taints.
    pub(crate) taints: Vec<Taint>,
    /// Price, where it does not move.
    pub(crate) price: HourlyPrice,
    /// The price over time, where that is known.
    pub(crate) price_curve: Option<PriceCurve>,
}

/// Every kind of node that a scenario can have.
#[derive(Debug, Default)]
pub(crate) struct NodeKinds {
    kinds: Vec<NodeKind>,
    /// Zones of all pools.
    zones: u32,
    /// By pool, instance type and zone: where many instance types are allowed, there are thousands.
    by_place: BTreeMap<[u32; 3], NodeKindId>,
    /// Kinds of which there ever was a node, and a mark for each kind that says whether it is among
    /// them.
    met: (Vec<NodeKindId>, Vec<bool>),
}

impl NodeKinds {
    /// The kinds of `pools`.
    pub(crate) fn of(pools: &[NodePool], daemonsets: &DaemonSets) -> Self {
        let mut kinds = Vec::new();
        let mut zones: Vec<&str> = Vec::new();
        for (pool_place, pool) in pools.iter().enumerate() {
            for (type_place, instance_type) in pool.instance_types.iter().enumerate() {
                for (zone_place, zone) in pool.zones.iter().enumerate() {
                    let known = zones.iter().position(|other| other == zone);
                    let zone_number = known.unwrap_or_else(|| {
                        zones.push(zone);
                        zones.len() - 1
                    });
                    kinds.push(NodeKind {
                        pool: pool_place as u32,
                        instance_type: type_place as u32,
                        zone: zone_place as u32,
                        zone_number: zone_number as u32,
                        capacity_type: pool.capacity_type,
                        capacity: capacity(pool, instance_type),
                        allocatable: allocatable(pool, instance_type),
                        daemonsets: Resources {
                            pods: daemonsets.pods,
                            ..Resources::of_pod(daemonsets.cpu, daemonsets.memory)
                        },
                        node_name: None,
                        labels: labels(pool, instance_type, zone),
                        taints: pool.taints.clone(),
                        price: price(pool.capacity_type, instance_type),
                        price_curve: None,
                    });
                }
            }
        }
        let place = |kind: &NodeKind| [kind.pool, kind.instance_type, kind.zone];
        let by_place = kinds.iter().enumerate();
        let by_place = by_place.map(|(id, kind)| (place(kind), NodeKindId(id as u32))).collect();
        Self { kinds, zones: zones.len() as u32, by_place, ..Self::default() }
    }

    /// Lets the prices of spot nodes move.
    pub(crate) fn set_spot_prices(&mut self, pools: &[NodePool], prices: &SpotPrices) {
        let spot = |kind: &&mut NodeKind| kind.capacity_type == CapacityType::Spot;
        for kind in self.kinds.iter_mut().filter(spot) {
            let pool = &pools[kind.pool as usize];
            let instance_type = &pool.instance_types[kind.instance_type as usize].name;
            let series = prices.of(instance_type, &pool.zones[kind.zone as usize]);
            kind.price_curve = series.and_then(|series| PriceCurve::new(&series.points));
        }
    }

    /// Gives the kinds of Karpenter's NodePools the labels that depend on the instance type.
    pub(crate) fn set_type_labels(&mut self, pools: &[NodePool], karpenter: &Karpenter) {
        for kind in &mut self.kinds {
            let name = &pools[kind.pool as usize].instance_types[kind.instance_type as usize].name;
            let mut node_pools = karpenter.node_pools.iter();
            let owner = node_pools.find(|node_pool| node_pool.groups.contains(&kind.pool));
            if let Some(labels) = owner.and_then(|owner| owner.type_labels.get(name)) {
                let missing = labels.iter().map(|(key, value)| (key.clone(), value.clone()));
                missing.for_each(|(key, value)| _ = kind.labels.entry(key).or_insert(value));
            }
        }
    }

    /// Adds a kind.
    pub(crate) fn push(&mut self, kind: NodeKind) -> NodeKindId {
        let id = NodeKindId(self.kinds.len() as u32);
        self.by_place.insert([kind.pool, kind.instance_type, kind.zone], id);
        self.kinds.push(kind);
        id
    }

    /// The kind of `id`.
    pub(crate) fn get(&self, id: NodeKindId) -> &NodeKind {
        &self.kinds[id.0 as usize]
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NodeKindId, &NodeKind)> {
        self.kinds.iter().enumerate().map(|(place, kind)| (NodeKindId(place as u32), kind))
    }

    /// The kind of that pool, instance type and zone.
    pub(crate) fn find(&self, pool: u32, instance_type: u32, zone: u32) -> Option<NodeKindId> {
        self.by_place.get(&[pool, instance_type, zone]).copied()
    }

    /// There is a node of the kind.
    pub(crate) fn meet(&mut self, id: NodeKindId) {
        let (list, marks) = &mut self.met;
        marks.resize(self.kinds.len(), false);
        if !std::mem::replace(&mut marks[id.0 as usize], true) {
            list.push(id);
        }
    }

    /// Kinds of which there ever was a node, in the order in which they were met.
    pub(crate) fn met(&self) -> &[NodeKindId] {
        &self.met.0
    }

    /// How many zones there are in all pools.
    pub(crate) fn zones_len(&self) -> u32 {
        self.zones
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }
}

impl NodeKind {
    /// The price at a moment.
    pub(crate) fn price_at(&self, at: SimTime) -> HourlyPrice {
        self.price_curve.as_ref().map_or(self.price, |curve| curve.at(at))
    }

    /// The price summed over time, in nano-dollars an hour times milliseconds.
    pub(crate) fn price_sum(&self, from: SimTime, to: SimTime) -> u128 {
        match &self.price_curve {
            Some(curve) => curve.sum(from, to),
            None => u128::from(self.price.as_nano()) * u128::from(to.since(from).as_millis()),
        }
    }

    /// What an empty node of this kind has left for pods.
    pub(crate) fn room(&self) -> Resources {
        self.allocatable.minus(&self.daemonsets)
    }
}

fn capacity(pool: &NodePool, instance_type: &InstanceType) -> Resources {
    let cpu = crate::units::MilliCores::cores(u64::from(instance_type.vcpu));
    let of_pods = Resources::of_pod(cpu, instance_type.memory).with_gpus(instance_type.gpus);
    let pods = pool.max_pods.unwrap_or(instance_type.max_pods);
    Resources { pods, ephemeral_storage: pool.volume, ..of_pods }
}

/// Of the root volume, the kubelet keeps a tenth back (`nodefs.available<10%`) and EKS 1 GiB
/// (`systemReserved`); what the image and the system take is left out.
fn allocatable(pool: &NodePool, instance_type: &InstanceType) -> Resources {
    let whole = capacity(pool, instance_type);
    Resources {
        cpu: instance_type.allocatable_cpu,
        memory: instance_type.allocatable_memory,
        ephemeral_storage: whole.ephemeral_storage.scale_floor(0.9).saturating_sub(Bytes::gib(1)),
        ..whole
    }
}

fn labels(pool: &NodePool, instance_type: &InstanceType, zone: &str) -> BTreeMap<String, String> {
    let mut labels = pool.labels.clone();
    labels.insert("topology.kubernetes.io/zone".to_owned(), zone.to_owned());
    labels.insert("node.kubernetes.io/instance-type".to_owned(), instance_type.name.clone());
    labels.insert("kubernetes.io/arch".to_owned(), instance_type.arch.clone());
    labels
}

/// The price of the capacity type; a spot pool whose spot price is unknown pays on-demand prices,
/// which loading the scenario has said in a finding.
fn price(capacity_type: CapacityType, instance_type: &InstanceType) -> HourlyPrice {
    match capacity_type {
        CapacityType::OnDemand => instance_type.on_demand_price,
        CapacityType::Spot => instance_type.spot_price.unwrap_or(instance_type.on_demand_price),
    }
}
