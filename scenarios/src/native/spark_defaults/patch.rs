//! A user's own `spark-defaults.conf` with other values. Settings that it does not have come at its
//! end; none goes.

use std::collections::{BTreeMap, BTreeSet};

use super::properties::{self, Property};
use super::write::{self, escaped_value};
use crate::native::patch::Patch;
use crate::problem::{Pos, Source};

/// The changes to `text` that make its settings those of `wanted`.
pub fn patch(text: &str, wanted: &BTreeMap<String, String>) -> Patch {
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = properties::read(&Source::new("", bare), &mut Vec::new());
    if bare.len() != text.len() {
        // The mark has a column of its own.
        for property in &mut found {
            for pos in [&mut property.key_pos, &mut property.value_pos] {
                pos.column += u32::from(pos.line == 1);
            }
        }
    }
    let mut patch = Patch::default();
    let mut seen = BTreeSet::new();
    // The last of several values counts.
    for property in found.iter().rev() {
        if !seen.insert(property.key.as_str()) {
            continue;
        }
        if let Some(value) = wanted.get(&property.key).filter(|value| **value != property.value) {
            change(text, property, value, &mut patch);
        }
    }
    let missing: BTreeMap<String, String> = wanted
        .iter()
        .filter(|(key, _)| !seen.contains(key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let last = u32::try_from(text.split_inclusive('\n').count()).unwrap_or(u32::MAX);
    for line in write::text(&missing).lines() {
        patch.insert_after(last, line);
    }
    patch
}

/// Puts `value` in the place of the property's.
fn change(text: &str, property: &Property, value: &str, patch: &mut Patch) {
    let first = property.key_pos.line;
    let line = text.split('\n').nth(first as usize - 1).unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    let end = line.trim_end().chars().count();
    let at = property.value_pos;
    // Without a value, its place is the key's; on a later line, the first one holds the key alone.
    let has_place = at.line == first && at != property.key_pos;
    if has_place {
        let from = at.column as usize - 1;
        patch.replace(at, end.saturating_sub(from), escaped_value(value));
    } else {
        let whole = BTreeMap::from([(property.key.clone(), value.to_owned())]);
        let written = write::text(&whole);
        let from = property.key_pos.column as usize - 1;
        let pos = Pos { width: 1, ..property.key_pos };
        patch.replace(pos, end.saturating_sub(from), written.trim_end_matches('\n'));
    }
    (first + 1..=property.last_line).for_each(|line| patch.remove(line));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::spark_defaults::read;

    #[track_caller]
    fn check(text: &str, wanted: &[(&str, &str)], expected: &str) {
        let wanted: BTreeMap<String, String> =
            wanted.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let new = patch(text, &wanted).apply(text);
        assert_eq!(new, expected);
        let again = read("again.conf", &new);
        for (key, value) in &wanted {
            assert_eq!(again.value.get(key), Some(value.as_str()), "{new}");
        }
        assert!(patch(&new, &wanted).is_empty(), "{new}");
    }

    #[test]
    fn values_change_in_their_places() {
        check(
            "# kept\nspark.a   1   \n\nspark.b=2\nspark.c : 3\nother 4\n",
            &[("spark.a", "10g"), ("spark.b", "2"), ("spark.c", "=x\\"), ("spark.d", "5")],
            "# kept\nspark.a   10g   \n\nspark.b=2\nspark.c : \\=x\\\\\nother 4\nspark.d 5\n",
        );
        check("spark.a 1\nspark.a 2", &[("spark.a", "3")], "spark.a 1\nspark.a 3");
        check("spark.a 1\r\n", &[("spark.a", "3")], "spark.a 3\r\n");
        check("  spark.a\n", &[("spark.a", "3")], "  spark.a 3\n");
        check(
            "spark.a 1,\\\n  2,\\\n  3\nspark.b \\\n 1\nspark.c 1\n",
            &[("spark.a", "4"), ("spark.b", "5")],
            "spark.a 4\nspark.b 5\nspark.c 1\n",
        );
        check("", &[("spark.a", "3")], "spark.a 3\n");
        check("\u{feff}spark.a 1\n", &[("spark.a", "3")], "\u{feff}spark.a 3\n");
    }
}
