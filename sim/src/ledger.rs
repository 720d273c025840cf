//! The ledger: every node-second's money goes to exactly one kind, to the nano-dollar.
//!
//! A node is billed per second, for a minute at least, from launch to termination. Its price is
//! split by requests: CPU and memory weigh as OpenCost weighs them, so that the parts of all pods,
//! the DaemonSets and the system together never exceed the whole. Each part is rounded down when
//! its pod ends; the time before the node is ready goes to `starting`, the DaemonSets' part and
//! the difference between capacity and allocatable to `reserved`, and what remains, rounding
//! included, to `unallocated`.
//!
//! The weights and their source are in `scenario/billing.rs`. Source of the billing rule: EC2 on-demand and spot Linux instances are billed by the
//! second with a minimum of 60 seconds; the price of a spot instance may change while it runs, and
//! each second costs what it costs then. Each cost is booked in the hours in which it arose
//! (`hours.rs`); reserved instances and savings plans are in `coverage.rs`, discounts and taxes in
//! `books.rs`.

mod books;
mod coverage;
mod hours;
mod price_curve;

pub(crate) use books::{Books, Charge, NodeHour};
pub(crate) use price_curve::PriceCurve;

use crate::cluster::{NodeKind, Resources};
use crate::scenario::{CPU_WEIGHT, Fees, MEMORY_WEIGHT};
use crate::units::{NanoUsd, SimDuration, SimTime};

/// What a machine costs from `from` to `to`, rounded down to a nano-dollar.
pub(crate) fn cost(kind: &NodeKind, from: SimTime, to: SimTime) -> NanoUsd {
    NanoUsd::of_sum(kind.price_sum(from, to), 1)
}

/// The billed time from `from` to `to`.
pub(crate) fn billed(from: SimTime, to: SimTime) -> SimDuration {
    SimDuration::seconds(to.since(from).as_secs_ceil().max(60))
}

/// The part of a node's cost that `requests` held from `from` to `to` come to.
pub(crate) fn share(kind: &NodeKind, requests: &Resources, from: SimTime, to: SimTime) -> NanoUsd {
    NanoUsd::of_sum(kind.price_sum(from, to) * weight(requests), weight(&kind.capacity))
}

/// CPU and memory in one number: micro-dollars an hour by OpenCost's prices, times 1000 * 1024.
/// Memory counts in whole MiB, rounded down for parts, so that parts stay within the whole.
fn weight(resources: &Resources) -> u128 {
    u128::from(resources.cpu.as_millis()) * u128::from(CPU_WEIGHT) * 1024
        + u128::from(resources.memory.as_mib_floor()) * u128::from(MEMORY_WEIGHT) * 1000
}

/// The EMR on EKS fee of a pod: requested vCPU and GiB from the start of the image download to the
/// pod's end, rounded up to the second. Source: facts-cloud 0.5.
pub(crate) fn emr_fee(fees: &Fees, requests: &Resources, time: SimDuration) -> NanoUsd {
    let ms = u128::from(time.as_secs_ceil()) * 1000;
    let cpu = fees.emr_per_vcpu.share_floor(u128::from(requests.cpu.as_millis()) * ms, 1000);
    let memory = fees.emr_per_gb.share_floor(u128::from(requests.memory.as_u64()) * ms, 1 << 30);
    cpu + memory
}

/// What `bytes` cost at `per_gb`. AWS counts 2^30 bytes as a GB.
pub(crate) fn traffic_fee(per_gb: NanoUsd, bytes: u64) -> NanoUsd {
    let price = u128::from(per_gb.as_nano().max(0).unsigned_abs());
    let nano = (u128::from(bytes) * price) >> 30;
    NanoUsd::new(i64::try_from(nano).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, HourlyPrice, MilliCores};

    /// facts-cloud section 3: 25 x r5.4xlarge for 3 hours on EMR on EKS: 12.14 + 10.67 dollars.
    #[test]
    fn the_worked_emr_example() {
        let fees = Fees {
            emr_per_vcpu: HourlyPrice::from_usd(0.01012).unwrap(),
            emr_per_gb: HourlyPrice::from_usd(0.001_111_25).unwrap(),
            ..Fees::default()
        };
        let requests = Resources::of_pod(MilliCores::cores(16), Bytes::gib(128)).repeated(25);
        let fee = emr_fee(&fees, &requests, SimDuration::hours(3));
        assert_eq!(fee.as_nano(), 12_144_000_000 + 10_668_000_000);
    }

    #[test]
    fn bills_are_by_the_second_with_a_minimum_of_a_minute() {
        let billed = |ms| billed(SimTime::ZERO, SimTime::from_millis(ms)).as_millis();
        assert_eq!([billed(1), billed(60_000), billed(60_001)], [60_000, 60_000, 61_000]);
    }
}
