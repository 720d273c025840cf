//! What a pod's containers ask for, as its manifest says it.

use std::collections::BTreeMap;

use crate::units::{Bytes, MilliCores};

/// Amounts of resources by name. What is not given is `None`: that is not the same as 0 (scores
/// count 100m and 200 MiB for it).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ResourceList {
    /// `cpu`.
    pub cpu: Option<MilliCores>,
    /// `memory`.
    pub memory: Option<Bytes>,
    /// `ephemeral-storage`.
    pub ephemeral_storage: Option<Bytes>,
    /// Extended resources and huge pages (in bytes), by their full names.
    pub extended: BTreeMap<String, u64>,
}

/// A container, init container or sidecar of a pod.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name, for messages.
    pub name: String,
    /// `image`; `None` where it is not given.
    pub image: Option<String>,
    /// `resources.requests`; where only a limit is given, the limit, as the API server fills it in.
    pub requests: ResourceList,
    /// An init container with `restartPolicy: Always`: a sidecar, which keeps running.
    pub restart_always: bool,
    /// `ports[].hostPort`, each with its protocol and host address.
    pub host_ports: Vec<HostPort>,
}

/// A port of the node that a container takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// The port.
    pub port: u16,
    /// `TCP` (the default), `UDP` or `SCTP`.
    pub protocol: String,
    /// `hostIP`; empty or `0.0.0.0` means every address.
    pub host_ip: String,
}
