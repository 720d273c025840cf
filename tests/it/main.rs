//! Black-box tests over all crates.
