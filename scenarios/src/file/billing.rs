//! `spec.fees` and `spec.billing`: what is billed besides instances, and what is agreed about it.

use sim::scenario::{Billing, Commitment, Covers, EmrOnEc2, Fees, Nat, SharedSplit};
use sim::units::{HourlyPrice, NanoUsd};

use super::context::Context;
use super::instance_types::InstanceTypes;
use super::platform::did_you_mean;
use super::settings::Settings;
use crate::catalogue::Catalogue;
use crate::native::Place;
use crate::walk::At;

/// EKS' extended support, dollars an hour, all regions.
/// Source: facts-cloud section 3 (`fees.csv`), AWS' EKS price list.
const EXTENDED_SUPPORT_USD: f64 = 0.60;

/// What EKS bills for a control plane in extended support.
pub fn extended_support() -> HourlyPrice {
    HourlyPrice::from_usd(EXTENDED_SUPPORT_USD).unwrap_or_default()
}

/// The region's fees, where prices in the file do not replace them.
pub(super) fn fees(spec: &Settings<'_>, types: &InstanceTypes, region: Option<&str>) -> Fees {
    let given = spec.section("fees");
    let given = given.as_ref();
    let price = |key: &str| Some(hourly(given?.float(key)?));
    let emr = given.and_then(|given| given.bool("emr")).unwrap_or(false);
    let level = given.and_then(|given| given.choice("controlPlane"));
    let own = [
        price("controlPlanePerHour"),
        price("storagePerGibHour"),
        price("emrPerVcpuHour"),
        price("emrPerGbHour"),
    ];
    let cross_zone = given.and_then(|given| given.float("crossZonePerGb"));
    let cross_zone = cross_zone.map(amount);
    let complete = own[0].is_some() && own[1].is_some();
    let complete = complete && (!emr || own[2].is_some() && own[3].is_some());
    let none = Fees { cross_zone_per_gb: NanoUsd::new(20_000_000), ..Fees::default() };
    let catalogue: &Catalogue = types.catalogue();
    let known = match region {
        Some(region) if !complete => {
            let fees = if emr { catalogue.fees_with_emr(region) } else { catalogue.fees(region) };
            fees.unwrap_or_else(|error| {
                let at = spec.optional("fees").or_else(|| spec.optional("region"));
                let at = at.unwrap_or_else(|| spec.fields.at.clone());
                at.problem_with_help(error.to_string(), "set it under `spec.fees`");
                none
            })
        }
        _ => none,
    };
    let control_plane = match level {
        Some("none") => HourlyPrice::ZERO,
        Some("extended") => extended_support(),
        _ => known.control_plane,
    };
    Fees {
        control_plane: own[0].unwrap_or(control_plane),
        storage_per_gib: own[1].unwrap_or(known.storage_per_gib),
        emr_per_vcpu: own[2].unwrap_or(known.emr_per_vcpu),
        emr_per_gb: own[3].unwrap_or(known.emr_per_gb),
        cross_zone_per_gb: cross_zone.unwrap_or(known.cross_zone_per_gb),
        emr_on_ec2: given
            .and_then(|given| given.section("emrOnEc2"))
            .map(|given| emr_on_ec2(&given)),
        nat: given.and_then(|given| given.section("nat")).map(|given| nat(&given)),
    }
}

fn emr_on_ec2(given: &Settings<'_>) -> EmrOnEc2 {
    let default = EmrOnEc2::default();
    EmrOnEc2 {
        share_ppm: given.float("share").map_or(default.share_ppm, millionths),
        ceiling: given.float("ceilingPerHour").map_or(default.ceiling, hourly),
    }
}

fn nat(given: &Settings<'_>) -> Nat {
    let default = Nat::default();
    Nat {
        gateways: given.count("gateways").unwrap_or(default.gateways),
        per_hour: given.float("perHour").map_or(default.per_hour, hourly),
        per_gb: given.float("perGb").map_or(default.per_gb, amount),
        image_pulls: given.bool("imagePulls").unwrap_or(default.image_pulls),
        input_ppm: given.float("inputShare").map_or(default.input_ppm, millionths),
    }
}

/// The terms of the bill.
pub(super) fn read(
    context: &Context<'_>,
    given: Option<Settings<'_>>,
    types: &InstanceTypes,
) -> Billing {
    let Some(given) = given else { return Billing::default() };
    let default = Billing::default();
    let list = given.sections("commitments").unwrap_or_default();
    let commitments = list.iter().enumerate();
    let commitments =
        commitments.filter_map(|(place, given)| commitment(context, given, place, types));
    let split = given.choice("sharedSplit");
    let timezone = given.text("timezone");
    if let (Some(zone), Some(at)) = (&timezone, given.optional("timezone")) {
        check_zone(zone, &at);
    }
    Billing {
        commitments: commitments.collect(),
        discount_ppm: given.float("discount").map_or(0, millionths),
        tax_ppm: given.float("tax").map_or(0, millionths),
        shared_split: split.and_then(SharedSplit::named).unwrap_or_default(),
        timezone: timezone.unwrap_or(default.timezone),
    }
}

fn check_zone(zone: &str, at: &At<'_>) {
    if jiff::tz::TimeZone::get(zone).is_err() {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let near = did_you_mean(zone, names.iter().map(String::as_str));
        let help = near.unwrap_or_else(|| "`UTC`, or an IANA name such as `Europe/Berlin`".into());
        at.problem_with_help(format!("`{zone}` is not the name of a time zone"), help);
    }
}

fn commitment(
    context: &Context<'_>,
    given: &Settings<'_>,
    place: usize,
    types: &InstanceTypes,
) -> Option<Commitment> {
    let discount = given.float("discount").map(millionths);
    let name = given.text("name").unwrap_or_else(|| format!("commitment {}", place + 1));
    let kinds = ["reservedInstances", "savingsPlan"];
    let Some((kind, _)) = given.fields.one_of_keys(&kinds) else {
        let help = "one of reservedInstances, savingsPlan";
        given.fields.at.problem_with_help("a commitment that covers nothing", help);
        return None;
    };
    let own = given.section(kind)?;
    let covers = match kind {
        "reservedInstances" => reserved(context, &own, types)?,
        _ => {
            let family = own.text("family");
            let per_hour = hourly(own.float("perHour")?);
            match family {
                Some(family) => Covers::Family { family, per_hour },
                None => Covers::Compute { per_hour },
            }
        }
    };
    Some(Commitment { name, covers, discount_ppm: discount? })
}

fn reserved(context: &Context<'_>, own: &Settings<'_>, types: &InstanceTypes) -> Option<Covers> {
    // All are looked at before the first that is missing ends this.
    let (price, count) = (own.float("onDemandPrice"), own.count("count"));
    let instance_type = own.text("instanceType")?;
    let count = count?;
    let on_demand_price = match price {
        Some(price) => hourly(price),
        None => {
            let place = Place::of(&own.at("instanceType")?);
            types.get(context, &instance_type, false, &place)?.on_demand_price
        }
    };
    Some(Covers::Instances { instance_type, count, on_demand_price })
}

fn hourly(usd: f64) -> HourlyPrice {
    HourlyPrice::from_usd(usd).unwrap_or_default()
}

fn amount(usd: f64) -> NanoUsd {
    NanoUsd::new((usd * 1e9).round() as i64)
}

fn millionths(share: f64) -> u32 {
    (share * 1e6).round() as u32
}
