//! The tables of several results as one dataset, partitioned as Hive does:
//! `DIR/<table>/scenario=<name>/seed=<seed>/part-0.parquet`.
//!
//! Files are copied byte for byte, so that whatever columns a table has are in the dataset. All is
//! checked before anything is written, and every file gets its name only when all are copied.
//! Leaves out: locks (of two exports into one partition the later one wins, file by file), and
//! results of one scenario and seed beside each other: one of them needs another name.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ExportError;
use super::hive::{self, FOLDER_MAX};
use super::identity::identity;
use super::unfinished::Unfinished;
use crate::tables::{TABLES, TableFile};

/// The one file of a partition.
const PART: &str = "part-0.parquet";

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasetWritten {
    /// Files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// A file of a result, and where it goes.
struct Copy {
    source: PathBuf,
    folder: PathBuf,
}

/// Copies the tables of `results` into the dataset below `dir`.
///
/// # Errors
/// A folder that holds no result of this version, two results of one scenario and seed, a partition
/// that is there already (unless `replace`), or the system said no.
pub fn export_dataset(
    results: &[PathBuf],
    dir: &Path,
    replace: bool,
) -> Result<DatasetWritten, ExportError> {
    let copies = plan(results, dir)?;
    for copy in &copies {
        check_partition(&copy.folder, replace)?;
    }
    let written = write(&copies);
    if written.is_err() {
        // What is empty is ours, or nobody's.
        for copy in &copies {
            let below = copy.folder.ancestors().take_while(|folder| *folder != dir);
            below.for_each(|folder| drop(fs::remove_dir(folder)));
        }
    }
    written
}

fn plan(results: &[PathBuf], dir: &Path) -> Result<Vec<Copy>, ExportError> {
    let mut taken: BTreeMap<PathBuf, &Path> = BTreeMap::new();
    let mut copies = Vec::new();
    for result in results {
        let of = identity(result)?;
        let scenario = hive::partition("scenario", &of.scenario);
        if scenario.len() > FOLDER_MAX {
            let reason = "the scenario's name is too long for the name of a folder; run it again \
                          with --set metadata.name=shorter";
            return Err(ExportError::refused(result, reason));
        }
        let partition = Path::new(&scenario).join(hive::partition("seed", &of.seed.to_string()));
        if let Some(other) = taken.insert(partition.clone(), result) {
            let reason = format!(
                "is of scenario `{}` and seed {}, as {} is: both would be one partition; run one \
                 again with --set metadata.name=another, or export into another folder",
                of.scenario,
                of.seed,
                other.display()
            );
            return Err(ExportError::refused(result, reason));
        }
        for table in &TABLES {
            TableFile::open(result, table.name)?;
            copies.push(Copy {
                source: result.join(format!("{}.parquet", table.name)),
                folder: dir.join(table.name).join(&partition),
            });
        }
    }
    Ok(copies)
}

/// Says whether the partition may be written: readers take every file of it for its rows.
fn check_partition(folder: &Path, replace: bool) -> Result<(), ExportError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            let reason = format!("{error}; name a folder that is there or can be made");
            return Err(ExportError::refused(folder, reason));
        }
    };
    for entry in entries {
        let entry = entry.map_err(|source| ExportError::io(folder, source))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name == PART && !replace {
            let reason = "the partition is there already; --replace writes it anew";
            return Err(ExportError::refused(folder, reason));
        }
        if name != PART && !name.starts_with('.') {
            let reason = format!("holds `{name}`, which no export has written; move it away");
            return Err(ExportError::refused(folder, reason));
        }
    }
    Ok(())
}

fn write(copies: &[Copy]) -> Result<DatasetWritten, ExportError> {
    let mut unfinished = Vec::with_capacity(copies.len());
    let mut bytes = 0;
    for copy in copies {
        fs::create_dir_all(&copy.folder).map_err(|source| ExportError::io(&copy.folder, source))?;
        let (file, mut target) = Unfinished::create(&copy.folder.join(PART))?;
        let mut source =
            fs::File::open(&copy.source).map_err(|source| ExportError::io(&copy.source, source))?;
        bytes += io::copy(&mut source, &mut target)
            .map_err(|source| ExportError::io(&copy.folder, source))?;
        unfinished.push(file);
    }
    let files = unfinished.len();
    unfinished.into_iter().try_for_each(Unfinished::commit)?;
    Ok(DatasetWritten { files, bytes })
}
