//! The temporary file: runs in parts, written once, read back by number of part.
//!
//! The file is unlinked as soon as it is made. Leaves out: a system that does not give back what
//! was written; the simulation then ends in a panic that says so, as the engine has no errors.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use sim::workload::{Run, RunStore};

use super::codec;
use crate::TraceError;
use crate::workload::since;

/// Runs of a part: some 30 kB, and what is decoded of one a tenth of a megabyte.
const PART: usize = 256;

/// Runs on their way to the file.
pub(super) struct SpoolWriter {
    folder: PathBuf,
    file: File,
    /// Where each part ends.
    ends: Vec<u64>,
    /// The part that is not complete, and how many runs it has.
    part: Vec<u8>,
    in_part: usize,
    count: usize,
}

/// Runs in the file.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    /// Several simulations read; none of them for long.
    file: Mutex<File>,
    ends: Vec<u64>,
    count: usize,
    /// What times count from, in milliseconds since 1970.
    epoch_ms: i64,
}

impl SpoolWriter {
    /// Makes the file in `folder`.
    ///
    /// # Errors
    /// If the system does not let us.
    pub(super) fn create(folder: &Path) -> Result<Self, TraceError> {
        let file = tempfile::tempfile_in(folder).map_err(|error| cannot_write(folder, &error))?;
        Ok(Self {
            folder: folder.to_owned(),
            file,
            ends: Vec::new(),
            part: Vec::new(),
            in_part: 0,
            count: 0,
        })
    }

    /// How many runs there are so far: the place of the next one.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Adds a run, submitted at `at_ms`.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn push(&mut self, run: Run, at_ms: i64) -> Result<(), TraceError> {
        codec::encode(run, at_ms, &mut self.part);
        self.count += 1;
        self.in_part += 1;
        if self.in_part == PART { self.write_part() } else { Ok(()) }
    }

    fn write_part(&mut self) -> Result<(), TraceError> {
        let written = self.file.write_all(&self.part);
        written.map_err(|error| cannot_write(&self.folder, &error))?;
        let start = self.ends.last().copied().unwrap_or(0);
        self.ends.push(start + self.part.len() as u64);
        self.part.clear();
        self.in_part = 0;
        Ok(())
    }

    /// All runs are there.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn finish(mut self) -> Result<Spool, TraceError> {
        if self.in_part > 0 {
            self.write_part()?;
        }
        let Self { folder, file, ends, count, .. } = self;
        Ok(Spool { folder, file: Mutex::new(file), ends, count, epoch_ms: 0 })
    }
}

impl Spool {
    /// The same runs, with their times counted from an epoch.
    pub(crate) fn since(self, epoch_ms: i64) -> Self {
        Self { epoch_ms, ..self }
    }

    fn bytes(&self, number: usize) -> std::io::Result<Vec<u8>> {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        let mut bytes = vec![0; (self.ends[number] - start) as usize];
        // A reader that panicked left nothing half done: every reader seeks first.
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl RunStore for Spool {
    fn count(&self) -> usize {
        self.count
    }

    fn part_size(&self) -> usize {
        PART
    }

    fn part(&self, number: usize) -> Vec<Run> {
        let bytes = self.bytes(number).unwrap_or_else(|error| {
            let folder = self.folder.display();
            panic!("the temporary file of runs in {folder} cannot be read back: {error}")
        });
        let mut rest = bytes.as_slice();
        let mut runs = Vec::with_capacity(PART);
        while !rest.is_empty() {
            let (run, at_ms) = codec::decode(&mut rest).expect("what was written reads back");
            runs.push(Run { submitted_at: since(self.epoch_ms, at_ms), ..run });
        }
        runs
    }
}

fn cannot_write(folder: &Path, error: &std::io::Error) -> TraceError {
    TraceError::Write {
        path: folder.to_owned(),
        reason: format!(
            "{error}; runs of a large table are kept in a temporary file there, TMPDIR names \
             another folder"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_read_back_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = SpoolWriter::create(folder.path()).unwrap();
        for number in 0..600_i64 {
            let run = Run { run_id: format!("r{number}").into(), ..Run::default() };
            writer.push(run, 1_000 + number).unwrap();
        }
        let spool = writer.finish().unwrap().since(1_000);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it has no name");
        assert_eq!((spool.count(), spool.part(2).len()), (600, 88));
        for number in [1, 0, 2, 1] {
            let part = spool.part(number);
            assert_eq!(&*part[3].run_id, format!("r{}", number * 256 + 3));
            assert_eq!(part[3].submitted_at.as_millis(), number as u64 * 256 + 3);
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = SpoolWriter::create(Path::new("/no/such/folder")).err().unwrap();
        let text = error.to_string();
        assert!(text.contains("/no/such/folder") && text.contains("TMPDIR"), "{text}");
    }
}
