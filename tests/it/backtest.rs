//! Predictions against recordings: the accuracy that the documents promise.
//!
//! Bounds are the aims, wider than what was measured (`docs/backtest.md`); the shared recordings are
//! looked at where they are there.

use std::path::{Path, PathBuf};

use planner::backtest::logs::{self, Arrivals};
use planner::backtest::{Kind, Scorecard, truth};

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/spark").join(name);
    if !path.exists() {
        eprintln!("SKIPPED: ../shared/data/spark/{name} is not there");
        return None;
    }
    Some(path)
}

fn replayed(paths: &[PathBuf]) -> Scorecard {
    let read = traces::event_log::read_event_logs(paths, &|_| {});
    logs::backtest(&read.applications, Arrivals::Recorded)
}

#[test]
fn our_samples_replay_as_they_were() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/traces/samples/recorded");
    let card = replayed(&[PathBuf::from(folder)]);
    assert_eq!(card.cases.len(), 6);
    for case in &card.cases {
        let error = case.error.unwrap();
        assert!(error.abs() < 0.03, "{}: {error:+.3}", case.application);
        assert!(case.stage_end_error.unwrap() < 0.03, "{}", case.application);
        let (recorded, predicted) = case.executor_seconds.unwrap();
        assert!((predicted / recorded - 1.0).abs() < 0.05, "{}", case.application);
    }
}

#[test]
fn recordings_predict_other_configurations() {
    let Some(folder) = shared("recorded") else { return };
    let card = |arrivals| truth::backtest(&folder, arrivals, &|_| {}).unwrap();
    let kind = |card: &Scorecard, kind| card.errors(|case| case.kind == kind);
    let modelled = card(Arrivals::Modelled);
    let fixed = kind(&modelled, Kind::Fixed);
    assert_eq!((fixed.predictions, modelled.left_out.len()), (108, 5));
    assert!(fixed.mean_ape.unwrap() < 0.03, "{fixed:?}");
    assert!(fixed.worst_ape.unwrap() < 0.10, "{fixed:?}");
    let dynamic = kind(&modelled, Kind::Dynamic);
    assert!(dynamic.mean_ape.unwrap() < 0.10, "{dynamic:?}");
    let recorded = kind(&card(Arrivals::Recorded), Kind::Dynamic);
    assert!(recorded.mean_ape.unwrap() < 0.05, "{recorded:?}");
}

#[test]
fn logs_with_faults_replay_with_them() {
    let Some(folder) = shared("recorded-faults") else { return };
    let card = replayed(&[folder]);
    assert_eq!(card.cases.len(), 9);
    let errors = card.errors(|_| true);
    assert!(errors.mean_ape.unwrap() < 0.08, "{errors:?}");
    for case in &card.cases {
        assert_eq!(case.failed.0, case.failed.1, "{}", case.application);
    }
}

#[test]
fn public_logs_replay_as_they_were() {
    let Some(folder) = shared("eventlogs") else { return };
    let card = replayed(&[folder]);
    let errors = card.errors(|_| true);
    assert!(errors.predictions >= 50, "{errors:?}");
    assert!(errors.median_ape.unwrap() < 0.03, "{errors:?}");
    assert!(errors.p90_ape.unwrap() < 0.10, "{errors:?}");
    assert!(errors.worst_ape.unwrap() < 0.20, "{errors:?}");
}
