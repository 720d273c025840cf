//! What users see when a file that the scenario names is wrong.

use expect_test::expect;

use super::errors::check_extra;
use super::minimal;
use crate::file::{ScenarioError, load};

#[test]
fn templates_in_place() {
    check_extra(
        "spark:\n  executorPodTemplate:\n    spec:\n      tolerations: [{operator: Maybe}]\n      \
         priority: high\n",
        expect![[r#"
            error: unknown value `Maybe`
              --> small.yaml:12:34 (spec.spark.executorPodTemplate.spec.tolerations[0].operator)
               |
            12 |         tolerations: [{operator: Maybe}]
               |                                  ^^^^^
               = help: known: `Equal`, `Exists`

            error: `priority`: expected a whole number from -2147483648 to 2000001000, found `high`
              --> small.yaml:13:19 (spec.spark.executorPodTemplate.spec.priority)
               |
            13 |         priority: high
               |                   ^^^^
        "#]],
    );
}

#[test]
fn native_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("spark-defaults.conf", "spark.executor.cores 4\nspark.executor.memory lots\n");
    write("driver.yaml", "kind: Pod\nspec: {tolerations: [{operator: Maybe}]}\n");
    let extra = "spark: {defaults: spark-defaults.conf, driverPodTemplate: driver.yaml, \
                 executorPodTemplate: executer.yaml}\nimages: {size: 1}";
    write("executor.yaml", "kind: Pod\n");
    write("s.yaml", &minimal(extra));
    let ScenarioError::Invalid(problems) =
        load(&folder.path().join("s.yaml"), &["spec.images.prePuled=true".into()]).unwrap_err();
    let shown = problems.to_string().replace(&format!("{}/", folder.path().display()), "");
    expect![[r#"
        error: unknown key `prePuled`
         --> --set:1:13 (spec.images.prePuled)
          |
        1 | spec.images.prePuled=true
          |             ^^^^^^^^
          = help: did you mean `prePulled`?

        error: `executer.yaml`: no such file; did you mean `executor.yaml`?
         --> s.yaml:9:95 (spec.spark.executorPodTemplate)
          |
        9 | verPodTemplate: driver.yaml, executorPodTemplate: executer.yaml}
          |                                                   ^^^^^^^^^^^^^

        error: unknown value `Maybe`
         --> driver.yaml:2:33 (spec.tolerations[0].operator)
          |
        2 | spec: {tolerations: [{operator: Maybe}]}
          |                                 ^^^^^
          = help: known: `Equal`, `Exists`

        error: `lots` is no value of `spark.executor.memory`
         --> spark-defaults.conf:2:23 (spark.executor.memory)
          |
        2 | spark.executor.memory lots
          |                       ^^^^
          = help: a Spark size such as 512m or 4g (whole numbers only)
    "#]]
    .assert_eq(&shown);
}

#[test]
fn files_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.yaml");
    let mut out = String::new();
    for bytes in [&b"\xff\xfe"[..], b"a: \0", b"", b"[]", b"a: [", b"- x"] {
        std::fs::write(&path, bytes).unwrap();
        let error = load(&path, &[]).unwrap_err().to_string();
        out.push_str(&error.replace(&format!("{}/", folder.path().display()), ""));
        out.push('\n');
    }
    std::fs::write(&path, vec![b'a'; 10 << 20]).unwrap();
    let error = load(&path, &[]).unwrap_err().to_string();
    out.push_str(&error.replace(&format!("{}/", folder.path().display()), ""));
    let gone = load(&folder.path().join("t.yaml"), &[]).unwrap_err().to_string();
    out.push_str(&gone.replace(&format!("{}/", folder.path().display()), ""));
    expect![[r#"
        error: not a text: byte 0 is not UTF-8
        --> s.yaml

        error: a NUL byte: this is not a YAML text
         --> s.yaml:1:4
          |
        1 | a: �
          |    ^

        error: expected a map, found nothing
        --> s.yaml

        error: expected a map, found a list
         --> s.yaml:1:1
          |
        1 | []
          | ^

        error: not YAML: unclosed bracket '['
         --> s.yaml:1:4
          |
        1 | a: [
          |    ^

        error: expected a map, found a list
         --> s.yaml:1:1
          |
        1 | - x
          | ^

        error: larger than 4194304 bytes: not a configuration file
        --> s.yaml
        error: no such file; did you mean `s.yaml`?
        --> t.yaml
    "#]]
    .assert_eq(&out);
}
