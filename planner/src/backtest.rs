//! Simulated against recorded: how far predictions are off.
//!
//! Three forms, all of which give [`Case`]s: [`truth`] predicts recordings from other recordings of
//! the same application, [`logs`] replays bare event logs under their own configuration,
//! [`platform`] compares the runs of a simulated scenario with what their trace recorded.
//! [`Scorecard`] sums them up.

pub mod logs;
pub mod platform;
pub mod truth;

use serde::Serialize;
use serde_json::{Value, json};

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A recording from itself.
    #[serde(rename = "self")]
    Own,
    /// Another configuration with a fixed number of executors.
    Fixed,
    /// Another configuration, with dynamic allocation.
    Dynamic,
}

impl Kind {
    /// All, in the order of the output.
    pub const ALL: [Self; 3] = [Self::Own, Self::Fixed, Self::Dynamic];

    /// Its name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "self",
            Self::Fixed => "fixed",
            Self::Dynamic => "dynamic",
        }
    }
}

/// One prediction, beside what was recorded. Times in milliseconds; `None` = not recorded, or not
/// simulated.
#[derive(Debug, Clone, Serialize)]
pub struct Case {
    /// The application.
    pub application: String,
    /// The recording that the prediction is made from.
    pub source: String,
    /// The one that is predicted.
    pub target: String,
    /// What is predicted.
    pub kind: Kind,
    /// First job submitted to last job ended (of a scenario's run: its duration), as recorded.
    pub recorded_ms: u64,
    /// The same as predicted.
    pub predicted_ms: u64,
    /// (predicted - recorded) / recorded; `None` where it failed on one side, or on both of a
    /// scenario's run: that is counted among the outcomes.
    pub error: Option<f64>,
    /// Where the difference comes from, as far as the recording tells.
    pub reason: String,
    /// Application start to end: (recorded, predicted).
    pub run_duration_ms: Option<(u64, u64)>,
    /// Mean distance of predicted from recorded ends of stages, as a share of the recorded time;
    /// only where the recording predicted itself.
    pub stage_end_error: Option<f64>,
    /// Executors' time, registered to gone: (recorded, predicted).
    pub executor_seconds: Option<(f64, f64)>,
    /// Most executors at one time: (recorded, predicted).
    pub peak_executors: Option<(u32, u32)>,
    /// Whether it failed: (recorded, predicted).
    pub failed: (bool, bool),
}

/// A case that could not be compared.
#[derive(Debug, Clone, Serialize)]
pub struct LeftOut {
    /// The log or run.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// What a backtest gave.
#[derive(Debug, Default)]
pub struct Scorecard {
    /// All predictions.
    pub cases: Vec<Case>,
    /// What was not predicted.
    pub left_out: Vec<LeftOut>,
}

/// Errors summed up. Shares, not percent; `None` without predictions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Errors {
    /// How many.
    pub predictions: usize,
    /// Mean absolute error.
    pub mean_ape: Option<f64>,
    /// Median absolute error.
    pub median_ape: Option<f64>,
    /// 90th percentile of absolute errors (nearest rank).
    pub p90_ape: Option<f64>,
    /// Largest absolute error.
    pub worst_ape: Option<f64>,
    /// Mean signed error: above 0 where predictions are too slow.
    pub bias: Option<f64>,
}

impl Errors {
    /// Sums up signed relative errors.
    pub fn of(errors: impl Iterator<Item = f64>) -> Self {
        let signed: Vec<f64> = errors.collect();
        let mut sizes: Vec<f64> = signed.iter().map(|error| error.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        let count = sizes.len();
        let mean = |sum: f64| (count > 0).then(|| rounded(sum / count as f64));
        let middle = match count {
            0 => None,
            odd if odd % 2 == 1 => Some(sizes[odd / 2]),
            even => Some((sizes[even / 2 - 1] + sizes[even / 2]) / 2.0),
        };
        let p90 = ((count as f64 * 0.9).ceil() as usize).checked_sub(1).map(|rank| sizes[rank]);
        Self {
            predictions: count,
            mean_ape: mean(sizes.iter().sum()),
            median_ape: middle.map(rounded),
            p90_ape: p90.map(rounded),
            worst_ape: sizes.last().copied().map(rounded),
            bias: mean(signed.iter().sum()),
        }
    }
}

/// Six places: more would be noise.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

impl Scorecard {
    /// Errors of the cases that `filter` takes.
    pub fn errors(&self, filter: impl Fn(&Case) -> bool) -> Errors {
        Errors::of(self.cases.iter().filter(|case| filter(case)).filter_map(|case| case.error))
    }

