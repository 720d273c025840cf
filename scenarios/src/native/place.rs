//! Where a setting stands, kept until it is checked: a setting of a flag table or of a properties
//! file is read first and understood later, against a release that the file does not name.

use sim::{Finding, Severity};

use crate::problem::{Pos, Problem, Source};
use crate::walk::At;

/// A place in a file, with its line for the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Box<Problem>);

impl Place {
    /// The place `pos` of `source`.
    pub(crate) fn new(source: &Source, pos: Pos) -> Self {
        Self(Box::new(Problem::new(source, pos, "")))
    }

    /// Where `at` stands.
    pub(crate) fn of(at: &At<'_>) -> Self {
        let nowhere = Source::default();
        let source = at.walker.source_of(at.node.pos).unwrap_or(&nowhere);
        Self(Box::new(Problem::new(source, at.node.pos, "").with_path(at.path.clone())))
    }

    /// Somewhere in what is called `name`, which has no lines.
    pub(crate) fn named(name: &str) -> Self {
        Self(Box::new(Problem::of_file(name, "")))
    }

    /// The same place, read as the setting `path`.
    #[must_use]
    pub(crate) fn with_path(mut self, path: impl Into<String>) -> Self {
        self.0.path = path.into();
        self
    }

    /// The file.
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// 1-based line.
    pub fn line(&self) -> u32 {
        self.0.line
    }

    /// The problem without a message that stands for the place.
    pub(crate) fn as_problem(&self) -> &Problem {
        &self.0
    }

    /// A problem here.
    pub(crate) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { message: message.into(), ..(*self.0).clone() }
    }

    /// A finding here.
    pub(crate) fn finding(
        &self,
        severity: Severity,
        code: &str,
        message: impl Into<String>,
    ) -> Finding {
        let finding = Finding::new(severity, code, self.0.file.clone(), message);
        if self.0.line == 0 { finding } else { finding.at_line(u64::from(self.0.line)) }
    }

    /// The finding that the setting `name` was read and is not followed.
    pub(crate) fn not_modelled(&self, name: &str) -> Finding {
        let message = format!("`{name}` was read and is not modelled");
        self.finding(Severity::Info, "not-modelled", message)
    }
}
