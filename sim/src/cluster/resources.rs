//! Amounts that pods request and nodes offer.

use crate::units::{Bytes, MilliCores};

/// Kinds of extended resources that one cluster can have.
pub(crate) const EXTENDED_MAX: usize = 8;

/// Place of `nvidia.com/gpu` among the extended resources.
const GPU: usize = 0;

/// Amounts that pods request and nodes offer. Of fixed size, so that they are copied, not
/// allocated; [`ResourceNames`] says which extended resource stands where.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Resources {
    /// CPU.
    pub(crate) cpu: MilliCores,
    /// Memory.
    pub(crate) memory: Bytes,
    /// `ephemeral-storage`.
    pub(crate) ephemeral_storage: Bytes,
    /// Pod slots: 1 for a pod.
    pub(crate) pods: u32,
    /// Extended resources (whole numbers; huge pages in bytes).
    pub(crate) extended: [u64; EXTENDED_MAX],
}

impl Resources {
    /// CPU and memory of one pod.
    pub(crate) fn of_pod(cpu: MilliCores, memory: Bytes) -> Self {
        Self { cpu, memory, pods: 1, ..Self::default() }
    }

    /// The same with that many `nvidia.com/gpu`.
    #[must_use]
    pub(crate) const fn with_gpus(mut self, gpus: u32) -> Self {
        self.extended[GPU] = gpus as u64;
        self
    }

    /// `nvidia.com/gpu`.
    pub(crate) const fn gpus(&self) -> u64 {
        self.extended[GPU]
    }

    /// Adds.
    pub(crate) fn add(&mut self, other: &Self) {
        self.cpu += other.cpu;
        self.memory += other.memory;
        self.ephemeral_storage += other.ephemeral_storage;
        self.pods += other.pods;
        for (mine, theirs) in self.extended.iter_mut().zip(other.extended) {
            *mine += theirs;
        }
    }

    /// Subtracts; what was added before.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.cpu -= other.cpu;
        self.memory -= other.memory;
        self.ephemeral_storage -= other.ephemeral_storage;
        self.pods -= other.pods;
        for (mine, theirs) in self.extended.iter_mut().zip(other.extended) {
            *mine -= theirs;
        }
    }

    /// What is left of `self` after `used`.
    pub(crate) fn minus(&self, used: &Self) -> Self {
        let mut extended = self.extended;
        for (mine, theirs) in extended.iter_mut().zip(used.extended) {
            *mine = mine.saturating_sub(theirs);
        }
        Self {
            cpu: self.cpu.saturating_sub(used.cpu),
            memory: self.memory.saturating_sub(used.memory),
            ephemeral_storage: self.ephemeral_storage.saturating_sub(used.ephemeral_storage),
            pods: self.pods.saturating_sub(used.pods),
            extended,
        }
    }

    /// Whether `request` fits into `self`.
    pub(crate) fn fits(&self, request: &Self) -> bool {
        request.cpu <= self.cpu
            && request.memory <= self.memory
            && request.ephemeral_storage <= self.ephemeral_storage
            && request.pods <= self.pods
            && request.extended.iter().zip(&self.extended).all(|(ask, room)| ask <= room)
    }

    /// Whether `request` fits into `self` beside what is `used` of it.
    pub(crate) fn fits_beside(&self, used: &Self, request: &Self) -> bool {
        request.cpu <= self.cpu.saturating_sub(used.cpu)
            && request.memory <= self.memory.saturating_sub(used.memory)
            && request.ephemeral_storage
                <= self.ephemeral_storage.saturating_sub(used.ephemeral_storage)
            && request.pods <= self.pods.saturating_sub(used.pods)
            && (request.extended == [0; EXTENDED_MAX]
                || request
                    .extended
                    .iter()
                    .zip(self.extended.iter().zip(used.extended))
                    .all(|(ask, (all, used))| *ask <= all.saturating_sub(used)))
    }

    /// How many times `request` fits into `self`.
    pub(crate) fn times(&self, request: &Self) -> u32 {
        let ratio = |room: u64, ask: u64| room.checked_div(ask).unwrap_or(u64::MAX);
        let mut times = ratio(self.cpu.as_millis(), request.cpu.as_millis())
            .min(ratio(self.memory.as_u64(), request.memory.as_u64()))
            .min(ratio(self.ephemeral_storage.as_u64(), request.ephemeral_storage.as_u64()))
            .min(ratio(u64::from(self.pods), u64::from(request.pods)));
        for (room, ask) in self.extended.iter().zip(request.extended) {
            times = times.min(ratio(*room, ask));
        }
        u32::try_from(times).unwrap_or(u32::MAX)
    }

    /// `count` times as much.
    pub(crate) fn repeated(&self, count: u32) -> Self {
        Self {
            cpu: self.cpu * u64::from(count),
            memory: self.memory * u64::from(count),
            ephemeral_storage: self.ephemeral_storage * u64::from(count),
            pods: self.pods * count,
            extended: self.extended.map(|amount| amount * u64::from(count)),
        }
    }
}

/// The names of a cluster's extended resources, in the order of [`Resources::extended`].
#[derive(Debug)]
pub(crate) struct ResourceNames {
    /// With [`INSUFFICIENT`] before each: the message of whoever is short of it.
    messages: Vec<String>,
}

const INSUFFICIENT: &str = "Insufficient ";

impl ResourceNames {
    /// The place of `name`, which is added if it is new; `None` if there is no place left.
    pub(crate) fn place_of(&mut self, name: &str) -> Option<usize> {
        if let Some(place) = self.find(name) {
            return Some(place);
        }
        (self.messages.len() < EXTENDED_MAX).then(|| {
            self.messages.push(format!("{INSUFFICIENT}{name}"));
            self.messages.len() - 1
        })
    }

    /// The place of `name`, if any pod or node of the cluster has it.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.iter().position(|known| known == name)
    }

    /// `Insufficient` and the name of the resource at `place`.
    pub(crate) fn insufficient(&self, place: usize) -> &str {
        &self.messages[place]
    }

    /// The names, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().map(|message| &message[INSUFFICIENT.len()..])
    }
}

impl Default for ResourceNames {
    fn default() -> Self {
        Self { messages: vec![format!("{INSUFFICIENT}nvidia.com/gpu")] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_is_how_often_fits_holds() {
        let room =
            Resources { pods: 56, ..Resources::of_pod(MilliCores::new(3770), Bytes::gib(14)) };
        let request = Resources::of_pod(MilliCores::cores(1), Bytes::gib(4));
        assert_eq!(room.times(&request), 3);
        assert_eq!(room.times(&request.with_gpus(1)), 0);
        assert!(!room.fits(&Resources { cpu: MilliCores::cores(4), ..request }));
        assert!(room.fits(&request.repeated(3)));
    }

    #[test]
    fn a_cluster_has_a_bounded_number_of_extended_resources() {
        let mut names = ResourceNames::default();
        assert_eq!(names.place_of("nvidia.com/gpu"), Some(0));
        for place in 1..EXTENDED_MAX {
            assert_eq!(names.place_of(&format!("example.com/{place}")), Some(place));
        }
        assert_eq!(names.place_of("example.com/one-too-many"), None);
        assert_eq!(names.place_of("example.com/3"), Some(3));
    }
}
