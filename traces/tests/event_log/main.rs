//! Event logs from outside: recorded ones against what is known of them, and hostile ones.

mod real_logs;
