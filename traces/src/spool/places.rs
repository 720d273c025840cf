//! At which place of the table an id is, by hashes: 12 bytes an id.

use std::hash::{DefaultHasher, Hasher};

/// Some 36 ids each where there are two million.
const BUCKETS: usize = 1 << 16;

/// Places of ids. Memory grows by a quarter at a time, bucket by bucket.
pub(super) struct Places(Vec<Vec<Entry>>);

/// 64 bits of hash beside the bucket's 16, and the place.
type Entry = [u32; 3];

/// What an id is known by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    bucket: u16,
    hash: [u32; 2],
}

impl Key {
    pub(super) fn of(id: &str) -> Self {
        let hash = |salt: u8| {
            // The same in every process: its keys are constants.
            let mut hasher = DefaultHasher::new();
            hasher.write_u8(salt);
            hasher.write(id.as_bytes());
            hasher.finish()
        };
        let (bucket, hash) = (hash(0), hash(1));
        Self { bucket: bucket as u16, hash: [hash as u32, (hash >> 32) as u32] }
    }
}

impl Places {
    pub(super) fn new() -> Self {
        Self(vec![Vec::new(); BUCKETS])
    }

    /// The place of an id.
    pub(super) fn find(&self, key: Key) -> Option<u32> {
        let bucket = &self.0[usize::from(key.bucket)];
        bucket.iter().find(|entry| entry[..2] == key.hash).map(|entry| entry[2])
    }

    /// Adds an id that is not there.
    pub(super) fn add(&mut self, key: Key, place: u32) {
        let bucket = &mut self.0[usize::from(key.bucket)];
        if bucket.len() == bucket.capacity() {
            bucket.reserve_exact(bucket.len() / 4 + 2);
        }
        bucket.push([key.hash[0], key.hash[1], place]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_at_their_places() {
        let mut places = Places::new();
        let id = |number: u32| Key::of(&format!("run-{number}"));
        for number in 0..200_000 {
            assert_eq!(places.find(id(number)), None);
            places.add(id(number), number);
        }
        for number in (0..200_000).step_by(997) {
            assert_eq!(places.find(id(number)), Some(number));
        }
        assert_eq!(places.find(Key::of("")), None);
    }
}
