//! Closes an application when its events are through: what follows from all of them together, and
//! what is to be said about them.

use std::collections::BTreeMap;

use sim::workload::RunOutcome;
use sim::{Finding, Severity};

use super::collect::Collected;
use super::configuration::{self, SeenExecutors};
use super::open_application::OpenApplication;
use super::recorded::{JobResult, RecordedApplication, RecordedExecutor, RecordedStage};
use super::{failure, stage_graph};

/// The application, or `None` where there was neither a start nor any work.
pub(super) fn finish(open: OpenApplication) -> Option<Collected> {
    let OpenApplication {
        mut application,
        started,
        has_start,
        first_ms,
        profile,
        announced,
        jobs,
        stages,
        executor_numbers,
        first_launches_ms,
        mut notes,
        ..
    } = open;
    let nothing = stages.is_empty() && jobs.is_empty() && application.executors.is_empty();
    if !has_start && nothing {
        return None;
    }
    notes.no_start = !has_start;
    application.started_ms = started.or(first_ms).unwrap_or(0);
    application.last_event_ms = application.last_event_ms.max(application.started_ms);
    if let Some(ended_ms) = &mut application.ended_ms {
        *ended_ms = (*ended_ms).max(application.started_ms);
    }
    name(&mut application);
    let mut slots_seen: BTreeMap<u32, u32> = BTreeMap::new();
    application.stages = stages
        .into_values()
        .map(|mut open| {
            open.stage.shuffle_partitions = announced.get(&open.stage.stage_id).copied();
            open.stage.task_ms = open.tasks.kept_ms;
            let done = open.tasks.finish();
            open.stage.tasks = done.tasks;
            open.stage.task_times = done.times;
            open.stage.overheads = done.overheads;
            for (executor, slots) in done.slots_seen {
                let seen = slots_seen.entry(executor).or_default();
                *seen = slots.max(*seen);
            }
            open.stage
        })
        .collect();
    if application.executors.is_empty() {
        let cpus = application.properties.get("spark.task.cpus");
        let cpus = cpus.and_then(|text| text.trim().parse().ok()).unwrap_or(1u32).max(1);
        application.executors = executors_of_tasks(executor_numbers, &slots_seen, cpus);
        let first_ms = first_launches_ms.iter().copied().min().unwrap_or(i64::MAX);
        for executor in &mut application.executors {
            executor.added_ms = application.started_ms.min(first_ms);
        }
        notes.executors_from_tasks = application.executors.len() as u64;
    }
    application.jobs = jobs.into_values().collect();
    link_stages(&mut application);
    application.jobs.sort_by_key(|job| (job.submitted_ms, job.job_id));
    let seen = SeenExecutors {
        peak: application.executors_peak(),
        cores: usual_cores(&application.executors),
    };
    (application.configuration, notes.bad_properties) =
        configuration::read(&application.properties, &profile, &seen);
    (application.outcome, application.failure, application.failure_message) =
        failure::classify(&application);
    Some(Collected { application, notes })
}

/// Executors of a log that tells of none (Spark before 1.4 in local mode): as its tasks show them,
/// there from the start.
fn executors_of_tasks(
    numbers: BTreeMap<String, u32>,
    slots_seen: &BTreeMap<u32, u32>,
    task_cpus: u32,
) -> Vec<RecordedExecutor> {
    let mut executors: Vec<(u32, RecordedExecutor)> = numbers
        .into_iter()
        .filter_map(|(id, number)| {
            let cores = slots_seen.get(&number)?.saturating_mul(task_cpus);
            Some((number, RecordedExecutor { id, cores, ..RecordedExecutor::default() }))
        })
        .collect();
    executors.sort_by_key(|(number, _)| *number);
    executors.into_iter().map(|(_, executor)| executor).collect()
}

/// Tells stages their jobs. A stage of no job belongs to the job without a recorded start that
/// ended first after it.
fn link_stages(application: &mut RecordedApplication) {
    let RecordedApplication { jobs, stages, .. } = application;
    for job in jobs.iter() {
        for id in &job.stage_ids {
            if let Ok(place) = stages.binary_search_by_key(id, |stage| stage.stage_id) {
                stages[place].job_ids.push(job.job_id);
            }
        }
    }
    for job in jobs.iter_mut().filter(|job| job.has_start && !job.has_times) {
        let own = || stages.iter().filter(|stage| stage.job_ids.contains(&job.job_id));
        let ends = own().flat_map(|stage| &stage.attempts).filter_map(|a| a.completed_ms);
        if let Some(submitted) = own().map(RecordedStage::submitted_ms).min() {
            (job.submitted_ms, job.completed_ms) = (submitted, ends.max().or(job.completed_ms));
        }
    }
    let mut startless: Vec<(i64, usize)> = jobs
        .iter()
        .enumerate()
        .filter(|(_, job)| !job.has_start)
        .filter_map(|(place, job)| Some((job.completed_ms?, place)))
        .collect();
    startless.sort_unstable();
    for stage in stages.iter_mut().filter(|stage| stage.job_ids.is_empty()) {
        let ends = stage.attempts.iter().filter_map(|attempt| attempt.completed_ms);
        let Some(end) = ends.max() else { continue };
        let after = startless.partition_point(|(job_end, _)| *job_end < end);
        if let Some((_, place)) = startless.get(after) {
            let job = &mut jobs[*place];
            job.submitted_ms = job.submitted_ms.min(stage.submitted_ms());
            job.stage_ids.push(stage.stage_id);
            stage.job_ids.push(job.job_id);
        }
    }
}

