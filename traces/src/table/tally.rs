//! Counts of rows and of what is wrong with them: one finding per code and column, with the first
//! line and an example, however many rows it stands for.

use std::collections::BTreeMap;

use sim::{Finding, Severity};

/// Where the rows of a table went: `rows = kept + bad + duplicates + folded`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct TableCounts {
    /// Data rows in the file.
    pub rows: u64,
    /// Rows that became part of the trace.
    pub kept: u64,
    /// Rows dropped because something required was bad or missing.
    pub bad: u64,
    /// Rows dropped because an earlier row has the same key.
    pub duplicates: u64,
    /// Recorded retries, which the simulator makes itself.
    pub folded: u64,
}

impl TableCounts {
    /// Rows that did not become part of the trace.
    pub const fn dropped(&self) -> u64 {
        self.bad + self.duplicates + self.folded
    }
}

/// Findings in the making.
#[derive(Debug)]
pub(crate) struct Tally {
    subject: String,
    findings: BTreeMap<(&'static str, String), Finding>,
}

impl Tally {
    /// Findings about `subject`, a file as the user named it.
    pub(crate) fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), findings: BTreeMap::new() }
    }

    /// Counts one more of `code` in `column` (empty = the row as a whole). Only the first one's
    /// `message` is made.
    pub(crate) fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        column: &str,
        line: u64,
        message: impl FnOnce() -> String,
    ) {
        self.add_times(severity, code, column, Some(line), 1, message);
    }

    /// Counts `count` more of `code` in `column`.
    pub(crate) fn add_times(
        &mut self,
        severity: Severity,
        code: &'static str,
        column: &str,
        line: Option<u64>,
        count: u64,
        message: impl FnOnce() -> String,
    ) {
        if let Some(finding) = self.findings.get_mut(&(code, column.to_owned())) {
            finding.count += count;
            return;
        }
        let subject = if column.is_empty() {
            self.subject.clone()
        } else {
            format!("{}: {}", self.subject, shorten(column))
        };
        let mut finding = Finding::new(severity, code, subject, message()).times(count);
        finding.line = line;
        self.findings.insert((code, column.to_owned()), finding);
    }

    /// All findings, by code, then by column.
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.findings.into_values().collect()
    }
}

/// At most 80 characters of `text`, on one line.
pub(crate) fn shorten(text: &str) -> String {
    let mut short: String =
        text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(80).is_some() {
        short.push_str("...");
    }
    short
}
