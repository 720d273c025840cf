//! What every part of the loader shares: where problems and findings go, and the files it reads.

use std::cell::RefCell;
use std::path::PathBuf;

use sim::{Finding, Severity};

use super::NativeFile;
use crate::native::{NativeRead, Place};
use crate::overlay::{read_text, shown};
use crate::problem::{Pos, Problem};
use crate::walk::{At, Walker};

pub(super) struct Context<'a> {
    pub walker: &'a Walker<'a>,
    findings: RefCell<Vec<Finding>>,
    native_files: RefCell<Vec<NativeFile>>,
}

/// A file's name for messages, and its text.
pub(super) struct Text {
    pub name: String,
    pub text: String,
}

impl<'a> Context<'a> {
    pub(super) fn new(walker: &'a Walker<'a>) -> Self {
        Self { walker, findings: RefCell::default(), native_files: RefCell::default() }
    }

    pub(super) fn finish(self) -> (Vec<Finding>, Vec<NativeFile>) {
        (self.findings.into_inner(), self.native_files.into_inner())
    }

    /// The name of the file that the user named.
    pub(super) fn main_file(&self) -> String {
        let main = Pos { source: 1, ..Pos::default() };
        self.walker.source_of(main).map(|source| source.name.clone()).unwrap_or_default()
    }

    /// The path that `at` holds, relative to the file that it stands in.
    pub(super) fn path(&self, at: &At<'_>) -> Option<PathBuf> {
        let name = at.name()?;
        let source = self.walker.source_of(at.node.pos);
        Some(source.map_or_else(PathBuf::new, |source| source.directory.clone()).join(name))
    }

    /// Reads the native file whose path `at` holds.
    pub(super) fn read(&self, at: &At<'_>) -> Option<Text> {
        let path = self.path(at)?;
        match read_text(&path) {
            Ok(text) => {
                let name = shown(&path);
                let file = NativeFile { setting: at.path.clone(), path };
                self.native_files.borrow_mut().push(file);
                Some(Text { name, text })
            }
            Err(message) => {
                at.problem(format!("`{}`: {message}", at.node.scalar_text().unwrap_or_default()));
                None
            }
        }
    }

    /// Takes what a native reader found, and gives its value.
    pub(super) fn take<T>(&self, read: NativeRead<T>) -> T {
        self.take_notes(read.problems, read.not_modelled);
        read.value
    }

    pub(super) fn take_notes(&self, problems: Vec<Problem>, findings: Vec<Finding>) {
        problems.into_iter().for_each(|problem| self.walker.report(problem));
        self.findings.borrow_mut().extend(findings);
    }

    /// A finding about the setting `subject`.
    pub(super) fn note(&self, severity: Severity, code: &str, subject: &str, message: String) {
        self.findings.borrow_mut().push(Finding::new(severity, code, subject, message));
    }

    /// A problem at `place`.
    pub(super) fn problem_at(&self, place: &Place, message: String, help: Option<String>) {
        let mut problem = place.problem(message);
        problem.help = help;
        self.walker.report(problem);
    }
}
