//! Recorded spot series through the command: `trace fit-spot`, and scenarios that name them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn seatrial(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatrial"));
    command.current_dir(folder).args(arguments).output().expect("the command can be started")
}

#[track_caller]
fn fine(folder: &Path, arguments: &[&str]) -> String {
    let output = seatrial(folder, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = seatrial(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).expect("errors are UTF-8")
}

/// A folder with a number of nodes that falls every half hour, a scenario and a trace.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut counts = String::new();
    for place in 0..40u32 {
        let (fall, back) = (f64::from(place) * 0.5 + 0.2, f64::from(place % 7) * 0.03);
        counts.push_str(&format!("{fall:.3},16\n{fall:.3},{}\n", 8 + place % 7));
        counts.push_str(&format!("{:.3},16\n", fall + 0.1 + back));
    }
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("written");
    };
    write("counts.csv", &counts);
    let mut day = "run_id,application,submitted_at,executor_task_s,tasks\n".to_owned();
    for run in 0..30 {
        day.push_str(&format!("r{run},a,2026-11-20T08:{run:02}:00Z,9000,40\n"));
    }
    write("day.csv", &day);
    write("scenario.yaml", &scenario("{model: recorded, series: counts.csv}"));
    folder
}

fn scenario(spot: &str) -> String {
    format!(
        "apiVersion: seatrial/v1alpha1\nkind: Scenario\nmetadata: {{name: spot}}\nspec:\n  region: \
         us-west-2\n  workload: {{traces: [{{jobTable: day.csv}}]}}\n  nodes: {{pools: [{{name: p, \
         capacityType: spot, instanceTypes: [m5.4xlarge, r5.4xlarge], maxSize: 50, \
         allocationStrategy: price-capacity-optimized}}]}}\n  autoscaler: {{clusterAutoscaler: \
         {{}}}}\n  assumptions: {{spot: {spot}}}\n"
    )
}

#[test]
fn the_fit_is_a_model_that_a_scenario_takes() {
    let folder = folder();
    let path = folder.path();
    let json: Value =
        serde_json::from_str(&fine(path, &["trace", "fit-spot", "counts.csv", "-o", "json"]))
            .expect("JSON");
    assert_eq!(json["schema"], "seatrial.spot-fit/v1");
    assert_eq!((&json["format"], &json["rows"]), (&"counts".into(), &120.into()));
    let fit = &json["fit"];
    assert_eq!((&fit["pools"], &fit["spells"]), (&1.into(), &40.into()));
    let share = fit["sizes"]["share"].as_f64().expect("shares were counted");
    assert!((0.1..0.6).contains(&share), "{share}");
    for spells in ["calm", "tight"] {
        let p = fit[spells]["lognormal"]["p_value"].as_f64().expect("a p-value");
        assert!((0.0..=1.0).contains(&p), "{spells}: {p}");
    }
    let model = scenario(&fit["model"].to_string());
    std::fs::write(path.join("fitted.yaml"), model).expect("written");
    fine(path, &["run", "fitted.yaml", "--out", "fitted"]);

    let table = fine(path, &["trace", "fit-spot", "counts.csv", "--format", "counts"]);
    for part in ["KS distance", "drawn 100 times", "spot:\n  model: pool-shocks\n"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let yaml = fine(path, &["trace", "fit-spot", "counts.csv", "-o", "yaml"]);
    assert!(yaml.contains("schema: seatrial.spot-fit/v1"), "{yaml}");
    let again = fine(path, &["trace", "fit-spot", "counts.csv", "--format", "counts"]);
    assert_eq!(table, again, "the same bytes");
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let folder = folder();
    let path = folder.path();
    assert!(refused(path, &["trace", "fit-spot", "day.csv"]).contains("none of the formats"));
    let other = ["trace", "fit-spot", "counts.csv", "--format", "availability"];
    assert!(refused(path, &other).contains("none of its 120 rows"));
    let prices = r#"{"SpotPriceHistory":[{"AvailabilityZone":"us-west-2a","InstanceType":"m5.large",
        "ProductDescription":"Linux/UNIX","SpotPrice":"0.05","Timestamp":"2020-01-01T00:00:00Z"}]}"#;
    std::fs::write(path.join("prices.json"), prices).expect("written");
    assert!(refused(path, &["trace", "fit-spot", "prices.json"]).contains("nothing to fit"));
    refused(path, &["trace", "fit-spot", "nowhere"]);
    refused(path, &["trace", "fit-spot", "counts.csv", "--format", "csv"]);
}

#[test]
fn a_recorded_series_is_replayed_and_its_resolved_scenario_means_the_same() {
    let folder = folder();
    let path = folder.path();
    fine(path, &["run", "scenario.yaml", "--out", "first"]);
    let resolved = std::fs::read_to_string(path.join("first/scenario.resolved.yaml"));
    std::fs::write(path.join("resolved.yaml"), resolved.expect("written")).expect("written");
    fine(path, &["run", "resolved.yaml", "--out", "second"]);
    let summary = |name: &str| std::fs::read(path.join(name).join("summary.json")).expect("there");
    assert!(summary("first") == summary("second"));
    let summary: Value = serde_json::from_slice(&summary("first")).expect("JSON");
    assert!(summary["nodes"]["spot_interruptions"].as_u64() > Some(0), "{summary}");

    let absent = ["run", "scenario.yaml", "--set", "spec.assumptions.spot.series=absent.csv"];
    let message = refused(path, &absent);
    assert!(message.contains("absent.csv"), "{message}");
    let wrong = ["run", "scenario.yaml", "--set", "spec.assumptions.spot.format=price-history"];
    refused(path, &wrong);
}
