//! Cells to values and back, by the type of their column. Both directions are here, side by side,
//! so that what is written is read back exactly.

use super::{Cell, ColumnType, shorten};

/// A cell that was understood, in the unit that the model computes in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Nothing.
    Missing,
    /// Text, or one word of a choice.
    Text(String),
    /// A truth value.
    Flag(bool),
    /// A count, milliseconds of a duration, thousandths of a core, or bytes.
    Whole(u64),
    /// A signed number, or milliseconds since 1970-01-01 UTC.
    Signed(i64),
}

impl Value {
    /// The text, where there is any.
    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value.
    pub(crate) fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The count or amount.
    pub(crate) fn whole(&self) -> Option<u64> {
        match self {
            Self::Whole(whole) => Some(*whole),
            _ => None,
        }
    }

    /// The count, where it fits.
    pub(crate) fn small(&self) -> Option<u32> {
        self.whole().and_then(|whole| u32::try_from(whole).ok())
    }

    /// The signed number or point in time.
    pub(crate) fn signed(&self) -> Option<i64> {
        match self {
            Self::Signed(signed) => Some(*signed),
            _ => None,
        }
    }
}

impl From<Option<u64>> for Value {
    fn from(whole: Option<u64>) -> Self {
        whole.map_or(Self::Missing, Self::Whole)
    }
}

/// Why a cell cannot be used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BadCell {
    /// Stable name for findings.
    pub(crate) code: &'static str,
    /// The value as it was given, shortened, and what would have been accepted.
    pub(crate) reason: String,
}

/// 100 years in seconds: longer is a mistake of units.
const SECONDS_MAX: f64 = 100.0 * 365.25 * 86_400.0;
/// A pebibyte in mebibytes.
const MEBIBYTES_MAX: f64 = (1u64 << 30) as f64;
/// 9999-12-30, the last whole day that RFC 3339 can write in every time zone.
const INSTANT_MS_MAX: i64 = 253_402_214_400_000;
/// Numbers from here on are milliseconds, below they are seconds: 1e11 s is the year 5138,
/// 1e11 ms is March 1973.
const EPOCH_SECONDS_MAX: f64 = 1e11;

impl ColumnType {
    /// Understands `cell`.
    pub(crate) fn parse(self, cell: &Cell<'_>) -> Result<Value, BadCell> {
        match cell {
            Cell::Missing | Cell::Text("") => return Ok(Value::Missing),
            Cell::Text(text) if text.len() > self.chars_max() => {
                let chars = text.chars().count();
                if chars > self.chars_max() {
                    return Err(BadCell {
                        code: "cell-too-long",
                        reason: format!(
                            "`{}` has {chars} characters, at most {} are read",
                            shorten(text),
                            self.chars_max()
                        ),
                    });
                }
            }
            _ => {}
        }
        let value = match self {
            Self::Text(_) => text_of(cell).map(Value::Text),
            Self::Choice(words) => {
                text_of(cell).filter(|text| words.contains(&text.as_str())).map(Value::Text)
            }
            Self::Flag => flag(cell).map(Value::Flag),
            Self::Instant => instant(cell).map(Value::Signed),
            Self::Count(min, max) => whole(cell)
                .and_then(|whole| u64::try_from(whole).ok())
                .filter(|whole| (min..=max).contains(whole))
                .map(Value::Whole),
            Self::Signed => whole(cell)
                .and_then(|whole| i32::try_from(whole).ok())
                .map(|whole| Value::Signed(i64::from(whole))),
            Self::Seconds => scaled(cell, 1000.0, SECONDS_MAX),
            Self::Cores => scaled(cell, 1000.0, 10_000.0).filter(|value| *value != Value::Whole(0)),
            Self::Mebibytes => scaled(cell, f64::from(1 << 20), MEBIBYTES_MAX),
            Self::Bytes => {
                whole(cell).and_then(|whole| u64::try_from(whole).ok()).map(Value::Whole)
            }
        };
        value.ok_or_else(|| self.bad(cell))
    }

