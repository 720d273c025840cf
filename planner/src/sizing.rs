//! Executor memory by application: what it is seen to need, the chance of running out at each size,
//! what each size is expected to cost with its retries, and what to change.
//!
//! Models: a run's need is a log-normal of its application; a run that died of memory is known to
//! have needed more than it had. Sizes are whole GiB of heap. The cost of an attempt is its
//! executors' time, as one simulation had it, times what cores and memory weigh; an attempt that dies
//! costs 62.5 % of it (the mean of what the simulator draws), and goes on to the ladder's next size.
//! Leaves out: less memory that makes tasks spill or the collector busy (the peak is the need);
//! needs that grow with the input; fewer executors on a node; drivers. That is why what is
//! recommended is then simulated beside today's.

mod advice;
mod gather;
mod held_out;
mod need;
mod sizes;

pub use advice::{Advice, Application, Limits, Verdict, advise};
pub use gather::gather;
pub use held_out::{HeldOut, Met, held_out};
pub use need::{Fleet, Need, Observed, Seen};
pub use sizes::{Expected, heaps, ladder_heaps};
