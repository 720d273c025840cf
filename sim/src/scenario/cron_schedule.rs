//! Cron schedules of disruption budgets: five fields or one of the macros, in UTC.
//!
//! Source: `robfig/cron` `ParseStandard`, which Karpenter calls: fields minute, hour, day of month,
//! month, day of week; `*`, lists, ranges, steps; names of months and days; `@daily` and its like.
//! If both day fields are restricted, either one matches.

/// A schedule, as bits of what matches in each field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronSchedule {
    /// As it was written.
    pub text: String,
    minutes: u64,
    hours: u32,
    days: u32,
    months: u16,
    weekdays: u8,
    /// A day field that begins with `*` does not restrict.
    any_day: bool,
    any_weekday: bool,
}

/// Minutes of a day.
const DAY: i64 = 24 * 60;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl CronSchedule {
    /// Reads a schedule.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!(
                "a schedule has 5 fields, or is @daily and its like, not {text:?}"
            ));
        };
        Ok(Self {
            text: text.to_owned(),
            minutes: field(minute, 0, 59, &[])?,
            hours: field(hour, 0, 23, &[])? as u32,
            days: field(day, 1, 31, &[])? as u32,
            months: field(month, 1, 12, &MONTHS)? as u16,
            weekdays: field(weekday, 0, 6, &WEEKDAYS)? as u8,
            any_day: day.starts_with(['*', '?']),
            any_weekday: weekday.starts_with(['*', '?']),
        })
    }

    /// Whether it names the minute that is so many minutes after 1970-01-01T00:00Z.
    pub fn matches(&self, minute: i64) -> bool {
        let of_day = minute.rem_euclid(DAY);
        self.minutes >> (of_day % 60) & 1 == 1
            && self.hours >> (of_day / 60) & 1 == 1
            && self.names_day(minute.div_euclid(DAY))
    }

    /// Whether it names a minute of the day that is so many days after 1970-01-01.
    fn names_day(&self, days: i64) -> bool {
        let (month, day) = civil(days);
        if self.months >> month & 1 == 0 {
            return false;
        }
        let by_day = self.days >> day & 1 == 1;
        // 1970-01-01 was a Thursday.
        let by_weekday = self.weekdays >> (days + 4).rem_euclid(7) & 1 == 1;
        if self.any_day || self.any_weekday { by_day && by_weekday } else { by_day || by_weekday }
    }

    /// Whether a window of so many minutes that began at a time it names covers the minute.
    pub fn covers(&self, minute: i64, duration_minutes: i64) -> bool {
        let from = minute.saturating_sub(duration_minutes.saturating_sub(1));
        let mut at = minute;
        // Days that the schedule does not name are skipped whole: windows may last for months.
        while at >= from {
            if self.matches(at) {
                return true;
            }
            let day = at.div_euclid(DAY);
            at = if self.names_day(day) { at - 1 } else { day * DAY - 1 };
        }
        false
    }
}

/// The bits of one field.
fn field(text: &str, least: u32, most: u32, names: &[&str]) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not {least} to {most}, a list, a range or a step of them");
    let number = |word: &str| -> Result<u32, String> {
        let lower = word.to_ascii_lowercase();
        let named = names.iter().position(|name| *name == lower).map(|place| place as u32 + least);
        named.or_else(|| word.parse().ok()).ok_or_else(wrong)
    };
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u32>().map_err(|_| wrong())?)),
            None => (part, None),
        };
        let (from, to) = match range {
            "*" | "?" => (least, most),
            _ => match range.split_once('-') {
                Some((from, to)) => (number(from)?, number(to)?),
                // `5/10` means from 5 on.
                None => (number(range)?, if step.is_some() { most } else { number(range)? }),
            },
        };
        if from < least || to > most || from > to || step == Some(0) {
            return Err(wrong());
        }
        for value in (from..=to).step_by(step.unwrap_or(1) as usize) {
            bits |= 1 << value;
        }
    }
    Ok(bits)
}

/// Month (1 to 12) and day of the month of a day after 1970-01-01.
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
const fn civil(days: i64) -> (u32, u32) {
    let days = days + 719_468;
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minutes after 1970 of a time of 2026-11-DD, which begins with a Sunday.
    const fn november(day: i64, hour: i64, minute: i64) -> i64 {
        ((20_758 + day - 1) * 24 + hour) * 60 + minute
    }

    fn matches(text: &str, minute: i64) -> bool {
        CronSchedule::parse(text).expect("it is one").matches(minute)
    }

    #[test]
    fn fields_match_as_cron() {
        assert!(matches("0 9 * * mon-fri", november(2, 9, 0)));
        assert!(!matches("0 9 * * mon-fri", november(1, 9, 0)));
        assert!(!matches("0 9 * * 1-5", november(2, 9, 1)));
        assert!(matches("*/15 * 2 11 *", november(2, 23, 45)));
        assert!(!matches("*/15 * 2 11 *", november(3, 23, 45)));
        assert!(matches("@daily", november(30, 0, 0)));
        // Both day fields: either one.
        assert!(matches("0 0 13 * fri", november(6, 0, 0)));
        assert!(matches("0 0 13 * sat", november(13, 0, 0)));
    }

    #[test]
    fn windows_cover_what_follows() {
        let nightly = CronSchedule::parse("0 22 * * *").expect("it is one");
        assert!(nightly.covers(november(5, 22, 0), 8 * 60));
        assert!(nightly.covers(november(6, 5, 59), 8 * 60));
        assert!(!nightly.covers(november(6, 6, 0), 8 * 60));
        let yearly = CronSchedule::parse("30 6 2 jan *").expect("it is one");
        let minute = november(5, 0, 0);
        for duration in [1, 60, 400_000, 440_000, 450_000, 1_000_000] {
            let slowly = (0..duration).any(|back| yearly.matches(minute - back));
            assert_eq!(yearly.covers(minute, duration), slowly, "{duration}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_said() {
        for text in ["", "* * * *", "60 * * * *", "* * 0 * *", "*/0 * * * *", "5-1 * * * *"] {
            assert!(CronSchedule::parse(text).is_err(), "{text}");
        }
    }
}
