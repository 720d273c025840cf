//! A planned node: pods that go together, and what could still hold them.
//!
//! A pod may join as long as some instance type is left that has room for all of them and an
//! offering that all of them accept, and as many different values of labels as `minValues` asks
//! for. Source: kubernetes-sigs/karpenter `pkg/controllers/provisioning/scheduling/nodeclaim.go`.

use super::catalogue::{OfferingSet, Pool};
use crate::cluster::{NodeKinds, Resources, SpecId};
use crate::scenario::{CapacityType, KarpenterNodePool};
use crate::units::{HourlyPrice, SimTime};

/// A planned node.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    /// Its NodePool, by place in the order of trying.
    pub(super) pool: usize,
    /// Offerings that its pods accept and that have capacity as far as is known.
    pub(super) offerings: OfferingSet,
    /// Instance types that are left.
    pub(super) types: Vec<u32>,
    /// What its pods request.
    pub(super) used: Resources,
    /// The most that any type that is left has, of each resource.
    most: Resources,
    /// How many pods.
    pub(super) pods: u32,
    /// Specs of its pods that want to be alone of their kind.
    pub(super) alone: Vec<SpecId>,
}

/// What is asked of a NodePool's claims.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    /// The NodePool's settings.
    pub(super) settings: &'a KarpenterNodePool,
    /// `minValues` are given up where they cannot be met.
    pub(super) min_values_best_effort: bool,
}

impl Claim {
    /// An empty one of these types.
    pub(super) fn new(pool: usize, of: &Pool, offerings: OfferingSet, types: Vec<u32>) -> Self {
        let most = most(of, &types);
        Self {
            pool,
            offerings,
            types,
            used: Resources::default(),
            most,
            pods: 0,
            alone: Vec::new(),
        }
    }

    /// Whether no type that is left could hold the pod as well. Quickly told; may say no wrongly.
    pub(super) fn is_full_for(&self, request: &Resources) -> bool {
        !self.most.fits_beside(&self.used, request)
    }

    /// Adds a pod, if there is a type for it.
    ///
    /// # Errors
    /// Upstream's reason.
    pub(super) fn add(
        &mut self,
        of: &Pool,
        accepted: &OfferingSet,
        request: &Resources,
        rules: Rules<'_>,
    ) -> Result<(), String> {
        let mut used = self.used;
        used.add(request);
        let mut offerings = self.offerings.clone();
        offerings.intersect(accepted);
        let (mut fits, mut offered) = (false, false);
        let mut left = |of_type: &u32| {
            let place = *of_type as usize;
            let room = of.types[place].room.fits(&used);
            let offering = of.offerings_in(place, &offerings).next().is_some();
            fits |= room;
            offered |= offering;
            room && offering
        };
        let types: Vec<u32> = self.types.iter().copied().filter(|of_type| left(of_type)).collect();
        if types.is_empty() {
            return Err(none_left(request, fits, offered));
        }
        if !rules.min_values_best_effort
            && let Some(key) = short_of_values(of, &types, rules.settings)
        {
            return Err(format!(
                "minValues requirement is not met for label(s) (label(s)=[{key}])"
            ));
        }
        if types.len() < self.types.len() {
            self.most = most(of, &types);
            self.types = types;
        }
        self.offerings = offerings;
        self.used = used;
        self.pods += 1;
        Ok(())
    }

    /// Types by their cheapest offering, equal ones by name.
    pub(super) fn by_price(&self, of: &Pool, kinds: &NodeKinds, now: SimTime) -> Vec<u32> {
        let mut types = self.types.clone();
        types.sort_by_cached_key(|of_type| {
            let price = of.cheapest(kinds, now, *of_type as usize, &self.offerings);
            (price.unwrap_or(HourlyPrice::from_nano(u64::MAX)), *of_type)
        });
        types
    }

    /// Whether some offering of that capacity type is left.
    pub(super) fn has(&self, of: &Pool, capacity_type: CapacityType) -> bool {
        let mut types = self.types.iter();
        types.any(|of_type| {
            let mut offerings = of.offerings_in(*of_type as usize, &self.offerings);
            offerings.any(|offering| offering.capacity_type == capacity_type)
        })
    }

