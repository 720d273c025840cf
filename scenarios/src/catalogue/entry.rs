//! A row of the built-in table of instance types, its reader, and the filter of the listing.
//!
//! The table is part of the program: a row that does not parse is a bug, found by the tests, and
//! the reader says so with the row.

use std::collections::BTreeMap;

use sim::units::{Bytes, HourlyPrice};

use super::REGIONS;

/// One instance type, region by region.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// For example `m5.xlarge`.
    pub name: String,
    /// `amd64` or `arm64`.
    pub arch: String,
    /// vCPUs.
    pub vcpu: u32,
    /// Memory.
    pub memory: Bytes,
    /// Most pods on a node.
    pub max_pods: u32,
    /// Local NVMe in GB; 0 without.
    pub local_nvme_gb: u32,
    /// Network baseline in Mbps, where it is published.
    pub network_mbps: Option<u32>,
    /// GPUs.
    pub gpus: u32,
    /// Whether EMR accepts the type; `None` = no data.
    pub emr: Option<bool>,
    prices: [RegionPrices; REGIONS.len()],
}

/// What is known about an instance type in one region.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct RegionPrices {
    /// On-demand.
    pub on_demand: Option<HourlyPrice>,
    /// Average saving of spot, in percent, 1 to 99; `None` = no data.
    pub spot_saving_percent: Option<u8>,
    /// Interruption frequency, 0 (below 5 %) to 4 (above 20 %, open-ended); `None` = no data.
    pub interruption_band: Option<u8>,
}

impl Entry {
    /// Prices of `region`, if it is one of the catalogue's regions.
    pub fn prices(&self, region: &str) -> Option<&RegionPrices> {
        let place = REGIONS.iter().position(|known| *known == region)?;
        self.prices.get(place)
    }

    /// The regions with an on-demand price.
    pub(super) fn regions_with_price(&self) -> Vec<String> {
        REGIONS
            .iter()
            .zip(&self.prices)
            .filter(|(_, prices)| prices.on_demand.is_some())
            .map(|(region, _)| (*region).to_owned())
            .collect()
    }

    /// The family, for example `m5`.
    pub fn family(&self) -> &str {
        self.name.split_once('.').map_or(&*self.name, |(family, _)| family)
    }
}

/// Which types to list; the default lists all.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Names or families (`m5.xlarge`, `m5`), any of them; empty = all.
    pub names: Vec<String>,
    /// `amd64` or `arm64`.
    pub arch: Option<String>,
    /// At least that many vCPUs.
    pub vcpu_min: Option<u32>,
    /// At most that many vCPUs.
    pub vcpu_max: Option<u32>,
    /// At least that much memory.
    pub memory_min: Option<Bytes>,
    /// At most that much memory.
    pub memory_max: Option<Bytes>,
    /// Only types with (or without) local NVMe.
    pub local_nvme: Option<bool>,
    /// Only types with (or without) GPUs.
    pub gpus: Option<bool>,
    /// Only types with an on-demand price in this region.
    pub priced_in: Option<String>,
}

impl Filter {
    /// Whether `entry` passes.
    pub fn matches(&self, entry: &Entry) -> bool {
        let named = self.names.is_empty()
            || self.names.iter().any(|name| *name == entry.name || *name == entry.family());
        let priced = self.priced_in.as_ref().is_none_or(|region| {
            entry.prices(region).is_some_and(|prices| prices.on_demand.is_some())
        });
        named
            && priced
            && self.arch.as_ref().is_none_or(|arch| *arch == entry.arch)
            && self.vcpu_min.is_none_or(|least| entry.vcpu >= least)
            && self.vcpu_max.is_none_or(|most| entry.vcpu <= most)
            && self.memory_min.is_none_or(|least| entry.memory >= least)
            && self.memory_max.is_none_or(|most| entry.memory <= most)
            && self.local_nvme.is_none_or(|wanted| wanted == (entry.local_nvme_gb > 0))
            && self.gpus.is_none_or(|wanted| wanted == (entry.gpus > 0))
    }
}

/// Reads the built-in table.
pub(super) fn read(csv_text: &str) -> BTreeMap<String, Entry> {
    csv::Reader::from_reader(csv_text.as_bytes())
        .records()
        .map(|record| {
            let record = record.expect("the built-in instance table is valid CSV");
            let entry = read_row(&record)
                .unwrap_or_else(|| panic!("row of the built-in instance table: {record:?}"));
            (entry.name.clone(), entry)
        })
        .collect()
}

fn read_row(row: &csv::StringRecord) -> Option<Entry> {
    let number = |place: usize| row.get(place)?.parse::<u32>().ok();
    let mut prices = [RegionPrices::default(); REGIONS.len()];
    for (place, region) in prices.iter_mut().enumerate() {
        let spot_saving_percent = optional::<u8>(row.get(11 + 2 * place)?)?;
        let band = optional::<u8>(row.get(12 + 2 * place)?)?;
        *region = RegionPrices {
            on_demand: match optional::<f64>(row.get(8 + place)?)? {
                Some(usd) => Some(HourlyPrice::from_usd(usd)?),
                None => None,
            },
            spot_saving_percent,
            // Where the source has no saving, its band is a filler too.
            interruption_band: spot_saving_percent.and(band),
        };
    }
    Some(Entry {
        name: row.get(0)?.to_owned(),
        arch: row.get(1)?.to_owned(),
        vcpu: number(2)?,
        memory: Bytes::mib(u64::from(number(3)?)),
        max_pods: number(4)?,
        local_nvme_gb: number(5)?,
        network_mbps: optional(row.get(6)?)?,
        gpus: number(7)?,
        emr: optional::<u8>(row.get(17)?)?.map(|flag| flag == 1),
        prices,
    })
}

/// `Some(None)` for an empty cell, `None` for one that is not a `T`.
fn optional<T: std::str::FromStr>(cell: &str) -> Option<Option<T>> {
    if cell.is_empty() { Some(None) } else { cell.parse().ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::super::Catalogue;
    use super::*;

    #[test]
    fn filters() {
        let catalogue = Catalogue::builtin();
        let names = |filter: &Filter| -> Vec<String> {
            let found = catalogue.list(filter);
            found.iter().map(|entry| entry.name.clone()).collect()
        };
        let four_cores = Filter {
            names: vec!["m5".into(), "r5.xlarge".into()],
            vcpu_max: Some(4),
            ..Filter::default()
        };
        assert_eq!(names(&four_cores), ["m5.large", "m5.xlarge", "r5.xlarge"]);
        let arm = Filter { arch: Some("arm64".into()), ..Filter::default() };
        assert_eq!(names(&arm).len(), 396);
        let priced = Filter { priced_in: Some("us-west-2".into()), ..Filter::default() };
        assert_eq!(names(&priced).len(), 473);
    }
}
