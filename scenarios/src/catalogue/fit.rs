//! How many executors of one shape fit on a node of each instance type, what binds, what is
//! stranded and what an executor-hour costs; with the classic surprise in words (a 4-core executor
//! on a 4-vCPU node is never scheduled).
//!
//! Left out: pods of other kinds on the same node, custom resource profiles, GPUs, local disks.

mod notes;

use sim::scenario::{DaemonSets, InstanceType, MemoryOverheads};
use sim::units::{Bytes, HourlyPrice, MilliCores};

use super::{Catalogue, CatalogueError, Entry, Filter};

/// An executor's shape, and what else is on every node.
#[derive(Debug, Clone, PartialEq)]
pub struct FitQuestion {
    /// `spark.executor.cores`: task slots, and the CPU request where there is no other.
    pub cores: u32,
    /// `spark.kubernetes.executor.request.cores`.
    pub request_cores: Option<MilliCores>,
    /// `spark.executor.memory`.
    pub heap: Bytes,
    /// `spark.executor.memoryOverhead`; `None` = from the factor.
    pub memory_overhead: Option<Bytes>,
    /// Overhead factor, minimum, off-heap and Python memory.
    pub overheads: MemoryOverheads,
    /// Requests of the DaemonSets on every node.
    pub daemonsets: DaemonSets,
    /// Which instance types to look at.
    pub filter: Filter,
}

/// What keeps one more executor off the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// CPU requests.
    Cpu,
    /// Memory requests.
    Memory,
    /// Both at once.
    CpuAndMemory,
    /// The number of pods.
    Pods,
}

/// One instance type's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct FitRow {
    /// The instance type.
    pub name: String,
    /// vCPUs.
    pub vcpu: u32,
    /// Memory capacity.
    pub memory: Bytes,
    /// CPU that executors may request: allocatable less DaemonSets.
    pub free_cpu: MilliCores,
    /// Memory that executors may request: allocatable less DaemonSets.
    pub free_memory: Bytes,
    /// Executors on one node.
    pub executors: u32,
    /// What keeps the next one off.
    pub binds: Binding,
    /// CPU left over.
    pub stranded_cpu: MilliCores,
    /// Memory left over.
    pub stranded_memory: Bytes,
    /// The largest heap with which one executor fits on an empty node, in whole MiB.
    pub heap_max: Bytes,
    /// On-demand price, where it is known in the region.
    pub on_demand_price: Option<HourlyPrice>,
    /// Spot price, where it is known.
    pub spot_price: Option<HourlyPrice>,
}

impl FitRow {
    /// On-demand price of one executor-hour on a full node.
    pub fn on_demand_per_executor(&self) -> Option<HourlyPrice> {
        per_executor(self.on_demand_price?, self.executors)
    }

    /// Spot price of one executor-hour on a full node.
    pub fn spot_per_executor(&self) -> Option<HourlyPrice> {
        per_executor(self.spot_price?, self.executors)
    }
}

fn per_executor(price: HourlyPrice, executors: u32) -> Option<HourlyPrice> {
    let nano = price.as_nano().checked_div(u64::from(executors))?;
    Some(HourlyPrice::from_nano(nano))
}

/// The answer over all types asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct FitReport {
    /// The pod's CPU request.
    pub pod_cpu: MilliCores,
    /// The pod's memory request.
    pub pod_memory: Bytes,
    /// Types on which it fits, cheapest executor first (unknown prices last), then the others.
    pub rows: Vec<FitRow>,
    /// What is worth knowing, in sentences; see the module's documentation.
    pub notes: Vec<String>,
}

impl FitQuestion {
    /// An executor of a JVM application with Spark's default overheads, on nodes with the default
    /// DaemonSets, of any instance type.
    pub fn new(cores: u32, heap: Bytes) -> Self {
        Self {
            cores,
            request_cores: None,
            heap,
            memory_overhead: None,
            overheads: MemoryOverheads::default(),
            daemonsets: DaemonSets::default(),
            filter: Filter::default(),
        }
    }

    /// The executor's CPU request.
    pub fn pod_cpu(&self) -> MilliCores {
        self.request_cores.unwrap_or(MilliCores::cores(u64::from(self.cores)))
    }

    /// The executor's memory request; see [`MemoryOverheads::executor_container`].
    pub fn pod_memory(&self) -> Bytes {
        self.memory_of(self.heap, self.overheads.executor_factor)
    }

    fn memory_of(&self, heap: Bytes, executor_factor: f64) -> Bytes {
        let overheads = MemoryOverheads { executor_factor, ..self.overheads };
        overheads.executor_container(heap, self.memory_overhead)
    }

    /// The largest heap, in whole MiB, whose pod needs no more than `room`.
    fn heap_max(&self, room: Bytes, factor: f64) -> Bytes {
        let (mut fits, mut too_large) = (0, room.as_mib_floor() + 1);
        while too_large - fits > 1 {
            let middle = fits + (too_large - fits) / 2;
            if self.memory_of(Bytes::mib(middle), factor) <= room {
                fits = middle;
            } else {
                too_large = middle;
            }
        }
        Bytes::mib(fits)
    }
}

