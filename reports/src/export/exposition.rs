//! OpenMetrics text: metric families, series and samples with timestamps.
//!
//! Source: OpenMetrics 1.0 (<https://prometheus.io/docs/specs/om/open_metrics_spec/>): a family's
//! metadata comes first, its samples are not interleaved with others', a series' samples are
//! together and in time order, timestamps are seconds since 1970, the text ends with `# EOF`. Label
//! values come from strangers: control characters are dropped, [`LABEL_MAX`] characters are kept,
//! and `\`, `"` and line ends are escaped. Leaves out: exemplars, units, `_created`.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

/// Most characters of a label's value: as many as the longest name in Kubernetes.
pub(super) const LABEL_MAX: usize = 253;

/// What the samples of a family are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FamilyKind {
    Gauge,
    /// Its samples' name is the family's with `_total`.
    Counter,
}

/// The text on its way to a writer. An error is kept until [`Exposition::finish`]; nothing is
/// written after it.
pub(super) struct Exposition<'a> {
    out: &'a mut dyn Write,
    epoch_ms: i64,
    name: String,
    series: String,
    line: String,
    samples: u64,
    failed: Option<io::Error>,
}

impl<'a> Exposition<'a> {
    /// `epoch_ms` is the start of the workload, since 1970.
    pub(super) fn new(out: &'a mut dyn Write, epoch_ms: i64) -> Self {
        let empty = String::new;
        let (name, series, line) = (empty(), empty(), empty());
        Self { out, epoch_ms, name, series, line, samples: 0, failed: None }
    }

    /// Begins a family; `name` without `_total`.
    pub(super) fn family(&mut self, name: &str, kind: FamilyKind, help: &str) {
        let (kind, ending) = match kind {
            FamilyKind::Gauge => ("gauge", ""),
            FamilyKind::Counter => ("counter", "_total"),
        };
        self.line.clear();
        // Writing to a String cannot fail.
        let _ = writeln!(self.line, "# HELP {name} {help}\n# TYPE {name} {kind}");
        self.name = format!("{name}{ending}");
        self.write_line();
    }

    /// Begins a series of the family. Labels without a value are left out: to Prometheus they are
    /// the same.
    pub(super) fn series(&mut self, labels: &[(&str, &str)]) {
        self.series.clear();
        self.series.push_str(&self.name);
        let mut between = '{';
        for (name, value) in labels.iter().filter(|(_, value)| !value.is_empty()) {
            self.series.push(between);
            self.series.push_str(name);
            self.series.push_str("=\"");
            push_escaped(&mut self.series, value);
            self.series.push('"');
            between = ',';
        }
        if between == ',' {
            self.series.push('}');
        }
    }

    /// A sample of the series, at a moment since the start of the workload.
    pub(super) fn sample(&mut self, at_ms: i64, value: impl Display) {
        if self.failed.is_some() {
            return;
        }
        let moment = self.epoch_ms.saturating_add(at_ms);
        let (sign, moment) = (if moment < 0 { "-" } else { "" }, moment.unsigned_abs());
        self.line.clear();
        let _ = write!(self.line, "{} {value} {sign}{}", self.series, moment / 1000);
        if moment % 1000 != 0 {
            let _ = write!(self.line, ".{:03}", moment % 1000);
        }
        self.line.push('\n');
        self.samples += 1;
        self.write_line();
    }

    fn write_line(&mut self) {
        if self.failed.is_none()
            && let Err(error) = self.out.write_all(self.line.as_bytes())
        {
            self.failed = Some(error);
        }
    }

    /// Ends the text; how many samples it has.
    ///
    /// # Errors
    /// What the writer said.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        "# EOF\n".clone_into(&mut self.line);
        self.write_line();
        match self.failed {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.samples),
        }
    }
}

fn push_escaped(text: &mut String, value: &str) {
    let kept = value.chars().filter(|c| *c == '\n' || !c.is_control());
    for c in kept.take(LABEL_MAX) {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Exposition<'_>)) -> String {
        let mut out = Vec::new();
        let mut exposition = Exposition::new(&mut out, 1_600_000_000_250);
        write(&mut exposition);
        exposition.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn families_series_and_samples() {
        let text = text(|exposition| {
            exposition.family("up", FamilyKind::Gauge, "It is.");
            exposition.series(&[("node", "n-1"), ("none", "")]);
            exposition.sample(0, 1);
            exposition.sample(59_750, 0.25);
            exposition.family("done", FamilyKind::Counter, "How often.");
            exposition.series(&[]);
            exposition.sample(750, 3);
        });
        let expected = "# HELP up It is.\n# TYPE up gauge\nup{node=\"n-1\"} 1 1600000000.250\n\
                        up{node=\"n-1\"} 0.25 1600000060\n# HELP done How often.\n\
                        # TYPE done counter\ndone_total 3 1600000001\n# EOF\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn names_of_strangers_stay_values() {
        let escaped = |value: &str| {
            let mut text = String::new();
            push_escaped(&mut text, value);
            text
        };
        assert_eq!(escaped("a\"} 1\nup 2"), "a\\\"} 1\\nup 2");
        assert_eq!(escaped("c:\\n\u{1b}[2J\r\t\0\u{9b}"), "c:\\\\n[2J");
        assert_eq!(escaped(&"ß".repeat(100_000)).chars().count(), LABEL_MAX);
        assert_eq!(escaped("größe 大"), "größe 大");
    }

    #[test]
    fn moments_before_1970_and_writers_that_fail() {
        let mut out = Vec::new();
        let mut exposition = Exposition::new(&mut out, -1_500);
        exposition.family("up", FamilyKind::Gauge, "It is.");
        exposition.series(&[]);
        exposition.sample(0, 1);
        exposition.sample(2_000, 1);
        assert_eq!(exposition.finish().unwrap(), 2);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("up 1 -1.500\nup 1 0.500\n"), "{text}");

        let mut full: &mut [u8] = &mut [0; 4];
        let mut exposition = Exposition::new(&mut full, 0);
        exposition.family("up", FamilyKind::Gauge, "It is.");
        exposition.series(&[]);
        exposition.sample(0, 1);
        assert!(exposition.finish().is_err());
    }
}
