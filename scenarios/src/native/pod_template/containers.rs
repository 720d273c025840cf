//! `containers` and `initContainers`: requests, host ports, images and sidecars.
//!
//! Source: k8s.io/kubernetes `v1.SetDefaults_Pod` (a limit without a request is the request too;
//! on the host's network every container port is a host port),
//! `validation.ValidateContainerResourceRequirements`; Spark's `KubernetesUtils.selectSparkContainer`.

use sim::scenario::{Container, HostPort, PodTemplate, ResourceList};
use sim::units::{Bytes, MilliCores, quantity};

use super::super::keys::Reader;
use super::Role;
use crate::problem::suggestion;
use crate::walk::{At, Fields};

const CONTAINER: [&str; 5] = ["image", "name", "ports", "resources", "restartPolicy"];

/// Keys of a container without effect on capacity, cost or waiting.
const IRRELEVANT: [&str; 21] = [
    "args",
    "command",
    "env",
    "envFrom",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "readinessProbe",
    "resizePolicy",
    "restartPolicyRules",
    "securityContext",
    "startupProbe",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
    "envVars",
];

const PROTOCOLS: [(&str, &str); 3] = [("SCTP", "SCTP"), ("TCP", "TCP"), ("UDP", "UDP")];

/// Resources of containers; others have a domain in their names.
const KNOWN: [&str; 4] = ["cpu", "ephemeral-storage", "memory", "nvidia.com/gpu"];

/// Reads both lists into `template`.
pub(super) fn read<'a>(
    reader: &Reader<'a>,
    spec: &Fields<'a>,
    role: Role<'_>,
    template: &mut PodTemplate,
) {
    let host_network = spec.get("hostNetwork").and_then(|at| at.bool()).unwrap_or(false);
    let mut containers =
        spec.get("containers").map(|at| read_list(reader, &at, host_network)).unwrap_or_default();
    template.init_containers = spec
        .get("initContainers")
        .map(|at| read_list(reader, &at, host_network))
        .unwrap_or_default();
    same_names(spec);
    let Role::Spark(wanted) = role else {
        template.containers = containers;
        return;
    };
    if containers.is_empty() {
        return;
    }
    let place = main(reader, spec, &containers, wanted);
    template.main = containers.remove(place);
    template.containers = containers;
    let main = &mut template.main.requests;
    let replaced = main.cpu.take().is_some() | main.memory.take().is_some();
    let resources = spec.get("containers").and_then(|at| at.list()?.into_iter().nth(place));
    if let Some(at) = resources.filter(|_| replaced) {
        let node = at.node.get("resources").unwrap_or(at.node);
        let message = "CPU and memory of the template's Spark container are not used: Spark \
                       replaces them by its own settings";
        let at = reader.walker.at(node, format!("{}.resources", at.path));
        reader.warn(&at, "replaced-by-spark", message);
    }
}

/// Which container Spark fills in: the only one of the wanted name, else the first.
fn main(
    reader: &Reader<'_>,
    spec: &Fields<'_>,
    containers: &[Container],
    wanted: Option<&str>,
) -> usize {
    let Some(wanted) = wanted else {
        return 0;
    };
    let found = containers.iter().position(|container| container.name == wanted);
    if found.is_none()
        && let Some(at) = spec.get("containers")
    {
        let wanted: String = wanted.chars().take(80).collect();
        let message =
            format!("no container is named `{wanted}`: Spark takes the first one for its own");
        reader.warn(&at, "no-such-container", message);
    }
    found.unwrap_or(0)
}

/// Reads a list of containers.
pub(in crate::native) fn read_list<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
    host_network: bool,
) -> Vec<Container> {
    let is_init = at.path.ends_with("initContainers");
    at.list_of(|at| container(reader, at, is_init, host_network)).unwrap_or_default()
}

/// Names are unique over both lists.
fn same_names(spec: &Fields<'_>) {
    let mut seen: Vec<String> = Vec::new();
    for list in ["containers", "initContainers"] {
        for item in spec.get(list).and_then(|at| at.list()).unwrap_or_default() {
            let Some(name) = item.node.get("name").and_then(|node| node.scalar_text()) else {
                continue;
            };
            if seen.iter().any(|other| other == name) {
                let name: String = name.chars().take(80).collect();
                item.problem(format!("a second container named `{name}`"));
            } else {
                seen.push(name.to_owned());
            }
        }
    }
}

fn container<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
    is_init: bool,
    host_network: bool,
) -> Option<Container> {
    let fields = reader.fields(at, &CONTAINER, &IRRELEVANT)?;
    let policies = [("Always", true), ("Never", false), ("OnFailure", false)];
    let policy = fields.get("restartPolicy").and_then(|at| at.one_of(&policies));
    let ports = fields.get("ports");
    let ports = ports.and_then(|at| at.list_of(|at| host_port(reader, at, host_network)));
    Some(Container {
        name: fields.string("name").unwrap_or_default(),
        image: fields.string("image").filter(|image| !image.is_empty()),
        requests: fields.get("resources").map(|at| requests(reader, &at)).unwrap_or_default(),
        restart_always: is_init && policy == Some(true),
        host_ports: ports.unwrap_or_default(),
    })
}

