//! Node groups, autoscalers, schedulers and other workloads of a set; what its scenarios add.

use sim::Severity;
use sim::scenario::{ClusterAutoscaler, KubernetesVersion, SchedulerProfile};

use super::{Autoscaler, COMBINATION, POLICY, Profile, Read, autoscaler_flags, offers};
use crate::file::Loaded;
use crate::import::recognise::{Kind, deep};
use crate::lint::overprovisioning;
use crate::lint::pods::{Role, Roots, plain};
use crate::lint::set::{Document, Set};
use crate::lint::versions::{Release, Targets};
use crate::native::cluster_autoscaler::{read_helm_values, read_manifest};
use crate::native::{NativeRead, eksctl, kube_scheduler, legacy_policy, pod_template};
use crate::problem::Problem;
use crate::yaml::Node;

/// Findings of a scenario's own checks that a rule here finds in the files themselves.
const FOUND_HERE: [&str; 2] = ["no-matching-pool", "pod-fits-no-node"];

impl Read {
    /// Releases that the files name.
    pub(super) fn releases(&mut self, set: &Set) {
        let targets = &mut self.targets;
        for (file, loaded) in &set.scenarios {
            let by = set.sources[*file].name.as_str();
            Targets::say(&mut targets.kubernetes, loaded.scenario.kubernetes.into(), by);
            Targets::say(&mut targets.spark, loaded.scenario.spark.version.into(), by);
        }
        for document in set.of(Kind::Eksctl) {
            let version = document.node.get("metadata").and_then(|one| one.get("version"));
            let text = version.and_then(Node::scalar_text).unwrap_or_default();
            let known = KubernetesVersion::OLDEST..=KubernetesVersion::NEWEST;
            if let Ok(release) = text.parse::<Release>()
                && known.contains(&release.kubernetes())
            {
                let by = &set.sources[document.file].name;
                Targets::say(&mut targets.kubernetes, release, by);
            }
        }
        for (document, read) in flags(set) {
            if let Some((version, _)) = read.value.image_version {
                let by = format!("{}: the autoscaler's image", set.sources[document.file].name);
                Targets::say(&mut targets.kubernetes, version.into(), &by);
            }
        }
    }

    /// Node groups: a scenario's pools stand for the files that it names.
    pub(super) fn nodes(&mut self, set: &Set) {
        for (file, loaded) in &set.scenarios {
            let place = set.place(*file, path(set, *file, &["spec", "nodes"]));
            let pools = loaded.scenario.node_groups().filter(|pool| pool.max_size > 0);
            self.offers.extend(pools.map(|pool| offers::of_pool(pool, place.clone())));
            let place = set.place(*file, path(set, *file, &["spec", "autoscaler", "karpenter"]));
            self.offers.extend(offers::of_scenario(&loaded.scenario, &place));
        }
        for document in set.of(Kind::Eksctl) {
            let config = self.take(set.with(document, eksctl::read_inline));
            if set.is_of_a_scenario(document.file) {
                continue;
            }
            let group_at = |name: &str| {
                let lists = ["managedNodeGroups", "nodeGroups"];
                let lists = lists.iter().filter_map(|key| document.node.get(key));
                let mut items = lists.flat_map(Node::items);
                let named = |one: &&Node| one.get("name").and_then(Node::scalar_text) == Some(name);
                items.find(named)
            };
            for group in config.groups.iter().filter(|group| group.max > 0) {
                let node = group_at(&group.name);
                let pos = node.map_or(document.node.pos, |node| node.pos);
                let place = set.place(document.file, pos);
                let known = self.offers.iter().any(|offer| offer.name == group.name);
                if !known {
                    self.offers.push(offers::of_group(group, node, place));
                }
            }
        }
        self.offers.extend(offers::of_karpenter(set));
        self.offers.extend(offers::of_nodes(set));
    }

    /// Cluster Autoscaler's flags against the release.
    pub(super) fn autoscalers(&mut self, set: &Set) {
        let version = self.targets.kubernetes().kubernetes();
        for (document, read) in flags(set) {
            let flags = self.take(read);
            let mut value = ClusterAutoscaler::default_of(version);
            let (problems, findings) = flags.apply(version, &mut value);
            let unknown = flags.unknown(version);
            self.findings.extend(unknown.iter().map(autoscaler_flags::finding));
            let others: Vec<Problem> =
                problems.into_iter().filter(|problem| !unknown.contains(problem)).collect();
            self.say(&others, &findings);
            let place = set.place(document.file, document.node.pos);
            self.autoscalers.push(Autoscaler { flags, value, place });
        }
        for (file, loaded) in &set.scenarios {
            if let Some(value) = loaded.scenario.cluster_autoscaler()
                && !names(loaded, "spec.autoscaler")
            {
                let place = set.place(*file, path(set, *file, &["spec", "autoscaler"]));
                let flags = Default::default();
                self.autoscalers.push(Autoscaler { flags, value: value.clone(), place });
            }
        }
    }

