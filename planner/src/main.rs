//! The `seatrial` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    planner::cli::main()
}
