//! What pods ask for, interned: the executors of an application ask for the same, so the scheduler
//! and the autoscaler think once about all of them.

use std::collections::BTreeMap;

use crate::scenario::PodTemplate;
use crate::units::{Bytes, MilliCores};

/// Amounts that pods request and nodes offer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Resources {
    /// CPU.
    pub(crate) cpu: MilliCores,
    /// Memory.
    pub(crate) memory: Bytes,
    /// `nvidia.com/gpu`.
    pub(crate) gpus: u32,
    /// Pod slots: 1 for a pod.
    pub(crate) pods: u32,
}

impl Resources {
    /// Adds.
    pub(crate) fn add(&mut self, other: &Self) {
        self.cpu += other.cpu;
        self.memory += other.memory;
        self.gpus += other.gpus;
        self.pods += other.pods;
    }

    /// Subtracts; what was added before.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.cpu -= other.cpu;
        self.memory -= other.memory;
        self.gpus -= other.gpus;
        self.pods -= other.pods;
    }

    /// What is left of `self` after `used`.
    pub(crate) fn minus(&self, used: &Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(used.cpu),
            memory: self.memory.saturating_sub(used.memory),
            gpus: self.gpus.saturating_sub(used.gpus),
            pods: self.pods.saturating_sub(used.pods),
        }
    }

    /// Whether `request` fits into `self`.
    pub(crate) fn fits(&self, request: &Self) -> bool {
        request.cpu <= self.cpu
            && request.memory <= self.memory
            && request.gpus <= self.gpus
            && request.pods <= self.pods
    }

    /// How many times `request` fits into `self`.
    pub(crate) fn times(&self, request: &Self) -> u32 {
        let ratio = |room: u64, ask: u64| room.checked_div(ask).unwrap_or(u64::MAX);
        let times = ratio(self.cpu.as_millis(), request.cpu.as_millis())
            .min(ratio(self.memory.as_u64(), request.memory.as_u64()))
            .min(ratio(u64::from(self.gpus), u64::from(request.gpus)))
            .min(ratio(u64::from(self.pods), u64::from(request.pods)));
        u32::try_from(times).unwrap_or(u32::MAX)
    }
}

/// Place in [`Specs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SpecId(pub(crate) u32);

/// Place in the list of placements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlacementId(pub(crate) u32);

/// What a pod asks for, as far as placement is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PodSpec {
    /// Requests.
    pub(crate) requests: Resources,
    /// Where it may run.
    pub(crate) placement: PlacementId,
    /// Priority.
    pub(crate) priority: i32,
}

/// Where pods of one kind may run.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Placement {
    /// Selectors, affinity, tolerations.
    pub(crate) template: PodTemplate,
    /// Set by a retry ladder: on-demand nodes only. The template then says nothing about capacity
    /// types.
    pub(crate) on_demand_only: bool,
    /// The cluster autoscaler may evict such a pod (`safe-to-evict: "true"`, or it has a
    /// controller that replaces it).
    pub(crate) evictable: bool,
}

/// Every different spec and placement once.
#[derive(Debug, Default)]
pub(crate) struct Specs {
    specs: Vec<PodSpec>,
    ids: BTreeMap<PodSpec, SpecId>,
    placements: Vec<Placement>,
    lowest_priority: Option<i32>,
}

impl Specs {
    /// The lowest priority that any pod ever had.
    pub(crate) fn lowest_priority(&self) -> Option<i32> {
        self.lowest_priority
    }

    /// The id of `spec`.
    pub(crate) fn intern(&mut self, spec: PodSpec) -> SpecId {
        let lowest = self.lowest_priority.get_or_insert(spec.priority);
        *lowest = spec.priority.min(*lowest);
        *self.ids.entry(spec).or_insert_with(|| {
            self.specs.push(spec);
            SpecId(self.specs.len() as u32 - 1)
        })
    }

    /// The spec of `id`.
    pub(crate) fn get(&self, id: SpecId) -> &PodSpec {
        &self.specs[id.0 as usize]
    }

    /// The id of `placement`. There are few of them.
    pub(crate) fn intern_placement(&mut self, placement: Placement) -> PlacementId {
        let known = self.placements.iter().position(|other| *other == placement);
        let place = known.unwrap_or_else(|| {
            self.placements.push(placement);
            self.placements.len() - 1
        });
        PlacementId(place as u32)
    }

    /// The placement of `id`.
    pub(crate) fn placement(&self, id: PlacementId) -> &Placement {
        &self.placements[id.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_is_how_often_fits_holds() {
        let room =
            Resources { cpu: MilliCores::new(3770), memory: Bytes::gib(14), gpus: 0, pods: 56 };
        let request =
            Resources { cpu: MilliCores::cores(1), memory: Bytes::gib(4), gpus: 0, pods: 1 };
        assert_eq!(room.times(&request), 3);
        assert_eq!(room.times(&Resources { gpus: 1, ..request }), 0);
        assert!(!room.fits(&Resources { cpu: MilliCores::cores(4), ..request }));
    }
}
