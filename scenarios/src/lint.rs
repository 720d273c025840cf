//! What is wrong with files as people have them, emitted or grown: what never schedules, what
//! fights, what upstream renamed or removed, and values that are read as something else.
//!
//! Files are told by what they hold, as in [`crate::import`], and read by [`crate::native`]; what
//! those readers refuse or warn about is a finding too. A scenario file stands for the native files
//! that it names. Each mechanism is one file below, with its rules, their reasons and sources;
//! [`RULES`] lists them. Left out: Helm and Kustomize templates before they are rendered, Terraform,
//! disruption budgets, volumes, quotas, files of more than 4 MiB, and what only a running cluster
//! knows.

mod api_versions;
mod autoscaler_flags;
mod dynamic_allocation;
mod eviction;
mod expander;
mod labels;
mod never_schedules;
mod offers;
mod overprovisioning;
mod packing;
mod pods;
mod readers;
mod rule;
mod set;
mod spark_settings;
mod spot;
mod versions;
mod written_values;

use crate::import::{Given, Ignored};

pub use rule::{LintFinding, Rule};
pub use versions::{Release, Said, Targets};

/// Every rule, by mechanism.
pub const RULES: [&Rule; 39] = [
    &never_schedules::NO_LABELS,
    &never_schedules::TAINTED,
    &never_schedules::TOO_LARGE,
    &never_schedules::TIGHT,
    &never_schedules::NO_GPU,
    &never_schedules::UNKNOWN_TYPE,
    &eviction::CONSOLIDATION_BEFORE_IDLE,
    &eviction::SCALE_DOWN_BEFORE_IDLE,
    &eviction::DRIVER_EVICTABLE,
    &eviction::DRIVER_UNMARKED,
    &spot::DRIVER_ON_SPOT,
    &spot::NO_DECOMMISSION,
    &spot::GRACE_OVER_NOTICE,
    &dynamic_allocation::REFUSED,
    &dynamic_allocation::SHUFFLE_SERVICE,
    &packing::SPREAD,
    &packing::SPREAD_BY_DEFAULT,
    &expander::NO_TABLE,
    &expander::NO_GROUP,
    &overprovisioning::EXPENDABLE,
    &api_versions::REMOVED,
    &api_versions::DEPRECATED,
    &api_versions::KARPENTER_FIELD,
    &labels::RENAMED,
    &spark_settings::DEPRECATED,
    &spark_settings::REMOVED,
    &readers::IGNORED_BY_SPARK,
    &readers::UNKNOWN_SETTING,
    &autoscaler_flags::UNKNOWN,
    &readers::SCHEDULER_API,
    &readers::SCHEDULER_PLUGIN,
    &readers::POLICY,
    &readers::UNKNOWN_KEY,
    &readers::SET_TWICE,
    &readers::REFUSED,
    &readers::COMBINATION,
    &written_values::NO_TEXT,
    &written_values::VERSION_NUMBER,
    &written_values::MILLIBYTES,
];

/// What came of judging files.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What is wrong, by file, line and column.
    pub findings: Vec<LintFinding>,
    /// What the files are judged against.
    pub targets: Targets,
    /// Files that were judged.
    pub judged: Vec<String>,
    /// Files of folders that were not, with the reason.
    pub skipped: Vec<Ignored>,
}

/// Files that the user named and that cannot be read, one line or more each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Unreadable(pub Vec<String>);

/// Judges `given` against `asked`, and against what the files say where nothing is asked.
///
/// # Errors
/// Every file that the user named and that cannot be read, or is nothing that is known.
pub fn lint(given: Vec<Given>, asked: Targets) -> Result<Report, Unreadable> {
    let set = set::Set::read(given)?;
    let mut read = readers::Read::of(&set, asked);
    let (targets, offers, pods) = (read.targets.clone(), &read.offers, &read.pods);
    let mut findings = std::mem::take(&mut read.findings);
    let autoscalers = &read.autoscalers;
    findings.extend(never_schedules::judge(offers, pods));
    findings.extend(eviction::judge(offers, pods, autoscalers));
    findings.extend(spot::judge(offers, pods));
    findings.extend(dynamic_allocation::judge(&read.workloads));
    findings.extend(packing::judge(&read.profiles, autoscalers, pods));
    findings.extend(expander::judge(&read, &set));
    findings.extend(overprovisioning::judge(&set, autoscalers));
    findings.extend(api_versions::judge(&set, &targets));
    findings.extend(labels::judge(&set, &read.workloads));
    findings.extend(spark_settings::judge(&read.workloads));
    findings.extend(written_values::judge(&set));
    findings.sort_by(|a, b| a.key().cmp(&b.key()));
    findings.dedup_by(|later, first| later.repeats(first));
    Ok(Report { findings, targets, judged: set.names(), skipped: set.skipped })
}
