//! Conditions that fail a comparison: `cost.total > +5%`, `latency.pod_scheduling_delay.p99 > 6m`.
//!
//! The right side is a relative change (`+5%`, `-3%`), an absolute change (`+2`, `-1m`) or a value of
//! the candidate (`6m`, `0.98`). Metrics are those of `summary.json`; `cost` stands for `cost_usd`,
//! `latency` for `latency_s`.

use reports::student_t::interval_99;

use super::{Difference, Outcomes, mean};

/// A condition, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// As it was written.
    pub text: String,
    /// Path of the metric in the summary.
    pub metric: String,
    above: bool,
    bound: Bound,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    /// Of the base, as a share.
    Relative(f64),
    /// Candidate less base.
    Change(f64),
    /// Of the candidate.
    Value(f64),
}

impl Gate {
    /// Reads a condition.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = |why: &str| {
            format!("--fail-if `{text}`: {why}; as in `cost.total > +5%` or `nodes.peak < 10`")
        };
        let place = text.find(['>', '<']).ok_or_else(|| bad("no `>` or `<`"))?;
        let (metric, rest) = text.split_at(place);
        let metric = metric.trim();
        if metric.is_empty() {
            return Err(bad("no metric"));
        }
        let bound = bound(rest[1..].trim()).ok_or_else(|| bad("no number after it"))?;
        let metric = match metric.split_once('.') {
            Some(("cost", rest)) => format!("cost_usd.{rest}"),
            Some(("latency", rest)) => format!("latency_s.{rest}"),
            _ => metric.to_owned(),
        };
        Ok(Self { text: text.to_owned(), metric, above: rest.starts_with('>'), bound })
    }

    /// What is said if the candidate fails it; `None` if it does not.
    pub fn failed(&self, candidate: &Outcomes, base: &Outcomes) -> Option<String> {
        let found = candidate.against(base, &self.metric);
        let value = match self.bound {
            Bound::Relative(_) => found.relative()?,
            Bound::Change(_) => found.absolute(),
            Bound::Value(_) => found.candidate,
        };
        let (Bound::Relative(bound) | Bound::Change(bound) | Bound::Value(bound)) = self.bound;
        let fails = if self.above { value > bound } else { value < bound };
        fails.then(|| format!("{}: `{}` holds: {}", candidate.name, self.text, self.said(&found)))
    }

    /// Whether the 99 % interval of what it looks at lies on one side of its bound.
    pub fn is_decided(&self, candidate: &Outcomes, base: &Outcomes) -> bool {
        let (own, before) = (candidate.values(&self.metric), base.values(&self.metric));
        let pairs = own.iter().zip(&before);
        let (values, bound): (Vec<f64>, f64) = match self.bound {
            Bound::Relative(share) => {
                (pairs.map(|(a, b)| a - b).collect(), share * mean(&before).abs())
            }
            Bound::Change(change) => (pairs.map(|(a, b)| a - b).collect(), change),
            Bound::Value(value) => (own, value),
        };
        interval_99(&values).is_some_and(|(low, high)| low > bound || high <= bound)
    }

    fn said(&self, found: &Difference) -> String {
        let Difference { base, candidate, .. } = found;
        let change = found.relative().map(|share| format!(", {:+.1} %", share * 100.0));
        let change = change.unwrap_or_default();
        let doubt = match (found.difference, found.is_clear()) {
            (Some(_), false) => "; the interval of the difference includes 0",
            _ => "",
        };
        format!("{base:.4} to {candidate:.4}{change}{doubt}")
    }
}

fn bound(text: &str) -> Option<Bound> {
    let signed = text.starts_with(['+', '-']);
    if let Some(percent) = text.strip_suffix('%') {
        return Some(Bound::Relative(percent.trim().parse::<f64>().ok()? / 100.0));
    }
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) if text.ends_with('s') => (number, 1.0),
        Some(number) if text.ends_with('m') => (number, 60.0),
        Some(number) => (number, 3600.0),
        None => (text, 1.0),
    };
    let value = number.trim().parse::<f64>().ok().filter(|value| value.is_finite())? * unit;
    Some(if signed { Bound::Change(value) } else { Bound::Value(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(name: &str, values: &[f64]) -> Outcomes {
        let numbers = values.iter().map(|value| vec![("cost_usd.total".to_owned(), *value)]);
        Outcomes { name: name.to_owned(), numbers: numbers.collect() }
    }

    #[test]
    fn conditions_are_relative_absolute_or_values() {
        let (base, candidate) =
            (outcomes("base", &[100.0, 102.0]), outcomes("new", &[108.0, 110.0]));
        let fails = |text: &str| Gate::parse(text).unwrap().failed(&candidate, &base).is_some();
        assert!(fails("cost.total > +5%") && !fails("cost.total > +10%"));
        assert!(fails("cost_usd.total > +7") && !fails("cost_usd.total > +9"));
        assert!(fails("cost.total > 100") && !fails("cost.total > 2m") && fails("cost.total > 1m"));
        assert!(fails("cost.total < 1h") && !fails("cost.total < -1%"));
        let said = Gate::parse("cost.total > +5%").unwrap().failed(&candidate, &base).unwrap();
        assert_eq!(said, "new: `cost.total > +5%` holds: 101.0000 to 109.0000, +7.9 %");
    }

    #[test]
    fn what_is_no_condition_is_said() {
        for text in ["cost.total", "> 5", "cost.total > much", "cost.total > NaN"] {
            assert!(Gate::parse(text).unwrap_err().contains(text), "{text}");
        }
    }
}
