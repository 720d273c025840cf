//! A result folder appears whole or not at all: it is written beside its place under a temporary
//! name and then renamed.
//!
//! A folder that is already there is replaced only if it is empty or a result of ours (it has our
//! `summary.json`), or whatever else an [`Owner`] knows for its own: nobody loses other files to a
//! wrong `--out`. Leaves out: locks; of two runs into one folder the later one wins, whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How much of a `summary.json` is looked at to see whose it is.
const HEAD_BYTES: u64 = 4096;

/// A folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is something else there, or it cannot be a folder.
    #[error("{}: {reason}", path.display())]
    Refused {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// The system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Whose a folder must be to be replaced.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// Whether a folder that is not empty is ours.
    pub is_ours: fn(&Path) -> bool,
    /// What is said where it is not.
    pub refusal: &'static str,
}

/// Results.
const RESULT: Owner = Owner {
    is_ours: |folder| is_ours(&folder.join("summary.json")),
    refusal: "holds other files than a result of seatrial, and is not overwritten",
};

/// A result folder being written. Dropped without [`ResultFolder::commit`], it leaves nothing.
#[derive(Debug)]
pub struct ResultFolder {
    owner: Owner,
    target: PathBuf,
    unfinished: PathBuf,
    committed: bool,
}

/// Says whether `target` may be written, without writing anything.
///
/// # Errors
/// If there is something there that is not a result of ours, or it has no name of its own.
pub fn check(target: &Path) -> Result<(), FolderError> {
    check_as(&RESULT, target)
}

/// The same for a folder of `owner`.
///
/// # Errors
/// If there is something there that is not `owner`'s, or it has no name of its own.
pub fn check_as(owner: &Owner, target: &Path) -> Result<(), FolderError> {
    let refused = |reason| FolderError::Refused { path: target.to_owned(), reason };
    if target.file_name().is_none() {
        return Err(refused("is not the name of a new folder"));
    }
    let there = match fs::metadata(target) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(io_error(target, source)),
    };
    if !there.is_dir() {
        return Err(refused("is a file; give a folder"));
    }
    let mut entries = fs::read_dir(target).map_err(|source| io_error(target, source))?;
    if entries.next().is_none() || (owner.is_ours)(target) {
        return Ok(());
    }
    Err(refused(owner.refusal))
}

/// Whether `path` begins like a summary of ours.
fn is_ours(path: &Path) -> bool {
    use std::io::Read;
    let mut head = String::new();
    let read = fs::File::open(path)
        .and_then(|file| file.take(HEAD_BYTES).read_to_string(&mut head))
        .is_ok();
    read && head.contains("\"schema\"") && head.contains("\"seatrial.summary/")
}

impl ResultFolder {
    /// Opens a folder that will be `target`.
    ///
    /// # Errors
    /// As [`check`], and if the folder cannot be created.
    pub fn create(target: &Path) -> Result<Self, FolderError> {
        Self::create_as(RESULT, target)
    }

    /// The same for a folder of `owner`.
    ///
    /// # Errors
    /// As [`check_as`], and if the folder cannot be created.
    pub fn create_as(owner: Owner, target: &Path) -> Result<Self, FolderError> {
        check_as(&owner, target)?;
        // A link to a folder is followed, so that the rename replaces what it leads to.
        let target = target.canonicalize().unwrap_or_else(|_| target.to_owned());
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(|source| io_error(parent, source))?;
        let unfinished = beside(&target, "tmp");
        fs::create_dir(&unfinished).map_err(|source| io_error(&unfinished, source))?;
        Ok(Self { owner, target, unfinished, committed: false })
    }

    /// Where files are written until [`ResultFolder::commit`].
    pub fn path(&self) -> &Path {
        &self.unfinished
    }

    /// Writes a file.
    ///
    /// # Errors
    /// If the system says no.
    pub fn write(&self, name: &str, contents: &str) -> Result<(), FolderError> {
        let path = self.unfinished.join(name);
        fs::write(&path, contents).map_err(|source| io_error(&path, source))
    }

