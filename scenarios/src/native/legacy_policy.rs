//! (stand-in until the reader is merged)
use super::NativeRead;
use sim::scenario::{KubernetesVersion, SchedulerProfile};
pub fn read(_: &str, _: &str, v: KubernetesVersion) -> NativeRead<SchedulerProfile> {
    NativeRead {
        value: SchedulerProfile::default_of(v),
        problems: Vec::new(),
        not_modelled: Vec::new(),
    }
}
