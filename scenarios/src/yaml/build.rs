//! Builds the tree from the parser's events.
//!
//! The parser (`granit-parser`) is a fuzzed YAML 1.2 parser without `unsafe`; this file adds what a
//! configuration needs: no duplicate keys, resolved aliases within a budget, a depth limit over
//! everything.

use std::collections::{BTreeMap, BTreeSet};

use granit_parser::{Event, Parser, ScalarStyle, Span, options};

use super::{DEPTH_MAX, Key, Node, Parsed, Value, resolve_plain};
use crate::problem::{Pos, Problem, Source};

/// Bytes that copies of anchored values may take, in all. A text of the largest size without
/// aliases is not bound by it.
const COPIES_BYTES_MAX: usize = 16 << 20;
/// What a value is counted as, besides its texts.
const NODE_BYTES: usize = size_of::<(Key, Node)>();
/// Above this many problems there is no use in more.
const PROBLEMS_MAX: usize = 100;

/// An anchored value with its size and depth.
struct Anchored {
    node: Node,
    bytes: usize,
    depth: usize,
}

/// A collection whose end has not come yet.
struct Open {
    node: Node,
    anchor: usize,
    /// Of a map: the key that waits for its value.
    key: Option<Key>,
    seen: BTreeSet<String>,
    merges: Vec<Node>,
}

struct Builder<'a> {
    source: &'a Source,
    number: u16,
    parsed: Parsed,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    copied_bytes: usize,
}

pub(super) fn build(source: &Source, number: u16) -> Parsed {
    let options = options! {
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
        emit_comments: false,
    };
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let mut builder = Builder {
        source,
        number,
        parsed: Parsed::default(),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        copied_bytes: 0,
    };
    for next in Parser::new_from_str_with_options(text, options) {
        let go_on = match next {
            Ok((event, span)) => builder.on_event(event, span),
            Err(error) => {
                let pos = builder.pos_at(error.marker().line(), error.marker().col(), 1);
                builder.problem(pos, format!("not YAML: {}", error.info()));
                false
            }
        };
        if !go_on || builder.parsed.problems.len() >= PROBLEMS_MAX {
            break;
        }
    }
    builder.parsed
}

