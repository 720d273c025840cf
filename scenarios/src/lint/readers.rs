//! Every file through the reader of its format: what they refuse and warn about, and what they
//! understand, for the rules that look at several files.
//!
//! Left out: what readers say of the model (that something is not followed), for it is no fault of
//! the file.

mod collect;
mod spark;

use sim::scenario::{ClusterAutoscaler, SchedulerProfile};
use sim::{Finding, Severity};

use super::offers::Offer;
use super::pods::{PodAsk, Workload};
use super::rule::{LintFinding, Rule};
use super::set::Set;
use super::versions::Targets;
use super::{autoscaler_flags, dynamic_allocation, offers};
use crate::native::cluster_autoscaler::AutoscalerFlags;
use crate::native::{NativeRead, Place};
use crate::problem::Problem;

/// What a reader of ours, and with it the program that reads the file, does not take.
pub(super) static REFUSED: Rule = Rule {
    id: "refused",
    severity: Severity::Error,
    why: "the program that reads this refuses the value, or cannot mean anything by it",
    source: "the readers' own sources: `scenarios/src/native`",
};

/// A plugin that the file's API version does not have any more.
pub(super) static SCHEDULER_PLUGIN: Rule = Rule {
    id: "scheduler-plugin-removed",
    severity: Severity::Error,
    why: "kube-scheduler does not start with a plugin that it does not have",
    source: "kubernetes `pkg/scheduler/apis/config/validation`; facts-kubernetes 1.3",
};

/// An API version of the scheduler's configuration that the release does not take.
pub(super) static SCHEDULER_API: Rule = Rule {
    id: "scheduler-api-removed",
    severity: Severity::Error,
    why: "kube-scheduler does not start with an API version that it does not take",
    source: "KEP-785: v1beta1 to 1.22, v1beta2 to 1.27, v1beta3 to 1.28, v1 from 1.25",
};

/// The legacy Policy after 1.22.
pub(super) static POLICY: Rule = Rule {
    id: "scheduler-policy-removed",
    severity: Severity::Error,
    why: "kube-scheduler has no `--policy-config-file` from 1.23 on",
    source: "Kubernetes 1.23 changelog; facts-kubernetes 1.3 for what replaces each name",
};

/// A key one slip away from one that is known.
pub(super) static UNKNOWN_KEY: Rule = Rule {
    id: "unknown-key",
    severity: Severity::Warning,
    why: "a misspelt key is dropped, or the whole file is refused; what it says does not hold",
    source: "the readers' own lists of keys: `scenarios/src/native`",
};

/// A key that is given twice.
pub(super) static SET_TWICE: Rule = Rule {
    id: "set-twice",
    severity: Severity::Warning,
    why: "the last value counts; the other one reads as if it held",
    source: "`java.util.Properties.load`; upstream's YAML readers",
};

/// A setting that this release of Spark does not know yet, or without `spark.`.
pub(super) static IGNORED_BY_SPARK: Rule = Rule {
    id: "ignored-by-spark",
    severity: Severity::Warning,
    why: "Spark drops it without a word",
    source: "the released jars (`spark_keys.csv`); `SparkSubmitArguments.ignoreNonSparkProperties`",
};

/// A setting one slip away from one that Spark registers.
pub(super) static UNKNOWN_SETTING: Rule = Rule {
    id: "unknown-setting",
    severity: Severity::Warning,
    why: "Spark takes any key and acts on those that it knows",
    source: "the released jars (`spark_keys.csv`)",
};

/// What a scenario's own checks say.
pub(super) static COMBINATION: Rule = Rule {
    id: "scenario",
    severity: Severity::Warning,
    why: "settings of the scenario do not go together",
    source: "`scenarios/src/file/cross_check.rs`",
};

/// An autoscaler that is configured.
#[derive(Debug)]
pub(super) struct Autoscaler {
    pub flags: AutoscalerFlags,
    pub value: ClusterAutoscaler,
    pub place: Place,
}

impl Autoscaler {
    /// Where `flag` is given, else the autoscaler itself.
    pub(super) fn at(&self, flag: &str) -> &Place {
        self.flags.place(flag).unwrap_or(&self.place)
    }
}

/// A scheduler profile that is configured.
#[derive(Debug)]
pub(super) struct Profile {
    pub value: SchedulerProfile,
    pub place: Place,
}

/// Everything that was understood.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub targets: Targets,
    pub findings: Vec<LintFinding>,
    pub offers: Vec<Offer>,
    pub workloads: Vec<Workload>,
    pub pods: Vec<PodAsk>,
    pub autoscalers: Vec<Autoscaler>,
    pub profiles: Vec<Profile>,
}

impl Read {
    pub(super) fn of(set: &Set, asked: Targets) -> Self {
        let mut read = Self { targets: asked, ..Self::default() };
        read.releases(set);
        read.targets = std::mem::take(&mut read.targets).with_defaults();
        read.nodes(set);
        read.autoscalers(set);
        read.schedulers(set);
        read.spark(set);
        read.other_pods(set);
        read.scenarios(set);
        for workload in &read.workloads {
            read.pods.extend(workload.pods());
        }
        read
    }

    /// Keeps what a reader says and gives what it read.
    fn take<T>(&mut self, read: NativeRead<T>) -> T {
        self.say(&read.problems, &read.not_modelled);
        read.value
    }

    fn say(&mut self, problems: &[Problem], findings: &[Finding]) {
        self.findings.extend(problems.iter().map(refused));
        self.findings.extend(findings.iter().filter_map(warned));
    }
}

/// A problem as a finding.
fn refused(problem: &Problem) -> LintFinding {
    // Readers' problems have no code: the one that is a rule of its own is told by its words.
    let is_plugin = problem.message.starts_with("plugin `") && problem.message.contains("removed");
    let rule = if is_plugin { &SCHEDULER_PLUGIN } else { &REFUSED };
    let next = problem.help.clone().unwrap_or_else(|| "correct the value".to_owned());
    rule.of(problem, problem.message.clone(), next)
}

/// A reader's warning as a finding; `None` for what it says of the model.
fn warned(finding: &Finding) -> Option<LintFinding> {
    let (rule, next): (&'static Rule, &str) = match finding.code.as_str() {
        "unknown-key" => (&UNKNOWN_KEY, "spell the key as it is meant"),
        "set-twice" => (&SET_TWICE, "keep one of them"),
        "ignored-by-spark" => (&IGNORED_BY_SPARK, "drop it, or correct its name"),
        "unknown-setting" if finding.severity == Severity::Warning => {
            (&UNKNOWN_SETTING, "spell the setting as it is meant")
        }
        "dynamic-allocation-refused" => (
            &dynamic_allocation::REFUSED,
            "set spark.dynamicAllocation.shuffleTracking.enabled=true",
        ),
        "scheduler-api-version" => {
            (&SCHEDULER_API, "write the file as kubescheduler.config.k8s.io/v1 (1.25 and later)")
        }
        _ => return None,
    };
    let line = u32::try_from(finding.line.unwrap_or(0)).unwrap_or(0);
    let place = Problem { line, ..Problem::of_file(finding.subject.clone(), "") };
    Some(rule.of(&place, finding.message.clone(), next))
}
