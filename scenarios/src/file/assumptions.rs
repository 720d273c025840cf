//! `spec.assumptions`: what no configuration file says. Guesses that stay are findings.

use sim::Severity;
use sim::scenario::{Assumptions, Capacity, CapacityLimit, CapacityType, LogNormal};
use sim::units::SimTime;

use sim::units::Bytes;

use super::context::Context;
use super::settings::Settings;
use super::spot::{self, SpotSeriesRef};

/// The largest request that etcd takes. Source: facts-cloud section 5 (etcd's limits).
const OBJECT_MAX: Bytes = Bytes::new(1536 * 1024);

/// Reads the section; what it does not say is the model's default.
pub(super) fn read(
    context: &Context<'_>,
    given: Option<Settings<'_>>,
) -> (Assumptions, Vec<SpotSeriesRef>) {
    let mut out = Assumptions::default();
    let mut series = Vec::new();
    if let Some(given) = &given {
        series = spot::read(context, given, &mut out);
        apply(given, &mut out);
    }
    for line in out.list() {
        let said = given.as_ref().is_some_and(|given| given.optional(line.name).is_some());
        if line.guess && !said {
            let message = format!("`{}` is {}, a guess: {}", line.name, line.value, line.source);
            let subject = format!("spec.assumptions.{}", line.name);
            context.note(Severity::Info, "assumption", &subject, message);
        }
    }
    (out, series)
}

fn apply(given: &Settings<'_>, out: &mut Assumptions) {
    latency(given, "nodeBoot", &mut out.node_boot);
    set(&mut out.image_pull_bytes_per_s, given.bytes("imagePullBytesPerSecond"));
    set(&mut out.container_start, given.duration("containerStart"));
    latency(given, "driverStart", &mut out.driver_start);
    latency(given, "executorStart", &mut out.executor_start);
    set(&mut out.spot_notice, given.duration("spotNotice"));
    if let Some(given) = given.section("capacity") {
        out.capacity = capacity(&given);
    }
    set(&mut out.spot_drain, given.bool("spotDrain"));
    set(&mut out.termination_grace, given.duration("terminationGrace"));
    set(&mut out.unschedulable_timeout, given.duration("unschedulableTimeout"));
    set(&mut out.run_timeout, given.duration("runTimeout"));
    set(&mut out.task_duration_cv, given.float("taskDurationCv"));
    set(&mut out.mean_task_duration, given.duration("meanTaskDuration"));
    set(&mut out.scheduler_pods_per_s, given.count("schedulerPodsPerSecond"));
    lifecycle(given, out);
    tasks(given, out);
    if let Some(at) = given.optional("imagePullBytesPerSecond")
        && out.image_pull_bytes_per_s.as_u64() == 0
    {
        at.problem("`imagePullBytesPerSecond` is zero: no image would ever arrive");
    }
}

/// The lives of nodes and pods, and the control plane.
fn lifecycle(given: &Settings<'_>, out: &mut Assumptions) {
    set(&mut out.daemonset_start, given.duration("daemonsetStart"));
    set(&mut out.init_container, given.duration("initContainer"));
    set(&mut out.pod_termination, given.duration("podTermination"));
    set(&mut out.image_disk_factor, given.float("imageDiskFactor"));
    set(&mut out.system_disk, given.bytes("systemDisk"));
    set(&mut out.event_ttl, given.duration("eventTtl"));
    set(&mut out.event_object_bytes, given.bytes("eventObjectBytes"));
    set(&mut out.pod_object_bytes, given.bytes("podObjectBytes"));
    set(&mut out.etcd_quota, given.bytes("etcdQuota"));
    // Above what etcd takes in one request, sizes are slips, and their sums could overflow.
    for key in ["eventObjectBytes", "podObjectBytes"] {
        let size =
            if key == "eventObjectBytes" { out.event_object_bytes } else { out.pod_object_bytes };
        if let Some(at) = given.optional(key).filter(|_| size > OBJECT_MAX) {
            at.problem(format!("`{key}` is {size}: etcd takes no object above {OBJECT_MAX}"));
        }
    }
    if let Some(at) = given.optional("etcdQuota")
        && out.etcd_quota == Bytes::ZERO
    {
        at.problem("`etcdQuota` is zero: etcd could hold nothing");
    }
}

