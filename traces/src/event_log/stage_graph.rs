//! From stages as recorded to stages as they wait for each other.
//!
//! A stage waits for its parents (shuffles it reads) and, being part of a job, for whatever the
//! driver did before it submitted the job. Jobs that do not overlap in time follow each other in
//! the driver's program: the first stages of a job get the last stages of the jobs before it as
//! parents. The time that is then left between the end of the parents and the submission is the
//! driver's own work, `driver_gap`. Replaying parents and gaps on the recorded executors gives the
//! recorded order.
//!
//! - Parents that were skipped (their shuffle was there already) are dropped: their work was done
//!   in an earlier job, which the order of jobs stands for.
//! - Stages without a single successful task are left out; their children take over their parents
//!   and their time becomes part of the children's gap.
//! - Before 1.4 parents are not recorded: a stage then follows the stage of its job that was
//!   complete last before it. So does a stage whose job's start is missing in the log; of jobs
//!   whose end is all there is, the stages are those that ended before it.
//! - The first gap counts from the application's start. In Spark on Kubernetes and YARN the
//!   context waits for 80 % of the executors there (30 s at most), so that some of the recorded
//!   cluster's own slowness is in it.

use std::collections::{BTreeMap, BTreeSet};

use sim::units::{Bytes, SimDuration};
use sim::workload::Stage;

use super::recorded::{RecordedApplication, RecordedStage};

/// A stage's parents are cut off here; real programs have tens.
const PARENTS_MAX: usize = 4096;
/// How far back a stage without recorded parents looks for the one before it.
const LOOK_BACK: usize = 64;

/// Stages of a run, and what had to be bent to get them.
#[derive(Debug, Default)]
pub(super) struct StageGraph {
    /// In order of submission.
    pub(super) stages: Vec<Stage>,
    /// Stages left out because no task of them succeeded.
    pub(super) without_tasks: u64,
    /// Stages submitted before their parents were complete: their gap is 0.
    pub(super) early: u64,
    /// Parents ignored because they were submitted after their child, or beyond the cap.
    pub(super) parents_ignored: u64,
}

/// The stages of `application`, with parents and gaps.
pub(super) fn stages_of(application: &RecordedApplication) -> StageGraph {
    Builder::new(application).build()
}

struct Builder<'a> {
    application: &'a RecordedApplication,
    /// Kept stages in order of submission.
    kept: Vec<&'a RecordedStage>,
    /// The job (its place in the application's list) that submitted each kept stage.
    job_of: Vec<Option<usize>>,
    /// Places of the kept stages that each of them reads from.
    direct: Vec<BTreeSet<u32>>,
    /// The FAIR pool of each job, as a number.
    pools: Vec<u32>,
    graph: StageGraph,
}

impl<'a> Builder<'a> {
    fn new(application: &'a RecordedApplication) -> Self {
        let mut ordered: Vec<&RecordedStage> = application.stages.iter().collect();
        ordered.sort_by_key(|stage| (stage.submitted_ms(), stage.stage_id));
        let job_places: BTreeMap<u32, usize> =
            application.jobs.iter().enumerate().map(|(place, job)| (job.job_id, place)).collect();
        let mut builder = Self {
            application,
            kept: Vec::new(),
            job_of: Vec::new(),
            direct: Vec::new(),
            pools: pools_of(application),
            graph: StageGraph::default(),
        };
        // What a stage id stands for: itself where it is kept, its parents where it is left out.
        let mut stands_for: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        let known: BTreeSet<u32> = ordered.iter().map(|stage| stage.stage_id).collect();
        for stage in ordered {
            let parents = builder.resolve(stage, &stands_for, &known);
            if stage.tasks.count() == 0 {
                builder.graph.without_tasks += 1;
                stands_for.insert(stage.stage_id, parents);
            } else {
                let place = builder.kept.len() as u32;
                stands_for.insert(stage.stage_id, BTreeSet::from([place]));
                builder.job_of.push(builder.job_of(stage, &job_places));
                builder.kept.push(stage);
                builder.direct.push(parents);
                builder.follow_job(place as usize);
            }
        }
        builder
    }

    fn resolve(
        &mut self,
        stage: &RecordedStage,
        stands_for: &BTreeMap<u32, BTreeSet<u32>>,
        known: &BTreeSet<u32>,
    ) -> BTreeSet<u32> {
        let mut places = BTreeSet::new();
        for parent in stage.parents.iter().flatten() {
            match stands_for.get(parent) {
                Some(found) => places.extend(found),
                None if known.contains(parent) => self.graph.parents_ignored += 1,
                None => {}
            }
        }
        while places.len() > PARENTS_MAX {
            places.pop_first();
            self.graph.parents_ignored += 1;
        }
        places
    }

