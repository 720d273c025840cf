//! What became of every line of a log.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::codec::Codec;

/// How a log is laid out on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// One file.
    File,
    /// Spark's rolling folder, `eventlog_v2_*`.
    Rolling,
    /// Databricks' rolled files: `eventlog-2024-05-01--10-00.gz` ... and `eventlog`.
    Databricks,
}

impl Layout {
    /// The name used in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Rolling => "rolling",
            Self::Databricks => "databricks",
        }
    }
}

/// Whether a log could be read.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Status {
    /// From its first line to its last.
    #[default]
    Read,
    /// With lines missing, broken or cut off.
    Partial,
    /// Not at all, for this reason.
    Refused(String),
}

/// One log's account: `lines == events_used + events_ignored + events_unknown + malformed + blank`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct EventLogReport {
    /// The file, or the folder of a rolled log.
    pub path: PathBuf,
    /// Of its first file; `None` if nothing could be read.
    pub codec: Option<Codec>,
    /// File or folder.
    pub layout: Option<Layout>,
    /// Files it consists of.
    pub files: u64,
    /// Bytes on disk that were read.
    pub bytes: u64,
    /// Bytes of lines, unpacked.
    pub bytes_unpacked: u64,
    /// All lines; a last one without a line end counts.
    pub lines: u64,
    /// Events by name. At most [`EventLogReport::KINDS_MAX`] names, the rest as `(other)`.
    pub events_by_kind: BTreeMap<String, u64>,
    /// Events that something was taken from.
    pub events_used: u64,
    /// Spark's events that are not needed, by name. They are only looked at from outside: such a
    /// line counts as malformed if it is cut off, not if it is broken within.
    pub events_ignored: BTreeMap<String, u64>,
    /// Events that Spark does not have.
    pub events_unknown: u64,
    /// Lines that are no events, or cannot be read.
    pub malformed: u64,
    /// The first of these (1-based, counted through all files of the log).
    pub malformed_lines: Vec<u64>,
    /// Lines with nothing in them.
    pub blank: u64,
    /// The log is cut off: in a line, or in the middle of a compressed block.
    pub truncated: bool,
    /// Applications found.
    pub applications: u64,
    /// How it went.
    pub status: Status,
}

impl EventLogReport {
    /// Names kept in `events_by_kind`.
    pub const KINDS_MAX: usize = 500;
    /// Line numbers kept in `malformed_lines`.
    pub const MALFORMED_LINES_MAX: usize = 10;

    /// Events that are known and not needed.
    pub fn ignored(&self) -> u64 {
        self.events_ignored.values().sum()
    }

    /// Whether every line is accounted for.
    pub fn adds_up(&self) -> bool {
        let seen = self.events_used + self.ignored() + self.events_unknown;
        let by_kind: u64 = self.events_by_kind.values().sum();
        self.lines == seen + self.malformed + self.blank && by_kind == seen
    }

    /// Counts one event of that name.
    pub(super) fn count_kind(&mut self, name: &str) {
        count(&mut self.events_by_kind, name);
    }

    /// Counts one event of that name that is not needed.
    pub(super) fn count_ignored(&mut self, name: &str) {
        count(&mut self.events_ignored, name);
    }

    /// Counts one line that is no event.
    pub(super) fn count_malformed(&mut self) {
        self.malformed += 1;
        if self.malformed_lines.len() < Self::MALFORMED_LINES_MAX {
            self.malformed_lines.push(self.lines);
        }
    }
}

/// Counts `name`, but never keeps more than a capped number of different names.
fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(count) = counts.get_mut(name) {
        *count += 1;
        return;
    }
    let full = counts.len() >= EventLogReport::KINDS_MAX;
    let name = if full { "(other)" } else { name };
    *counts.entry(name.chars().take(200).collect()).or_default() += 1;
}
