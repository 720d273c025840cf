//! Hive partitions: `scenario=quickstart/seed=0`.
//!
//! Values are percent-encoded as UTF-8, all but letters, digits, `-`, `_` and `.`: the readers
//! (DuckDB, polars, Spark) decode them. Source: Hive, `FileUtils.escapePathName`, which encodes
//! control characters and `"#%'*/:=?\{[]^`; encoding more reads back the same. An empty value is
//! Hive's `__HIVE_DEFAULT_PARTITION__`, which reads back as null.

/// Most bytes of a folder's name on the usual file systems.
pub(super) const FOLDER_MAX: usize = 255;

/// `key=value`, the value encoded.
pub(super) fn partition(key: &str, value: &str) -> String {
    let mut folder = format!("{key}=");
    if value.is_empty() {
        folder.push_str("__HIVE_DEFAULT_PARTITION__");
    }
    for byte in value.bytes() {
        match byte {
            b'-' | b'_' | b'.' => folder.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => folder.push(char::from(byte)),
            byte => folder.push_str(&format!("%{byte:02X}")),
        }
    }
    folder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        assert_eq!(partition("k", value), expected);
    }

    #[test]
    fn values_are_encoded() {
        check("quick-start_1.5", "k=quick-start_1.5");
        check("../../etc", "k=..%2F..%2Fetc");
        check("a=b%c d", "k=a%3Db%25c%20d");
        check("\u{1b}[0m\n\0", "k=%1B%5B0m%0A%00");
        check("größe", "k=gr%C3%B6%C3%9Fe");
        check("C:\\x", "k=C%3A%5Cx");
        check("", "k=__HIVE_DEFAULT_PARTITION__");
    }
}
