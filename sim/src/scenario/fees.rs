//! Fees besides the nodes themselves.

use super::InstanceType;
use crate::units::{HourlyPrice, NanoUsd};

/// What is billed besides instances. Source: facts-cloud section 3, `fees.csv`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// EKS control plane, an hour.
    pub control_plane: HourlyPrice,
    /// Block storage, a GiB-hour (gp3: 0.08 dollars a GB-month of 730 hours).
    pub storage_per_gib: HourlyPrice,
    /// EMR on EKS, a requested vCPU-hour; zero without EMR.
    pub emr_per_vcpu: HourlyPrice,
    /// EMR on EKS, a requested GB-hour; zero without EMR.
    pub emr_per_gb: HourlyPrice,
    /// EMR on EC2: a fee on every instance.
    pub emr_on_ec2: Option<EmrOnEc2>,
    /// Traffic between two zones of the region, a GB, both directions' charges together (AWS: 0.01
    /// dollars each).
    pub cross_zone_per_gb: NanoUsd,
    /// NAT gateways, where they are to be billed.
    pub nat: Option<Nat>,
}

/// EMR on EC2: part of the instance's on-demand price, also for spot instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmrOnEc2 {
    /// Millionths of the on-demand price.
    pub share_ppm: u32,
    /// At most so much for types of generations 1 to 5 (but X).
    pub ceiling: HourlyPrice,
}

impl Default for EmrOnEc2 {
    /// A quarter, 0.27 dollars at most. Source: facts-cloud section 3 (r5.4xlarge 0.252 on 1.008,
    /// c5.18xlarge, r5.12xlarge and m5.16xlarge 0.27, x2iedn.32xlarge 6.669 on 26.676). Which
    /// generations have the ceiling is a guess from those.
    fn default() -> Self {
        Self { share_ppm: 250_000, ceiling: HourlyPrice::from_nano(270_000_000) }
    }
}

impl EmrOnEc2 {
    /// The fee on an instance of that type, an hour.
    pub fn price(&self, instance_type: &InstanceType) -> HourlyPrice {
        let full = u128::from(instance_type.on_demand_price.as_nano()) * u128::from(self.share_ppm);
        let full = HourlyPrice::from_nano(u64::try_from(full / 1_000_000).unwrap_or(u64::MAX));
        let mut letters = instance_type.name.chars();
        let class = letters.next();
        let generation = letters.find_map(|c| c.to_digit(10));
        let old = class != Some('x') && generation.is_some_and(|generation| generation <= 5);
        if old && full > self.ceiling { self.ceiling } else { full }
    }
}

/// NAT gateways. Source of the prices: facts-cloud section 3 (0.045 dollars an hour and a GB).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nat {
    /// How many there are.
    pub gateways: u32,
    /// Each, an hour.
    pub per_hour: HourlyPrice,
    /// A GB that they process.
    pub per_gb: NanoUsd,
    /// Images are pulled through them.
    pub image_pulls: bool,
    /// Millionths of the runs' input that come through them; the rest comes through a gateway
    /// endpoint, which is free.
    pub input_ppm: u32,
}

impl Default for Nat {
    fn default() -> Self {
        Self {
            gateways: 1,
            per_hour: HourlyPrice::from_nano(45_000_000),
            per_gb: NanoUsd::new(45_000_000),
            image_pulls: false,
            input_ppm: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, MilliCores};

    fn priced(name: &str, usd: f64) -> InstanceType {
        InstanceType {
            name: name.to_owned(),
            arch: "amd64".to_owned(),
            vcpu: 1,
            memory: Bytes::gib(1),
            allocatable_cpu: MilliCores::cores(1),
            allocatable_memory: Bytes::gib(1),
            max_pods: 10,
            gpus: 0,
            on_demand_price: HourlyPrice::from_usd(usd).unwrap_or_default(),
            spot_price: None,
            interruption_band: None,
        }
    }

    /// The rows of facts-cloud section 3.
    #[test]
    fn emr_on_ec2_is_a_quarter_with_a_ceiling_on_older_types() {
        let fee =
            |name: &str, usd| EmrOnEc2::default().price(&priced(name, usd)).as_nano() / 1_000_000;
        assert_eq!(fee("r5.4xlarge", 1.008), 252);
        assert_eq!(fee("m6g.4xlarge", 0.616), 154);
        assert_eq!(fee("c5.18xlarge", 3.06), 270);
        assert_eq!(fee("r5.12xlarge", 3.024), 270);
        assert_eq!(fee("m5.16xlarge", 3.072), 270);
        assert_eq!(fee("x2iedn.32xlarge", 26.676), 6669);
    }
}
