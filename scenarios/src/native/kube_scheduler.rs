//! (stand-in until the reader is merged)
use super::NativeRead;
use sim::scenario::{KubernetesVersion, SchedulerProfile};
pub fn read(_: &str, _: &str, _: KubernetesVersion) -> NativeRead<Vec<SchedulerProfile>> {
    NativeRead::default()
}
