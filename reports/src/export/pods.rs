//! kube-state-metrics' metrics of pods, from `pods`.
//!
//! Source: kube-state-metrics 2, `docs/metrics/workload/pod-metrics.md` and
//! `internal/store/pod.go`; names of containers and executors' owners: Spark,
//! `kubernetes/core/.../Constants.scala` and `ExecutorPodsAllocator.scala`. `uid` is the pod's
//! number in the table, so that a series is one pod's even where names repeat (attempts). A pod
//! that ended by itself has one sample more at the next moment, with its last phase and reason; one
//! that was deleted has one sample more in which it is in no phase, so that sums are right.
//!
//! Leaves out: what no table holds (namespaces: all are in `default`; addresses, limits, containers
//! but one with the whole request), phases that a pod is never in, how long an ended pod's object
//! stays, and when its containers started before its process was ready (`Pending` until then).

use super::exposition::{Exposition, FamilyKind};
use super::nodes::{cores, node_name};
use super::steps::{Steps, ms};
use crate::tables::{ReadError, TableFile, TableRow};

const COLUMNS: [&str; 12] = [
    "pod",
    "kind",
    "owner_name",
    "executor_id",
    "cpu_milli",
    "memory_bytes",
    "created_s",
    "bound_s",
    "ready_s",
    "ended_s",
    "node",
    "result",
];

/// A row of `pods`, as its labels and moments.
struct Pod<'a> {
    name: String,
    uid: String,
    kind: &'a str,
    driver: String,
    cpu_milli: i64,
    memory: i64,
    created: i64,
    bound: Option<i64>,
    ready: Option<i64>,
    ended: i64,
    node: String,
    result: &'a str,
}

impl<'a> Pod<'a> {
    fn of(row: TableRow<'a>) -> Self {
        let number = row.integer(0).unwrap_or_default();
        let (kind, owner) = (row.text(1).unwrap_or_default(), row.text(2).unwrap_or("unknown"));
        let driver = format!("{owner}-driver");
        let name = match kind {
            "driver" => driver.clone(),
            "executor" => format!("{owner}-exec-{}", row.integer(3).unwrap_or_default()),
            "trace" => owner.to_owned(),
            _ => format!("pause-{number}"),
        };
        Self {
            name,
            uid: number.to_string(),
            kind,
            driver,
            cpu_milli: row.integer(4).unwrap_or_default(),
            memory: row.integer(5).unwrap_or_default(),
            created: ms(row.float(6).unwrap_or_default()),
            bound: row.float(7).map(ms),
            ready: row.float(8).map(ms),
            ended: ms(row.float(9).unwrap_or_default()),
            node: row.integer(10).map(node_name).unwrap_or_default(),
            result: row.text(11).unwrap_or_default(),
        }
    }

    /// The labels that every series of a pod has.
    fn labels(&self) -> [(&str, &str); 3] {
        [("namespace", "default"), ("pod", &self.name), ("uid", &self.uid)]
    }

    /// Its one container.
    fn container(&self) -> &'static str {
        match self.kind {
            "driver" => "spark-kubernetes-driver",
            "executor" => "spark-kubernetes-executor",
            "pause" => "pause",
            _ => "main",
        }
    }

    /// Spans with the node of each: none before the pod is bound.
    fn spans(&self) -> [(i64, i64, &str); 2] {
        let bound = self.bound.unwrap_or(self.ended);
        [(self.created, bound, ""), (bound, self.ended, &self.node)]
    }

    /// The phase that it ended in, if its object was there to say so.
    fn last_phase(&self) -> Option<&'static str> {
        match self.result {
            "succeeded" => Some("Succeeded"),
            "failed" | "oom_killed" | "spot_reclaimed" => Some("Failed"),
            _ => None,
        }
    }

    /// Why its container ended, in the kubelet's words.
    fn terminated_reason(&self) -> Option<&'static str> {
        match self.result {
            "succeeded" => Some("Completed"),
            "failed" => Some("Error"),
            "oom_killed" => Some("OOMKilled"),
            _ => None,
        }
    }
}

