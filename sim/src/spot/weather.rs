//! When capacity pools are tight.
//!
//! Models: a pool is tight while one of its processes is: its own one, or the one of its instance
//! type in its region. Each is an alternating renewal process of log-normal calm and tight spells,
//! in equilibrium from the start: the first spell is the rest of one that was met at random. With
//! `o` and `r` the shares of time in which the two are tight, a pool is for `p = o + r - o r`, and
//! two zones have the phi correlation `1 - o / p`, from which `o` and `r` follow. Two regions share
//! nothing. A recorded pool has a process of its own that replays its steps and begins again after
//! their span; where names do not fit, a pool takes a recorded one by a hash of its own name.
//!
//! Leaves out: that a union of two log-normal processes is not log-normal itself (its shock rate,
//! its share of time tight and the correlation are exact; the tails of its calm spells are a little
//! thinner); other zones of a region that move together more or less than the rest.
//!
//! Invariants: the draws of a process depend on the seed, its names and the number of the spell,
//! and on nothing else in the scenario. Source: facts-cloud 0.4.

use std::sync::Arc;

use rand_distr::StandardNormal;

use super::rebalance::Shock;
use super::{CapacityPool, SpotMarket, band};
use crate::Seed;
use crate::rng::{self, RngExt};
use crate::scenario::{RecordedSpot, Spells, SpotModel};
use crate::units::{SimDuration, SimTime};

/// The longest spell and the rarest shock: a hundred years.
const HOURS_MAX: f64 = 876_600.0;

/// The most of the time in which a pool is tight.
const TIGHT_SHARE_MAX: f64 = 0.95;

/// Something that makes capacity pools tight, and takes some of their nodes when it does.
#[derive(Debug)]
pub(crate) struct Process {
    /// The pools, by their places.
    pub(crate) pools: Vec<u32>,
    /// Key that tells it from the other processes of its pools.
    pub(crate) key: u64,
    /// How many times it has turned.
    pub(crate) turns: u64,
    /// Whether it holds its pools tight.
    pub(crate) tight: bool,
    /// Its next turn.
    pub(crate) next: Option<Turn>,
    /// Where its turns come from.
    source: TurnSource,
}

#[derive(Debug)]
enum TurnSource {
    /// Spells, drawn.
    Drawn { keys: [u64; 2], calm: SpellLaw, tight: SpellLaw, share_taken: f64 },
    /// The steps of a recorded pool.
    Recorded { series: Arc<RecordedSpot>, pool: usize },
}

/// A change of a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Turn {
    /// When.
    pub(crate) at: SimTime,
    /// Whether it is tight from now on.
    pub(crate) tight: bool,
    /// Share of the pools' nodes that go.
    pub(crate) share_taken: f64,
}

/// A log-normal length, in hours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SpellLaw {
    mean: f64,
    sigma: f64,
}

impl SpellLaw {
    /// The length at standard-normal deviate `z`.
    fn hours(self, z: f64) -> f64 {
        self.mean * (self.sigma * z - self.sigma * self.sigma / 2.0).exp()
    }

    /// The rest of a spell that is met at a random moment: lengths are then biased by themselves,
    /// which shifts a log-normal one by its variance, and any part of it may have passed.
    fn rest(self, z: f64, left: f64) -> f64 {
        self.hours(z + self.sigma) * left
    }
}

fn length(hours: f64) -> SimDuration {
    let length = SimDuration::from_secs_f64(hours.min(HOURS_MAX) * 3600.0);
    length.max(SimDuration::from_millis(1))
}

impl Process {
    /// The process in its equilibrium at time zero, and its first turn, where it ever turns.
    pub(crate) fn start(&mut self, seed: Seed) -> Option<Turn> {
        match &self.source {
            TurnSource::Drawn { keys, calm, tight, .. } => {
                let share = tight.mean / (tight.mean + calm.mean);
                self.tight = seed.uniform("spot-start", keys) < share;
                let (name, law) =
                    if self.tight { ("spot-tight", tight) } else { ("spot-calm", calm) };
                let z: f64 = seed.stream(name, &[keys[0], keys[1], 0]).sample(StandardNormal);
                let rest = law.rest(z, seed.uniform("spot-start-rest", keys));
                Some(self.turned(SimTime::ZERO.saturating_add(length(rest))))
            }
            TurnSource::Recorded { series, pool } => {
                self.tight = series.pools[*pool].steps.first().is_some_and(|step| step.tight);
                self.recorded(1)
            }
        }
    }

