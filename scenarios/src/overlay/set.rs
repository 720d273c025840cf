//! `--set path=value`: `spec.workload.traces[0].jobTable=day.csv`.
//!
//! A dot that belongs to a key is escaped (`spark\.executor\.cores`). The value is a YAML scalar;
//! one that starts with `[`, `{` or a quote is read as YAML. `null` removes. What is missing on the
//! way is made; a list grows by one at its end.

use super::{Source, empty};
use crate::problem::{Pos, Problem};
use crate::yaml::{self, Key, Node, Value};

/// A step of a path, and its first column in the option.
enum Step {
    Key(Key),
    Index(usize, Pos),
}

/// Applies option `line` (1-based) of `source` to `root`.
pub(super) fn apply(
    root: &mut Node,
    source: &Source,
    line: u32,
    text: &str,
) -> Result<(), Box<Problem>> {
    let refused = |column: usize, width: usize, message: String| {
        Box::new(Problem::new(source, pos_at(line, column, width), message))
    };
    if text.contains('\n') {
        return Err(refused(1, 1, "a line break in an option".to_owned()));
    }
    let (steps, equals) = parse_path(text, line)
        .map_err(|(column, message)| refused(column, 1, message.to_owned()))?;
    let value_text = text.get(equals + 1..).unwrap_or_default();
    let column = text[..equals].chars().count() + 2;
    let pos = pos_at(line, column, value_text.chars().count());
    let value = value_of(value_text, pos).map_err(|message| {
        let message = message.trim_start_matches("not YAML: ");
        let message = format!("the value is not YAML: {message}");
        refused(column, value_text.chars().count(), message)
    })?;
    let mut node = root;
    let last = steps.len() - 1;
    for (place, step) in steps.into_iter().enumerate() {
        let removes = place == last && value.is_null();
        node = match step {
            Step::Key(key) => match enter_key(node, key, removes) {
                Ok(Some(next)) => next,
                Ok(None) => return Ok(()),
                Err((pos, message)) => return Err(Box::new(Problem::new(source, pos, message))),
            },
            Step::Index(index, pos) => match enter_index(node, index, pos, removes) {
                Ok(Some(next)) => next,
                Ok(None) => return Ok(()),
                Err(message) => return Err(Box::new(Problem::new(source, pos, message))),
            },
        };
    }
    *node = value;
    Ok(())
}

fn pos_at(line: u32, column: usize, width: usize) -> Pos {
    Pos {
        source: super::SETS,
        line,
        column: u32::try_from(column).unwrap_or(u32::MAX),
        width: u16::try_from(width).unwrap_or(u16::MAX).max(1),
    }
}

/// Goes to the value of `key`, making it where it is missing; removes it instead if `removes`.
fn enter_key(node: &mut Node, key: Key, removes: bool) -> Result<Option<&mut Node>, (Pos, String)> {
    if node.is_null() {
        node.value = Value::Map(Vec::new());
    }
    let kind = node.value.kind();
    let Value::Map(entries) = &mut node.value else {
        return Err((key.pos, format!("`{}` is asked for in {kind}, not in a map", key.name)));
    };
    let place = entries.iter().position(|(known, _)| known.name == key.name);
    if removes {
        if let Some(place) = place {
            entries.remove(place);
        }
        return Ok(None);
    }
    let place = place.unwrap_or_else(|| {
        let pos = key.pos;
        entries.push((key, empty(pos)));
        entries.len() - 1
    });
    Ok(Some(&mut entries[place].1))
}

/// Goes to item `index`; one past the end makes it.
fn enter_index(
    node: &mut Node,
    index: usize,
    pos: Pos,
    removes: bool,
) -> Result<Option<&mut Node>, String> {
    if node.is_null() {
        node.value = Value::Seq(Vec::new());
    }
    let kind = node.value.kind();
    let Value::Seq(items) = &mut node.value else {
        return Err(format!("`[{index}]` is asked of {kind}, not of a list"));
    };
    if index > items.len() || (removes && index == items.len()) {
        let count = items.len();
        return Err(format!("`[{index}]` is beyond the end of a list of {count}"));
    }
    if removes {
        items.remove(index);
        return Ok(None);
    }
    if index == items.len() {
        items.push(empty(pos));
    }
    Ok(Some(&mut items[index]))
}

/// The steps before `=`, and where `=` is (in bytes). Errors have a 1-based column.
fn parse_path(text: &str, line: u32) -> Result<(Vec<Step>, usize), (usize, &'static str)> {
    const SHAPE: &str = "expected `path=value`, such as `spec.region=eu-west-1`";
    let mut steps = Vec::new();
    let mut name = String::new();
    let mut start = 1;
    let mut after_index = false;
    let mut chars = text.char_indices().zip(1..).peekable();
    let key = |name: &mut String, start: usize, end: usize| {
        let pos = pos_at(line, start, end - start);
        Step::Key(Key { name: std::mem::take(name), pos })
    };
    while let Some(((offset, c), column)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(((_, escaped), _)) => name.push(escaped),
                None => return Err((column, "nothing after `\\`")),
            },
            '.' | '=' | '[' => {
                if !name.is_empty() {
                    steps.push(key(&mut name, start, column));
                } else if !after_index {
                    return Err((column, SHAPE));
                }
                after_index = false;
                start = column + 1;
                if c == '=' {
                    return Ok((steps, offset));
                }
                if c == '[' {
                    let rest = &text[offset + 1..];
                    let digits = rest.find(']').map(|end| &rest[..end]);
                    let index = digits.and_then(|digits| digits.parse::<usize>().ok());
                    let (Some(digits), Some(index)) = (digits, index) else {
                        return Err((column, "expected a number and `]` after `[`"));
                    };
                    let pos = pos_at(line, column, digits.len() + 2);
                    steps.push(Step::Index(index, pos));
                    for _ in 0..=digits.len() {
                        chars.next();
                    }
                    start = column + digits.len() + 2;
                    after_index = true;
                    if matches!(chars.peek(), Some(((_, '.'), _))) {
                        chars.next();
                        start += 1;
                        after_index = false;
                    }
                }
            }
            _ if after_index => return Err((column, "expected `.`, `[` or `=` after `]`")),
            c => name.push(c),
        }
    }
    Err((text.chars().count().max(1), SHAPE))
}

fn value_of(text: &str, pos: Pos) -> Result<Node, String> {
    if !text.starts_with(['[', '{', '"', '\'']) {
        return Ok(Node { value: yaml::resolve_plain(text.trim()), pos });
    }
    let (mut node, problems) = yaml::parse_one(&Source::new("", text), super::SETS);
    if let Some(problem) = problems.first() {
        return Err(problem.message.clone());
    }
    move_to(&mut node, pos);
    Ok(node)
}

/// Shifts the places of a value that was read by itself to where it stands in the option.
fn move_to(node: &mut Node, at: Pos) {
    let shift = |pos: &mut Pos| {
        pos.line = at.line;
        pos.column = pos.column.saturating_add(at.column - 1);
    };
    shift(&mut node.pos);
    match &mut node.value {
        Value::Seq(items) => items.iter_mut().for_each(|item| move_to(item, at)),
        Value::Map(entries) => {
            for (key, node) in entries {
                shift(&mut key.pos);
                move_to(node, at);
            }
        }
        _ => {}
    }
}
