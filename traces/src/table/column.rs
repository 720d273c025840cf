//! What a column of a canonical table holds: the one place that reader, writer, inspection and
//! documentation take it from.

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ColumnType {
    /// Text of at most that many characters.
    Text(usize),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A point in time.
    Instant,
    /// A whole number in this range, both ends included.
    Count(u64, u64),
    /// A whole number that may be negative, 32 bits.
    Signed,
    /// Seconds, to the millisecond; at most 100 years.
    Seconds,
    /// Processor cores, to the thousandth; more than none, at most 10,000.
    Cores,
    /// Mebibytes of memory; at most a pebibyte.
    Mebibytes,
    /// Bytes.
    Bytes,
}

impl ColumnType {
    /// Its name in the documentation of the format.
    pub fn name(self) -> String {
        match self {
            Self::Text(_) => "text".into(),
            Self::Choice(words) => {
                words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
            }
            Self::Flag => "`true`, `false`".into(),
            Self::Instant => "time".into(),
            Self::Count(..) | Self::Signed => "integer".into(),
            Self::Seconds | Self::Cores | Self::Mebibytes => "number".into(),
            Self::Bytes => "integer".into(),
        }
    }

    /// Whether statistics such as a median mean something.
    pub const fn is_number(self) -> bool {
        matches!(
            self,
            Self::Count(..) | Self::Seconds | Self::Cores | Self::Mebibytes | Self::Bytes
        )
    }

    /// Most characters that a cell may have.
    pub(crate) const fn chars_max(self) -> usize {
        match self {
            Self::Text(chars) => chars,
            _ => super::CELL_CHARS_MAX,
        }
    }
}

/// One column of a canonical table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// Its name in the header.
    pub name: &'static str,
    /// What its cells are.
    pub kind: ColumnType,
    /// Unit of its numbers; empty where there is none.
    pub unit: &'static str,
    /// Whether every row needs it.
    pub required: bool,
    /// What is used where a cell is empty or the column is absent.
    pub default: &'static str,
    /// What it means.
    pub doc: &'static str,
}