    /// The JSON of `backtest -o json`.
    pub fn to_value(&self) -> Value {
        let mut value = self.headline();
        let by_application = self.applications().into_iter().map(|name| {
            let mut errors = json!(self.errors(|case| case.application == name));
            errors["failed"] = json!(self.failed(|case| case.application == name));
            (name.to_owned(), errors)
        });
        value["by_application"] = Value::Object(by_application.collect());
        value["cases"] = json!(self.cases);
        value["left_out"] = json!(self.left_out);
        value["metrics"] = json!({
            "run_duration": self.pair_errors(|case| {
                case.run_duration_ms.map(|(recorded, predicted)| (recorded as f64, predicted as f64))
            }),
            "executor_seconds": self.pair_errors(|case| case.executor_seconds),
            "peak_executors": self.pair_errors(|case| {
                case.peak_executors.map(|(a, b)| (f64::from(a), f64::from(b)))
            }),
            "stage_ends": Errors::of(self.cases.iter().filter_map(|case| case.stage_end_error)),
            "outcomes": {
                "agree": self.cases.iter().filter(|case| case.failed.0 == case.failed.1).count(),
                "recorded_failed": self.cases.iter().filter(|case| case.failed.0).count(),
                "predicted_failed": self.cases.iter().filter(|case| case.failed.1).count(),
            },
        });
        value
    }

    /// The same without cases: what later reports carry.
    pub fn headline(&self) -> Value {
        let mut value = json!(self.errors(|_| true));
        let kinds = Kind::ALL
            .map(|kind| (kind.name().to_owned(), json!(self.errors(|case| case.kind == kind))));
        value["by_kind"] = Value::Object(kinds.into_iter().collect());
        value
    }

    /// Names of the applications, in alphabetical order.
    pub fn applications(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.cases.iter().map(|case| case.application.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// How many of the cases that `filter` takes failed: (recorded, predicted).
    pub fn failed(&self, filter: impl Fn(&Case) -> bool) -> (usize, usize) {
        let cases = || self.cases.iter().filter(|case| filter(case));
        (cases().filter(|case| case.failed.0).count(), cases().filter(|case| case.failed.1).count())
    }

    fn pair_errors(&self, pair: impl Fn(&Case) -> Option<(f64, f64)>) -> Errors {
        let pairs = self.cases.iter().filter_map(pair).filter(|(recorded, _)| *recorded > 0.0);
        Errors::of(pairs.map(|(recorded, predicted)| predicted / recorded - 1.0))
    }
}

/// (predicted - recorded) / recorded.
fn relative(recorded_ms: u64, predicted_ms: u64) -> f64 {
    rounded(predicted_ms as f64 / recorded_ms.max(1) as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_summed_up() {
        let errors = Errors::of([0.1, -0.2, 0.3].into_iter());
        assert_eq!(errors.predictions, 3);
        assert_eq!(errors.mean_ape, Some(0.2));
        assert_eq!(errors.median_ape, Some(0.2));
        assert_eq!(errors.p90_ape, Some(0.3));
        assert_eq!(errors.worst_ape, Some(0.3));
        assert_eq!(errors.bias, Some(0.066_667));
        let ten = Errors::of((1..=10).map(f64::from));
        assert_eq!((ten.median_ape, ten.p90_ape), (Some(5.5), Some(9.0)));
        assert_eq!(Errors::of(std::iter::empty()).mean_ape, None);
    }

    #[test]
    fn the_json_has_the_promised_keys() {
        let value = Scorecard::default().to_value();
        for key in ["predictions", "mean_ape", "median_ape", "p90_ape", "worst_ape", "bias"] {
            assert!(value.get(key).is_some(), "{key}");
            for kind in ["self", "fixed", "dynamic"] {
                assert!(value["by_kind"][kind].get(key).is_some(), "{kind} {key}");
            }
        }
        assert!(value["cases"].is_array());
    }
}
