//! A user's own file with some values replaced: everything else in it stays as it is. Shown as a
//! unified diff, which `patch` applies.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::problem::Pos;

/// Lines around a change that are shown.
const CONTEXT: usize = 3;

/// Changes to a text. Places are those of its readers: 1-based, in characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// (line, column) to the width that goes and the text that comes.
    spans: BTreeMap<(u32, u32), (usize, String)>,
    /// Lines that come after a line.
    after: BTreeMap<u32, Vec<String>>,
    /// Lines that go.
    gone: Vec<u32>,
}

impl Patch {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.after.is_empty() && self.gone.is_empty()
    }

    /// Replaces `width` characters from `pos` on.
    pub(super) fn replace(&mut self, pos: Pos, width: usize, text: impl Into<String>) {
        self.spans.insert((pos.line, pos.column), (width, text.into()));
    }

    /// Adds `text` as a line after `line`; 0 is before the first one.
    pub(super) fn insert_after(&mut self, line: u32, text: impl Into<String>) {
        self.after.entry(line).or_default().push(text.into());
    }

    /// Removes `line`.
    pub(super) fn remove(&mut self, line: u32) {
        self.gone.push(line);
    }

    /// The text with the changes made.
    pub fn apply(&self, text: &str) -> String {
        self.edits(text).iter().fold(String::new(), |mut out, edit| {
            edit.new.iter().for_each(|line| out.push_str(line));
            out
        })
    }

    /// The changes to the file `name` as a unified diff; empty where there are none.
    pub fn unified(&self, name: &str, text: &str) -> String {
        let edits = self.edits(text);
        let changed: Vec<usize> =
            (0..edits.len()).filter(|place| edits[*place].is_change()).collect();
        let (Some(first), name) = (changed.first(), one_line(name)) else {
            return String::new();
        };
        let mut out = format!("--- {name}\n+++ {name}\n");
        let (mut from, mut to) = (*first, *first);
        for place in &changed[1..] {
            if *place - to > 2 * CONTEXT {
                hunk(&edits, from, to, &mut out);
                from = *place;
            }
            to = *place;
        }
        hunk(&edits, from, to, &mut out);
        out
    }

    /// Every line, with what becomes of it.
    fn edits<'t>(&self, text: &'t str) -> Vec<Edit<'t>> {
        let mut edits: Vec<Edit<'t>> = Vec::new();
        let ends_with = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let added = |line: u32| {
            let lines = self.after.get(&line).into_iter().flatten();
            lines.map(move |line| format!("{line}{ends_with}"))
        };
        for (old, number) in text.split_inclusive('\n').zip(1u32..) {
            let mut new = Vec::new();
            if number == 1 {
                new.extend(added(0));
            }
            if !self.gone.contains(&number) {
                new.extend(self.line(old, number).split_inclusive('\n').map(str::to_owned));
            }
            let mut more = added(number).peekable();
            if more.peek().is_some()
                && let Some(last) = new.last_mut()
                && !last.ends_with('\n')
            {
                last.push_str(ends_with);
            }
            new.extend(more);
            edits.push(Edit { old, new });
        }
        if edits.is_empty() {
            edits.push(Edit { old: "", new: added(0).collect() });
        }
        edits
    }

    /// A line with its spans replaced.
    fn line(&self, old: &str, number: u32) -> String {
        let spans: Vec<_> = self.spans.range((number, 0)..=(number, u32::MAX)).collect();
        let mut chars: Vec<char> = old.chars().collect();
        for ((_, column), (width, text)) in spans.into_iter().rev() {
            let from = (*column as usize).saturating_sub(1).min(chars.len());
            let to = from.saturating_add(*width).min(chars.len());
            chars.splice(from..to, text.chars());
        }
        chars.into_iter().collect()
    }
}

/// A line and what becomes of it, each with its end.
struct Edit<'t> {
    old: &'t str,
    new: Vec<String>,
}

