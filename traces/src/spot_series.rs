//! Recorded spot series: when capacity was there, how many nodes were taken, what it cost, and how
//! often the Spot Advisor says it is interrupted. One file of this folder per format.
//!
//! All of them become plain values of `sim`. Rows that cannot be used are counted and are findings;
//! `rows = kept + bad + duplicates`. What is held is capped ([`ROWS_MAX`], [`POOLS_MAX`]).
//!
//! A pool is *tight* from the moment at which an instance was gone or could not be had to the
//! moment at which there was one again. Where a series counts nodes, a drop is a shock that took
//! that share of them; where it watches one instance, how many a shock would have taken is not
//! known. Source: facts-cloud section 2 (what the files are, and their traps).

mod add_remove;
mod advisor;
mod availability;
mod counts;
mod detect;
mod lines;
mod observed;
mod price_history;
mod region_prices;
mod spin_up;

use std::path::Path;

use serde::Serialize;
use sim::Finding;
use sim::scenario::{RecordedPool, RecordedSpot, SpotPriceSeries, SpotStep};
use sim::units::{HourlyPrice, SimTime};

use crate::TraceError;
use crate::table::{TableCounts, Tally};

/// More rows are not read.
pub const ROWS_MAX: u64 = 5_000_000;
/// More capacity pools are not kept.
pub const POOLS_MAX: usize = 10_000;
/// Dollars an hour above which a price is a slip.
pub const PRICE_MAX: f64 = 1_000.0;

/// A format of recorded series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpotFormat {
    /// Log of probes: created, running, not running, creation failed.
    Availability,
    /// Nodes added and removed, times in milliseconds.
    AddRemove,
    /// Times and numbers of nodes.
    Counts,
    /// Folder of GCP listings of what could be started.
    SpinUp,
    /// `aws ec2 describe-spot-price-history`.
    PriceHistory,
    /// The Spot Advisor's JSON.
    Advisor,
    /// JSON of the EC2 spot page.
    RegionPrices,
}

impl SpotFormat {
    /// Every format by its name.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("availability", Self::Availability),
        ("add-remove", Self::AddRemove),
        ("counts", Self::Counts),
        ("spin-up", Self::SpinUp),
        ("price-history", Self::PriceHistory),
        ("advisor", Self::Advisor),
        ("region-prices", Self::RegionPrices),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(_, format)| *format == self);
        found.map_or("", |(name, _)| name)
    }

    /// The format of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }
}

/// A series, read.
#[derive(Debug, Clone)]
pub struct SpotSeries {
    /// Its format.
    pub format: SpotFormat,
    /// Where its rows went.
    pub counts: TableCounts,
    /// What is wrong with them.
    pub findings: Vec<Finding>,
    /// What it says.
    pub content: SpotContent,
}

/// What a series says.
#[derive(Debug, Clone, PartialEq)]
pub enum SpotContent {
    /// When pools were tight.
    Weather(WeatherSeries),
    /// Prices by instance type and zone, over time.
    Prices(Vec<SpotPriceSeries>),
    /// Interruption bands by region and instance type.
    Bands(Vec<Band>),
    /// One price by region and instance type.
    RegionPrices(Vec<RegionPrice>),
}

/// When pools were tight; all times count from the first row.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct WeatherSeries {
    /// The pools, by zone and instance type.
    pub pools: Vec<PoolSeries>,
    /// From the first row to the last one.
    pub span_ms: u64,
}

/// One pool.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct PoolSeries {
    /// What was asked for, as recorded; empty if that is not known.
    pub instance_type: String,
    /// Where; empty if that is not known.
    pub zone: String,
    /// Changes, ascending; the first one is at 0.
    pub steps: Vec<WeatherStep>,
}

/// A change of a pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeatherStep {
    /// When.
    pub at_ms: u64,
    /// Whether it is tight from now on.
    pub tight: bool,
    /// Nodes that were taken, of so many, where they were counted.
    pub taken: Option<(u32, u32)>,
}

