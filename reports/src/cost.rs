//! The cost report: who spent what in which period, read from a result's ledger.
//!
//! Rows of the ledger are added up by the dimensions and periods that are asked for, as integers, so
//! that every report adds up to the bill. What belongs to nobody is split among owners in each
//! period by a rule ([`SharedSplit`]): by what their pods requested, by the larger of what they
//! requested and used (as OpenCost values allocations), evenly, or not at all. CPU and memory weigh
//! by OpenCost's default prices, as in the ledger itself.
//!
//! Leaves out: other replications than the first; splitting by the hour (a period's shared cost is
//! split by that whole period).

mod calendar;
mod forecast;
mod grid;
mod opencost;
mod read;
mod split;

pub use calendar::{Period, PeriodSpan, zone};
pub use forecast::{Forecast, Growth};
pub use grid::{summary_lines, table};
pub use opencost::allocations;
pub use read::{read, read_all};

use std::collections::BTreeMap;

use serde_json::Value;
use sim::scenario::SharedSplit;

/// What costs are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// The run's owner.
    Team,
    /// The run's application.
    Application,
    /// The run, by its id.
    Run,
    /// Node pool.
    Pool,
    /// Instance type.
    InstanceType,
    /// Zone.
    Zone,
    /// On-demand or spot.
    CapacityType,
    /// Kind of cost.
    Kind,
}

impl Dimension {
    /// Every dimension, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Team,
        Self::Application,
        Self::Run,
        Self::Pool,
        Self::InstanceType,
        Self::Zone,
        Self::CapacityType,
        Self::Kind,
    ];

    /// The name on the command line.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::InstanceType => "instance-type",
            Self::CapacityType => "capacity-type",
            other => other.name(),
        }
    }

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Application => "application",
            Self::Run => "run",
            Self::Pool => "pool",
            Self::InstanceType => "instance_type",
            Self::Zone => "zone",
            Self::CapacityType => "capacity_type",
            Self::Kind => "kind",
        }
    }

    /// Whether it says whose something is.
    const fn is_owner(self) -> bool {
        matches!(self, Self::Team | Self::Application | Self::Run)
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Query {
    /// By what; not empty.
    pub by: Vec<Dimension>,
    /// Length of a period.
    pub period: Period,
    /// What to do with what belongs to nobody.
    pub split: SharedSplit,
    /// Where days begin.
    pub timezone: jiff::tz::TimeZone,
}

/// What a result's summary says about how its cost is to be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The scenario's name.
    pub scenario: String,
    /// What to do with what belongs to nobody.
    pub split: SharedSplit,
    /// IANA name of the zone where days begin.
    pub timezone: String,
}

impl Terms {
    /// Those of a `summary.json`.
    pub fn of(summary: &Value) -> Self {
        let terms = &summary["cost_usd"]["terms"];
        let split = terms["shared_split"].as_str().and_then(SharedSplit::named);
        Self {
            scenario: summary["scenario"].as_str().unwrap_or_default().to_owned(),
            split: split.unwrap_or_default(),
            timezone: terms["timezone"].as_str().unwrap_or("UTC").to_owned(),
        }
    }
}

/// Kinds of cost, in the order of the ledger's columns.
pub const KINDS: [&str; 17] = [
    "useful",
    "recompute",
    "failed_attempts",
    "executor_idle",
    "starting",
    "reserved",
    "pause_pods",
    "unallocated",
    "storage",
    "control_plane",
    "emr",
    "network",
    "nat",
    "commitment_savings",
    "commitment_unused",
    "discount",
    "tax",
];

/// The first so many of [`KINDS`] are node money, by where it went.
pub const NODE_KINDS: usize = 8;

/// Places in [`KINDS`] of what a better configuration could save: recompute, failed attempts, idle
/// executors, starting, pause pods, unallocated, unused commitments.
pub const WASTE: [usize; 7] = [1, 2, 3, 4, 6, 7, 14];

/// Money and use of one group in one period.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Nano-dollars by kind, in the order of [`KINDS`].
    pub kinds: [i64; KINDS.len()],
    /// Of that, the part of what belongs to nobody.
    pub shared: [i64; KINDS.len()],
    /// Core-seconds requested, used, and the larger of the two.
    pub cpu: [f64; 3],
    /// GiB-seconds requested.
    pub memory: f64,
}

impl Cell {
    /// Everything, in nano-dollars.
    pub fn total(&self) -> i64 {
        self.kinds.iter().sum()
    }

    /// The part of what belongs to nobody, in nano-dollars.
    pub fn shared_total(&self) -> i64 {
        self.shared.iter().sum()
    }

    /// What a better configuration could save, in nano-dollars.
    pub fn waste(&self) -> i64 {
        WASTE.iter().map(|place| self.kinds[*place]).sum()
    }

    /// Adds `other`.
    pub fn add(&mut self, other: &Self) {
        self.kinds.iter_mut().zip(other.kinds).for_each(|(sum, own)| *sum += own);
        self.shared.iter_mut().zip(other.shared).for_each(|(sum, own)| *sum += own);
        self.cpu.iter_mut().zip(other.cpu).for_each(|(sum, own)| *sum += own);
        self.memory += other.memory;
    }
}

/// A group: a name by dimension; `None` where the dimension does not say anything of it.
pub type Key = Vec<Option<String>>;

/// The report.
#[derive(Debug, Clone)]
pub struct Costs {
    /// By what.
    pub by: Vec<Dimension>,
    /// The rule that shared cost was split by.
    pub split: SharedSplit,
    /// Periods, in order of time.
    pub periods: Vec<PeriodSpan>,
    /// By group and place of the period.
    pub groups: BTreeMap<Key, BTreeMap<usize, Cell>>,
}

impl Costs {
    /// Everything in a period.
    pub fn of_period(&self, period: usize) -> Cell {
        let mut sum = Cell::default();
        for cells in self.groups.values() {
            cells.get(&period).into_iter().for_each(|cell| sum.add(cell));
        }
        sum
    }

    /// A group over all periods.
    pub fn of_group(&self, key: &Key) -> Cell {
        let mut sum = Cell::default();
        for cell in self.groups.get(key).into_iter().flat_map(BTreeMap::values) {
            sum.add(cell);
        }
        sum
    }

    /// Everything.
    pub fn total(&self) -> Cell {
        let mut sum = Cell::default();
        self.groups.values().flat_map(BTreeMap::values).for_each(|cell| sum.add(cell));
        sum
    }

    /// Groups, the dearest first.
    pub fn dearest(&self) -> Vec<(&Key, Cell)> {
        let mut groups: Vec<(&Key, Cell)> =
            self.groups.keys().map(|key| (key, self.of_group(key))).collect();
        groups.sort_by(|(a, x), (b, y)| y.total().cmp(&x.total()).then_with(|| a.cmp(b)));
        groups
    }
}

#[cfg(test)]
mod tests;
