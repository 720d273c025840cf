//! Replications and the command line.
