//! A plain pod of a pod trace: it asks for room, runs for a time and ends.

use std::collections::BTreeMap;

use crate::units::{Bytes, MilliCores, SimDuration, SimTime};

/// What the trace says about the real pod's wait.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum RecordedWait {
    /// Nothing.
    #[default]
    Unknown,
    /// It was never bound to a node.
    Never,
    /// Created to bound.
    Took(SimDuration),
}

/// One pod, as recorded.
#[derive(Debug, Default, Clone)]
pub struct TracePod {
    /// Its name.
    pub name: Box<str>,
    /// When it was created.
    pub created_at: SimTime,
    /// How long it runs once its containers are started.
    pub duration: SimDuration,
    /// CPU request.
    pub cpu: MilliCores,
    /// Memory request.
    pub memory: Bytes,
    /// GPUs it asks for (`nvidia.com/gpu`).
    pub gpus: u32,
    /// Pod priority.
    pub priority: i32,
    /// `nodeSelector`.
    pub node_selector: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The real pod's wait, to compare with.
    pub recorded_wait: RecordedWait,
}
