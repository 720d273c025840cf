//! Instance types: the catalogue's, with the file's prices and shapes on top.

use std::collections::{BTreeMap, BTreeSet};

use sim::scenario::InstanceType;
use sim::units::{Bytes, HourlyPrice};

use super::context::Context;
use super::platform::did_you_mean;
use super::settings::Settings;
use crate::catalogue::{
    Catalogue, CatalogueError, Filter, allocatable_cpu, allocatable_memory, labels,
};
use crate::native::Place;

/// Pods by number on a type that does not say: the kubelet's default `maxPods`.
const MAX_PODS: u32 = 110;

pub(super) struct InstanceTypes {
    catalogue: Catalogue,
    region: Option<String>,
    overhead: f64,
    shapes: BTreeMap<String, Shape>,
    prices: BTreeMap<String, [Option<HourlyPrice>; 2]>,
}

/// What the file says about a type.
#[derive(Default)]
struct Shape {
    arch: Option<&'static str>,
    vcpu: Option<u32>,
    memory: Option<Bytes>,
    allocatable_cpu: Option<sim::units::MilliCores>,
    allocatable_memory: Option<Bytes>,
    max_pods: Option<u32>,
    gpus: Option<u32>,
    on_demand: Option<HourlyPrice>,
    spot: Option<HourlyPrice>,
    band: Option<u8>,
}

impl InstanceTypes {
    pub(super) fn read(
        context: &Context<'_>,
        spec: &Settings<'_>,
        nodes: Option<&Settings<'_>>,
        region: Option<&str>,
    ) -> Self {
        let mut catalogue = Catalogue::builtin();
        let overhead = nodes.and_then(|nodes| nodes.float("vmMemoryOverheadPercent"));
        if let Some(overhead) = overhead {
            catalogue.set_vm_memory_overhead(overhead);
        }
        let mut types = Self {
            catalogue,
            region: region.map(str::to_owned),
            overhead: overhead.unwrap_or(crate::catalogue::DEFAULT_VM_MEMORY_OVERHEAD),
            shapes: BTreeMap::new(),
            prices: BTreeMap::new(),
        };
        for (key, given) in spec.named_sections("instanceTypes") {
            let shape = shape(&given);
            if !shape.stands_alone() && types.catalogue.entry(&key.name).is_err() {
                let message = format!("`{}` is not in the catalogue", key.name);
                let help = "a type of your own needs `vcpu` and `memory`";
                given.fields.at.problem_with_help(message, help);
            }
            types.shapes.insert(key.name.clone(), shape);
        }
        for (key, given) in spec.named_sections("prices") {
            if !types.shapes.contains_key(&key.name)
                && let Err(error) = types.catalogue.entry(&key.name)
            {
                let path = &given.fields.at.path;
                context.walker.problem(key.pos, path, error.to_string(), None);
            }
            let pair = ["onDemand", "spot"].map(|key| price(&given, key));
            types.prices.insert(key.name.clone(), pair);
        }
        types
    }

    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The type `name`; a problem at `place` where there is none or where a price is not known.
    pub(super) fn get(
        &self,
        context: &Context<'_>,
        name: &str,
        spot: bool,
        place: &Place,
    ) -> Option<InstanceType> {
        let found = self.find(name);
        let refuse = |message: String, help: Option<String>| {
            context.problem_at(place, message, help);
        };
        match found {
            Ok(found) if spot && found.spot_price.is_none() => {
                let region = self.region.as_deref().unwrap_or_default();
                let help = format!("set `spec.prices.\"{name}\".spot`");
                refuse(format!("no spot price of `{name}` in `{region}` is known"), Some(help));
                None
            }
            Ok(found) => Some(found),
            Err(error @ CatalogueError::UnknownType { .. }) => {
                let own = did_you_mean(name, self.shapes.keys().map(String::as_str));
                refuse(error.to_string(), own);
                None
            }
            // Without a region nothing has a price, and the region's absence is a problem already.
            Err(_) if self.region.is_none() => None,
            Err(error) => {
                refuse(error.to_string(), Some(format!("set `spec.prices.\"{name}\".onDemand`")));
                None
            }
        }
    }

