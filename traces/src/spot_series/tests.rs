//! Readers against small files, hostile ones, and the recorded ones beside the project.

use std::path::PathBuf;

use super::*;

/// Reads `content` as a file called `name`.
fn read(name: &str, content: &[u8]) -> Result<SpotSeries, TraceError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("written");
    read_spot_series(&path, None)
}

#[track_caller]
fn weather(series: &SpotSeries) -> &WeatherSeries {
    let SpotContent::Weather(weather) = &series.content else { panic!("{:?}", series.content) };
    weather
}

/// When, tight or not, and what was taken.
type Step = (u64, bool, Option<(u32, u32)>);

fn steps(pool: &PoolSeries) -> Vec<Step> {
    pool.steps.iter().map(|step| (step.at_ms, step.tight, step.taken)).collect()
}

#[test]
fn probes_are_up_or_tight() {
    let series = read(
        "a.out",
        b"[2020-03-15T10:00:00.000Z] Created instance i-1 with 1 GPU(s) of type k80 in zone us-east-1b\n\
          [2020-03-15T10:01:00.000Z] Instance with 8 GPU(s) of type k80 creation failed\n\
          [2020-03-15T10:10:00.000Z] Instance i-1 running in zone us-east-1b\n\
          [2020-03-15T10:20:00.000Z] Instance i-1 not running in zone us-east-1b\n\
          [2020-03-15T10:20:00.000Z] Successfully deleted instance i-1\n\
          [2020-03-15T10:30:00.000Z] Created instance i-2 with 1 GPU(s) of type k80 in zone us-east-1b\n\
          [2020-03-15T10:29:00.000Z] Instance i-2 not running in zone us-east-1b\n\
          [2020-03-15T10:40:00.000Z] Instance i-9 running in zone us-east-1b\n\
          hello\n",
    );
    let series = series.expect("read");
    let counts = series.counts;
    assert_eq!((counts.rows, counts.kept, counts.bad), (9, 6, 3));
    let weather = weather(&series);
    assert_eq!((weather.pools.len(), weather.span_ms), (2, 1_800_000));
    let [one, eight] = &weather.pools[..] else { panic!("two pools") };
    assert_eq!((one.zone.as_str(), one.instance_type.as_str()), ("us-east-1b", "1x k80"));
    assert_eq!(steps(one), [(0, false, None), (1_200_000, true, None), (1_800_000, false, None)]);
    assert_eq!((eight.zone.as_str(), steps(eight)), ("us-east-1b", vec![(0, true, None)]));
    let recorded = weather.to_recorded(0.5);
    let shares: Vec<f64> = recorded.pools[0].steps.iter().map(|step| step.share_taken).collect();
    assert_eq!(shares, [0.0, 0.5, 0.0]);
}

#[test]
fn falls_of_a_number_are_shocks() {
    let series = read("c.csv", b"0.0,0\n0.5,0\n0.5,8\n1.0,8\n1.0,6\n1.25,3\n2.0,4\nx,1\n2.0,-1\n");
    let series = series.expect("read");
    assert_eq!((series.format, series.counts.bad), (SpotFormat::Counts, 2));
    let shocks = steps(&weather(&series).pools[0]);
    let hour = 3_600_000;
    assert_eq!(
        shocks,
        [
            (0, false, None),
            (hour, true, Some((2, 8))),
            (hour + hour / 4, true, Some((3, 6))),
            (2 * hour, false, None)
        ]
    );
    let dates = read("d.txt", b"2021-12-11, 11:11:30, 55\n2021-12-11, 11:15:50, 11\n");
    let dates = dates.expect("read");
    assert_eq!(steps(&weather(&dates).pools[0])[1], (260_000, true, Some((44, 55))));
    let share = weather(&dates).to_recorded(0.5).pools[0].steps[1].share_taken;
    assert_eq!(share, 0.8, "counted shares are kept");
}

