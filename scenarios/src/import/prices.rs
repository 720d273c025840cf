//! What the catalogue does not have: shapes of instance types that only a dump knows, prices and
//! fees of regions that are not in it. All prices here are guesses, and are said to be.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sim::units::quantity::{parse_bytes, parse_cpu};

use super::group::Shape;
use crate::catalogue::Catalogue;

/// Guess: dollars a vCPU-hour, about an m5's.
const USD_PER_VCPU: f64 = 0.05;
/// Guess: what spot costs of it.
const SPOT_SHARE: f64 = 0.35;

/// Prices for a region.
#[derive(Debug, Default)]
pub(super) struct Prices {
    /// `spec.prices`, with the region that they come from.
    pub(super) by_type: Map<String, Value>,
    /// `spec.fees`.
    pub(super) fees: Option<Value>,
    /// The region whose prices stand in.
    pub(super) from: &'static str,
}

/// A region of the catalogue that stands in for `region`. Guess.
fn stand_in(region: &str) -> &'static str {
    let near = ["eu-", "me-", "af-", "il-"].iter().any(|prefix| region.starts_with(prefix));
    if near { "eu-west-1" } else { "us-east-1" }
}

/// Prices of `types` (with whether they are bought as spot) that the catalogue lacks in `region`.
pub(super) fn missing(region: &str, types: &BTreeSet<(String, bool)>) -> Prices {
    let catalogue = Catalogue::builtin();
    let from = stand_in(region);
    let mut out = Prices { from, ..Prices::default() };
    for (name, spot) in types {
        let here = catalogue.instance_type(name, region);
        let known = here.as_ref().is_ok_and(|found| !spot || found.spot_price.is_some());
        let Ok(there) = catalogue.instance_type(name, from) else { continue };
        if known {
            continue;
        }
        let on_demand = there.on_demand_price.as_usd_f64();
        let reduced = there.spot_price.map(|price| price.as_usd_f64());
        let entry = out.by_type.entry(name.clone()).or_insert_with(|| json!({}));
        if here.is_err() {
            entry["onDemand"] = json!(on_demand);
        }
        if *spot {
            entry["spot"] = json!(reduced.unwrap_or(rounded(on_demand * SPOT_SHARE)));
        }
    }
    if catalogue.fees(region).is_err()
        && let Ok(fees) = catalogue.fees(from)
    {
        out.fees = Some(json!({
            "controlPlanePerHour": fees.control_plane.as_usd_f64(),
            "storagePerGibHour": fees.storage_per_gib.as_usd_f64(),
        }));
    }
    out
}

/// Shapes as kubelets say them (`spec.instanceTypes`), and the types that have a guessed price.
pub(super) fn shapes(seen: &BTreeMap<String, Shape>) -> (Map<String, Value>, Vec<String>) {
    let catalogue = Catalogue::builtin();
    let (mut types, mut guessed) = (Map::new(), Vec::new());
    for (name, shape) in seen {
        let mut entry = Map::new();
        let amount = |text: &str, good: bool| good.then(|| json!(text));
        let allocatable = [
            ("allocatableCpu", &shape.allocatable_cpu, parse_cpu(&shape.allocatable_cpu).is_ok()),
            (
                "allocatableMemory",
                &shape.allocatable_memory,
                parse_bytes(&shape.allocatable_memory).is_ok(),
            ),
        ];
        if catalogue.entry(name).is_err() {
            let cpu = parse_cpu(&shape.cpu).unwrap_or_default().as_millis() / 1000;
            if cpu == 0 || parse_bytes(&shape.memory).is_err() {
                continue;
            }
            entry.insert("vcpu".into(), json!(cpu));
            entry.insert("memory".into(), json!(shape.memory));
            if matches!(shape.arch.as_str(), "amd64" | "arm64") {
                entry.insert("arch".into(), json!(shape.arch));
            }
            let on_demand = rounded(cpu as f64 * USD_PER_VCPU);
            entry.insert("onDemandPrice".into(), json!(on_demand));
            entry.insert("spotPrice".into(), json!(rounded(on_demand * SPOT_SHARE)));
            guessed.push(name.clone());
        }
        for (key, text, good) in allocatable {
            entry.extend(amount(text, good).map(|value| (key.to_owned(), value)));
        }
        entry.extend(shape.pods.filter(|p| *p > 0).map(|pods| ("maxPods".into(), json!(pods))));
        if !entry.is_empty() {
            types.insert(name.clone(), Value::Object(entry));
        }
    }
    (types, guessed)
}

/// To the hundredth of a cent.
fn rounded(usd: f64) -> f64 {
    (usd * 10_000.0).round() / 10_000.0
}
