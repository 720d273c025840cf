//! `summary.json`: the totals of a simulation, in the shape that scripts read.
//!
//! Keys may be added, never renamed, and every key is always there: a quantile without samples is
//! 0, not null. The fields below are the keys, in the order of the file.
//!
//! Money is dollars to the nano-dollar. Inside it is an integer; in the file it is the shortest
//! number that reads back as the nearest double, which has all nine decimals exactly below one
//! million dollars, and sixteen digits above. The sums that a bill promises are checked on the
//! integers before anything is written: [`Imbalance`].

mod balance;
mod disruption;
mod owners;
mod replications;
mod waiting;

pub use balance::Imbalance;
pub use disruption::{DisruptionCounts, DisruptionPart};
pub use owners::OwnerPart;
pub use replications::numbers;
pub use waiting::{PodWaitsPart, WaitingPart, WaitingReason};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use sim::outcome::{Bill, CommitmentTotal, Outcome, Samples};
use sim::scenario::{Billing, CapacityType};
use sim::units::{NanoUsd, SimDuration, SimTime};
use sim::workload::Failure;

use crate::student_t::Estimate;

/// The value of the key `schema`.
pub const SCHEMA: &str = "seatrial.summary/v1";

/// The whole file.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The scenario's name.
    pub scenario: String,
    /// The root of all randomness.
    pub seed: u64,
    /// How many were run. All other keys but `replication_statistics` are those of the first.
    pub replications: u64,
    /// What was submitted.
    pub workload: WorkloadPart,
    /// How it ended.
    pub outcome: OutcomePart,
    /// How the runs of each team went.
    pub owners: Named<OwnerPart>,
    /// How long it took, in seconds.
    pub latency_s: LatencyPart,
    /// What pods waited for.
    pub waiting: WaitingPart,
    /// Waits of trace pods beside the recorded ones; only where the trace has such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_waits: Option<PodWaitsPart>,
    /// What it ran on.
    pub nodes: NodesPart,
    /// What Karpenter's disruption of nodes did; only where it disrupted any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disruption: Option<DisruptionPart>,
    /// How full the nodes were.
    pub utilization: UtilizationPart,
    /// What it cost, in dollars.
    pub cost_usd: CostPart,
    /// What the Kubernetes control plane had to hold.
    pub control_plane: ControlPlanePart,
    /// What the simulator did.
    pub engine: EnginePart,
    /// How far a backtest was off, where `run --scorecard` was given one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backtest: Option<BacktestPart>,
    /// Every number above over all replications, by its dotted path: mean and 95 % confidence
    /// interval. Only with two replications or more.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub replication_statistics: BTreeMap<String, Estimate>,
}

/// The headline of a backtest: errors of predictions against recordings, as shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BacktestPart {
    /// How many predictions.
    pub predictions: u64,
    /// Mean absolute error.
    pub mean_ape: f64,
    /// Median absolute error.
    pub median_ape: f64,
    /// 90th percentile of absolute errors.
    pub p90_ape: f64,
    /// Largest absolute error.
    pub worst_ape: f64,
    /// Mean signed error.
    pub bias: f64,
}

/// What was submitted.
#[derive(Debug, Clone, Serialize)]
pub struct WorkloadPart {
    /// Runs submitted.
    pub runs: u64,
    /// Attempts started.
    pub attempts: u64,
    /// Pods created, of every kind.
    pub pods: u64,
    /// First to last submission, in seconds.
    pub span_s: f64,
}

/// How runs ended: `runs = succeeded + failed + unfinished`.
#[derive(Debug, Clone, Serialize)]
pub struct OutcomePart {
    /// Runs that succeeded, at whichever attempt.
    pub succeeded: u64,
    /// Runs that failed for good.
    pub failed: u64,
    /// Runs that were on their way at the end.
    pub unfinished: u64,
    /// Attempts that failed, by cause; each cause is always there.
    pub failed_attempts_by_cause: Named<u64>,
    /// Plain pods of a pod trace.
    pub trace_pods: TracePodsPart,
}

/// Plain pods of a pod trace.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct TracePodsPart {
    /// Created.
    pub submitted: u64,
    /// Ran to their end.
    pub succeeded: u64,
    /// Pending, running or lost at the end.
    pub unfinished: u64,
    /// Of those, never bound to a node; `waiting.by_reason` says why.
    pub never_bound: u64,
}

/// Latencies, in seconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct LatencyPart {
    /// Pod created to bound.
    pub pod_scheduling_delay: Quantiles,
    /// Run submitted to its first driver running.
    pub run_queue_delay: Quantiles,
    /// Run submitted to its end, of runs that succeeded.
    pub run_duration: Quantiles,
}

/// Nearest-rank quantiles in seconds; all 0 without samples.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// Median.
    pub p50: f64,
    /// 90 %.
    pub p90: f64,
    /// 99 %.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Nodes.
