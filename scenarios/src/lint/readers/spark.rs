//! Spark's settings and templates of a set, put together as Spark would.
//!
//! A `spark-defaults.conf` goes with the templates that it names, by the file's name; where it
//! names none, with those of the set that say whose they are. A template that goes with nothing is
//! judged alone. Left out: `--conf` of submissions; pods of settings for YARN, Mesos or standalone
//! clusters (`spark.master`).

use sim::scenario::{PodTemplate, SparkDefaults};

use super::Read;
use super::collect::path;
use crate::file::{Loaded, json_of};
use crate::import::recognise::Kind;
use crate::import::templates::{Template, choose};
use crate::lint::pods::{Role, Roots, Workload, plain};
use crate::lint::set::{Document, Form, Set};
use crate::native::spark_defaults::{self, SparkConf};
use crate::native::{pod_template, spark_application};
use crate::yaml::Node;

/// A template of the set.
struct Given<'s> {
    document: &'s Document,
    role: Option<Role>,
    used: bool,
}

impl Read {
    pub(super) fn spark(&mut self, set: &Set) {
        let mut templates: Vec<Given<'_>> = set
            .of(Kind::PodTemplate)
            .map(|document| Given { document, role: role_of(set, document), used: false })
            .collect();
        self.of_scenarios(set);
        self.applications(set);
        for (file, form) in set.forms.iter().enumerate() {
            if *form == Form::Conf {
                let source = &set.sources[file];
                let conf = self.take(spark_defaults::read(&source.name, &source.text));
                if !set.is_of_a_scenario(file) {
                    self.settings(set, file, conf, &mut templates);
                }
            }
        }
        for document in set.of(Kind::Other) {
            if let Some(conf) = self.job_run(set, document) {
                self.settings(set, document.file, conf, &mut templates);
            }
        }
        for given in templates.iter().filter(|given| !given.used) {
            // Also for what its reader says of it.
            let (template, roots) = self.template(set, given.document, None);
            if !set.is_of_a_scenario(given.document.file) {
                let (role, who) = match given.role {
                    Some(role) => (role, format!("the {} template", role.name())),
                    None => (Role::Other, "this pod".to_owned()),
                };
                self.pods.push(plain(who, role, template, &roots));
            }
        }
    }

    fn of_scenarios(&mut self, set: &Set) {
        for (file, loaded) in &set.scenarios {
            let version = loaded.scenario.spark.version;
            let mut spark = SparkDefaults::default_of(version);
            let (_, findings) = loaded.spark_conf.apply(&mut spark);
            self.say(&[], &findings);
            let roots = ["driver", "executor"].map(|role| roots_of(set, *file, loaded, role));
            self.workloads.push(Workload {
                name: format!("scenario `{}`", shown(&loaded.scenario.name)),
                conf: loaded.spark_conf.clone(),
                spark: loaded.scenario.spark.clone(),
                place: set.place(*file, path(set, *file, &["spec", "spark"])),
                roots,
                unseen: [false; 2],
            });
        }
    }

    fn applications(&mut self, set: &Set) {
        let asked = self.targets.spark.as_ref().filter(|said| said.by.starts_with("--"));
        let asked = asked.map(|said| said.release);
        for document in set.of(Kind::SparkApplication) {
            let Some(application) = self.take(set.with(document, spark_application::read_inline))
            else {
                continue;
            };
            let of_targets = self.targets.spark().spark();
            let version = match asked {
                Some(release) => release.spark(),
                None => application.spark_version.unwrap_or(of_targets),
            };
            let mut spark = SparkDefaults::default_of(version);
            let (problems, findings) = application.apply(&mut spark);
            self.say(&problems, &findings);
            let spec = document.node.get("spec");
            let spec = spec.and_then(|spec| spec.get("template")).or(spec);
            let place = |node: &Node| set.place(document.file, node.pos);
            let roots = ["driver", "executor"].map(|role| {
                let own = spec.and_then(|spec| spec.get(role));
                let template = own.and_then(|own| own.get("template"));
                let of = |key: &str| template.and_then(|template| template.get(key));
                let nodes: Vec<&Node> =
                    own.into_iter().chain(of("spec")).chain(of("metadata")).collect();
                Roots::of(&nodes, place)
            });
            self.workloads.push(Workload {
                name: format!("SparkApplication `{}`", shown(&application.name)),
                conf: application.conf,
                spark,
                place: place(&document.node),
                roots,
                unseen: [false; 2],
            });
        }
    }

