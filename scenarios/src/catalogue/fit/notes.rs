//! The sentences of a fit report: why an executor with as many cores as the node has vCPUs never
//! gets one, and what its memory does under three ways of counting what a node has left.
//!
//! Talks on Spark on Kubernetes tell it as "on 16 GB, 4-core nodes neither `cores=4` nor
//! `memory=11g` ever gets an executor", with 5 % kept by the system and 10 % by DaemonSets. The
//! first is true everywhere. The second is not, by those numbers: it depends on how much memory
//! the provider keeps and on the overhead factor, so that each assumption is shown with its
//! result.

use sim::units::{Bytes, MilliCores};

use super::{FitQuestion, FitRow};
use crate::catalogue::{Catalogue, Entry, Filter, allocatable_cpu, tiered_allocatable_memory};

/// Spark's overhead factor for Python and R applications on Kubernetes. Source: facts-spark A4.
const NON_JVM_FACTOR: f64 = 0.4;

pub(super) fn write(catalogue: &Catalogue, asks: &FitQuestion, rows: &[FitRow]) -> Vec<String> {
    let fitting = rows.iter().filter(|row| row.executors > 0).count();
    let mut notes = vec![format!(
        "an executor asks {} CPU and {} MiB; it fits on {fitting} of {} instance types",
        asks.pod_cpu(),
        asks.pod_memory().as_mib_ceil(),
        rows.len(),
    )];
    if let Some(entry) = same_cores(catalogue, asks) {
        notes.push(about_cpu(asks, entry));
        notes.push(about_memory(catalogue, asks, entry));
    }
    notes
}

/// The type that people picture: as many vCPUs as the executor has cores, 4 GiB each; otherwise
/// any with as many vCPUs.
fn same_cores<'c>(catalogue: &'c Catalogue, asks: &FitQuestion) -> Option<&'c Entry> {
    let all =
        Filter { vcpu_min: Some(asks.cores), vcpu_max: Some(asks.cores), ..asks.filter.clone() };
    let types = catalogue.list(&all);
    let usual = Bytes::gib(4 * u64::from(asks.cores));
    let rank = |entry: &Entry| (entry.memory != usual, entry.gpus > 0, entry.family() != "m5");
    types.into_iter().min_by_key(|entry| rank(entry))
}

fn about_cpu(asks: &FitQuestion, entry: &Entry) -> String {
    let allocatable = allocatable_cpu(entry.vcpu);
    let free = allocatable.saturating_sub(asks.daemonsets.cpu);
    let shape = format!(
        "{}: {} vCPU, {} allocatable, less {} for DaemonSets = {}",
        entry.name, entry.vcpu, allocatable, asks.daemonsets.cpu, free
    );
    if asks.pod_cpu() <= free {
        return format!("{shape}: an executor that asks {} fits", asks.pod_cpu());
    }
    let cautious = MilliCores::new(u64::from(entry.vcpu) * 850);
    format!(
        "{shape}: an executor that asks {} never fits, however many such nodes there are; keep \
         spark.executor.cores={} for the task slots and ask for less: \
         spark.kubernetes.executor.request.cores={} fits here, {} by the rule of thumb that 15 % \
         go to the system and DaemonSets",
        asks.pod_cpu(),
        asks.cores,
        free,
        millis(cautious),
    )
}

fn about_memory(catalogue: &Catalogue, asks: &FitQuestion, entry: &Entry) -> String {
    let capacity = entry.memory;
    let daemonsets = asks.daemonsets.memory;
    let tenth = Bytes::new(capacity.as_u64() / 10);
    let models = [
        (
            format!("EKS formula less DaemonSets of {} MiB", daemonsets.as_mib_ceil()),
            catalogue.allocatable_memory(entry).saturating_sub(daemonsets),
        ),
        (
            "rule of thumb, 5 % system and 10 % DaemonSets".to_owned(),
            Bytes::new(capacity.as_u64() / 100 * 85),
        ),
        (
            "tiered reservation of GKE and AKS, 10 % DaemonSets".to_owned(),
            tiered_allocatable_memory(capacity).saturating_sub(tenth),
        ),
    ];
    let factor = asks.overheads.executor_factor;
    let verdicts = models.map(|(model, room)| {
        let says = |factor| {
            let asked = asks.memory_of(asks.heap, factor);
            if asked <= room { "fits" } else { "never fits" }
        };
        format!(
            "{model}: {} MiB left, it {} (largest heap {} MiB); as PySpark it {} (largest {} MiB)",
            room.as_mib_floor(),
            says(factor),
            asks.heap_max(room, factor).as_mib_floor(),
            says(NON_JVM_FACTOR.max(factor)),
            asks.heap_max(room, NON_JVM_FACTOR.max(factor)).as_mib_floor(),
        )
    });
    let python = asks.memory_of(asks.heap, NON_JVM_FACTOR.max(factor));
    format!(
        "{} with {} MiB: a heap of {} MiB makes a pod of {} MiB ({} MiB with the overhead factor \
         of PySpark, {NON_JVM_FACTOR}). {}",
        entry.name,
        capacity.as_mib_floor(),
        asks.heap.as_mib_floor(),
        asks.pod_memory().as_mib_ceil(),
        python.as_mib_ceil(),
        verdicts.join(". "),
    )
}

/// Always in thousandths, the way the setting is usually written.
fn millis(cpu: MilliCores) -> String {
    format!("{}m", cpu.as_millis())
}

#[cfg(test)]
mod tests {
    use super::super::fit;
    use super::*;

    #[test]
    fn the_surprise_is_explained_with_each_assumption() {
        let report = fit(&Catalogue::builtin(), "us-west-2", &FitQuestion::new(4, Bytes::gib(11)));
        let [_, cpu, memory] = &report.notes[..] else {
            panic!("{:?}", report.notes);
        };
        assert!(cpu.starts_with("m5.xlarge: 4 vCPU, 3920m allocatable, less 150m"), "{cpu}");
        assert!(cpu.contains("never fits") && cpu.contains("request.cores=3770m fits here, 3400m"));
        assert!(memory.contains("a pod of 12390 MiB (15769 MiB"), "{memory}");
        assert!(memory.contains("14162 MiB left, it fits (largest heap 12875 MiB)"), "{memory}");
        assert!(memory.contains("DaemonSets: 13926 MiB left, it fits"), "{memory}");
        assert!(memory.contains("11982 MiB left, it never fits"), "{memory}");
        assert_eq!(memory.matches("as PySpark it never fits").count(), 3, "{memory}");
    }

    #[test]
    fn a_request_that_fits_is_said_to_fit() {
        let asks = FitQuestion {
            request_cores: Some(MilliCores::new(3400)),
            ..FitQuestion::new(4, Bytes::gib(4))
        };
        let report = fit(&Catalogue::builtin(), "us-west-2", &asks);
        assert!(report.notes[1].ends_with("an executor that asks 3400m fits"));
        // No instance type has 5 vCPUs: only the count is left to say.
        let report = fit(&Catalogue::builtin(), "us-west-2", &FitQuestion::new(5, Bytes::gib(4)));
        assert_eq!(report.notes.len(), 1);
    }
}
