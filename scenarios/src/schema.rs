//! What a scenario file may hold: one table of keys, types, limits, defaults and meanings.
//!
//! The loader takes known keys and limits from it, editors get it as JSON Schema, and people as
//! `docs/scenario-format.md`. The defaults it states are those of `sim`; a test compares them.

mod json;
mod markdown;
mod table;

pub use json::schema;
pub use markdown::markdown;
pub(crate) use table::{ADJUSTMENTS, FAILURES, ROOT};

/// A map with known keys.
#[derive(Debug)]
pub(crate) struct Section {
    /// Its name in the document and the JSON Schema.
    pub name: &'static str,
    /// What it is about.
    pub doc: &'static str,
    /// Its keys, in the order in which they are documented.
    pub keys: &'static [Key],
}

/// A key of a [`Section`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub doc: &'static str,
    /// As written in a file; in parentheses where it is no plain value; empty without one.
    pub default: &'static str,
    pub required: bool,
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// A file or folder, relative to the file that names it.
    Path,
    Bool,
    /// A whole number between the two.
    Int(i64, i64),
    /// A number between the two.
    Float(f64, f64),
    /// Go's grammar: `90s`, `5m`, `1h30m`.
    Duration,
    /// A Kubernetes CPU quantity.
    Cpu,
    /// A Kubernetes memory quantity.
    Bytes,
    /// One of these names, each with its meaning.
    Choice(&'static [(&'static str, &'static str)]),
    Section(&'static Section),
    List(&'static Kind),
    /// A list of these, or one of them.
    OneOrMore(&'static Kind),
    /// A map with any keys.
    Map(&'static Kind),
    /// A file, or its content in place.
    PathOrMap,
    /// Anything.
    Any,
}

impl Section {
    /// The names of its keys.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }

    /// The key of that name.
    ///
    /// # Panics
    /// If the table has no such key: the loader asks for what nobody can write.
    pub(crate) fn key(&self, name: &str) -> &'static Key {
        let found = self.keys.iter().find(|key| key.name == name);
        found.unwrap_or_else(|| panic!("the schema of {} knows `{name}`", self.name))
    }
}

const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, doc, default: "", required: false }
}

impl Key {
    const fn or(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}

#[cfg(test)]
mod tests;
