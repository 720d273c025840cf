//! What seatrial takes: `instructions` counts those of fixed workloads and compares them with what
//! is recorded; `recipe` measures CPU time and peak memory and writes them into
//! `docs/performance.md`. The other commands are the workloads that these run as processes of
//! their own.
//!
//! Needs `cargo build --release` before; `instructions` also valgrind, `recipe` also zstd.

#![expect(clippy::print_stdout, reason = "a command")]

mod instructions;
mod loops;
mod process;
mod recipe;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A command's result: an error is what is said on stderr.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match &words[..] {
        ["instructions"] => instructions::record(&root()),
        ["instructions", "--check"] => instructions::check(&root()),
        ["recipe", parts @ ..] => recipe::run(&root(), parts),
        ["hold", pending, holds] => loops::hold(pending, holds),
        ["queue", pending, holds] => loops::queue(pending, holds),
        ["pods", count, days] => loops::pods(count, days, None),
        ["pods", count, days, nodes] => loops::pods(count, days, Some(nodes)),
        ["parse", file] => loops::parse(Path::new(file)),
        _ => Err("usage: measure instructions [--check] | recipe [PART..] | hold PENDING HOLDS | \
                  queue PENDING HOLDS | pods COUNT DAYS [NODES] | parse FILE"
            .to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("measure: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the repository.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}