    /// Carries out `turn`, and gives the next one.
    pub(crate) fn turn(&mut self, seed: Seed, turn: &Turn) -> Option<Turn> {
        self.tight = turn.tight;
        self.turns += 1;
        match &self.source {
            TurnSource::Drawn { keys, calm, tight, .. } => {
                let (name, law) =
                    if self.tight { ("spot-tight", tight) } else { ("spot-calm", calm) };
                let keys = [keys[0], keys[1], self.turns];
                let z: f64 = seed.stream(name, &keys).sample(StandardNormal);
                let spell = length(law.hours(z));
                Some(self.turned(turn.at.saturating_add(spell)))
            }
            TurnSource::Recorded { .. } => self.recorded(self.turns + 1),
        }
    }

    /// The shock that its next turn is.
    pub(super) fn shock(&self, share: f64) -> Shock {
        Shock { key: self.key, number: self.turns, share }
    }

    /// The turn to the other state.
    fn turned(&self, at: SimTime) -> Turn {
        let tight = !self.tight;
        let share_taken = match &self.source {
            TurnSource::Drawn { share_taken, .. } if tight => *share_taken,
            _ => 0.0,
        };
        Turn { at, tight, share_taken }
    }

    /// The `number`-th step, counted on over the ends of the recording.
    fn recorded(&self, number: u64) -> Option<Turn> {
        let TurnSource::Recorded { series, pool } = &self.source else { return None };
        let steps = &series.pools[*pool].steps;
        if steps.len() < 2 || series.span == SimTime::ZERO {
            return None;
        }
        let count = steps.len() as u64;
        let step = &steps[(number % count) as usize];
        let round = series.span.as_millis().checked_mul(number / count)?;
        let at = SimTime::from_millis(round.checked_add(step.at.as_millis())?);
        Some(Turn { at, tight: step.tight, share_taken: step.share_taken.clamp(0.0, 1.0) })
    }
}

impl SpotMarket {
    /// Gives the pools the processes of `model`.
    pub(crate) fn set_weather(&mut self, model: &SpotModel, seed: Seed) {
        match model {
            SpotModel::None => {}
            SpotModel::PoolShocks { mean_hours_between, spells } => {
                let rate = |frequency: f64| frequency / band::MIDDLE / mean_hours_between;
                self.draw_weather(seed, spells, &rate);
            }
            SpotModel::Advisor { spells } => {
                let rate = |f: f64| band::shocks_per_hour(f, spells.share_taken);
                self.draw_weather(seed, spells, &rate);
            }
            SpotModel::Recorded(series) => self.replay(series),
        }
    }

    fn draw_weather(&mut self, seed: Seed, spells: &Spells, rate: &dyn Fn(f64) -> f64) {
        let mut regional: Vec<[u64; 2]> = Vec::new();
        for place in 0..self.pools.len() {
            let pool = &self.pools[place];
            let shares =
                |keys: &[u64; 2]| shares(rate(band::frequency(seed, pool.band, keys)), spells);
            let (own, with_region) = (pool.keys, region_keys(pool));
            let (own_share, region_share) = (shares(&own).0, shares(&with_region).1);
            self.pools[place].tight_share = own_share + region_share - own_share * region_share;
            if let Some(process) = drawn(own, own_share, spells) {
                self.processes.push(Process { pools: vec![place as u32], ..process });
            }
            if let Some(known) = regional.iter().position(|keys| *keys == with_region) {
                let known = regional[known];
                let same = |process: &&mut Process| process.is_of(known);
                if let Some(process) = self.processes.iter_mut().find(same) {
                    process.pools.push(place as u32);
                }
                continue;
            }
            regional.push(with_region);
            if let Some(process) = drawn(with_region, region_share, spells) {
                self.processes.push(Process { pools: vec![place as u32], ..process });
            }
        }
    }

    fn replay(&mut self, series: &Arc<RecordedSpot>) {
        if series.pools.is_empty() {
            return;
        }
        for (place, pool) in self.pools.iter_mut().enumerate() {
            let chosen = recorded_for(pool, series);
            pool.tight_share = series.pools[chosen].tight_share(series.span);
            self.processes.push(Process {
                pools: vec![place as u32],
                key: 0,
                turns: 0,
                tight: false,
                next: None,
                source: TurnSource::Recorded { series: series.clone(), pool: chosen },
            });
        }
    }
}

impl Process {
    fn is_of(&self, names: [u64; 2]) -> bool {
        matches!(self.source, TurnSource::Drawn { keys, .. } if keys == names)
    }
}

/// The names of an instance type's process in a region. A zone is never called that.
fn region_keys(pool: &CapacityPool) -> [u64; 2] {
    [pool.keys[0], rng::key_of(&format!("region {}", pool.region()))]
}

/// The recorded pool that `pool` replays: of its type and zone, else of its zone, else whichever
/// its name hashes to.
fn recorded_for(pool: &CapacityPool, series: &RecordedSpot) -> usize {
    let same_zone = |place: &usize| series.pools[*place].zone == pool.zone;
    let all = 0..series.pools.len();
    let exact = |place: &usize| {
        same_zone(place) && series.pools[*place].instance_type == pool.instance_type
    };
    let hash = rng::key_of(&format!("{} {}", pool.instance_type, pool.zone));
    let any = (hash % series.pools.len() as u64) as usize;
    all.clone().find(exact).or_else(|| all.clone().find(same_zone)).unwrap_or(any)
}

