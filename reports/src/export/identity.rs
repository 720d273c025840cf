//! Which simulation a result folder holds: scenario and seed, from its `summary.json`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::ExportError;

/// Larger files are no summaries.
const SUMMARY_MAX: u64 = 256 << 20;

/// A result's scenario and seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) scenario: String,
    pub(super) seed: u64,
}

/// Reads `folder/summary.json`.
///
/// # Errors
/// It is not there, or not a summary of this format.
pub(super) fn identity(folder: &Path) -> Result<Identity, ExportError> {
    let path = folder.join("summary.json");
    let refused = |why: &str| {
        let next = "is this a result folder of this version of seatrial? `seatrial run` writes one";
        ExportError::refused(&path, format!("{why}; {next}"))
    };
    let file = File::open(&path).map_err(|error| refused(&error.to_string()))?;
    let mut text = String::new();
    file.take(SUMMARY_MAX)
        .read_to_string(&mut text)
        .map_err(|error| refused(&error.to_string()))?;
    let summary: Value =
        serde_json::from_str(&text).map_err(|error| refused(&format!("not JSON: {error}")))?;
    let schema = summary["schema"].as_str().unwrap_or_default();
    if schema != "seatrial.summary/v1" {
        return Err(refused(&format!("`schema` is `{schema}`, not `seatrial.summary/v1`")));
    }
    match (summary["scenario"].as_str(), summary["seed"].as_u64()) {
        (Some(scenario), Some(seed)) => Ok(Identity { scenario: scenario.to_owned(), seed }),
        _ => Err(refused("no `scenario` (a text) and `seed` (a whole number)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenario_and_seed_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(folder.path().join("summary.json"), text).unwrap();
        let error = || identity(folder.path()).unwrap_err().to_string();
        assert!(error().contains("summary.json") && error().contains("seatrial run"));
        write("{\"schema\": \"seatrial.summary/v1\", \"scenario\": \"a/b\", \"seed\": 7}");
        let expected = Identity { scenario: "a/b".to_owned(), seed: 7 };
        assert_eq!(identity(folder.path()).unwrap(), expected);
        write("{\"schema\": \"seatrial.summary/v9\"}");
        assert!(error().contains("`seatrial.summary/v9`"));
        write("{\"schema\": \"seatrial.summary/v1\", \"scenario\": 3, \"seed\": -1}");
        assert!(error().contains("`seed`"));
        write("{");
        assert!(error().contains("not JSON"));
    }
}