/// The host port of one of `ports`, where it takes one.
fn host_port<'a>(reader: &Reader<'a>, at: &At<'a>, host_network: bool) -> Option<HostPort> {
    let known = ["containerPort", "hostIP", "hostPort", "protocol"];
    let fields = reader.fields(at, &known, &["name"])?;
    let number = |key: &str| -> Option<u16> {
        u16::try_from(fields.get(key)?.int(0..=65_535)?).ok().filter(|port| *port > 0)
    };
    let (inside, outside) = (number("containerPort"), number("hostPort"));
    if host_network
        && let (Some(inside), Some(outside)) = (inside, outside)
        && inside != outside
    {
        at.problem("on the host's network `hostPort` must be the `containerPort`");
    }
    let protocol = fields.get("protocol").filter(|at| at.node.scalar_text() != Some(""));
    let protocol = protocol.and_then(|at| at.one_of(&PROTOCOLS));
    Some(HostPort {
        port: outside.or(inside.filter(|_| host_network))?,
        protocol: protocol.unwrap_or("TCP").to_owned(),
        host_ip: fields.string("hostIP").unwrap_or_default(),
    })
}

/// What a container asks for: its requests, and its limits where it has no request.
fn requests<'a>(reader: &Reader<'a>, at: &At<'a>) -> ResourceList {
    let Some(fields) = reader.fields(at, &["limits", "requests"], &[]) else {
        return ResourceList::default();
    };
    let list = |key: &str| fields.get(key).map(|at| amounts(reader, &at)).unwrap_or_default();
    let (mut requests, limits) = (list("requests"), list("limits"));
    above_limit(at, "cpu", requests.cpu, limits.cpu);
    above_limit(at, "memory", requests.memory, limits.memory);
    let (storage, most) = (requests.ephemeral_storage, limits.ephemeral_storage);
    above_limit(at, "ephemeral-storage", storage, most);
    requests.cpu = requests.cpu.or(limits.cpu);
    requests.memory = requests.memory.or(limits.memory);
    requests.ephemeral_storage = storage.or(most);
    for (name, limit) in limits.extended {
        match requests.extended.get(&name) {
            // What cannot be overcommitted.
            Some(request) if *request != limit => {
                at.problem(format!("the request of `{name}` must be its limit, {limit}"));
            }
            Some(_) => {}
            None => {
                requests.extended.insert(name, limit);
            }
        }
    }
    requests
}

fn above_limit<T: PartialOrd + std::fmt::Display>(
    at: &At<'_>,
    name: &str,
    request: Option<T>,
    limit: Option<T>,
) {
    if let (Some(request), Some(limit)) = (request, limit)
        && request > limit
    {
        at.problem(format!("the {name} request {request} is above the limit {limit}"));
    }
}

/// A map of amounts by resource.
pub(super) fn amounts<'a>(reader: &Reader<'a>, at: &At<'a>) -> ResourceList {
    let mut amounts = ResourceList::default();
    for (key, at) in at.entries().unwrap_or_default() {
        let name = key.name.as_str();
        match name {
            "cpu" => amounts.cpu = at.cpu(),
            "memory" => amounts.memory = at.bytes(),
            "ephemeral-storage" => amounts.ephemeral_storage = at.bytes(),
            _ => {
                if let Some(amount) = resource_amount(reader, name, &at) {
                    amounts.extended.insert(name.to_owned(), amount);
                }
            }
        }
    }
    amounts
}

/// An amount of an extended resource or of huge pages (in bytes).
pub(in crate::native) fn resource_amount(
    reader: &Reader<'_>,
    name: &str,
    at: &At<'_>,
) -> Option<u64> {
    if name.starts_with("hugepages-") {
        return at.bytes().map(Bytes::as_u64);
    }
    if !name.contains('/') {
        let shown: String = name.chars().take(80).collect();
        let message = format!("unknown resource `{shown}`");
        // Nearer to `cpu` than to what is meant.
        let is_gpu = matches!(name, "gpu" | "gpus");
        let help = if is_gpu {
            Some("did you mean `nvidia.com/gpu`?".to_owned())
        } else {
            suggestion(name, &KNOWN)
        };
        reader.walker.problem(at.node.pos, &at.path, message, help);
        return None;
    }
    let text = at.node.scalar_text().unwrap_or_default();
    // Read in thousandths, so that a part of a device is seen.
    match quantity::parse_cpu(text.trim()).map(MilliCores::as_millis) {
        Ok(milli) if milli.is_multiple_of(1000) => Some(milli / 1000),
        _ => {
            let text: String = text.chars().take(80).collect();
            at.problem(format!("`{name}`: expected a whole number, found `{text}`"));
            None
        }
    }
}
