//! Processor and memory amounts, in the smallest units Kubernetes requests come in.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub, SubAssign};

/// Thousandths of a CPU core (`m` in Kubernetes quantities).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MilliCores(u64);

/// Bytes of memory or disk.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(u64);

impl MilliCores {
    /// No CPU.
    pub const ZERO: Self = Self(0);

    /// `m` thousandths of a core.
    pub const fn new(m: u64) -> Self {
        Self(m)
    }

    /// Whole cores.
    pub const fn cores(cores: u64) -> Self {
        Self(cores * 1000)
    }

    /// Thousandths of a core.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Cores, for statistics.
    pub fn as_cores_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// `self - other`, or zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Bytes {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `bytes` bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Mebibytes (2^20).
    pub const fn mib(mib: u64) -> Self {
        Self(mib << 20)
    }

    /// Gibibytes (2^30).
    pub const fn gib(gib: u64) -> Self {
        Self(gib << 30)
    }

    /// Bytes.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Whole mebibytes, rounded down.
    pub const fn as_mib_floor(self) -> u64 {
        self.0 >> 20
    }

    /// Whole mebibytes, rounded up.
    pub const fn as_mib_ceil(self) -> u64 {
        self.0.div_ceil(1 << 20)
    }

    /// Gibibytes, for statistics.
    pub fn as_gib_f64(self) -> f64 {
        self.0 as f64 / (1u64 << 30) as f64
    }

    /// `self - other`, or zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self + other`, staying at the largest value instead of overflowing.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Scaled by `factor`, rounded down to whole bytes.
    pub fn scale_floor(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor).floor() as u64)
    }
}

macro_rules! amount {
    ($type:ident) => {
        impl Add for $type {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl AddAssign for $type {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }
        impl Sub for $type {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl SubAssign for $type {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }
        impl Mul<u64> for $type {
            type Output = Self;
            fn mul(self, times: u64) -> Self {
                Self(self.0 * times)
            }
        }
    };
}

amount!(MilliCores);
amount!(Bytes);

/// Kubernetes notation: `500m`, `4`.
impl fmt::Display for MilliCores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) {
            write!(f, "{}", self.0 / 1000)
        } else {
            write!(f, "{}m", self.0)
        }
    }
}

/// Kubernetes notation, in the largest binary unit that is exact: `4Gi`, `384Mi`, `17`.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (shift, suffix) in [(40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")] {
            if self.0 != 0 && self.0.is_multiple_of(1 << shift) {
                return write!(f, "{}{suffix}", self.0 >> shift);
            }
        }
        write!(f, "{}", self.0)
    }
}
