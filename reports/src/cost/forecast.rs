//! What the next period will cost.
//!
//! The cost of an hour in the last period times the hours of a whole one, and growth: as given, or
//! the slope of a straight line through the cost of an hour of the periods, where at least three are
//! whole. Leaves out: seasons, and the model itself: growth of cost is not growth of load. For that,
//! simulate with `spec.workload.scale.arrivals`.

use super::Costs;

/// Growth from one period to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Growth {
    /// As somebody said.
    Given(f64),
    /// As the whole periods say; how many they are.
    Fitted(f64, usize),
    /// Nobody knows: there are fewer than three whole periods.
    Unknown,
}

/// A forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// Dollars of the next whole period.
    pub usd: f64,
    /// The growth in it.
    pub growth: Growth,
}

impl Growth {
    /// As a share.
    pub fn share(self) -> f64 {
        match self {
            Self::Given(share) | Self::Fitted(share, _) => share,
            Self::Unknown => 0.0,
        }
    }
}

impl Forecast {
    /// The next period of `costs`, growing as given or as fitted. `None` without a period.
    pub fn of(costs: &Costs, given: Option<f64>) -> Option<Self> {
        let last = costs.periods.len().checked_sub(1)?;
        let rate = |place: usize| {
            let hours = costs.periods[place].hours.max(1e-9);
            costs.of_period(place).total() as f64 / 1e9 / hours
        };
        // A last period that has hardly begun says little: the one before it says more.
        let span = &costs.periods[last];
        let hardly = span.hours < span.full_hours / 2.0 && last > 0;
        let from = if hardly { last - 1 } else { last };
        let growth = given.map_or_else(|| fitted(costs, rate), Growth::Given);
        let usd = rate(from) * costs.periods[from].full_hours * (1.0 + growth.share());
        Some(Self { usd, growth })
    }
}

fn fitted(costs: &Costs, rate: impl Fn(usize) -> f64) -> Growth {
    let whole = costs.periods.iter().enumerate().filter(|(_, span)| span.is_whole());
    let rates: Vec<f64> = whole.map(|(place, _)| rate(place)).collect();
    let n = rates.len();
    if n < 3 {
        return Growth::Unknown;
    }
    let mean = rates.iter().sum::<f64>() / n as f64;
    let middle = (n - 1) as f64 / 2.0;
    let offset = |place: usize| place as f64 - middle;
    let up: f64 = rates.iter().enumerate().map(|(x, y)| offset(x) * (y - mean)).sum();
    let across: f64 = (0..n).map(|x| offset(x) * offset(x)).sum();
    let slope = up / across;
    let last = mean + slope * middle;
    if last > 0.0 { Growth::Fitted(slope / last, n) } else { Growth::Unknown }
}
