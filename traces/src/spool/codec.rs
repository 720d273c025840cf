//! A run as bytes and back: one function goes through the fields and either writes or reads, so
//! that the two cannot differ. Numbers take as many bytes as they need, 7 bits each; 0 is "none".
//!
//! Leaves out what tables of runs do not have: stages, recordings, settings.

use sim::units::{Bytes, MilliCores, SimDuration};
use sim::workload::{ApplicationId, Failure, NodeLifecycle, Run, RunOutcome, TeamId};

/// Appends a run that was submitted at `at_ms`, in milliseconds since 1970.
pub(super) fn encode(mut run: Run, at_ms: i64, to: &mut Vec<u8>) {
    fields(&mut Encoder(to), &mut run, at_ms);
}

/// Takes a run, and when it was submitted, from the front of `bytes`; `None` if these are not what
/// [`encode`] wrote.
pub(super) fn decode(bytes: &mut &[u8]) -> Option<(Run, i64)> {
    let mut run = Run::default();
    let mut decoder = Decoder { bytes, good: true };
    let at_ms = fields(&mut decoder, &mut run, 0);
    decoder.good.then_some((run, at_ms))
}

/// Writes what it is given and gives it back, or gives what it reads.
trait Coder {
    fn number(&mut self, value: Option<u64>) -> Option<u64>;
    fn text(&mut self, value: Box<str>) -> Box<str>;
}

fn fields(coder: &mut impl Coder, run: &mut Run, at_ms: i64) -> i64 {
    // By name, so that a field that is added has to be thought of here.
    let Run {
        run_id,
        application,
        team,
        submitted_at: _,
        critical,
        driver_cores,
        driver_memory,
        executor_cores,
        executor_memory,
        executor_memory_overhead,
        executors_min,
        executors_max,
        dynamic_allocation,
        duration,
        executor_task_time,
        driver_only,
        tasks,
        peak_executor_memory,
        peak_driver_memory,
        input_bytes,
        shuffle_bytes,
        timeout,
        deadline,
        depends_on,
        outcome,
        failure,
        node_lifecycle,
        stages: _,
        settings: _,
        recording: _,
    } = run;
    *run_id = coder.text(std::mem::take(run_id));
    // Zigzag: times before 1970 are small numbers too.
    let zigzag = ((at_ms << 1) ^ (at_ms >> 63)) as u64;
    let zigzag = coder.number(Some(zigzag)).unwrap_or_default();
    let at_ms = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
    *application = ApplicationId(small(coder, Some(application.0)).unwrap_or_default());
    *team = TeamId(small(coder, Some(team.0)).unwrap_or_default());
    *critical = coder.number(Some(u64::from(*critical))) == Some(1);
    *driver_cores = coder.number(driver_cores.map(MilliCores::as_millis)).map(MilliCores::new);
    for cores_or_count in [executor_cores, executors_min, executors_max, tasks] {
        *cores_or_count = small(coder, *cores_or_count);
    }
    *dynamic_allocation = coder.number(dynamic_allocation.map(u64::from)).map(|flag| flag == 1);
    for memory in [
        driver_memory,
        executor_memory,
        executor_memory_overhead,
        peak_executor_memory,
        peak_driver_memory,
        input_bytes,
        shuffle_bytes,
    ] {
        *memory = coder.number(memory.map(Bytes::as_u64)).map(Bytes::new);
    }
    for time in [duration, executor_task_time, driver_only, timeout, deadline] {
        *time = coder.number(time.map(SimDuration::as_millis)).map(SimDuration::from_millis);
    }
    let parents = small(coder, Some(depends_on.len() as u32)).unwrap_or_default();
    let mut known = std::mem::take(depends_on).into_iter();
    *depends_on =
        (0..parents).map_while(|_| small(coder, Some(known.next().unwrap_or(0)))).collect();
    *outcome = one_of(coder, &OUTCOMES, Some(*outcome)).unwrap_or_default();
    *failure = one_of(coder, &Failure::ALL, *failure);
    *node_lifecycle = one_of(coder, &LIFECYCLES, *node_lifecycle);
    at_ms
}

const OUTCOMES: [RunOutcome; 3] =
    [RunOutcome::Succeeded, RunOutcome::Failed, RunOutcome::Unfinished];
const LIFECYCLES: [NodeLifecycle; 2] = [NodeLifecycle::Spot, NodeLifecycle::OnDemand];