/// Fills in names from properties where the start event lacks them.
fn name(application: &mut RecordedApplication) {
    let property = |key: &str| application.properties.get(key).cloned();
    application.master = property("spark.master");
    if application.app_id.is_empty() {
        let file = application.path.file_name();
        let from_file = || file.map(|name| name.to_string_lossy().into_owned());
        let id = property("spark.app.id").or_else(from_file);
        application.app_id = id.unwrap_or_else(|| "unknown".to_owned());
    }
    if application.name.is_empty() {
        let name = property("spark.app.name");
        application.name = name.unwrap_or_else(|| application.app_id.clone());
    }
}

/// The cores that most executors have; of equally many, the larger number.
fn usual_cores(executors: &[RecordedExecutor]) -> Option<u32> {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for executor in executors.iter().filter(|executor| executor.cores > 0) {
        *counts.entry(executor.cores).or_default() += 1;
    }
    let usual = counts.into_iter().max_by_key(|(cores, count)| (*count, *cores));
    usual.map(|(cores, _)| cores)
}

/// What is to be said about one application.
pub(super) fn findings(collected: &Collected) -> Vec<Finding> {
    let Collected { application, notes } = collected;
    let subject = application.path.display().to_string();
    let mut findings = Vec::new();
    let mut add = |severity, code: &str, count: u64, message: String| {
        if count > 0 {
            findings.push(Finding::new(severity, code, &subject, message).times(count));
        }
    };
    let id = &application.app_id;
    add(
        Severity::Warning,
        "no-application-start",
        u64::from(notes.no_start),
        format!("{id}: no application start; it counts from the first time in the log"),
    );
    add(
        Severity::Warning,
        "second-application-start",
        notes.second_starts,
        format!("{id}: its start comes again; only the first one counts"),
    );
    add(
        Severity::Info,
        "unfinished-application",
        u64::from(application.outcome == RunOutcome::Unfinished),
        format!("{id}: no application end; its duration is up to the last recorded time"),
    );
    add_tasks(application, notes.long_tasks, &mut add);
    add_stages(application, notes.jobs_without_start, &mut add);
    add(
        Severity::Warning,
        "executors-added-again",
        notes.executors_added_again,
        format!("{id}: executors that were added while they were alive; the first time counts"),
    );
    add(
        Severity::Info,
        "executors-removed-unknown",
        notes.executors_removed_unknown,
        format!("{id}: executors that were removed without having been added"),
    );
    add(
        Severity::Info,
        "executors-from-tasks",
        notes.executors_from_tasks,
        format!("{id}: no executor was added in it: they and their cores are told by their tasks"),
    );
    for (key, value, expected) in &notes.bad_properties {
        add(
            Severity::Warning,
            "bad-spark-property",
            1,
            format!("{id}: {key} is `{value}`, not {expected}; left out"),
        );
    }
    findings
}

fn add_tasks(
    application: &RecordedApplication,
    long_tasks: u64,
    add: &mut impl FnMut(Severity, &str, u64, String),
) {
    let (id, tasks) = (&application.app_id, &application.tasks);
    let reasons: Vec<String> =
        tasks.not_succeeded.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    add(
        Severity::Info,
        "unsuccessful-task-attempts",
        tasks.not_succeeded.values().sum(),
        format!("{id}: task attempts without success: {}", reasons.join(", ")),
    );
    add(
        Severity::Info,
        "repeated-tasks",
        tasks.repeated,
        format!(
            "{id}: tasks of partitions that were done already ({} ms): a replay's own losses \
             decide what is repeated, so that they are no part of the run",
            tasks.repeated_ms
        ),
    );
    add(
        Severity::Warning,
        "bad-task-times",
        tasks.bad_times,
        format!("{id}: tasks that end before they start: their run time counts, or 0"),
    );
    add(
        Severity::Warning,
        "bad-task-times",
        long_tasks,
        format!("{id}: tasks longer than 49 days count as 49 days"),
    );
    add(
        Severity::Warning,
        "tasks-without-metrics",
        tasks.without_metrics,
        format!("{id}: successful tasks without metrics: their bytes and memory are not known"),
    );
}

fn add_stages(
    application: &RecordedApplication,
    jobs_without_start: u64,
    add: &mut impl FnMut(Severity, &str, u64, String),
) {
    let id = &application.app_id;
    let graph = stage_graph::stages_of(application);
    add(
        Severity::Info,
        "stages-without-tasks",
        graph.without_tasks,
        format!("{id}: stages without a successful task are left out; their time is driver time"),
    );
    let again = application.stages.iter().filter(|stage| {
        let whole = stage.shuffle_partitions;
        stage.number_of_tasks > 0 && whole.is_some_and(|whole| whole > stage.number_of_tasks)
    });
    add(
        Severity::Warning,
        "stages-recomputed",
        again.count() as u64,
        format!(
            "{id}: stages that only compute lost parts of an earlier job's shuffle again; they \
             count as work, though a replay without that loss would not need them"
        ),
    );
    add(
        Severity::Info,
        "stages-before-their-parents",
        graph.early,
        format!("{id}: stages submitted before their parents were complete; their gap is 0"),
    );
    add(
        Severity::Warning,
        "parents-ignored",
        graph.parents_ignored,
        format!("{id}: stage parents that were submitted after their children, or too many"),
    );
    add(
        Severity::Warning,
        "jobs-without-start",
        jobs_without_start,
        format!("{id}: job ends without a job start"),
    );
    let open = application.jobs.iter().filter(|job| job.result == JobResult::Open);
    let open = open.count() as u64;
    if application.ended_ms.is_some() {
        add(
            Severity::Warning,
            "jobs-without-end",
            open,
            format!("{id}: jobs without an end, though the application has one"),
        );
    }
}
