//! lz4-java's block stream, which Spark's `lz4` codec writes.
//!
//! A stream is a row of blocks: the magic `LZ4Block`, a token (high half: 1 = stored, 2 = LZ4; low
//! half: log2 of the block size less 10), then, little-endian, the compressed length, the
//! decompressed length and a checksum (xxHash32 of the decompressed bytes, 28 bits of it). A block
//! of decompressed length 0 ends the stream; another stream may follow (Spark reads with
//! `stopOnEmptyBlock = false`).
//!
//! Source: lz4-java `LZ4BlockOutputStream` and `LZ4BlockInputStream`; xxHash32 from the xxHash
//! specification.

use std::io::{self, BufRead, Read};

use super::{corrupt, read_block, read_exact_or_end};

pub(super) const MAGIC: &[u8] = b"LZ4Block";
const HEADER: usize = 8 + 1 + 4 + 4 + 4;
/// lz4-java's `COMPRESSION_LEVEL_BASE`: a token's low half counts from blocks of 2^10.
const BLOCK_SIZE_LOG_BASE: u32 = 10;
const CHECKSUM_SEED: u32 = 0x9747_b28c;
/// lz4-java drops the checksum's top bits.
const CHECKSUM_MASK: u32 = 0x0fff_ffff;

/// Reads the decompressed bytes of one or more lz4-java streams.
pub(in crate::event_log) struct Lz4JavaReader<R> {
    raw: R,
    packed: Vec<u8>,
    block: Vec<u8>,
    position: usize,
}

impl<R: BufRead> Lz4JavaReader<R> {
    pub(in crate::event_log) fn new(raw: R) -> Self {
        Self { raw, packed: Vec::new(), block: Vec::new(), position: 0 }
    }

    /// Reads the next block that holds something; `Ok(false)` at the end of the last stream.
    fn next_block(&mut self) -> io::Result<bool> {
        self.position = 0;
        self.block.clear();
        loop {
            let mut header = [0u8; HEADER];
            if !read_exact_or_end(&mut self.raw, &mut header)? {
                return Ok(false);
            }
            let block = BlockHeader::parse(&header)?;
            if block.decompressed == 0 {
                continue;
            }
            read_block(&mut self.raw, block.compressed, &mut self.packed)?;
            self.unpack(&block)?;
            return Ok(true);
        }
    }

