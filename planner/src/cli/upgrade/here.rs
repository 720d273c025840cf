//! What a release's change means for one scenario.
//!
//! Leaves out: settings in files that the scenario does not name. A removed flag of Cluster
//! Autoscaler needs no place here: a scenario that sets one does not load at the new release, and
//! the loader says where it is.

use scenarios::Loaded;
use scenarios::upgrade::{Change, Component, Kind, set_by_user};
use serde_json::Value;

/// What is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Here {
    /// A file has to be changed: which, and where.
    Touch(String),
    /// It changes, and a simulation shows it.
    Simulated,
    /// The scenario's own value stays: the value, and where it is set.
    Stays(String, String),
    /// It changes; no simulation shows it.
    Listed,
    /// It is about something that the scenario has not.
    Absent(&'static str),
}

impl Here {
    /// The pressing ones first.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Touch(_) => 0,
            Self::Simulated => 1,
            Self::Stays(..) => 2,
            Self::Listed => 3,
            Self::Absent(_) => 4,
        }
    }

    pub(super) fn words(&self) -> String {
        match self {
            Self::Touch(place) => format!("change {place}"),
            Self::Simulated => "simulated".to_owned(),
            Self::Stays(value, place) => format!("stays {value}: set in {place}"),
            Self::Listed => "changes; not simulated".to_owned(),
            Self::Absent(why) => (*why).to_owned(),
        }
    }
}

/// What `change` means on the way from `base` to `target`.
pub(super) fn here(base: &Loaded, target: &Loaded, change: &Change) -> Here {
    let set = match change.component {
        Component::Spark => set_by_user(base, change),
        Component::ClusterAutoscaler if base.scenario.autoscaler.is_none() => {
            return Here::Absent("no Cluster Autoscaler here");
        }
        Component::ClusterAutoscaler => flag_that_stays(base, target, &change.name),
        Component::Kubernetes => None,
    };
    match (change.kind, set) {
        (Kind::Removed, Some((place, _))) => Here::Touch(place),
        (Kind::Removed, None) => match scheduler_file(base, &change.name) {
            Some(file) => Here::Touch(file),
            None => Here::Absent("not set here"),
        },
        (_, Some((place, value))) => Here::Stays(value, place),
        (_, None) if change.modelled => Here::Simulated,
        (_, None) => Here::Listed,
    }
}

/// A flag with the same value on both sides although its default is another one was set.
fn flag_that_stays(base: &Loaded, target: &Loaded, flag: &str) -> Option<(String, String)> {
    let value = |loaded: &Loaded| {
        let resolved = scenarios::one_line("resolved", &loaded.resolved).ok()?;
        let resolved: Value = serde_json::from_str(&resolved).ok()?;
        let value = &resolved["spec"]["autoscaler"]["clusterAutoscaler"]["extraArgs"][flag];
        match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    };
    let (before, after) = (value(base)?, value(target)?);
    (before == after).then(|| ("spec.autoscaler".to_owned(), after))
}

/// The scheduler's file of the kind that `name` is about, if the scenario has one.
fn scheduler_file(base: &Loaded, name: &str) -> Option<String> {
    let setting = match name {
        "kube-scheduler --policy-config-file" => "spec.scheduler.policy",
        _ if name.starts_with("kubescheduler.config.k8s.io/") => "spec.scheduler.config",
        _ => return None,
    };
    let file = base.native_files.iter().find(|file| file.setting.starts_with(setting))?;
    let names_it = || {
        // A file that has gone since it was read is no file to touch.
        let text = std::fs::read_to_string(&file.path).unwrap_or_default();
        text.contains(name)
    };
    (setting.ends_with("policy") || names_it()).then(|| file.path.display().to_string())
}
