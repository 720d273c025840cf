//! What is wrong with a file: where, which value, what was allowed. All problems at once.
//!
//! Rendered as compilers do it: message, file with line and column, the source line, and a caret.
//! What is read but not followed is no problem; that is a `sim::Finding`.

use std::fmt;
use std::path::PathBuf;

/// Longest part of a source line that is shown.
const SHOWN_CHARS: usize = 100;

/// A text with a name: a file, or the `--set` options.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Its name as the user knows it; what problems say.
    pub name: String,
    /// The text.
    pub text: String,
    /// Where relative paths in it start from.
    pub directory: PathBuf,
}

impl Source {
    /// A text that no path is read from.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), directory: PathBuf::new() }
    }

    /// The 1-based `line`, cut to a sensible length around the 1-based `column`, and the column in
    /// what was cut. Control characters are replaced: they would reach the user's terminal.
    fn excerpt(&self, line: u32, column: u32, width: u16) -> (String, usize) {
        let text = self.text.lines().nth((line as usize).saturating_sub(1));
        let column = (column as usize).saturating_sub(1);
        let end = column + usize::from(width.min(20));
        let skipped = if end <= SHOWN_CHARS { 0 } else { column - SHOWN_CHARS / 2 };
        let shown = text.unwrap_or_default().chars().skip(skipped).take(SHOWN_CHARS);
        let shown = shown.map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        });
        (shown.collect(), column - skipped)
    }
}

/// A place in a [`Source`]. Line and column are 1-based and count characters; line 0 = the whole
/// source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pos {
    /// Which of several sources; 0 where there is one.
    pub source: u16,
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
    /// How many characters are meant; for the caret.
    pub width: u16,
}

impl Pos {
    /// `width` characters from `line` and `column`, in the only source.
    pub const fn new(line: u32, column: u32, width: u16) -> Self {
        Self { source: 0, line, column, width }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// File name as the user gave it, or `--set`.
    pub file: String,
    /// 1-based line; 0 when the whole file is meant.
    pub line: u32,
    /// 1-based column, in characters; 0 when the whole line or file is meant.
    pub column: u32,
    /// The setting's path, such as `spec.nodes.pools[0].maxSize`; may be empty.
    pub path: String,
    /// What is wrong, with the offending value: a lowercase fragment.
    pub message: String,
    /// The line it is in, cut where it is long.
    pub source_line: String,
    /// First marked character in `source_line`, 0-based.
    pub caret: usize,
    /// How many characters are marked.
    pub width: usize,
    /// The nearest known name, or what is allowed.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at `pos` of `source`.
    pub fn new(source: &Source, pos: Pos, message: impl Into<String>) -> Self {
        let (source_line, caret) = if pos.line == 0 {
            (String::new(), 0)
        } else {
            source.excerpt(pos.line, pos.column, pos.width)
        };
        let left = source_line.chars().count().saturating_sub(caret);
        Self {
            file: source.name.clone(),
            line: pos.line,
            column: pos.column,
            path: String::new(),
            message: message.into(),
            source_line,
            caret,
            width: usize::from(pos.width).clamp(1, left.max(1)),
            help: None,
        }
    }

    /// A problem with a whole file, such as one that is not there.
    pub fn of_file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(&Source::new(file, ""), Pos::default(), message)
    }

    /// The same problem, of the setting `path`.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The same problem, with a hint.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        let number = if self.line == 0 { String::new() } else { self.line.to_string() };
        let gutter = " ".repeat(number.len());
        write!(f, "{gutter}--> {}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        if !self.path.is_empty() {
            write!(f, " ({})", self.path)?;
        }
        writeln!(f)?;
        if self.line > 0 {
            writeln!(f, "{gutter} |")?;
            writeln!(f, "{number} | {}", self.source_line)?;
            if self.column > 0 {
                let (blank, carets) = (" ".repeat(self.caret), "^".repeat(self.width));
                writeln!(f, "{gutter} | {blank}{carets}")?;
            }
        }
        if let Some(help) = &self.help {
            writeln!(f, "{gutter} = help: {help}")?;
        }
        Ok(())
    }
}

/// Everything that is wrong, in the order in which it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().enumerate() {
            if place > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The name of `known` nearest to `name`, if it is near enough to be a slip.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A name from a hostile file may be long; nothing that long is near a real one.
    if name.len() > 100 {
        return None;
    }
    let lower = name.to_lowercase();
    let limit = (name.chars().count() / 3).max(2);
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `did you mean ...?` where something is near, else the list of `known`, cut where it is long.
pub fn suggestion(name: &str, known: &[&str]) -> Option<String> {
    if let Some(near) = nearest(name, known.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let listed: Vec<String> = known.iter().take(24).map(|name| format!("`{name}`")).collect();
    let more = match known.len() {
        0 => return None,
        count if count > 24 => format!(" and {} more", count - 24),
        _ => String::new(),
    };
    Some(format!("known: {}{more}", listed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_like_a_compiler() {
        let source = Source::new("a.yaml", "one: 1\ntwoo: 2\n");
        let problem = Problem::new(&source, Pos::new(2, 1, 4), "unknown key `twoo`")
            .with_path("spec.twoo")
            .with_help("did you mean `two`?");
        let expected = "error: unknown key `twoo`\n --> a.yaml:2:1 (spec.twoo)\n  |\n2 | twoo: 2\n  \
                        | ^^^^\n  = help: did you mean `two`?\n";
        assert_eq!(problem.to_string(), expected);
    }

    #[test]
    fn cuts_long_lines_and_keeps_control_characters_out() {
        let text = format!("{}\u{1b}[31mX", "a".repeat(5000));
        let problem = Problem::new(&Source::new("f", text), Pos::new(1, 5001, 9), "bad");
        assert_eq!(problem.source_line.chars().count(), 56);
        assert!(!problem.to_string().contains('\u{1b}'));
        assert_eq!((problem.caret, problem.width), (50, 6));
    }

    #[test]
    fn finds_the_nearest_name() {
        let known = ["maxSize", "minSize", "taints"];
        assert_eq!(nearest("maxsize", known), Some("maxSize"));
        assert_eq!(nearest("tiants", known), Some("taints"));
        assert_eq!(nearest("volume", known), None);
        assert_eq!(
            suggestion("x1y2z3", &known).as_deref(),
            Some("known: `maxSize`, `minSize`, `taints`")
        );
    }
}
