//! Lines of a log, one at a time, in a buffer that is used again; with caps on what a file may
//! cost.
//!
//! A line longer than the cap is skipped and reported, not kept. A stream that unpacks to far more
//! than event logs ever do is taken for an attack and cut off.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// Longest line kept: a job start event of a very large plan has tens of MiB.
pub(super) const LINE_MAX: usize = 256 << 20;
/// Event logs pack 10 to 100 times; past this ratio and size a stream is cut off.
const RATIO_MAX: u64 = 4000;
const RATIO_FREE: u64 = 1 << 30;

/// Counts bytes as they are read from the file, before they are unpacked.
pub(super) struct Counted<R> {
    raw: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Counted<R> {
    /// Adds what is read from `raw` to `count`.
    pub(super) fn new(raw: R, count: Rc<Cell<u64>>) -> Self {
        Self { raw, count }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.raw.read(target)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

/// One line, without its line end.
pub(super) struct Line<'a> {
    /// The bytes; empty for a line that was too long.
    pub(super) bytes: &'a [u8],
    /// It was longer than the cap and is not kept.
    pub(super) overlong: bool,
    /// A line end followed. Without one, it is the last line and may be cut.
    pub(super) terminated: bool,
    /// Reading failed in this line; nothing comes after it.
    pub(super) error: Option<io::Error>,
}

/// Reads lines of one file.
pub(super) struct LineReader {
    source: Box<dyn BufRead>,
    buffer: Vec<u8>,
    unpacked: u64,
    packed: Rc<Cell<u64>>,
    packed_before: u64,
    broken: bool,
}

impl LineReader {
    /// Lines of `source`; `packed` counts the file's own bytes, for all files of a log.
    pub(super) fn new(source: Box<dyn BufRead>, packed: Rc<Cell<u64>>, before: u64) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            unpacked: 0,
            packed,
            packed_before: before,
            broken: false,
        }
    }

    /// Bytes of lines so far, unpacked.
    pub(super) fn unpacked(&self) -> u64 {
        self.unpacked
    }

    /// The next line of at most `max` bytes; `None` at the end.
    pub(super) fn next(&mut self, max: usize) -> Option<Line<'_>> {
        if self.broken {
            return None;
        }
        self.buffer.clear();
        let limit = max as u64 + 1;
        let read = (&mut self.source).take(limit).read_until(b'\n', &mut self.buffer);
        self.unpacked += self.buffer.len() as u64;
        let mut error = read.err().or_else(|| self.over_ratio());
        let mut terminated = self.buffer.last() == Some(&b'\n');
        let mut overlong = false;
        if terminated {
            self.buffer.pop();
            if self.buffer.last() == Some(&b'\r') {
                self.buffer.pop();
            }
        } else if self.buffer.len() > max && error.is_none() {
            overlong = true;
            self.buffer = Vec::new();
            match self.skip_line() {
                Ok(found) => terminated = found,
                Err(problem) => error = Some(problem),
            }
        } else if self.buffer.is_empty() && error.is_none() {
            return None;
        }
        self.broken = error.is_some();
        Some(Line { bytes: &self.buffer, overlong, terminated, error })
    }

    /// Drops bytes up to and with the next line end; whether there was one.
    fn skip_line(&mut self) -> io::Result<bool> {
        loop {
            let available = match self.source.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(false);
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let count = end.map_or(available.len(), |at| at + 1);
            self.source.consume(count);
            self.unpacked += count as u64;
            if end.is_some() {
                return Ok(true);
            }
            if let Some(error) = self.over_ratio() {
                return Err(error);
            }
        }
    }

    fn over_ratio(&self) -> Option<io::Error> {
        let packed = self.packed.get() - self.packed_before;
        let over = self.unpacked > RATIO_FREE && self.unpacked / RATIO_MAX > packed;
        over.then(|| {
            let message = format!(
                "{packed} bytes unpack to more than {} bytes, which no event log does",
                self.unpacked
            );
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &'static [u8], max: usize) -> Vec<(String, bool, bool)> {
        let mut lines = LineReader::new(Box::new(text), Rc::default(), 0);
        let mut found = Vec::new();
        while let Some(line) = lines.next(max) {
            let text = String::from_utf8(line.bytes.to_vec()).unwrap();
            found.push((text, line.overlong, line.terminated));
        }
        assert_eq!(lines.unpacked(), text.len() as u64);
        found
    }

    #[test]
    fn splits_lines_and_says_which_are_whole() {
        let line = |text: &str, overlong, terminated| (text.to_owned(), overlong, terminated);
        assert_eq!(all(b"", 10), []);
        assert_eq!(
            all(b"ab\r\n\ncd", 10),
            [line("ab", false, true), line("", false, true), line("cd", false, false)]
        );
        assert_eq!(
            all(b"12345\n123456\nx", 5),
            [line("12345", false, true), line("", true, true), line("x", false, false)]
        );
        assert_eq!(all(b"123456", 5), [line("", true, false)]);
    }
}
