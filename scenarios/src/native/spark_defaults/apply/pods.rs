//! What settings say about driver and executor pods. Settings win over the pod templates, as Spark
//! writes them into the pods after the templates are loaded.
//!
//! Left out: variables in labels and annotations, volumes that Spark claims or mounts from
//! elsewhere (named by the caller), the memory of `emptyDir` volumes in memory.
//!
//! Source: Spark's `BasicDriverFeatureStep`, `BasicExecutorFeatureStep`, `LocalDirsFeatureStep`,
//! `KubernetesVolumeUtils` and `KubernetesUtils.buildResourcesQuantities`; facts-spark A4.

use sim::scenario::{PodTemplate, SparkDefaults, SparkVersion};
use sim::units::SimDuration;
use sim::{Finding, Severity};

use super::super::{LOCAL_DIR, shown};
use super::reading::Reading;
use crate::native::pod_template;
use crate::problem::nearest;

/// Executors' grace period is Spark's own setting from this release on. Source: `spark_keys.csv`.
const GRACE_SINCE: SparkVersion = SparkVersion { major: 4, minor: 1 };

/// Its default. Source: Spark 4.1 `KUBERNETES_EXECUTOR_TERMINATION_GRACE_PERIOD_SECONDS`.
const GRACE: SimDuration = SimDuration::seconds(30);

/// Puts the settings of pods into both templates.
pub(super) fn apply(read: &mut Reading<'_>, spark: &mut SparkDefaults) {
    let namespace = read.text("spark.kubernetes.namespace").unwrap_or_default();
    let selector = read.family("spark.kubernetes.node.selector.");
    let scheduler = read.text("spark.kubernetes.scheduler.name");
    let image = read.text("spark.kubernetes.container.image");
    let grace = "spark.kubernetes.executor.terminationGracePeriodSeconds";
    let grace = read.time(grace, SimDuration::seconds(1));
    let later = spark.version >= GRACE_SINCE;
    let roles: [(&str, &mut PodTemplate); 2] =
        [("driver", &mut spark.driver_template), ("executor", &mut spark.executor_template)];
    for (role, template) in roles {
        template_file(read, role, template);
        in_namespace(read, role, template, pod_template::namespace_of(&namespace));
        template.node_selector.extend(selector.clone());
        let prefix = format!("spark.kubernetes.{role}");
        template.node_selector.extend(read.family(&format!("{prefix}.node.selector.")));
        template.labels.extend(read.family(&format!("{prefix}.label.")));
        template.annotations.extend(read.family(&format!("{prefix}.annotation.")));
        let own = read.text(&format!("{prefix}.scheduler.name"));
        if let Some(name) = own.or_else(|| scheduler.clone()) {
            template.scheduler_name = Some(name).filter(|name| name != "default-scheduler");
        }
        let own = read.text(&format!("{prefix}.container.image"));
        if let Some(image) = own.or_else(|| image.clone()) {
            template.main.image = Some(image);
        }
        resources(read, role, template);
        volumes(read, role, template);
    }
    if later {
        spark.executor_template.termination_grace = Some(grace.unwrap_or(GRACE));
    }
}

/// A template file that the settings name lies on the machine that submits; the scenario has to
/// name it too.
fn template_file(read: &mut Reading<'_>, role: &str, template: &PodTemplate) {
    let key = format!("spark.kubernetes.{role}.podTemplateFile");
    let Some(path) = read.text(&key) else {
        return;
    };
    if *template == PodTemplate::default() {
        let message = format!(
            "the {role} pod template `{}` is not read from here: name it in the scenario's \
             `{role}PodTemplate`",
            shown(&path)
        );
        read.warn(&key, "pod-template-not-read", message);
    }
}

/// Spark's own namespace replaces a template's.
fn in_namespace(read: &mut Reading<'_>, role: &str, template: &mut PodTemplate, namespace: String) {
    if !template.namespace.is_empty() && template.namespace != namespace {
        let used = if namespace.is_empty() { "default" } else { &namespace };
        let message = format!(
            "the {role} pod template's namespace `{}` is not used: Spark's is `{}`",
            shown(&template.namespace),
            shown(used),
        );
        let subject = "spark.kubernetes.namespace";
        read.note(Finding::new(Severity::Warning, "replaced-by-spark", subject, message));
    }
    template.namespace = namespace;
}

/// `spark.{role}.resource.{name}.amount` and `.vendor`: an extended resource of Spark's container.
fn resources(read: &mut Reading<'_>, role: &str, template: &mut PodTemplate) {
    const PARTS: [&str; 3] = ["amount", "discoveryScript", "vendor"];
    let prefix = format!("spark.{role}.resource.");
    for (name, text) in read.family(&prefix) {
        let key = format!("{prefix}{name}");
        let Some((resource, part)) = name.rsplit_once('.').filter(|(_, part)| PARTS.contains(part))
        else {
            let part = name.rsplit('.').next().unwrap_or_default();
            let near = nearest(part, PARTS);
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let message = format!("unknown setting `{}` is ignored{near}", shown(&key));
            read.warn(&key, "unknown-setting", message);
            continue;
        };
        if part != "amount" {
            continue;
        }
        let Some(vendor) = read.text(&format!("{prefix}{resource}.vendor")) else {
            let asked = format!("{prefix}{resource}");
            let message = format!("`{}` is asked for without its vendor", shown(&asked));
            let help = format!("set {prefix}{resource}.vendor, such as nvidia.com");
            read.problem(&key, message, &help);
            continue;
        };
        match text.parse::<u64>().ok().filter(|amount| (1..=1_000_000).contains(amount)) {
            Some(amount) => {
                let name = format!("{vendor}/{resource}");
                template.main.requests.extended.insert(name, amount);
            }
            None => read.bad_value(&key, &text, "a whole number of at least 1"),
        }
    }
}

/// Volumes that are local storage: those that the settings mount, and the `emptyDir` for shuffle
/// and spill files that Spark adds where no volume is named for it.
fn volumes(read: &mut Reading<'_>, role: &str, template: &mut PodTemplate) {
    let prefix = format!("spark.kubernetes.{role}.volumes.");
    let settings = read.family(&prefix);
    let mut has_local_dir = template.local_dirs.is_some()
        || template.local_storage.iter().any(|name| name.starts_with(LOCAL_DIR));
    for name in settings.keys() {
        let mut parts = name.splitn(3, '.');
        let (Some(kind), Some(volume), Some("mount.path")) =
            (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        has_local_dir |= volume.starts_with(LOCAL_DIR);
        let medium = settings.get(&format!("{kind}.{volume}.options.medium"));
        let in_memory = medium.is_some_and(|medium| medium == "Memory");
        // Shuffle and spill files in memory are modelled; other volumes in memory are not.
        let other = !volume.starts_with(LOCAL_DIR) || role == "driver";
        if kind == "emptyDir" && in_memory && other {
            read.not_modelled(&format!("{prefix}{kind}.{volume}.options.medium"));
        }
        if kind == "hostPath" || kind == "emptyDir" && !in_memory {
            pod_template::local(template, volume);
        }
    }
    if !has_local_dir && !read.is_true("spark.kubernetes.local.dirs.tmpfs") {
        pod_template::local(template, &format!("{LOCAL_DIR}1"));
    }
}
