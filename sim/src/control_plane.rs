//! API objects alive over time: Kubernetes events, pods and nodes, and what etcd holds of them.
//!
//! Models: event objects by reason, kept for `--event-ttl` (an hour; EKS gives no way to change
//! it), counted by the minute in which they were made; what they, the pods and the nodes take in
//! etcd, with the revisions that are not compacted yet (the API server compacts every five
//! minutes to what is older than five minutes); the minute in which that is most, with the reasons
//! and the application behind it. Repeats are folded as upstream folds them: the scheduler's
//! `FailedScheduling` of one pod is one object as long as no more than six minutes pass between
//! two of them, and its second occurrence is one more write (client-go
//! `tools/events/event_broadcaster.go`).
//!
//! Leaves out: events of Jobs, Deployments and the Spark operator; sizes that differ between
//! objects; a repeat that renews the event's hour; fragmentation of etcd's file; what happens to
//! the cluster when the quota is reached (it becomes read-only: a finding says so). Source:
//! facts-cloud section 5, facts-kubernetes 1.5.

mod storm;

pub(crate) use storm::close;

use std::collections::VecDeque;

use crate::cluster::{PodId, PodOwner};
use crate::engine::world::{Cx, World};
use crate::outcome::ControlPlaneLoad;
use crate::scenario::Scenario;
use crate::units::{Bytes, SimDuration, SimTime};
use crate::workload::Workload;

/// Why an event object is made: upstream's `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A pod is bound.
    Scheduled,
    /// A pull starts.
    Pulling,
    /// An image is there.
    Pulled,
    /// A container is made.
    Created,
    /// A container runs.
    Started,
    /// A container of a deleted pod is ended.
    Killing,
    /// No node took the pod.
    FailedScheduling,
    /// The pod has to go for another.
    Preempted,
    /// The pod is drained off a node that goes.
    Evicted,
    /// The autoscaler adds nodes for the pod.
    TriggeredScaleUp,
    /// The autoscaler adds none for it.
    NotTriggerScaleUp,
    /// The autoscaler deletes the node.
    ScaleDown,
    /// A node joins: `NodeReady`, `RegisteredNode` and the like.
    NodeJoined,
}

/// How many reasons there are.
const REASONS: usize = 13;

/// Their names, as upstream writes them.
const NAMES: [&str; REASONS] = [
    "Scheduled",
    "Pulling",
    "Pulled",
    "Created",
    "Started",
    "Killing",
    "FailedScheduling",
    "Preempted",
    "Evicted",
    "TriggeredScaleUp",
    "NotTriggerScaleUp",
    "ScaleDown",
    "NodeReady",
];

/// Events of a joining node: Starting, three `NodeHas..`, NodeAllocatableEnforced, NodeReady of the
/// kubelet; RegisteredNode of the node controller; Starting of kube-proxy. Source: the kubelet's
/// `pkg/kubelet/events/event.go` and `kubelet_node_status.go`.
const PER_NODE: u32 = 8;

/// Writes of a pod's life up to its start: created, bound, and two changes of status.
const WRITES_TO_START: u64 = 4;
/// Writes of its end: marked as deleted, its last status.
const WRITES_TO_END: u64 = 2;

const MINUTE_MS: u64 = 60_000;

/// `--etcd-compaction-interval` of five minutes: what is older than one interval goes at the end of
/// the next. Source: kube-apiserver's flags.
const COMPACTED_AFTER_MINUTES: u64 = 10;

/// A series of repeats ends when nothing was repeated for so long.
/// Source: client-go `tools/events/event_broadcaster.go` (`finishTime`).
const SERIES_ENDS: SimDuration = SimDuration::minutes(6);

/// Counts of API objects.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    event_bytes: u64,
    pod_bytes: u64,
    quota: Bytes,
    /// Minutes that an event lives; `None` is for ever.
    ttl_minutes: Option<u64>,
    /// Events by the minute in which they were made, oldest first.
    minutes: VecDeque<Minute>,
    /// Bytes written by minute, not compacted yet.
    written: VecDeque<(u64, u64)>,
    written_bytes: u64,
    alive: [u64; REASONS],
    alive_all: u64,
    by_application: Vec<u64>,
    /// Most pods in the current minute.
    pods: u64,
    /// Most event objects alive at one time.
    pub(crate) events_peak: u64,
    fullest: storm::Storm,
}

