//! Upgrades: what changes by default, what stays because it was set, and what is refused.

use serde_json::Value;

use crate::command::{SCENARIO, files, fine, folder, refused, write};

/// The small platform at old releases, with one of the defaults that change set in its own file.
fn old(here: &std::path::Path) {
    write(&here.join("spark.conf"), "spark.speculation true\nspark.speculation.quantile 0.75\n");
    write(
        &here.join("old.yaml"),
        &SCENARIO.replace(
            "  region: us-west-2\n",
            "  region: us-west-2\n  kubernetesVersion: \"1.30\"\n  fees: {controlPlane: extended}\n\
             \x20 spark: {version: \"3.5\", defaults: spark.conf}\n",
        ),
    );
}

fn json(here: &std::path::Path, arguments: &[&str]) -> Value {
    let arguments = [&["upgrade", "old.yaml", "--replications", "2"], arguments].concat();
    serde_json::from_str(&fine(here, &[&arguments[..], &["-o", "json"]].concat())).unwrap()
}

fn here_of<'a>(answer: &'a Value, name: &str, release: &str) -> &'a str {
    let rows = answer["changes"].as_array().unwrap();
    let is_it = |row: &&Value| row["name"] == name && row["release"] == release;
    let row = rows.iter().find(is_it).unwrap_or_else(|| panic!("{name}: {answer}"));
    row["here"].as_str().unwrap()
}

#[test]
fn what_was_set_stays_and_what_was_not_changes() {
    let folder = folder();
    let here = folder.path();
    old(here);
    let to = ["--spark", "4.1", "--kubernetes", "1.33", "--out", "one"];
    let answer = json(here, &to);
    assert_eq!(
        here_of(&answer, "spark.speculation.quantile", "4.0"),
        "stays 0.75: set in spark.conf:2"
    );
    assert_eq!(here_of(&answer, "spark.speculation.multiplier", "4.0"), "simulated");
    assert_eq!(here_of(&answer, "expander", "1.33"), "simulated");
    assert_eq!(here_of(&answer, "max-empty-bulk-delete", "1.33"), "not set here");
    let rows = answer["changes"].as_array().unwrap();
    assert!(!rows.iter().any(|row| row["release"] == "1.36"), "that is later");
    // What is simulated has them.
    let upgraded = std::fs::read_to_string(here.join("one/upgraded.yaml")).unwrap();
    let lines: Vec<&str> = upgraded.lines().map(str::trim).collect();
    for line in ["spark.speculation.quantile: 0.75", "spark.speculation.multiplier: 3"] {
        assert!(lines.iter().any(|own| own.replace('"', "") == line), "{line} in {upgraded}");
    }
    assert!(lines.contains(&"kubernetesVersion: \"1.33\""), "{upgraded}");
    fine(here, &["run", "one/upgraded.yaml", "--no-report", "--out", "run"]);

    // Extended support ends with the upgrade, unless it is said that it does not.
    let fee = |answer: &Value| answer["notes"][1].as_str().unwrap().to_owned();
    assert!(fee(&answer).contains("$365.00 a month less"), "{answer}");
    let kept = json(here, &["--kubernetes", "1.33", "--keep-extended-support", "--out", "two"]);
    assert!(fee(&kept).contains("on both sides"), "{kept}");
    let sides = |answer: &Value| answer["comparison"].to_string();
    assert_ne!(sides(&answer), sides(&kept));
}

#[test]
fn the_same_upgrade_gives_the_same_bytes_over_its_own_folder_only() {
    let folder = folder();
    let here = folder.path();
    old(here);
    let read = |name: &str| std::fs::read(here.join("out").join(name)).unwrap();
    let upgrade = |threads: &str| json(here, &["--spark", "4.1", "--out", "out", "-j", threads]);
    upgrade("1");
    let before = ["upgrade.html", "upgrade.json", "upgraded.yaml"].map(read);
    upgrade("2");
    assert_eq!(before, ["upgrade.html", "upgrade.json", "upgraded.yaml"].map(read));
    let unfinished = files(here).into_iter().filter(|file| file.contains("/.out."));
    assert_eq!(unfinished.count(), 0);

    write(&here.join("out/mine.txt"), "mine");
    std::fs::remove_file(here.join("out/upgrade.json")).unwrap();
    let said = refused(here, &["upgrade", "old.yaml", "--spark", "4.1", "--out", "out"]);
    assert!(said.contains("holds other files"), "{said}");
}

#[test]
fn what_is_no_upgrade_is_refused() {
    let folder = folder();
    let here = folder.path();
    old(here);
    let said = |arguments: &[&str]| refused(here, &[&["upgrade", "old.yaml"], arguments].concat());
    assert!(said(&[]).contains("nothing to upgrade"));
    let back = said(&["--spark", "3.4", "--kubernetes", "1.29"]);
    assert!(back.contains("--spark 3.4: the scenario is at 3.5 already"), "{back}");
    assert!(back.contains("--kubernetes 1.29: the scenario is at 1.30 already"), "{back}");
    let unknown = said(&["--kubernetes", "1.99"]);
    assert!(unknown.contains("1.99") && unknown.contains("1.36"), "{unknown}");
    let text = said(&["--spark", "four\", x: \""]);
    assert!(text.contains("four"), "{text}");

    // A flag that the new release has no more is an error with its place, not a silent change.
    let set = "spec.autoscaler.clusterAutoscaler.extraArgs.max-empty-bulk-delete=5";
    let gone = said(&["--kubernetes", "1.33", "--set", set]);
    assert!(gone.contains("max-empty-bulk-delete"), "{gone}");
}
