//! The cells of a column on their way into a row group, and how the group encodes them.
//!
//! Names, outcomes and reasons repeat: a text becomes its number in the group's dictionary when it
//! comes, and the text itself is kept once. Numbers are plain, or by dictionary where they are of a
//! narrow range. polars' own writer looks for a dictionary for every column, which takes as long as
//! everything else about a file; here, what is in a column decides.
//!
//! Leaves out: dictionaries for numbers that are far apart but few, which Zstandard finds itself.

use polars_arrow::array::{
    Array, MutableArray, MutableBinaryViewArray, MutableBooleanArray, MutableDictionaryArray,
    MutablePrimitiveArray, PrimitiveArray, TryPush,
};
use polars_arrow::datatypes::ArrowDataType;
use polars_parquet::write::Encoding;

use super::columns::{ColumnSpec, ColumnType};
use super::staged::text_at;

/// Integers this far apart at most are tried by dictionary: the writer makes one from a table of so
/// many places, without a hash.
const NARROW: i64 = u16::MAX as i64;

/// One value of a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Text(Option<&'a str>),
    Integer(Option<i64>),
    Float(Option<f64>),
    Boolean(bool),
}

impl Cell<'_> {
    /// The type of its column.
    pub(super) const fn kind(&self) -> ColumnType {
        match self {
            Self::Text(_) => ColumnType::Text,
            Self::Integer(_) => ColumnType::Integer,
            Self::Float(_) => ColumnType::Float,
            Self::Boolean(_) => ColumnType::Boolean,
        }
    }
}

type Texts = MutableDictionaryArray<u32, MutableBinaryViewArray<str>>;

/// The cells of a column since the last row group.
pub(super) enum ColumnBuffer {
    Text(Box<Texts>),
    Integer(Vec<i64>),
    Float(Vec<f64>),
    NullableInteger(MutablePrimitiveArray<i64>),
    NullableFloat(MutablePrimitiveArray<f64>),
    Boolean(MutableBooleanArray),
}

impl ColumnBuffer {
    /// With room for `rows`; memory is taken as they come.
    pub(super) fn new(spec: &ColumnSpec, rows: usize) -> Self {
        match spec.kind {
            ColumnType::Text => {
                let mut texts = Texts::new(false);
                texts.reserve(rows);
                Self::Text(Box::new(texts))
            }
            ColumnType::Integer if spec.nullable => {
                Self::NullableInteger(MutablePrimitiveArray::with_capacity(rows))
            }
            ColumnType::Integer => Self::Integer(Vec::with_capacity(rows)),
            ColumnType::Float if spec.nullable => {
                Self::NullableFloat(MutablePrimitiveArray::with_capacity(rows))
            }
            ColumnType::Float => Self::Float(Vec::with_capacity(rows)),
            ColumnType::Boolean => Self::Boolean(MutableBooleanArray::with_capacity(rows)),
        }
    }

    /// Adds cells: the bits of each and whether it is null, or where its text is in `texts`.
    pub(super) fn extend(&mut self, cells: impl Iterator<Item = (u64, bool)>, texts: &str) {
        match self {
            Self::Text(column) => cells.for_each(|(word, null)| {
                let text = (!null).then(|| text_at(texts, word));
                column.try_push(text).expect("fewer texts than a group has cells");
            }),
            Self::Integer(values) => values.extend(cells.map(|(word, _)| word as i64)),
            Self::Float(values) => values.extend(cells.map(|(word, _)| f64::from_bits(word))),
            Self::NullableInteger(values) => cells.for_each(|(word, null)| {
                values.push((!null).then_some(word as i64));
            }),
            Self::NullableFloat(values) => cells.for_each(|(word, null)| {
                values.push((!null).then_some(f64::from_bits(word)));
            }),
            Self::Boolean(values) => cells.for_each(|(word, _)| values.push(Some(word != 0))),
        }
    }

    /// The column and how it is encoded, leaving an empty buffer behind.
    pub(super) fn take(&mut self, spec: &ColumnSpec, rows: usize) -> (Box<dyn Array>, Encoding) {
        match std::mem::replace(self, Self::new(spec, rows)) {
            Self::Text(texts) => ((*texts).into_box(), Encoding::RleDictionary),
            Self::Integer(values) => {
                let encoding = of_integers(&values);
                (PrimitiveArray::from_vec(values).boxed(), encoding)
            }
            Self::NullableInteger(mut values) => {
                let encoding = of_integers(values.values());
                (values.as_box(), encoding)
            }
            Self::Float(values) => (PrimitiveArray::from_vec(values).boxed(), Encoding::Plain),
            Self::NullableFloat(mut values) => (values.as_box(), Encoding::Plain),
            Self::Boolean(mut values) => (values.as_box(), Encoding::Plain),
        }
    }
}

/// Integers of a narrow range (0 where there is none) may repeat enough for a dictionary: the
/// writer counts them.
fn of_integers(values: &[i64]) -> Encoding {
    let least = values.iter().copied().min();
    let most = values.iter().copied().max();
    match least.zip(most).and_then(|(least, most)| most.checked_sub(least)) {
        Some(range) if range <= NARROW => Encoding::RleDictionary,
        _ => Encoding::Plain,
    }
}

/// What a reader is told that a column is.
pub(super) const fn data_type(kind: ColumnType) -> ArrowDataType {
    match kind {
        ColumnType::Text => ArrowDataType::Utf8View,
        ColumnType::Integer => ArrowDataType::Int64,
        ColumnType::Float => ArrowDataType::Float64,
        ColumnType::Boolean => ArrowDataType::Boolean,
    }
}
