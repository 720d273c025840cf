//! A file under a temporary name beside its place, until it is whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::ExportError;

/// A file being written. Dropped without [`Unfinished::commit`], it leaves nothing.
#[derive(Debug)]
pub(super) struct Unfinished {
    target: PathBuf,
    path: PathBuf,
    committed: bool,
}

impl Unfinished {
    /// Opens a file that will be `target`: hidden, of this process only, and no `*.parquet`.
    pub(super) fn create(target: &Path) -> Result<(Self, File), ExportError> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        let file = File::create(&path).map_err(|source| ExportError::io(&path, source))?;
        Ok((Self { target: target.to_owned(), path, committed: false }, file))
    }

    /// Gives the file its name.
    pub(super) fn commit(mut self) -> Result<(), ExportError> {
        fs::rename(&self.path, &self.target)
            .map_err(|source| ExportError::io(&self.target, source))?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing better can be done with an error here: the name says what it is.
            let _ = fs::remove_file(&self.path);
        }
    }
}
