//! Names that come from traces are foreign text: what a terminal, a spreadsheet or a Markdown
//! renderer would take for a command is taken out before they are shown.
//!
//! Parquet and JSON keep names as they were recorded: their formats have no commands, and a script
//! has to find its rows again. Leaves out: look-alike letters of other alphabets.

/// The longest name that a report shows, in characters.
pub const NAME_MAX: usize = 60;

/// `text` for a terminal: without control characters and escape sequences, on one line, and at
/// most [`NAME_MAX`] characters long.
pub fn terminal(text: &str) -> String {
    shorten(&printable(text), NAME_MAX)
}

/// A sentence for a terminal: as [`terminal`], but up to 1,000 characters long.
pub fn sentence(text: &str) -> String {
    shorten(&printable(text), 1_000)
}

/// `text` for a picture: printable, and at most `most` characters long.
pub fn shortened(text: &str, most: usize) -> String {
    shorten(&printable(text), most)
}

/// `text` as a CSV cell's value (quoting is the CSV writer's): printable, and with a single quote
/// in front of what a spreadsheet would run as a formula.
///
/// Source: OWASP, "CSV Injection": cells that begin with `=`, `+`, `-`, `@`, tab or return.
pub fn csv_cell(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let shown = printable(text);
    if risky || shown.starts_with(['=', '+', '-', '@']) { format!("'{shown}") } else { shown }
}

/// `text` inside a Markdown paragraph or table cell: printable, short, and with every character
/// that could begin markup or HTML escaped.
pub fn markdown(text: &str) -> String {
    without_markup(&terminal(text))
}

/// As [`markdown`], but up to 1,000 characters long.
pub fn markdown_sentence(text: &str) -> String {
    without_markup(&sentence(text))
}

/// `text` for HTML and XML, in text and in quoted attributes: printable, and with every character of
/// markup as an entity. Not shortened.
pub fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in printable(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A name for HTML: as [`xml`], and at most [`NAME_MAX`] characters long.
pub fn html(text: &str) -> String {
    xml(&terminal(text))
}

/// A sentence for HTML: as [`html`], but up to 1,000 characters long.
pub fn html_sentence(text: &str) -> String {
    xml(&sentence(text))
}

fn without_markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Takes out escape sequences and characters that have no picture of their own; line ends and tabs
/// become blanks.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape_sequence(&mut chars),
            '\u{9b}' => skip_control_sequence(&mut chars),
            '\n' | '\r' | '\t' => shown.push(' '),
            c if c.is_control() || is_invisible(c) => {}
            c => shown.push(c),
        }
    }
    shown
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// After ESC: a control sequence (`[`), a string up to BEL or ST (`]`, `P`, `X`, `^`, `_`), or one
/// character. Source: ECMA-48, sections 5.4 and 5.6.
fn skip_escape_sequence(chars: &mut Chars<'_>) {
    match chars.next() {
        Some('[') => skip_control_sequence(chars),
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || c == '\u{9c}' || (c == '\u{1b}' && chars.peek() == Some(&'\\')) {
                    break;
                }
            }
            chars.next_if_eq(&'\\');
        }
        _ => {}
    }
}

/// Parameters and intermediates, then one final character.
fn skip_control_sequence(chars: &mut Chars<'_>) {
    while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    chars.next_if(|c| matches!(c, '@'..='~'));
}

/// Characters without width that hide text or turn its direction around.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shown: &str, expected: &str) {
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_terminal_gets_no_commands() {
        check(&terminal("plain name"), "plain name");
        check(&terminal("red \u{1b}[31mname\u{1b}[0m"), "red name");
        check(&terminal("\u{1b}]0;new title\u{7}name"), "name");
        check(&terminal("\u{1b}]8;;http://x\u{1b}\\link"), "link");
        check(&terminal("\u{9b}2Jname"), "name");
        check(&terminal("two\nlines\tand\u{8}\u{0}more"), "two lines andmore");
        check(&terminal("left\u{202e}right"), "leftright");
        check(&terminal("cut \u{1b}["), "cut ");
        check(&terminal("cut \u{1b}"), "cut ");
        check(&terminal("größe 大"), "größe 大");
    }

    #[test]
    fn long_names_are_cut() {
        let shown = terminal(&"x".repeat(1_000_000));
        assert_eq!(shown.chars().count(), NAME_MAX);
        assert!(shown.ends_with('…'));
        assert_eq!(terminal(&"y".repeat(NAME_MAX)), "y".repeat(NAME_MAX));
    }

    #[test]
    fn a_spreadsheet_gets_no_formula() {
        check(&csv_cell("=1+1"), "'=1+1");
        check(&csv_cell("@SUM(A1)"), "'@SUM(A1)");
        check(&csv_cell("-2"), "'-2");
        check(&csv_cell("\u{1b}[0m=1+1"), "'=1+1");
        check(&csv_cell("\t=1"), "' =1");
        check(&csv_cell("a=1"), "a=1");
    }

    #[test]
    fn markdown_stays_text() {
        check(&markdown("a|b"), "a\\|b");
        check(&markdown("<script>"), "&lt;script&gt;");
        check(&markdown("[x](y) *b* `c`"), "\\[x\\](y) \\*b\\* \\`c\\`");
    }
}