    /// The latest job with this stage that was submitted before it.
    fn job_of(&self, stage: &RecordedStage, places: &BTreeMap<u32, usize>) -> Option<usize> {
        let jobs = &self.application.jobs;
        let at = stage.submitted_ms();
        let candidates = || stage.job_ids.iter().filter_map(|job| places.get(job).copied());
        candidates().filter(|place| jobs[*place].submitted_ms <= at).max().or(candidates().min())
    }

    fn build(mut self) -> StageGraph {
        let last_stages = self.last_stages_of_jobs();
        let order = JobOrder::new(self.application, &last_stages);
        let mut predecessors: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
        for place in 0..self.kept.len() {
            let mut parents = self.direct[place].clone();
            if let Some(job) = self.job_of[place] {
                let in_job = |parent: &u32| self.job_of[*parent as usize] == Some(job);
                if !parents.iter().any(in_job) {
                    let before = predecessors
                        .entry(job)
                        .or_insert_with(|| order.stages_before(job, &last_stages));
                    let earlier = before.iter().filter(|parent| (**parent as usize) < place);
                    parents.extend(earlier);
                }
            }
            let stage = self.stage(place, parents);
            self.graph.stages.push(stage);
        }
        self.graph
    }

    /// Per job, the kept stages that no other stage of the job reads from.
    fn last_stages_of_jobs(&self) -> Vec<BTreeSet<u32>> {
        let mut last = vec![BTreeSet::new(); self.application.jobs.len()];
        for (place, job) in self.job_of.iter().enumerate() {
            let Some(job) = job else { continue };
            for parent in &self.direct[place] {
                last[*job].remove(parent);
            }
            last[*job].insert(place as u32);
        }
        last
    }

    /// Gives a stage whose parents are not recorded, or whose job is lost, the one before it.
    fn follow_job(&mut self, place: usize) {
        let lost = self.job_of[place].is_none() && self.direct[place].is_empty();
        if self.kept[place].parents.is_none() || lost {
            let before = self.stage_before(place);
            self.direct[place].extend(before);
        }
    }

    /// The stage of the same job that ended last before. Stages whose job start is lost follow
    /// each other as if they were of one job.
    fn stage_before(&self, place: usize) -> Option<u32> {
        let job = self.job_of[place];
        let at = self.kept[place].submitted_ms();
        (place.saturating_sub(LOOK_BACK)..place)
            .filter(|before| job.is_none() || self.job_of[*before] == job)
            .filter_map(|before| {
                let end = self.kept[before].completed_before(at)?;
                (end <= at).then_some((end, before as u32))
            })
            .max()
            .map(|(_, before)| before)
    }

    /// Milliseconds from a stage's submission to its first task's launch, where nothing else ran
    /// and an executor was free all the time: the driver serialised and broadcast the task.
    fn launch_delay(&self, place: usize) -> u64 {
        let stage = self.kept[place];
        let submitted = stage.submitted_ms();
        let Some(launched) = stage.first_launch_ms else { return 0 };
        let executors = &self.application.executors;
        let is_free = |executor: &&super::recorded::RecordedExecutor| {
            executor.added_ms <= submitted
                && executor.resource_profile == stage.resource_profile
                && executor.removed_ms.is_none_or(|gone| gone > launched)
        };
        let others = (0..self.kept.len()).filter(|other| *other != place);
        let mut near = others.filter(|other| other.abs_diff(place) <= LOOK_BACK);
        let overlaps = near.any(|other| {
            let other = self.kept[other];
            let from = other.first_launch_ms.unwrap_or(i64::MAX);
            from < launched && other.last_finish_ms.is_some_and(|end| end > submitted)
        });
        if overlaps || !(executors.is_empty() || executors.iter().any(|e| is_free(&e))) {
            return 0;
        }
        u64::try_from(launched - submitted).unwrap_or(0)
    }

    /// The place of stage `id`, if it comes before `place` and has as many tasks.
    fn place_of(&self, id: u32, place: usize) -> Option<u32> {
        let earlier = &self.kept[..place];
        let found = earlier.iter().position(|stage| stage.stage_id == id)?;
        let tasks = |place: usize| self.kept[place].tasks.count();
        (tasks(found) == tasks(place)).then_some(found as u32)
    }

