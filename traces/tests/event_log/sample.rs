//! A small event log made by hand: two jobs, a stage with a parent, a retried stage.

/// Its lines, as Spark 3.5 writes them.
pub(crate) fn lines() -> Vec<String> {
    let mut lines = vec![
        r#"{"Event":"SparkListenerLogStart","Spark Version":"3.5.9"}"#.to_owned(),
        r#"{"Event":"SparkListenerEnvironmentUpdate","JVM Information":{},"Spark Properties":{"spark.executor.instances":"2","spark.executor.cores":"1","spark.executor.memory":"4g","spark.master":"k8s://x"}}"#.to_owned(),
        r#"{"Event":"SparkListenerApplicationStart","App Name":"sample","App ID":"spark-1","Timestamp":1000,"User":"ann"}"#.to_owned(),
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
        stage("StageCompleted", 3, 0, &[2], 9080, 9600, "FetchFailed(BlockManagerId(1))"),
        stage("StageSubmitted", 3, 1, &[2], 9700, 0, ""),
        task(3, 1, 0, 9710, 9910),
        task(3, 1, 1, 9710, 9990),
        stage("StageCompleted", 3, 1, &[2], 9700, 10_000, ""),
        job_end(1, 10_010, "JobSucceeded"),
    ];
    lines.push(r#"{"Event":"SparkListenerApplicationEnd","Timestamp":10500}"#.to_owned());
    lines
}

/// The lines as a file's text.
pub(crate) fn text() -> String {
    lines().join("\n") + "\n"
}

pub(crate) fn executor_added(id: u32, at: i64) -> String {
    format!(
        r#"{{"Event":"SparkListenerExecutorAdded","Timestamp":{at},"Executor ID":"{id}","Executor Info":{{"Host":"h{id}","Total Cores":1}}}}"#
    )
}

pub(crate) fn executor_removed(id: u32, at: i64, reason: &str) -> String {
    format!(
        r#"{{"Event":"SparkListenerExecutorRemoved","Timestamp":{at},"Executor ID":"{id}","Removed Reason":"{reason}"}}"#
    )
}

pub(crate) fn job_start(id: u32, at: i64, stages: &[u32]) -> String {
    format!(
        r#"{{"Event":"SparkListenerJobStart","Job ID":{id},"Submission Time":{at},"Stage Infos":[],"Stage IDs":{stages:?},"Properties":{{}}}}"#
    )
}

/// `result` is `JobSucceeded`, or a failure's message.
pub(crate) fn job_end(id: u32, at: i64, result: &str) -> String {
    let result = match result {
        "JobSucceeded" => r#"{"Result":"JobSucceeded"}"#.to_owned(),
        message => format!(r#"{{"Result":"JobFailed","Exception":{{"Message":"{message}"}}}}"#),
    };
    format!(
        r#"{{"Event":"SparkListenerJobEnd","Job ID":{id},"Completion Time":{at},"Job Result":{result}}}"#
    )
}

/// A stage of two tasks. Times of 0 and an empty failure are left out.
pub(crate) fn stage(
    event: &str,
    id: u32,
    attempt: u32,
    parents: &[u32],
    submitted: i64,
    completed: i64,
    failure: &str,
) -> String {
    let mut more = String::new();
    if completed > 0 {
        more += &format!(r#","Completion Time":{completed}"#);
    }
    if !failure.is_empty() {
        more += &format!(r#","Failure Reason":"{failure}""#);
    }
    format!(
        r#"{{"Event":"SparkListener{event}","Stage Info":{{"Stage ID":{id},"Stage Attempt ID":{attempt},"Stage Name":"s{id}","Number of Tasks":2,"Parent IDs":{parents:?},"Submission Time":{submitted}{more}}}}}"#
    )
}

/// A successful task that read 100 bytes, read 20 and wrote 30 shuffled, and peaked at its
/// partition's number of kilobytes.
pub(crate) fn task(stage: u32, attempt: u32, partition: u32, from: i64, until: i64) -> String {
    let peak = 1000 * (u64::from(partition) + 1);
    format!(
        r#"{{"Event":"SparkListenerTaskEnd","Stage ID":{stage},"Stage Attempt ID":{attempt},"Task Type":"ResultTask","Task End Reason":{{"Reason":"Success"}},"Task Info":{{"Task ID":7,"Index":{partition},"Attempt":0,"Partition ID":{partition},"Launch Time":{from},"Executor ID":"1","Host":"h1","Speculative":false,"Finish Time":{until},"Failed":false,"Killed":false,"Accumulables":[]}},"Task Executor Metrics":{{"JVMHeapMemory":5000,"JVMOffHeapMemory":700,"ProcessTreeJVMRSSMemory":0}},"Task Metrics":{{"Executor Run Time":5,"Peak Execution Memory":{peak},"Shuffle Read Metrics":{{"Remote Bytes Read":15,"Local Bytes Read":5}},"Shuffle Write Metrics":{{"Shuffle Bytes Written":30}},"Input Metrics":{{"Bytes Read":100,"Records Read":1}}}}}}"#
    )
}
