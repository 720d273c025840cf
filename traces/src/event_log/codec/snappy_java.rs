//! snappy-java's stream, which Spark's `snappy` codec writes.
//!
//! A stream is the magic `\x82SNAPPY\0` and two big-endian version numbers, then chunks: a
//! big-endian length and a raw snappy block. A header may come again where a chunk's length is
//! expected: streams that were written one after another.
//!
//! Source: snappy-java `SnappyCodec`, `SnappyInputStream` (`hasNextChunk`).

use std::io::{self, BufRead, Read};

use super::{corrupt, read_block, read_exact_or_end};

pub(super) const MAGIC: &[u8] = b"\x82SNAPPY\0";
/// Largest block accepted, packed or not. snappy-java's default is 32 KiB, and Spark's
/// `spark.io.compression.snappy.blockSize` is seldom above 1 MiB.
const BLOCK_SIZE_MAX: usize = 1 << 26;

/// Reads the decompressed bytes of one or more snappy-java streams.
pub(in crate::event_log) struct SnappyJavaReader<R> {
    raw: R,
    packed: Vec<u8>,
    block: Vec<u8>,
    position: usize,
}

impl<R: BufRead> SnappyJavaReader<R> {
    pub(in crate::event_log) fn new(raw: R) -> Self {
        Self { raw, packed: Vec::new(), block: Vec::new(), position: 0 }
    }

    /// Reads the next block that holds something; `Ok(false)` at the end of the last stream.
    fn next_block(&mut self) -> io::Result<bool> {
        self.position = 0;
        self.block.clear();
        while self.block.is_empty() {
            let mut start = [0u8; 4];
            if !read_exact_or_end(&mut self.raw, &mut start)? {
                return Ok(false);
            }
            if start == MAGIC[..4] {
                let mut rest = [0u8; 12];
                self.raw.read_exact(&mut rest)?;
                if rest[..4] != MAGIC[4..] {
                    return Err(corrupt("snappy stream with a broken header".to_owned()));
                }
                continue;
            }
            self.unpack(u32::from_be_bytes(start) as usize)?;
        }
        Ok(true)
    }

    fn unpack(&mut self, length: usize) -> io::Result<()> {
        if length > BLOCK_SIZE_MAX {
            return Err(corrupt(format!("snappy block of {length} bytes")));
        }
        read_block(&mut self.raw, length, &mut self.packed)?;
        let bad = |error: snap::Error| corrupt(format!("snappy block: {error}"));
        let size = snap::raw::decompress_len(&self.packed).map_err(bad)?;
        // Snappy cannot pack 64 bytes into less than 3, so that more is a lie of the header.
        if size > BLOCK_SIZE_MAX || size / 64 > self.packed.len() {
            return Err(corrupt(format!("snappy block of {length} bytes for {size}")));
        }
        self.block.resize(size, 0);
        let unpacked = snap::raw::Decoder::new().decompress(&self.packed, &mut self.block);
        if let Err(error) = unpacked {
            self.block.clear();
            return Err(bad(error));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for SnappyJavaReader<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.position == self.block.len() && !self.next_block()? {
            return Ok(0);
        }
        let count = target.len().min(self.block.len() - self.position);
        target[..count].copy_from_slice(&self.block[self.position..self.position + count]);
        self.position += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(blocks: &[&[u8]]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([0, 0, 0, 1, 0, 0, 0, 1]);
        for block in blocks {
            let packed = snap::raw::Encoder::new().compress_vec(block).unwrap();
            bytes.extend((packed.len() as u32).to_be_bytes());
            bytes.extend(packed);
        }
        bytes
    }

    fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        SnappyJavaReader::new(bytes).read_to_end(&mut all)?;
        Ok(all)
    }

    #[test]
    fn reads_concatenated_streams() {
        let long = b"0123456789".repeat(5000);
        let bytes = [stream(&[&long, b"", b"b"]), stream(&[b"c"])].concat();
        assert_eq!(unpack(&bytes).unwrap(), [long, b"bc".to_vec()].concat());
    }

    #[test]
    fn a_cut_stream_is_an_error_unless_it_ends_with_a_block() {
        let whole = stream(&[b"one block of text", b"another"]);
        let first = stream(&[b"one block of text"]).len();
        for cut in 1..whole.len() {
            let complete = cut == 16 || cut == first;
            assert_eq!(unpack(&whole[..cut]).is_ok(), complete, "cut at {cut}");
        }
    }

    #[test]
    fn a_header_cannot_ask_for_more_than_its_data_can_hold() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([0, 0, 0, 1, 0, 0, 0, 1]);
        bytes.extend(6u32.to_be_bytes());
        // A varint of 60 MiB in front of two bytes.
        bytes.extend([0x80, 0x80, 0x80, 0x1e, 0, 0]);
        assert_eq!(unpack(&bytes).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let lengths = [MAGIC, &[0, 0, 0, 1, 0, 0, 0, 1], &[0xff; 4]].concat();
        assert!(unpack(&lengths).is_err());
    }
}
