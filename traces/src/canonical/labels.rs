//! Labels and node selectors as one cell: `key=value;key=value`.

use std::collections::BTreeMap;

/// Reads `key=value;key=value`; `None` where a part has no `=` or no key.
pub(super) fn parse(text: &str) -> Option<BTreeMap<String, String>> {
    text.split(';')
        .filter(|part| !part.trim().is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=')?;
            let key = unescape(key);
            (!key.is_empty()).then(|| (key, unescape(value)))
        })
        .collect()
}

/// Writes what [`parse`] reads.
pub(super) fn render(labels: &BTreeMap<String, String>) -> String {
    let parts = labels.iter().map(|(key, value)| format!("{}={}", escape(key), escape(value)));
    parts.collect::<Vec<_>>().join(";")
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace(';', "%3B").replace('=', "%3D")
}

fn unescape(text: &str) -> String {
    text.replace("%3D", "=").replace("%3B", ";").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn labels_read_back(
            labels in proptest::collection::btree_map("[a-z%;=3BD]{1,6}", "[a-z%;=25]{0,6}", 0..4)
        ) {
            proptest::prop_assert_eq!(parse(&render(&labels)), Some(labels));
        }
    }

    #[test]
    fn parts_need_a_key_and_an_equals_sign() {
        assert_eq!(parse("zone"), None);
        assert_eq!(parse("=a"), None);
        assert_eq!(parse("a=b=c").map(|labels| labels["a"].clone()), Some("b=c".to_owned()));
    }
}
