//! The model: a discrete-event simulation of Spark on Kubernetes, with its costs.
//!
//! Values in, values out: [`run`] takes a [`Scenario`], a [`Workload`] and a [`Seed`], and gives
//! an [`Outcome`], with one record per finished entity to a [`Sink`]. No files, no clock, no
//! environment and no threads in this crate.

pub mod units;

pub mod rng;

pub mod workload;

pub mod scenario;

pub mod finding;

pub mod replay;

pub mod outcome;

pub mod decisions;

pub use finding::{Finding, Severity};
pub use outcome::{Outcome, Sink};
pub use rng::Seed;
pub use scenario::Scenario;
pub use workload::Workload;

mod autoscaler;
mod cluster;
mod control_plane;
mod engine;
mod heap;
mod images;
mod ledger;
mod lifecycle;
mod orchestrator;
mod overprovisioning;
mod provisioner;
mod retry;
mod scheduler;
mod spark;
mod spot;

pub use engine::{NodeSearch, RunOptions, hold, run};
pub use spot::forecast::forecast;
