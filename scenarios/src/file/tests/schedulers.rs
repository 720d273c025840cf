//! Which profile places Spark's pods.

use super::*;
use sim::Severity;
use sim::scenario::SchedulerProfile;

const TWO: &str = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n\
                   profiles:\n- schedulerName: default-scheduler\n- schedulerName: packer\n  \
                   percentageOfNodesToScore: 40\n";

/// Loads a scenario whose drivers and executors name these schedulers, with a native file.
fn with_names(driver: &str, executor: &str, key: &str, file: &str) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("native.yaml"), file).expect("it can be written");
    let pods = |name: &str| format!("{{spec: {{schedulerName: {name}}}}}");
    let scheduler =
        if key.is_empty() { String::new() } else { format!("scheduler: {{{key}: native.yaml}}\n") };
    let text = minimal(&format!(
        "kubernetesVersion: \"1.33\"\n{scheduler}spark:\n  driverPodTemplate: {}\n  \
         executorPodTemplate: {}\n",
        pods(driver),
        pods(executor)
    ));
    let path = folder.path().join("small.yaml");
    std::fs::write(&path, text).expect("it can be written");
    load(&path, &[]).map_err(|ScenarioError::Invalid(problems)| {
        let one = |problem: &Problem| {
            let help = problem.help.as_deref().unwrap_or_default();
            format!("{}:{} {} ({help})", problem.line, problem.column, problem.message)
        };
        problems.0.iter().map(one).collect::<Vec<_>>().join("\n")
    })
}

/// The notes about schedulers.
fn notes(loaded: &Loaded) -> Vec<(Severity, &str)> {
    let notes = loaded.findings.iter().filter(|finding| finding.code == "scheduler-profile");
    notes.map(|finding| (finding.severity, finding.message.as_str())).collect()
}

#[track_caller]
fn same_again(first: &Loaded) -> SchedulerProfile {
    let again = loaded(&first.resolved);
    assert_eq!(first.scenario.scheduler, again.scenario.scheduler);
    assert_eq!(first.resolved, again.resolved);
    again.scenario.scheduler
}

#[test]
fn pods_name_their_profile() {
    let found = with_names("packer", "packer", "config", TWO).unwrap();
    let message = "every pod is placed by the profile `packer` (the file has default-scheduler, \
                   packer)";
    assert_eq!(notes(&found), [(Severity::Info, message)]);
    assert_eq!(same_again(&found).percentage_of_nodes_to_score, Some(40));
    let found = with_names("default-scheduler", "default-scheduler", "config", TWO).unwrap();
    assert_eq!(same_again(&found).percentage_of_nodes_to_score, None);
}

#[test]
fn drivers_of_another_profile_are_placed_by_the_executors_one() {
    let found = with_names("default-scheduler", "packer", "config", TWO).unwrap();
    let message = "drivers ask for the scheduler `default-scheduler` and executors for `packer`: \
                   one profile is modelled, the executors'";
    assert!(notes(&found).contains(&(Severity::Warning, message)), "{:?}", notes(&found));
    assert_eq!(same_again(&found).name, "packer");
}

#[test]
fn a_name_without_a_profile_is_refused() {
    assert_eq!(
        with_names("packer", "pakcer", "config", TWO).unwrap_err(),
        "10:23 no profile is named `pakcer`, which executor pods ask for (did you mean `packer`?)"
    );
    assert_eq!(
        with_names("volcano", "packer", "config", TWO).unwrap_err(),
        "10:23 no profile is named `volcano`, which driver pods ask for (profiles: \
         `default-scheduler`, `packer`)"
    );
}

#[test]
fn a_policy_is_of_the_scheduler_that_pods_name() {
    let policy = "kind: Policy\npriorities: [{name: MostRequestedPriority, weight: 2}]\n";
    let found = with_names("mine", "mine", "policy", policy).unwrap();
    let profile = same_again(&found);
    assert_eq!((profile.name.as_str(), profile.scores.len()), ("mine", 1));
}

#[test]
fn a_scheduler_that_nothing_describes_is_a_warning() {
    let found = with_names("volcano", "volcano", "", "").unwrap();
    let message = "nothing says how the scheduler `volcano` places pods: it is read as \
                   kube-scheduler with the release's default profile";
    assert_eq!(notes(&found), [(Severity::Warning, message)]);
    assert_eq!(same_again(&found).name, "volcano");
}
