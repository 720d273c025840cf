//! Every reader, right and wrong.

use expect_test::{Expect, expect};

use super::*;
use crate::yaml;

const KNOWN: [&str; 9] =
    ["text", "flag", "count", "ratio", "wait", "cpu", "memory", "color", "list"];

/// Reads a map with every kind of value, and renders what came out or what is wrong.
#[track_caller]
fn check(text: &str, expected: Expect) {
    let sources = [Source::new("f.yaml", text)];
    let parsed = yaml::parse(&sources[0]);
    assert_eq!(parsed.problems, []);
    let walker = Walker::strict(&sources);
    let mut out = String::new();
    if let Some(map) = walker.at(&parsed.documents[0], "spec").fields(&KNOWN) {
        let mut show = |text: Option<String>| {
            if let Some(text) = text {
                out.push_str(&text);
                out.push('\n');
            }
        };
        show(map.string("text"));
        show(map.bool("flag").map(|v| v.to_string()));
        show(map.get("count").and_then(|v| v.int(1..=10)).map(|v| v.to_string()));
        show(map.get("ratio").and_then(|v| v.float(0.0..=1.0)).map(|v| v.to_string()));
        show(map.get("wait").and_then(|v| v.duration()).map(|v| v.to_string()));
        show(map.get("cpu").and_then(|v| v.cpu()).map(|v| v.to_string()));
        show(map.get("memory").and_then(|v| v.bytes()).map(|v| v.to_string()));
        show(
            map.get("color").and_then(|v| v.one_of(&[("red", "R"), ("blue", "B")])).map(Into::into),
        );
        show(map.get("list").and_then(|v| v.list_of(At::string)).map(|v| v.join("+")));
    }
    for problem in walker.finish().0 {
        out.push_str(&problem.to_string());
    }
    expected.assert_eq(&out);
}

#[test]
fn reads_every_kind() {
    check(
        "text: 5\nflag: 'true'\ncount: 1e1\nratio: 0.5\nwait: 1h30m\ncpu: 3\nmemory: 4Gi\n\
         color: blue\nlist: [a, 2, false]",
        expect![[r#"
            5
            true
            10
            0.5
            1h30m0s
            3
            4Gi
            B
            a+2+false
        "#]],
    );
    check(
        "cpu: \"3\"\nmemory: 1e3\ncount: null",
        expect![[r#"
        3
        1000
    "#]],
    );
}

#[test]
fn reports_all_at_once() {
    check(
        "text: []\nflag: yes\ncount: 11\nratio: 2\nwait: 5\ncpu: lots\nmemory: -1\n\
         color: bleu\nlist: 3\nmemroy: 4Gi\n",
        expect![[r#"
            error: unknown key `memroy`
              --> f.yaml:10:1 (spec.memroy)
               |
            10 | memroy: 4Gi
               | ^^^^^^
               = help: did you mean `memory`?
            error: `text`: expected a text, found a list
             --> f.yaml:1:7 (spec.text)
              |
            1 | text: []
              |       ^
            error: `flag`: expected `true` or `false`, found `yes`
             --> f.yaml:2:7 (spec.flag)
              |
            2 | flag: yes
              |       ^^^
            error: `count`: expected a whole number from 1 to 10, found `11`
             --> f.yaml:3:8 (spec.count)
              |
            3 | count: 11
              |        ^^
            error: `ratio`: expected a number from 0 to 1, found `2`
             --> f.yaml:4:8 (spec.ratio)
              |
            4 | ratio: 2
              |        ^
            error: `wait`: expected a duration such as 90s, 5m or 1h30m, found `5`
             --> f.yaml:5:7 (spec.wait)
              |
            5 | wait: 5
              |       ^
            error: `cpu`: expected a CPU quantity such as 500m, 2 or 3.5, found `lots`
             --> f.yaml:6:6 (spec.cpu)
              |
            6 | cpu: lots
              |      ^^^^
            error: `memory`: expected a memory quantity such as 512Mi, 4Gi or 10G, found `-1`
             --> f.yaml:7:9 (spec.memory)
              |
            7 | memory: -1
              |         ^^
            error: unknown value `bleu`
             --> f.yaml:8:8 (spec.color)
              |
            8 | color: bleu
              |        ^^^^
              = help: did you mean `blue`?
            error: `list`: expected a list, found `3`
             --> f.yaml:9:7 (spec.list)
              |
            9 | list: 3
              |       ^
        "#]],
    );
    check(
        "[1]",
        expect![[r#"
        error: `spec`: expected a map, found a list
         --> f.yaml:1:1 (spec)
          |
        1 | [1]
          | ^
    "#]],
    );
    check(
        "count: 010",
        expect![[r#"
        error: `count`: expected a whole number from 1 to 10, found `010`
         --> f.yaml:1:8 (spec.count)
          |
        1 | count: 010
          |        ^^^
    "#]],
    );
}

#[test]
fn tolerant_notes_names() {
    let text = "pools:\n- {name: a, ami: x}\n- {name: b, ami: y, ssh: {}}\n";
    let sources = [Source::new("eks.yaml", text)];
    let parsed = yaml::parse(&sources[0]);
    let walker = Walker::tolerant(&sources);
    let map = walker.at(&parsed.documents[0], "").fields(&["pools"]).unwrap();
    for pool in map.get("pools").unwrap().list().unwrap() {
        assert!(pool.fields(&["name"]).unwrap().string("name").is_some());
    }
    let (problems, findings) = walker.finish();
    assert_eq!(problems, []);
    let shown: Vec<_> = findings.iter().map(|f| (f.message.as_str(), f.line, f.count)).collect();
    assert_eq!(
        shown,
        [
            ("`pools[].ami` was read and is not modelled", Some(2), 2),
            ("`pools[].ssh` was read and is not modelled", Some(3), 1),
        ]
    );
}

#[test]
fn names_what_is_missing_and_what_excludes() {
    let sources = [Source::new("f.yaml", "a: 1\nb: 2\n")];
    let parsed = yaml::parse(&sources[0]);
    let walker = Walker::strict(&sources);
    let map = walker.at(&parsed.documents[0], "spec").fields(&["a", "b", "c"]).unwrap();
    assert!(map.require("c").is_none());
    assert_eq!(map.one_of_keys(&["b", "a"]).map(|(key, _)| key), Some("b"));
    let messages: Vec<String> =
        walker.finish().0.into_iter().map(|p| format!("{}: {}", p.path, p.message)).collect();
    assert_eq!(messages, ["spec.c: `c` is missing", "spec.a: `a` and `b` exclude each other"]);
}
