//! The durations of a stage's tasks as one cell.
//!
//! `5;1x3;9` are five tasks of 5, 1, 1, 1 and 9 ms. `q:1;5;9|tail:20;30` is a stage with very
//! many tasks: evenly spaced quantiles of its body, and its slowest tasks; the `tasks` column
//! says how many there are.

use sim::workload::TaskDurations;

/// Most durations that a list may expand to: `1x4000000000` must not take 16 GB.
const LISTED_MAX: usize = 1_000_000;
/// Most numbers of a quantile description.
const QUANTILES_MAX: usize = 4_096;

/// Writes `durations`.
pub(super) fn render(durations: &TaskDurations) -> String {
    match durations {
        TaskDurations::Listed(listed) => render_listed(listed),
        TaskDurations::Quantiles { body, tail, .. } => {
            format!("q:{}|tail:{}", join(body), join(tail))
        }
    }
}

fn render_listed(listed: &[u32]) -> String {
    let mut text = String::new();
    for same in listed.chunk_by(|a, b| a == b) {
        if !text.is_empty() {
            text.push(';');
        }
        text.push_str(&same[0].to_string());
        if same.len() > 1 {
            text.push('x');
            text.push_str(&same.len().to_string());
        }
    }
    text
}

fn join(numbers: &[u32]) -> String {
    let texts: Vec<String> = numbers.iter().map(u32::to_string).collect();
    texts.join(";")
}

/// Reads what [`render`] writes, for a stage of `count` tasks.
///
/// # Errors
/// What is wrong, as the end of a sentence about the cell.
pub(super) fn parse(text: &str, count: u32) -> Result<TaskDurations, String> {
    let durations = match text.strip_prefix("q:") {
        Some(rest) => parse_quantiles(rest, count)?,
        None => TaskDurations::from_millis(parse_listed(text)?),
    };
    if durations.count() == count {
        Ok(durations)
    } else {
        Err(format!("lists {} durations, but `tasks` is {count}", durations.count()))
    }
}

fn parse_listed(text: &str) -> Result<Vec<u32>, String> {
    let mut listed = Vec::new();
    for part in text.split(';').filter(|_| !text.is_empty()) {
        let (ms, times) = part.split_once('x').unwrap_or((part, "1"));
        let ms = millis(ms)?;
        let times: usize = times
            .parse()
            .map_err(|_| format!("has `{}`, which is not like `123` or `123x4`", short(part)))?;
        if times > LISTED_MAX - listed.len() {
            return Err(format!("lists more than {LISTED_MAX} tasks: use quantiles"));
        }
        listed.resize(listed.len() + times, ms);
    }
    Ok(listed)
}

fn parse_quantiles(text: &str, count: u32) -> Result<TaskDurations, String> {
    let (body, tail) = text.split_once("|tail:").ok_or("has `q:` without `|tail:`")?;
    let body = ascending(body)?;
    let tail = ascending(tail)?;
    if body.len() < 2 {
        return Err("needs at least two quantiles".to_owned());
    }
    if tail.len() >= count as usize {
        return Err(format!("has {} slowest tasks, but `tasks` is {count}", tail.len()));
    }
    Ok(TaskDurations::Quantiles { count, body, tail })
}

fn ascending(text: &str) -> Result<Box<[u32]>, String> {
    let numbers: Vec<u32> = text
        .split(';')
        .filter(|_| !text.is_empty())
        .take(QUANTILES_MAX + 1)
        .map(millis)
        .collect::<Result<_, _>>()?;
    if numbers.len() > QUANTILES_MAX {
        return Err(format!("has more than {QUANTILES_MAX} numbers"));
    }
    if !numbers.is_sorted() {
        return Err("has quantiles that do not ascend".to_owned());
    }
    Ok(numbers.into_boxed_slice())
}

fn millis(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("has `{}`, which is not milliseconds", short(text)))
}

fn short(text: &str) -> String {
    crate::table::shorten(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_durations_are_counted() {
        let durations = TaskDurations::from_millis(vec![5, 1, 1, 1, 9]);
        assert_eq!(render(&durations), "5;1x3;9");
    }

    #[test]
    fn nonsense_is_named() {
        for (text, count, part) in [
            ("1;2", 3, "lists 2 durations"),
            ("1x4000000000", 1, "more than"),
            ("1x9999999999999999999999", 1, "not like"),
            ("1;-2", 2, "`-2`"),
            ("1;;2", 3, "``"),
            ("4294967296", 1, "not milliseconds"),
            ("q:1;2", 9, "|tail:"),
            ("q:3;2|tail:", 9, "ascend"),
            ("q:1;2|tail:3;4;5", 3, "slowest"),
            ("q:1|tail:", 3, "two quantiles"),
        ] {
            let error = parse(text, count).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn durations_read_back(
            listed in proptest::collection::vec(0..u32::MAX, 0..40),
            same in 0..5000_u32,
        ) {
            let mut all = listed;
            all.extend((0..same).map(|i| i / 700));
            let durations = TaskDurations::from_millis(all);
            let read = parse(&render(&durations), durations.count());
            proptest::prop_assert_eq!(read, Ok(durations));
        }
    }
}
