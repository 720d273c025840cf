//! The files as documents with their places, each with what it is.
//!
//! A scenario brings the native files that it names. Left out: what no reader knows, which is
//! skipped with the reason in a folder and refused where the user named it.

use std::path::Path;

use super::Unreadable;
use crate::file::{Loaded, json_of};
use crate::import::recognise::{Kind, is_spark_conf, kind_of};
use crate::import::{Given, Ignored, gather, one_line};
use crate::native::Place;
use crate::problem::{Pos, Source};
use crate::walk::{At, Walker};
use crate::yaml::{self, Node};

/// More documents than this are no configuration.
const DOCUMENTS_MAX: usize = 20_000;

/// A document of a file, or an item of a `List`.
#[derive(Debug)]
pub(super) struct Document {
    /// Which of [`Set::sources`].
    pub file: usize,
    pub node: Node,
    pub kind: Kind,
}

/// What a file is as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `spark-defaults.conf`.
    Conf,
    /// YAML or JSON.
    Documents,
}

#[derive(Debug, Default)]
pub(super) struct Set {
    pub sources: Vec<Source>,
    pub forms: Vec<Form>,
    pub documents: Vec<Document>,
    pub scenarios: Vec<(usize, Loaded)>,
    pub skipped: Vec<Ignored>,
}

impl Set {
    /// Reads every text; native files of scenarios that are not among them are read, too.
    pub(super) fn read(given: Vec<Given>) -> Result<Self, Unreadable> {
        let (mut set, mut unreadable) = (Self::default(), Vec::new());
        for one in given {
            let known = set.sources.iter().any(|source| source.name == one.name);
            if !known {
                set.take(one, &mut unreadable);
            }
        }
        for (file, text) in set.named_by_scenarios(&mut unreadable) {
            set.take(Given { name: file, text, named: true }, &mut unreadable);
        }
        if unreadable.is_empty() { Ok(set) } else { Err(Unreadable(unreadable)) }
    }

    fn take(&mut self, given: Given, unreadable: &mut Vec<String>) {
        let file = self.sources.len();
        let text = given.text.strip_prefix('\u{feff}').unwrap_or(&given.text);
        let source = Source::new(given.name.as_str(), text);
        let found = documents(&source, file).and_then(|(form, documents)| {
            let scenario = documents.iter().any(|one| one.kind == Kind::Scenario);
            let loaded = scenario.then(|| crate::load(Path::new(&given.name), &[])).transpose();
            Ok((form, documents, loaded.map_err(|problems| problems.to_string())?))
        });
        match found {
            Ok((form, documents, loaded)) => {
                self.sources.push(source);
                self.forms.push(form);
                self.documents.extend(documents);
                self.scenarios.extend(loaded.map(|loaded| (file, loaded)));
            }
            Err(reason) if given.named => {
                unreadable.push(format!("{}: {reason}", one_line(&given.name, 300)));
            }
            Err(reason) => {
                self.skipped.push(Ignored { file: given.name, why: one_line(&reason, 300) });
            }
        }
    }

    /// Native files of scenarios that nobody gave.
    fn named_by_scenarios(&self, unreadable: &mut Vec<String>) -> Vec<(String, String)> {
        let files = self.scenarios.iter().flat_map(|(_, loaded)| &loaded.native_files);
        let mut out: Vec<(String, String)> = Vec::new();
        for file in files {
            match gather(std::slice::from_ref(&file.path), None) {
                Ok((given, _)) => {
                    let new = given.into_iter().map(|one| (one.name, one.text));
                    let known =
                        |name: &String| self.sources.iter().any(|source| source.name == *name);
                    out.extend(new.filter(|(name, _)| !known(name)));
                }
                Err(error) => unreadable.push(error.to_string()),
            }
        }
        out.sort();
        out.dedup();
        out
    }

    /// Names of what was judged.
    pub(super) fn names(&self) -> Vec<String> {
        self.sources.iter().map(|source| source.name.clone()).collect()
    }

    /// The documents of a kind, in the order of the files.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &Document> {
        self.documents.iter().filter(move |document| document.kind == kind)
    }

    /// The place `pos` of a file.
    pub(super) fn place(&self, file: usize, pos: Pos) -> Place {
        match self.sources.get(file) {
            Some(source) => Place::new(source, pos),
            None => Place::named(""),
        }
    }

    /// Whether a scenario of the set names the file: it is read as a part of that.
    pub(super) fn is_of_a_scenario(&self, file: usize) -> bool {
        let name = &self.sources[file].name;
        let mut named = self.scenarios.iter().flat_map(|(_, loaded)| &loaded.native_files);
        named.any(|native| crate::overlay::shown(&native.path) == *name)
    }

    /// Reads a document with a reader of [`crate::native`].
    pub(super) fn with<T>(
        &self,
        document: &Document,
        read: impl for<'a> FnOnce(&At<'a>) -> T,
    ) -> T {
        let walker = Walker::tolerant(std::slice::from_ref(&self.sources[document.file]));
        read(&walker.at(&document.node, ""))
    }
}

/// The documents of a text and what they are, or why it is nothing that is known.
fn documents(source: &Source, file: usize) -> Result<(Form, Vec<Document>), String> {
    if source.text.trim().is_empty() {
        return Err("an empty file".to_owned());
    }
    if is_spark_conf(&source.text) {
        return Ok((Form::Conf, Vec::new()));
    }
    if source.text.starts_with("{\"Event\":\"SparkListener") {
        return Err("an event log of Spark: see `seatrial trace lint`".to_owned());
    }
    let parsed = yaml::parse(source);
    // The native readers take the last of several values, and say so.
    let mut bad = parsed.problems.iter().filter(|p| !p.message.starts_with("duplicate key "));
    if let Some(problem) = bad.next() {
        let at = if problem.line == 0 { String::new() } else { format!("line {}: ", problem.line) };
        return Err(format!("{at}{}", one_line(&problem.message, 300)));
    }
    let mut out = Vec::new();
    for node in parsed.documents.into_iter().filter(|node| !node.is_null()) {
        let is_list = node.get("kind").and_then(Node::scalar_text);
        let is_list = is_list.is_some_and(|kind| kind.ends_with("List"));
        let items = if is_list { node.get("items").map_or(&[][..], Node::items) } else { &[] };
        let one = |node: &Node, of_list: bool| {
            let kind = kind_of(&json_of(node), of_list).or_else(|| values_of_list(node))?;
            Some(Document { file, node: node.clone(), kind })
        };
        if is_list {
            out.extend(items.iter().filter_map(|item| one(item, true)));
        } else {
            out.extend(one(&node, false));
        }
        if out.len() > DOCUMENTS_MAX {
            return Err(format!("more than {DOCUMENTS_MAX} objects"));
        }
    }
    match out.is_empty() {
        true => Err("nothing that is known: no Kubernetes object, Helm values of Cluster \
                     Autoscaler, or spark-defaults.conf"
            .to_owned()),
        false => Ok((Form::Documents, out)),
    }
}

/// A request of an EMR on EKS job run has no kind.
fn values_of_list(node: &Node) -> Option<Kind> {
    node.get("jobDriver").is_some().then_some(Kind::Other)
}
