//! Commitments: what reserved instances and savings plans cover, hour by hour, and what of them
//! nobody used.
//!
//! Models: reserved instances first, then savings plans of a family, then compute savings plans,
//! each in the order of the file; an hour's commitment that is not used in that hour is lost. What
//! is covered costs the on-demand price less the discount; the commitment itself is paid in full.
//! The bill shows that as the on-demand price, less `commitment_savings`, plus
//! `commitment_unused`. Leaves out: size flexibility within a family, zonal reservations, upfront
//! payments (their hourly part is in the discounted price), other accounts' use of a commitment.
//! Source: AWS, "Understanding how Savings Plans apply to your usage".

use std::collections::BTreeMap;

use crate::outcome::CommitmentTotal;
use crate::scenario::{Commitment, Covers};
use crate::units::{NanoUsd, SimDuration};

/// What commitments change in one hour.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    /// Less than on-demand prices.
    pub(crate) savings: NanoUsd,
    /// Paid and not used.
    pub(crate) unused: NanoUsd,
}

const MILLION: i128 = 1_000_000;

/// Covers one hour's use, at on-demand prices by instance type; `length` is the simulated part of
/// the hour. Adds each commitment's part to its total.
pub(crate) fn cover(
    commitments: &[Commitment],
    on_demand: &BTreeMap<&str, NanoUsd>,
    length: SimDuration,
    totals: &mut [CommitmentTotal],
) -> Change {
    let mut left: BTreeMap<&str, NotCovered> =
        on_demand.iter().map(|(name, cost)| (*name, NotCovered(*cost))).collect();
    let mut change = Change::default();
    let mut order: Vec<usize> = (0..commitments.len()).collect();
    order.sort_by_key(|place| match commitments[*place].covers {
        Covers::Instances { .. } => 0,
        Covers::Family { .. } => 1,
        Covers::Compute { .. } => 2,
    });
    for place in order {
        let commitment = &commitments[place];
        let kept = MILLION - i128::from(commitment.discount_ppm).min(MILLION);
        // What it could cover at on-demand prices, what it does cover of that, and what it costs.
        let (most, list, paid) = match &commitment.covers {
            Covers::Instances { instance_type, count, on_demand_price } => {
                let most = on_demand_price.cost_floor(length * u64::from(*count));
                let found = left.get_mut(instance_type.as_str());
                (most, found.map_or(NanoUsd::ZERO, |found| found.take(most)), less(most, kept))
            }
            Covers::Family { family, per_hour } => {
                let most = worth(per_hour.cost_floor(length), kept);
                let of = |name: &str| name.split('.').next() == Some(family.as_str());
                (most, planned(&mut left, of, most), per_hour.cost_floor(length))
            }
            Covers::Compute { per_hour } => {
                let most = worth(per_hour.cost_floor(length), kept);
                (most, planned(&mut left, |_| true, most), per_hour.cost_floor(length))
            }
        };
        // Two roundings must not leave a nano-dollar of a plan that is used up.
        let used = if list == most { paid } else { less(list, kept).min(paid) };
        let total = &mut totals[place];
        total.covered += list;
        total.paid += paid;
        total.unused += paid - used;
        change.savings += list - used;
        change.unused += paid - used;
    }
    change
}

/// `cost` after the discount; `kept` is in millionths.
fn less(cost: NanoUsd, kept: i128) -> NanoUsd {
    NanoUsd::new((i128::from(cost.as_nano()) * kept / MILLION) as i64)
}

/// What a plan of `paid` covers at on-demand prices; without end where it is free.
fn worth(paid: NanoUsd, kept: i128) -> NanoUsd {
    let worth = (i128::from(paid.as_nano()) * MILLION).checked_div(kept).unwrap_or(i128::MAX);
    NanoUsd::new(i64::try_from(worth).unwrap_or(i64::MAX))
}

/// On-demand cost that a plan covers, taken from the types in the order of their names.
fn planned(
    left: &mut BTreeMap<&str, NotCovered>,
    of: impl Fn(&str) -> bool,
    mut room: NanoUsd,
) -> NanoUsd {
    let mut covered = NanoUsd::ZERO;
    for (_, found) in left.iter_mut().filter(|(name, _)| of(name)) {
        let part = found.take(room);
        room -= part;
        covered += part;
    }
    covered
}

/// On-demand cost that nothing covers yet.
#[derive(Debug, Clone, Copy)]
struct NotCovered(NanoUsd);

impl NotCovered {
    /// Takes at most `most` of it.
    fn take(&mut self, most: NanoUsd) -> NanoUsd {
        let part = self.0.min(most);
        self.0 -= part;
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::HourlyPrice;

    fn usd(usd: f64) -> HourlyPrice {
        HourlyPrice::from_usd(usd).expect("a price")
    }

    fn commitment(covers: Covers) -> Commitment {
        Commitment { name: "c".to_owned(), covers, discount_ppm: 250_000 }
    }

    /// Ten dollars of m5 and four of r5 in an hour, cents as numbers.
    #[track_caller]
    fn check(commitments: &[Commitment], savings: i64, unused: i64) -> Vec<CommitmentTotal> {
        let cents = |cents| NanoUsd::new(cents * 10_000_000);
        let on_demand = BTreeMap::from([("m5.large", cents(1000)), ("r5.large", cents(400))]);
        let mut totals = vec![CommitmentTotal::default(); commitments.len()];
        let hour = SimDuration::hours(1);
        let change = cover(commitments, &on_demand, hour, &mut totals);
        assert_eq!(change, Change { savings: cents(savings), unused: cents(unused) });
        let paid: NanoUsd = totals.iter().map(|total| total.paid).sum();
        let covered: NanoUsd = totals.iter().map(|total| total.covered).sum();
        // What is paid for commitments takes the place of what they cover.
        assert_eq!(covered - change.savings + change.unused, paid);
        totals
    }

    #[test]
    fn a_plan_covers_its_worth_at_on_demand_prices() {
        let compute = |per_hour| commitment(Covers::Compute { per_hour: usd(per_hour) });
        check(&[compute(3.0)], 100, 0);
        check(&[compute(12.0)], 350, 150);
        let family = Covers::Family { family: "r5".to_owned(), per_hour: usd(3.6) };
        // r5 is covered by its own plan first: 4 dollars for 3; the other plan takes m5.
        let totals = check(&[compute(3.0), commitment(family)], 200, 60);
        assert_eq!(totals[1].unused, NanoUsd::new(600_000_000));
    }

    #[test]
    fn reserved_instances_are_paid_whether_they_run_or_not() {
        let reserved = |instance_type: &str, count| {
            let on_demand_price = usd(2.0);
            let instance_type = instance_type.to_owned();
            commitment(Covers::Instances { instance_type, count, on_demand_price })
        };
        check(&[reserved("m5.large", 2)], 100, 0);
        check(&[reserved("m5.large", 7)], 250, 300);
        check(&[reserved("c5.large", 1)], 0, 150);
    }
}