/// Events made in one minute.
#[derive(Debug)]
struct Minute {
    minute: u64,
    made: [u32; REASONS],
    /// (application, how many), in order of their making; an application may come again.
    by_application: Vec<(u32, u32)>,
}

impl ControlPlane {
    /// Nothing is there yet.
    pub(crate) fn new(scenario: &Scenario, workload: &Workload) -> Self {
        let given = &scenario.assumptions;
        let ttl = given.event_ttl.as_millis().div_ceil(MINUTE_MS);
        Self {
            event_bytes: given.event_object_bytes.as_u64(),
            pod_bytes: given.pod_object_bytes.as_u64(),
            quota: given.etcd_quota,
            ttl_minutes: (ttl > 0).then_some(ttl),
            minutes: VecDeque::new(),
            written: VecDeque::new(),
            written_bytes: 0,
            alive: [0; REASONS],
            alive_all: 0,
            by_application: vec![0; workload.applications.len()],
            pods: 0,
            events_peak: 0,
            fullest: storm::Storm::default(),
        }
    }

    /// `count` event objects are made for a pod of `application`.
    pub(crate) fn add(&mut self, now: SimTime, reason: Reason, count: u32, owner: Option<u32>) {
        let minute = now.as_millis() / MINUTE_MS;
        self.roll(minute);
        let current = self.minutes.back_mut().expect("rolling opens the current minute");
        current.made[reason as usize] += count;
        if let Some(application) = owner.filter(|a| (*a as usize) < self.by_application.len()) {
            self.by_application[application as usize] += u64::from(count);
            match current.by_application.last_mut() {
                Some((last, made)) if *last == application => *made += count,
                _ => current.by_application.push((application, count)),
            }
        }
        self.alive[reason as usize] += u64::from(count);
        self.alive_all += u64::from(count);
        self.events_peak = self.events_peak.max(self.alive_all);
    }

    /// A pod is made; there are `pods` now.
    pub(crate) fn pod_created(&mut self, now: SimTime, pods: usize) {
        self.roll(now.as_millis() / MINUTE_MS);
        self.pods = self.pods.max(pods as u64);
    }

    /// A node joins.
    pub(crate) fn node_registered(&mut self, now: SimTime) {
        self.add(now, Reason::NodeJoined, PER_NODE, None);
    }

    /// An object of `bytes` is changed so often: the old revisions stay until they are compacted.
    fn rewrite(&mut self, now: SimTime, writes: u64, bytes: u64) {
        let minute = now.as_millis() / MINUTE_MS;
        self.roll(minute);
        let bytes = writes * bytes;
        match self.written.back_mut() {
            Some((last, sum)) if *last == minute => *sum += bytes,
            _ => self.written.push_back((minute, bytes)),
        }
        self.written_bytes += bytes;
    }

    /// Goes on to `minute`: the one before is closed, what is too old is forgotten.
    fn roll(&mut self, minute: u64) {
        let last = self.minutes.back().map(|last| last.minute);
        if last == Some(minute) {
            return;
        }
        if last.is_some() {
            self.close_minute();
        }
        while let Some(oldest) = self.minutes.front() {
            if self.ttl_minutes.is_none_or(|ttl| oldest.minute + ttl > minute) {
                break;
            }
            for (alive, made) in self.alive.iter_mut().zip(oldest.made) {
                *alive -= u64::from(made);
                self.alive_all -= u64::from(made);
            }
            for (application, made) in &oldest.by_application {
                self.by_application[*application as usize] -= u64::from(*made);
            }
            self.minutes.pop_front();
        }
        while let Some((oldest, bytes)) = self.written.front().copied() {
            if oldest + COMPACTED_AFTER_MINUTES > minute {
                break;
            }
            self.written_bytes -= bytes;
            self.written.pop_front();
        }
        let (made, by_application) = ([0; REASONS], Vec::new());
        self.minutes.push_back(Minute { minute, made, by_application });
    }

    /// The fullest minute so far.
    pub(crate) fn load(&self, workload: &Workload) -> ControlPlaneLoad {
        self.fullest.load(self.quota, workload)
    }
}

