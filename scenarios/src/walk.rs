//! Typed reading of a tree: asks for what should be there, and collects every problem on the way.
//!
//! A [`Walker`] is strict (a key nobody knows is a problem, with the nearest known key: our own
//! files) or tolerant (it is noted by name as read but not modelled: native files of other tools,
//! which hold more than the model follows). Wrong types and values out of range are problems in
//! both. A reader that returns `None` has reported why, or found nothing there.

mod scalars;

use std::cell::RefCell;
use std::collections::BTreeMap;

use sim::{Finding, Severity};

use crate::problem::{Pos, Problem, Source, suggestion};
use crate::yaml::{Key, Node, Value};

/// Above this many problems no more are kept: the file is something else.
const PROBLEMS_MAX: usize = 200;

/// Collects what is wrong in one or several sources.
#[derive(Debug)]
pub struct Walker<'a> {
    sources: &'a [Source],
    tolerant: bool,
    problems: RefCell<Vec<Problem>>,
    unknown: RefCell<Vec<(String, Pos)>>,
}

/// A node and its path; what readers are asked on.
#[derive(Debug, Clone)]
pub struct At<'a> {
    /// Where problems go.
    pub walker: &'a Walker<'a>,
    /// The node.
    pub node: &'a Node,
    /// Its path, such as `spec.nodes.pools[0]`.
    pub path: String,
}

/// A map whose keys were checked.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    /// The map itself.
    pub at: At<'a>,
}

impl<'a> Walker<'a> {
    /// Unknown keys are problems. Positions' `source` is an index into `sources`.
    pub fn strict(sources: &'a [Source]) -> Self {
        Self { sources, tolerant: false, problems: RefCell::default(), unknown: RefCell::default() }
    }

    /// Unknown keys are noted by name.
    pub fn tolerant(sources: &'a [Source]) -> Self {
        Self { tolerant: true, ..Self::strict(sources) }
    }

    /// Starts at `node`, whose path is `path` (empty for a document).
    pub fn at(&'a self, node: &'a Node, path: impl Into<String>) -> At<'a> {
        At { walker: self, node, path: path.into() }
    }

    /// Adds a problem that was found elsewhere.
    pub fn report(&self, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < PROBLEMS_MAX && !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Adds a problem at `pos` of the setting `path`.
    pub fn problem(&self, pos: Pos, path: &str, message: impl Into<String>, help: Option<String>) {
        if self.is_full() {
            return;
        }
        let nowhere = Source::default();
        let source = self.sources.get(usize::from(pos.source)).unwrap_or(&nowhere);
        let mut problem = Problem::new(source, pos, message).with_path(path);
        problem.help = help;
        self.report(problem);
    }

    /// Every source.
    pub fn sources(&self) -> &'a [Source] {
        self.sources
    }

    /// The source that `pos` is in.
    pub fn source_of(&self, pos: Pos) -> Option<&'a Source> {
        self.sources.get(usize::from(pos.source))
    }

    /// Notes that the setting `path` was read and is not followed by the model.
    pub fn not_modelled(&self, pos: Pos, path: impl Into<String>) {
        self.unknown.borrow_mut().push((path.into(), pos));
    }

    /// Whether nothing is wrong so far.
    pub fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// Whether so much is wrong that further problems are not kept. Loops over what a file may
    /// hold by the thousand stop then: looking for near names takes time.
    pub fn is_full(&self) -> bool {
        self.problems.borrow().len() >= PROBLEMS_MAX
    }

    /// Everything that is wrong, in the order in which it was found, and what was read but is not
    /// modelled: one finding (code `not-modelled`) a name, with its count.
    pub fn finish(self) -> (Vec<Problem>, Vec<Finding>) {
        let mut counts: BTreeMap<(u16, String), (Pos, u64)> = BTreeMap::new();
        for (path, pos) in self.unknown.into_inner() {
            let name = without_indices(&path);
            counts.entry((pos.source, name)).or_insert((pos, 0)).1 += 1;
        }
        let mut findings: Vec<(Pos, Finding)> = counts
            .into_iter()
            .map(|((source, name), (pos, count))| {
                let file = self.sources.get(usize::from(source)).map_or("", |s| s.name.as_str());
                let message = format!("`{name}` was read and is not modelled");
                let finding = Finding::new(Severity::Info, "not-modelled", file, message);
                (pos, finding.at_line(u64::from(pos.line)).times(count))
            })
            .collect();
        findings.sort_by_key(|(pos, _)| *pos);
        let findings = findings.into_iter().map(|(_, finding)| finding).collect();
        (self.problems.into_inner(), findings)
    }
}

/// `pools[3].labels` as `pools[].labels`: what several items share is one name.
fn without_indices(path: &str) -> String {
    let mut name = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        if c == ']' {
            inside = false;
        }
        if !inside {
            name.push(c);
        }
        if c == '[' {
            inside = true;
        }
    }
    name
}

