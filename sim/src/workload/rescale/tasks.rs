//! Task durations of another number of tasks, or with more or less work each.
//!
//! A duration is Spark's overhead, the same for every task, and work. Order is kept: partitions
//! that are split or merged are neighbours, and hashing makes neighbours strangers, so that merging
//! them evens out what is not one heavy key.

use super::Rescale;
use crate::units::SimDuration;
use crate::workload::TaskDurations;

/// Most tasks that a stage is grown to; what is beyond makes each longer. It bounds memory.
const TASKS_MAX: f64 = 1e6;

/// The same tasks with `factor` times their work.
pub(super) fn with_work_scaled(
    tasks: &TaskDurations,
    overhead: SimDuration,
    factor: f64,
) -> TaskDurations {
    let overhead = to_u32(overhead.as_millis());
    tasks.map_millis(|ms| with_factor(ms, overhead, factor))
}

/// `input` times as many tasks that take as long, and the factor by which each takes longer,
/// because tasks are whole.
pub(super) fn grown(
    tasks: &TaskDurations,
    overhead: SimDuration,
    input: f64,
) -> (TaskDurations, f64) {
    let old = tasks.count();
    if old == 0 {
        return (tasks.clone(), 1.0);
    }
    let most = TASKS_MAX.max(f64::from(old));
    let new = (f64::from(old) * input).floor().clamp(1.0, most) as u32;
    let each = f64::from(old) * input / f64::from(new);
    let overhead = to_u32(overhead.as_millis());
    let durations = (0..new).map(|place| {
        // With more tasks every old one is met at least once, so that the longest stays.
        let old_place = u64::from(place) * u64::from(old) / u64::from(new);
        with_factor(to_u32(tasks.get(old_place as u32).as_millis()), overhead, each)
    });
    (TaskDurations::from_millis(durations.collect()), each)
}

/// The same work in `to` tasks, and whether some tasks are heavy keys, which stay whole.
pub(super) fn repartitioned(
    tasks: &TaskDurations,
    overhead: SimDuration,
    to: u32,
) -> (TaskDurations, bool) {
    let overhead = overhead.as_millis();
    let work: Vec<u64> = (0..tasks.count())
        .map(|place| tasks.get(place).as_millis().saturating_sub(overhead))
        .collect();
    if work.is_empty() || to == 0 {
        return (tasks.clone(), false);
    }
    let mut sorted = work.clone();
    sorted.sort_unstable();
    let heavy = sorted[sorted.len() / 2].max(1).saturating_mul(u64::from(Rescale::SKEWED));
    let is_heavy = |ms: u64| work.len() > 1 && ms > heavy;
    let whole: Vec<(usize, u64)> =
        work.iter().copied().enumerate().filter(|(_, ms)| is_heavy(*ms)).collect();
    let new = to as usize;
    let mut spread_out = if whole.is_empty() || whole.len() >= new {
        spread(&work, new)
    } else {
        let rest: Vec<u64> = work.iter().copied().filter(|ms| !is_heavy(*ms)).collect();
        let mut tasks = spread(&rest, new - whole.len());
        for (place, ms) in &whole {
            let place = (place * new / work.len()).min(tasks.len());
            tasks.insert(place, *ms);
        }
        tasks
    };
    for ms in &mut spread_out {
        *ms = ms.saturating_add(overhead);
    }
    let kept = !whole.is_empty() && whole.len() < new;
    (TaskDurations::from_millis(spread_out.into_iter().map(to_u32).collect()), kept)
}

/// Cuts the row of `work` into `new` pieces of equal length. The sum stays exactly.
fn spread(work: &[u64], new: usize) -> Vec<u64> {
    let mut before = Vec::with_capacity(work.len() + 1);
    let mut sum = 0;
    before.push(0);
    for ms in work {
        sum += ms;
        before.push(sum);
    }
    let up_to = |piece: usize| {
        let position = piece as u128 * work.len() as u128;
        let (whole, part) = (position / new as u128, position % new as u128);
        let begun = work.get(whole as usize).copied().unwrap_or(0);
        before[whole as usize] + (u128::from(begun) * part / new as u128) as u64
    };
    (0..new).map(|piece| up_to(piece + 1) - up_to(piece)).collect()
}

/// A task's duration with `factor` times its work.
fn with_factor(ms: u32, overhead: u32, factor: f64) -> u32 {
    let own = ms.min(overhead);
    own.saturating_add((f64::from(ms - own) * factor).round() as u32)
}

fn to_u32(ms: u64) -> u32 {
    u32::try_from(ms).unwrap_or(u32::MAX)
}
