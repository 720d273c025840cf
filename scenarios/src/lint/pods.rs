//! Pods that the files ask for, with what they request and where each setting of theirs stands.
//!
//! Spark's pods are its settings with its templates; other workloads are as they are. Left out:
//! pods that already run, DaemonSets, templates that a setting names and that are not in the set
//! (such pods are judged by their size alone).

use std::collections::BTreeMap;

use sim::decisions::pod_requests;
use sim::scenario::{PodTemplate, SparkDefaults};
use sim::units::{Bytes, MilliCores, SimDuration};

use super::versions::Release;
use crate::file::cross_check::{driver_requests, executor_requests};
use crate::native::Place;
use crate::native::spark_defaults::SparkConf;
use crate::yaml::Node;

/// Whose pod it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Driver,
    Executor,
    Other,
}

impl Role {
    pub(super) const SPARK: [Self; 2] = [Self::Driver, Self::Executor];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Executor => "executor",
            Self::Other => "pod",
        }
    }
}

/// Settings of Spark that go together.
#[derive(Debug)]
pub(super) struct Workload {
    /// For messages: the application, or the file of the settings.
    pub name: String,
    pub conf: SparkConf,
    /// The settings, understood; with the templates that are known.
    pub spark: SparkDefaults,
    /// Where it stands.
    pub place: Place,
    /// Where the driver's and the executors' templates stand, as parts of documents.
    pub roots: [Roots; 2],
    /// A template is named and not in the set, for driver and executor.
    pub unseen: [bool; 2],
}

/// Where the keys of a pod stand.
#[derive(Debug, Clone, Default)]
pub(super) struct Roots {
    places: BTreeMap<&'static str, Place>,
    /// Where the pod starts.
    pub start: Option<Place>,
}

impl Roots {
    /// Keys in the maps `nodes`, the first one's first; `place` gives their places.
    pub(super) fn of(nodes: &[&Node], place: impl Fn(&Node) -> Place) -> Self {
        let mut roots = Self { start: nodes.first().map(|node| place(node)), ..Self::default() };
        for key in KEYS {
            let found = nodes.iter().find_map(|node| node.get(key));
            if let Some(found) = found {
                roots.places.insert(key, place(found));
            }
        }
        roots
    }
}

/// A pod that is to be scheduled.
#[derive(Debug)]
pub(super) struct PodAsk {
    /// `the driver of x`.
    pub who: String,
    pub role: Role,
    pub template: PodTemplate,
    pub cpu: MilliCores,
    pub memory: Bytes,
    pub gpus: u64,
    /// The template was not seen: selectors and annotations are not known.
    pub unseen: bool,
    /// Of Spark's executors: idle ones go after this time, where dynamic allocation is on.
    pub idle_timeout: Option<SimDuration>,
    pub decommission: bool,
    /// The release can.
    pub can_decommission: bool,
    places: BTreeMap<&'static str, Place>,
    fallback: Place,
}

/// Keys whose places are kept.
const KEYS: [&str; 6] = [
    "affinity",
    "annotations",
    "containers",
    "nodeSelector",
    "terminationGracePeriodSeconds",
    "tolerations",
];

impl PodAsk {
    /// `the driver of x asks`, `the executors of x ask`.
    pub(super) fn asks(&self) -> String {
        let verb = if self.who.starts_with("the executors ") { "ask" } else { "asks" };
        format!("{} {verb}", self.who)
    }

    /// Where the first of `keys` stands that is set; else where the pod does.
    pub(super) fn at(&self, keys: &[&str]) -> &Place {
        keys.iter().find_map(|key| self.places.get(*key)).unwrap_or(&self.fallback)
    }
}

impl Workload {
    /// The place of a setting, else of the whole.
    pub(super) fn at(&self, key: &str) -> &Place {
        self.conf.place(key).unwrap_or(&self.place)
    }

    /// Its driver and its executors.
    pub(super) fn pods(&self) -> Vec<PodAsk> {
        Role::SPARK.into_iter().enumerate().map(|(index, role)| self.pod(index, role)).collect()
    }

    fn pod(&self, index: usize, role: Role) -> PodAsk {
        let (main, template) = match role {
            Role::Driver => (driver_requests(&self.spark), &self.spark.driver_template),
            _ => (executor_requests(&self.spark), &self.spark.executor_template),
        };
        let main = (main.cpu, main.memory);
        let (cpu, memory) = pod_requests(main, template).unwrap_or(main);
        let dynamic = &self.spark.dynamic_allocation;
        let is_executor = role == Role::Executor;
        let plural = if is_executor { "executors" } else { "driver" };
        let name = role.name();
        let mut places = self.roots[index].places.clone();
        let set = |key: String| self.conf.place(&key).cloned();
        let mut put = |key: &'static str, place: Option<Place>| {
            if let Some(place) = place {
                places.insert(key, place);
            }
        };
        let cores = set(format!("spark.kubernetes.{name}.request.cores"));
        put("cores", cores.or_else(|| set(format!("spark.{name}.cores"))));
        put("memory", set(format!("spark.{name}.memory")));
        put("idle", set("spark.dynamicAllocation.executorIdleTimeout".to_owned()));
        put("grace", set(format!("spark.kubernetes.{name}.terminationGracePeriodSeconds")));
        // Not a matter of the template.
        let off = set("spark.decommission.enabled".to_owned());
        put("decommission", off.or_else(|| Some(self.place.clone())));
        let selectors = self.conf.iter().map(|(key, _)| key);
        let mut selectors = selectors.filter(|key| {
            key.starts_with("spark.kubernetes.node.selector.")
                || key.starts_with(&format!("spark.kubernetes.{name}.node.selector."))
        });
        put("selector", selectors.next().and_then(|key| set(key.to_owned())));
        PodAsk {
            who: format!("the {plural} of {}", self.name),
            role,
            cpu,
            memory,
            gpus: gpus(template),
            unseen: self.unseen[index],
            template: template.clone(),
            idle_timeout: (is_executor && dynamic.enabled).then_some(dynamic.executor_idle_timeout),
            decommission: self.spark.decommission.enabled,
            can_decommission: Release::from(self.spark.version) >= Release::new(3, 1),
            places,
            fallback: self.roots[index].start.clone().unwrap_or_else(|| self.place.clone()),
        }
    }
}

/// GPUs that a pod asks for.
fn gpus(template: &PodTemplate) -> u64 {
    let containers = std::iter::once(&template.main).chain(&template.containers);
    let asked = containers.filter_map(|one| one.requests.extended.get("nvidia.com/gpu"));
    asked.copied().fold(0, u64::saturating_add)
}

/// A pod that is as it is: of another workload, or a template on its own.
pub(super) fn plain(who: String, role: Role, template: PodTemplate, roots: &Roots) -> PodAsk {
    let none = (MilliCores::ZERO, Bytes::ZERO);
    let (cpu, memory) = pod_requests(none, &template).unwrap_or(none);
    let fallback = roots.start.clone().unwrap_or_else(|| Place::named(""));
    PodAsk {
        who,
        role,
        cpu,
        memory,
        gpus: gpus(&template),
        unseen: false,
        template,
        idle_timeout: None,
        decommission: true,
        can_decommission: true,
        places: roots.places.clone(),
        fallback,
    }
}
