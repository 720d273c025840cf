//! Sizes: what is safe shrinks, what runs out is raised, nobody is left out, and what is recommended
//! is a scenario that does what was said.

use std::path::Path;

use serde_json::Value;

use crate::command::{SCENARIO, fine, refused, write};

/// Three applications with ten runs each that need 6 GiB, give or take: one has 24 GiB of heap, one
/// 5 and dies of it half of the time; of the third nothing is known.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = String::from(
        "run_id,application,team,submitted_at,executor_task_s,tasks,executor_cores,\
         executor_memory_mib,executors_max,dynamic_allocation,peak_executor_memory_mib,outcome,\
         failure\n",
    );
    for run in 0..30 {
        let heap = [24 * 1024, 5 * 1024, 8 * 1024][run % 3];
        let name = ["wide", "<b>tight</b>", "=unseen"][run % 3];
        let peak = 5600 + run / 3 * 117;
        let dies = run % 3 == 1 && peak > heap + 512;
        let seen = if run % 3 == 2 { String::new() } else { peak.min(heap + 512).to_string() };
        let end = if dies { "failed,executor_oom" } else { "succeeded," };
        csv.push_str(&format!(
            "r-{run},{name},team,2026-11-20T08:{run:02}:00Z,1200,40,4,{heap},4,true,{seen},{end}\n"
        ));
    }
    write(&folder.path().join("day.csv"), &csv);
    write(&folder.path().join("scenario.yaml"), SCENARIO);
    folder
}

fn sizing(here: &Path, more: &[&str]) -> Value {
    let base = ["sizing", "scenario.yaml", "--replications", "2", "-o", "json"];
    serde_json::from_str(&fine(here, &[&base[..], more].concat())).unwrap()
}

#[test]
fn what_is_safe_shrinks_and_what_runs_out_is_raised() {
    let folder = folder();
    let here = folder.path();
    let answer = sizing(here, &["--out", "one", "-j", "1"]);
    let rows = answer["applications"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "{answer}");
    let runs: u64 = rows.iter().map(|row| row["runs"].as_u64().unwrap()).sum();
    assert_eq!(runs, 30, "every run is counted");
    let of = |name: &str| rows.iter().find(|row| row["application"] == name).unwrap();
    let number = |row: &Value, key: &str| row[key].as_f64().unwrap();
    let wide = of("wide");
    assert_eq!(wide["verdict"], "shrink", "{wide}");
    // 6.6 GiB was seen, and ten runs are no certainty.
    let heap = number(wide, "recommended_heap_gib");
    assert!(heap > 6.0 && heap < 14.0, "{wide}");
    assert!(number(wide, "recommended_oom_at_most_percent") <= 1.0, "{wide}");
    let tight = of("<b>tight</b>");
    assert_eq!(tight["verdict"], "raise", "{tight}");
    assert!(number(tight, "deaths") > 2.0 && number(tight, "oom_percent") > 20.0, "{tight}");
    assert_eq!(of("=unseen")["verdict"], "unknown");

    // The simulation agrees: less is paid, and what died lives.
    let metrics = &answer["comparison"]["candidates"][0]["metrics"];
    let failed = &metrics["outcome.failed"];
    assert!(number(failed, "base") >= 3.0, "{failed}");
    assert!(number(failed, "candidate") < number(failed, "base"), "{failed}");

    let html = std::fs::read_to_string(here.join("one/sizing.html")).unwrap();
    assert!(html.contains("&lt;b&gt;tight&lt;/b&gt;") && !html.contains("<b>tight</b>"));
    let csv = std::fs::read_to_string(here.join("one/sizes.csv")).unwrap();
    assert!(!csv.lines().any(|line| line.starts_with('=')), "{csv}");

    // Any number of threads: the same bytes. And it is a scenario.
    sizing(here, &["--out", "two", "-j", "2"]);
    for name in ["sizing.json", "sizing.html", "sizes.csv"] {
        let read = |out: &str| std::fs::read(here.join(out).join(name)).unwrap();
        assert_eq!(read("one"), read("two"), "{name}");
    }
    fine(here, &["run", "one/sized.yaml", "--no-report", "--out", "run"]);
    // Sized again, there is nothing left to do.
    let again = ["sizing", "one/sized.yaml", "--replications", "2", "-o", "json"];
    let again: Value = serde_json::from_str(&fine(here, &again)).unwrap();
    let verdicts = again["applications"].as_array().unwrap();
    assert!(verdicts.iter().all(|row| row["verdict"] != "shrink"), "{again}");
    assert!(verdicts.iter().all(|row| row["verdict"] != "raise"), "{again}");
    assert_eq!(again["comparison"], Value::Null);
}

#[test]
fn classes_of_applications_have_settings_of_their_own() {
    let folder = folder();
    let here = folder.path();
    let with = |classes: &str| format!("spec.spark.applications={classes}");
    let pods = |out: &str, classes: &str| {
        let set = with(classes);
        let arguments =
            ["run", "scenario.yaml", "--no-report", "--out", out, "-o", "json", "--set", &set];
        let summary: Value = serde_json::from_str(&fine(here, &arguments)).unwrap();
        (summary["workload"]["pods"].clone(), summary["outcome"]["failed"].clone())
    };
    let plain = pods("plain", "[]");
    let fixed = "[{application: wide, sparkConf: {spark.executor.instances: '1', \
                 spark.dynamicAllocation.enabled: 'false'}}]";
    assert_ne!(plain.0, pods("fixed", fixed).0);
    let more = r#"[{application: tight, sparkConf: {spark.executor.memory: 12g}}]"#;
    let (_, failed) = pods("more", more);
    assert!(failed.as_u64() < plain.1.as_u64(), "{failed} {plain:?}");
    // What nobody matches changes nothing.
    let nobody = r#"[{team: nobody, sparkConf: {spark.executor.memory: 1g}}]"#;
    assert_eq!(plain, pods("nobody", nobody));

    let refuse = |classes: &str| {
        let set = with(classes);
        refused(here, &["run", "scenario.yaml", "--out", "bad", "--set", &set])
    };
    let said = refuse(
        "[{application: '(', sparkConf: {spark.executor.memmory: 1g, spark.executor.cores: x}}]",
    );
    assert!(said.contains("did you mean `spark.executor.memory`"), "{said}");
    assert!(said.contains("no whole number") && said.contains("no pattern"), "{said}");
    assert!(refuse("[{team: a}]").contains("sparkConf"), "it sets nothing");
    let said = refused(here, &["sizing", "scenario.yaml", "--oom-limit", "200%"]);
    assert!(said.contains("percentage"), "{said}");
}
