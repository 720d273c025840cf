//! Plans: the best settings in the space that a scenario's `plan` allows, and how sure that is.
//!
//! Every candidate meets the same runs, draws and spot weather. Small spaces are raced whole; in wide
//! ones a local search climbs from today's settings, and its best are raced. A race gives every
//! candidate one replication, the better half two, and so on: poor ones are dropped early. An
//! evaluation is one function of plain values ([`Task`] to numbers), written down as soon as it is
//! known, so that a plan that was stopped goes on where it was.
//!
//! Leaves out: surrogate models; orders in which settings could be changed on the live system.

pub mod answer;
pub mod evaluate;
pub mod question;
pub mod search;
pub mod window;

pub use evaluate::{Evaluator, Task};
pub use question::{Knob, Question, Risk};

/// A choice: for each knob the place of its value; `None` is today's setting.
pub type Candidate = Vec<Option<usize>>;
