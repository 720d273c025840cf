//! Scalars of a user's own YAML file with other values, by their places, and scalars that are
//! missing. What several aliases share, and what is written over several lines, stays as it is and
//! is said.

use std::collections::BTreeMap;

use sim::{Finding, Severity};

use super::patch::Patch;
use super::yaml_text;
use crate::problem::Pos;
use crate::yaml::{Key, Node, Value, resolve_plain};

/// A file that is being changed.
pub(super) struct Patching<'a> {
    file: &'a str,
    lines: Vec<Vec<char>>,
    /// How many values stand at a place: more than one where an alias copies it.
    shared: BTreeMap<(u32, u32), u32>,
    pub(super) patch: Patch,
    notes: Vec<Finding>,
    /// Nothing can be changed: places would be wrong.
    refused: bool,
}

impl<'a> Patching<'a> {
    /// The text of `file`, of which `documents` were read.
    pub(super) fn new(file: &'a str, text: &str, documents: &[Node]) -> Self {
        let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut patching = Self {
            file,
            lines: bare.split('\n').map(|line| line.chars().collect()).collect(),
            shared: BTreeMap::new(),
            patch: Patch::default(),
            notes: Vec::new(),
            refused: bare.len() != text.len(),
        };
        if patching.refused {
            patching.note(1, "a byte order mark: remove it first".to_owned());
        }
        documents.iter().for_each(|document| patching.count(document));
        patching
    }

    /// Whether anything can be changed.
    pub(super) fn may_change(&self) -> bool {
        !self.refused
    }

    /// The changes, and what could not be changed.
    pub(super) fn finish(self) -> (Patch, Vec<Finding>) {
        (self.patch, self.notes)
    }

    /// The line, as far as there is one.
    pub(super) fn line(&self, line: u32) -> String {
        let chars = self.lines.get((line as usize).saturating_sub(1));
        chars.map(|chars| chars.iter().collect()).unwrap_or_default()
    }

    pub(super) fn note(&mut self, line: u32, message: String) {
        let message = format!("{message}; it cannot be changed in place");
        let finding = Finding::new(Severity::Warning, "not-patched", self.file, message);
        self.notes.push(if line == 0 { finding } else { finding.at_line(u64::from(line)) });
    }

    fn count(&mut self, node: &Node) {
        match &node.value {
            Value::Seq(items) => items.iter().for_each(|item| self.count(item)),
            Value::Map(entries) => entries.iter().for_each(|(_, node)| self.count(node)),
            _ => *self.shared.entry((node.pos.line, node.pos.column)).or_default() += 1,
        }
    }

    /// Sets `key` of a map, whether or not it is there.
    pub(super) fn scalar(&mut self, map: &Node, key: &str, text: &str) {
        if let Some(value) = map.get(key) {
            self.value(value, text);
            return;
        }
        let Some((first, value)) = map.entries().next() else {
            self.note(map.pos.line, format!("`{key}: {text}` is missing"));
            return;
        };
        let line = self.lines.get(first.pos.line as usize - 1);
        let column = first.pos.column as usize - 1;
        let before: String =
            line.map(|line| line.iter().take(column).collect()).unwrap_or_default();
        let key_is_here = line.is_some_and(|line| {
            let name: String = line.iter().skip(column).take(first.name.chars().count()).collect();
            name == first.name
        });
        if !key_is_here || !before.chars().all(|c| matches!(c, ' ' | '-')) || before.contains("--")
        {
            if key_is_here && before.trim_end().ends_with('{') {
                // A flow map: before its first entry.
                self.patch.replace(first.pos, 0, format!("{key}: {text}, "));
                return;
            }
            self.note(map.pos.line, format!("`{key}: {text}` is missing"));
            return;
        }
        if matches!(value.value, Value::Seq(_) | Value::Map(_)) || value.pos.line != first.pos.line
        {
            // Before its first entry, which has the place of the dash.
            self.patch.replace(first.pos, 0, format!("{key}: {text}\n{}", " ".repeat(column)));
            return;
        }
        self.patch.insert_after(first.pos.line, format!("{}{key}: {text}", " ".repeat(column)));
    }

    /// Puts `text` in the place of a scalar.
    pub(super) fn value(&mut self, node: &Node, text: &str) {
        if self.is_plain(node) {
            self.patch.replace(node.pos, usize::from(node.pos.width), text);
        } else {
            let message =
                format!("the value here becomes {text}: it is shared, or no plain scalar");
            self.note(node.pos.line, message);
        }
    }

    /// Whether what stands at the node's place is the node and nothing else's.
    pub(super) fn is_plain(&self, node: &Node) -> bool {
        let Pos { line, column, width, .. } = node.pos;
        let once = self.shared.get(&(line, column)) == Some(&1);
        let Some(chars) = self.lines.get((line as usize).saturating_sub(1)) else {
            return false;
        };
        let from = (column as usize).saturating_sub(1);
        let text: String = chars.iter().skip(from).take(usize::from(width)).collect();
        let quotes: &[char] = &['"', '\''];
        let inner = text.strip_prefix(quotes).and_then(|text| text.strip_suffix(quotes));
        let same = match inner {
            Some(inner) => node.value == Value::String(inner.to_owned()),
            None => node.value == resolve_plain(&text),
        };
        once && same && !matches!(node.value, Value::Null)
    }
}

pub(super) fn entry<'n>(node: &'n Node, name: &str) -> Option<(&'n Key, &'n Node)> {
    node.entries().find(|(key, _)| key.name == name)
}

/// A text as a scalar of YAML that stands in any place.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    let written = yaml_text(&[serde_json::Value::String(text.to_owned())]);
    let written = written.trim_end();
    if text.chars().all(plain) && written == text {
        text.to_owned()
    } else {
        // JSON is YAML.
        serde_json::Value::String(text.to_owned()).to_string()
    }
}
