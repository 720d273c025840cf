use sim::scenario::Assumptions;
use sim::units::NanoUsd;
use sim::{Finding, Severity};

use super::*;
use crate::findings::Source;
use crate::summary::tests::outcome;

fn findings() -> Findings {
    let mut findings = Findings::new(Assumptions::default().list());
    let warning = Finding::new(Severity::Warning, "not-modelled", "a.conf", "spark.x");
    findings.extend(Source::Scenario, [warning]);
    findings
}

#[test]
fn a_summary_shows_what_a_platform_engineer_asks_for() {
    let one = Summary::of(&outcome(), 7).unwrap();
    let around = Surroundings {
        bold: false,
        folder: Some("results/quick"),
        next: Some("seatrial run other.yaml"),
    };
    let text = summary(&one, &findings(), around);
    for expected in [
        "quick: seed 7\n",
        "3 runs over 1h00m: 2 succeeded, 1 failed, 0 unfinished",
        "4 attempts; failed: 1 spot",
        "run submitted to driver running           0.50s  0.90s  0.99s  1.00s",
        "on demand      $100.00   66.7 %  ████████████████",
        "control plane   <$0.01    0.0 %",
        "useful           $150.00  100.0 %  ████████████████████████",
        "drivers    $100.00  66.7 %",
        "5 nodes launched, 0 at most at one time; 2 on-demand and 1.5 spot node-hours",
        "12.3 % of allocatable CPU and 0.0 % of memory",
        "0 errors, 1 warning, 0 notes; ",
        "results/quick\n",
        "Next: seatrial run other.yaml\n",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'));
    assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
}

#[test]
fn hostile_names_stay_text() {
    let mut hostile = outcome();
    hostile.scenario = "\u{1b}]0;owned\u{7}quick".to_owned();
    hostile.cost.by_team[0].0 = "=cmd|' /C calc'!A0\u{1b}[2J\n# big".to_owned();
    let one = Summary::of(&hostile, 0).unwrap();
    let terminal = summary(&one, &findings(), Surroundings::default());
    assert!(!terminal.contains(['\u{1b}', '\u{7}']), "{terminal}");
    let markdown = summary_markdown(&one, &findings());
    assert!(markdown.contains("=cmd\\|' /C calc'\\!A0 \\# big"), "{markdown}");
    assert!(!markdown.contains('\u{1b}'));
}

#[test]
fn many_teams_are_added_up() {
    let mut crowded = outcome();
    let whole = crowded.cost.total();
    crowded.cost.by_team =
        (0..40).map(|team| (format!("team-{team}"), NanoUsd::new(team))).collect();
    let sum: NanoUsd = crowded.cost.by_team.iter().map(|(_, cost)| *cost).sum();
    crowded.cost.by_team.push(("big".to_owned(), whole - sum));
    let one = Summary::of(&crowded, 0).unwrap();
    let text = summary(&one, &findings(), Surroundings::default());
    assert!(text.contains("31 others"), "{text}");
    assert!(text.contains("  big        $150.00  100.0 %"), "{text}");
}

#[test]
fn csv_has_one_line_a_number_and_intervals_over_replications() {
    let one = Summary::of(&outcome(), 0).unwrap();
    let csv = summary_csv(&one);
    assert!(csv.starts_with("metric,value\nworkload.runs,3\n"), "{csv}");
    assert!(csv.contains("cost_usd.by_kind.storage,0.000000003\n"), "{csv}");
    let two = Summary::of_replications(vec![one.clone(), one]).unwrap();
    let csv = summary_csv(&two);
    assert!(csv.starts_with("metric,value,mean,ci95_low,ci95_high,n\n"));
    assert!(csv.contains("workload.runs,3,3,3,3,2\n"), "{csv}");
    let text = summary(&two, &findings(), Surroundings::default());
    assert!(text.contains("means of 2 replications"), "{text}");
    assert!(text.contains("$100.00  ± $0.00   66.7 %"), "{text}");
}

#[test]
fn several_replications_show_their_means() {
    let mut other = outcome();
    other.nodes_peak = 9;
    let pair = [outcome(), other].map(|one| Summary::of(&one, 0).unwrap());
    let both = Summary::of_replications(pair.to_vec()).unwrap();
    let text = summary(&both, &findings(), Surroundings::default());
    // 4.5 +- t(1) * 4.5.
    assert!(text.contains("4.5 ± 57.2 at most at one time"), "{text}");
    assert!(text.contains("  3 runs over"), "{text}");
}
