//! The first screen: cost, waiting, failures, how full it was, and how sure that is.

use super::data::Data;
use crate::document::{Block, Card, Section};
use crate::figures::{dollars, duration, grouped, percent};
use sim::units::NanoUsd;

pub(super) fn subtitle(data: &Data) -> String {
    let replications = data.number("/replications") as u64;
    let span = data.number("/workload/span_s");
    let many = match replications {
        0 | 1 => "one replication".to_owned(),
        n => format!("{n} replications; plots and tables show the first"),
    };
    format!(
        "{} runs over {}, from {}; seed {}, {many}",
        grouped(data.number("/workload/runs") as u64),
        duration(span),
        data.moment(0.0),
        data.number("/seed") as u64,
    )
}

pub(super) fn section(data: &Data) -> Section {
    let blocks = vec![Block::Cards(cards(data)), Block::Lines(lines(data))];
    Section { id: "answer", title: "The answer", blocks }
}

/// A number with half its interval, where there are several replications.
fn with_interval(data: &Data, path: &str, show: impl Fn(f64) -> String) -> (String, String) {
    let (value, half) = data.estimate(path);
    let note = half.map_or(String::new(), |half| format!("± {} (95 %)", show(half)));
    (show(value), note)
}

fn cards(data: &Data) -> Vec<Card> {
    let money = |usd: f64| dollars(NanoUsd::new((usd * 1e9).round() as i64));
    let card = |label, (value, note): (String, String), more: String| {
        let gap = if note.is_empty() || more.is_empty() { "" } else { "; " };
        Card { label, value, note: format!("{note}{gap}{more}") }
    };
    let runs = data.number("/workload/runs").max(1.0);
    let whole = data.whole();
    let (waste, total) = (whole.waste() as f64, whole.total() as f64);
    let per_run = format!("{} a run", money(total / 1e9 / runs));
    let ended = data.number("/outcome/succeeded") + data.number("/outcome/failed");
    let share = |value: f64| percent(value, 1.0);
    let count = |value: f64| grouped(value.round() as u64);
    let queue = "/latency_s/run_queue_delay";
    let delay = "/latency_s/pod_scheduling_delay";
    let median = |path: &str| format!("median {}", duration(data.number(&format!("{path}/p50"))));
    vec![
        card("Cost", with_interval(data, "/cost_usd/total", money), per_run),
        card(
            "Of it waste",
            (percent(waste, total), String::new()),
            format!("{}: idle, repeated, failed, starting, empty room", money(waste / 1e9)),
        ),
        card(
            "Runs queue, p99",
            with_interval(data, &format!("{queue}/p99"), duration),
            median(queue),
        ),
        card(
            "Pods wait for a node, p99",
            with_interval(data, &format!("{delay}/p99"), duration),
            median(delay),
        ),
        card(
            "Runs failed",
            with_interval(data, "/outcome/failed", count),
            format!("{} of those that ended", percent(data.number("/outcome/failed"), ended)),
        ),
        card(
            "CPU asked for",
            with_interval(data, "/utilization/cpu", share),
            format!("memory {}", share(data.number("/utilization/memory"))),
        ),
        card(
            "Nodes, most at once",
            with_interval(data, "/nodes/peak", count),
            format!("{} launched", count(data.number("/nodes/launched"))),
        ),
        card(
            "Spot interruptions",
            with_interval(data, "/nodes/spot_interruptions", count),
            format!("{} spot node-hours", count(data.number("/nodes/node_hours/spot"))),
        ),
    ]
}

fn lines(data: &Data) -> Vec<String> {
    let backtest = &data.summary["backtest"];
    let number = |key: &str| backtest[key].as_f64().unwrap_or(0.0) * 100.0;
    let mut lines = vec![match backtest.is_object() {
        true => format!(
            "How far predictions were off where they could be checked: {} predictions, mean error \
             {:.1} %, p90 {:.1} %, worst {:.1} %, bias {:+.1} %.",
            backtest["predictions"],
            number("mean_ape"),
            number("p90_ape"),
            number("worst_ape"),
            number("bias"),
        ),
        false => "Nobody has checked this platform's predictions yet: `seatrial backtest` replays \
                  recorded runs, and `run --scorecard` puts its errors here."
            .to_owned(),
    }];
    let unfinished = data.number("/outcome/unfinished") as u64;
    if unfinished > 0 {
        lines.push(format!("{} runs had not ended when the simulation did.", grouped(unfinished)));
    }
    let guesses = data.findings["assumptions"].as_array();
    let guesses = guesses
        .map_or(0, |list| list.iter().filter(|one| one["guess"].as_bool() == Some(true)).count());
    if guesses > 0 {
        lines.push(format!(
            "{guesses} numbers behind this are guesses; they are listed under Assumptions."
        ));
    }
    lines
}
