//! Pods of decision cases.

use super::{CasePod, PodOwner, TooManyResources};
use crate::cluster::{Amounts, Cluster, ImageId, Placement, Pod, SpecId};
use crate::scenario::KubernetesVersion;
use crate::units::{Bytes, SimTime};

/// The release from which `ImageLocality` counts init containers and image volumes. 1.20 did not;
/// which release did is not known: 1.29 is a guess.
const INIT_IMAGES_SINCE: u32 = 29;

/// What the pod asks for, interned.
pub(super) fn spec(
    cluster: &mut Cluster,
    pod: &CasePod,
    version: KubernetesVersion,
) -> Result<SpecId, TooManyResources> {
    let template = &pod.template;
    let amounts = Amounts::of_pod(&mut cluster.resource_names, None, template);
    let amounts = amounts.map_err(|_| TooManyResources)?;
    let names = &mut cluster.image_names;
    let mut image = |name: Option<&String>| match name {
        Some(name) => names.intern(name, Bytes::ZERO),
        None => names.intern("", Bytes::ZERO),
    };
    let containers = template.containers.iter().map(|container| container.image.as_ref());
    let mut images: Vec<ImageId> = containers.map(&mut image).collect();
    if version.minor >= INIT_IMAGES_SINCE {
        let init = template.init_containers.iter().map(|container| container.image.as_ref());
        images.extend(init.chain(template.image_volumes.iter().map(Some)).map(&mut image));
    }
    let placement = Placement {
        template: template.clone(),
        images,
        terminating: pod.terminating,
        ..Placement::default()
    };
    let placement = cluster.specs.intern_placement(placement);
    Ok(cluster.specs.intern(amounts.spec(placement, template.priority)))
}

/// A pod that waits to be bound.
pub(super) const fn waiting(number: u64, spec: SpecId) -> Pod {
    Pod::new(number, PodOwner::Pause, spec, 1, SimTime::ZERO)
}
