//! `lint`: every rule fires on a bad file and is silent on a good one; exit codes, formats, hostile
//! names, everything at once, the same bytes; what `emit` writes has no errors.

use std::collections::BTreeSet;
use std::path::Path;

use scenarios::import::Given;
use scenarios::lint::{LintFinding, RULES, Said, Targets, lint};
use serde_json::Value;
use sim::Severity;

use crate::command::{fine, refused, seatrial, write};
use crate::emit::{emitted, folder, scenarios_to_emit, skipped};

mod cases;
mod platform;
mod silent;

use cases::cases;
use platform::*;
use silent::silent;

#[test]
fn there_is_nothing_to_say_about_a_good_platform() {
    let findings = judged(&good(), asked("1.33", ""));
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn rules_are_silent_about_what_is_right_or_not_known() {
    let found: Vec<String> = silent()
        .iter()
        .flat_map(|(rule, files, (kubernetes, spark))| {
            let findings = judged(files, asked(kubernetes, spark));
            findings.into_iter().filter(move |one| one.rule.id == *rule)
        })
        .map(|one| format!("{one:#?}"))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn advice_is_of_the_release() {
    let files = changed("spark-defaults.conf", "enabled true", "enabled false");
    let next = |spark| {
        let findings = judged(&files, asked("1.33", spark));
        let found = findings.into_iter().find(|one| one.rule.id == "spot-without-decommission");
        found.unwrap().next
    };
    assert!(next("3.0").contains("3.1") && !next("3.0").contains("spark.decommission.enabled"));
    assert!(next("3.1").contains("spark.decommission.enabled=true"));
}

#[test]
fn every_rule_fires_where_it_should() {
    let mut wrong = Vec::new();
    for (rule, files, place, (kubernetes, spark)) in cases() {
        let findings = judged(&files, asked(kubernetes, spark));
        let at = |one: &LintFinding| match one.line {
            0 => one.file.clone(),
            line => format!("{}:{line}", one.file),
        };
        let found: Vec<String> =
            findings.iter().map(|one| format!("{} {}", one.rule.id, at(one))).collect();
        if !findings.iter().any(|one| one.rule.id == rule && at(one).starts_with(place)) {
            wrong.push(format!("{rule} at {place}: {found:#?}"));
        }
        for one in &findings {
            assert!(!one.what.is_empty() && !one.next.is_empty(), "{one:?}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let tried: BTreeSet<&str> = cases().iter().map(|(rule, ..)| *rule).collect();
    // Of a scenario: tested below.
    let missing: Vec<&str> = RULES
        .iter()
        .map(|rule| rule.id)
        .filter(|id| !tried.contains(id) && *id != "scenario")
        .collect();
    assert!(missing.is_empty(), "rules without a case: {missing:?}");
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
}

fn put(folder: &Path, files: &Files) {
    for (name, text) in files {
        write(&folder.join(name), text);
    }
}

#[test]
fn exit_codes_and_formats() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    put(path, &good());
    let said = fine(path, &["lint", "."]);
    assert!(said.contains("9 files, 0 errors, 0 warnings, 0 notes"), "{said}");
    assert!(said.contains("Kubernetes 1.33 (./cluster.yaml)"), "{said}");
    // Warnings are no errors, unless asked.
    write(&path.join("executor.yaml"), &EXECUTOR.replace("110", "300"));
    fine(path, &["lint", "."]);
    let strict = seatrial(path, &["lint", "--strict", "."]);
    assert_eq!(strict.status.code(), Some(3));
    // Errors, every one of them at once.
    write(
        &path.join("spark-defaults.conf"),
        &CONF.replace("8g", "900g").replace("cores 4", "cores x"),
    );
    write(&path.join("driver.yaml"), &DRIVER.replace("role: driver", "role: none"));
    let failed = seatrial(path, &["lint", ".", "-o", "json"]);
    assert_eq!(failed.status.code(), Some(3));
    let value: Value = serde_json::from_slice(&failed.stdout).unwrap();
    let rules: BTreeSet<&str> = value["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["rule"].as_str().unwrap())
        .collect();
    for rule in ["refused", "pod-fits-no-node", "no-node-has-the-label", "grace-over-spot-notice"] {
        assert!(rules.contains(rule), "{rules:?}");
    }
    let first = &value["findings"][0];
    for key in ["file", "severity", "rule", "what", "why", "next"] {
        assert!(first[key].is_string(), "{first}");
    }
    assert_eq!(value["targets"]["kubernetes"]["release"], "1.33");
    // The same bytes.
    let again = seatrial(path, &["lint", ".", "-o", "json"]);
    assert_eq!(failed.stdout, again.stdout);
    let csv = seatrial(path, &["lint", ".", "-o", "csv"]);
    assert!(csv.stdout.starts_with(b"file,line,column,severity,rule,what,why,next\n"));
    let rules = fine(path, &["lint", "--rules", "-o", "json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&rules).unwrap().as_array().unwrap().len(),
        RULES.len()
    );
}

#[test]
fn what_cannot_be_read_is_refused_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(&path.join("a.yaml"), "a: [\n");
    write(&path.join("b.yaml"), "");
    write(&path.join("c.yaml"), "hello: 1\n");
    let said = refused(path, &["lint", "a.yaml", "b.yaml", "c.yaml"]);
    for part in ["a.yaml: line", "b.yaml: an empty file", "c.yaml: nothing that is known"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    refused(path, &["lint", "none.yaml"]);
    refused(path, &["lint", "."]);
    refused(path, &["lint"]);
    refused(path, &["lint", "--kubernetes", "new", "a.yaml"]);
    // In a folder with something to judge they are named and left out.
    write(&path.join("driver.yaml"), DRIVER);
    let output = seatrial(path, &["lint", ".", "-o", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["skipped"].as_array().unwrap().len(), 3);
}

#[test]
fn hostile_names_reach_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let evil = "\\e[31mred\\u2028\\u202e";
    let groups = GROUPS.replace("{role: driver}", &format!("{{role: \"{evil}\"}}"));
    write(&path.join("\u{1b}[2Jcluster.yaml"), &groups.replace("m5.xlarge", "m5.x\u{1b}[31m"));
    write(
        &path.join("driver.yaml"),
        &DRIVER.replace("role: driver", &format!("role: \"x{evil}\"")),
    );
    write(&path.join("app.yaml"), &APPLICATION.replace("name: app", &format!("name: \"{evil}\"")));
    for format in ["table", "csv", "markdown", "json"] {
        let output = seatrial(path, &["lint", ".", "-o", format]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{2028}', '\u{202e}']) || format == "json", "{text:?}");
        assert!(!text.contains('\u{1b}'), "{format}: {text:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains('\u{1b}'), "{format}: {stderr:?}");
    }
}

#[test]
fn a_scenario_stands_for_the_files_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    put(path, &good());
    let scenario = r#"
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: s}
spec:
  kubernetesVersion: "1.22"
  region: us-west-2
  workload: {traces: [{jobTable: day.csv}]}
  spark:
    version: "3.3"
    defaults: spark-defaults.conf
    driverPodTemplate: driver.yaml
    executorPodTemplate: executor.yaml
  nodes: {eksctl: cluster.yaml}
  autoscaler: {clusterAutoscaler: {values: values.yaml}}
  retries: {preset: flotilla-2021}
"#;
    std::fs::remove_file(path.join("app.yaml")).unwrap();
    write(&path.join("s.yaml"), scenario);
    let lint = |arguments: &[&str]| {
        let output = seatrial(path, arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let value: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {stderr}"));
        value
    };
    let value = lint(&["lint", "s.yaml", "-o", "json"]);
    assert_eq!(value["targets"]["kubernetes"]["release"], "1.22");
    assert_eq!(value["targets"]["spark"]["release"], "3.3");
    assert_eq!(value["judged"].as_array().unwrap().len(), 6, "{value:#}");
    // Spark 3.3 has no shuffle tracking by default; the file that says it is named.
    let refused = |value: &Value| {
        let findings = value["findings"].as_array().unwrap().clone();
        let mut of = findings.iter().filter(|one| one["rule"] == "dynamic-allocation-refused");
        (of.next().cloned(), of.count())
    };
    let (found, more) = refused(&value);
    assert_eq!(found.unwrap()["file"], "spark-defaults.conf");
    assert_eq!(more, 0);
    // The folder with the scenario in it judges no file twice.
    let (found, more) = refused(&lint(&["lint", ".", "-o", "json"]));
    assert_eq!((found.unwrap()["file"].as_str(), more), (Some("./spark-defaults.conf"), 0));
    // What the scenario's own checks find.
    let spot = GROUPS.replace("- {name: drivers,", "- {name: drivers, spot: true,");
    write(&path.join("cluster.yaml"), &spot);
    let value = lint(&["lint", "s.yaml", "-o", "json"]);
    let rules = value["findings"].to_string();
    assert!(rules.contains("\"scenario\"") && rules.contains("on-demand"), "{rules}");
    // One that does not load is bad input, with its problems.
    write(&path.join("s.yaml"), &scenario.replace("eksctl:", "ekstcl:"));
    let output = seatrial(path, &["lint", "s.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("ekstcl"));
}

/// Published examples of others (Karpenter, eksctl, the Spark operator, Cluster Autoscaler). Nothing
/// is wrong with any of them alone. Together they are no platform: what is found was looked at one
/// by one, and is so.
#[test]
fn published_examples_raise_no_false_alarms() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let (examples, schemas) = (shared.join("native-configs"), shared.join("schemas"));
    if !examples.is_dir() || !schemas.is_dir() {
        skipped("published examples are not judged: no ../shared/data");
        return;
    }
    let judge = |path: &Path| {
        let (given, _) = scenarios::import::gather(&[path.to_owned()], None).unwrap();
        lint(given, Targets::default()).unwrap_or_else(|error| panic!("{error}"))
    };
    let folders = std::fs::read_dir(&examples).unwrap().map(|entry| entry.unwrap().path());
    let mut files = 0;
    for folder in folders.chain([schemas]).filter(|path| path.is_dir()) {
        let report = judge(&folder);
        assert!(report.findings.is_empty(), "{}: {:#?}", folder.display(), report.findings);
        files += report.judged.len();
    }
    assert!(files >= 35, "{files}");
    let report = judge(&examples);
    for one in &report.findings {
        let label = match one.rule.id {
            // Terraform makes these groups; no file here does.
            "no-node-has-the-label" => "`NodeGroupType=",
            // Pools without a word on consolidation, beside dynamic allocation.
            "consolidation-before-idle-timeout" => "after 0s (the default)",
            // Pools that may buy spot, drivers that select neither.
            "driver-on-spot" => "may run on spot nodes",
            "driver-may-be-evicted" => "consolidates nodes with pods",
            "spot-without-decommission" => "without decommissioning",
            "spreading-scheduler" => "scores LeastAllocated",
            "driver-not-marked" => "scale-down is on",
            _ => panic!("{one:#?}"),
        };
        assert!(one.what.contains(label), "{one:#?}");
    }
}

#[test]
fn what_emit_writes_has_no_errors() {
    let folder = folder();
    for (name, loaded) in scenarios_to_emit(folder.path()) {
        let target = folder.path().join(&name);
        emitted(&loaded, &target);
        let (given, _) = scenarios::import::gather(&[target], None).unwrap();
        // Karpenter's pools come instead of the groups: pods have to do with them alone, too.
        let groups = ["scenario.yaml", "eksctl-cluster.yaml", "cluster-autoscaler-values.yaml"];
        let is_group = |one: &Given| groups.iter().any(|file| one.name.ends_with(file));
        let karpenter: Vec<Given> = given.iter().filter(|one| !is_group(one)).cloned().collect();
        assert!(karpenter.iter().any(|one| one.name.ends_with("karpenter.yaml")), "{name}");
        let release = loaded.scenario.kubernetes.into();
        let targets = Targets {
            kubernetes: Some(Said { release, by: "the scenario".to_owned() }),
            ..Targets::default()
        };
        let judge =
            |given| lint(given, targets.clone()).unwrap_or_else(|error| panic!("{error}")).findings;
        let findings: Vec<LintFinding> = [judge(given), judge(karpenter)].concat();
        let errors = findings.iter().filter(|one| one.rule.severity == Severity::Error);
        let mut errors: Vec<&LintFinding> = errors.collect();
        // What is truly wrong with two of them: the drivers' pool has lost the label that drivers
        // select; executors ask for GPUs, and no type of any pool has one.
        let wrong = match name.as_str() {
            "quickstart-4" => Some("no-node-has-the-label"),
            "rich" => Some("no-node-has-gpus"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            assert!(errors.iter().any(|one| one.rule.id == wrong), "{name}: {errors:#?}");
            errors.retain(|one| one.rule.id != wrong);
        }
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn the_document_has_every_rule_with_its_source() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lint.md");
    let (start, end) = ("<!-- rules -->\n", "<!-- end of rules -->");
    let mut table = "| rule | is | why | source |\n|---|---|---|---|\n".to_owned();
    for rule in RULES {
        let is = match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "note",
        };
        table.push_str(&format!("| `{}` | {is} | {} | {} |\n", rule.id, rule.why, rule.source));
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(start).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let wanted = format!("{before}{start}{table}{end}{after}");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    } else {
        assert_eq!(text, wanted, "UPDATE_EXPECT=1 cargo test --release rewrites it");
    }
}