    /// Puts the folder in its place, and the one before it away.
    ///
    /// # Errors
    /// If the system says no, or the place has been taken by something else meanwhile.
    pub fn commit(mut self) -> Result<(), FolderError> {
        check_as(&self.owner, &self.target)?;
        let before = beside(&self.target, "old");
        let replaced = self.target.exists();
        if replaced {
            fs::rename(&self.target, &before).map_err(|source| io_error(&self.target, source))?;
        }
        if let Err(source) = fs::rename(&self.unfinished, &self.target) {
            if replaced {
                // The old result is worth more than none.
                fs::rename(&before, &self.target).map_err(|source| io_error(&before, source))?;
            }
            return Err(io_error(&self.target, source));
        }
        self.committed = true;
        if replaced {
            fs::remove_dir_all(&before).map_err(|source| io_error(&before, source))?;
        }
        Ok(())
    }
}

impl Drop for ResultFolder {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing better can be done with an error here: the name says what it is.
            let _ = fs::remove_dir_all(&self.unfinished);
        }
    }
}

/// Writes a file whole or not at all: under a temporary name beside it, and then renamed.
///
/// # Errors
/// If the system says no.
pub fn write_whole(path: &Path, contents: &str) -> Result<(), FolderError> {
    let unfinished = beside(path, "tmp");
    let written = fs::write(&unfinished, contents).and_then(|()| fs::rename(&unfinished, path));
    written.map_err(|source| {
        let _ = fs::remove_file(&unfinished);
        io_error(path, source)
    })
}

/// A hidden name beside `target`, of this process only.
fn beside(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{}.{ending}", std::process::id()))
}

fn io_error(path: &Path, source: io::Error) -> FolderError {
    FolderError::Io { path: path.to_owned(), source }
}

/// `name` as a folder's name: letters, digits, `.`, `_` and `-`, at most 100 characters, not
/// hidden, never empty.
pub fn sanitised(name: &str) -> String {
    let safe = |c: char| match c {
        c if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') => c,
        _ => '-',
    };
    let text: String = name.chars().take(100).map(safe).collect();
    let text = text.trim_matches(['.', '-']);
    if text.is_empty() { "scenario".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    const SUMMARY: &str = "{\n  \"schema\": \"seatrial.summary/v1\"\n}\n";

    #[test]
    fn a_result_replaces_an_older_one_whole() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("deep/result");
        let first = ResultFolder::create(&target).unwrap();
        first.write("summary.json", SUMMARY).unwrap();
        first.write("old.txt", "old").unwrap();
        assert!(!target.exists());
        first.commit().unwrap();
        let second = ResultFolder::create(&target).unwrap();
        second.write("summary.json", SUMMARY).unwrap();
        second.commit().unwrap();
        assert_eq!(names(&target), ["summary.json"]);
        assert_eq!(names(target.parent().unwrap()), ["result"]);
    }

    #[test]
    fn what_is_not_committed_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let folder = ResultFolder::create(&parent.path().join("result")).unwrap();
        folder.write("summary.json", SUMMARY).unwrap();
        drop(folder);
        assert_eq!(names(parent.path()), [""; 0]);
    }

    #[test]
    fn other_peoples_files_are_not_replaced() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("thesis.tex"), "years of work").unwrap();
        let error = ResultFolder::create(parent.path()).unwrap_err();
        assert!(error.to_string().contains("not overwritten"), "{error}");
        let file = parent.path().join("thesis.tex");
        assert!(check(&file).unwrap_err().to_string().contains("is a file"));
        fs::write(parent.path().join("summary.json"), "{\"schema\": \"other\"}").unwrap();
        assert!(check(parent.path()).is_err());
        assert!(check(Path::new("..")).is_err());
        assert!(check(Path::new("/")).is_err());
    }

    #[test]
    fn an_empty_folder_may_be_used() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("empty");
        fs::create_dir(&target).unwrap();
        let folder = ResultFolder::create(&target).unwrap();
        folder.write("summary.json", SUMMARY).unwrap();
        folder.commit().unwrap();
        assert_eq!(names(&target), ["summary.json"]);
    }

    #[test]
    fn names_are_made_safe() {
        assert_eq!(sanitised("eks-spot"), "eks-spot");
        assert_eq!(sanitised("../../etc/passwd"), "etc-passwd");
        assert_eq!(sanitised("a b\u{1b}[0m"), "a-b--0m");
        assert_eq!(sanitised("..."), "scenario");
        assert_eq!(sanitised("äö"), "scenario");
        assert_eq!(sanitised(&"x".repeat(500)).len(), 100);
    }
}