    /// Settings that go with the templates of the set.
    fn settings(&mut self, set: &Set, file: usize, conf: SparkConf, templates: &mut [Given<'_>]) {
        let version = self.targets.spark().spark();
        let mut spark = SparkDefaults::default_of(version);
        let named = conf.pod_template_files().map(|name| name.map(str::to_owned));
        let mains = conf.pod_template_containers().map(|name| name.map(str::to_owned));
        let (mut roots, mut unseen) = (<[Roots; 2]>::default(), [false; 2]);
        for (index, role) in Role::SPARK.into_iter().enumerate() {
            let found = templates.iter_mut().find(|given| match &named[index] {
                Some(name) => base(&set.sources[given.document.file].name) == base(name),
                None => given.role == Some(role) && !set.is_of_a_scenario(given.document.file),
            });
            let Some(given) = found else {
                unseen[index] = named[index].is_some();
                continue;
            };
            given.used = true;
            let (template, own) = self.template(set, given.document, mains[index].as_deref());
            roots[index] = own;
            match role {
                Role::Driver => spark.driver_template = template,
                _ => spark.executor_template = template,
            }
        }
        let (problems, mut findings) = conf.apply(&mut spark);
        let elsewhere = is_elsewhere(&conf);
        findings.retain(|finding| !elsewhere || finding.code != "dynamic-allocation-refused");
        self.say(&problems, &findings);
        if elsewhere {
            return;
        }
        let source = &set.sources[file];
        let place = set.place(file, Default::default());
        let name = base(&source.name).to_owned();
        self.workloads.push(Workload { name, conf, spark, place, roots, unseen });
    }

    fn template(
        &mut self,
        set: &Set,
        document: &Document,
        main: Option<&str>,
    ) -> (PodTemplate, Roots) {
        let pod = document.node.get("template").unwrap_or(&document.node);
        let read = set.with(document, |at| pod_template::read_inline(&at.walker.at(pod, ""), main));
        let place = |node: &Node| set.place(document.file, node.pos);
        let nodes: Vec<&Node> =
            [pod.get("spec"), pod.get("metadata"), Some(pod)].into_iter().flatten().collect();
        (self.take(read), Roots::of(&nodes, place))
    }

    /// The settings of an EMR on EKS job run.
    fn job_run(&mut self, set: &Set, document: &Document) -> Option<SparkConf> {
        document.node.get("jobDriver")?;
        let overrides = document.node.get("configurationOverrides")?;
        let list = overrides.get("applicationConfiguration")?.items();
        let is_defaults = |one: &&Node| {
            one.get("classification").and_then(Node::scalar_text) == Some("spark-defaults")
        };
        let properties = list.iter().find(is_defaults)?.get("properties")?;
        Some(
            set.with(document, |at| {
                spark_defaults::from_map(&at.walker.at(properties, "properties"))
            }),
        )
    }
}

/// Settings of another cluster manager, whose pods there are none of.
fn is_elsewhere(conf: &SparkConf) -> bool {
    let others = ["yarn", "spark://", "mesos://"];
    conf.get("spark.master").is_some_and(|master| others.iter().any(|own| master.starts_with(own)))
}

/// Whose template it is, where it says so.
fn role_of(set: &Set, document: &Document) -> Option<Role> {
    let value = json_of(&document.node);
    let file = set.sources[document.file].name.clone();
    let template = Template { file, text: String::new(), value };
    let chosen = choose(vec![template], [None, None]);
    let driver = chosen.driver.map(|_| Role::Driver);
    driver.or_else(|| chosen.executor.map(|_| Role::Executor))
}

/// Where the template of a scenario's role stands: in the file that it names, or in place.
fn roots_of(set: &Set, file: usize, loaded: &Loaded, role: &str) -> Roots {
    let setting = format!("spec.spark.{role}PodTemplate");
    let named = loaded.native_files.iter().find(|native| native.setting == setting);
    let name = named.map(|native| crate::overlay::shown(&native.path));
    let of_file = set.documents.iter().find(|document| match &name {
        Some(name) => set.sources[document.file].name == *name,
        None => document.file == file && document.kind == Kind::Scenario,
    });
    let Some(document) = of_file else { return Roots::default() };
    let pod = match name {
        Some(_) => Some(document.node.get("template").unwrap_or(&document.node)),
        None => ["spec", "spark", &format!("{role}PodTemplate")]
            .iter()
            .try_fold(&document.node, |node, key| node.get(key)),
    };
    let nodes: Vec<&Node> = pod
        .into_iter()
        .flat_map(|pod| [pod.get("spec"), pod.get("metadata"), Some(pod)].into_iter().flatten())
        .collect();
    Roots::of(&nodes, |node| set.place(document.file, node.pos))
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn shown(name: &str) -> String {
    crate::import::one_line(name, 80)
}
