//! `explain`: goldens on records made by hand, names that are unknown or hostile, and the command
//! on a simulated result.

use std::path::Path;
use std::process::Command;

use expect_test::{Expect, expect};
use reports::explain::{ExplainError, Subject, explain};
use reports::render::Format;
use reports::tables::TableSink;
use sim::outcome::*;
use sim::scenario::CapacityType;
use sim::units::{Bytes, MilliCores, NanoUsd, SimDuration};
use sim::workload::{ApplicationId, Failure, Run, RunOutcome, TeamId, TracePod};
use sim::{Sink, Workload};

use crate::fixtures::{at, on, platform, pod_record, pool, run, simulate, trace_pod};

const HOSTILE: &str = "\u{1b}[2Jevil\u{7}\n| x";

fn workload() -> Workload {
    Workload {
        epoch_ms: 1_600_000_000_000,
        applications: vec!["etl".into()],
        teams: vec!["data".into()],
        runs: vec![
            Run { run_id: "r-0".into(), ..Run::default() },
            Run { run_id: HOSTILE.into(), ..Run::default() },
        ]
        .into(),
        pods: vec![TracePod { name: HOSTILE.into(), ..TracePod::default() }],
    }
}

fn pod(number: u64, kind: PodKind) -> PodRecord {
    PodRecord { cost: NanoUsd::new(25_000_000), ..pod_record(number, kind) }
}

fn run_record(run: u32) -> RunRecord {
    RunRecord {
        run,
        application: ApplicationId(0),
        team: TeamId(0),
        submitted_at: at(5),
        ready_at: None,
        started_at: Some(at(60)),
        ended_at: Some(at(700)),
        outcome: RunOutcome::Failed,
        failure: Some(Failure::ExecutorOom),
        attempts: 1,
        cost: Ledger { useful: NanoUsd::new(40_000_000), ..Ledger::default() },
        emr: NanoUsd::ZERO,
        network: NanoUsd::ZERO,
    }
}

/// One executor that waited for a node of `executors`, one trace pod that fits nowhere.
fn result() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, workload) = (platform(), workload());
    let mut sink = TableSink::create(folder.path(), &scenario, &workload).unwrap();
    let wait = |sink: &mut TableSink<'_>, pod, seconds, reason| {
        sink.waiting(WaitingRecord { pod, at: at(seconds), reason, kind: reason });
    };
    wait(&mut sink, 1, 10, "0/2 nodes are available: 2 Insufficient cpu.");
    wait(&mut sink, 1, 30, "0/3 nodes are available: 3 Insufficient cpu.");
    wait(&mut sink, 1, 40, "0/3 nodes are available: 1 Insufficient cpu, 2 Too many pods.");
    wait(&mut sink, 2, 10, "0/3 nodes are available: 3 Insufficient memory.");
    let mut scale = |seconds, node, decision, reason| {
        sink.scaling(ScalingRecord { at: at(seconds), pool: Some(1), node, decision, reason });
    };
    let grow = "pod triggered scale-up: [{executors 0->2 (max: 50)}]";
    scale(20, None, ScalingDecision::ScaleUp { nodes: 2 }, grow);
    scale(50, None, ScalingDecision::NoScaleUp, "max node group size reached");
    scale(750, Some(3), ScalingDecision::Unneeded, "node is unneeded");
    scale(750, Some(4), ScalingDecision::Unneeded, "node is unneeded");
    scale(1400, Some(4), ScalingDecision::ScaleDown, "empty for 10m50s");
    let of: Vec<_> = workload.runs.iter().collect();
    sink.pod(pod(1, PodKind::Executor), Some(&of[0]));
    let unplaced = PodRecord {
        memory: Bytes::gib(20),
        bound_at: None,
        ready_at: None,
        node: None,
        cost: NanoUsd::ZERO,
        result: PodResult::Unfinished,
        ..pod(2, PodKind::Trace)
    };
    sink.pod(unplaced, None);
    for node in [3, 4] {
        sink.node(NodeRecord {
            node,
            pool: 1,
            instance_type: 0,
            zone: 0,
            capacity_type: CapacityType::Spot,
            launched_at: at(20),
            ready_at: Some(at(90)),
            terminated_at: at(if node == 4 { 1405 } else { 2000 }),
            interrupted: false,
            disrupted_by: None,
            pods: (node == 4).into(),
            cost: NanoUsd::new(50_000_000),
            pods_cost: NanoUsd::new(if node == 4 { 25_000_000 } else { 0 }),
        });
    }
    sink.run(run_record(0), &of[0]);
    sink.run(run_record(1), &of[1]);
    let attempt = AttemptRecord {
        run: 0,
        attempt: 1,
        submitted_at: at(5),
        started_at: Some(at(60)),
        tasks_started_at: None,
        ended_at: at(700),
        outcome: RunOutcome::Failed,
        failure: Some(Failure::ExecutorOom),
        executor_memory: Bytes::gib(11),
        executor_memory_asked: Bytes::ZERO,
        executor_memory_needed: None,
        driver_memory: Bytes::gib(2),
        executors_max: 8,
        executors_peak: 1,
        executor_time: sim::units::SimDuration::ZERO,
        stage_ends: Box::default(),
        executors_lost_to_spot: 0,
        executors_oom_killed: 4,
        on_demand: false,
        task_time: SimDuration::seconds(500),
        task_time_lost: SimDuration::seconds(60),
        cost: Ledger::default(),
    };
    sink.attempt(attempt, &of[0]);
    sink.finish().unwrap();
    folder
}

