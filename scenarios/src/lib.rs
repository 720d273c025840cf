//! Scenario files and native configuration formats to `sim::Scenario`; the catalogue.

pub mod problem;

pub mod yaml;

pub mod walk;

pub mod native;

pub mod overlay;

pub mod catalogue;