    fn bad(self, cell: &Cell<'_>) -> BadCell {
        let (code, found) = match cell {
            Cell::Missing => ("bad-value", "nothing".to_owned()),
            Cell::Text(text) => {
                (sign_code(text.trim().parse().ok()), format!("`{}`", shorten(text)))
            }
            Cell::Whole(whole) => (sign_code(Some(*whole as f64)), format!("`{whole}`")),
            Cell::Number(number) => (sign_code(Some(*number)), format!("`{number}`")),
            Cell::Flag(flag) => ("bad-value", format!("`{flag}`")),
            Cell::Instant(_) => ("bad-value", "a point in time".to_owned()),
            Cell::Bad(why) => ("bad-value", format!("a cell that is {why}")),
        };
        BadCell { code, reason: format!("{found} is not {}", self.expected()) }
    }

    /// What a cell should be, in words.
    fn expected(self) -> String {
        match self {
            Self::Text(_) => "text".into(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Flag => "true or false".into(),
            Self::Instant => {
                "a time such as 2026-03-02T10:00:00Z, or seconds or milliseconds since 1970".into()
            }
            Self::Count(min, max) => format!("a whole number from {min} to {max}"),
            Self::Signed => "a whole number of 32 bits".into(),
            Self::Seconds => "a number of seconds from 0 to 100 years".into(),
            Self::Cores => "a number of cores above 0 and up to 10000".into(),
            Self::Mebibytes => "a number of MiB from 0 to 2^30".into(),
            Self::Bytes => "a whole number of bytes from 0 to 2^64 - 1".into(),
        }
    }

    /// The number of a value in the unit of the column, for people and for Parquet.
    pub(crate) fn number(self, value: &Value) -> Option<f64> {
        let whole = value.whole()? as f64;
        Some(match self {
            Self::Seconds | Self::Cores => whole / 1000.0,
            Self::Mebibytes => whole / f64::from(1 << 20),
            _ => whole,
        })
    }

    /// The text of a value in a CSV file.
    pub(crate) fn render(self, value: &Value) -> String {
        match (self, value) {
            (_, Value::Missing) => String::new(),
            (_, Value::Text(text)) => text.clone(),
            (_, Value::Flag(flag)) => flag.to_string(),
            (Self::Instant, Value::Signed(ms)) => render_instant(*ms),
            (_, Value::Signed(signed)) => signed.to_string(),
            (Self::Seconds | Self::Cores | Self::Mebibytes, value) => {
                // The shortest decimal that reads back as the same number.
                self.number(value).map(|n| n.to_string()).unwrap_or_default()
            }
            (_, Value::Whole(whole)) => whole.to_string(),
        }
    }
}

fn sign_code(number: Option<f64>) -> &'static str {
    match number {
        Some(number) if number.is_nan() => "not-a-number",
        Some(number) if number < 0.0 => "negative-value",
        Some(_) => "value-out-of-range",
        None => "bad-value",
    }
}

fn text_of(cell: &Cell<'_>) -> Option<String> {
    match cell {
        Cell::Text(text) => Some((*text).to_owned()),
        Cell::Whole(whole) => Some(whole.to_string()),
        Cell::Number(number) if number.is_finite() => Some(number.to_string()),
        Cell::Flag(flag) => Some(flag.to_string()),
        Cell::Instant(ms) => Some(render_instant(*ms)),
        Cell::Number(_) | Cell::Missing | Cell::Bad(_) => None,
    }
}

