//! Files and folders to texts, with limits: no folder can make us read without bounds.
//!
//! Left out: hidden files and folders, links to folders, anything that is no regular file.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Given, Ignored, ImportError, one_line};
use crate::overlay::shown;

/// Longest file that is read: a dump of some thousand nodes and their pods.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Most files of all folders together.
const FILES_MAX: usize = 2_000;
/// Most bytes of all files together.
const ALL_BYTES_MAX: u64 = 256 << 20;
/// Folders in folders.
const DEPTH_MAX: usize = 12;

struct Gather<'a> {
    leave_out: Option<&'a Path>,
    given: Vec<Given>,
    ignored: Vec<Ignored>,
    bytes: u64,
}

/// Reads the files `paths` and those in the folders among them, but for the folder `leave_out`.
/// Gives the texts, in the order of `paths` and then of names, and what was not read.
///
/// # Errors
/// A path that the user named is not there or cannot be read, or there is too much.
pub fn gather(
    paths: &[PathBuf],
    leave_out: Option<&Path>,
) -> Result<(Vec<Given>, Vec<Ignored>), ImportError> {
    let leave_out = leave_out.and_then(|path| path.canonicalize().ok());
    let mut gather = Gather {
        leave_out: leave_out.as_deref(),
        given: Vec::new(),
        ignored: Vec::new(),
        bytes: 0,
    };
    for path in paths {
        let error = |reason: String| ImportError::File { file: name_of(path), reason };
        let found = fs::metadata(path).map_err(|e| error(format!("cannot be read: {e}")))?;
        if found.is_dir() {
            gather.folder(path, 0)?;
        } else {
            let text = gather.read(path, &found).map_err(error)?;
            gather.push(path, text, true)?;
        }
    }
    Ok((gather.given, gather.ignored))
}

fn name_of(path: &Path) -> String {
    one_line(&shown(path), 300)
}

impl Gather<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), ImportError> {
        let error = |reason: String| ImportError::File { file: name_of(folder), reason };
        let is_left_out = |left: &Path| folder.canonicalize().is_ok_and(|own| own == left);
        if self.leave_out.is_some_and(is_left_out) {
            return Ok(());
        }
        if depth > DEPTH_MAX {
            return Err(error(format!("more than {DEPTH_MAX} folders in each other")));
        }
        let entries = fs::read_dir(folder).map_err(|e| error(format!("cannot be read: {e}")))?;
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| error(format!("cannot be read: {e}")))?;
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if !hidden {
                paths.push(entry.path());
            }
            if paths.len() > FILES_MAX {
                let reason = format!("more than {FILES_MAX} files: name those that are meant");
                return Err(error(reason));
            }
        }
        paths.sort();
        for path in paths {
            let linked = fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
            match fs::metadata(&path) {
                Ok(found) if found.is_dir() && !linked => self.folder(&path, depth + 1)?,
                Ok(found) if found.is_dir() => self.leave(&path, "a link to a folder".to_owned()),
                Ok(found) => match self.read(&path, &found) {
                    Ok(text) => self.push(&path, text, false)?,
                    Err(reason) => self.leave(&path, reason),
                },
                Err(error) => self.leave(&path, format!("cannot be read: {error}")),
            }
        }
        Ok(())
    }

    fn leave(&mut self, path: &Path, why: String) {
        self.ignored.push(Ignored { file: name_of(path), why });
    }

    /// The text of a file, or why there is none.
    fn read(&self, path: &Path, found: &fs::Metadata) -> Result<String, String> {
        if !found.is_file() {
            return Err("no regular file".to_owned());
        }
        let too_large =
            |bytes: u64| format!("{bytes} bytes: files of up to {FILE_BYTES_MAX} are read");
        if found.len() > FILE_BYTES_MAX {
            return Err(too_large(found.len()));
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
        let mut file = file.take(FILE_BYTES_MAX + 1);
        file.read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(too_large(bytes.len() as u64));
        }
        String::from_utf8(bytes).map_err(|error| {
            format!("not a text: byte {} is not UTF-8", error.utf8_error().valid_up_to())
        })
    }

    fn push(&mut self, path: &Path, text: String, named: bool) -> Result<(), ImportError> {
        let error = |reason: String| ImportError::File { file: name_of(path), reason };
        self.bytes += text.len() as u64;
        if self.bytes > ALL_BYTES_MAX {
            let reason =
                format!("more than {ALL_BYTES_MAX} bytes in all: name the files that are meant");
            return Err(error(reason));
        }
        if self.given.len() >= FILES_MAX {
            let reason = format!("more than {FILES_MAX} files: name those that are meant");
            return Err(error(reason));
        }
        self.given.push(Given { name: shown(path), text, named });
        Ok(())
    }
}