#[derive(Debug, Clone, Serialize)]
pub struct NodesPart {
    /// Launched, those of the start included.
    pub launched: u64,
    /// Billed hours by capacity type.
    pub node_hours: CapacityHours,
    /// Most at one time.
    pub peak: u64,
    /// Spot nodes taken back.
    pub spot_interruptions: u64,
    /// Bytes that executors of one application fetched from other zones.
    pub cross_zone_bytes: u64,
}

/// Billed node-hours by capacity type.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CapacityHours {
    /// On-demand.
    pub on_demand: f64,
    /// Spot.
    pub spot: f64,
}

/// Requested over allocatable, over all node time: 0 to 1.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct UtilizationPart {
    /// CPU.
    pub cpu: f64,
    /// Memory.
    pub memory: f64,
}

/// The bill.
#[derive(Debug, Clone, Serialize)]
pub struct CostPart {
    /// Everything.
    pub total: Usd,
    /// By kind; adds up to `total`.
    pub by_kind: Named<Usd>,
    /// Instances by node pool; adds up to the node part, `on_demand + spot`.
    pub by_pool: Named<Usd>,
    /// By team; `(shared)` is what belongs to nobody. Adds up to `total`.
    pub by_team: Named<Usd>,
    /// Where the node part went; adds up to it.
    pub ledger: Named<Usd>,
    /// Reserved instances and savings plans; only where there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<CommitmentPart>,
    /// What was agreed about the bill, and how reports split what is shared.
    pub terms: TermsPart,
}

/// Terms of the bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TermsPart {
    /// Rule by which reports split what belongs to nobody.
    pub shared_split: &'static str,
    /// IANA name of the zone in which reports begin days and months.
    pub timezone: String,
    /// Taken off everything.
    pub discount: f64,
    /// Put on what is left.
    pub tax: f64,
}

impl TermsPart {
    fn of(terms: &Billing) -> Self {
        Self {
            shared_split: terms.shared_split.name(),
            timezone: terms.timezone.clone(),
            discount: f64::from(terms.discount_ppm) / 1e6,
            tax: f64::from(terms.tax_ppm) / 1e6,
        }
    }
}

/// What a commitment came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CommitmentPart {
    /// Its name.
    pub name: String,
    /// What it covered, at on-demand prices.
    pub covered: Usd,
    /// What it cost.
    pub paid: Usd,
    /// Of that, what nobody used.
    pub unused: Usd,
}

impl CommitmentPart {
    fn of(total: &CommitmentTotal) -> Self {
        Self {
            name: total.name.clone(),
            covered: Usd(total.covered),
            paid: Usd(total.paid),
            unused: Usd(total.unused),
        }
    }
}

/// The Kubernetes control plane.
#[derive(Debug, Clone, Serialize)]
pub struct ControlPlanePart {
    /// Most event objects alive at one time.
    pub event_objects_peak: u64,
    /// Most pod objects alive at one time.
    pub pods_peak: u64,
    /// Bytes in etcd in its fullest minute, revisions that are not compacted included.
    pub etcd_bytes_peak: u64,
    /// The same as a share of etcd's quota: above 1, the cluster would be read-only.
    pub etcd_quota_share: f64,
    /// The end of that minute, in seconds from the start.
    pub etcd_peak_s: f64,
    /// Event objects alive in that minute, by reason; each reason is always there.
    pub events_at_etcd_peak: Named<u64>,
}

/// The simulator itself.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct EnginePart {
    /// Events taken from the calendar.
    pub events: u64,
    /// Tasks that ran, every attempt of them.
    pub tasks: u64,
}

/// Dollars in output; whole nano-dollars inside.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(pub NanoUsd);

impl Usd {
    /// Dollars.
    pub fn as_f64(self) -> f64 {
        self.0.as_usd_f64()
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_f64())
    }
}

/// Values by name, in their own order; in files a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<T: Copy + Default> Named<T> {
    /// The value called `name`; the default if there is none.
    pub fn get(&self, name: &str) -> T {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or_else(T::default, |(_, value)| *value)
    }
}