impl Builder<'_> {
    /// Takes one event; `false` stops.
    fn on_event(&mut self, event: Event<'_>, span: Span) -> bool {
        let pos = self.pos(&span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref().map(|tag| tag.core_suffix().map(str::to_owned));
                let value = self.scalar(&text, style, tag, pos);
                self.add(Node { value, pos }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.start(Value::Seq(Vec::new()), pos, anchor),
            Event::MappingStart(_, anchor, _) => self.start(Value::Map(Vec::new()), pos, anchor),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, pos),
            Event::DocumentStart(..) => {
                self.anchors.clear();
                true
            }
            _ => true,
        }
    }

    /// A scalar's value. `tag`: `None` without a tag, `Some(None)` with one outside YAML's own.
    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<Option<String>>,
        pos: Pos,
    ) -> Value {
        match tag {
            None if style == ScalarStyle::Plain => resolve_plain(text),
            None => Value::String(text.to_owned()),
            Some(Some(name)) if name == "str" => Value::String(text.to_owned()),
            Some(Some(_)) => resolve_plain(text),
            Some(None) => {
                self.problem(pos, "a tag that is not YAML's own".to_owned());
                Value::String(text.to_owned())
            }
        }
    }

    fn start(&mut self, value: Value, pos: Pos, anchor: usize) -> bool {
        if self.open.len() >= DEPTH_MAX {
            self.problem(pos, format!("nested deeper than {DEPTH_MAX} levels"));
            return false;
        }
        self.open.push(Open {
            node: Node { value, pos },
            anchor,
            key: None,
            seen: BTreeSet::new(),
            merges: Vec::new(),
        });
        true
    }

    fn end(&mut self) -> bool {
        let Some(mut open) = self.open.pop() else {
            return true;
        };
        for merge in std::mem::take(&mut open.merges) {
            self.merge(&mut open, merge);
        }
        self.add(open.node, open.anchor)
    }

    /// Puts a finished value where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> bool {
        if anchor != 0 {
            let (bytes, depth) = weigh(&node);
            if !self.may_copy(bytes, node.pos) {
                return false;
            }
            let node = node.clone();
            self.anchors.insert(anchor, Anchored { node, bytes, depth });
        }
        let Some(open) = self.open.last_mut() else {
            self.parsed.documents.push(node);
            return true;
        };
        match &mut open.node.value {
            Value::Seq(items) => items.push(node),
            Value::Map(entries) => match open.key.take() {
                None => return self.add_key(node),
                Some(key) if key.name == "<<" => open.merges.push(node),
                Some(key) => {
                    if open.seen.insert(key.name.clone()) {
                        entries.push((key, node));
                    } else {
                        let message = format!("duplicate key `{}`", key.name);
                        let help = "the first one is at line";
                        let first = entries.iter_mut().find(|(known, _)| known.name == key.name);
                        // The last value counts for readers that let duplicates pass.
                        let line = first.map_or(0, |entry| {
                            entry.1 = node;
                            entry.0.pos.line
                        });
                        let problem = Problem::new(self.source, key.pos, message)
                            .with_help(format!("{help} {line}"));
                        self.parsed.problems.push(problem);
                    }
                }
            },
            _ => {}
        }
        true
    }

    fn add_key(&mut self, node: Node) -> bool {
        let name = match &node.value {
            Value::Null => Some("null"),
            _ => node.scalar_text(),
        };
        let Some(name) = name.map(str::to_owned) else {
            let message = format!("{} as a key of a map", node.value.kind());
            self.problem(node.pos, message);
            return false;
        };
        if let Some(open) = self.open.last_mut() {
            open.key = Some(Key { name, pos: node.pos });
        }
        true
    }

    fn alias(&mut self, anchor: usize, pos: Pos) -> bool {
        let Some((bytes, depth)) = self.anchors.get(&anchor).map(|a| (a.bytes, a.depth)) else {
            self.problem(pos, "an alias inside of what it names".to_owned());
            return false;
        };
        if self.open.len() + depth > DEPTH_MAX {
            self.problem(pos, format!("nested deeper than {DEPTH_MAX} levels, with its aliases"));
            return false;
        }
        if !self.may_copy(bytes, pos) {
            return false;
        }
        let node = self.anchors[&anchor].node.clone();
        self.add(node, 0)
    }

    /// Entries of `<<: {..}` or `<<: [{..}, {..}]` that the map does not have itself.
    fn merge(&mut self, open: &mut Open, merge: Node) {
        let maps = match merge.value {
            Value::Seq(items) => items,
            _ => vec![merge],
        };
        for map in maps {
            let Value::Map(entries) = map.value else {
                let message = format!("`<<` merges maps, and this is {}", map.value.kind());
                self.problem(map.pos, message);
                continue;
            };
            if let Value::Map(own) = &mut open.node.value {
                let seen = &mut open.seen;
                own.extend(entries.into_iter().filter(|(key, _)| seen.insert(key.name.clone())));
            }
        }
    }

    fn may_copy(&mut self, bytes: usize, pos: Pos) -> bool {
        self.copied_bytes = self.copied_bytes.saturating_add(bytes);
        if self.copied_bytes > COPIES_BYTES_MAX {
            let mib = COPIES_BYTES_MAX >> 20;
            self.problem(pos, format!("aliases grow this file beyond {mib} MiB"));
            return false;
        }
        true
    }

    fn problem(&mut self, pos: Pos, message: String) {
        let problem = Problem::new(self.source, pos, message);
        self.parsed.problems.push(problem);
    }

    fn pos(&self, span: &Span) -> Pos {
        let (start, end) = (&span.start, &span.end);
        let width = if start.line() == end.line() {
            end.col().saturating_sub(start.col()).max(1)
        } else {
            1
        };
        self.pos_at(start.line(), start.col(), width)
    }

    fn pos_at(&self, line: usize, column: usize, width: usize) -> Pos {
        Pos {
            source: self.number,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX - 1) + 1,
            width: u16::try_from(width).unwrap_or(u16::MAX),
        }
    }
}

/// Bytes and depth of a value.
fn weigh(node: &Node) -> (usize, usize) {
    let below = |nodes: &mut dyn Iterator<Item = (usize, &Node)>| {
        nodes.fold((NODE_BYTES, 1), |(bytes, depth), (name, node)| {
            let (own, below) = weigh(node);
            (bytes + own + name, depth.max(below + 1))
        })
    };
    match &node.value {
        Value::Null | Value::Bool(_) => (NODE_BYTES, 0),
        Value::Number(text) | Value::String(text) => (NODE_BYTES + text.len(), 0),
        Value::Seq(items) => below(&mut items.iter().map(|item| (0, item))),
        Value::Map(entries) => below(&mut entries.iter().map(|(key, node)| (key.name.len(), node))),
    }
}