#[test]
fn removals_of_one_moment_are_one_shock() {
    let text = "0,add,a\n0,add,b\n0,add,c\n5,remove,a\n5,remove,b\n5,remove,b\n9,add,d\n8,add,e\n";
    let series = read("t.csv", text.as_bytes()).expect("read");
    let counts = series.counts;
    assert_eq!((counts.rows, counts.kept, counts.bad, counts.duplicates), (8, 6, 1, 1));
    let expected = [(0, false, None), (5, true, Some((2, 3))), (9, false, None)];
    assert_eq!(steps(&weather(&series).pools[0]), expected);
}

#[test]
fn listings_name_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = |zone: &str| {
        format!("Zone: {zone}, GPU type: k80, Number of GPUs: 1, Price per hour: $0.155\n")
    };
    let write = |hour: u32, text: String| {
        let name = format!("2020-02-26T{hour:02}-00-00.000Z.out");
        std::fs::write(folder.path().join(name), text).expect("written");
    };
    write(1, line("us-west1-b") + &line("us-east1-c"));
    write(2, line("us-west1-b") + "nonsense\n");
    write(3, line("us-west1-b") + &line("us-east1-c") + &line("us-east1-c"));
    let series = read_spot_series(folder.path(), None).expect("read");
    let counts = series.counts;
    assert_eq!((counts.rows, counts.kept, counts.bad, counts.duplicates), (7, 5, 1, 1));
    let weather = weather(&series);
    assert_eq!(weather.span_ms, 7_200_000);
    let east = [(0, false, None), (3_600_000, true, None), (7_200_000, false, None)];
    assert_eq!(steps(&weather.pools[0]), east);
    assert_eq!(steps(&weather.pools[1]), [(0, false, None)]);
    let one = folder.path().join("2020-02-26T01-00-00.000Z.out");
    assert!(read_spot_series(&one, None).is_err(), "one listing is no series");
}

#[test]
fn prices_are_sorted_and_only_those_of_linux_count() {
    let row = |zone: &str, product: &str, price: &str, time: &str| {
        serde_json::json!({"AvailabilityZone": zone, "InstanceType": "m5.large",
            "ProductDescription": product, "SpotPrice": price, "Timestamp": time})
    };
    let rows = [
        row("us-east-1a", "Linux/UNIX", "0.20", "2020-01-01T02:00:00.000Z"),
        row("us-east-1a", "Linux/UNIX", "0.10", "2020-01-01T00:00:00.000Z"),
        row("us-east-1b", "Linux/UNIX", "0.30", "2020-01-01T01:00:00.000Z"),
        row("us-east-1a", "Windows", "0.30", "2020-01-01T01:00:00.000Z"),
        row("us-east-1a", "Linux/UNIX", "-1", "2020-01-01T01:00:00.000Z"),
        row("us-east-1a", "Linux/UNIX", "NaN", "2020-01-01T01:00:00.000Z"),
        row("us-east-1a", "Linux/UNIX", "1e9", "2020-01-01T01:00:00.000Z"),
        serde_json::json!(7),
    ];
    let text = serde_json::json!({"NextToken": "more", "SpotPriceHistory": rows}).to_string();
    let series = read("p.json", text.as_bytes()).expect("read");
    assert_eq!((series.counts.rows, series.counts.kept, series.counts.bad), (8, 3, 5));
    assert!(series.findings.iter().any(|finding| finding.code == "cut-off"));
    let SpotContent::Prices(prices) = series.content else { panic!("prices") };
    let nano: Vec<(u64, u64)> =
        prices[0].points.iter().map(|(at, price)| (at.as_millis(), price.as_nano())).collect();
    assert_eq!(nano, [(0, 100_000_000), (7_200_000, 200_000_000)]);
    assert_eq!(prices[1].points[0].0.as_millis(), 3_600_000);
}

