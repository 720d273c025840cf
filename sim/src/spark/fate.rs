//! What becomes of executors and attempts: what is lost with an executor, which task kills one, how
//! an attempt that has done its work ends, and what is recorded of it.

use super::attempt::Attempt;
use super::progress::{Doom, Fate};
use super::work::Work;
use crate::cluster::PodId;
use crate::engine::world::Cx;
use crate::outcome::{AttemptRecord, Ledger, PodResult};
use crate::workload::{Failure, RunOutcome};

/// What becomes of an executor's tasks and of what it holds. The kernel's kill is the
/// application's own doing and counts; pods that are taken from it are not. Decommissioning moves
/// as many bytes as the network carries in the time that is left.
pub(super) fn fate(cx: &Cx<'_>, attempt: &Attempt, pod: PodId, result: PodResult) -> Fate {
    let spark = &cx.scenario.spark;
    let rules = &spark.decommission;
    let taken = matches!(result, PodResult::SpotReclaimed | PodResult::Deleted);
    let moves = rules.enabled && rules.storage && rules.shuffle_blocks && taken;
    let outputs_moved = if moves {
        let assumptions = &cx.scenario.assumptions;
        let time = match result {
            PodResult::SpotReclaimed => assumptions.spot_notice,
            _ => assumptions.termination_grace,
        };
        let bytes = attempt.progress.shuffle_bytes_on(pod).max(1) as f64;
        (assumptions.network_bytes_per_s.as_u64() as f64 * time.as_secs_f64() / bytes).min(1.0)
    } else {
        0.0
    };
    let blames = (result == PodResult::OomKilled).then_some(Failure::ExecutorOom);
    Fate { blames, outputs_moved }
}

/// How an attempt ends that has done its work. What the trace recorded as a failure of the
/// application itself happens again; a transient one, or the loss of the driver for a reason that is
/// not simulated, only at the first attempt; a driver that
/// needs more memory than it has dies when it collects the result.
pub(super) fn result_of(cx: &Cx<'_>, attempt: &Attempt) -> Result<(), Failure> {
    let run = cx.run(attempt.run);
    if attempt.shape.driver_ooms {
        return Err(Failure::DriverOom);
    }
    match run.failure {
        Some(Failure::Application) => Err(Failure::Application),
        Some(failure @ (Failure::Transient | Failure::DriverLost)) if attempt.number == 1 => {
            Err(failure)
        }
        // Failed for a reason that nobody recorded: taken for the application's own.
        None if run.outcome == RunOutcome::Failed => Err(Failure::Application),
        _ => Ok(()),
    }
}

/// The task that needs more memory than its executor has: one of the stage with the most work,
/// drawn per run, killed after a drawn share of its time.
pub(super) fn doom(cx: &Cx<'_>, run_key: u64, work: &Work) -> Option<Doom> {
    let stages = work.stages.iter().enumerate();
    let (stage, heaviest) = stages.max_by_key(|(_, stage)| stage.tasks.total())?;
    let count = heaviest.tasks.count();
    let draw = cx.seed.uniform("oom-task", &[run_key]);
    let task = ((draw * f64::from(count)) as u32).min(count.checked_sub(1)?);
    let at = 0.3 + 0.65 * cx.seed.uniform("oom-moment", &[run_key]);
    Some(Doom { stage: stage as u32, task, at })
}

pub(super) fn record(
    cx: &mut Cx<'_>,
    attempt: &Attempt,
    outcome: RunOutcome,
    failure: Option<Failure>,
    cost: Ledger,
) {
    let run = cx.run(attempt.run);
    let stages = run.stages.as_deref().filter(|_| run.recording.is_some()).unwrap_or_default();
    let stage_ends = (0..stages.len()).map(|place| attempt.progress.stage_done_at(place));
    let record = AttemptRecord {
        stage_ends: stage_ends.collect(),
        run: attempt.run,
        attempt: attempt.number,
        submitted_at: attempt.submitted_at,
        started_at: attempt.started_at,
        tasks_started_at: attempt.tasks_started_at,
        ended_at: cx.now,
        outcome,
        failure,
        executor_memory: attempt.shape.executor.memory,
        executor_memory_asked: attempt.shape.executor_asked,
        executor_memory_needed: attempt.shape.executor_needed,
        driver_memory: attempt.shape.driver.memory,
        executors_max: attempt.shape.max,
        executors_peak: attempt.registered_peak,
        executor_time: attempt.progress.executor_time,
        executors_lost_to_spot: attempt.spot_losses,
        executors_oom_killed: attempt.oom_kills,
        on_demand: attempt.on_demand,
        task_time: attempt.progress.task_time,
        task_time_lost: attempt.progress.task_time_lost,
        cost,
    };
    cx.sink.attempt(record, &run);
}
