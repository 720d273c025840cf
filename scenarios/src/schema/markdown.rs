//! The table as a document for people.

use std::fmt::Write;

use super::{Kind, ROOT, Section};

const HEAD: &str = "\
# The scenario file

This page is generated from the table that the loader itself uses; `UPDATE_EXPECT=1 cargo test -p \
scenarios` writes it again.

YAML 1.2, `camelCase` keys. CPU and memory are Kubernetes quantities (`500m`, `12Gi`), durations \
are `90s`, `5m`, `1h30m`. An unknown key is an error. Paths are relative to the file that names \
them. `base: other.yaml` inherits: maps merge, lists and single values replace, `null` removes. \
`--set spec.workload.traces[0].jobTable=day.csv` comes last; a dot inside a key is escaped \
(`spec.spark.sparkConf.spark\\.executor\\.cores=4`), and paths are relative to the current folder.

For completion and checks in an editor, start a file with
`# yaml-language-server: $schema=../../docs/scenario.schema.json` (or wherever `seatrial schema` \
was written to).
";

/// `docs/scenario-format.md`.
pub fn markdown() -> String {
    let mut sections: Vec<&'static Section> = vec![&ROOT];
    let mut next = 0;
    while let Some(section) = sections.get(next).copied() {
        next += 1;
        let mut found = Vec::new();
        section.keys.iter().for_each(|key| inner_sections(&key.kind, &mut found));
        for inner in found {
            if !sections.iter().any(|known| known.name == inner.name) {
                sections.push(inner);
            }
        }
    }
    let mut out = HEAD.to_owned();
    for section in sections {
        write_section(&mut out, section);
    }
    out
}

fn inner_sections(kind: &Kind, found: &mut Vec<&'static Section>) {
    match kind {
        Kind::Section(section) => found.push(section),
        Kind::List(kind) | Kind::Map(kind) => inner_sections(kind, found),
        _ => {}
    }
}

fn write_section(out: &mut String, section: &Section) {
    let (name, doc) = (section.name, section.doc);
    let _ = write!(out, "\n## {name}\n\n{doc}\n\n| key | value | default | meaning |\n");
    out.push_str("|---|---|---|---|\n");
    for key in section.keys {
        let default = match key.default {
            "" if key.required => "required".to_owned(),
            "" => String::new(),
            prose if prose.starts_with('(') => prose.trim_matches(['(', ')']).to_owned(),
            value => format!("`{value}`"),
        };
        let mut doc = key.doc.to_owned();
        if let Some(choices) = choices(&key.kind) {
            doc.push_str(&choices);
        }
        let _ = writeln!(out, "| `{}` | {} | {default} | {doc} |", key.name, shape(&key.kind));
    }
}

fn shape(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Path => "path".to_owned(),
        Kind::Bool => "`true` or `false`".to_owned(),
        Kind::Int(low, high) => format!("whole number, {low} to {high}"),
        Kind::Float(low, high) => format!("number, {low} to {high}"),
        Kind::Duration => "duration".to_owned(),
        Kind::Cpu => "CPU".to_owned(),
        Kind::Bytes => "memory".to_owned(),
        Kind::Choice(_) => "name".to_owned(),
        Kind::Section(section) => {
            format!("[{}](#{})", section.name, section.name.to_lowercase())
        }
        Kind::List(item) => format!("list of {}", shape(item)),
        Kind::OneOrMore(item) => format!("{}; or a list of them", shape(item)),
        Kind::Map(value) => format!("map to {}", shape(value)),
        Kind::PathOrMap => "path, or the content".to_owned(),
        Kind::Any => "anything".to_owned(),
    }
}

fn choices(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Choice(names) => {
            let names = names.iter().map(|(name, doc)| format!("`{name}` ({doc})"));
            Some(format!(" {}.", names.collect::<Vec<_>>().join(", ")))
        }
        Kind::List(item) | Kind::OneOrMore(item) => choices(item),
        _ => None,
    }
}
