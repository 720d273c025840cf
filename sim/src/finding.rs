//! Findings: what a reader or the model has to say about its input, without refusing it.

use serde::Serialize;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know: an assumption, a default that was used.
    Info,
    /// The result is weaker than it could be: something was not modelled, dropped or repaired.
    Warning,
    /// Part of the input could not be used at all.
    Error,
}

/// One remark. Findings are counted, never silent: `count` rows or events are behind each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// A stable name for scripts, in kebab case: `negative-duration`, `not-modelled`.
    pub code: String,
    /// The file, table or setting that it is about, as the user named it.
    pub subject: String,
    /// What was found, and what was done about it.
    pub message: String,
    /// The first line or row (1-based) it was seen at, where there is one.
    pub line: Option<u64>,
    /// How many rows, events or settings it stands for.
    pub count: u64,
}

impl Finding {
    /// A finding that stands for one thing.
    pub fn new(
        severity: Severity,
        code: &str,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            code: code.to_owned(),
            subject: subject.into(),
            message: message.into(),
            line: None,
            count: 1,
        }
    }

    /// The same finding, at `line`.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The same finding, for `count` things.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = count;
        self
    }
}
