//! From the paths a user names to logs: which files belong together, and in which order.
//!
//! - A file is a log.
//! - A folder named `eventlog_v2_*`, or one with `events_N_application` files in it, holds a rolled
//!   log (one an application): its files by `N`. A compacted file (`.compact`) stands for all files
//!   up to its own number.
//! - `eventlog-YYYY-MM-DD--HH-MM*` files beside a file `eventlog` are one Databricks log, oldest
//!   first, `eventlog` last.
//! - Any other folder is walked in order of names. Hidden files, `.crc` and `.md` files and markers
//!   that begin with `_` are skipped and counted. `appstatus_*` beside numbered files is part of
//!   the log, but empty.
//!
//! Source: Spark `deploy/history/EventLogFileReaders.scala` and `EventLogFileWriters.scala`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::report::Layout;

/// Folders deeper than this are not walked.
const DEPTH_MAX: usize = 32;

/// The files of one log, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFiles {
    /// What to call it: the file, or the folder of a rolled log.
    pub path: PathBuf,
    /// In the order to read them.
    pub files: Vec<PathBuf>,
    /// How they were found.
    pub layout: Layout,
    /// Numbers missing between the first and the last file of a rolled log.
    pub missing: Vec<u64>,
    /// Files of it that are not read, because a compacted one or a copy stands for them.
    pub superseded: u64,
}

/// What [`expand_paths`] found.
#[derive(Debug, Default)]
pub struct Expansion {
    /// Each log once, in order of the paths, then of names.
    pub logs: Vec<LogFiles>,
    /// Hidden files, checksums and markers that were passed over.
    pub skipped: u64,
    /// Paths named twice, directly or through a folder.
    pub repeated: Vec<PathBuf>,
    /// Paths that could not be looked at.
    pub errors: Vec<(PathBuf, io::Error)>,
}

/// Finds the logs in `paths`: files, rolled folders, and folders to walk.
pub fn expand_paths(paths: &[PathBuf]) -> Expansion {
    let mut walk = Walk::default();
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => walk.folder(path, 0),
            Ok(_) => walk.log(single(path)),
            Err(error) => walk.found.errors.push((path.clone(), error)),
        }
    }
    walk.found
}

fn single(path: &Path) -> LogFiles {
    LogFiles {
        path: path.to_owned(),
        files: vec![path.to_owned()],
        layout: Layout::File,
        missing: Vec::new(),
        superseded: 0,
    }
}

#[derive(Default)]
struct Walk {
    found: Expansion,
    seen: BTreeSet<PathBuf>,
}

impl Walk {
    fn log(&mut self, log: LogFiles) {
        // The same file under two names is the same log; where the system cannot tell, the path.
        let real = fs::canonicalize(&log.path).unwrap_or_else(|_| log.path.clone());
        let databricks = log.layout == Layout::Databricks;
        let real = if databricks { real.join("eventlog*") } else { real };
        if self.seen.insert(real) {
            self.found.logs.push(log);
        } else {
            self.found.repeated.push(log.path);
        }
    }

    fn folder(&mut self, path: &Path, depth: usize) {
        let (files, folders) = match self.entries(path) {
            Ok(entries) => entries,
            Err(error) => {
                self.found.errors.push((path.to_owned(), error));
                return;
            }
        };
        let (numbered, mut others) = numbered(files);
        let count = numbered.len();
        for (application, files) in numbered {
            // Usually a rolled log has a folder of its own, and then the folder's name says all.
            let one = count == 1;
            let name = if one { path.to_owned() } else { path.join(format!("*_{application}")) };
            self.log(rolled(&name, files));
        }
        let spark_folder = name_of(path).starts_with("eventlog_v2_");
        if spark_folder || count > 0 {
            // Empty files whose names say whether the application ended; its events say it too.
            others.retain(|file| !name_of(file).starts_with("appstatus_"));
        }
        if spark_folder {
            if count == 0 {
                self.log(rolled(path, Vec::new()));
            }
            self.found.skipped += (others.len() + folders.len()) as u64;
            return;
        }
        let (databricks, others) = databricks(path, others);
        databricks.into_iter().for_each(|log| self.log(log));
        for file in others {
            self.log(single(&file));
        }
        for folder in folders {
            if depth < DEPTH_MAX {
                self.folder(&folder, depth + 1);
            } else {
                let error = io::Error::other("folders are nested too deep");
                self.found.errors.push((folder, error));
            }
        }
    }

