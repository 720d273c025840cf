//! Text files from disk, with a limit and with messages a user can act on.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::problem::nearest;
use crate::yaml::TEXT_BYTES_MAX;

/// Reads a configuration file.
///
/// # Errors
/// A fragment for a message: not there (with the nearest file name in its folder), a folder, too
/// large, not UTF-8.
pub fn read_text(path: &Path) -> Result<String, String> {
    if path.is_dir() {
        return Err("this is a folder, not a file".to_owned());
    }
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => not_there(path),
        _ => format!("cannot be read: {error}"),
    })?;
    let mut bytes = Vec::new();
    let limit = TEXT_BYTES_MAX as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() > TEXT_BYTES_MAX {
        return Err(format!("larger than {TEXT_BYTES_MAX} bytes: not a configuration file"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        format!("not a text: byte {offset} is not UTF-8")
    })
}

fn not_there(path: &Path) -> String {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return "no such file".to_owned(),
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return format!("no such file: there is no folder `{}`", shown(folder));
    };
    let mut names: Vec<String> =
        entries.flatten().take(1000).map(|e| e.file_name().to_string_lossy().into()).collect();
    names.sort();
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(near) => format!("no such file; did you mean `{near}`?"),
        None => "no such file".to_owned(),
    }
}

/// A path as messages show it: with `/` on every platform.
pub fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