    fn stage(&mut self, place: usize, parents: BTreeSet<u32>) -> Stage {
        let recorded = self.kept[place];
        let submitted = recorded.submitted_ms();
        let ends = parents.iter().map(|parent| {
            let parent = self.kept[*parent as usize];
            parent.over_before(submitted).unwrap_or(submitted)
        });
        let ready = ends.max().unwrap_or(self.application.started_ms);
        if submitted < ready {
            self.graph.early += 1;
        }
        let gap = u64::try_from(submitted - ready).unwrap_or(0) + self.launch_delay(place);
        let overhead = |ms: f64| SimDuration::from_millis(ms.round() as u64);
        let ms = SimDuration::from_millis;
        Stage {
            stage_id: recorded.stage_id,
            job: self.job_of[place].map_or(0, |job| job as u32),
            pool: self.job_of[place].map_or(0, |job| self.pools[job]),
            shuffle_parents: self.direct[place].iter().copied().collect(),
            first_task_overhead: overhead(recorded.overheads.first_task_ms()),
            task_overhead: overhead(recorded.overheads.task_ms()),
            fresh_tasks: recorded.overheads.fresh_tasks(),
            cpu_time: ms(recorded.cpu_ms),
            gc_time: ms(recorded.gc_ms),
            fetch_wait: ms(recorded.fetch_wait_ms),
            output_bytes: Bytes::new(recorded.output_bytes),
            spilled_bytes: Bytes::new(recorded.spilled_bytes),
            cached_bytes: Bytes::new(recorded.cached_bytes),
            caches: recorded.caches,
            cached_by: recorded.cached_by.and_then(|id| self.place_of(id, place)),
            locality: recorded.locality,
            resource_profile: recorded.resource_profile,
            barrier: recorded.barrier,
            parents: parents.into_iter().collect(),
            driver_gap: SimDuration::from_millis(gap),
            tasks: recorded.tasks.clone(),
            input_bytes: Bytes::new(recorded.input_bytes),
            shuffle_read_bytes: Bytes::new(recorded.shuffle_read_bytes),
            shuffle_write_bytes: Bytes::new(recorded.shuffle_write_bytes),
            peak_task_memory: Bytes::new(recorded.peak_task_bytes),
        }
    }
}

/// The FAIR pools of the jobs, numbered as they come; 0 is the default pool.
fn pools_of(application: &RecordedApplication) -> Vec<u32> {
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::from([("default", 0)]);
    let pool = |job| {
        let next = numbers.len() as u32;
        *numbers.entry(job).or_insert(next)
    };
    let names = application.jobs.iter().map(|job| job.pool.as_deref().unwrap_or("default"));
    names.map(pool).collect()
}

/// Which jobs had ended when another was submitted.
struct JobOrder<'a> {
    application: &'a RecordedApplication,
    /// (end, submission, place) of jobs that ran a stage and ended, by end.
    ended: Vec<(i64, i64, usize)>,
    /// The latest submission among `ended[..=i]`.
    submitted_max: Vec<i64>,
}

impl<'a> JobOrder<'a> {
    fn new(application: &'a RecordedApplication, last_stages: &[BTreeSet<u32>]) -> Self {
        let jobs = application.jobs.iter().enumerate();
        let mut ended: Vec<(i64, i64, usize)> = jobs
            .filter(|(place, _)| !last_stages[*place].is_empty())
            .filter_map(|(place, job)| Some((job.completed_ms?, job.submitted_ms, place)))
            .collect();
        ended.sort_unstable();
        let mut latest = i64::MIN;
        let submitted_max = ended
            .iter()
            .map(|(_, submitted, _)| {
                latest = latest.max(*submitted);
                latest
            })
            .collect();
        Self { application, ended, submitted_max }
    }

    /// The last stages of the jobs right before `job`: those that ended before it was submitted,
    /// and before no other such job was submitted.
    fn stages_before(&self, job: usize, last_stages: &[BTreeSet<u32>]) -> BTreeSet<u32> {
        let at = self.application.jobs[job].submitted_ms;
        let count = self.ended.partition_point(|(end, ..)| *end <= at);
        let mut stages = BTreeSet::new();
        let Some(latest) = count.checked_sub(1).map(|last| self.submitted_max[last]) else {
            return stages;
        };
        for (end, _, place) in self.ended[..count].iter().rev() {
            let right_before = *end > latest || stages.is_empty();
            if !right_before || stages.len() > PARENTS_MAX {
                break;
            }
            if *place != job {
                stages.extend(&last_stages[*place]);
            }
        }
        stages
    }
}
