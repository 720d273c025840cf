//! The books: money on its way from nodes, pods and fees into rows of the ledger.
//!
//! What a run's pods cost is kept with its attempt until that ends (only then is it known whether
//! the work was useful) and goes out as rows at once. What belongs to nobody is kept by hour and
//! kind of node, and goes out at the end: of each node-hour, what is left of the bill after its pods
//! were charged is `unallocated`. Every row carries its own discount and tax, so that any sum of
//! rows is right.

use std::collections::BTreeMap;

use super::coverage;
use super::hours::Hours;
use crate::cluster::{NodeKindId, NodeKinds};
use crate::engine::world::Cx;
use crate::outcome::{Billed, CommitmentTotal, Costs, Ledger, LedgerRecord, PodUse};
use crate::scenario::{Billing, CapacityType};
use crate::units::{NanoUsd, SimDuration, SimTime};

/// All money of a simulation, and the sums behind utilisation.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// Where hours begin.
    pub(crate) hours: Hours,
    /// What nodes cost, and how far their pods were charged for it.
    nodes: BTreeMap<(u32, NodeKindId), NodeHour>,
    /// What pods cost that belong to no run.
    others: BTreeMap<(u32, NodeKindId, Billed), Charge>,
    /// Bytes through NAT gateways that belong to no run, by hour.
    nat_bytes: BTreeMap<u32, u64>,
    /// Everything by team.
    by_team: BTreeMap<u32, NanoUsd>,
    /// Node money by pool.
    pub(crate) by_pool: BTreeMap<u32, NanoUsd>,
    /// CPU and memory, requested by pods and allocatable, times milliseconds.
    pub(crate) usage: Usage,
}

/// Integrals over time.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// Millicore-milliseconds requested.
    pub(crate) cpu_requested: u128,
    /// Millicore-milliseconds allocatable.
    pub(crate) cpu_allocatable: u128,
    /// Byte-milliseconds requested.
    pub(crate) memory_requested: u128,
    /// Byte-milliseconds allocatable.
    pub(crate) memory_allocatable: u128,
}

/// What pods came to.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Charge {
    /// Node cost.
    pub(crate) nodes: Ledger,
    /// EMR on EKS.
    pub(crate) emr: NanoUsd,
    /// What they requested and used.
    pub(crate) pod_use: PodUse,
}

impl Charge {
    /// Adds `other`.
    pub(crate) fn add(&mut self, other: &Self) {
        self.nodes.add(&other.nodes);
        self.emr += other.emr;
        self.pod_use += &other.pod_use;
    }
}

/// Nodes of one kind in one hour.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct NodeHour {
    /// The bill.
    pub(crate) bill: NanoUsd,
    /// Boot.
    pub(crate) starting: NanoUsd,
    /// Kubelet, system and DaemonSets.
    pub(crate) reserved: NanoUsd,
    /// Root volumes.
    pub(crate) storage: NanoUsd,
    /// EMR on EC2.
    pub(crate) emr: NanoUsd,
    /// What pods were charged.
    pub(crate) pods: NanoUsd,
}

impl Books {
    /// Empty books of a workload that starts at `epoch_ms`.
    pub(crate) fn new(epoch_ms: i64) -> Self {
        Self { hours: Hours::new(epoch_ms), ..Self::default() }
    }

    /// A pod on a node of `kind` was charged so much in `hour`.
    pub(crate) fn charged(&mut self, hour: u32, kind: NodeKindId, cost: NanoUsd) {
        self.nodes.entry((hour, kind)).or_default().pods += cost;
    }

    /// Books what a pod of no run came to.
    pub(crate) fn book_other(
        &mut self,
        (hour, kind): (u32, NodeKindId),
        billed: Billed,
        charge: &Charge,
    ) {
        self.others.entry((hour, kind, billed)).or_default().add(charge);
    }

    /// Books a part of a node's bill.
    pub(crate) fn book_node(&mut self, hour: u32, kind: NodeKindId, part: &NodeHour) {
        let sum = self.nodes.entry((hour, kind)).or_default();
        sum.bill += part.bill;
        sum.starting += part.starting;
        sum.reserved += part.reserved;
        sum.storage += part.storage;
        sum.emr += part.emr;
    }

    /// Bytes went through NAT gateways.
    pub(crate) fn nat(&mut self, at: SimTime, bytes: u64) {
        let sum = self.nat_bytes.entry(self.hours.of(at)).or_default();
        *sum = sum.saturating_add(bytes);
    }

    /// Puts the discount and the tax on a row, counts it, and hands it out.
    pub(crate) fn row(
        &mut self,
        cx: &mut Cx<'_>,
        (hour, kind): (u32, Option<[u32; 3]>),
        (billed, attempt): (Billed, Option<u32>),
        mut costs: Costs,
        pod_use: PodUse,
    ) {
        put_factors(&mut costs, &cx.scenario.billing);
        let run = match billed {
            Billed::Run(run) => Some(cx.run(run)),
            Billed::TracePods | Billed::PausePods | Billed::Shared => None,
        };
        if let Some(run) = &run {
            *self.by_team.entry(run.team.0).or_default() += costs.total();
        }
        cx.outcome.cost.costs += &costs;
        let hour_ms = self.hours.begin_ms(hour);
        let record = LedgerRecord { hour_ms, node: kind, billed, attempt, costs, pod_use };
        cx.sink.ledger(record, run.as_deref());
    }

