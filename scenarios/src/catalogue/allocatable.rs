//! What pods may request on a node, from the instance type's shape alone.
//!
//! The EKS formulas are Karpenter's estimate for Amazon Linux 2023, checked against all 1,363 rows
//! of its published table (2026-07-11): memory to the MiB, CPU within a thousandth of a core.
//!
//! Left out: the kubelet's settings in a node group's own user data (`kubeReserved`,
//! `evictionHard`, `maxPods`), and what the operating system really keeps on a type: Karpenter's
//! 7.5 % is an estimate on the safe side, and live nodes usually have more memory than it says
//! (one fleet measured 1.7 to 5.3 %).

use sim::units::{Bytes, MilliCores};

/// Karpenter's `VM_MEMORY_OVERHEAD_PERCENT`.
/// Source: aws/karpenter-provider-aws, `vm-memory-overhead-percent` 0.075.
pub const DEFAULT_VM_MEMORY_OVERHEAD: f64 = 0.075;

/// CPU that pods may request: the kubelet keeps 6 % of the first core, 1 % of the second, 0.5 % of
/// the third and fourth, 0.25 % of every further one (rounded up to a thousandth of a core).
pub fn allocatable_cpu(vcpu: u32) -> MilliCores {
    let vcpu = u64::from(vcpu);
    let reserved_tenths = match vcpu {
        0 => 0,
        1 => 600,
        2 => 700,
        3 | 4 => 700 + (vcpu - 2) * 50,
        _ => 800 + (vcpu - 4) * 25,
    };
    MilliCores::new((vcpu * 1000).saturating_sub(u64::div_ceil(reserved_tenths, 10)))
}

/// Memory that pods may request.
///
/// `m = capacity - 64 MiB (arm64 only)`; of it goes `vm_overhead` (rounded up), then the kubelet's
/// `11 MiB * max_pods + 255 MiB`, then the eviction threshold of 100 MiB.
pub fn allocatable_memory(capacity: Bytes, arm: bool, max_pods: u32, vm_overhead: f64) -> Bytes {
    let firmware = if arm { 64 } else { 0 };
    let visible = capacity.as_mib_floor().saturating_sub(firmware);
    let overhead = (visible as f64 * vm_overhead).ceil() as u64;
    let kubelet = 11 * u64::from(max_pods) + 255;
    let eviction = 100;
    Bytes::mib(visible.saturating_sub(overhead + kubelet + eviction))
}

/// Memory that pods may request where the kubelet's share grows with the node in tiers, as on GKE
/// and AKS: 25 % of the first 4 GiB, 20 % of the next 4, 10 % of the next 8, 6 % of the next 112,
/// 2 % above, and the eviction threshold of 100 MiB.
///
/// Source: Google, "Plan GKE Standard node sizes", memory and CPU reservations.
pub fn tiered_allocatable_memory(capacity: Bytes) -> Bytes {
    const TIERS_MIB: [(u64, u64); 4] =
        [(4 << 10, 25), (4 << 10, 20), (8 << 10, 10), (112 << 10, 6)];
    let mut rest = capacity.as_mib_floor();
    let mut reserved_percent_mib = 0;
    for (size, percent) in TIERS_MIB {
        let part = rest.min(size);
        reserved_percent_mib += part * percent;
        rest -= part;
    }
    reserved_percent_mib += rest * 2;
    let reserved = reserved_percent_mib.div_ceil(100) + 100;
    capacity.saturating_sub(Bytes::mib(reserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_nodes() {
        let check = |vcpu, gib, arm, pods, cpu, mib| {
            assert_eq!(allocatable_cpu(vcpu), MilliCores::new(cpu));
            let memory = allocatable_memory(Bytes::gib(gib), arm, pods, 0.075);
            assert_eq!(memory, Bytes::mib(mib));
        };
        check(4, 16, false, 58, 3920, 14_162);
        check(16, 128, false, 234, 15_890, 118_312);
        check(16, 64, true, 234, 15_890, 57_632);
        check(96, 384, false, 737, 95_690, 355_262);
    }

    #[test]
    fn the_whole_published_table() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/data/traces/catalogue/aws_instance_catalogue.csv"
        );
        let Ok(mut table) = csv::Reader::from_path(path) else {
            eprintln!("skipped: no {path}");
            return;
        };
        let header = table.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|h| h == name).unwrap();
        let [vcpu, memory, cpu_m, memory_mib, arch, pods] = [
            "vcpu",
            "memory_mib",
            "allocatable_cpu_m",
            "allocatable_memory_mib",
            "arch",
            "max_pods",
        ]
        .map(column);
        let mut rows = 0;
        for row in table.records() {
            let row = row.unwrap();
            let number = |place: usize| row[place].parse::<u64>().unwrap();
            let cpu = allocatable_cpu(number(vcpu) as u32).as_millis();
            assert!(cpu.abs_diff(number(cpu_m)) <= 1, "{row:?}");
            let arm = &row[arch] == "arm64";
            let pods = number(pods) as u32;
            let computed = allocatable_memory(Bytes::mib(number(memory)), arm, pods, 0.075);
            assert_eq!(computed, Bytes::mib(number(memory_mib)), "{row:?}");
            rows += 1;
        }
        assert_eq!(rows, 1363);
    }

    #[test]
    fn tiny_nodes_have_nothing_left_instead_of_a_panic() {
        assert_eq!(allocatable_memory(Bytes::mib(300), true, 4, 0.075), Bytes::ZERO);
        assert_eq!(allocatable_cpu(0), MilliCores::ZERO);
        assert_eq!(tiered_allocatable_memory(Bytes::mib(10)), Bytes::ZERO);
    }

    #[test]
    fn tiers() {
        // 16 GiB: 1024 + 819.2 + 819.2 MiB, rounded up, and 100 MiB.
        let expected = Bytes::mib(16_384 - 2_663 - 100);
        assert_eq!(tiered_allocatable_memory(Bytes::gib(16)), expected);
    }
}