    fn unpack(&mut self, header: &BlockHeader) -> io::Result<()> {
        if header.stored {
            std::mem::swap(&mut self.packed, &mut self.block);
        } else {
            self.block.resize(header.decompressed, 0);
            let written = lz4_flex::block::decompress_into(&self.packed, &mut self.block);
            match written {
                Ok(count) if count == header.decompressed => {}
                Ok(count) => {
                    let expected = header.decompressed;
                    self.block.clear();
                    return Err(corrupt(format!(
                        "lz4 block of {count} bytes where its header says {expected}"
                    )));
                }
                Err(error) => {
                    self.block.clear();
                    return Err(corrupt(format!("lz4 block: {error}")));
                }
            }
        }
        if xxh32(&self.block, CHECKSUM_SEED) & CHECKSUM_MASK != header.checksum {
            self.block.clear();
            return Err(corrupt("lz4 block with a wrong checksum".to_owned()));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Lz4JavaReader<R> {
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

struct BlockHeader {
    stored: bool,
    compressed: usize,
    decompressed: usize,
    checksum: u32,
}

impl BlockHeader {
    fn parse(header: &[u8; HEADER]) -> io::Result<Self> {
        let number = |at: usize| {
            let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            u32::from_le_bytes(bytes)
        };
        let (token, compressed, decompressed) = (header[8], number(9), number(13));
        let stored = match token & 0xf0 {
            0x10 => true,
            0x20 => false,
            _ => {
                return Err(corrupt(format!("lz4 block with unknown token {token:#04x}")));
            }
        };
        // At most 2^25: a header cannot make us allocate more than 32 MiB.
        let block_size = 1u32 << (BLOCK_SIZE_LOG_BASE + u32::from(token & 0x0f));
        let fits = decompressed <= block_size
            && compressed <= block_size
            && (compressed == 0) == (decompressed == 0)
            && (!stored || compressed == decompressed);
        if !header.starts_with(MAGIC) || !fits {
            return Err(corrupt(format!(
                "not an lz4 block header ({compressed} bytes for {decompressed}, block size \
                 {block_size})"
            )));
        }
        Ok(Self {
            stored,
            compressed: compressed as usize,
            decompressed: decompressed as usize,
            checksum: number(17),
        })
    }
}

/// xxHash32 of `data`.
fn xxh32(data: &[u8], seed: u32) -> u32 {
    const P1: u32 = 0x9e37_79b1;
    const P2: u32 = 0x85eb_ca77;
    const P3: u32 = 0xc2b2_ae3d;
    const P4: u32 = 0x27d4_eb2f;
    const P5: u32 = 0x1656_67b1;
    let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let mut stripes = data.chunks_exact(16);
    let mut hash = if data.len() >= 16 {
        let mut lanes = [
            seed.wrapping_add(P1).wrapping_add(P2),
            seed.wrapping_add(P2),
            seed,
            seed.wrapping_sub(P1),
        ];
        for stripe in stripes.by_ref() {
            for (lane, bytes) in lanes.iter_mut().zip(stripe.chunks_exact(4)) {
                *lane = lane
                    .wrapping_add(word(bytes).wrapping_mul(P2))
                    .rotate_left(13)
                    .wrapping_mul(P1);
            }
        }
        lanes[0]
            .rotate_left(1)
            .wrapping_add(lanes[1].rotate_left(7))
            .wrapping_add(lanes[2].rotate_left(12))
            .wrapping_add(lanes[3].rotate_left(18))
    } else {
        seed.wrapping_add(P5)
    };
    hash = hash.wrapping_add(data.len() as u32);
    let mut words = stripes.remainder().chunks_exact(4);
    for bytes in words.by_ref() {
        hash = hash.wrapping_add(word(bytes).wrapping_mul(P3)).rotate_left(17).wrapping_mul(P4);
    }
    for byte in words.remainder() {
        hash =
            hash.wrapping_add(u32::from(*byte).wrapping_mul(P5)).rotate_left(11).wrapping_mul(P1);
    }
    hash = (hash ^ (hash >> 15)).wrapping_mul(P2);
    hash = (hash ^ (hash >> 13)).wrapping_mul(P3);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(data: &[u8], stored: bool) -> Vec<u8> {
        let packed = if stored { data.to_vec() } else { lz4_flex::block::compress(data) };
        let mut bytes = MAGIC.to_vec();
        bytes.push(if stored { 0x16 } else { 0x26 });
        bytes.extend((packed.len() as u32).to_le_bytes());
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend((xxh32(data, CHECKSUM_SEED) & CHECKSUM_MASK).to_le_bytes());
        bytes.extend(packed);
        bytes
    }

    fn end() -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(0x16);
        bytes.extend([0; 12]);
        bytes
    }

    fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        Lz4JavaReader::new(bytes).read_to_end(&mut all)?;
        Ok(all)
    }

    #[test]
    fn hashes_as_specified() {
        // Test vectors of the xxHash project and of Linux's test_xxhash.
        assert_eq!(xxh32(b"", 0), 0x02cc_5d05);
        assert_eq!(xxh32(b"a", 0), 0x550d_7456);
        assert_eq!(xxh32(b"Nobody inspects the spammish repetition", 0), 0xe229_3b2f);
    }

    #[test]
    fn reads_concatenated_streams_of_both_kinds_of_block() {
        let text = b"abcabcabcabc".repeat(50);
        let bytes = [block(&text, false), end(), block(b"tail", true), end()].concat();
        assert_eq!(unpack(&bytes).unwrap(), [text, b"tail".to_vec()].concat());
    }

    #[test]
    fn notices_every_cut_and_every_flipped_bit_that_matters() {
        let text = b"some text, some text, some text".to_vec();
        let whole = block(&text, false);
        for cut in 1..whole.len() {
            assert!(unpack(&whole[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                // A larger block size or another way to the same text does no harm.
                let found = unpack(&bytes);
                assert!(found.is_err() || found.unwrap() == text, "bit {bit} at {at}");
            }
        }
    }

    #[test]
    fn a_header_cannot_ask_for_more_than_its_block_size() {
        let mut bytes = block(b"x", true);
        bytes[9..13].copy_from_slice(&u32::MAX.to_le_bytes());
        bytes[13..17].copy_from_slice(&u32::MAX.to_le_bytes());
        let error = unpack(&bytes).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
