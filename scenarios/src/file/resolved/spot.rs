//! Spot weather, prices and recommendations, written out.

use serde_json::{Value, json};
use sim::scenario::{Assumptions, Spells, SpotModel};

use super::portable;
use crate::file::spot::{SpotSeriesRef, SpotSeriesUse};

/// Puts the sections into `assumptions`.
pub(super) fn put(assumptions: &mut Value, given: &Assumptions, series: &[SpotSeriesRef]) {
    let of = |purpose: SpotSeriesUse| series.iter().find(|found| found.purpose == purpose);
    let mut spot = match &given.spot {
        SpotModel::None => json!({ "model": "none" }),
        SpotModel::PoolShocks { mean_hours_between, spells } => {
            let mut value = of_spells("pool-shocks", spells);
            value["meanHoursBetween"] = json!(mean_hours_between);
            value
        }
        SpotModel::Advisor { spells } => of_spells("advisor", spells),
        SpotModel::Recorded(_) => {
            let share = of(SpotSeriesUse::Weather).map(|found| found.share_taken);
            json!({ "model": "recorded", "shareTaken": share })
        }
    };
    if let Some(found) = of(SpotSeriesUse::Weather).or(of(SpotSeriesUse::Bands)) {
        put_series(&mut spot, found);
    }
    assumptions["spot"] = spot;
    if let Some(found) = of(SpotSeriesUse::Prices) {
        let mut prices = json!({});
        put_series(&mut prices, found);
        assumptions["spotPrices"] = prices;
    }
    let rebalance = &given.rebalance;
    assumptions["rebalance"] = json!({
        "response": rebalance.response.name(),
        "recall": rebalance.recall,
        "precision": rebalance.precision,
        "leadMin": rebalance.lead_min.to_string(),
        "leadMax": rebalance.lead_max.to_string(),
    });
}

fn of_spells(model: &str, spells: &Spells) -> Value {
    json!({
        "model": model,
        "shareTaken": spells.share_taken,
        "calmSigma": spells.calm_sigma,
        "tightHours": spells.tight_hours,
        "tightSigma": spells.tight_sigma,
        "zoneCorrelation": spells.zone_correlation,
    })
}

fn put_series(section: &mut Value, series: &SpotSeriesRef) {
    section["series"] = json!(portable(&series.written));
    if let Some(format) = series.format {
        section["format"] = json!(format);
    }
}
