//! Replications and the command line: the only crate that knows all the others.
//!
//! [`backtest`] compares simulations with recordings, [`emit`] writes the live system's files, [`plan`] searches for better settings,
//! [`sizing`] works out executor memory by application,
//! [`cli`] reads arguments and prints, [`replicate`] runs one scenario several times in parallel,
//! [`result_folder`] puts files in place all at once; recorded spot series become part of a
//! scenario in `spot_weather`. What is simulated, read and shown is in the other crates.

pub mod backtest;

pub mod compare;

pub mod emit;

mod fnv;

pub mod ladder;

pub mod plan;

pub mod replicate;

pub mod result_folder;
pub mod sizing;

mod spot_weather;

pub mod cli;
