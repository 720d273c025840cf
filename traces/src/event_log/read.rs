//! Reads one log from its first line to its last, keeping account of each.

use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::rc::Rc;

use sim::{Finding, Severity};

use super::codec::{self, Opened};
use super::collect::{Collected, Collector};
use super::expand::LogFiles;
use super::kind::{Kind, event_name};
use super::lines::{Counted, LINE_MAX, Line, LineReader};
use super::report::{EventLogReport, Status};

/// A file without any event among so many lines or bytes is no event log.
const LINES_TO_FIRST_EVENT: u64 = 1000;
const BYTES_TO_FIRST_EVENT: u64 = 64 << 20;
/// Progress is told about every so many bytes of the file.
const PROGRESS_STEP: u64 = 1 << 20;
/// Unknown event names that a finding spells out.
const NAMES_IN_FINDING: usize = 5;

/// What one log gave.
pub(super) struct ReadLog {
    pub(super) applications: Vec<Collected>,
    pub(super) report: EventLogReport,
    pub(super) findings: Vec<Finding>,
}

/// Reads `log`; `progress` is told how many more bytes of files were read.
pub(super) fn read(log: &LogFiles, progress: &dyn Fn(u64)) -> ReadLog {
    let mut reader = Reader {
        log,
        progress,
        told: 0,
        packed: Rc::default(),
        collector: Collector::new(log.path.clone()),
        report: EventLogReport {
            path: log.path.clone(),
            layout: Some(log.layout),
            files: log.files.len() as u64,
            ..EventLogReport::default()
        },
        findings: Vec::new(),
        unknown: Vec::new(),
    };
    let mut refusal = None;
    for file in &log.files {
        match reader.read_file(file) {
            Ok(()) => {}
            Err(Stop::File(reason)) => {
                refusal.get_or_insert(reason);
            }
            Err(Stop::Log(reason)) => {
                refusal.get_or_insert(reason);
                break;
            }
        }
    }
    reader.tell_progress(0);
    reader.finish(refusal)
}

/// What a refused file is by its ending, where seatrial would read that elsewhere.
fn hint(path: &Path) -> &'static str {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let is = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if is(&[".csv", ".csv.gz", ".parquet"]) {
        "; a table is read where it is named itself, as a job table or a pod trace"
    } else if is(&[".swf", ".swf.gz"]) {
        "; an SWF log is read where it is named itself"
    } else {
        ""
    }
}

/// Why reading went no further.
enum Stop {
    /// This file has nothing; the log's other files may.
    File(String),
    /// The whole log is none.
    Log(String),
}

struct Reader<'a> {
    log: &'a LogFiles,
    progress: &'a dyn Fn(u64),
    /// Bytes that progress was told about.
    told: u64,
    packed: Rc<Cell<u64>>,
    collector: Collector,
    report: EventLogReport,
    findings: Vec<Finding>,
    /// First unknown event names.
    unknown: Vec<String>,
}

