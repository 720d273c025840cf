//! Patterns over node group names, as the `priority` expander's table has them.
//!
//! The part of Go's regular expressions that such tables use: literals, `.`, classes with ranges,
//! `\d \w \s` and their negations, groups, alternatives, `* + ?` and `{n,m}` (lazy or not: only
//! whether it matches counts), `^`, `$`, and `(?i)` in front. As upstream, a pattern matches anywhere
//! in a name. Leaves out: named classes, Unicode classes, back references (Go has none either).

use std::collections::BTreeSet;
use std::fmt;

/// The largest count in `{n,m}`. Source: Go's `regexp/syntax` allows 1000.
const REPEAT_MAX: u32 = 1000;

/// A pattern that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPattern {
    text: String,
    ignore_case: bool,
    root: Vec<Vec<Piece>>,
}

/// Why a text is no pattern, as a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError(String);

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    atom: Atom,
    min: u32,
    max: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Atom {
    Any,
    Class { ranges: Vec<(char, char)>, negated: bool },
    Start,
    End,
    Group(Vec<Vec<Piece>>),
}

impl GroupPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (body, ignore_case) = match text.strip_prefix("(?i)") {
            Some(rest) => (rest.to_lowercase(), true),
            None => (text.to_owned(), false),
        };
        let mut reader = Reader { chars: body.chars().collect(), place: 0, depth: 0 };
        let root = reader.alternatives()?;
        if reader.place < reader.chars.len() {
            return Err(PatternError("unexpected `)`".to_owned()));
        }
        Ok(Self { text: text.to_owned(), ignore_case, root })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches somewhere in `name`.
    pub fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = if self.ignore_case {
            name.to_lowercase().chars().collect()
        } else {
            name.chars().collect()
        };
        let starts: BTreeSet<usize> = (0..=name.len()).collect();
        !ends(&self.root, &name, &starts).is_empty()
    }
}

/// Where a match of one of `alternatives` that starts at one of `starts` may end.
fn ends(alternatives: &[Vec<Piece>], name: &[char], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    for pieces in alternatives {
        let mut at = starts.clone();
        for piece in pieces {
            at = repeat(piece, name, at);
        }
        all.extend(at);
    }
    all
}

fn repeat(piece: &Piece, name: &[char], starts: BTreeSet<usize>) -> BTreeSet<usize> {
    let mut reached = if piece.min == 0 { starts.clone() } else { BTreeSet::new() };
    let mut at = starts;
    for count in 1..=piece.max {
        at = once(&piece.atom, name, &at);
        let before = reached.len();
        if count >= piece.min {
            reached.extend(&at);
        }
        if at.is_empty() || (count > piece.min && reached.len() == before) {
            break;
        }
    }
    reached
}

fn once(atom: &Atom, name: &[char], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
    let step = |holds: &dyn Fn(char) -> bool| {
        let next = starts.iter().filter(|at| name.get(**at).is_some_and(|c| holds(*c)));
        next.map(|at| at + 1).collect()
    };
    match atom {
        Atom::Any => step(&|c| c != '\n'),
        Atom::Class { ranges, negated } => {
            step(&|c| ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated)
        }
        Atom::Start => starts.iter().copied().filter(|at| *at == 0).collect(),
        Atom::End => starts.iter().copied().filter(|at| *at == name.len()).collect(),
        Atom::Group(alternatives) => ends(alternatives, name, starts),
    }
}

