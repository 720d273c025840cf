//! Names of pods, and the names that are nearest to one that is not there.

use crate::tables::TableRow;

/// Names offered for one that is unknown.
const OFFERED: usize = 3;

/// How a user names a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PodName {
    Number(i64),
    Named(String),
}

impl PodName {
    pub(super) fn parse(name: &str) -> Self {
        match name.parse::<u32>() {
            Ok(number) => Self::Number(i64::from(number)),
            Err(_) => Self::Named(name.to_owned()),
        }
    }

    /// Whether the pod of (number, kind, owner's name, executor id) is meant. Allocates nothing.
    pub(super) fn is(&self, pod: i64, kind: &str, owner: Option<&str>, executor: i64) -> bool {
        let Self::Named(name) = self else {
            return *self == Self::Number(pod);
        };
        let of_run = |separator: char| {
            let rest = name.strip_prefix(owner?)?.strip_prefix(separator)?;
            Some(match kind {
                "driver" => rest == "driver",
                "executor" => rest.strip_prefix("exec-")?.parse() == Ok(executor),
                _ => false,
            })
        };
        match kind {
            "trace" => owner == Some(name.as_str()),
            "pause" => name.strip_prefix("pause-").is_some_and(|rest| rest.parse() == Ok(pod)),
            _ => of_run('/') == Some(true) || of_run('-') == Some(true),
        }
    }
}

/// What [`shown_pod`] reads of a row, in this order.
pub(super) const POD_NAME_COLUMNS: [&str; 4] = ["pod", "kind", "owner_name", "executor_id"];

/// The name that is shown of a pod: `RUN/driver`, `RUN/exec-3`, the trace pod's own, `pause-7`.
pub(super) fn pod_name(pod: i64, kind: &str, owner: Option<&str>, executor: Option<i64>) -> String {
    let owner = owner.unwrap_or("?");
    match kind {
        "driver" => format!("{owner}/driver"),
        "executor" => format!("{owner}/exec-{}", executor.unwrap_or(0)),
        "trace" => owner.to_owned(),
        _ => format!("pause-{pod}"),
    }
}

/// The name of the pod in a row of [`POD_NAME_COLUMNS`].
pub(super) fn shown_pod(row: TableRow<'_>) -> String {
    let (pod, kind) = (row.integer(0).unwrap_or(0), row.text(1).unwrap_or_default());
    pod_name(pod, kind, row.text(2), row.integer(3))
}

/// Keeps the nearest of the names it is shown.
pub(super) struct Nearest {
    wanted: Vec<char>,
    found: Vec<(usize, String)>,
}

impl Nearest {
    pub(super) fn to(name: &str) -> Self {
        // A name that long is nobody's slip; only its beginning is compared.
        let wanted = name.chars().take(200).flat_map(char::to_lowercase).collect();
        Self { wanted, found: Vec::new() }
    }

    pub(super) fn offer(&mut self, name: &str) {
        let limit = (self.wanted.len() / 3).max(2);
        let other: Vec<char> = name.chars().take(200).flat_map(char::to_lowercase).collect();
        if other.len().abs_diff(self.wanted.len()) > limit {
            return;
        }
        let distance = distance(&self.wanted, &other);
        let worst = self.found.last().map_or(usize::MAX, |(worst, _)| *worst);
        if distance > limit || (self.found.len() == OFFERED && distance >= worst) {
            return;
        }
        if self.found.iter().all(|(_, known)| known != name) {
            self.found.push((distance, name.to_owned()));
            self.found.sort();
            self.found.truncate(OFFERED);
        }
    }

    pub(super) fn into_names(self) -> Vec<String> {
        self.found.into_iter().map(|(_, name)| name).collect()
    }
}

/// Levenshtein's distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (place, from) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], place + 1);
        for (column, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_have_several_names() {
        let executor = |name: &str| PodName::parse(name).is(7, "executor", Some("r-1"), 3);
        assert!(executor("7") && executor("r-1/exec-3") && executor("r-1-exec-3"));
        assert!(!executor("8") && !executor("r-1/exec-33") && !executor("r-1/driver"));
        assert!(PodName::parse("r-1/driver").is(0, "driver", Some("r-1"), 0));
        assert!(PodName::parse("openb-1").is(0, "trace", Some("openb-1"), 0));
        assert!(PodName::parse("pause-5").is(5, "pause", None, 0));
        assert_eq!(pod_name(5, "pause", None, None), "pause-5");
    }

    #[test]
    fn near_names_come_nearest_first() {
        let mut near = Nearest::to("run-0012");
        for name in ["run-0017", "run-12", "run-0012x", "Run-0012", "other", "run-0017"] {
            near.offer(name);
        }
        assert_eq!(near.into_names(), ["Run-0012", "run-0012x", "run-0017"]);
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(distance(&letters("kitten"), &letters("sitting")), 3);
        assert_eq!(distance(&[], &letters("abc")), 3);
    }
}