/// A pod is bound: with `pulls` of its `containers` images still to be pulled.
pub(crate) fn on_bound(world: &mut World, cx: &Cx<'_>, pod_id: PodId, pulls: bool) {
    let pod = &world.cluster.pods[pod_id];
    let placement = world.cluster.specs.get(pod.spec).placement;
    let containers = world.cluster.specs.placement(placement).images.len().max(1) as u32;
    let owner = application_of(world, cx, pod_id);
    let control_plane = &mut world.control_plane;
    control_plane.add(cx.now, Reason::Scheduled, 1, owner);
    if pulls {
        control_plane.add(cx.now, Reason::Pulling, containers, owner);
    }
    for reason in [Reason::Pulled, Reason::Created, Reason::Started] {
        control_plane.add(cx.now, reason, containers, owner);
    }
    let bytes = control_plane.pod_bytes;
    control_plane.rewrite(cx.now, WRITES_TO_START, bytes);
}

/// A bound pod ends; `why` where somebody wanted it to.
pub(crate) fn on_ended(world: &mut World, cx: &Cx<'_>, pod_id: PodId, why: Option<Reason>) {
    let owner = application_of(world, cx, pod_id);
    if let Some(reason) = why {
        world.control_plane.add(cx.now, reason, 1, owner);
        if reason != Reason::Killing {
            world.control_plane.add(cx.now, Reason::Killing, 1, owner);
        }
    }
    let bytes = world.control_plane.pod_bytes;
    world.control_plane.rewrite(cx.now, WRITES_TO_END, bytes);
}

/// The scheduler says that no node took the pod. The first time makes an object, the second turns
/// it into a series; further ones are counted without a write.
pub(crate) fn on_failed_scheduling(world: &mut World, cx: &Cx<'_>, pod_id: PodId) {
    let pod = &world.cluster.pods[pod_id];
    let (attempts, last) = (pod.failed_attempts, pod.last_attempt_at);
    let series_ended = attempts > 0 && cx.now.since(last) > SERIES_ENDS;
    if attempts == 0 || series_ended {
        let owner = application_of(world, cx, pod_id);
        world.control_plane.add(cx.now, Reason::FailedScheduling, 1, owner);
    } else if attempts == 1 {
        let bytes = world.control_plane.event_bytes;
        world.control_plane.rewrite(cx.now, 1, bytes);
    }
}

/// The autoscaler adds nodes for `helped` pods and none for `left` others. The latter are told at
/// every scan: a pod that was told already gets one more write, not one more object. That holds
/// for as many pods as there are such objects, whichever they are; the recorder's own limit (25
/// writes for a pod, then one in five minutes) is left out.
pub(crate) fn on_scale_up(world: &mut World, cx: &Cx<'_>, helped: u32, left: u32) {
    let control_plane = &mut world.control_plane;
    if helped > 0 {
        control_plane.add(cx.now, Reason::TriggeredScaleUp, helped, None);
    }
    if left > 0 {
        control_plane.roll(cx.now.as_millis() / MINUTE_MS);
        let told = control_plane.alive[Reason::NotTriggerScaleUp as usize].min(u64::from(left));
        let new = left - told as u32;
        control_plane.add(cx.now, Reason::NotTriggerScaleUp, new, None);
        let bytes = control_plane.event_bytes;
        control_plane.rewrite(cx.now, told, bytes);
    }
}

/// The autoscaler deletes a node: its taint and its deletion are said.
pub(crate) fn on_scale_down(world: &mut World, cx: &Cx<'_>) {
    world.control_plane.add(cx.now, Reason::ScaleDown, 2, None);
}

/// The application that a pod belongs to.
fn application_of(world: &World, cx: &Cx<'_>, pod_id: PodId) -> Option<u32> {
    match world.cluster.pods[pod_id].owner {
        PodOwner::Driver(attempt) | PodOwner::Executor(attempt, _) => {
            let run = world.attempts.get(attempt)?.run;
            Some(cx.run(run).application.0)
        }
        PodOwner::Trace(_) | PodOwner::Pause => None,
    }
}

#[cfg(test)]
mod tests;
