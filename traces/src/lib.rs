//! Recorded files to `sim::Workload`, with findings; synthesis; the canonical trace.
