//! The JSON files of a result folder, read back.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Larger files are no results of ours.
const MAX: u64 = 256 << 20;

/// A file of a result folder cannot be read, or is of another version.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}: {reason}; is this a result folder of this version of seatrial? `seatrial run` writes one",
    path.display()
)]
pub struct ResultFileError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// Reads `folder/summary.json`.
///
/// # Errors
/// It is not there, or not a summary of this version.
pub fn summary(folder: &Path) -> Result<Value, ResultFileError> {
    read(folder, "summary.json", crate::summary::SCHEMA)
}

/// Reads `folder/findings.json`.
///
/// # Errors
/// As [`summary`].
pub fn findings(folder: &Path) -> Result<Value, ResultFileError> {
    read(folder, "findings.json", crate::findings::SCHEMA)
}

fn read(folder: &Path, name: &str, schema: &str) -> Result<Value, ResultFileError> {
    let path = folder.join(name);
    let refused = |reason: String| ResultFileError { path: path.clone(), reason };
    let file = File::open(&path).map_err(|error| refused(error.to_string()))?;
    let mut text = String::new();
    file.take(MAX).read_to_string(&mut text).map_err(|error| refused(error.to_string()))?;
    let value: Value =
        serde_json::from_str(&text).map_err(|error| refused(format!("not JSON: {error}")))?;
    match value["schema"].as_str().unwrap_or_default() {
        found if found == schema => Ok(value),
        other => Err(refused(format!("`schema` is `{other}`, not `{schema}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_summary_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(folder.path().join("summary.json"), text).unwrap();
        let error = || summary(folder.path()).unwrap_err().to_string();
        assert!(error().contains("summary.json") && error().contains("seatrial run"));
        write("{\"schema\": \"seatrial.summary/v9\"}");
        assert!(error().contains("`seatrial.summary/v9`"));
        write("{");
        assert!(error().contains("not JSON"));
        write("{\"schema\": \"seatrial.summary/v1\", \"seed\": 7}");
        assert_eq!(summary(folder.path()).unwrap()["seed"], 7);
        assert!(findings(folder.path()).is_err());
    }
}
