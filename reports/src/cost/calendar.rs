//! Periods of the calendar, in a time zone.
//!
//! A period holds the hours (of UTC) that begin in it; in zones that are half an hour off, a day so
//! begins half an hour late.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// Length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
    /// All of it.
    All,
}

impl Period {
    /// Every length by its name on the command line.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("all", Self::All),
    ];
}

/// A period of which the result covers at least an hour.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodSpan {
    /// Its name, such as `2026-01-05`.
    pub name: String,
    /// Begin of its first hour in the result, in seconds since the start.
    pub from_s: f64,
    /// Hours of it that were simulated.
    pub hours: f64,
    /// Hours that it has.
    pub full_hours: f64,
    /// Begin and end by the calendar, RFC 3339.
    pub window: [String; 2],
}

impl PeriodSpan {
    /// Whether the result covers all of it.
    pub fn is_whole(&self) -> bool {
        self.hours >= self.full_hours - 1e-9
    }
}

/// The zone of an IANA name.
///
/// # Errors
/// If there is none of that name.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        format!(
            "`{name}` is not the name of a time zone: UTC, or an IANA name such as Europe/Berlin"
        )
    })
}

/// Sorts hours into periods.
pub(super) struct Calendar {
    period: Period,
    zone: TimeZone,
    start_epoch_ms: i64,
    /// When the simulation ended, in seconds since the start; whole hours where that is not known.
    end_s: f64,
    /// Place of each hour's period.
    hours: BTreeMap<i64, usize>,
    places: BTreeMap<String, usize>,
    spans: Vec<PeriodSpan>,
}

impl Calendar {
    pub(super) fn new(
        period: Period,
        zone: TimeZone,
        (start_epoch_ms, end_s): (i64, Option<f64>),
    ) -> Self {
        let (hours, places, spans) = Default::default();
        let end_s = end_s.unwrap_or(f64::INFINITY);
        Self { period, zone, start_epoch_ms, end_s, hours, places, spans }
    }

    /// The place of the period that holds the hour that begins `hour_s` seconds after the start.
    pub(super) fn place(&mut self, hour_s: f64) -> usize {
        let hour_ms = (hour_s * 1000.0).round() as i64;
        if let Some(place) = self.hours.get(&hour_ms) {
            return *place;
        }
        let epoch_ms = self.start_epoch_ms.saturating_add(hour_ms);
        let at = Timestamp::from_millisecond(epoch_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let (name, from, to) = self.bounds(&at.to_zoned(self.zone.clone()));
        let spans = &mut self.spans;
        let place = *self.places.entry(name.clone()).or_insert_with(|| {
            let full_hours = from.duration_until(&to).as_secs_f64() / 3600.0;
            let window = [&from, &to].map(|at| at.timestamp().to_string());
            spans.push(PeriodSpan { name, from_s: hour_s, hours: 0.0, full_hours, window });
            spans.len() - 1
        });
        let span = &mut self.spans[place];
        // The first and the last hour are simulated in part, as a rule.
        let known = self.end_s.is_finite();
        let from = if known { hour_s.max(0.0) } else { hour_s };
        span.hours += ((hour_s + 3600.0).min(self.end_s) - from).max(0.0) / 3600.0;
        span.from_s = span.from_s.min(hour_s);
        self.hours.insert(hour_ms, place);
        place
    }

    /// Name, begin and end of the period around `at`. Where the calendar ends, it is one without
    /// length.
    fn bounds(&self, at: &Zoned) -> (String, Zoned, Zoned) {
        let date = at.date();
        let midnight = |date: Date| date.to_zoned(self.zone.clone()).unwrap_or_else(|_| at.clone());
        let (name, from, to) = match self.period {
            Period::Hour => {
                let from = DateTime::from_parts(date, jiff::civil::time(at.hour(), 0, 0, 0));
                let from = from.to_zoned(self.zone.clone()).unwrap_or_else(|_| at.clone());
                let name = format!("{} {:02}:00{}", date, at.hour(), at.strftime("%:z"));
                let to = from.checked_add(1.hour());
                return (name, from.clone(), to.unwrap_or(from));
            }
            Period::Day => (date.to_string(), date, date.checked_add(1.day())),
            Period::Week => {
                let back = i64::from(date.weekday().to_monday_zero_offset());
                let from = date.checked_sub(back.days()).unwrap_or(date);
                let week = date.iso_week_date();
                let name = format!("{}-W{:02}", week.year(), week.week());
                (name, from, from.checked_add(7.days()))
            }
            Period::Month => {
                let from = date.first_of_month();
                let name = format!("{:04}-{:02}", date.year(), date.month());
                (name, from, from.checked_add(1.month()))
            }
            Period::All => {
                let start = Timestamp::from_millisecond(self.start_epoch_ms);
                let start = start.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone());
                return ("all".to_owned(), start.clone(), start);
            }
        };
        (name, midnight(from), midnight(to.unwrap_or(from)))
    }

