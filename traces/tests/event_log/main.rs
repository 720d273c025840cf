//! Event logs from outside: recorded ones against what is known of them, and hostile ones.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod hostile;
mod lowering;
mod real_logs;
mod replay;
mod sample;
mod samples;
mod table;
