//! The whole file, section by section.

use sim::Severity;
use sim::scenario::{Autoscaler, DaemonSets, KubernetesVersion, Scenario, SchedulerProfile};

use super::context::Context;
use super::instance_types::InstanceTypes;
use super::pools::EksctlFile;
use super::settings::{Settings, settings};
use super::{
    Expected, Loaded, assumptions, autoscaler, billing, cross_check, images, karpenter,
    overprovisioning, pools,
};
use super::{orchestrator, resolved, retry_ladder, scheduler, spark, workload};
use crate::native::{Place, eksctl};
use crate::problem::nearest;
use crate::schema::ROOT;
use crate::walk::At;
use crate::yaml::{Node, Value};

/// `None` where a problem keeps the scenario from being built; it has been reported.
pub(super) fn lower(context: &Context<'_>, node: &Node, default_name: &str) -> Option<Loaded> {
    let root = settings(&context.walker.at(node, ""), &ROOT)?;
    root.choice("apiVersion");
    root.choice("kind");
    let metadata = root.section("metadata");
    let name = metadata.as_ref().and_then(|metadata| metadata.text("name"));
    if let Some(metadata) = &metadata {
        metadata.text("description");
    }
    let said = |key| metadata.as_ref().and_then(|metadata| metadata.text(key));
    let expected = said("expectedEffect").zip(said("expectedOf"));
    let expected = expected.map(|(effect, of)| Expected { effect, of });
    if let Some(labels) = metadata.as_ref().and_then(|metadata| metadata.at("labels")) {
        labels.string_map();
    }
    let spec = root.section("spec")?;
    let nodes = spec.section("nodes");
    let eksctl = eksctl_file(context, nodes.as_ref());
    let cluster = eksctl.as_ref().map(|file| file.config.name.clone());
    let eksctl_version = eksctl.as_ref().and_then(|file| file.config.version.as_deref());
    let kubernetes = kubernetes_version(context, &spec, eksctl_version);
    let region =
        region(context, &spec, eksctl.as_ref().and_then(|file| file.config.region.clone()));
    let types = InstanceTypes::read(context, &spec, nodes.as_ref(), region.as_deref());
    let karpenter = spec.section("autoscaler").and_then(|section| section.section("karpenter"));
    let with_karpenter = karpenter.is_some();
    let mut pools =
        pools::read(context, nodes.as_ref(), eksctl, &types, region.as_deref(), with_karpenter);
    let zones = pools::default_zones(nodes.as_ref(), region.as_deref());
    let karpenter = karpenter.and_then(|given| {
        let region = region.as_deref().unwrap_or_default();
        karpenter::read(context, &given, &types, &zones, region, &mut pools)
    });
    let (spark, spark_conf) = spark::read(context, spec.section("spark"));
    let autoscaler = autoscaler::read(context, &spec, kubernetes);
    let autoscaler = match &karpenter {
        Some(read) => Some(Autoscaler::Karpenter(read.karpenter.clone())),
        None => autoscaler.map(Autoscaler::ClusterAutoscaler),
    };
    let pause =
        spec.section("overprovisioning").and_then(|at| overprovisioning::read(context, &at));
    let plan = spec.at("plan");
    let (assumptions, series) = assumptions::read(context, spec.section("assumptions"));
    let workload = workload::read(context, spec.section("workload"));
    let scenario = Scenario {
        name: name.unwrap_or_else(|| default_name.to_owned()),
        kubernetes,
        fees: billing::fees(&spec, &types, region.as_deref()),
        billing: billing::read(context, spec.section("billing"), &types),
        region: region.unwrap_or_default(),
        pools,
        autoscaler,
        scheduler: scheduler::read(context, &spec, kubernetes, &spark)
            .unwrap_or_else(|| SchedulerProfile::default_of(kubernetes)),
        orchestrator: orchestrator::read(spec.section("orchestrator")),
        retries: retry_ladder::read(context, spec.section("retries")),
        images: images::read(context, spec.section("images"), &spark),
        overprovisioning: pause.as_ref().map(|pause| pause.value.clone()),
        daemonsets: daemonsets(context, nodes.as_ref()),
        assumptions,
        spark,
    };
    cross_check::check(context, &scenario, pause.as_ref());
    if !context.walker.is_clean() {
        return None;
    }
    let plan = plan.map(|at| json_of(at.node));
    Some(Loaded {
        resolved: resolved::text(
            (&scenario, karpenter.as_ref()),
            &workload,
            &series,
            (plan.as_ref(), expected.as_ref()),
        ),
        expected,
        karpenter: karpenter.map(|read| read.documents).unwrap_or_default(),
        scenario,
        traces: workload.traces,
        workload: workload.options,
        spot_series: series,
        plan,
        spark_conf,
        cluster: cluster.filter(|name| !name.is_empty()),
        native_files: Vec::new(),
        findings: Vec::new(),
    })
}

/// The eksctl file, where one is named.
fn eksctl_file(context: &Context<'_>, nodes: Option<&Settings<'_>>) -> Option<EksctlFile> {
    let file = context.read(&nodes?.at("eksctl")?)?;
    let config = context.take(eksctl::read(&file.name, &file.text));
    Some(EksctlFile { name: file.name, text: file.text, config })
}

