//! Spark's own texts for sizes (`4g`, `512m`, `1024`) and times (`60s`, `10min`, `30`).
//!
//! Source: Spark `common/utils/.../JavaUtils.java`, `byteStringAs` and `timeStringAs`: a whole
//! number and an optional suffix; without one, the configuration key's own unit counts. Sizes are
//! binary whatever the suffix (`k` = KiB); fractions are refused.

use super::{Bytes, ParseUnitError, SimDuration};

/// Reads a Spark size; `unit` is what a bare number counts in (for example `Bytes::mib(1)`).
///
/// # Errors
/// Not a Spark size, or above 8 EiB.
pub fn parse_size(text: &str, unit: Bytes) -> Result<Bytes, ParseUnitError> {
    const EXPECTED: &str = "Spark size such as 512m or 4g (whole numbers only)";
    let bad = || ParseUnitError::new(text, EXPECTED);
    let (number, suffix) = split(text).ok_or_else(bad)?;
    let unit = match suffix.as_str() {
        "" => unit.as_u64(),
        "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        "t" | "tb" => 1 << 40,
        "p" | "pb" => 1 << 50,
        _ => return Err(bad()),
    };
    number.checked_mul(unit).filter(|bytes| *bytes < 1 << 63).map(Bytes::new).ok_or_else(bad)
}

/// Reads a Spark time; `unit` is what a bare number counts in (for example one second).
///
/// # Errors
/// Not a Spark time, or above 3 * 10^8 years.
pub fn parse_time(text: &str, unit: SimDuration) -> Result<SimDuration, ParseUnitError> {
    const EXPECTED: &str = "Spark time such as 60s, 10min or 500ms (whole numbers only)";
    let bad = || ParseUnitError::new(text, EXPECTED);
    let (number, suffix) = split(text).ok_or_else(bad)?;
    let unit_ms = match suffix.as_str() {
        "" => unit.as_millis(),
        "us" => return Ok(SimDuration::from_millis(number / 1000)),
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(bad()),
    };
    number.checked_mul(unit_ms).map(SimDuration::from_millis).ok_or_else(bad)
}

/// Writes a size as Spark reads it back, in the largest exact unit.
pub fn format_size(size: Bytes) -> String {
    let bytes = size.as_u64();
    for (shift, suffix) in [(40, "t"), (30, "g"), (20, "m"), (10, "k")] {
        if bytes != 0 && bytes.is_multiple_of(1 << shift) {
            return format!("{}{suffix}", bytes >> shift);
        }
    }
    format!("{bytes}b")
}

fn split(text: &str) -> Option<(u64, String)> {
    let text = text.trim().to_ascii_lowercase();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes_and_writes_them_back() {
        for (text, bytes) in
            [("4g", Bytes::gib(4)), ("512m", Bytes::mib(512)), ("1023b", Bytes::new(1023))]
        {
            assert_eq!(parse_size(text, Bytes::mib(1)), Ok(bytes));
            assert_eq!(format_size(bytes), text);
        }
        assert_eq!(parse_size("11G", Bytes::mib(1)), Ok(Bytes::gib(11)));
        assert_eq!(parse_size("1024", Bytes::mib(1)), Ok(Bytes::gib(1)));
        for text in ["", "g", "1.5g", "4gib", "-1g", "99999999999999999999g", "9999999p"] {
            assert!(parse_size(text, Bytes::mib(1)).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_times() {
        let second = SimDuration::seconds(1);
        assert_eq!(parse_time("60s", second), Ok(SimDuration::seconds(60)));
        assert_eq!(parse_time("30", second), Ok(SimDuration::seconds(30)));
        assert_eq!(parse_time("10min", second), Ok(SimDuration::minutes(10)));
        assert_eq!(parse_time("100ms", second), Ok(SimDuration::from_millis(100)));
        assert!(parse_time("1.5s", second).is_err());
    }
}
