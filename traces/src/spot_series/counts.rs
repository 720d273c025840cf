//! Times and numbers of nodes: `0.083,2` or `2021-12-11, 11:14:50, 55`.
//!
//! A number as time counts hours; where none of them has a decimal point, seconds (facts-cloud 2: this
//! is how bamboo's files do it). A fall is a shock, and the pool is tight until the number rises. Leaves
//! out: a fall that our own side wanted.

use super::{PoolSeries, Reader, WeatherSeries, WeatherStep, lines};
use crate::TraceError;
use crate::table::shorten;

/// More nodes, or hours, are a slip.
const COUNT_MAX: u32 = 10_000_000;
const TIME_MAX: f64 = 1e9;

/// A row: its time is in hours or seconds, or in milliseconds where it has a date.
#[derive(Clone, Copy)]
enum Time {
    Number { value: f64, point: bool },
    Date(i64),
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<WeatherSeries, TraceError> {
    let mut rows: Vec<(u64, Time, u32)> = Vec::new();
    let path = reader.path.to_owned();
    lines::each(&path, |number, text| {
        reader.row()?;
        match parse(text) {
            Some((time, count)) => rows.push((number, time, count)),
            None => reader.bad("bad-line", number, || {
                format!("`{}` is not a time and a number of nodes; it was dropped", shorten(text))
            }),
        }
        Ok(())
    })?;
    let whole = rows.iter().all(|(_, time, _)| match time {
        Time::Number { point, .. } => !point,
        Time::Date(_) => true,
    });
    let unit = if whole { 1e3 } else { 3.6e6 };
    let mut steps = Vec::new();
    let mut state: Option<(i64, i64, u32)> = None;
    for (number, time, count) in rows {
        let at = match time {
            Time::Number { value, .. } => (value * unit).round() as i64,
            Time::Date(ms) => ms,
        };
        let (first, last, before) = state.unwrap_or((at, at, count));
        if at < last {
            reader.bad("time-goes-back", number, || {
                "earlier than the line before it; it was dropped".to_owned()
            });
            continue;
        }
        reader.counts.kept += 1;
        state = Some((first, at, count));
        push(&mut steps, (at - first).max(0) as u64, before, count);
    }
    let span_ms = state.map_or(0, |(first, last, _)| last.saturating_sub(first).max(0) as u64);
    if steps.is_empty() {
        return Ok(WeatherSeries::default());
    }
    let pool = PoolSeries { steps, ..PoolSeries::default() };
    Ok(WeatherSeries { pools: vec![pool], span_ms })
}

/// A change from `before` to `count` nodes. Also for series of added and removed nodes.
pub(super) fn push(steps: &mut Vec<WeatherStep>, at_ms: u64, before: u32, count: u32) {
    if steps.is_empty() {
        steps.push(WeatherStep { at_ms: 0, tight: false, taken: None });
    }
    let tight = steps[steps.len() - 1].tight;
    if count < before {
        let taken = Some((before - count, before));
        steps.push(WeatherStep { at_ms, tight: true, taken });
    } else if count > before && tight {
        steps.push(WeatherStep { at_ms, tight: false, taken: None });
    }
}

fn parse(text: &str) -> Option<(Time, u32)> {
    let fields: Vec<&str> = text.split(',').map(str::trim).take(4).collect();
    let (time, count) = match fields.as_slice() {
        [time, count] => {
            let value = time.parse().ok().filter(|number| (0.0..TIME_MAX).contains(number))?;
            (Time::Number { value, point: time.contains('.') }, count)
        }
        [date, time, count] => (Time::Date(lines::timestamp(&format!("{date}T{time}Z"))?), count),
        _ => return None,
    };
    Some((time, count.parse().ok().filter(|count| *count <= COUNT_MAX)?))
}
