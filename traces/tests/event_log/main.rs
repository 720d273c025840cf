//! Event logs from outside: recorded ones against what is known of them, and hostile ones.

mod hostile;
mod lowering;
mod real_logs;
mod replay;
mod sample;
