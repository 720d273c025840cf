//! Recorded files to `sim::Workload`, with findings; synthesis; the canonical trace.

pub mod lowered;

pub use lowered::LoweredRun;
