//! Fees and terms of the bill, as `billing.rs` reads them.

use serde_json::{Value, json};
use sim::scenario::{Billing, Commitment, Covers, Fees};
use sim::units::HourlyPrice;

pub(super) fn fees(fees: &Fees) -> Value {
    let mut out = json!({
        "emr": fees.emr_per_vcpu != HourlyPrice::ZERO || fees.emr_per_gb != HourlyPrice::ZERO,
        "controlPlanePerHour": fees.control_plane.as_usd_f64(),
        "storagePerGibHour": fees.storage_per_gib.as_usd_f64(),
        "emrPerVcpuHour": fees.emr_per_vcpu.as_usd_f64(),
        "emrPerGbHour": fees.emr_per_gb.as_usd_f64(),
        "crossZonePerGb": fees.cross_zone_per_gb.as_usd_f64(),
    });
    if let Some(emr) = &fees.emr_on_ec2 {
        let ceiling = emr.ceiling.as_usd_f64();
        out["emrOnEc2"] = json!({ "share": share(emr.share_ppm), "ceilingPerHour": ceiling });
    }
    if let Some(nat) = &fees.nat {
        out["nat"] = json!({
            "gateways": nat.gateways,
            "perHour": nat.per_hour.as_usd_f64(),
            "perGb": nat.per_gb.as_usd_f64(),
            "imagePulls": nat.image_pulls,
            "inputShare": share(nat.input_ppm),
        });
    }
    out
}

pub(super) fn terms(billing: &Billing) -> Value {
    json!({
        "commitments": billing.commitments.iter().map(commitment).collect::<Vec<_>>(),
        "discount": share(billing.discount_ppm),
        "tax": share(billing.tax_ppm),
        "sharedSplit": billing.shared_split.name(),
        "timezone": billing.timezone,
    })
}

fn commitment(commitment: &Commitment) -> Value {
    let mut out = json!({
        "name": commitment.name,
        "discount": share(commitment.discount_ppm),
    });
    match &commitment.covers {
        Covers::Instances { instance_type, count, on_demand_price } => {
            out["reservedInstances"] = json!({
                "instanceType": instance_type,
                "count": count,
                "onDemandPrice": on_demand_price.as_usd_f64(),
            });
        }
        Covers::Family { family, per_hour } => {
            out["savingsPlan"] = json!({ "family": family, "perHour": per_hour.as_usd_f64() });
        }
        Covers::Compute { per_hour } => {
            out["savingsPlan"] = json!({ "perHour": per_hour.as_usd_f64() });
        }
    }
    out
}

fn share(ppm: u32) -> f64 {
    f64::from(ppm) / 1e6
}
