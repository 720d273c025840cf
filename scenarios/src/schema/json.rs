//! The table as JSON Schema (draft 2020-12), for editors.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Key, Kind, ROOT, Section};

const DURATION: &str = r"^([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+$|^0$";
const QUANTITY: &str = r"^[0-9]+(\.[0-9]*)?([numkMGTPE]|[KMGTPE]i|[eE]-?[0-9]+)?$";

/// The JSON Schema of scenario files.
pub fn schema() -> Value {
    let mut definitions = BTreeMap::new();
    let Value::Object(root) = section(&ROOT, &mut definitions) else {
        return Value::Null;
    };
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!("seatrial scenario"));
    schema.extend(root);
    schema.insert("$defs".into(), json!(definitions));
    Value::Object(schema)
}

fn section(section: &'static Section, definitions: &mut BTreeMap<&'static str, Value>) -> Value {
    let mut properties = Map::new();
    for key in section.keys {
        properties.insert(key.name.to_owned(), property(key, definitions));
    }
    let required: Vec<&str> =
        section.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema = json!({
        "description": section.doc,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    // A file with a base holds only what differs, down to the innermost map; and a pool's
    // overrides are a part of a pool. So only what every file must have is required here; the
    // loader reports the rest.
    if section.name == ROOT.name {
        let required: Vec<&str> = required.into_iter().filter(|name| *name != "spec").collect();
        schema["required"] = json!(required);
    }
    schema
}

fn property(key: &Key, definitions: &mut BTreeMap<&'static str, Value>) -> Value {
    let mut doc = key.doc.to_owned();
    if !key.default.is_empty() {
        doc.push_str(&format!(" Default: {}.", key.default));
    }
    let mut schema = Map::new();
    schema.insert("description".into(), json!(doc));
    // `null` removes what a base has set.
    let any_of = json!([of_kind(&key.kind, definitions), { "type": "null" }]);
    schema.insert("anyOf".into(), any_of);
    Value::Object(schema)
}

fn of_kind(kind: &Kind, definitions: &mut BTreeMap<&'static str, Value>) -> Value {
    match kind {
        Kind::Text => json!({ "type": ["string", "number", "boolean"] }),
        Kind::Path => json!({ "type": "string" }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Int(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Kind::Float(low, high) => json!({ "type": "number", "minimum": low, "maximum": high }),
        Kind::Duration => json!({ "type": ["string", "number"], "pattern": DURATION }),
        Kind::Cpu | Kind::Bytes => {
            json!({ "type": ["string", "number"], "pattern": QUANTITY, "minimum": 0 })
        }
        Kind::Choice(names) => {
            let names: Vec<Value> = names
                .iter()
                .map(|(name, doc)| json!({ "const": name, "description": doc }))
                .collect();
            json!({ "oneOf": names })
        }
        Kind::Section(inner) => {
            if !definitions.contains_key(inner.name) {
                definitions.insert(inner.name, Value::Null);
                let schema = section(inner, definitions);
                definitions.insert(inner.name, schema);
            }
            json!({ "$ref": format!("#/$defs/{}", inner.name) })
        }
        Kind::List(item) => json!({ "type": "array", "items": of_kind(item, definitions) }),
        Kind::OneOrMore(item) => {
            let item = of_kind(item, definitions);
            json!({ "anyOf": [item, { "type": "array", "items": item }] })
        }
        Kind::Map(value) => {
            let value = of_kind(value, definitions);
            let value = json!({ "anyOf": [value, { "type": "null" }] });
            json!({ "type": "object", "additionalProperties": value })
        }
        Kind::PathOrMap => json!({ "type": ["string", "object"] }),
        Kind::Any => json!(true),
    }
}
