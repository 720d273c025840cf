//! The Spot Advisor's JSON: `spot_advisor`, region, operating system, instance type, `r` (band) and
//! `s` (saving in percent). Linux only. A saving of 0 is no data (facts-cloud 0.3).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Band, Reader, lines};
use crate::TraceError;

#[derive(Deserialize)]
struct Advisor {
    spot_advisor: BTreeMap<String, BTreeMap<String, BTreeMap<String, Value>>>,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Vec<Band>, TraceError> {
    let advisor: Advisor = lines::json(reader.path)?;
    let mut bands = Vec::new();
    for (region, systems) in advisor.spot_advisor {
        for (instance_type, row) in systems.get("Linux").into_iter().flatten() {
            reader.row()?;
            let number = |key: &str| row.get(key).and_then(Value::as_u64);
            let band = number("r").and_then(|band| u8::try_from(band).ok());
            let Some(band) = band.filter(|band| *band <= 4) else {
                reader.bad("bad-row", 0, || {
                    format!("{region} {instance_type}: no band `r` of 0 to 4; it was dropped")
                });
                continue;
            };
            let savings = number("s").and_then(|percent| u8::try_from(percent).ok());
            reader.counts.kept += 1;
            bands.push(Band {
                region: region.clone(),
                instance_type: instance_type.clone(),
                band,
                savings_percent: savings.filter(|percent| (1..=100).contains(percent)),
            });
        }
    }
    Ok(bands)
}
