//! Karpenter: pods that arrive in batches, provisioned from some 300 instance types in three zones,
//! with consolidation on and off.
//!
//! `cargo bench -p benches --bench karpenter`. Figures and their machine: `docs/performance.md`.

use benches::{KARPENTER_PODS, karpenter_day, karpenter_platform};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sim::outcome::NoSink;
use sim::{RunOptions, Seed};

fn karpenter(criterion: &mut Criterion) {
    let workload = karpenter_day();
    let mut group = criterion.benchmark_group("karpenter");
    group.sample_size(10);
    group.throughput(Throughput::Elements(KARPENTER_PODS));
    for (name, consolidates) in [("when-empty", false), ("when-underutilized", true)] {
        let scenario = karpenter_platform(consolidates);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || (),
                |()| {
                    let options = RunOptions::default();
                    let outcome =
                        sim::run(&scenario, &workload, Seed::new(0), options, &mut NoSink);
                    assert_eq!(outcome.pods, KARPENTER_PODS);
                    (outcome.events, outcome.nodes_launched)
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(provisioning, karpenter);
criterion_main!(provisioning);
