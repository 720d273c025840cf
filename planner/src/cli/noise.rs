//! Standard error: errors, findings, and what a command is doing. A closed standard error is
//! ignored: there is nobody left to tell.

use std::io::{self, IsTerminal, Write};

use reports::escape;
use sim::{Finding, Severity};

use super::Global;

/// Findings printed; all of them are in `findings.json`.
const FINDINGS_MAX: usize = 20;

/// What may be said on standard error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noise {
    quiet: bool,
    verbose: bool,
    progress: bool,
}

impl Noise {
    pub(super) fn new(global: &Global) -> Self {
        let terminal = io::stderr().is_terminal();
        Self {
            quiet: global.quiet,
            verbose: global.verbose,
            progress: terminal && !global.no_progress && !global.quiet,
        }
    }

    /// Progress bars are wanted, and there is a terminal to show them on.
    pub(super) fn progress(&self) -> bool {
        self.progress
    }

    /// An error; its lines stay lines, and foreign names in it cannot command the terminal.
    pub(super) fn error(&self, text: &str) {
        let lines: Vec<String> = text.lines().map(escape::sentence).collect();
        let text = lines.join("\n");
        // Problems in files come as compilers say them, with their own beginning.
        match text.starts_with("error:") {
            true => say(&text),
            false => say(&format!("error: {text}")),
        }
    }

    /// Something to know, unless `-q`.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            say(&escape::sentence(text));
        }
    }

    /// The findings that matter: errors first, then warnings, with `-v` notes too. `rest` says
    /// where those are that are not printed.
    pub(super) fn findings<'a>(&self, findings: impl Iterator<Item = &'a Finding>, rest: &str) {
        if self.quiet {
            return;
        }
        let mut shown: Vec<&Finding> =
            findings.filter(|finding| self.verbose || finding.severity > Severity::Info).collect();
        shown.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        for finding in shown.iter().take(FINDINGS_MAX) {
            say(&line(finding));
        }
        if shown.len() > FINDINGS_MAX {
            say(&format!("… {} more {rest}", shown.len() - FINDINGS_MAX));
        }
    }
}

/// `warning: not modelled: spark.speculation (spark-defaults.conf:12)`.
fn line(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let message = escape::sentence(&finding.message);
    let subject = escape::sentence(&finding.subject);
    let times = match finding.count {
        0 | 1 => String::new(),
        n => format!(" ({} times)", reports::figures::grouped(n)),
    };
    // Code and subject are told only where the message has not told them yet.
    let words = finding.code.replace('-', " ");
    let code = match message.to_lowercase().contains(&words) {
        true => String::new(),
        false => format!("{words}: "),
    };
    let place = match finding.line {
        Some(line) => format!(" ({subject}:{line})"),
        None if subject.is_empty() || message.contains(&subject) => String::new(),
        None => format!(" ({subject})"),
    };
    format!("{severity}: {code}{message}{times}{place}")
}

fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(finding: Finding, expected: &str) {
        assert_eq!(line(&finding), expected);
    }

    #[test]
    fn a_finding_is_one_line_with_its_place() {
        let finding = |message| {
            Finding::new(Severity::Warning, "not-modelled", "a.conf", message).at_line(12)
        };
        check(finding("spark.speculation"), "warning: not modelled: spark.speculation (a.conf:12)");
        check(
            finding("spark.speculation is not modelled").times(1_200),
            "warning: spark.speculation is not modelled (1,200 times) (a.conf:12)",
        );
        check(
            Finding::new(Severity::Error, "bad-file", "x\u{1b}[2J\ny", "no header"),
            "error: bad file: no header (x y)",
        );
        check(
            Finding::new(Severity::Info, "default", "teams", "teams are missing"),
            "note: default: teams are missing",
        );
    }
}
