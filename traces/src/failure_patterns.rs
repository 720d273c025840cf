//! What ended an attempt, told from what was recorded of its end: exit codes, reasons of
//! containers, texts of exceptions.
//!
//! `failure_patterns.csv` is the data: the first row that matches counts, specific ones before
//! general ones. Kinds: `exit` (the exit code of the driver's container), `driver` (what Kubernetes or
//! the orchestrator says of the driver's pod), `text` (what Spark and the application say). Texts are
//! compared without case; a pattern that ends with a digit must not go on with another.

use std::sync::OnceLock;

use sim::workload::Failure;

const PATTERNS: &str = include_str!("failure_patterns.csv");

/// What a pattern is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exit,
    Driver,
    Text,
}

/// A row of the data.
#[derive(Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What it is a sign of.
    pub cause: Failure,
    /// What is looked for, in lower case.
    pub text: &'static str,
    /// Who says so.
    pub source: &'static str,
    kind: Kind,
}

/// The first pattern that is in what the driver's pod, Spark or the application said.
pub fn by_message(message: &str) -> Option<&'static Pattern> {
    let lowered = message.to_lowercase();
    patterns().iter().find(|p| p.kind != Kind::Exit && contains(&lowered, p.text))
}

/// The first pattern that is in one of `texts`, which are Spark's and the application's, and the
/// place of that text.
pub fn by_texts(texts: &[&str]) -> Option<(&'static Pattern, usize)> {
    let lowered: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
    patterns().iter().filter(|p| p.kind == Kind::Text).find_map(|pattern| {
        let place = lowered.iter().position(|text| contains(text, pattern.text))?;
        Some((pattern, place))
    })
}

/// What the exit code of the driver's container says.
pub fn by_exit_code(code: i32) -> Option<&'static Pattern> {
    let code = code.to_string();
    patterns().iter().find(|pattern| pattern.kind == Kind::Exit && pattern.text == code)
}

fn contains(text: &str, pattern: &str) -> bool {
    let number = pattern.ends_with(|last: char| last.is_ascii_digit());
    text.match_indices(pattern).any(|(at, _)| {
        let next = text[at + pattern.len()..].chars().next();
        !(number && next.is_some_and(|next| next.is_ascii_digit()))
    })
}

/// Fields hold no comma before the last.
fn patterns() -> &'static [Pattern] {
    static ROWS: OnceLock<Vec<Pattern>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let row = |line: &'static str| {
            let mut fields = line.splitn(4, ',');
            let mut next = || fields.next().expect("failure_patterns.csv has four columns");
            let cause = Failure::from_name(next()).expect("failure_patterns.csv has known causes");
            let kind = match next() {
                "exit" => Kind::Exit,
                "driver" => Kind::Driver,
                "text" => Kind::Text,
                other => panic!("failure_patterns.csv has the kind `{other}`"),
            };
            Pattern { cause, kind, text: next(), source: next() }
        };
        PATTERNS.lines().skip(1).map(row).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_can_be_the_one_that_counts() {
        for pattern in patterns() {
            let found = match pattern.kind {
                Kind::Exit => by_exit_code(pattern.text.parse().expect("a number")),
                Kind::Driver => by_message(pattern.text),
                Kind::Text => by_texts(&[pattern.text]).map(|(found, _)| found),
            };
            let found = found.expect("it finds itself");
            // A pattern may hold another one of the same cause; never of another.
            assert_eq!(found.cause, pattern.cause, "{} before {}", found.text, pattern.text);
            assert_eq!(pattern.text, pattern.text.to_lowercase());
            assert!(pattern.kind == Kind::Exit || pattern.text.len() >= 8, "{}", pattern.text);
            assert!(!pattern.source.is_empty());
        }
    }

    #[test]
    fn every_cause_that_can_be_recorded_has_a_pattern() {
        for cause in Failure::ALL {
            assert!(patterns().iter().any(|pattern| pattern.cause == cause), "{}", cause.name());
        }
    }

    #[test]
    fn hostile_texts_are_looked_through() {
        let long = "\u{1b}[2J<script>\u{0}".repeat(100_000);
        assert_eq!(by_message(&long), None);
        let found = by_message(&(long + " ImagePullBackOff")).expect("found");
        assert_eq!(found.cause, Failure::ImagePull);
    }

    #[test]
    fn whose_container_it_was_decides() {
        let cause = |text: &str| by_message(text).map(|pattern| pattern.cause);
        assert_eq!(cause("container terminated: OOMKilled"), Some(Failure::DriverOom));
        assert_eq!(
            by_texts(&["executor 3: OOMKilled"]).map(|f| f.0.cause),
            Some(Failure::ExecutorOom)
        );
        assert_eq!(cause("exited with exit code 1375"), None);
        assert_eq!(by_exit_code(137).map(|pattern| pattern.cause), Some(Failure::DriverOom));
        assert_eq!(by_exit_code(1), None, "what it was is in the text");
        assert_eq!(
            cause("0/14 nodes are available: 9 Insufficient memory"),
            Some(Failure::Unschedulable)
        );
    }
}
