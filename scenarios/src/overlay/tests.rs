//! What inherits, what replaces, and what `--set` takes.

use expect_test::{Expect, expect};

use super::*;

/// The tree in YAML's flow notation.
fn show(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::String(text) => format!("'{text}'"),
        Value::Seq(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, node)| format!("{}: {}", key.name, show(node)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        _ => node.scalar_text().unwrap_or_default().to_owned(),
    }
}

#[track_caller]
fn check(files: &[(&str, &str)], sets: &[&str], expected: Expect) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let overlay = load(&folder.path().join(files[0].0), &sets);
    let mut out = show(&overlay.node);
    for problem in overlay.problems {
        out.push('\n');
        out.push_str(&problem.to_string());
    }
    let folder = format!("{}/", shown(folder.path()));
    expected.assert_eq(&out.replace(&folder, ""));
}

#[test]
fn maps_merge_lists_replace_null_removes() {
    check(
        &[
            ("top/a.yaml", "base: ../b.yaml\nm: {x: 2, gone: null}\nl: [3]\n"),
            ("b.yaml", "m: {x: 1, y: 1, gone: 1}\nl: [1, 2]\ns: text\n"),
        ],
        &[],
        expect!["{m: {x: 2, y: 1}, l: [3], s: 'text'}"],
    );
    check(&[("a.yaml", "base: b.yaml\n"), ("b.yaml", "m: 1")], &[], expect!["{m: 1}"]);
}

#[test]
fn chains_end() {
    check(
        &[("a.yaml", "base: b.yaml\nx: 1"), ("b.yaml", "base: a.yaml\ny: 2")],
        &[],
        expect![[r#"
            {y: 2, x: 1}
            error: `a.yaml` is based on this file: a cycle
             --> b.yaml:1:7 (base)
              |
            1 | base: a.yaml
              |       ^^^^^^
        "#]],
    );
    check(
        &[("a.yaml", "base: bb.yaml\n"), ("b.yaml", "{}")],
        &[],
        expect![[r#"
            {}
            error: `bb.yaml`: no such file; did you mean `b.yaml`?
             --> a.yaml:1:7 (base)
              |
            1 | base: bb.yaml
              |       ^^^^^^^
        "#]],
    );
    check(
        &[("a.yaml", "base: [b.yaml]\n")],
        &[],
        expect![[r#"
        {}
        error: `base`: expected a path, found a list
         --> a.yaml:1:7 (base)
          |
        1 | base: [b.yaml]
          |       ^
    "#]],
    );
    let names: Vec<String> = (0..20).map(|i| format!("{i}.yaml")).collect();
    let texts: Vec<String> = (1..21).map(|i| format!("base: {i}.yaml\n")).collect();
    let files: Vec<_> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    check(
        &files,
        &[],
        expect![[r#"
        {}
        error: more than 16 files based on each other
         --> 15.yaml:1:7 (base)
          |
        1 | base: 16.yaml
          |       ^^^^^^^
    "#]],
    );
}

#[test]
fn sets() {
    let file = [("a.yaml", "m: {x: 1, k.d: 2}\nl: [{a: 1}, {a: 2}]\n")];
    check(
        &file,
        &[
            "m.x=5m",
            r"m.k\.d=true",
            "l[1].a=\"7\"",
            "l[2].b=7",
            "n.o[0][0]=x=y",
            "f={p: [1]}",
            "e=",
        ],
        expect![
            "{m: {x: '5m', k.d: true}, l: [{a: 1}, {a: '7'}, {b: 7}], n: {o: [['x=y']]}, f: {p: [1]}}"
        ],
    );
    check(
        &file,
        &["m.x=null", "l[0]=null", "none.here=null"],
        expect!["{m: {k.d: 2}, l: [{a: 2}], none: {}}"],
    );
}

#[test]
fn sets_that_cannot_be() {
    let file = [("a.yaml", "m: {x: 1}\nl: [1]\n")];
    check(
        &file,
        &[
            "m", "=1", "m..x=1", "l[5]=1", "l[x]=1", "l.a=1", "m[0]=1", "m.x.y=1", "l[0]y=1",
            "m={a: [", "m\\",
        ],
        expect![[r#"
            {m: {x: 1}, l: [1]}
            error: expected `path=value`, such as `spec.region=eu-west-1`
             --> --set:1:1
              |
            1 | m
              | ^

            error: expected `path=value`, such as `spec.region=eu-west-1`
             --> --set:2:1
              |
            2 | =1
              | ^

            error: expected `path=value`, such as `spec.region=eu-west-1`
             --> --set:3:3
              |
            3 | m..x=1
              |   ^

            error: `[5]` is beyond the end of a list of 1
             --> --set:4:2
              |
            4 | l[5]=1
              |  ^^^

            error: expected a number and `]` after `[`
             --> --set:5:2
              |
            5 | l[x]=1
              |  ^

            error: `a` is asked for in a list, not in a map
             --> --set:6:3
              |
            6 | l.a=1
              |   ^

            error: `[0]` is asked of a map, not of a list
             --> --set:7:2
              |
            7 | m[0]=1
              |  ^^^

            error: `y` is asked for in a number, not in a map
             --> --set:8:5
              |
            8 | m.x.y=1
              |     ^

            error: expected `.`, `[` or `=` after `]`
             --> --set:9:5
              |
            9 | l[0]y=1
              |     ^

            error: the value is not YAML: unclosed bracket '['
              --> --set:10:3
               |
            10 | m={a: [
               |   ^^^^^

            error: nothing after `\`
              --> --set:11:2
               |
            11 | m\
               |  ^
        "#]],
    );
}