impl Reader<'_> {
    fn read_file(&mut self, path: &Path) -> Result<(), Stop> {
        let before = self.packed.get();
        let opened = open(path, &self.packed).map_err(|error| Stop::File(error.to_string()))?;
        let source = match opened {
            Opened::Empty => return Err(Stop::File("it is empty".to_owned())),
            Opened::Refused(what) => return Err(Stop::File(format!("it is {what}"))),
            Opened::Lines(codec, source) => {
                self.report.codec.get_or_insert(codec);
                source
            }
        };
        let mut lines = LineReader::new(source, Rc::clone(&self.packed), before);
        let unpacked_before = self.report.bytes_unpacked;
        loop {
            let events = self.events();
            let max = if events == 0 { BYTES_TO_FIRST_EVENT as usize } else { LINE_MAX };
            let Some(line) = lines.next(max) else { break };
            self.on_line(&line, path);
            self.report.bytes_unpacked = unpacked_before + lines.unpacked();
            self.tell_progress(PROGRESS_STEP);
            let much = self.report.lines >= LINES_TO_FIRST_EVENT
                || self.report.bytes_unpacked >= BYTES_TO_FIRST_EVENT;
            if much && self.events() == 0 {
                return Err(Stop::Log(self.no_events()));
            }
        }
        Ok(())
    }

    fn events(&self) -> u64 {
        self.report.lines - self.report.malformed - self.report.blank
    }

    fn no_events(&self) -> String {
        let lines = self.report.lines;
        format!("it is no event log: its first {lines} lines hold no Spark event")
    }

    fn on_line(&mut self, line: &Line<'_>, path: &Path) {
        let whole = line.error.is_none();
        if line.bytes.is_empty() && !line.overlong && !whole {
            return self.on_broken(line, path);
        }
        self.report.lines += 1;
        let mut bytes = line.bytes;
        if self.report.lines == 1 {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        }
        if bytes.trim_ascii().is_empty() && !line.overlong {
            self.report.blank += 1;
        } else if line.overlong || !self.take_event(bytes) {
            self.report.count_malformed();
            self.report.truncated |= !line.terminated;
        }
        self.on_broken(line, path);
    }

    /// Counts and uses the event in `line`; `false` if there is none.
    fn take_event(&mut self, line: &[u8]) -> bool {
        let Some(name) = event_name(line) else {
            return false;
        };
        match Kind::of(&name) {
            // Not parsed; but a line that does not end as an object does is cut off.
            Kind::Ignored | Kind::Unknown if !line.trim_ascii_end().ends_with(b"}") => {
                return false;
            }
            Kind::Ignored => self.report.count_ignored(&name),
            Kind::Unknown => {
                self.report.events_unknown += 1;
                let news = !self.unknown.iter().any(|known| **known == *name);
                if self.unknown.len() < NAMES_IN_FINDING && news {
                    self.unknown.push(name.chars().take(200).collect());
                }
            }
            kind => {
                if self.collector.take(kind, line).is_err() {
                    return false;
                }
                self.report.events_used += 1;
            }
        }
        self.report.count_kind(&name);
        true
    }

    fn on_broken(&mut self, line: &Line<'_>, path: &Path) {
        let Some(error) = &line.error else { return };
        let cut = error.kind() == io::ErrorKind::UnexpectedEof;
        self.report.truncated = true;
        let (code, what) = if cut {
            ("cut-stream", "the compressed data stops in the middle".to_owned())
        } else {
            ("corrupt-stream", format!("unpacking failed: {error}"))
        };
        let message = format!("{what}; what came before was read");
        let subject = path.display().to_string();
        let finding = Finding::new(Severity::Warning, code, subject, message);
        self.findings.push(finding.at_line(self.report.lines.max(1)));
    }

    fn tell_progress(&mut self, step: u64) {
        let news = self.packed.get() - self.told;
        if news > step {
            (self.progress)(news);
            self.told += news;
        }
    }

    fn finish(mut self, refusal: Option<String>) -> ReadLog {
        self.report.bytes = self.packed.get();
        let events = self.events();
        let applications = self.collector.finish();
        self.report.applications = applications.len() as u64;
        let reason = match (&refusal, events, applications.is_empty()) {
            (_, _, false) => None,
            (Some(reason), 0, _) => Some(reason.clone()),
            (None, 0, _) if self.log.files.is_empty() => {
                Some("the folder of a rolled log without an events_N file".to_owned())
            }
            (None, 0, _) => {
                let lines = self.report.lines;
                Some(format!("it is no event log: none of its {lines} lines is a Spark event"))
            }
            (_, events, _) => {
                Some(format!("its {events} events hold no application start and no work"))
            }
        };
        let reason = reason.map(|reason| reason + hint(&self.log.path));
        let mut said = said(self.log, &self.report, &self.unknown, refusal);
        let partial = self.report.truncated
            || self.report.malformed > 0
            || !self.log.missing.is_empty()
            || said.iter().any(|finding| finding.code == "file-of-log-unreadable")
            || applications.iter().any(|collected| collected.notes.no_start);
        self.report.status = match reason {
            Some(reason) => {
                let subject = self.log.path.display().to_string();
                said = vec![Finding::new(
                    Severity::Error,
                    "no-event-log",
                    subject,
                    format!("refused: {reason}"),
                )];
                Status::Refused(reason)
            }
            None if partial => Status::Partial,
            None => Status::Read,
        };
        self.findings.extend(said);
        ReadLog { applications, report: self.report, findings: self.findings }
    }
}

/// What there is to say about the log as a whole.
fn said(
    log: &LogFiles,
    report: &EventLogReport,
    unknown: &[String],
    unreadable: Option<String>,
) -> Vec<Finding> {
    let mut said = Vec::new();
    let mut add = |code: &str, count: usize, line: Option<&u64>, message: String| {
        let subject = log.path.display().to_string();
        let finding = Finding::new(Severity::Warning, code, subject, message);
        let mut finding = finding.times(count as u64);
        finding.line = line.copied();
        said.push(finding);
    };
    if report.malformed > 0 {
        let lines: Vec<String> = report.malformed_lines.iter().map(u64::to_string).collect();
        let more = if report.malformed as usize > lines.len() { " ..." } else { "" };
        let message = format!("lines that are no events: {}{more}", lines.join(", "));
        let first = report.malformed_lines.first();
        add("malformed-lines", report.malformed as usize, first, message);
    }
    if report.truncated {
        let message = "the log is cut off: its last event is not whole".to_owned();
        add("truncated-log", 1, Some(&report.lines), message);
    }
    if report.events_unknown > 0 {
        let message = format!("events that Spark does not have: {}", unknown.join(", "));
        add("unknown-events", report.events_unknown as usize, None, message);
    }
    if !log.missing.is_empty() {
        let numbers: Vec<String> = log.missing.iter().map(u64::to_string).collect();
        let message = format!("no events_N file for N = {}", numbers.join(", "));
        add("missing-rolled-file", log.missing.len(), None, message);
    }
    if let Some(reason) = unreadable {
        let message = format!("a file of the log could not be read: {reason}");
        add("file-of-log-unreadable", 1, None, message);
    }
    if log.superseded > 0 {
        let message = "files of the log are not read: a compacted one or a copy stands for them";
        let subject = log.path.display().to_string();
        let finding = Finding::new(Severity::Info, "superseded-files", subject, message);
        said.push(finding.times(log.superseded));
    }
    said
}

fn open(path: &Path, packed: &Rc<Cell<u64>>) -> io::Result<Opened> {
    // Opening a pipe or a device could wait for ever.
    if !fs::metadata(path)?.is_file() {
        return Ok(Opened::Refused("no regular file"));
    }
    codec::open(Counted::new(File::open(path)?, Rc::clone(packed)))
}
