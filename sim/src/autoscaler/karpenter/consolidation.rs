//! Consolidation: nodes whose pods fit elsewhere, or on one cheaper node.
//!
//! The candidates are taken out of the cluster and their pods packed as in a batch, beside those
//! that wait. All must find a place, none of them on a node that is not ready, with at most one new
//! node, of which a launch must be cheaper than the candidates for certain. On-demand nodes may
//! become spot ones, which are then asked for alone; spot nodes become spot ones only behind the
//! feature gate, one node only with 15 cheaper types to choose from, to which the launch is then
//! cut. Several nodes: the longest prefix of at most 100 candidates by disruption cost that a
//! binary search finds, and no replacement of a type of theirs or dearer. Source:
//! kubernetes-sigs/karpenter `pkg/controllers/disruption/{consolidation,
//! multinodeconsolidation,singlenodeconsolidation,helpers}.go`.

use super::KarpenterState;
use super::balanced;
use super::candidates::Candidate;
use super::claim::{Claim, short_of_values};
use super::launch::TYPES_MAX;
use super::packing::{Packing, Plan, PodGroup};
use super::provisioning::pending;
use crate::cluster::NodeId;
use crate::engine::world::World;
use crate::scenario::{CapacityType, Karpenter};
use crate::units::{HourlyPrice, SimTime};

/// Fewest cheaper types for a spot node to be replaced by a spot node, and most that are asked for.
const SPOT_TO_SPOT_TYPES: usize = 15;

/// Most candidates of one command.
const CANDIDATES_MAX: usize = 100;

/// What a simulation of the disruption loop works with.
pub(super) struct Simulator<'a> {
    pub(super) state: &'a mut KarpenterState,
    pub(super) world: &'a World,
    pub(super) settings: &'a Karpenter,
    pub(super) now: SimTime,
    /// Every candidate of this turn: what scores are measured by.
    pub(super) all: &'a [Candidate],
}

