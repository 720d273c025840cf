//! Sorts the events of one log to the applications in it: mostly one.

use std::path::PathBuf;

use serde::Deserialize;

use super::event::{ApplicationStart, LogStart};
use super::finish;
use super::kind::Kind;
use super::open_application::{NAME_MAX, Notes, OpenApplication, clip};
use super::recorded::RecordedApplication;

/// An application with what is to be said about it.
pub(super) struct Collected {
    pub(super) application: RecordedApplication,
    pub(super) notes: Notes,
}

/// Takes the events of one log.
pub(super) struct Collector {
    path: PathBuf,
    open: OpenApplication,
    done: Vec<Collected>,
}

impl Collector {
    /// A collector for the log at `path`.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: OpenApplication::default(), done: Vec::new() }
    }

    /// Takes the event in `line`, which is of `kind`.
    ///
    /// # Errors
    /// The line is no JSON, or not what Spark writes for this kind.
    pub(super) fn take(&mut self, kind: Kind, line: &[u8]) -> Result<(), serde_json::Error> {
        match kind {
            Kind::LogStart => self.on_log_start(&parse(line)?),
            Kind::ApplicationStart => self.on_application_start(&parse(line)?),
            Kind::ApplicationEnd => self.open.on_application_end(&parse(line)?),
            Kind::EnvironmentUpdate => self.open.on_environment_update(parse(line)?),
            Kind::ResourceProfileAdded => self.open.on_resource_profile(&parse(line)?),
            Kind::ExecutorAdded => self.open.on_executor_added(parse(line)?),
            Kind::ExecutorRemoved => self.open.on_executor_removed(&parse(line)?),
            Kind::JobStart => self.open.on_job_start(parse(line)?),
            Kind::JobEnd => self.open.on_job_end(&parse(line)?),
            Kind::StageSubmitted => self.open.on_stage_submitted(&parse(line)?),
            Kind::StageCompleted => self.open.on_stage_completed(&parse(line)?),
            Kind::StageExecutorMetrics => self.open.on_stage_metrics(&parse(line)?),
            Kind::ExecutorMetricsUpdate => self.open.on_metrics_update(&parse(line)?),
            Kind::TaskEnd => self.open.on_task_end(&parse(line)?),
            Kind::UnpersistRdd => self.open.on_unpersist(&parse(line)?),
            Kind::Ignored | Kind::Unknown => {}
        }
        Ok(())
    }

    /// All applications of the log; none if it held neither a start nor any work.
    pub(super) fn finish(mut self) -> Vec<Collected> {
        self.close();
        self.done
    }

    /// A log may hold several applications one after another, if files were joined.
    fn on_log_start(&mut self, event: &LogStart<'_>) {
        if self.open.application.ended_ms.is_some() {
            self.close();
        }
        let version = event.spark_version.as_deref();
        self.open.application.spark_version = version.map(|text| clip(text, NAME_MAX));
    }

    fn on_application_start(&mut self, event: &ApplicationStart<'_>) {
        let same = self.open.application.app_id == event.id.as_deref().unwrap_or_default()
            && self.open.application.attempt.as_deref() == event.attempt.as_deref();
        if self.open.has_start && same {
            self.open.notes.second_starts += 1;
            return;
        }
        if self.open.has_start {
            self.close();
        }
        let open = &mut self.open;
        open.has_start = true;
        open.started = event.timestamp.get();
        open.see(event.timestamp);
        let text = |field: &Option<std::borrow::Cow<'_, str>>| {
            field.as_deref().map(|text| clip(text, NAME_MAX))
        };
        open.application.app_id = text(&event.id).unwrap_or_default();
        open.application.name = text(&event.name).unwrap_or_default();
        open.application.attempt = text(&event.attempt);
        open.application.user = text(&event.user);
    }

    fn close(&mut self) {
        let mut open = std::mem::take(&mut self.open);
        open.application.path.clone_from(&self.path);
        self.done.extend(finish::finish(open));
    }
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(line)
}
