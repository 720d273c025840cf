//! eksctl (stand-in until the reader is merged).
use super::{NativeRead, Place};
use std::collections::BTreeMap;
#[derive(Debug, Default)]
pub struct EksctlConfig {
    pub name: String,
    pub region: Option<String>,
    pub groups: Vec<NodeGroupSpec>,
}
#[derive(Debug)]
pub struct NodeGroupSpec {
    pub name: String,
    pub spot: bool,
    pub instance_types: Vec<String>,
    pub min: u32,
    pub desired: u32,
    pub max: u32,
    pub zones: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<sim::scenario::Taint>,
    pub volume_gib: u64,
    pub place: Place,
}
pub fn read(_: &str, _: &str) -> NativeRead<EksctlConfig> {
    NativeRead::default()
}
