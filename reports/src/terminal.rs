//! The summary at a glance: what happened, how long people waited, what it cost and where that
//! went, what to know about it, and where the rest is.
//!
//! The same sections serve terminals ([`summary`]) and Markdown ([`summary_markdown`]); CSV
//! ([`summary_csv`]) has one line per number. Leaves out: anything that is not in `summary.json`
//! or `findings.json`.

mod sections;

use sim::Severity;

use crate::escape;
use crate::findings::Findings;
use crate::grid::{self, Grid};
use crate::student_t::Estimate;
use crate::summary::{Summary, numbers};

/// What surrounds the numbers.
#[derive(Debug, Default, Clone, Copy)]
pub struct Surroundings<'a> {
    /// Titles in bold: only for a terminal.
    pub bold: bool,
    /// The result folder, where one was written.
    pub folder: Option<&'a str>,
    /// What the user may do next.
    pub next: Option<&'a str>,
}

/// A title with a table or with sentences.
struct Section {
    title: &'static str,
    lines: Vec<String>,
    grid: Option<Grid>,
}

/// The summary for a terminal.
pub fn summary(summary: &Summary, findings: &Findings, around: Surroundings<'_>) -> String {
    let (on, off) = if around.bold { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
    let mut text = format!("{on}{}{off}\n", headline(summary, escape::terminal));
    for section in sections::all(summary, escape::terminal) {
        text.push_str(&format!("\n{on}{}{off}\n", section.title));
        for line in &section.lines {
            text.push_str(&format!("  {line}\n"));
        }
        if let Some(grid) = &section.grid {
            text.push_str(&grid.to_terminal(2));
        }
    }
    text.push_str(&format!("\n{on}Findings{off}\n  {}\n", counts(findings)));
    if let Some(folder) = around.folder {
        let folder = escape::sentence(folder);
        text.push_str(&format!("\n{on}Results{off}\n  {folder}\n"));
    }
    if let Some(next) = around.next {
        text.push_str(&format!("  Next: {}\n", escape::sentence(next)));
    }
    text
}

/// The summary as Markdown.
pub fn summary_markdown(summary: &Summary, findings: &Findings) -> String {
    let mut text = format!("# {}\n", headline(summary, escape::markdown));
    for section in sections::all(summary, escape::markdown) {
        text.push_str(&format!("\n## {}\n\n", section.title));
        for line in &section.lines {
            text.push_str(&format!("- {line}\n"));
        }
        if let (false, Some(_)) = (section.lines.is_empty(), &section.grid) {
            text.push('\n');
        }
        if let Some(grid) = &section.grid {
            text.push_str(&grid.to_markdown());
        }
    }
    text.push_str(&format!("\n## Findings\n\n- {}\n", counts(findings)));
    text
}

/// One line per number: its path and value, and over several replications its mean and interval.
pub fn summary_csv(summary: &Summary) -> String {
    let statistics = &summary.replication_statistics;
    let mut header = vec!["metric", "value"];
    if !statistics.is_empty() {
        header.extend(["mean", "ci95_low", "ci95_high", "n"]);
    }
    let lines = numbers(summary).into_iter().map(|(path, value)| {
        let mut line = vec![escape::csv_cell(&path), value.to_string()];
        if !statistics.is_empty() {
            line.extend(match statistics.get(&path) {
                None => <[String; 4]>::default(),
                Some(Estimate { mean, ci95_low, ci95_high, n }) => [mean, ci95_low, ci95_high]
                    .map(f64::to_string)
                    .into_iter()
                    .chain([n.to_string()])
                    .collect::<Vec<_>>()
                    .try_into()
                    .expect("three numbers and a count are four"),
            });
        }
        line
    });
    let header = header.into_iter().map(str::to_owned).collect();
    grid::csv(std::iter::once(header).chain(lines))
}

fn headline(summary: &Summary, escape: fn(&str) -> String) -> String {
    let replications = match summary.replications {
        1 => String::new(),
        n => format!(", means of {n} replications ± half the 95 % interval"),
    };
    format!("{}: seed {}{replications}", escape(&summary.scenario), summary.seed)
}

fn counts(findings: &Findings) -> String {
    let count = |severity| findings.count(severity);
    let plural = |n: usize, word: &str| match n {
        1 => format!("1 {word}"),
        n => format!("{n} {word}s"),
    };
    format!(
        "{}, {}, {}; {} of {} assumptions are guesses without a source",
        plural(count(Severity::Error), "error"),
        plural(count(Severity::Warning), "warning"),
        plural(count(Severity::Info), "note"),
        findings.assumptions.iter().filter(|a| a.guess).count(),
        findings.assumptions.len(),
    )
}

#[cfg(test)]
mod tests;
