//! Black-box tests over all crates.

#![expect(clippy::unwrap_used, reason = "a test that meets a None fails, as it should")]

mod accuracy;
mod analytic;
mod backtest;
mod behaviour;
mod cli;
mod cluster_autoscaler;
mod command;
mod compare;
mod conformance;
mod determinism;
mod emit;
mod emit_property;
mod explain;
mod export;
mod fixtures;
mod import;
mod invariants;
mod karpenter;
mod karpenter_files;
mod killed;
mod ledger;
mod library;
mod lifecycle;
mod lint;
mod orchestrator;
mod plan;
mod report;
mod retries;
mod sizing;
mod spark_submit;
mod spot;
mod spot_series;
mod stored;
mod upgrade;
