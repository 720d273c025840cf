//! `spec.assumptions.spot`, `.spotPrices` and `.rebalance`. Recorded series are named here and not
//! read: see [`SpotSeriesRef`].

use std::path::PathBuf;
use std::sync::Arc;

use sim::scenario::{Assumptions, Rebalance, RebalanceResponse, RecordedSpot, Spells, SpotModel};

use super::context::Context;
use super::settings::Settings;
use crate::native::Place;
use crate::overlay::shown;
use crate::problem::Problem;

/// What a recorded series is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpotSeriesUse {
    /// When pools are tight, instead of a model.
    Weather,
    /// The interruption bands of instance types, instead of the catalogue's.
    Bands,
    /// Prices.
    Prices,
}

/// A recorded series that the scenario names.
#[derive(Debug, Clone, PartialEq)]
pub struct SpotSeriesRef {
    /// What it is for.
    pub purpose: SpotSeriesUse,
    /// Where it is.
    pub path: PathBuf,
    /// As it is written in the scenario.
    pub written: String,
    /// The name of its format, where it is said.
    pub format: Option<&'static str>,
    /// What a shock takes where the series does not say.
    pub share_taken: f64,
    place: Place,
}

impl SpotSeriesRef {
    /// The problem with the series, at its place in the scenario.
    pub fn problem(&self, message: impl std::fmt::Display) -> Problem {
        self.place.problem(format!("`{}`: {message}", shown(&self.path)))
    }
}

/// Reads the three sections into `out`, and gives the series that they name.
pub(super) fn read(
    context: &Context<'_>,
    given: &Settings<'_>,
    out: &mut Assumptions,
) -> Vec<SpotSeriesRef> {
    let mut series = Vec::new();
    if let Some(spot) = given.section("spot") {
        let found;
        (out.spot, found) = model(context, &spot);
        series.extend(found);
    }
    if let Some(prices) = given.section("spotPrices") {
        series.extend(reference(context, &prices, SpotSeriesUse::Prices, 0.0));
    }
    if let Some(section) = given.section("rebalance") {
        out.rebalance = rebalance(&section, out.rebalance);
    }
    series
}

fn model(context: &Context<'_>, given: &Settings<'_>) -> (SpotModel, Option<SpotSeriesRef>) {
    let default = Spells::default();
    let float = |key: &str, default: f64| given.float(key).unwrap_or(default);
    let spells = Spells {
        share_taken: float("shareTaken", default.share_taken),
        calm_sigma: float("calmSigma", default.calm_sigma),
        tight_hours: float("tightHours", default.tight_hours),
        tight_sigma: float("tightSigma", default.tight_sigma),
        zone_correlation: float("zoneCorrelation", default.zone_correlation),
    };
    let mean_hours_between = float("meanHoursBetween", 24.0);
    let name = given.choice("model").unwrap_or("pool-shocks");
    let without = |keys: &[&str]| {
        for key in keys {
            if let Some(at) = given.optional(key) {
                at.problem(format!("`{key}` has no meaning for the model `{name}`"));
            }
        }
    };
    let named = |purpose| reference(context, given, purpose, spells.share_taken);
    match name {
        "none" => {
            without(&["series", "format"]);
            (SpotModel::None, None)
        }
        "advisor" => {
            without(&["meanHoursBetween"]);
            let series = given.optional("series").and_then(|_| named(SpotSeriesUse::Bands));
            (SpotModel::Advisor { spells }, series)
        }
        "recorded" => {
            let drawn =
                ["meanHoursBetween", "calmSigma", "tightHours", "tightSigma", "zoneCorrelation"];
            without(&drawn);
            if given.optional("series").is_none() {
                given.fields.require("series");
            }
            let series = named(SpotSeriesUse::Weather);
            (SpotModel::Recorded(Arc::new(RecordedSpot::default())), series)
        }
        _ => {
            without(&["series", "format"]);
            (SpotModel::PoolShocks { mean_hours_between, spells }, None)
        }
    }
}

fn reference(
    context: &Context<'_>,
    given: &Settings<'_>,
    purpose: SpotSeriesUse,
    share_taken: f64,
) -> Option<SpotSeriesRef> {
    let format = given.choice("format");
    let at = given.at("series")?;
    let written = given.text("series")?;
    let path = context.path(&at)?;
    Some(SpotSeriesRef { purpose, path, written, format, share_taken, place: Place::of(&at) })
}

fn rebalance(given: &Settings<'_>, default: Rebalance) -> Rebalance {
    let response = given.choice("response").and_then(|name| {
        RebalanceResponse::NAMES.iter().find(|(known, _)| *known == name).map(|(_, found)| *found)
    });
    let out = Rebalance {
        recall: given.float("recall").unwrap_or(default.recall),
        precision: given.float("precision").unwrap_or(default.precision),
        lead_min: given.duration("leadMin").unwrap_or(default.lead_min),
        lead_max: given.duration("leadMax").unwrap_or(default.lead_max),
        response: response.unwrap_or(default.response),
    };
    if out.lead_max < out.lead_min {
        let at = given.optional("leadMax").or_else(|| given.optional("leadMin"));
        let at = at.unwrap_or_else(|| given.fields.at.clone());
        at.problem(format!("`leadMax` {} is below `leadMin` {}", out.lead_max, out.lead_min));
    }
    out
}