fn flag(cell: &Cell<'_>) -> Option<bool> {
    match cell {
        Cell::Flag(flag) => Some(*flag),
        Cell::Whole(0) => Some(false),
        Cell::Whole(1) => Some(true),
        Cell::Text("true") => Some(true),
        Cell::Text("false") => Some(false),
        Cell::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A whole number, also one that is written as `4.0` or `1e3`.
fn whole(cell: &Cell<'_>) -> Option<i128> {
    let from_float =
        |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i128);
    match cell {
        Cell::Whole(whole) => Some(*whole),
        Cell::Number(number) => from_float(*number),
        Cell::Text(text) => {
            let text = text.trim();
            if let Ok(short) = text.parse::<u64>() {
                return Some(i128::from(short));
            }
            text.parse().ok().or_else(|| from_float(text.parse().ok()?))
        }
        _ => None,
    }
}

fn number(cell: &Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Whole(whole) => Some(*whole as f64),
        Cell::Number(number) => Some(*number),
        Cell::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number in `0..=max` of the column's unit, in the `scale` times smaller unit of the model.
fn scaled(cell: &Cell<'_>, scale: f64, max: f64) -> Option<Value> {
    let number = number(cell).filter(|number| (0.0..=max).contains(number))?;
    Some(Value::Whole((number * scale).round() as u64))
}

fn instant(cell: &Cell<'_>) -> Option<i64> {
    let ms = match cell {
        Cell::Instant(ms) => Some(*ms),
        Cell::Text(text) => instant_from_text(text.trim()),
        _ => number(cell).and_then(instant_from_number),
    };
    ms.filter(|ms| (0..=INSTANT_MS_MAX).contains(ms))
}

/// Milliseconds since 1970 of RFC 3339 text, of such text without an offset (taken as UTC, as
/// Spark and most databases print it), or of a number.
fn instant_from_text(text: &str) -> Option<i64> {
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(timestamp.as_millisecond());
    }
    if let Ok(number) = text.parse::<f64>() {
        return instant_from_number(number);
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

fn instant_from_number(number: f64) -> Option<i64> {
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    let ms = if number < EPOCH_SECONDS_MAX { number * 1000.0 } else { number };
    Some(ms.round() as i64)
}

/// RFC 3339 in UTC with milliseconds; the bare number where that is out of the calendar.
pub(crate) fn render_instant(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(timestamp) => format!("{timestamp:.3}"),
        Err(_) => ms.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: ColumnType, text: &str, expected: Result<Value, &str>) {
        let found = kind.parse(&Cell::Text(text)).map_err(|bad| bad.code);
        assert_eq!(found, expected, "{kind:?} {text}");
    }

    #[test]
    fn cells_are_understood_or_named() {
        use ColumnType::*;
        check(Seconds, "12.345", Ok(Value::Whole(12_345)));
        check(Seconds, "-1", Err("negative-value"));
        check(Seconds, "NaN", Err("not-a-number"));
        check(Seconds, "inf", Err("value-out-of-range"));
        check(Seconds, "1e300", Err("value-out-of-range"));
        check(Seconds, "12 s", Err("bad-value"));
        check(Count(1, 10), "4.0", Ok(Value::Whole(4)));
        check(Count(1, 10), "0", Err("value-out-of-range"));
        check(Bytes, "18446744073709551615", Ok(Value::Whole(u64::MAX)));
        check(Bytes, "18446744073709551616", Err("value-out-of-range"));
        check(Bytes, "99999999999999999999999999999999999999999999", Err("value-out-of-range"));
        check(Signed, "-137", Ok(Value::Signed(-137)));
        check(Cores, "0.5", Ok(Value::Whole(500)));
        check(Cores, "0", Err("value-out-of-range"));
        check(Flag, "True", Ok(Value::Flag(true)));
        check(Flag, "maybe", Err("bad-value"));
        check(Choice(&["a", "b"]), "c", Err("bad-value"));
        check(Text(3), "abcd", Err("cell-too-long"));
        check(Text(3), "äöü", Ok(Value::Text("äöü".into())));
        check(Text(3), "", Ok(Value::Missing));
    }

    #[test]
    fn times_come_in_many_notations() {
        let expected = Ok(Value::Signed(1_772_445_600_500));
        for text in [
            "2026-03-02T10:00:00.5Z",
            "2026-03-02T11:00:00.500+01:00",
            "2026-03-02 10:00:00.5",
            "1772445600.5",
            "1772445600500",
        ] {
            check(ColumnType::Instant, text, expected.clone());
        }
        check(ColumnType::Instant, "yesterday", Err("bad-value"));
        check(ColumnType::Instant, "-5", Err("negative-value"));
        check(ColumnType::Instant, "1772445600500000000", Err("value-out-of-range"));
        assert_eq!(render_instant(1_772_445_600_500), "2026-03-02T10:00:00.500Z");
    }

    proptest::proptest! {
        #[test]
        fn amounts_read_back(ms in 0..3_155_760_000_000u64, bytes in 0..(1u64 << 50)) {
            for (kind, whole) in [(ColumnType::Seconds, ms), (ColumnType::Mebibytes, bytes)] {
                let value = Value::Whole(whole);
                let text = kind.render(&value);
                proptest::prop_assert_eq!(kind.parse(&Cell::Text(&text)), Ok(value.clone()));
                let number = kind.number(&value).expect("a number");
                proptest::prop_assert_eq!(kind.parse(&Cell::Number(number)), Ok(value));
            }
        }
    }
}
