//! Readers of single values: texts, numbers, durations, quantities, names.
//!
//! A number is taken where a quantity is expected (`cpu: 3` as `cpu: "3"`), and a quoted number
//! where a number is: Helm values and `--set` hold both.

use std::ops::RangeInclusive;

use sim::units::{Bytes, MilliCores, ParseUnitError, SimDuration, quantity};

use super::{At, shorten};
use crate::problem::suggestion;
use crate::yaml::Value;

impl At<'_> {
    /// A text; numbers and true/false count as texts.
    pub fn string(&self) -> Option<String> {
        match self.node.scalar_text() {
            Some(text) => Some(text.to_owned()),
            None => self.refuse("a text"),
        }
    }

    /// A text with something in it.
    pub fn name(&self) -> Option<String> {
        let text = self.string()?;
        if text.trim().is_empty() { self.refuse("a name") } else { Some(text) }
    }

    /// `true` or `false`, quoted or not.
    pub fn bool(&self) -> Option<bool> {
        match &self.node.value {
            Value::Bool(value) => Some(*value),
            Value::String(text) if text == "true" => Some(true),
            Value::String(text) if text == "false" => Some(false),
            _ => self.refuse("`true` or `false`"),
        }
    }

    /// A whole number within `range`.
    pub fn int(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let number = self.number_text().and_then(whole);
        let expected = match (*range.start(), *range.end()) {
            (low, i64::MAX) => format!("a whole number of at least {low}"),
            (low, high) => format!("a whole number from {low} to {high}"),
        };
        match number {
            Some(number) if range.contains(&number) => Some(number),
            _ => self.refuse(&expected),
        }
    }

    /// A whole number from `low` to 2^32 - 1.
    pub fn count(&self, low: u32) -> Option<u32> {
        let number = self.int(i64::from(low)..=i64::from(u32::MAX))?;
        u32::try_from(number).ok()
    }

    /// A number within `range`.
    pub fn float(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let number = self.number_text().and_then(|text| text.parse::<f64>().ok());
        let expected = match (*range.start(), *range.end()) {
            (low, high) if high == f64::INFINITY => format!("a number of at least {low}"),
            (low, high) => format!("a number from {low} to {high}"),
        };
        match number {
            Some(number) if number.is_finite() && range.contains(&number) => Some(number),
            _ => self.refuse(&expected),
        }
    }

    /// A duration in Go's grammar (`90s`, `5m`, `1h30m`).
    pub fn duration(&self) -> Option<SimDuration> {
        self.parsed(SimDuration::parse_go, "a duration such as 90s, 5m or 1h30m")
    }

    /// A CPU quantity (`500m`, `3`).
    pub fn cpu(&self) -> Option<MilliCores> {
        self.parsed(quantity::parse_cpu, "a CPU quantity such as 500m, 2 or 3.5")
    }

    /// A memory or storage quantity (`512Mi`, `4Gi`).
    pub fn bytes(&self) -> Option<Bytes> {
        self.parsed(quantity::parse_bytes, "a memory quantity such as 512Mi, 4Gi or 10G")
    }

    /// One of the names in `known`, and what it stands for.
    pub fn one_of<T: Clone>(&self, known: &[(&str, T)]) -> Option<T> {
        let text = self.string()?;
        let found = known.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let message = format!("unknown value `{}`", shorten(&text));
            let help = suggestion(&text, &names);
            self.walker.problem(self.node.pos, &self.path, message, help);
        }
        found.map(|(_, value)| value.clone())
    }

    fn parsed<T>(
        &self,
        parse: impl Fn(&str) -> Result<T, ParseUnitError>,
        expected: &str,
    ) -> Option<T> {
        let text = match &self.node.value {
            Value::Number(text) | Value::String(text) => text.trim(),
            _ => return self.refuse(expected),
        };
        // An unquoted `1e3` or `+5` is a number to YAML and no quantity: its plain form may be.
        match parse(text).or_else(|error| match text.parse::<f64>() {
            Ok(number) if matches!(self.node.value, Value::Number(_)) => parse(&number.to_string()),
            _ => Err(error),
        }) {
            Ok(value) => Some(value),
            Err(_) => self.refuse(expected),
        }
    }

    fn number_text(&self) -> Option<&str> {
        match &self.node.value {
            Value::Number(text) => Some(text),
            Value::String(text) => Some(text.trim()),
            _ => None,
        }
    }

    fn refuse<T>(&self, expected: &str) -> Option<T> {
        self.wrong_type(expected);
        None
    }
}

/// A whole number: decimal (`5`, `5.0`, `1e3`), `0x1f` or `0o17`. A leading zero (`0644`) is
/// refused: YAML 1.1 reads it as octal and YAML 1.2 does not.
fn whole(text: &str) -> Option<i64> {
    if let Some(hex) = text.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok();
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return i64::from_str_radix(octal, 8).ok();
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.len() > 1 && digits.starts_with('0') && digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
    })
}
