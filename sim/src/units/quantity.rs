//! Kubernetes quantities: `500m`, `2`, `4Gi`, `1.5G`, `128e6`.
//!
//! Source: apimachinery `pkg/api/resource/quantity.go` (grammar in its doc comment): a signed
//! number, then a binary suffix (Ki..Ei), a decimal suffix (n, u, m, k, M, G, T, P, E) or a
//! decimal exponent. Amounts are rounded up, as upstream's `MilliValue` and `Value` do.

use super::{Bytes, MilliCores, ParseUnitError};

/// Reads a CPU quantity, rounded up to a thousandth of a core.
///
/// # Errors
/// Not a quantity, negative, or above 10^9 cores.
pub fn parse_cpu(text: &str) -> Result<MilliCores, ParseUnitError> {
    const EXPECTED: &str = "CPU quantity such as 500m, 2 or 3.5";
    let cores = parse(text).ok_or_else(|| ParseUnitError::new(text, EXPECTED))?;
    match ceil_whole(cores * 1000.0) {
        milli if milli <= 1e12 => Ok(MilliCores::new(milli as u64)),
        _ => Err(ParseUnitError::new(text, EXPECTED)),
    }
}

/// Reads a memory or storage quantity, rounded up to a byte.
///
/// # Errors
/// Not a quantity, negative, or above 8 EiB.
pub fn parse_bytes(text: &str) -> Result<Bytes, ParseUnitError> {
    const EXPECTED: &str = "memory quantity such as 512Mi, 4Gi or 10G";
    let bytes = parse(text).ok_or_else(|| ParseUnitError::new(text, EXPECTED))?;
    match ceil_whole(bytes) {
        bytes if bytes <= 9.2e18 => Ok(Bytes::new(bytes as u64)),
        _ => Err(ParseUnitError::new(text, EXPECTED)),
    }
}

/// Rounds up, but takes a value within float noise of a whole number as that number.
fn ceil_whole(value: f64) -> f64 {
    let nearest = value.round();
    if (value - nearest).abs() <= 1e-9 * nearest.max(1.0) { nearest } else { value.ceil() }
}

fn parse(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    Some(if suffix.is_empty() { number } else { number * multiplier(suffix)? })
}

fn multiplier(suffix: &str) -> Option<f64> {
    Some(match suffix {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024.0_f64.powi(2),
        "Gi" => 1024.0_f64.powi(3),
        "Ti" => 1024.0_f64.powi(4),
        "Pi" => 1024.0_f64.powi(5),
        "Ei" => 1024.0_f64.powi(6),
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            (-9..=18).contains(&power).then(|| 10.0_f64.powi(power))?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_cpu(text: &str, expected_milli: u64) {
        assert_eq!(parse_cpu(text), Ok(MilliCores::new(expected_milli)), "{text}");
    }

    #[track_caller]
    fn check_bytes(text: &str, expected: u64) {
        assert_eq!(parse_bytes(text), Ok(Bytes::new(expected)), "{text}");
    }

    #[test]
    fn reads_cpu() {
        check_cpu("500m", 500);
        check_cpu("2", 2000);
        check_cpu("3.5", 3500);
        check_cpu("0.1", 100);
        check_cpu("1n", 1);
    }

    #[test]
    fn reads_bytes() {
        check_bytes("4Gi", 4 << 30);
        check_bytes("3.2Gi", 3_435_973_837);
        check_bytes("1.5G", 1_500_000_000);
        check_bytes("128e6", 128_000_000);
        check_bytes("123", 123);
        check_bytes("0", 0);
    }

    #[test]
    fn refuses_other_texts() {
        for text in ["", "Gi", "4GiB", "4g", "-1", "1e99", "4 Gi", "NaN", "inf"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
