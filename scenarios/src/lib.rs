//! Scenario files and native configuration formats to `sim::Scenario`; the catalogue.

pub mod problem;

pub mod yaml;

pub mod walk;

pub mod overlay;

pub mod retries;

pub mod schema;

pub mod file;

pub mod native;

pub mod catalogue;

pub mod difference;

pub mod import;

pub mod lint;

pub mod spark;

pub mod upgrade;

pub use file::{Loaded, ScenarioError, extended_support, load, load_text, one_line, retries_value};