    /// Hands out everything that belongs to nobody, up to the end of the simulation at `end`.
    pub(crate) fn close(&mut self, cx: &mut Cx<'_>, kinds: &NodeKinds, end: SimTime) {
        let place = |id: NodeKindId| {
            let kind = kinds.get(id);
            Some([kind.pool, kind.instance_type, kind.zone])
        };
        for ((hour, kind, billed), charge) in std::mem::take(&mut self.others) {
            let costs = Costs { nodes: charge.nodes, emr: charge.emr, ..Costs::default() };
            self.row(cx, (hour, place(kind)), (billed, None), costs, charge.pod_use);
        }
        let nodes = std::mem::take(&mut self.nodes);
        for ((hour, kind), node) in &nodes {
            let unallocated = node.bill - node.starting - node.reserved - node.pods;
            let ledger = Ledger {
                starting: node.starting,
                reserved: node.reserved,
                unallocated,
                ..Ledger::default()
            };
            let costs =
                Costs { nodes: ledger, storage: node.storage, emr: node.emr, ..Costs::default() };
            let shared = (Billed::Shared, None);
            self.row(cx, (*hour, place(*kind)), shared, costs, PodUse::default());
        }
        self.close_cluster(cx, &on_demand(cx, kinds, &nodes), end);
    }

    /// What the cluster as a whole costs: control plane, NAT gateways, commitments.
    fn close_cluster(
        &mut self,
        cx: &mut Cx<'_>,
        on_demand: &BTreeMap<u32, BTreeMap<&str, NanoUsd>>,
        end: SimTime,
    ) {
        let (fees, billing) = (cx.scenario.fees, &cx.scenario.billing);
        let total = |name: &String| CommitmentTotal { name: name.clone(), ..Default::default() };
        let mut totals: Vec<_> = billing.commitments.iter().map(|c| total(&c.name)).collect();
        let nothing = BTreeMap::new();
        let up = SimDuration::seconds(end.since(SimTime::ZERO).as_secs_ceil());
        let end = SimTime::ZERO.saturating_add(up);
        let hours: Vec<_> = self.hours.cut(SimTime::ZERO, end).collect();
        for cut in hours {
            let since = |at: SimTime| at.since(SimTime::ZERO);
            // Differences of sums from the start: the hours add up to the whole exactly.
            let between = |price: crate::units::HourlyPrice| {
                price.cost_floor(since(cut.to)) - price.cost_floor(since(cut.from))
            };
            let mut costs =
                Costs { control_plane: between(fees.control_plane), ..Costs::default() };
            if let Some(nat) = &fees.nat {
                for _ in 0..nat.gateways {
                    costs.nat += between(nat.per_hour);
                }
                let bytes = self.nat_bytes.remove(&cut.hour).unwrap_or(0);
                costs.nat += super::traffic_fee(nat.per_gb, bytes);
            }
            let ran = on_demand.get(&cut.hour).unwrap_or(&nothing);
            let length = cut.to.since(cut.from);
            let change = coverage::cover(&billing.commitments, ran, length, &mut totals);
            costs.commitment_savings = NanoUsd::ZERO - change.savings;
            costs.commitment_unused = change.unused;
            self.row(cx, (cut.hour, None), (Billed::Shared, None), costs, PodUse::default());
        }
        cx.outcome.cost.commitments = totals;
        cx.outcome.cost.terms = billing.clone();
    }

    /// Everything by team, and what belongs to nobody last.
    pub(crate) fn teams(&self, cx: &Cx<'_>) -> Vec<(String, NanoUsd)> {
        let names = cx.workload.teams.iter().enumerate();
        let mut teams: Vec<(String, NanoUsd)> = names
            .map(|(place, name)| {
                let cost = self.by_team.get(&(place as u32)).copied().unwrap_or_default();
                (name.clone(), cost)
            })
            .collect();
        let owned: NanoUsd = teams.iter().map(|(_, cost)| *cost).sum();
        teams.push(("(shared)".to_owned(), cx.outcome.cost.costs.total() - owned));
        teams
    }
}

/// On-demand cost by hour and instance type.
fn on_demand<'a>(
    cx: &Cx<'a>,
    kinds: &NodeKinds,
    nodes: &BTreeMap<(u32, NodeKindId), NodeHour>,
) -> BTreeMap<u32, BTreeMap<&'a str, NanoUsd>> {
    let mut hours: BTreeMap<u32, BTreeMap<&str, NanoUsd>> = BTreeMap::new();
    if cx.scenario.billing.commitments.is_empty() {
        return hours;
    }
    for ((hour, id), node) in nodes {
        let kind = kinds.get(*id);
        if kind.capacity_type == CapacityType::OnDemand {
            let pool = &cx.scenario.pools[kind.pool as usize];
            let name = pool.instance_types[kind.instance_type as usize].name.as_str();
            *hours.entry(*hour).or_default().entry(name).or_default() += node.bill;
        }
    }
    hours
}

/// The discount on everything, and the tax on what is left.
fn put_factors(costs: &mut Costs, billing: &Billing) {
    if billing.discount_ppm == 0 && billing.tax_ppm == 0 {
        return;
    }
    let part = |of: NanoUsd, ppm: u32| {
        NanoUsd::new((i128::from(of.as_nano()) * i128::from(ppm) / 1_000_000) as i64)
    };
    costs.discount = NanoUsd::ZERO - part(costs.total(), billing.discount_ppm);
    costs.tax = part(costs.total(), billing.tax_ppm);
}
