//! Broken and hostile files: never a panic, never a silent loss, never much memory.

use std::io::Write;

use sim::Seed;
use traces::event_log::{Codec, Status, read_event_logs};

use crate::lowering::read_bytes;
use crate::sample;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    zstd::encode_all(data, 3).unwrap()
}

fn snappy(data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    for block in data.chunks(700) {
        let packed = snap::raw::Encoder::new().compress_vec(block).unwrap();
        bytes.extend((packed.len() as u32).to_be_bytes());
        bytes.extend(packed);
    }
    bytes
}

/// Every codec that can be written here: gzip of two members, zstd of two frames, snappy, plain.
fn packed(text: &str) -> Vec<(Codec, Vec<u8>)> {
    let (first, second) = text.as_bytes().split_at(text.len() / 2);
    vec![
        (Codec::Plain, text.as_bytes().to_vec()),
        (Codec::Gzip, [gzip(first), gzip(second)].concat()),
        (Codec::Zstd, [zstd(first), zstd(second)].concat()),
        (Codec::SnappyJava, snappy(text.as_bytes())),
    ]
}

#[test]
fn every_codec_gives_the_same() {
    let plain = read_bytes(sample::text().as_bytes());
    for (codec, bytes) in packed(&sample::text()) {
        let logs = read_bytes(&bytes);
        assert_eq!(logs.reports[0].codec, Some(codec));
        assert_eq!(logs.reports[0].bytes, bytes.len() as u64);
        assert_eq!(logs.reports[0].bytes_unpacked, sample::text().len() as u64);
        assert_eq!(logs.reports[0].events_by_kind, plain.reports[0].events_by_kind);
        assert_eq!(logs.applications[0].stages, plain.applications[0].stages);
        assert_eq!(logs.applications[0].jobs, plain.applications[0].jobs);
    }
}

#[test]
fn a_file_cut_at_any_byte_gives_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    for (codec, bytes) in packed(&sample::text()) {
        // One file that gets shorter: writing thousands of files takes longer than reading them.
        let path = folder.path().join(codec.name());
        std::fs::write(&path, &bytes).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        let mut tasks_after = 6;
        for cut in (0..bytes.len()).rev() {
            file.set_len(cut as u64).unwrap();
            let logs = read_event_logs(std::slice::from_ref(&path), &|_| ());
            let report = &logs.reports[0];
            assert!(report.adds_up(), "{codec:?} cut at {cut}");
            let lines = report.events_used + report.malformed;
            assert_eq!(report.lines, lines, "{codec:?} cut at {cut}");
            // Half a line is malformed and says that the log is cut.
            let told = report.malformed == 0 || report.truncated;
            assert!(told, "{codec:?} cut at {cut}");
            let tasks = logs.applications.first();
            let tasks = tasks.map_or(0, |one| one.tasks.succeeded);
            assert!(tasks <= tasks_after, "{codec:?} cut at {cut}");
            // A compressed block is lost as a whole if its last byte is missing, and the second
            // half of the lines is one zstd block here.
            if cut == bytes.len() - 1 {
                assert_eq!(tasks, if codec == Codec::Zstd { 3 } else { 6 }, "{codec:?}");
            }
            tasks_after = tasks;
        }
        assert_eq!(tasks_after, 0, "{codec:?}");
    }
}

#[test]
fn flipped_bytes_do_no_harm() {
    for (_, bytes) in packed(&sample::text()) {
        for at in (0..bytes.len()).step_by(29) {
            let mut broken = bytes.clone();
            broken[at] ^= 0x55;
            read_bytes(&broken);
        }
    }
}

#[test]
fn random_bytes_are_refused() {
    let seed = Seed::new(7);
    let byte = |at: u64| (seed.uniform("random bytes", &[at]) * 256.0) as u8;
    for length in [1, 2, 7, 8, 9, 100, 5000, 200_000] {
        for magic in [&b""[..], b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"LZ4Block", b"\x82SNAPPY\0"]
        {
            let noise = (0..length).map(byte);
            let bytes: Vec<u8> = magic.iter().copied().chain(noise).collect();
            let logs = read_bytes(&bytes);
            assert!(matches!(logs.reports[0].status, Status::Refused(_)));
            assert!(logs.findings.iter().any(|finding| finding.code == "no-event-log"));
            assert!(logs.applications.is_empty());
        }
    }
}

