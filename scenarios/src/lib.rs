//! Scenario files and native configuration formats to `sim::Scenario`; the catalogue.
