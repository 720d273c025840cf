//! The engine: one loop over arrivals and the calendar.
//!
//! Arrivals come from cursors over the sorted workload, never from the calendar, which so stays as
//! small as what is going on. The loop ends when every run and trace pod has ended, or seven days
//! after the last submission; what is still going on then is counted as unfinished. Nodes are
//! billed to the end.

pub(crate) mod arrivals;
pub(crate) mod calendar;
pub(crate) mod event;
mod finish;
mod hold;
mod invariants;
mod route;
mod timeline;
pub(crate) mod world;

pub use hold::hold;

use crate::outcome::Tally;
use crate::units::{SimDuration, SimTime};
use crate::{Outcome, Scenario, Seed, Sink, Workload};
use crate::{
    autoscaler, lifecycle, orchestrator, overprovisioning, provisioner, spot::interruption,
};
use arrivals::{Arrivals, Next, RunCursor};
use calendar::Calendar;
use event::Event;
use world::{Cx, World};

/// How long after the last submission the simulation gives up on what has not ended.
const HORIZON: SimDuration = SimDuration::hours(7 * 24);

/// Events between two calls of [`Sink::progress`].
const EVENTS_PER_PROGRESS: u64 = 8192;

/// How to run, besides what is run.
#[derive(Debug, Default, Clone, Copy)]
pub struct RunOptions {
    /// Check the invariants after every event: slow. Always on in debug builds.
    pub check_invariants: bool,
    /// Wake every application at each end of a task, not only when something is to be decided. The
    /// decisions are the same: a reference for tests.
    pub every_task: bool,
    /// Let the autoscaler scan at every interval, also where nothing can have changed. The
    /// decisions are the same: a reference for tests.
    pub every_scan: bool,
    /// How the scheduler looks for a node. The decisions are the same.
    pub node_search: NodeSearch,
}

/// How the scheduler looks for a node for a pod.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum NodeSearch {
    /// Once at each class of nodes that no plugin can tell apart, where the pod allows it.
    #[default]
    ByClass,
    /// At every node: a reference for tests.
    EveryNode,
}

/// Simulates `workload` on `scenario`. Same arguments: same outcome and same records, bit by bit.
///
/// # Panics
/// If an invariant is broken, which is a bug.
pub fn run(
    scenario: &Scenario,
    workload: &Workload,
    seed: Seed,
    options: RunOptions,
    sink: &mut dyn Sink,
) -> Outcome {
    let mut world = World::new(scenario, workload);
    let outcome = Outcome { scenario: scenario.name.clone(), ..Outcome::default() };
    let calendar = Calendar::default();
    let now = SimTime::ZERO;
    let mut tally = Tally::new(sink, workload);
    let sink = &mut tally;
    let runs = RunCursor::new(&workload.runs);
    let mut cx = Cx { now, calendar, scenario, workload, runs, options, seed, sink, outcome };
    provisioner::start(&mut world, &mut cx);
    overprovisioning::start(&mut world, &mut cx);
    interruption::start(&mut world, &mut cx);
    cx.after(SimDuration::ZERO, Event::Sample);
    autoscaler::start(&mut world, &mut cx);

    let horizon = workload.last_submission().saturating_add(HORIZON);
    let mut arrivals = Arrivals::default();
    while world.runs_open + world.trace_pods_open > 0 {
        let Some(next) = arrivals.next(workload, &mut cx.runs, &cx.calendar) else {
            break;
        };
        let at = match next {
            Next::Run(_, at) | Next::TracePod(_, at) | Next::Event(at) => at,
        };
        if at > horizon {
            break;
        }
        assert!(at >= cx.now, "time goes back from {} to {at}", cx.now);
        cx.now = at;
        match next {
            Next::Run(run, _) => orchestrator::on_run_due(&mut world, &mut cx, run),
            Next::TracePod(pod, _) => lifecycle::on_trace_pod_created(&mut world, &mut cx, pod),
            Next::Event(_) => {
                let (_, event) = cx.calendar.pop().expect("an event was seen");
                route::route(event, &mut world, &mut cx);
            }
        }
        cx.outcome.events += 1;
        if options.check_invariants || cfg!(debug_assertions) {
            invariants::check(&world, cx.now);
        }
        if cx.outcome.events.is_multiple_of(EVENTS_PER_PROGRESS) {
            let finished = cx.outcome.succeeded + cx.outcome.failed;
            if !cx.sink.progress(cx.now, finished) {
                cx.outcome.stopped = true;
                break;
            }
        }
    }
    let mut outcome = finish::finish(world, cx);
    tally.finish(&mut outcome);
    outcome
}