    /// The periods in order of time, and where each place went.
    pub(super) fn finish(self) -> (Vec<PeriodSpan>, Vec<usize>) {
        let mut order: Vec<usize> = (0..self.spans.len()).collect();
        order.sort_by(|a, b| self.spans[*a].from_s.total_cmp(&self.spans[*b].from_s));
        let mut went = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, old)| went[*old] = new);
        let mut spans: Vec<PeriodSpan> = order.iter().map(|old| self.spans[*old].clone()).collect();
        if self.period == Period::All {
            for span in &mut spans {
                span.full_hours = span.hours;
            }
        }
        (spans, went)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-28T22:00Z, in hours from there on.
    fn names(period: Period, zone: &str, hours: &[i32]) -> Vec<PeriodSpan> {
        let zone = TimeZone::get(zone).unwrap();
        let mut calendar = Calendar::new(period, zone, (1_774_735_200_000, None));
        for hour in hours {
            calendar.place(f64::from(*hour) * 3600.0);
        }
        calendar.finish().0
    }

    #[test]
    fn days_begin_at_local_midnight_and_have_23_hours_in_spring() {
        let hours: Vec<i32> = (0..30).collect();
        let days = names(Period::Day, "Europe/Berlin", &hours);
        let seen: Vec<(&str, f64, f64)> =
            days.iter().map(|day| (day.name.as_str(), day.hours, day.full_hours)).collect();
        assert_eq!(
            seen,
            [("2026-03-28", 1.0, 24.0), ("2026-03-29", 23.0, 23.0), ("2026-03-30", 6.0, 24.0)]
        );
        assert_eq!(days[1].window[0], "2026-03-28T23:00:00Z");
        assert!(days[1].is_whole() && !days[2].is_whole());
        let utc = names(Period::Day, "UTC", &hours);
        assert_eq!(utc[0].name, "2026-03-28");
        assert_eq!(utc[0].hours, 2.0);
    }

    #[test]
    fn hours_that_are_simulated_in_part_count_in_part() {
        // From twenty past on, for two and a half hours.
        let start = (1_774_735_200_000 + 1_200_000, Some(9_000.0));
        let mut calendar = Calendar::new(Period::Hour, TimeZone::UTC, start);
        for hour in 0..3 {
            calendar.place(f64::from(hour) * 3600.0 - 1200.0);
        }
        let hours: Vec<f64> = calendar.finish().0.iter().map(|span| span.hours * 60.0).collect();
        assert_eq!(hours, [40.0, 60.0, 50.0]);
    }

    #[test]
    fn weeks_months_hours_and_all() {
        assert_eq!(names(Period::Week, "UTC", &[0, 26])[1].name, "2026-W14");
        let months = names(Period::Month, "UTC", &[80, 0]);
        assert_eq!((months[0].name.as_str(), months[0].full_hours), ("2026-03", 744.0));
        assert_eq!(months[1].name, "2026-04");
        assert_eq!(names(Period::Hour, "UTC", &[0])[0].name, "2026-03-28 22:00+00:00");
        let all = names(Period::All, "UTC", &[0, 5]);
        assert_eq!((all.len(), all[0].hours, all[0].full_hours), (1, 2.0, 2.0));
    }
}
