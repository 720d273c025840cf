//! One tree out of a file, the files it is based on, and `--set` options.
//!
//! `base: other.yaml` at the top of a file inherits: maps merge key by key, lists and single values
//! replace, `null` removes. `--set path=value` comes last, in the order it is given. Every node
//! keeps the place it came from, so that problems and relative paths are the right file's.

mod read;
mod set;

use std::path::{Path, PathBuf};

use crate::problem::{Pos, Problem, Source};
use crate::yaml::{self, Key, Node, Value};

pub use read::{read_text, shown};

/// Most files in a chain of bases.
pub const BASES_MAX: usize = 16;

/// The merged tree.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// The tree, without `base`.
    pub node: Node,
    /// The texts its positions refer to: the `--set` options, then the files, the first one named
    /// by the user first.
    pub sources: Vec<Source>,
    /// What is wrong with the texts, the chain and the options.
    pub problems: Vec<Problem>,
    /// A file could not be read, so that the tree lacks what it says.
    pub incomplete: bool,
}

/// The number of the `--set` options among the sources; line n is the n-th option.
const SETS: u16 = 0;

/// Reads `path` with its bases and applies `sets`.
pub fn load(path: &Path, sets: &[String]) -> Overlay {
    let options = Source::new("--set", sets.join("\n"));
    let mut overlay = Overlay {
        node: empty(Pos::default()),
        sources: vec![options],
        problems: Vec::new(),
        incomplete: false,
    };
    let mut chain = Vec::new();
    if let Err(message) = overlay.read_chain(path, &mut chain) {
        let problem = Problem::of_file(shown(path), message);
        overlay.problems.push(problem);
        overlay.incomplete = true;
    }
    let mut layers = chain.into_iter().rev().map(|(_, node)| node);
    if let Some(first) = layers.next() {
        overlay.node = layers.fold(first, merge);
    }
    for (line, text) in sets.iter().enumerate() {
        let source = &overlay.sources[usize::from(SETS)];
        if let Err(problem) = set::apply(&mut overlay.node, source, line as u32 + 1, text) {
            overlay.problems.push(*problem);
        }
    }
    overlay
}

/// Reads one scenario text without bases, as if it stood in a file called `name`.
pub fn of_text(name: &str, text: &str) -> Overlay {
    let sources = vec![Source::new("--set", ""), Source::new(name, text)];
    let (mut node, mut problems) = yaml::parse_one(&sources[1], 1);
    let mut incomplete = node.is_null() && !problems.is_empty();
    if let Some(base) = take_base(&mut node) {
        let message = "`base` is for files: a text has no place to look from";
        problems.push(Problem::new(&sources[1], base.pos, message).with_path("base"));
        incomplete = true;
    }
    Overlay { node, sources, problems, incomplete }
}

impl Overlay {
    /// Reads `path` and the files it is based on into `chain`, the named file first.
    fn read_chain(&mut self, path: &Path, chain: &mut Vec<(PathBuf, Node)>) -> Result<(), String> {
        let text = read_text(path)?;
        let number = self.sources.len() as u16;
        let mut source = Source::new(shown(path), text);
        source.directory = path.parent().map(Path::to_owned).unwrap_or_default();
        self.sources.push(source);
        let (mut node, problems) = yaml::parse_one(&self.sources[usize::from(number)], number);
        self.incomplete |= node.is_null() && !problems.is_empty();
        self.problems.extend(problems);
        let base = take_base(&mut node);
        chain.push((identity(path), node));
        let Some(base) = base else {
            return Ok(());
        };
        let source = &self.sources[usize::from(number)];
        let problem = |message: String| Problem::new(source, base.pos, message).with_path("base");
        let Some(name) = base.scalar_text() else {
            let message = format!("`base`: expected a path, found {}", base.value.kind());
            self.problems.push(problem(message));
            self.incomplete = true;
            return Ok(());
        };
        let known = self.problems.len();
        let next = source.directory.join(name);
        let seen = identity(&next);
        if chain.iter().any(|(path, _)| *path == seen) {
            self.problems.push(problem(format!("`{name}` is based on this file: a cycle")));
        } else if chain.len() >= BASES_MAX {
            self.problems.push(problem(format!("more than {BASES_MAX} files based on each other")));
        } else {
            let failed = problem(String::new());
            if let Err(message) = self.read_chain(&next, chain) {
                self.problems.push(Problem { message: format!("`{name}`: {message}"), ..failed });
            }
        }
        self.incomplete |= self.problems.len() > known;
        Ok(())
    }
}

fn empty(pos: Pos) -> Node {
    Node { value: Value::Null, pos }
}

/// What tells whether two paths are the same file.
fn identity(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn take_base(node: &mut Node) -> Option<Node> {
    let Value::Map(entries) = &mut node.value else {
        return None;
    };
    let place = entries.iter().position(|(key, _)| key.name == "base")?;
    let (_, base) = entries.remove(place);
    (!base.is_null()).then_some(base)
}

/// `over` on top of `under`.
fn merge(under: Node, over: Node) -> Node {
    match (under.value, over.value) {
        (Value::Map(mut entries), Value::Map(changes)) => {
            for (key, change) in changes {
                put(&mut entries, key, change);
            }
            Node { value: Value::Map(entries), pos: over.pos }
        }
        // An empty file on top of a base changes nothing.
        (value, Value::Null) => Node { value, pos: under.pos },
        (_, value) => Node { value, pos: over.pos },
    }
}

/// Puts one entry of a layer into the map below it.
fn put(entries: &mut Vec<(Key, Node)>, key: Key, change: Node) {
    let place = entries.iter().position(|(known, _)| known.name == key.name);
    match place {
        Some(place) if change.is_null() => {
            entries.remove(place);
        }
        Some(place) => {
            let under = std::mem::replace(&mut entries[place].1, empty(change.pos));
            entries[place] = (key, merge(under, change));
        }
        None => entries.push((key, change)),
    }
}

#[cfg(test)]
mod tests;
