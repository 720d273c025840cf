//! What is written reads back.

use proptest::prelude::*;
use sim::scenario::LocalDirs;

use super::*;
use crate::native::Place;
use crate::native::spark_defaults::read;

fn conf(settings: &BTreeMap<String, String>) -> SparkConf {
    let mut conf = SparkConf::default();
    for (key, value) in settings {
        conf.set(key, value.clone(), Place::named("test"));
    }
    conf
}

const KEY: &str = "spark\\.[ -~\t\n\u{85}\u{2028}é]{1,12}";
const VALUE: &str = "\\PC{0,12}|[ -~\t\n\u{85}]{0,9}";

proptest! {
    #[test]
    fn any_settings_read_back(settings in proptest::collection::btree_map(KEY, VALUE, 0..9)) {
        let trimmed: BTreeMap<String, String> =
            settings.into_iter().map(|(key, value)| (key, value.trim().to_owned())).collect();
        let text = text(&trimmed);
        let again = read("again.conf", &text);
        prop_assert_eq!(&again.problems, &vec![], "{}", text);
        let found: BTreeMap<String, String> =
            again.value.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        prop_assert_eq!(found, trimmed, "{}", text);
    }
}

#[test]
fn settings_keep_their_own_words_and_what_else_there_is_is_added() {
    let version = SparkVersion { major: 3, minor: 5 };
    let given = conf(&BTreeMap::from([
        ("spark.executor.memory".to_owned(), "6144m".to_owned()),
        ("spark.eventLog.enabled".to_owned(), "true".to_owned()),
    ]));
    let mut spark = SparkDefaults::default_of(version);
    given.apply(&mut spark);
    assert_eq!(
        text(&merged(&spark, &given)),
        "spark.eventLog.enabled true\nspark.executor.memory  6144m\n"
    );
    spark.executor_memory = Bytes::gib(8);
    spark.task_cpus = 2;
    let merged = merged(&spark, &given);
    assert_eq!(merged["spark.executor.memory"], "8g");
    assert_eq!(merged["spark.task.cpus"], "2");
    assert_eq!(merged.len(), 3);
}

#[test]
fn local_directories_of_a_template_become_settings() {
    let version = SparkVersion { major: 3, minor: 5 };
    for kind in [LocalDirs::HostPath, LocalDirs::Tmpfs, LocalDirs::PersistentVolumeClaim] {
        let mut spark = SparkDefaults::default_of(version);
        spark.executor_template.local_dirs = Some(kind);
        SparkConf::default().apply(&mut spark);
        assert_eq!(spark.storage.local_dirs, kind);
        let merged = conf(&merged(&spark, &SparkConf::default()));
        let mut again = SparkDefaults::default_of(version);
        assert_eq!(merged.apply(&mut again).0, []);
        assert_eq!(again.storage, spark.storage, "{kind:?}: {merged:?}");
    }
}
