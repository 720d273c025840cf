//! Why something in a result happened: one pod's, run's, node's or node group's life, from the
//! tables of a result folder.
//!
//! [`explain`] reads the tables and gives an [`Explanation`], which prints itself in every format.
//! What a pod waited for is joined with what the autoscaler decided in that time by the moment:
//! the tables do not say for which pod a node was launched. Leaves out: other replications than
//! the first (their records are not kept), and what a pod's own selector asks for, which no table
//! holds.

mod advice;
mod clock;
mod document;
mod names;
mod node;
mod node_group;
mod pod;
mod rows;
mod run;
mod timeline;
mod waits;

use std::path::Path;

pub use document::Explanation;
pub use rows::ExplainError;

/// What is to be explained. Names are as the user wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A pod by its number, as `RUN/driver` or `RUN/exec-3`, or by its name in the pod trace; of
    /// that attempt of the run, else of the last one that has it.
    Pod {
        /// Which.
        name: String,
        /// Attempt of the run.
        attempt: Option<u32>,
    },
    /// A run by its id, or by its place in the workload.
    Run(String),
    /// A node by its number.
    Node(String),
    /// A node pool by its name.
    NodeGroup(String),
}

/// Explains several runs at once, each by its id, in their order.
///
/// # Errors
/// As [`explain`].
pub fn runs(folder: &Path, ids: &[&str]) -> Result<Vec<Explanation>, ExplainError> {
    run::explain_all(&rows::ResultTables::open(folder)?, ids)
}

/// Explains `subject` from the result in `folder`.
///
/// # Errors
/// A folder that holds no tables of this version, or a name that is not in them.
pub fn explain(folder: &Path, subject: &Subject) -> Result<Explanation, ExplainError> {
    let result = rows::ResultTables::open(folder)?;
    match subject {
        Subject::Pod { name, attempt } => pod::explain(&result, name, *attempt),
        Subject::Run(name) => run::explain(&result, name),
        Subject::Node(name) => node::explain(&result, name),
        Subject::NodeGroup(name) => node_group::explain(&result, name),
    }
}
