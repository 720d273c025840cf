//! Standard output: data in the format that was asked for. A reader that goes away early (`| head`)
//! ends the command quietly and is no failure.

use std::io::{self, IsTerminal, StdoutLock, Write};

use reports::grid::Grid;
use reports::render::{self, Format};
use serde::Serialize;

use super::Stop;

/// Standard output.
pub(super) struct Output {
    asked: Option<Format>,
    stdout: StdoutLock<'static>,
}

impl Output {
    pub(super) fn new(asked: Option<Format>) -> Self {
        Self { asked, stdout: io::stdout().lock() }
    }

    /// What was asked for; tables if nothing was.
    pub(super) fn format(&self) -> Format {
        self.asked.unwrap_or_default()
    }

    /// Titles may be bold: only on a terminal, and not where the user wants no colour
    /// (<https://no-color.org>).
    pub(super) fn bold(&self) -> bool {
        self.stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
    }

    /// Prints `text` as it is.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Stop> {
        self.bytes(text.as_bytes())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.stdout.write_all(bytes).map_err(stop)
    }

    /// For text that is written as it comes.
    pub(super) fn writer(&mut self) -> &mut dyn Write {
        &mut self.stdout
    }

    /// Prints a table in the format that was asked for.
    pub(super) fn grid(&mut self, grid: &Grid) -> Result<(), Stop> {
        self.text(&render::grid(grid, self.format()))
    }

    /// Prints a value that has no table: JSON, or YAML if that was asked for.
    pub(super) fn value<T: Serialize>(&mut self, value: &T) -> Result<(), Stop> {
        match self.asked {
            None | Some(Format::Json) => self.text(&render::json(value)),
            Some(Format::Yaml) => self.text(&render::yaml(value)),
            Some(_) => Err(Stop::BadInput("this can be printed as json or yaml only".to_owned())),
        }
    }

    pub(super) fn finish(mut self) -> Result<(), Stop> {
        self.stdout.flush().map_err(stop)
    }
}

/// Why standard output could not be written.
pub(super) fn stop(error: io::Error) -> Stop {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Stop::ReaderGone,
        _ => Stop::Failed(format!("standard output: {error}")),
    }
}
