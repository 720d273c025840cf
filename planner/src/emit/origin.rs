//! What a file came from, above it: scenario, a hash of its resolved form, traces, and our version.
//! No clock: the same scenario has the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use scenarios::Loaded;

use super::names;
use crate::fnv::Fnv1a;

/// How every header begins, and how the tag of a file without one.
const MARK: &str = "# Written by seatrial ";
const TAG: &str = "\"seatrial.version\"";

/// How much of a file is looked at to see whose it is.
const HEAD_BYTES: u64 = 1 << 20;

/// Longer names are cut in a header.
const SHOWN_CHARS: usize = 300;

/// Longest line of a header.
const COLUMNS: usize = 100;

/// What the files came from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    scenario: String,
    hash: String,
    traces: Vec<String>,
    /// What is in them, and when that was.
    window: Option<String>,
    /// What the settings are expected to do.
    expected: Option<String>,
}

impl Origin {
    pub(super) fn of(loaded: &Loaded, window: Option<&str>) -> Self {
        let traces = super::scenario_file::traces(&loaded.resolved);
        let own = super::hash_of(loaded);
        let expected = loaded.expected.as_ref().filter(|expected| expected.of == own);
        Self {
            window: window.map(shown),
            expected: expected.map(|expected| shown(&expected.effect)),
            scenario: shown(&loaded.scenario.name),
            hash: format!("{:016x}", Fnv1a::of(loaded.resolved.as_bytes())),
            traces: traces.iter().map(|name| shown(name)).collect(),
        }
    }

    /// Comment lines for a file that is `what`.
    pub(super) fn header(&self, what: &str, notes: &[&str]) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let mut out = format!("{MARK}{version}: {what}.\n");
        // A `String` takes everything.
        let _ = writeln!(out, "# Scenario {}, resolved form fnv1a:{}.", self.scenario, self.hash);
        let traces = match self.traces.is_empty() {
            true => "none".to_owned(),
            false => self.traces.join(", "),
        };
        match &self.window {
            Some(window) => wrap(&format!("Traces: {traces} ({window})."), &mut out),
            None => wrap(&format!("Traces: {traces}."), &mut out),
        }
        if let Some(expected) = &self.expected {
            wrap(&format!("Expected: {expected}."), &mut out);
        }
        for note in notes {
            wrap(note, &mut out);
        }
        out
    }

    /// The same as tags of a resource of AWS, whose values have 256 characters of a few kinds.
    pub(super) fn tags(&self) -> BTreeMap<&'static str, String> {
        let plain = |c: char| match c {
            c if c.is_alphanumeric() || " _.:/=+-@".contains(c) => c,
            _ => '-',
        };
        let cut = |text: &str| text.chars().map(plain).take(256).collect::<String>();
        let mut tags = BTreeMap::from([
            ("seatrial.version", env!("CARGO_PKG_VERSION").to_owned()),
            ("seatrial.scenario", cut(&self.scenario)),
            ("seatrial.resolved", format!("fnv1a:{}", self.hash)),
            ("seatrial.traces", cut(&self.traces.join(" "))),
        ]);
        tags.extend(self.window.as_ref().map(|window| ("seatrial.window", cut(window))));
        tags.extend(self.expected.as_ref().map(|effect| ("seatrial.expected", cut(effect))));
        tags
    }
}

/// `note` as comment lines.
fn wrap(note: &str, out: &mut String) {
    let mut width = COLUMNS;
    for word in note.split_whitespace() {
        width += 1 + word.len();
        if width > COLUMNS {
            if out.ends_with(|c| c != '\n') {
                out.push('\n');
            }
            out.push('#');
            width = 2 + word.len();
        }
        out.push(' ');
        out.push_str(word);
    }
    out.push('\n');
}

/// A foreign name in a comment: it ends no line, in YAML's eyes (1.1 has more line breaks) or a
/// terminal's, and is not endless.
fn shown(name: &str) -> String {
    let plain = |c: char| match c {
        '\u{2028}' | '\u{2029}' | '\u{feff}' => '\u{fffd}',
        // Neither YAML nor a terminal takes these for text.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    name.chars().take(SHOWN_CHARS).map(plain).collect()
}

/// `name` as Kubernetes and eksctl take names: lower-case letters, digits and `-`, at most 40, a
/// letter first.
pub(super) fn dns_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = name.chars().map(plain).collect();
    let begins = |c: char| c.is_ascii_alphabetic();
    let text = text.trim_start_matches(|c| !begins(c));
    let text: String = text.chars().take(40).collect();
    let text = text.trim_end_matches('-');
    if text.is_empty() { "scenario".to_owned() } else { text.to_owned() }
}

/// Whether `folder` holds nothing but files that were written here.
pub fn is_ours(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries.into_iter().all(|entry| {
        entry.is_ok_and(|entry| {
            let name = entry.file_name();
            names::ALL.iter().any(|known| name == *known) && begins_like_ours(&entry.path())
        })
    })
}

fn begins_like_ours(path: &Path) -> bool {
    use std::io::Read;
    let mut head = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(HEAD_BYTES).read_to_string(&mut head))
        .is_ok();
    let json = path.extension().is_some_and(|ending| ending == "json");
    read && if json { head.contains(TAG) } else { head.starts_with(MARK) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_kubernetes() {
        assert_eq!(dns_name("spot-drought"), "spot-drought");
        assert_eq!(dns_name("Small Platform!"), "small-platform");
        assert_eq!(dns_name("9 lives"), "lives");
        assert_eq!(dns_name("\u{1b}[2J"), "j");
        assert_eq!(dns_name("äö"), "scenario");
        assert_eq!(dns_name(&"x".repeat(99)).len(), 40);
    }

    #[test]
    fn a_foreign_name_stays_in_its_comment() {
        let hostile = "a\nkind: Pod\r\u{85}b\u{2028}c\u{1b}[2J\u{202e}";
        let origin = Origin {
            scenario: shown(hostile),
            hash: "0".to_owned(),
            traces: vec![shown(hostile)],
            window: Some(shown(hostile)),
            expected: Some(shown(hostile)),
        };
        let header = origin.header("a file", &["A note."]);
        assert_eq!(header.lines().count(), 5, "{header}");
        assert!(header.lines().all(|line| line.starts_with("# ")), "{header}");
        assert!(!header.contains(['\u{85}', '\u{2028}', '\u{1b}', '\r', '\u{202e}']));
    }
}