fn pod_named(name: &str) -> Subject {
    Subject::Pod { name: name.into(), attempt: None }
}

#[track_caller]
fn check(subject: &Subject, format: Format, expected: &Expect) {
    let folder = result();
    let explanation = explain(folder.path(), subject).unwrap();
    expected.assert_eq(&explanation.render(format, false));
}

#[test]
fn an_executor_that_waited_for_a_node() {
    check(
        &pod_named("r-0/exec-1"),
        Format::Table,
        &expect![[r#"
        pod r-0/exec-1 (executor, attempt 1, number 1): waited 1m30s for a node, then held it for 10m00s: deleted

        Pod
          name                  r-0/exec-1
          number                1
          kind                  executor
          asks cpu              3.4
          asks memory           11.0Gi
          created               2020-09-13 12:26:50Z
          waited                1m30s
          node                  4 (executors, m5.xlarge, us-west-2a)
          image, process start  30.0s
          ended                 2020-09-13 12:38:20Z
          result                deleted
          node cost             $0.0250

        Life
          at                      for  event       detail
          2020-09-13 12:26:50Z      -  created     asks cpu 3.4, memory 11.0Gi
          2020-09-13 12:26:50Z  30.0s  waits       0/2 nodes are available: 2 Insufficient cpu.
          2020-09-13 12:27:00Z      -  scale-up    pod triggered scale-up: [{executors 0->2 (max: 50)}]
          2020-09-13 12:27:00Z  1m10s  node boots  node 4 of executors is asked for
          2020-09-13 12:27:20Z  1m00s  waits       0/3 nodes are available: 1 Insufficient cpu, 2 Too many pods.
          2020-09-13 12:28:20Z  30.0s  bound       to node 4 (executors, m5.xlarge)
          2020-09-13 12:28:50Z  9m30s  ready       executor registered
          2020-09-13 12:38:20Z      -  ended       deleted

        What it waited for
          reason                           pods  time in all  longest
          Insufficient cpu, Too many pods     1        1m00s    1m00s
          Insufficient cpu                    1        30.0s    30.0s

        The autoscaler meanwhile
          first                 last                  times  node group  decision     reason, at first
          2020-09-13 12:27:00Z  2020-09-13 12:27:00Z      1  executors   scale up     pod triggered scale-up: [{executors 0->2 (max: 50)}]
          2020-09-13 12:27:30Z  2020-09-13 12:27:30Z      1  executors   no scale up  max node group size reached

        Next
          Of 1m30s it waited 10.0s until its node was asked for, 1m10s until that was ready and 10.0s until it was bound. Shorter: warm room (overprovisioning) or a larger minSize of executors.
    "#]],
    );
}

#[test]
fn a_pod_that_fits_nowhere() {
    check(
        &pod_named("2"),
        Format::Table,
        &expect![[r#"
        pod evil | x (trace, number 2): never had a node in 11m30s

        Pod
          name         evil | x
          number       2
          kind         trace
          asks cpu     3.4
          asks memory  20.0Gi
          created      2020-09-13 12:26:50Z
          waited       11m30s
          ended        2020-09-13 12:38:20Z
          result       unfinished
          node cost    $0.0000

        Life
          at                       for  event    detail
          2020-09-13 12:26:50Z       -  created  asks cpu 3.4, memory 20.0Gi
          2020-09-13 12:26:50Z  11m30s  waits    0/3 nodes are available: 3 Insufficient memory.
          2020-09-13 12:38:20Z       -  ended    unfinished

        What it waited for
          reason               pods  time in all  longest
          Insufficient memory     1       11m30s   11m30s

        The autoscaler meanwhile
          first                 last                  times  node group  decision     reason, at first
          2020-09-13 12:27:00Z  2020-09-13 12:27:00Z      1  executors   scale up     pod triggered scale-up: [{executors 0->2 (max: 50)}]
          2020-09-13 12:27:30Z  2020-09-13 12:27:30Z      1  executors   no scale up  max node group size reached

        Next
          No node can ever hold it: it asks 20.0Gi of memory, the largest node has 13.8Gi for pods (executors, m5.xlarge). A larger instance type, or pods of at most 13.8Gi.
    "#]],
    );
}

#[test]
fn a_node_group_over_time() {
    check(
        &Subject::NodeGroup("executors".into()),
        Format::Table,
        &expect![[r#"
        node group executors: 2 nodes launched, 2 at most at one time (min 0, max 50)

        Node group
          instance types             m5.xlarge (3.77 cpu, 13.8Gi for pods)
          capacity                   spot
          fewest nodes               0
          nodes at the start         0
          most nodes                 50
          launched                   2
          at most at one time        2
          taken back by the cloud    0
          node-hours                 0.9
          cost                       $0.10
          of that asked for by pods  $0.03

        Decisions, counted
          decision     times  nodes  reason
          unneeded         2      2  node is unneeded
          no scale up      1      0  max node group size reached
          scale down       1      1  empty for 10m50s
          scale up         1      2  pod triggered scale-up: [{executors N->N (max: N)}]

        How its nodes ended
          end                        nodes  mean life   cost
          removed by the autoscaler      1     23m05s  $0.05
          stayed to the end              1     33m00s  $0.05

        Decisions over time
          at                    decision     nodes  which  reason
          2020-09-13 12:27:00Z  scale up         2  -      pod triggered scale-up: [{executors 0->2 (max: 50)}]
          2020-09-13 12:27:30Z  no scale up      0  -      max node group size reached
          2020-09-13 12:39:10Z  unneeded         2  3 4    node is unneeded
          2020-09-13 12:50:00Z  scale down       1  4      empty for 10m50s

        Next
          25 % of its cost was asked for by pods.
          The node with the most unused cost: --node 3.
    "#]],
    );
}

#[test]
fn a_nodes_life() {
    check(
        &Subject::Node("4".into()),
        Format::Markdown,
        &expect![[r#"
        # node 4 (executors, m5.xlarge, spot): lived 23m05s, had 1 pod

        ## Node

        |  |  |
        | --- | --- |
        | node | 4 |
        | node group | executors |
        | instance type | m5.xlarge |
        | zone | us-west-2a |
        | capacity | spot |
        | asked for | 2020-09-13 12:27:00Z |
        | boot | 1m10s |
        | gone | 2020-09-13 12:50:05Z |
        | cost | $0.0500 |
        | of that its pods' | $0.0250 |

        ## Life

        | at | event | detail |
        | --- | --- | --- |
        | 2020-09-13 12:27:00Z | scale up | pod triggered scale-up: \[{executors 0-&gt;2 (max: 50)}\] |
        | 2020-09-13 12:27:00Z | launched | m5.xlarge in us-west-2a |
        | 2020-09-13 12:28:10Z | ready | pods can be bound, after 1m10s |
        | 2020-09-13 12:39:10Z | unneeded | node is unneeded |
        | 2020-09-13 12:50:00Z | scale down | empty for 10m50s |
        | 2020-09-13 12:50:05Z | gone | removed by the autoscaler |

        ## Its pods

        | pod | bound | held it for | cpu | memory | result |
        | --- | --- | ---: | ---: | ---: | --- |
        | r-0/exec-1 | 2020-09-13 12:28:20Z | 10m00s | 3.4 | 11.0Gi | deleted |

        ## Next

        - It was empty for its last 11m45s: a shorter scale-down-unneeded-time would have saved most of that.
        - 50 % of its cost was asked for by pods.
    "#]],
    );
}

#[test]
fn a_runs_life() {
    check(
        &Subject::Run("r-0".into()),
        Format::Table,
        &expect![[r#"
            run r-0 of etl: failed (executor_oom) after 11m35s, 1 attempt

            Run
              run                      r-0
              place in the workload    0
              application              etl
              team                     data
              submitted                2020-09-13 12:26:45Z
              queued until driver ran  55.0s
              ended                    2020-09-13 12:38:20Z
              outcome                  failed
              failure                  executor_oom
              pods                     1
              its pods waited, in all  1m30s

            Attempts
              attempt  submitted             queued    took  outcome  failure       executors  lost to spot  killed for memory  executor memory  task time lost
                    1  2020-09-13 12:26:45Z   55.0s  11m35s  failed   executor_oom          1             0                  4           11.0Gi           1m00s

            Timeline
              from 2020-09-13 12:26:50Z to 2020-09-13 12:38:20Z (11m30s)
              pod         attempt  · waits  ░ starts  █ works  × lost                               cost  where
              r-0/exec-1        1  ·······░░░██████████████████████████████████████████████████  $0.0250  node 4, m5.xlarge in us-west-2a, spot; waited 1m30s: 0/3 no…

            What its pods waited for
              reason                           pods  time in all  longest
              Insufficient cpu, Too many pods     1        1m00s    1m00s
              Insufficient cpu                    1        30.0s    30.0s

            Pods, the longest wait first
              pod         attempt  created               waited  node  result   waited last for
              r-0/exec-1        1  2020-09-13 12:26:50Z   1m30s     4  deleted  0/3 nodes are available: 1 Insufficient cpu, 2 Too many pods.

            What it cost
              kind              cost
              nodes, in all  $0.0400
              useful         $0.0400

            Next
              4 executors were killed for memory: more executor memory or overhead, or a rung of the retry ladder that adds it.
              The longest wait: --pod r-0/exec-1 says why.
        "#]],
    );
}

#[test]
fn scripts_get_values() {
    check(
        &pod_named("r-0-exec-1"),
        Format::Csv,
        &expect![[r#"
        at_s,for_s,event,detail
        10.0,,created,"asks cpu 3.4, memory 11.0Gi"
        10.0,30.0,waits,0/2 nodes are available: 2 Insufficient cpu.
        20.0,,scale-up,pod triggered scale-up: [{executors 0->2 (max: 50)}]
        20.0,70.0,node boots,node 4 of executors is asked for
        40.0,60.0,waits,"0/3 nodes are available: 1 Insufficient cpu, 2 Too many pods."
        100.0,30.0,bound,"to node 4 (executors, m5.xlarge)"
        130.0,570.0,ready,executor registered
        700.0,,ended,deleted
    "#]],
    );
    check(
        &Subject::NodeGroup("drivers".into()),
        Format::Json,
        &expect![[r#"
        {
          "subject": "node group drivers: 0 nodes launched, 0 at most at one time (min 0, max 20)",
          "node_group": {
            "instance_types": "m5.xlarge (3.77 cpu, 13.8Gi for pods)",
            "capacity_type": "on_demand",
            "taints": null,
            "min": 0,
            "desired": 0,
            "max": 20,
            "launched": 0,
            "peak": 0,
            "interrupted": 0,
            "node_hours": 0.0,
            "cost_usd": 0.0,
            "pods_cost_usd": 0.0
          },
          "counts": [],
          "ends": [],
          "decisions": [],
          "next": []
        }
    "#]],
    );
}

#[track_caller]
fn check_unknown(subject: Subject, expected: &str) {
    let folder = result();
    let error = explain(folder.path(), &subject).unwrap_err();
    assert!(matches!(error, ExplainError::Unknown { .. }), "{error}");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn unknown_names_are_answered_with_near_ones() {
    let unknown = "there is no pod `r-0/exec-7` in this result; did you mean `r-0/exec-1`?";
    check_unknown(pod_named("r-0/exec-7"), unknown);
    let unknown = "there is no run `r-9` in this result; did you mean `r-0`?";
    check_unknown(Subject::Run("r-9".into()), unknown);
    check_unknown(
        Subject::Node("99999999999999999999".into()),
        "there is no node `99999999999999999999` in this result",
    );
    let unknown = "there is no node group `gpu` in this result; did you mean `drivers` or \
                   `executors`?";
    check_unknown(Subject::NodeGroup("gpu".into()), unknown);
    let other = Subject::Pod { name: "r-0/exec-1".into(), attempt: Some(2) };
    let unknown = "there is no pod `r-0/exec-1` in this result; did you mean `r-0/exec-1`?";
    check_unknown(other, unknown);
}

#[test]
fn hostile_names_stay_text() {
    let folder = result();
    for subject in [pod_named(HOSTILE), Subject::Run(HOSTILE.into())] {
        let explanation = explain(folder.path(), &subject).unwrap();
        for format in [Format::Table, Format::Markdown, Format::Csv] {
            let text = explanation.render(format, false);
            assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
        }
        let markdown = explanation.render(Format::Markdown, false);
        assert!(markdown.contains("evil \\| x"), "{markdown}");
        let json = explanation.render(Format::Json, false);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(value["subject"].as_str().unwrap().contains(HOSTILE));
    }
}

#[test]
fn a_preempted_driver_says_so_and_is_retried_as_one_that_lost_its_node() {
    let mut scenario = platform();
    scenario.autoscaler = None;
    scenario.pools = vec![
        pool("drivers", CapacityType::OnDemand, (1, 1, 1)),
        pool("executors", CapacityType::Spot, (2, 2, 2)),
    ];
    let mut workload = crate::fixtures::runs(vec![run("r", 0, 400)]);
    workload.pods = vec![TracePod {
        priority: 10,
        node_selector: on(CapacityType::OnDemand).node_selector,
        ..trace_pod("urgent", 120_000, 60_000, MilliCores::new(3500))
    }];
    let (outcome, records) = simulate(&scenario, &workload, 1);
    assert_eq!(outcome.failed_attempts.get(Failure::Preempted), 1);
    assert_eq!(outcome.failed_attempts.total(), 1);
    assert_eq!(records.runs[0].failure, Some(Failure::Preempted));
    scenario.retries.rungs = vec![sim::scenario::Rung {
        when: vec![Failure::Spot],
        adjust: Vec::new(),
        steps: Vec::new(),
        backoff_step: SimDuration::ZERO,
        attempts_max: 3,
        backoff: SimDuration::minutes(1),
        backoff_factor: 1.0,
        backoff_max: SimDuration::minutes(1),
    }];
    let (outcome, records) = simulate(&scenario, &workload, 1);
    assert_eq!((outcome.succeeded, records.runs[0].attempts), (1, 2));
}

/// Exit code, standard output and standard error.
fn seatrial(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatrial"));
    let output = command.current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_explains_what_it_simulated() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = "{apiVersion: seatrial/v1alpha1, kind: Scenario, metadata: {name: small}, spec: \
                    {region: us-west-2, workload: {traces: [{pods: pods.csv}]}, nodes: {list: \
                    nodes.csv}}}";
    std::fs::write(folder.path().join("scenario.yaml"), scenario).unwrap();
    let nodes = "sn,cpu_milli,memory_mib,gpu,model\nn-0,4000,16384,0,\nn-1,4000,16384,0,\n\
                 n-2,8000,32768,2,T4\n";
    std::fs::write(folder.path().join("nodes.csv"), nodes).unwrap();
    let pods = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,\
                deletion_time,scheduled_time\n\
                a,6000,1024,2,1000,,LS,Running,0,600,0\n\
                b,6000,1024,1,1000,,LS,Running,60,900,602\n\
                huge,64000,1024,0,0,,LS,Pending,60,900,\n";
    std::fs::write(folder.path().join("pods.csv"), pods).unwrap();
    let run = |arguments: &[&str]| seatrial(folder.path(), arguments);
    let (code, json, stderr) = run(&["run", "scenario.yaml", "--out", "out", "-o", "json"]);
    assert_eq!(code, 0, "{stderr}");
    let summary: serde_json::Value = serde_json::from_str(&json).unwrap();
    // `b` waits for `a` to end, as it was recorded; `huge` fits nowhere, as it was recorded.
    let waits = &summary["pod_waits"];
    assert_eq!((&waits["pods"], &waits["compared"]), (&3.into(), &2.into()));
    assert_eq!((&waits["both_never"], &waits["within_10s"]), (&1.into(), &1.0.into()));
    assert_eq!(waits["recorded"]["max"], 542.0);
    assert_eq!(summary["outcome"]["trace_pods"]["never_bound"], 1);
    let reasons = summary["waiting"]["by_reason"].as_array().unwrap();
    let never = reasons.iter().find(|reason| reason["trace_pods_never_bound"] == 1).unwrap();
    assert!(never["reason"].as_str().unwrap().contains("Insufficient cpu"), "{never}");

    let (code, text, _) = run(&["explain", "out", "--pod", "huge"]);
    assert_eq!(code, 0);
    assert!(text.contains("asks cpu 64, the largest node has 7.85 for pods"), "{text}");
    let (code, text, _) = run(&["explain", "out", "--node-group", "list-4cpu-16Gi"]);
    assert_eq!(code, 0);
    assert!(text.contains("2 nodes launched"), "{text}");
    let (code, text, stderr) = run(&["explain", "out", "--pod", "hugo"]);
    assert_eq!((code, text.as_str()), (2, ""));
    assert!(stderr.contains("did you mean `huge`?"), "{stderr}");
    assert_eq!(run(&["explain", "out"]).0, 2);
    assert_eq!(run(&["explain", "out", "r", "--pod", "a"]).0, 2);
    let (code, _, stderr) = run(&["explain", "nowhere", "--pod", "a"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("runs.parquet"), "{stderr}");

    std::fs::write(folder.path().join("nodes.csv"), nodes.replace("n-1,4000", "n-1,many")).unwrap();
    let (code, _, stderr) = run(&["run", "scenario.yaml", "--out", "other"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("`cpu_milli` is `many`") && stderr.contains("nodes.csv:3"), "{stderr}");
}
