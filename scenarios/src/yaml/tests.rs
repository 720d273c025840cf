//! Trees, places, and files that mean harm.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Parsed {
    parse(&Source::new("f.yaml", text))
}

/// One document in a short notation: `{a: 1n, b: [x]}`, numbers marked with `n`.
fn show(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => format!("{text}n"),
        Value::String(text) => text.clone(),
        Value::Seq(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, node)| format!("{}: {}", key.name, show(node)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let parsed = read(text);
    assert_eq!(parsed.problems, [], "{text}");
    let shown: Vec<String> = parsed.documents.iter().map(show).collect();
    assert_eq!(shown.join(" --- "), expected, "{text}");
}

#[track_caller]
fn refuse(text: &str, expected: &str) {
    let parsed = read(text);
    let problems: Vec<String> = parsed
        .problems
        .iter()
        .map(|problem| format!("{}:{}: {}", problem.line, problem.column, problem.message))
        .collect();
    assert_eq!(problems.join("\n"), expected);
}

#[test]
fn reads_the_core_schema() {
    check(
        "a: 1\nb: '1'\nc: no\nd: [true, ~, 1.5e3, 0x1f]",
        "{a: 1n, b: 1, c: no, d: [true, null, 1.5e3n, 0x1fn]}",
    );
    check("1.30", "1.30n");
    check(
        "v: 1.2.3\nt: 5m\nx: 1_000\ne: .\nn: -.inf",
        "{v: 1.2.3, t: 5m, x: 1_000, e: ., n: -.infn}",
    );
    check("a: |\n  x\n  y\n8080: web\n", "{a: x\ny\n, 8080: web}");
    check("a: !!str 5", "{a: 5}");
    check("", "");
    check("--- 1\n--- 2\n", "1n --- 2n");
    check("\u{feff}a: 1", "{a: 1n}");
}

#[test]
fn knows_places() {
    let parsed = read("a:\n  - b: x\n    c: 22\n");
    let item = &parsed.documents[0].get("a").expect("a is there").items()[0];
    let (key, node) = item.entries().nth(1).expect("c is there");
    assert_eq!(key.pos, Pos::new(3, 5, 1));
    assert_eq!(node.pos, Pos::new(3, 8, 2));
}

#[test]
fn resolves_aliases_and_merges() {
    check("a: &x {k: 1}\nb: *x", "{a: {k: 1n}, b: {k: 1n}}");
    check("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}", "{a: {k: 1n, l: 2n}, b: {k: 3n, l: 2n}}");
}

#[test]
fn refuses_what_is_wrong() {
    refuse("a: 1\nb: 2\na: 3\n", "3:1: duplicate key `a`");
    refuse("? [1]\n: 2\n", "1:3: a list as a key of a map");
    refuse("a: !secret x\n", "1:12: a tag that is not YAML's own");
    refuse("a: \0", "1:4: a NUL byte: this is not a YAML text");
    refuse("a: {<<: 3}", "1:9: `<<` merges maps, and this is a number");
    assert!(read("a: [1, 2").problems[0].message.starts_with("not YAML: "));
    assert!(read("a: *x").problems[0].message.starts_with("not YAML: "));
    assert!(read("a: &x [*x]").problems[0].message.contains("an alias inside of what it names"));
    assert!(read("a: b: c").problems.len() == 1);
}

#[test]
fn survives_bombs() {
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(read(&laughs).problems[0].message.contains("aliases grow this file"));
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(1000));
    assert!(read(&long).problems[0].message.contains("aliases grow this file"));
    for deep in ["[".repeat(100_000), "{a: ".repeat(50_000), "- ".repeat(50_000)] {
        assert_eq!(read(&deep).problems.len(), 1);
    }
    let big = "a".repeat(10 << 20);
    assert!(read(&big).problems[0].message.starts_with("10485760 bytes of YAML"));
    let mut nested = "a0: &a0 [x]\n".to_owned();
    for level in 1..100 {
        nested.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(read(&nested).problems[0].message.contains("with its aliases"));
}

proptest! {
    #[test]
    fn takes_any_text(text in "[-a-z0-9 \n:,&*!|>'\"\\[\\]{}#%@`?<~.\t\u{1}\u{e9}]{0,200}") {
        let parsed = read(&text);
        for problem in &parsed.problems {
            prop_assert!(!problem.to_string().is_empty());
        }
    }

    #[test]
    fn takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&String::from_utf8_lossy(&bytes));
    }
}
