//! Which simulation a result folder holds: scenario and seed, from its `summary.json`.

use std::path::Path;

use super::ExportError;
use crate::result_file;

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
    let summary = result_file::summary(folder)?;
    match (summary["scenario"].as_str(), summary["seed"].as_u64()) {
        (Some(scenario), Some(seed)) => Ok(Identity { scenario: scenario.to_owned(), seed }),
        _ => Err(ExportError::refused(
            &folder.join("summary.json"),
            "no `scenario` (a text) and `seed` (a whole number)",
        )),
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
        write("{\"schema\": \"seatrial.summary/v1\", \"scenario\": 3, \"seed\": -1}");
        assert!(error().contains("`seed`"));
    }
}
