//! Money: whole nano-dollars, so that a bill adds up to the last digit.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use super::SimDuration;

/// An amount in nano-dollars (10^-9 USD). Up to about 9.2 thousand million dollars.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NanoUsd(i64);

/// A price in nano-dollars an hour.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HourlyPrice(u64);

impl NanoUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `nano` nano-dollars.
    pub const fn new(nano: i64) -> Self {
        Self(nano)
    }

    /// What a price summed over time (nano-dollars an hour times milliseconds), divided by
    /// `denominator`, comes to; rounded down to a nano-dollar.
    ///
    /// # Panics
    /// If `denominator` is zero or the amount is above 9.2 thousand million dollars.
    pub fn of_sum(price_ms: u128, denominator: u128) -> Self {
        let nano = price_ms / (denominator * 3_600_000);
        Self(i64::try_from(nano).expect("a cost fits into 63 bits of nano-dollars"))
    }

    /// Nano-dollars.
    pub const fn as_nano(self) -> i64 {
        self.0
    }

    /// Dollars, for output.
    pub fn as_usd_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl HourlyPrice {
    /// Free of charge.
    pub const ZERO: Self = Self(0);

    /// `nano` nano-dollars an hour.
    pub const fn from_nano(nano: u64) -> Self {
        Self(nano)
    }

    /// Dollars an hour, rounded to the nearest nano-dollar; `None` for a negative price, NaN, or
    /// more than a million dollars an hour.
    pub fn from_usd(usd: f64) -> Option<Self> {
        (0.0..=1e6).contains(&usd).then(|| Self((usd * 1e9).round() as u64))
    }

    /// Nano-dollars an hour.
    pub const fn as_nano(self) -> u64 {
        self.0
    }

    /// Dollars an hour, for output.
    pub fn as_usd_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// What `duration` costs, rounded down to a nano-dollar.
    ///
    /// # Panics
    /// If the cost is above 9.2 thousand million dollars.
    pub fn cost_floor(self, duration: SimDuration) -> NanoUsd {
        self.share_floor(u128::from(duration.as_millis()), 1)
    }

    /// The cost of `numerator / denominator` milliseconds, rounded down to a nano-dollar. Used to
    /// split a node's cost: floors never add up to more than the whole.
    ///
    /// # Panics
    /// If `denominator` is zero or the cost is above 9.2 thousand million dollars.
    pub fn share_floor(self, numerator: u128, denominator: u128) -> NanoUsd {
        NanoUsd::of_sum(u128::from(self.0) * numerator, denominator)
    }
}

impl Add for NanoUsd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for NanoUsd {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for NanoUsd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl SubAssign for NanoUsd {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${:.2}", self.as_usd_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_costs_the_hourly_price() {
        let price = HourlyPrice::from_usd(0.192).unwrap();
        assert_eq!(price.cost_floor(SimDuration::hours(1)), NanoUsd(192_000_000));
        assert_eq!(price.cost_floor(SimDuration::seconds(1)), NanoUsd(53_333));
    }

    #[test]
    fn a_price_is_not_negative_nor_absurd() {
        for usd in [-0.1, f64::NAN, f64::INFINITY, 1e7] {
            assert_eq!(HourlyPrice::from_usd(usd), None);
        }
    }
}
