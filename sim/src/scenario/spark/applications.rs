//! Settings by application or team: what a class of runs is submitted with, instead of what its
//! runs were recorded with.
//!
//! Leaves out: settings of a class that change how Spark works (speculation, scheduling): those of
//! the scenario hold for all.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::scenario::{GroupPattern, SparkDefaults};
use crate::units::{Bytes, MilliCores};
use crate::workload::{ApplicationId, Run, TeamId, Workload};

/// What a run is submitted with; `None` = as recorded, or the scenario's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunSettings {
    /// `spark.executor.cores`.
    pub executor_cores: Option<u32>,
    /// `spark.executor.memory`.
    pub executor_memory: Option<Bytes>,
    /// `spark.executor.memoryOverhead`.
    pub executor_memory_overhead: Option<Bytes>,
    /// `spark.dynamicAllocation.minExecutors`; without dynamic allocation, the count.
    pub executors_min: Option<u32>,
    /// `spark.dynamicAllocation.maxExecutors`, or `spark.executor.instances`.
    pub executors_max: Option<u32>,
    /// `spark.dynamicAllocation.enabled`.
    pub dynamic_allocation: Option<bool>,
    /// `spark.driver.cores`.
    pub driver_cores: Option<MilliCores>,
    /// `spark.driver.memory`.
    pub driver_memory: Option<Bytes>,
}

impl RunSettings {
    /// These, and where they say nothing `under`.
    fn over(&self, under: &Self) -> Self {
        Self {
            executor_cores: self.executor_cores.or(under.executor_cores),
            executor_memory: self.executor_memory.or(under.executor_memory),
            executor_memory_overhead: self
                .executor_memory_overhead
                .or(under.executor_memory_overhead),
            executors_min: self.executors_min.or(under.executors_min),
            executors_max: self.executors_max.or(under.executors_max),
            dynamic_allocation: self.dynamic_allocation.or(under.dynamic_allocation),
            driver_cores: self.driver_cores.or(under.driver_cores),
            driver_memory: self.driver_memory.or(under.driver_memory),
        }
    }
}

/// A class of runs and what they are submitted with.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplicationSettings {
    /// A pattern over application names; `None` = all.
    pub application: Option<GroupPattern>,
    /// A pattern over team names; `None` = all.
    pub team: Option<GroupPattern>,
    /// What holds for them.
    pub settings: RunSettings,
}

/// Puts the settings into the runs of `workload`; of two that match a run, the later one wins.
pub fn apply_settings(classes: &[ApplicationSettings], workload: &mut Workload) {
    if classes.is_empty() {
        return;
    }
    let Workload { applications, teams, runs, .. } = workload;
    struct Class {
        by_application: Vec<bool>,
        by_team: Vec<bool>,
        settings: RunSettings,
    }
    // Patterns are asked once a name, not once a run.
    let classes: Vec<Class> = classes
        .iter()
        .map(|class| Class {
            by_application: GroupPattern::matching(class.application.as_ref(), applications),
            by_team: GroupPattern::matching(class.team.as_ref(), teams),
            settings: class.settings.clone(),
        })
        .collect();
    runs.change(move |runs| {
        // Once for each application of each team, so that its runs share what they have.
        let mut known: BTreeMap<(ApplicationId, TeamId), Option<Arc<RunSettings>>> =
            BTreeMap::new();
        for run in runs {
            let of = known.entry((run.application, run.team)).or_insert_with(|| {
                let matching = classes.iter().filter(|class| {
                    class.by_application.get(run.application.0 as usize) == Some(&true)
                        && class.by_team.get(run.team.0 as usize) == Some(&true)
                });
                let merged =
                    matching.fold(RunSettings::default(), |sum, class| class.settings.over(&sum));
                (merged != RunSettings::default()).then(|| Arc::new(merged))
            });
            run.settings.clone_from(of);
        }
    });
}

impl SparkDefaults {
    /// `spark.executor.memory` that `run` is submitted with.
    pub fn executor_heap_of(&self, run: &Run) -> Bytes {
        let own = run.settings.as_deref().and_then(|own| own.executor_memory);
        let recorded = run.executor_memory.filter(|_| !self.override_runs.executor_memory);
        own.or(recorded).unwrap_or(self.executor_memory)
    }

    /// `spark.executor.memoryOverhead` that `run` is submitted with, where it is set.
    pub fn executor_overhead_of(&self, run: &Run) -> Option<Bytes> {
        let own = run.settings.as_deref().and_then(|own| own.executor_memory_overhead);
        let kept = !self.override_runs.executor_memory;
        let recorded = run.executor_memory_overhead.filter(|_| kept);
        own.or(recorded).or(self.executor_memory_overhead)
    }

    /// `spark.executor.cores` that `run` is submitted with.
    pub fn executor_cores_of(&self, run: &Run) -> u32 {
        let own = run.settings.as_deref().and_then(|own| own.executor_cores);
        let recorded = run.executor_cores.filter(|_| !self.override_runs.executor_cores);
        own.or(recorded).unwrap_or(self.executor_cores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SparkVersion;

    fn class(application: Option<&str>, team: Option<&str>, gib: u64) -> ApplicationSettings {
        let pattern = |text: Option<&str>| text.map(|text| GroupPattern::parse(text).unwrap());
        ApplicationSettings {
            application: pattern(application),
            team: pattern(team),
            settings: RunSettings {
                executor_memory: Some(Bytes::gib(gib)),
                ..RunSettings::default()
            },
        }
    }

    #[test]
    fn the_last_class_that_matches_wins_key_by_key() {
        let run = |application, team| Run {
            application: ApplicationId(application),
            team: TeamId(team),
            ..Run::default()
        };
        let mut workload = Workload {
            applications: vec!["etl-a".to_owned(), "ad-hoc".to_owned()],
            teams: vec!["data".to_owned(), "ml".to_owned()],
            runs: vec![run(0, 0), run(0, 1), run(1, 0)].into(),
            ..Workload::default()
        };
        let cores = ApplicationSettings {
            settings: RunSettings { executor_cores: Some(2), ..RunSettings::default() },
            ..class(None, Some("^ml$"), 0)
        };
        let classes = [class(Some("^etl-"), None, 4), cores, class(Some("a$"), Some("ml"), 9)];
        apply_settings(&classes, &mut workload);
        let found: Vec<_> = workload
            .runs
            .iter()
            .map(|run| run.settings.as_deref().map(|s| (s.executor_memory, s.executor_cores)))
            .collect();
        let gib = |gib| Some(Bytes::gib(gib));
        assert_eq!(found, [Some((gib(4), None)), Some((gib(9), Some(2))), None]);
    }

    #[test]
    fn a_class_wins_over_an_override_and_that_over_the_recording() {
        let mut spark = SparkDefaults::default_of(SparkVersion::default());
        spark.executor_memory = Bytes::gib(1);
        let mut run = Run { executor_memory: Some(Bytes::gib(2)), ..Run::default() };
        assert_eq!(spark.executor_heap_of(&Run::default()), Bytes::gib(1));
        assert_eq!(spark.executor_heap_of(&run), Bytes::gib(2));
        spark.override_runs.executor_memory = true;
        assert_eq!(spark.executor_heap_of(&run), Bytes::gib(1));
        let own = RunSettings { executor_memory: Some(Bytes::gib(3)), ..RunSettings::default() };
        run.settings = Some(Arc::new(own));
        assert_eq!(spark.executor_heap_of(&run), Bytes::gib(3));
        assert_eq!(spark.executor_overhead_of(&run), spark.executor_memory_overhead);
    }
}
