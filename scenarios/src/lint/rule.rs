//! A rule, and what it says about one place.

use sim::Severity;

use crate::native::Place;
use crate::problem::Problem;

/// What is looked for, why it matters, and who says so.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// A stable name for scripts, in kebab case.
    pub id: &'static str,
    /// `Error` fails the command.
    pub severity: Severity,
    /// Why it matters: a sentence.
    pub why: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// One thing that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintFinding {
    /// The rule.
    pub rule: &'static Rule,
    /// The file, as the user named it.
    pub file: String,
    /// 1-based line; 0 when the whole file is meant.
    pub line: u32,
    /// 1-based column, in characters; 0 when the whole line or file is meant.
    pub column: u32,
    /// What was found, with the value.
    pub what: String,
    /// What to do about it.
    pub next: String,
    /// Whose finding it is, where several say the same of one place.
    subject: String,
}

impl Rule {
    /// What the rule says about `place`.
    pub(super) fn at(
        &'static self,
        place: &Place,
        what: impl Into<String>,
        next: impl Into<String>,
    ) -> LintFinding {
        self.of(place.as_problem(), what, next)
    }

    /// The same where `problem` is.
    pub(super) fn of(
        &'static self,
        problem: &Problem,
        what: impl Into<String>,
        next: impl Into<String>,
    ) -> LintFinding {
        LintFinding {
            rule: self,
            file: problem.file.clone(),
            line: problem.line,
            column: problem.column,
            what: what.into(),
            next: next.into(),
            subject: String::new(),
        }
    }
}

impl LintFinding {
    /// The same finding, of `subject`, whom its text names.
    #[must_use]
    pub(super) fn about(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.subject);
        self
    }

    /// Whether the two say the same of one place, whoever it is about: a template that several
    /// settings name.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        let bare = |one: &Self| match one.subject.is_empty() {
            true => one.what.clone(),
            false => one.what.replace(&one.subject, ""),
        };
        let place = |one: &Self| (one.line, one.column);
        self.rule == other.rule
            && self.file == other.file
            && place(self) == place(other)
            && bare(self) == bare(other)
    }

    /// By file and place, then the gravest first.
    pub(super) fn key(&self) -> impl Ord + '_ {
        let severity = std::cmp::Reverse(self.rule.severity);
        (&self.file, self.line, self.column, severity, self.rule.id, &self.what)
    }
}