struct Reader {
    chars: Vec<char>,
    place: usize,
    depth: u32,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.place).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.place += usize::from(found);
        found
    }

    fn alternatives(&mut self) -> Result<Vec<Vec<Piece>>, PatternError> {
        let mut all = vec![Vec::new()];
        while let Some(next) = self.peek() {
            match next {
                ')' => break,
                '|' => {
                    self.place += 1;
                    all.push(Vec::new());
                }
                _ => {
                    let atom = self.atom()?;
                    let (min, max) = self.repetition()?;
                    all.last_mut().expect("one at least").push(Piece { atom, min, max });
                }
            }
        }
        Ok(all)
    }

    fn atom(&mut self) -> Result<Atom, PatternError> {
        let Some(next) = self.peek() else {
            return Err(PatternError("ends too early".to_owned()));
        };
        self.place += 1;
        Ok(match next {
            '.' => Atom::Any,
            '^' => Atom::Start,
            '$' => Atom::End,
            '(' => self.group()?,
            '[' => self.class()?,
            '\\' => {
                let (ranges, negated) = self.escape()?;
                Atom::Class { ranges, negated }
            }
            '*' | '+' | '?' => {
                return Err(PatternError(format!("nothing before `{next}` to repeat")));
            }
            other => Atom::Class { ranges: vec![(other, other)], negated: false },
        })
    }

    fn group(&mut self) -> Result<Atom, PatternError> {
        const DEEPEST: u32 = 50;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(PatternError(format!("more than {DEEPEST} groups in each other")));
        }
        if self.take('?') && !self.take(':') {
            return Err(PatternError("of groups with `?`, only `(?:` is known".to_owned()));
        }
        let inner = self.alternatives()?;
        if !self.take(')') {
            return Err(PatternError("a `(` is not closed".to_owned()));
        }
        self.depth -= 1;
        Ok(Atom::Group(inner))
    }

    fn class(&mut self) -> Result<Atom, PatternError> {
        let negated = self.take('^');
        let mut ranges = Vec::new();
        loop {
            let Some(next) = self.peek() else {
                return Err(PatternError("a `[` is not closed".to_owned()));
            };
            self.place += 1;
            match next {
                ']' if !ranges.is_empty() => break,
                '\\' => {
                    let (more, inverse) = self.escape()?;
                    if inverse {
                        return Err(PatternError("`\\D`, `\\W`, `\\S` in a class".to_owned()));
                    }
                    ranges.extend(more);
                }
                low => {
                    let range = self.peek() == Some('-')
                        && self.chars.get(self.place + 1).is_some_and(|c| *c != ']');
                    if !range {
                        ranges.push((low, low));
                        continue;
                    }
                    let high = self.chars[self.place + 1];
                    self.place += 2;
                    if high < low {
                        return Err(PatternError(format!("range `{low}-{high}` is empty")));
                    }
                    ranges.push((low, high));
                }
            }
        }
        Ok(Atom::Class { ranges, negated })
    }

    fn escape(&mut self) -> Result<(Vec<(char, char)>, bool), PatternError> {
        let Some(next) = self.peek() else {
            return Err(PatternError("ends with `\\`".to_owned()));
        };
        self.place += 1;
        let word = vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
        let space = vec![('\t', '\n'), ('\x0c', '\r'), (' ', ' ')];
        Ok(match next {
            'd' => (vec![('0', '9')], false),
            'D' => (vec![('0', '9')], true),
            'w' => (word, false),
            'W' => (word, true),
            's' => (space, false),
            'S' => (space, true),
            other if other.is_alphanumeric() => {
                return Err(PatternError(format!("`\\{other}` is not known")));
            }
            other => (vec![(other, other)], false),
        })
    }

    fn repetition(&mut self) -> Result<(u32, u32), PatternError> {
        let bounds = match self.peek() {
            Some('*') => (0, u32::MAX),
            Some('+') => (1, u32::MAX),
            Some('?') => (0, 1),
            Some('{') => return self.counted(),
            _ => return Ok((1, 1)),
        };
        self.place += 1;
        self.take('?');
        Ok(bounds)
    }

    fn counted(&mut self) -> Result<(u32, u32), PatternError> {
        let rest = &self.chars[self.place..];
        let end = rest.iter().position(|c| *c == '}');
        let text: String = rest[..end.unwrap_or(0)].iter().skip(1).collect();
        let (low, high) = text.split_once(',').unwrap_or((&text, &text));
        let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n <= REPEAT_MAX);
        let max = if high.is_empty() { Some(u32::MAX) } else { number(high) };
        match number(low).zip(max) {
            Some((min, max)) if min <= max => {
                self.place += end.unwrap_or(0) + 1;
                self.take('?');
                Ok((min, max))
            }
            _ => Err(PatternError(format!("`{{{text}}}` is no repetition"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let pattern = GroupPattern::parse(pattern).expect("a pattern");
        for name in yes {
            assert!(pattern.matches(name), "{pattern:?} matches {name}");
        }
        for name in no {
            assert!(!pattern.matches(name), "{pattern:?} does not match {name}");
        }
    }

    #[test]
    fn patterns_match_as_go_matches_them() {
        check(".*spot.*", &["spot", "eks-spot-2a"], &["Spot", "on-demand"]);
        check("^spot-(small|large)$", &["spot-small", "spot-large"], &["spot-", "a-spot-small"]);
        check("m5\\.x+l", &["m5.xl", "m5.xxxl"], &["m5.l", "m5_xl"]);
        check("[a-c0-9_-]{2,3}$", &["x-a0", "bb"], &["z", "zz"]);
        check("(?i)SPOT", &["my-Spot"], &["sp0t"]);
        check("[^a]b?$", &["b", "xb"], &["a"]);
        check("(a*)*c", &["aac", "c"], &["aab"]);
        check("", &["", "anything"], &[]);
        check("\\d\\D\\w\\W", &["1aa-"], &["11a-"]);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (text, why) in [
            ("*spot", "nothing before `*` to repeat"),
            ("(spot", "a `(` is not closed"),
            ("spot)", "unexpected `)`"),
            ("[spot", "a `[` is not closed"),
            ("a{3,1}", "`{3,1}` is no repetition"),
            ("a\\", "ends with `\\`"),
        ] {
            let error = GroupPattern::parse(text).expect_err(text);
            assert_eq!(error.to_string(), why);
        }
    }
}
