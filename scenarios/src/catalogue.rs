//! The instance catalogue: shapes, allocatable resources, prices and spot data of EC2 instance
//! types, and the fees besides them. Built into the program; every number's source is in
//! `scenarios/catalogue/README.md`.
//!
//! Left out: prices of regions other than `us-east-1`, `us-west-2` and `eu-west-1` (a missing price
//! is an error that names the type and the region, never zero; an override sets it), reserved
//! instances and savings plans, and local NVMe as pod storage.

mod allocatable;
mod entry;
mod fees;
pub mod fit;
pub mod labels;
pub mod tile;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use sim::scenario::{Fees, InstanceType};
use sim::units::{Bytes, HourlyPrice};

pub use allocatable::{
    DEFAULT_VM_MEMORY_OVERHEAD, allocatable_cpu, allocatable_memory, tiered_allocatable_memory,
};
pub use entry::{Entry, Filter, RegionPrices};
use fees::FeeTable;
pub use fit::{FitQuestion, FitReport, FitRow, fit};

/// Regions the catalogue has prices for, in the order of its columns.
pub const REGIONS: [&str; 3] = ["us-east-1", "us-west-2", "eu-west-1"];

const INSTANCE_TYPES_CSV: &str = include_str!("../catalogue/instance_types.csv");
const FEES_CSV: &str = include_str!("../catalogue/fees.csv");

/// What the catalogue cannot answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// No such instance type.
    #[error("unknown instance type `{name}`; nearest known: {}", nearest.join(", "))]
    UnknownType {
        /// The name as it was asked for.
        name: String,
        /// Up to three known names, nearest first.
        nearest: Vec<String>,
    },
    /// The type is known, its on-demand price in the region is not.
    #[error(
        "no on-demand price of `{name}` in region `{region}` is known{}; give one as an override",
        known_in(known)
    )]
    MissingPrice {
        /// The instance type.
        name: String,
        /// The region.
        region: String,
        /// Regions where its price is known.
        known: Vec<String>,
    },
    /// A fee is not known in the region.
    #[error(
        "no price of `{item}` in region `{region}` is known{}; give one as an override",
        known_in(known)
    )]
    MissingFee {
        /// The fee, by its name in `fees.csv`.
        item: String,
        /// The region.
        region: String,
        /// Regions where it is known.
        known: Vec<String>,
    },
}

fn known_in(regions: &[String]) -> String {
    if regions.is_empty() { String::new() } else { format!(" (known in {})", regions.join(", ")) }
}

/// The instance types, the fees, and what the user overrides.
#[derive(Debug, Clone)]
pub struct Catalogue {
    entries: Arc<BTreeMap<String, Entry>>,
    fees: FeeTable,
    on_demand_overrides: BTreeMap<String, HourlyPrice>,
    spot_overrides: BTreeMap<String, HourlyPrice>,
    vm_memory_overhead: f64,
}

impl Catalogue {
    /// The built-in catalogue; parsed once, cloned after.
    pub fn builtin() -> Self {
        static BUILTIN: OnceLock<Catalogue> = OnceLock::new();
        BUILTIN
            .get_or_init(|| Self {
                entries: Arc::new(entry::read(INSTANCE_TYPES_CSV)),
                fees: fees::read(FEES_CSV),
                on_demand_overrides: BTreeMap::new(),
                spot_overrides: BTreeMap::new(),
                vm_memory_overhead: DEFAULT_VM_MEMORY_OVERHEAD,
            })
            .clone()
    }

    /// Sets the on-demand price of `name`, in every region.
    pub fn set_on_demand_price(&mut self, name: &str, price: HourlyPrice) {
        self.on_demand_overrides.insert(name.to_owned(), price);
    }

    /// Sets the spot price of `name`, in every region.
    pub fn set_spot_price(&mut self, name: &str, price: HourlyPrice) {
        self.spot_overrides.insert(name.to_owned(), price);
    }

