//! Spot weather: how capacity pools go tight, in parameters and as recorded.

use std::sync::Arc;

use crate::units::SimTime;

/// How spot capacity is taken back.
#[derive(Debug, Clone, PartialEq)]
pub enum SpotModel {
    /// Never.
    None,
    /// Each capacity pool (instance type x zone) goes tight now and then and takes several nodes
    /// at once.
    PoolShocks {
        /// Hours between two shocks of a pool, on average, at an interruption frequency in the
        /// middle of band 2 (12.5 %).
        mean_hours_between: f64,
        /// What a shock is like.
        spells: Spells,
    },
    /// The same, as often as the Spot Advisor's band says: so that a node that runs for a month is
    /// taken with the frequency of its pool.
    Advisor {
        /// What a shock is like.
        spells: Spells,
    },
    /// As it was recorded, again and again.
    Recorded(Arc<RecordedSpot>),
}

/// Calm and tight spells of a capacity pool. Both are log-normal; facts-cloud 0.4 has runs whose
/// mean is seven times their median.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spells {
    /// Share of the pool's nodes that a shock takes. Guess.
    pub share_taken: f64,
    /// Spread of calm spells: sigma of the logarithm. Source: facts-cloud 0.4, r5.16xlarge in
    /// us-east-1b, mean 1.93 h over median 0.42 h.
    pub calm_sigma: f64,
    /// Mean length of a tight spell, hours. Source: facts-cloud 0.4, r5.16xlarge: mean up time and
    /// share of time up give 0.33 to 0.42 h.
    pub tight_hours: f64,
    /// Spread of tight spells. Source: the same, mean 20 min over median 8 min.
    pub tight_sigma: f64,
    /// Correlation (phi) of two zones of a region being tight. Source: facts-cloud 0.4, 0.39 to
    /// 0.59 within a region.
    pub zone_correlation: f64,
}

impl Default for Spells {
    fn default() -> Self {
        Self {
            share_taken: 0.25,
            calm_sigma: 1.75,
            tight_hours: 1.0 / 3.0,
            tight_sigma: 1.35,
            zone_correlation: 0.45,
        }
    }
}

/// What was recorded of capacity pools. All of them begin at the same moment, which is the
/// simulation's start, and begin again after `span`.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct RecordedSpot {
    /// At least one.
    pub pools: Vec<RecordedPool>,
    /// How long was recorded.
    pub span: SimTime,
}

/// One recorded capacity pool.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct RecordedPool {
    /// Its instance type, as recorded; empty if that is not known.
    pub instance_type: String,
    /// Its zone; empty if that is not known.
    pub zone: String,
    /// Ascending times; the first one is 0 and takes nothing.
    pub steps: Vec<SpotStep>,
}

/// A moment at which a pool changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpotStep {
    /// When, from the beginning of the recording.
    pub at: SimTime,
    /// Whether the pool is tight from now on.
    pub tight: bool,
    /// Share of its nodes that are taken now.
    pub share_taken: f64,
}

impl RecordedPool {
    /// Share of the `span` in which the pool was tight.
    pub fn tight_share(&self, span: SimTime) -> f64 {
        let ends = self.steps.iter().skip(1).map(|step| step.at).chain([span]);
        let tight = self.steps.iter().zip(ends).filter(|(step, _)| step.tight);
        let tight: u64 = tight.map(|(step, end)| end.since(step.at).as_millis()).sum();
        if span == SimTime::ZERO { 0.0 } else { tight as f64 / span.as_millis() as f64 }
    }
}

/// Rebalance recommendations, and what the group does about them.
///
/// Source of the numbers: facts-cloud 6 (aws-node-termination-handler #141): 30 recommendations and
/// 15 interruptions in 17 h; 9 nodes got both, 17 min to 8 h 42 min apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rebalance {
    /// Share of interrupted nodes that got a recommendation first.
    pub recall: f64,
    /// Share of recommendations that an interruption follows.
    pub precision: f64,
    /// Shortest time from recommendation to interruption.
    pub lead_min: crate::units::SimDuration,
    /// Longest; between them, every factor is as likely (a guess).
    pub lead_max: crate::units::SimDuration,
    /// What happens then.
    pub response: RebalanceResponse,
}

impl Default for Rebalance {
    fn default() -> Self {
        Self {
            recall: 9.0 / 15.0,
            precision: 9.0 / 30.0,
            lead_min: crate::units::SimDuration::minutes(17),
            lead_max: crate::units::SimDuration::minutes(522),
            response: RebalanceResponse::Ignore,
        }
    }
}

/// What a rebalance recommendation leads to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum RebalanceResponse {
    /// Nothing: the node termination handler's and Karpenter's default.
    #[default]
    Ignore,
    /// The node termination handler cordons and drains the node at once; the instance then goes
    /// and its group replaces it.
    Drain,
    /// The group's capacity rebalancing: a replacement is launched, and when that is ready the
    /// node is drained and goes.
    Replace,
}

impl RebalanceResponse {
    /// Every response by its name in a scenario file.
    pub const NAMES: [(&'static str, Self); 3] =
        [("ignore", Self::Ignore), ("drain", Self::Drain), ("replace", Self::Replace)];

    /// The name in a scenario file.
    pub fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(_, response)| *response == self);
        found.map_or("", |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tight_share_counts_the_last_spell_to_the_end() {
        let step = |ms, tight| SpotStep { at: SimTime::from_millis(ms), tight, share_taken: 0.0 };
        let steps = vec![step(0, true), step(10, false), step(70, true)];
        let pool = RecordedPool { steps, ..RecordedPool::default() };
        assert_eq!(pool.tight_share(SimTime::from_millis(100)), 0.4);
        assert_eq!(pool.tight_share(SimTime::ZERO), 0.0);
    }
}
