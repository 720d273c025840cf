//! Fees, and the terms of the bill.

use super::{MANY, USD};
use crate::schema::Kind::{Bool, Choice, Float, Int, List, Text};
use crate::schema::{Kind, Section, key};

pub(crate) static FEES: Section = Section {
    name: "Fees",
    doc: "What is billed besides instances. The catalogue knows the region's; prices here replace \
          them.",
    keys: &[
        key("emr", Bool, "EMR on EKS' charge on requested resources.").or("(false)"),
        key(
            "controlPlane",
            Choice(&[
                ("standard", "standard support"),
                ("extended", "extended support"),
                ("none", "not billed"),
            ]),
            "Support level of the cluster.",
        )
        .or("(standard)"),
        key("controlPlanePerHour", USD, "Dollars an hour."),
        key("storagePerGibHour", USD, "Dollars a GiB-hour of root volumes."),
        key("emrPerVcpuHour", USD, "Dollars a requested vCPU-hour."),
        key("emrPerGbHour", USD, "Dollars a requested GB-hour."),
        key(
            "crossZonePerGb",
            Float(0.0, 1000.0),
            "Dollars a GB of shuffle traffic between zones, both directions' charges together.",
        )
        .or("(0.02)"),
        key(
            "emrOnEc2",
            Kind::Section(&EMR_ON_EC2),
            "EMR on EC2's charge on every instance, spot ones too. `{}` = its usual rate.",
        )
        .or("(none)"),
        key("nat", Kind::Section(&NAT), "NAT gateways. `{}` = one, for nothing but its hours.")
            .or("(not billed)"),
    ],
};

static EMR_ON_EC2: Section = Section {
    name: "EmrOnEc2",
    doc: "EMR on EC2's charge.",
    keys: &[
        key("share", Float(0.0, 10.0), "Of the instance's on-demand price.").or("0.25"),
        key(
            "ceilingPerHour",
            USD,
            "At most so many dollars an hour, for types of generations 1 to 5 but X.",
        )
        .or("0.27"),
    ],
};

static NAT: Section = Section {
    name: "Nat",
    doc: "NAT gateways.",
    keys: &[
        key("gateways", Int(0, 1_000), "How many.").or("1"),
        key("perHour", USD, "Dollars an hour, each.").or("0.045"),
        key("perGb", Float(0.0, 1000.0), "Dollars a GB.").or("0.045"),
        key("imagePulls", Bool, "Images are pulled through them.").or("false"),
        key(
            "inputShare",
            Float(0.0, 1.0),
            "Share of the runs' input that comes through them; the rest comes through a gateway \
             endpoint, which is free.",
        )
        .or("0"),
    ],
};

pub(crate) static BILLING: Section = Section {
    name: "Billing",
    doc: "What is agreed about the bill, and how reports split it.",
    keys: &[
        key(
            "commitments",
            List(&Kind::Section(&COMMITMENT)),
            "Reserved instances and savings plans.",
        ),
        key("discount", Float(0.0, 1.0), "Share taken off everything.").or("0"),
        key("tax", Float(0.0, 10.0), "Share put on what is left.").or("0"),
        key(
            "sharedSplit",
            Choice(&[
                ("max-request-use", "by the larger of what pods requested and used, as OpenCost"),
                ("request", "by what pods requested"),
                ("even", "the same for every owner"),
                ("none", "not at all: `(shared)` is an owner of its own"),
            ]),
            "How reports split what belongs to nobody among owners.",
        )
        .or("max-request-use"),
        key("timezone", Text, "IANA name of the zone in which reports begin days and months.")
            .or("UTC"),
    ],
};

static COMMITMENT: Section = Section {
    name: "Commitment",
    doc: "Paid by the hour, used or not. One of `reservedInstances` and `savingsPlan`.",
    keys: &[
        key("name", Text, "Its name in reports.").or("(its place)"),
        key("discount", Float(0.0, 1.0), "Less than the on-demand price.").required(),
        key("reservedInstances", Kind::Section(&RESERVED), "Instances of one type, regional."),
        key("savingsPlan", Kind::Section(&SAVINGS_PLAN), "So much an hour."),
    ],
};

static RESERVED: Section = Section {
    name: "ReservedInstances",
    doc: "Instances of one type.",
    keys: &[
        key("instanceType", Text, "The type.").required(),
        key("count", Int(1, MANY), "How many.").required(),
        key("onDemandPrice", USD, "The type's on-demand price, dollars an hour.")
            .or("(the catalogue's)"),
    ],
};

static SAVINGS_PLAN: Section = Section {
    name: "SavingsPlan",
    doc: "Any on-demand instance, or those of one family.",
    keys: &[
        key("perHour", USD, "Dollars an hour, after the discount.").required(),
        key("family", Text, "An EC2 instance savings plan of this family, such as `m5`.")
            .or("(a compute savings plan)"),
    ],
};
