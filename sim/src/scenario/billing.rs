//! What is agreed about the bill: commitments, discounts, taxes, and who pays for what is shared.

use crate::units::HourlyPrice;

/// What a core costs an hour beside a GiB of memory, in millionths of a dollar: by these two the price
/// of a node is split. Source: OpenCost's default prices, 0.031611 dollars a vCPU-hour ..
pub const CPU_WEIGHT: u32 = 31_611;
/// .. and 0.004237 a GiB-hour.
pub const MEMORY_WEIGHT: u32 = 4_237;

/// What so many core-hours and GiB-hours weigh, in dollars.
pub fn weight_usd(core_hours: f64, gib_hours: f64) -> f64 {
    (core_hours * f64::from(CPU_WEIGHT) + gib_hours * f64::from(MEMORY_WEIGHT)) / 1e6
}

/// The terms of the bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Billing {
    /// Reserved instances and savings plans, in the order of the file.
    pub commitments: Vec<Commitment>,
    /// Millionths taken off everything (a private price agreement).
    pub discount_ppm: u32,
    /// Millionths put on what is left.
    pub tax_ppm: u32,
    /// How reports split what belongs to nobody.
    pub shared_split: SharedSplit,
    /// IANA name of the time zone in which reports begin days and months.
    pub timezone: String,
}

impl Default for Billing {
    fn default() -> Self {
        Self {
            commitments: Vec::new(),
            discount_ppm: 0,
            tax_ppm: 0,
            shared_split: SharedSplit::default(),
            timezone: "UTC".to_owned(),
        }
    }
}

/// Paid for by the hour, whether it is used or not; what it covers costs less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// Its name in reports.
    pub name: String,
    /// What it covers.
    pub covers: Covers,
    /// Millionths less than the on-demand price.
    pub discount_ppm: u32,
}

/// What a commitment covers. Spot instances are never covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Covers {
    /// Reserved instances (regional): so many of one instance type.
    Instances {
        /// The instance type.
        instance_type: String,
        /// How many.
        count: u32,
        /// The type's on-demand price.
        on_demand_price: HourlyPrice,
    },
    /// An EC2 instance savings plan: instances of one family, for so much an hour.
    Family {
        /// For example `m5`.
        family: String,
        /// Dollars an hour after the discount.
        per_hour: HourlyPrice,
    },
    /// A compute savings plan: any instance, for so much an hour.
    Compute {
        /// Dollars an hour after the discount.
        per_hour: HourlyPrice,
    },
}

/// How what belongs to nobody is split among owners.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum SharedSplit {
    /// Not at all: it stays in `(shared)`.
    None,
    /// By what their pods requested.
    Request,
    /// By the larger of what their pods requested and used. OpenCost's rule for allocations.
    #[default]
    MaxRequestUse,
    /// The same for every owner.
    Even,
}

impl SharedSplit {
    /// Every rule, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::None, Self::Request, Self::MaxRequestUse, Self::Even];

    /// The rule of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// The name in scenarios and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Request => "request",
            Self::MaxRequestUse => "max-request-use",
            Self::Even => "even",
        }
    }
}