/// The shares of time in which a pool's own process and its region's are tight, so that `rate`
/// shocks an hour come and the zones correlate as `spells` says.
fn shares(rate: f64, spells: &Spells) -> (f64, f64) {
    let phi = spells.zone_correlation.clamp(0.0, 1.0);
    let of = |p: f64| {
        let own = (1.0 - phi) * p;
        (own, if own < 1.0 { (p - own) / (1.0 - own) } else { 0.0 })
    };
    // Shocks an hour come to `(o + r) / mean length`, which grows with `p`.
    let (mut low, mut high) = (0.0, TIGHT_SHARE_MAX);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        let (own, regional) = of(middle);
        if own + regional < rate * spells.tight_hours { low = middle } else { high = middle }
    }
    of(low)
}

/// A process that is tight for `share` of the time; none where that is never.
fn drawn(keys: [u64; 2], share: f64, spells: &Spells) -> Option<Process> {
    // Rarer than once in a hundred years is never.
    let calm = spells.tight_hours * (1.0 - share) / share.max(f64::MIN_POSITIVE);
    if calm.is_nan() || calm >= HOURS_MAX {
        return None;
    }
    let law = |mean: f64, sigma: f64| SpellLaw { mean, sigma };
    let source = TurnSource::Drawn {
        keys,
        calm: law(calm, spells.calm_sigma),
        tight: law(spells.tight_hours, spells.tight_sigma),
        share_taken: spells.share_taken,
    };
    Some(Process { pools: Vec::new(), key: keys[1], turns: 0, tight: false, next: None, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{RecordedPool, SpotStep};

    #[test]
    fn shares_give_the_rate_and_the_correlation() {
        for (rate, phi) in [(1.0 / 24.0, 0.45), (0.5, 0.3), (0.01, 0.0), (0.2, 1.0)] {
            let spells = Spells { zone_correlation: phi, ..Spells::default() };
            let (own, regional) = shares(rate, &spells);
            let tight = own + regional - own * regional;
            assert!(((own + regional) / spells.tight_hours - rate).abs() < 1e-9, "{rate} {phi}");
            assert!((1.0 - own / tight - phi).abs() < 1e-9, "{rate} {phi}");
        }
        let often = shares(1e6, &Spells::default());
        assert!(often.0 < 1.0 && often.1 < 1.0, "{often:?}");
    }

    #[test]
    fn a_spell_law_has_its_mean() {
        let law = SpellLaw { mean: 3.0, sigma: 1.75 };
        // The median is below the mean by half the variance.
        assert!((law.hours(0.0) - 3.0 * (-1.75f64 * 1.75 / 2.0).exp()).abs() < 1e-12);
        // Met at random, a log-normal spell has the mean times exp(sigma squared).
        assert!((law.rest(0.0, 1.0) / law.hours(0.0) - (1.75f64 * 1.75).exp()).abs() < 1e-9);
    }

    #[test]
    fn a_recording_is_replayed_and_begins_again() {
        let step =
            |ms, tight, share_taken| SpotStep { at: SimTime::from_millis(ms), tight, share_taken };
        let steps = vec![step(0, false, 0.0), step(40, true, 0.5), step(70, true, 0.25)];
        let pools = vec![RecordedPool { steps, ..RecordedPool::default() }];
        let series = Arc::new(RecordedSpot { pools, span: SimTime::from_millis(100) });
        let mut market = SpotMarket::default();
        market.place_of("m5.large", "z", None);
        market.set_weather(&SpotModel::Recorded(series), Seed::new(0));
        let process = &mut market.processes[0];
        let mut turn = process.start(Seed::new(0));
        let mut seen = Vec::new();
        for _ in 0..5 {
            let now = turn.expect("it goes on");
            seen.push((now.at.as_millis(), now.tight, now.share_taken));
            turn = process.turn(Seed::new(0), &now);
        }
        let expected = [
            (40, true, 0.5),
            (70, true, 0.25),
            (100, false, 0.0),
            (140, true, 0.5),
            (170, true, 0.25),
        ];
        assert_eq!(seen, expected);
        assert!((market.pools[0].tight_share - 0.6).abs() < 1e-12);
    }

    #[test]
    fn a_zones_region() {
        let region = |zone| CapacityPool::new("t", zone, None).region().to_owned();
        assert_eq!(region("us-west-2a"), "us-west-2");
        assert_eq!(region("us-east1-c"), "us-east1");
        assert_eq!(region("1"), "1");
    }
}
