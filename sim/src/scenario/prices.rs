//! Spot prices that move.

use std::sync::Arc;

use crate::units::{HourlyPrice, SimTime};

/// What spot instances cost over time. Pools without a series keep their instance type's price.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct SpotPrices(pub Arc<Vec<SpotPriceSeries>>);

/// The price of one capacity pool.
#[derive(Debug, Clone, PartialEq)]
pub struct SpotPriceSeries {
    /// Instance type.
    pub instance_type: String,
    /// Zone.
    pub zone: String,
    /// Prices, each from its time on, ascending; at least one. The first one holds before it too.
    pub points: Vec<(SimTime, HourlyPrice)>,
}

impl SpotPrices {
    /// The series of an instance type in a zone.
    pub fn of(&self, instance_type: &str, zone: &str) -> Option<&SpotPriceSeries> {
        self.0.iter().find(|s| s.instance_type == instance_type && s.zone == zone)
    }
}