/// An instance type's interruption band in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// Region.
    pub region: String,
    /// Instance type.
    pub instance_type: String,
    /// 0 (below 5 %) to 4 (above 20 %).
    pub band: u8,
    /// Saving over the on-demand price in percent, where the advisor has data.
    pub savings_percent: Option<u8>,
}

/// An instance type's price in a region.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionPrice {
    /// Region, by its present name.
    pub region: String,
    /// Instance type.
    pub instance_type: String,
    /// Price of Linux instances.
    pub price: HourlyPrice,
}

impl WeatherSeries {
    /// The series as the simulator replays it; `share_taken` is what a shock takes of a pool's
    /// nodes where they were not counted.
    pub fn to_recorded(&self, share_taken: f64) -> RecordedSpot {
        let step = |place: usize, step: &WeatherStep, was_tight: bool| SpotStep {
            at: SimTime::from_millis(step.at_ms),
            tight: step.tight,
            share_taken: match step.taken {
                _ if place == 0 => 0.0,
                Some((taken, of)) => f64::from(taken) / f64::from(of.max(1)),
                None if step.tight && !was_tight => share_taken,
                None => 0.0,
            },
        };
        let pools = self.pools.iter().map(|pool| {
            let before = pool.steps.iter().map(|step| step.tight);
            let before = std::iter::once(false).chain(before);
            let steps = pool.steps.iter().zip(before).enumerate();
            RecordedPool {
                instance_type: pool.instance_type.clone(),
                zone: pool.zone.clone(),
                steps: steps.map(|(place, (now, was))| step(place, now, was)).collect(),
            }
        });
        RecordedSpot { pools: pools.collect(), span: SimTime::from_millis(self.span_ms) }
    }
}

/// A series in the making.
struct Reader<'a> {
    path: &'a Path,
    counts: TableCounts,
    tally: Tally,
}

impl Reader<'_> {
    fn bad(&mut self, code: &'static str, line: u64, message: impl FnOnce() -> String) {
        self.counts.bad += 1;
        self.tally.add(sim::Severity::Warning, code, "", line, message);
    }

    fn duplicate(&mut self, line: u64, message: impl FnOnce() -> String) {
        self.counts.duplicates += 1;
        self.tally.add(sim::Severity::Warning, "duplicate-row", "", line, message);
    }

    fn row(&mut self) -> Result<(), TraceError> {
        self.counts.rows += 1;
        if self.counts.rows > ROWS_MAX {
            return Err(TraceError::TooLarge {
                path: self.path.to_owned(),
                what: "it has too many rows".to_owned(),
                limit: ROWS_MAX,
            });
        }
        Ok(())
    }
}

/// Reads `path`, a file or a folder of files, in `format` or in the one that it looks like.
///
/// # Errors
/// If it cannot be read, is too large, or has nothing of its format in it.
pub fn read_spot_series(path: &Path, format: Option<SpotFormat>) -> Result<SpotSeries, TraceError> {
    let format = match format {
        Some(format) => format,
        None => detect::format(path)?,
    };
    let tally = Tally::new(path.display().to_string());
    let mut reader = Reader { path, counts: TableCounts::default(), tally };
    let content = match format {
        SpotFormat::Availability => SpotContent::Weather(availability::read(&mut reader)?),
        SpotFormat::AddRemove => SpotContent::Weather(add_remove::read(&mut reader)?),
        SpotFormat::Counts => SpotContent::Weather(counts::read(&mut reader)?),
        SpotFormat::SpinUp => SpotContent::Weather(spin_up::read(&mut reader)?),
        SpotFormat::PriceHistory => SpotContent::Prices(price_history::read(&mut reader)?),
        SpotFormat::Advisor => SpotContent::Bands(advisor::read(&mut reader)?),
        SpotFormat::RegionPrices => SpotContent::RegionPrices(region_prices::read(&mut reader)?),
    };
    if reader.counts.kept == 0 {
        let reason = format!(
            "none of its {} rows is one of the format `{}`",
            reader.counts.rows,
            format.name()
        );
        return Err(TraceError::unreadable(path, reason));
    }
    let findings = reader.tally.into_findings();
    Ok(SpotSeries { format, counts: reader.counts, findings, content })
}

#[cfg(test)]
mod tests;
