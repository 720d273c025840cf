//! What a pod requests, from what its containers request.
//!
//! Per resource: the sum over containers and sidecars, or the largest init container with the
//! sidecars that started before it, whichever is more; and the overhead on top. Scores count 100m
//! and 200 MiB for each container that does not say. Leaves out pod-level resources.
//! Source: facts-kubernetes 1.1 and 1.4; upstream `component-helpers/resource/helpers.go`.

use super::{NonZeroRequests, PlacementId, PodSpec, ResourceNames, Resources};
use crate::scenario::{PodTemplate, ResourceList};
use crate::units::{Bytes, MilliCores};

/// What scores count for a container without a request.
const DEFAULT_CPU: MilliCores = MilliCores::new(100);
const DEFAULT_MEMORY: Bytes = Bytes::mib(200);

/// A cluster has more extended resources than the model holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyResources;

/// What a container or a pod requests, and what scores count of it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Amounts {
    /// Requests; pod slots aside.
    pub(crate) requests: Resources,
    /// As scores count them.
    pub(crate) nonzero: NonZeroRequests,
}

impl Amounts {
    /// Of a container that asks for CPU, memory and GPUs explicitly.
    pub(crate) const fn of(requests: &Resources) -> Self {
        Self {
            requests: Resources { pods: 0, ..*requests },
            nonzero: NonZeroRequests::of(requests),
        }
    }

    /// Of one container.
    pub(crate) fn of_container(
        names: &mut ResourceNames,
        list: &ResourceList,
    ) -> Result<Self, TooManyResources> {
        Ok(Self {
            requests: resources(names, list)?,
            nonzero: NonZeroRequests {
                cpu: list.cpu.unwrap_or(DEFAULT_CPU),
                memory: list.memory.unwrap_or(DEFAULT_MEMORY),
            },
        })
    }

    /// Of a pod: `main` is the container that the template does not hold (Spark's own).
    pub(crate) fn of_pod(
        names: &mut ResourceNames,
        main: Option<Self>,
        template: &PodTemplate,
    ) -> Result<Self, TooManyResources> {
        let mut sum = main.unwrap_or_default();
        // What the template says of that container besides CPU and memory, which are not its to say.
        sum.requests.add(&resources(names, &template.main.requests)?);
        for container in &template.containers {
            sum.add(&Self::of_container(names, &container.requests)?);
        }
        let (mut sidecars, mut init) = (Self::default(), Self::default());
        for container in &template.init_containers {
            let mut amounts = Self::of_container(names, &container.requests)?;
            if container.restart_always {
                sum.add(&amounts);
                sidecars.add(&amounts);
                amounts = sidecars;
            } else {
                amounts.add(&sidecars);
            }
            init.raise_to(&amounts);
        }
        sum.raise_to(&init);
        let overhead = resources(names, &template.overhead)?;
        sum.add(&Self::of(&overhead));
        sum.requests.pods = 1;
        Ok(sum)
    }

    /// The spec of a pod that asks for this.
    pub(crate) const fn spec(self, placement: PlacementId, priority: i32) -> PodSpec {
        PodSpec { requests: self.requests, nonzero: self.nonzero, placement, priority }
    }

    fn add(&mut self, other: &Self) {
        self.requests.add(&other.requests);
        self.nonzero.add(&other.nonzero);
    }

    fn raise_to(&mut self, other: &Self) {
        let (mine, theirs) = (&mut self.requests, &other.requests);
        mine.cpu = mine.cpu.max(theirs.cpu);
        mine.memory = mine.memory.max(theirs.memory);
        mine.ephemeral_storage = mine.ephemeral_storage.max(theirs.ephemeral_storage);
        for (mine, theirs) in mine.extended.iter_mut().zip(theirs.extended) {
            *mine = theirs.max(*mine);
        }
        self.nonzero.cpu = self.nonzero.cpu.max(other.nonzero.cpu);
        self.nonzero.memory = self.nonzero.memory.max(other.nonzero.memory);
    }
}

/// Amounts by name to amounts by place.
pub(crate) fn resources(
    names: &mut ResourceNames,
    list: &ResourceList,
) -> Result<Resources, TooManyResources> {
    let mut resources = Resources {
        cpu: list.cpu.unwrap_or_default(),
        memory: list.memory.unwrap_or_default(),
        ephemeral_storage: list.ephemeral_storage.unwrap_or_default(),
        ..Resources::default()
    };
    for (name, amount) in &list.extended {
        resources.extended[names.place_of(name).ok_or(TooManyResources)?] = *amount;
    }
    Ok(resources)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Container;

    fn container(cpu: Option<u64>, memory: Option<u64>, sidecar: bool) -> Container {
        Container {
            requests: ResourceList {
                cpu: cpu.map(MilliCores::new),
                memory: memory.map(Bytes::mib),
                ..ResourceList::default()
            },
            restart_always: sidecar,
            ..Container::default()
        }
    }

    #[track_caller]
    fn check(template: &PodTemplate, requests: (u64, u64), nonzero: (u64, u64)) {
        let amounts = Amounts::of_pod(&mut ResourceNames::default(), None, template);
        let Amounts { requests: of, nonzero: counted } = amounts.expect("no extended resource");
        assert_eq!(
            (of.cpu.as_millis(), of.memory.as_mib_ceil(), of.pods),
            (requests.0, requests.1, 1)
        );
        assert_eq!((counted.cpu.as_millis(), counted.memory.as_mib_ceil()), nonzero);
    }

    #[test]
    fn the_larger_of_running_and_starting_counts() {
        let containers = vec![container(Some(500), Some(100), false); 2];
        let sum = PodTemplate { containers, ..PodTemplate::default() };
        check(&sum, (1000, 200), (1000, 200));
        // A sidecar of 300m runs from before the second init container, for ever.
        let init_containers = vec![
            container(Some(1500), Some(50), false),
            container(Some(300), Some(10), true),
            container(Some(1300), Some(10), false),
        ];
        let with_init = PodTemplate { init_containers, ..sum.clone() };
        check(&with_init, (1600, 210), (1600, 210));
        let overhead = ResourceList { cpu: Some(MilliCores::new(7)), ..ResourceList::default() };
        check(&PodTemplate { overhead, ..with_init }, (1607, 210), (1607, 210));
        check(&PodTemplate::default(), (0, 0), (0, 0));
    }

    #[test]
    fn sparks_own_container_asks_for_devices_too() {
        let extended = std::collections::BTreeMap::from([("nvidia.com/gpu".to_owned(), 2)]);
        let requests = ResourceList { extended, ..ResourceList::default() };
        let main = Container { requests, ..Container::default() };
        let template = PodTemplate { main, ..PodTemplate::default() };
        let own = Resources { cpu: MilliCores::cores(4), ..Resources::default() };
        let mut names = ResourceNames::default();
        let amounts = Amounts::of_pod(&mut names, Some(Amounts::of(&own)), &template);
        let requests = amounts.expect("one extended resource").requests;
        let place = names.place_of("nvidia.com/gpu").expect("it is known");
        assert_eq!((requests.cpu, requests.extended[place]), (own.cpu, 2));
    }

    #[test]
    fn scores_count_something_for_a_container_that_says_nothing() {
        let containers = vec![container(None, Some(1), false), container(Some(0), None, false)];
        check(&PodTemplate { containers, ..PodTemplate::default() }, (0, 1), (100, 201));
    }
}
