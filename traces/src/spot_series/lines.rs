//! Text files line by line, and JSON files, each with a limit.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::TraceError;
use crate::table::open_text;

/// Longer lines are none of these formats'.
const LINE_BYTES_MAX: u64 = 4096;
/// Larger JSON files are not read.
const JSON_BYTES_MAX: u64 = 256 << 20;
/// More files of a folder are not read.
const FILES_MAX: usize = 10_000;

/// Hands every line that is not empty to `take`, with its number.
pub(super) fn each(
    path: &Path,
    mut take: impl FnMut(u64, &str) -> Result<(), TraceError>,
) -> Result<(), TraceError> {
    let mut text = BufReader::new(open_text(path)?);
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = text.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes);
        let read = read.map_err(|source| TraceError::io(path, source))? as u64;
        if read == 0 {
            break;
        }
        if read == LINE_BYTES_MAX {
            let reason = format!("line {line} has more than {LINE_BYTES_MAX} bytes");
            return Err(TraceError::unreadable(path, reason));
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_start_matches('\u{feff}').trim();
        if !text.is_empty() {
            take(line, text)?;
        }
    }
    Ok(())
}

/// A JSON file as a value.
pub(super) fn json<T: DeserializeOwned>(path: &Path) -> Result<T, TraceError> {
    let mut text = Vec::new();
    let read = open_text(path)?.take(JSON_BYTES_MAX + 1).read_to_end(&mut text);
    read.map_err(|source| TraceError::io(path, source))?;
    if text.len() as u64 > JSON_BYTES_MAX {
        return Err(TraceError::TooLarge {
            path: path.to_owned(),
            what: "it is too large for a JSON file of spot data".to_owned(),
            limit: JSON_BYTES_MAX,
        });
    }
    serde_json::from_slice(&text).map_err(|error| TraceError::unreadable(path, error.to_string()))
}

/// The files of a folder whose names end in `ending`, by name; a file is itself.
pub(super) fn files(path: &Path, ending: &str) -> Result<Vec<PathBuf>, TraceError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let io = |source| TraceError::io(path, source);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io)? {
        let entry = entry.map_err(io)?;
        let named = entry.file_name().to_string_lossy().ends_with(ending);
        if named && entry.file_type().map_err(io)?.is_file() {
            files.push(entry.path());
        }
    }
    if files.is_empty() {
        return Err(TraceError::unreadable(path, format!("no file in it ends in `{ending}`")));
    }
    if files.len() > FILES_MAX {
        return Err(TraceError::TooLarge {
            path: path.to_owned(),
            what: "it holds too many files".to_owned(),
            limit: FILES_MAX as u64,
        });
    }
    files.sort();
    Ok(files)
}

/// Milliseconds since 1970 of an RFC 3339 time.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}
