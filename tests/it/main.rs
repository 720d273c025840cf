//! Black-box tests over all crates.

mod analytic;
mod behaviour;
mod cli;
mod determinism;
mod fixtures;
mod invariants;