    /// Sets the share of memory that the hypervisor and the operating system keep (Karpenter's
    /// `vmMemoryOverheadPercent`; 0.075 = 7.5 %). Measured fleets keep 1.7 to 5.3 %, so that live
    /// nodes have more than the default says. Values outside `0.0..=0.5` are cut to it.
    pub fn set_vm_memory_overhead(&mut self, share: f64) {
        self.vm_memory_overhead =
            if share.is_nan() { DEFAULT_VM_MEMORY_OVERHEAD } else { share.clamp(0.0, 0.5) };
    }

    /// The catalogue's row of `name`.
    ///
    /// # Errors
    /// No such type: the error names the nearest ones.
    pub fn entry(&self, name: &str) -> Result<&Entry, CatalogueError> {
        self.entries.get(name).ok_or_else(|| CatalogueError::UnknownType {
            name: name.chars().take(80).collect(),
            nearest: self.nearest(name),
        })
    }

    /// The type as the model needs it: shape, allocatable resources, prices of `region`.
    ///
    /// # Errors
    /// No such type, or no on-demand price of it in the region.
    pub fn instance_type(&self, name: &str, region: &str) -> Result<InstanceType, CatalogueError> {
        let entry = self.entry(name)?;
        let on_demand_price =
            self.on_demand_price(name, region)?.ok_or_else(|| CatalogueError::MissingPrice {
                name: name.to_owned(),
                region: region.to_owned(),
                known: entry.regions_with_price(),
            })?;
        let prices = entry.prices(region);
        let spot_price = self
            .spot_overrides
            .get(name)
            .copied()
            .or_else(|| discounted(on_demand_price, prices?.spot_saving_percent?));
        Ok(InstanceType {
            name: name.to_owned(),
            arch: entry.arch.clone(),
            vcpu: entry.vcpu,
            memory: entry.memory,
            allocatable_cpu: allocatable_cpu(entry.vcpu),
            allocatable_memory: self.allocatable_memory(entry),
            max_pods: entry.max_pods,
            gpus: entry.gpus,
            on_demand_price,
            spot_price,
            interruption_band: prices.and_then(|prices| prices.interruption_band),
        })
    }

    /// The on-demand price of `name` in `region`; `None` where it is not known.
    ///
    /// # Errors
    /// No such type.
    pub fn on_demand_price(
        &self,
        name: &str,
        region: &str,
    ) -> Result<Option<HourlyPrice>, CatalogueError> {
        let entry = self.entry(name)?;
        let listed = entry.prices(region).and_then(|prices| prices.on_demand);
        Ok(self.on_demand_overrides.get(name).copied().or(listed))
    }

    /// The types that `filter` lets through, by name.
    pub fn list(&self, filter: &Filter) -> Vec<&Entry> {
        self.entries.values().filter(|entry| filter.matches(entry)).collect()
    }

    /// Memory that pods may request on a node of this type, with this catalogue's overhead.
    pub fn allocatable_memory(&self, entry: &Entry) -> Bytes {
        let arm = entry.arch == "arm64";
        allocatable_memory(entry.memory, arm, entry.max_pods, self.vm_memory_overhead)
    }

    /// Control plane and storage fees of `region`, without EMR.
    ///
    /// # Errors
    /// A fee of the region is not known.
    pub fn fees(&self, region: &str) -> Result<Fees, CatalogueError> {
        self.fees.without_emr(region)
    }

    /// The fees of `region` with EMR on EKS' charge on requested resources.
    ///
    /// # Errors
    /// A fee of the region is not known; EMR on EKS' is known for `us-west-2` only.
    pub fn fees_with_emr(&self, region: &str) -> Result<Fees, CatalogueError> {
        self.fees.with_emr(region)
    }

    /// Up to three known names, nearest first.
    fn nearest(&self, name: &str) -> Vec<String> {
        // A name that long is none; the distance would cost its length times every name's.
        let name: String = name.chars().take(40).collect::<String>().to_lowercase();
        let mut ranked: Vec<_> = self
            .entries
            .keys()
            .map(|known| (strsim::damerau_levenshtein(&name, known), known))
            .collect();
        ranked.sort();
        ranked.into_iter().take(3).map(|(_, known)| known.clone()).collect()
    }
}

