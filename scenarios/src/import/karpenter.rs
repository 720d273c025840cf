//! Karpenter's NodePools and EC2NodeClasses among what was given: whole files where every object of
//! theirs is the first of its name, else the objects that are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::draft::Draft;
use super::page::Page;
use super::recognise::{deep, items, text_of};
use super::{Given, Import, one_line};
use crate::native::karpenter::write::plain;
use crate::native::yaml_text;

/// Objects of Karpenter's, file by file.
#[derive(Debug, Default)]
pub(super) struct Karpenter {
    files: Vec<File>,
    seen: BTreeSet<(String, String)>,
}

#[derive(Debug)]
struct File {
    name: String,
    text: String,
    /// The file can be copied as it is: nothing in it is left out.
    whole: bool,
    objects: Vec<Value>,
}

impl Karpenter {
    /// Takes an object, or says why not.
    pub(super) fn take(&mut self, given: &Given, object: Value, whole: bool, out: &mut Import) {
        let kind = text_of(&object, "kind").to_owned();
        let name = deep(&object, &["metadata", "name"]).to_owned();
        let version = text_of(&object, "apiVersion");
        let shown = format!("{} `{}`", one_line(&kind, 60), one_line(&name, 60));
        let why = match (kind.as_str(), version.rsplit('/').next().unwrap_or_default()) {
            ("NodePool" | "EC2NodeClass", "v1") => None,
            ("NodePool" | "EC2NodeClass" | "Provisioner" | "AWSNodeTemplate", older) => {
                let older = one_line(older, 40);
                Some(format!(
                    "{shown} of {older}: v1 is read; convert it as Karpenter's guides say"
                ))
            }
            _ => Some(format!("{shown} is no NodePool and no EC2NodeClass")),
        };
        let again = !self.seen.insert((kind, name));
        let why = why.or_else(|| {
            again.then(|| format!("{shown} once more: the first one of that name counts"))
        });
        let own = self.files.last().is_some_and(|file| file.name == given.name);
        if !own {
            let (name, text) = (given.name.clone(), given.text.clone());
            self.files.push(File { name, text, whole: true, objects: Vec::new() });
        }
        let Some(file) = self.files.last_mut() else { return };
        file.whole &= whole && why.is_none();
        match why {
            Some(why) => out.ignore(&given.name, why),
            None => file.objects.push(object),
        }
    }

    /// Whether there is a NodePool.
    pub(super) fn has_pools(&self) -> bool {
        self.pools().next().is_some()
    }

    fn pools(&self) -> impl Iterator<Item = &Value> {
        let objects = self.files.iter().flat_map(|file| &file.objects);
        objects.filter(|object| text_of(object, "kind") == "NodePool")
    }

    /// The region of a zone that a NodePool asks for, and the file that says so.
    pub(super) fn region(&self) -> Option<(String, String)> {
        self.files.iter().find_map(|file| {
            let requirements = file
                .objects
                .iter()
                .flat_map(|object| items(object, &["spec", "template", "spec", "requirements"]));
            let zones = requirements
                .filter(|one| text_of(one, "key") == "topology.kubernetes.io/zone")
                .flat_map(|one| items(one, &["values"]));
            let mut zones = zones.filter_map(Value::as_str);
            let zone = zones.find(|zone| zone.ends_with(|c: char| c.is_ascii_lowercase()))?;
            let region = zone.trim_end_matches(|c: char| c.is_ascii_lowercase());
            let region = region.ends_with(|c: char| c.is_ascii_digit()).then_some(region)?;
            Some((region.to_owned(), file.name.clone()))
        })
    }

    /// Node classes that NodePools name and nobody gave.
    fn missing(&self) -> BTreeSet<String> {
        let class = |pool: &Value| {
            deep(pool, &["spec", "template", "spec", "nodeClassRef", "name"]).to_owned()
        };
        let named = self.pools().map(class);
        named
            .filter(|name| !self.seen.contains(&("EC2NodeClass".to_owned(), name.clone())))
            .collect()
    }
}

/// Writes `autoscaler.karpenter`.
pub(super) fn write(draft: &Draft, page: &mut Page, out: &mut Import) {
    let karpenter = &draft.karpenter;
    page.open(1, "autoscaler");
    page.open(2, "karpenter");
    let mut names = Vec::new();
    for file in karpenter.files.iter().filter(|file| !file.objects.is_empty()) {
        let objects = file.objects.len();
        let what = format!("NodePools and EC2NodeClasses ({objects} in all)");
        out.found(&file.name, what, "spec.autoscaler.karpenter.manifests");
        let name = if file.whole {
            out.copy(&file.name, &file.name, &file.text)
        } else {
            let objects: Vec<Value> = file.objects.iter().cloned().map(plain).collect();
            out.copy(&file.name, "karpenter.yaml", &yaml_text(&objects))
        };
        names.push(name);
    }
    page.entry(3, "manifests", &json!(names), "NodePools and EC2NodeClasses");
    for name in karpenter.missing() {
        let key =
            format!("spec.autoscaler.karpenter.manifests (EC2NodeClass {})", one_line(&name, 60));
        out.unknown(&key, "upstream's defaults: 20Gi of disk, the kubelet's own settings");
    }
    out.unknown("spec.autoscaler.karpenter.settings", "the defaults of Karpenter's Helm chart");
    out.unknown(
        "spec.autoscaler.karpenter.zones",
        "the first three of the region: node classes choose subnets by tags",
    );
    if let Some((native, _)) = &draft.autoscaler {
        let why = "flags of Cluster Autoscaler beside Karpenter's NodePools: a scenario has one of \
                   them; import the files apart and compare";
        out.ignore(&native.file, why);
    }
    if let Some((from, _)) = &draft.priorities {
        out.ignore(from, "the priority expander's table: Karpenter's NodePools have weights");
    }
}
