//! `sim::Outcome` to summary, tables and Parquet.
