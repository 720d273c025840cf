//! What changes by default between releases of Spark, Kubernetes and Cluster Autoscaler.
//!
//! `upgrade/changes.csv` has a row for each default that another release changed, each setting that
//! was removed, and each behaviour that the models know by release; `modelled` says whether a
//! simulation shows it. Leaves out: settings that are new and change nothing by default; what a
//! release does faster or slower; Kubernetes' own API removals beyond the scheduler's files.
//!
//! Source: Spark: the defaults that its released jars register, 3.0 to 4.3, and facts-spark A1 to
//! A5. Cluster Autoscaler: the flags of its release branches (1.18 to 1.36; where no branch between
//! two was read, the change is put at the later one), and facts-kubernetes 2. Kubernetes:
//! facts-kubernetes 1.3 and 1.4 and the configuration API's deprecation notes (`v1beta2` went in
//! 1.28, `v1beta3` in 1.29); the weights of 1.23 are a guess of the era.

use sim::scenario::{KubernetesVersion, SparkVersion};

use crate::Loaded;

const CHANGES_CSV: &str = include_str!("upgrade/changes.csv");

/// What is upgraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// Spark.
    Spark,
    /// The cluster: its scheduler.
    Kubernetes,
    /// Cluster Autoscaler, whose release follows the cluster's.
    ClusterAutoscaler,
}

impl Component {
    /// Its name, as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spark => "Spark",
            Self::Kubernetes => "Kubernetes",
            Self::ClusterAutoscaler => "Cluster Autoscaler",
        }
    }
}

/// How something changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A setting's default is another one.
    Default,
    /// A setting or format is not there any more.
    Removed,
    /// What is done is another thing, or a setting has come with a default that changes it.
    Behaviour,
}

/// One change of one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Of what.
    pub component: Component,
    /// The first release with it, such as `4.0`.
    pub release: String,
    /// How it changes.
    pub kind: Kind,
    /// Upstream's name of the setting.
    pub name: String,
    /// Before.
    pub before: String,
    /// From then on.
    pub after: String,
    /// A simulation shows it.
    pub modelled: bool,
    /// More about it; may be empty.
    pub note: String,
}

/// The releases of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Releases {
    /// Spark's.
    pub spark: SparkVersion,
    /// The cluster's and Cluster Autoscaler's.
    pub kubernetes: KubernetesVersion,
}

impl Releases {
    /// Those of `loaded`.
    pub fn of(loaded: &Loaded) -> Self {
        let scenario = &loaded.scenario;
        Self { spark: scenario.spark.version, kubernetes: scenario.kubernetes }
    }

    fn of_component(&self, component: Component) -> (u32, u32) {
        match component {
            Component::Spark => (self.spark.major, self.spark.minor),
            Component::Kubernetes | Component::ClusterAutoscaler => {
                (self.kubernetes.major, self.kubernetes.minor)
            }
        }
    }
}

/// Everything that changes on the way from one pair of releases to another: in the order of
/// components and releases. A default that changes twice is two changes.
pub fn changes(from: &Releases, to: &Releases) -> Vec<Change> {
    let mut table = csv::Reader::from_reader(CHANGES_CSV.as_bytes());
    let all = table.records().filter_map(|row| change(&row.ok()?));
    all.filter(|change| {
        let (from, to) = (from.of_component(change.component), to.of_component(change.component));
        release(&change.release).is_some_and(|release| from < release && release <= to)
    })
    .collect()
}

/// A row of the table; `None` if it is none, which a test looks for.
fn change(row: &csv::StringRecord) -> Option<Change> {
    Some(Change {
        component: match &row[0] {
            "spark" => Component::Spark,
            "kubernetes" => Component::Kubernetes,
            "cluster-autoscaler" => Component::ClusterAutoscaler,
            _ => return None,
        },
        release: row[1].to_owned(),
        kind: match &row[2] {
            "default" => Kind::Default,
            "removed" => Kind::Removed,
            "behaviour" => Kind::Behaviour,
            _ => return None,
        },
        name: row[3].to_owned(),
        before: row[4].to_owned(),
        after: row[5].to_owned(),
        modelled: row[6].parse().ok()?,
        note: row[7].to_owned(),
    })
}