/// Executors that warm up, disks, network, spills and commits.
fn tasks(given: &Settings<'_>, out: &mut Assumptions) {
    set(&mut out.executor_warm_up, given.duration("executorWarmUp"));
    set(&mut out.executor_warm_up_tasks, given.duration("taskWarmUp"));
    set(&mut out.executor_warm_time, given.duration("executorWarmTime"));
    set(&mut out.host_cores, given.count("hostCores"));
    if let Some(disk) = given.section("localDisk") {
        for (rate, key) in [
            (&mut out.local_disk.empty_dir, "emptyDir"),
            (&mut out.local_disk.tmpfs, "tmpfs"),
            (&mut out.local_disk.host_path, "hostPath"),
            (&mut out.local_disk.persistent_volume_claim, "persistentVolumeClaim"),
        ] {
            throughput(&disk, key, rate);
        }
    }
    throughput(given, "networkThroughput", &mut out.network_bytes_per_s);
    set(&mut out.spill_slowdown, given.float("spillSlowdown"));
    throughput(given, "objectStoreCopy", &mut out.object_store_copy_bytes_per_s);
    set(&mut out.commit_rename, given.duration("commitRename"));
}

/// Bytes a second; zero would never end.
fn throughput(given: &Settings<'_>, key: &str, out: &mut Bytes) {
    match given.bytes(key) {
        Some(Bytes::ZERO) => {
            if let Some(at) = given.optional(key) {
                at.problem(format!("`{key}` is zero: nothing would ever end"));
            }
        }
        rate => set(out, rate),
    }
}

fn set<T>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}

fn latency(given: &Settings<'_>, key: &str, out: &mut LogNormal) {
    let Some(section) = given.section(key) else {
        return;
    };
    section.choice("distribution");
    set(&mut out.p50, section.duration("p50"));
    set(&mut out.p99, section.duration("p99"));
    if out.p99 < out.p50 {
        let at = section.optional("p99").unwrap_or_else(|| section.fields.at.clone());
        at.problem(format!("`{key}`: p99 {} is below p50 {}", out.p99, out.p50));
    }
}

fn capacity(given: &Settings<'_>) -> Capacity {
    let default = Capacity::default();
    let hang = given.bool("launchesHang").unwrap_or(false);
    let seen = given.duration("failureSeenAfter").or(default.failure_seen_after);
    if let Some(at) = given.optional("failureSeenAfter").filter(|_| hang) {
        at.problem("`failureSeenAfter` has no meaning where `launchesHang` is true");
    }
    let limits = given.sections("limits").unwrap_or_default();
    Capacity {
        limits: limits.iter().filter_map(capacity_limit).collect(),
        spot_vcpu_quota: given.count("spotVcpus"),
        on_demand_vcpu_quota: given.count("onDemandVcpus"),
        failure_seen_after: seen.filter(|_| !hang),
    }
}

fn capacity_limit(given: &Settings<'_>) -> Option<CapacityLimit> {
    let capacity_type = given.choice("capacityType");
    let time = |key: &str| given.duration(key).map(|time| SimTime::ZERO.saturating_add(time));
    let limit = CapacityLimit {
        capacity_type: match capacity_type? {
            "spot" => CapacityType::Spot,
            _ => CapacityType::OnDemand,
        },
        instance_type: given.text("instanceType"),
        zone: given.text("zone"),
        max_instances: given.count("maxInstances").unwrap_or(0),
        from: time("from").unwrap_or(SimTime::ZERO),
        until: time("until").unwrap_or(SimTime::MAX),
        probability: given.float("probability").unwrap_or(1.0),
    };
    if limit.until <= limit.from {
        given.fields.at.problem("the limit ends (`until`) before it begins (`from`)");
    }
    Some(limit)
}
