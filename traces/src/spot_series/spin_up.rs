//! Listings of what could be started on GCP at one time: a folder of files named by their times
//! (`2020-02-26T17-03-53.000Z.out`), each with lines `Zone: us-west1-b, GPU type: .., Number of
//! GPUs: 1, Price per hour: $0.851`.
//!
//! A pool that a listing does not name was tight at its time. Leaves out: prices, which are list
//! prices; what happened between listings. Source: facts-cloud 2 (training_on_a_dime).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::observed::{self, Observed};
use super::{POOLS_MAX, Reader, WeatherSeries, lines};
use crate::TraceError;
use crate::table::shorten;

/// What a line names: zone and kind.
type Name = (String, String);

pub(super) fn read(reader: &mut Reader<'_>) -> Result<WeatherSeries, TraceError> {
    let mut listings: BTreeMap<i64, BTreeSet<Name>> = BTreeMap::new();
    let mut names: BTreeSet<Name> = BTreeSet::new();
    for file in lines::files(reader.path, ".out")? {
        let Some(at) = time_of(&file) else {
            let reason = "its name is not a time such as 2020-02-26T17-03-53.000Z.out";
            return Err(TraceError::unreadable(&file, reason));
        };
        let listing = listings.entry(at).or_default();
        lines::each(&file, |number, text| {
            reader.row()?;
            let Some(name) = parse(text) else {
                reader.bad("bad-line", number, || {
                    format!("`{}` is no line of a listing; it was dropped", shorten(text))
                });
                return Ok(());
            };
            if names.len() >= POOLS_MAX && !names.contains(&name) {
                reader.bad("too-many-pools", number, || "it was dropped".to_owned());
            } else if listing.insert(name.clone()) {
                names.insert(name);
                reader.counts.kept += 1;
            } else {
                reader.duplicate(number, || "named twice in one listing".to_owned());
            }
            Ok(())
        })?;
    }
    let times: Vec<i64> = listings.keys().copied().collect();
    let (Some(first), Some(last)) = (times.first(), times.last().filter(|_| times.len() > 1))
    else {
        return Err(TraceError::unreadable(reader.path, "one listing is no series"));
    };
    let pools = names.into_iter().map(|name| {
        let mut pool =
            Observed { zone: name.0.clone(), instance_type: name.1.clone(), ..Observed::default() };
        for (at, listing) in &listings {
            pool.see(*at, !listing.contains(&name));
        }
        pool
    });
    Ok(observed::series(pools.collect(), *first, *last))
}

fn time_of(file: &Path) -> Option<i64> {
    let name = file.file_name()?.to_string_lossy().into_owned();
    let (date, time) = name.strip_suffix(".out")?.split_once('T')?;
    lines::timestamp(&format!("{date}T{}", time.replace('-', ":")))
}

fn parse(text: &str) -> Option<Name> {
    let mut fields = text.split(", ").map(|field| field.split_once(": "));
    let mut value = |key: &str| fields.next()?.filter(|(k, _)| *k == key).map(|(_, value)| value);
    let zone = value("Zone")?;
    let name = value("GPU type")?;
    let count: u16 = value("Number of GPUs")?.parse().ok()?;
    Some((zone.to_owned(), format!("{count}x {name}")))
}
