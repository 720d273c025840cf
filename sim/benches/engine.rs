//! Hot loops: a platform day (8,000 Spark runs, about 2.4 million tasks), a day of plain pods, and
//! pods placed on clusters of three sizes, by class of node and at every node.
//!
//! `cargo bench -p benches`. Figures and their machine: `docs/performance.md`.

use benches::{PODS, RUNS, fixed_platform, platform, platform_day, pod_day, pods_for, staged_run};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sim::outcome::NoSink;
use sim::replay::{ExecutorArrivals, ReplaySettings, replay};
use sim::{NodeSearch, RunOptions, Seed};

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

/// One application of 30 stages and 6,000 tasks alone, with and without dynamic allocation.
fn replays(criterion: &mut Criterion) {
    let run = staged_run(30, 200);
    let mut group = criterion.benchmark_group("replay");
    group.throughput(Throughput::Elements(30 * 200));
    for (name, dynamic) in [("fixed", false), ("dynamic", true)] {
        let scenario = platform();
        let mut spark = scenario.spark;
        spark.executor_instances = 20;
        spark.dynamic_allocation.enabled = dynamic;
        spark.dynamic_allocation.max_executors = 40;
        let settings = ReplaySettings {
            spark: &spark,
            assumptions: &scenario.assumptions,
            arrivals: ExecutorArrivals::Modelled,
            target: None,
            recorded_faults: false,
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let replay = replay(&run, &settings);
                assert!(replay.result.is_ok());
                replay.tasks_succeeded
            });
        });
    }
    group.finish();
}

/// Whole simulations of pods on a cluster of fixed size: nearly all of the time goes to placing.
fn placement(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("placement");
    group.sample_size(10);
    for (nodes, shapes) in [(40, 3), (300, 3), (3_000, 3), (40, 36), (300, 36), (3_000, 36)] {
        let (scenario, workload) = (fixed_platform(nodes), pods_for(nodes, shapes == 3));
        group.throughput(Throughput::Elements(workload.pods.len() as u64));
        for (name, node_search) in
            [("every-node", NodeSearch::EveryNode), ("by-class", NodeSearch::ByClass)]
        {
            group.bench_function(format!("{nodes}-nodes/{shapes}-shapes/{name}"), |bencher| {
                bencher.iter(|| {
                    let options = RunOptions { node_search, ..RunOptions::default() };
                    let outcome =
                        sim::run(&scenario, &workload, Seed::new(0), options, &mut NoSink);
                    assert_eq!(outcome.trace_pods_unfinished, 0);
                    outcome.events
                });
            });
        }
    }
    group.finish();
}

criterion_group!(hot_loops, engine, replays, placement);
criterion_main!(hot_loops);
