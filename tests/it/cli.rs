//! The command as users and scripts meet it: arguments, exit codes, files, and nothing else.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::command::{SCENARIO, command, files, fine, folder, refused, seatrial, write};

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&read(path)).expect("our JSON files are JSON")
}

const RESULT: [&str; 13] = [
    "attempts.parquet",
    "findings.json",
    "ledger.parquet",
    "nodes.parquet",
    "pods.parquet",
    "pools.parquet",
    "report.html",
    "runs.parquet",
    "scaling.parquet",
    "scenario.resolved.yaml",
    "summary.json",
    "timeline.parquet",
    "waiting.parquet",
];

#[test]
fn help_is_on_stdout_and_fine() {
    let folder = folder();
    let help = fine(folder.path(), &["--help"]);
    for verb in ["run", "trace", "catalog", "schema", "completions", "man"] {
        assert!(help.contains(verb), "{verb}: {help}");
    }
    assert!(help.contains("3 a gate"), "{help}");
    assert!(fine(folder.path(), &["run", "--help"]).contains("--set"));
    assert!(fine(folder.path(), &["--version"]).starts_with("seatrial "));
    assert!(fine(folder.path(), &["man"]).contains(".TH seatrial"));
    assert!(fine(folder.path(), &["completions", "zsh"]).contains("#compdef seatrial"));
    assert_eq!(files(folder.path()).len(), 2);
}

