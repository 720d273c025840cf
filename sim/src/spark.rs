//! Spark on Kubernetes: an attempt's driver, executors, stages and tasks.
//!
//! Models: driver pod, then executor pods through the allocator's batches; tasks start when enough
//! executors are registered; stages run after their parents, tasks on executor cores in order;
//! dynamic allocation; running tasks of lost executors run again; memory need above the container
//! is an OOM kill; task times follow memory, local directories and committers that are not those of
//! the recording. Leaves out: map outputs lost with their executor, task launch overhead,
//! locality, speculation. Source:
//! facts-spark A2 to A5.

pub(crate) mod allocation;
pub(crate) mod application;
mod attempt;
mod circumstances;
mod dynamic_allocation;
mod fate;
mod local_dirs;
mod memory;
mod network;
mod output_commit;
mod pod_specs;
mod progress;
mod rules;
mod warm_up;
mod work;

pub(crate) use attempt::{Attempt, AttemptId};
pub(crate) use dynamic_allocation::Target;
pub(crate) use pod_specs::Role;
pub(crate) use progress::{Fate, Fault, Met, Progress};
pub(crate) use rules::{Overheads, Rules};
pub(crate) use work::Work;
