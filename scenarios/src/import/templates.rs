//! Which pod template is the driver's and which the executors'.
//!
//! Told, in this order, by: the name that `spark-defaults.conf` gives the file, the label
//! `spark-role`, the containers' names, the file's name, what it selects and tolerates. Left out: a
//! template that says nothing of the kind: it is no more the one than the other.

use serde_json::Value;

use super::recognise::{deep, items, text_of};

/// Whose template it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Driver,
    Executor,
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Executor => "executor",
        }
    }
}

/// A template that was given.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) value: Value,
}

/// The templates that were taken, with the reason, and those that were not, with the reason.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) driver: Option<(Template, String)>,
    pub(crate) executor: Option<(Template, String)>,
    pub(crate) others: Vec<(Template, String)>,
}

/// Chooses among `templates`; `named` is what `spark-defaults.conf` names for driver and executor.
pub(crate) fn choose(templates: Vec<Template>, named: [Option<String>; 2]) -> Chosen {
    let mut chosen = Chosen::default();
    // What the settings name goes first; then the order of the files.
    let is_named = |template: &Template| {
        let own = base(&template.file);
        let found = named.iter().position(|name| name.as_deref().map(base) == Some(own));
        found.map(|place| if place == 0 { Role::Driver } else { Role::Executor })
    };
    let (first, rest): (Vec<Template>, Vec<Template>) =
        templates.into_iter().partition(|template| is_named(template).is_some());
    for template in first.into_iter().chain(rest) {
        let role = is_named(&template)
            .map(|role| (role, "spark-defaults.conf names it".to_owned()))
            .or_else(|| role(&template));
        let Some((role, why)) = role else {
            let why = "a pod template that does not say whose it is: no `spark-role` label, and \
                       neither `driver` nor `executor` in its names; name it in \
                       `spec.spark.driverPodTemplate` or `executorPodTemplate`";
            chosen.others.push((template, why.to_owned()));
            continue;
        };
        let place = match role {
            Role::Driver => &mut chosen.driver,
            Role::Executor => &mut chosen.executor,
        };
        match place {
            None => *place = Some((template, why)),
            Some((taken, _)) => {
                let role = role.name();
                let why = format!(
                    "a second {role} template ({why}); {} counts; name this one in \
                     `spec.spark.{role}PodTemplate` instead",
                    base(&taken.file)
                );
                chosen.others.push((template, why));
            }
        }
    }
    chosen
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `driver` or `executor`, where the text says exactly one of them.
fn told(text: &str) -> Option<Role> {
    let text = text.to_lowercase();
    match (text.contains("driver"), text.contains("executor")) {
        (true, false) => Some(Role::Driver),
        (false, true) => Some(Role::Executor),
        _ => None,
    }
}

fn role(template: &Template) -> Option<(Role, String)> {
    let pod = template.value.get("template").unwrap_or(&template.value);
    let label = deep(pod, &["metadata", "labels", "spark-role"]);
    if let Some(role) = told(label) {
        return Some((role, "label spark-role".to_owned()));
    }
    let containers = items(pod, &["spec", "containers"]).iter();
    let mut named = containers.filter_map(|container| told(text_of(container, "name")));
    if let Some(role) = named.next() {
        return Some((role, "its container's name".to_owned()));
    }
    if let Some(role) = told(base(&template.file)) {
        return Some((role, "the file's name".to_owned()));
    }
    if let Some(role) = told(deep(pod, &["metadata", "name"])) {
        return Some((role, "its metadata.name".to_owned()));
    }
    for key in ["nodeSelector", "tolerations", "affinity"] {
        let text = pod.get("spec").and_then(|spec| spec.get(key)).map(Value::to_string);
        if let Some(role) = text.as_deref().and_then(told) {
            return Some((role, format!("its {key}")));
        }
    }
    None
}
