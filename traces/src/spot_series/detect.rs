//! Which format a file looks like.

use std::io::Read;
use std::path::Path;

use super::{SpotFormat, lines};
use crate::TraceError;
use crate::table::open_text;

/// So much of the beginning is looked at.
const HEAD: u64 = 64 << 10;

pub(super) fn format(path: &Path) -> Result<SpotFormat, TraceError> {
    let file = if path.is_dir() {
        let json = lines::files(path, ".json").or_else(|_| lines::files(path, ".out"))?;
        json[0].clone()
    } else {
        path.to_owned()
    };
    let mut head = Vec::new();
    let read = open_text(&file)?.take(HEAD).read_to_end(&mut head);
    read.map_err(|source| TraceError::io(&file, source))?;
    let head = String::from_utf8_lossy(&head);
    of_text(head.trim_start_matches('\u{feff}').trim_start()).ok_or_else(|| {
        let names: Vec<&str> = SpotFormat::NAMES.iter().map(|(name, _)| *name).collect();
        let reason = format!("it looks like none of the formats {}", names.join(", "));
        TraceError::unreadable(path, reason)
    })
}

fn of_text(head: &str) -> Option<SpotFormat> {
    if head.starts_with('{') {
        let keys = [
            ("\"SpotPriceHistory\"", SpotFormat::PriceHistory),
            ("\"spot_advisor\"", SpotFormat::Advisor),
            ("\"instance_types\"", SpotFormat::Advisor),
            ("\"valueColumns\"", SpotFormat::RegionPrices),
        ];
        return keys.iter().find(|(key, _)| head.contains(key)).map(|(_, format)| *format);
    }
    let first = head.lines().next()?;
    let fields: Vec<&str> = first.split(',').map(str::trim).collect();
    match fields.as_slice() {
        _ if first.starts_with('[') => Some(SpotFormat::Availability),
        _ if first.starts_with("Zone:") => Some(SpotFormat::SpinUp),
        [_, "add" | "remove", _] => Some(SpotFormat::AddRemove),
        [_, count] | [_, _, count] if count.parse::<u32>().is_ok() => Some(SpotFormat::Counts),
        _ => None,
    }
}
