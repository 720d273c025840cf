//! `predicates` of a policy: the filters that are on. A list replaces all defaults but two that
//! every policy has.

use super::super::keys::Reader;
use super::super::kube_scheduler::FILTERS;
use crate::problem::suggestion;
use crate::walk::At;

/// Filters that a policy cannot switch off.
const MANDATORY: [&str; 2] = ["TaintToleration", "NodeUnschedulable"];

/// Predicates with the filters that replaced them. Those of volumes have no model.
const PREDICATES: [(&str, &[&str]); 18] = [
    ("CheckNodeUnschedulable", &["NodeUnschedulable"]),
    ("CheckVolumeBinding", &[]),
    ("EvenPodsSpread", &["PodTopologySpread"]),
    ("GeneralPredicates", &["NodeResourcesFit", "NodeName", "NodePorts", "NodeAffinity"]),
    ("HostName", &["NodeName"]),
    ("MatchInterPodAffinity", &["InterPodAffinity"]),
    ("MatchNodeSelector", &["NodeAffinity"]),
    ("MaxAzureDiskVolumeCount", &[]),
    ("MaxCSIVolumeCountPred", &[]),
    ("MaxCinderVolumeCount", &[]),
    ("MaxEBSVolumeCount", &[]),
    ("MaxGCEPDVolumeCount", &[]),
    ("NoDiskConflict", &[]),
    ("NoVolumeZoneConflict", &[]),
    ("PodFitsHostPorts", &["NodePorts"]),
    ("PodFitsPorts", &["NodePorts"]),
    ("PodFitsResources", &["NodeResourcesFit"]),
    ("PodToleratesNodeTaints", &["TaintToleration"]),
];

/// The filters that the list leaves off, in upstream's order.
pub(super) fn read<'a>(reader: &Reader<'a>, at: &At<'a>) -> Vec<String> {
    let mut on = MANDATORY.to_vec();
    for item in at.list().unwrap_or_default() {
        on.extend(predicate(reader, &item).unwrap_or_default());
    }
    let off = FILTERS.iter().filter(|name| !on.contains(name));
    off.map(|name| (*name).to_owned()).collect()
}

fn predicate<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<&'static [&'static str]> {
    let fields = reader.fields(at, &["name", "argument"], &[])?;
    let name_at = fields.require("name")?;
    let name = name_at.name()?;
    if let Some((_, filters)) = PREDICATES.iter().find(|(known, _)| *known == name) {
        return Some(filters);
    }
    if let Some(argument) = fields.get("argument") {
        reader.fields(&argument, &["labelsPresence", "serviceAffinity"], &[]);
        argument.not_modelled();
        return None;
    }
    let names = PREDICATES.map(|(name, _)| name);
    let message = format!("unknown predicate `{}`", name.chars().take(80).collect::<String>());
    reader.walker.problem(name_at.node.pos, &at.path, message, suggestion(&name, &names));
    None
}