    /// Files and folders in `path`, by name, without what is skipped. Links to folders are not
    /// followed, so that a walk ends.
    fn entries(&mut self, path: &Path) -> io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let kind = entry.file_type()?;
            let skipped = name.starts_with(['.', '_'])
                || [".crc", ".md"].iter().any(|ending| name.ends_with(ending));
            let linked_folder = kind.is_symlink() && entry.path().is_dir();
            if skipped || linked_folder {
                self.found.skipped += 1;
            } else if kind.is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
        files.sort();
        folders.sort();
        Ok((files, folders))
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// `N` and the application of `events_N_application.codec.compact`.
fn rolled_name(path: &Path) -> Option<(u64, String)> {
    let name = name_of(path);
    let (number, application) = name.strip_prefix("events_")?.split_once('_')?;
    let mut application = application;
    for ending in [".compact", ".gz", ".lz4", ".lzf", ".snappy", ".zst", ".zstd"] {
        application = application.strip_suffix(ending).unwrap_or(application);
    }
    Some((number.parse().ok()?, application.to_owned()))
}

/// A numbered file of a rolled log, in the order to read them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Numbered {
    number: u64,
    compact: bool,
    file: PathBuf,
}

/// Takes the numbered files out of `files`, by application.
fn numbered(files: Vec<PathBuf>) -> (BTreeMap<String, Vec<Numbered>>, Vec<PathBuf>) {
    let mut by_application: BTreeMap<String, Vec<Numbered>> = BTreeMap::new();
    let mut others = Vec::new();
    for file in files {
        match rolled_name(&file) {
            Some((number, application)) => {
                let compact = name_of(&file).ends_with(".compact");
                let numbered = Numbered { number, compact, file };
                by_application.entry(application).or_default().push(numbered);
            }
            None => others.push(file),
        }
    }
    (by_application, others)
}

fn rolled(path: &Path, mut files: Vec<Numbered>) -> LogFiles {
    let all = files.len();
    files.sort();
    let compact = files.iter().rposition(|file| file.compact);
    if let Some(place) = compact {
        files.drain(..place);
    }
    // A number comes once; a second file of it is a copy, packed in another way.
    files.dedup_by_key(|file| file.number);
    let mut missing = Vec::new();
    // Without a compacted file the first number is 1.
    let mut last = if compact.is_none() { Some(0) } else { None };
    for file in &files {
        // Capped: a name can claim any number.
        let before = last.map_or(file.number, |last: u64| last + 1);
        missing.extend((before..file.number).take(100));
        last = Some(file.number);
    }
    let superseded = all - files.len();
    LogFiles {
        path: path.to_owned(),
        files: files.into_iter().map(|file| file.file).collect(),
        layout: Layout::Rolling,
        missing,
        superseded: superseded as u64,
    }
}

/// Takes the files of a Databricks log out of `files`.
fn databricks(path: &Path, files: Vec<PathBuf>) -> (Option<LogFiles>, Vec<PathBuf>) {
    let mut by_name: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut others = Vec::new();
    let mut newest = None;
    for file in files {
        let name = name_of(&file);
        if name == "eventlog" {
            newest = Some(file);
        } else if is_databricks_rolled(&name) {
            by_name.insert(name, file);
        } else {
            others.push(file);
        }
    }
    if by_name.is_empty() {
        others.extend(newest);
        others.sort();
        return (None, others);
    }
    let log = LogFiles {
        path: path.to_owned(),
        files: by_name.into_values().chain(newest).collect(),
        layout: Layout::Databricks,
        missing: Vec::new(),
        superseded: 0,
    };
    (Some(log), others)
}

