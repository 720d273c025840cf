//! When what happened to an application is made good, so that it goes its usual course again.
//!
//! While outputs are missing, or tasks run twice, the bounds of `bounds.rs` do not hold: every
//! local moment is looked at, and tasks are launched one at a time. Once all that was lost waits or
//! runs again, and nothing twice, that is over. Leaves out applications that are never usual: with
//! speculation, exclusion, resource profiles, or attempts that are known to fail.

use super::Progress;
use crate::units::SimTime;

impl<K: Copy + Eq> Progress<K> {
    /// Something may have been made good: takes note if all is.
    pub(super) fn note_recovery(&mut self) {
        if !self.exceptional || self.is_never_usual() || !self.stages_are_usual() {
            return;
        }
        self.exceptional = false;
        // What was given up may have been to end later than what is left.
        for state in &mut self.stages {
            state.last_end = SimTime::ZERO;
        }
        for task in self.running.iter() {
            let state = &mut self.stages[task.stage as usize];
            state.last_end = state.last_end.max(task.end);
        }
    }

    fn is_never_usual(&self) -> bool {
        let rules = &self.rules;
        rules.speculation.enabled
            || rules.exclusion.enabled
            || rules.by_profile
            || self.failures.expects_any()
    }

    /// Nothing is missing, and every partition that is not done waits or runs, once.
    fn stages_are_usual(&self) -> bool {
        (0..).zip(&self.stages).all(|(place, state)| {
            let once = match state.active {
                true => state.running + self.waiting_tasks(place) == state.left,
                false => state.running == 0,
            };
            once && state.missing.is_empty()
                && state.parents_missing == 0
                && state.copies.is_empty()
                && !state.resubmits
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::rng::RngExt;
    use crate::spark::progress::test_application::application;
    use crate::spark::progress::{Fate, Met};
    use crate::units::SimDuration;

    /// What others see, and what is to come.
    fn state(progress: &Progress<u32>) -> String {
        let executors: Vec<_> = progress.executors().collect();
        let mut running: Vec<_> = progress.running.iter().collect();
        running.sort();
        let stages = progress.stages.iter().map(|stage| {
            (stage.next, &stage.requeued, stage.left, &stage.done, &stage.outputs, stage.waiting)
        });
        format!(
            "{executors:?} {running:?} {:?} {:?} {} {} {:?} {:?} {} {:?} {:?} {:?}",
            stages.collect::<Vec<_>>(),
            progress.free,
            progress.tasks_launched,
            progress.tasks_succeeded,
            progress.task_time_lost,
            progress.backlog_since,
            progress.pending,
            progress.unlaunched,
            progress.advanced_to,
            progress.fewest_tasks,
        )
    }

    /// Executors are lost and come at random; whoever recovers takes the same steps as one that is
    /// looked at all the time, and is never woken too late.
    #[test]
    fn a_recovered_application_takes_the_same_steps() {
        let (mut losses, mut recoveries) = (0, 0);
        for seed in 0..400 {
            let (mut usual, mut exceptional) =
                (application(seed, 50, false), application(seed, 50, true));
            let mut stream = Seed::new(seed).stream("losses", &[]);
            let mut now = SimTime::ZERO;
            let mut alive: Vec<u32> = (0..4).collect();
            for progress in [&mut usual, &mut exceptional] {
                alive.iter().for_each(|key| progress.add_executor(now, *key, *key, 2));
                progress.start(now);
            }
            while exceptional.stages_finished_at().is_none() {
                now = now + SimDuration::from_millis(stream.random_range(1..3000));
                let expected = usual.next_moment(usual.advanced_to, true, false);
                let (was, active) = (usual.exceptional, exceptional.active.clone());
                let met = (usual.advance(now), exceptional.advance(now));
                if met != (Met::Nothing, Met::Nothing) {
                    assert_eq!(met.0, met.1, "seed {seed} at {now}");
                    break;
                }
                assert_eq!(state(&usual), state(&exceptional), "seed {seed} at {now}");
                if exceptional.active != active {
                    assert!(expected.is_some_and(|at| at <= now), "seed {seed}: late at {now}");
                }
                if stream.random_range(0..4u32) == 0 && alive.len() > 1 {
                    let key = alive.swap_remove(stream.random_range(0..alive.len()));
                    usual.remove_executor(now, key, Fate::LOST);
                    exceptional.remove_executor(now, key, Fate::LOST);
                    losses += 1;
                } else if alive.len() < 6 {
                    let key = usual.executors_ever();
                    alive.push(key);
                    usual.add_executor(now, key, key, 2);
                    exceptional.add_executor(now, key, key, 2);
                }
                recoveries += u32::from(was && !usual.exceptional);
                assert_eq!(state(&usual), state(&exceptional), "seed {seed} at {now}");
            }
            assert_eq!(usual.stages_finished_at(), exceptional.stages_finished_at());
        }
        assert!(losses > 1000 && recoveries > 50, "{losses} losses, {recoveries} recoveries");
    }
}