/// Answers `question` for the types of `catalogue` that its filter lets through, with prices of
/// `region`. A type without a price there is listed without one.
pub fn fit(catalogue: &Catalogue, region: &str, question: &FitQuestion) -> FitReport {
    let mut rows: Vec<FitRow> = catalogue
        .list(&question.filter)
        .into_iter()
        .map(|entry| row(catalogue, region, question, entry))
        .collect();
    rows.sort_by(|a, b| {
        let key = |row: &FitRow| {
            let price = row.on_demand_per_executor();
            (row.executors == 0, price.is_none(), price)
        };
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    });
    FitReport {
        pod_cpu: question.pod_cpu(),
        pod_memory: question.pod_memory(),
        notes: notes::write(catalogue, question, &rows),
        rows,
    }
}

fn row(catalogue: &Catalogue, region: &str, question: &FitQuestion, entry: &Entry) -> FitRow {
    let priced = catalogue.instance_type(&entry.name, region);
    let (on_demand_price, spot_price) = match &priced {
        Ok(InstanceType { on_demand_price, spot_price, .. }) => {
            (Some(*on_demand_price), *spot_price)
        }
        Err(CatalogueError::MissingPrice { .. } | CatalogueError::MissingFee { .. }) => {
            (None, None)
        }
        Err(CatalogueError::UnknownType { .. }) => unreachable!("the entry is the catalogue's own"),
    };
    let free_cpu = super::allocatable_cpu(entry.vcpu).saturating_sub(question.daemonsets.cpu);
    let allocatable = catalogue.allocatable_memory(entry);
    let free_memory = allocatable.saturating_sub(question.daemonsets.memory);
    let free_pods = entry.max_pods.saturating_sub(question.daemonsets.pods);
    let (cpu, memory) = (question.pod_cpu(), question.pod_memory());
    let by_cpu = how_many(free_cpu.as_millis(), cpu.as_millis());
    let by_memory = how_many(free_memory.as_u64(), memory.as_u64());
    let executors = by_cpu.min(by_memory).min(free_pods);
    let binds = if free_pods < by_cpu && free_pods < by_memory {
        Binding::Pods
    } else if by_cpu == by_memory {
        Binding::CpuAndMemory
    } else if by_cpu < by_memory {
        Binding::Cpu
    } else {
        Binding::Memory
    };
    FitRow {
        name: entry.name.clone(),
        vcpu: entry.vcpu,
        memory: entry.memory,
        free_cpu,
        free_memory,
        executors,
        binds,
        stranded_cpu: free_cpu.saturating_sub(cpu * u64::from(executors)),
        stranded_memory: free_memory.saturating_sub(memory * u64::from(executors)),
        heap_max: question.heap_max(free_memory, question.overheads.executor_factor),
        on_demand_price,
        spot_price,
    }
}

/// How many of `each` are in `room`; nothing asked for fits without end.
fn how_many(room: u64, each: u64) -> u32 {
    room.checked_div(each).map_or(u32::MAX, |count| u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find<'r>(report: &'r FitReport, name: &str) -> &'r FitRow {
        report.rows.iter().find(|row| row.name == name).unwrap()
    }

    #[test]
    fn four_cores_never_fit_on_four_vcpus() {
        let report = fit(&Catalogue::builtin(), "us-west-2", &FitQuestion::new(4, Bytes::gib(11)));
        assert_eq!(report.pod_memory, Bytes::mib(12_390));
        for row in report.rows.iter().filter(|row| row.vcpu == 4) {
            assert_eq!(row.executors, 0, "{}", row.name);
        }
        let m5 = find(&report, "m5.xlarge");
        assert_eq!(m5.binds, Binding::Cpu);
        assert_eq!(m5.free_cpu, MilliCores::new(3770));
        let m5 = find(&report, "m5.4xlarge");
        // 15,740m and about 57 GiB are free: three executors by CPU, four by memory.
        assert_eq!((m5.executors, m5.binds), (3, Binding::Cpu));
        assert_eq!(m5.stranded_cpu, MilliCores::new(15_740 - 12_000));
        let hourly = HourlyPrice::from_nano(256_000_000);
        assert_eq!(m5.on_demand_per_executor(), Some(hourly));
    }

    #[test]
    fn a_smaller_request_makes_it_fit() {
        let asks = FitQuestion {
            request_cores: Some(MilliCores::new(3400)),
            ..FitQuestion::new(4, Bytes::gib(11))
        };
        let report = fit(&Catalogue::builtin(), "us-west-2", &asks);
        let m5 = find(&report, "m5.xlarge");
        assert_eq!((m5.executors, m5.binds), (1, Binding::CpuAndMemory));
        assert_eq!(m5.stranded_memory, Bytes::mib(14_162 - 12_390));
    }

    #[test]
    fn the_largest_heap_fits_and_one_more_mib_does_not() {
        let asks = FitQuestion::new(1, Bytes::gib(1));
        for room in [400, 385, 2_000, 4_224, 14_162, 118_312].map(Bytes::mib) {
            let heap = asks.heap_max(room, 0.1);
            assert!(asks.memory_of(heap, 0.1) <= room);
            assert!(asks.memory_of(heap + Bytes::mib(1), 0.1) > room);
        }
        assert_eq!(asks.heap_max(Bytes::mib(100), 0.1), Bytes::ZERO);
    }

    #[test]
    fn rows_are_cheapest_first_and_a_zero_request_does_not_divide() {
        let report = fit(&Catalogue::builtin(), "us-east-1", &FitQuestion::new(0, Bytes::ZERO));
        assert_eq!(report.rows.len(), 1363);
        let prices: Vec<_> =
            report.rows.iter().filter_map(FitRow::on_demand_per_executor).collect();
        assert!(prices.is_sorted());
    }
}
