//! Files and options that want to do harm: refused soon, and never a panic.

use proptest::prelude::*;

use super::minimal;
use crate::file::{ScenarioError, load, load_text};

/// Replaces the `place`-th scalar or list or map of a resolved scenario by something else.
fn disturb(text: &str, place: usize, by: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let at = place % lines.len();
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        match line.split_once(": ") {
            Some((key, _)) if number == at => out.push_str(&format!("{key}: {by}")),
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[test]
fn hostile_files_are_refused_soon() {
    let many = |one: &dyn Fn(usize) -> String| -> String { (0..60_000).map(one).collect() };
    let types = many(&|i| format!("m5.unknown{i},"));
    let texts = [
        minimal("").replace("m5.2xlarge", types.trim_end_matches(',')),
        minimal(&format!("prices: {{{}}}", many(&|i| format!("m5.lage{i}: {{spot: 1}},")))),
        minimal(&format!("instanceTypes: {{{}}}", many(&|i| format!("m5.lage{i}: {{}},")))),
        minimal(&many(&|i| format!("unknown-setting-{i}: 1\n"))),
        minimal("") + "    overrides: {" + &many(&|i| format!("al{i}: {{}},")) + "}",
        minimal(&format!("spark: {{sparkConf: {{{}}}}}", many(&|i| format!("spark.x{i}: 1,")))),
        minimal(&format!(
            "autoscaler: {{clusterAutoscaler: {{extraArgs: {{{}}}}}}}",
            many(&|i| format!("flag{i}: 1,"))
        )),
        minimal(&format!("retries: {{ladder: [{}]}}", "{},".repeat(60_000))),
        minimal(&format!("workload: {{traces: [{}]}}", "{},".repeat(60_000))),
    ];
    for text in texts {
        let ScenarioError::Invalid(problems) = load_text("s.yaml", &text).unwrap_err();
        assert!(problems.0.len() <= 210, "{}", problems.0.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn takes_any_set(set in "[-a-z0-9.=\\[\\]{}:,\"'\\\\ ]{0,60}") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.yaml");
        std::fs::write(&path, minimal("")).unwrap();
        if let Err(error) = load(&path, &[format!("spec.{set}"), set]) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn takes_any_text(text in "[-a-z0-9 \n:,&*!|>'\"\\[\\]{}#%@`?<~.\t]{0,300}") {
        let text = format!("apiVersion: seatrial/v1alpha1\nkind: Scenario\nspec:\n {text}");
        prop_assert!(load_text("s.yaml", &text).is_err());
    }

    #[test]
    fn never_panics(
        place in 0..300_usize,
        by in prop_oneof![
            Just("-1"), Just("99999999999999999999"), Just("[]"), Just("{}"), Just("''"),
            Just("[{}]"), Just("null"), Just("x"), Just("{a: 1}"), Just("1e400"), Just(".nan"),
        ],
    ) {
        let pause = "overprovisioning: {replicas: 1, pod: {cpu: 1, memory: 1Gi}}\n\
                     autoscaler: {clusterAutoscaler: {}}\nretries: {preset: flotilla-2021}";
        let resolved = super::loaded(&minimal(pause)).resolved;
        let text = disturb(&resolved, place, by);
        if let Err(error) = load_text("s.yaml", &text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