/// `path.key`, or `path["key"]` where the key has a dot of its own.
fn join(path: &str, key: &str) -> String {
    if key.contains(['.', '[', ' ']) || key.is_empty() {
        format!("{path}[\"{key}\"]")
    } else if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

impl<'a> At<'a> {
    /// Reports a problem with this value.
    pub fn problem(&self, message: impl Into<String>) {
        self.walker.problem(self.node.pos, &self.path, message, None);
    }

    /// Reports a problem with this value, with a hint.
    pub fn problem_with_help(&self, message: impl Into<String>, help: impl Into<String>) {
        self.walker.problem(self.node.pos, &self.path, message, Some(help.into()));
    }

    /// Reports that this is not what was `expected` (`a list`).
    pub fn wrong_type(&self, expected: &str) {
        let found = match &self.node.value {
            Value::Bool(value) => format!("`{value}`"),
            Value::Number(text) | Value::String(text) => format!("`{}`", shorten(text)),
            other => other.kind().to_owned(),
        };
        let name = self.path.rsplit('.').next().unwrap_or_default();
        let of = if name.is_empty() { String::new() } else { format!("`{name}`: ") };
        self.problem(format!("{of}expected {expected}, found {found}"));
    }

    /// Notes that this setting was read and is not followed by the model.
    pub fn not_modelled(&self) {
        self.walker.not_modelled(self.node.pos, self.path.clone());
    }

    /// A map with `known` keys. Others are reported or noted, depending on the walker.
    pub fn fields(&self, known: &[&str]) -> Option<Fields<'a>> {
        let Value::Map(entries) = &self.node.value else {
            self.wrong_type("a map");
            return None;
        };
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.name.as_str())) {
            if self.walker.is_full() {
                break;
            }
            let path = join(&self.path, &key.name);
            if self.walker.tolerant {
                self.walker.not_modelled(key.pos, path);
            } else {
                let message = format!("unknown key `{}`", shorten(&key.name));
                self.walker.problem(key.pos, &path, message, suggestion(&key.name, known));
            }
        }
        Some(Fields { at: self.clone() })
    }

    /// The entries of a map with any keys, in the order of the file.
    pub fn entries(&self) -> Option<Vec<(&'a Key, At<'a>)>> {
        let Value::Map(entries) = &self.node.value else {
            self.wrong_type("a map");
            return None;
        };
        let entry = |(key, node): &'a (Key, Node)| {
            (key, At { walker: self.walker, node, path: join(&self.path, &key.name) })
        };
        Some(entries.iter().map(entry).collect())
    }

    /// The items of a list.
    pub fn list(&self) -> Option<Vec<At<'a>>> {
        let Value::Seq(items) = &self.node.value else {
            self.wrong_type("a list");
            return None;
        };
        let item = |(index, node): (usize, &'a Node)| At {
            walker: self.walker,
            node,
            path: format!("{}[{index}]", self.path),
        };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The items of a list, each through `read`; those that it gives `None` for are left out.
    pub fn list_of<T>(&self, read: impl Fn(&At<'a>) -> Option<T>) -> Option<Vec<T>> {
        Some(self.list()?.iter().filter_map(read).collect())
    }

    /// A map of texts; numbers and true/false count as texts.
    pub fn string_map(&self) -> Option<BTreeMap<String, String>> {
        let entries = self.entries()?.into_iter();
        let entries = entries.filter_map(|(key, at)| Some((key.name.clone(), at.string()?)));
        Some(entries.collect())
    }
}

/// A value short enough for a message.
fn shorten(text: &str) -> String {
    if text.chars().count() <= 80 {
        text.to_owned()
    } else {
        text.chars().take(80).chain(['…']).collect()
    }
}

impl<'a> Fields<'a> {
    /// The value of `key`; `None` where it is absent or null.
    pub fn get(&self, key: &str) -> Option<At<'a>> {
        let node = self.at.node.get(key).filter(|node| !node.is_null())?;
        Some(At { walker: self.at.walker, node, path: join(&self.at.path, key) })
    }

    /// The value of `key`; its absence is a problem.
    pub fn require(&self, key: &str) -> Option<At<'a>> {
        let found = self.get(key);
        if found.is_none() {
            let pos = self.at.node.pos;
            let pos = Pos { width: pos.width.min(1), ..pos };
            let message = format!("`{key}` is missing");
            self.at.walker.problem(pos, &join(&self.at.path, key), message, None);
        }
        found
    }

    /// Where the key `key` stands.
    pub fn key_pos(&self, key: &str) -> Option<Pos> {
        let mut entries = self.at.node.entries();
        entries.find(|(name, _)| name.name == key).map(|(name, _)| name.pos)
    }

    /// At most one of `keys` may be there; more are a problem. The one that is.
    pub fn one_of_keys(&self, keys: &[&'static str]) -> Option<(&'static str, At<'a>)> {
        let mut found = keys.iter().filter_map(|key| Some((*key, self.get(key)?)));
        let first = found.next();
        if let (Some((one, _)), Some((other, at))) = (&first, found.next()) {
            at.problem(format!("`{other}` and `{one}` exclude each other"));
        }
        first
    }

    /// A text.
    pub fn string(&self, key: &str) -> Option<String> {
        self.get(key)?.string()
    }

    /// `true` or `false`.
    pub fn bool(&self, key: &str) -> Option<bool> {
        self.get(key)?.bool()
    }

    /// A map of texts.
    pub fn string_map(&self, key: &str) -> Option<BTreeMap<String, String>> {
        self.get(key)?.string_map()
    }
}

#[cfg(test)]
mod tests;
