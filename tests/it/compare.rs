//! Comparisons: paired, attributed, gated, stopped when they are clear.

use serde_json::Value;

use crate::command::{fine, folder, refused, seatrial, write};

#[test]
fn comparisons_are_paired_attributed_and_gated() {
    let folder = folder();
    let here = folder.path();
    let compare = |more: &[&str]| {
        let base = ["compare", "scenario.yaml", "--replications", "2"];
        seatrial(here, &[&base[..], more].concat())
    };
    let changes = [
        "--change",
        "spec.nodes.pools[1].capacityType=on-demand",
        "--change",
        "spec.autoscaler.clusterAutoscaler.extraArgs.scan-interval=2m",
    ];
    let output = compare(&[&changes[..], &["-o", "json", "-j", "1"]].concat());
    assert_eq!(output.status.code(), Some(0));
    let again = compare(&[&changes[..], &["-o", "json", "-j", "2"]].concat());
    assert_eq!(output.stdout, again.stdout, "threads change nothing");
    let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let candidate = &value["candidates"][0];
    let cost = &candidate["metrics"]["cost_usd.total"];
    assert!(cost["relative"].as_f64().is_some_and(|share| share > 0.1), "{cost}");
    assert_eq!(candidate["changed_alone"].as_object().map(serde_json::Map::len), Some(2));
    // The same scenario is the same to the last digit.
    let same = compare(&["scenario.yaml", "-o", "json"]);
    let same: Value = serde_json::from_slice(&same.stdout).expect("JSON");
    let metrics = same["candidates"][0]["metrics"].as_object().expect("metrics").values();
    assert!(metrics.clone().count() > 30 && metrics.clone().all(|m| m["difference"] == 0.0));

    let gated = compare(&[&changes[..2], &["--fail-if", "cost.total > +5%"]].concat());
    assert_eq!(gated.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&gated.stderr).contains("`cost.total > +5%` holds"));
    assert!(String::from_utf8_lossy(&gated.stdout).contains("95 % interval"));
    let fine = compare(&[&changes[..2], &["--fail-if", "outcome.failed > +1"]].concat());
    assert_eq!(fine.status.code(), Some(0));
    for bad in [&["--fail-if", "cost.total"][..], &["--fail-if", "cost.totl > 1"], &[]] {
        let output = compare(&[if bad.is_empty() { &[] } else { &changes[..2] }, bad].concat());
        assert_eq!(output.status.code(), Some(2), "{bad:?}");
    }
}

#[test]
fn a_clear_answer_stops_early_and_an_unclear_one_says_so() {
    let folder = folder();
    let here = folder.path();
    let double = ["--change", "spec.workload.scale.arrivals=3"];
    let compare = |more: &[&str]| fine(here, &[&["compare", "scenario.yaml"], more].concat());
    let table = compare(&double);
    assert!(table.starts_with("clear after "), "{table}");
    assert!(table.lines().next().unwrap().ends_with(" of at most 9 replications"), "{table}");
    let all = compare(&[&double[..], &["--all-replications", "--replications", "4"]].concat());
    assert!(all.starts_with("clear after 4 replications"), "{all}");
    let value: Value =
        serde_json::from_str(&compare(&[&double[..], &["-o", "json"]].concat())).expect("JSON");
    assert!(value["replications"].as_u64().is_some_and(|n| (3..9).contains(&n)), "{value}");
    assert_eq!(value["clear"], true);
    // What was not clear at the look before is not called clear by who does not look on the way.
    let before = (value["replications"].as_u64().unwrap() - 2).to_string();
    let all = compare(&[&double[..], &["--all-replications", "--replications", &before]].concat());
    assert!(all.starts_with(&format!("NOT CLEAR after {before} replications")), "{all}");
    // Where the bound of a gate lies within the interval, it says so.
    let relative = value["candidates"][0]["metrics"]["cost_usd.total"]["relative"].as_f64();
    let gate = format!("cost.total > +{:.2}%", relative.unwrap() * 100.0);
    let near = ["--replications", "3", "--fail-if", &gate];
    let output = seatrial(here, &[&["compare", "scenario.yaml"], &double[..], &near].concat());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.starts_with("NOT CLEAR after 3 replications: ") && said.contains("`cost.total > "),
        "{said}"
    );
}

#[test]
fn settings_of_two_files_are_looked_at_one_by_one() {
    let folder = folder();
    let here = folder.path();
    let other = "base: scenario.yaml\nmetadata: {name: \"<b>other\"}\nspec:\n  autoscaler: \
                 {clusterAutoscaler: {extraArgs: {scan-interval: 1m}}}\n  billing: {tax: 0.5}\n";
    write(&here.join("other.yaml"), other);
    let markdown = fine(
        here,
        &["compare", "scenario.yaml", "other.yaml", "-o", "markdown", "--html", "page.html"],
    );
    for part in ["scan-interval", "billing.tax", "| (all) |"] {
        assert!(markdown.contains(part), "{part}: {markdown}");
    }
    assert!(markdown.contains("&lt;b&gt;other") && !markdown.contains("<b>"), "{markdown}");
    let page = std::fs::read_to_string(here.join("page.html")).expect("it was written");
    assert!(page.contains("one change at a time") && page.contains("<svg "), "no picture");
    assert!(!page.contains("<b>other") && page.contains("&lt;b&gt;other"));
    // A tax of a half is half of the cost, whatever else is changed.
    let json = fine(here, &["compare", "scenario.yaml", "other.yaml", "-o", "json"]);
    let value: Value = serde_json::from_str(&json).expect("JSON");
    let alone = &value["candidates"][0]["changed_alone"]["billing.tax"]["cost_usd.total"];
    let relative = alone["relative"].as_f64().expect("a number");
    assert!((relative - 0.5).abs() < 1e-6, "{alone}");
    let said = refused(here, &["compare", "scenario.yaml", "gone.yaml"]);
    assert!(said.contains("gone.yaml"), "{said}");
}
