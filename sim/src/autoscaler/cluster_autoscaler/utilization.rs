//! How much of a node is requested, as scale-down counts it.
//!
//! The greater of CPU and memory requests over allocatable; of a GPU node, GPUs only. DaemonSet and
//! mirror pods count unless the flags leave them out, and then on both sides; pods that have been
//! terminating for long never do. Source: kubernetes/autoscaler `simulator/utilization/info.go`.

use crate::cluster::Resources;

/// What a pod is to the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PodClass {
    /// Counts.
    Regular,
    /// Counts unless `ignore-daemonsets-utilization`.
    DaemonSet,
    /// Counts unless `ignore-mirror-pods-utilization`.
    Mirror,
    /// Does not count: its grace period and 30 s more are over.
    LongTerminating,
}

/// The two flags.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ignored {
    pub(crate) daemonsets: bool,
    pub(crate) mirror: bool,
}

/// Requested over allocatable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Utilization {
    pub(crate) cpu: f64,
    pub(crate) memory: f64,
    /// `None` on a node without GPUs.
    pub(crate) gpu: Option<f64>,
}

impl Utilization {
    /// The resource that decides.
    pub(crate) const fn dominant(&self) -> &'static str {
        match self.gpu {
            Some(_) => "nvidia.com/gpu",
            None if self.cpu > self.memory => "cpu",
            None => "memory",
        }
    }

    /// Its share.
    pub(crate) fn value(&self) -> f64 {
        self.gpu.unwrap_or(if self.cpu > self.memory { self.cpu } else { self.memory })
    }
}

/// Works it out. `gpu_node`: the node's labels say that it has GPUs.
///
/// # Errors
/// The resource of which the node has none.
pub(crate) fn calculate(
    allocatable: &Resources,
    gpu_node: bool,
    pods: impl Iterator<Item = (Resources, PodClass)>,
    ignored: Ignored,
) -> Result<Utilization, &'static str> {
    let (mut requested, mut left_out) = (Resources::default(), Resources::default());
    for (requests, class) in pods {
        match class {
            PodClass::DaemonSet if ignored.daemonsets => left_out.add(&requests),
            PodClass::Mirror if ignored.mirror => left_out.add(&requests),
            PodClass::LongTerminating => {}
            _ => requested.add(&requests),
        }
    }
    let ratio = |part: u64, whole: u64, out: u64| part as f64 / (whole as f64 - out as f64);
    if gpu_node {
        // GPUs that are not there yet do not keep the node.
        let whole = allocatable.gpus();
        let gpu = if whole == 0 { 0.0 } else { ratio(requested.gpus(), whole, left_out.gpus()) };
        return Ok(Utilization { cpu: 0.0, memory: 0.0, gpu: Some(gpu) });
    }
    if allocatable.cpu.as_millis() == 0 {
        return Err("cpu");
    }
    if allocatable.memory.as_u64() == 0 {
        return Err("memory");
    }
    let cpu = |r: &Resources| r.cpu.as_millis();
    let memory = |r: &Resources| r.memory.as_u64();
    Ok(Utilization {
        cpu: ratio(cpu(&requested), cpu(allocatable), cpu(&left_out)),
        memory: ratio(memory(&requested), memory(allocatable), memory(&left_out)),
        gpu: None,
    })
}
