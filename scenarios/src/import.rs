//! A scenario out of what people have: files are told by what they hold, not by their names.
//!
//! Modelled: eksctl `ClusterConfig`s, what `kubectl get nodes,pods,deploy -o json` prints, Cluster
//! Autoscaler as a Deployment or as Helm values, its priority expander's `ConfigMap`,
//! `KubeSchedulerConfiguration`, the legacy Policy, pod templates, `SparkApplication`s, and
//! `spark-defaults.conf`, Karpenter's NodePools and EC2NodeClasses. Native files go into the scenario as they are; only what no file of its
//! own says (pools seen in a dump, settings of a `SparkApplication`) is written out.
//!
//! Left out: Helm and Kustomize templates before they are
//! rendered, Terraform, traces (named, not copied), and merging two files of one kind: the first
//! one counts, and the others are listed with the reason.
//!
//! Source: the formats as in [`crate::native`]; labels of nodes: facts-kubernetes 2, the
//! well-known labels of Kubernetes, and the EKS, eksctl, Karpenter, kOps, GKE and AKS documents.

mod cluster;
mod draft;
mod gather;
pub(crate) mod group;
mod karpenter;
mod page;
mod pools;
mod prices;
pub(crate) mod recognise;
mod spark;
pub(crate) mod templates;

use std::collections::BTreeSet;
use std::path::Path;

pub use gather::gather;

/// A text to make a scenario of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its name, as the user knows it.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// The user named it; it was not found in a folder. What cannot be read is then an error.
    pub named: bool,
}

/// What was recognised, and where it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub file: String,
    /// What it is.
    pub what: String,
    /// What it was taken for.
    pub used: String,
}

/// What no file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The key to set.
    pub key: String,
    /// What holds until it is set, and what is known about it.
    pub until_then: String,
}

/// What was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The file.
    pub file: String,
    /// Why.
    pub why: String,
}

/// A file that stands beside the scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeCopy {
    /// Its name beside the scenario: letters, digits, dots, dashes and underscores.
    pub name: String,
    /// What it holds: the given file as it is, or a part of it.
    pub text: String,
    /// Where it comes from.
    pub from: String,
}

/// A scenario made of given files. It has not been loaded yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Import {
    /// Text of the scenario file.
    pub scenario: String,
    /// The files that it names.
    pub files: Vec<NativeCopy>,
    /// What was recognised.
    pub found: Vec<Found>,
    /// What no file says.
    pub unknown: Vec<Unknown>,
    /// What was not used.
    pub ignored: Vec<Ignored>,
}

/// Why there is no scenario.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ImportError {
    /// A file that the user named cannot be read, or is nothing that is known.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// Nothing that a scenario can be made of.
    #[error("{0}")]
    Nothing(String),
}

impl Import {
    fn found(&mut self, file: &str, what: impl Into<String>, used: impl Into<String>) {
        self.found.push(Found { file: file.to_owned(), what: what.into(), used: used.into() });
    }

    fn ignore(&mut self, file: &str, why: impl Into<String>) {
        self.ignored.push(Ignored { file: file.to_owned(), why: why.into() });
    }

    fn unknown(&mut self, key: &str, until_then: impl Into<String>) {
        self.unknown.push(Unknown { key: key.to_owned(), until_then: until_then.into() });
    }

    /// Puts a file beside the scenario; gives the name that it has there.
    fn copy(&mut self, from: &str, wanted: &str, text: &str) -> String {
        if let Some(known) = self.files.iter().find(|copy| copy.from == from && copy.text == text) {
            return known.name.clone();
        }
        let taken: BTreeSet<String> =
            self.files.iter().map(|copy| copy.name.to_lowercase()).collect();
        let plain = plain_name(wanted);
        let free = |name: &String| {
            let lower = name.to_lowercase();
            !taken.contains(&lower) && lower != "scenario.yaml"
        };
        let numbered = (2..).map(|number| format!("{number}-{plain}"));
        let name = std::iter::once(plain.clone()).chain(numbered).find(free).unwrap_or(plain);
        let copy = NativeCopy { name: name.clone(), text: text.to_owned(), from: from.to_owned() };
        self.files.push(copy);
        name
    }
}

/// The last part of `path` with nothing in it but letters, digits, dots, dashes and underscores.
fn plain_name(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = last.chars().map(|c| if plain(c) { c } else { '-' }).take(100).collect();
    let name = name.trim_start_matches(['.', '-']);
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

/// A foreign text on one line of a comment or a message.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    let shown: String =
        text.chars().take(most).map(|c| if breaks(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(most).is_some() { format!("{shown}…") } else { shown }
}

/// Makes a scenario called `name` of what is given.
///
/// # Errors
/// A file that the user named is nothing that is known, or nothing in the files can be used.
pub fn import(name: &str, given: &[Given]) -> Result<Import, ImportError> {
    let mut out = Import::default();
    let mut draft = draft::Draft::default();
    for one in given {
        let pieces = match recognise::recognise(one) {
            Ok(pieces) => pieces,
            Err(reason) if one.named => {
                return Err(ImportError::File { file: one_line(&one.name, 300), reason });
            }
            Err(reason) => {
                out.ignore(&one.name, reason);
                continue;
            }
        };
        for piece in pieces {
            draft.take(one, piece, &mut out);
        }
    }
    draft.write(name, &mut out)?;
    Ok(out)
}

/// The scenario's name where the user gives none: that of its folder.
pub fn name_of(folder: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = plain_name(&name.unwrap_or_default());
    if name == "file" { "imported".to_owned() } else { name }
}
