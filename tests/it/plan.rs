//! Plans: the same whatever the threads and wherever they were stopped; limits; errors.

use serde_json::Value;

use crate::command::{files, fine, folder, refused, write};

const PLAN: &str = "\
base: scenario.yaml
metadata: {name: planned}
spec:
  plan:
    knobs:
    - {path: spec.autoscaler.clusterAutoscaler.extraArgs.scale-down-unneeded-time, values: [1m, 30m]}
    - {path: 'spec.nodes.pools[1].capacityType', values: [on-demand]}
    - {path: 'spec.nodes.pools[1].maxSize', values: [10, -3]}
    limits: ['outcome.failed > +1']
    replications: 3
    holdOut: 0.3
    risks: [{name: more, set: [spec.workload.scale.arrivals=2]}]
";

fn plan(here: &std::path::Path, out: &str, more: &[&str]) -> Value {
    let base = ["plan", "plan.yaml", "--out", out, "-o", "json"];
    serde_json::from_str(&fine(here, &[&base[..], more].concat())).expect("JSON")
}

#[test]
fn a_plan_recommends_what_is_better_and_says_why() {
    let folder = folder();
    let here = folder.path();
    write(&here.join("plan.yaml"), PLAN);
    let answer = plan(here, "one", &["-j", "1"]);
    let sets: Vec<&str> =
        answer["recommended"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    // Fewer nodes at a time cost less; what does not clearly help is not recommended.
    assert_eq!(sets, ["spec.nodes.pools[1].maxSize=10"], "{answer}");
    assert!(answer["relative"].as_f64().unwrap() < -0.05, "{answer}");
    assert!(answer["limits_broken"].as_array().unwrap().is_empty());
    let names: Vec<&Value> =
        answer["worlds"].as_array().unwrap().iter().map(|world| &world["world"]).collect();
    assert_eq!(names, ["(as planned)", "held out", "more"]);
    assert_eq!(answer["without"].as_array().unwrap().len(), sets.len());
    assert!(answer["refused"][0][0].as_str().unwrap().contains("maxSize=-3"), "{answer}");
    assert!(answer["front"].as_array().unwrap().len() <= 18);

    // Any number of threads: the same bytes.
    let read = |name: &str| std::fs::read(here.join(name)).unwrap();
    plan(here, "two", &["-j", "2"]);
    for name in ["plan.json", "plan.html", "recommended.yaml"] {
        assert_eq!(read(&format!("one/{name}")), read(&format!("two/{name}")), "{name}");
    }
    // Stopped in the middle of a line, it goes on to the same answer.
    let journal = String::from_utf8(read("one/evaluations.jsonl")).unwrap();
    write(&here.join("two/evaluations.jsonl"), &journal[..journal.len() / 2]);
    plan(here, "two", &[]);
    assert_eq!(read("one/plan.json"), read("two/plan.json"));
    // Nothing is simulated twice.
    let mut known: Vec<&str> = journal.lines().collect();
    let all = known.len();
    known.sort_unstable();
    known.dedup();
    assert_eq!(known.len(), all, "{journal}");
    let lines = |text: &[u8]| text.split(|b| *b == b'\n').count();
    assert_eq!(lines(&read("two/evaluations.jsonl")), lines(journal.as_bytes()));
    // What is recommended is a scenario that runs.
    fine(here, &["run", "one/recommended.yaml", "--no-report", "--out", "run"]);
    // Its files say what they are expected to do, and on what that was seen.
    fine(here, &["emit", "one/recommended.yaml", "--out", "files", "-q"]);
    let values = String::from_utf8(read("files/cluster-autoscaler-values.yaml")).unwrap();
    let head: String = values.lines().take_while(|line| line.starts_with('#')).collect();
    let head = head.replace("# ", " ");
    let change = format!("Expected: cost {:.1} %", answer["relative"].as_f64().unwrap() * 100.0);
    assert!(head.contains(&change) && head.contains("in 3 replications of"), "{head}");
    // The window of the search is not the whole trace.
    let windows: Vec<&str> = head.matches(" runs, 2026-").collect();
    assert_eq!(windows.len(), 2, "{head}");
    // Of other settings nothing is expected.
    let set = ["--set", "spec.autoscaler.clusterAutoscaler.extraArgs.scan-interval=20s"];
    let emit = ["emit", "one/recommended.yaml", "--out", "other", "-q"];
    fine(here, &[&emit[..], &set].concat());
    let values = String::from_utf8(read("other/cluster-autoscaler-values.yaml")).unwrap();
    assert!(!values.contains("Expected:"), "{values}");
}

#[test]
fn a_wide_space_is_climbed_within_its_limits() {
    let folder = folder();
    let here = folder.path();
    let wide = PLAN
        .replace("[1m, 30m]", "[1m, 2m, 3m, 5m, 7m, 30m]")
        .replace("[10, -3]", "[10, 20, 30, 40]")
        .replace("outcome.failed > +1", "nodes.launched > +0%")
        .replace("    holdOut: 0.3\n", "");
    write(&here.join("plan.yaml"), &wide);
    let answer = plan(here, "wide", &["--evaluations", "40"]);
    assert!(answer["how"].as_str().unwrap().contains("steps"), "{answer}");
    assert!(answer["relative"].as_f64().unwrap() < 0.0, "{answer}");
    assert!(answer["limits_broken"].as_array().unwrap().is_empty(), "{answer}");
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let folder = folder();
    let here = folder.path();
    let said = refused(here, &["plan", "scenario.yaml"]);
    assert!(said.contains("no spec.plan") && said.contains("docs/plan.md"), "{said}");
    write(&here.join("plan.yaml"), &PLAN.replace("knobs", "nobs"));
    let said = refused(here, &["plan", "plan.yaml"]);
    assert!(said.contains("nobs: unknown key"), "{said}");
    write(&here.join("plan.yaml"), PLAN);
    plan(here, "out", &[]);
    let before = files(here);
    let said = refused(here, &["plan", "plan.yaml", "--out", "out", "--seed", "7"]);
    assert!(said.contains("another plan"), "{said}");
    assert_eq!(files(here), before);
    // Other runs are another plan too: what is known of the old ones must not answer for them.
    let day = std::fs::read_to_string(here.join("day.csv")).unwrap();
    write(&here.join("day.csv"), &day.replacen(",40,4,", ",41,4,", 1));
    let said = refused(here, &["plan", "plan.yaml", "--out", "out"]);
    assert!(said.contains("another plan"), "{said}");
    // A world that makes no scenario is said before anything is simulated.
    write(&here.join("plan.yaml"), &PLAN.replace("scale.arrivals=2", "scale.arivals=2"));
    let said = refused(here, &["plan", "plan.yaml", "--out", "new"]);
    assert!(said.contains("`more`") && said.contains("arivals"), "{said}");
}
