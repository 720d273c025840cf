//! YAML text to a tree that knows where everything stands.
//!
//! Plain scalars are resolved by YAML 1.2's core schema, so `no` and `on` are texts. Aliases and
//! merge keys (`<<`) are resolved into copies. Text size, depth and the copies' total size are
//! capped, so that no file can make us allocate without bounds. Comments are left out.

mod build;

use crate::problem::{Pos, Problem, Source};

/// Longest text that is read, in bytes.
pub const TEXT_BYTES_MAX: usize = 4 << 20;
/// Deepest nesting that is read.
pub const DEPTH_MAX: usize = 64;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it starts. A copy made by an alias has the place of what it copies.
    pub pos: Pos,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An unquoted number, as it is written.
    Number(String),
    /// A text.
    String(String),
    /// A list.
    Seq(Vec<Node>),
    /// Entries in the order of the file; a key appears once.
    Map(Vec<(Key, Node)>),
}

/// A key of a map with its place. Keys that are not texts (`8080:`) have their text as name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub name: String,
    /// Where it starts.
    pub pos: Pos,
}

/// What a text held: its documents, and what is wrong with it. With problems, the documents are
/// what could be read all the same.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// Documents in order; empty ones are `Null`.
    pub documents: Vec<Node>,
    /// Syntax errors, duplicate keys, limits that were passed.
    pub problems: Vec<Problem>,
}

impl Value {
    /// What kind of value it is, for messages: `a list`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a true/false value",
            Self::Number(_) => "a number",
            Self::String(_) => "a text",
            Self::Seq(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Node {
    /// Whether it is `null` or empty.
    pub const fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The entry `key` of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().find(|(name, _)| name.name == key).map(|(_, node)| node)
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&Key, &Self)> {
        let entries = if let Value::Map(entries) = &self.value { entries.as_slice() } else { &[] };
        entries.iter().map(|(key, node)| (key, node))
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Self] {
        if let Value::Seq(items) = &self.value { items } else { &[] }
    }

    /// The text of a scalar as a text: `3` and `true` too. `None` for null, lists and maps.
    pub fn scalar_text(&self) -> Option<&str> {
        match &self.value {
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Number(text) | Value::String(text) => Some(text),
            Value::Null | Value::Seq(_) | Value::Map(_) => None,
        }
    }
}

/// Reads every document of `source`. Positions say that they are of source 0.
pub fn parse(source: &Source) -> Parsed {
    parse_as(source, 0)
}

/// Reads every document of `source`, which has number `number` among several.
pub fn parse_as(source: &Source, number: u16) -> Parsed {
    let refused = |pos: Pos, message: String| Parsed {
        documents: Vec::new(),
        problems: vec![Problem::new(source, pos, message)],
    };
    let bytes = source.text.len();
    if bytes > TEXT_BYTES_MAX {
        let message = format!("{bytes} bytes of YAML; at most {TEXT_BYTES_MAX} are read");
        return refused(Pos::default(), message);
    }
    if let Some(offset) = source.text.find('\0') {
        let before = &source.text[..offset];
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() as u32 + 1;
        let pos = Pos { source: number, line, column, width: 1 };
        return refused(pos, "a NUL byte: this is not a YAML text".to_owned());
    }
    build::build(source, number)
}

/// Reads the first document of `source`; `Null` where there is none. A second one is a problem.
pub fn parse_one(source: &Source, number: u16) -> (Node, Vec<Problem>) {
    let mut parsed = parse_as(source, number);
    if let Some(second) = parsed.documents.get(1) {
        let problem = Problem::new(source, second.pos, "a second document in a file for one");
        parsed.problems.push(problem);
    }
    let first = parsed.documents.into_iter().next();
    let empty = Node { value: Value::Null, pos: Pos { source: number, ..Pos::default() } };
    (first.unwrap_or(empty), parsed.problems)
}

/// A plain scalar by YAML 1.2's core schema (section 10.3.2).
pub(crate) fn resolve_plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.to_owned()),
        _ => Value::String(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str, radix| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal, 8);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return digits(hex, 16);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent.is_none_or(|text| digits(text, 10))
        && !(whole.is_empty() && fraction.is_empty())
        && (whole.is_empty() || digits(whole, 10))
        && (fraction.is_empty() || digits(fraction, 10))
}

#[cfg(test)]
mod tests;
