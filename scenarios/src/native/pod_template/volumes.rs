//! `volumes`: which of them are local storage, and so keep Cluster Autoscaler from draining the
//! pod's node, and which are images. The others have no model; those that bind a pod to nodes or
//! zones, or that use memory, are named.
//!
//! Source: facts-kubernetes 2.3 (Cluster Autoscaler's `isLocalVolume`); a volume that says nothing
//! is an `emptyDir`: k8s.io/kubernetes `v1.SetDefaults_Volume`.

use sim::scenario::{LocalDirs, PodTemplate};

use super::super::keys::Reader;
use super::super::spark_defaults::LOCAL_DIR;
use crate::walk::{At, Fields};

/// Volumes that a node must be able to reach or to attach: the plugins `VolumeBinding`,
/// `VolumeZone`, `VolumeRestrictions` and `NodeVolumeLimits` read them.
const BOUND: [&str; 9] = [
    "awsElasticBlockStore",
    "azureDisk",
    "cinder",
    "csi",
    "ephemeral",
    "gcePersistentDisk",
    "iscsi",
    "persistentVolumeClaim",
    "rbd",
];

/// Reads the volumes of a pod's spec, or those of an application that `mounted` names.
pub(in crate::native) fn read<'a>(
    reader: &Reader<'a>,
    spec: &Fields<'a>,
    template: &mut PodTemplate,
    mounted: impl Fn(&str) -> bool,
) {
    let volumes = spec.get("volumes").and_then(|at| at.list());
    for volume in volumes.unwrap_or_default() {
        let name = volume.node.get("name").and_then(|node| node.scalar_text()).unwrap_or_default();
        if !mounted(name) {
            continue;
        }
        let image =
            volume.node.get("image").and_then(|image| image.get("reference")?.scalar_text());
        template.image_volumes.extend(image.map(str::to_owned));
        if name.starts_with(LOCAL_DIR) {
            template.local_dirs = local_dirs(&volume).or(template.local_dirs);
        }
        if is_local(reader, &volume, name.starts_with(LOCAL_DIR)) {
            local(template, name);
        }
    }
}

/// Adds a volume that is local storage.
pub(in crate::native) fn local(template: &mut PodTemplate, name: &str) {
    if !template.local_storage.iter().any(|known| known == name) {
        template.local_storage.push(name.to_owned());
    }
}

/// What one of Spark's local directories is made of, where that is not the node's disk.
fn local_dirs(volume: &At<'_>) -> Option<LocalDirs> {
    let source = |key: &str| volume.node.get(key).filter(|node| !node.is_null());
    let medium = source("emptyDir").and_then(|dir| dir.get("medium")?.scalar_text());
    if source("persistentVolumeClaim").or(source("ephemeral")).is_some() {
        Some(LocalDirs::PersistentVolumeClaim)
    } else if source("hostPath").is_some() {
        Some(LocalDirs::HostPath)
    } else {
        (medium == Some("Memory")).then_some(LocalDirs::Tmpfs)
    }
}

/// Whether the node's volume keeps Cluster Autoscaler from draining it. `modelled` volumes, Spark's
/// local directories, are followed wherever they are.
fn is_local(reader: &Reader<'_>, volume: &At<'_>, modelled: bool) -> bool {
    let source = |key: &str| volume.node.get(key).filter(|node| !node.is_null());
    for key in BOUND {
        if source(key).is_some() && !modelled {
            reader.walker.not_modelled(volume.node.pos, format!("{}.{key}", volume.path));
        }
    }
    let medium = source("emptyDir").and_then(|dir| dir.get("medium")?.scalar_text());
    if medium == Some("Memory") {
        if !modelled {
            let path = format!("{}.emptyDir.medium", volume.path);
            reader.walker.not_modelled(volume.node.pos, path);
        }
        return false;
    }
    let mut sources = volume.node.entries().filter(|(key, _)| key.name != "name");
    source("hostPath").is_some()
        || source("emptyDir").is_some()
        || sources.all(|(_, node)| node.is_null())
}