    /// Every type that there is to choose from: the catalogue's and the file's.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let listed = self.catalogue.list(&Filter::default());
        let listed = listed.into_iter().map(|entry| entry.name.clone());
        listed.chain(self.shapes.keys().cloned()).collect()
    }

    /// The type `name`; `None` where its price is not known.
    pub(super) fn priced(&self, name: &str) -> Option<InstanceType> {
        self.find(name).ok()
    }

    /// Labels of nodes of the type.
    pub(super) fn labels(&self, name: &str) -> BTreeMap<String, String> {
        if let Ok(entry) = self.catalogue.entry(name) {
            return labels::of_entry(entry);
        }
        let Some(shape) = self.shapes.get(name) else { return BTreeMap::new() };
        labels::of_shape(&labels::Shape {
            name,
            arch: shape.arch.unwrap_or("amd64"),
            vcpu: shape.vcpu.unwrap_or_default(),
            memory: shape.memory.unwrap_or_default(),
            gpus: shape.gpus.unwrap_or_default(),
        })
    }

    fn find(&self, name: &str) -> Result<InstanceType, CatalogueError> {
        let shape = self.shapes.get(name);
        let [on_demand, spot] = self.prices.get(name).copied().unwrap_or_default();
        let on_demand = on_demand.or_else(|| shape?.on_demand);
        let spot = spot.or_else(|| shape?.spot);
        let region = self.region.as_deref().unwrap_or_default();
        if let Some(shape) = shape.filter(|shape| shape.stands_alone()) {
            let missing = || CatalogueError::MissingPrice {
                name: name.to_owned(),
                region: region.to_owned(),
                known: Vec::new(),
            };
            return Ok(self.own(name, shape, on_demand.ok_or_else(missing)?, spot));
        }
        let mut catalogue = self.catalogue.clone();
        if let Some(price) = on_demand {
            catalogue.set_on_demand_price(name, price);
        }
        if let Some(price) = spot {
            catalogue.set_spot_price(name, price);
        }
        let mut found = catalogue.instance_type(name, region)?;
        if let Some(shape) = shape {
            shape.change(&mut found);
        }
        Ok(found)
    }

    /// A type that the file itself describes.
    fn own(
        &self,
        name: &str,
        shape: &Shape,
        on_demand_price: HourlyPrice,
        spot_price: Option<HourlyPrice>,
    ) -> InstanceType {
        let vcpu = shape.vcpu.unwrap_or_default();
        let memory = shape.memory.unwrap_or_default();
        let arch = shape.arch.unwrap_or("amd64");
        let max_pods = shape.max_pods.unwrap_or(MAX_PODS);
        let mut own = InstanceType {
            name: name.to_owned(),
            arch: arch.to_owned(),
            vcpu,
            memory,
            allocatable_cpu: allocatable_cpu(vcpu),
            allocatable_memory: allocatable_memory(
                memory,
                arch == "arm64",
                max_pods,
                self.overhead,
            ),
            max_pods,
            gpus: 0,
            on_demand_price,
            spot_price,
            interruption_band: None,
        };
        shape.change(&mut own);
        own
    }
}

impl Shape {
    /// Whether the catalogue need not be asked.
    fn stands_alone(&self) -> bool {
        self.vcpu.is_some() && self.memory.is_some()
    }

    fn change(&self, found: &mut InstanceType) {
        if let Some(arch) = self.arch {
            found.arch = arch.to_owned();
        }
        found.vcpu = self.vcpu.unwrap_or(found.vcpu);
        found.memory = self.memory.unwrap_or(found.memory);
        found.allocatable_cpu = self.allocatable_cpu.unwrap_or(found.allocatable_cpu);
        found.allocatable_memory = self.allocatable_memory.unwrap_or(found.allocatable_memory);
        found.max_pods = self.max_pods.unwrap_or(found.max_pods);
        found.gpus = self.gpus.unwrap_or(found.gpus);
        found.interruption_band = self.band.or(found.interruption_band);
    }
}

fn price(given: &Settings<'_>, key: &str) -> Option<HourlyPrice> {
    HourlyPrice::from_usd(given.float(key)?)
}

fn shape(given: &Settings<'_>) -> Shape {
    Shape {
        arch: given.choice("arch"),
        vcpu: given.count("vcpu"),
        memory: given.bytes("memory"),
        allocatable_cpu: given.cpu("allocatableCpu"),
        allocatable_memory: given.bytes("allocatableMemory"),
        max_pods: given.count("maxPods"),
        gpus: given.count("gpus"),
        on_demand: price(given, "onDemandPrice"),
        spot: price(given, "spotPrice"),
        band: given.int("interruptionBand").and_then(|band| u8::try_from(band).ok()),
    }
}