#[test]
fn bad_usage_is_refused() {
    let folder = folder();
    for arguments in [
        &[][..],
        &["fly"],
        &["run"],
        &["run", "scenario.yaml", "--sed", "1"],
        &["run", "scenario.yaml", "--seed", "-1"],
        &["run", "scenario.yaml", "-j", "0"],
        &["run", "scenario.yaml", "--replications", "0"],
        &["run", "scenario.yaml", "-o", "xml"],
        &["run", "scenario.yaml", "-q", "-v"],
        &["run", "scenario.yaml", "--out", ".."],
        &["run", "scenario.yaml", "--out", "day.csv"],
        &["run", "scenario.yaml", "--out", "."],
        &["run", "missing.yaml"],
        &["run", "."],
        &["trace", "inspect", "missing.csv"],
        &["trace", "ingest", "scenario.yaml", "--out", "trace"],
        &["catalog", "--region", "mars"],
        &["catalog", "--instance-type", "m5.xlarg"],
        &["catalog", "fit", "--cores", "4", "--memory", "much"],
    ] {
        let stderr = refused(folder.path(), arguments);
        assert!(!stderr.is_empty(), "{arguments:?}");
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
}

#[test]
fn everything_wrong_with_a_scenario_is_said_at_once() {
    let folder = folder();
    let wrong = SCENARIO.replace("region:", "regoin:").replace("minSize: 1", "minSize: one");
    write(&folder.path().join("wrong.yaml"), &wrong);
    let stderr = refused(folder.path(), &["run", "wrong.yaml"]);
    assert!(stderr.contains("wrong.yaml:5:3"), "{stderr}");
    assert!(stderr.contains("`region`"), "{stderr}");
    assert!(stderr.contains("minSize"), "{stderr}");
    let stderr = refused(folder.path(), &["run", "scenario.yaml", "--set", "spec.regoin=x"]);
    assert!(stderr.contains("regoin"), "{stderr}");
    let missing = "spec.workload.traces[0].jobTable=no.csv";
    let stderr = refused(folder.path(), &["run", "scenario.yaml", "--set", missing]);
    assert!(stderr.contains("no.csv"), "{stderr}");
}

#[test]
fn a_run_writes_one_whole_result() {
    let folder = folder();
    let table = fine(folder.path(), &["run", "scenario.yaml"]);
    assert!(table.contains("60 runs over"), "{table}");
    assert!(!table.contains('\u{1b}'), "names command the terminal: {table}");
    let result = folder.path().join("results/small-platform");
    let mut names: Vec<String> = files(&result);
    let plots = result.join("plots").display().to_string();
    names.retain(|name| !name.starts_with(&plots));
    let expected = RESULT.map(|name| result.join(name).display().to_string());
    assert_eq!(names, expected);
    for plot in ["nodes", "cpu", "pods", "ledger"] {
        let svg = String::from_utf8(read(&result.join("plots").join(format!("{plot}.svg"))));
        assert!(svg.expect("it is UTF-8").starts_with("<svg "), "{plot}");
    }
    let left = std::fs::read_dir(folder.path().join("results")).expect("it is there");
    assert_eq!(left.count(), 1, "nothing else");
    // Twice into the same place: the second replaces the first.
    let before = read(&result.join("summary.json"));
    fine(folder.path(), &["run", "scenario.yaml"]);
    assert_eq!(read(&result.join("summary.json")), before);
}

#[test]
fn the_summary_has_the_keys_of_the_contract() {
    let folder = folder();
    fine(folder.path(), &["run", "scenario.yaml", "--out", "result", "--seed", "7"]);
    let summary = json(&folder.path().join("result/summary.json"));
    let paths = [
        (
            "",
            "schema scenario seed replications workload outcome latency_s nodes utilization \
              cost_usd control_plane engine",
        ),
        ("/workload", "runs attempts pods span_s"),
        ("/outcome", "succeeded failed unfinished failed_attempts_by_cause"),
        (
            "/outcome/failed_attempts_by_cause",
            "executor_oom driver_oom timeout spot application transient unschedulable",
        ),
        ("/latency_s", "pod_scheduling_delay run_queue_delay run_duration"),
        ("/latency_s/pod_scheduling_delay", "p50 p90 p99 max"),
        ("/latency_s/run_queue_delay", "p50 p90 p99 max"),
        ("/latency_s/run_duration", "p50 p90 p99 max"),
        ("/nodes", "launched node_hours peak spot_interruptions"),
        ("/nodes/node_hours", "on_demand spot"),
        ("/utilization", "cpu memory"),
        ("/cost_usd", "total by_kind by_pool by_team ledger"),
        ("/cost_usd/by_kind", "on_demand spot storage control_plane emr network"),
        (
            "/cost_usd/ledger",
            "useful recompute failed_attempts executor_idle starting reserved unallocated",
        ),
        (
            "/control_plane",
            "event_objects_peak pods_peak etcd_bytes_peak etcd_quota_share etcd_peak_s \
             events_at_etcd_peak",
        ),
        ("/engine", "events tasks"),
    ];
    for (path, expected) in paths {
        let object = summary.pointer(path).and_then(Value::as_object);
        let object = object.unwrap_or_else(|| panic!("{path} is no object"));
        let expected: Vec<&str> = expected.split_whitespace().collect();
        // Keys may be added: those of the contract are there, in its order.
        let known = object.keys().map(String::as_str);
        let known: Vec<&str> = known.filter(|key| expected.contains(key)).collect();
        assert_eq!(known, expected, "{path}");
    }
    assert_eq!(summary["schema"], "seatrial.summary/v1");
    assert_eq!(summary["seed"], 7);
    assert_eq!(summary["workload"]["runs"], 60);
    let text = String::from_utf8(read(&folder.path().join("result/summary.json")));
    assert!(!text.expect("JSON is UTF-8").contains("null"));
}

#[test]
fn money_in_a_result_adds_up() {
    let folder = folder();
    fine(folder.path(), &["run", "scenario.yaml", "--out", "result"]);
    let cost = &json(&folder.path().join("result/summary.json"))["cost_usd"];
    let nano = |value: &Value| (value.as_f64().expect("an amount") * 1e9).round() as i64;
    let sum = |part: &str| -> i64 {
        let part = cost[part].as_object().expect("a map of amounts");
        part.values().map(nano).sum()
    };
    let total = nano(&cost["total"]);
    let nodes = nano(&cost["by_kind"]["on_demand"]) + nano(&cost["by_kind"]["spot"]);
    assert!(total > 0 && nodes > 0);
    assert_eq!(sum("by_kind"), total);
    assert_eq!(sum("by_team"), total);
    assert_eq!(sum("by_pool"), nodes);
    assert_eq!(sum("ledger"), nodes);
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let folder = folder();
    let run = |out: &str, jobs: &str| {
        let arguments =
            ["run", "scenario.yaml", "--replications", "3", "-j", jobs, "--out", out, "-o", "json"];
        fine(folder.path(), &arguments)
    };
    assert_eq!(run("one", "1"), run("two", "2"));
    for name in RESULT {
        let [one, two] = ["one", "two"].map(|out| read(&folder.path().join(out).join(name)));
        assert!(one == two, "{name} differs");
    }
    let summary = json(&folder.path().join("one/summary.json"));
    let total = &summary["replication_statistics"]["cost_usd.total"];
    assert_eq!(total["n"], 3);
    assert!(total["ci95_low"].as_f64() <= total["mean"].as_f64());
}

#[test]
fn another_seed_is_another_day() {
    let folder = folder();
    let run = |seed| fine(folder.path(), &["run", "scenario.yaml", "--seed", seed, "-o", "csv"]);
    assert_ne!(run("1"), run("2"));
}

#[test]
fn the_resolved_scenario_gives_the_same_result() {
    let folder = folder();
    fine(folder.path(), &["run", "scenario.yaml", "--out", "first"]);
    let set = "spec.workload.traces[0].jobTable=day.csv";
    let resolved = "first/scenario.resolved.yaml";
    fine(folder.path(), &["run", resolved, "--set", set, "--out", "second"]);
    let [first, second] =
        ["first", "second"].map(|out| read(&folder.path().join(out).join("summary.json")));
    assert!(first == second);
}

#[test]
fn other_files_are_not_overwritten() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("mine")).expect("a folder can be made");
    write(&folder.path().join("mine/thesis.tex"), "years of work");
    let stderr = refused(folder.path(), &["run", "scenario.yaml", "--out", "mine"]);
    assert!(stderr.contains("not overwritten"), "{stderr}");
}

