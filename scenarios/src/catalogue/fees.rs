//! Fees besides instances, from the built-in table.

use std::collections::BTreeMap;

use sim::scenario::Fees;
use sim::units::{HourlyPrice, NanoUsd};

use super::CatalogueError;

/// Hours in the month that storage is priced by.
/// Source: AWS bills a GB-month as 730 hours (`$438/month over 730 h` in `fees.csv`).
const HOURS_PER_MONTH: f64 = 730.0;

/// A GB between two zones of a region: 0.01 dollars out of the one and as much into the other, in
/// all regions. Source: facts-cloud section 3 (AWS' networking costs).
const CROSS_ZONE: NanoUsd = NanoUsd::new(20_000_000);

/// Dollars by (item, region).
#[derive(Debug, Clone)]
pub(super) struct FeeTable(BTreeMap<(String, String), f64>);

impl FeeTable {
    /// Control plane (standard support) and gp3 storage.
    ///
    /// A gigabyte is taken as a GiB, as AWS does for volumes.
    pub(super) fn without_emr(&self, region: &str) -> Result<Fees, CatalogueError> {
        Ok(Fees {
            control_plane: self.hourly("eks_cluster_standard_support", region, 1.0)?,
            storage_per_gib: self.hourly("ebs_gp3_storage", region, HOURS_PER_MONTH)?,
            cross_zone_per_gb: CROSS_ZONE,
            ..Fees::default()
        })
    }

    /// The same with EMR on EKS' charge.
    pub(super) fn with_emr(&self, region: &str) -> Result<Fees, CatalogueError> {
        Ok(Fees {
            emr_per_vcpu: self.hourly("emr_on_eks_vcpu", region, 1.0)?,
            emr_per_gb: self.hourly("emr_on_eks_memory", region, 1.0)?,
            ..self.without_emr(region)?
        })
    }

    fn hourly(&self, item: &str, region: &str, hours: f64) -> Result<HourlyPrice, CatalogueError> {
        let key = (item.to_owned(), region.to_owned());
        self.0.get(&key).and_then(|usd| HourlyPrice::from_usd(usd / hours)).ok_or_else(|| {
            CatalogueError::MissingFee {
                item: item.to_owned(),
                region: region.to_owned(),
                known: self
                    .0
                    .keys()
                    .filter(|(known, _)| known == item)
                    .map(|(_, region)| region.clone())
                    .collect(),
            }
        })
    }
}

/// Reads the built-in table.
pub(super) fn read(csv_text: &str) -> FeeTable {
    let rows = csv::Reader::from_reader(csv_text.as_bytes())
        .records()
        .map(|record| {
            let record = record.expect("the built-in fee table is valid CSV");
            let row = (|| {
                let key = (record.get(0)?.to_owned(), record.get(1)?.to_owned());
                Some((key, record.get(3)?.parse().ok()?))
            })();
            row.unwrap_or_else(|| panic!("row of the built-in fee table: {record:?}"))
        })
        .collect();
    FeeTable(rows)
}