/// A number that was 32 bits when it was written.
fn small(coder: &mut impl Coder, value: Option<u32>) -> Option<u32> {
    coder.number(value.map(u64::from)).map(|number| number as u32)
}

fn one_of<T: Copy + PartialEq>(coder: &mut impl Coder, all: &[T], value: Option<T>) -> Option<T> {
    let place = value.and_then(|value| all.iter().position(|other| *other == value));
    let place = coder.number(place.map(|place| place as u64))?;
    all.get(place as usize).copied()
}

struct Encoder<'a>(&'a mut Vec<u8>);

impl Coder for Encoder<'_> {
    fn number(&mut self, value: Option<u64>) -> Option<u64> {
        let mut rest = value.map_or(0, |value| u128::from(value) + 1);
        while rest >= 0x80 {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
        value
    }

    fn text(&mut self, value: Box<str>) -> Box<str> {
        self.number(Some(value.len() as u64));
        self.0.extend_from_slice(value.as_bytes());
        value
    }
}

struct Decoder<'a, 'b> {
    bytes: &'a mut &'b [u8],
    /// Nothing was missing and nothing made no sense so far.
    good: bool,
}

impl Coder for Decoder<'_, '_> {
    fn number(&mut self, _: Option<u64>) -> Option<u64> {
        let mut sum = 0_u128;
        // 65 bits at most: ten bytes.
        for place in 0..10 {
            let Some((byte, rest)) = self.bytes.split_first() else { break };
            *self.bytes = rest;
            sum |= u128::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return sum.checked_sub(1).map(|value| value as u64);
            }
        }
        self.good = false;
        None
    }

    fn text(&mut self, _: Box<str>) -> Box<str> {
        let length = self.number(None).unwrap_or_default() as usize;
        let taken = self.bytes.split_at_checked(length);
        let text = taken.and_then(|(text, rest)| {
            *self.bytes = rest;
            std::str::from_utf8(text).ok()
        });
        self.good &= text.is_some();
        text.unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn a_number() -> impl Strategy<Value = Option<u64>> {
        prop_oneof![Just(None), (0..300_u64).prop_map(Some), any::<u64>().prop_map(Some)]
    }

    proptest! {
        #[test]
        fn runs_read_back_as_they_were(
            id in ".{0,30}",
            at_ms in prop_oneof![any::<i64>(), -5..5_i64],
            numbers in proptest::collection::vec(a_number(), 17),
            parents in proptest::collection::vec(any::<u32>(), 0..4),
            (flag, place) in (any::<bool>(), 0..12_usize),
        ) {
            let small = |place: usize| numbers[place].map(|number| number as u32);
            let bytes = |place: usize| numbers[place].map(Bytes::new);
            let time = |place: usize| numbers[place].map(SimDuration::from_millis);
            let run = Run {
                run_id: id.into(),
                application: ApplicationId(small(0).unwrap_or(7)),
                team: TeamId(small(1).unwrap_or(9)),
                critical: flag,
                driver_cores: numbers[0].map(MilliCores::new),
                driver_memory: bytes(1),
                executor_cores: small(2),
                executor_memory: bytes(3),
                executor_memory_overhead: bytes(4),
                executors_min: small(5),
                executors_max: small(6),
                dynamic_allocation: numbers[7].map(|_| !flag),
                duration: time(8),
                executor_task_time: time(9),
                driver_only: time(10),
                tasks: small(11),
                peak_executor_memory: bytes(12),
                peak_driver_memory: bytes(13),
                input_bytes: bytes(14),
                shuffle_bytes: bytes(15),
                timeout: time(16),
                deadline: time(2),
                depends_on: parents.into(),
                outcome: OUTCOMES[place % 3],
                failure: Failure::ALL.get(place).copied(),
                node_lifecycle: LIFECYCLES.get(place % 3).copied(),
                ..Run::default()
            };
            let mut encoded = Vec::new();
            encode(run.clone(), at_ms, &mut encoded);
            encode(Run::default(), 0, &mut encoded);
            let mut rest = encoded.as_slice();
            let (read, read_at) = decode(&mut rest).unwrap();
            prop_assert_eq!(format!("{read:?} {read_at}"), format!("{run:?} {at_ms}"));
            decode(&mut rest).unwrap();
            prop_assert!(rest.is_empty() && decode(&mut rest).is_none());
            // A part of a run is none.
            prop_assert!(decode(&mut &encoded[..encoded.len() / 3]).is_none());
        }
    }
}
