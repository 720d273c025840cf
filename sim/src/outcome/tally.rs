//! Totals that are counted from the records on their way to the sink: why pods waited and for how
//! long, and the waits of trace pods beside the recorded ones.
//!
//! Leaves out: waiting in the active queue before the first attempt; it has no reason yet.

use std::collections::BTreeMap;

use super::{
    AttemptRecord, LedgerRecord, NodeRecord, Outcome, OwnerTotal, PodKind, PodRecord, PodWaits,
    RunRecord, ScalingRecord, Sink, TimelineRecord, WaitingRecord, WaitingTotal,
};
use crate::Workload;
use crate::units::{SimDuration, SimTime};
use crate::workload::{Failure, RecordedWait, Run, RunOutcome};

/// Said of a pod that ended before anything was found out about it.
const NEVER_TRIED: &str = "not tried";

/// Passes records on and counts.
pub(crate) struct Tally<'a> {
    inner: &'a mut dyn Sink,
    workload: &'a Workload,
    reasons: Reasons,
    /// Pods that have waited and not ended: the place of their reason, and since when. An entry
    /// goes with its pod, so that this follows what is alive.
    waiting: BTreeMap<u64, (u32, SimTime)>,
    waits: PodWaits,
    owners: Vec<OwnerTotal>,
}

/// Totals by normalised reason.
#[derive(Default)]
struct Reasons {
    places: BTreeMap<String, u32>,
    totals: Vec<WaitingTotal>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(inner: &'a mut dyn Sink, workload: &'a Workload) -> Self {
        let (reasons, waiting) = (Reasons::default(), BTreeMap::new());
        let owner = |team: &String| OwnerTotal { team: team.clone(), ..OwnerTotal::default() };
        let owners = workload.teams.iter().map(owner).collect();
        Self { inner, workload, reasons, waiting, waits: PodWaits::default(), owners }
    }

    /// Puts the totals into `outcome`.
    pub(crate) fn finish(self, outcome: &mut Outcome) {
        let mut totals = self.reasons.totals;
        totals.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.reason.cmp(&b.reason)));
        outcome.waiting_reasons = totals;
        outcome.pod_waits = self.waits;
        outcome.owners = self.owners;
    }

    /// The pod's wait is over: the reason that it ends with.
    fn close(&mut self, pod: &PodRecord) -> Option<u32> {
        let (reason, since) = self.waiting.remove(&pod.pod)?;
        let until = pod.bound_at.unwrap_or(pod.ended_at);
        self.reasons.totals[reason as usize].time += until.since(since.min(until));
        Some(reason)
    }

    fn compare(&mut self, pod: &PodRecord) {
        let recorded = pod.owner.and_then(|place| self.workload.pods.get(place as usize));
        let recorded = recorded.map_or(RecordedWait::Unknown, |pod| pod.recorded_wait);
        let simulated = pod.bound_at.map(|bound_at| bound_at.since(pod.created_at));
        self.waits.add(recorded, simulated);
    }
}

impl Sink for Tally<'_> {
    fn run(&mut self, record: RunRecord, of: &Run) {
        if let Some(owner) = self.owners.get_mut(record.team.0 as usize) {
            owner.count(of, &record);
        }
        self.inner.run(record, of);
    }
    fn attempt(&mut self, record: AttemptRecord, of: &Run) {
        if record.failure == Some(Failure::Timeout)
            && let Some(owner) = self.owners.get_mut(of.team.0 as usize)
        {
            owner.timeouts += 1;
        }
        self.inner.attempt(record, of);
    }
    fn pod(&mut self, record: PodRecord, of: Option<&Run>) {
        let reason = self.close(&record);
        if record.kind == PodKind::Trace {
            self.compare(&record);
        }
        if record.bound_at.is_none() && record.kind != PodKind::Pause {
            let place = reason.unwrap_or_else(|| self.reasons.place(NEVER_TRIED));
            self.reasons.totals[place as usize].add_never_bound(record.kind);
        }
        self.inner.pod(record, of);
    }
    fn node(&mut self, record: NodeRecord) {
        self.inner.node(record);
    }
    fn timeline(&mut self, record: TimelineRecord) {
        self.inner.timeline(record);
    }
    fn ledger(&mut self, record: LedgerRecord, of: Option<&Run>) {
        self.inner.ledger(record, of);
    }
    fn waiting(&mut self, record: WaitingRecord<'_>) {
        let place = self.reasons.place(record.kind);
        let before = self.waiting.insert(record.pod, (place, record.at));
        if let Some((reason, since)) = before {
            self.reasons.totals[reason as usize].time += record.at.since(since);
        }
        if before.is_none_or(|(reason, _)| reason != place) {
            self.reasons.totals[place as usize].pods += 1;
        }
        self.inner.waiting(record);
    }
    fn scaling(&mut self, record: ScalingRecord<'_>) {
        self.inner.scaling(record);
    }
    fn progress(&mut self, now: SimTime, finished_runs: u64) -> bool {
        self.inner.progress(now, finished_runs)
    }
}

impl OwnerTotal {
    fn count(&mut self, run: &Run, record: &RunRecord) {
        self.runs += 1;
        match record.outcome {
            RunOutcome::Succeeded => self.succeeded += 1,
            RunOutcome::Failed => self.failed += 1,
            RunOutcome::Unfinished => self.unfinished += 1,
        }
        self.with_deadline += u64::from(run.deadline.is_some());
        if record.missed(run.deadline) == Some(true) {
            self.deadline_missed += 1;
            self.critical_missed += u64::from(run.critical);
        }
        let late = record.ready_at.map_or(SimDuration::ZERO, |at| at.since(record.submitted_at));
        if !late.is_zero() {
            self.late_parents.0 += 1;
            self.late_parents.1 += late;
        }
    }
}