    /// The scheduler's configuration against the release.
    pub(super) fn schedulers(&mut self, set: &Set) {
        let release = self.targets.kubernetes();
        let mut files: Vec<usize> = Vec::new();
        for document in &set.documents {
            let is_policy = match document.kind {
                Kind::SchedulerConfig => false,
                Kind::SchedulerPolicy => true,
                _ => continue,
            };
            // The readers look at all of a file.
            if files.contains(&document.file) {
                continue;
            }
            files.push(document.file);
            let source = &set.sources[document.file];
            let place = set.place(document.file, document.node.pos);
            let version = release.kubernetes();
            let profiles = if is_policy {
                if release >= Release::new(1, 23) {
                    let what = format!("the legacy Policy, with Kubernetes {release}");
                    let next = "write a KubeSchedulerConfiguration: MostRequestedPriority is \
                                NodeResourcesFit with scoringStrategy MostAllocated";
                    self.findings.push(POLICY.at(&place, what, next));
                }
                let old = version.min(KubernetesVersion { major: 1, minor: 22 });
                vec![self.take(legacy_policy::read(&source.name, &source.text, old))]
            } else {
                self.take(kube_scheduler::read(&source.name, &source.text, version))
            };
            let profiles = profiles.into_iter();
            self.profiles.extend(profiles.map(|value| Profile { value, place: place.clone() }));
        }
        for (file, loaded) in &set.scenarios {
            let default = SchedulerProfile::default_of(loaded.scenario.kubernetes).scores;
            let own = loaded.scenario.scheduler.scores != default;
            if own && !names(loaded, "spec.scheduler") {
                let place = set.place(*file, path(set, *file, &["spec", "scheduler"]));
                self.profiles.push(Profile { value: loaded.scenario.scheduler.clone(), place });
            }
        }
    }

    /// Workloads other than Spark's.
    pub(super) fn other_pods(&mut self, set: &Set) {
        for document in &set.documents {
            let kind = document.node.get("kind").and_then(Node::scalar_text).unwrap_or_default();
            let runs = matches!(kind, "Deployment" | "StatefulSet" | "ReplicaSet" | "Job");
            let of_kind = matches!(document.kind, Kind::Other | Kind::AutoscalerManifest);
            let spec = document.node.get("spec");
            let template = spec.and_then(|spec| spec.get("template"));
            let replicas = spec.and_then(|spec| spec.get("replicas")).and_then(Node::scalar_text);
            let (true, true, Some(pod)) = (runs, of_kind, template) else { continue };
            let Some(pod_spec) = pod.get("spec").filter(|_| replicas != Some("0")) else {
                continue;
            };
            let place = |node: &Node| set.place(document.file, node.pos);
            let read = set.with(document, |at| {
                let at = at.walker.at(pod_spec, "spec.template.spec");
                pod_template::read_pod_spec(&at)
            });
            let template = self.take(read);
            let name =
                deep(&crate::file::json_of(&document.node), &["metadata", "name"]).to_owned();
            let roots = Roots::of(&[pod_spec, pod], place);
            self.pods.push(plain(format!("{kind} {name}"), Role::Other, template, &roots));
        }
    }

    /// What the checks of a scenario say that no rule here finds.
    pub(super) fn scenarios(&mut self, set: &Set) {
        for (file, loaded) in &set.scenarios {
            let own = loaded.findings.iter().filter(|finding| {
                finding.severity >= Severity::Warning
                    && finding.subject.starts_with("spec.")
                    && finding.code != "not-modelled"
                    && !FOUND_HERE.contains(&finding.code.as_str())
            });
            for finding in own {
                let subject = finding.subject.split(' ').next().unwrap_or_default();
                let keys: Vec<&str> = subject.split('.').collect();
                let place = set.place(*file, path(set, *file, &keys));
                let (rule, next) = match finding.code.as_str() {
                    "pause-pods-expendable" => (
                        &overprovisioning::EXPENDABLE,
                        "a priority from -10 to -1, or a lower cutoff",
                    ),
                    _ => (&COMBINATION, "see docs/scenario-format.md"),
                };
                self.findings.push(rule.at(&place, finding.message.clone(), next));
            }
        }
    }
}

/// Whether a scenario names a native file in this part of it.
fn names(loaded: &Loaded, start: &str) -> bool {
    loaded.native_files.iter().any(|file| file.setting.starts_with(start))
}

/// Where a setting of a scenario stands, or as much of its path as is there.
pub(super) fn path(set: &Set, file: usize, keys: &[&str]) -> crate::problem::Pos {
    let of_file = |one: &&Document| one.file == file && one.kind == Kind::Scenario;
    let Some(document) = set.documents.iter().find(of_file) else {
        return crate::problem::Pos::default();
    };
    let (mut node, mut pos) = (&document.node, document.node.pos);
    for key in keys {
        let found = node.entries().find(|(name, _)| name.name == *key);
        let Some((name, inner)) = found else { break };
        (node, pos) = (inner, name.pos);
    }
    pos
}

/// The flags of every autoscaler of the set, each file once.
fn flags(
    set: &Set,
) -> Vec<(&Document, NativeRead<crate::native::cluster_autoscaler::AutoscalerFlags>)> {
    let mut out: Vec<(&Document, NativeRead<_>)> = Vec::new();
    for document in &set.documents {
        if out.iter().any(|(one, _)| one.file == document.file) {
            continue;
        }
        let source = &set.sources[document.file];
        let is_live = document.kind == Kind::Live
            && crate::import::recognise::autoscaler(&crate::file::json_of(&document.node))
                .is_some();
        let read = match document.kind {
            Kind::AutoscalerValues => read_helm_values(&source.name, &source.text),
            Kind::AutoscalerManifest => read_manifest(&source.name, &source.text),
            Kind::Live if is_live => read_manifest(&source.name, &source.text),
            _ => continue,
        };
        out.push((document, read));
    }
    out
}
