//! `aws ec2 describe-spot-price-history`: `SpotPriceHistory`, a list of `AvailabilityZone`,
//! `InstanceType`, `ProductDescription`, `SpotPrice`, `Timestamp`; a file or a folder of them.
//!
//! Rows of other products than `Linux/UNIX` are left out. Times count from the first row of all
//! files. A history with a `NextToken` goes on in a page that is not here, which is a finding.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sim::Severity;
use sim::scenario::SpotPriceSeries;
use sim::units::{HourlyPrice, SimTime};

use super::{POOLS_MAX, PRICE_MAX, Reader, lines};
use crate::TraceError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct History {
    spot_price_history: Vec<Value>,
    #[serde(default)]
    next_token: Value,
}

/// Instance type and zone.
type Name = (String, String);

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Vec<SpotPriceSeries>, TraceError> {
    let mut found: BTreeMap<Name, BTreeMap<i64, HourlyPrice>> = BTreeMap::new();
    for file in lines::files(reader.path, ".json")? {
        let history: History = lines::json(&file)?;
        if history.next_token.as_str().is_some_and(|token| !token.is_empty()) {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            reader.tally.add_times(Severity::Warning, "cut-off", &name, None, 1, || {
                "the history goes on in a page that is not here (it has a NextToken)".to_owned()
            });
        }
        for (place, row) in history.spot_price_history.iter().enumerate() {
            reader.row()?;
            let number = place as u64 + 1;
            let Some((name, at, price)) = parse(row) else {
                reader.bad("bad-row", number, || {
                    "not zone, instance type, time and price of a Linux/UNIX instance; the row \
                     was dropped"
                        .to_owned()
                });
                continue;
            };
            if found.len() >= POOLS_MAX && !found.contains_key(&name) {
                reader.bad("too-many-pools", number, || "the row was dropped".to_owned());
                continue;
            }
            if found.entry(name).or_default().insert(at, price).is_some() {
                reader.duplicate(number, || "the same pool and time; the later one counts".into());
            } else {
                reader.counts.kept += 1;
            }
        }
    }
    let first = found.values().filter_map(|points| points.keys().next()).min().copied();
    let first = first.unwrap_or_default();
    let series = found.into_iter().map(|((instance_type, zone), points)| {
        let points = points.into_iter().map(|(at, price)| {
            (SimTime::from_millis(at.saturating_sub(first).max(0) as u64), price)
        });
        SpotPriceSeries { instance_type, zone, points: points.collect() }
    });
    Ok(series.collect())
}

fn parse(row: &Value) -> Option<(Name, i64, HourlyPrice)> {
    let text = |key: &str| row.get(key).and_then(Value::as_str);
    if !text("ProductDescription")?.starts_with("Linux/UNIX") {
        return None;
    }
    let usd: f64 = text("SpotPrice")?.parse().ok().filter(|usd| *usd <= PRICE_MAX)?;
    let name = (text("InstanceType")?.to_owned(), text("AvailabilityZone")?.to_owned());
    Some((name, lines::timestamp(text("Timestamp")?)?, HourlyPrice::from_usd(usd)?))
}