impl Simulator<'_> {
    /// Where the pods of `gone` would go, beside those that wait.
    ///
    /// # Errors
    /// Why they would not all go somewhere.
    pub(super) fn simulate(&mut self, gone: &[Candidate]) -> Result<Plan, String> {
        let waiting = pending(self.world);
        let mut groups = waiting.clone();
        for group in gone.iter().flat_map(|candidate| &candidate.pods) {
            match groups.iter_mut().find(|other| other.spec == group.spec) {
                Some(other) => {
                    other.count += group.count;
                    other.since = other.since.min(group.since);
                }
                None => groups.push(*group),
            }
        }
        let nodes: Vec<NodeId> = gone.iter().map(|candidate| candidate.node).collect();
        let KarpenterState { catalogue, levels, .. } = &mut *self.state;
        let cluster = &self.world.cluster;
        let at = (self.now, nodes.as_slice());
        let plan = Packing::new(cluster, catalogue, levels, self.settings, at).pack(groups);
        let waits = |spec| {
            let found = waiting.iter().find(|group: &&PodGroup| group.spec == spec);
            found.map_or(0, |group| group.count)
        };
        if let Some((.., reasons)) =
            plan.unplaced.iter().find(|(spec, count, _)| *count > waits(*spec))
        {
            let reason = reasons.first().map_or("no node pool", |(_, reason)| reason.as_str());
            return Err(format!("not all pods would schedule, {reason}"));
        }
        let moves = |spec| gone.iter().flat_map(|c| &c.pods).any(|group| group.spec == spec);
        if plan.on_booting.iter().any(|spec| moves(*spec)) {
            return Err("would schedule against uninitialized nodeclaim".to_owned());
        }
        Ok(plan)
    }

    /// What to launch so that `gone` can go: nothing, or one cheaper node.
    ///
    /// # Errors
    /// Upstream's reason why they stay.
    pub(super) fn consolidate(&mut self, gone: &[Candidate]) -> Result<Option<Claim>, String> {
        let mut plan = self.simulate(gone)?;
        let price = total_price(gone);
        if plan.claims.len() > 1 {
            return Err(format!("Can't remove without creating {} candidates", plan.claims.len()));
        }
        let replacement = match plan.claims.pop() {
            None => None,
            Some(claim) => Some(self.cheaper(claim, gone, price)?),
        };
        let kinds = &self.world.cluster.kinds;
        let cost = replacement.as_ref().map_or(0.0, |claim| {
            let of = &self.state.catalogue.pools[claim.pool];
            let prices = claim.types.iter();
            let prices =
                prices.filter_map(|t| of.cheapest(kinds, self.now, *t as usize, &claim.offerings));
            prices.min().map_or(0.0, HourlyPrice::as_usd_f64)
        });
        match balanced::objection(self.settings, self.all, gone, price.as_usd_f64() - cost) {
            Some(objection) => Err(objection),
            None => Ok(replacement),
        }
    }

    /// The planned node with those types that are cheaper than `price`.
    fn cheaper(
        &self,
        mut claim: Claim,
        gone: &[Candidate],
        price: HourlyPrice,
    ) -> Result<Claim, String> {
        let kinds = &self.world.cluster.kinds;
        let of = &self.state.catalogue.pools[claim.pool];
        let capacity_type = |c: &Candidate| kinds.get(c.kind).capacity_type;
        let all_spot = gone.iter().all(|c| capacity_type(c) == CapacityType::Spot);
        let spot_to_spot = all_spot && claim.has(of, CapacityType::Spot);
        if spot_to_spot {
            if !self.settings.spot_to_spot_consolidation {
                return Err(
                    "SpotToSpotConsolidation is disabled, can't replace a spot node with a \
                            spot node"
                        .to_owned(),
                );
            }
            claim.keep(of, CapacityType::Spot);
        }
        claim.keep_cheaper(of, kinds, self.now, price);
        self.check_values(&claim)?;
        if claim.types.is_empty() {
            return Err("Can't replace with a cheaper node".to_owned());
        }
        if spot_to_spot && gone.len() == 1 {
            let count = claim.types.len();
            if count < SPOT_TO_SPOT_TYPES {
                return Err(format!(
                    "SpotToSpotConsolidation requires {SPOT_TO_SPOT_TYPES} cheaper instance type \
                     options than the current candidate to consolidate, got {count}"
                ));
            }
            claim.types = claim.by_price(of, kinds, self.now);
            claim.types.truncate(SPOT_TO_SPOT_TYPES);
            claim.types.sort_unstable();
        }
        // A replacement that was to be spot must not become a dearer on-demand node.
        if claim.has(of, CapacityType::Spot) && claim.has(of, CapacityType::OnDemand) {
            claim.keep(of, CapacityType::Spot);
        }
        // What is not asked for is not launched either.
        let mut types = claim.by_price(of, kinds, self.now);
        types.truncate(TYPES_MAX);
        claim.types.retain(|of_type| types.contains(of_type));
        Ok(claim)
    }

    fn check_values(&self, claim: &Claim) -> Result<(), String> {
        let of = &self.state.catalogue.pools[claim.pool];
        if self.settings.min_values_best_effort {
            return Ok(());
        }
        match short_of_values(of, &claim.types, &self.settings.node_pools[of.place]) {
            Some(key) => Err(format!(
                "Filtering by price: minValues requirement is not met for label(s) \
                 (label(s)=[{key}])"
            )),
            None => Ok(()),
        }
    }

    /// The longest prefix of the candidates that can go together, with what replaces it.
    pub(super) fn multi_node(
        &mut self,
        candidates: &[Candidate],
    ) -> Option<(usize, Option<Claim>)> {
        if candidates.len() < 2 {
            return None;
        }
        let (mut low, mut high) = (1, candidates.len().min(CANDIDATES_MAX) - 1);
        let mut best = None;
        while low <= high {
            let middle = usize::midpoint(low, high);
            let gone = &candidates[..=middle];
            let found = self.consolidate(gone).ok().and_then(|claim| match claim {
                None => Some(None),
                Some(claim) => self.without_same_type(claim, gone).map(Some),
            });
            match found {
                Some(claim) => {
                    best = Some((middle + 1, claim));
                    low = middle + 1;
                }
                None => high = middle - 1,
            }
        }
        best
    }

    /// The planned node without types that are as dear as one of the same type that goes: it would
    /// be better to keep that one.
    fn without_same_type(&self, mut claim: Claim, gone: &[Candidate]) -> Option<Claim> {
        let of = &self.state.catalogue.pools[claim.pool];
        let name = |candidate: &Candidate| {
            let (pool, of_type) = self.state.catalogue.of_kind(candidate.kind)?;
            Some(self.state.catalogue.pools[pool].types[of_type].name.as_str())
        };
        let offered = |candidate: &&Candidate| {
            let mut types = claim.types.iter();
            types.any(|of_type| Some(of.types[*of_type as usize].name.as_str()) == name(candidate))
        };
        let cheapest = gone.iter().filter(offered).map(|candidate| candidate.price).min();
        if let Some(cheapest) = cheapest {
            claim.keep_cheaper(of, &self.world.cluster.kinds, self.now, cheapest);
        }
        self.check_values(&claim).ok()?;
        (!claim.types.is_empty()).then_some(claim)
    }
}

/// What the candidates cost an hour.
pub(super) fn total_price(candidates: &[Candidate]) -> HourlyPrice {
    HourlyPrice::from_nano(candidates.iter().map(|candidate| candidate.price.as_nano()).sum())
}