    /// Keeps offerings of that capacity type alone.
    pub(super) fn keep(&mut self, of: &Pool, capacity_type: CapacityType) {
        let mut set = OfferingSet::none(of.offerings.len());
        for (place, offering) in of.offerings.iter().enumerate() {
            if offering.capacity_type == capacity_type {
                set.insert(place);
            }
        }
        self.offerings.intersect(&set);
        self.types
            .retain(|place| of.offerings_in(*place as usize, &self.offerings).next().is_some());
    }

    /// Keeps types of which a launch is cheaper than `price` for certain: on spot in every zone, on
    /// demand where there is no spot. Source: upstream's `WorstLaunchPrice`.
    pub(super) fn keep_cheaper(
        &mut self,
        of: &Pool,
        kinds: &NodeKinds,
        now: SimTime,
        price: HourlyPrice,
    ) {
        let offerings = &self.offerings;
        self.types.retain(|of_type| {
            let worst = |capacity_type| {
                let of_type = of.offerings_in(*of_type as usize, offerings);
                let of_type = of_type.filter(|o| o.capacity_type == capacity_type);
                of_type.map(|offering| kinds.get(offering.kind).price_at(now)).max()
            };
            let worst = worst(CapacityType::Spot).or_else(|| worst(CapacityType::OnDemand));
            worst.is_some_and(|worst| worst < price)
        });
    }

    /// The least capacity that limits must allow whichever type is launched.
    pub(super) fn largest(&self, of: &Pool) -> Resources {
        let types = self.types.iter().map(|of_type| of.types[*of_type as usize].capacity);
        types.fold(Resources::default(), |most, capacity| larger(&most, &capacity))
    }

    /// The first five types, cheapest first, and how many more there are, as upstream's log says
    /// it.
    pub(super) fn type_list(&self, of: &Pool, sorted: &[u32]) -> String {
        let name = |of_type: &u32| of.types[*of_type as usize].name.as_str();
        let first: Vec<&str> = sorted.iter().take(5).map(name).collect();
        match sorted.len().checked_sub(5).filter(|more| *more > 0) {
            Some(more) => format!("{} and {more} other(s)", first.join(", ")),
            None => first.join(", "),
        }
    }
}

/// A label of which the types have fewer values than `minValues`.
pub(super) fn short_of_values<'a>(
    of: &Pool,
    types: &[u32],
    settings: &'a KarpenterNodePool,
) -> Option<&'a str> {
    let minimums = settings.requirements.iter().filter_map(|requirement| {
        Some((requirement.requirement.key.as_str(), requirement.min_values?))
    });
    for (place, (key, least)) in minimums.enumerate() {
        let mut values: Vec<&String> = types
            .iter()
            .filter_map(|of_type| of.types[*of_type as usize].min_value_labels[place].as_ref())
            .collect();
        values.sort_unstable();
        values.dedup();
        if values.len() < least as usize {
            return Some(key);
        }
    }
    None
}

/// What a pod asks for, and upstream's words for why no type is left.
fn none_left(request: &Resources, fits: bool, offered: bool) -> String {
    let why = match (fits, offered) {
        (false, false) => "no instance type had enough resources or had a required offering",
        (false, true) => "no instance type has enough resources",
        (true, false) => "no instance type has the required offering",
        (true, true) => {
            "no instance type which had enough resources and the required offering met the \
             scheduling requirements"
        }
    };
    let memory = request.memory.as_gib_f64();
    format!(
        "no instance type satisfied resources (cpu {}, memory {memory:.1}Gi), {why}",
        request.cpu
    )
}

fn most(of: &Pool, types: &[u32]) -> Resources {
    let rooms = types.iter().map(|of_type| of.types[*of_type as usize].room);
    rooms.fold(Resources::default(), |most, room| larger(&most, &room))
}

fn larger(a: &Resources, b: &Resources) -> Resources {
    let mut extended = a.extended;
    extended.iter_mut().zip(b.extended).for_each(|(mine, theirs)| *mine = theirs.max(*mine));
    Resources {
        cpu: a.cpu.max(b.cpu),
        memory: a.memory.max(b.memory),
        ephemeral_storage: a.ephemeral_storage.max(b.ephemeral_storage),
        pods: a.pods.max(b.pods),
        extended,
    }
}