fn each(table: &TableFile, mut visit: impl FnMut(&Pod<'_>)) -> Result<(), ReadError> {
    table.rows(&COLUMNS, |row| visit(&Pod::of(row)))
}

/// Writes the families.
pub(super) fn write(
    pods: &TableFile,
    steps: Steps,
    out: &mut Exposition<'_>,
) -> Result<(), ReadError> {
    info(pods, steps, out)?;
    out.family("kube_pod_status_phase", FamilyKind::Gauge, "The pods current phase.");
    each(pods, |pod| phases(pod, steps, out))?;
    requests(pods, steps, out)?;
    let help = "Describes the reason the container is currently in terminated state.";
    out.family("kube_pod_container_status_terminated_reason", FamilyKind::Gauge, help);
    each(pods, |pod| {
        if let Some(reason) = pod.terminated_reason() {
            let more = [("container", pod.container()), ("reason", reason)];
            at_end(pod, &more, steps, out);
        }
    })?;
    out.family("kube_pod_status_reason", FamilyKind::Gauge, "The pod status reasons.");
    each(pods, |pod| {
        if pod.result == "spot_reclaimed" {
            at_end(pod, &[("reason", "NodeLost")], steps, out);
        }
    })
}

/// One sample of 1 when the pod's end is first seen.
fn at_end(pod: &Pod<'_>, more: &[(&str, &str)], steps: Steps, out: &mut Exposition<'_>) {
    if let Some(at) = steps.first_after(pod.ended) {
        out.series(&[&pod.labels(), more].concat());
        out.sample(at, 1);
    }
}

fn info(pods: &TableFile, steps: Steps, out: &mut Exposition<'_>) -> Result<(), ReadError> {
    out.family("kube_pod_info", FamilyKind::Gauge, "Information about pod.");
    each(pods, |pod| {
        let owner = match pod.kind {
            "executor" => [("created_by_kind", "Pod"), ("created_by_name", &pod.driver)],
            _ => [("created_by_kind", "<none>"), ("created_by_name", "<none>")],
        };
        for (start, end, node) in pod.spans() {
            out.series(&[&pod.labels()[..], &[("node", node)], &owner].concat());
            steps.within(start, end).for_each(|at| out.sample(at, 1));
        }
    })
}

fn phases(pod: &Pod<'_>, steps: Steps, out: &mut Exposition<'_>) {
    let ready = pod.ready.unwrap_or(pod.ended).clamp(pod.created, pod.ended.max(pod.created));
    let seen = steps.within(pod.created, pod.ended).next().is_some();
    let closing = steps.first_after(pod.ended).filter(|_| seen && pod.result != "unfinished");
    for (phase, start, end) in [("Pending", pod.created, ready), ("Running", ready, pod.ended)] {
        if steps.within(start, end).next().is_none() {
            continue;
        }
        out.series(&[&pod.labels()[..], &[("phase", phase)]].concat());
        for at in steps.within(pod.created, pod.ended) {
            out.sample(at, u8::from(start <= at && at < end));
        }
        if let Some(at) = closing {
            out.sample(at, 0);
        }
    }
    if let Some(phase) = pod.last_phase() {
        at_end(pod, &[("phase", phase)], steps, out);
    }
}

fn requests(pods: &TableFile, steps: Steps, out: &mut Exposition<'_>) -> Result<(), ReadError> {
    let help = "The number of requested request resource by a container.";
    out.family("kube_pod_container_resource_requests", FamilyKind::Gauge, help);
    each(pods, |pod| {
        for (start, end, node) in pod.spans() {
            let place = [("container", pod.container()), ("node", node)];
            let mut write = |resource: [(&str, &str); 2], value: &dyn std::fmt::Display| {
                out.series(&[&pod.labels()[..], &place, &resource].concat());
                steps.within(start, end).for_each(|at| out.sample(at, value));
            };
            write([("resource", "cpu"), ("unit", "core")], &cores(pod.cpu_milli));
            write([("resource", "memory"), ("unit", "byte")], &pod.memory);
        }
    })
}
