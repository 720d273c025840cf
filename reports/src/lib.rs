//! What a simulation found, for people and for scripts.
//!
//! [`summary`] is the `summary.json` that scripts read, [`tables`] the Parquet tables behind it,
//! [`findings`] what was left out or assumed, and [`terminal`] the same at a glance. Values in,
//! text and files out; this crate runs nothing and reads no clock.

pub mod cost;

pub mod document;

pub mod escape;

pub mod figures;

pub mod grid;

pub mod student_t;

pub mod summary;

pub mod findings;

pub mod tables;

pub mod plots;

pub mod render;

pub mod report;

pub mod terminal;

pub mod explain;

pub mod export;

pub mod result_file;

pub mod result_format;