impl Reasons {
    /// The place of a normalised reason.
    fn place(&mut self, reason: &str) -> u32 {
        if let Some(place) = self.places.get(reason) {
            return *place;
        }
        let place = self.totals.len() as u32;
        self.totals.push(WaitingTotal { reason: reason.to_owned(), ..WaitingTotal::default() });
        self.places.insert(reason.to_owned(), place);
        place
    }
}

/// The scheduler's message without what differs from pod to pod and from moment to moment: counts
/// of nodes, what the pod asks for, the outlook for preemption. Parts are in alphabetical order.
///
/// `0/14 nodes are available: 9 Insufficient memory, 5 Insufficient cpu. preemption: ...` becomes
/// `Insufficient cpu, Insufficient memory`.
pub fn normalised(message: &str) -> String {
    let counted = message.split_once(' ').map_or(message, |(_, rest)| rest);
    let rest = counted.strip_prefix("nodes are available: ").unwrap_or(message);
    // By its first letter: looking for a text takes longer than all of the rest.
    let mut stops = rest.match_indices('.').map(|(at, _)| rest.split_at(at));
    let rest =
        stops.find(|(_, after)| after.starts_with(". preemption: ")).map_or(rest, |parts| parts.0);
    let rest = rest.rsplit_once(" (asks ").map_or(rest, |(rest, _)| rest);
    let mut parts: Vec<&str> = rest
        .trim_end_matches(['.', ' '])
        .split(", ")
        .map(|part| match part.split_once(' ') {
            Some((count, text)) if count.bytes().all(|byte| byte.is_ascii_digit()) => text,
            _ => part,
        })
        .collect();
    parts.sort_unstable();
    parts.dedup();
    parts.join(", ")
}

impl PodWaits {
    fn add(&mut self, recorded: RecordedWait, simulated: Option<SimDuration>) {
        let never = simulated.is_none();
        match recorded {
            RecordedWait::Unknown => return,
            RecordedWait::Never => {
                self.recorded_never += 1;
                self.both_never += u64::from(never);
            }
            RecordedWait::Took(recorded) => {
                self.recorded.add(recorded);
                if let Some(simulated) = simulated {
                    self.pairs.push((milliseconds(recorded), milliseconds(simulated)));
                }
            }
        }
        self.simulated_never += u64::from(never);
        if let Some(simulated) = simulated {
            self.simulated.add(simulated);
        }
    }
}

fn milliseconds(duration: SimDuration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expected: &str) {
        assert_eq!(normalised(message), expected);
    }

    #[test]
    fn reasons_lose_what_differs_from_pod_to_pod() {
        check(
            "0/14 nodes are available: 9 Insufficient memory, 5 Insufficient cpu. preemption: \
             0/14 nodes are available: 14 No preemption victims found for incoming pod.",
            "Insufficient cpu, Insufficient memory",
        );
        check(
            "0/3 nodes are available: 3 Insufficient cpu (asks cpu 4, memory 13.2Gi)",
            "Insufficient cpu",
        );
        check("0/0 nodes are available: no nodes (asks cpu 1, memory 1.0Gi)", "no nodes");
        check(
            "0/2 nodes are available: 1 node(s) had untolerated taint {a: b}, 1 Too many pods.",
            "Too many pods, node(s) had untolerated taint {a: b}",
        );
        check("waiting for a gate", "waiting for a gate");
        check("", "");
    }

    #[test]
    fn waits_are_compared_where_both_are_known() {
        let mut waits = PodWaits::default();
        let seconds = SimDuration::seconds;
        waits.add(RecordedWait::Unknown, Some(seconds(9)));
        waits.add(RecordedWait::Never, None);
        waits.add(RecordedWait::Never, Some(seconds(1)));
        waits.add(RecordedWait::Took(seconds(2)), Some(seconds(2)));
        waits.add(RecordedWait::Took(seconds(3)), Some(seconds(12)));
        waits.add(RecordedWait::Took(seconds(70)), None);
        assert_eq!((waits.recorded_never, waits.simulated_never, waits.both_never), (2, 2, 1));
        assert_eq!((waits.recorded.count(), waits.simulated.count()), (3, 3));
        assert_eq!(waits.within(seconds(1)), Some(0.5));
        assert_eq!(waits.within(seconds(9)), Some(1.0));
        assert_eq!(waits.rank_correlation(), Some(1.0));
    }

    #[test]
    fn ranks_of_equal_waits_are_shared() {
        let mut waits = PodWaits::default();
        for (recorded, simulated) in [(1, 4), (1, 3), (2, 2), (3, 1)] {
            let recorded = RecordedWait::Took(SimDuration::seconds(recorded));
            waits.add(recorded, Some(SimDuration::seconds(simulated)));
        }
        // Ranks 1.5, 1.5, 3, 4 against 4, 3, 2, 1: Pearson of them, by hand -4.5 / sqrt(4.5 * 5).
        let expected = -4.5 / (4.5_f64 * 5.0).sqrt();
        let found = waits.rank_correlation().unwrap();
        assert!((found - expected).abs() < 1e-12, "{found}");
        assert_eq!(PodWaits::default().rank_correlation(), None);
    }
}
