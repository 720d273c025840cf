//! Numbers as people read them: `12,345`, `$1,234.56`, `3h05m`, `45.1 %`, `████▌`.

use sim::units::NanoUsd;

/// With a comma every three digits.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Dollars and cents, rounded half up; `<$0.01` where there is something, but less than a cent.
pub fn dollars(cost: NanoUsd) -> String {
    const CENT: u64 = 10_000_000;
    let nano = cost.as_nano().unsigned_abs();
    let sign = if cost < NanoUsd::ZERO { "-" } else { "" };
    if nano > 0 && nano < CENT {
        return format!("{sign}<$0.01");
    }
    let cents = (nano + CENT / 2) / CENT;
    format!("{sign}${}.{:02}", grouped(cents / 100), cents % 100)
}

/// A length of time, given in seconds: `0.25s`, `12.3s`, `4m07s`, `3h05m`, `2d03h`.
pub fn duration(seconds: f64) -> String {
    if seconds < 9.995 {
        return format!("{seconds:.2}s");
    }
    if seconds < 59.95 {
        return format!("{seconds:.1}s");
    }
    let whole = seconds.round() as u64;
    let (days, hours, minutes) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60);
    if whole < 3_600 {
        format!("{minutes}m{:02}s", whole % 60)
    } else if days == 0 {
        format!("{hours}h{minutes:02}m")
    } else {
        format!("{days}d{hours:02}h")
    }
}

/// `part` of `whole` in percent, with one decimal; `-` of nothing.
pub fn percent(part: f64, whole: f64) -> String {
    if whole > 0.0 { format!("{:.1} %", part / whole * 100.0) } else { "-".to_owned() }
}

/// A bar of `share` (0 to 1) of `width` characters, in eighths of a character.
pub fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let mut text: String = std::iter::repeat_n('█', eighths / 8).collect();
    if !eighths.is_multiple_of(8) {
        text.push(EIGHTHS[eighths % 8]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shown: String, expected: &str) {
        assert_eq!(shown, expected);
    }

    #[test]
    fn numbers_are_grouped() {
        check(grouped(0), "0");
        check(grouped(999), "999");
        check(grouped(1_000), "1,000");
        check(grouped(12_345_678), "12,345,678");
    }

    #[test]
    fn money_has_cents() {
        check(dollars(NanoUsd::ZERO), "$0.00");
        check(dollars(NanoUsd::new(1)), "<$0.01");
        check(dollars(NanoUsd::new(1_234_565_000_000)), "$1,234.57");
        check(dollars(NanoUsd::new(-15_000_000)), "-$0.02");
        check(dollars(NanoUsd::new(999_999_999)), "$1.00");
    }

    #[test]
    fn times_have_two_parts() {
        check(duration(0.0), "0.00s");
        check(duration(0.25), "0.25s");
        check(duration(9.999), "10.0s");
        check(duration(59.96), "1m00s");
        check(duration(247.0), "4m07s");
        check(duration(3_599.9), "1h00m");
        check(duration(11_130.0), "3h05m");
        check(duration(183_600.0), "2d03h");
    }

    #[test]
    fn shares_have_bars() {
        check(bar(0.5, 4), "██");
        check(bar(1.0 / 32.0, 4), "▏");
        check(bar(7.0, 3), "███");
        check(bar(0.0, 3), "");
        check(percent(1.0, 3.0), "33.3 %");
        check(percent(0.0, 0.0), "-");
    }
}