#[test]
fn what_is_no_series_is_refused() {
    for text in [
        &b""[..],
        b"\n\n",
        b"run_id,application\na,b\n",
        b"{}",
        b"{\"SpotPriceHistory\": 7}",
        b"{\"SpotPriceHistory\": []}",
        b"{\"spot_advisor\": {\"r\": {\"Linux\": {\"m5.large\": {\"r\": 9}}}}}",
        b"{\"spot_advisor\": [",
        b"[not a time] Instance i-1 running in zone z\n",
        &[b'1'; 100_000],
        &[0x1f, 0x8b, 1, 2, 3],
        &[0xff, 0xfe, 0, 1],
    ] {
        assert!(read("x", text).is_err(), "{:?}", String::from_utf8_lossy(text));
    }
    assert!(read_spot_series(std::path::Path::new("/nowhere/at/all"), None).is_err());
}

proptest::proptest! {
    #[test]
    fn random_lines_add_up(
        lines in proptest::collection::vec(
            "(\\[2020-03-1[0-9]T10:00:00Z\\] )?(Instance |Created instance )?[a-c0-9]{0,3}\
             ( with 1 GPU\\(s\\) of type k80| not)?( running| creation failed)?( in zone z)?|\
             [0-9]{1,4},(add|remove),[a-c]|[0-9.e-]{1,9},[0-9]{1,4}", 0..40),
        format in 0usize..3,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        std::fs::write(&path, lines.join("\n")).expect("written");
        if let Ok(series) = read_spot_series(&path, Some(SpotFormat::NAMES[format].1)) {
            let counts = series.counts;
            proptest::prop_assert_eq!(counts.rows, counts.kept + counts.dropped());
            let weather = weather(&series);
            for pool in &weather.to_recorded(0.5).pools {
                proptest::prop_assert_eq!(pool.steps[0].at.as_millis(), 0);
                proptest::prop_assert!(pool.steps.is_sorted_by_key(|step| step.at));
                let last = pool.steps[pool.steps.len() - 1].at.as_millis();
                proptest::prop_assert!(last <= weather.span_ms);
                proptest::prop_assert!(
                    pool.steps.iter().all(|step| (0.0..=1.0).contains(&step.share_taken)));
            }
        }
    }
}

/// A recorded series beside the project; says so where it is not there.
fn recorded(name: &str) -> Option<SpotSeries> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/traces/spot");
    let path = PathBuf::from(folder).join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not here", path.display());
        return None;
    }
    Some(read_spot_series(&path, None).unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn recorded_series_are_accounted_for() {
    for (name, format, pools, dropped) in [
        ("availability-2020/aws_persistent_2020-03-15.out", SpotFormat::Availability, 8, 0),
        ("availability-2020/gcp_persistent_2020-03-01.out", SpotFormat::Availability, 9, 0),
        ("bamboo/p3-trace.csv", SpotFormat::AddRemove, 1, 0),
        (
            "bamboo/aws-spot-instances-p2-xlarge-2020-11-20-to-2020-11-23.csv",
            SpotFormat::Counts,
            1,
            0,
        ),
        ("bamboo/gcloud-a100x1-east1b.txt", SpotFormat::Counts, 1, 0),
        ("gcp-spinup-2020", SpotFormat::SpinUp, 33, 0),
        ("aws-price-history-2020/us-east-1", SpotFormat::PriceHistory, 29, 0),
        ("spot-advisor-data.json", SpotFormat::Advisor, 0, 0),
        ("spot-price-5regions-2021.json", SpotFormat::RegionPrices, 0, 248),
    ] {
        let Some(series) = recorded(name) else { continue };
        assert_eq!(series.format, format, "{name}");
        let counts = series.counts;
        assert_eq!(counts.rows, counts.kept + counts.dropped(), "{name}");
        let found = match &series.content {
            SpotContent::Weather(weather) => weather.pools.len(),
            SpotContent::Prices(prices) => prices.len(),
            _ => 0,
        };
        assert_eq!((found, counts.dropped()), (pools, dropped), "{name}: {:?}", series.findings);
    }
}
