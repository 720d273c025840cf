//! Which executor shapes tile an instance type: all of them, with what each leaves stranded.
//!
//! For every number of cores, as many executors as their requests allow; and, where one more fits by
//! vCPUs, the request that makes room for it (`spark.kubernetes.executor.request.cores` below
//! `spark.executor.cores`: the node keeps some CPU for itself, so that four times four cores never fit
//! into sixteen). Each executor has the largest heap, in whole GiB, that its part of the memory holds.
//!
//! Left out: pods of other kinds on the same node, shapes mixed on a node, fewer executors than fit.

use sim::scenario::{DaemonSets, MemoryOverheads};
use sim::units::{Bytes, HourlyPrice, MilliCores};

use super::{Catalogue, Filter, allocatable_cpu};

/// A shape on an instance type.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    /// The instance type.
    pub instance_type: String,
    /// `spark.executor.cores`.
    pub cores: u32,
    /// `spark.kubernetes.executor.request.cores`; `None` = the cores.
    pub request: Option<MilliCores>,
    /// Executors on a node.
    pub executors: u32,
    /// `spark.executor.memory`.
    pub heap: Bytes,
    /// The pod's memory.
    pub container: Bytes,
    /// CPU that nobody can ask for.
    pub stranded_cpu: MilliCores,
    /// Memory that nobody asks for.
    pub stranded_memory: Bytes,
    /// On-demand price of a node, where it is known.
    pub price: Option<HourlyPrice>,
}

impl Tile {
    /// Task slots of a node.
    pub const fn slots(&self) -> u32 {
        self.cores * self.executors
    }

    /// Dollars an hour for each task slot.
    pub fn usd_per_slot(&self) -> Option<f64> {
        Some(self.price?.as_usd_f64() / f64::from(self.slots()))
    }

    /// Heap for each task slot.
    pub fn heap_per_slot(&self) -> Bytes {
        Bytes::new(self.heap.as_u64() / u64::from(self.cores))
    }
}

/// Every shape of the types that `filter` lets through, the cheapest slots first, of those the ones
/// with most heap.
pub fn tiles(
    catalogue: &Catalogue,
    region: &str,
    filter: &Filter,
    (daemonsets, overheads): (&DaemonSets, &MemoryOverheads),
) -> Vec<Tile> {
    let mut tiles = Vec::new();
    for entry in catalogue.list(filter) {
        let priced = catalogue.instance_type(&entry.name, region).ok();
        let price = priced.map(|priced| priced.on_demand_price);
        let cpu = allocatable_cpu(entry.vcpu).saturating_sub(daemonsets.cpu);
        let memory = catalogue.allocatable_memory(entry).saturating_sub(daemonsets.memory);
        let pods = entry.max_pods.saturating_sub(daemonsets.pods);
        for cores in 1..=entry.vcpu {
            let plain = (cpu.as_millis() / (u64::from(cores) * 1000)) as u32;
            let lowered = entry.vcpu / cores;
            let ways = [(plain, None), (lowered, Some(lower(cpu, lowered)))];
            for (executors, request) in ways {
                if executors == 0 || executors > pods || (request.is_some() && lowered == plain) {
                    continue;
                }
                let part = Bytes::new(memory.as_u64() / u64::from(executors));
                let Some((heap, container)) = largest_heap(part, overheads) else { continue };
                let asked = request.unwrap_or(MilliCores::cores(u64::from(cores)));
                let used = MilliCores::new(asked.as_millis() * u64::from(executors));
                tiles.push(Tile {
                    instance_type: entry.name.clone(),
                    cores,
                    request,
                    executors,
                    heap,
                    container,
                    stranded_cpu: cpu.saturating_sub(used),
                    stranded_memory: Bytes::new(
                        memory.as_u64() - container.as_u64() * u64::from(executors),
                    ),
                    price,
                });
            }
        }
    }
    let key = |tile: &Tile| (tile.usd_per_slot().unwrap_or(f64::INFINITY), tile.heap_per_slot());
    tiles.sort_by(|a, b| {
        let ((x, more), (y, less)) = (key(a), key(b));
        let name = || a.instance_type.cmp(&b.instance_type).then(a.cores.cmp(&b.cores));
        x.total_cmp(&y).then(less.cmp(&more)).then_with(name)
    });
    tiles
}

/// The request with which so many executors fit, in hundredths of a core.
fn lower(cpu: MilliCores, executors: u32) -> MilliCores {
    MilliCores::new(cpu.as_millis() / u64::from(executors.max(1)) / 10 * 10)
}

/// The largest heap in whole GiB whose container needs no more than `room`, and that container.
fn largest_heap(room: Bytes, overheads: &MemoryOverheads) -> Option<(Bytes, Bytes)> {
    let whole = room.as_u64() >> 30;
    (1..=whole).rev().find_map(|gib| {
        let heap = Bytes::gib(gib);
        let container = overheads.executor_container(heap, None);
        (container <= room).then_some((heap, container))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Vec<Tile> {
        let filter = Filter { names: vec![name.to_owned()], ..Filter::default() };
        let around = (&DaemonSets::default(), &MemoryOverheads::default());
        tiles(&Catalogue::builtin(), "us-west-2", &filter, around)
    }

    /// r5.4xlarge: 15,890 of 16,000 millicores and 118,312 MiB are for pods; DaemonSets take 150m.
    #[test]
    fn a_lower_request_makes_room_for_one_more() {
        let tiles = of("r5.4xlarge");
        let find = |cores, lowered| {
            let mut found = tiles.iter().filter(|tile| tile.cores == cores);
            found.find(|tile| tile.request.is_some() == lowered).cloned()
        };
        let plain = find(4, false).unwrap();
        assert_eq!((plain.executors, plain.slots()), (3, 12));
        // A third of 118,312 MiB is 38.5 GiB: 35 of heap and a tenth.
        assert_eq!((plain.heap, plain.container), (Bytes::gib(35), Bytes::mib(39_424)));
        assert_eq!(plain.stranded_cpu, MilliCores::new(3740));
        let lowered = find(4, true).unwrap();
        assert_eq!((lowered.executors, lowered.request), (4, Some(MilliCores::new(3930))));
        assert!(lowered.stranded_cpu < MilliCores::new(50));
        // Five cores go three times into either.
        assert!(find(5, true).is_none() && find(5, false).is_some());
        assert!(find(16, true).is_some() && find(16, false).is_none(), "the classic surprise");
    }

    #[test]
    fn every_tile_fits_and_is_as_large_as_it_can_be() {
        for name in ["m5.xlarge", "c5.9xlarge", "m6g.4xlarge"] {
            let entry = Catalogue::builtin().entry(name).unwrap().clone();
            let memory = Catalogue::builtin().allocatable_memory(&entry);
            for tile in of(name) {
                let all = tile.container.as_u64() * u64::from(tile.executors);
                assert_eq!(all + tile.stranded_memory.as_u64(), memory.as_u64());
                let larger = MemoryOverheads::default()
                    .executor_container(tile.heap.saturating_add(Bytes::gib(1)), None);
                assert!(larger.as_u64() * u64::from(tile.executors) > memory.as_u64());
            }
        }
    }
}
