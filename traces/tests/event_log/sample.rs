//! A small event log made by hand: two jobs, a stage with a parent, a retried stage.

use serde_json::{Value, json};

/// Its lines, as Spark 3.5 writes them.
pub(crate) fn lines() -> Vec<String> {
    let properties = json!({
        "spark.executor.instances": "2",
        "spark.executor.cores": "1",
        "spark.executor.memory": "4g",
        "spark.master": "k8s://x",
    });
    let environment = json!({"JVM Information": {}, "Spark Properties": properties});
    let start =
        json!({"App Name": "sample", "App ID": "spark-1", "Timestamp": 1000, "User": "ann"});
    let lost = "FetchFailed(BlockManagerId(1))";
    vec![
        event("LogStart", json!({"Spark Version": "3.5.9"})),
        event("EnvironmentUpdate", environment),
        event("ApplicationStart", start),
        executor_added(1, 1500),
        executor_added(2, 1600),
        job_start(0, 3000, &[0, 1]),
        stage("StageSubmitted", 0, 0, &[], 3010, 0, ""),
        task(0, 0, 0, 3020, 4020),
        task(0, 0, 1, 3020, 5020),
        stage("StageCompleted", 0, 0, &[], 3010, 5030, ""),
        stage("StageSubmitted", 1, 0, &[0], 5040, 0, ""),
        task(1, 0, 0, 5050, 6050),
        stage("StageCompleted", 1, 0, &[0], 5040, 6060, ""),
        job_end(0, 6070, "JobSucceeded"),
        job_start(1, 9070, &[2, 3]),
        stage("StageSubmitted", 3, 0, &[2], 9080, 0, ""),
        task(3, 0, 1, 9090, 9590),
        stage("StageCompleted", 3, 0, &[2], 9080, 9600, lost),
        stage("StageSubmitted", 3, 1, &[2], 9700, 0, ""),
        task(3, 1, 0, 9710, 9910),
        task(3, 1, 1, 9710, 9990),
        stage("StageCompleted", 3, 1, &[2], 9700, 10_000, ""),
        job_end(1, 10_010, "JobSucceeded"),
        event("ApplicationEnd", json!({"Timestamp": 10_500})),
    ]
}

/// The lines as a file's text.
pub(crate) fn text() -> String {
    lines().join("\n") + "\n"
}

/// One line: `fields` after the event's name.
pub(crate) fn event(name: &str, fields: Value) -> String {
    let mut line = json!({"Event": format!("SparkListener{name}")});
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
        line.extend(fields);
    }
    line.to_string()
}

pub(crate) fn executor_added(id: u32, at: i64) -> String {
    let info = json!({"Host": format!("h{id}"), "Total Cores": 1});
    let id = id.to_string();
    event("ExecutorAdded", json!({"Timestamp": at, "Executor ID": id, "Executor Info": info}))
}

pub(crate) fn executor_removed(id: u32, at: i64, reason: &str) -> String {
    let id = id.to_string();
    event("ExecutorRemoved", json!({"Timestamp": at, "Executor ID": id, "Removed Reason": reason}))
}

pub(crate) fn job_start(id: u32, at: i64, stages: &[u32]) -> String {
    let fields = json!({
        "Job ID": id,
        "Submission Time": at,
        "Stage Infos": [],
        "Stage IDs": stages,
        "Properties": {},
    });
    event("JobStart", fields)
}

/// `result` is `JobSucceeded`, or a failure's message.
pub(crate) fn job_end(id: u32, at: i64, result: &str) -> String {
    let result = match result {
        "JobSucceeded" => json!({"Result": "JobSucceeded"}),
        message => json!({"Result": "JobFailed", "Exception": {"Message": message}}),
    };
    event("JobEnd", json!({"Job ID": id, "Completion Time": at, "Job Result": result}))
}

/// A stage of two tasks. Times of 0 and an empty failure are left out.
pub(crate) fn stage(
    name: &str,
    id: u32,
    attempt: u32,
    parents: &[u32],
    submitted: i64,
    completed: i64,
    failure: &str,
) -> String {
    let mut info = json!({
        "Stage ID": id,
        "Stage Attempt ID": attempt,
        "Stage Name": format!("s{id}"),
        "Number of Tasks": 2,
        "Parent IDs": parents,
        "Submission Time": submitted,
    });
    if completed > 0 {
        info["Completion Time"] = json!(completed);
    }
    if !failure.is_empty() {
        info["Failure Reason"] = json!(failure);
    }
    event(name, json!({"Stage Info": info}))
}

/// A successful task that read 100 bytes, read 20 and wrote 30 shuffled, and peaked at its
/// partition's number of kilobytes.
pub(crate) fn task(stage: u32, attempt: u32, partition: u32, from: i64, until: i64) -> String {
    let info = json!({
        "Task ID": 7,
        "Index": partition,
        "Attempt": 0,
        "Partition ID": partition,
        "Launch Time": from,
        "Executor ID": "1",
        "Speculative": false,
        "Finish Time": until,
        "Accumulables": [],
    });
    let memory = json!({
        "JVMHeapMemory": 5000,
        "JVMOffHeapMemory": 700,
        "ProcessTreeJVMRSSMemory": 0,
    });
    let metrics = json!({
        "Executor Run Time": 5,
        "Peak Execution Memory": 1000 * (u64::from(partition) + 1),
        "Shuffle Read Metrics": {"Remote Bytes Read": 15, "Local Bytes Read": 5},
        "Shuffle Write Metrics": {"Shuffle Bytes Written": 30},
        "Input Metrics": {"Bytes Read": 100, "Records Read": 1},
    });
    let fields = json!({
        "Stage ID": stage,
        "Stage Attempt ID": attempt,
        "Task Type": "ResultTask",
        "Task End Reason": {"Reason": "Success"},
        "Task Info": info,
        "Task Executor Metrics": memory,
        "Task Metrics": metrics,
    });
    event("TaskEnd", fields)
}
