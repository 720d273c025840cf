//! The fullest minute of etcd, and the finding that names what filled it.

use super::{ControlPlane, MINUTE_MS, NAMES, REASONS};
use crate::Severity;
use crate::engine::world::{Cx, World};
use crate::outcome::ControlPlaneLoad;
use crate::units::{Bytes, SimTime};
use crate::workload::Workload;

/// Event objects that Kubernetes is tested with. Source: kubernetes/community
/// `sig-scalability/configs-and-limits/thresholds.md`.
const EVENTS_TESTED: u64 = 1_000_000;

/// The fullest minute so far.
#[derive(Debug, Default)]
pub(super) struct Storm {
    bytes: u64,
    minute: u64,
    alive: [u64; REASONS],
    /// The application with most events alive, and how many.
    application: Option<(u32, u64)>,
}

impl ControlPlane {
    /// The current minute is over: is it the fullest?
    pub(super) fn close_minute(&mut self) {
        let events = self.alive_all * self.event_bytes;
        let bytes = events + self.pods * self.pod_bytes + self.written_bytes;
        if bytes > self.fullest.bytes {
            let minute = self.minutes.back().map_or(0, |last| last.minute);
            let by_application = self.by_application.iter().enumerate();
            // The first of those with most.
            let most = by_application.rev().max_by_key(|(_, count)| **count);
            let application = most.map(|(place, count)| (place as u32, *count));
            self.fullest = Storm {
                bytes,
                minute,
                alive: self.alive,
                application: application.filter(|(_, count)| *count > 0),
            };
        }
        self.pods = 0;
    }
}

impl Storm {
    pub(super) fn load(&self, etcd_quota: Bytes, workload: &Workload) -> ControlPlaneLoad {
        let application = self.application.and_then(|(place, count)| {
            Some((workload.applications.get(place as usize)?.clone(), count))
        });
        ControlPlaneLoad {
            at: SimTime::from_millis((self.minute + 1) * MINUTE_MS),
            etcd_bytes_peak: Bytes::new(self.bytes),
            etcd_quota,
            events: NAMES.into_iter().zip(self.alive).collect(),
            application,
        }
    }
}

/// The simulation is over: says so where etcd, or the events, went beyond their limits.
pub(crate) fn close(world: &mut World, cx: &mut Cx<'_>) {
    world.control_plane.close_minute();
    let load = world.control_plane.load(cx.workload);
    let over_quota = load.etcd_bytes_peak > load.etcd_quota;
    if over_quota {
        let message = format!(
            "etcd would hold {} at {}, its quota is {}: the cluster would be read-only; {}",
            gib(load.etcd_bytes_peak),
            load.at,
            gib(load.etcd_quota),
            causes(&load),
        );
        cx.find(Severity::Warning, "etcd-quota", "control plane", message);
    }
    if world.control_plane.events_peak > EVENTS_TESTED {
        let message = format!(
            "{} event objects alive at one time, Kubernetes is tested with {EVENTS_TESTED}; {}",
            world.control_plane.events_peak,
            causes(&load),
        );
        cx.find(Severity::Warning, "event-storm", "control plane", message);
    }
}

/// What the events of that minute are, and whose.
fn causes(load: &ControlPlaneLoad) -> String {
    let all: u64 = load.events.iter().map(|(_, count)| *count).sum();
    let mut text = format!("{all} events alive");
    // The first of those with most.
    let most = load.events.iter().rev().max_by_key(|(_, count)| *count);
    if let Some((reason, count)) = most {
        text += &format!(", most of them {reason} ({count})");
    }
    if let Some((application, count)) = &load.application {
        text += &format!(", most by the application {application} ({count})");
    }
    text
}

fn gib(bytes: Bytes) -> String {
    format!("{:.2} GiB", bytes.as_gib_f64())
}
