//! Where ticks stand and what they say.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Ticks of a value axis from 0 to at least `most`: round numbers, about four.
pub(super) fn value_ticks(most: f64) -> Vec<f64> {
    if most.is_nan() || most <= 0.0 {
        return vec![0.0, 1.0];
    }
    let raw = most / 4.0;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|m| m * power >= raw).unwrap_or(10.0);
    let step = step * power;
    let count = (most / step).ceil() as usize;
    (0..=count).map(|n| n as f64 * step).collect()
}

/// A number on an axis: `1,500`, `2.5`, `12k`, `3.4M`.
pub(super) fn value_label(value: f64) -> String {
    let short = |value: f64, unit: &str| {
        let text = format!("{value:.1}");
        format!("{}{unit}", text.trim_end_matches(".0"))
    };
    match value.abs() {
        v if v >= 1e9 => short(value / 1e9, "G"),
        v if v >= 1e6 => short(value / 1e6, "M"),
        v if v >= 1e4 => short(value / 1e3, "k"),
        v if v >= 10.0 || v == 0.0 => crate::figures::grouped(value.round() as u64),
        v if v >= 0.1 => {
            format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => format!("{value:.1e}"),
    }
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const STEPS: [i64; 16] = [
    60,
    300,
    900,
    HOUR / 2,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    90 * DAY,
    365 * DAY,
];

/// Ticks of a time axis, in seconds since the start, with what they say: times of the day in `zone`
/// within three days, else dates. At most nine.
pub(super) fn time_ticks(
    from_s: f64,
    to_s: f64,
    start_epoch_ms: i64,
    zone: &TimeZone,
) -> Vec<(f64, String)> {
    let length = (to_s - from_s).max(1.0);
    let step = STEPS.into_iter().find(|step| length / *step as f64 <= 8.0).unwrap_or(3650 * DAY);
    let start = start_epoch_ms.div_euclid(1000);
    let at = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    let offset = i64::from(zone.to_offset(at(start)).seconds());
    let first = (start + from_s.floor() as i64 + offset).div_euclid(step) * step - offset;
    let ticks = (0..12).map(|n| first + n * step);
    ticks
        .map(|second| {
            let local = at(second).to_zoned(zone.clone());
            let label = match step {
                s if s < DAY && local.hour() == 0 && local.minute() == 0 => "%b %-d",
                s if s < DAY => "%H:%M",
                _ => "%b %-d",
            };
            let seconds =
                second as f64 - start as f64 - start_epoch_ms.rem_euclid(1000) as f64 / 1e3;
            (seconds, local.strftime(label).to_string())
        })
        .filter(|(seconds, _)| (from_s..=to_s).contains(seconds))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_round() {
        assert_eq!(value_ticks(10.0), [0.0, 2.5, 5.0, 7.5, 10.0]);
        assert_eq!(value_ticks(0.0), [0.0, 1.0]);
        assert_eq!(value_ticks(93.0).last(), Some(&100.0));
        let labels = [0.0, 0.25, 2.5, 1500.0, 12_000.0, 3.4e6].map(value_label);
        assert_eq!(labels, ["0", "0.25", "2.5", "1,500", "12k", "3.4M"]);
    }

    #[test]
    fn times_are_local() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        // 2026-01-01T00:00Z is 05:30 there.
        let ticks = time_ticks(0.0, 86_400.0, 1_767_225_600_000, &zone);
        assert_eq!(ticks[0], (1800.0, "06:00".to_owned()));
        assert!(ticks.iter().any(|(at, label)| *at == 66_600.0 && label == "Jan 2"), "{ticks:?}");
        let month = time_ticks(0.0, 30.0 * 86_400.0, 1_767_225_600_000, &TimeZone::UTC);
        assert!((3..=9).contains(&month.len()), "{month:?}");
        assert!(month.iter().all(|(_, label)| label.contains(' ')), "{month:?}");
    }
}
