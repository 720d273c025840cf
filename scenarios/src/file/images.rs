//! `spec.images`: the simple form with one size, or images by name with their layers.

use std::collections::BTreeMap;

use sim::Severity;
use sim::scenario::{Image, ImageLayer, Images, PodTemplate, SparkDefaults};
use sim::units::Bytes;

use super::context::Context;
use super::platform::did_you_mean;
use super::settings::Settings;

/// Reads the section, and says which containers name images that it does not know.
pub(super) fn read(
    context: &Context<'_>,
    given: Option<Settings<'_>>,
    spark: &SparkDefaults,
) -> Images {
    let mut out = Images::default();
    let Some(given) = given else {
        unlisted(context, &out, spark);
        return out;
    };
    set(&mut out.size, given.bytes("size"));
    set(&mut out.pre_pulled, given.bool("prePulled"));
    out.registry_bytes_per_s = given.bytes("registryBytesPerSecond");
    if let Some(at) = given.optional("registryBytesPerSecond")
        && out.registry_bytes_per_s == Some(Bytes::ZERO)
    {
        at.problem("`registryBytesPerSecond` is zero: no image would ever arrive");
    }
    parallel(&given, &mut out);
    collection(&given, &mut out);
    let mut layers = BTreeMap::new();
    for image in given.sections("list").unwrap_or_default() {
        if let Some(image) = read_image(&image, &out, &mut layers) {
            out.list.push(image);
        }
    }
    unlisted(context, &out, spark);
    out
}

/// The kubelet refuses the two settings where they contradict each other.
/// Source: k8s.io/kubernetes `pkg/kubelet/apis/config/validation/validation.go`.
fn parallel(given: &Settings<'_>, out: &mut Images) {
    let serial = given.bool("serializeImagePulls");
    let most = given.count("maxParallelImagePulls");
    set(&mut out.max_parallel_pulls, most);
    match (serial, most, given.optional("maxParallelImagePulls")) {
        (Some(true), Some(2..), Some(at)) => {
            at.problem_with_help(
                "more than one pull at a time, and `serializeImagePulls` is true",
                "set `serializeImagePulls: false`, as the kubelet demands",
            );
        }
        // Without a limit, every image is pulled at once.
        (Some(false), None, _) => out.max_parallel_pulls = u32::MAX,
        _ => {}
    }
}

fn collection(given: &Settings<'_>, out: &mut Images) {
    let percent = |key: &str| given.int(key).and_then(|value| u8::try_from(value).ok());
    set(&mut out.gc_high_percent, percent("imageGCHighThresholdPercent"));
    set(&mut out.gc_low_percent, percent("imageGCLowThresholdPercent"));
    set(&mut out.gc_minimum_age, given.duration("imageMinimumGCAge"));
    if out.gc_low_percent >= out.gc_high_percent {
        let at = given.optional("imageGCLowThresholdPercent");
        let at = at.or_else(|| given.optional("imageGCHighThresholdPercent"));
        let at = at.unwrap_or_else(|| given.fields.at.clone());
        at.problem(format!(
            "images are collected until {} % of the disk are used, which is not below {} %, where \
             collecting starts",
            out.gc_low_percent, out.gc_high_percent
        ));
    }
}

fn read_image(
    given: &Settings<'_>,
    images: &Images,
    known: &mut BTreeMap<String, Bytes>,
) -> Option<Image> {
    let name = given.text("name");
    let size = given.bytes("size");
    let mut layers = Vec::new();
    for layer in given.sections("layers").unwrap_or_default() {
        let (Some(name), Some(size)) = (layer.text("name"), layer.bytes("size")) else {
            continue;
        };
        let first = *known.entry(name.clone()).or_insert(size);
        if first != size {
            let at = layer.optional("size").unwrap_or_else(|| layer.fields.at.clone());
            at.problem(format!("layer `{name}` is {size} here and {first} in an image before"));
        }
        layers.push(ImageLayer { name, size });
    }
    let name = name?;
    if images.list.iter().any(|image| tagged(&image.name) == tagged(&name)) {
        let at = given.optional("name").unwrap_or_else(|| given.fields.at.clone());
        at.problem(format!("duplicate image `{name}`"));
    }
    match (size, layers.is_empty(), given.optional("size")) {
        (Some(_), false, Some(at)) => {
            at.problem(format!("image `{name}` has a `size` and `layers`: one of them"));
        }
        (Some(size), true, _) => {
            layers.push(ImageLayer { name: format!("(all of {})", tagged(&name)), size });
        }
        (None, true, _) => {
            given.fields.at.problem(format!("image `{name}` has neither a `size` nor `layers`"));
        }
        _ => {}
    }
    Some(Image { name, layers, pre_pulled: given.bool("prePulled").unwrap_or(images.pre_pulled) })
}

/// Images that containers name and nobody gave a size.
fn unlisted(context: &Context<'_>, images: &Images, spark: &SparkDefaults) {
    let known: Vec<String> = images.list.iter().map(|image| tagged(&image.name)).collect();
    let roles: [(&str, &PodTemplate); 2] =
        [("driver", &spark.driver_template), ("executor", &spark.executor_template)];
    let near = |name: &str| {
        let help = did_you_mean(&tagged(name), known.iter().map(String::as_str));
        help.map(|help| format!("; {help}")).unwrap_or_default()
    };
    for (role, template) in roles {
        let subject = format!("spec.spark ({role})");
        // Without a list, all Spark images are the same one on purpose.
        let main = template.main.image.as_deref().filter(|_| !images.list.is_empty());
        if let Some(name) = main.filter(|name| !known.contains(&tagged(name))) {
            let message = format!(
                "image `{name}` is not in `spec.images.list`: taken for one of {}{}",
                images.size,
                near(name)
            );
            context.note(Severity::Warning, "unlisted-image", &subject, message);
        }
        let others = template.init_containers.iter().chain(&template.containers);
        for name in others.filter_map(|container| container.image.as_deref()) {
            if !known.contains(&tagged(name)) {
                let message = format!(
                    "image `{name}` is not in `spec.images.list`: taken to be on every node{}",
                    near(name)
                );
                context.note(Severity::Info, "unlisted-image", &subject, message);
            }
        }
    }
}

/// Upstream's `normalizedImageName`: `:latest` where no tag follows the last slash.
fn tagged(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') { name.to_owned() } else { format!("{name}:latest") }
}

fn set<T>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}
