use super::*;

fn plane(event_bytes: u64, pod_bytes: u64, applications: usize) -> ControlPlane {
    ControlPlane {
        event_bytes,
        pod_bytes,
        quota: Bytes::gib(8),
        ttl_minutes: Some(60),
        minutes: VecDeque::new(),
        written: VecDeque::new(),
        written_bytes: 0,
        alive: [0; REASONS],
        alive_all: 0,
        by_application: vec![0; applications],
        pods: 0,
        events_peak: 0,
        fullest: storm::Storm::default(),
    }
}

fn at(minutes: u64) -> SimTime {
    SimTime::from_millis(minutes * MINUTE_MS)
}

#[test]
fn events_live_for_an_hour() {
    let mut control_plane = plane(1, 0, 1);
    control_plane.add(at(0), Reason::Scheduled, 10, Some(0));
    control_plane.add(at(59), Reason::Killing, 5, None);
    assert_eq!(control_plane.events_peak, 15);
    control_plane.add(at(60), Reason::Scheduled, 5, Some(0));
    assert_eq!((control_plane.alive_all, control_plane.events_peak), (10, 15));
    assert_eq!(control_plane.by_application, [5]);
}

#[test]
fn without_a_time_to_live_events_stay() {
    let mut control_plane = ControlPlane { ttl_minutes: None, ..plane(1, 0, 0) };
    control_plane.add(at(0), Reason::Scheduled, 10, None);
    control_plane.add(at(100_000), Reason::Scheduled, 1, None);
    assert_eq!(control_plane.alive_all, 11);
}

#[test]
fn the_fullest_minute_is_named_with_its_cause() {
    let mut control_plane = plane(1000, 100, 2);
    control_plane.add(at(1), Reason::Scheduled, 3, Some(0));
    control_plane.add(at(7), Reason::FailedScheduling, 20, Some(1));
    control_plane.pod_created(at(7), 40);
    control_plane.rewrite(at(7), 4, 100);
    control_plane.add(at(200), Reason::Scheduled, 1, Some(0));
    control_plane.close_minute();
    let workload =
        Workload { applications: vec!["etl".into(), "wide".into()], ..Workload::default() };
    let load = control_plane.load(&workload);
    assert_eq!(load.etcd_bytes_peak, Bytes::new(23 * 1000 + 40 * 100 + 400));
    assert_eq!(load.at, at(8));
    let alive: Vec<_> = load.events.into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(alive, [("Scheduled", 3), ("FailedScheduling", 20)]);
    assert_eq!(load.application, Some(("wide".into(), 20)));
}

#[test]
fn revisions_are_compacted() {
    let mut control_plane = plane(0, 0, 0);
    control_plane.rewrite(at(0), 2, 50);
    control_plane.rewrite(at(9), 1, 7);
    assert_eq!(control_plane.written_bytes, 107);
    control_plane.rewrite(at(10), 1, 1);
    assert_eq!(control_plane.written_bytes, 8);
}
