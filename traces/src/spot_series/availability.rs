//! Logs of probes that keep one instance of each kind running: `[time] Created instance i-0 with 1
//! GPU(s) of type k80 in zone us-east-1b`, `Instance i-0 running in zone ..`, `.. not running in
//! zone ..`, `Instance .. creation failed`, `Successfully deleted instance ..`.
//!
//! A pool is what is asked for (type and number of GPUs) in a zone. A failure that names no zone is
//! one of the zone that the line before it is about: the probes go zone by zone. Source: facts-cloud
//! 2 (training_on_a_dime).

use std::collections::BTreeMap;

use super::observed::{self, Observed};
use super::{POOLS_MAX, Reader, WeatherSeries, lines};
use crate::TraceError;
use crate::table::shorten;

#[derive(Default)]
struct Probes {
    pools: Vec<Observed>,
    by_name: BTreeMap<(String, String), usize>,
    by_instance: BTreeMap<String, usize>,
    last_zone: String,
    first_ms: Option<i64>,
    last_ms: i64,
}

/// What a line says.
enum Said<'a> {
    Created { instance: &'a str, what: String, zone: &'a str },
    Running { instance: &'a str, zone: &'a str, up: bool },
    FailedInstance(&'a str),
    FailedKind(String),
    Deleted,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<WeatherSeries, TraceError> {
    let mut probes = Probes::default();
    let path = reader.path.to_owned();
    lines::each(&path, |number, text| {
        reader.row()?;
        let parts = text.strip_prefix('[').and_then(|text| text.split_once(']'));
        let at = parts.and_then(|(time, _)| lines::timestamp(time));
        let said = parts.and_then(|(_, rest)| parse(rest.trim()));
        let (Some(at), Some(said)) = (at, said) else {
            reader.bad("bad-line", number, || {
                format!("`{}` is no line of a probe; it was dropped", shorten(text))
            });
            return Ok(());
        };
        if at < probes.last_ms && probes.first_ms.is_some() {
            reader.bad("time-goes-back", number, || {
                "earlier than the line before it; it was dropped".to_owned()
            });
            return Ok(());
        }
        match probes.take(at, said) {
            Ok(()) => {
                probes.first_ms.get_or_insert(at);
                probes.last_ms = at;
                reader.counts.kept += 1;
            }
            Err(reason) => reader.bad("unknown-instance", number, || reason.to_owned()),
        }
        Ok(())
    })?;
    let first = probes.first_ms.unwrap_or_default();
    Ok(observed::series(probes.pools, first, probes.last_ms))
}

fn parse(text: &str) -> Option<Said<'_>> {
    if let Some(rest) = text.strip_prefix("Created instance ") {
        let (instance, rest) = rest.split_once(" with ")?;
        let (what, zone) = rest.split_once(" in zone ")?;
        return Some(Said::Created { instance, what: kind(what)?, zone });
    }
    if let Some(rest) = text.strip_prefix("Instance with ") {
        return Some(Said::FailedKind(kind(rest.strip_suffix(" creation failed")?)?));
    }
    if text.starts_with("Successfully deleted ") {
        return Some(Said::Deleted);
    }
    let rest = text.strip_prefix("Instance ")?;
    if let Some(instance) = rest.strip_suffix(" creation failed") {
        return Some(Said::FailedInstance(instance));
    }
    let (state, zone) = rest.split_once(" in zone ")?;
    let (instance, up) = match state.strip_suffix(" not running") {
        Some(instance) => (instance, false),
        None => (state.strip_suffix(" running")?, true),
    };
    Some(Said::Running { instance, zone, up })
}

/// `1 GPU(s) of type k80` as `1x k80`.
fn kind(text: &str) -> Option<String> {
    let (count, name) = text.split_once(" GPU(s) of type ")?;
    Some(format!("{}x {name}", count.parse::<u16>().ok()?))
}

impl Probes {
    fn take(&mut self, at: i64, said: Said<'_>) -> Result<(), &'static str> {
        const TOO_MANY: &str = "more capacity pools than are read; it was dropped";
        let (pool, tight) = match said {
            Said::Created { instance, what, zone } => {
                let pool = match self.by_instance.get(instance) {
                    Some(pool) => *pool,
                    None => self.named(&what, zone).ok_or(TOO_MANY)?,
                };
                self.by_instance.insert(instance.to_owned(), pool);
                self.pools[pool].instance_type = what;
                self.pools[pool].zone = zone.to_owned();
                (pool, false)
            }
            Said::Running { instance, zone, up } => {
                let known = self.by_instance.get(instance).copied();
                let pool = known.ok_or("an instance that was never created; it was dropped")?;
                self.pools[pool].zone = zone.to_owned();
                (pool, !up)
            }
            Said::FailedKind(what) => {
                let zone = self.last_zone.clone();
                (self.named(&what, &zone).ok_or(TOO_MANY)?, true)
            }
            Said::FailedInstance(instance) => {
                let known = self.by_instance.get(instance).copied();
                let pool = known.or_else(|| self.add()).ok_or(TOO_MANY)?;
                self.by_instance.insert(instance.to_owned(), pool);
                (pool, true)
            }
            Said::Deleted => return Ok(()),
        };
        self.last_zone.clone_from(&self.pools[pool].zone);
        self.pools[pool].see(at, tight);
        Ok(())
    }

    fn add(&mut self) -> Option<usize> {
        (self.pools.len() < POOLS_MAX).then(|| {
            self.pools.push(Observed::default());
            self.pools.len() - 1
        })
    }

    fn named(&mut self, what: &str, zone: &str) -> Option<usize> {
        let key = (what.to_owned(), zone.to_owned());
        if let Some(pool) = self.by_name.get(&key) {
            return Some(*pool);
        }
        let pool = self.add()?;
        self.pools[pool].instance_type = what.to_owned();
        self.pools[pool].zone = zone.to_owned();
        self.by_name.insert(key, pool);
        Some(pool)
    }
}
