//! A list of nodes as CSV: the cluster that a pod trace was recorded on, node by node.
//!
//! Every distinct shape (CPU, memory, GPUs and their model) becomes a pool of its own whose size is
//! fixed: recorded nodes neither come nor go. The numbers are taken as allocatable, because that is
//! what pods of the recording could ask for. Columns are those of the list of Alibaba's GPU cluster
//! of 2023, `sn, cpu_milli, memory_mib, gpu, model` (alibaba/clusterdata,
//! `cluster-trace-gpu-v2023`); `name` and `gpus` are understood too. Leaves out: prices (nodes of a
//! list cost nothing), zones (all are in the first one), labels of single nodes.

use std::collections::{BTreeMap, BTreeSet};

use sim::Severity;
use sim::scenario::{CapacityType, InstanceType, NodePool};
use sim::units::{Bytes, HourlyPrice, MilliCores};

use super::context::Context;
use super::platform::did_you_mean;
use crate::native::Place;
use crate::native::eksctl::provider_labels;
use crate::problem::{Pos, Source};
use crate::walk::At;

/// Pods by number on a node: the kubelet's default `maxPods`.
const MAX_PODS: u32 = 110;
/// Most nodes of a list: more is no cluster but a slip.
const NODES_MAX: usize = 100_000;
/// The label by which GPU feature discovery names a GPU's model.
const GPU_MODEL_LABEL: &str = "nvidia.com/gpu.product";

/// Columns, with the other name that they may have.
const COLUMNS: [(&str, &str); 5] = [
    ("sn", "name"),
    ("cpu_milli", "cpu_milli"),
    ("memory_mib", "memory_mib"),
    ("gpu", "gpus"),
    ("model", "model"),
];

/// What nodes of a pool have in common: millicores, MiB, GPUs, model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    cpu: u64,
    memory_mib: u64,
    gpus: u32,
    model: String,
}

/// The pools of the list that `at` names, in the order in which their shapes first appear. What
/// cannot be read has been reported.
pub(super) fn read(context: &Context<'_>, at: &At<'_>, region: Option<&str>) -> Vec<NodePool> {
    let Some(file) = context.read(at) else {
        return Vec::new();
    };
    let source = Source::new(file.name, file.text);
    let Some(counted) = count(context, &source) else {
        return Vec::new();
    };
    let message = format!(
        "{} nodes of {} shapes; they have no price, no autoscaler changes them, and their numbers \
         are taken as allocatable",
        counted.iter().map(|(_, count)| count).sum::<u32>(),
        counted.len(),
    );
    context.note(Severity::Info, "node-list", &source.name, message);
    counted.into_iter().map(|(shape, count)| pool(&shape, count, region)).collect()
}

/// Nodes by shape; `None` if there are none, or problems.
fn count(context: &Context<'_>, source: &Source) -> Option<Vec<(Shape, u32)>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source.text.as_bytes());
    let problem = |line: u64, column: usize, width: usize, message: String, help| {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let pos = Pos::new(line, column as u32, u16::try_from(width.max(1)).unwrap_or(1));
        context.problem_at(&Place::new(source, pos), message, help);
    };
    let places = header(reader.headers().ok()?, &|name, help| {
        problem(1, 1, name.len(), format!("node list: {name}"), help);
    })?;
    let mut order: Vec<(Shape, u32)> = Vec::new();
    let mut known: BTreeMap<Shape, usize> = BTreeMap::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut clean = true;
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                problem(line, 1, 1, format!("node list: {error}"), None);
                return None;
            }
        };
        let line = record.position().map_or(1, csv::Position::line);
        let row = Row { record: &record, places };
        match row.shape() {
            Ok((name, _)) if !names.insert(name.clone()) => {
                let message = format!("node list: a second node `{name}`");
                problem(line, 1, name.len(), message, None);
                clean = false;
            }
            Ok((_, shape)) => {
                let place = *known.entry(shape.clone()).or_insert(order.len());
                match order.get_mut(place) {
                    Some((_, count)) => *count += 1,
                    None => order.push((shape, 1)),
                }
            }
            Err((field, message)) => {
                problem(line, row.column(field), row.text(field).len(), message, None);
                clean = false;
            }
        }
        if names.len() > NODES_MAX {
            problem(line, 1, 1, format!("node list: more than {NODES_MAX} nodes"), None);
            return None;
        }
    }
    if clean && order.is_empty() {
        problem(1, 1, 1, "node list: no nodes".to_owned(), None);
    }
    (clean && !order.is_empty()).then_some(order)
}

