//! Which compression a file has, told by its first bytes, and a reader that undoes it.
//!
//! Names lie: files are renamed, and Spark's own names changed over time, so the name is never
//! asked. Spark writes with `spark.eventLog.compression.codec` (zstd by default since 3.2; lz4,
//! snappy and lzf are the others); gzip is what people and Databricks make of rolled files.
//!
//! Leaves out: Spark's `lzf` and the LZ4 frame format, which Spark does not write. Such a file is
//! refused by name instead of being read as text.
//!
//! Source: magic numbers from RFC 1952 (gzip), RFC 8878 (zstd), `LZ4BlockOutputStream` of
//! lz4-java, `SnappyCodec` of snappy-java, `LZFChunk` of compress-lzf.

mod lz4_java;
mod snappy_java;

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

pub(super) use lz4_java::Lz4JavaReader;
pub(super) use snappy_java::SnappyJavaReader;

/// How a log's bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// Not at all.
    Plain,
    /// gzip, one or more members.
    Gzip,
    /// Zstandard, one or more frames.
    Zstd,
    /// lz4-java block streams, one or more.
    Lz4Java,
    /// snappy-java streams, one or more.
    SnappyJava,
}

impl Codec {
    /// The name used in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4Java => "lz4",
            Self::SnappyJava => "snappy",
        }
    }
}

/// Largest zstd window accepted, as a power of two: 128 MiB, the limit of the `zstd` tool too.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// Bytes needed to tell codecs apart.
const MAGIC_LENGTH: usize = 8;
const BUFFER: usize = 1 << 17;

/// Formats that are told apart only to be refused, with what to do about them.
const REFUSED: [(&[u8], &str); 7] = [
    (b"ZV", "Spark's lzf compression, which is not supported"),
    (b"\x04\x22\x4d\x18", "an LZ4 frame file: unpack it with `lz4 -d`"),
    (b"BZh", "a bzip2 file: unpack it first"),
    (b"\xfd7zXZ\0", "an xz file: unpack it first"),
    (b"PK\x03\x04", "a zip archive: unpack it first"),
    (b"PAR1", "a Parquet file"),
    (b"\xff\x06\0\0sNaP", "a framed snappy file, which Spark does not write"),
];

/// The codec of a stream that begins with `head`; `Err` says what it is instead of a log.
fn detect(head: &[u8]) -> Result<Codec, &'static str> {
    if head.starts_with(&[0x1f, 0x8b]) {
        return Ok(Codec::Gzip);
    }
    // A zstd stream may begin with skippable frames, whose magics are 0x184D2A50..=0x184D2A5F.
    let skippable = head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18];
    if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || skippable {
        return Ok(Codec::Zstd);
    }
    if head.starts_with(lz4_java::MAGIC) {
        return Ok(Codec::Lz4Java);
    }
    if head.starts_with(snappy_java::MAGIC) {
        return Ok(Codec::SnappyJava);
    }
    match REFUSED.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, what)) => Err(what),
        None => Ok(Codec::Plain),
    }
}

/// What [`open`] found.
pub(super) enum Opened {
    /// Nothing in it.
    Empty,
    /// Certainly no event log, for this reason.
    Refused(&'static str),
    /// A stream of lines.
    Lines(Codec, Box<dyn BufRead>),
}

/// Looks at the first bytes of `raw` and puts the fitting decoder around it.
///
/// # Errors
/// What the file system says, or a decoder that cannot be set up.
pub(super) fn open<R: Read + 'static>(mut raw: R) -> io::Result<Opened> {
    let mut head = Vec::with_capacity(MAGIC_LENGTH);
    raw.by_ref().take(MAGIC_LENGTH as u64).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(Opened::Empty);
    }
    let codec = match detect(&head) {
        Ok(codec) => codec,
        Err(what) => return Ok(Opened::Refused(what)),
    };
    let raw = BufReader::with_capacity(BUFFER, io::Cursor::new(head).chain(raw));
    let lines: Box<dyn BufRead> = match codec {
        Codec::Plain => Box::new(raw),
        Codec::Gzip => Box::new(buffered(MultiGzDecoder::new(raw))),
        Codec::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(raw)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(buffered(decoder))
        }
        Codec::Lz4Java => Box::new(buffered(Lz4JavaReader::new(raw))),
        Codec::SnappyJava => Box::new(buffered(SnappyJavaReader::new(raw))),
    };
    Ok(Opened::Lines(codec, lines))
}

fn buffered<R: Read>(decoder: R) -> BufReader<R> {
    BufReader::with_capacity(BUFFER, decoder)
}

/// Fills `target`; `Ok(false)` when the stream ended exactly before its first byte.
fn read_exact_or_end(raw: &mut impl Read, target: &mut [u8]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < target.len() {
        match raw.read(&mut target[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Reads `length` bytes into `target`, growing only as bytes arrive.
fn read_block(raw: &mut impl Read, length: usize, target: &mut Vec<u8>) -> io::Result<()> {
    target.clear();
    let count = raw.by_ref().take(length as u64).read_to_end(target)?;
    if count < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn corrupt(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_codecs_by_their_first_bytes() {
        assert_eq!(detect(b"{\"Event\""), Ok(Codec::Plain));
        assert_eq!(detect(b"\x1f\x8b\x08"), Ok(Codec::Gzip));
        assert_eq!(detect(b"\x28\xb5\x2f\xfd\0"), Ok(Codec::Zstd));
        assert_eq!(detect(b"\x5a\x2a\x4d\x18"), Ok(Codec::Zstd));
        assert_eq!(detect(b"LZ4Block"), Ok(Codec::Lz4Java));
        assert_eq!(detect(b"\x82SNAPPY\0"), Ok(Codec::SnappyJava));
        assert!(detect(b"ZV\x01").is_err());
        assert_eq!(detect(b""), Ok(Codec::Plain));
    }
}
