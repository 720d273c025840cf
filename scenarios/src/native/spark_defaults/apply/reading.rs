//! Single settings as typed values, with problems and findings collected on the way.

use std::collections::BTreeMap;

use sim::scenario::SparkVersion;
use sim::units::{Bytes, MilliCores, ParseUnitError, SimDuration, quantity, spark_size};
use sim::{Finding, Severity};

use super::super::{SparkConf, known, shown};
use super::is_known_in;
use crate::problem::Problem;

/// One pass over a configuration.
pub(super) struct Reading<'c> {
    conf: &'c SparkConf,
    version: SparkVersion,
    problems: Vec<Problem>,
    findings: Vec<Finding>,
}

impl<'c> Reading<'c> {
    pub(super) fn new(conf: &'c SparkConf, version: SparkVersion) -> Self {
        Self { conf, version, problems: Vec::new(), findings: Vec::new() }
    }

    /// Both in the order of the file.
    pub(super) fn finish(mut self) -> (Vec<Problem>, Vec<Finding>) {
        self.problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        self.findings.sort_by(|a, b| {
            (&a.subject, a.line, &a.message).cmp(&(&b.subject, b.line, &b.message))
        });
        (self.problems, self.findings)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'c str> {
        self.conf.iter().map(|(key, _)| key)
    }

    /// The text of `key`, unless this release does not know the key or the text holds a variable.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.conf.get(key)?;
        let since = known::since(key);
        if let Some(since) = since.filter(|_| !is_known_in(self.version, since)) {
            let message = format!(
                "`{key}` came with Spark {}.{}; Spark {}.{} ignores it",
                since.major, since.minor, self.version.major, self.version.minor
            );
            self.warn(key, "ignored-by-spark", message);
            return None;
        }
        if value.contains("${") {
            let message = format!("`{key}` is not used: variables in `{}`", shown(value));
            self.warn(key, "not-modelled", message);
            return None;
        }
        Some(value.to_owned())
    }

    /// The text of `key` as it stands, whatever this release makes of it.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.conf.get(key)
    }

    /// Whether the release is this one or a later one.
    pub(super) fn at_least(&self, major: u32, minor: u32) -> bool {
        self.version >= SparkVersion { major, minor }
    }

    /// All settings whose keys start with `prefix`, by the rest of the key.
    pub(super) fn family(&mut self, prefix: &str) -> BTreeMap<String, String> {
        let keys: Vec<&str> = self.keys().filter(|key| key.starts_with(prefix)).collect();
        let mut family = BTreeMap::new();
        for key in keys {
            if key.len() == prefix.len() {
                self.problem(key, "a name is missing after the last dot", "see the Spark docs");
            } else if let Some(value) = self.text(key) {
                family.insert(key[prefix.len()..].to_owned(), value);
            }
        }
        family
    }

    /// A whole number from `least`.
    pub(super) fn count(&mut self, key: &str, least: u32) -> Option<u32> {
        let text = self.text(key)?;
        let number = text.parse::<u32>().ok();
        let in_range = number.filter(|n| *n >= least && *n <= i32::MAX as u32);
        if in_range.is_none() {
            let help = format!("a whole number of at least {least}");
            self.bad_value(key, &text, &help);
        }
        in_range
    }

    /// A number from `least` to `most`.
    pub(super) fn number(&mut self, key: &str, least: f64, most: f64) -> Option<f64> {
        let text = self.text(key)?;
        let number = text.parse::<f64>().ok().filter(|n| n.is_finite());
        let in_range = number.filter(|n| (least..=most).contains(n));
        if in_range.is_none() {
            let from = if least == f64::MIN_POSITIVE {
                "above 0 and up to".to_owned()
            } else {
                format!("from {least} to")
            };
            self.bad_value(key, &text, &format!("a number {from} {most}"));
        }
        in_range
    }

    /// `true` or `false`, in any case, as Scala's `toBoolean`.
    pub(super) fn boolean(&mut self, key: &str) -> Option<bool> {
        let text = self.text(key)?;
        match text.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.bad_value(key, &text, "`true` or `false`");
                None
            }
        }
    }

    /// Whether `key` is set to true; no problem where it is set to nonsense.
    pub(super) fn is_true(&self, key: &str) -> bool {
        let value = self.conf.get(key);
        value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A size; a bare number counts in `unit`.
    pub(super) fn size(&mut self, key: &str, unit: Bytes) -> Option<Bytes> {
        self.parsed(key, |text| spark_size::parse_size(text, unit))
    }

    /// A time; a bare number counts in `unit`.
    pub(super) fn time(&mut self, key: &str, unit: SimDuration) -> Option<SimDuration> {
        self.parsed(key, |text| spark_size::parse_time(text, unit))
    }

    /// A Kubernetes CPU quantity above zero.
    pub(super) fn cpu(&mut self, key: &str) -> Option<MilliCores> {
        let cpu = self.parsed(key, quantity::parse_cpu)?;
        if cpu == MilliCores::ZERO {
            self.bad_value(key, "0", "a CPU quantity above zero, such as 500m");
            return None;
        }
        Some(cpu)
    }

    fn parsed<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, ParseUnitError>,
    ) -> Option<T> {
        let text = self.text(key)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.bad_value(key, &text, &format!("a {}", error.expected));
                None
            }
        }
    }

    pub(super) fn bad_value(&mut self, key: &str, value: &str, allowed: &str) {
        let message = format!("`{}` is no value of `{key}`", shown(value));
        self.problem(key, message, allowed);
    }

    pub(super) fn problem(&mut self, key: &str, message: impl Into<String>, help: &str) {
        if let Some(place) = self.conf.place(key) {
            // A family may be read twice.
            let problem = place.problem(message).with_help(help);
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }

    /// A problem at the first of `keys` that is set; where none is, the defaults are at odds with
    /// each other, which the caller's own values made so.
    pub(super) fn problem_at_first(&mut self, keys: &[&str], message: String) {
        let problem = match keys.iter().find_map(|key| self.conf.place(key)) {
            Some(place) => place.problem(message),
            None => Problem::of_file("spark settings", message),
        };
        self.problems.push(problem);
    }

    pub(super) fn not_modelled(&mut self, key: &str) {
        if let Some(place) = self.conf.place(key) {
            self.findings.push(place.not_modelled(&shown(key)));
        }
    }

    pub(super) fn note(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(super) fn warn(&mut self, key: &str, code: &str, message: impl Into<String>) {
        self.find(key, Severity::Warning, code, message);
    }

    pub(super) fn find(
        &mut self,
        key: &str,
        severity: Severity,
        code: &str,
        message: impl Into<String>,
    ) {
        if let Some(place) = self.conf.place(key) {
            let finding = place.finding(severity, code, message);
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
    }
}
