//! Workloads that need nothing but the simulator: each is measured as a process of its own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::str::FromStr;

use benches::{fixed_platform, growing_platform, pods_over};
use serde::de::IgnoredAny;
use sim::outcome::NoSink;
use sim::rng::RngExt;
use sim::{RunOptions, Seed};

use crate::Outcome;

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

/// The engine's loop with nothing to do.
pub(crate) fn hold(pending: &str, holds: &str) -> Outcome {
    println!("{}", sim::hold(number(pending)?, number(holds)?));
    Ok(())
}

/// The same series of events in the standard library's heap alone.
pub(crate) fn queue(pending: &str, holds: &str) -> Outcome {
    let (pending, holds): (u32, u64) = (number(pending)?, number(holds)?);
    let mut stream = Seed::new(7).stream("hold", &[]);
    let mut distance = || stream.random_range(1..120_000u64);
    let mut heap: BinaryHeap<Reverse<(u64, u64)>> =
        (0..u64::from(pending)).map(|sequence| Reverse((distance(), sequence))).collect();
    for sequence in u64::from(pending)..u64::from(pending) + holds {
        let Some(Reverse((at, _))) = heap.pop() else { break };
        heap.push(Reverse((at + distance(), sequence)));
    }
    println!("{:?}", heap.peek());
    Ok(())
}

/// Plain pods: on a cluster that grows with them, or on so many nodes.
pub(crate) fn pods(count: &str, days: &str, nodes: Option<&str>) -> Outcome {
    let workload = pods_over(number(count)?, number(days)?);
    let scenario = match nodes {
        Some(nodes) => fixed_platform(number(nodes)?),
        None => growing_platform(),
    };
    let outcome = sim::run(&scenario, &workload, Seed::new(0), RunOptions::default(), &mut NoSink);
    if outcome.trace_pods_unfinished > 0 {
        return Err(format!("{} pods did not end", outcome.trace_pods_unfinished));
    }
    println!("{} events, at most {} nodes", outcome.events, outcome.nodes_peak);
    Ok(())
}

/// A bare pass over the lines of a JSON file: each is read and thrown away.
pub(crate) fn parse(file: &Path) -> Outcome {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut lines = BufReader::with_capacity(1 << 20, File::open(file).map_err(|e| said(&e))?);
    let (mut line, mut count) = (Vec::new(), 0_u64);
    while lines.read_until(b'\n', &mut line).map_err(|e| said(&e))? > 0 {
        serde_json::from_slice::<IgnoredAny>(&line).map_err(|e| said(&e))?;
        count += 1;
        line.clear();
    }
    println!("{count} lines");
    Ok(())
}