fn release(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Where the scenario's own files set what changes: as `file:line`, and the value. What is set
/// stays as it is, unless it is removed.
pub fn set_by_user(loaded: &Loaded, change: &Change) -> Option<(String, String)> {
    if change.component != Component::Spark {
        return None;
    }
    let value = loaded.spark_conf.get(&change.name)?;
    let place = loaded.spark_conf.place(&change.name)?;
    Some((format!("{}:{}", place.file(), place.line()), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn releases(spark: (u32, u32), minor: u32) -> Releases {
        Releases {
            spark: SparkVersion { major: spark.0, minor: spark.1 },
            kubernetes: KubernetesVersion { major: 1, minor },
        }
    }

    fn all() -> Vec<Change> {
        changes(&releases((0, 0), 0), &releases((9, 9), 99))
    }

    #[test]
    fn every_row_can_be_read() {
        let rows = CHANGES_CSV.lines().count() - 1;
        assert_eq!(all().len(), rows);
    }

    #[test]
    fn what_lies_between_two_releases_changes() {
        let names = |from, to| {
            let found = changes(&from, &to);
            found.into_iter().map(|change| change.name).collect::<Vec<_>>()
        };
        let spark = names(releases((3, 5), 30), releases((4, 0), 30));
        assert!(spark.iter().any(|name| name == "spark.speculation.multiplier"));
        assert!(!spark.iter().any(|name| name == "spark.rdd.compress"), "that is of 4.3");
        assert_eq!(names(releases((4, 0), 30), releases((4, 0), 30)), Vec::<String>::new());
        let cluster = names(releases((3, 5), 32), releases((3, 5), 33));
        assert_eq!(cluster, ["SchedulerPopFromBackoffQ", "expander", "max-empty-bulk-delete"]);
    }

    /// What the table calls modelled has another default in the model too, from that release on.
    #[test]
    fn modelled_defaults_of_spark_are_those_of_the_model() {
        use sim::scenario::SparkDefaults;
        let of_spark = |change: &&Change| {
            change.component == Component::Spark && change.modelled && change.kind == Kind::Default
        };
        let all = all();
        let modelled: Vec<&Change> = all.iter().filter(of_spark).collect();
        assert!(modelled.len() > 5, "{modelled:?}");
        for change in modelled {
            let (major, minor) = release(&change.release).expect("a release");
            let version = match minor {
                0 => SparkVersion { major: major - 1, minor: 5 },
                _ => SparkVersion { major, minor: minor - 1 },
            };
            let before = SparkDefaults::default_of(version);
            let after = SparkDefaults::default_of(SparkVersion { major, minor });
            assert_ne!(before, SparkDefaults { version, ..after }, "{}", change.name);
        }
    }

    /// Every default of Spark that the table of its releases says to have changed is in ours, and the
    /// other way round.
    #[test]
    fn the_changes_of_spark_are_those_of_its_releases() {
        const NAME: &str = "../shared/data/spark/config_defaults_by_version.csv";
        let Ok(text) = std::fs::read_to_string(format!("{}/../{NAME}", env!("CARGO_MANIFEST_DIR")))
        else {
            eprintln!("SKIPPED: {NAME} is not there");
            return;
        };
        // Settings of tests, and a default that was never read from a configuration.
        const NOT_OURS: [&str; 3] = [
            "spark.kubernetes.pyspark.pythonVersion",
            "spark.testing.dynamicAllocation.scheduleInterval",
            "spark.shuffle.push.mergersMinStaticThreshold",
        ];
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let releases: Vec<String> =
            table.headers().expect("the table is whole").iter().map(str::to_owned).collect();
        let last = releases.len() - 1;
        let mut theirs = BTreeSet::new();
        for row in table.records().map(|row| row.expect("the table is whole")) {
            for place in 3..last {
                let (before, after) = (&row[place - 1], &row[place]);
                if before == after || before == "-" {
                    continue;
                }
                let release = releases[place].rsplit_once('.').expect("the table is whole").0;
                let kind = if after == "-" { "removed" } else { "default" };
                theirs.insert((release.to_owned(), row[0].to_owned(), kind.to_owned()));
            }
        }
        let ours: BTreeSet<_> = all()
            .into_iter()
            .filter(|change| change.component == Component::Spark && change.kind != Kind::Behaviour)
            .map(|change| {
                let kind = if change.kind == Kind::Removed { "removed" } else { "default" };
                (change.release, change.name, kind.to_owned())
            })
            .collect();
        assert!(ours.len() > 50);
        let only_ours: Vec<_> = ours.difference(&theirs).collect();
        assert!(only_ours.is_empty(), "not in the releases: {only_ours:?}");
        let missing: Vec<_> = theirs
            .difference(&ours)
            .filter(|change| !NOT_OURS.contains(&change.1.as_str()))
            .collect();
        assert!(missing.is_empty(), "not in ours: {missing:?}");
    }
}
