//! Whether a Parquet footer is a whole Thrift structure, before the decoder sees it.
//!
//! The decoder reserves room for as many elements as a list says it has, so that a damaged footer of
//! a few bytes could ask for a hundred gigabytes and end the process. Here every element is walked
//! over first: a list that says more than there are bytes for is refused. Nothing is kept.
//! Source: the Thrift compact protocol, `thrift-compact-protocol.md`.

/// Structures in structures; Parquet's own nest six deep.
const DEPTH_MAX: u32 = 32;
/// Elements of one list. Wide tables have some ten thousand columns in some thousand row groups.
const ELEMENTS_MAX: u64 = 1_000_000;

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// Checks that `footer` begins with one whole structure.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn check(footer: &[u8]) -> Result<(), String> {
    Walk { rest: footer }.structure(0)
}

struct Walk<'a> {
    rest: &'a [u8],
}

impl Walk<'_> {
    fn structure(&mut self, depth: u32) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("structures in it nest more than {DEPTH_MAX} deep"));
        }
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            if head >> 4 == 0 {
                // A field number of its own, not a step from the last one.
                self.varint()?;
            }
            match head & 0x0f {
                // The field's type is its value.
                TRUE | FALSE => {}
                kind => self.value(kind, depth)?,
            }
        }
    }

    fn value(&mut self, kind: u8, depth: u32) -> Result<(), String> {
        match kind {
            // In a list, a truth value is a byte.
            TRUE | FALSE | BYTE => self.skip(1),
            I16..=I64 => self.varint().map(|_| ()),
            DOUBLE => self.skip(8),
            BINARY => {
                let length = self.varint()?;
                self.skip(length)
            }
            LIST | SET => {
                let head = self.byte()?;
                let short = u64::from(head >> 4);
                let count = if short == 15 { self.varint()? } else { short };
                self.elements(count, &[head & 0x0f], depth)
            }
            MAP => {
                let count = self.varint()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                self.elements(count, &[kinds >> 4, kinds & 0x0f], depth)
            }
            STRUCT => self.structure(depth + 1),
            other => Err(format!("it has a value of type {other}, which there is not")),
        }
    }

    fn elements(&mut self, count: u64, kinds: &[u8], depth: u32) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("lists in it nest more than {DEPTH_MAX} deep"));
        }
        // Every element takes a byte at least.
        if count > ELEMENTS_MAX || count > self.rest.len() as u64 {
            let left = self.rest.len();
            return Err(format!("a list in it has {count} elements, with {left} bytes left"));
        }
        for _ in 0..count {
            for kind in kinds {
                self.value(*kind, depth + 1)?;
            }
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, String> {
        let (first, rest) = self.rest.split_first().ok_or("it ends in the middle of a value")?;
        self.rest = rest;
        Ok(*first)
    }

    fn skip(&mut self, count: u64) -> Result<(), String> {
        let count = usize::try_from(count).ok().filter(|count| *count <= self.rest.len());
        let count = count.ok_or("it ends in the middle of a value")?;
        self.rest = &self.rest[count..];
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number in it has more than 64 bits".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_structures_pass() {
        assert_eq!(check(&[0]), Ok(()));
        // Field 1: i32 2; field 2: a list of one empty structure; field 3: binary `ab`; field 4: true.
        assert_eq!(check(&[0x15, 4, 0x19, 0x1c, 0, 0x18, 2, b'a', b'b', 0x11, 0]), Ok(()));
    }

    #[test]
    fn a_list_with_more_elements_than_bytes_is_refused() {
        let huge = [0x19, 0xfc, 0xff, 0xff, 0xff, 0x7f, 0];
        let error = check(&huge).unwrap_err();
        assert_eq!(error, "a list in it has 268435455 elements, with 1 bytes left");
    }

    #[test]
    fn what_is_cut_off_or_endless_is_refused() {
        assert!(check(&[]).is_err());
        assert!(check(&[0x18, 9, b'a']).is_err());
        assert!(
            check(&[0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err()
        );
        assert!(check(&[0x1c; 100]).unwrap_err().contains("nest"));
        // Lists of lists of lists.
        assert!(check(&[[0x19].as_slice(), &[0x19; 100]].concat()).is_err());
        assert!(check(&[0x1d, 0]).unwrap_err().contains("type 13"));
    }
}
