//! Units are types: time, compute, memory and money cannot be mixed up.
//!
//! `u64`/`i64` inside, private fields, named constructors, and only the operators that mean
//! something. `f64` is for statistics and scores, never for a quantity that is added up.

mod compute;
mod money;
pub mod quantity;
pub mod spark_size;
mod time;

pub use compute::{Bytes, MilliCores};
pub use money::{HourlyPrice, NanoUsd};
pub use time::{SimDuration, SimTime};

/// A text that is not the unit it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a {expected}")]
pub struct ParseUnitError {
    /// The text as it was given.
    pub value: String,
    /// What would have been accepted, with an example.
    pub expected: &'static str,
}

impl ParseUnitError {
    pub(crate) fn new(value: &str, expected: &'static str) -> Self {
        Self { value: value.chars().take(80).collect(), expected }
    }
}
