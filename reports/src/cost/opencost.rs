//! Rows in OpenCost's allocation schema: what its `/allocation` API answers.
//!
//! One map of allocations per period, by the names of the groups. Node money is split into CPU and
//! RAM by OpenCost's default prices; `sharedCost` is the group's part of what belongs to nobody,
//! `pvCost` storage, `networkCost` traffic, `externalCost` EMR, NAT, commitments and taxes; all of
//! them add up to `totalCost`. `cpuCoreHours` is by the larger of request and use, as there. Leaves
//! out: GPUs, load balancers, transferred bytes.
//! Source: the JSON names of `Allocation` in opencost/opencost, `core/pkg/opencost/allocation.go`.

use serde_json::{Map, Value, json};

use sim::scenario::weight_usd;

use super::{Cell, Costs, Key, PeriodSpan};

/// The answer: `code`, and `data` with a map for each period.
pub fn allocations(costs: &Costs, cluster: &str) -> Value {
    let sets = costs.periods.iter().enumerate().map(|(place, span)| {
        let groups = costs.groups.iter();
        let found = groups.filter_map(|(key, cells)| Some((key, cells.get(&place)?)));
        let set = found.map(|(key, cell)| {
            let name = name(key);
            let allocation = allocation(costs, cluster, &name, key, cell, span);
            (name, allocation)
        });
        Value::Object(set.collect::<Map<_, _>>())
    });
    json!({ "code": 200, "data": sets.collect::<Vec<_>>() })
}

/// As OpenCost names aggregates: the parts by slashes, `__unallocated__` where there is none, and
/// `__idle__` for what nobody has.
fn name(key: &Key) -> String {
    let part = |part: &Option<String>| match part.as_deref() {
        None => "__unallocated__".to_owned(),
        Some("(shared)") => "__idle__".to_owned(),
        Some(name) => name.to_owned(),
    };
    key.iter().map(part).collect::<Vec<_>>().join("/")
}

fn allocation(
    costs: &Costs,
    cluster: &str,
    name: &str,
    key: &Key,
    cell: &Cell,
    span: &PeriodSpan,
) -> Value {
    let labels: Map<String, Value> = costs
        .by
        .iter()
        .zip(key)
        .filter_map(|(by, name)| Some((by.name().to_owned(), Value::String(name.clone()?))))
        .collect();
    let own = |places: &[usize]| -> i64 {
        places.iter().map(|place| cell.kinds[*place] - cell.shared[*place]).sum()
    };
    let (nodes, storage, network) = (own(&[0, 1, 2, 3, 4, 5, 6, 7]), own(&[8]), own(&[11]));
    let external = own(&[9, 10, 12, 13, 14, 15, 16]);
    let (whole, shared) = (cell.total(), cell.shared_total());
    let hours = |seconds: f64| seconds / 3600.0;
    let average = |seconds: f64| hours(seconds) / span.hours.max(1e-9);
    let (cpu, ram) = (weight_usd(cell.cpu[2], 0.0), weight_usd(0.0, cell.memory));
    let cpu_share = if cpu + ram > 0.0 { cpu / (cpu + ram) } else { 0.5 };
    let usd = |nano: i64| nano as f64 / 1e9;
    let gib = f64::from(1u32 << 30);
    let efficiency = if cell.cpu[0] > 0.0 { cell.cpu[1] / cell.cpu[0] } else { 0.0 };
    json!({
        "name": name,
        "properties": { "cluster": cluster, "labels": labels },
        "window": { "start": span.window[0], "end": span.window[1] },
        "start": span.window[0],
        "end": span.window[1],
        "minutes": span.hours * 60.0,
        "cpuCores": average(cell.cpu[2]),
        "cpuCoreRequestAverage": average(cell.cpu[0]),
        "cpuCoreUsageAverage": average(cell.cpu[1]),
        "cpuCoreHours": hours(cell.cpu[2]),
        "cpuCost": usd(nodes) * cpu_share,
        "cpuEfficiency": efficiency,
        "ramBytes": average(cell.memory) * gib,
        "ramByteRequestAverage": average(cell.memory) * gib,
        "ramByteUsageAverage": average(cell.memory) * gib,
        "ramByteHours": hours(cell.memory) * gib,
        "ramCost": usd(nodes) * (1.0 - cpu_share),
        "pvCost": usd(storage),
        "networkCost": usd(network),
        "sharedCost": usd(shared),
        "externalCost": usd(external),
        "totalCost": usd(whole),
        "totalEfficiency": efficiency * cpu_share + (1.0 - cpu_share),
    })
}
