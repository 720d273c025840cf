//! The bill: by kind, by who caused it, and where the node part of it went.

use std::ops::AddAssign;

use crate::scenario::{Billing, CapacityType};
use crate::units::{NanoUsd, SimDuration};

/// The bill by kind, and its split. Everything adds up to the nano-dollar.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Bill {
    /// On-demand instances, at on-demand prices.
    pub on_demand: NanoUsd,
    /// Spot instances.
    pub spot: NanoUsd,
    /// Everything else, discounts and taxes among it. Its node part is `on_demand + spot` again, by
    /// where it went: it is added up from the ledger's rows, those are from the nodes.
    pub costs: Costs,
    /// Instances by pool, in the scenario's order: (pool, cost).
    pub by_pool: Vec<(String, NanoUsd)>,
    /// Everything by team, in the workload's order; the last entry, `(shared)`, is what belongs to
    /// nobody.
    pub by_team: Vec<(String, NanoUsd)>,
    /// What each commitment came to, in the scenario's order.
    pub commitments: Vec<CommitmentTotal>,
    /// What was agreed, and how reports split what is shared.
    pub terms: Billing,
}

impl Bill {
    /// Everything.
    pub fn total(&self) -> NanoUsd {
        self.kinds().into_iter().map(|(_, cost)| cost).sum()
    }

    /// The node part.
    pub fn nodes(&self) -> NanoUsd {
        self.on_demand + self.spot
    }

    /// The kinds with their names, in the order of `summary.json`; they add up to the total.
    pub fn kinds(&self) -> [(&'static str, NanoUsd); 11] {
        let nodes = [
            (CapacityType::OnDemand.name(), self.on_demand),
            (CapacityType::Spot.name(), self.spot),
        ];
        let [a, b, c, d, e, f, g, h, i] = self.costs.other_kinds();
        [nodes[0], nodes[1], a, b, c, d, e, f, g, h, i]
    }

    /// Adds node cost of `capacity_type`.
    pub(crate) fn add_nodes(&mut self, capacity_type: CapacityType, cost: NanoUsd) {
        match capacity_type {
            CapacityType::OnDemand => self.on_demand += cost,
            CapacityType::Spot => self.spot += cost,
        }
    }
}

/// What a row of the ledger holds: node money by where it went, and the rest by kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// Instances, at on-demand or spot prices.
    pub nodes: Ledger,
    /// Block storage.
    pub storage: NanoUsd,
    /// Control plane.
    pub control_plane: NanoUsd,
    /// EMR.
    pub emr: NanoUsd,
    /// Traffic between zones.
    pub network: NanoUsd,
    /// NAT gateways.
    pub nat: NanoUsd,
    /// What commitments take off on-demand prices: zero or less.
    pub commitment_savings: NanoUsd,
    /// What was paid for commitments and not used.
    pub commitment_unused: NanoUsd,
    /// The discount on all of that: zero or less.
    pub discount: NanoUsd,
    /// Taxes on what is left.
    pub tax: NanoUsd,
}

impl Costs {
    /// What does not belong to the nodes, with names, in the order of `summary.json`.
    pub const fn other_kinds(&self) -> [(&'static str, NanoUsd); 9] {
        [
            ("storage", self.storage),
            ("control_plane", self.control_plane),
            ("emr", self.emr),
            ("network", self.network),
            ("nat", self.nat),
            ("commitment_savings", self.commitment_savings),
            ("commitment_unused", self.commitment_unused),
            ("discount", self.discount),
            ("tax", self.tax),
        ]
    }

    /// Everything.
    pub fn total(&self) -> NanoUsd {
        self.nodes.total() + self.other_kinds().into_iter().map(|(_, cost)| cost).sum()
    }
}

impl AddAssign<&Self> for Costs {
    fn add_assign(&mut self, other: &Self) {
        self.nodes.add(&other.nodes);
        self.storage += other.storage;
        self.control_plane += other.control_plane;
        self.emr += other.emr;
        self.network += other.network;
        self.nat += other.nat;
        self.commitment_savings += other.commitment_savings;
        self.commitment_unused += other.commitment_unused;
        self.discount += other.discount;
        self.tax += other.tax;
    }
}

/// What a commitment came to. `paid = unused + what covered instances cost after the discount`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct CommitmentTotal {
    /// Its name.
    pub name: String,
    /// What it covered, at on-demand prices.
    pub covered: NanoUsd,
    /// What it cost.
    pub paid: NanoUsd,
    /// Of that, what nobody used.
    pub unused: NanoUsd,
}

/// Where node money went. See `ledger.rs` for how a node's cost is split.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Ledger {
    /// Task and driver time of attempts that succeeded.
    pub useful: NanoUsd,
    /// Task time that was repeated after a loss, in attempts that succeeded.
    pub recompute: NanoUsd,
    /// Task and driver time of attempts that failed.
    pub failed_attempts: NanoUsd,
    /// Executors without a task.
    pub executor_idle: NanoUsd,
    /// Boot, image pull, JVM start.
    pub starting: NanoUsd,
    /// Kubelet, system and DaemonSets.
    pub reserved: NanoUsd,
    /// Pause pods.
    pub pause_pods: NanoUsd,
    /// Nobody asked for it.
    pub unallocated: NanoUsd,
}

impl Ledger {
    /// The kinds with their names, in the order of `summary.json`.
    pub const fn kinds(&self) -> [(&'static str, NanoUsd); 8] {
        [
            ("useful", self.useful),
            ("recompute", self.recompute),
            ("failed_attempts", self.failed_attempts),
            ("executor_idle", self.executor_idle),
            ("starting", self.starting),
            ("reserved", self.reserved),
            ("pause_pods", self.pause_pods),
            ("unallocated", self.unallocated),
        ]
    }

    /// The sum of all kinds.
    pub fn total(&self) -> NanoUsd {
        self.kinds().into_iter().map(|(_, cost)| cost).sum()
    }

    /// Adds each kind of `other`.
    pub fn add(&mut self, other: &Self) {
        self.useful += other.useful;
        self.recompute += other.recompute;
        self.failed_attempts += other.failed_attempts;
        self.executor_idle += other.executor_idle;
        self.starting += other.starting;
        self.reserved += other.reserved;
        self.pause_pods += other.pause_pods;
        self.unallocated += other.unallocated;
    }
}

/// What pods requested and used, times time.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct PodUse {
    /// Requested CPU.
    pub cpu_requested: CoreTime,
    /// Used CPU: of an executor its running tasks, of other pods what they request.
    pub cpu_used: CoreTime,
    /// The larger of the two, pod by pod.
    pub cpu_larger: CoreTime,
    /// Requested memory, in MiB times milliseconds. What pods use of it is not modelled: it counts
    /// as used.
    pub memory_mib_ms: u128,
}

/// Thousandths of a core times milliseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CoreTime(pub u128);

impl CoreTime {
    /// So many thousandths of a core for so long.
    pub fn of(milli: u64, time: SimDuration) -> Self {
        Self(u128::from(milli) * u128::from(time.as_millis()))
    }

    /// In core-seconds.
    pub fn as_core_seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl AddAssign<&Self> for PodUse {
    fn add_assign(&mut self, other: &Self) {
        self.cpu_requested.0 += other.cpu_requested.0;
        self.cpu_used.0 += other.cpu_used.0;
        self.cpu_larger.0 += other.cpu_larger.0;
        self.memory_mib_ms += other.memory_mib_ms;
    }
}
