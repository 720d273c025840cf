//! The grammar of `spark-defaults.conf`: Java properties.
//!
//! A line is `key=value`, `key: value` or `key value`; `#` and `!` start a comment line; a
//! backslash at the end continues the line; `\t \n \r \f \uXXXX` and `\` before any other
//! character are escapes. Source: `java.util.Properties.load`, with which Spark reads the file
//! (`SparkSubmitUtils`/`Utils.getPropertiesFromFile`, which also trims values).

use crate::problem::{Pos, Problem, Source};

/// One property with the places of its key and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) key_pos: Pos,
    pub(super) value_pos: Pos,
    /// The line on which it ends.
    pub(super) last_line: u32,
}

/// A character of a logical line with its place; an escaped one never separates.
#[derive(Clone, Copy)]
struct Char {
    c: char,
    escaped: bool,
    line: u32,
    column: u32,
}

/// Reads all properties; malformed `\u` escapes are problems.
pub(super) fn read(source: &Source, problems: &mut Vec<Problem>) -> Vec<Property> {
    let mut properties = Vec::new();
    let mut lines = source.text.lines().zip(1u32..);
    while let Some((text, number)) = lines.next() {
        let trimmed = text.trim_start();
        if trimmed.is_empty() || trimmed.starts_with(['#', '!']) {
            continue;
        }
        let mut chars = Vec::new();
        let mut last = number;
        let mut open = unescape(source, text, number, &mut chars, problems);
        while open {
            match lines.next() {
                Some((text, number)) => {
                    last = number;
                    open = unescape(source, text, number, &mut chars, problems);
                }
                None => break,
            }
        }
        properties.extend(split(&chars, last));
    }
    properties
}

/// Appends the characters of one natural line, without leading blanks; whether it is continued.
fn unescape(
    source: &Source,
    text: &str,
    line: u32,
    into: &mut Vec<Char>,
    problems: &mut Vec<Problem>,
) -> bool {
    let mut rest = text.chars().zip(1u32..).skip_while(|(c, _)| c.is_whitespace()).peekable();
    while let Some((c, column)) = rest.next() {
        let mut push = |c, escaped| {
            into.push(Char { c, escaped, line, column });
        };
        if c != '\\' {
            push(c, false);
            continue;
        }
        match rest.next() {
            None => return true,
            Some(('t', _)) => push('\t', true),
            Some(('n', _)) => push('\n', true),
            Some(('r', _)) => push('\r', true),
            Some(('f', _)) => push('\u{c}', true),
            Some(('u', _)) => {
                let digits: String = (0..4).filter_map(|_| rest.next().map(|(c, _)| c)).collect();
                let code = u32::from_str_radix(&digits, 16).ok();
                match code.and_then(char::from_u32).filter(|_| digits.len() == 4) {
                    Some(c) => push(c, true),
                    None => problems.push(
                        Problem::new(
                            source,
                            Pos::new(line, column, 2),
                            format!("`\\u{digits}` is not a character"),
                        )
                        .with_help("four hexadecimal digits, as in \\u0041"),
                    ),
                }
            }
            Some((other, _)) => push(other, true),
        }
    }
    false
}

/// A logical line into key and value.
fn split(chars: &[Char], last_line: u32) -> Option<Property> {
    let blank = |c: &Char| !c.escaped && c.c.is_whitespace();
    let separator = |c: &Char| !c.escaped && matches!(c.c, '=' | ':');
    let key_end = chars.iter().position(|c| blank(c) || separator(c)).unwrap_or(chars.len());
    let mut value = key_end;
    while chars.get(value).is_some_and(blank) {
        value += 1;
    }
    if chars.get(value).is_some_and(separator) {
        value += 1;
        while chars.get(value).is_some_and(blank) {
            value += 1;
        }
    }
    let text = |part: &[Char]| part.iter().map(|c| c.c).collect::<String>();
    let (key, value) = (&chars[..key_end], &chars[value..]);
    let first = chars.first()?;
    let value_text = text(value).trim().to_owned();
    let width = |text: &str| u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
    let key_text = text(key);
    let key_pos = Pos::new(first.line, first.column, width(&key_text));
    let value_pos = value
        .first()
        .map_or(key_pos, |start| Pos::new(start.line, start.column, width(&value_text)));
    Some(Property { key: key_text, value: value_text, key_pos, value_pos, last_line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str, u32, u32)]) {
        let mut problems = Vec::new();
        let read = read(&Source::new("f", text), &mut problems);
        let found: Vec<_> = read
            .iter()
            .map(|p| (&*p.key, &*p.value, p.value_pos.line, p.value_pos.column))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(problems, []);
    }

    #[test]
    fn separators_comments_and_continuations() {
        check(
            "# comment\n! too\n\n  a.b=1\nc.d : 2 \ne.f   3 4\ng\nh=\n",
            &[
                ("a.b", "1", 4, 7),
                ("c.d", "2", 5, 7),
                ("e.f", "3 4", 6, 7),
                ("g", "", 7, 1),
                ("h", "", 8, 1),
            ],
        );
        check(
            "long value\\\n    goes on\\\n  # and on\nnext=1",
            &[("long", "valuegoes on# and on", 1, 6), ("next", "1", 4, 6)],
        );
        check("a\\=b=c\\u0041\\\\\n", &[("a=b", "cA\\", 1, 6)]);
        check("x=1\\", &[("x", "1", 1, 3)]);
        check("a=b=c", &[("a", "b=c", 1, 3)]);
    }

    #[test]
    fn a_malformed_escape_has_its_place() {
        let mut problems = Vec::new();
        read(&Source::new("f", "a=1\nb=x\\u00"), &mut problems);
        assert_eq!(problems.len(), 1);
        assert_eq!((problems[0].line, problems[0].column), (2, 4));
    }
}