/// `price` less `saving` percent; `None` for a saving that leaves nothing.
fn discounted(price: HourlyPrice, saving: u8) -> Option<HourlyPrice> {
    let rest = 100u64.checked_sub(u64::from(saving)).filter(|r| *r > 0)?;
    Some(HourlyPrice::from_nano(price.as_nano() * rest / 100))
}

#[cfg(test)]
mod tests {
    use sim::units::MilliCores;

    use super::*;

    #[test]
    fn answers_with_shape_and_prices() {
        let catalogue = Catalogue::builtin();
        assert_eq!(catalogue.list(&Filter::default()).len(), 1363);
        let m5 = catalogue.instance_type("m5.xlarge", "us-west-2").unwrap();
        assert_eq!(m5.allocatable_cpu, MilliCores::new(3920));
        assert_eq!(m5.allocatable_memory, Bytes::mib(14_162));
        assert_eq!(m5.max_pods, 58);
        assert_eq!(m5.on_demand_price, HourlyPrice::from_usd(0.192).expect("a price"));
        let spot = m5.spot_price.expect("known").as_usd_f64();
        assert!(spot > 0.03 && spot < 0.192, "{spot}");
        assert!(m5.interruption_band.expect("known") <= 4);
    }

    #[test]
    fn an_unknown_type_is_answered_with_the_nearest() {
        let error = Catalogue::builtin().instance_type("m5.xlrage", "us-west-2");
        let text = error.unwrap_err().to_string();
        assert!(text.contains("`m5.xlrage`") && text.contains("m5.xlarge"), "{text}");
        let long = "x".repeat(1_000_000);
        assert!(Catalogue::builtin().entry(&long).is_err());
    }

    #[test]
    fn a_missing_price_is_an_error_until_it_is_given() {
        let mut catalogue = Catalogue::builtin();
        let error = catalogue.instance_type("m7g.xlarge", "us-west-2");
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("`m7g.xlarge` in region `us-west-2`") && text.contains("us-east-1"),
            "{text}"
        );
        let error = catalogue.instance_type("m5.large", "eu-central-1");
        assert!(matches!(error, Err(CatalogueError::MissingPrice { .. })));
        catalogue.set_on_demand_price("m7g.xlarge", HourlyPrice::from_nano(163_200_000));
        let m7g = catalogue.instance_type("m7g.xlarge", "us-west-2").unwrap();
        assert_eq!(m7g.on_demand_price, HourlyPrice::from_nano(163_200_000));
    }

    #[test]
    fn no_data_on_spot_is_not_a_free_spot_node() {
        let catalogue = Catalogue::builtin();
        let a1 = catalogue.instance_type("a1.large", "us-east-1").unwrap();
        assert_eq!(a1.spot_price, None);
        assert_eq!(a1.interruption_band, None);
        for entry in catalogue.list(&Filter::default()) {
            let Ok(found) = catalogue.instance_type(&entry.name, "us-east-1") else {
                continue;
            };
            assert_ne!(found.on_demand_price, HourlyPrice::ZERO, "{}", entry.name);
            assert_ne!(found.spot_price, Some(HourlyPrice::ZERO), "{}", entry.name);
        }
    }

    #[test]
    fn fees_by_region() {
        let catalogue = Catalogue::builtin();
        let fees = catalogue.fees("us-west-2").unwrap();
        assert_eq!(fees.control_plane, HourlyPrice::from_nano(100_000_000));
        assert_eq!(fees.storage_per_gib, HourlyPrice::from_nano(109_589));
        assert_eq!(fees.emr_per_vcpu, HourlyPrice::ZERO);
        let emr = catalogue.fees_with_emr("us-west-2").unwrap();
        assert_eq!(emr.emr_per_vcpu, HourlyPrice::from_nano(10_120_000));
        assert_eq!(emr.emr_per_gb, HourlyPrice::from_nano(1_111_250));
        let error = catalogue.fees_with_emr("eu-west-1").unwrap_err();
        assert!(error.to_string().contains("eu-west-1"), "{error}");
        assert!(catalogue.fees("mars-north-1").is_err());
    }
}
