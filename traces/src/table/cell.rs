//! A cell as a file has it, before anybody knows what it means.

/// One cell of a table file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    /// Nothing: an empty CSV field, a Parquet null.
    Missing,
    /// Text.
    Text(&'a str),
    /// A whole number of a Parquet column.
    Whole(i128),
    /// A number of a Parquet column.
    Number(f64),
    /// A truth value of a Parquet column.
    Flag(bool),
    /// A point in time of a Parquet column, in milliseconds since 1970-01-01 UTC.
    Instant(i64),
    /// What cannot be used, and why: not UTF-8, a nested type.
    Bad(&'static str),
}
