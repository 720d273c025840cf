//! Random streams keyed by purpose and entity, so that what-ifs share their weather.
//!
//! One [`Seed`] per replication. A stream is a PCG generator seeded with a hash of the seed, the
//! purpose and the entity's keys: a draw added in one place moves nothing elsewhere, and the same
//! entity gets the same draws in two compared scenarios.
//!
//! Every draw is rounded to its unit (milliseconds, bytes) by its caller at once, so that the last
//! bit of a platform's math library cannot show.

use rand::SeedableRng;
pub use rand::{Rng, RngExt};
use rand_pcg::Pcg64Mcg;

/// A generator that yields the same numbers on every platform and in every version of its crate.
pub type Stream = Pcg64Mcg;

/// The root of all randomness of one replication.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    root: u64,
    replication: u64,
}

impl Seed {
    /// The first replication of `root`.
    pub const fn new(root: u64) -> Self {
        Self { root, replication: 0 }
    }

    /// The `number`-th replication of the same root; number 0 is [`Seed::new`].
    pub const fn replication(self, number: u64) -> Self {
        Self { root: self.root, replication: number }
    }

    /// The stream of `purpose` for the entity that `keys` name.
    pub fn stream(self, purpose: &'static str, keys: &[u64]) -> Stream {
        Stream::seed_from_u64(self.hash(purpose, keys))
    }

    /// One number in `0.0..1.0` of `purpose` for the entity that `keys` name. Cheaper than a
    /// stream where one draw is all that is needed.
    pub fn uniform(self, purpose: &'static str, keys: &[u64]) -> f64 {
        (self.hash(purpose, keys) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn hash(self, purpose: &'static str, keys: &[u64]) -> u64 {
        let mut state = mix(self.root ^ 0x9e37_79b9_7f4a_7c15);
        state = mix(state ^ self.replication);
        for byte in purpose.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        state = mix(state);
        for key in keys {
            state = mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ *key);
        }
        state
    }
}

/// Hashes a name into a stream key.
pub fn key_of(name: &str) -> u64 {
    mix(name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    }))
}

/// The finaliser of SplitMix64: every input bit reaches every output bit.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_apart_and_repeatable() {
        let seed = Seed::new(7);
        let draw = |purpose, key| seed.stream(purpose, &[key]).random::<u64>();
        assert_eq!(draw("task-time", 1), draw("task-time", 1));
        assert_ne!(draw("task-time", 1), draw("task-time", 2));
        assert_ne!(draw("task-time", 1), draw("node-boot", 1));
        let other = seed.replication(1).stream("task-time", &[1]).random::<u64>();
        assert_ne!(draw("task-time", 1), other);
    }

    #[test]
    fn uniform_covers_the_unit_interval() {
        let mean = (0..10_000).map(|i| Seed::new(0).uniform("mean", &[i])).sum::<f64>() / 1e4;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }
}