/// A number `major.minor`, within what is modelled.
pub(super) fn version(at: &At<'_>, low: (u32, u32), high: (u32, u32)) -> Option<(u32, u32)> {
    let text = at.string()?;
    let bare = text.trim().trim_start_matches('v');
    let mut parts = bare.split('.').map(|part| part.parse::<u32>().ok());
    let parsed = (parts.next().flatten(), parts.next().flatten());
    let range = format!("{}.{} to {}.{} are modelled", low.0, low.1, high.0, high.1);
    let (Some(major), Some(minor)) = parsed else {
        at.problem_with_help(format!("`{text}` is not a version"), range);
        return None;
    };
    // Without quotes, `1.30` is the number 1.3: nobody runs 1.3.
    let unquoted = matches!(at.node.value, Value::Number(_)) && minor < 10 && low.1 >= 10;
    if unquoted && (low..=high).contains(&(major, minor * 10)) {
        let message = format!("version {text} is not modelled; was \"{major}.{minor}0\" meant?");
        at.problem_with_help(message, "put quotes around the version");
        return None;
    }
    if !(low..=high).contains(&(major, minor)) {
        at.problem_with_help(format!("version {major}.{minor} is not modelled"), range);
        return None;
    }
    Some((major, minor))
}

/// The scenario's release, else the eksctl file's, else the newest one.
fn kubernetes_version(
    context: &Context<'_>,
    spec: &Settings<'_>,
    eksctl: Option<&str>,
) -> KubernetesVersion {
    let (low, high) = (KubernetesVersion::OLDEST, KubernetesVersion::NEWEST);
    let range = [low, high].map(|version| (version.major, version.minor));
    let own = spec.optional("kubernetesVersion");
    let given = own.as_ref().and_then(|at| version(at, range[0], range[1]));
    let given = given.map(|(major, minor)| KubernetesVersion { major, minor });
    let other = eksctl.and_then(|text| {
        let (major, minor) = text.split_once('.')?;
        let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
        Some(KubernetesVersion { major, minor })
    });
    let subject = "spec.kubernetesVersion";
    match (given, other) {
        (Some(given), Some(other)) if given != other => {
            let message = format!("the eksctl file says {other}; {given} is used");
            context.note(Severity::Warning, "version-differs", subject, message);
        }
        (None, Some(other)) if own.is_none() && (low..=high).contains(&other) => return other,
        (None, _) if own.is_none() => {
            let message = format!("`kubernetesVersion` is not said: {high}, the newest, is used");
            context.note(Severity::Info, "default-version", subject, message);
        }
        _ => {}
    }
    given.unwrap_or(high)
}

/// The scenario's region, else eksctl's.
fn region(context: &Context<'_>, spec: &Settings<'_>, eksctl: Option<String>) -> Option<String> {
    match (spec.text("region"), eksctl) {
        (Some(own), Some(eksctl)) if own != eksctl => {
            let message =
                format!("`region` is {own}, and the eksctl file says {eksctl}; {own} is used");
            context.note(Severity::Warning, "region-differs", "spec.region", message);
            Some(own)
        }
        (Some(region), _) | (None, Some(region)) => Some(region),
        (None, None) => {
            if spec.fields.get("region").is_none() {
                spec.fields.require("region");
            }
            None
        }
    }
}

fn daemonsets(context: &Context<'_>, nodes: Option<&Settings<'_>>) -> DaemonSets {
    let default = DaemonSets::default();
    let Some(given) = nodes.and_then(|nodes| nodes.section("daemonsets")) else {
        let (cpu, pods) = (default.cpu, default.pods);
        let message = format!("{pods} DaemonSet pods of {cpu} CPU in all on every node: a guess");
        context.note(Severity::Info, "assumption", "spec.nodes.daemonsets", message);
        return default;
    };
    DaemonSets {
        cpu: given.cpu("cpu").unwrap_or(default.cpu),
        memory: given.bytes("memory").unwrap_or(default.memory),
        pods: given.count("pods").unwrap_or(default.pods),
    }
}

/// A tree as JSON. Numbers that JSON cannot hold become texts.
pub(crate) fn json_of(node: &Node) -> serde_json::Value {
    use serde_json::Value as Json;
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone()))
        }
        Value::String(text) => Json::String(text.clone()),
        Value::Seq(items) => items.iter().map(json_of).collect(),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, node)| (key.name.clone(), json_of(node)));
            Json::Object(entries.collect())
        }
    }
}

/// Names the nearest of `known` to `name`, as a help text.
pub(super) fn did_you_mean<'n>(
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Option<String> {
    nearest(name, known).map(|near| format!("did you mean `{near}`?"))
}

/// Two entries of the same name.
pub(super) fn duplicate(context: &Context<'_>, place: &Place, what: &str, name: &str, line: u32) {
    let help = (line > 0).then(|| format!("the first one is at line {line}"));
    context.problem_at(place, format!("duplicate {what} `{name}`"), help);
}
