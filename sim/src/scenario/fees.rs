//! Fees besides the nodes themselves.

use crate::units::{HourlyPrice, NanoUsd};

/// What is billed besides instances. Source: facts-cloud section 3, `fees.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// EKS control plane, an hour.
    pub control_plane: HourlyPrice,
    /// Block storage, a GiB-hour (gp3: 0.08 dollars a GB-month of 730 hours).
    pub storage_per_gib: HourlyPrice,
    /// EMR on EKS, a requested vCPU-hour; zero without EMR.
    pub emr_per_vcpu: HourlyPrice,
    /// EMR on EKS, a requested GB-hour; zero without EMR.
    pub emr_per_gb: HourlyPrice,
    /// Traffic between two zones of the region, a GB, both directions' charges together (AWS: 0.01
    /// dollars each).
    pub cross_zone_per_gb: NanoUsd,
}