#[test]
fn what_is_no_log_is_refused_with_a_reason() {
    let reason = |bytes: &[u8]| match &read_bytes(bytes).reports[0].status {
        Status::Refused(reason) => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert!(reason(b"").contains("empty"));
    assert!(reason(b"PK\x03\x04xxxx").contains("zip"));
    assert!(reason(b"26/11/20 INFO SparkContext: Running\n").contains("none of its 1 lines"));
    assert!(reason(&b"no event\n".repeat(5000)).contains("first 1000 lines"));
    let only = br#"{"Event":"SparkListenerLogStart","Spark Version":"3.5.9"}"#;
    assert!(reason(only).contains("no application start"));
}

#[test]
fn broken_lines_in_the_middle_are_counted_and_passed_over() {
    let whole = read_bytes(sample::text().as_bytes());
    let mut lines = sample::lines();
    let deep = "[".repeat(100_000);
    let broken = [
        "{".to_owned(),
        "null".to_owned(),
        r#"{"Event":"SparkListenerTaskEnd","Stage ID":-1}"#.to_owned(),
        r#"{"Event":"SparkListenerTaskEnd","Stage ID":99999999999}"#.to_owned(),
        r#"{"Event":"SparkListenerTaskStart","Stage ID":1"#.to_owned(),
        r#"{"Event":"SparkListenerJobEnd","Job ID":1,"Completion Time":99e99}"#.to_owned(),
        format!(r#"{{"Event":"SparkListenerJobEnd","Job ID":{deep}"#),
        format!(r#"{{"x":{deep},"Event":"SparkListenerJobEnd"}}"#),
    ];
    for (place, line) in broken.iter().enumerate() {
        lines.insert(6 + 2 * place, line.clone());
    }
    lines.insert(3, String::new());
    lines.insert(9, r#"{"Event":"com.example.Custom","a":1}"#.to_owned());
    let mut bytes = lines.join("\n").into_bytes();
    bytes.extend(b"\n{\"Event\":\"SparkListenerApplicationEnd\",\"x\":\"\xff\xfe\"}\n");
    bytes.extend(b"{\"Event\":\"SparkListenerExecutorAdded\",\"Executor ID\":\"\xff\"}\n");
    let logs = read_bytes(&bytes);
    let report = &logs.reports[0];
    assert_eq!(report.malformed, broken.len() as u64 + 1);
    assert_eq!(report.blank, 1);
    assert_eq!(report.events_unknown, 1);
    assert_eq!(report.status, Status::Partial);
    assert!(!report.truncated);
    assert_eq!(report.malformed_lines[0], 8);
    assert_eq!(logs.applications[0].stages, whole.applications[0].stages);
}

#[test]
fn extreme_numbers_do_not_overflow() {
    let mut lines = sample::lines();
    let late = 253_402_300_799_999;
    let executor = sample::executor_added(9, late);
    let cores = format!("\"Total Cores\":{}", u64::MAX);
    lines.insert(5, executor.replace("\"Total Cores\":1", &cores));
    lines.insert(8, sample::task(0, 0, u32::MAX - 1, 1, late));
    lines.insert(8, sample::task(0, 0, 7, late, 1));
    lines.insert(8, sample::task(4_294_967_295, 4_294_967_295, 7, 0, 0));
    lines.insert(8, sample::stage("StageCompleted", 77, 0, &[77, 0, 99], late, 1, ""));
    for bytes in ["100", "15", "30"] {
        let from = format!(":{bytes}");
        lines[9] = lines[9].replace(&from, &format!(":{}", u64::MAX));
    }
    let mut text = lines.join("\n");
    text = text.replace("\"JVMHeapMemory\":5000", &format!("\"JVMHeapMemory\":{}", u64::MAX));
    let logs = read_bytes(text.as_bytes());
    let run = logs.applications[0].to_run().run;
    assert_eq!(run.tasks, Some(8));
    assert!(logs.findings.iter().any(|finding| finding.code == "bad-task-times"));
}

#[test]
fn a_line_of_many_megabytes_is_read() {
    let mut lines = sample::lines();
    let long = "x".repeat(10 << 20);
    lines.insert(7, format!(r#"{{"Event":"SparkListenerBlockUpdated","x":"{long}"}}"#));
    let described = format!("\"Properties\":{{\"spark.job.description\":\"{long}\"}}");
    lines[5] = lines[5].replace("\"Properties\":{}", &described);
    let logs = read_bytes(lines.join("\n").as_bytes());
    assert_eq!(logs.reports[0].status, Status::Read);
    assert_eq!(logs.applications[0].tasks.succeeded, 6);
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    // 400 MiB of one line in a few KiB.
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..400 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 100_000);
    let logs = read_bytes(&bomb);
    assert!(matches!(logs.reports[0].status, Status::Refused(_)));
}

#[test]
fn paths_that_cannot_be_read_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let empty_rolled = folder.path().join("eventlog_v2_app");
    std::fs::create_dir(&empty_rolled).unwrap();
    std::fs::write(empty_rolled.join("appstatus_app"), b"").unwrap();
    let logs = read_event_logs(&[missing, empty_rolled], &|_| ());
    assert_eq!(logs.reports.len(), 2);
    for report in &logs.reports {
        assert!(matches!(report.status, Status::Refused(_)), "{report:?}");
    }
    assert_eq!(logs.findings.len(), 2);
}

#[test]
fn a_rolled_log_is_read_in_order_and_a_gap_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let rolled = folder.path().join("eventlog_v2_spark-1");
    std::fs::create_dir(&rolled).unwrap();
    let lines = sample::lines();
    let whole = read_bytes(sample::text().as_bytes());
    let part = |range: std::ops::Range<usize>| zstd((lines[range].join("\n") + "\n").as_bytes());
    std::fs::write(rolled.join("appstatus_spark-1"), b"").unwrap();
    std::fs::write(rolled.join("events_1_spark-1.zstd"), part(0..8)).unwrap();
    std::fs::write(rolled.join("events_2_spark-1.zstd"), part(8..15)).unwrap();
    std::fs::write(rolled.join("events_10_spark-1.zstd"), part(15..24)).unwrap();
    let logs = read_event_logs(std::slice::from_ref(&rolled), &|_| ());
    assert_eq!(logs.applications[0].stages, whole.applications[0].stages);
    assert_eq!(logs.reports[0].files, 3);
    assert_eq!(logs.reports[0].status, Status::Partial);
    let gap = logs.findings.iter().find(|one| one.code == "missing-rolled-file").unwrap();
    assert_eq!(gap.count, 7);
}
