use jiff::tz::TimeZone;
use sim::outcome::CoreTime;
use sim::outcome::{Billed, Costs as RowCosts, Ledger, LedgerRecord, PodUse, Sink};
use sim::scenario::SharedSplit;
use sim::units::NanoUsd;
use sim::workload::{ApplicationId, Run, TeamId};

use super::*;
use crate::tables::{TableSink, tests::scenario};

const HOUR_MS: i64 = 3_600_000;

/// Two teams; `ml` asked for a core and used three, `etl` asked for two and used one.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let run = |id: &str, team| Run {
        run_id: id.into(),
        application: ApplicationId(team),
        team: TeamId(team),
        ..Run::default()
    };
    let workload = sim::Workload {
        epoch_ms: 1_767_225_600_000,
        applications: vec!["train".into(), "load".into()],
        teams: vec!["ml".into(), "etl".into()],
        runs: vec![run("a", 0), run("b", 1)].into(),
        ..sim::Workload::default()
    };
    let scenario = scenario();
    let mut sink = TableSink::create(folder.path(), &scenario, &workload).unwrap();
    let usd = |cents: i64| NanoUsd::new(cents * 10_000_000);
    let cores = |requested: u128, used: u128| PodUse {
        cpu_requested: CoreTime(requested * 3_600_000_000),
        cpu_used: CoreTime(used * 3_600_000_000),
        cpu_larger: CoreTime(requested.max(used) * 3_600_000_000),
        memory_mib_ms: 0,
    };
    let mut row = |hour: i64, billed, costs: RowCosts, pod_use| {
        let (hour_ms, node) = (hour * HOUR_MS, Some([0, 0, 1]));
        let of = match billed {
            Billed::Run(run) => workload.runs.get(run as usize),
            _ => None,
        };
        let row = LedgerRecord { hour_ms, node, billed, attempt: None, costs, pod_use };
        sink.ledger(row, of.as_deref());
    };
    let useful = |cents| Ledger { useful: usd(cents), ..Ledger::default() };
    let own = |nodes| RowCosts { nodes, ..RowCosts::default() };
    row(0, Billed::Run(0), own(useful(100)), cores(1, 3));
    row(0, Billed::Run(1), own(useful(200)), cores(2, 1));
    let unallocated = Ledger { unallocated: usd(50), ..Ledger::default() };
    let shared = RowCosts { nodes: unallocated, tax: NanoUsd::new(7), ..RowCosts::default() };
    row(0, Billed::Shared, shared, PodUse::default());
    row(30, Billed::Run(1), own(useful(400)), cores(4, 4));
    row(60, Billed::Shared, shared, PodUse::default());
    sink.finish().unwrap();
    folder
}

fn costs(by: &[Dimension], period: Period, split: SharedSplit) -> Costs {
    let folder = folder();
    let query = Query { by: by.to_vec(), period, split, timezone: TimeZone::UTC };
    read(folder.path(), query).unwrap()
}

/// Nano-dollars of a group in a period.
fn cost(costs: &Costs, name: &str, period: usize) -> i64 {
    let cells = costs.groups.get(&vec![Some(name.to_owned())]);
    cells.and_then(|cells| cells.get(&period)).map_or(0, Cell::total)
}

const TOTAL: i64 = 8_000_000_014;

#[test]
fn whatever_the_question_the_answer_adds_up_to_the_bill() {
    for by in [
        &[Dimension::Team][..],
        &[Dimension::Pool, Dimension::Application],
        &[Dimension::Run],
        &[Dimension::Kind],
        &[Dimension::Kind, Dimension::Team],
        &[Dimension::Zone, Dimension::CapacityType, Dimension::InstanceType],
    ] {
        for split in SharedSplit::ALL {
            for period in [Period::Hour, Period::Day, Period::Week, Period::Month, Period::All] {
                let costs = costs(by, period, split);
                assert_eq!(costs.total().total(), TOTAL, "{by:?} {split:?} {period:?}");
                let cpu = costs.total().cpu[0];
                assert!((cpu - 7.0 * 3600.0).abs() < 1e-9, "{by:?}: {cpu}");
            }
        }
    }
}

#[test]
fn shared_cost_follows_its_rule() {
    let day = |split| costs(&[Dimension::Team], Period::Day, split);
    let shares = |costs: &Costs| [cost(costs, "ml", 0), cost(costs, "etl", 0)];
    // Of 50 cents and 7 nano-dollars: 1 to 2 by request, 3 to 2 by the larger; `etl` is first.
    assert_eq!(shares(&day(SharedSplit::Request)), [1_166_666_670, 2_333_333_337]);
    assert_eq!(shares(&day(SharedSplit::MaxRequestUse)), [1_300_000_005, 2_200_000_002]);
    assert_eq!(shares(&day(SharedSplit::Even)), [1_250_000_004, 2_250_000_003]);
    let none = day(SharedSplit::None);
    assert_eq!(shares(&none), [1_000_000_000, 2_000_000_000]);
    assert_eq!(cost(&none, "(shared)", 0), 500_000_007);
    // A day without owners keeps what is shared.
    assert_eq!(cost(&day(SharedSplit::Even), "(shared)", 2), 500_000_007);
}

#[test]
fn forecasts_say_what_they_rest_on() {
    let costs = costs(&[Dimension::Team], Period::Day, SharedSplit::None);
    let forecast = Forecast::of(&costs, Some(0.1)).unwrap();
    // The last two days have an hour each of 24: the one before counts, by the hour.
    assert!((forecast.usd - 4.0 * 24.0 * 1.1).abs() < 1e-9, "{forecast:?}");
    assert_eq!(Forecast::of(&costs, None).unwrap().growth, Growth::Unknown);
}

#[test]
fn tables_show_every_period_against_the_one_before() {
    let costs = costs(&[Dimension::Team], Period::Day, SharedSplit::MaxRequestUse);
    let csv = table(&costs, 1).to_csv();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 5, "{csv}");
    assert!(lines[1].starts_with("2026-01-03,(shared)"), "{csv}");
    assert!(lines[2].starts_with("2026-01-02,etl,4.0,1.0,2.200000002,"), "{csv}");
    assert!(lines[4].starts_with("2026-01-01,1 others,1.300000005,"), "{csv}");
    let lines = summary_lines(&costs, None).join("\n");
    assert!(lines.contains("not whole: 2026-01-01 (1 of 24 hours)"), "{lines}");
}

#[test]
fn opencost_gets_its_own_names() {
    let costs = costs(&[Dimension::Team], Period::Day, SharedSplit::MaxRequestUse);
    let value = allocations(&costs, "trial");
    let ml = &value["data"][0]["ml"];
    let number = |key: &str| ml[key].as_f64().unwrap();
    assert_eq!((number("cpuCoreHours"), number("cpuEfficiency")), (3.0, 3.0));
    assert_eq!((number("cpuCost"), number("sharedCost")), (1.0, 0.300000005));
    let parts = ["cpuCost", "ramCost", "pvCost", "networkCost", "sharedCost", "externalCost"];
    let sum: f64 = parts.into_iter().map(number).sum();
    assert!((sum - number("totalCost")).abs() < 1e-12);
    assert_eq!(ml["properties"]["labels"]["team"], "ml");
    assert_eq!(value["data"][0]["etl"]["minutes"], 60.0);
}
