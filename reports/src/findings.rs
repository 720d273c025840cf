//! `findings.json`: what was left out, repaired or assumed, with where it was said.
//!
//! Findings keep their order: scenario, trace, model. Nothing is cut here; what a terminal shows of
//! them is [`crate::terminal`]'s.

use serde::Serialize;
use sim::scenario::Assumption;
use sim::{Finding, Severity};

/// The value of the key `schema`.
pub const SCHEMA: &str = "seatrial.findings/v1";

/// Who found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The scenario file and the native files that it names.
    Scenario,
    /// The recorded files.
    Trace,
    /// The simulation.
    Model,
}

/// A finding and who found it.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Who found it.
    pub source: Source,
    /// What.
    #[serde(flatten)]
    pub finding: Finding,
}

/// The whole file.
#[derive(Debug, Clone, Serialize)]
pub struct Findings {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// What was found.
    pub findings: Vec<Entry>,
    /// Numbers that no config file holds, with their sources.
    pub assumptions: Vec<Assumption>,
}

impl Findings {
    /// No findings yet, and the scenario's assumptions.
    pub fn new(assumptions: Vec<Assumption>) -> Self {
        Self { schema: SCHEMA, findings: Vec::new(), assumptions }
    }

    /// Adds what `source` found.
    pub fn extend(&mut self, source: Source, findings: impl IntoIterator<Item = Finding>) {
        let entries = findings.into_iter().map(|finding| Entry { source, finding });
        self.findings.extend(entries);
    }

    /// How many findings are of `severity`.
    pub fn count(&self, severity: Severity) -> usize {
        self.of(severity).count()
    }

    /// The findings of `severity`.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        let findings = self.findings.iter().map(|entry| &entry.finding);
        findings.filter(move |finding| finding.severity == severity)
    }

    /// The text of `findings.json`.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("findings hold only strings, numbers and lists of them");
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_every_finding_with_its_source() {
        let mut findings = Findings::new(Vec::new());
        let warning = Finding::new(Severity::Warning, "not-modelled", "a.conf", "spark.x");
        findings.extend(Source::Scenario, [warning.at_line(12)]);
        let info = Finding::new(Severity::Info, "default-used", "b.csv", "no teams").times(9);
        findings.extend(Source::Trace, [info]);
        assert_eq!(findings.count(Severity::Warning), 1);
        let value: serde_json::Value = serde_json::from_str(&findings.to_json()).unwrap();
        assert_eq!(value["findings"][0]["source"], "scenario");
        assert_eq!(value["findings"][0]["line"], 12);
        assert_eq!(value["findings"][1]["count"], 9);
        assert_eq!(value["findings"][1]["severity"], "info");
    }
}
