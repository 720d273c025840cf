//! Progress bars on standard error: bytes while reading, simulated time while simulating.
//!
//! Only where standard error is a terminal and the user has not said otherwise. Several
//! replications share one bar each, of those that are running.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use reports::figures::{duration, grouped};
use sim::Workload;
use sim::units::SimTime;

use super::noise::Noise;
use crate::replicate::Watch;

/// A bar that counts the bytes read of `total`.
pub(super) struct Reading(ProgressBar);

impl Reading {
    pub(super) fn start(noise: &Noise, total: u64) -> Self {
        let bar = if noise.progress() {
            ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        bar.set_style(style("reading  {bar:30} {bytes}/{total_bytes} {bytes_per_sec}"));
        Self(bar)
    }

    /// `bytes` more are read.
    pub(super) fn add(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A sign that something goes on, of which nobody knows how long it takes.
pub(super) struct Working(ProgressBar);

impl Working {
    pub(super) fn start(noise: &Noise, what: &'static str) -> Self {
        let bar = if noise.progress() {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        bar.set_style(style("{msg} {spinner} {elapsed}"));
        bar.set_message(what);
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self(bar)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar that counts simulations.
pub(super) struct Counting(ProgressBar);

impl Counting {
    pub(super) fn start(noise: &Noise, most: u64) -> Self {
        let bar = if noise.progress() {
            ProgressBar::with_draw_target(Some(most), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        bar.set_style(style("simulated {bar:30} {pos} of at most {len}, {elapsed}"));
        bar.tick();
        Self(bar)
    }

    /// One more is done.
    pub(super) fn one(&self) {
        self.0.inc(1);
    }

    /// So many more are to come, and no other.
    pub(super) fn more(&self, count: u64) {
        self.0.set_length(self.0.position() + count);
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// One bar a running replication.
pub(super) struct Simulating {
    shown: bool,
    bars: MultiProgress,
    running: Mutex<BTreeMap<u64, Running>>,
}

struct Running {
    bar: ProgressBar,
    started: Instant,
}

impl Simulating {
    pub(super) fn new(noise: &Noise) -> Self {
        Self {
            shown: noise.progress(),
            bars: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            running: Mutex::new(BTreeMap::new()),
        }
    }

    /// Does something with the bars; a thread that panicked with them in its hand does not matter.
    fn with_running(&self, change: impl FnOnce(&mut BTreeMap<u64, Running>)) {
        if self.shown {
            let running = self.running.lock();
            change(&mut running.unwrap_or_else(std::sync::PoisonError::into_inner));
        }
    }
}

impl Watch for Simulating {
    fn started(&self, number: u64, workload: &Workload) {
        let length_s = workload.last_submission().as_millis() / 1000;
        self.with_running(|running| {
            let bar = self.bars.add(ProgressBar::new(length_s.max(1)));
            bar.set_style(style("simulating {prefix} {bar:30} {msg}"));
            bar.set_prefix(format!("{}", number + 1));
            let started = Instant::now();
            running.insert(number, Running { bar, started });
        });
    }

    fn progress(&self, number: u64, now: SimTime, finished_runs: u64) {
        self.with_running(|running| {
            let Some(Running { bar, started }) = running.get(&number) else {
                return;
            };
            let now_s = now.as_millis() / 1000;
            // After the last submission nobody knows how long the rest takes.
            bar.set_length(bar.length().unwrap_or(1).max(now_s));
            bar.set_position(now_s);
            let wall = started.elapsed().as_secs_f64().max(1e-3);
            bar.set_message(format!(
                "{} simulated, {} runs finished, {} runs/s",
                duration(now.as_secs_f64()),
                grouped(finished_runs),
                grouped((finished_runs as f64 / wall) as u64),
            ));
        });
    }

    fn finished(&self, number: u64) {
        self.with_running(|running| {
            if let Some(Running { bar, .. }) = running.remove(&number) {
                bar.finish_and_clear();
            }
        });
    }
}

impl Drop for Simulating {
    fn drop(&mut self) {
        self.with_running(|running| running.values().for_each(|one| one.bar.finish_and_clear()));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("templates are ours and well-formed")
        .progress_chars("█▌ ")
}