impl Edit<'_> {
    fn is_change(&self) -> bool {
        self.new.len() != 1 || self.new[0] != self.old
    }
}

/// A file's name in a diff ends no line.
fn one_line(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The changes from `from` to `to`, with lines around them.
fn hunk(edits: &[Edit<'_>], from: usize, to: usize, out: &mut String) {
    let shown = from.saturating_sub(CONTEXT)..(to + 1 + CONTEXT).min(edits.len());
    let before: usize = edits[..shown.start].iter().map(|edit| edit.new.len()).sum();
    let (mut body, mut old_lines, mut new_lines) = (String::new(), 0, 0);
    let mut say = |sign: char, line: &str| {
        body.push(sign);
        body.push_str(line);
        if !line.ends_with('\n') {
            body.push_str("\n\\ No newline at end of file\n");
        }
    };
    // What comes in the place of several lines stands below all of them.
    let mut coming: Vec<&String> = Vec::new();
    for edit in &edits[shown.clone()] {
        old_lines += usize::from(!edit.old.is_empty());
        new_lines += edit.new.len();
        // What stays between lines that come is not taken away and put back.
        match edit.new.iter().position(|line| line == edit.old) {
            Some(place) => {
                coming.drain(..).chain(&edit.new[..place]).for_each(|line| say('+', line));
                say(' ', edit.old);
                coming.extend(&edit.new[place + 1..]);
            }
            None => {
                if !edit.old.is_empty() {
                    say('-', edit.old);
                }
                coming.extend(&edit.new);
            }
        }
    }
    coming.drain(..).for_each(|line| say('+', line));
    let start = |lines: usize, first: usize| if lines == 0 { first } else { first + 1 };
    // A `String` takes everything.
    let _ = writeln!(
        out,
        "@@ -{},{old_lines} +{},{new_lines} @@",
        start(old_lines, shown.start),
        start(new_lines, before),
    );
    out.push_str(&body);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, patch: &Patch, new: &str, diff: &str) {
        assert_eq!(patch.apply(text), new);
        assert_eq!(patch.unified("a.conf", text), diff);
    }

    #[test]
    fn values_change_and_lines_come_and_go() {
        let text = "1\n2\n3\n4\n5 = a # é\n6\n7\n8\n9\n10\n11\n12\n13\n14";
        let mut patch = Patch::default();
        assert!(patch.is_empty());
        check(text, &patch, text, "");
        patch.replace(Pos::new(5, 5, 1), 1, "bcd");
        patch.insert_after(14, "15");
        patch.remove(13);
        let new = "1\n2\n3\n4\n5 = bcd # é\n6\n7\n8\n9\n10\n11\n12\n14\n15\n";
        let diff = "--- a.conf\n+++ a.conf\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5 = a # é\n\
                    +5 = bcd # é\n 6\n 7\n 8\n@@ -10,5 +10,5 @@\n 10\n 11\n 12\n-13\n-14\n\
                    \\ No newline at end of file\n+14\n+15\n";
        check(text, &patch, new, diff);
    }

    #[test]
    fn lines_come_into_an_empty_file_and_before_the_first_line() {
        let mut patch = Patch::default();
        patch.insert_after(0, "a 1");
        check("", &patch, "a 1\n", "--- a.conf\n+++ a.conf\n@@ -0,0 +1,1 @@\n+a 1\n");
        let diff = "--- a.conf\n+++ a.conf\n@@ -1,1 +1,2 @@\n+a 1\n b\n";
        check("b\n", &patch, "a 1\nb\n", diff);
    }

    #[test]
    fn line_ends_stay() {
        let mut patch = Patch::default();
        patch.replace(Pos::new(1, 3, 1), 1, "2");
        patch.insert_after(2, "c 3");
        assert_eq!(patch.apply("a 1\r\nb 2\r\n"), "a 2\r\nb 2\r\nc 3\r\n");
    }
}
