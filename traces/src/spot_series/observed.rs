//! Pools that are observed now and then: from what was seen to steps.

use super::{PoolSeries, WeatherSeries, WeatherStep};

/// A pool and what was seen of it, in order.
#[derive(Debug, Default)]
pub(super) struct Observed {
    pub(super) instance_type: String,
    pub(super) zone: String,
    /// When, and whether it was tight.
    pub(super) seen: Vec<(i64, bool)>,
}

impl Observed {
    /// What is seen at `at_ms`; only changes are kept.
    pub(super) fn see(&mut self, at_ms: i64, tight: bool) {
        match self.seen.last_mut() {
            Some((_, last)) if *last == tight => {}
            // Of two answers at one moment, the later one counts.
            Some((at, last)) if *at == at_ms => *last = tight,
            _ => self.seen.push((at_ms, tight)),
        }
    }

    /// When it was last seen to change.
    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

/// The series from the first row's time to the last one's. What a pool is first seen to be, it is
/// taken to have been from the beginning.
pub(super) fn series(pools: Vec<Observed>, first_ms: i64, last_ms: i64) -> WeatherSeries {
    let mut pools: Vec<PoolSeries> = pools
        .into_iter()
        .filter(|pool| !pool.is_empty())
        .map(|pool| {
            let steps = pool.seen.iter().enumerate().map(|(place, (at, tight))| WeatherStep {
                at_ms: if place == 0 { 0 } else { at.saturating_sub(first_ms).max(0) as u64 },
                tight: *tight,
                taken: None,
            });
            let mut steps: Vec<WeatherStep> = steps.collect();
            steps.dedup_by(|next, before| next.tight == before.tight);
            PoolSeries { instance_type: pool.instance_type, zone: pool.zone, steps }
        })
        .collect();
    pools.sort_by(|a, b| (&a.zone, &a.instance_type).cmp(&(&b.zone, &b.instance_type)));
    WeatherSeries { pools, span_ms: last_ms.saturating_sub(first_ms).max(0) as u64 }
}