impl Summary {
    /// The summary of one replication.
    ///
    /// # Errors
    /// If the outcome's sums do not add up, which is a bug of the engine and is said as such.
    pub fn of(outcome: &Outcome, seed: u64) -> Result<Self, Imbalance> {
        balance::check(outcome)?;
        let (on_demand, spot) = outcome.node_time;
        let causes = Failure::ALL.into_iter();
        Ok(Self {
            schema: SCHEMA,
            scenario: outcome.scenario.clone(),
            seed,
            replications: 1,
            workload: WorkloadPart {
                runs: outcome.runs,
                attempts: outcome.attempts,
                pods: outcome.pods,
                span_s: outcome.span.as_secs_f64(),
            },
            outcome: OutcomePart {
                succeeded: outcome.succeeded,
                failed: outcome.failed,
                unfinished: outcome.unfinished,
                failed_attempts_by_cause: Named(
                    causes
                        .map(|cause| (cause.name().to_owned(), outcome.failed_attempts.get(cause)))
                        .collect(),
                ),
                trace_pods: TracePodsPart {
                    submitted: outcome.trace_pods,
                    succeeded: outcome.trace_pods_succeeded,
                    unfinished: outcome.trace_pods_unfinished,
                    never_bound: outcome
                        .waiting_reasons
                        .iter()
                        .map(|total| total.trace_pods_never_bound)
                        .sum(),
                },
            },
            owners: owners::of(outcome),
            latency_s: LatencyPart {
                pod_scheduling_delay: quantiles(&outcome.pod_scheduling_delay),
                run_queue_delay: quantiles(&outcome.run_queue_delay),
                run_duration: quantiles(&outcome.run_duration),
            },
            waiting: WaitingPart::of(outcome),
            pod_waits: PodWaitsPart::of(&outcome.pod_waits),
            nodes: NodesPart {
                launched: outcome.nodes_launched,
                node_hours: CapacityHours { on_demand: hours(on_demand), spot: hours(spot) },
                peak: outcome.nodes_peak,
                spot_interruptions: outcome.spot_interruptions,
                cross_zone_bytes: outcome.cross_zone_bytes.as_u64(),
            },
            disruption: DisruptionPart::of(outcome),
            utilization: UtilizationPart {
                cpu: share(outcome.cpu_utilization),
                memory: share(outcome.memory_utilization),
            },
            cost_usd: cost(&outcome.cost),
            control_plane: control_plane(outcome),
            engine: EnginePart { events: outcome.events, tasks: outcome.tasks },
            backtest: None,
            replication_statistics: BTreeMap::new(),
        })
    }

    /// The node part of the bill.
    pub fn node_cost(&self) -> Usd {
        let by_kind = &self.cost_usd.by_kind;
        let nodes = [CapacityType::OnDemand, CapacityType::Spot];
        Usd(nodes.into_iter().map(|kind| by_kind.get(kind.name()).0).sum())
    }

    /// The text of `summary.json`: indented, with a line end at its end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("a summary holds only strings, numbers and maps with string keys");
        text.push('\n');
        text
    }
}

fn control_plane(outcome: &Outcome) -> ControlPlanePart {
    let load = &outcome.control_plane;
    let (bytes, quota) = (load.etcd_bytes_peak.as_u64(), load.etcd_quota.as_u64());
    let events = load.events.iter();
    ControlPlanePart {
        event_objects_peak: outcome.event_objects_peak,
        pods_peak: outcome.pods_peak,
        etcd_bytes_peak: bytes,
        etcd_quota_share: share(bytes as f64 / quota as f64),
        etcd_peak_s: load.at.since(SimTime::ZERO).as_secs_f64(),
        events_at_etcd_peak: Named(
            events.map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
        ),
    }
}

fn cost(bill: &Bill) -> CostPart {
    let owned = |parts: &[(&str, NanoUsd)]| {
        let parts = parts.iter();
        Named(parts.map(|(name, cost)| ((*name).to_owned(), Usd(*cost))).collect())
    };
    CostPart {
        total: Usd(bill.total()),
        by_kind: owned(&bill.kinds()),
        by_pool: merged(&bill.by_pool),
        by_team: merged(&bill.by_team),
        ledger: owned(&bill.costs.nodes.kinds()),
        commitments: bill.commitments.iter().map(CommitmentPart::of).collect(),
        terms: TermsPart::of(&bill.terms),
    }
}

/// A map has one entry a name: a team that is really called `(shared)` must not hide the other.
fn merged(parts: &[(String, NanoUsd)]) -> Named<Usd> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut merged: Vec<(String, Usd)> = Vec::with_capacity(parts.len());
    for (name, cost) in parts {
        let place = *places.entry(name).or_insert(merged.len());
        match merged.get_mut(place) {
            Some((_, sum)) => sum.0 += *cost,
            None => merged.push((name.clone(), Usd(*cost))),
        }
    }
    Named(merged)
}

fn quantiles(samples: &Samples) -> Quantiles {
    match samples.quantiles([0.5, 0.9, 0.99, 1.0]) {
        None => Quantiles::default(),
        Some(values) => {
            let [p50, p90, p99, max] = values.map(SimDuration::as_secs_f64);
            Quantiles { p50, p90, p99, max }
        }
    }
}

fn hours(time: SimDuration) -> f64 {
    (time.as_secs_f64() / 3600.0 * 1e6).round() / 1e6
}

/// Six decimals; 0 where nothing was measured.
fn share(value: f64) -> f64 {
    if value.is_finite() { (value * 1e6).round() / 1e6 } else { 0.0 }
}

#[cfg(test)]
pub(crate) mod tests;