/// Whether `name` is `eventlog-2024-05-01--10-00`, with or without an ending.
fn is_databricks_rolled(name: &str) -> bool {
    let Some(date) = name.strip_prefix("eventlog-") else {
        return false;
    };
    let shape = b"dddd-dd-dd--dd-dd";
    let fits = |(byte, want): (u8, &u8)| match want {
        b'd' => byte.is_ascii_digit(),
        other => byte == *other,
    };
    date.len() >= shape.len() && date.bytes().zip(shape).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(folder: &Path, names: &[&str]) {
        fs::create_dir_all(folder).unwrap();
        for name in names {
            fs::write(folder.join(name), b"x").unwrap();
        }
    }

    fn names(log: &LogFiles) -> Vec<String> {
        log.files.iter().map(|file| name_of(file)).collect()
    }

    #[test]
    fn a_rolled_folder_is_one_log_in_order_of_numbers() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("eventlog_v2_app-1");
        let files = ["appstatus_app-1", "events_10_app-1", "events_2_app-1", "events_1_app-1"];
        touch(&folder, &files);
        let found = expand_paths(&[root.path().to_owned()]);
        assert_eq!(found.logs.len(), 1);
        let log = &found.logs[0];
        assert_eq!(names(log), ["events_1_app-1", "events_2_app-1", "events_10_app-1"]);
        assert_eq!(log.missing, [3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(log.superseded, 0);
        assert_eq!(found.skipped, 0);
    }

    #[test]
    fn rolled_files_of_several_applications_in_one_folder_are_several_logs() {
        let root = tempfile::tempdir().unwrap();
        let files = ["events_1_a.zstd", "events_1_b", "events_1_b.zstd", "events_2_a.zstd", "c"];
        touch(root.path(), &files);
        touch(root.path(), &["appstatus_a"]);
        let found = expand_paths(&[root.path().to_owned()]);
        let logs: Vec<_> = found.logs.iter().map(names).collect();
        assert_eq!(logs[0], ["events_1_a.zstd", "events_2_a.zstd"]);
        assert_eq!(logs[1], ["events_1_b"]);
        assert_eq!(logs[2], ["c"]);
        assert_eq!(found.logs[1].superseded, 1);
        assert_eq!(found.logs.len(), 3);
    }

    #[test]
    fn a_compacted_file_stands_for_all_before_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("eventlog_v2_app-1");
        let files = ["events_3_a.zstd", "events_2_a.zstd", "events_2_a.zstd.compact"];
        touch(&folder, &files);
        let found = expand_paths(&[folder]);
        assert_eq!(names(&found.logs[0]), ["events_2_a.zstd.compact", "events_3_a.zstd"]);
        assert_eq!(found.logs[0].missing, [0u64; 0]);
        assert_eq!(found.logs[0].superseded, 1);
    }

    #[test]
    fn databricks_files_are_one_log_and_the_newest_is_last() {
        let root = tempfile::tempdir().unwrap();
        let rolled = ["eventlog", "eventlog-2024-05-01--10-00.gz", "eventlog-2024-04-30--23-00.gz"];
        touch(root.path(), &rolled);
        touch(root.path(), &["eventlog_other", ".hidden", "x.crc", "_SUCCESS", "README.md"]);
        let found = expand_paths(&[root.path().to_owned()]);
        assert_eq!(found.skipped, 4);
        assert_eq!(found.logs.len(), 2);
        assert_eq!(names(&found.logs[0]), [rolled[2], rolled[1], rolled[0]]);
        assert_eq!(names(&found.logs[1]), ["eventlog_other"]);
    }

    #[test]
    fn a_path_named_twice_counts_once() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["a", "b"]);
        let missing = root.path().join("missing");
        let paths = [root.path().join("b"), root.path().to_owned(), missing.clone()];
        let found = expand_paths(&paths);
        assert_eq!(found.logs.len(), 2);
        assert_eq!(found.repeated, [root.path().join("b")]);
        assert_eq!(found.errors[0].0, missing);
    }
}