#[test]
fn every_format_prints() {
    let folder = folder();
    let run = |format| fine(folder.path(), &["run", "scenario.yaml", "-o", format]);
    let value: Value = serde_json::from_str(&run("json")).expect("JSON");
    assert_eq!(value["scenario"], "small platform");
    assert!(run("yaml").contains("scenario: small platform"));
    let csv = run("csv");
    assert!(csv.starts_with("metric,value\n"));
    let markdown = run("markdown");
    assert!(markdown.starts_with("# small platform: seed 0\n"), "{markdown}");
    assert!(!markdown.contains('\u{1b}') && !csv.contains('\u{1b}'));
}

#[test]
fn quiet_says_nothing_and_timing_goes_to_its_file() {
    let folder = folder();
    let arguments = ["run", "scenario.yaml", "-q", "--timing", "timing.json"];
    let output = seatrial(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let timing = json(&folder.path().join("timing.json"));
    assert_eq!(timing["schema"], "seatrial.timing/v1");
    assert!(timing["wall_s"].as_f64() > Some(0.0));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = folder();
    for arguments in [&["catalog", "-o", "json"][..], &["run", "scenario.yaml"]] {
        let mut command = command(folder.path(), arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command can be started");
        drop(child.stdout.take());
        let mut stderr = String::new();
        let pipe = child.stderr.as_mut().expect("stderr is a pipe");
        pipe.read_to_string(&mut stderr).expect("errors are UTF-8");
        let status = child.wait().expect("the command ends");
        assert_eq!(status.code(), Some(0), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
    // The result is whole all the same.
    assert!(folder.path().join("results/small-platform/summary.json").exists());
}

#[test]
fn traces_can_be_ingested_looked_at_and_checked() {
    let folder = folder();
    let path = folder.path();
    fine(path, &["trace", "ingest", "day.csv", "--out", "trace", "--format", "csv"]);
    let inspection: Value =
        serde_json::from_str(&fine(path, &["trace", "inspect", "trace", "-o", "json"]))
            .expect("JSON");
    assert_eq!(inspection["runs"], 60);
    assert!(!fine(path, &["trace", "inspect", "day.csv"]).contains('\u{1b}'));
    fine(path, &["trace", "lint", "day.csv", "--fail-on", "error"]);
    // An ingested trace gives the same result as the table it comes from.
    fine(path, &["run", "scenario.yaml", "--out", "table"]);
    let set = "spec.workload.traces[0].jobTable=trace";
    fine(path, &["run", "scenario.yaml", "--out", "ingested", "--set", set]);
    let [table, ingested] =
        ["table", "ingested"].map(|out| read(&path.join(out).join("summary.json")));
    assert!(table == ingested);
}

#[test]
fn a_recording_without_anything_in_it_is_refused() {
    let folder = folder();
    let path = folder.path();
    std::fs::create_dir(path.join("logs")).expect("a folder");
    write(&path.join("logs/day.csv"), "run_id,application,submitted_at,duration_s\nr,a,0,1\n");
    for arguments in [&["inspect", "logs"][..], &["ingest", "logs", "--out", "trace"]] {
        let stderr = refused(path, &[&["trace"], arguments].concat());
        assert!(stderr.contains("no run and no pod"), "{stderr}");
        assert!(stderr.contains("a table is read where it is named itself"), "{stderr}");
    }
}

#[test]
fn a_time_that_is_far_off_is_named_where_it_costs_money() {
    let folder = folder();
    let path = folder.path();
    let header = "run_id,application,submitted_at,duration_s\n";
    write(&path.join("day.csv"), &format!("{header}a,app,0,60\nb,app,2026-11-20T08:00:00Z,60\n"));
    let output = seatrial(path, &["run", "scenario.yaml", "--out", "result"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("at 1970-01-01T00:00:00.000Z: is its time right?"), "{stderr}");
    write(&path.join("day.csv"), &format!("{header}a,app,0,60\nb,app,9999-12-30T00:00:00Z,60\n"));
    let stderr = refused(path, &["run", "scenario.yaml", "--out", "other"]);
    assert!(stderr.contains("the trace spans 8030 years"), "{stderr}");
}

#[test]
fn a_gate_says_no_with_its_own_code() {
    let folder = folder();
    let mut csv = std::fs::OpenOptions::new()
        .append(true)
        .open(folder.path().join("day.csv"))
        .expect("the trace can be opened");
    writeln!(csv, "r-60,app,ml,2026-11-20T08:00:00Z,-5,40,4,8192,8,true").expect("a line fits");
    let arguments = ["trace", "lint", "day.csv", "--fail-on", "warning"];
    let output = seatrial(folder.path(), &arguments);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{stdout}");
}

#[test]
fn the_schema_is_json() {
    let folder = folder();
    let schema: Value = serde_json::from_str(&fine(folder.path(), &["schema"])).expect("JSON");
    assert!(schema["properties"]["spec"].is_object());
}

#[test]
fn the_classic_surprise_is_explained() {
    let folder = folder();
    let arguments =
        ["catalog", "fit", "--cores", "4", "--memory", "11g", "--instance-type", "m5.xlarge"];
    let text = fine(folder.path(), &arguments);
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(words.join(" ").contains("never fits"), "{text}");
    let value: Value = serde_json::from_str(&fine(
        folder.path(),
        &[&arguments[..], &["--request-cores", "3400m", "-o", "json"]].concat(),
    ))
    .expect("JSON");
    assert_eq!(value["instance_types"][0]["executors"], 1);
}

/// The repository's own scenarios, as a newcomer runs them.
fn library(name: &str) -> String {
    format!("{}/scenarios/library/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_quickstart_runs_out_of_the_box() {
    let folder = folder();
    let quickstart = library("quickstart.yaml");
    fine(folder.path(), &["run", &quickstart, "--out", "quick"]);
    let summary = json(&folder.path().join("quick/summary.json"));
    let runs = summary["workload"]["runs"].as_u64().expect("a count");
    // 8,000 a day for a day, drawn as a Poisson process: three standard deviations.
    assert!((7_732..8_268).contains(&runs), "{runs}");
    let ended = ["succeeded", "failed", "unfinished"]
        .map(|how| summary["outcome"][how].as_u64().expect("a count"));
    assert_eq!(ended.iter().sum::<u64>(), runs);
    assert!(ended[0] * 10 > runs * 9, "{ended:?}");
    assert!(summary["cost_usd"]["total"].as_f64() > Some(1.0));
}

#[test]
fn a_made_up_platform_day_runs() {
    let folder = folder();
    let path = folder.path();
    let synth = ["trace", "synth", "--runs-per-day", "400", "--owners", "10", "--out"];
    fine(path, &[&synth[..], &["made.csv"]].concat());
    fine(path, &[&synth[..], &["again.csv"]].concat());
    assert!(read(&path.join("made.csv")) == read(&path.join("again.csv")));
    let day = library("platform-day.yaml");
    let set = "spec.workload.traces[0].jobTable=made.csv";
    fine(path, &["run", &day, "--set", set, "--out", "day"]);
    let summary = json(&path.join("day/summary.json"));
    let lines = String::from_utf8(read(&path.join("made.csv"))).expect("CSV is UTF-8");
    let rows = lines.lines().count() as u64 - 1;
    assert_eq!(summary["workload"]["runs"], rows);
    assert!(rows > 200, "{rows}");
    let refused = refused(path, &[&synth[..], &["x.csv", "--days", "0"]].concat());
    assert!(refused.contains("days"), "{refused}");
}

/// The recordings that come with the project, as event logs and as a truth folder.
fn recordings(folder: &Path) {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/samples/recorded");
    let mut truth = String::from("application,configuration,event_log,status,job_span_ms\n");
    for (configuration, span) in [("e4x1", 27_500), ("da8_i5", 20_000)] {
        let name = format!("etl_skew-{configuration}.json.zstd");
        std::fs::copy(samples.join(&name), folder.join(&name)).expect("a sample is there");
        truth.push_str(&format!("etl_skew,{configuration},{name},ok,{span}\n"));
    }
    write(&folder.join("truth.csv"), &truth);
}

#[test]
fn backtests_print_what_was_promised() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    recordings(folder.path());
    let here = folder.path();
    let text = fine(here, &["backtest", "--truth", ".", "-o", "json"]);
    let card: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(card["predictions"], 4);
    for key in ["mean_ape", "median_ape", "p90_ape", "worst_ape", "bias"] {
        assert!(card[key].is_f64(), "{key}");
    }
    let kinds =
        ["self", "fixed", "dynamic"].map(|kind| card["by_kind"][kind]["predictions"].clone());
    assert_eq!(kinds, [2, 1, 1]);
    assert_eq!(card["by_application"]["etl_skew"]["predictions"], 4);
    assert!(card["cases"].as_array().is_some_and(|cases| cases.len() == 4));
    let markdown = fine(here, &["backtest", "--truth", ".", "-o", "markdown"]);
    assert!(markdown.contains("## Worst cases"), "{markdown}");

    let logs =
        ["backtest", "--event-logs", "etl_skew-e4x1.json.zstd", "truth.csv", "--out", "card"];
    let output = seatrial(here, &logs);
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("1 left out:") && said.contains("truth.csv: it is no event log"),
        "{said}"
    );
    let written: Vec<String> = files(&here.join("card"));
    assert_eq!(written, [here.join("card/backtest.json").display().to_string()]);
}

#[test]
fn a_scenarios_backtest_counts_failures_and_feeds_the_summary() {
    let folder = folder();
    let here = folder.path();
    let day = "run_id,application,submitted_at,executor_task_s,duration_s,outcome,failure\n\
               a,etl,2026-11-20T08:00:00Z,300,60,succeeded,\n\
               b,etl,2026-11-20T08:01:00Z,300,60,failed,application\n\
               c,etl,2026-11-20T08:02:00Z,300,60,failed,transient\n\
               d,etl,2026-11-20T08:03:00Z,300,,succeeded,\n";
    write(&here.join("day.csv"), day);
    let json = fine(here, &["backtest", "scenario.yaml", "-o", "json", "--out", "card"]);
    let card: Value = serde_json::from_str(&json).expect("JSON");
    // Only `a` succeeded on both sides. `b` fails again; `c` too, without a retry ladder.
    assert_eq!(card["predictions"], 1);
    assert_eq!(card["cases"].as_array().map(Vec::len), Some(3));
    assert_eq!(card["by_application"]["etl"]["failed"], serde_json::json!([2, 2]));
    assert_eq!(card["left_out"][0]["subject"], "d");
    fine(here, &["run", "scenario.yaml", "--out", "out", "--scorecard", "card/backtest.json"]);
    let summary = self::json(&here.join("out/summary.json"));
    assert_eq!(summary["backtest"]["predictions"], 1);
}

#[test]
fn bad_input_of_backtests_is_refused_and_nothing_written() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let here = folder.path();
    write(&here.join("truth.csv"), "application,configuration\na,b\n");
    let said = refused(here, &["backtest", "--truth", ".", "--out", "card"]);
    assert!(said.contains("truth.csv:1: no column event_log, status, job_span_ms"), "{said}");
    let said = refused(here, &["backtest", "--event-logs", "truth.csv", "--out", "card"]);
    assert!(said.contains("nothing can be compared"), "{said}");
    refused(here, &["backtest"]);
    refused(here, &["backtest", "gone.yaml", "--out", "card"]);
    assert!(!here.join("card").exists());
}

#[test]
fn ladders_are_compared_the_same_on_any_number_of_threads() {
    let folder = folder();
    let here = folder.path();
    let own = "ladder:\n- when: [executor_oom]\n  attemptsMax: 3\n  steps:\n  - adjust: [{taskCpus: 2}]\n  \
               - adjust: [{executorMemory: {factor: 2, max: 64Gi}}]\n";
    write(&here.join("own.yaml"), own);
    let csv = "run_id,application,submitted_at,executor_task_s,tasks,executor_memory_mib,\
               peak_executor_memory_mib,outcome,failure\n\
               a,=cmd(),2026-11-20T08:00:00Z,300,40,2048,4096,failed,executor_oom\n\
               b,etl,2026-11-20T08:10:00Z,300,40,2048,,succeeded,\n\
               c,etl,2026-11-20T08:20:00Z,300,40,2048,,failed,transient\n";
    write(&here.join("day.csv"), csv);
    let ladders = ["ladder", "scenario.yaml", "--ladders", "flotilla-2021,emr-on-eks,own.yaml"];
    let with = |more: &[&str]| fine(here, &[&ladders[..], more].concat());
    let with_ladders = |names: &str, more: &[&str]| {
        let base = ["ladder", "scenario.yaml", "-o", "json", "--ladders", names];
        fine(here, &[&base[..], more].concat())
    };
    let json = with(&["-o", "json", "-j", "1"]);
    assert_eq!(json, with(&["-o", "json", "-j", "2"]));
    let value: Value = serde_json::from_str(&json).expect("JSON");
    let names: Vec<&str> = value["ladders"]
        .as_array()
        .expect("ladders")
        .iter()
        .filter_map(|ladder| ladder["ladder"].as_str())
        .collect();
    assert_eq!(names, ["none", "flotilla-2021", "emr-on-eks", "own.yaml"]);
    let of = |ladder: usize, key: &str| value["ladders"][ladder]["figures"][key]["mean"].clone();
    assert_eq!([0, 1, 2].map(|ladder| of(ladder, "failed")), [2.0, 0.0, 1.0]);
    assert!(value["ladders"][1]["figures"]["usd"]["against_first_ci95"].is_array());
    // Half the tasks an executor are not enough, twice its memory is; the transient failure stays.
    assert_eq!(of(3, "failed"), 1.0);
    assert_eq!(value["ladders"][3]["by_cause"]["executor_oom"]["attempts"], 3.0);
    let table = with(&["--replications", "1"]);
    assert!(table.contains("flotilla-2021") && table.contains("=cmd()"), "{table}");
    assert!(!with(&["-o", "csv"]).contains("\n=cmd()"));

    // Computed for what the runs need: nobody is lost, and the file is a ladder like any other.
    let best = with_ladders("best", &["--best-out", "best.yaml"]);
    let best: Value = serde_json::from_str(&best).expect("JSON");
    assert_eq!(best["ladders"][1]["ladder"], "best", "{best}");
    assert_eq!(best["ladders"][1]["by_cause"]["executor_oom"]["failed"], 0.0, "{best}");
    let again: Value = serde_json::from_str(&with_ladders("best.yaml", &[])).expect("JSON");
    assert_eq!(again["ladders"][1]["figures"], best["ladders"][1]["figures"]);
    let said = refused(here, &["ladder", "scenario.yaml", "--ladders", "flotila-2021"]);
    assert!(said.contains("flotilla-2021"), "{said}");
    let said = refused(here, &["ladder", "scenario.yaml", "--ladders", "gone.yaml"]);
    assert!(said.contains("gone.yaml"), "{said}");
}