/// The place of each of [`COLUMNS`] in the file; GPUs and model may be missing.
fn header(
    names: &csv::StringRecord,
    problem: &dyn Fn(&str, Option<String>),
) -> Option<[Option<usize>; COLUMNS.len()]> {
    let names: Vec<&str> = names.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
    let places = COLUMNS
        .map(|(name, other)| names.iter().position(|found| *found == name || *found == other));
    let mut clean = true;
    for ((name, _), place) in COLUMNS.iter().zip(&places).take(3) {
        if place.is_none() {
            problem(
                &format!("there is no column `{name}`"),
                did_you_mean(name, names.iter().copied()),
            );
            clean = false;
        }
    }
    clean.then_some(places)
}

struct Row<'a> {
    record: &'a csv::StringRecord,
    places: [Option<usize>; COLUMNS.len()],
}

impl Row<'_> {
    fn text(&self, column: usize) -> &str {
        let place = self.places[column];
        place.and_then(|place| self.record.get(place)).unwrap_or_default().trim()
    }

    /// Where the field begins in its line, from 1; exact where no field is quoted.
    fn column(&self, column: usize) -> usize {
        let before = self.record.iter().take(self.places[column].unwrap_or(0));
        before.map(|field| field.chars().count() + 1).sum::<usize>() + 1
    }

    /// The node's name and shape, or the column that is wrong and why.
    fn shape(&self) -> Result<(String, Shape), (usize, String)> {
        let name = self.text(0).to_owned();
        if name.is_empty() {
            return Err((0, "node list: a node without a name".to_owned()));
        }
        let number = |column: usize, low: u64, high: u64, missing: Option<u64>| {
            let text = self.text(column);
            if let (true, Some(missing)) = (text.is_empty(), missing) {
                return Ok(missing);
            }
            let number = text.parse().ok().filter(|number| (low..=high).contains(number));
            let what = COLUMNS[column].0;
            let message =
                format!("node list: `{what}` is `{text}`; a whole number, {low} to {high}");
            number.ok_or((column, message))
        };
        let shape = Shape {
            cpu: number(1, 1, 10_000_000, None)?,
            memory_mib: number(2, 1, 1 << 30, None)?,
            gpus: number(3, 0, 1_024, Some(0))? as u32,
            model: self.text(4).to_owned(),
        };
        Ok((name, shape))
    }
}

fn pool(shape: &Shape, count: u32, region: Option<&str>) -> NodePool {
    let gpus = match (shape.gpus, shape.model.as_str()) {
        (0, _) => String::new(),
        (gpus, "") => format!("-{gpus}gpu"),
        (gpus, model) => format!("-{gpus}x{model}"),
    };
    let memory = Bytes::mib(shape.memory_mib);
    let cpu = MilliCores::new(shape.cpu);
    let shape_name = format!("{cpu}cpu-{memory}{gpus}");
    let name = format!("list-{shape_name}");
    let kind = InstanceType {
        name: shape_name,
        arch: "amd64".to_owned(),
        vcpu: u32::try_from(shape.cpu.div_ceil(1000)).unwrap_or(u32::MAX),
        memory,
        allocatable_cpu: cpu,
        allocatable_memory: memory,
        max_pods: MAX_PODS,
        gpus: shape.gpus,
        on_demand_price: HourlyPrice::ZERO,
        spot_price: None,
        interruption_band: None,
    };
    let mut labels = provider_labels(&name, CapacityType::OnDemand, &kind, region);
    if shape.gpus > 0 && !shape.model.is_empty() {
        labels.insert(GPU_MODEL_LABEL.to_owned(), shape.model.clone());
    }
    NodePool {
        name,
        capacity_type: CapacityType::OnDemand,
        instance_types: vec![kind],
        zones: vec![format!("{}a", region.unwrap_or_default())],
        min_size: count,
        desired_size: count,
        max_size: count,
        labels,
        taints: Vec::new(),
        volume: Bytes::ZERO,
        scale_down_disabled: false,
        max_pods: None,
        allocation_strategy: sim::scenario::AllocationStrategy::default(),
    }
}
