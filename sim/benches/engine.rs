//! Hot loops: a platform day (8,000 Spark runs, about 2.4 million tasks), and a day of plain pods.
//!
//! `cargo bench -p benches`. Figures and their machine: `docs/performance.md`.

use benches::{PODS, RUNS, platform, platform_day, pod_day};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sim::outcome::NoSink;
use sim::{RunOptions, Seed};

fn engine(criterion: &mut Criterion) {
    let scenario = platform();
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(10);
    for (name, workload, count) in
        [("platform-day", platform_day(), RUNS), ("pod-day", pod_day(), PODS)]
    {
        group.throughput(Throughput::Elements(count));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || (),
                |()| {
                    let options = RunOptions::default();
                    let outcome =
                        sim::run(&scenario, &workload, Seed::new(0), options, &mut NoSink);
                    assert_eq!(outcome.unfinished + outcome.trace_pods_unfinished, 0);
                    (outcome.events, outcome.tasks, outcome.pods)
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(hot_loops, engine);
criterion_main!(hot_loops);
