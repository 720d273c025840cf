//! Applications read back.

use super::*;
use crate::native;
use crate::native::spark_application::read;
use crate::native::spark_defaults;
use crate::retries::preset;

#[test]
fn an_application_reads_back() {
    let conf = "spark.executor.memory 6144m\nspark.executor.cores 4\nspark.driver.memory 3g\n\
                spark.kubernetes.executor.request.cores 3600m\nspark.speculation true\n\
                spark.kubernetes.namespace jobs\nspark.kubernetes.container.image spark:1\n\
                spark.kubernetes.memoryOverheadFactor 0.4\nspark.kubernetes.resource.type python\n\
                spark.kubernetes.node.selector.a on";
    for more in ["", "\nspark.dynamicAllocation.enabled true", "\nspark.executor.instances 9"] {
        let conf = spark_defaults::read("a.conf", &format!("{conf}{more}")).value;
        let version = sim::scenario::SparkVersion { major: 3, minor: 5 };
        let mut spark = SparkDefaults::default_of(version);
        spark.driver_template.priority = 7;
        assert_eq!(conf.apply(&mut spark).0, []);
        let settings = spark_defaults::write::merged(&spark, &conf);
        let ladder = preset("spark-operator").expect("a preset").ladder;
        let value = application("etl", &spark, &settings, &ladder);
        let text = native::yaml_text(std::slice::from_ref(&value));
        let again = read("again.yaml", &text);
        assert_eq!(again.problems, [], "{text}");
        let application = &again.value[0];
        let mut found = SparkDefaults::default_of(version);
        application.apply(&mut found);
        for template in [&mut found.driver_template, &mut found.executor_template] {
            template.main.name.clear();
        }
        assert_eq!(found, spark, "{text}");
        let [again] = &application.restart.ladder().rungs[..] else { panic!("{text}") };
        let rung = &ladder.rungs[0];
        assert_eq!((again.attempts_max, again.backoff), (rung.attempts_max, rung.backoff));
    }
}
